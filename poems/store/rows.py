"""Rows of the database to the shapes of a store, and back; always on a connection inside a transaction."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Final

from poems.adapters import fields
from poems.errors import Issue
from poems.record import Event
from poems.store.ledger import Ledger, Step, replayed
from poems.store.model import IMPORT, UNDO, UNDOABLE, Change, Entry, Import, Patient

_HEAD: Final = """
    SELECT p.id, p.uid, c.number, c.label, c.removed, c.entries, c.at, first.at
    FROM patient p
    JOIN change c ON c.patient = p.id AND c.number = (SELECT max(number) FROM change WHERE patient = p.id)
    JOIN change first ON first.patient = p.id AND first.number = 1"""
_CURRENT: Final = ("(SELECT added FROM move m WHERE m.patient = e.patient AND m.entry = e.number "
                   "ORDER BY m.change DESC LIMIT 1) = 1")
_ENTRY: Final = """
    SELECT e.number, e.change, e.supersedes, e.finding, e.date, e.status, e.value, e.unit, e.comparator, e.specimen,
           e.upper_limit, e.method, e.source, e.raw, c.at, c.who, c.kind
    FROM entry e JOIN change c ON c.patient = e.patient AND c.number = e.change
    WHERE e.patient = ?"""
_PLACE: Final = f"SELECT e.place, {_CURRENT} FROM entry e WHERE e.patient = ? AND e.number = ?"  # noqa: S608
_MOVED: Final = (f"{_ENTRY} AND e.number IN (SELECT entry FROM move WHERE patient = e.patient AND change = ? "  # noqa: S608
                 "AND added = ?) ORDER BY e.number")
_NAMED: Final = "SELECT p.uid, c.named FROM change c JOIN patient p ON p.id = c.patient WHERE c.named IS NOT NULL"
_CHANGE: Final = "SELECT number, kind, who, at, note, source, format, undoes, label FROM change"


@dataclass(frozen=True, slots=True)
class Head:
    """A patient as its last change left it. key: its number in the database."""

    key: int
    uid: str
    revision: int
    label: str
    removed: bool
    entries: int
    changed_at: str
    created_at: str

    @property
    def patient(self) -> Patient:
        """The same for whoever asks."""
        return Patient(self.uid, self.label, self.entries, moment(self.created_at), moment(self.changed_at),
                       self.revision, self.removed)


@dataclass(frozen=True, slots=True)
class Draft:
    """A change as it is to be written. named: the label that it gives. at: now, where nothing is said."""

    kind: str
    who: str
    note: str = ""
    source: str = ""
    format: str = ""
    undoes: int | None = None
    named: str | None = None
    added: Sequence[int] = ()
    retired: Sequence[int] = ()
    at: str = ""


@dataclass(frozen=True, slots=True)
class Fresh:
    """An entry as it is to be written. place: empty for its own."""

    event: Event
    raw: str
    supersedes: int | None = None
    place: int | None = None


def now() -> str:
    """The present moment as it is stored."""
    return datetime.now(UTC).isoformat(timespec="microseconds")


def moment(stored: str) -> datetime:
    """A stored moment."""
    return datetime.fromisoformat(stored)


def heads(db: Any, uid: str = "") -> list[Head]:
    """Every patient, or the one with this uid if there is one."""
    rows = db.execute(f"{_HEAD} WHERE p.uid = ?", (uid,)) if uid else db.execute(_HEAD)
    return [Head(row[0], row[1], row[2], row[3], bool(row[4]), row[5], row[6], row[7]) for row in rows]


def labelled(db: Any, label: str, but: str = "") -> Head | None:
    """The patient with this label, in whatever form it was written, who was not removed. but: the uid of one who does
    not count.
    """
    wanted = fields.named(label)
    uids = {uid: None for uid, named in db.execute(_NAMED) if fields.named(named) == wanted and uid != but}
    found = [head for uid in uids for head in heads(db, uid)]
    return next((head for head in found if fields.named(head.label) == wanted and not head.removed), None)


def new_patient(db: Any, uid: str) -> Head:
    """A patient without a change, so far."""
    key = db.execute("INSERT INTO patient (uid) VALUES (?)", (uid,)).lastrowid
    return Head(key, uid, 0, "", False, 0, "", "")


def write(db: Any, head: Head, draft: Draft, fresh: Sequence[Fresh] = (), issues: Iterable[Issue] = (), *,
          is_audited: bool = True) -> Head:
    """Write a change with its new entries, what it moved, its issues and its line in the audit trail."""
    number, at = head.revision + 1, draft.at or now()
    label = head.label if draft.named is None else draft.named
    removed = {"remove": True, "restore": False}.get(draft.kind, head.removed)
    entries = head.entries + len(fresh) + len(draft.added) - len(draft.retired)
    db.execute("INSERT INTO change VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)",
               (head.key, number, draft.kind, draft.who, at, draft.note, draft.source, draft.format, draft.undoes,
                draft.named, label, int(removed), entries))
    first = 1 + (db.execute("SELECT max(number) FROM entry WHERE patient = ?", (head.key,)).fetchone()[0] or 0)
    db.executemany("INSERT INTO entry VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
                   [_entry_row(head.key, first + place, number, one) for place, one in enumerate(fresh)])
    added = [*range(first, first + len(fresh)), *draft.added]
    db.executemany("INSERT INTO move (patient, entry, change, added) VALUES (?,?,?,?)",
                   [(head.key, one, number, way) for way, moved in ((1, added), (0, draft.retired)) for one in moved])
    db.executemany("INSERT INTO issue VALUES (?,?,?,?,?,?,?,?)",
                   [(head.key, number, place, one.level, one.where, one.found, one.expected, one.fix)
                    for place, one in enumerate(issues)])
    if is_audited:
        audit(db, draft.who, draft.kind, head.uid)
    return Head(head.key, head.uid, number, label, removed, entries, at, head.created_at or at)


def _entry_row(key: int, number: int, change: int, fresh: Fresh) -> tuple[Any, ...]:
    event = fresh.event
    return (key, number, change, fresh.supersedes, fresh.place or number, event.finding,
            event.date.isoformat() if event.date else None, event.status, event.value, event.unit, event.comparator,
            event.specimen, event.upper_limit, event.method, event.source, fresh.raw)


def audit(db: Any, who: str, action: str, uid: str) -> None:
    """One line in the audit trail."""
    db.execute("INSERT INTO audit (at, who, action, uid) VALUES (?,?,?,?)", (now(), who, action, uid))


def entries(db: Any, head: Head, *, place: int | None = None, every: bool = False) -> list[Entry]:
    """The current entries, in order; or the current one of a place; or every one there ever was."""
    where = "" if every else f" AND {_CURRENT}" + ("" if place is None else " AND e.place = ?")
    values = (head.key,) if place is None else (head.key, place)
    rows = db.execute(f"{_ENTRY}{where} ORDER BY e.place, e.number", values)
    return [_entry(row, head.label) for row in rows]


def entry(db: Any, head: Head, number: int) -> tuple[Entry, bool, int] | None:
    """One entry, whether it is current, and its place."""
    row = db.execute(f"{_ENTRY} AND e.number = ?", (head.key, number)).fetchone()
    if row is None:
        return None
    place, is_current = db.execute(_PLACE, (head.key, number)).fetchone()
    return _entry(row, head.label), bool(is_current), place


def _entry(row: Sequence[Any], label: str) -> Entry:
    number, change, supersedes, *said, raw, at, who, kind = row
    finding, day, status, value, unit, comparator, specimen, limit, method, source = said
    event = Event(label, finding, date.fromisoformat(day) if day else None, status, value, unit, comparator, specimen,
                  limit, method, source)
    return Entry(number, event, json.loads(raw), moment(at), who, change, kind, supersedes)


def moves(db: Any, head: Head) -> dict[int, tuple[list[int], list[int]]]:
    """Change -> the entries that it added, and those that it retired."""
    found: dict[int, tuple[list[int], list[int]]] = {}
    for number, moved, added in db.execute(
            "SELECT change, entry, added FROM move WHERE patient = ? ORDER BY change, entry", (head.key,)):
        found.setdefault(number, ([], []))[0 if added else 1].append(moved)
    return found


def ledger(db: Any, head: Head) -> Ledger:
    """The patient's changes, added up."""
    moved = moves(db, head)
    rows = db.execute("SELECT number, kind, named, undoes FROM change WHERE patient = ? ORDER BY number", (head.key,))
    return replayed(Step(number, kind, frozenset(added), frozenset(retired), named, undoes)
                    for number, kind, named, undoes in rows for added, retired in [moved.get(number, ((), ()))])


