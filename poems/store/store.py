"""The store: patients, their entries, and everything that ever happened to them.

A call that returns has put its change on the disk; a call that raises has changed nothing. Rows are written once:
a correction adds an entry and retires another, an undo adds a change that moves things back.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

from poems.errors import Issue
from poems.record import Event, Record, records
from poems.store import checked, erasure, keeping, labels, rows, schema
from poems.store import model as m
from poems.store.connection import File
from poems.store.ledger import Ledger
from poems.store.model import Audited, Change, Entry, Erased, Import, Incoming, Kept, Patient
from poems.store.problems import (
    ConflictError,
    DuplicateError,
    InvalidError,
    MissingError,
)
from poems.store.rows import Draft, Head


class Store:
    """One database file. Every method may be called from any thread; use `Store.open`."""

    def __init__(self, file: File, *, encrypted: bool) -> None:
        self.file, self.path, self.encrypted = file, file.path, encrypted

    @classmethod
    def open(cls, path: Path | str, *, key: str | None = None) -> Store:
        """The store of a file, which is made where it is missing. key: of an encrypted one.

        Raises: UnwritableError, CorruptError, NewerError, WrongKeyError, NeedsLibraryError, BusyError, FullError.
        """
        file = File(Path(path).absolute(), key)
        try:
            erasure.finish(file)
        except BaseException:
            file.close()
            raise
        return cls(file, encrypted=key is not None)

    def close(self) -> None:
        """Give up the file."""
        self.file.close()

    def __enter__(self) -> Store:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self.close()

    # --- patients

    def patients(self, *, removed: bool = False) -> tuple[Patient, ...]:
        """Every patient by label; or, if asked, those that were removed."""
        with self.file.reading() as db:
            found = [head.patient for head in rows.heads(db) if head.removed == removed]
        return tuple(sorted(found, key=lambda one: (one.label.casefold(), one.uid)))

    def patient(self, uid: str, *, even_removed: bool = False) -> Patient:
        """The patient. Raises: MissingError, for an unknown or, unless asked for, a removed one."""
        with self.file.reading() as db:
            return _head(db, uid, even_removed=even_removed).patient

    def find(self, label: str) -> Patient | None:
        """The patient with this label, if there is one."""
        with self.file.reading() as db:
            head = rows.labelled(db, label)
        return head.patient if head else None

    def alike(self, uid: str) -> tuple[Patient, ...]:
        """Other patients whose labels look like this one's, and may be taken for it."""
        with self.file.reading() as db:
            return tuple(head.patient for head in labels.alike(_head(db, uid), rows.heads(db)))

    def create(self, label: str, who: str) -> Patient:
        """A new patient. Raises: DuplicateError, where the label is taken; InvalidError, where it is none."""
        label, who = checked.label(label), checked.who(who)
        with self.file.writing() as db:
            return _created(db, label, who).patient

    def rename(self, uid: str, label: str, revision: int, who: str) -> Patient:
        """The patient under another label. Raises: ConflictError, where the revision is no longer the present one."""
        label, who = checked.label(label), checked.who(who)
        with self.file.writing() as db:
            head = _at(db, uid, revision)
            if label == head.label:
                return head.patient
            _refuse_taken(db, label, but=uid)
            return rows.write(db, head, Draft(m.RENAME, who, named=label)).patient

    def remove(self, uid: str, revision: int, who: str) -> None:
        """Take the patient out of the lists; everything is kept. Raises: ConflictError, as rename does."""
        who = checked.who(who)
        with self.file.writing() as db:
            rows.write(db, _at(db, uid, revision), Draft(m.REMOVE, who))

    def restore(self, uid: str, who: str) -> Patient:
        """The removed patient, as it was. Raises: DuplicateError, where somebody else has the label by now."""
        who = checked.who(who)
        with self.file.writing() as db:
            head = _head(db, uid, even_removed=True)
            if not head.removed:
                return head.patient
            _refuse_taken(db, head.label)
            return rows.write(db, head, Draft(m.RESTORE, who)).patient

    def erase(self, uid: str, revision: int, who: str) -> Erased:
        """Delete a removed patient for good, with its history and its lines in the audit trail; one line tells of it.

        Copies made before, and archives, still hold it. Raises: MissingError; ConflictError, where it was not removed,
        was restored meanwhile, or changed since that revision.
        """
        return erasure.erase(self.file, uid, revision, checked.who(who))

    def is_swept(self) -> bool:
        """Whether the bytes of everybody who was erased are gone from the file, once it was tried again without waiting
        where they were not: somebody was reading, or the disk was full.
        """
        return erasure.finish(self.file, 0)

    # --- what is known of a patient

    def entries(self, uid: str) -> tuple[Entry, ...]:
        """The current entries, in the order in which they came; a correction stands where the corrected one stood."""
        with self.file.reading() as db:
            return tuple(rows.entries(db, _head(db, uid)))

    def entry(self, uid: str, entry_id: int) -> Entry:
        """One entry, current or not."""
        with self.file.reading() as db:
            return _entry(db, _head(db, uid), entry_id)[0]

    def is_current(self, uid: str, entry_id: int) -> bool:
        """Whether an entry counts now."""
        with self.file.reading() as db:
            return _entry(db, _head(db, uid), entry_id)[1]

    def events(self, uid: str) -> tuple[Event, ...]:
        """The events of the current entries."""
        return tuple(entry.event for entry in self.entries(uid))

    def record(self, uid: str, as_of: date | None = None) -> Record:
        """The patient's record as it was known on a day."""
        events = self.events(uid)
        return records(events, as_of)[0] if events else Record(self.patient(uid).label, (), as_of)

    # --- changes

    def add(self, uid: str, events: Iterable[Event], who: str, *, raw: Sequence[Mapping[str, Any]] = (),
            kind: str = m.ENTRY, source: str = "", format: str = "", issues: Iterable[Issue] = (),
            note: str = "") -> Change:
        """Keep events: as an entry by hand, or as an import with its issues (which may bring no event).

        raw: what was typed or imported, one for each event. source: the file's name.
        Raises: InvalidError, MissingError.
        """
        fresh, said, who = checked.fresh(events, raw), checked.issues(issues), checked.who(who)
        if kind not in (m.ENTRY, m.IMPORT) or (kind == m.ENTRY and not fresh):
            raise InvalidError("add: nothing to add; expected events of kind entry, or an import")
        draft = Draft(kind, who, checked.printable(note), checked.printable(source), checked.printable(format, 40))
        with self.file.writing() as db:
            return rows.newest(db, rows.write(db, _head(db, uid), draft, fresh, said))

    def add_patients(self, readings: Mapping[str, Sequence[Event]], who: str, *,
                     raw: Mapping[str, Sequence[Mapping[str, Any]]] | None = None, source: str = "", format: str = "",
                     issues: Sequence[Issue] = ()) -> tuple[Change, ...]:
        """Import a file of several patients: all of it or nothing. A label that is new becomes a patient."""
        kept = self.keep([Incoming(readings, source, format, issues, raw or {})], who)
        return tuple(one.change for one in kept)

    def keep(self, files: Sequence[Incoming], who: str, *, uid: str = "") -> tuple[Kept, ...]:
        """Import files, all of them or nothing, and say what is doubtful. A label that is new becomes a patient.

        uid: of the one patient whose they all are, whatever they call it. Raises: InvalidError, MissingError.
        """
        who = checked.who(who)
        ready = [keeping.ready(file, who) for file in files]
        if uid and len({label for file in ready for label in file.fresh}) > 1:
            raise InvalidError("several patients, for the record of one. Import them where each gets its own.")
        if not any(file.fresh for file in ready):
            return ()
        with self.file.writing() as db:
            only = _head(db, uid) if uid else None
            keeper = keeping.Keeper(db, [only] if only else rows.heads(db))
            for place, file in enumerate(ready):
                keeper.keep(file, place, only)
            return keeper.kept()

    def correct(self, uid: str, entry_id: int, event: Event, who: str, *, raw: Mapping[str, Any] | None = None,
                note: str = "") -> Change:
        """Put an event in the place of an entry. Raises: ConflictError, where the entry is no longer current."""
        (fresh,), who = checked.fresh([event], [raw or {}]), checked.who(who)
        with self.file.writing() as db:
            head = _head(db, uid)
            place = _current(db, head, entry_id)
            draft = Draft(m.CORRECTION, who, checked.printable(note), retired=(entry_id,))
            return rows.newest(db, rows.write(db, head, draft, [replace(fresh, supersedes=entry_id, place=place)]))

    def retract(self, uid: str, entry_id: int, who: str, note: str = "") -> Change:
        """Let an entry no longer count. Raises: ConflictError, where it is no longer current."""
        who = checked.who(who)
        with self.file.writing() as db:
            head = _head(db, uid)
            _current(db, head, entry_id)
            draft = Draft(m.RETRACTION, who, checked.printable(note), retired=(entry_id,))
            return rows.newest(db, rows.write(db, head, draft))

    def undo(self, uid: str, change_id: int, who: str) -> Change:
        """Take a change back, or put back what an undo took. Raises: ConflictError, where something rests on it."""
        who = checked.who(who)
        with self.file.writing() as db:
            head = _head(db, uid)
            book = rows.ledger(db, head)
            _refuse_blocked(db, head, book, change_id)
            added, retired, named = book.reverse(change_id)
            if not rows.label_is_free(db, head, book, change_id):
                raise DuplicateError("the label before is another patient's by now. Rename that one first.")
            draft = Draft(m.UNDO, who, undoes=change_id, named=named, added=sorted(added), retired=sorted(retired))
            return rows.newest(db, rows.write(db, head, draft))

    # --- what happened

    def history(self, uid: str) -> tuple[Change, ...]:
        """Every change, the newest first."""
        with self.file.reading() as db:
            return tuple(reversed(rows.changes(db, _head(db, uid))))

    def change(self, uid: str, change_id: int) -> Change:
        """One change. Raises: MissingError."""
        with self.file.reading() as db:
            head = _head(db, uid)
            newest = rows.newest(db, head)
        if newest.id == change_id and newest.label == newest.label_before:  # an undo of a name asks for other patients
            return newest
        found = [change for change in self.history(uid) if change.id == change_id]
        if not found:
            raise MissingError("no such change of this patient")
        return found[0]

    def imports(self, uid: str) -> tuple[Import, ...]:
        """Every import with its issues, the newest first."""
        with self.file.reading() as db:
            return tuple(reversed(rows.imports(db, _head(db, uid))))

    def log(self, who: str, action: str, uid: str = "") -> None:
        """A line in the audit trail; changes leave theirs by themselves. No value belongs into it."""
        with self.file.writing() as db:
            rows.audit(db, checked.printable(who, checked.LONGEST_WHO), checked.printable(action, 200),
                       "" if erasure.unnamed(db, [uid]) else checked.printable(uid, 64))

    def append(self, lines: Iterable[Audited], wait: float) -> None:
        """Lines in the audit trail, each with its own moment; others are waited for so many seconds and no longer."""
        told = [(one.at.isoformat(timespec="microseconds"), checked.printable(one.who, checked.LONGEST_WHO),
                 checked.printable(one.action, 200), checked.printable(one.uid, 64)) for one in lines]
        with self.file.writing(wait) as db:
            gone = erasure.unnamed(db, [uid for *_, uid in told])
            db.executemany("INSERT INTO audit (at, who, action, uid) VALUES (?,?,?,?)",
                           [(*line, "" if uid in gone else uid) for *line, uid in told])

    def audit(self, *, limit: int = 200, before: int | None = None, who: str = "", uid: str = "",
              action: str = "") -> tuple[Audited, ...]:
        """Lines of the audit trail, the newest first. before: the id of a line, for the page after it."""
        asked = [("id < ?", before), ("who = ?", who or None), ("uid = ?", uid or None), ("action = ?", action or None)]
        where = " AND ".join(["1", *(text for text, value in asked if value is not None)])
        values = [value for _, value in asked if value is not None]
        with self.file.reading() as db:
            lines = db.execute(f"SELECT id, at, who, action, uid FROM audit WHERE {where} "  # noqa: S608 (fixed texts)
                               "ORDER BY id DESC LIMIT ?", (*values, limit)).fetchall()
        return tuple(Audited(key, rows.moment(at), name, did, of) for key, at, name, did, of in lines)

    def setting(self, name: str, default: str = "") -> str:
        """A setting of this store, as last set."""
        with self.file.reading() as db:
            row = db.execute("SELECT value FROM setting WHERE name = ? ORDER BY id DESC LIMIT 1", (name,)).fetchone()
        return str(row[0]) if row else default

    def set_setting(self, name: str, value: str, who: str) -> None:
        """Set it. Nothing of a patient belongs into a setting."""
        who = checked.who(who)
        with self.file.writing() as db:
            db.execute("INSERT INTO setting (at, who, name, value) VALUES (?,?,?,?)",
                       (rows.now(), who, checked.printable(name, 80), checked.printable(value)))
            rows.audit(db, who, f"setting {checked.printable(name, 80)}", "")

    # --- the file

    def backup(self, path: Path | str) -> Path:
        """A sound copy of this moment, with the same key, while others go on.

        Raises: InvalidError, for a file that is there; FullError, UnwritableError.
        """
        target = Path(path).absolute()
        if target.exists():
            raise InvalidError(f"{target.name}: is there already, and nothing is overwritten. Choose another name.")
        with self.file.reading() as db:
            self.file.copy(db, target)
        return target

    def opened_backup(self) -> BinaryIO:
        """The same as an open file without a name, which is gone when it is closed."""
        with self.file.reading() as db:
            return self.file.opened_copy(db)

    def check(self) -> tuple[str, ...]:
        """What is wrong with the file; nothing, if it is sound. Every history is added up anew."""
        found = []
        with self.file.reading() as db:
            found += [str(row[0]) for row in db.execute("PRAGMA integrity_check") if row[0] != "ok"]
            found += [f"{row[0]}: a row that refers to none" for row in db.execute("PRAGMA foreign_key_check")]
            there = {row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")}
            found += [f"{name}: the trigger is missing; rows could be changed" for name in schema.GUARDS.keys() - there]
            for head in rows.heads(db):
                try:
                    book = rows.ledger(db, head)
                except ValueError as error:
                    found.append(f"patient {head.key}: {error}")
                    continue
                if (book.label, book.removed, len(book.current)) != (head.label, head.removed, head.entries):
                    found.append(f"patient {head.key}: the state does not follow from the history")
        return tuple(found)


def _head(db: Any, uid: str, *, even_removed: bool = False) -> Head:
    found = rows.heads(db, uid) if uid else []
    if not found or (found[0].removed and not even_removed):
        raise MissingError("the patient was removed; restore it first") if found else (
            erasure.missing(db, uid) if even_removed else MissingError("no such patient"))
    return found[0]


def _at(db: Any, uid: str, revision: int) -> Head:
    """The patient, if nothing happened since the revision that the caller saw."""
    head = _head(db, uid)
    if head.revision != revision:
        raise ConflictError("the patient was changed meanwhile; look at it again", change=rows.newest(db, head))
    return head


def _created(db: Any, label: str, who: str) -> Head:
    _refuse_taken(db, label)
    return rows.write(db, rows.new_patient(db, secrets.token_urlsafe(16)), Draft(m.CREATE, who, named=label))


def _refuse_taken(db: Any, label: str, but: str = "") -> None:
    if rows.labelled(db, label, but):
        raise DuplicateError("another patient has this label; labels are the ids in records. Choose another.")


def _entry(db: Any, head: Head, entry_id: int) -> tuple[Entry, bool, int]:
    found = rows.entry(db, head, entry_id)
    if found is None:
        raise MissingError("no such entry of this patient")
    return found


def _current(db: Any, head: Head, entry_id: int) -> int:
    """The place of an entry that is current. Raises: ConflictError, with what stands there instead."""
    _, is_current, place = _entry(db, head, entry_id)
    if not is_current:
        now = rows.entries(db, head, place=place)
        raise ConflictError("the entry was changed meanwhile; look at it again", current=now[0] if now else None)
    return place


def _refuse_blocked(db: Any, head: Head, book: Ledger, change_id: int) -> None:
    """Raises: MissingError or ConflictError, where undo cannot take the change back."""
    if change_id not in book.steps:
        raise MissingError("no such change of this patient")
    if (other := book.blocked(change_id)) is None:
        return
    later = next(change for change in rows.changes(db, head) if change.id == other)
    place = next((_entry(db, head, one)[2] for one in sorted(book.steps[change_id].added - book.current)), None)
    now = [] if place is None else rows.entries(db, head, place=place)
    why = "this kind of change has no undo" if other == change_id else "a later change rests on it, or took it back"
    raise ConflictError(f"cannot be undone: {why}", current=now[0] if now else None, change=later)
