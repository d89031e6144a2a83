"""Where one line of treatment ends and the next begins, and what each line ended with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from poems.course import Line, days_of
from poems.follow.chart import Chart
from poems.follow.model import Recorded, Relapse
from poems.follow.relapse import FIRST_SEEN, relapses, turning
from poems.follow.stretch import Stretch
from poems.follow.words import listed
from poems.record import ABSENT
from poems.rules import Verdict

UNTREATED = "no treatment of the plasma-cell disorder is dated before it"


def stretches(chart: Chart, anew: date | None = None) -> tuple[tuple[Line, Stretch, tuple[Relapse, ...]], ...]:
    """The lines of treatment with their relapses, first line first.

    A new line begins with the first treatment of the plasma-cell disorder that is begun after the current line has met
    a definition of relapse or progression, confirmed or not, or on or after the day on which a clinician recorded one;
    what is begun before that (a planned transplant after induction, a consolidation) belongs to the line. anew: a day
    on which a line begins all the same.
    """
    found: list[tuple[Line, Stretch, tuple[Relapse, ...]]] = []
    starts = sorted({span.start for span in chart.therapies})
    said = _recorded_days(chart)
    start = starts[0] if starts else None
    while start is not None:
        whole = Stretch(chart, start)
        known = relapses(whole)
        met = [item.met_from or item.day for item in known if item.day is not None]
        first = min((*(day for day in met if day), *(day for day in said if day > start)), default=None)
        end = next((day for day in starts if first is not None and day > start and day >= first), None)
        if anew is not None and start < anew and (end is None or anew < end):
            end = anew
        stretch = whole if end is None else Stretch(chart, start, end)
        given = tuple(span for span in chart.therapies if span.start >= start and (end is None or span.start < end))
        found.append((Line(len(found) + 1, start, end, given), stretch, known if end is None else relapses(stretch)))
        start = end
    return tuple(found)


def earlier(found: Sequence[tuple[Line, Stretch, tuple[Relapse, ...]]]) -> tuple[Relapse, ...]:
    """What the lines before the current one ended with, the latest line first; what they did not meet is not listed."""
    return tuple(
        replace(item, label=f"{item.label} (line {line.number}, until {line.end})")
        for line, _, known in reversed(found[:-1])
        for item in known
        if item.day is not None
    )


def recorded(chart: Chart, found: Sequence[tuple[Line, Stretch, tuple[Relapse, ...]]]) -> tuple[Recorded, ...]:
    """The relapses that a clinician recorded, oldest first, each with the line of treatment in which it falls."""
    told = []
    days, rows = _recorded_days(chart), chart.record.by_finding.get(chart.follow.endpoints.relapse, ())
    no = days_of(event for event in rows if event.status == ABSENT)
    for day, following in zip(days, (*days[1:], date.max), strict=False):
        denied = max((on for on in no if day < on < following), default=None)
        place = next((item for item in found if item[0].start < day and (not item[0].end or day <= item[0].end)), None)
        if place is None:
            told.append(Recorded(day, 0, False, UNTREATED, denied=denied))
            continue
        line, stretch, known = place
        made = {item.id: item for kind in chart.follow.relapses for item in turning(kind, chart)}
        seen = {name: state for item in made.values() for name, state in stretch.first_seen(item, is_there=False)}
        shown = any(item.confirmed and (item.gone is None or item.gone > day) for item in known)
        early = sorted(((name, state.day) for name, state in seen.items() if state.day <= day), key=_by_day)
        features = () if shown else tuple(early)
        why = "" if shown else FIRST_SEEN if features else _not_shown(known)
        because = tuple(event for name, _ in features for event in seen[name].because)
        told.append(Recorded(day, line.number, shown, why, features, because, denied))
    return tuple(told)


def _by_day(item: tuple[str, date]) -> tuple[date, str]:
    return item[1], item[0]


def _recorded_days(chart: Chart) -> list[date]:
    rows = chart.record.by_finding.get(chart.follow.endpoints.relapse, ())
    return days_of(event for event in rows if event.status != ABSENT)


def _not_shown(known: Sequence[Relapse]) -> str:
    """Why the definitions do not show a relapse that was recorded."""
    over = [f"{item.label}, met on {item.day}, was not met any more on {item.gone}" for item in known if item.gone]
    if over:
        return "; ".join(over)
    waiting = [f"{item.label} (met on {item.day})" for item in known if item.is_waiting]
    if waiting:
        return f"not confirmed: {listed(waiting)}"
    left = sum(item.verdict is Verdict.UNKNOWN for item in known)
    return f"{left} of {len(known)} cannot be told from what is recorded" if left else "none of them is met"
