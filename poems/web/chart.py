"""The picture of a course on its page: the library's one drawing, for the years and the series that are asked for.

The server draws every cut, so that the picture works without a script and prints as it stands; a script only fetches
it and adds a readout.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from urllib.parse import urlencode

from markupsafe import Markup

from poems.render.timeline import Timeline
from poems.render.timeline_part import keys, part, rows, spans
from poems.render.timeline_svg import legend, svg
from poems.web.ask import Ask
from poems.web.pages import environment

SPANS = (1, 3, 5)
ALL = "all"
MOST = 100


def figure(ask: Ask, timeline: Timeline, prefix: str) -> Markup:
    """The picture with its tools, its legend and the same data as a table."""
    asked = ask.request.query_params
    offered = spans(timeline, SPANS)
    span = asked.get("span", ALL)
    years = next((one for one in offered if span == f"{one}y"), None)
    known = keys(timeline)
    order = tuple(key.id for key in known)
    hidden = tuple(key for place, key in enumerate(order) if str(place) in asked.getlist("hide")[:MOST])
    cut = part(timeline, years=years, hidden=hidden)
    html = environment().get_template("chart.html.j2").render(
        p=prefix, cut=cut, picture=Markup(svg(cut, prefix)), legend=legend(cut), rows=list(rows(cut)), years=years,  # noqa: S704 - a library escapes every text in it
        spans=[(one, _address(ask, one, hidden, order)) for one in (*offered, None)] if offered else [],
        keys=[(key, key.id not in hidden, _address(ask, years, _toggled(key.id, hidden), order)) for key in known])
    return Markup(html)  # noqa: S704 - a template that escapes


def _toggled(key: str, hidden: Collection[str]) -> tuple[str, ...]:
    return tuple(one for one in hidden if one != key) if key in hidden else (*hidden, key)


def _address(ask: Ask, years: int | None, hidden: Collection[str], order: Sequence[str]) -> str:
    """The address of another cut; what else the page was asked stays.

    A place in the picture stands for a series, so that no address names a test that somebody had.
    """
    kept = [(name, value) for name, value in ask.request.query_params.multi_items() if name == "day"]
    span = [("span", f"{years}y")] if years else []
    query = urlencode([*kept, *span, *(("hide", str(order.index(key))) for key in hidden)])
    return f"{ask.request.url.path}?{query}" if query else ask.request.url.path
