"""Everything of a store in one zip, and back.

`history/<n>.json` is the whole truth, one for each patient; `manifest.json` names every member with its hash. The rest
is for reading elsewhere: `events.csv`, `fhir/<n>.json`, `phenopackets/<n>.json` hold what counts today. Nothing inside
is encrypted. The audit trail and the settings stay with the store; a backup has them.
"""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import secrets
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO, Final

from poems.errors import Issue
from poems.exports import write
from poems.exports.said import json_text
from poems.knowledge import Knowledge, load
from poems.record import Event
from poems.store import checked, told
from poems.store import model as m
from poems.store.connection import publish, refused
from poems.store.erasure import erased
from poems.store.labels import by_label, named
from poems.store.problems import InvalidError
from poems.store.rows import Draft, Head, entries, heads, new_patient
from poems.store.rows import audit as line
from poems.store.rows import write as write_change
from poems.store.store import Store
from poems.store.unpacked import FORMAT, MANIFEST, MOST_BYTES, VERSION, histories

Source = Path | str | BinaryIO
Reader = Callable[[Source, int, BinaryIO], int]
"""What reads an archive, as `lay_aside` does."""
LONGEST_STEM: Final = 112
"""Of a label that gets a number behind it, so that there is room for any number."""

_READ_ME: Final = """Everything of a store of poems, made by its export. Nothing in it is encrypted: keep it safe.

history/        each patient's whole history: what `poems` reads when it imports this archive
events.csv      what counts today, one row for each finding of each patient
fhir/           the same as FHIR R4 Bundles
phenopackets/   the same as GA4GH phenopackets v2
manifest.json   every file here with its SHA-256, and which number is which patient
"""


@dataclass(frozen=True, slots=True)
class Imported:
    """What an archive brought, by uid.

    added: new here. extended: known here in an older state. same: nothing new. diverged: changed on both sides, and
    left as it is here. issues: what there is to say. erased: was erased here for good, and stays away.
    """

    added: tuple[str, ...]
    extended: tuple[str, ...]
    same: tuple[str, ...]
    diverged: tuple[str, ...]
    issues: tuple[Issue, ...]
    erased: tuple[str, ...] = ()


def export_all(store: Store, target: Source, knowledge: Knowledge | None = None) -> None:
    """Write the archive: into an open file, or to a path, where it appears when it is complete.

    Nothing in it is encrypted: a file that nobody has asked to keep has to be one without a name.
    Raises: InvalidError, for a file that is there; FullError, UnwritableError.
    """
    knowledge = knowledge or load()
    if not isinstance(target, Path | str):
        try:
            _write(store, target, knowledge)
        except OSError as error:
            raise refused(Path("the archive"), error) from None
        return
    path = Path(target).absolute()
    if path.exists():
        raise InvalidError(f"{path.name}: is there already, and nothing is overwritten. Choose another name.")
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with os.fdopen(os.open(part, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600), "wb") as file:
            _write(store, file, knowledge)
        publish(part, path)
    except OSError as error:
        raise refused(path, error) from None
    finally:
        part.unlink(missing_ok=True)


def _write(store: Store, file: BinaryIO, knowledge: Knowledge) -> None:
    made_at = datetime.now(UTC)
    stamp = made_at.timetuple()[:6]
    members: dict[str, dict[str, Any]] = {}
    patients: list[dict[str, Any]] = []
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive, store.file.reading() as db:
        for name, data in _members(db, knowledge, made_at, patients):
            info = zipfile.ZipInfo(name, (max(stamp[0], 1980), *stamp[1:]))
            info.compress_type, info.external_attr = zipfile.ZIP_DEFLATED, 0o600 << 16
            archive.writestr(info, data)
            members[name] = {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data)}
        manifest = {"format": FORMAT, "version": VERSION, "made_at": made_at.isoformat(timespec="seconds"),
                    "patients": patients, "members": members}
        archive.writestr(MANIFEST, json.dumps(manifest))


def _members(db: Any, knowledge: Knowledge, made_at: datetime, patients: list[dict[str, Any]]
             ) -> Iterator[tuple[str, bytes]]:
    """Name and content of each file, patient by patient; fills the list of patients on the way."""
    yield "README.txt", _READ_ME.encode()
    everything: list[Event] = []
    for number, head in enumerate(sorted(heads(db), key=lambda one: (one.label, one.uid)), 1):
        patients.append({"number": number, "uid": head.uid, "label": head.label, "removed": head.removed})
        yield f"history/{number}.json", json_text(told.history(db, head), "changes")
        events = [] if head.removed else [entry.event for entry in entries(db, head)]
        if events:
            everything += events
            yield f"fhir/{number}.json", write(events, knowledge, "fhir", made_at=made_at).data
            yield f"phenopackets/{number}.json", write(events, knowledge, "phenopacket", made_at=made_at).data
    yield "events.csv", write(everything, knowledge, "csv", made_at=made_at).data


