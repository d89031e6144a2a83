"""A course prepared for a clinician: every claim numbered to its citation, every event in words. No layout here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from poems.course import Span
from poems.errors import Issue
from poems.follow import DomainResponse, Factor, Follow, Option, Pattern, Relapse, Survival, Trend, Visit
from poems.follow.model import RECORDED, Recorded
from poems.knowledge import Knowledge, Reference
from poems.render.cited import Bibliography, Mark
from poems.render.follow_glance import category, denial, glance, is_past, line_start, not_shown, when
from poems.render.follow_words import (
    alarm_text,
    by_kind,
    due,
    duration,
    from_now,
    lasted,
    name_of_test,
    outcome_name,
    points,
    ratio,
    rhythm,
    silence,
    silent_since,
    trend_rows,
    until,
    window,
)
from poems.render.timeline import Timeline, is_once, open_days, series_label, timeline
from poems.render.view import Observation, PartView, observations, part_view, person
from poems.render.words import clean, label, needs, shown, unit
from poems.rules import Verdict

DISCLAIMER = ("It informs and never orders: it shows what the record says by published definitions, what the papers "
              "report, and how sure each of it is. No published number here was made for this one patient, and hazard "
              "ratios are never multiplied.")
SPOKEN = {Verdict.MET: "present", Verdict.NOT_MET: "absent", Verdict.UNKNOWN: "unknown"}
RECORDED_BY = "Relapse or progression, as a clinician recorded it"
APART = "Counted after a transplant only, and this record has none"
IN_THE_HEAD = "diagnosis-day"
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
    reading: str = ""

    @property
    def same(self) -> object:
        """What two domains have in common that are told in one."""
        return self.now, self.best, self.since, self.why, self.parts


@dataclass(frozen=True)
class RelapseView:
    """One type of relapse; how its definition was read, and what the literature does then (where it was met)."""

    label: str
    verdict: Verdict
    when: str
    why: str
    observations: tuple[Observation, ...]
    literature: str
    marks: Cited
    literature_marks: Cited
    reading: str = ""

    @property
    def same(self) -> object:
        """What two types have in common that are told in one."""
        return self.verdict, self.when, self.why, self.literature, self.observations, self.reading


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
    """One published prognostic factor. is_apart: counted after transplants only, and none is recorded."""

    label: str
    verdict: Verdict
    word: str
    outcome: str
    ratio: str
    cohort: str
    observations: tuple[Observation, ...]
    marks: Cited
    is_apart: bool = False


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
    """When to look again, and at what. later: the visits of the same kind after it; then: how often it comes again."""

    label: str
    due: str
    apart: str
    tests: tuple[str, ...]
    is_overdue: bool
    because: str
    later: tuple[str, ...]
    then: str
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
    uncomputed: tuple[str, ...]
    patterns: tuple[PatternView, ...]
    options: tuple[OptionView, ...]
    trials: tuple[PatternView, ...]
    prognosis: tuple[FactorView, ...]
    survival: tuple[SurvivalView, ...]
    calendar: tuple[VisitView, ...]
    silent: str
    transplants: tuple[str, ...]
    cautions: tuple[tuple[str, Cited], ...]
    is_treated: bool
    issues: tuple[Issue, ...]
    refused: int
    cited: Bibliography


def together(items: Sequence[ResponseView] | Sequence[RelapseView]) -> list[list[Any]]:
    """The items in their order, those that nothing but the name tells apart as one: they are told once."""
    of: dict[object, list[Any]] = {}
    for item in items:
        of.setdefault(item.same, []).append(item)
    return list(of.values())


def _without(head: str, text: str) -> str:
    """The text without what the line above it says already."""
    rest = text.removeprefix(head)
    return text if rest == text else rest[:1].upper() + rest[1:]


def view(follow: Follow, knowledge: Knowledge) -> FollowView:
    """The course as a clinician reads it."""
    return _Viewer(follow, knowledge).view()


class _Viewer:
    def __init__(self, follow: Follow, knowledge: Knowledge) -> None:
        self.follow, self.knowledge, self.cited = follow, knowledge, Bibliography(knowledge)
        self.told: set[str] = set()

    def view(self) -> FollowView:
        follow = self.follow
        cautions = tuple(self._cautions())
        return FollowView(
            patient=clean(follow.patient), as_of=follow.as_of.isoformat(), knowledge=follow.knowledge,
            person=person(follow.record.events, self.knowledge, follow.died or follow.as_of), since=self._since(),
            died=follow.died.isoformat() if follow.died else "", glance=tuple(glance(follow, self.knowledge)),
            picture=timeline(follow, self.knowledge), treatments=tuple(map(self._span, follow.treatments)),
            relapses=(*map(self._recorded, follow.recorded),
                      *map(self._relapse, sorted(follow.relapses, key=self._gravity))),
            uncomputed=tuple(map(clean, self.knowledge.follow.relapse_drafts)),
            trends=tuple(map(self._trend, follow.trends)), scales=tuple(self._scales()),
            responses=tuple(map(self._response, follow.responses)),
            calendar=tuple(self._calendar()), silent=silence(follow),
            patterns=tuple(map(self._pattern, follow.pattern)), options=tuple(map(self._option, follow.options)),
            trials=tuple(map(self._pattern, follow.trials)), prognosis=tuple(map(self._factor, follow.prognosis)),
            survival=tuple(map(self._survival, follow.survival)),
            transplants=tuple(transplant.day_0.isoformat() for transplant in follow.transplants),
            cautions=cautions, is_treated=bool(follow.lines),
            issues=follow.issues, refused=sum(issue.level == "fault" for issue in follow.issues), cited=self.cited)

    def _marks(self, *sources: Reference | None) -> Cited:
        return self.cited.marks(*sources)

    def _since(self) -> str:
        """The day on which a set was first met, or the first treatment: each told as what it is."""
        day = self.follow.diagnosed
        if day is None:
            return "day of diagnosis not recorded"
        criteria = self.knowledge.criteria.get(self.follow.diagnosed_by)
        away = "" if self.follow.died else from_now(day, self.follow.as_of)
        ago = f", {away}" if away else ""
        if self.follow.diagnosed_by == RECORDED:
            return f"diagnosed {day}, as recorded{ago}"
        if criteria:
            return f"criteria first met {day} ({clean(criteria.label)}){ago}"
        return f"first treated {day}{ago}; this stands for the day of diagnosis, which is not recorded"

    def _cautions(self) -> Iterator[tuple[str, Cited]]:
        """What has to be minded; which day counts as that of diagnosis stands in the head already."""
        for item in self.follow.cautions:
            if item.id != IN_THE_HEAD or self.follow.diagnosed is None:
                yield clean(item.text), self._marks(item.source)

    def _gravity(self, item: Relapse) -> tuple[bool, bool, int]:
        """The current line of treatment first; what was met first, confirmed or not; then unknown, then not met."""
        order = (Verdict.MET, Verdict.UNKNOWN, Verdict.NOT_MET)
        return is_past(item, self.follow), item.day is None, order.index(item.verdict)

    def _span(self, span: Span) -> SpanView:
        """A treatment and its days. How long one without an end has been given is not known, and not told."""
        name = label(span.finding, self.knowledge)
        if is_once(span, self.follow):
            return SpanView(name, span.start.isoformat(), "")
        if span.end is None:
            return SpanView(name, open_days(span), "")
        return SpanView(name, f"{span.start} to {span.end}", duration(max((span.end - span.start).days, 0)))

    def _trend(self, trend: Trend) -> TrendView:
        """One series; a note that stands with several of them is told with the first."""
        days = [str(event.date) for event in trend.series.samples if event.date]
        range_ = "" if not days else f" on {days[0]}" if days[0] == days[-1] else f", {days[0]} to {days[-1]}"
        count, notes = len(trend.series.samples), [note for note in trend.notes if note not in self.told]
        self.told.update(notes)
        return TrendView(
            label(trend.series.finding, self.knowledge), series_label(trend.series),
            f"{count} value{'' if count == 1 else 's'}{range_}", trend.alarm, alarm_text(trend),
            tuple(trend_rows(trend, self.knowledge, line_start(self.follow), is_over=self.follow.died is not None)),
            observations(trend.explained_by, self.knowledge), tuple(map(clean, notes)), self._marks(*trend.sources))

    def _scales(self) -> Iterator[tuple[str, str, str]]:
        for series, said in self.follow.scales:
            values = " → ".join(f"{event.comparator}{shown(event.value)}" for event in series.samples[-6:]
                                if event.value is not None)
            more = "… → " if len(series.samples) > 6 else ""
            concept = self.knowledge.concepts.get(series.finding)
            code = unit(concept.unit) if concept else ""
            yield label(series.finding, self.knowledge), f"{more}{values} {code}".rstrip(), clean(said)

    def _response(self, item: DomainResponse) -> ResponseView:
        now = category(item, item.now, self.knowledge)
        return ResponseView(
            clean(item.label), now, category(item, item.best, self.knowledge),
            lasted(item),
            item.now != "not evaluable", _without(f"{now}, ", clean(item.why)),
            tuple(part_view(part, self.knowledge, self.cited) for part in item.parts),
            tuple(map(clean, item.drafts)), self._marks(item.source), self._reading_of(item))

    def _reading_of(self, item: DomainResponse) -> str:
        """How the definition of the response now was read, where its source leaves room."""
        return next((clean(known.reading) for domain in self.knowledge.follow.domains if domain.id == item.id
                     for known in domain.categories if known.id == item.now), "")

    def _when(self, item: Relapse) -> str:
        past = ", before the present treatment" if item.day and is_past(item, self.follow) else ""
        return when(item) + past

    def _relapse(self, item: Relapse) -> RelapseView:
        told = when(item)
        why = _without(f"{told[:1].upper()}{told[1:]}: ", _without(f"{item.label}: ", clean(item.why)))
        return RelapseView(
            clean(item.label), item.verdict, self._when(item), why, observations(item.because, self.knowledge),
            clean(item.literature) if item.day and not is_past(item, self.follow) else "", self._marks(item.source),
            self._marks(item.literature_source), self._read(item))

    def _read(self, item: Relapse) -> str:
        """How a definition that is met was read, confirmed or not."""
        return "" if item.verdict is Verdict.NOT_MET or not (item.day or item.because) else clean(item.reading)

    def _recorded(self, item: Recorded) -> RelapseView:
        """A relapse as a clinician recorded it, with what is new in that line of treatment."""
        return RelapseView(RECORDED_BY, Verdict.MET, f"recorded on {item.day}{denial(item)}", "" if item.shown else
                           f"The computed definitions do not show it: {not_shown(item, self.knowledge)}.",
                           observations(item.because, self.knowledge), "", (), ())

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
            clean(item.cohort), observations(item.because, self.knowledge), self._marks(item.source),
            not item.applies)

    def _survival(self, item: Survival) -> SurvivalView:
        return SurvivalView(
            clean(item.cohort), clean(item.era) if item.era not in item.cohort else "",
            f"{item.n:,}" if item.n is not None else "",
            tuple((outcome_name(outcome), said) for outcome, said in points(item)), clean(item.note),
            self._marks(item.source))

    def _calendar(self) -> Iterator[VisitView]:
        """Each kind of visit once, at its first day; overdue before those to come."""
        for first, *others in by_kind(self.follow.calendar, self.follow.as_of):
            yield self._visit(first, others)

    def _visit(self, visit: Visit, others: Sequence[Visit]) -> VisitView:
        silent, later = silent_since(self.follow), tuple(map(window, others))
        return VisitView(
            clean(visit.label), due(visit, self.follow.as_of, silent), until(visit, self.follow.as_of, silent),
            tuple(name_of_test(name, self.knowledge) for name in visit.tests), visit.overdue, clean(visit.because),
            later, rhythm(visit, self.knowledge, is_last=not others) or "; ".join(later), self._marks(visit.source))


