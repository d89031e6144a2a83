"""The store: what one call leaves behind, what undo may take back, and what is refused, by name."""

from __future__ import annotations

import json
import os
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from poems.errors import Issue
from poems.record import PRESENT, Event
from poems.store import (
    BusyError,
    ConflictError,
    CorruptError,
    DuplicateError,
    FullError,
    InvalidError,
    MissingError,
    NeedsLibraryError,
    NewerError,
    Store,
    StoreError,
    UnwritableError,
    WrongKeyError,
    schema,
)

ME = "me"
EDEMA = Event("", "edema", date(2020, 1, 2), PRESENT, source="typed")
VEGF = Event("", "vegf-plasma", date(2020, 1, 3), value=950.5, unit="pg/mL", comparator=">", specimen="plasma",
             upper_limit=86.0, method="elisa", source="labs.csv, row 3")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A new store."""
    with Store.open(tmp_path / "poems.db") as made:
        yield made


@pytest.fixture
def uid(store: Store) -> str:
    """A patient in it."""
    return store.create("p1", ME).uid


def findings(store: Store, uid: str) -> list[str]:
    """What counts now."""
    return [event.finding for event in store.events(uid)]


def test_what_is_added_comes_back_whole(store: Store, uid: str) -> None:
    """Every field, what was typed, who and when; the patient of an event is the label of today."""
    typed = {"value": ">950,5", "unit": "pg/ml", "n": 3, "deep": [{"a": None}]}
    change = store.add(uid, [EDEMA, VEGF], ME, raw=[{}, typed], note="from\nthe letter")
    first, second = store.entries(uid)
    assert (first.event, second.event) == (replace(EDEMA, patient="p1"), replace(VEGF, patient="p1"))
    assert (dict(second.raw), second.who, second.change_id, second.kind, second.supersedes) == (
        typed, ME, change.id, "entry", None)
    assert change.added == (first, second)
    assert (change.note, change.undoable, change.undone) == ("from the letter", True, False)
    assert first.entered_at == change.at
    assert change.at.utcoffset() is not None
    patient = store.rename(uid, "Anna, 2", change.id, ME)
    assert (patient.entries, patient.revision, patient.label) == (2, change.id + 1, "Anna, 2")
    assert {event.patient for event in store.events(uid)} == {"Anna, 2"}
    assert store.record(uid, date(2020, 1, 2)).events == (replace(EDEMA, patient="Anna, 2"),)
    assert store.record(uid).patient == "Anna, 2"


def test_a_correction_stands_where_the_wrong_one_stood(store: Store, uid: str) -> None:
    """The superseded entry is kept and no longer counts; order stays."""
    store.add(uid, [EDEMA, VEGF, replace(EDEMA, finding="papilledema")], ME)
    change = store.correct(uid, 2, replace(VEGF, value=95.0), "nurse", raw={"value": "95"}, note="typo")
    assert [entry.id for entry in store.entries(uid)] == [1, 4, 3]
    assert store.entry(uid, 4).supersedes == 2
    assert (store.is_current(uid, 2), store.is_current(uid, 4)) == (False, True)
    assert store.entry(uid, 2).event.value == 950.5
    assert ([one.id for one in change.added], [one.id for one in change.retired]) == ([4], [2])
    with pytest.raises(ConflictError) as caught:
        store.correct(uid, 2, EDEMA, ME)
    assert caught.value.current == store.entry(uid, 4)
    with pytest.raises(ConflictError) as caught:
        store.retract(uid, 2, ME)
    assert caught.value.current == store.entry(uid, 4)
    assert len(store.history(uid)) == 3  # a refused call leaves nothing


def test_undo_and_undo_of_undo(store: Store, uid: str) -> None:
    """Back and forth as often as asked; only the newest word on a matter can be taken back."""
    added = store.add(uid, [EDEMA], ME).id
    corrected = store.correct(uid, 1, VEGF, ME).id
    with pytest.raises(ConflictError) as caught:
        store.undo(uid, added, ME)
    assert (caught.value.change and caught.value.change.id) == corrected
    assert caught.value.current == store.entry(uid, 2)
    undone = store.undo(uid, corrected, ME)
    assert ([one.id for one in undone.added], [one.id for one in undone.retired]) == ([1], [2])
    assert findings(store, uid) == ["edema"]
    redone = store.undo(uid, undone.id, ME)
    assert (redone.kind, redone.undoes) == ("undo", undone.id)
    assert findings(store, uid) == ["vegf-plasma"]
    with pytest.raises(ConflictError, match="took it back"):
        store.undo(uid, undone.id, ME)
    history = {change.id: (change.undoable, change.undone) for change in store.history(uid)}
    assert history == {1: (False, False), added: (False, False), corrected: (False, False), undone.id: (False, True),
                       redone.id: (True, False)}
    store.undo(uid, redone.id, ME)
    store.undo(uid, added, ME)
    assert findings(store, uid) == []
    assert store.patient(uid).entries == 0
    with pytest.raises(ConflictError):
        store.undo(uid, store.history(uid)[1].id, ME)  # what it corrected is gone


def test_one_word_takes_a_whole_import_back(store: Store, uid: str) -> None:
    """An import keeps its issues beside it; undo retires all that it brought, and says so."""
    issues = (Issue("fault", "labs.csv, row 4, unit", "empty", "a unit", "Fill it."), Issue("note", "labs.csv", "x"))
    change = store.add(uid, [EDEMA, VEGF], ME, kind="import", source="labs\x07.csv", format="csv", issues=issues)
    assert change.issues == 2
    store.undo(uid, change.id, ME)
    empty = store.add(uid, [], ME, kind="import", source="nothing.csv", issues=issues[:1])
    last, first = store.imports(uid)
    assert (first.source, first.format, first.entries, first.undone, first.issues) == (
        "labs\N{REPLACEMENT CHARACTER}.csv", "csv", 2, True, issues)
    assert (last.change_id, last.entries, last.undone) == (empty.id, 0, False)
    assert findings(store, uid) == []


def test_undo_of_a_rename_and_a_label_that_is_taken_since(store: Store, uid: str) -> None:
    """The old label comes back, unless it is somebody else's by now."""
    renamed = store.rename(uid, "new", 1, ME)
    other = store.create("p1", ME)
    assert [change.undoable for change in store.history(uid)] == [False, False]
    with pytest.raises(DuplicateError):
        store.undo(uid, renamed.revision, ME)
    store.rename(other.uid, "p3", 1, ME)
    assert store.history(uid)[0].undoable
    change = store.undo(uid, renamed.revision, ME)
    assert (change.label, change.label_before) == ("p1", "new")
    assert store.find("p1") == store.patient(uid)


