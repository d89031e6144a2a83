"""A course as a picture: one specification, drawn as SVG by timeline_svg and as characters by timeline_text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from math import isfinite, log10

from poems.course import Series, Span
from poems.follow.model import RECORDED, Follow, Trend, Visit
from poems.knowledge import Knowledge
from poems.record import Event
from poems.render.own_visits import named, plain_tests, planned
from poems.render.timeline_axis import bounds, ticks, value_ticks
from poems.render.words import circumstances, clean, label, listed, method_name, shown, unit
from poems.rules import Verdict

FUTURE = 0.22
"""How much of the picture may lie after the day asked about, for the visits to come."""
EDGE = 0.015
SMALLEST, LARGEST = 1e-9, 1e15
"""What lies beyond is drawn at the edge: no laboratory measures it."""


@dataclass(frozen=True)
class Sample:
    """One measured value: where it stands, what its tip says, and whether something else may explain it."""

    day: date
    value: float
    comparator: str
    text: str
    is_explained: bool = False


@dataclass(frozen=True)
class Course:
    """One series: its samples, and the smoothed level with its 95 % band where there is one."""

    label: str
    samples: tuple[Sample, ...]
    days: tuple[date, ...] = ()
    level: tuple[float, ...] = ()
    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()
    limit: float | None = None


@dataclass(frozen=True)
class Panel:
    """One quantity on one axis, in one or several series that are never joined."""

    label: str
    unit: str
    courses: tuple[Course, ...]
    low: float
    high: float
    ticks: tuple[float, ...]
    is_log: bool

    def reach(self, course: Course) -> tuple[date, date]:
        """From when to when the limit of a series is drawn: all the time if it is alone, else while it was used."""
        last = max(sample.day for one in self.courses for sample in one.samples)
        days = [sample.day for sample in course.samples]
        start = date.min if len(self.courses) == 1 else min(days)
        return start, date.max if max(days) == last else max(days)

    def share(self, value: float) -> float:
        """Where a value stands between the bottom (0) and the top (1)."""
        if self.is_log:
            value, low, high = (log10(max(item, SMALLEST)) for item in (value, self.low, self.high))
        else:
            low, high = self.low, self.high
        return min(max((value - low) / (high - low), 0.0), 1.0)


@dataclass(frozen=True)
class Bar:
    """Something that lasted: a treatment, or a response. is_open: it lasts still.

    known: of a treatment whose end nobody recorded the last day on which it was recorded; from then to `end` nothing
    says whether it was given.
    """

    start: date
    end: date
    label: str
    is_open: bool = False
    is_day: bool = False
    known: date | None = None


@dataclass(frozen=True)
class Mark:
    """Something on one day. kind: illness, relapse, unconfirmed, overdue, visit."""

    day: date
    kind: str
    label: str


@dataclass(frozen=True)
class Lane:
    """One row of bars or marks. group: treatment, response, relapse, illness, visit; place: which one of its group."""

    label: str
    group: str
    place: int
    bars: tuple[Bar, ...] = ()
    marks: tuple[Mark, ...] = ()

    @property
    def said(self) -> list[str]:
        """What stands in it, in words."""
        return [bar.label for bar in self.bars] + [mark.label for mark in self.marks]


@dataclass(frozen=True)
class Line:
    """A day that runs through the whole picture. kind: today, diagnosis (or the first treatment), transplant, death."""

    day: date
    kind: str
    label: str


@dataclass(frozen=True)
class Timeline:
    """Everything that is drawn, in the order from top to bottom."""

    title: str
    description: str
    start: date
    end: date
    ticks: tuple[tuple[date, str], ...]
    lines: tuple[Line, ...]
    lanes: tuple[Lane, ...]
    panels: tuple[Panel, ...]

    def share(self, day: date) -> float:
        """Where a day stands between the left (0) and the right (1)."""
        return min(max((day - self.start).days / max((self.end - self.start).days, 1), 0.0), 1.0)


def timeline(follow: Follow, knowledge: Knowledge, *, own: bool = False) -> Timeline:
    """The picture of one course. own: for the patient, with values, treatments, illness and visits only."""
    lanes = [*_treatments(follow.treatments, follow, knowledge, own)]
    if not own:
        lanes += [*_responses(follow), *_relapses(follow)]
    visits = list(_own_visits(follow, knowledge)) if own else [(visit, clean(visit.label)) for visit in follow.calendar]
    lanes += [*_illness(follow, knowledge, own), *_visits(follow, visits)]
    panels = tuple(panel for panel in _panels(follow, knowledge, own) if panel.courses)
    lines = tuple(_lines(follow, knowledge, own))
    start, end = _window(follow, lanes, panels, lines)
    name = "My course" if own else f"Course of {clean(follow.patient)}"
    return Timeline(name, _described(lanes, panels, start, follow), start, end, ticks(start, end), lines,
                    tuple(lanes), panels)


def _treatments(spans: Iterable[Span], follow: Follow, knowledge: Knowledge, own: bool) -> Iterator[Lane]:
    of: dict[str, list[Bar]] = {}
    for span in spans:
        end = span.end or (follow.died or follow.as_of)
        said = open_days(span) if span.end is None else f"{span.start} to {span.end}"
        is_day = is_once(span, follow)
        known = max((event.date for event in span.events if event.date), default=span.start)
        of.setdefault(span.finding, []).append(Bar(
            span.start, max(end, span.start) if not is_day else span.start, str(span.start) if is_day else said,
            is_day=is_day, known=known if span.end is None and not is_day else None))
    for place, (finding, bars) in enumerate(of.items()):
        yield Lane(_name(finding, knowledge, own), "treatment", place, tuple(bars))


def open_days(span: Span) -> str:
    """The days of a treatment without a recorded end: whether it is still given, nobody knows from the record."""
    return f"from {span.start}, no end recorded"


def is_once(span: Span, follow: Follow) -> bool:
    """Whether a treatment was given on one day only: so recorded, or a transplant."""
    infused = {transplant.day_0 for transplant in follow.transplants}
    return span.end == span.start or (span.end is None and span.start in infused)


def _name(finding: str, knowledge: Knowledge, own: bool) -> str:
    concept = knowledge.concepts.get(finding)
    return (concept.patient or concept.label) if own and concept else label(finding, knowledge)


def _responses(follow: Follow) -> Iterator[Lane]:
    found = [item for item in follow.responses if item.best_day is not None]
    for place, item in enumerate(found):
        assert item.best_day is not None
        until, name = item.until or item.best_day, clean(item.best).replace("-", " ")
        is_day = until <= item.best_day
        said = f"{name}{', lost' if item.is_lost else ' on' if is_day else ', seen until'} {max(until, item.best_day)}"
        bar = Bar(item.best_day, max(min(until, follow.as_of), item.best_day), said, is_day=is_day)
        yield Lane(clean(item.label), "response", place, (bar,))


def _relapses(follow: Follow) -> Iterator[Lane]:
    marks = tuple(Mark(item.day, "relapse", f"{item.day}, recorded") for item in follow.recorded)
    if marks:
        yield Lane("Relapse, as recorded", "relapse", 0, marks=marks)
    found = [item for item in follow.relapses if item.verdict is not Verdict.NOT_MET and item.day is not None]
    for place, item in enumerate(found, len(marks[:1])):
        assert item.day is not None
        kind, said = ("unconfirmed", "not confirmed") if item.is_waiting else (
            "relapse", "confirmed" if item.is_repeated else "met")
        yield Lane(clean(item.label), "relapse", place, marks=(Mark(item.day, kind, f"{item.day}, {said}"),))


def _illness(follow: Follow, knowledge: Knowledge, own: bool) -> Iterator[Lane]:
    seen = dict.fromkeys(event for trend in follow.trends for event in trend.explained_by if event.date)
    marks = [Mark(event.date, "illness", _name(event.finding, knowledge, own)) for event in seen if event.date]
    if marks:
        yield Lane("Illness", "illness", 0, marks=tuple(sorted(marks, key=lambda mark: mark.day)))


def _own_visits(follow: Follow, knowledge: Knowledge) -> Iterator[tuple[Visit, str]]:
    """The visits of the patient's own page, each with what is looked at."""
    for row in planned(follow, knowledge):
        yield from ((visit, ", ".join(plain_tests(visit, knowledge))) for visit in (row.visit, *row.later))


