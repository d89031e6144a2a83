"""When to look again and at what: by the time since diagnosis and treatment, life-long, overdue first."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator
from datetime import date

from poems.course import shifted
from poems.follow.chart import MET, Chart
from poems.follow.model import Visit
from poems.follow.stretch import Stretch
from poems.follow.words import number
from poems.knowledge.follow_model import ScheduleItem
from poems.record import Event

AHEAD = 365  # how many days ahead visits are listed; the calendar itself has no end
DIAGNOSIS = "diagnosis"
YEAR_DAYS = 365.25


def calendar(chart: Chart, diagnosed: date | None, current: Stretch | None, first: Stretch | None) -> tuple[Visit, ...]:
    """The visits that are due, overdue first. current: the line of treatment now; first: the first line, on whose
    response the interval depends.
    """
    found = []
    for item in chart.follow.schedule:
        anchor = diagnosed if item.anchor == DIAGNOSIS else current.start if current else None
        if anchor is not None:
            found += list(_visits(item, anchor, chart, first))
    return tuple(sorted(found, key=lambda visit: (not visit.overdue, visit.day, visit.latest, visit.label)))


def _visits(item: ScheduleItem, anchor: date, chart: Chart, first: Stretch | None) -> Iterator[Visit]:
    begin = months_later(anchor, item.years_from * 12)
    stop = None if item.years_to is None else months_later(anchor, item.years_to * 12)
    if stop is not None and chart.as_of >= stop:
        return
    tests = tuple(_kept(name, chart) for name in item.tests)
    done = [
        event.date for name in tests for event in _done(name, chart) if event.date is not None and event.date >= anchor
    ]
    last = max(done, default=None)
    if item.every_months is None:
        if item.once_months is not None and (last is None or last <= anchor):
            day = months_later(anchor, item.once_months)
            yield _visit(item, day, stop or day, tests, chart, f"{number(item.once_months)} months after {anchor}", first)
        return
    low, high = item.every_months
    since = last or anchor
    day = max(months_later(since, low), begin)
    latest = max(months_later(since, high), begin)
    ahead = shifted(chart.as_of, AHEAD)
    while day <= ahead and day < (stop or date.max):
        known = "when it was last looked at" if since == last else "the visit before"
        if since == anchor and since != last:
            known = f"{item.anchor}, nothing on record since"
        said = f"{_months(low, high)} after {since} ({known})"
        visit = _visit(item, day, latest, tests, chart, said, first)
        yield visit
        since = chart.as_of if visit.overdue else day
        day, latest = months_later(since, low), months_later(since, high)


def _visit(
    item: ScheduleItem, day: date, latest: date, tests: tuple[str, ...], chart: Chart, said: str, first: Stretch | None
) -> Visit:
    closer = item.closer_if is not None and first is not None and first.judge_unreached(item.closer_if).verdict is MET
    because = [said + ".", item.closer_text if closer else "", item.note]
    return Visit(
        day,
        latest,
        item.label,
        (*tests, *item.texts),
        latest < chart.as_of,
        " ".join(filter(None, because)),
        item.source,
    )


def _months(low: float, high: float) -> str:
    return f"{number(low)} months" if low == high else f"{number(low)} to {number(high)} months"


def _kept(name: str, chart: Chart) -> str:
    """The test in the specimen that this patient is followed in, where the schedule names another."""
    concept = chart.knowledge.concepts.get(name)
    if concept is None or not concept.of or chart.series(name):
        return name
    others = [
        one.id
        for one in chart.knowledge.concepts.values()
        if one.of == concept.of and one.specimen and chart.series(one.id)
    ]
    return max(
        others,
        key=lambda other: max(e.date for one in chart.series(other) for e in one.samples if e.date),
        default=name,
    )


def _done(name: str, chart: Chart) -> list[Event]:
    """Everything on record that shows that a test was done, whether or not its result can be read."""
    test = chart.knowledge.tests.get(name)
    if name in chart.knowledge.concepts or test is None:
        unreadable = [event for event in chart.unreadable if event.finding == name]
        return [*chart.record.by_finding.get(name, ()), *unreadable]
    if any(method.id == name for concept in chart.knowledge.concepts.values() for method in concept.methods):
        return [event for event in chart.record.events if event.method == name]
    return [event for finding in test.finds for event in chart.record.by_finding.get(finding, ())]


def months_later(day: date, months: float) -> date:
    """The same day so many months later, or the last day of a shorter month; parts of a month as days.

    Beyond the last day of the calendar it is that day.
    """
    whole = int(months // 1)
    year, month = divmod(day.year * 12 + day.month - 1 + whole, 12)
    if year > date.max.year:
        return date.max
    plain = date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))
    return shifted(plain, round((months - whole) * YEAR_DAYS / 12))
