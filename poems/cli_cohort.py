"""`poems follow --cohort`: the files of many patients in, curves and tables out, and no patient's id anywhere."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import date
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Literal, TypeVar

from poems.errors import InputError, Issue, UsageError

if TYPE_CHECKING:
    from poems.render.cohort_view import CohortView

SLOW_SECONDS = 2.0
NOTHING = Issue("fault", "the input", "nothing that can be followed", "findings of several patients",
                "The lines above, if any, say what was left out.")
T = TypeVar("T")


def run(paths: Sequence[str], *, as_of: date | None = None, output: Path | None = None,
        format: Literal["text", "json", "html"] = "text", units: Mapping[str, str] | Iterable[str] = ()) -> int:
    """Estimate the outcomes of all patients in the files; returns the exit code.

    Prints the cohort in the format asked for. output: a directory, made if need be, that gets cohort.html, cohort.json
    and the tables as CSV besides. units: concept to unit, or pairs as `concept=unit`. Faults go to stderr; records that
    cannot be used are left out, and the code is then 3.
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
    intake = gather(paths, known, as_of=day, units=given)
    faults = [issue for issue in intake.issues if issue.level == "fault"]
    _complain(faults or ([] if intake.patients else [*intake.issues, NOTHING]))
    if not intake.patients:
        return InputError.exit_code
    found = cohort((follow(patient.record, known, as_of=day) for patient in _with_progress(intake.patients)), known)
    _complain(issue for issue in found.issues if issue.level != "note")
    shown = view(found, known)
    if output is not None:
        _write_all(shown, output)
    _print(_rendered(shown, format))
    return InputError.exit_code if faults or any(issue.level == "fault" for issue in found.issues) else 0


def _rendered(shown: CohortView, format: str) -> str:
    if format == "json":
        from poems.render.cohort_tables import document

        return document(shown)
    if format == "html":
        from poems.render.cohort_html import page

        return page(shown)
    from shutil import get_terminal_size

    from poems.render.cohort_text import letter

    is_plain = not sys.stdout.isatty() or bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM") == "dumb"
    return letter(shown, width=max(60, min(100, get_terminal_size((100, 24)).columns)), colour=not is_plain)


def _write_all(shown: CohortView, directory: Path) -> None:
    from poems.render.cohort_html import page
    from poems.render.cohort_tables import document, tables

    files = {"cohort.html": page(shown), "cohort.json": document(shown), **tables(shown)}
    try:
        directory.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (directory / name).write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"--output {directory}: {error.strerror}") from None
    _say(f"Wrote {', '.join(files)} to {directory}.")


def _with_progress(items: Sequence[T]) -> Iterable[T]:
    """The items; on a terminal, how many are done once it takes long."""
    start, shown = monotonic(), False
    for place, item in enumerate(items):
        if sys.stderr.isatty() and monotonic() - start > SLOW_SECONDS:
            shown = True
            sys.stderr.write(f"\r{place} of {len(items)} followed")
        yield item
    if shown:
        sys.stderr.write("\r\033[K")


def _complain(issues: Iterable[Issue]) -> None:
    from poems.render.words import clean

    for issue in issues:
        _say(f"{issue.level}: {clean(str(issue))}")


def _say(text: str) -> None:
    with suppress(OSError):
        sys.stderr.write(text + "\n")


def _print(text: str) -> None:
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="replace")
    sys.stdout.write(text)
    sys.stdout.flush()
