"""From the files a person names to the records that can be reviewed, with everything that was refused on the way."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from poems.adapters import read
from poems.errors import Issue, UsageError
from poems.knowledge import Knowledge
from poems.record import Event, Record, records

STDIN = "-"


@dataclass(frozen=True)
class Patient:
    """One record, and what there is to say about the files it was read from."""

    record: Record
    issues: tuple[Issue, ...]


@dataclass(frozen=True)
class Intake:
    """The records that could be read, in order of appearance, and every issue of every file."""

    patients: tuple[Patient, ...]
    issues: tuple[Issue, ...]


def gather(paths: Sequence[str], knowledge: Knowledge, *, as_of: date | None = None, input_format: str = "",
           units: Mapping[str, str] | None = None) -> Intake:
    """The records of all files. The rows of one patient id are one record, whichever file they stand in.

    input_format: csv, parquet, fhir, phenopacket; empty to tell by name and content. units: of concepts whose unit the
    files leave out. A file that is refused as a whole leaves its faults and no event.
    """
    events: list[Event] = []
    issues_of: dict[str, list[Issue]] = {}
    everything: list[Issue] = []
    names = _names(paths)
    for path, name in names.items():
        reading = read(path, knowledge, name=name, format=input_format or None, today=date.today(), units=units)
        found, issues = reading.events, list(reading.issues)
        patients = dict.fromkeys(event.patient for event in found)
        if any(patient in issues_of for patient in patients):
            issues.append(Issue("caution", name, "holds a patient id that another file holds too", "",
                                "Both were read as one patient; give files of different patients one at a time."))
        for patient in patients:
            issues_of.setdefault(patient, []).extend(issues)
        events += found
        everything += issues
    known = records(events, as_of)
    return Intake(tuple(Patient(record, (*issues_of[record.patient], *_later(record, events))) for record in known),
                  tuple(everything))


def units(pairs: Iterable[str], knowledge: Knowledge) -> dict[str, str]:
    """The units given as `concept=unit`. Raises: UsageError for a pair that is none, or a concept without a unit."""
    found = {}
    for pair in pairs:
        name, equals, unit = pair.partition("=")
        concept = knowledge.by_name(name.strip())
        if not equals or not unit.strip():
            raise UsageError(f"--unit: {pair!r} is no unit; expected concept=unit, such as vegf-plasma=pg/mL")
        if concept is None or not concept.unit:
            raise UsageError(f"--unit: {name!r} is no quantity; see `poems knowledge list concepts`")
        found[concept.id] = unit.strip()
    return found


def _names(paths: Sequence[str]) -> dict[str, str]:
    """Each input once, and how issues call it: by its file's name, or by its path where two have the same name."""
    short = {path: "standard input" if path == STDIN else Path(path).name for path in paths}
    taken = list(short.values())
    return {path: path if taken.count(name) > 1 else name for path, name in short.items()}


def _later(record: Record, events: Sequence[Event]) -> list[Issue]:
    """That findings were left out because they came after the day of the review."""
    left_out = sum(event.patient == record.patient for event in events) - len(record.events)
    if not left_out:
        return []
    words = "finding was" if left_out == 1 else "findings were"
    return [Issue("note", f"as of {record.as_of}", f"{left_out} later {words} left out", "",
                  "Give a later --as-of to count them.")]
