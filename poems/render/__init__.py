"""A review as people read it: text for the terminal, one HTML file, JSON for programs; two editions of each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from poems.knowledge import Knowledge
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