def changes(db: Any, head: Head) -> list[Change]:
    """The history, oldest first."""
    known = {one.id: one for one in entries(db, head, every=True)}
    moved, book = moves(db, head), ledger(db, head)
    undoable = {number for number in book.undoable() if label_is_free(db, head, book, number)}
    counts = dict(db.execute("SELECT change, count(*) FROM issue WHERE patient = ? GROUP BY change", (head.key,)))
    found = []
    for row in db.execute(f"{_CHANGE} WHERE patient = ? ORDER BY number", (head.key,)):
        added, retired = (tuple(known[one] for one in part) for part in moved.get(row[0], ((), ())))
        found.append(_as_change(head, row, added, retired, label_before=book.labels_before[row[0]],
                                issues=counts.get(row[0], 0), undoable=row[0] in undoable,
                                undone=not book.in_force(row[0])))
    return found


def newest(db: Any, head: Head) -> Change:
    """The last change, without reading the whole history: nothing rests on it yet."""
    row = db.execute(f"{_CHANGE} WHERE patient = ? AND number = ?", (head.key, head.revision)).fetchone()
    before = db.execute("SELECT label FROM change WHERE patient = ? AND number = ?",
                        (head.key, head.revision - 1)).fetchone()
    issues = db.execute("SELECT count(*) FROM issue WHERE patient = ? AND change = ?", (head.key, head.revision))
    added, retired = (tuple(_entry(one, head.label) for one in db.execute(_MOVED, (head.key, head.revision, way)))
                      for way in (1, 0))
    return _as_change(head, row, added, retired, label_before=before[0] if before else "", issues=issues.fetchone()[0],
                      undoable=row[1] in (*UNDOABLE, UNDO) and not head.removed, undone=False)


