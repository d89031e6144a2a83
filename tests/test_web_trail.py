"""The audit trail: no look at a record without a line, and no record kept from its readers for want of one."""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from web_made import Served, fill, some_accounts, until

from poems.knowledge import Knowledge
from poems.store import Audited, BusyError, FullError, Store
from poems.web import trail
from poems.web.guard import Refused
from poems.web.trail import Trail

LATE = "cannot be written just now"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "a.db") as made:
        yield made


@pytest.fixture
def alone(store: Store, knowledge: Knowledge) -> Iterator[Served]:
    with Served(store, knowledge) as made:
        yield made
    made.app.state.trail.end()


@pytest.fixture
def shared(store: Store, knowledge: Knowledge) -> Iterator[Served]:
    with Served(store, knowledge, accounts=some_accounts()) as made:
        yield made
    made.app.state.trail.end()


@contextmanager
def held(store: Store) -> Iterator[None]:
    """Another program writes to the file, and takes its time."""
    with closing(sqlite3.connect(store.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        try:
            yield
        finally:
            other.execute("ROLLBACK")


def lines(store: Store, after: int = 0) -> list[Audited]:
    """The audit trail, the oldest first, from the line after this one."""
    return [one for one in reversed(store.audit(limit=10_000)) if one.id > after]


def last(store: Store) -> int:
    return max((one.id for one in store.audit(limit=1)), default=0)


# --- where the database cannot be written


def test_a_record_is_read_while_another_program_writes(alone: Served) -> None:
    """Pages, files and the interface; each says that its line comes later, and the lines come, in order, with the
    moment of the reading.
    """
    made, before = fill(alone.store), last(alone.store)
    paths = [f"/p/{made.uid}/{one}" for one in ("", "review", "export.csv", "report.pdf")]
    with alone.browser(timeout=15) as visitor:
        with held(alone.store):
            for path in (*paths, f"/api/v1/patients/{made.uid}", "/"):
                said = visitor.get(path)
                assert (said.status_code, said.headers.get("x-noted")) == (200, "later"), path
                if said.headers["content-type"].startswith("text/html"):
                    assert LATE in said.text, path
                    assert int(said.headers["content-length"]) == len(said.content)
            released = datetime.now(UTC)
        until(lambda: len(lines(alone.store, before)) == 6)
        found = lines(alone.store, before)
        assert [one.action for one in found] == [
            "read findings", "read review", "read export csv", "read report", "read patient", "read list"]
        assert [one.at for one in found] == sorted(one.at for one in found)
        assert found[-1].at < released
        until(lambda: "x-noted" not in visitor.get(paths[0]).headers)
        assert LATE not in visitor.get(paths[0]).text


def test_no_name_puts_a_banner_on_a_page(alone: Served) -> None:
    """What a page says of the trail is ours: a label that looks like our mark is text."""
    made = fill(alone.store, "x <!--late-->")
    with alone.browser(timeout=15) as visitor:
        assert LATE not in visitor.get(f"/p/{made.uid}/").text
        with held(alone.store):
            assert visitor.get(f"/p/{made.uid}/").text.count(LATE) == 1


def full(*_: object) -> None:
    raise FullError("a.db: no room on the disk.")


def test_a_full_disk_keeps_nobody_out(shared: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """Logging in and reading go on; a wrong password stays wrong; the lines are there when there is room again."""
    made, before = fill(shared.store), last(shared.store)
    with monkeypatch.context() as patch, shared.browser() as other:
        patch.setattr(shared.store, "log", full)
        patch.setattr(shared.store, "append", full, raising=False)
        with shared.logged_in("vera") as visitor:
            assert LATE in visitor.get(f"/p/{made.uid}/").text
            assert visitor.get(f"/p/{made.uid}/export.csv").status_code == 200
            assert visitor.submit("/logout").status_code == 303
        assert other.submit("/login", {"name": "ada", "password": "wrong"}).status_code == 401
    until(lambda: len(lines(shared.store, before)) == 5)
    assert [(one.who, one.action) for one in lines(shared.store, before)] == [
        ("vera", "login"), ("vera", "read findings"), ("vera", "read export csv"), ("vera", "logout"),
        ("ada", "login failed from 127.0.0.1")]


def test_nobody_reads_without_a_line_for_ever(shared: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """So many lines are kept in memory and no more; then a record is not shown, and the page says why."""
    made = fill(shared.store, "Zaphod")
    monkeypatch.setattr(trail, "MOST", 3)
    with shared.logged_in("vera") as visitor, held(shared.store):
        assert [visitor.get(f"/p/{made.uid}/").status_code for _ in range(3)] == [200] * 3
        said = visitor.get(f"/p/{made.uid}/")
        assert said.status_code == 503
        assert "Zaphod" not in said.text
        assert "can no longer be noted" in said.text


def test_writes_that_wait_keep_no_reader_waiting(alone: Served) -> None:
    """Forty-five changes wait for their turn; the guide and a record are answered meanwhile."""
    made, answers = fill(alone.store), []

    def change(number: int) -> None:
        with alone.browser(timeout=60) as visitor:
            answers.append(visitor.submit("/patients", {"label": f"p {number}"}).status_code)

    threads = [threading.Thread(target=change, args=(number,)) for number in range(45)]
    with alone.browser(timeout=10) as visitor:
        visitor.token()
        with alone.store.file._turn:
            for one in threads:
                one.start()
            until(lambda: len(alone.server.server_state.tasks) > 40)
            assert visitor.get("/guide/").status_code == 200
            assert visitor.get(f"/p/{made.uid}/").status_code == 200
            assert answers == []
    for one in threads:
        one.join()
    assert answers == [303] * 45


class Kept:
    """A store that takes lines, or does not."""

    def __init__(self) -> None:
        self.found: list[Audited] = []
        self.calls, self.fails = 0, False

    def append(self, given: Any, wait: float) -> None:
        self.calls += 1
        if self.fails:
            raise BusyError("a.db: held")
        self.found += given


def test_lines_are_lost_with_a_word_only(caplog: pytest.LogCaptureFixture) -> None:
    """While lines wait the log says so once; at the end it says how many are lost; no line of the log tells of whom."""
    kept = Kept()
    made = Trail(kept)  # type: ignore[arg-type]
    assert made.tell("me", "read findings", "SECRETUID")
    assert caplog.text == ""
    kept.fails = True
    assert [made.tell("me", "read findings", "SECRETUID") for _ in range(3)] == [False] * 3
    made.end()
    assert [one.levelno for one in caplog.records] == [logging.WARNING, logging.ERROR]
    assert "3 lines" in caplog.records[1].getMessage()
    assert "SECRETUID" not in caplog.text
    assert len(kept.found) == 1


def test_what_waited_is_written_at_the_end() -> None:
    kept = Kept()
    made, kept.fails = Trail(kept), True  # type: ignore[arg-type]
    made.later("ada", "one")
    made.tell("ada", "two")
    kept.fails = False
    made.end()
    assert [one.action for one in kept.found] == ["one", "two"]
    made.end()
    assert len(kept.found) == 2


def test_lines_of_many_are_each_written_once() -> None:
    """Fifty threads, some of which write for others."""
    kept = Kept()
    made = Trail(kept)  # type: ignore[arg-type]
    threads = [threading.Thread(target=lambda n: [made.tell(str(n), str(m)) for m in range(20)], args=(number,))
               for number in range(50)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert sorted((one.who, one.action) for one in kept.found) == sorted(
        (str(n), str(m)) for n in range(50) for m in range(20))
    for number in range(50):
        assert [one.action for one in kept.found if one.who == str(number)] == [str(m) for m in range(20)]


def test_too_many_lines_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trail, "MOST", 2)
    kept = Kept()
    made, kept.fails = Trail(kept), True  # type: ignore[arg-type]
    assert [made.tell("a", "b"), made.tell("a", "b")] == [False, False]
    with pytest.raises(Refused) as refused:
        made.tell("a", "b")
    assert refused.value.status_code == 503
    made.end()


# --- what leaves a line


def told(served: Served, do: Callable[[], Any]) -> tuple[int, list[tuple[str, str, str]]]:
    """The status of an answer, and the lines that it left."""
    before = last(served.store)
    status = do().status_code
    return status, [(one.who, one.action, one.uid) for one in lines(served.store, before)]


def test_a_record_shown_by_a_refused_change_leaves_a_line(shared: Served) -> None:
    """A form that keeps nothing and shows the record; a faster editor's entry in an answer; a what-if with a fault."""
    uid = fill(shared.store).uid
    with shared.logged_in("edith") as visitor:
        entry = f"/api/v1/patients/{uid}/entries/1"
        call = {"entry": {"finding": "edema", "status": "present"}}
        assert visitor.call(f"{entry.removeprefix('/api/v1')}/correct", call).status_code == 200
        for do, status, action in (
            (lambda: visitor.submit(f"/p/{uid}/fields", {"finding": "edema"}), 200, "read fields"),
            (lambda: visitor.submit(f"/p/{uid}/fields", {"finding": "no such"}), 422, "read fields"),
            (lambda: visitor.submit(f"/p/{uid}/add", {"finding": "edema"}), 422, "add refused, record shown"),
            (lambda: visitor.submit(f"/p/{uid}/add", {"finding": "edema", "status": "?"}), 422,
             "add refused, record shown"),
            (lambda: visitor.submit(f"/p/{uid}/entry/2", {"status": "?", "value": "x"}), 422,
             "correct refused, record shown"),
            (lambda: visitor.submit(f"/p/{uid}/entry/1", {"status": "present"}), 409, "correct refused, record shown"),
            (lambda: visitor.submit(f"/p/{uid}/entry/1/retract"), 409, "retract refused, record shown"),
            (lambda: visitor.call(f"/patients/{uid}/entries/1/correct", call), 409, "correct refused, record shown"),
            (lambda: visitor.call(f"/patients/{uid}/entries/1/retract", {}), 409, "retract refused, record shown"),
            (lambda: visitor.submit(f"/p/{uid}/undo/1"), 409, "undo refused, record shown"),
            (lambda: visitor.submit(f"/p/{uid}/what-if", {"finding": "edema", "status": "?"}), 422, "read what if"),
        ):
            assert told(shared, do) == (status, [("edith", action, uid)])


def test_the_fields_alone_show_nobody(shared: Served) -> None:
    """The part that a script asks for holds no word of the record, and what is kept tells of itself."""
    uid = fill(shared.store).uid
    with shared.logged_in("edith") as visitor:
        part = {"x-part": "true"}
        assert told(shared, lambda: visitor.submit(f"/p/{uid}/fields", {"finding": "edema"}, headers=part)) == (200, [])
        assert told(shared, lambda: visitor.submit(f"/p/{uid}/add", {"finding": "edema", "status": "?"}, headers=part)
                    )[1] == [("edith", "add refused, record shown", uid)]
        assert told(shared, lambda: visitor.submit(f"/p/{uid}/add", {"finding": "edema", "status": "present"})
                    ) == (303, [("edith", "entry", uid)])
        assert told(shared, lambda: visitor.submit("/p/nobody/add", {"finding": "edema"})) == (404, [])


def test_the_list_and_the_trail_leave_a_line(shared: Served) -> None:
    """Whoever sees the names of all patients, or who read what."""
    fill(shared.store)
    with shared.logged_in("ada") as visitor:
        assert told(shared, lambda: visitor.get("/")) == (200, [("ada", "read list", "")])
        assert told(shared, lambda: visitor.get("/api/v1/patients")) == (200, [("ada", "read list", "")])
        assert told(shared, lambda: visitor.get("/audit")) == (200, [("ada", "read audit trail", "")])
        assert told(shared, lambda: visitor.get("/settings")) == (200, [])


def test_a_refused_try_leaves_a_line(shared: Served) -> None:
    """What an account may not do and tries; an address that is nobody's leaves no word of it."""
    uid = fill(shared.store).uid
    with shared.logged_in("vera") as visitor:
        for do, action, where in (
            (lambda: visitor.get("/audit"), "not allowed: audit", ""),
            (lambda: visitor.submit("/export-archive"), "not allowed: archive", ""),
            (lambda: visitor.submit(f"/p/{uid}/add", {"finding": "edema"}), "not allowed: add", uid),
            (lambda: visitor.call(f"/patients/{uid}/entries", {}), "not allowed: add", uid),
            (lambda: visitor.submit("/p/a word of a patient/add"), "not allowed: add", ""),
        ):
            assert told(shared, do) == (403, [("vera", action, where)])
    with shared.browser() as nobody:
        assert told(shared, lambda: nobody.get("/audit")) == (303, [])
