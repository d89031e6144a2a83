"""The report: one page for the patient, two for the physician, the transplant's hand-over sheet; as PDF or HTML."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

from poems.knowledge import Knowledge
from poems.render import Edition, report_fit
from poems.render.report_clinician import Clinician, clinician
from poems.render.report_model import Paper, Sheet
from poems.render.report_patient import Patient, own
from poems.render.report_transplant import transplant

if TYPE_CHECKING:
    from poems.follow import Follow
    from poems.review import Review

ROOMS = {"clinician": 2, "patient": 2}
"""How many flows an edition has: the clinician's two pages, the two columns of the patient's one."""


def pdf(review: Review, follow: Follow, knowledge: Knowledge, edition: Edition = "clinician", *, paper: Paper = "a4",
        made: date | None = None) -> bytes:
    """The report as a PDF: one page for the patient, two for the clinician, always. made: the day printed; today."""
    return report_fit.pdf(_content(review, follow, knowledge, edition).sheet, ROOMS[edition], _finish(paper, made))


def html(review: Review, follow: Follow, knowledge: Knowledge, edition: Edition = "clinician", *, paper: Paper = "a4",
         made: date | None = None) -> str:
    """The same report as one HTML file that needs nothing else."""
    from poems.render.report_html import page

    return page(sheet(review, follow, knowledge, edition, paper=paper, made=made))


def sheet(review: Review, follow: Follow, knowledge: Knowledge, edition: Edition = "clinician", *, paper: Paper = "a4",
          made: date | None = None) -> Sheet:
    """The report before it is drawn, fitted to its pages."""
    return report_fit.fitted(_content(review, follow, knowledge, edition).sheet, ROOMS[edition], _finish(paper, made))


def transplant_pdf(follow: Follow, knowledge: Knowledge, *, paper: Paper = "a4", made: date | None = None) -> bytes:
    """The hand-over sheet as a PDF: one page for each transplant, or one to print before the first."""
    content = transplant(follow, knowledge)
    return report_fit.pdf(content.sheet, len(content.shown), _finish(paper, made))


def transplant_html(follow: Follow, knowledge: Knowledge, *, paper: Paper = "a4", made: date | None = None) -> str:
    """The hand-over sheet as one HTML file."""
    from poems.render.report_html import page

    content = transplant(follow, knowledge)
    return page(report_fit.fitted(content.sheet, len(content.shown), _finish(paper, made)))


def _content(review: Review, follow: Follow, knowledge: Knowledge, edition: Edition) -> Clinician | Patient:
    return own(review, follow, knowledge) if edition == "patient" else clinician(review, follow, knowledge)


def _finish(paper: Paper, made: date | None) -> Callable[[Sheet], Sheet]:
    day = (made or date.today()).isoformat()
    return lambda one: replace(one, paper=paper, made=day)
