"""The pictures of docs/trend.md as SVG: readable in print and without colour (each line has its own dashes)."""

from __future__ import annotations

import math
from html import escape

import numpy as np

from poems.models.trend import Fit
from tests.trend_courses import FROM_DAY, Courses

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 920, 460, 70, 330, 40, 60
LINES = {
    "model, P(rise)": ("#0072b2", "", 3),
    "model, P(rise of 50 %)": ("#0072b2", "2 3", 3),
    "50 % above the median so far, twice": ("#777777", "10 3 2 3", 2),
    "50 % above the nadir": ("#d55e00", "9 4", 2),
    "50 % above the nadir, twice": ("#d55e00", "3 3", 2),
    "above the limit": ("#009e73", "14 4", 2),
    "outside the reference change": ("#cc79a7", "6 2 2 2", 2),
    "outside the reference change, twice": ("#cc79a7", "2 2", 2),
}
WORDS = {
    "sensitivity": "relapses seen before they are clinical, %",
    "lead_mean": "mean lead in months (a missed relapse is 0)",
}


def text(x: float, y: float, words: str, *, anchor: str = "start", size: int = 13, turn: bool = False) -> str:
    """A line of words."""
    rotation = f' transform="rotate(-90 {x:.1f} {y:.1f})"' if turn else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}"{rotation}>{escape(words)}</text>'


def line(points: list[tuple[float, float]], colour: str, dashes: str = "", width: float = 1.0) -> str:
    """A polyline."""
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    dash = f' stroke-dasharray="{dashes}"' if dashes else ""
    return f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="{width:g}"{dash}/>'


def page(parts: list[str], title: str, height: int = HEIGHT) -> str:
    """The parts as one picture."""
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" '
        f'font-family="system-ui, sans-serif" fill="#222222"><title>{escape(title)}</title>'
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>'
    )
    return "\n".join([head, text(LEFT, 22, title, size=15), *parts, "</svg>\n"])


