"""Response by domain and relapse by type, for one line of treatment; and where one line ends and the next begins."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import TypeAlias

from poems.evaluate import Judgement, judge
from poems.explain import settled_by
from poems.follow.chart import MET, NOT_MET, UNKNOWN, Chart
from poems.follow.explained import Near, explanations
from poems.follow.model import DomainResponse, Relapse
from poems.follow.stretch import Stretch
from poems.follow.words import listed
from poems.knowledge.follow_model import Category, Confirm, Domain, RelapseType
from poems.record import Event
from poems.review import Part
from poems.rules import AtLeast, Rule, Verdict

UNKNOWN_RESPONSE, NOT_EVALUABLE = "unknown", "not evaluable"
Judged: TypeAlias = tuple[date, Judgement, Judgement]


@dataclass(frozen=True)
class Grade:
    """The response on a day: the category that is met, or none; judgements: of every category, in order."""

    day: date
    category: Category | None
    judgements: tuple[Judgement, ...]


@dataclass(frozen=True)
class Run:
    """Samples in a row on which the definition of a relapse is met. asks: how often it has to be. counted: the days
    that something else does not explain; only they can confirm. is_sure: it is met without a scale that has no least
    change. is_normal: every value lies within its laboratory's own limit.
    """

    days: tuple[date, ...]
    asks: Confirm
    counted: tuple[date, ...]
    near: tuple[Near, ...]
    is_sure: bool
    is_normal: bool
    is_over: bool


def responses(stretch: Stretch, last: date | None = None) -> tuple[DomainResponse, ...]:
    """The response in each domain since a line of treatment began. last: the day until which it lasts (death)."""
    return tuple(_response(domain, stretch, last or stretch.last) for domain in stretch.chart.follow.domains)


def untreated(chart: Chart) -> tuple[DomainResponse, ...]:
    """The domains of a patient in whom no treatment of the plasma-cell disorder is dated."""
    why = "No treatment of the plasma-cell disorder is on record with a date, so there is nothing to respond to."
    return tuple(_without(domain, UNKNOWN_RESPONSE, why) for domain in chart.follow.domains)


def grades(domain: Domain, stretch: Stretch) -> list[Grade]:
    """The response on every day on which something was recorded that it rests on; judged once per stretch."""
    if domain.id not in stretch.graded:
        every = AtLeast(1, tuple(category.rule for category in domain.categories))
        stretch.graded[domain.id] = [_grade(domain, every, stretch, day) for day in stretch.relevant(every)]
    return stretch.graded[domain.id]


def _grade(domain: Domain, every: Rule, stretch: Stretch, day: date) -> Grade:
    """The first category that is met on a day; every: all of the domain's rules, in which they share their parts."""
    found = tuple(stretch.judge(category.rule, day, scope=every) for category in domain.categories)
    met = next((category for category, item in zip(domain.categories, found, strict=True) if item.verdict is MET), None)
    return Grade(day, met, found)


def reached(name: str, stretch: Stretch) -> date | None:
    """The first day of `<domain>/<category>`."""
    domain_id, _, category_id = name.partition("/")
    domain = next(item for item in stretch.chart.follow.domains if item.id == domain_id)
    return next(
        (grade.day for grade in grades(domain, stretch) if grade.category and grade.category.id == category_id), None
    )


def _response(domain: Domain, stretch: Stretch, last: date) -> DomainResponse:
    evaluable = judge(domain.evaluable, stretch.baseline, {})
    if evaluable.verdict is NOT_MET:
        return _without(domain, NOT_EVALUABLE, domain.not_evaluable, stretch.parts(evaluable))
    course = grades(domain, stretch)
    now = course[-1] if course else None
    if evaluable.verdict is UNKNOWN or now is None or not domain.categories:
        return _without(domain, UNKNOWN_RESPONSE, _why_open(domain, evaluable, now, stretch))
    known = [grade for grade in course if grade.category is not None]
    best = min(known, key=lambda grade: (_rank(grade.category, domain), grade.day), default=None)
    met = next((item for item in now.judgements if item.verdict is MET), None)
    return DomainResponse(
        domain.id,
        domain.label,
        now.category.id if now.category else UNKNOWN_RESPONSE,
        best.category.id if best and best.category else UNKNOWN_RESPONSE,
        best.day if best else None,
        _lasted(best, known, domain, last) if best else None,
        _why(domain, now, stretch),
        stretch.parts(met) if met else (),
        now.category.source if now.category else domain.source,
        domain.drafts,
    )


