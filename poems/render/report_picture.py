"""The timeline's picture on paper: the same drawing, with fixed colours, cut to the rows that a page has room for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

from poems.render.report_model import Picture
from poems.render.timeline import Lane, Timeline
from poems.render.timeline_axis import ticks
from poems.render.timeline_svg import AXIS, GAP, HEAD, LANE, PANEL, SMALL, legend, svg

CLINICIAN, PATIENT, LOWER = 380.0, 214.0, 90.0
"""How high the picture may be, in its own units (980 are the width of the page); how low its first quantity is then."""
ORDER = (("visit", 0), ("response", 2), ("relapse", 2), ("treatment", 4), ("panel", 1), ("treatment", 2),
         ("response", 1), ("relapse", 1), ("treatment", 1))
"""Which rows go first where there are too many, and how many of the kind stay then; visits stand beside the picture."""
STYLE = """
text{font-family:"Libertinus Serif";font-size:13.5px;fill:#1d2327;paint-order:stroke;stroke:#fff;stroke-width:3px;
stroke-linejoin:round}
.name{font-size:14px}.strong{font-weight:600}.small{font-size:12.5px}.soft{fill:#4a545c}
.rule{stroke:#dedad2;stroke-width:1;fill:none}.axis{stroke:#55606a;stroke-width:1;fill:none}
.frame{fill:none;stroke:#dedad2}.ground{fill:#fff}.g0{fill:#9aa3aa}.hatch{stroke:#1d2327;stroke-width:1.1;fill:none;opacity:.75}
.bar{stroke:#1d2327;stroke-width:1}.bar.response{fill:#e3f2ef;stroke:#0b6b63}.more{fill:none;stroke:#1d2327;stroke-width:1.6}
.not-known{fill:none;stroke:#1d2327;stroke-width:1.6;stroke-dasharray:1.5 4}
.plate{fill:#fff;opacity:.92}.mark{stroke:#1d2327;stroke-width:1.6;fill:none}.mark.day{fill:#1d2327}
.mark.relapse{stroke:#7a3400;stroke-width:3.4}.mark.unconfirmed{stroke:#7a3400;stroke-width:1.4}
.mark.illness{stroke-width:2.6}.mark.overdue{fill:#7a3400;stroke:#7a3400}
.limit{stroke:#1d2327;stroke-width:1.2;stroke-dasharray:6 4;fill:none}
.band{opacity:.2}.level{fill:none;stroke-width:1.8}
.band.s0{fill:#0072b2}.band.s1{fill:#b04d00}.band.s2{fill:#00694d}.band.s3{fill:#8a3f69}
.level.s0{stroke:#0072b2}.level.s1{stroke:#b04d00;stroke-dasharray:9 3}.level.s2{stroke:#00694d;stroke-dasharray:3 3}
.level.s3{stroke:#8a3f69;stroke-dasharray:9 3 2 3}
.dot{stroke:#fff;stroke-width:1}.dot.s0{fill:#0072b2}.dot.s1{fill:#b04d00}.dot.s2{fill:#00694d}.dot.s3{fill:#8a3f69}
.dot.hollow{fill:#fff;stroke-width:1.8}.hollow.s0,.censor.s0{stroke:#0072b2}.hollow.s1,.censor.s1{stroke:#b04d00}
.hollow.s2,.censor.s2{stroke:#00694d}.hollow.s3,.censor.s3{stroke:#8a3f69}.censor{fill:none;stroke-width:1.8}
.explained{fill:none;stroke:#7a3400;stroke-width:1.6;stroke-dasharray:3 2}
.day-line{fill:none;stroke:#55606a;stroke-width:1}.day-line.today{stroke-dasharray:2 3}
.day-line.transplant{stroke:#1d2327;stroke-dasharray:8 3}.day-line.death{stroke:#1d2327;stroke-width:2}
"""
"""Colours that keep apart in grey; shapes, dashes and patterns say the same."""


def picture(timeline: Timeline, title: str, most: float, tall: float = PANEL) -> tuple[Picture, ...]:
    """The picture, not higher than `most`, its first quantity so tall; nothing where there is nothing to draw."""
    if not says_something(timeline):
        return ()
    shown = fitting(timeline, most + PANEL - tall)
    left = len(timeline.lanes) + len(timeline.panels) - len(shown.lanes) - len(shown.panels)
    more = f"{left} more row{'' if left == 1 else 's'} of the picture in the full course" if left else ""
    return (Picture(title, svg(shown, "report", tall), timeline.description, tuple(legend(shown)), more),)


def says_something(timeline: Timeline) -> bool:
    """Whether there is a course to see: something that lasted, or a quantity measured on two days."""
    lasted = any(lane.bars for lane in timeline.lanes)
    return lasted or any(len({sample.day for course in panel.courses for sample in course.samples}) > 1
                         for panel in timeline.panels)


def fitting(timeline: Timeline, most: float) -> Timeline:
    """The timeline with as many rows as fit: first the further quantities go, then the rows that say least."""
    while height(timeline) > most:
        smaller = _smaller(timeline)
        if smaller is None:
            break
        timeline = smaller
    return timeline


def height(timeline: Timeline) -> float:
    """How high the drawing will be."""
    groups = sum(one.group != other.group for one, other in zip(timeline.lanes, timeline.lanes[1:], strict=False))
    panels = len(timeline.panels)
    return (HEAD + AXIS + LANE * len(timeline.lanes) + GAP / 2 * groups + GAP * panels
            + (PANEL + SMALL * (panels - 1) if panels else 0.0))


def _smaller(timeline: Timeline) -> Timeline | None:
    """The timeline without the row that is missed least; nothing where every row is needed."""
    if len(timeline.panels) > 2:
        return replace(timeline, panels=timeline.panels[:-1])
    for group, fewest in ORDER:
        if group == "panel":
            if len(timeline.panels) > fewest:
                return replace(timeline, panels=timeline.panels[:-1])
        elif sum(lane.group == group for lane in timeline.lanes) > fewest:
            smaller = replace(timeline, lanes=_without(timeline.lanes, group))
            return _without_future(smaller) if group == "visit" else smaller
    return None


def _without_future(timeline: Timeline) -> Timeline:
    """The timeline up to its last day: without the visits to come nothing stands after it."""
    last = max(line.day for line in timeline.lines)
    days = [last, *(bar.end for lane in timeline.lanes for bar in lane.bars),
            *(mark.day for lane in timeline.lanes for mark in lane.marks),
            *(sample.day for panel in timeline.panels for course in panel.courses for sample in course.samples)]
    air = timedelta(max(1, (max(days) - timeline.start).days // 60))
    end = min(max(days) + air, timeline.end) if max(days) < date.max - air else timeline.end
    return replace(timeline, end=end, ticks=ticks(timeline.start, end))


def _without(lanes: Sequence[Lane], group: str) -> tuple[Lane, ...]:
    """The lanes without one of a group: of the treatments the one that began first, of the others the last."""
    found = [lane for lane in lanes if lane.group == group]
    gone = min(found, key=lambda lane: lane.bars[0].start) if group == "treatment" else found[-1]
    return tuple(lane for lane in lanes if lane is not gone)
