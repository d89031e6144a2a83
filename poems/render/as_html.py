"""A review as one HTML file that needs nothing else: no script, no request, light and dark, for screen and paper."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, Literal

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from poems.knowledge import Knowledge
from poems.render.patient import LOOKED_AT, NOTICE, own
from poems.render.view import DISCLAIMER, ReviewView, view
from poems.render.words import GRADE, SYMBOL, bits, clean
from poems.review import Review


def page(reviews: Sequence[Review], knowledge: Knowledge, edition: Literal["clinician", "patient"]) -> str:
    """The reviews in one file; whatever came from the input is escaped, and stripped of control characters."""
    make: Any = own if edition == "patient" else view
    pages = [make(review, knowledge) for review in reviews]
    title = "My record" if edition == "patient" else "POEMS review"
    who = f": {pages[0].patient}" if len(pages) == 1 else ""
    html = environment().get_template("page.html.j2").render(
        pages=pages, title=f"{title}{who}", body=f"{edition}.html.j2", disclaimer=DISCLAIMER, notice=NOTICE)
    return tidy(html)


def tidy(html: str) -> str:
    """The page without the empty lines that a template leaves."""
    return "\n".join(line.rstrip() for line in html.splitlines() if line.strip()) + "\n"


@cache
def environment() -> Environment:
    """The templates, and what they may use."""
    made = Environment(loader=FileSystemLoader(Path(__file__).parent / "templates"), undefined=StrictUndefined,
                       autoescape=True, trim_blocks=True, lstrip_blocks=True)
    made.filters["clean"] = clean
    made.globals.update(looked_at=LOOKED_AT, symbol=SYMBOL, grade=GRADE, widest=_widest, bits=bits, grades=_grades)
    return made


def _widest(shown: ReviewView) -> float:
    return max((abs(item.log_ratio) for item in shown.evidence + shown.slight), default=0.0) or 1.0


def _grades(shown: ReviewView) -> list[str]:
    return list(dict.fromkeys(item.grade for item in shown.evidence + shown.slight))
