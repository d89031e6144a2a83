"""Files dropped on a page: read beside, kept where they can be read, and every fault shown beside its row."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from starlette.responses import Response

from poems.adapters import FORMATS, Reading
from poems.adapters.fields import named
from poems.adapters.table import DELIMITERS
from poems.errors import Issue
from poems.record import Event
from poems.store import Change, Incoming, Kept, MissingError, Patient
from poems.web.ask import Ask, read, write
from poems.web.guard import Refused
from poems.web.outcomes import GONE, FileTold, Outcome, Part, Told
from poems.web.pages import page
from poems.web.patients import renamed
from poems.web.reading import read_file

ROW = re.compile(r"\brow (\d{1,7})\b")
MOST_ROWS, MOST_SHOWN = 500, 50
MOST_LINES = 200_000
MOST_KEPT, LEAST_KEPT = 5_000, 20
"""How many issues of a file are kept with its patients together, and with one of them at the least."""


@dataclass
class File:
    """What became of one file. reading: with what was doubtful when it was kept; told: what stands beside its rows."""

    name: str
    form: str
    reading: Reading
    told: tuple[Told, ...]

    @property
    def faults(self) -> int:
        """How many rows or resources were refused."""
        return sum(one.issue.level == "fault" for one in self.told)


def received(ask: Ask) -> list[File]:
    """Every file of the form, read. Raises: Refused, where none was chosen."""
    form = ask.text("format")
    chosen = [file for file in ask.form.getlist("file") if not isinstance(file, str) and file.filename]
    if not chosen:
        raise Refused(422, "No file was chosen. Choose one, or drop it on the page.")
    found = []
    for file in chosen:
        data = file.file.read()
        name = _name(file.filename or "")
        reading = read_file(data, name, form if form in FORMATS else "", ask.settings.limits)
        found.append(File(name, form, reading, tuple(_told(reading.issues, data))))
    return found


def _name(given: str) -> str:
    """The file's name without folders and without signs that do not print."""
    plain = re.split(r"[/\\]", given)[-1]
    return "".join(sign for sign in plain if sign.isprintable())[:80] or "file"


def _told(issues: Sequence[Issue], data: bytes) -> list[Told]:
    rows = _rows(data) if any(ROW.search(one.where) for one in issues) else {}
    return [Told(one, rows.get(int(found[1]), "") if (found := ROW.search(one.where)) else "") for one in issues]


def _rows(data: bytes) -> Mapping[int, str]:
    """The rows of a table of text as they stand, counted as its reader counts them; none of any other file."""
    if b"\0" in data[:4096]:
        return {}
    text = data.decode("utf-8-sig", "replace")
    first = text.lstrip("\r\n").partition("\n")[0]
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=max(DELIMITERS, key=first.count), strict=True)
    found: dict[int, str] = {}
    for number in range(1, MOST_LINES):
        try:
            found[number] = " · ".join(cell for cell in next(lines) if cell.strip())[:300]
        except StopIteration:
            break
        except csv.Error:
            continue
    return found


def kept_in_list(ask: Ask, files: Sequence[File]) -> list[Kept]:
    """What the files brought, each patient with the change that keeps it: all of the files, or nothing of them."""
    coming = []
    for file in files:
        readings: dict[str, list[Event]] = {}
        for event in file.reading.events:
            readings.setdefault(event.patient, []).append(event)
        coming.append(Incoming(readings, file.name, file.form,
                               _shared(file.reading.issues, max(len(readings), 1), file.name)))
    return _told_of(files, ask.store.keep(coming, ask.who))


def _told_of(files: Sequence[File], kept: Sequence[Kept]) -> list[Kept]:
    """What was kept, the doubtful first, its doubts beside the issues of its file: a program reads them there."""
    for place, file in enumerate(files):
        doubts = dict.fromkeys(doubt for one in kept if one.file == place for doubt in one.doubts)
        file.reading = replace(file.reading, issues=(*file.reading.issues, *[*doubts][:MOST_ROWS]))
    return sorted(kept, key=lambda one: (not one.is_contradicted, not one.doubts))