def curves(lines: dict[str, list[tuple[float, float]]], what: str) -> str:
    """What each method reaches against its false-alarm rate, each threshold a point."""
    share = 100 if what == "sensitivity" else 1
    top = 60 if what == "sensitivity" else 4
    low, high = 0.005, 0.5
    wide, tall = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM

    def x(rate: float) -> float:
        return LEFT + wide * math.log(rate / low) / math.log(high / low)

    def y(value: float) -> float:
        return TOP + tall * (1 - value / top)

    parts = []
    for step in range(0, top + 1, top // 4 if top == 4 else 10):
        parts += [
            line([(LEFT, y(step)), (LEFT + wide, y(step))], "#dddddd"),
            text(LEFT - 8, y(step) + 4, f"{step}", anchor="end"),
        ]
    for rate in (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5):
        parts += [
            line([(x(rate), TOP), (x(rate), TOP + tall)], "#eeeeee"),
            text(x(rate), TOP + tall + 18, f"{rate:g}", anchor="middle"),
        ]
    for place, (name, (colour, dashes, width)) in enumerate(LINES.items()):
        points = [(x(rate), y(share * value)) for rate, value in lines[name] if low <= rate <= high]
        parts.append(line(points, colour, dashes, width))
        row = TOP + 16 + 24 * place
        parts += [
            line([(LEFT + wide + 16, row), (LEFT + wide + 60, row)], colour, dashes, width),
            text(LEFT + wide + 66, row + 4, name, size=12),
        ]
    parts += [
        text(LEFT + wide / 2, HEIGHT - 16, "false alarms per person-year of remission", anchor="middle"),
        text(20, TOP + tall / 2, WORDS[what], anchor="middle", turn=True),
    ]
    return page(parts, "The same courses, every threshold of each method")


def example(courses: Courses) -> int:
    """The first course that shows a spike in remission and a relapse of a year or so."""
    lasts = (courses.clinical - courses.onset) / 365.25
    calm = (courses.days > FROM_DAY) & (courses.days < courses.onset[:, None] - 200)
    spike = (courses.spiked & calm & (courses.logs - courses.truth > 0.9)).sum(axis=1) == 1
    return int(
        np.flatnonzero(spike & (lasts > 0.7) & (lasts < 1.2) & (courses.onset > 900) & (courses.onset < 1500))[0]
    )


def course(courses: Courses, found: Fit, at: int) -> str:
    """One course: samples, the smoothed level with its band, the truth, and P(rise) as it was on each day."""
    height = HEIGHT + 120
    days = courses.days[at]
    shown = ~np.isnan(days) & (days > 0)
    years, logs = days[shown] / 365.25, courses.logs[at][shown]
    level, sd, p = found.level[at][shown], found.sd[at][shown], found.p_rise[at][shown]
    wide, tall = WIDTH - LEFT - 30, 300
    low, high = math.log(20), math.log(600)

    def x(year: float) -> float:
        return LEFT + wide * year / (years[-1] * 1.02)

    def y(log: float) -> float:
        return TOP + 20 + tall * (high - log) / (high - low)

    def chance(value: float) -> float:
        return TOP + tall + 60 + 110 * (1 - value)

    parts = [text(LEFT - 8, y(math.log(v)) + 4, f"{v}", anchor="end") for v in (20, 50, 100, 200, 500)]
    parts += [line([(LEFT, y(math.log(v))), (LEFT + wide, y(math.log(v)))], "#e4e4e4") for v in (20, 50, 100, 200, 500)]
    band = [(x(a), y(b)) for a, b in zip(years, level + 1.96 * sd, strict=True)]
    band += [(x(a), y(b)) for a, b in zip(years[::-1], (level - 1.96 * sd)[::-1], strict=True)]
    outline = " ".join(f"{a:.1f},{b:.1f}" for a, b in band)
    parts.append(f'<polygon points="{outline}" fill="#0072b2" fill-opacity="0.15"/>')
    parts += [
        line([(x(a), y(b)) for a, b in zip(years, level, strict=True)], "#0072b2", width=2.5),
        line([(x(a), y(b)) for a, b in zip(years, courses.truth[at][shown], strict=True)], "#222222", "5 4", 1.5),
    ]
    for a, b, side in zip(years, logs, courses.sides[at][shown], strict=True):
        fill = "#ffffff" if side else "#d55e00"
        parts.append(
            f'<circle cx="{x(a):.1f}" cy="{y(b):.1f}" r="4" fill="{fill}" stroke="#d55e00" stroke-width="1.5"/>'
        )
    for value in (0, 0.5, 0.95):
        parts += [
            line([(LEFT, chance(value)), (LEFT + wide, chance(value))], "#999999" if value == 0.95 else "#e4e4e4"),
            text(LEFT - 8, chance(value) + 4, f"{value:g}", anchor="end"),
        ]
    parts.append(line([(x(a), chance(b)) for a, b in zip(years, p, strict=True)], "#0072b2", width=2))
    for day, words in ((courses.onset[at], "rise begins"), (courses.clinical[at], "clinical relapse")):
        year = day / 365.25
        parts += [
            line([(x(year), TOP + 20), (x(year), chance(0))], "#222222", "2 4"),
            text(x(year) - 6, TOP + 34, words, anchor="end"),
        ]
    parts += [text(x(v), chance(0) + 20, f"{v}", anchor="middle") for v in range(int(years[-1]) + 1)]
    parts += [
        text(LEFT + wide / 2, chance(0) + 42, "years since treatment", anchor="middle"),
        text(20, TOP + 20 + tall / 2, "value, pg/mL (log)", anchor="middle", turn=True),
        text(20, chance(0.5), "P(rise)", anchor="middle", turn=True),
    ]
    return page(parts, "A simulated course: samples, level with 95 % band, true level (dashed)", height)