def _as_change(head: Head, row: Sequence[Any], added: tuple[Entry, ...], retired: tuple[Entry, ...], *,
               label_before: str, issues: int, undoable: bool, undone: bool) -> Change:
    number, kind, who, at, note, source, form, undoes, label = row
    return Change(number, head.uid, kind, who, moment(at), note, source, form, undoes, added, retired, label,
                  label_before, issues, undoable, undone)


def label_is_free(db: Any, head: Head, book: Ledger, number: int) -> bool:
    """Whether the label that an undo would give back is nobody else's by now."""
    label = book.reverse(number)[2]
    return label is None or labelled(db, label, but=head.uid) is None


def imports(db: Any, head: Head) -> list[Import]:
    """The imports, oldest first, each with its issues in the order of its reader."""
    issues: dict[int, list[Issue]] = {}
    for number, level, place, said, expected, fix in db.execute(
            "SELECT change, level, place, found, expected, fix FROM issue WHERE patient = ? ORDER BY change, number",
            (head.key,)):
        issues.setdefault(number, []).append(Issue(level, place, said, expected, fix))
    moved, book = moves(db, head), ledger(db, head)
    rows = db.execute("SELECT number, source, format, at, who FROM change WHERE patient = ? AND kind = ? "
                      "ORDER BY number", (head.key, IMPORT))
    return [Import(number, head.uid, source, form, moment(at), who, len(moved.get(number, ((), ()))[0]),
                   not book.in_force(number), tuple(issues.get(number, ()))) for number, source, form, at, who in rows]


def raw_text(raw: Mapping[str, Any]) -> str:
    """What was typed, as it is stored."""
    return json.dumps(raw, allow_nan=False, separators=(",", ":"))
