"""A course prepared for a clinician: every claim numbered to its citation, every event in words. No layout here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from poems.course import Span
from poems.errors import Issue
from poems.follow import DomainResponse, Factor, Follow, Option, Pattern, Relapse, Survival, Trend, Visit
from poems.knowledge import Knowledge, Reference
from poems.render.cited import Bibliography, Mark
from poems.render.follow_words import (
    alarm_text,
    apart,
    by_kind,
    due,
    duration,
    outcome_name,
    points,
    ratio,
    test_label,
    trend_rows,
    trend_sentence,
)
from poems.render.timeline import Timeline, is_once, series_label, timeline
from poems.render.view import Observation, PartView, observations, part_view, person
from poems.render.words import clean, inside, label, listed, needs, number, unit
from poems.rules import Verdict

DISCLAIMER = ("It informs and never orders: it shows what the record says by published definitions, what the papers "
              "report, and how sure each of it is. No published number here was made for this one patient, and hazard "
              "ratios are never multiplied.")
SPOKEN = {Verdict.MET: "present", Verdict.NOT_MET: "absent", Verdict.UNKNOWN: "unknown"}
UNTOLD = ("unknown", "not evaluable")
Cited = tuple[Mark, ...]


@dataclass(frozen=True)
class SpanView:
    """One treatment with its days."""

    label: str
    days: str
    lasted: str


@dataclass(frozen=True)
class TrendView:
    """One series and what its trend says. alarm: none, confirm or rising, and in words."""

    label: str
    series: str
    samples: str
    alarm: str
    alarm_text: str
    rows: tuple[tuple[str, str], ...]
    explained: tuple[Observation, ...]
    notes: tuple[str, ...]
    marks: Cited


@dataclass(frozen=True)
class ResponseView:
    """Response in one domain: now, best and since when, or why it cannot be told."""

    label: str
    now: str
    best: str
    since: str
    is_evaluable: bool
    why: str
    parts: tuple[PartView, ...]
    drafts: tuple[str, ...]
    marks: Cited


@dataclass(frozen=True)
class RelapseView:
    """One type of relapse, and what the literature does then (where it was met, confirmed or not)."""

    label: str
    verdict: Verdict
    when: str
    why: str
    observations: tuple[Observation, ...]
    literature: str
    marks: Cited
    literature_marks: Cited


@dataclass(frozen=True)
class PatternView:
    """A published pattern of first treatment, or a trial, and whether it describes this patient."""

    label: str
    verdict: Verdict
    why: str
    parts: tuple[PartView, ...]
    missing: tuple[str, ...]
    marks: Cited


@dataclass(frozen=True)
class OptionView:
    """A treatment as published."""

    label: str
    setting: str
    outcomes: tuple[tuple[str, str, Cited], ...]
    harms: tuple[tuple[str, Cited], ...]


@dataclass(frozen=True)
class FactorView:
    """One published prognostic factor."""

    label: str
    verdict: Verdict
    word: str
    outcome: str
    ratio: str
    cohort: str
    observations: tuple[Observation, ...]
    marks: Cited


@dataclass(frozen=True)
class SurvivalView:
    """Published survival of one cohort."""

    cohort: str
    era: str
    n: str
    points: tuple[tuple[str, str], ...]
    note: str
    marks: Cited


@dataclass(frozen=True)
class VisitView:
    """When to look again, and at what. later: the visits of the same kind after it."""

    label: str
    due: str
    apart: str
    tests: tuple[str, ...]
    is_overdue: bool
    because: str
    later: tuple[str, ...]
    marks: Cited


@dataclass(frozen=True)
class FollowView:
    """Everything a clinician's rendering shows of one course."""

    patient: str
    as_of: str
    knowledge: str
    person: str
    since: str
    died: str
    glance: tuple[str, ...]
    picture: Timeline
    treatments: tuple[SpanView, ...]
    trends: tuple[TrendView, ...]
    scales: tuple[tuple[str, str, str], ...]
    responses: tuple[ResponseView, ...]
    relapses: tuple[RelapseView, ...]
    patterns: tuple[PatternView, ...]
    options: tuple[OptionView, ...]
    trials: tuple[PatternView, ...]
    prognosis: tuple[FactorView, ...]
    survival: tuple[SurvivalView, ...]
    calendar: tuple[VisitView, ...]
    transplants: tuple[str, ...]
    cautions: tuple[tuple[str, Cited], ...]
    issues: tuple[Issue, ...]
    refused: int
    cited: Bibliography


def view(follow: Follow, knowledge: Knowledge) -> FollowView:
    """The course as a clinician reads it."""
    return _Viewer(follow, knowledge).view()


