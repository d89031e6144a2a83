"""When to look again and at what: by the time since diagnosis and treatment, life-long, overdue first."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from poems.course import shifted
from poems.follow.chart import MET, Chart
from poems.follow.model import Due, Visit
from poems.follow.stretch import Stretch
from poems.follow.words import listed, number
from poems.knowledge import Concept
from poems.knowledge.follow_model import ScheduleItem
from poems.record import Event
from poems.units import YEAR_DAYS

AHEAD = 365  # how many days ahead visits are listed; the calendar itself has no end
DIAGNOSIS = "diagnosis"
LAST, TODAY, BEFORE = "when it was last looked at", "if it is looked at then", "the visit before"


def calendar(chart: Chart, diagnosed: date | None, current: Stretch | None, first: Stretch | None) -> tuple[Visit, ...]:
    """The visits that are due, overdue first. current: the line of treatment now; first: the first line, on whose
    response the interval depends.
    """
    found = []
    for item in chart.follow.schedule:
        anchor = diagnosed if item.anchor == DIAGNOSIS else current.start if current else None
        if anchor is not None:
            found += list(_visits(item, anchor, chart, first))
    return tuple(sorted(found, key=_order))


def _order(visit: Visit) -> tuple[bool, date, date, str, tuple[str, ...]]:
    """What has been overdue for longest first, then by the day from which it is due."""
    days = (visit.latest, visit.day) if visit.overdue else (visit.day, visit.latest)
    return not visit.overdue, *days, visit.label, visit.tests


def _visits(item: ScheduleItem, anchor: date, chart: Chart, first: Stretch | None) -> Iterator[Visit]:
    stop = None if item.years_to is None else months_later(anchor, item.years_to * 12)
    if stop is not None and chart.as_of >= stop:
        return
    tests = tuple(dict.fromkeys(_kept(name, chart) for name in item.tests))
    last = {name: _last(name, anchor, chart) for name in tests}
    plan = _Plan(item, anchor, stop or date.max, chart, last, _closer(item, first))
    if item.every_months is not None:
        yield from plan.visits(*item.every_months)
    elif item.once_months is not None and all(day is None or day <= anchor for day in last.values()):
        day = months_later(anchor, item.once_months)
        said = f"{number(item.once_months)} months after {anchor}."
        dues = tuple(Due(name, last[name], day, stop or day) for name in tests)
        yield plan.visit(day, stop or day, tests, said, dues)


def _last(name: str, anchor: date, chart: Chart) -> date | None:
    """The last day since the anchor on which a test is on record."""
    return max((e.date for e in _done(name, chart) if e.date is not None and e.date >= anchor), default=None)


def _closer(item: ScheduleItem, first: Stretch | None) -> str:
    if item.closer_if is None or first is None or first.judge_unreached(item.closer_if).verdict is not MET:
        return ""
    return item.closer_text


@dataclass(frozen=True)
class _Plan:
    """The visits of one kind. last: of each test the last day on record since the anchor, or None.

    Each test runs by its own last day: what was never looked at is not looked at because something else was. Tests
    whose times overlap share a visit, which then lies where all of them are due.
    """

    item: ScheduleItem
    anchor: date
    stop: date
    chart: Chart
    last: Mapping[str, date | None]
    closer: str

    def visits(self, low: float, high: float) -> Iterator[Visit]:
        """What is overdue, what is due now, then what comes; the first two are taken to be done today."""
        begin, as_of = months_later(self.anchor, self.item.years_from * 12), self.chart.as_of

        def due(name: str, since: date, last: date | None) -> Due:
            return Due(name, last, max(months_later(since, low), begin), max(months_later(since, high), begin))

        open_ = {name: due(name, day or self.anchor, day) for name, day in self.last.items()}
        said: dict[str, tuple[date, str]] = {name: self._since(day) for name, day in self.last.items()}
        ahead = shifted(as_of, AHEAD)
        while True:
            late = [one for one in open_.values() if one.latest < as_of]
            now = [one for one in open_.values() if one.day <= as_of]
            wanted = [one for one in late or now or open_.values() if one.day <= ahead and one.day < self.stop]
            if not wanted:
                return
            latest = min(one.latest for one in wanted)
            shared = [one for one in wanted if one.day <= latest] or wanted
            day, names = max(one.day for one in shared), tuple(one.test for one in shared)
            known = tuple(one for one in shared if said[one.test][1] not in (TODAY, BEFORE))
            why = _said(low, high, {name: said[name] for name in names}, self.chart)
            yield self.visit(day, latest, names, why, known)
            done = as_of if late else max(day, as_of)
            for name in names:
                open_[name], said[name] = due(name, done, None), (done, TODAY if done == as_of else BEFORE)

    def _since(self, last: date | None) -> tuple[date, str]:
        """From when a test is counted, and what that day is."""
        return (last, LAST) if last else (self.anchor, f"{self.item.anchor}, nothing on record since")

    def visit(self, day: date, latest: date, names: tuple[str, ...], said: str, dues: tuple[Due, ...]) -> Visit:
        overdue, whole = latest < self.chart.as_of, len(names) == len(self.last)
        return Visit(
            day,
            latest,
            self.item.label,
            (*names, *(self.item.texts if whole or not overdue else ())),
            overdue,
            " ".join(filter(None, (said, self.closer, self.item.note))),
            self.item.source,
            dues,
            not whole,
        )


def _said(low: float, high: float, since: Mapping[str, tuple[date, str]], chart: Chart) -> str:
    """From when the tests of a visit are counted; which of them, where they differ."""
    days: dict[tuple[date, str], list[str]] = {}
    for name, day in since.items():
        days.setdefault(day, []).append(name)
    if len(days) == 1:
        return f"{_months(low, high)} after {'; '.join(f'{day} ({what})' for day, what in days)}."
    told = [f"{day} ({what}: {listed([_name(name, chart) for name in names])})" for (day, what), names in days.items()]
    return f"{_months(low, high)} after {'; '.join(told)}."


def _name(name: str, chart: Chart) -> str:
    return chart.knowledge.tests[name].label if name in chart.knowledge.tests else chart.label(name)


def _months(low: float, high: float) -> str:
    return f"{number(low)} months" if low == high else f"{number(low)} to {number(high)} months"


def _kept(name: str, chart: Chart) -> str:
    """The test in the specimen, or the scale of its kind, that this patient is followed in, where another is named."""
    concept = chart.knowledge.concepts.get(name)
    if concept is None or chart.series(name):
        return name
    others = [one for one in _alike(concept, chart) if chart.series(one)]
    return max(
        others,
        key=lambda other: max(e.date for one in chart.series(other) for e in one.samples if e.date),
        default=name,
    )


def _alike(concept: Concept, chart: Chart) -> list[str]:
    """What can stand for a test: the same quantity in another specimen, another scale of the narrowest kind."""
    if concept.of:
        return [one.id for one in chart.knowledge.concepts.values() if one.of == concept.of and one.specimen]
    scales = chart.follow.scales
    kinds = [
        [scales[key].concept for key in made.scales]
        for made in chart.follow.derived.values()
        if any(scales[key].concept == concept.id for key in made.scales)
    ]
    return min(kinds, key=len, default=[])


def _done(name: str, chart: Chart) -> list[Event]:
    """Everything on record that shows that a test was done, whether or not its result can be read."""
    test = chart.knowledge.tests.get(name)
    if name in chart.knowledge.concepts or test is None:
        names = (name, chart.knowledge.concepts[name].of) if name in chart.knowledge.concepts else (name,)
        unreadable = [event for event in chart.unreadable if event.finding in names]
        return [*(event for one in names for event in chart.record.by_finding.get(one, ())), *unreadable]
    if any(method.id == name for concept in chart.knowledge.concepts.values() for method in concept.methods):
        return [event for event in chart.record.events if event.method == name or event.finding in test.gives]
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
