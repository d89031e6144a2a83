"""An attacker's tour: what a file, a form or an archive may hold, and what it must not do."""

from __future__ import annotations

import io
import json
import tempfile
import threading
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import duckdb
import httpx
import pytest
from web_made import EXAMPLE, ROOT, Served, fill, until

from poems.knowledge import Knowledge
from poems.record import COLUMNS
from poems.store import Store, export_all
from poems.web import reading
from poems.web.guard import Refused
from poems.web.reading import read_file
from poems.web.settings import Limits

EVIL = (
    "\"'><img src=x data-evil=1 onerror=alert(1)>{{7*191}}--><script data-evil=1>alert(1)</script>&lt;b data-evil&gt;"
)
DATA = ROOT / "tests" / "data"
EDITIONS = ("clinician", "patient")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, knowledge: Knowledge) -> Iterator[Served]:
    path = tmp_path_factory.mktemp("attack") / "a.db"
    with Store.open(path) as store, Served(store, knowledge, limits=Limits(archive=2_000_000)) as made:
        yield made


@pytest.fixture
def visitor(served: Served) -> Iterator[Any]:
    with served.browser() as made:
        yield made


class Evil(HTMLParser):
    """Finds what of the payload became a tag or an attribute."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if any(name == "data-evil" or name.startswith("on") for name, _ in attrs):
            self.found.append(tag)


def assert_harmless(said: httpx.Response) -> None:
    """Nothing of the payload is markup, and no template took it for one of its own."""
    assert said.status_code < 500, said.url
    if said.headers.get("content-type", "").startswith("text/html"):
        parser = Evil()
        parser.feed(said.text)
        assert parser.found == [], said.url
        assert str(7 * 191) not in said.text.replace(EVIL, "")


def everywhere(visitor: Any, uid: str) -> Iterator[httpx.Response]:
    """Every page on which something of this patient may stand."""
    for edition in EDITIONS:
        visitor.cookies.set("edition", edition, domain="127.0.0.1")
        for path in (
            "/",
            "/audit",
            f"/p/{uid}/",
            f"/p/{uid}/review",
            f"/p/{uid}/follow",
            f"/p/{uid}/history",
            f"/p/{uid}/entry/1",
        ):
            yield visitor.get(path)
    visitor.cookies.delete("edition")


def shown(visitor: Any, uid: str) -> Iterator[httpx.Response]:
    """The pages on which most of it stands."""
    return (visitor.get(f"/p/{uid}/{path}") for path in ("", "follow", "history"))


def checked(visitor: Any, served: Served, name: str, data: bytes, look: Any = shown) -> None:
    """Import the file, look at the answer, and at the pages of whoever it brought."""
    before = {one.uid for one in served.store.patients()}
    assert_harmless(visitor.bring(files={"file": (name, data)}))
    for uid in {one.uid for one in served.store.patients()} - before:
        for said in look(visitor, uid):
            assert_harmless(said)
        patient = served.store.patient(uid)
        served.store.remove(uid, patient.revision, "test")


def table(column: str) -> bytes:
    """A table with the payload in one column, as a spreadsheet would write it."""
    row = {
        "patient": f"p {column}",
        "date": "2020-01-01",
        "finding": "edema",
        "status": "present",
        "source": "a letter",
        "method": "examination",
    }
    quoted = {**row, column: EVIL}
    lines = [dict.fromkeys(COLUMNS, "") | row | {"patient": quoted["patient"]}, dict.fromkeys(COLUMNS, "") | quoted]
    heads = [EVIL if column == "heading" and name == "method" else name for name in COLUMNS]
    return "\n".join(
        [
            ",".join(f'"{one.replace(chr(34), chr(34) * 2)}"' for one in line)
            for line in (heads, *(one.values() for one in [{key: line[key] for key in COLUMNS} for line in lines]))
        ]
    ).encode()


@pytest.mark.parametrize("column", [*COLUMNS, "heading"])
def test_no_column_of_a_table_becomes_markup(served: Served, visitor: Any, column: str) -> None:
    checked(visitor, served, "a.csv", table(column))


def planted(tree: Any, key: str) -> Any:
    """The tree with the payload behind the text of every such key."""
    if isinstance(tree, dict):
        return {
            name: EVIL if name == key and isinstance(value, str) else planted(value, key)
            for name, value in tree.items()
        }
    return [planted(one, key) for one in tree] if isinstance(tree, list) else tree


def keys(tree: Any) -> set[str]:
    """The keys of all texts of a tree."""
    if isinstance(tree, dict):
        return {name for name, value in tree.items() if isinstance(value, str)}.union(*map(keys, tree.values()))
    return set().union(*map(keys, tree)) if isinstance(tree, list) else set()


TREES = ("patient.bundle.json", "patient.phenopacket.json")


@pytest.mark.parametrize("name", TREES)
def test_no_text_of_a_resource_becomes_markup(served: Served, visitor: Any, name: str) -> None:
    """The names and words of a FHIR Bundle and of a phenopacket; and the payload as a key."""
    tree = json.loads((DATA / name).read_text())
    for key in sorted(keys(tree) & {"id", "label", "text", "display", "reference", "unit"}):
        checked(visitor, served, name, json.dumps(planted(tree, key)).encode())
    checked(visitor, served, name, json.dumps({**tree, EVIL: EVIL}).encode())


@pytest.mark.slow
@pytest.mark.parametrize("name", TREES)
def test_no_text_of_any_key_becomes_markup(served: Served, visitor: Any, name: str) -> None:
    """Each key in turn, on every page in both editions."""
    tree = json.loads((DATA / name).read_text())
    assert len(keys(tree)) > 8
    for key in sorted(keys(tree)):
        checked(visitor, served, name, json.dumps(planted(tree, key)).encode(), everywhere)


@pytest.mark.slow
@pytest.mark.parametrize("column", [*COLUMNS, "heading"])
def test_no_column_becomes_markup_anywhere(served: Served, visitor: Any, column: str) -> None:
    checked(visitor, served, "a.csv", table(column), everywhere)


def test_no_line_of_ndjson_and_no_cell_of_parquet_becomes_markup(served: Served, visitor: Any) -> None:
    checked(
        visitor,
        served,
        "a.ndjson",
        b"\n".join(
            json.dumps(planted(json.loads(line), "id")).encode()
            for line in (DATA / "patient.ndjson").read_bytes().split(b"\n")
            if line.strip()
        ),
    )
    with tempfile.TemporaryDirectory() as folder:
        for column in ("patient", "source", "finding"):
            values = {"patient": "p", "finding": "edema", "status": "present", "source": "x", column: EVIL}
            cells = ", ".join(f"'{value.replace(chr(39), chr(39) * 2)}' AS {key}" for key, value in values.items())
            duckdb.sql(f"COPY (SELECT {cells}) TO '{folder}/{column}.parquet' (FORMAT parquet)")
            checked(visitor, served, "a.parquet", Path(folder, f"{column}.parquet").read_bytes())


def test_no_word_that_is_typed_becomes_markup(served: Served, visitor: Any) -> None:
    """Labels, every field of the form, notes, file names, questions, addresses: shown as they were typed."""
    label = EVIL[:80]
    assert visitor.submit("/patients", {"label": label}).status_code == 303
    made = served.store.find(label.strip())
    assert made is not None
    page = f"/p/{made.uid}"
    good = {"finding": "edema", "status": "present", "date": "2020-01-01"}
    for field in (
        "finding",
        "status",
        "value",
        "unit",
        "comparator",
        "specimen",
        "upper_limit",
        "date",
        "method",
        "source",
    ):
        for path, finding in ((f"{page}/add", "VEGF"), (f"{page}/fields", "edema"), (f"{page}/what-if", "edema")):
            assert_harmless(visitor.submit(path, {**good, "finding": finding, field: EVIL}))
    visitor.submit(f"{page}/add", {**good, "source": EVIL})
    visitor.submit(f"{page}/entry/1", {**good, "source": EVIL, "note": EVIL})
    assert_harmless(visitor.submit(f"{page}/entry/1", {**good, "source": EVIL, "note": EVIL}))
    visitor.submit(f"{page}/what-if", {"supposed": json.dumps([{EVIL: EVIL}]), "take-back": EVIL})
    assert_harmless(visitor.bring("/import", {"format": EVIL}, files={"file": (EVIL + ".csv", EXAMPLE.read_bytes())}))
    assert_harmless(visitor.bring(f"{page}/import", files={"file": (EVIL, table("source"))}))
    for said in everywhere(visitor, made.uid):
        assert_harmless(said)
    assert_harmless(visitor.submit("/ask", {"question": EVIL}))
    for path in (
        f"/knowledge/{EVIL}",
        f"/guide/{EVIL}",
        f"/{EVIL}",
        f"/p/{EVIL}/",
        f"/audit?before={EVIL}",
        f"/?{EVIL}",
        f"{page}/review?setting={EVIL}&day={EVIL}",
        f"{page}/?done={EVIL}",
        f"/login?{EVIL}",
    ):
        assert_harmless(visitor.get(path))


def test_a_file_that_is_taken_away_cannot_be_run(served: Served, visitor: Any) -> None:
    """Exports are attachments of a fixed name and a fixed kind, whatever the patient is called."""
    made = fill(served.store, "=cmd|' /C calc'!A0")
    for path, kind in (
        ("export.csv", "text/csv"),
        ("export.fhir.json", "application/fhir+json"),
        ("calendar.ics", "text/calendar"),
        ("report.pdf", "application/pdf"),
    ):
        said = visitor.get(f"/p/{made.uid}/{path}")
        assert said.headers["content-type"].startswith(kind)
        assert "calc" not in str(said.headers)
        assert said.headers["content-disposition"].split(";")[0] in ("attachment", "inline")
    rows = visitor.get(f"/p/{made.uid}/export.csv").text.splitlines()[1:]
    assert all(not cell.startswith(("=", "+", "@")) for row in rows for cell in row.replace('"', "").split(","))
    served.store.remove(made.uid, served.store.patient(made.uid).revision, "test")


@pytest.mark.parametrize(
    "label", ["a\x00b", "a\r\nb", "\u202eevil", "\u200bx", "a\u2028b", "", "   ", "x" * 200, "\ud800"]
)
def test_a_label_that_would_deceive_is_refused(served: Served, visitor: Any, label: str) -> None:
    """Line ends, signs that turn the direction of writing, signs that cannot be seen."""
    count = len(served.store.patients())
    said = [
        visitor.post(
            "/api/v1/patients",
            content=json.dumps({"label": label}),
            headers={"x-csrf-token": visitor.token(), "content-type": "application/json"},
        )
    ]
    if label != "\ud800":
        said.append(visitor.submit("/patients", {"label": label}))
    assert [one.status_code for one in said] == [422] * len(said)
    assert len(served.store.patients()) == count


@pytest.mark.parametrize(
    "text",
    [
        "' OR 1=1 --",
        "'; DROP TABLE patient; --",
        '" UNION SELECT * FROM setting --',
        "%",
        "_",
        "x') ; DELETE FROM entry; --",
        "NEAR(",
        '"*',
        "col:x AND",
        "{a b}",
        "^",
        "a AND OR NOT",
    ],
)
def test_no_text_becomes_sql(served: Served, visitor: Any, text: str) -> None:
    """In labels, addresses, questions to the guide (which has a query language of its own), and the audit trail."""
    before = served.store.check()
    assert visitor.submit("/patients", {"label": text}).status_code in (303, 409)
    found = served.store.find(text)
    assert found is not None
    assert found.label == text
    for path in (
        f"/p/{text}/",
        f"/p/{found.uid}/entry/{text}",
        f"/knowledge/{text}",
        f"/api/v1/patients/{text}/entries",
    ):
        assert visitor.get(path).status_code == 404
    assert visitor.get("/audit", params={"before": text}).status_code in (200, 404)
    assert visitor.submit("/ask", {"question": text}).status_code == 200
    assert visitor.get("/").status_code == 200
    assert served.store.check() == before == ()


@pytest.mark.parametrize(
    "path",
    [
        "/static/../app.py",
        "/static/%2e%2e/app.py",
        "/static/..%2f..%2fweb/app.py",
        "/static/....//app.py",
        "/static//etc/passwd",
        "/static/%2fetc%2fpasswd",
        "/static/..\\app.py",
        "/static/%00",
        "/static/app.js%00.png",
        "/static/",
        "/static",
        "/guide/../../etc/passwd",
        "/guide/%2e%2e/%2e%2e/etc/passwd",
        "/guide//etc/passwd",
        "/guide/..%2fpages.py",
        "/knowledge/../../etc/passwd",
        "/knowledge/..%2f..%2fcriteria",
        "/p/../../etc/passwd",
        "/p/..%2f/export.csv",
        "/api/v1/patients/..%2f..%2fsettings",
        "/%2e%2e/%2e%2e/etc/passwd",
        "/\\..\\..\\etc\\passwd",
        "//etc/passwd",
    ],
)
def test_no_path_leads_out(served: Served, path: str) -> None:
    said = served.raw(served.head(f"GET {path} HTTP/1.1", "Connection: close"))
    assert said.split()[1] in (b"404", b"405"), said[:200]
    assert b"root:" not in said
    assert b"import " not in said


def test_a_file_name_leads_nowhere(served: Served, visitor: Any) -> None:
    """Folders and signs that do not print are cut from the name of a file, and nothing is written by it."""
    for name in (
        "../../../etc/passwd",
        "..\\..\\a.csv",
        "a\x00.csv",
        "/etc/cron.d/x",
        "\u202ea.csv",
        "a" * 3000 + ".csv",
    ):
        said = visitor.bring(files={"file": (name, b"patient,finding,status\nx,y,z\n")})
        assert "Nothing was kept" in said.text
        assert "etc/" not in said.text
    head = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a\r\nSet-Cookie: x=y\r\n.csv"'
    raw = head + b"\r\n\r\nz\r\n--x--\r\n"
    said = visitor.post(
        "/import",
        content=raw,
        headers={"content-type": "multipart/form-data; boundary=x", "x-csrf-token": visitor.token()},
    )
    assert said.status_code in (303, 400, 422)
    assert "x=y" not in str(said.headers)


# --- traps

DEEP = 100_000
TRAPS: dict[str, bytes] = {
    "deep.json": b"[" * DEEP + b"]" * DEEP,
    "deep object.json": b'{"a":' * DEEP + b"1" + b"}" * DEEP,
    "deep bundle.json": b'{"resourceType":"Bundle","entry":' + b"[" * 5000 + b"]" * 5000 + b"}",
    "digits.json": b'{"resourceType":"Observation","valueQuantity":{"value":' + b"9" * 1_000_000 + b"}}",
    "huge.json": b'{"resourceType":"Observation","valueQuantity":{"value":1e999999}}',
    "nan.json": b'{"resourceType":"Observation","valueQuantity":{"value":NaN}}',
    "twice.json": b'{"resourceType":"Bundle","resourceType":"Patient"}',
    "laughs.json": json.dumps(
        {
            "resourceType": "Bundle",
            "entry": [
                {
                    "fullUrl": f"urn:{one}",
                    "resource": {
                        "resourceType": "Observation",
                        "id": str(one),
                        "hasMember": [{"reference": f"urn:{one + 1}"}] * 10,
                    },
                }
                for one in range(50)
            ],
        }
    ).encode(),
    "laughs.xml": b'<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "lol"><!ENTITY b "&a;&a;">]><l>&b;</l>',
    "laughs.yaml": b"a: &a [x]\nb: &b [*a,*a]\n",
    "zip.csv": b"PK\x03\x04" + b"\x00" * 100,
    "gzip.json": b"\x1f\x8b" + b"\x00" * 100,
    "zeros.csv": b"\x00" * 1_000_000,
    "empty.csv": b"",
    "one line.csv": b"a," * 500_000,
    "quote.csv": b'patient,finding,status\n"' + b"x" * 1_000_000,
    "bom.csv": b"\xff\xfe" + b"a\x00" * 1000,
    "parquet.parquet": b"PAR1" + b"\xff" * 1000 + b"PAR1",
}


@pytest.mark.parametrize("name", TRAPS)
def test_a_trap_costs_the_file_and_not_the_app(served: Served, visitor: Any, name: str) -> None:
    count = len(served.store.patients())
    for path, words in (("/import", "Nothing was kept</h1>"), ("/api/v1/import", "Nothing was kept: see")):
        said = visitor.bring(path, files={"file": (name, TRAPS[name])})
        assert words in said.text, said.text[:300]
    assert len(served.store.patients()) == count


def bomb() -> bytes:
    """A Parquet file of some ten thousand bytes that unpacks to a gigabyte."""
    with tempfile.TemporaryDirectory() as folder:
        duckdb.sql(
            "COPY (SELECT repeat('x', 200) AS patient, 'edema' AS finding FROM range(5000000)) "
            f"TO '{folder}/a.parquet' (FORMAT parquet, COMPRESSION zstd)"
        )
        return Path(folder, "a.parquet").read_bytes()


@pytest.mark.parametrize("limits", [Limits(seconds=0.6), Limits(memory=60 * 2**20)], ids=["time", "memory"])
def test_what_takes_too_much_is_really_stopped(limits: Limits) -> None:
    """A million rows, of which each is wrong: ended by the clock, or by the memory; and the next file is read."""
    rows = b"patient,finding,status\n" + b"x,x,x\n" * 1_600_000
    found = read_file(rows, "rows.csv", "", limits)
    assert [one.found for one in found.issues] == [reading.STOPPED.found]
    assert found.events == ()
    assert len(read_file(EXAMPLE.read_bytes(), "a.csv", "", Limits()).events) > 20


@pytest.mark.slow
def test_a_packed_bomb_is_stopped_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A gigabyte packed into a small Parquet file: refused by the memory or the clock, and no temporary file stays."""
    data = bomb()
    assert len(data) < 300_000
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    reading.READERS.end()
    try:
        for limits in (Limits(memory=300 * 2**20), Limits(seconds=0.3)):
            found = read_file(data, "a.parquet", "", limits)
            assert (found.events, len(found.issues)) == ((), 1)
    finally:
        reading.READERS.end()
    assert list(tmp_path.iterdir()) == []