def _visits(follow: Follow, visits: Sequence[tuple[Visit, str]]) -> Iterator[Lane]:
    marks = [Mark(visit.day, "overdue" if visit.overdue else "visit", said) for visit, said in visits]
    if marks and follow.died is None:
        yield Lane("Visits", "visit", 0, marks=tuple(marks))


def _lines(follow: Follow, knowledge: Knowledge, own: bool) -> Iterator[Line]:
    yield from _own_start(follow, knowledge) if own else _start(follow)
    for transplant in follow.transplants:
        yield Line(transplant.day_0, "transplant", "day 0")
    if follow.died:
        yield Line(follow.died, "death", "died")
    else:
        yield Line(follow.as_of, "today", "as of")


def _start(follow: Follow) -> Iterator[Line]:
    """The day that the course counts from, told as what it is."""
    if follow.diagnosed:
        said = {RECORDED: "diagnosed", "": "first treated"}.get(follow.diagnosed_by, "criteria first met")
        yield Line(follow.diagnosed, "diagnosis", said)


def _own_start(follow: Follow, knowledge: Knowledge) -> Iterator[Line]:
    """For the patient: the diagnosis as the record has it, or the first treatment; never a day that was computed."""
    told = min((event.date for event in named(follow, knowledge) if event.date), default=None)
    if told:
        yield Line(told, "diagnosis", "diagnosis")
    elif follow.lines:
        yield Line(follow.lines[0].start, "diagnosis", "first treated")


