"""A cohort as one HTML file: curves that can be read in grey, numbers at risk, tables; no script, no request."""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree.ElementTree import Element, SubElement, tostring

from markupsafe import Markup

from poems.disclosure import told
from poems.render.as_html import environment, tidy
from poems.render.cohort_tables import HAZARDS, counted, interval, ratio, together, whole
from poems.render.cohort_view import CohortView, EndpointView, Measure
from poems.render.view import DISCLAIMER

WIDTH, HEIGHT = 480.0, 300.0
LEFT, RIGHT, TOP, BOTTOM = 58.0, 14.0, 14.0, 86.0
Point = tuple[float, float]
SAID = {"told": told, "whole": whole, "interval": interval, "ratio": ratio, "together": together, "counted": counted}
"""How the page says numbers."""


def page(shown: CohortView) -> str:
    """The page. Whatever came from elsewhere is escaped."""
    return tidy(environment().get_template("cohort.html.j2", globals=SAID).render(
        page=shown, p="p1", disclaimer=DISCLAIMER, hazards=HAZARDS,
        charts={one.id: [Markup(svg(one, measures)) for measures in _groups(one)] for one in shown.endpoints}))  # noqa: S704 (built by ElementTree, which escapes)


def _groups(one: EndpointView) -> list[tuple[Measure, ...]]:
    """What is drawn together: people without the event in one chart, the ways out in another."""
    return [group for group in (one.measures[:1], one.measures[1:]) if group]


def svg(one: EndpointView, measures: Sequence[Measure]) -> str:
    """One chart: step curves with bands, the first solid over a filled band, the second dashed within dotted edges."""
    drawing = Element("svg", {"class": "curve", "viewBox": f"0 0 {WIDTH:g} {HEIGHT:g}", "role": "img",
                              "aria-label": f"{one.label}: {' and '.join(measure.label for measure in measures)}"})
    SubElement(drawing, "title").text = f"{one.label}; the table beside it holds the numbers"
    _axes(drawing, one)
    for place, measure in enumerate(measures):
        _band(drawing, measure, one.until, place)
        points = _steps([(year, value) for year, value, _, _ in measure.steps], one.until)
        SubElement(drawing, "path", {"class": f"line l{place}", "d": _path(points)})
    _legend(drawing, [measure.label for measure in measures], falls=measures[0].steps[0][1] > 0)
    return tostring(drawing, encoding="unicode")


def _axes(drawing: Element, one: EndpointView) -> None:
    floor = _y(0.0)
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        level = f"M{LEFT:g} {_y(share):.0f}H{WIDTH - RIGHT:g}"
        SubElement(drawing, "path", {"class": "grid" if share else "axis", "d": level})
        _text(drawing, LEFT - 8, _y(share) + 4, f"{100 * share:.0f} %", "end")
    for year, count in one.at_risk:
        x = _x(year, one.until)
        SubElement(drawing, "path", {"class": "axis", "d": f"M{x:.0f} {floor:.0f}v5"})
        _text(drawing, x, floor + 19, f"{year:g}", "middle")
        _text(drawing, x, floor + 73, told(count), "middle")
    _text(drawing, (LEFT + WIDTH - RIGHT) / 2, floor + 37, "years", "middle", "soft")
    _text(drawing, 2, floor + 56, "people followed", "start", "soft")


def _band(drawing: Element, measure: Measure, until: float, place: int) -> None:
    """The band, in as many pieces as there are stretches with an interval."""
    known = [step for step in measure.steps if step[2] is not None and step[3] is not None]
    if len(known) < 2:
        return
    low = _steps([(year, low) for year, _, low, _ in known if low is not None], until)
    high = _steps([(year, high) for year, _, _, high in known if high is not None], until)
    if place == 0:
        SubElement(drawing, "path", {"class": "band", "d": f"{_path(high)}L{_path(low[::-1])[1:]}Z"})
    else:
        SubElement(drawing, "path", {"class": "edge", "d": _path(high) + _path(low)})


def _steps(values: Sequence[tuple[float, float]], until: float) -> list[Point]:
    """The corners of a step function: level until the next step, then straight up or down."""
    points: list[Point] = []
    for year, value in values:
        x, y = _x(year, until), _y(value)
        if points:
            points.append((x, points[-1][1]))
        points.append((x, y))
    return points


def _legend(drawing: Element, names: Sequence[str], falls: bool) -> None:
    """A piece of each line with its name, in the corner that such curves leave free at first."""
    top = _y(0.0) - 12 - 18 * (len(names) - 1) if falls else TOP + 12
    for place, name in enumerate(names):
        y = top + 18 * place
        SubElement(drawing, "path", {"class": f"line l{place}", "d": f"M{LEFT + 10:g} {y:.0f}h30"})
        _text(drawing, LEFT + 48, y + 4, name, "start", "name")


def _path(points: Sequence[Point]) -> str:
    return "M" + "L".join(f"{x:.0f} {y:.0f}" for x, y in points)


def _text(drawing: Element, x: float, y: float, text: str, anchor: str, kind: str = "") -> None:
    SubElement(drawing, "text", {"x": f"{x:.0f}", "y": f"{y:.0f}", "text-anchor": anchor, "class": kind}).text = text


def _x(year: float, until: float) -> float:
    return LEFT + (WIDTH - LEFT - RIGHT) * (year / until if until else 0.0)


def _y(share: float) -> float:
    return TOP + (HEIGHT - TOP - BOTTOM) * (1 - share)
