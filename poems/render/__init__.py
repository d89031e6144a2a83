"""A review or a course as people read it: text for the terminal, one HTML file, JSON for programs; two editions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from poems.errors import UsageError
from poems.knowledge import Knowledge

if TYPE_CHECKING:
    from poems.follow import Follow
    from poems.review import Review

Edition = Literal["clinician", "patient"]
Format = Literal["text", "json", "html"]


def render(reviews: Sequence[Review], knowledge: Knowledge, *, form: Format = "text", edition: Edition = "clinician",
           width: int = 100, colour: bool = False, explain: Sequence[str] = ()) -> str:
    """The reviews as one document.

    width, colour, explain: for text; columns, ANSI colours, and the sets whose parts are told besides the leading ones.
    Imports only the renderer that is asked for.
    """
    if form == "json":
        from poems.render.as_json import document

        return document(reviews, knowledge, edition)
    if form == "html":
        from poems.render.as_html import page

        return page(reviews, knowledge, edition)
    from poems.render.as_text import letter

    return letter(reviews, knowledge, edition, width=width, colour=colour, explain=explain)


def render_follow(follows: Sequence[Follow], knowledge: Knowledge, *, form: Format = "text",
                  edition: Edition = "clinician", width: int = 100, colour: bool = False, options: bool = False) -> str:
    """The courses as one document. options: in the text, tell every published treatment in full."""
    if form == "json":
        from poems.render.follow_json import document

        return document(follows, knowledge, edition)
    if form == "html":
        from poems.render.follow_html import page

        return page(follows, knowledge, edition)
    from poems.render.follow_text import letter

    return letter(follows, knowledge, edition, width=width, colour=colour, options=options)


def render_sheet(follows: Sequence[Follow], knowledge: Knowledge, *, form: Format = "text", width: int = 100,
                 colour: bool = False) -> str:
    """The hand-over sheets for the transplant, as text or as a page. Raises: UsageError for JSON."""
    if form == "json":
        raise UsageError("the sheet is for reading: text or html")
    if form == "html":
        from poems.render.follow_html import sheet as page

        return page(follows, knowledge)
    from poems.render.follow_text import sheet

    return sheet(follows, knowledge, width=width, colour=colour)
