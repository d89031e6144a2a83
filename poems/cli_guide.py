"""`poems ask` and `poems guide`: answers from the guide, its questions, its pages, and the site."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import App, Parameter

from poems.cli import GUIDE_HELP, PLAIN, Output, colour, columns, examples, knowledge, near, write
from poems.errors import UsageError

Edition = Annotated[Literal["patient", "clinician"], Parameter(help=(
    "patient: plain words. clinician: cohorts, intervals, criteria."))]
Format = Annotated[Literal["text", "json", "html"], Parameter(help=(
    "text for the terminal, json for programs, html for one file to keep or print."))]
Most = Annotated[int, Parameter(name=["-n", "--most"], help="How many passages at the most.")]
Question = Annotated[str, Parameter(allow_leading_hyphen=True, help="The question, in your own words.")]

guide_app = App(name="guide", help=GUIDE_HELP, help_format="plaintext", default_parameter=PLAIN, help_epilogue=examples(
    "poems guide list", "poems guide show test-vegf", "poems guide build -o site"))


def ask(*question: Question, edition: Edition = "patient", format: Format = "text", most: Most = 3,
        output: Output = None) -> int:
    """Answer from the guide; what the command's help says stands where it is registered."""
    said = " ".join(question).strip()
    if not said:
        raise UsageError('no QUESTION was given; such as: poems ask "how is it treated?"')
    if said.startswith("--"):
        raise UsageError(f"option {question[0]} is unknown; see `poems ask --help`")
    if not 1 <= most <= 20:
        raise UsageError(f"-n {most}: expected 1 to 20")
    from poems.guide.ask import ask as answer_of

    known = knowledge()
    answer = answer_of(said, known, edition=edition, limit=most)
    if format == "html":
        from poems.render.guide_html import answer_page

        write(answer_page(answer, known), output)
        return 0
    from poems.render.guide_text import answer_json, answer_text

    write(answer_json(answer, known) if format == "json" else answer_text(
        answer, known, width=columns(output), colour=colour(output)), output)
    return 0


@guide_app.command(name="list", help_epilogue=examples("poems guide list"))
def list_() -> int:
    """List the questions that the guide answers, with the day of each page's last revision."""
    from poems.guide.pages import pages

    found = pages(knowledge())
    width = max(map(len, found))
    write("".join(f"{page.slug:<{width}}  {page.revised}  {page.question}\n" for page in found.values()))
    return 0


@guide_app.command(help_epilogue=examples("poems guide show how-rare-is-poems",
                                          "poems guide show test-vegf --edition clinician"))
def show(page: str, /, *, edition: Edition = "patient") -> int:
    """Show one page of the guide.

    Parameters
    ----------
    page
        Its name, as `poems guide list` has it.
    edition
        patient: plain words. clinician: cohorts, intervals, criteria.

    """
    from poems.guide.pages import pages
    from poems.render.guide_text import page_text

    known = knowledge()
    found = pages(known)
    write(page_text(found[near("page", page, found)], known, edition, width=columns(None), colour=colour(None)))
    return 0


@guide_app.command(help_epilogue=examples("poems guide build -o site"))
def build(*, output: Annotated[Path, Parameter(name=["--output", "-o"])]) -> int:
    """Write the guide as a website: a folder of files that needs no server and no network.

    Parameters
    ----------
    output
        The directory to write to; it is made where it is not there.

    """
    from poems.render.guide_html import build as site

    written = site(knowledge(), output)
    write(f"{len(written)} files. Open {output / 'index.html'}\n")
    return 0