def _panels(follow: Follow, knowledge: Knowledge, own: bool) -> Iterator[Panel]:
    of: dict[str, list[Trend]] = {}
    for trend in follow.trends:
        of.setdefault(trend.series.finding, []).append(trend)
    for finding, trends in of.items():
        courses = tuple(_course(trend, own) for trend in trends if trend.series.samples)
        yield _panel(finding, courses, knowledge, own, is_log=True)
    scales: dict[str, list[Series]] = {}
    for series, _ in follow.scales:
        scales.setdefault(series.finding, []).append(series)
    for finding, several in scales.items():
        courses = tuple(_steps(series) for series in several if series.samples)
        yield _panel(finding, courses, knowledge, own, is_log=False)


def _course(trend: Trend, own: bool) -> Course:
    samples = _samples(trend.series, trend.explained_by)
    limit = trend.series.upper_limit
    if own or len(samples) < 2:
        return Course(series_label(trend.series), samples, limit=limit)
    last = max(sample.day for sample in samples)
    kept = [place for place, day in enumerate(trend.days) if day <= last and all(
        isfinite(values[place]) for values in (trend.level, trend.low, trend.high))]
    days, level, low, high = (tuple(values[place] for place in kept) for values in (
        trend.days, trend.level, trend.low, trend.high))
    return Course(series_label(trend.series), samples, days, level, low, high, limit)  # type: ignore[arg-type]


def _steps(series: Series) -> Course:
    """A scale: its values and the line from one to the next."""
    samples = _samples(series, ())
    days, values = tuple(sample.day for sample in samples), tuple(sample.value for sample in samples)
    return Course(series_label(series), samples, days, values, values, values)


def series_label(series: Series) -> str:
    """What tells a series from another of the same quantity: how it was measured, and the laboratory's limit."""
    limit = f"limit {shown(series.upper_limit)}" if series.upper_limit is not None else ""
    method = method_name(series.method) if series.method else ""
    return ", ".join(filter(None, (method, limit))) or "laboratory not said"


def _samples(series: Series, explained: Iterable[Event]) -> tuple[Sample, ...]:
    """The dated values. Those at the end may be explained: the ones after the first such event, or beside it."""
    days = [event.date for event in explained if event.date]
    last = max((event.date for event in series.samples if event.date), default=None)
    return tuple(Sample(event.date, event.value, event.comparator, _tip(event), bool(days) and event.date == last)
                 for event in series.samples if event.date is not None and event.value is not None)


def _tip(event: Event) -> str:
    value = " ".join(filter(None, (event.comparator, shown(event.value or 0), unit(event.unit))))
    return f"{event.date}: {value} {circumstances(event)}".strip()


def _panel(finding: str, courses: tuple[Course, ...], knowledge: Knowledge, own: bool, *, is_log: bool) -> Panel:
    concept = knowledge.concepts.get(finding)
    values = [min(max(value, -LARGEST), LARGEST) for course in courses for value in (
        *(sample.value for sample in course.samples), *course.level, course.limit)
        if value is not None and isfinite(value) and (value > SMALLEST or not is_log)] or [1.0]
    low, high = bounds(min(values), max(values), is_log)
    return Panel(_name(finding, knowledge, own), unit(concept.unit) if concept else "", courses, low, high,
                 value_ticks(low, high, is_log), is_log)


def _window(follow: Follow, lanes: Sequence[Lane], panels: Sequence[Panel], lines: Sequence[Line]) -> tuple[date, date]:
    """From the first thing drawn to the day asked about, and the next visits where they are near."""
    days = [line.day for line in lines] + [day for lane in lanes for bar in lane.bars for day in (bar.start, bar.end)]
    days += [sample.day for panel in panels for course in panel.courses for sample in course.samples]
    days += [mark.day for lane in lanes for mark in lane.marks if mark.day <= follow.as_of]
    first, last = min(days), max(days)
    span = max((last - first).days, 14)
    marks = [mark.day for lane in lanes if lane.group == "visit" for mark in lane.marks]
    coming = [day for day in marks if day <= last + timedelta(round(span * FUTURE))]
    last = max([last, *coming]) if follow.died is None else last
    air = timedelta(max(1, round((last - first).days * EDGE)))
    return _moved(first, -air), _moved(last, air)


def _moved(day: date, by: timedelta) -> date:
    try:
        return day + by
    except OverflowError:
        return day


def _described(lanes: Sequence[Lane], panels: Sequence[Panel], start: date, follow: Follow) -> str:
    """The picture in a few sentences, for whoever hears it."""
    said = [f"From {start} to {follow.as_of}."]
    for group, word in (("treatment", "Treatments"), ("response", "Responses"), ("relapse", "Relapses"),
                        ("illness", "Illness")):
        parts = [f"{lane.label} {listed(lane.said, 'and')}" for lane in lanes if lane.group == group]
        if parts:
            said.append(f"{word}: {'; '.join(parts)}.")
    for panel in panels:
        for course in panel.courses:
            last = max(course.samples, key=lambda sample: sample.day, default=None)
            if last:
                said.append(f"{panel.label}, {course.label}: {len(course.samples)} values, the last {last.text}.")
    return " ".join(said)
