"""Relapse and progression by type, for one line of treatment: met, confirmed, and what has to be said beside it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import TypeAlias

from poems.course import days_of, in_order, shifted
from poems.evaluate import Judgement
from poems.follow.chart import MET, NOT_MET, UNKNOWN, Chart
from poems.follow.explained import Near, explanations
from poems.follow.missing import missing
from poems.follow.model import Relapse
from poems.follow.response import reached
from poems.follow.stretch import Stretch
from poems.follow.words import listed
from poems.knowledge.follow_model import Confirm, Derived, RelapseType
from poems.record import ABSENT, Event
from poems.rules import Verdict

Judged: TypeAlias = tuple[date, Judgement, Judgement]
FIRST_SEEN = "recorded for the first time, and nothing says that it was absent before"


@dataclass(frozen=True)
class Run:
    """Samples in a row on which the definition of a relapse is met. asks: how often it has to be. counted: the days
    that something else does not explain; only they can confirm. is_sure: it is met without a scale that has no least
    change. is_doubtful: a scale alone meets it, or all that meets it something else can bring. is_normal: every value
    lies within its laboratory's own limit. is_once: one day shows it, and no earlier day has the sign. gone: the first
    day after it that does not meet it.
    """

    days: tuple[date, ...]
    asks: Confirm
    counted: tuple[date, ...]
    near: tuple[Near, ...]
    is_sure: bool
    is_doubtful: bool
    is_normal: bool
    is_once: bool
    gone: date | None


def relapses(stretch: Stretch) -> tuple[Relapse, ...]:
    """Each type of relapse or progression in the time of one line."""
    return tuple(_with_uncounted(_relapse(kind, stretch), kind, stretch) for kind in stretch.chart.follow.relapses)


def _with_uncounted(told: Relapse, kind: RelapseType, stretch: Stretch) -> Relapse:
    """With the features that may be new, or are taken for the sign of something else; neither meets the definition."""
    found: list[tuple[str, date, str]] = []
    texts: dict[str, None] = {}
    for made in turning(kind, stretch.chart):
        excused = list(stretch.excused(made))
        for name, day, last, known in excused:
            still = "" if stretch.chart.excused(name, last) else f", still there on {last}"
            found.append((name, day, f"{stretch.chart.label(known.finding)} can explain this{still}"))
            texts[known.text] = None
        known_by = {name for name, *_ in excused}
        seen = stretch.first_seen(made, is_there=True)
        found += [(name, state.day, FIRST_SEEN) for name, state in seen if name not in known_by]
    if told.denied:
        told = replace(told, why=f"{told.why} A clinician recorded on {told.denied} that there is no relapse.")
    if not found:
        return told
    found.sort(key=lambda item: (item[2], item[1], item[0]))
    named = "; ".join(f"{stretch.chart.label(name)} ({day}), {why}" for name, day, why in found)
    return replace(told, why=" ".join([told.why, f"Not counted as new: {named}.", *texts]), not_counted=tuple(found))


def _relapse(kind: RelapseType, stretch: Stretch) -> Relapse:
    since = reached(kind.since, stretch) if kind.is_after_response else None
    if kind.is_after_response and since is None:
        return _told(kind, UNKNOWN, None, (), f"The record shows no {_wanted(kind, stretch)} to relapse from.")
    judged = _judged(kind, since, stretch)
    runs = list(_runs(kind, judged, stretch))
    for run in runs:
        if _confirms(run):
            told = replace(
                _told(kind, MET, run.counted[0], _because(kind, run, judged, stretch), _why_met(kind, run)),
                met_from=run.days[0],
                samples=run.asks.samples,
                beside=tuple(_beside(run, stretch)),
                denied=_denied(run, stretch),
            )
            return replace(told, gone=runs[-1].gone)
    last = next((day for day, item, _ in reversed(judged) if item.verdict is not UNKNOWN), None)
    if runs and last in runs[-1].days and not runs[-1].gone:
        told = _told(
            kind,
            UNKNOWN,
            runs[-1].days[0] if runs[-1].is_sure else None,
            (*_because(kind, runs[-1], judged, stretch), *_near_events(runs[-1])),
            _why_pending(runs[-1]),
        )
        beside = tuple(_beside(runs[-1], stretch))
        return replace(told, met_from=runs[-1].days[0], beside=beside, denied=_denied(runs[-1], stretch))
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


def turning(kind: RelapseType, chart: Chart) -> Iterator[Derived]:
    """What a type of relapse rests on that is met by a feature that was not there before."""
    names = chart.scope(kind.rule).names
    yield from (made for made in chart.follow.derived.values() if made.kind == "turned-present" and made.id in names)


def _open(item: Judgement, stretch: Stretch) -> str:
    """Why a definition is open: a series with nothing to compare it with, and what is missing."""
    one, said = stretch.alone(item), ""
    if one is not None:
        said = (
            f": {stretch.chart.label(one.finding)} stands in a series of its own since {one.samples[0].date}, and "
            "nothing before it can be compared with it, so that it can show a rise and not exclude one"
        )
    lacking = missing([item], stretch.chart, stretch.after, one.finding if one else "")
    return said + (f"; missing: {lacking}" if lacking else "")


def _judged(kind: RelapseType, since: date | None, stretch: Stretch) -> list[Judged]:
    """What the definition says on each day on which a finding it rests on was recorded, and what it says strictly."""
    found = []
    for day in stretch.relevant(kind.rule, since):
        item = stretch.judge(kind.rule, day, since)
        strict = stretch.judge(kind.rule, day, since, strict=True) if item.verdict is MET else item
        found.append((day, item, strict))
    return found


def _because(kind: RelapseType, run: Run, judged: Sequence[Judged], stretch: Stretch) -> list[Event]:
    """What meets the definition: of what was measured, every sample of the days that count and that meets it by itself,
    not the first alone; none of another series.
    """
    found = [event for day, item, _ in judged if day in run.days for event in stretch.behind(item)]
    measured = {_series_of(event) for event in found if event.value is not None}
    again: list[Event] = []
    for day in run.counted if measured else ():
        alone = stretch.judge(kind.rule, day, shifted(day, -1))
        again += stretch.behind(alone) if alone.verdict is MET else ()
    for made in turning(kind, stretch.chart) if measured else ():
        for feature, rule in made.features:
            states = stretch.chart.history(feature, rule)
            again += [e for state in states if state.verdict is MET and state.day in run.counted for e in state.because]
    return sorted({*found, *(event for event in again if _series_of(event) in measured)}, key=in_order)


def _series_of(event: Event) -> tuple[str, str, float | None]:
    return event.finding, event.method, event.upper_limit


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
    """The stretches of samples on which the definition is met; a day that decides nothing neither ends nor adds, unless
    all that had met it has been looked at again by then.
    """
    days: list[date] = []
    sure = False
    met: list[Judgement] = []
    for day, item, strict in judged:
        if item.verdict is MET:
            days.append(day)
            met.append(item)
            sure |= strict.verdict is MET
        elif days and (item.verdict is NOT_MET or _is_over(kind, met, days[-1], day, stretch)):
            yield _run(kind, days, sure, met, stretch, day)
            days, met, sure = [], [], False
    if days:
        yield _run(kind, days, sure, met, stretch, None)


def _is_over(kind: RelapseType, met: Iterable[Judgement], last: date, day: date, stretch: Stretch) -> bool:
    """Whether everything that met a definition has been looked at again since, up to a day that does not meet it.

    A value that is compared within its series is not: where a later one does not decide, the rise is as open as before.
    """
    known = stretch.chart.record.by_finding
    in_series = any("/" in name for name in stretch.chart.scope(kind.rule).names)
    behind = {event for item in met for event in stretch.behind(item)}
    return not (in_series and any(event.value is not None for event in behind)) and all(
        any(event.date is not None and last < event.date <= day for event in known[finding])
        for finding in {event.finding for event in behind}
    )


def _run(
    kind: RelapseType, days: Sequence[date], sure: bool, met: Sequence[Judgement], stretch: Stretch, gone: date | None
) -> Run:
    """A run. What something else explains is not counted of a marker: passing illness near a sample, and what lasts and
    began after the lowest value; a cause that was there at the lowest value did not make the rise. A sign or a scale
    counts all the same: what else can bring it is told beside it.
    """
    chart = stretch.chart
    near: dict[tuple[date, str], Near] = {}
    explained: set[date] = set()
    behind = {day: stretch.behind(item) for day, item in zip(days, met, strict=True)}
    is_doubtful = any(behind.values())
    for day, events in behind.items():
        for event in events:
            found = explanations(chart, event.finding, event.date or day)
            near |= {(day, item.explanation.text): item for item in found}
            lowest = stretch.lowest_before(event.finding, days[0]) if found else stretch.start
            moved = [item for item in found if item.explanation.markers]
            explained |= {day for item in moved if item.explains_from(lowest)}
            is_doubtful &= bool(found) or _is_scale(chart, event)
    once = {item.explanation.text: item for item in near.values()}
    every, asks = [event for events in behind.values() for event in events], kind.confirm
    if asks.values is not None and all(_is_value(chart, event) for event in every):
        # A day on which something else was looked at says nothing anew about a value of an earlier day.
        measured = {event.date for other in every for event in chart.record.by_finding[other.finding]}
        asks, explained = asks.values, explained | (set(days) - measured)
    counted = tuple(day for day in days if day not in explained)
    is_normal = all(map(_is_normal, every))
    is_once = len(days) == 1 and not _is_known(every, days[0], stretch)
    return Run(tuple(days), asks, counted, tuple(once.values()), sure, is_doubtful, is_normal, is_once, gone)


def _is_known(events: Iterable[Event], day: date, stretch: Stretch) -> bool:
    """Whether a sign of these is on record on an earlier day since treatment began."""
    signs = {event.finding for event in events if event.value is None}
    return any(
        event.finding in signs and event.status not in ("", ABSENT) and event.date is not None and event.date < day
        for event in stretch.after
    )


def _is_value(chart: Chart, event: Event) -> bool:
    """Whether it was measured: no sign, and no scale of how somebody does."""
    return event.value is not None and not _is_scale(chart, event)


def _is_scale(chart: Chart, event: Event) -> bool:
    """Whether it is a scale of how somebody does."""
    return any(scale.concept == event.finding for scale in chart.follow.scales.values())


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
    elif run.is_once:
        said += "; recorded once, and the definition asks for no second sample"
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


def _beside(run: Run, stretch: Stretch) -> Iterator[str]:
    """What has to be said with a definition that is met, in the first lines."""
    chart = stretch.chart
    if run.is_normal:
        yield "all values lie within the laboratory's own limit"
    is_once = run.asks.samples == 1
    if is_once and run.is_once:
        yield "recorded once"
    if is_once and run.near:
        yield f"{listed([chart.label(item.explanation.finding) for item in run.near])} on record at that time"
    if is_once and run.is_doubtful:
        yield "a clinician has to say"


def _denied(run: Run, stretch: Stretch) -> date | None:
    """The last day, since a definition was met, on which a clinician recorded that there is no relapse."""
    finding = stretch.chart.follow.endpoints.relapse
    denied = days_of(event for event in stretch.after if event.finding == finding and event.status == ABSENT)
    return max((day for day in denied if day >= (run.counted or run.days)[0]), default=None)


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
        reading=kind.reading,
    )
