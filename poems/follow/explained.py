"""What can move a marker, or bring or worsen a sign, without POEMS: near a sample or lasting."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from poems.course import shifted
from poems.follow.chart import Chart
from poems.knowledge.follow_model import Explanation
from poems.record import ABSENT, Event


@dataclass(frozen=True)
class Near:
    """An explanation that applies to a sample. is_passing: it stood near it, and a later sample can be free of it.

    since: of a lasting one, the first day on record on which it was there; None where no day says.
    """

    explanation: Explanation
    events: tuple[Event, ...]
    is_passing: bool
    since: date | None = None

    def explains_from(self, lowest: date) -> bool:
        """Whether it can have made a rise from the lowest value, which stood before it began."""
        return self.is_passing or (self.since is not None and self.since > lowest)


def explanations(chart: Chart, finding: str, day: date) -> tuple[Near, ...]:
    """What else can have moved or brought a finding on a day: illness near it, lasting conditions, drugs given."""
    markers = {key for key, marker in chart.follow.markers.items() if marker.concept == finding}
    return tuple(
        Near(known, events, is_passing, None if is_passing else _since(chart, known, day))
        for known in chart.follow.explanations
        if known.to_days is None and (markers & set(known.markers) or finding in known.findings)
        if (events := _events(chart, known, day))
        for is_passing in [known.days_before is not None or known.days_after is not None]
    )


def _events(chart: Chart, known: Explanation, day: date) -> tuple[Event, ...]:
    if any(span.finding == known.finding for span in chart.spans):
        return tuple(
            span.events[0]
            for span in chart.spans
            if span.finding == known.finding and span.start <= day and (span.end is None or day <= span.end)
        )
    recorded = _recorded(chart, known)
    if known.days_before is None and known.days_after is None:
        return _lasting(recorded, day)
    first, last = shifted(day, -(known.days_before or 0)), shifted(day, known.days_after or 0)
    return tuple(e for e in recorded if e.status not in ("", ABSENT) and e.date is not None and first <= e.date <= last)


def _lasting(recorded: Iterable[Event], day: date) -> tuple[Event, ...]:
    """What was there and has not been recorded as gone since; an undated condition counts as there."""
    before = [event for event in recorded if event.status and (event.date is None or event.date <= day)]
    if not before:
        return ()
    latest = max(before, key=lambda event: event.date or date.min)
    return (latest,) if latest.status != ABSENT else ()


def _since(chart: Chart, known: Explanation, day: date) -> date | None:
    """When what lasts (a condition, a drug) and is there on a day began: its first record since it was last gone."""
    for span in chart.spans:
        if span.finding == known.finding and span.start <= day and (span.end is None or day <= span.end):
            return span.start
    rows = [event for event in _recorded(chart, known) if event.status]
    if any(event.date is None and event.status != ABSENT for event in rows):
        return None
    dated = [(event.date, event.status) for event in rows if event.date is not None and event.date <= day]
    gone = max((on for on, status in dated if status == ABSENT), default=date.min)
    return min((on for on, status in dated if status != ABSENT and on >= gone), default=None)


def _recorded(chart: Chart, known: Explanation) -> list[Event]:
    return [event for name in chart.shown_by(known.finding) for event in chart.record.by_finding.get(name, ())]
