"""`poems follow`: one course or several, or a cohort; as text, JSON or a page, as a sheet, and as a calendar."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from poems.cli import (
    NOTHING,
    Day,
    InputFormat,
    Output,
    Records,
    Units,
    check_day,
    check_names,
    colour,
    columns,
    complain,
    keep_apart,
    knowledge,
    read_day,
    with_progress,
    write,
)
from poems.errors import InputError, Issue, UsageError

if TYPE_CHECKING:
    from poems.follow import Follow
    from poems.intake import Intake
    from poems.knowledge import Knowledge

Edition = Annotated[Literal["clinician", "patient"], Parameter(help=(
    "clinician: trends, definitions, options, prognosis. patient: own course, next visits, questions to ask."))]
Format = Annotated[Literal["text", "json", "html"], Parameter(help=(
    "text for the terminal, json for programs (docs/follow.schema.json), html for one file to keep or print."))]
Calendar = Annotated[Path | None, Parameter(name="--ics", help=(
    "Write the visits to come as a calendar file (one patient). It holds no name, no id and no value."))]
Sheet = Annotated[Literal["transplant"] | None, Parameter(help=(
    "transplant: the hand-over sheet on engraftment syndrome instead, as text or html."))]
Options = Annotated[bool, Parameter(help=(
    "Tell in full what is published: treatments with outcomes and harms, prognostic factors, survival."))]
Cohort = Annotated[bool, Parameter(help=(
    "Take the files as one cohort: survival, relapse and published factors of all; -o is then a directory."))]


def follow(
    *record: Records,
    as_of: Day = "",
    edition: Edition = "clinician",
    format: Format = "text",
    output: Output = None,
    ics: Calendar = None,
    sheet: Sheet = None,
    options: Options = False,
    cohort: Cohort = False,
    unit: Units = (),
    input_format: InputFormat = None,
) -> int:
    """Follow one or several patients after treatment; what the command's help says stands where it is registered."""
    check_names(record, "follow")
    day = read_day(as_of)
    if cohort:
        return _cohort(record, day, format, output, unit, input_format or "",
                       bool(ics or sheet or options or edition == "patient"))
    keep_apart(record, {"--output": output, "--ics": ics})
    if sheet and format == "json":
        raise UsageError("--sheet is for reading: text or html; the same content stands in --format json without it")
    from poems.intake import gather, units

    known = knowledge()
    intake = gather(record, known, as_of=day, input_format=input_format or "", units=units(unit, known))
    faults = [issue for issue in intake.issues if issue.level == "fault"]
    complain(faults or ([] if intake.patients else [*intake.issues, NOTHING]))
    if not intake.patients:
        return InputError.exit_code
    check_day(intake, day)
    if ics and len(intake.patients) > 1:
        raise UsageError("--ics holds one patient's visits, because it names nobody; give one patient at a time")
    follows = _follows(intake, known, day)
    from poems.render import render_follow, render_sheet

    look: Any = {"form": format, "width": columns(output), "colour": colour(output)}
    text = render_sheet(follows, known, **look) if sheet else render_follow(
        follows, known, edition=edition, options=options, **look)
    if ics:
        _write_calendar(follows[0], known, ics, edition)
    write(text, output)
    said = [*intake.issues, *(issue for one in follows for issue in one.issues)]
    return InputError.exit_code if any(issue.level == "fault" for issue in said) else 0


def _follows(intake: Intake, known: Knowledge, day: date) -> list[Follow]:
    """Each patient's course; what the course refuses is said like what the readers refuse."""
    from poems.follow import follow as follow_of

    follows = [follow_of(patient.record, known, as_of=day, issues=patient.issues)
               for patient in with_progress(intake.patients, "followed")]
    said = set(intake.issues)
    complain(dict.fromkeys(issue for one in follows for issue in one.issues
                           if issue.level == "fault" and issue not in said))
    return follows


def _write_calendar(one: Follow, known: Knowledge, path: Path, edition: Literal["clinician", "patient"]) -> None:
    from poems.render.calendar import ics, is_empty

    if is_empty(one, known, edition):
        complain([Issue("note", f"--ics {path}", "no visit is to come, so that no file was written")])
        return
    write(ics(one, known, edition), path, "--ics")


def _cohort(record: Sequence[str], day: date, form: Literal["text", "json", "html"], output: Path | None,
            unit: Sequence[str], input_format: str, has_more: bool) -> int:
    if has_more:
        raise UsageError("--cohort is about all patients together; leave out --edition, --ics, --sheet and --options")
    from poems.cli_cohort import run

    return run(record, as_of=day, output=output, format=form, units=unit, input_format=input_format)
