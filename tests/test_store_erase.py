"""Erasing for good: every byte is gone, nothing else is, and a crash at any moment leaves all of it or none."""

from __future__ import annotations

import io
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from poems.errors import Issue
from poems.knowledge import Knowledge
from poems.record import PRESENT, Event
from poems.store import ConflictError, MissingError, Patient, Store, StoreError, erasure, export_all, import_all, schema
from poems.store.model import Audited

ME = "me"
MARK = b"Zq7x"
"""Stands in everything that is stored of the patient who is erased, and in nothing else."""


def event(source: str) -> Event:
    return Event("", "edema", date(2020, 1, 2), PRESENT, source=source)


def fill(store: Store, count: int = 400) -> tuple[str, str]:
    """One who stays, and one who was removed: uid of each. Their entries come in turns, so that they share pages."""
    stays, goes = store.create("stays", ME).uid, store.create("Zq7x name", ME).uid
    for turn in range(4):
        store.add(stays, [event(f"kept {turn}.{one}") for one in range(count)], ME)
        store.add(goes, [event(f"Zq7x {turn}.{one}") for one in range(count)], ME, raw=[{"typed": "Zq7x"}] * count,
                  kind="import", source="Zq7x.csv", note="Zq7x note", issues=[Issue("note", "Zq7x.csv", "Zq7x")])
    store.correct(goes, 1, event("Zq7x corrected"), ME)
    store.rename(goes, "Zq7x other", store.patient(goes).revision, ME)
    store.log("nurse", "read findings", goes)
    store.remove(goes, store.patient(goes).revision, ME)
    return stays, goes


def away(store: Store, uid: str) -> Patient:
    return store.patient(uid, even_removed=True)


def marked(path: Path) -> int:
    """How often the mark stands in the bytes of the database file and of its log."""
    return sum(one.read_bytes().count(MARK) for one in path.parent.glob(f"{path.name}*") if one.is_file())


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "poems.db") as made:
        yield made


def test_every_byte_is_gone_and_nothing_else(store: Store) -> None:
    stays, goes = fill(store)
    kept = store.entries(stays), store.history(stays), store.audit(limit=1000, uid=stays)
    assert marked(store.path) > 3000
    before = away(store, goes)
    done = store.erase(goes, before.revision, "admin")
    assert (done.entries, done.changes, done.is_swept) == (1601, before.revision, True)
    assert marked(store.path) == 0
    assert (store.entries(stays), store.history(stays), store.audit(limit=1000, uid=stays)) == kept
    assert store.check() == ()
    assert store.patients(removed=True) == ()
    assert [one.label for one in store.patients()] == ["stays"]
    [line] = store.audit(uid=goes)
    assert (line.who, line.action) == ("admin", f"erased for good: 1601 entries, {done.lines} lines of this trail")
    with store.file.reading() as db:
        for table in schema.TABLES:
            for row in db.execute(f"SELECT * FROM {table}"):
                assert MARK.decode() not in str(row)
        assert db.execute("PRAGMA freelist_count").fetchone()[0] == 0
    store.add(stays, [event("and it goes on")], ME)
    assert store.create("Zq7x other", ME).revision == 1  # the name is free


def test_it_takes_two_steps(store: Store) -> None:
    """Whoever is not removed, was changed since, or is nobody, is not erased."""
    uid = store.create("p", ME).uid
    for revision in (1, 2):
        with pytest.raises(ConflictError, match="not removed"):
            store.erase(uid, revision, ME)
    store.remove(uid, 1, ME)
    with pytest.raises(ConflictError, match="changed meanwhile"):
        store.erase(uid, 1, ME)
    with pytest.raises(MissingError):
        store.erase("nobody at all", 1, ME)
    assert away(store, uid).revision == 2
    assert store.check() == ()


