"""The report as one HTML file: the same blocks as on paper, for the screen and for a printer without the PDF."""

from __future__ import annotations

from markupsafe import Markup

from poems.render.as_html import environment, tidy
from poems.render.report_model import Sheet
from poems.rules import Verdict

TITLE = "POEMS report"
KINDS = {"met": Verdict.MET, "not-met": Verdict.NOT_MET, "unknown": Verdict.UNKNOWN}


def page(sheet: Sheet) -> str:
    """The sheet as a file that needs nothing else; every text in it is escaped."""
    template = environment().get_template("report.html.j2")
    return tidy(template.render(pages=[sheet], title=TITLE, body="report_sheet.html.j2", kinds=KINDS, picture=Markup))
