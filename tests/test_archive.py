"""The archive: everything out and in again, equal; and what comes from strangers is refused before it is believed."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import random
import stat
import struct
import tempfile
import threading
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from events import some

from poems.adapters import read
from poems.errors import Issue
from poems.knowledge import Knowledge
from poems.record import PRESENT, Event
from poems.store import ArchiveError, FullError, InvalidError, Store, export_all, import_all, unpacked
from poems.store.archive import lay_aside
from poems.web import reading
from poems.web.reading import archive_reader
from poems.web.settings import Limits

ME = "me"
EDEMA = Event("", "edema", date(2020, 1, 2), PRESENT, source="typed")
Members = dict[str, bytes]


@pytest.fixture
def store(tmp_path: Path, knowledge: Knowledge) -> Iterator[Store]:
    """A store in which all kinds of things have happened."""
    with Store.open(tmp_path / "poems.db") as made:
        first = made.create("Anna, 1 <b>", ME)
        made.add(first.uid, some(knowledge, random.Random(1), 30), ME, raw=[{"typed": "é\n", "n": 1.5}] * 30, note="a")
        corrected = made.correct(first.uid, 3, EDEMA, "nurse")
        undone = made.undo(first.uid, corrected.id, ME)
        made.undo(first.uid, undone.id, ME)
        made.retract(first.uid, 5, ME)
        made.add(first.uid, [EDEMA], ME, kind="import", source="x.csv", format="csv",
                 issues=[Issue("fault", "x.csv, row 2", "empty", "a unit", "Fill it.")])
        second = made.create("=cmd|'/c calc'!A1", ME)
        made.rename(second.uid, "B", 1, ME)
        made.add(second.uid, [Event("", "vegf-plasma", value=0.1 + 0.2, unit="pg/mL", specimen="plasma")], ME)
        made.remove(made.create("B gone", ME).uid, 1, ME)
        made.create("nothing yet", ME)
        yield made


@pytest.fixture
def other(tmp_path: Path) -> Iterator[Store]:
    """An empty store."""
    with Store.open(tmp_path / "other.db") as made:
        yield made


@pytest.fixture
def archive(store: Store, knowledge: Knowledge) -> bytes:
    """The archive of the store."""
    return packed_store(store, knowledge)


def packed_store(store: Store, knowledge: Knowledge) -> bytes:
    """The archive of a store, in memory."""
    box = io.BytesIO()
    export_all(store, box, knowledge)
    return box.getvalue()


def everything(store: Store) -> Any:
    """All that a store says."""
    present, removed = store.patients(), store.patients(removed=True)
    return present, removed, [(store.entries(one.uid), store.history(one.uid), store.imports(one.uid))
                              for one in present]


def members(archive: bytes) -> Members:
    """Its files."""
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        return {name: opened.read(name) for name in opened.namelist()}


def packed(files: Members, *, seal: bool = True, **manifest: Any) -> bytes:
    """An archive of these files; with a manifest that fits them, unless asked otherwise."""
    if seal:
        hashes = {name: {"sha256": hashlib.sha256(data).hexdigest()} for name, data in files.items()}
        del hashes["manifest.json"]
        tree = json.loads(files["manifest.json"]) | {"members": hashes} | manifest
        files = files | {"manifest.json": json.dumps(tree).encode()}
    box = io.BytesIO()
    with zipfile.ZipFile(box, "w", zipfile.ZIP_DEFLATED) as made:
        for name, data in files.items():
            made.writestr(name, data)
    return box.getvalue()


def refused(store: Store, archive: bytes, words: str, **limits: Any) -> None:
    """Nothing of it is taken in, and the message says why."""
    before = everything(store)
    with pytest.raises(ArchiveError, match=words) as caught:
        import_all(store, io.BytesIO(archive), ME, **limits)
    assert "Nothing was taken in" in str(caught.value)
    assert everything(store) == before


def test_everything_comes_back(store: Store, other: Store, knowledge: Knowledge, tmp_path: Path) -> None:
    """Every patient, entry, change, import and issue is equal, removed ones too; twice brings nothing more."""
    path = tmp_path / "all.zip"
    export_all(store, path, knowledge)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with pytest.raises(InvalidError, match="nothing is overwritten"):
        export_all(store, path, knowledge)
    outcome = import_all(other, path, ME)
    assert set(outcome.added) == {one.uid for one in (*store.patients(), *store.patients(removed=True))}
    assert (outcome.extended, outcome.same, outcome.diverged, outcome.issues) == ((), (), (), ())
    assert everything(other) == everything(store)
    assert other.restore(other.patients(removed=True)[0].uid, ME).label == "B gone"
    assert {line.action for line in other.audit()} == {"import archive", "restore"}
    again = import_all(other, path, ME)
    assert (len(again.same), again.added, again.diverged) == (4, (), ())
    assert not [one for one in tmp_path.iterdir() if one.name.startswith(".")]


def test_the_files_for_reading(archive: bytes, store: Store, knowledge: Knowledge) -> None:
    """CSV, FHIR and phenopackets hold what counts, readable by our own readers; the manifest says who is which."""
    files = members(archive)
    manifest = json.loads(files["manifest.json"])
    assert set(manifest["members"]) == set(files) - {"manifest.json"}
    labels = {one["label"]: one for one in manifest["patients"]}
    events = {one.label: store.events(one.uid) for one in store.patients() if one.entries}
    found = [replace(event, source="") for event in read(files["events.csv"], knowledge, today=date.today()).events]
    assert found == [replace(event, source="") for label in sorted(events) for event in events[label]]
    for label, known in events.items():
        for form in ("fhir", "phenopackets"):
            again = read(files[f"{form}/{labels[label]['number']}.json"], knowledge, today=date.today())
            assert {event.patient for event in again.events} == {label}
            assert sorted(event.finding for event in again.events) == sorted(event.finding for event in known)
    assert labels["B gone"]["removed"]
    assert not [cell for row in csv.reader(io.StringIO(files["events.csv"].decode())) for cell in row
                if cell[:1] in tuple("=+-@")]


def test_going_on_in_two_places(store: Store, other: Store, knowledge: Knowledge) -> None:
    """A patient who went on there is extended here; one who went on here stays; on both sides, it is said."""
    import_all(other, io.BytesIO(packed_store(store, knowledge)), ME)
    anna, b, nobody = (store.find(label) for label in ("Anna, 1 <b>", "B", "nothing yet"))
    assert anna
    assert b
    assert nobody
    store.add(anna.uid, [EDEMA], "there")
    other.add(b.uid, [EDEMA], "here")
    store.add(nobody.uid, [EDEMA], "there")
    other.add(nobody.uid, [EDEMA], "here")
    here = everything(other)
    outcome = import_all(other, io.BytesIO(packed_store(store, knowledge)), ME)
    assert (outcome.extended, outcome.diverged, outcome.added, len(outcome.same)) == ((anna.uid,), (nobody.uid,), (), 2)
    assert [issue.level for issue in outcome.issues] == ["caution"]
    assert other.history(anna.uid) == store.history(anna.uid)
    assert everything(other)[0][1:] == here[0][1:]


def test_a_label_that_is_taken_here(store: Store, other: Store, knowledge: Knowledge) -> None:
    """The newcomer gets a number; its history is kept, and a second import changes nothing."""
    for label in ("B", "B (2)"):
        other.create(label, ME)
    archive = packed_store(store, knowledge)
    outcome = import_all(other, io.BytesIO(archive), "admin")
    b = store.find("B")
    assert b
    assert ["label is another patient's here" in issue.found for issue in outcome.issues] == [True]
    assert other.patient(b.uid).label == "B (3)"
    assert [change.kind for change in other.history(b.uid)] == ["rename", *(one.kind for one in store.history(b.uid))]
    assert not [one for one in import_all(other, io.BytesIO(archive), "admin").same if one not in outcome.added]
    assert len({one.label for one in other.patients()}) == len(other.patients())


def test_findings_that_this_knowledge_does_not_know(store: Store, other: Store, knowledge: Knowledge) -> None:
    """They are kept and said."""
    uid = store.create("x", ME).uid
    store.add(uid, [Event("", "not-yet-known", status=PRESENT)], ME)
    outcome = import_all(other, io.BytesIO(packed_store(store, knowledge)), ME)
    assert ["does not know" in issue.found for issue in outcome.issues] == [True]
    assert other.events(uid)[0].finding == "not-yet-known"


def test_an_archive_is_of_one_moment(store: Store, other: Store, knowledge: Knowledge) -> None:
    """While others write, pairs that were added together are in it together."""
    uid, done = store.create("pairs", ME).uid, threading.Event()

    def write() -> None:
        while not done.is_set():
            store.add(uid, [EDEMA, EDEMA], ME)

    writer = threading.Thread(target=write)
    writer.start()
    archive = packed_store(store, knowledge)
    done.set()
    writer.join()
    import_all(other, io.BytesIO(archive), ME)
    assert len(other.entries(uid)) % 2 == 0
    assert other.check() == ()


# --- archives of strangers

@pytest.mark.parametrize("data", [b"", b"PK\x03\x04", b"x" * 5000, b"PK\x05\x06" + b"\0" * 18, b"patient,finding\n"])
def test_what_is_no_archive(data: bytes, store: Store) -> None:
    """Empty, cut, something else, an empty zip."""
    refused(store, data, "archive")


def test_a_path_that_is_not_there(store: Store, tmp_path: Path) -> None:
    """A missing file, a folder."""
    for path in (tmp_path / "nowhere.zip", tmp_path):
        with pytest.raises(ArchiveError, match="cannot be read"):
            import_all(store, path, ME)


@pytest.mark.parametrize("name", [
    "../evil.json", "/etc/passwd", "history/../../x.json", "history/1.json/x", "C:\\x.json", "history\\1.json",
    "fhir/0.json", "history/1.JSON", "x", "history/", "fhir/9.json\x01.exe"])
def test_names_that_we_do_not_write(name: str, archive: bytes, store: Store) -> None:
    """Traversal, absolute paths, folders, names with tricks: refused, though nothing would be unpacked to a disk."""
    refused(store, packed(members(archive) | {name: b"{}"}), "name")


def test_a_name_that_ends_early(archive: bytes, store: Store) -> None:
    """A zero byte would hide the rest of a name."""
    files = members(archive)
    named = {name.removesuffix("\x01.exe"): {"sha256": hashlib.sha256(data).hexdigest()}
             for name, data in (files | {"fhir/9.json\x01.exe": b"{}"}).items() if name != "manifest.json"}
    crafted = packed(files | {"fhir/9.json\x01.exe": b"{}"}, members=named)
    refused(store, crafted.replace(b".json\x01", b".json\x00"), "name that we do not write")


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_members_of_one_name(archive: bytes, store: Store) -> None:
    """Which of them would count? Neither."""
    box = io.BytesIO(archive)
    with zipfile.ZipFile(box, "a") as opened:
        opened.writestr("history/1.json", b"{}")
    refused(store, box.getvalue(), "two members of one name")


def changed(files: Members, change: Callable[[Any], None], name: str = "history/2.json") -> Members:
    """The files with one of them changed."""
    tree = json.loads(files[name])
    change(tree)
    return files | {name: json.dumps(tree).encode()}


def test_hashes_and_lists_that_do_not_fit(archive: bytes, store: Store) -> None:
    """A changed member, one too many, one too few, no manifest, another program's."""
    files = members(archive)
    refused(store, packed(changed(files, lambda tree: tree["changes"].pop()), seal=False), "history/2.json: not what")
    refused(store, packed(files | {"events.csv": b"x"}, seal=False), "events.csv: not what")
    refused(store, packed(files | {"fhir/99.json": b"{}"}, seal=False), "other members")
    for missing, words in (("history/1.json", "other members"), ("manifest.json", "no manifest")):
        refused(store, packed({name: files[name] for name in files if name != missing}, seal=False), words)
    refused(store, packed(files | {"manifest.json": b"[]"}, seal=False), "not the manifest")
    refused(store, packed(files, format="zip"), "not the manifest")
    refused(store, packed(files, version=2), "newer poems")
    refused(store, packed(files, version=True), "no version")