class _Viewer:
    def __init__(self, follow: Follow, knowledge: Knowledge) -> None:
        self.follow, self.knowledge, self.cited = follow, knowledge, Bibliography(knowledge)

    def view(self) -> FollowView:
        follow = self.follow
        calendar = tuple(self._calendar())
        return FollowView(
            patient=clean(follow.patient), as_of=follow.as_of.isoformat(), knowledge=follow.knowledge,
            person=person(follow.record.events, self.knowledge), since=self._since(),
            died=follow.died.isoformat() if follow.died else "", glance=tuple(self._glance(calendar)),
            picture=timeline(follow, self.knowledge), treatments=tuple(map(self._span, follow.treatments)),
            trends=tuple(map(self._trend, follow.trends)), scales=tuple(self._scales()),
            responses=tuple(map(self._response, follow.responses)),
            relapses=tuple(map(self._relapse, sorted(follow.relapses, key=self._gravity))),
            patterns=tuple(map(self._pattern, follow.pattern)), options=tuple(map(self._option, follow.options)),
            trials=tuple(map(self._pattern, follow.trials)), prognosis=tuple(map(self._factor, follow.prognosis)),
            survival=tuple(map(self._survival, follow.survival)), calendar=calendar,
            transplants=tuple(transplant.day_0.isoformat() for transplant in follow.transplants),
            cautions=tuple((clean(item.text), self._marks(item.source)) for item in follow.cautions),
            issues=follow.issues, refused=sum(issue.level == "fault" for issue in follow.issues), cited=self.cited)

    def _marks(self, *sources: Reference | None) -> Cited:
        return self.cited.marks(*sources)

    def _since(self) -> str:
        if self.follow.diagnosed is None:
            return "day of diagnosis not recorded"
        criteria = self.knowledge.criteria.get(self.follow.diagnosed_by)
        by = f" (by {criteria.label})" if criteria else ""
        return f"diagnosed {self.follow.diagnosed}{by}, {apart(self.follow.diagnosed, self.follow.as_of)}"

    def _glance(self, calendar: Sequence[VisitView]) -> Iterator[str]:
        """One line each: relapse, the trends that rise (or the first), response, the next visit."""
        if not (self.follow.relapses or self.follow.trends or self.follow.responses or self.follow.calendar):
            yield "The record holds nothing with a date that a course could be made of."
        if self.follow.died:
            yield f"Died on {self.follow.died}."
        yield from self._relapsed()
        rising = [trend for trend in self.follow.trends if trend.alarm != "none"] or list(self.follow.trends[:1])
        yield from (trend_sentence(trend, self.knowledge) for trend in rising)
        if self.follow.responses:
            yield f"Response now: {self._responses()}."
        yield from self._next(calendar)

    def _responses(self) -> str:
        """The domains by what they show, those that show a category first."""
        of: dict[str, list[str]] = {}
        for item in sorted(self.follow.responses, key=lambda item: item.now in UNTOLD):
            of.setdefault(item.now if item.now in UNTOLD else inside(self._category(item, item.now), self.knowledge),
                          []).append(inside(item.label, self.knowledge))
        return "; ".join(f"{category} ({', '.join(names)})" for category, names in of.items())

    def _relapsed(self) -> Iterator[str]:
        """What the definitions say of the current line of treatment."""
        now = [item for item in self.follow.relapses if not self._is_past(item)]
        found = [item for item in now if item.verdict is not Verdict.NOT_MET and item.day]
        if found:
            found.sort(key=self._gravity)
            yield "; ".join(f"{clean(item.label)}: {self._when(item)}" for item in found) + "."
        elif now:
            left = sum(item.verdict is Verdict.UNKNOWN for item in now)
            more = f"; {left} of {len(now)} cannot be told from the record" if left else ""
            yield f"No relapse or progression is shown by the published definitions{more}."

    def _gravity(self, item: Relapse) -> tuple[bool, bool, int]:
        """The current line of treatment first; what was met first, confirmed or not; then unknown, then not met."""
        order = (Verdict.MET, Verdict.UNKNOWN, Verdict.NOT_MET)
        return self._is_past(item), item.day is None, order.index(item.verdict)

    def _is_past(self, item: Relapse) -> bool:
        """Whether a later line of treatment has begun since."""
        return bool(item.day and self.follow.lines and item.day <= self.follow.lines[-1].start)

    def _next(self, calendar: Sequence[VisitView]) -> Iterator[str]:
        if self.follow.died:
            return
        late = [visit for visit in calendar if visit.is_overdue]
        coming = [visit for visit in calendar if not visit.is_overdue]
        if late:
            yield f"Overdue: {listed([inside(visit.label, self.knowledge) for visit in late], 'and')}."
        if coming:
            yield f"Next: {inside(coming[0].label, self.knowledge)}, {coming[0].due} ({coming[0].apart})."

    def _span(self, span: Span) -> SpanView:
        end = span.end or self.follow.died or self.follow.as_of
        if is_once(span, self.follow):
            return SpanView(label(span.finding, self.knowledge), span.start.isoformat(), "")
        days = f"{span.start} to {span.end}" if span.end else f"since {span.start}, no end recorded"
        return SpanView(label(span.finding, self.knowledge), days, duration(max((end - span.start).days, 0)))

    def _trend(self, trend: Trend) -> TrendView:
        count, days = len(trend.series.samples), [event.date for event in trend.series.samples if event.date]
        range_ = f", {days[0]} to {days[-1]}" if len(days) > 1 else f", {days[0]}" if days else ""
        return TrendView(
            label(trend.series.finding, self.knowledge), series_label(trend.series),
            f"{count} value{'' if count == 1 else 's'}{range_}", trend.alarm, alarm_text(trend),
            tuple(trend_rows(trend, self.knowledge)), observations(trend.explained_by, self.knowledge),
            tuple(map(clean, trend.notes)), self._marks(*trend.sources))

    def _scales(self) -> Iterator[tuple[str, str, str]]:
        for series, said in self.follow.scales:
            values = " → ".join(f"{event.comparator}{number(event.value)}" for event in series.samples[-6:]
                                if event.value is not None)
            more = "… → " if len(series.samples) > 6 else ""
            concept = self.knowledge.concepts.get(series.finding)
            code = unit(concept.unit) if concept else ""
            yield label(series.finding, self.knowledge), f"{more}{values} {code}".rstrip(), clean(said)

    def _category(self, item: DomainResponse, name: str) -> str:
        """A category as its domain calls it."""
        domain = next((known for known in self.knowledge.follow.domains if known.id == item.id), None)
        found = next((known for known in domain.categories if known.id == name), None) if domain else None
        return clean(found.label if found else name)

    def _response(self, item: DomainResponse) -> ResponseView:
        lasted = f", lasting {duration(item.duration_days)}" if item.duration_days is not None else ""
        return ResponseView(
            clean(item.label), self._category(item, item.now), self._category(item, item.best),
            f"first on {item.best_day}{lasted}" if item.best_day else "",
            item.now != "not evaluable", clean(item.why),
            tuple(part_view(part, self.knowledge, self.cited) for part in item.parts),
            tuple(map(clean, item.drafts)), self._marks(item.source))

    def _when(self, item: Relapse) -> str:
        if item.day is None or item.verdict is Verdict.NOT_MET:
            return item.verdict.value
        past = ", before the present treatment" if self._is_past(item) else ""
        return f"since {item.day}, {'confirmed' if item.confirmed else 'not confirmed'}{past}"

    def _relapse(self, item: Relapse) -> RelapseView:
        return RelapseView(
            clean(item.label), item.verdict, self._when(item), clean(item.why),
            observations(item.because, self.knowledge),
            clean(item.literature) if item.day and not self._is_past(item) else "", self._marks(item.source),
            self._marks(item.literature_source))

    def _pattern(self, item: Pattern) -> PatternView:
        return PatternView(
            clean(item.label), item.verdict, clean(item.why),
            tuple(part_view(part, self.knowledge, self.cited) for part in item.parts),
            tuple(needs(item.settled_by, self.knowledge)), self._marks(item.source))

    def _option(self, item: Option) -> OptionView:
        return OptionView(
            clean(item.label), clean(item.setting),
            tuple((clean(what), clean(said), self._marks(source)) for what, said, source in item.outcomes),
            tuple((clean(said), self._marks(source)) for said, source in item.harms))

    def _factor(self, item: Factor) -> FactorView:
        return FactorView(
            clean(item.label), item.verdict, SPOKEN[item.verdict], outcome_name(clean(item.outcome)), ratio(item),
            clean(item.cohort), observations(item.because, self.knowledge), self._marks(item.source))

    def _survival(self, item: Survival) -> SurvivalView:
        return SurvivalView(
            clean(item.cohort), clean(item.era) if item.era not in item.cohort else "",
            f"{item.n:,}" if item.n is not None else "",
            tuple((outcome_name(outcome), said) for outcome, said in points(item)), clean(item.note),
            self._marks(item.source))

    def _calendar(self) -> Iterator[VisitView]:
        """Each kind of visit once, at its first day; overdue before those to come."""
        for first, *others in by_kind(self.follow.calendar):
            yield self._visit(first, others)

    def _visit(self, visit: Visit, others: Sequence[Visit]) -> VisitView:
        return VisitView(
            clean(visit.label), due(visit, self.follow.as_of),
            apart(visit.latest if visit.overdue else visit.day, self.follow.as_of),
            tuple(test_label(name, self.knowledge) for name in visit.tests), visit.overdue, clean(visit.because),
            tuple(due(other, self.follow.as_of) for other in others), self._marks(visit.source))


