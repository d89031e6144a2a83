"""A timeline in a terminal: bars of blocks, values as dots on a line of braille, the band as shade."""

from __future__ import annotations

from collections.abc import Iterator
from math import isfinite
from textwrap import wrap

from rich.cells import cell_len, set_cell_size
from rich.text import Text

from poems.render.timeline import Course, Lane, Panel, Timeline
from poems.render.words import number

TALL, LOW = 7, 4
FILLS = "█▓▒▚▞▤"
"""How treatments differ without colour."""
NOT_KNOWN = "┄"
"""A treatment whose end nobody recorded, after the last day on which it was."""
DOTS = "●■◆▴"
SIGNS = {"relapse": "✕", "unconfirmed": "✗", "illness": "+", "overdue": "▲", "visit": "▽", "day": "◆"}
HUES = ("cyan", "yellow", "green", "magenta")
QUIET = "dim"
BRAILLE = 0x2800
BITS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))


def plot(timeline: Timeline, width: int) -> list[Text]:
    """The lines of the picture, none wider than `width`; the first quantity is drawn taller."""
    gutter = 28 if width >= 90 else 18
    columns = width - gutter - 1
    lines = [line for lane in timeline.lanes for line in _lane(lane, timeline, gutter, columns)]
    for place, panel in enumerate(timeline.panels):
        lines += [Text(), *_panel(panel, timeline, TALL if place == 0 else LOW, gutter, columns)]
    return [*lines, *_axis(timeline, gutter, columns)]


def signs(picture: Timeline) -> Iterator[str]:
    """What the signs of this picture mean, only those that are in it."""
    kinds = {mark.kind for lane in picture.lanes for mark in lane.marks if picture.start <= mark.day <= picture.end}
    courses = [course for panel in picture.panels for course in panel.courses]
    samples = [sample for course in courses for sample in course.samples]
    is_smoothed = any(course.days for panel in picture.panels if panel.is_log for course in panel.courses)
    told = (
        (is_smoothed, "⠒ modelled level in its ░ 95 % band"),
        (any(course.limit is not None for course in courses), "╌ laboratory limit"),
        (any(bar.known for lane in picture.lanes for bar in lane.bars), "┄ no end recorded"),
        (any(sample.is_explained for sample in samples), "◉ something else may explain it"),
        (any(sample.comparator for sample in samples), "▼ ▲ among values: below, above what could be measured"),
        ("visit" in kinds, "▽ visit due or to come"), ("overdue" in kinds, "▲ among visits: overdue"))
    return (words for is_there, words in told if is_there)


def _column(share: float, columns: int) -> int:
    return min(round(share * (columns - 1)), columns - 1)


def _gutter(label: str, gutter: int, tick: str = "") -> Text:
    room = gutter - 1 - (len(tick) + 1 if tick else 0)
    if cell_len(label) > room:
        label = label.partition(", ")[0]
    label = label if cell_len(label) <= room else set_cell_size(label, room - 1).rstrip() + "…"
    return Text.assemble(set_cell_size(label, room), (f" {tick}" if tick else "", QUIET), " ")


def _lane(lane: Lane, timeline: Timeline, gutter: int, columns: int) -> Iterator[Text]:
    row = [" "] * columns
    style = HUES[lane.place % len(HUES)] if lane.group == "treatment" else ""
    notes: list[tuple[int, str]] = []
    for bar in lane.bars:
        first, last = (_column(timeline.share(day), columns) for day in (bar.start, bar.end))
        if bar.is_day:
            row[first] = SIGNS["day"]
        else:
            fill = FILLS[lane.place % len(FILLS)] if lane.group == "treatment" else "═"
            sure = last
            if bar.known:
                sure = _column(timeline.share(bar.known), columns) if bar.known >= bar.start else first - 1
            row[first:last + 1] = fill * (sure - first + 1) + NOT_KNOWN * (last - sure)
            if bar.is_open:
                row[last] = "►"
        notes.append((last, bar.label))
    for mark in lane.marks:
        if timeline.start <= mark.day <= timeline.end:
            row[_column(timeline.share(mark.day), columns)] = SIGNS[mark.kind]
            if lane.group != "visit":
                notes.append((_column(timeline.share(mark.day), columns), mark.label))
    for place, label in notes:
        _beside(row, place, label)
    yield Text.assemble(_gutter(lane.label, gutter), ("".join(row).rstrip(), style))