def _without(domain: Domain, said: str, why: str, parts: tuple[Part, ...] = ()) -> DomainResponse:
    """A domain in which no category can be named."""
    return DomainResponse(domain.id, domain.label, said, said, None, None, why, parts, domain.source, domain.drafts)


def _rank(category: Category | None, domain: Domain) -> float:
    """The place of a category, the strictest first; one made of others (mixed) stands after the first of them."""
    assert category is not None
    rule = category.rule
    members = [
        place
        for place, other in enumerate(domain.categories)
        if isinstance(rule, AtLeast) and rule.n == len(rule.parts) and other.rule in rule.parts
    ]
    return min(members) + 0.5 if len(members) > 1 else domain.categories.index(category)


def _lasted(best: Grade, known: Sequence[Grade], domain: Domain, last: date) -> int:
    """Days from the best response to the first day that shows a lesser one, or until the last day."""
    rank = _rank(best.category, domain)
    lost = next((grade.day for grade in known if grade.day > best.day and _rank(grade.category, domain) > rank), None)
    return ((lost or last) - best.day).days


def _why(domain: Domain, now: Grade, stretch: Stretch) -> str:
    """One sentence: what the record shows, since when it is compared, and which stricter grade is open."""
    since = f"compared with the time before {stretch.start}"
    if now.category is None:
        items = [item for item in now.judgements if item.verdict is UNKNOWN]
        missing = _missing(items, stretch)
        return f"None of the definitions can be decided by {now.day} ({since})" + (
            f"; missing: {missing}." if missing else "."
        )
    place = domain.categories.index(now.category)
    stricter = [
        (category, item)
        for category, item in zip(domain.categories[:place], now.judgements[:place], strict=True)
        if item.verdict is UNKNOWN
    ]
    said = f"{now.category.label}, on {now.day}, {since}"
    if stricter:
        names = listed([category.label for category, _ in stricter])
        said += f"; not known: {names}" + (
            f" (missing: {m})" if (m := _missing([i for _, i in stricter], stretch)) else ""
        )
    return said + "."


def _why_open(domain: Domain, evaluable: Judgement, now: Grade | None, stretch: Stretch) -> str:
    if evaluable.verdict is not UNKNOWN:
        return (
            f"Nothing that this response rests on is on record after {stretch.start}."
            if domain.categories
            else "No definition of it has been read yet."
        )
    missing = _missing([evaluable], stretch)
    said = (
        f"Whether it can be evaluated is not known: the record before {stretch.start} lacks {missing or 'a baseline'}"
    )
    if now and now.category:
        said += f"; if it can, it is now: {now.category.label} ({now.day})"
    return said + "."


def _missing(judgements: Iterable[Judgement], stretch: Stretch, known: str = "") -> str:
    """The findings of the smallest sets that would settle these. known: a quantity that is on record."""
    sets = [names for item in judgements for names in settled_by(item)[:2]]
    names = [name for names in sets for name in names if name.partition("/")[0] != known or not known]
    return listed(list(dict.fromkeys(stretch.chart.label(name) for name in names))[:6], "or")


def relapses(stretch: Stretch) -> tuple[Relapse, ...]:
    """Each type of relapse or progression in the time of one line."""
    return tuple(_relapse(kind, stretch) for kind in stretch.chart.follow.relapses)