def test_labels_are_one_patients_each(store: Store, uid: str) -> None:
    """A taken label is refused, a removed patient's is free, and restoring says when it was given away."""
    with pytest.raises(DuplicateError):
        store.create(" p1 ", ME)
    second = store.create("p2", ME)
    with pytest.raises(DuplicateError):
        store.rename(second.uid, "p1", 1, ME)
    with pytest.raises(ConflictError) as caught:
        store.remove(uid, 7, ME)
    assert caught.value.change == store.history(uid)[0]
    store.remove(uid, 1, ME)
    assert [patient.label for patient in store.patients()] == ["p2"]
    assert [patient.uid for patient in store.patients(removed=True)] == [uid]
    for call in (store.patient, store.entries, store.history, store.record):
        with pytest.raises(MissingError, match="removed"):
            call(uid)
    with pytest.raises(MissingError):
        store.add(uid, [EDEMA], ME)
    taken = store.create("p1", ME)
    with pytest.raises(DuplicateError):
        store.restore(uid, ME)
    store.remove(taken.uid, 1, ME)
    assert store.restore(uid, ME).label == "p1"
    assert store.restore(uid, ME).revision == 3  # there is nothing to restore twice
    assert store.find("nobody") is None


@pytest.mark.parametrize("label", ["", "  ", "x" * 129, "a\nb", "a\x00b", "a\ud800"])
def test_labels_that_no_record_can_carry(label: str, store: Store) -> None:
    """Empty, too long, control signs, half a character."""
    with pytest.raises(InvalidError, match="label"):
        store.create(label, ME)
    assert store.patients() == ()


