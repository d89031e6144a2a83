"""`poems report`: a record on paper, as one page for the patient or two for the physician; the transplant's sheet."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from poems.cli import (
    NOTHING,
    Day,
    InputFormat,
    Output,
    Records,
    Setting,
    Units,
    check_day,
    check_names,
    complain,
    is_terminal,
    keep_apart,
    knowledge,
    near,
    read_day,
    write,
)
from poems.errors import InputError, UsageError

if TYPE_CHECKING:
    from poems.follow import Follow
    from poems.intake import Patient
    from poems.knowledge import Knowledge
    from poems.review import Review

NAMED = {".pdf": "pdf", ".html": "html", ".htm": "html"}
Edition = Annotated[Literal["clinician", "patient"], Parameter(help=(
    "clinician: two pages, criteria, probabilities, course, options. patient: one page, own record, questions."))]
Format = Annotated[Literal["pdf", "html"] | None, Parameter(help=(
    "pdf or html; what the name after -o says if not given, else pdf."))]
Sheet = Annotated[Literal["transplant"] | None, Parameter(help=(
    "transplant: the hand-over sheet on engraftment syndrome instead, one page."))]
Paper = Annotated[Literal["a4", "letter"], Parameter(help="The size of the paper.")]
Wanted = Annotated[str, Parameter(help="The patient to report on, where the record holds several.")]


def report(
    *record: Records,
    output: Output = None,
    edition: Edition = "clinician",
    sheet: Sheet = None,
    format: Format = None,
    paper: Paper = "a4",
    patient: Wanted = "",
    as_of: Day = "",
    setting: Setting = "",
    unit: Units = (),
    input_format: InputFormat = None,
) -> int:
    """Put one record on paper; what the command's help says stands where it is registered."""
    check_names(record, "report")
    if sheet and edition == "patient":
        raise UsageError("--sheet transplant is one sheet for everybody; leave out --edition")
    keep_apart(record, {"--output": output})
    form = _form(format, output)
    from poems.intake import gather, units

    day, known = read_day(as_of), knowledge()
    wanted = near("setting", setting, known.settings) if setting else ""
    intake = gather(record, known, as_of=day, input_format=input_format or "", units=units(unit, known))
    faults = [issue for issue in intake.issues if issue.level == "fault"]
    complain(faults or ([] if intake.patients else [*intake.issues, NOTHING]))
    if not intake.patients:
        return InputError.exit_code
    check_day(intake, day)
    from poems.follow import follow
    from poems.review import assess

    one = _one(intake.patients, patient)
    course = follow(one.record, known, as_of=day, issues=one.issues)
    review = assess(one.record, known, setting=wanted, issues=one.issues)
    more = [issue for issue in course.issues if issue.level == "fault" and issue not in intake.issues]
    complain(dict.fromkeys(more))
    write(_drawn(review, course, known, form, edition, "us-letter" if paper == "letter" else "a4", bool(sheet)), output)
    return InputError.exit_code if faults or more else 0


def _form(format: str | None, output: Path | None) -> str:
    """What is asked for, or what the name of the file says. Raises: UsageError for a PDF on a terminal."""
    named = NAMED.get(output.suffix.casefold()) if output else "pdf"
    if format and named and output and format != named:
        raise UsageError(f"--output {output} and --format {format} say two things; expected one of them to be changed")
    form = format or named
    if form is None:
        raise UsageError(f"--output {output}: expected a name that ends in .pdf or .html, or --format")
    if form == "pdf" and output is None and is_terminal():
        raise UsageError("a PDF is not for the terminal; say where it goes, such as -o report.pdf")
    return form


def _one(patients: Sequence[Patient], wanted: str) -> Patient:
    """The one patient a report is about. Raises: UsageError where that is not clear; it names nobody."""
    found = [one for one in patients if one.record.patient == wanted] if wanted else list(patients)
    if not found:
        raise UsageError(f"--patient: no such patient; the record holds {len(patients)}")
    if len(found) > 1:
        raise UsageError(f"a report is about one patient, and the record holds {len(found)}; say which with --patient")
    return found[0]


def _drawn(review: Review, course: Follow, known: Knowledge, form: str, edition: Literal["clinician", "patient"],
           paper: Literal["a4", "us-letter"], is_sheet: bool) -> bytes | str:
    from poems.render import report as reports

    if is_sheet:
        draw_sheet = reports.transplant_pdf if form == "pdf" else reports.transplant_html
        return draw_sheet(course, known, paper=paper)
    draw = reports.pdf if form == "pdf" else reports.html
    return draw(review, course, known, edition, paper=paper)
