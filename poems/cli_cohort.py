"""`poems follow --cohort`: the files of many patients in, curves and tables out, and no patient's id anywhere."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from poems.cli import NOTHING, colour, columns, complain, keep_apart, say, with_progress, write
from poems.errors import InputError, UsageError

if TYPE_CHECKING:
    from poems.render.cohort_view import CohortView


def run(paths: Sequence[str], *, as_of: date | None = None, output: Path | None = None,
        format: Literal["text", "json", "html"] = "text", units: Mapping[str, str] | Iterable[str] = (),
        input_format: str = "") -> int:
    """Estimate the outcomes of all patients in the files; returns the exit code.

    Prints the cohort in the format asked for. output: a directory, made if need be, that gets cohort.html, cohort.json
    and the tables as CSV besides. units: concept to unit, or pairs as `concept=unit`. input_format: as `gather` has it.
    Faults go to stderr; records that cannot be used are left out, and the code is then 3.
    """
    from poems.cohort import cohort
    from poems.follow import follow
    from poems.intake import gather
    from poems.intake import units as parsed
    from poems.knowledge import load
    from poems.render.cohort_view import view

    if output is not None and output.exists() and not output.is_dir():
        raise UsageError(f"--output {output} is a file; a cohort is written into a directory")
    known, day = load(), as_of or date.today()
    given = units if isinstance(units, Mapping) else parsed(units, known)
    intake = gather(paths, known, as_of=day, input_format=input_format, units=given)
    faults = [issue for issue in intake.issues if issue.level == "fault"]
    complain(faults or ([] if intake.patients else [*intake.issues, NOTHING]))
    if not intake.patients:
        return InputError.exit_code
    patients = with_progress(intake.patients, "followed")
    found = cohort((follow(patient.record, known, as_of=day) for patient in patients), known)
    complain(issue for issue in found.issues if issue.level != "note")
    shown = view(found, known)
    if output is not None:
        _write_all(shown, output, paths)
    write(_rendered(shown, format))
    return InputError.exit_code if faults or any(issue.level == "fault" for issue in found.issues) else 0


def _rendered(shown: CohortView, format: str) -> str:
    if format == "json":
        from poems.render.cohort_tables import document

        return document(shown)
    if format == "html":
        from poems.render.cohort_html import page

        return page(shown)
    from poems.render.cohort_text import letter

    return letter(shown, width=columns(None), colour=colour(None))


def _write_all(shown: CohortView, directory: Path, paths: Sequence[str]) -> None:
    from poems.render.cohort_html import page
    from poems.render.cohort_tables import document, tables

    files = {"cohort.html": page(shown), "cohort.json": document(shown), **tables(shown)}
    for name in files:
        keep_apart(paths, {"--output": directory / name})
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"--output {directory}: {error.strerror}; expected a directory that can be made") from None
    for name, text in files.items():
        write(text, directory / name)
    say(f"Wrote {', '.join(files)} to {directory}.")
