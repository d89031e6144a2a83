"""A patient's whole history as plain JSON, and back: every word of it is looked at before anything is written."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date
from typing import Any, Final, NoReturn, get_args

from poems.errors import Issue, Level
from poems.record import COLUMNS, Event
from poems.store import checked, rows
from poems.store.ledger import Ledger, Step
from poems.store.model import CREATE, IMPORT, KINDS, RENAME, UNDO
from poems.store.problems import ArchiveError, InvalidError
from poems.store.rows import Draft, Fresh, Head

_UID: Final = re.compile(r"[A-Za-z0-9_-]{8,64}", re.ASCII)
_FINDING: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,120}", re.ASCII)
_FIELDS: Final = tuple(name for name in COLUMNS if name != "patient")

Tree = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Told:
    """One change, ready to be written."""

    draft: Draft
    fresh: tuple[Fresh, ...]
    issues: tuple[Issue, ...]


@dataclass(frozen=True, slots=True)
class History:
    """A patient of an archive. changes: as plain JSON, to be compared with those of a store. removed: at the end."""

    uid: str
    changes: list[Tree]
    told: tuple[Told, ...]
    findings: frozenset[str]


def history(db: Any, head: Head) -> Tree:
    """Everything that ever happened to a patient, as plain JSON."""
    known = {one.id: one for one in rows.entries(db, head, every=True)}
    moved = rows.moves(db, head)
    said = {one.change_id: one.issues for one in rows.imports(db, head)}
    changes = []
    for number, kind, who, at, note, source, form, undoes, named in db.execute(
            "SELECT number, kind, who, at, note, source, format, undoes, named FROM change WHERE patient = ? "
            "ORDER BY number", (head.key,)):
        added, retired = moved.get(number, ([], []))
        full = {"number": number, "kind": kind, "who": who, "at": at, "note": note, "source": source, "format": form,
                "undoes": undoes, "named": named, "retired": retired,
                "back" if kind == UNDO else "entries": added if kind == UNDO else [_entry(known[one]) for one in added],
                "issues": [[one.level, one.where, one.found, one.expected, one.fix] for one in said.get(number, ())]}
        changes.append({key: value for key, value in full.items() if value not in ("", None, [])})
    return {"uid": head.uid, "changes": changes}


def _entry(entry: Any) -> Tree:
    full = {name: getattr(entry.event, name) for name in _FIELDS}
    full |= {"number": entry.id, "date": entry.event.date and entry.event.date.isoformat(), "raw": dict(entry.raw),
             "supersedes": entry.supersedes}
    return {key: value for key, value in full.items() if value not in ("", None, {})}


def write(db: Any, head: Head, told: tuple[Told, ...]) -> Head:
    """Write these changes after those that are there; their lines in the audit trail belong to where they happened."""
    for change in told:
        head = rows.write(db, head, change.draft, change.fresh, change.issues, is_audited=False)
    return head


def read(tree: Any, where: str) -> History:
    """The history that a JSON tree tells. Raises: ArchiveError, where it is none, or contradicts itself."""
    top = _mapping(tree, where, ("uid", "changes"))
    uid = top.get("uid")
    if not isinstance(uid, str) or not _UID.fullmatch(uid):
        _refuse(f"{where}, uid", "not an id of a store")
    changes, told, places, book = _items(top, "changes", where), [], dict[int, int](), Ledger()
    for place, raw in enumerate(changes, 1):
        at = f"{where}, change {place}"
        change = _change(raw, at, places)
        try:
            book.take(_step(place, change, len(places)))
        except (ValueError, KeyError):
            _refuse(at, "does not fit the changes before it")
        told.append(change)
        for one in change.fresh:
            places[len(places) + 1] = one.place or len(places) + 1
    if not told:
        _refuse(where, "no change")
    findings = frozenset(one.event.finding for change in told for one in change.fresh)
    return History(uid, changes, tuple(told), findings)


def _step(number: int, change: Told, known: int) -> Step:
    draft = change.draft
    added = draft.added if draft.kind == UNDO else range(known + 1, known + 1 + len(change.fresh))
    return Step(number, draft.kind, frozenset(added), frozenset(draft.retired), draft.named, draft.undoes)


def _change(raw: Any, where: str, places: Mapping[int, int]) -> Told:
    tree = _mapping(raw, where, ("number", "kind", "who", "at", "note", "source", "format", "undoes", "named",
                                 "retired", "back", "entries", "issues"))
    kind, named = tree.get("kind"), tree.get("named")
    if kind not in KINDS or (named is not None) != (kind in (CREATE, RENAME) or (kind == UNDO and named is not None)):
        _refuse(where, "a kind of change that we do not know, or one with a label that it cannot give")
    try:
        draft = Draft(kind, checked.who(_line(tree, "who", where)), _line(tree, "note", where),
                      _line(tree, "source", where), _line(tree, "format", where), _whole(tree.get("undoes"), where),
                      None if named is None else checked.old_label(named), _wholes(tree, "back", where),
                      _wholes(tree, "retired", where), _moment(tree, where))
    except InvalidError as error:
        _refuse(where, str(error))
    fresh = tuple(_fresh(one, f"{where}, entry {place}", len(places) + place, places)
                  for place, one in enumerate(_items(tree, "entries", where), 1))
    said = tuple(_issue(one, where) for one in _items(tree, "issues", where))
    supersedes = [one.supersedes for one in fresh if one.supersedes is not None]
    if (kind == UNDO and fresh) or (kind != UNDO and draft.added) or (said and kind != IMPORT) or (
            supersedes != list(draft.retired) if fresh else supersedes):
        _refuse(where, "parts that do not belong together")
    return Told(draft, fresh, said)


def _fresh(raw: Any, where: str, number: int, places: Mapping[int, int]) -> Fresh:
    tree = _mapping(raw, where, (*_FIELDS, "number", "raw", "supersedes"))
    if tree.get("number") != number:
        _refuse(where, "an entry out of order")
    said = {name: value for name, value in tree.items() if name in _FIELDS}
    if not _FINDING.fullmatch(str(said.get("finding", ""))):
        _refuse(where, "not the name of a finding")
    try:
        day = date.fromisoformat(said["date"]) if "date" in said else None
        event = checked.event(Event("", **{**said, "date": day}))
        text = rows.raw_text(checked.raw(tree.get("raw", {})))
    except (InvalidError, TypeError, ValueError, AttributeError):
        _refuse(where, "an event that no record can hold")
    supersedes = _whole(tree.get("supersedes"), where)
    if supersedes is not None and supersedes not in places:
        _refuse(where, "a correction of an entry that is not there")
    return Fresh(event, text, supersedes, None if supersedes is None else places[supersedes])


def _issue(raw: Any, where: str) -> Issue:
    if not isinstance(raw, list) or len(raw) != 5 or not all(isinstance(one, str) for one in raw) or (
            raw[0] not in get_args(Level)):
        _refuse(where, "not an issue of a reader")
    return checked.issues([Issue(*raw)])[0]


def _mapping(raw: Any, where: str, keys: tuple[str, ...]) -> Tree:
    if not isinstance(raw, dict) or not set(raw) <= set(keys):
        _refuse(where, "not an object with the fields that we know")
    return raw


def _items(tree: Tree, key: str, where: str) -> list[Any]:
    found = tree.get(key, [])
    if not isinstance(found, list):
        _refuse(where, f"{key} is not a list")
    return found


def _line(tree: Tree, key: str, where: str) -> str:
    found = tree.get(key, "")
    if not isinstance(found, str) or found != checked.printable(found):
        _refuse(where, f"{key} is not a line of text")
    return found


def _whole(raw: Any, where: str) -> int | None:
    if raw is not None and (not isinstance(raw, int) or isinstance(raw, bool) or raw < 1):
        _refuse(where, "not a number of a change or an entry")
    return raw


def _wholes(tree: Tree, key: str, where: str) -> list[int]:
    found = [_whole(one, where) or 0 for one in _items(tree, key, where)]
    if len(set(found)) != len(found):
        _refuse(where, f"{key} names an entry twice")
    return found


def _moment(tree: Tree, where: str) -> str:
    at = _line(tree, "at", where)
    try:
        sound = rows.moment(at).astimezone(UTC).isoformat(timespec="microseconds") == at
    except ValueError:
        sound = False
    if not sound:
        _refuse(where, "at is not a moment in UTC")
    return at


def _refuse(where: str, found: str) -> NoReturn:
    raise ArchiveError(f"{where}: {found}. Nothing was taken in. Export the archive again from its store.")
