"""What can move a marker without POEMS, near a sample or lasting."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from poems.follow.chart import Chart
from poems.knowledge.follow_model import Explanation
from poems.record import ABSENT, Event


@dataclass(frozen=True)
class Near:
    """An explanation that applies to a sample. is_passing: it stood near it, and a later sample can be free of it."""

    explanation: Explanation
    events: tuple[Event, ...]
    is_passing: bool


def explanations(chart: Chart, finding: str, day: date) -> tuple[Near, ...]:
    """What else can have moved a quantity on a day: passing illness near it, lasting conditions, drugs being given."""
    markers = {key for key, marker in chart.follow.markers.items() if marker.concept == finding}
    return tuple(
        Near(known, events, known.days_before is not None or known.days_after is not None)
        for known in chart.follow.explanations
        if markers & set(known.markers) and (events := _events(chart, known, day))
    )


def _events(chart: Chart, known: Explanation, day: date) -> tuple[Event, ...]:
    if any(span.finding == known.finding for span in chart.spans):
        return tuple(
            span.events[0]
            for span in chart.spans
            if span.finding == known.finding and span.start <= day and (span.end is None or day <= span.end)
        )
    recorded = [event for name in _shown_by(chart, known.finding) for event in chart.record.by_finding.get(name, ())]
    if known.days_before is None and known.days_after is None:
        return _lasting(recorded, day)
    first, last = day - timedelta(known.days_before or 0), day + timedelta(known.days_after or 0)
    return tuple(e for e in recorded if e.status not in ("", ABSENT) and e.date is not None and first <= e.date <= last)


def _lasting(recorded: Iterable[Event], day: date) -> tuple[Event, ...]:
    """What was there and has not been recorded as gone since; an undated condition counts as there."""
    before = [event for event in recorded if event.status and (event.date is None or event.date <= day)]
    if not before:
        return ()
    latest = max(before, key=lambda event: event.date or date.min)
    return (latest,) if latest.status != ABSENT else ()


def _shown_by(chart: Chart, finding: str) -> list[str]:
    """A finding and everything that shows it."""
    found = [finding]
    for name in found:
        concept = chart.knowledge.concepts.get(name)
        found += [other for other in (concept.shown_by if concept else ()) if other not in found]
    return found