def test_a_file_brings_no_more_than_one_import_may() -> None:
    """Findings, patients and issues have their most."""
    row = b"p%d,edema,present\n"
    many = b"patient,finding,status\n" + b"".join(row % one for one in range(60))
    for limits, what in ((Limits(rows=50), "50 findings"), (Limits(patients=50), "50 patients")):
        found = read_file(many, "a.csv", "", limits)
        assert found.events == ()
        assert what in found.issues[0].found
    assert len(read_file(many, "a.csv", "", Limits(rows=60, patients=60)).events) == 60
    wrong = read_file(b"patient,finding,status\n" + b"x,edema,x\n" * 3000, "a.csv", "", Limits())
    assert len(wrong.issues) == 2001
    assert "1,000 more" in wrong.issues[-1].found


def test_few_files_are_read_at_the_same_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Some wait, the rest is turned away at once, and the turns come back."""
    limits, gate, entered = Limits(readers=1, waiting=1), threading.Event(), threading.Event()

    class Slow:
        def connection(self) -> Any:
            entered.set()
            gate.wait(10)
            raise OSError

    monkeypatch.setattr(reading, "READERS", Slow())
    outcome: list[str] = []

    def one() -> None:
        try:
            read_file(b"", "a", "", limits)
        except Refused as refused:
            outcome.append(str(refused.status_code))
        except OSError:
            outcome.append("read")

    threads = [threading.Thread(target=one) for _ in range(5)]
    threads[0].start()
    assert entered.wait(5)
    for thread in threads[1:]:
        thread.start()
    until(lambda: outcome.count("503") == 3)
    gate.set()
    for thread in threads:
        thread.join()
    assert sorted(outcome) == ["503"] * 3 + ["read"] * 2
    monkeypatch.undo()
    assert read_file(EXAMPLE.read_bytes(), "a.csv", "", limits).events


def test_the_process_that_reads_is_begun_again_when_it_died() -> None:
    assert read_file(EXAMPLE.read_bytes(), "a.csv", "", Limits()).events
    process = reading.READERS._process
    assert process is not None
    process.kill()
    process.wait()
    assert read_file(EXAMPLE.read_bytes(), "a.csv", "", Limits()).events


# --- archives


def zipped(members: dict[str, bytes] | list[tuple[str, bytes]]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items() if isinstance(members, dict) else members:
            archive.writestr(name, data)
    return made.getvalue()


def real(store: Store) -> dict[str, bytes]:
    made = io.BytesIO()
    export_all(store, made)
    with zipfile.ZipFile(made) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


ARCHIVES: dict[str, Callable[[dict[str, bytes]], bytes]] = {
    "no zip": lambda _: b"rubbish",
    "cut off": lambda real: zipped(real)[:-100],
    "a bomb": lambda real: zipped({**real, "history/99.json": b"\0" * 90_000_000}),
    "a bomb in the manifest": lambda _: zipped({"manifest.json": b" " * 80_000_000}),
    "deep": lambda real: zipped({**real, "manifest.json": b"[" * 200_000}),
    "a way out": lambda real: zipped({**real, "../../evil.json": b"{}"}),
    "an absolute name": lambda real: zipped({**real, "/etc/passwd": b"{}"}),
    "another name": lambda real: zipped({**real, "history/1.json/../2.json": b"{}"}),
    "another hash": lambda real: zipped({**real, "events.csv": b"changed"}),
    "nothing": lambda _: zipped({}),
    "a newer version": lambda real: zipped(
        {**real, "manifest.json": json.dumps({**json.loads(real["manifest.json"]), "version": 99}).encode()}
    ),
}


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("name", ARCHIVES)
def test_an_archive_of_others_making_is_refused(served: Served, visitor: Any, name: str, tmp_path: Path) -> None:
    """All or nothing."""
    with Store.open(tmp_path / "other.db") as other:
        fill(other, "from elsewhere")
        members = real(other)
    count = len(served.store.patients())
    said = visitor.submit("/import-archive", files={"file": ("a.zip", ARCHIVES[name](members))})
    assert said.status_code == 422, said.text
    assert "Nothing was taken in" in said.text
    assert (len(served.store.patients()), served.store.check()) == (count, ())


def test_our_archive_is_taken_and_comes_back_the_same(served: Served, visitor: Any, tmp_path: Path) -> None:
    """The round trip through the browser."""
    with Store.open(tmp_path / "other.db") as other:
        patient = fill(other, "round trip")
        data = zipped(real(other))
        assert visitor.submit("/import-archive", files={"file": ("a.zip", data)}).status_code == 200
        assert served.store.events(patient.uid) == other.events(patient.uid)
    said = visitor.submit("/export-archive")
    assert said.headers["content-type"] == "application/zip"
    assert int(said.headers["content-length"]) == len(said.content)
    with Store.open(tmp_path / "third.db") as third, Served(third, served.knowledge) as again, again.browser() as one:
        assert one.submit("/import-archive", files={"file": ("a.zip", said.content)}).status_code == 200
        assert third.events(patient.uid) == served.store.events(patient.uid)


def test_a_backup_is_a_sound_copy(served: Served, visitor: Any, tmp_path: Path) -> None:
    path = tmp_path / "copy.db"
    path.write_bytes(visitor.submit("/backup").content)
    with Store.open(path) as copy:
        assert copy.check() == ()
        assert len(copy.patients()) == len(served.store.patients())


# --- what is said elsewhere


def test_a_large_import_for_many_keeps_a_share_of_its_issues(served: Served, visitor: Any) -> None:
    """Many patients times many issues would fill the disk."""
    rows = [b"patient,finding,status", *(b"m%d,edema,present" % one for one in range(300)), *[b"m0,edema,zzz"] * 1500]
    assert "Imported</h1>" in visitor.bring(files={"file": ("many.csv", b"\n".join(rows))}).text
    found = [one for one in served.store.patients() if one.label.startswith("m")]
    assert len(found) == 300
    kept = served.store.imports(found[0].uid)[0].issues
    assert len(kept) < 25
    assert "more were told" in kept[-1].found


def test_nothing_that_was_sent_gets_into_a_log(
    served: Served, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """A unique word in every place where a client may put one."""
    word = "Zq7xUnique"
    caplog.set_level("DEBUG")
    with served.browser() as visitor:
        visitor.submit("/patients", {"label": word})
        visitor.submit("/patients", {"label": word})
        made = served.store.find(word)
        assert made is not None
        visitor.submit(f"/p/{made.uid}/add", {"finding": word, "source": word, word: word})
        visitor.submit(f"/p/{made.uid}/add", {"finding": "edema", "status": "present", "source": word})
        visitor.submit(
            "/import", files={"file": (f"{word}.csv", f"patient,finding,status\n{word},{word},{word}".encode())}
        )
        visitor.submit("/ask", {"question": word})
        visitor.submit("/login", {"name": word, "password": word})
        for path in (
            f"/{word}",
            f"/?{word}={word}",
            f"/p/{word}/",
            f"/p/{made.uid}/report.pdf?{word}",
            f"/knowledge/{word}",
        ):
            visitor.get(path, headers={"referer": word, "user-agent": word, "cookie": f"a={word}", "x-a": word})
        visitor.call("/patients", {"label": word, word: word})
    served.raw(f"GET /{word} HTTP/1.1\r\nHost: {word}\r\nConnection: close\r\n\r\n".encode())
    served.raw(f"{word} {word} {word}\r\n\r\n".encode())
    assert word not in "".join(capfd.readouterr())
    assert word not in "\n".join(
        record.getMessage()
        for record in caplog.records
        if record.name != "httpx" and not record.name.startswith("httpcore")
    )
    assert any(record.name == "poems.web" for record in caplog.records)


def test_no_address_holds_a_word_of_a_patient(served: Served, visitor: Any) -> None:
    """Links, forms and redirects name random ids."""
    from urllib.parse import unquote

    made = fill(served.store, "Zaphod Beeblebrox")
    found = [
        visitor.submit(f"/p/{made.uid}/rename", {"label": "Trillian", "revision": str(made.revision)}).headers[
            "location"
        ]
    ]
    for said in everywhere(visitor, made.uid):

        class Links(HTMLParser):
            def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
                found.extend(
                    value or "" for name, value in attrs if name in ("href", "action", "src")
                )

        Links().feed(said.text)
    assert len(found) > 50
    assert not [one for one in found if "trillian" in unquote(one).lower() or "zaphod" in unquote(one).lower()]
    assert replace(made).label == "Zaphod Beeblebrox"
