"""A course as one HTML file that needs nothing else: the picture in it, light and dark, for screen and paper."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from markupsafe import Markup

from poems.follow import Follow
from poems.knowledge import Knowledge
from poems.render.as_html import environment, tidy
from poems.render.follow_patient import own_course
from poems.render.follow_sheet import SHOW_TO, sheets
from poems.render.follow_view import APART, DISCLAIMER, together, view
from poems.render.timeline import Timeline
from poems.render.timeline_svg import legend, svg
from poems.render.words import clean

TITLES = {"clinician": "POEMS follow-up", "patient": "My course", "sheet": "Transplant hand-over sheet"}


def page(follows: Sequence[Follow], knowledge: Knowledge, edition: Literal["clinician", "patient"]) -> str:
    """The courses in one file; whatever came from the input is escaped, and stripped of control characters."""
    make: Any = own_course if edition == "patient" else view
    return _file([make(follow, knowledge) for follow in follows], edition)


def sheet(follows: Sequence[Follow], knowledge: Knowledge) -> str:
    """The hand-over sheets, one to a printed page."""
    return _file([one for follow in follows for one in sheets(follow, knowledge)], "sheet")


def _file(pages: Sequence[Any], kind: str) -> str:
    who = f": {pages[0].patient}" if len(pages) == 1 else ""
    template = environment().get_template("follow.html.j2")
    return tidy(template.render(
        pages=pages, title=f"{TITLES[kind]}{who}", body=f"follow_{kind}.html.j2", disclaimer=DISCLAIMER,
        show_to=SHOW_TO, not_here=APART, picture=_picture, legend=legend, clean=clean, together=together))


def _picture(timeline: Timeline, prefix: str) -> Markup:
    """The picture as markup: it is made by a library that escapes every text in it."""
    return Markup(svg(timeline, prefix))  # noqa: S704
