"""A timeline as one SVG: shapes and words beside every colour, patterns beside every grey, a text for ears."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from math import isfinite
from textwrap import wrap
from xml.etree.ElementTree import Element, SubElement, tostring

from poems.render.timeline import Bar, Course, Lane, Line, Panel, Sample, Timeline
from poems.render.words import clean, number, shown

WIDTH, LEFT, RIGHT = 980.0, 208.0, 22.0
LANE, GAP, AXIS = 24.0, 16.0, 34.0
PANEL, SMALL = 150.0, 92.0
HEAD = 26.0
LETTER = 6.3
"""About how wide a letter of a label is, so that labels keep off each other."""
PATTERNS = ("", "M-2 2L2 -2M0 8L8 0M6 10L10 6", "M0 4H8", "M4 0V8", "M-2 6L2 10M0 0L8 8M6 -2L10 2", "M0 4H8M4 0V8")
"""How treatments differ without colour: plain, rising, level, upright, falling, crossed."""


def svg(timeline: Timeline, prefix: str, tall: float = PANEL) -> str:
    """The picture. prefix: makes its ids its own in a page that holds several. tall: how high the first quantity is."""
    return tostring(_Drawing(timeline, prefix, tall).root, encoding="unicode")


@dataclass
class _Drawing:
    timeline: Timeline
    prefix: str
    tall: float = PANEL
    root: Element = field(init=False)
    top: float = HEAD

    def __post_init__(self) -> None:
        title, told = f"{self.prefix}-line-title", f"{self.prefix}-line-told"
        self.root = Element("svg", {"class": "timeline", "role": "img", "aria-labelledby": f"{title} {told}"})
        self._text_element("title", self.timeline.title, title)
        self._text_element("desc", self.timeline.description, told)
        self._patterns()
        grid = self._add("g", "grid")
        group = ""
        for lane in self.timeline.lanes:
            self.top += GAP / 2 if group and lane.group != group else 0
            group = lane.group
            self._lane(lane)
        for place, panel in enumerate(self.timeline.panels):
            self._panel(panel, self.tall if place == 0 else SMALL, place)
        self._grid(grid)
        self._axis()
        height = self.top + AXIS
        self.root.set("viewBox", f"0 0 {WIDTH:g} {height:.0f}")
        self.root.set("width", f"{WIDTH:g}")
        self.root.set("height", f"{height:.0f}")

    def x(self, day: date) -> float:
        return LEFT + self.timeline.share(day) * (WIDTH - LEFT - RIGHT)

    def _add(self, tag: str, kind: str, parent: Element | None = None, **more: object) -> Element:
        made = {key.replace("_", "-"): f"{value:.1f}" if isinstance(value, float) else str(value)
                for key, value in more.items()}
        return SubElement(self.root if parent is None else parent, tag, {"class": kind, **made})

    def _text_element(self, tag: str, text: str, name: str) -> None:
        SubElement(self.root, tag, {"id": name}).text = clean(text)

    def _text(self, x: float, y: float, text: str, kind: str = "", anchor: str = "start") -> None:
        self._add("text", kind, x=x, y=y, text_anchor=anchor).text = clean(text)

    def _tip(self, element: Element, text: str, row: str) -> None:
        """What a thing says of itself; row: what it belongs to, so that a script can go from one to the next."""
        element.set("data-row", clean(row))
        SubElement(element, "title").text = clean(text)

    def _patterns(self) -> None:
        defs = SubElement(self.root, "defs")
        for place, path in enumerate(PATTERNS):
            made = SubElement(defs, "pattern", {"id": f"{self.prefix}-h{place}", "width": "8", "height": "8",
                                                "patternUnits": "userSpaceOnUse"})
            SubElement(made, "rect", {"class": f"ground g{place}", "width": "8", "height": "8"})
            if path:
                SubElement(made, "path", {"class": "hatch", "d": path})

    # lanes

    def _lane(self, lane: Lane) -> None:
        middle = self.top + LANE / 2
        self._text(LEFT - 12, middle + 4, _short(lane.label, int((LEFT - 16) / LETTER)), "name", "end")
        taken = LEFT
        for place, bar in enumerate(lane.bars):
            following = lane.bars[place + 1].start if place + 1 < len(lane.bars) else None
            taken = self._bar(bar, lane, middle, taken, self.x(following) if following else WIDTH)
        for mark in sorted(lane.marks, key=lambda one: one.day):
            x = self.x(mark.day)
            if mark.day > self.timeline.end or mark.day < self.timeline.start:
                continue
            shape = self._add("path", f"mark {mark.kind}", d=_symbol(mark.kind, x, middle))
            self._tip(shape, f"{mark.day} {mark.label}", lane.label)
            taken = self._beside(mark.label, x, middle, taken) if lane.group != "visit" else taken
        if lane.group == "visit":
            self._next_visit(lane, middle)
        self.top += LANE

    def _next_visit(self, lane: Lane, middle: float) -> None:
        """Only the first visit to come is named: the calendar has the rest."""
        shown = [mark for mark in lane.marks if self.timeline.start <= mark.day <= self.timeline.end]
        if shown:
            first = min(shown, key=lambda mark: (mark.kind == "overdue", mark.day))
            self._text(self.x(first.day) - 9, middle + 4, f"{first.day}", "small", "end")

    def _beside(self, label: str, x: float, middle: float, taken: float, room: float = WIDTH) -> float:
        """The words of a mark at its right, or at its left where the picture ends; none where there is no room."""
        width = len(label) * LETTER
        if x + 10 + width <= room:
            if x > taken:
                self._text(x + 9, middle + 4, label, "small")
                return x + 14 + width
        elif x - 10 - width > taken:
            self._text(x - 9, middle + 4, label, "small", "end")
            return x + 9
        return max(taken, x + 9)

    def _bar(self, bar: Bar, lane: Lane, middle: float, taken: float, room: float) -> float:
        """One bar with its words, between what is taken at the left and the next bar; returns what is taken now."""
        x, width = self.x(bar.start), max(self.x(bar.end) - self.x(bar.start), 3.0)
        if bar.is_day:
            shape = self._add("path", "mark day", d=_symbol("day", x, middle))
            taken = self._beside(bar.label, x, middle, taken, room)
        else:
            kind = f"bar {lane.group}" + (" open" if bar.is_open else "")
            fill = f"url(#{self.prefix}-h{lane.place % len(PATTERNS)})" if lane.group == "treatment" else "none"
            sure = width
            if bar.known:
                sure = max(self.x(bar.known) - x, 6.0) if bar.known >= bar.start else 0.0
                end = x + max(width, sure + 12)
                shape = self._add("path", "not-known", d=f"M{x + sure:.1f} {middle:.1f}H{end:.1f}")
            if sure:
                shape = self._add("rect", kind, x=x, y=middle - 7, width=sure, height=14.0, rx=2, fill=fill)
            if bar.is_open:
                self._add("path", "more", d=f"M{x + width:.1f} {middle - 7:.1f}l7 7l-7 7")
            taken = self._bar_label(bar, x, width, middle, taken, room, sure if bar.known else 0.0)
        self._tip(shape, f"{lane.label}: {bar.label}", lane.label)
        return taken

    def _bar_label(self, bar: Bar, x: float, width: float, middle: float, taken: float, room: float,
                   sure: float) -> float:
        """The words in the bar, else at its right, else at its left, else nowhere: the table below has them.

        sure: how much of it is drawn as known; the words stand behind that.
        """
        length = len(bar.label) * LETTER + 12
        if length <= width - sure:
            self._add("rect", "plate", x=x + sure + 4, y=middle - 6, width=length - 6, height=12.0, rx=2)
            self._text(x + sure + 7, middle + 4, bar.label, "small")
        elif x + width + length + 8 <= room:
            self._text(x + width + (12 if bar.is_open else 6), middle + 4, bar.label, "small")
            return x + width + length + 8
        elif x - length > taken:
            self._text(x - 5, middle + 4, bar.label, "small", "end")
        return x + width

    # panels

    def _panel(self, panel: Panel, height: float, place: int) -> None:
        self.top += GAP
        top, self.top = self.top, self.top + height
        clip = f"{self.prefix}-c{place}"
        frame = {"x": f"{LEFT:g}", "y": f"{top:.1f}", "width": f"{WIDTH - LEFT - RIGHT:g}", "height": f"{height:g}"}
        SubElement(SubElement(self.root, "clipPath", {"id": clip}), "rect", frame)
        self._add("rect", "frame").attrib.update(frame)
        self._names(panel, top)

        def y(value: float) -> float:
            return top + height * (1 - panel.share(value))

        for tick in panel.ticks:
            self._add("path", "rule", d=f"M{LEFT:g} {y(tick):.1f}H{WIDTH - RIGHT:g}")
            self._text(LEFT - 6, y(tick) + 4, number(tick), "small", "end")
        inside = self._add("g", "inside", clip_path=f"url(#{clip})")
        for course in panel.courses:
            self._course(course, panel, inside, y)

    def _names(self, panel: Panel, top: float) -> None:
        """At the left: what it is, its unit and, where there are several series, which sign is which."""
        y = top + 13
        for line in wrap(panel.label, 24)[:2]:
            self._text(4, y, line, "name strong")
            y += 16
        scale = ", log scale" if panel.is_log else ""
        self._text(4, y, f"{panel.unit}{scale}".strip(", "), "small soft")
        room = 2 if self.timeline.panels.index(panel) else 5
        drawn = [(place, course) for place, course in enumerate(panel.courses) if course.samples]
        for place, course in drawn[:room] if len(panel.courses) > 1 else ():
            y += 17
            self._add("path", f"dot s{place % 4}", d=_dot(place, 9, y - 4))
            self._text(18, y, _short(course.label, 24), "small")

    def _course(self, course: Course, panel: Panel, inside: Element, y: Callable[[float], float]) -> None:
        place = panel.courses.index(course)
        style = f"s{place % 4}"
        if course.limit is not None and isfinite(course.limit):
            start, end = (self.x(day) for day in panel.reach(course))
            self._add("path", "limit", inside, d=f"M{start:.1f} {y(course.limit):.1f}H{end:.1f}")
            name = f"limit {shown(course.limit)}"
            at = (end - 4, "end") if end - start > len(name) * LETTER else (end + 4, "start")
            self._text(at[0], y(course.limit) - 4, name, "small", at[1])
        if course.days:
            up = [f"{self.x(day):.1f} {y(value):.1f}" for day, value in zip(course.days, course.high, strict=True)]
            down = [f"{self.x(day):.1f} {y(value):.1f}" for day, value in zip(course.days, course.low, strict=True)]
            line = [f"{self.x(day):.1f} {y(value):.1f}" for day, value in zip(course.days, course.level, strict=True)]
            self._add("path", f"band {style}", inside, d=f"M{'L'.join(up)}L{'L'.join(reversed(down))}Z")
            self._add("path", f"level {style}", inside, d=f"M{'L'.join(line)}")
        row = panel.label if len(panel.courses) == 1 else f"{panel.label}, {course.label}"
        for sample in course.samples:
            self._sample(sample, place, y(sample.value), row)

    def _sample(self, sample: Sample, place: int, y: float, row: str) -> None:
        x = self.x(sample.day)
        arrow = "M{0:.1f} {1:.1f}v{2}m-4 {3}l4 {4}l4 {3}"
        if sample.comparator:
            down = sample.comparator.startswith("<")
            self._add("path", f"censor s{place % 4}", d=arrow.format(x, y, *((15, -5, 5) if down else (-15, 5, -5))))
        kind = f"dot s{place % 4}" + (" hollow" if sample.comparator else "")
        shape = self._add("path", kind, d=_dot(place, x, y))
        if sample.is_explained:
            self._add("circle", "explained", cx=x, cy=y, r=9)
        self._tip(shape, sample.text, row)

    # days

    def _grid(self, group: Element) -> None:
        for day, _ in self.timeline.ticks:
            self._add("path", "rule", group, d=f"M{self.x(day):.1f} {HEAD - 4}V{self.top:.1f}")
        taken: list[tuple[float, float]] = []
        for line in sorted(self.timeline.lines, key=lambda one: one.kind == "diagnosis"):
            if self.timeline.start <= line.day <= self.timeline.end:
                self._line(line, group, taken)

    def _line(self, line: Line, group: Element, taken: list[tuple[float, float]]) -> None:
        x, width = self.x(line.day), len(line.label) * LETTER
        self._add("path", f"day-line {line.kind}", group, d=f"M{x:.1f} {HEAD - 8}V{self.top:.1f}")
        left = min(max(x - width / 2, LEFT), WIDTH - width)
        if all(left > right + 4 or left + width < start - 4 for start, right in taken):
            self._text(left, HEAD - 12, line.label, "small")
            taken.append((left, left + width))

    def _axis(self) -> None:
        self._add("path", "axis", d=f"M{LEFT:g} {self.top:.1f}H{WIDTH - RIGHT:g}")
        last = -WIDTH
        for day, label in self.timeline.ticks:
            x, half = self.x(day), len(label) * LETTER / 2
            self._add("path", "axis", d=f"M{x:.1f} {self.top:.1f}v5")
            if x - half > last + 6:
                x = min(x, WIDTH - half)
                self._text(x, self.top + 19, label, "small", "middle")
                last = x + half


def _short(text: str, most: int) -> str:
    """The words, cut at the first comma, or where there is no more room."""
    if len(text) > most and ", " in text:
        text = text.partition(", ")[0]
    return text if len(text) <= most else text[:most - 1].rstrip() + "…"


def _dot(place: int, x: float, y: float) -> str:
    """The sign of a series: circle, square, diamond, triangle."""
    return (f"M{x - 4:.1f} {y:.1f}a4 4 0 1 0 8 0a4 4 0 1 0 -8 0Z", f"M{x - 3.7:.1f} {y - 3.7:.1f}h7.4v7.4h-7.4Z",
            f"M{x:.1f} {y - 5.2:.1f}l5.2 5.2l-5.2 5.2l-5.2 -5.2Z",
            f"M{x:.1f} {y - 5:.1f}l5 9h-10Z")[place % 4]


def _symbol(kind: str, x: float, y: float) -> str:
    """The sign of a mark: a cross for relapse, a plus for illness, a diamond for a day, triangles for visits."""
    return {
        "relapse": f"M{x - 5:.1f} {y - 5:.1f}l10 10m0 -10l-10 10",
        "unconfirmed": f"M{x - 5:.1f} {y - 5:.1f}l10 10m0 -10l-10 10",
        "illness": f"M{x - 6:.1f} {y:.1f}h12m-6 -6v12",
        "day": f"M{x:.1f} {y - 7:.1f}l7 7l-7 7l-7 -7Z",
        "overdue": f"M{x:.1f} {y - 6:.1f}l6 11h-12Z",
        "visit": f"M{x:.1f} {y + 6:.1f}l6 -11h-12Z",
    }[kind]


def legend(timeline: Timeline) -> Sequence[tuple[str, str]]:
    """What the signs of this picture mean: sign and words, only those that are in it."""
    kinds = {mark.kind for lane in timeline.lanes for mark in lane.marks if timeline.start <= mark.day <= timeline.end}
    samples = [sample for panel in timeline.panels for course in panel.courses for sample in course.samples]
    courses = [course for panel in timeline.panels for course in panel.courses]
    is_smoothed = any(course.days for panel in timeline.panels if panel.is_log for course in panel.courses)
    told: Iterable[tuple[bool, str, str]] = (
        (bool(samples), "●", "value" + (", its shape is its series" if any(
            len(panel.courses) > 1 for panel in timeline.panels) else "")),
        (any(sample.comparator for sample in samples), "↓ ↑", "below, above what could be measured"),
        (any(sample.is_explained for sample in samples), "◉", "something else may explain it"),
        (any(bar.known for lane in timeline.lanes for bar in lane.bars), "┄", "no end recorded"),
        (is_smoothed, "━", "smoothed level in its 95 % band"),
        (any(course.limit is not None for course in courses), "╌", "the laboratory's limit"),
        ("illness" in kinds, "+", "illness"), ("relapse" in kinds, "✕", "relapse"),
        ("unconfirmed" in kinds, "✕ (thin)", "relapse, not confirmed"),
        ("visit" in kinds, "▽", "visit to come"), ("overdue" in kinds, "▲", "visit overdue"))
    return [(sign, words) for is_there, sign, words in told if is_there]