def _relapse(kind: RelapseType, stretch: Stretch) -> Relapse:
    since = reached(kind.since, stretch) if kind.is_after_response else None
    if kind.is_after_response and since is None:
        return _told(kind, UNKNOWN, None, (), f"The record shows no {_wanted(kind, stretch)} to relapse from.")
    judged = _judged(kind, since, stretch)
    runs = list(_runs(kind, judged, stretch))
    for run in runs:
        if _confirms(run):
            told = _told(kind, MET, run.days[0], _because(run, judged, stretch), _why_met(kind, run))
            return replace(told, gone=judged[-1][0]) if runs[-1].is_over else told
    last = next((day for day, item, _ in reversed(judged) if item.verdict is not UNKNOWN), None)
    if runs and last in runs[-1].days and not runs[-1].is_over:
        return _told(
            kind,
            UNKNOWN,
            runs[-1].days[0] if runs[-1].is_sure else None,
            (*_because(runs[-1], judged, stretch), *_near_events(runs[-1])),
            _why_pending(runs[-1]),
        )
    spikes = (
        f" It was met on {listed([str(run.days[0]) for run in runs])} and not confirmed afterwards." if runs else ""
    )
    if judged and judged[-1][1].verdict is NOT_MET:
        day, item, _ = judged[-1]
        return _told(kind, NOT_MET, None, stretch.behind(item), f"Not met on {day}." + spikes)
    begin = since or stretch.start
    if not judged:
        return _told(kind, UNKNOWN, None, (), f"Nothing that could show it is on record after {begin}.")
    why = f"The record after {begin} does not decide it{_open(judged[-1][1], stretch)}."
    return _told(kind, UNKNOWN, None, (), why + spikes)


def _open(item: Judgement, stretch: Stretch) -> str:
    """Why a definition is open: a series with nothing to compare it with, and what is missing."""
    one, said = stretch.alone(item), ""
    if one is not None:
        said = (
            f": {stretch.chart.label(one.finding)} stands in a series of its own since {one.samples[0].date}, and "
            "nothing before it can be compared with it, so that it can show a rise and not exclude one"
        )
    missing = _missing([item], stretch, one.finding if one else "")
    return said + (f"; missing: {missing}" if missing else "")


def _judged(kind: RelapseType, since: date | None, stretch: Stretch) -> list[Judged]:
    """What the definition says on each day on which a finding it rests on was recorded, and what it says strictly."""
    found = []
    for day in stretch.relevant(kind.rule, since):
        item = stretch.judge(kind.rule, day, since)
        strict = stretch.judge(kind.rule, day, since, strict=True) if item.verdict is MET else item
        found.append((day, item, strict))
    return found


def _because(run: Run, judged: Sequence[Judged], stretch: Stretch) -> list[Event]:
    return [event for day, item, _ in judged if day in run.days for event in stretch.behind(item)]


def _wanted(kind: RelapseType, stretch: Stretch) -> str:
    """The response that has to be reached before such a relapse can be."""
    domain_id, _, category_id = kind.since.partition("/")
    return next(
        (
            category.label
            for domain in stretch.chart.follow.domains
            if domain.id == domain_id
            for category in domain.categories
            if category.id == category_id
        ),
        kind.since,
    )


def _runs(kind: RelapseType, judged: Sequence[Judged], stretch: Stretch) -> Iterable[Run]:
    """The stretches of samples on which the definition is met; a sample that decides nothing neither ends nor adds,
    unless it was the value that alone had met it.
    """
    days: list[date] = []
    sure = False
    met: list[Judgement] = []
    for day, item, strict in judged:
        if item.verdict is MET:
            days.append(day)
            met.append(item)
            sure |= strict.verdict is MET
        elif days and (item.verdict is NOT_MET or (kind.confirm.values and _is_over(met, days[-1], day, stretch))):
            yield _run(kind, days, sure, met, stretch, is_over=True)
            days, met, sure = [], [], False
    if days:
        yield _run(kind, days, sure, met, stretch, is_over=False)


