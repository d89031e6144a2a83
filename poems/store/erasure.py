"""Erasing a patient for good: the one thing that takes rows away. It needs two steps, removing the patient first.

The triggers that forbid it are lifted and put back within the one transaction that deletes: another connection never
sees the file without them, and a crash at any moment leaves the file as it was before or as it is afterwards. There is
no mark by which a row could be deleted otherwise.

Deleting is not enough: old bytes stand in the write-ahead log, in free pages and in the gaps of others. So the file is
written anew (VACUUM) and the log is folded in and cut to nothing. A setting counts the erasures whose bytes are due, so
that a crash in between, or a reader who keeps the log in use, only delays that: it is tried again when the file is
opened, and when somebody looks at the list.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from poems.store import model as m
from poems.store import rows
from poems.store.connection import File, transaction
from poems.store.problems import ConflictError, MissingError
from poems.store.rows import Head
from poems.store.schema import GUARDS

SAID: Final = "erased for good: "
"""How the line in the audit trail begins. It keeps the uid, which is random and says nothing: by it an archive that was
made before is kept from bringing the patient back."""
_ERASED, _SWEPT = "erasures", "erasures swept"
_OF_PATIENT: Final = ("move", "issue", "entry", "change")
_WAIT: Final = 2.0
"""Seconds that others are waited for: while the file is written anew nobody else writes."""
_MOST_IN_MEMORY: Final = 2**30
"""An encrypted file is written anew by way of memory, so that no plain copy of it lies on the disk; a larger one is
not. What was deleted in it is zeros all the same (secure_delete), and its log is cut to nothing."""


def erase(file: File, uid: str, revision: int, who: str) -> m.Erased:
    """Delete everything of a removed patient, then its bytes.

    Raises: MissingError; ConflictError, where it was not removed, or changed since that revision.
    """
    with file.alone() as db:
        # Whoever refers to a row of this patient is of this patient and goes too; asking for each row would take hours
        # for a long record. The pragma does nothing within a transaction.
        db.execute("PRAGMA foreign_keys = OFF")
        with transaction(db, "BEGIN IMMEDIATE"):
            head = _removed(db, uid, revision)
            with_guards = ("patient", *_OF_PATIENT, "audit")
            for table in with_guards:
                db.execute(f"DROP TRIGGER {table}_no_delete")
            done = _deleted(db, head)
            for table in with_guards:
                db.execute(GUARDS[f"{table}_no_delete"])
            rows.audit(db, who, f"{SAID}{done.entries} {'entry' if done.entries == 1 else 'entries'}, {done.lines} "
                                f"{'line' if done.lines == 1 else 'lines'} of this trail", uid)
            _count(db, _ERASED, _counted(db, _ERASED) + 1, who)
            file.refuse_closed()
        return m.Erased(done.entries, done.changes, done.lines, is_swept=_is_swept_now(file, db, _WAIT))


def _removed(db: Any, uid: str, revision: int) -> Head:
    found = rows.heads(db, uid) if uid else []
    if not found:
        raise missing(db, uid)
    if not found[0].removed:
        raise ConflictError("the patient was not removed, or was restored meanwhile; nothing was erased. Remove it "
                            "first", change=rows.newest(db, found[0]))
    if found[0].revision != revision:
        raise ConflictError("the patient was changed meanwhile; look at it again", change=rows.newest(db, found[0]))
    return found[0]


def _deleted(db: Any, head: Head) -> m.Erased:
    """Delete the rows; how many there were. The lines of the audit trail tell when somebody was seen, and how often."""
    counts = {table: db.execute(f"DELETE FROM {table} WHERE patient = ?", (head.key,)).rowcount  # noqa: S608 (ours)
              for table in _OF_PATIENT}
    lines = db.execute("DELETE FROM audit WHERE uid = ?", (head.uid,)).rowcount
    db.execute("DELETE FROM patient WHERE id = ?", (head.key,))
    return m.Erased(counts["entry"], counts["change"], lines, is_swept=False)


def missing(db: Any, uid: str) -> MissingError:
    """That there is no such patient; or none any more."""
    return MissingError("the patient was erased for good" if uid in erased(db) else "no such patient")


def erased(db: Any) -> frozenset[str]:
    """The uids of those who were erased here."""
    return frozenset(row[0] for row in db.execute("SELECT uid FROM audit WHERE substr(action, 1, ?) = ?",
                                                  (len(SAID), SAID)))


def is_due(db: Any) -> bool:
    """Whether bytes of an erased patient may still stand in the file."""
    return _counted(db, _SWEPT) < _counted(db, _ERASED)


def finish(file: File, wait: float = _WAIT) -> bool:
    """Do what is due, if something is; whether nothing is due any more. What cannot be done now stays due."""
    with file.reading() as db:
        if not is_due(db):
            return True
    with file.alone() as db:
        return _is_swept_now(file, db, wait)


def unnamed(db: Any, uids: Iterable[str]) -> frozenset[str]:
    """Of these, those that name nobody here any more: what is told late of an erased patient is told without them."""
    if not _counted(db, _ERASED):
        return frozenset()
    return frozenset(uid for uid in set(uids) - {""} if not rows.heads(db, uid))


def _is_swept_now(file: File, db: Any, wait: float) -> bool:
    """Write the file anew without what was erased, and cut its log to nothing; whether that could be done."""
    try:
        due = _counted(db, _ERASED)
        db.execute(f"PRAGMA busy_timeout = {round(1000 * wait)}")
        if not file.is_encrypted:
            db.execute("PRAGMA temp_store = FILE")
        if not file.is_encrypted or file.path.stat().st_size <= _MOST_IN_MEMORY:
            db.execute("VACUUM")
        if db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]:
            return False  # somebody still reads what was before
        with transaction(db, "BEGIN IMMEDIATE"):
            _count(db, _SWEPT, due, "app")
    except MemoryError:
        return False
    except file.errors:  # a full disk, another program: the patient is erased, and its bytes are due
        return False
    return True


def _counted(db: Any, name: str) -> int:
    row = db.execute("SELECT value FROM setting WHERE name = ? ORDER BY id DESC LIMIT 1", (name,)).fetchone()
    return int(row[0]) if row else 0


def _count(db: Any, name: str, count: int, who: str) -> None:
    db.execute("INSERT INTO setting (at, who, name, value) VALUES (?,?,?,?)", (rows.now(), who, name, str(count)))