def test_one_restores_and_one_erases(store: Store) -> None:
    """Whoever comes second is told plainly; at the same time, one of both wins."""
    uid = store.create("p", ME).uid
    store.remove(uid, 1, ME)
    store.restore(uid, ME)
    with pytest.raises(ConflictError, match="restored meanwhile"):
        store.erase(uid, 2, ME)
    store.remove(uid, 3, ME)
    store.erase(uid, 4, ME)
    with pytest.raises(MissingError, match="erased for good"):
        store.restore(uid, ME)
    with pytest.raises(MissingError, match="erased for good"):
        store.erase(uid, 4, ME)
    for number in range(10):
        uid = store.create(f"p{number}", ME).uid
        store.remove(uid, 1, ME)
        ready, said = threading.Barrier(2), list[str]()

        def one(name: str, uid: str = uid, ready: threading.Barrier = ready, said: list[str] = said) -> None:
            ready.wait()
            try:
                store.erase(uid, 2, ME) if name == "erase" else store.restore(uid, ME)
                said.append(name)
            except (ConflictError, MissingError):
                pass

        both = [threading.Thread(target=one, args=(name,)) for name in ("erase", "restore")]
        for thread in both:
            thread.start()
        for thread in both:
            thread.join()
        assert said in (["erase"], ["restore"])
        assert (store.find(f"p{number}") is None) == (said == ["erase"])
    assert store.check() == ()