@pytest.mark.parametrize("event", [
    Event("", "edema"), Event("", "", status=PRESENT), Event("", "edema", status="maybe"),
    replace(VEGF, value=1e300),
    replace(VEGF, value=float("nan")), replace(VEGF, upper_limit=float("inf")), replace(VEGF, comparator="~"),
    replace(VEGF, specimen="blood"), replace(VEGF, value=None, status=PRESENT), replace(VEGF, method="a\nb"),
    replace(VEGF, value=True)])
def test_events_that_no_record_can_hold(event: Event, store: Store, uid: str) -> None:
    """Nothing of the call is stored; NaN would come back as nothing at all."""
    with pytest.raises(InvalidError, match="event"):
        store.add(uid, [EDEMA, event], ME)
    assert store.entries(uid) == ()


@pytest.mark.parametrize("raw", [{"a": float("nan")}, {"a": {1}}, {1: "a"}, {"a": 10**30}, {"a": "\ud800"}, ["a"],
                                 json.loads('{"a":' + "[" * 30 + "]" * 30 + "}")])
def test_raws_that_json_cannot_say(raw: Any, store: Store, uid: str) -> None:
    """They are refused before anything is written."""
    with pytest.raises(InvalidError, match="raw"):
        store.add(uid, [EDEMA], ME, raw=[raw])


def test_calls_that_say_nothing(store: Store, uid: str) -> None:
    """Nobody, nothing, and things that are not there."""
    with pytest.raises(InvalidError, match="who"):
        store.add(uid, [EDEMA], " ")
    with pytest.raises(InvalidError, match="nothing to add"):
        store.add(uid, [], ME)
    with pytest.raises(InvalidError, match="raw: 2 for 1"):
        store.add(uid, [EDEMA], ME, raw=[{}, {}])
    for call in (lambda: store.patient("nobody"), lambda: store.patient(""), lambda: store.entry(uid, 9),
                 lambda: store.retract(uid, 0, ME), lambda: store.undo(uid, 9, ME), lambda: store.change(uid, 9)):
        with pytest.raises(MissingError):
            call()
    with pytest.raises(ConflictError, match="no undo"):
        store.undo(uid, 1, ME)


def test_a_file_of_several_patients(store: Store, uid: str) -> None:
    """Known labels get theirs, new ones become patients; one bad row, and nothing of the file is there."""
    changes = store.add_patients({"p1": [EDEMA], "new": [VEGF, EDEMA]}, ME, raw={"new": [{"a": 1}, {}]})
    assert [(change.kind, len(change.added)) for change in changes] == [("import", 1), ("import", 2)]
    assert changes[0].uid == uid
    new = store.find("new")
    assert new is not None
    assert dict(store.entries(new.uid)[0].raw) == {"a": 1}
    with pytest.raises(InvalidError):
        store.add_patients({"p1": [EDEMA], "other": [replace(VEGF, value=float("nan"))]}, ME)
    assert [patient.label for patient in store.patients()] == ["new", "p1"]
    assert findings(store, uid) == ["edema"]


def test_the_audit_trail(store: Store, uid: str) -> None:
    """Every change leaves a line by itself; others are logged; pages go on where the last one ended."""
    store.add(uid, [EDEMA], "nurse")
    store.log("doctor", "read", uid)
    store.set_setting("mode", "patients", ME)
    store.set_setting("mode", "own", ME)
    assert (store.setting("mode"), store.setting("none", "x")) == ("own", "x")
    lines = store.audit()
    assert [(line.who, line.action, line.uid) for line in lines] == [
        (ME, "setting mode", ""), (ME, "setting mode", ""), ("doctor", "read", uid), ("nurse", "entry", uid),
        (ME, "create", uid)]
    assert store.audit(limit=2, before=lines[2].id) == lines[3:]
    assert store.audit(who="doctor") == store.audit(action="read") == lines[2:3]
    assert len(store.audit(uid=uid)) == 3