def import_all(store: Store, source: Source, who: str, *, knowledge: Knowledge | None = None,
               most_bytes: int = MOST_BYTES, reader: Reader | None = None) -> Imported:
    """Take an archive in: all of it or, if anything in it is wrong, nothing.

    A patient who is here already gets what the archive has beyond it; if both sides went on, ours stays. most_bytes:
    how much the archive may hold, unpacked. reader: what reads it, where this process shall not.
    Raises: ArchiveError, FullError.
    """
    who, known = checked.who(who), (knowledge or load()).concepts
    with tempfile.TemporaryFile() as aside:
        count = (reader or lay_aside)(source, most_bytes, aside)
        aside.seek(0)
        with store.file.writing() as db:
            taking = _Taking(db, who)
            for _ in range(count):
                where, history = pickle.load(aside)  # noqa: S301 - what we have just written
                taking.take(where, history, len(history.findings - known.keys()))
    return taking.imported()


def lay_aside(source: Source, most_bytes: int, aside: BinaryIO) -> int:
    """Read every history of an archive into a file, so that all are sound before anybody else has to wait; how many.

    Raises: ArchiveError, where anything in it is wrong; FullError.
    """
    count = 0
    for one in histories(source, most_bytes):
        with _room():
            pickle.dump(one, aside, pickle.HIGHEST_PROTOCOL)
        count += 1
    with _room():
        aside.flush()
    return count


@contextmanager
def _room() -> Iterator[None]:
    """What is laid aside may find no room. Raises: FullError."""
    try:
        yield
    except OSError as error:
        raise refused(Path("the archive"), error) from None


class _Taking:
    """Writes what is new of each patient, and keeps count."""

    def __init__(self, db: Any, who: str) -> None:
        self._db, self._who = db, who
        here = heads(db)
        self._here = {head.uid: head for head in here}
        self._owners = {label: head.uid for label, head in by_label(here).items()}
        self._erased = erased(db)
        self._numbers: dict[str, int] = {}
        self._outcome: dict[str, list[str]] = {
            "added": [], "extended": [], "same": [], "diverged": [], "erased": []}
        self._issues: list[Issue] = []

    def take(self, where: str, history: told.History, strange: int) -> None:
        """Write what is new of a patient. strange: how many findings our knowledge does not know."""
        result = self._written(where, history)
        self._outcome[result].append(history.uid)
        if strange:
            self._say(where, f"{strange} findings that this knowledge does not know",
                      "They are kept; a newer poems may know them.")
        if result in ("added", "extended"):
            line(self._db, self._who, "import archive", history.uid)

    def imported(self) -> Imported:
        """What became of all of them."""
        return Imported(**{name: tuple(found) for name, found in self._outcome.items()}, issues=tuple(self._issues))

    def _written(self, where: str, history: told.History) -> str:
        """Write what is new of a patient, and say which case it was."""
        if history.uid in self._erased:  # an older archive must not take an erasure back unseen
            self._say(where, "this patient was erased here for good since", "It was left out. If it has to come back, "
                      "import the archive into a new store, export the patient there, and import that file here.")
            return "erased"
        here = self._here.get(history.uid)
        ours = told.history(self._db, here)["changes"] if here else []
        both = min(len(ours), len(history.changes))
        if ours[:both] != history.changes[:both]:
            self._say(where, "this patient was changed here and there since they parted",
                      "It stays as it is here. Compare the two by hand.")
            return "diverged"
        if len(history.changes) <= len(ours):
            return "same"
        if here and self._owners.get(named(here.label)) == here.uid:
            del self._owners[named(here.label)]
        head = told.write(self._db, here or new_patient(self._db, history.uid), history.told[both:])
        head = self._own_label(head, where)
        self._here[head.uid] = head
        if not head.removed:
            self._owners[named(head.label)] = head.uid
        return "extended" if here else "added"

    def _own_label(self, head: Head, where: str) -> Head:
        """Give a patient a label of its own, where somebody else has it here."""
        if head.removed or named(head.label) not in self._owners:
            return head
        stem = head.label[:LONGEST_STEM].rstrip()
        number = self._numbers.get(stem, 2)
        while named(label := f"{stem} ({number})") in self._owners:
            number += 1
        self._numbers[stem] = number + 1
        self._say(where, "its label is another patient's here; it got a number behind it",
                  "If both are one person, decide which of them to keep.")
        return write_change(self._db, head, Draft(m.RENAME, self._who, "the label was taken here", named=label))

    def _say(self, where: str, found: str, fix: str) -> None:
        self._issues.append(Issue("caution", where, found, "", fix))
