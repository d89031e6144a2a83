"""After an import the browser is sent to a page that tells what became of it: a reload imports nothing again."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from web_made import EXAMPLE, Served, fill, some_accounts

from poems.errors import Issue
from poems.knowledge import Knowledge
from poems.store import Store
from poems.web import outcomes
from poems.web.outcomes import FileTold, Outcome, Outcomes, Told

FAULTY = b"patient,date,finding,status,value,unit\nZq7x,2020-01-02,edema,present,,\nZq7x,2020-01-02,vegf-plasma,,820,\n"


@pytest.fixture
def served(tmp_path: Path, knowledge: Knowledge) -> Iterator[Served]:
    with Store.open(tmp_path / "a.db") as store, Served(store, knowledge) as made:
        yield made


@pytest.fixture
def visitor(served: Served) -> Iterator[Any]:
    with served.browser() as made:
        yield made


@pytest.mark.parametrize("into", ["list", "record"])
def test_a_reload_imports_nothing_and_says_the_same(visitor: Any, served: Served, into: str) -> None:
    """Every fault beside its row, the alerts, the undo; the address says nothing of it."""
    uid = served.store.create("Zq7x", "test").uid
    done = visitor.submit("/import" if into == "list" else f"/p/{uid}/import", files={"file": ("Zq7x.csv", FAULTY)})
    assert done.status_code == 303
    assert re.fullmatch(r"/imported/[A-Za-z0-9_-]{22}", done.headers["location"])
    assert done.content == b""
    history = served.store.history(uid)
    first, second = (visitor.get(done.headers["location"]) for _ in range(2))
    assert first.status_code == second.status_code == 200
    assert first.text == second.text
    for words in ("Imported</h1>", "1 finding is now in", "1 refused", "820", "row 3, unit", "expected a unit of"):
        assert words in first.text, words
    assert first.headers["cache-control"] == "no-store"
    assert served.store.history(uid) == history
    [undo] = re.findall(r'action="(/p/[^/]+/undo/\d+)"', first.text)
    visitor.submit(undo)
    after = visitor.get(done.headers["location"]).text
    assert "taken back since" in after
    assert "/undo/" not in after
    served.store.remove(uid, served.store.patient(uid).revision, "test")
    assert "put away since" in visitor.get(done.headers["location"]).text


def test_a_file_of_nothing_is_told_the_same_way(visitor: Any, served: Served) -> None:
    done = visitor.submit("/import", files={"file": ("a.csv", b"patient,finding,status\nx,edema,z\n")})
    said = visitor.get(done.headers["location"])
    assert "Nothing was kept</h1>" in said.text
    assert "1 refused" in said.text
    assert visitor.submit("/import").status_code == 422  # no file at all: answered at once
    assert served.store.patients() == ()


def test_the_outcome_is_for_its_session_alone(tmp_path: Path, knowledge: Knowledge) -> None:
    """Not for another account, not for another session of the same one, not for the session after its logout."""
    with (
        Store.open(tmp_path / "a.db") as store,
        Served(store, knowledge, accounts=some_accounts()) as shared,
        shared.logged_in("edith") as editor,
    ):
        path = editor.submit("/import", files={"file": ("a.csv", FAULTY)}).headers["location"]
        assert "820" in editor.get(path).text
        assert "read outcome of an import" in [one.action for one in store.audit(who="edith")]
        for name in ("edith", "ada", "vera"):
            with shared.logged_in(name) as other:
                said = other.get(path)
                assert (said.status_code, "820" in said.text) == (410, False)
        editor.submit("/logout")
        assert editor.get(path).headers["location"] == "/login"
        editor.submit("/login", {"name": "ada", "password": "nine able admins"})
        assert editor.get(path).status_code == 410


def test_after_a_restart_it_is_gone_and_the_page_says_so(tmp_path: Path, knowledge: Knowledge) -> None:
    with Store.open(tmp_path / "a.db") as store:
        with Served(store, knowledge) as served, served.browser() as visitor:
            path, cookie = visitor.submit("/import", files={"file": ("a.csv", FAULTY)}).headers["location"], ""
            cookie = visitor.cookies["poems-session"]
        with Served(store, knowledge) as served, served.browser() as visitor:
            visitor.cookies.set("poems-session", cookie, domain="127.0.0.1")
            said = visitor.get(path)
            assert said.status_code == 410
            assert "No longer kept</h1>" in said.text
            assert "stands in the history" in said.text
            assert visitor.get("/imported/none").status_code == 410


def outcome(uid: str, lines: int) -> Outcome:
    told = tuple(Told(Issue("fault", f"a.csv, row {one}", "x"), "row") for one in range(lines))
    return Outcome((FileTold("a.csv", 1, told, lines, lines),), (), frozenset((uid,)), 0, 0, "", is_other=False)


def test_outcomes_do_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """So many, so many lines, so long; the newest is kept however long it is."""
    now = 0.0
    kept = Outcomes(lambda: now)
    monkeypatch.setattr(outcomes, "MOST", 3)
    monkeypatch.setattr(outcomes, "MOST_LINES", 10)
    keys = [kept.keep("me", outcome(f"u{number}", 1)) for number in range(4)]
    assert [kept.get(key, "me") is not None for key in keys] == [False, True, True, True]
    long = kept.keep("me", outcome("long", 50))
    assert [kept.get(key, "me") is not None for key in (*keys, long)] == [False, False, False, False, True]
    assert kept.get(long, "other") is None
    now = 3599.0
    assert kept.get(long, "me")
    now = 3601.0
    assert kept.get(long, "me") is None
    assert not kept._kept


def test_one_session_does_not_push_out_the_outcomes_of_another() -> None:
    """Its own oldest give way first."""
    kept = Outcomes()
    others = kept.keep("other", outcome("u", 1))
    mine = [kept.keep("me", outcome(f"u{number}", 1)) for number in range(outcomes.MOST + 1)]
    assert kept.get(others, "other")
    assert [key for key in mine if kept.get(key, "me")] == mine[-outcomes.MOST_OF_ONE:]


def test_nothing_is_kept_of_the_findings_of_a_file(visitor: Any, served: Served) -> None:
    """A large file is not held in memory for an hour: of what was read, its number."""
    visitor.submit("/import", files={"file": ("case.csv", EXAMPLE.read_bytes())})
    fill(served.store, "another")
    [(_, _, found)] = served.app.state.outcomes._kept.values()
    assert found.files[0].read == 24
    assert "Event(" not in repr(found)