def test_rows_are_written_once(store: Store, uid: str) -> None:
    """The file itself refuses to change or lose a row, whoever asks."""
    change = store.add(uid, [EDEMA], ME, kind="import", issues=[Issue("note", "x", "y")])
    store.set_setting("a", "b", ME)
    store.undo(uid, change.id, ME)
    other = sqlite3.connect(store.path, isolation_level=None)
    other.execute("PRAGMA recursive_triggers = ON")
    for table in schema.TABLES:
        column = other.execute(f"SELECT name FROM pragma_table_info('{table}')").fetchone()[0]
        assert other.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
        for statement in (f"UPDATE {table} SET {column} = {column}", f"DELETE FROM {table}",
                          f"INSERT OR REPLACE INTO {table} SELECT * FROM {table}"):
            with pytest.raises(sqlite3.IntegrityError, match="written once"):
                other.execute(statement)
    other.close()
    assert store.check() == ()


def test_check_finds_what_does_not_add_up(store: Store, uid: str) -> None:
    """A row that another program slipped in shows."""
    store.add(uid, [EDEMA], ME)
    other = sqlite3.connect(store.path, isolation_level=None)
    other.execute("INSERT INTO move VALUES (1, 1, 1, 0)")
    other.close()
    assert [line for line in store.check() if "does not fit" in line]


def test_only_the_owner_may_read(store: Store, uid: str, tmp_path: Path) -> None:
    """The file, its log, a backup: 0600; a new folder 0700; a file with wider rights is narrowed."""
    store.add(uid, [EDEMA], ME)
    store.backup(tmp_path / "copy.db")
    for path in tmp_path.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
    store.path.chmod(0o644)
    Store.open(store.path).close()
    assert stat.S_IMODE(store.path.stat().st_mode) == 0o600
    Store.open(tmp_path / "new" / "deep" / "poems.db").close()
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o700


def test_every_connection_writes_through(store: Store, uid: str) -> None:
    """Write-ahead log, and the disk waits for every commit."""
    with store.file.reading() as one, store.file.reading() as two:
        for db in (one, two):
            assert db.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
            assert db.execute("PRAGMA synchronous").fetchone()[0] == 2
            assert db.execute("PRAGMA foreign_keys").fetchone()[0] == 1


# --- files that cannot be used

def untouched(path: Path, error: type[StoreError], words: str, key: str | None = None) -> None:
    """Opening fails by this name, and the file is as it was."""
    before = path.read_bytes()
    with pytest.raises(error, match=words):
        Store.open(path, key=key)
    assert path.read_bytes() == before


def test_a_file_that_is_no_store(tmp_path: Path) -> None:
    """Text, another program's database, half a header: named, and left as it is."""
    path = tmp_path / "poems.db"
    for content in (b"patient,finding\n" * 100, b"x", b"SQLite format 3\0" + b"\xff" * 200, os.urandom(8192)):
        path.write_bytes(content)
        untouched(path, CorruptError, "no store|damaged")
    path.unlink()
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE bookmark (a)")
    for version in (0, 1, 7):
        other.execute(f"PRAGMA user_version = {version}")
        other.commit()
        untouched(path, CorruptError, "another program")
    other.close()


def filled(path: Path, key: str | None = None) -> str:
    """A closed store with something in it; the uid of its patient."""
    with Store.open(path, key=key) as store:
        uid = store.create("p1", ME).uid
        store.add(uid, [EDEMA] * 300, ME, raw=[{"a": "x" * 100}] * 300)
    return uid