def _shared(issues: Sequence[Issue], patients: int, name: str) -> Sequence[Issue]:
    """The issues of a file as each of its patients keeps them: of many for many, the first, and how many more."""
    most = max(MOST_KEPT // patients, LEAST_KEPT)
    if len(issues) <= most:
        return issues
    return (*issues[:most], Issue("note", name, f"{len(issues) - most} more were told when it was imported"))


def kept_in_patient(ask: Ask, patient: Patient, files: Sequence[File]) -> tuple[list[Kept], bool]:
    """What the files brought to this patient, and whether they name another one. Raises: Refused, where several are."""
    names = {event.patient for file in files for event in file.reading.events}
    if len(names) > 1:
        raise Refused(422, f"These files hold {len(names)} patients. Import them from the list, where each gets a "
                           "record of its own; nothing was kept.")
    coming, is_other = [], bool(names - {named(patient.label)})
    for file in files:
        issues = file.reading.issues
        if is_other:
            issues += (Issue("caution", file.name, "the file names its patient otherwise than this record", "",
                             "Check that it is the same person; the import can be undone in one step."),)
        events = renamed(file.reading.events, patient.label)
        coming.append(Incoming({patient.label: events} if events else {}, file.name, file.form, issues))
    return _told_of(files, ask.store.keep(coming, ask.who, uid=patient.uid)), is_other


@write()
def into_list(ask: Ask) -> Response:
    """Files from the list: one patient each, or many."""
    files = received(ask)
    return _go(ask, files, kept_in_list(ask, files))


@write()
def into_patient(ask: Ask) -> Response:
    """Files from a patient's page: they are taken for this patient's, whatever id they carry, and that is said."""
    patient, files = ask.store.patient(ask.path("uid")), received(ask)
    kept, is_other = kept_in_patient(ask, patient, files)
    return _go(ask, files, kept, into=patient.uid, is_other=is_other)


def _go(ask: Ask, files: Sequence[File], kept: Sequence[Kept], *, into: str = "", is_other: bool = False) -> Response:
    """To the page that tells what was kept and what was not; a reload of it imports nothing once more."""
    more = kept[MOST_SHOWN:]
    made = Outcome(
        tuple(FileTold(file.name, len(file.reading.events), tuple(file.told[:MOST_ROWS]), len(file.told), file.faults)
              for file in files),
        tuple(Part(one.patient.uid, one.change.id, len(one.change.added), one.change.source, one.doubts,
                   one.is_contradicted, tuple(other.uid for other in one.alike)) for one in kept[:MOST_SHOWN]),
        frozenset(one.patient.uid for one in kept), len(more), sum(bool(one.doubts) for one in more), into, is_other)
    return ask.go(f"/imported/{ask.request.app.state.outcomes.keep(_owner(ask), made)}")


def _owner(ask: Ask) -> str:
    """Who may see what became of an import: the session that sent it, as long as its account is logged in."""
    return f"{ask.session.id} {ask.who}"


@read()
def outcome(ask: Ask) -> Response:
    """What became of an import."""
    found = ask.request.app.state.outcomes.get(ask.path("id"), _owner(ask))
    if found is None:
        raise Refused(410, GONE)
    known = {one.uid: one for one in ask.store.patients()}
    return page(ask, "imported.html.j2", outcome=found, known=known, into=known.get(found.into), changes={
        place: _change(ask, one) for place, one in enumerate(found.parts) if one.uid in known})


def _change(ask: Ask, part: Part) -> Change | None:
    """The change that the import made, as it stands now: it may have been undone."""
    try:
        return ask.store.change(part.uid, part.change)
    except MissingError:
        return None


@read()
def choose(ask: Ask) -> Response:
    """The page to choose files on, for those without a script."""
    return page(ask, "import.html.j2", patient=None)
