"""The hand-over sheet of a transplant: the definitions of engraftment syndrome on the days entered, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from poems.course import days_of, derived, shifted
from poems.evaluate import Judgement, events_behind, judge
from poems.follow.chart import MET, UNKNOWN, Chart
from poems.follow.model import Definition, Transplant
from poems.follow.outlook import said
from poems.follow.stretch import Stretch
from poems.knowledge.follow_model import Anchor, EngraftmentDefinition
from poems.record import ABSENT, Event, Record
from poems.rules import Above, Present, walk

DAY_0 = "day-0"


def infusions(chart: Chart) -> tuple[Event, ...]:
    """Every record of a transplant as given, dated or not."""
    return tuple(
        event
        for finding in chart.follow.engraftment.treatments
        for event in chart.record.by_finding.get(finding, ())
        if event.status != ABSENT
    )


def transplants(chart: Chart) -> tuple[Transplant, ...]:
    """One sheet for each day 0, earliest first."""
    days = days_of(infusions(chart))
    known = chart.follow.engraftment
    return tuple(
        Transplant(
            day,
            tuple(_definition(item, chart, day, _last(days, place, chart)) for item in known.definitions),
            tuple((one.what, said(one), one.source) for one in known.rates),
            tuple((one.text, one.source) for one in known.sheet),
        )
        for place, day in enumerate(days)
    )


def _last(days: Sequence[date], place: int, chart: Chart) -> date:
    """The last day that belongs to a transplant: the day before the next, or the day asked about."""
    return days[place + 1] - timedelta(1) if place + 1 < len(days) else chart.as_of


def _definition(item: EngraftmentDefinition, chart: Chart, day_0: date, last: date) -> Definition:
    anchor = None if item.anchor == DAY_0 else chart.follow.engraftment.anchors[item.anchor]
    day = day_0 if anchor is None else _anchor_day(anchor, chart, day_0, last)
    label = "day 0" if anchor is None else anchor.label
    if day is None:
        window = f"{_span(item)} from: {label}, which is not on record"
        return Definition(item.id, item.label, UNKNOWN, window, None, (), item.source)
    first = shifted(day, item.from_days)
    end = last if item.to_days is None else shifted(day, item.to_days)
    judgement, seen = _judged(item, chart, day_0, first, min(end, last), last)
    where = Stretch(chart, day_0)
    return Definition(
        item.id,
        item.label,
        judgement.verdict,
        f"{first} to {end if item.to_days is not None else 'open'}, {_span(item)} from {day} ({label})",
        seen,
        where.parts(judgement),
        item.source,
    )


def _span(item: EngraftmentDefinition) -> str:
    return f"day {item.from_days} on" if item.to_days is None else f"day {item.from_days} to {item.to_days}"


def _judged(
    item: EngraftmentDefinition, chart: Chart, day_0: date, first: date, end: date, last: date
) -> tuple[Judgement, bool | None]:
    """The definition on its window, and whether the signs that are recorded as present lie in it."""
    after = [
        event
        for event in (*chart.record.events, *_ratios(item, chart, day_0))
        if event.date is not None and day_0 < event.date <= last
    ]
    inside = [event for event in after if event.date is not None and first <= event.date <= end]
    judgement = judge(item.rule, Record(chart.record.patient, tuple(inside), end), {})
    signs = _signs(item, after, chart)
    if not signs:
        return judgement, None
    return judgement, any(event.date is not None and first <= event.date <= end for event in signs)


def _signs(item: EngraftmentDefinition, after: Sequence[Event], chart: Chart) -> list[Event]:
    """The events that speak for a sign of the definition, whenever after day 0 they were recorded."""
    leaves = [node for node in walk(item.rule) if isinstance(node, Present | Above)]
    excluded = {
        node.finding
        for node in leaves
        if isinstance(node, Present) and all(event.status == ABSENT for event in after if event.finding == node.finding)
    }
    found = []
    for leaf in leaves:
        for event in after:
            if event.finding == leaf.finding and leaf.finding not in excluded:
                one = judge(leaf, Record(chart.record.patient, (event,), event.date), {})
                found += list(events_behind(one)) if one.verdict is MET else []
    return found


def _ratios(item: EngraftmentDefinition, chart: Chart, day_0: date) -> list[Event]:
    """What the samples after day 0 are beside the last one before it."""
    days = chart.follow.windows["transplant-baseline-days"].days
    quantities = {
        node.finding.partition("/")[0] for node in walk(item.rule) if isinstance(node, Above) and "/" in node.finding
    }
    return [
        event for finding in sorted(quantities) for one in chart.series(finding) for event in derived(one, day_0, days)
    ]


def _anchor_day(anchor: Anchor, chart: Chart, day_0: date, last: date) -> date | None:
    """The recorded day, or the first of so many days running on which the count is high enough."""
    recorded = [
        day
        for day in days_of(e for e in chart.record.by_finding.get(anchor.finding, ()) if e.status != ABSENT)
        if day_0 < day <= last
    ]
    if recorded or not anchor.concept or anchor.limit is None:
        return recorded[0] if recorded else None
    rule = Above(anchor.concept, limit=anchor.limit, inclusive=True)
    events = [
        e for e in chart.record.by_finding.get(anchor.concept, ()) if e.date is not None and day_0 < e.date <= last
    ]
    enough = [
        day
        for day in days_of(events)
        if judge(
            rule, Record(chart.record.patient, tuple(event for event in events if event.date == day), day), {}
        ).verdict
        is MET
    ]
    return next(
        (day for day in enough if all(shifted(day, more) in enough for more in range(anchor.days_running))), None
    )