def test_a_damaged_file(tmp_path: Path) -> None:
    """Pages overwritten or cut off are found when it is opened."""
    path = tmp_path / "poems.db"
    filled(path)
    sound = path.read_bytes()
    for damaged in (sound[:len(sound) // 2], sound[:4096], sound[:20000] + b"\x13" * 8192 + sound[28192:],
                    sound[:100] + b"\x00" * 3000 + sound[3100:]):
        path.write_bytes(damaged)
        untouched(path, CorruptError, "damaged|another program")
    path.write_bytes(sound)
    Store.open(path).close()
    path.write_bytes(b"")
    path.with_name("poems.db-wal").write_bytes(b"something")
    untouched(path, CorruptError, "empty")


def test_a_log_is_not_folded_into_a_file_that_is_left_alone(tmp_path: Path) -> None:
    """After a crash a log stands beside the file. Where the file is damaged or newer, both stay as they are."""
    path, log = tmp_path / "poems.db", tmp_path / "poems.db-wal"
    uid = filled(path)
    with Store.open(path) as store:  # what a killed program leaves: the file, and a log that nobody folded back
        store.add(uid, [EDEMA] * 300, ME)
        sound, logged = path.read_bytes(), log.read_bytes()
    assert len(logged) > 10_000
    path.write_bytes(sound)
    log.write_bytes(logged)
    with Store.open(path) as store:
        assert len(store.entries(uid)) == 600  # the log counts
    damaged = sound[:4096] + b"\x13" * (len(sound) - 4096)
    path.write_bytes(damaged)
    log.write_bytes(logged)
    untouched(path, CorruptError, "damaged")
    assert log.read_bytes() == logged
    path.write_bytes(sound)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(schema, "VERSION", 0)
        untouched(path, NewerError, "newer poems")
    assert log.read_bytes() == logged


def test_damage_while_it_is_open(tmp_path: Path) -> None:
    """A page that goes bad later is named too."""
    path = tmp_path / "poems.db"
    uid = filled(path)
    with Store.open(path) as store:
        with path.open("r+b") as file:
            file.seek(4096)
            file.write(b"\x13" * (path.stat().st_size - 4096))
        with store.file.reading(), pytest.raises(CorruptError, match="damaged"):  # the other one has it in memory
            store.entries(uid)


def test_a_newer_file(tmp_path: Path) -> None:
    """A file of a newer poems is left alone."""
    path = tmp_path / "poems.db"
    filled(path)
    other = sqlite3.connect(path)
    other.execute(f"PRAGMA user_version = {schema.VERSION + 1}")
    other.commit()
    other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    other.close()
    untouched(path, NewerError, "newer poems")


def test_an_older_file_is_brought_up_to_date(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The steps run once, in one transaction, after a copy was put beside the file; one that fails changes nothing."""
    path = tmp_path / "poems.db"
    uid = filled(path)
    monkeypatch.setattr(schema, "VERSION", schema.VERSION + 1)
    monkeypatch.setattr(schema, "MIGRATIONS", {1: ("CREATE TABLE extra (a INTEGER) STRICT", "SELECT nonsense")})
    with pytest.raises(StoreError):
        Store.open(path)
    monkeypatch.setattr(schema, "MIGRATIONS", {1: ("CREATE TABLE extra (a INTEGER) STRICT",)})
    for _ in range(2):
        with Store.open(path) as store:
            assert len(store.entries(uid)) == 300
            with store.file.reading() as db:
                assert db.execute("SELECT count(*) FROM extra").fetchone() == (0,)
    monkeypatch.undo()
    copies = list(tmp_path.glob("poems.db.version-1.*"))
    assert len(copies) == 2  # before each attempt
    for copy in copies:
        with Store.open(copy) as old:
            assert len(old.entries(uid)) == 300


@pytest.mark.parametrize("place", ["", "file/poems.db", "/proc/poems/poems.db"])
def test_a_place_that_cannot_be_written(place: str, tmp_path: Path) -> None:
    """A folder, a path through a file, a system's own folder."""
    (tmp_path / "file").write_text("x")
    with pytest.raises(UnwritableError, match="Check the path"):
        Store.open(tmp_path / place)


def test_a_file_without_the_right_to_write(tmp_path: Path) -> None:
    """Somebody without rights gets a name for it (the superuser has them all, so another user tries)."""
    path = tmp_path / "poems.db"
    filled(path)
    path.chmod(0o444)
    code = ("import os, sys\n"
            "from poems.store import Store, UnwritableError\n"
            "if os.geteuid() == 0: os.setuid(65534)\n"
            f"try: Store.open({str(path)!r})\n"
            "except UnwritableError as error: print('named')\n")
    for folder in (tmp_path, tmp_path.parent, tmp_path.parent.parent):
        folder.chmod(0o755)
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert found.stdout == "named\n", found.stderr


def test_a_full_disk(store: Store, uid: str) -> None:
    """The call fails by name, nothing of it is there, and when there is room again it goes on."""
    store.add(uid, [EDEMA], ME)
    before = store.entries(uid), store.history(uid)
    with store.file.reading() as db:
        db.execute(f"PRAGMA max_page_count = {db.execute('PRAGMA page_count').fetchone()[0] + 1}")
    with pytest.raises(FullError, match="no room"):
        store.add(uid, [VEGF] * 2000, ME)
    assert (store.entries(uid), store.history(uid)) == before
    with store.file.reading() as db:
        db.execute("PRAGMA max_page_count = 1000000")
    store.add(uid, [VEGF] * 2000, ME)
    assert len(store.entries(uid)) == 2001
    assert store.check() == ()


FULL = """
import sys
from pathlib import Path
from poems.record import Event
from poems.store import FullError, Store, export_all
folder = Path(sys.argv[1])
store = Store.open(folder / "poems.db")
uid = store.create("p", "me").uid
acknowledged = 0
try:
    while True:
        store.add(uid, [Event("", "edema", status="present")] * 20, "me", raw=[{"a": "x" * 200}] * 20)
        acknowledged += 20
except FullError:
    pass
assert len(store.entries(uid)) == acknowledged > 0, (len(store.entries(uid)), acknowledged)
for attempt in (store.backup, lambda path: export_all(store, path)):
    try:
        attempt(folder / "copy")
    except FullError:
        pass
    else:
        raise SystemExit("the copy fitted")
assert sorted(path.name for path in folder.iterdir() if not path.name.startswith("poems.db")) == []
assert store.check() == ()
store.close()
with Store.open(folder / "poems.db") as store:
    assert len(store.entries(uid)) == acknowledged
print("sound", acknowledged)
"""


def test_a_disk_that_is_really_full(tmp_path: Path) -> None:
    """On a real file system of two megabytes: all that was acknowledged is there, and no half of a copy."""
    script = tmp_path / "full.py"
    script.write_text(FULL)
    mount = f"mount -t tmpfs -o size=2m none {tmp_path}/small && exec {sys.executable} {script} {tmp_path}/small"
    (tmp_path / "small").mkdir()
    found = subprocess.run(["unshare", "-rm", "sh", "-c", mount], capture_output=True, text=True, check=False)
    if "unshare" in found.stderr or "mount:" in found.stderr:
        pytest.skip("this machine lets nobody mount a small file system")
    assert found.stdout.startswith("sound"), found.stderr


def test_another_process_holds_it(store: Store, uid: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading goes on; a write that cannot wait any longer is refused by name."""
    other = sqlite3.connect(store.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    monkeypatch.setattr(store.file, "writing", partial(store.file.writing, 0.05))
    with pytest.raises(BusyError, match="Try again"):
        store.add(uid, [EDEMA], ME)
    assert store.entries(uid) == ()
    other.execute("ROLLBACK")
    other.close()
    store.add(uid, [EDEMA], ME)


def test_a_closed_store(store: Store, uid: str) -> None:
    """It says so."""
    store.close()
    with pytest.raises(StoreError, match="closed"):
        store.entries(uid)


# --- encryption

def test_an_encrypted_store(tmp_path: Path) -> None:
    """Nothing of it can be read on the disk, its backup has the same key, and a wrong key is named."""
    pytest.importorskip("sqlcipher3")
    path, key = tmp_path / "poems.db", "correct horse 'battery' staple"
    with Store.open(path, key=key) as store:
        assert store.encrypted
        uid = store.create("Jane Roe", ME).uid
        store.add(uid, [EDEMA], ME, raw=[{"typed": "a secret word"}])
        store.backup(tmp_path / "copy.db")
        for file in tmp_path.iterdir():
            assert not [word for word in (b"Jane", b"edema", b"secret", b"SQLite") if word in file.read_bytes()], file
    for file in (path, tmp_path / "copy.db"):
        with Store.open(file, key=key) as again:
            assert findings(again, uid) == ["edema"]
            assert again.check() == ()
        untouched(file, WrongKeyError, "Check the key", key="correct horse battery staple")
        untouched(file, CorruptError, "encrypted")
    filled(tmp_path / "plain.db")
    untouched(tmp_path / "plain.db", WrongKeyError, "not encrypted", key=key)
    damaged = path.read_bytes()
    path.write_bytes(damaged[:8192] + b"\x13" * 4096 + damaged[12288:])
    untouched(path, CorruptError, "damaged", key=key)


def test_a_key_without_the_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message says what to install; nothing is made, least of all a file that is not encrypted."""
    monkeypatch.setitem(sys.modules, "sqlcipher3", None)
    monkeypatch.setitem(sys.modules, "sqlcipher3.dbapi2", None)
    with pytest.raises(NeedsLibraryError, match=r"poems\[encrypted\]"):
        Store.open(tmp_path / "poems.db", key="x")
    for key in ("", "a\0b"):
        with pytest.raises(InvalidError, match="key"):
            Store.open(tmp_path / "poems.db", key=key)
    assert list(tmp_path.iterdir()) == []


# --- backup, threads, processes

def test_a_backup_while_others_write(store: Store, uid: str, tmp_path: Path) -> None:
    """Each copy is sound and of one moment: pairs that were added together are there together."""
    done = threading.Event()

    def write() -> int:
        count = 0
        while not done.is_set():
            store.add(uid, [EDEMA, VEGF], ME)
            count += 1
        return count

    with ThreadPoolExecutor(2) as pool:
        writers = [pool.submit(write) for _ in range(2)]
        copies = [store.backup(tmp_path / f"copy-{number}.db") for number in range(5)]
        done.set()
        assert sum(writer.result() for writer in writers) == store.patient(uid).entries / 2
    sizes = []
    for path in copies:
        with Store.open(path) as copy:
            sizes.append(len(copy.entries(uid)))
            assert copy.check() == ()
    assert sizes == sorted(sizes)
    assert not [size for size in sizes if size % 2]
    with pytest.raises(InvalidError, match="nothing is overwritten"):
        store.backup(copies[0])
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


KILLED = """
import os, signal, sys
from pathlib import Path
from poems.store import Store, connection
def killed(*_): os.kill(os.getpid(), signal.SIGKILL)
store = Store.open(sys.argv[1])
if sys.argv[2] == "migrate":
    connection.publish = killed
    with store.file.reading() as db:
        store.file.copy(db, store.path.with_name(store.path.name + ".version-1.x"))
else:
    Path.open = killed
    store.opened_backup()
"""


@pytest.mark.parametrize("way", ["migrate", "backup"])
def test_what_a_killed_copy_leaves_is_swept_away(way: str, tmp_path: Path) -> None:
    """Half a copy beside the database, with all records in it: the next start removes it; not that of the living."""
    path = tmp_path / "poems.db"
    filled(path)
    stranger = tmp_path / ".poems.db.notes"
    stranger.write_text("mine")
    assert subprocess.run([sys.executable, "-c", KILLED, str(path), way], check=False).returncode == -9
    assert [one.name for one in tmp_path.rglob("copy")] == ["copy"]
    with Store.open(path) as store:
        assert list(tmp_path.rglob("copy")) == []
        with store.file.reading() as db, store.file._copied(db, path) as living:
            Store.open(path).close()
            assert living.stat().st_size > 1000
        assert sorted(one.name for one in tmp_path.iterdir() if "poems.db-" not in one.name) == [
            ".poems.db.notes", "poems.db"]


def test_a_backup_without_a_name(store: Store, uid: str, tmp_path: Path) -> None:
    """It can be read, and stands nowhere on the disk any more."""
    store.add(uid, [EDEMA], ME)
    before = sorted(tmp_path.iterdir())
    with store.opened_backup() as file:
        assert sorted(tmp_path.iterdir()) == before
        (tmp_path / "again.db").write_bytes(file.read())
    with Store.open(tmp_path / "again.db") as again:
        assert again.entries(uid) == store.entries(uid)


def test_fifty_parallel_editors(store: Store, uid: str) -> None:
    """Fifty correct the same entry at once: each is applied, or told what stands there; no word is lost unseen."""
    store.add(uid, [replace(VEGF, value=0.0)], ME)
    ready = threading.Barrier(50)

    def edit(editor: int) -> tuple[list[float], int]:
        applied, conflicts, seen = [], 0, 1
        ready.wait()
        while len(applied) < 4:
            try:
                change = store.correct(uid, seen, replace(VEGF, value=editor + len(applied) / 10), f"editor {editor}")
                applied.append(editor + len(applied) / 10)
                seen = change.added[0].id
            except ConflictError as conflict:
                assert conflict.current is not None
                conflicts, seen = conflicts + 1, conflict.current.id
        return applied, conflicts

    with ThreadPoolExecutor(50) as pool:
        results = list(pool.map(edit, range(50)))
    entries = [store.entry(uid, number) for number in range(2, 202)]
    assert sorted(entry.event.value or 0.0 for entry in entries) == sorted(
        value for applied, _ in results for value in applied)
    assert [entry.supersedes for entry in entries] == list(range(1, 201))  # one line, no fork
    assert [entry.id for entry in store.entries(uid)] == [201]
    assert sum(conflicts for _, conflicts in results) > 0
    assert store.check() == ()


EDITOR = """
import sys
from poems.record import Event
from poems.store import ConflictError, Store
path, uid, who = sys.argv[1:]
applied, seen = 0, 1
with Store.open(path) as store:
    while applied < 25:
        try:
            event = Event("", "edema", status="present", source=f"{who}.{applied}")
            seen = store.correct(uid, seen, event, who).added[0].id
            applied += 1
        except ConflictError as conflict:
            seen = conflict.current.id
"""


def test_several_processes_on_one_file(store: Store, uid: str) -> None:
    """Four programs open it at once and correct the same entry: all hundred words stand in the history, in one line."""
    store.add(uid, [EDEMA], ME)
    editors = [subprocess.Popen([sys.executable, "-c", EDITOR, str(store.path), uid, f"e{number}"])
               for number in range(4)]
    assert [editor.wait() for editor in editors] == [0] * 4
    history = store.history(uid)
    assert sorted(change.added[0].event.source for change in history if change.kind == "correction") == sorted(
        f"e{number}.{word}" for number in range(4) for word in range(25))
    assert len(store.entries(uid)) == 1
    assert store.check() == ()


MAKER = """
import sys
from poems.store import Store
with Store.open(sys.argv[1]) as store:
    store.create(sys.argv[2], "me")
"""


def test_several_processes_make_one_file(tmp_path: Path) -> None:
    """All of them may find no file there; one makes it, and all of them write."""
    path = tmp_path / "poems.db"
    makers = [subprocess.Popen([sys.executable, "-c", MAKER, str(path), f"p{number}"]) for number in range(6)]
    assert [maker.wait() for maker in makers] == [0] * 6
    with Store.open(path) as store:
        assert [patient.label for patient in store.patients()] == [f"p{number}" for number in range(6)]


def test_a_store_is_not_carried_over_a_fork(store: Store, uid: str) -> None:
    """SQLite forbids it, so the store does."""
    child = os.fork()
    if child == 0:
        try:
            store.entries(uid)
        except StoreError:
            os._exit(7)
        os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