def test_bombs(archive: bytes, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """What unpacks to far more than it is, is not unpacked; nor what is more than the caller allows."""
    files = members(archive)
    refused(store, packed(files | {"fhir/1.json": b"0" * 20_000_000}), "unpacks to more")
    refused(store, archive, "unpacks to more", most_bytes=1000)
    monkeypatch.setattr(unpacked, "MOST_PARSED", 3000)
    refused(store, archive, "larger than any history")
    monkeypatch.setattr(unpacked, "MOST_MEMBERS", 3)
    refused(store, archive, "more members")


def test_members_that_lie_over_each_other(store: Store) -> None:
    """Fifty entries of the directory that name the same bytes: together they are larger than the file."""
    whole = packed({"fhir/10.json": random.Random(1).randbytes(20_000)}, seal=False)
    place, end = whole.index(b"PK\x01\x02"), whole.index(b"PK\x05\x06")
    directory = b"".join(whole[place:end].replace(b"fhir/10", b"fhir/%d" % number) for number in range(10, 60))
    tail = struct.pack("<4sHHHHLLH", b"PK\x05\x06", 0, 0, 50, 50, len(directory), place, 0)
    refused(store, whole[:place] + directory + tail, "unpacks to more")


def test_encrypted_members_links_and_other_packings(archive: bytes, store: Store) -> None:
    """A member that is not plainly a packed file."""
    files = members(archive)
    flagged = bytearray(archive)
    flagged[flagged.index(b"PK\x01\x02") + 8] |= 1
    refused(store, bytes(flagged), "encrypted")
    for method, mode in ((zipfile.ZIP_BZIP2, 0o100600), (zipfile.ZIP_DEFLATED, 0o120777)):
        box = io.BytesIO()
        with zipfile.ZipFile(box, "w") as made:
            for name, data in files.items():
                info = zipfile.ZipInfo(name)
                info.compress_type, info.external_attr = method, mode << 16
                made.writestr(info, data)
        refused(store, box.getvalue(), "packed in another way, or no plain file")


@pytest.mark.parametrize("data", [
    b"[" * 100_000, b'{"uid": "aaaaaaaa", "uid": "bbbbbbbb", "changes": []}', b"{", b"", b"\xff", b"null", b"[]", b"{}",
    b'{"uid": "aaaaaaaa", "changes": ' + b"[" * 70 + b"]" * 70 + b"}", b'{"uid": "../../etc/x", "changes": []}',
    b'{"uid": "aaaaaaaa", "changes": []}', b'{"uid": "aaaaaaaa", "changes": [], "x": 1}', b'{"uid": 7, "changes": []}',
    b'{"uid": "aaaaaaaa", "changes": [NaN]}', b'{"uid": "aaaaaaaa", "changes": [[]]}', b'{"changes": "x"}'])
def test_histories_that_are_none(data: bytes, archive: bytes, store: Store) -> None:
    """Deep, doubled, cut, empty, of other types."""
    refused(store, packed(members(archive) | {"history/1.json": data}), "history/1.json")


def put(number: int, key: str, value: Any) -> Callable[[Any], None]:
    """A field of a change, set."""
    return lambda tree: tree["changes"][number].__setitem__(key, value)


def put_entry(key: str, value: Any) -> Callable[[Any], None]:
    """A field of the first entry, set."""
    return lambda tree: next(change for change in tree["changes"] if "entries" in change)["entries"][0].__setitem__(
        key, value)


WRONG = [
    put(0, "kind", "entry"), put(0, "named", ""), put(0, "named", "a\nb"), put(0, "who", ""), put(0, "who", "a\x07"),
    put(0, "at", "yesterday"), put(0, "at", "2020-01-01T00:00:00"), put(0, "at", "2020-01-01T00:00:00.000000+02:00"),
    put(1, "note", 7), put(1, "note", "x" * 3000), put(1, "kind", "undo"), put(1, "undoes", 1), put(1, "retired", [1]),
    put(1, "named", "x"), put(1, "x", 1), put(1, "back", [1]), put(1, "entries", []), put(1, "entries", {}),
    put(1, "issues", [["note", "a", "b", "", ""]]), put(2, "retired", [99]), put(2, "retired", [1]),
    put(2, "retired", [3, 4]), put(2, "retired", [True]), put(2, "retired", "3"), put(2, "kind", "retraction"),
    put(3, "undoes", 1), put(3, "undoes", 99), put(3, "back", [4]), put(3, "undoes", None), put(5, "retired", [5, 5]),
    put(6, "issues", [["worse", "a", "b", "", ""]]), put(6, "issues", [["note", "a"]]), put(6, "issues", ["note"]),
    put_entry("number", 2), put_entry("finding", "<script>"), put_entry("finding", ""), put_entry("value", "12"),
    put_entry("value", True), put_entry("status", "perhaps"), put_entry("date", "02.01.2020"), put_entry("date", 7),
    put_entry("unit", 7), put_entry("raw", []), put_entry("raw", "x"), put_entry("supersedes", 1), put_entry("x", 1),
    put_entry("patient", "q"), put_entry("specimen", "blood"), put_entry("comparator", "~"), put_entry("source", 7),
    lambda tree: tree["changes"].pop(0), lambda tree: tree["changes"].reverse(),
    lambda tree: tree["changes"].append(tree["changes"][-1]), lambda tree: tree["changes"].append({"kind": "restore"})]


@pytest.mark.parametrize("number", range(len(WRONG)))
def test_histories_that_contradict_themselves(number: int, archive: bytes, store: Store, other: Store) -> None:
    """Every field of the wrong type or value, and every story that could not have happened, is refused."""
    files = members(archive)
    name = next(name for name, data in files.items() if name.startswith("history/") and b'"nurse"' in data)
    crafted = packed(changed(files, WRONG[number], name))
    assert crafted != archive
    refused(other, crafted, name)


def test_one_patient_twice(archive: bytes, other: Store) -> None:
    """Two histories of one uid: which is it?"""
    files = members(archive)
    refused(other, packed(files | {"history/9.json": files["history/1.json"]}), "twice")


def test_bytes_changed_anywhere(archive: bytes, other: Store) -> None:
    """Whatever byte is flipped: the archive is refused, or what it brings is what it had to bring; never half of it."""
    dice, sound = random.Random(3), None
    for _ in range(150):
        data = bytearray(archive)
        data[dice.randrange(len(data))] ^= 1 << dice.randrange(8)
        try:
            outcome = import_all(other, io.BytesIO(bytes(data)), ME)
        except ArchiveError:
            continue
        assert len(outcome.added) + len(outcome.same) == 4
        sound = sound or everything(other)
        assert everything(other) == sound
    assert other.check() == ()


def test_no_room_for_the_archive(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                                 knowledge: Knowledge) -> None:
    """A full disk is named, and no half of an archive stays."""
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("poems.store.archive.publish", full)
    with pytest.raises(FullError):
        export_all(store, tmp_path / "all.zip", knowledge)
    assert not [path for path in tmp_path.iterdir() if "zip" in path.name]


# --- reading that costs too much

def undone(length: int, uid: str = "aaaaaaaa", label: str = "u1") -> bytes:
    """A history in which one entry is taken back and brought back, again and again."""
    at = "2024-01-01T00:00:00.000000+00:00"
    begun = {"who": ME, "at": at}
    changes: list[Any] = [
        {"number": 1, "kind": "create", "named": label, **begun},
        {"number": 2, "kind": "entry", "entries": [{"finding": "edema", "status": "present", "number": 1}], **begun}]
    changes += [{"number": number, "kind": "undo", "undoes": number - 1, "retired" if number % 2 else "back": [1],
                 **begun} for number in range(3, 3 + length)]
    return json.dumps({"uid": uid, "changes": changes}).encode()


def crafted(*stories: bytes, **more: bytes) -> bytes:
    """An archive of these histories."""
    manifest = json.dumps({"format": "poems-archive", "version": 1, "patients": []}).encode()
    return packed({"manifest.json": manifest, **more, **{
        f"history/{number}.json": story for number, story in enumerate(stories, 1)}})


def test_nobody_waits_while_an_archive_is_read(archive: bytes, other: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything is parsed and checked once, before the database is locked."""
    is_held, read_at = False, []
    real_writing, real_read = other.file.writing, unpacked.told.read

    @contextmanager
    def writing() -> Iterator[Any]:
        nonlocal is_held
        with real_writing() as db:
            is_held = True
            yield db
        is_held = False

    def reading(*given: Any) -> Any:
        read_at.append(is_held)
        return real_read(*given)

    monkeypatch.setattr(other.file, "writing", writing)
    monkeypatch.setattr(unpacked.told, "read", reading)
    assert len(import_all(other, io.BytesIO(archive), ME).added) == 4
    assert read_at == [False] * 4


def test_many_patients_of_one_name_get_their_numbers_at_once(other: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """A few steps for each, not one for each of those before it; the numbers go up."""
    from poems.store import archive as module

    looks = 0

    def named(label: str) -> str:
        nonlocal looks
        looks += 1
        return label

    monkeypatch.setattr(module, "named", named)
    names = ["x", "y" * 128]
    outcome = import_all(other, io.BytesIO(crafted(*(
        undone(1, f"uid-{number:05d}", names[number % 2]) for number in range(200)))), ME)
    assert len(outcome.added) == 200
    assert looks < 200 * 8
    labels = {one.label for one in other.patients()}
    assert labels == {"x", "y" * 128, *(f"x ({number})" for number in range(2, 101)), *(
        f"{'y' * 112} ({number})" for number in range(2, 101))}


def test_an_archive_is_read_beside(archive: bytes, store: Store, other: Store,
                                   monkeypatch: pytest.MonkeyPatch) -> None:
    """The app lets another process read it: what comes is the same, and what is refused says why."""
    from poems.store import archive as module

    def here(*_: Any) -> Any:
        raise AssertionError("it was read in this process")

    with tempfile.SpooledTemporaryFile() as file:
        file.write(archive)
        with monkeypatch.context() as patch:
            patch.setattr(module, "histories", here)
            assert len(import_all(other, file, ME, reader=archive_reader(Limits())).added) == 4  # type: ignore[arg-type]
    assert everything(other) == everything(store)
    refused(other, packed(members(archive) | {"../x": b""}), "name that we do not write", reader=beside(Limits()))
    refused(other, archive, "unpacks to more", most_bytes=1000, reader=beside(Limits()))


def beside(limits: Limits) -> Any:
    """Reads bytes in memory as the app reads what was sent."""
    def by_another(source: Any, most_bytes: int, aside: Any) -> int:
        with tempfile.TemporaryFile() as file:
            file.write(source.read())
            return archive_reader(limits)(file, most_bytes, aside)

    return by_another


def test_an_archive_that_takes_too_much_is_stopped(archive: bytes, other: Store, tmp_path: Path,
                                                    monkeypatch: pytest.MonkeyPatch) -> None:
    """Half a megabyte that is a gigabyte in memory, or minutes of work: it costs another process, and no file stays."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    bomb = crafted(b'{"uid":"aaaaaaaa","changes":[' + b"{}," * 4_000_000 + b"{}]}",
                   **{"README.txt": random.Random(1).randbytes(400_000)})
    refused(other, bomb, "too much memory", reader=beside(Limits(memory=200 << 20)))
    monkeypatch.setattr(reading, "ARCHIVE_SECONDS", 0.3)
    refused(other, crafted(undone(60_000)), "too long", reader=beside(Limits()))
    monkeypatch.setattr(reading, "ARCHIVE_SECONDS", 60.0)
    assert len(import_all(other, io.BytesIO(archive), ME, reader=beside(Limits())).added) == 4
    assert list(folder.iterdir()) == []


def test_a_copy_of_the_database_is_told_from_a_broken_archive(tmp_path: Path) -> None:
    """Whoever brings back a backup where an archive is asked for is told what to do with it."""
    with Store.open(tmp_path / "a.db") as store:
        store.backup(tmp_path / "backup.db")
        with pytest.raises(ArchiveError, match="poems serve --database"):
            import_all(store, tmp_path / "backup.db", "me")
        (tmp_path / "broken.zip").write_bytes(b"PK no zip")
        with pytest.raises(ArchiveError, match="copied to the end"):
            import_all(store, tmp_path / "broken.zip", "me")


def test_an_archive_that_finds_no_room_is_said(archive: bytes) -> None:
    """On a full disk, also where the last of it is only then written."""
    with open("/dev/full", "wb") as full, pytest.raises(FullError):  # noqa: PTH123
        lay_aside(io.BytesIO(archive), 1 << 30, full)