def test_rows_are_written_once_as_before(store: Store) -> None:
    """Every trigger is there again, for whoever asks, and `check` would miss one."""
    _, goes = fill(store, 5)
    store.erase(goes, away(store, goes).revision, ME)
    other = sqlite3.connect(store.path, isolation_level=None)
    there = dict(other.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"))
    assert there == schema.GUARDS
    for table in ("patient", "change", "entry", "move", "audit", "setting"):
        with pytest.raises(sqlite3.IntegrityError, match="written once"):
            other.execute(f"DELETE FROM {table}")
    other.execute("DROP TRIGGER entry_no_delete")
    other.close()
    assert any("entry_no_delete" in line for line in store.check())


def test_a_fault_on_the_way_changes_nothing(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    _, goes = fill(store, 5)
    before = store.audit(limit=1000)
    for where, name in ((erasure, "_deleted"), (erasure.rows, "audit"), (erasure, "_count")):
        with monkeypatch.context() as patch:
            patch.setattr(where, name, lambda *_: 1 / 0)
            with pytest.raises(ZeroDivisionError):
                store.erase(goes, away(store, goes).revision, ME)
        assert store.audit(limit=1000) == before
        assert store.check() == ()
    assert store.restore(goes, ME).entries == 20


def test_a_reader_delays_the_bytes_and_nothing_else(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody still reads the moment before: the patient is erased, the bytes go when the file is looked at next."""
    _, goes = fill(store)
    monkeypatch.setattr(erasure, "_WAIT", 0.05)
    with sqlite3.connect(store.path, isolation_level=None) as reader:
        reader.execute("BEGIN")
        assert reader.execute("SELECT count(*) FROM patient").fetchone() == (2,)
        assert not store.erase(goes, away(store, goes).revision, ME).is_swept
        assert marked(store.path)
        assert not store.is_swept()
        assert store.patients(removed=True) == ()
        Store.open(store.path).close()  # it opens all the same
        assert not store.is_swept()
        reader.execute("ROLLBACK")
    reader.close()
    with Store.open(store.path) as again:
        assert again.is_swept()
        assert marked(store.path) == 0
        assert again.check() == ()


def test_without_memory_the_bytes_wait_and_the_file_opens(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """The patient is erased all the same, and the app can be started."""
    _, goes = fill(store)

    def short(db: Any, name: str) -> int:
        if name == erasure._ERASED and not db.in_transaction:
            raise MemoryError
        return counted(db, name)

    counted = erasure._counted
    with monkeypatch.context() as patch:
        patch.setattr(erasure, "_counted", short)
        assert not store.erase(goes, away(store, goes).revision, ME).is_swept
    assert store.patients(removed=True) == ()
    assert store.is_swept()
    assert marked(store.path) == 0


def test_what_is_told_late_of_an_erased_patient_names_nobody(store: Store) -> None:
    """A line that waited while the file was held comes without the uid; those of others keep theirs."""
    stays, goes = fill(store)
    store.erase(goes, away(store, goes).revision, ME)
    late = [Audited(0, datetime.now(UTC), ME, "read late", uid) for uid in (stays, goes, "")]
    store.append(late, 1)
    store.log(ME, "read later", goes)
    assert [one.uid for one in store.audit(action="read late")] == ["", "", stays]
    assert [one.uid for one in store.audit(action="read later")] == [""]


def test_an_encrypted_store(tmp_path: Path) -> None:
    """The same: nothing is left in free pages or in the log, which nobody without the key could read anyhow."""
    pytest.importorskip("sqlcipher3")
    path = tmp_path / "poems.db"
    with Store.open(path, key="a long key") as store:
        stays, goes = fill(store)
        with store.file.alone() as db:
            assert db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0
        size, kept = path.stat().st_size, store.entries(stays)
        assert store.erase(goes, away(store, goes).revision, ME).is_swept
        assert path.stat().st_size < size
        log = path.with_name("poems.db-wal")
        assert not log.exists() or not log.stat().st_size
        with store.file.reading() as db:
            assert db.execute("PRAGMA secure_delete").fetchone()[0] == 1
            assert db.execute("PRAGMA freelist_count").fetchone()[0] == 0
        assert store.entries(stays) == kept
        assert store.check() == ()
    with Store.open(path, key="a long key") as store:
        assert [one.label for one in store.patients()] == ["stays"]


def test_an_older_archive_does_not_bring_it_back(store: Store, tmp_path: Path, knowledge: Knowledge) -> None:
    """It is left out and that is said; the others of the archive come. A new store takes all of it."""
    stays, goes = fill(store, 3)
    box = io.BytesIO()
    export_all(store, box, knowledge)
    store.erase(goes, away(store, goes).revision, ME)
    found = import_all(store, box, ME, knowledge=knowledge)
    assert (found.erased, found.same, found.added) == ((goes,), (stays,), ())
    assert "erased here for good" in str(found.issues[0])
    assert store.patients(removed=True) == ()
    after = io.BytesIO()
    export_all(store, after, knowledge)
    assert MARK not in after.getvalue()
    with Store.open(tmp_path / "other.db") as other:
        assert set(import_all(other, box, ME, knowledge=knowledge).added) == {stays, goes}


def test_a_closed_store_erases_nobody(store: Store) -> None:
    _, goes = fill(store, 2)
    revision = away(store, goes).revision
    store.close()
    with pytest.raises(StoreError):
        store.erase(goes, revision, ME)


KILLED = """
import os, signal, sys
from poems.store import Store
path, uid, revision, last, way = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), sys.argv[5]
store, seen = Store.open(path), 0
connect = store.file._connect
def tell(*_):
    global seen
    seen += 1
    if seen == last:
        os.kill(os.getpid(), signal.SIGKILL)
def counted(**named):
    made = connect(**named)
    if way == "statement":
        made.set_trace_callback(tell)
    else:
        made.set_progress_handler(tell, 500)
    return made
store.file._connect = counted
store.erase(uid, revision, "me")
print("done")
"""


@pytest.mark.parametrize(("way", "step"), [
    ("statement", 7), ("work", 40), pytest.param("statement", 1, marks=pytest.mark.slow),
    pytest.param("work", 3, marks=pytest.mark.slow)])
def test_killed_at_any_moment_it_is_all_there_or_all_gone(tmp_path: Path, way: str, step: int) -> None:
    """Before each statement, and within them: what is opened afterwards is sound, with its triggers; where the patient
    is gone, so are its bytes.
    """
    whole, seen = tmp_path / "whole.db", set[str]()
    with Store.open(whole) as store:
        stays, goes = fill(store, 60)
        revision, everything = away(store, goes).revision, store.entries(stays)
    for last in range(1, 2000, step):
        path = tmp_path / str(last) / "a.db"
        path.parent.mkdir()
        path.write_bytes(whole.read_bytes())
        found = subprocess.run([sys.executable, "-c", KILLED, str(path), goes, str(revision), str(last), way],
                               capture_output=True, text=True, check=False)
        assert (found.returncode, found.stdout) in ((-9, ""), (0, "done\n")), found.stderr
        with Store.open(path) as store:
            assert store.check() == ()
            assert store.entries(stays) == everything
            assert store.is_swept()
            if is_there := bool(store.patients(removed=True)):
                assert store.restore(goes, ME).entries == 240
            else:
                assert len(store.audit(uid=goes)) == 1
                assert marked(path) == 0
        seen.add(f"{found.returncode} {is_there}")
        if found.returncode == 0:
            break
    assert found.returncode == 0
    assert seen >= {"-9 True", "0 False"}
