"""Where one line of treatment ends and the next begins, and what each line ended with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from poems.course import Line
from poems.follow.chart import Chart
from poems.follow.model import Relapse
from poems.follow.response import relapses
from poems.follow.stretch import Stretch


def stretches(chart: Chart) -> tuple[tuple[Line, Stretch, tuple[Relapse, ...]], ...]:
    """The lines of treatment with their relapses, first line first.

    A new line begins with the first treatment of the plasma-cell disorder that is begun after the current line has met
    a definition of relapse or progression, confirmed or not; what is begun before that (a planned transplant after
    induction, a consolidation) belongs to the line.
    """
    found: list[tuple[Line, Stretch, tuple[Relapse, ...]]] = []
    starts = sorted({span.start for span in chart.therapies})
    start = starts[0] if starts else None
    while start is not None:
        whole = Stretch(chart, start)
        known = relapses(whole)
        first = min((item.day for item in known if item.day is not None), default=None)
        end = next((day for day in starts if first is not None and day > start and day >= first), None)
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