def _is_over(met: Iterable[Judgement], last: date, day: date, stretch: Stretch) -> bool:
    """Whether nothing but values met a definition, and each has been measured again since without meeting it."""
    behind, chart = [event for item in met for event in stretch.behind(item)], stretch.chart
    return all(_is_value(chart, event) for event in behind) and all(
        any(event.date is not None and last < event.date <= day for event in chart.record.by_finding[finding])
        for finding in {event.finding for event in behind}
    )


def _run(
    kind: RelapseType, days: Sequence[date], sure: bool, met: Iterable[Judgement], stretch: Stretch, *, is_over: bool
) -> Run:
    """A run. What something else explains is not counted: passing illness near a sample, and what lasts and began after
    the lowest value; a cause that was there at the lowest value did not make the rise.
    """
    chart = stretch.chart
    near: dict[tuple[date, str], Near] = {}
    explained: set[date] = set()
    for finding in sorted(chart.leaves(kind.rule)):
        found = [(day, item) for day in days for item in explanations(chart, finding, day)]
        near |= {(day, item.explanation.finding): item for day, item in found}
        lowest = stretch.lowest_before(finding, days[0]) if found else stretch.start
        explained |= {day for day, item in found if item.explains_from(lowest)}
    once = {item.explanation.finding: item for item in near.values()}
    behind, asks = [event for item in met for event in stretch.behind(item)], kind.confirm
    if asks.values is not None and all(_is_value(chart, event) for event in behind):
        # A day on which something else was looked at says nothing anew about a value of an earlier day.
        measured = {event.date for other in behind for event in chart.record.by_finding[other.finding]}
        asks, explained = asks.values, explained | (set(days) - measured)
    counted = tuple(day for day in days if day not in explained)
    return Run(tuple(days), asks, counted, tuple(once.values()), sure, all(map(_is_normal, behind)), is_over)


def _is_value(chart: Chart, event: Event) -> bool:
    """Whether it was measured: no sign, and no scale of how somebody does."""
    return event.value is not None and all(scale.concept != event.finding for scale in chart.follow.scales.values())


def _is_normal(event: Event) -> bool:
    """Whether it is a value within its laboratory's own limit."""
    return (
        event.value is not None
        and event.upper_limit is not None
        and event.value <= event.upper_limit
        and not event.comparator.startswith(">")
    )


def _confirms(run: Run) -> bool:
    enough = len(run.counted) >= run.asks.samples and run.is_sure
    return enough and (run.counted[-1] - run.counted[0]).days >= run.asks.days


def _why_met(kind: RelapseType, run: Run) -> str:
    said = f"{kind.label}: met on {listed([str(day) for day in run.days])}"
    if run.asks.samples > 1:
        said += f", confirmed by {len(run.counted)} samples over {(run.counted[-1] - run.counted[0]).days} days"
    return said + "." + _also(run)


def _why_pending(run: Run) -> str:
    dated = listed([str(day) for day in run.days])
    if not run.is_sure:
        return (
            f"Met on {dated} only by a change on a scale for which no least change that counts was read; a "
            "clinician has to say whether it is worse." + _also(run)
        )
    return (
        f"Met on {dated}, not confirmed: it asks for {run.asks.samples} samples at least {run.asks.days} "
        "days apart that nothing else explains. Confirm first; one sample never says relapse." + _also(run)
    )


def _also(run: Run) -> str:
    within = " All of these values lie within the laboratory's own limit." if run.is_normal else ""
    return within + "".join(f" {item.explanation.text}" for item in run.near)


def _near_events(run: Run) -> tuple[Event, ...]:
    return tuple(event for item in run.near for event in item.events)


def _told(kind: RelapseType, verdict: Verdict, day: date | None, because: Iterable[Event], why: str) -> Relapse:
    return Relapse(
        kind.id,
        kind.label,
        verdict,
        day,
        tuple(dict.fromkeys(because)),
        why,
        kind.literature.text,
        kind.source,
        kind.literature.source,
    )
