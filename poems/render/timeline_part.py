"""A part of a picture, fewer years or fewer series, and its data as a table. It stays one specification."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from math import exp, isfinite, log

from poems.render.timeline import Course, Lane, Panel, Timeline
from poems.render.timeline_axis import bounds, ticks, value_ticks
from poems.units import YEAR_DAYS

GROUPS = {"treatment": "Treatments", "response": "Responses", "relapse": "Relapses", "illness": "Illness",
          "visit": "Visits"}
ENDS = ("death", "today")


@dataclass(frozen=True)
class Key:
    """Something that can be shown or hidden. id: of a group of lanes its name, of a series its places in the picture.

    place: which sign a series has in its panel; None for a group of lanes.
    """

    id: str
    label: str
    place: int | None


@dataclass(frozen=True)
class Row:
    """One thing of the picture as a line of a table."""

    what: str
    when: str
    said: str


def keys(timeline: Timeline) -> tuple[Key, ...]:
    """Everything that can be shown or hidden, from top to bottom."""
    groups = dict.fromkeys(lane.group for lane in timeline.lanes)
    lanes = [Key(group, GROUPS.get(group, group), None) for group in groups]
    series = [Key(f"{i}.{j}", named(panel, course), j) for i, panel in enumerate(timeline.panels)
              for j, course in enumerate(panel.courses)]
    return (*lanes, *series)


def named(panel: Panel, course: Course) -> str:
    """A series by its name: that of its quantity where it is the only one."""
    return panel.label if len(panel.courses) == 1 else f"{panel.label}, {course.label}"


def spans(timeline: Timeline, wanted: Collection[int]) -> tuple[int, ...]:
    """Which of so many last years are less than the whole picture."""
    return tuple(years for years in wanted if _since(timeline, years) > timeline.start)


def part(timeline: Timeline, *, years: int | None = None, hidden: Collection[str] = ()) -> Timeline:
    """The picture of the last years, without what is hidden. Series keep their signs."""
    lanes = [lane for lane in timeline.lanes if lane.group not in hidden]
    panels = [replace(panel, courses=tuple(_blank(course) if f"{i}.{j}" in hidden else course
                                           for j, course in enumerate(panel.courses)))
              for i, panel in enumerate(timeline.panels)]
    start = timeline.start if years is None else max(_since(timeline, years), timeline.start)
    return replace(timeline, start=start, ticks=ticks(start, timeline.end),
                   lanes=tuple(filter(None, (_lane(lane, start) for lane in lanes))),
                   panels=tuple(filter(None, (_panel(panel, start) for panel in panels))))


def rows(timeline: Timeline) -> Iterator[Row]:
    """The data of the picture, one line each, from top to bottom and from early to late."""
    for lane in timeline.lanes:
        for bar in lane.bars:
            yield Row(lane.label, "", bar.label)
        for mark in lane.marks:
            yield Row(lane.label, mark.day.isoformat(), mark.label)
    for panel in timeline.panels:
        for course in panel.courses:
            for sample in sorted(course.samples, key=lambda one: one.day):
                said = sample.text.removeprefix(f"{sample.day}: ")
                more = "; something else may explain it" if sample.is_explained else ""
                yield Row(named(panel, course), sample.day.isoformat(), said + more)


def _since(timeline: Timeline, years: int) -> date:
    """So many years before the day asked about, or before death."""
    last = next((line.day for kind in ENDS for line in timeline.lines if line.kind == kind), timeline.end)
    return last - timedelta(min(round(years * YEAR_DAYS), last.toordinal() - 1))


def _blank(course: Course) -> Course:
    return replace(course, samples=(), days=(), level=(), low=(), high=(), limit=None)


def _lane(lane: Lane, start: date) -> Lane | None:
    """What of a lane is left; None where nothing is. What began before keeps its words and loses its beginning."""
    bars = tuple(replace(bar, start=max(bar.start, start)) for bar in lane.bars
                 if (bar.start if bar.is_day else bar.end) >= start)
    marks = tuple(mark for mark in lane.marks if mark.day >= start)
    return replace(lane, bars=bars, marks=marks) if bars or marks else None


def _panel(panel: Panel, start: date) -> Panel | None:
    """What of a panel is left, its axis fitted to it; None where no value is."""
    courses = tuple(_course(course, start, panel.is_log) for course in panel.courses)
    values = [value for course in courses if course.samples for value in (
        *(sample.value for sample in course.samples), *course.low, *course.high, course.limit)
        if value is not None and isfinite(value) and (value > 0 or not panel.is_log)]
    if not any(course.samples for course in courses):
        return None
    if courses == panel.courses:
        return panel
    low, high = bounds(max(min(values), panel.low), min(max(values), panel.high), panel.is_log) if values else (
        panel.low, panel.high)
    return replace(panel, courses=courses, low=low, high=high, ticks=value_ticks(low, high, panel.is_log))


def _course(course: Course, start: date, is_log: bool) -> Course:
    """What of a series is left; its smoothed level begins where the picture does."""
    samples = tuple(sample for sample in course.samples if sample.day >= start)
    if not samples:
        return _blank(course)
    place = next((at for at, day in enumerate(course.days) if day >= start), len(course.days))
    days = course.days[place:]
    level, low, high = (values[place:] for values in (course.level, course.low, course.high))
    if 0 < place < len(course.days):
        share = (start - course.days[place - 1]).days / max((course.days[place] - course.days[place - 1]).days, 1)
        level, low, high = ((_between(values[place - 1], values[place], share, is_log), *values[place:])
                            for values in (course.level, course.low, course.high))
        days = (start, *days)
    return replace(course, samples=samples, days=days, level=level, low=low, high=high)


def _between(one: float, other: float, share: float, is_log: bool) -> float:
    if is_log and one > 0 and other > 0:
        return exp(log(one) * (1 - share) + log(other) * share)
    return one * (1 - share) + other * share