def _beside(row: list[str], place: int, label: str) -> None:
    """Write the words where the row is empty: at the right of the sign, or at its left, or nowhere."""
    room = len(label) + 1
    for first in (place + 2, place - room):
        cells = row[max(first - 1, 0):first + len(label) + 1]
        if first >= 0 and first + len(label) <= len(row) and cells and not "".join(cells[1:-1]).strip():
            row[first:first + len(label)] = label
            return


def _panel(panel: Panel, timeline: Timeline, height: int, gutter: int, columns: int) -> Iterator[Text]:
    cells = [[(" ", "")] * columns for _ in range(height)]
    for course in panel.courses:
        _shade(panel, course, timeline, cells)
    for place, course in enumerate(panel.courses):
        _draw(panel, course, timeline, cells, place)
    ticks = {_row(panel, tick, height): number(tick) for tick in panel.ticks}
    names = [*wrap(panel.label, gutter - 8)[:2], f"{panel.unit}{', log scale' if panel.is_log else ''}".strip(", ")]
    if len(panel.courses) > 1:
        names += [f"{DOTS[place % 4]} {course.label}" for place, course in enumerate(panel.courses)]
    for row, line in enumerate(cells):
        text = _gutter(names[row] if row < len(names) else "", gutter, ticks.get(row, "").rjust(6))
        text.append("┤" if row in ticks else "│", QUIET)
        for sign, style in line[1:]:
            text.append(sign, style)
        text.rstrip()
        yield text


def _row(panel: Panel, value: float, height: int) -> int:
    return min(int((1 - panel.share(value)) * height), height - 1)


def _shade(panel: Panel, course: Course, timeline: Timeline, cells: list[list[tuple[str, str]]]) -> None:
    """The band, and the laboratory's limit across the empty cells."""
    height, columns = len(cells), len(cells[0])
    if course.limit is not None and isfinite(course.limit):
        row = _row(panel, course.limit, height)
        first, last = (_column(timeline.share(day), columns) for day in panel.reach(course))
        for column in range(first, last + 1):
            cells[row][column] = ("╌", QUIET)
    for column in range(columns):
        found = _at(course, timeline, column, columns)
        if found:
            for row in range(_row(panel, found[2], height), _row(panel, found[1], height) + 1):
                cells[row][column] = ("░", QUIET)


def _at(course: Course, timeline: Timeline, column: float, columns: int) -> tuple[float, float, float] | None:
    """Level, low and high of a course at a column, on the straight line between its days; None outside of it."""
    shares = [timeline.share(day) * (columns - 1) for day in course.days]
    for place in range(1, len(shares)):
        left, right = shares[place - 1], shares[place]
        if left <= column <= right:
            part = (column - left) / (right - left) if right > left else 0.0
            level, low, high = ((1 - part) * values[place - 1] + part * values[place]
                                for values in (course.level, course.low, course.high))
            return level, low, high
    return None


def _draw(panel: Panel, course: Course, timeline: Timeline, cells: list[list[tuple[str, str]]], place: int) -> None:
    """The level in braille, then the values over it."""
    height, columns = len(cells), len(cells[0])
    bits: dict[tuple[int, int], int] = {}
    for step in range(2 * columns):
        found = _at(course, timeline, step / 2, columns)
        if found:
            up = min(int((1 - panel.share(found[0])) * height * 4), height * 4 - 1)
            spot = (up // 4, step // 2)
            bits[spot] = bits.get(spot, 0) | BITS[up % 4][step % 2]
    style = HUES[place % len(HUES)]
    for (row, column), dots in bits.items():
        cells[row][column] = (chr(BRAILLE + dots), style)
    for sample in course.samples:
        sign = DOTS[place % 4] if not sample.comparator else "▼" if sample.comparator.startswith("<") else "▲"
        spot = _row(panel, sample.value, height), max(_column(timeline.share(sample.day), columns), 1)
        cells[spot[0]][spot[1]] = ("◉" if sample.is_explained and not sample.comparator else sign, f"bold {style}")


def _axis(timeline: Timeline, gutter: int, columns: int) -> Iterator[Text]:
    line, labels = ["─"] * columns, [" "] * columns
    line[0] = "└"
    last = -1
    for day, label in timeline.ticks:
        column = _column(timeline.share(day), columns)
        line[column] = "┬"
        first = min(max(column - len(label) // 2, 0), columns - len(label))
        if first > last:
            labels[first:first + len(label)] = label
            last = first + len(label)
    yield Text(" " * gutter + "".join(line), style=QUIET)
    yield Text(" " * gutter + "".join(labels).rstrip(), style=QUIET)
