"""What was typed when a session had ended: it comes back to its own account, and to nobody else."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from web_made import PASSWORDS, Browser, Served, fill, some_accounts

from poems.knowledge import Knowledge
from poems.store import Store
from poems.web import unsaved
from poems.web.entry import shown
from poems.web.unsaved import Drafts

WORD = "Zq7xTyped"
TYPED = {"finding": "VEGF", "value": "820", "unit": "pg/mL", "specimen": "plasma", "date": "2020-01-02", "source": WORD}


@pytest.fixture
def shared(tmp_path: Path, knowledge: Knowledge) -> Iterator[Served]:
    with Store.open(tmp_path / "a.db") as store, Served(store, knowledge, accounts=some_accounts()) as made:
        made.uid = fill(store, "Case 1").uid  # type: ignore[attr-defined]
        yield made


def uid_of(shared: Served) -> str:
    return shared.uid  # type: ignore[attr-defined,no-any-return]


def expire(shared: Served) -> None:
    """Every session has been idle for too long."""
    shared.app.state.sessions._logins.clear()


def late(shared: Served, visitor: Browser, path: str, data: dict[str, str]) -> tuple[httpx.Response, str]:
    """A form that is sent after the session had ended; the answer, and the id that its login form carries."""
    token = visitor.token()
    expire(shared)
    said = visitor.post(path, data={"csrf": token, **data}, headers={"origin": shared.url})
    if said.status_code == 303:
        said = visitor.get(said.headers["location"])
    found = re.findall(r'name="again" value="([^"]+)"', said.text)
    return said, found[0] if found else ""


def log_in(visitor: Browser, name: str, again: str) -> httpx.Response:
    return visitor.submit("/login", {"name": name, "password": PASSWORDS[name], "again": again})


def test_a_finding_comes_back_and_is_saved_by_its_button(shared: Served) -> None:
    path = f"/p/{uid_of(shared)}/"
    before = shared.store.entries(uid_of(shared))
    with shared.logged_in("edith") as visitor:
        said, again = late(shared, visitor, f"{path}add", TYPED)
        assert str(said.url.path) == "/login"
        assert "Log in</h1>" in said.text
        assert "nothing was saved yet" in said.text
        assert WORD not in said.text  # it waits in memory, not in a page that anybody may stand before
        assert log_in(visitor, "edith", again).headers["location"] == f"{path}?again={again}#enter"
        form = visitor.get(f"{path}?again={again}").text
        for words in (f'value="{WORD}"', 'value="820"', '<option value="pg/mL" selected>', "nothing was saved yet",
                      f'action="{path}add"', '<option value="plasma" selected>'):
            assert words in form, words
        assert shared.store.entries(uid_of(shared)) == before
        assert visitor.submit(f"{path}fields", {**TYPED, "again": again}).status_code == 200  # which keeps nothing
        faulty = visitor.submit(f"{path}add", {**TYPED, "unit": "", "again": again})
        assert (faulty.status_code, f'value="{again}"' in faulty.text) == (422, True)
        assert WORD in visitor.get(f"{path}?again={again}").text
        assert visitor.submit(f"{path}add", {**TYPED, "again": again}).status_code == 303
        assert [one.event.source for one in shared.store.entries(uid_of(shared))][-1] == WORD
        assert WORD not in visitor.get(f"{path}?again={again}").text.split('id="entries"')[0]  # not a second time


def test_each_form_that_holds_words_comes_back(shared: Served) -> None:
    """The correction with its reason, a new name, a new record, the finding that was about to be asked for."""
    path = f"/p/{uid_of(shared)}/"
    entry = shared.store.entries(uid_of(shared))[0]
    forms: list[tuple[str, dict[str, str], str, str]] = [
        (f"{path}entry/{entry.id}", {**shown(entry.event), "source": WORD, "note": "Zq7xWhy"}, "#enter",
         'value="Zq7xWhy"'),
        (f"{path}rename", {"label": WORD, "revision": "3"}, "#newlabel", f'value="{WORD}"'),
        ("/patients", {"label": f"{WORD} 2"}, "#enter", f'value="{WORD} 2"'),
        (f"{path}fields", {"finding": "VEGF"}, "#enter", '<select id="specimen"'),
    ]
    for address, data, part, words in forms:
        with shared.logged_in("edith") as visitor:
            _, again = late(shared, visitor, address, data)
            back = log_in(visitor, "edith", again).headers["location"]
            assert back.endswith(part), address
            assert words in visitor.get(back).text, address
            assert visitor.submit(address, {**data, "again": again}).status_code in (200, 303), address


def test_a_correction_whose_entry_was_corrected_meanwhile_is_shown_beside_it(shared: Served) -> None:
    uid = uid_of(shared)
    entry = shared.store.entries(uid)[0]
    with shared.logged_in("edith") as visitor:
        form = {**shown(entry.event), "source": WORD}
        _, again = late(shared, visitor, f"/p/{uid}/entry/{entry.id}", form)
        shared.store.correct(uid, entry.id, entry.event, "ada", note="faster")
        said = visitor.get(log_in(visitor, "edith", again).headers["location"]).text
    assert "Somebody was faster" in said
    assert WORD in said


@pytest.mark.parametrize("other", ["vera", "ada"])
def test_nobody_else_is_shown_it(shared: Served, other: str) -> None:
    """Whoever logs in there instead sees nothing, and ends it: it does not come back to its owner afterwards."""
    path = f"/p/{uid_of(shared)}/"
    with shared.logged_in("edith") as visitor:
        _, again = late(shared, visitor, f"{path}add", TYPED)
        assert log_in(visitor, other, again).headers["location"] == "/"
        assert WORD not in visitor.get(f"{path}?again={again}").text
    with shared.logged_in("edith") as visitor:
        assert WORD not in visitor.get(f"{path}?again={again}").text


def test_a_stolen_id_shows_nothing(shared: Served) -> None:
    path = f"/p/{uid_of(shared)}/"
    with shared.logged_in("edith") as visitor:
        _, again = late(shared, visitor, f"{path}add", TYPED)
        with shared.logged_in("ada") as thief:
            assert WORD not in thief.get(f"{path}?again={again}").text
        assert log_in(visitor, "edith", "no-such-id").headers["location"] == "/"


def test_a_wrong_password_does_not_lose_it(shared: Served) -> None:
    with shared.logged_in("edith") as visitor:
        _, again = late(shared, visitor, f"/p/{uid_of(shared)}/add", TYPED)
        wrong = visitor.submit("/login", {"name": "edith", "password": "wrong", "again": again})
        assert (wrong.status_code, f'value="{again}"' in wrong.text) == (401, True)
        assert "again=" in log_in(visitor, "edith", again).headers["location"]
        assert "again=" in visitor.get(f"/login?again={again}").headers["location"]  # logged in already
        evil = visitor.submit("/login", {"name": "edith", "password": "wrong", "again": '"><b>'})
        assert "<b>" not in evil.text


def test_logged_in_anew_in_another_tab(shared: Served) -> None:
    """The form of the session before is not carried out; it comes back at once, to be saved anew. Not to others."""
    path = f"/p/{uid_of(shared)}/"
    count = len(shared.store.entries(uid_of(shared)))
    with shared.logged_in("edith") as visitor:
        old = visitor.token()
        expire(shared)
        visitor.submit("/login", {"name": "edith", "password": PASSWORDS["edith"]})
        said = visitor.post(f"{path}add", data={"csrf": old, **TYPED})
        assert said.status_code == 303
        assert WORD in visitor.get(said.headers["location"]).text
        visitor.submit("/login", {"name": "ada", "password": PASSWORDS["ada"]})
        other = visitor.post(f"{path}add", data={"csrf": old, **TYPED})
        assert (other.status_code, WORD in other.text) == (403, False)
        assert visitor.post(f"/api/v1/patients/{uid_of(shared)}/entries", json={"entries": []},
                            headers={"x-csrf-token": old}).status_code == 403
    assert len(shared.store.entries(uid_of(shared))) == count


def test_only_a_form_of_ours_is_kept(shared: Served) -> None:
    """No token, a made-up one, one of nobody: a plain login page, and nothing in memory. Nor from another site."""
    path, drafts = f"/p/{uid_of(shared)}/add", shared.app.state.drafts
    with shared.browser() as stranger:
        nobodys = stranger.token()
        for token in ("", "x" * 112, nobodys, nobodys[:32] + "0" * 16 + nobodys[48:]):
            said = stranger.post(path, data={"csrf": token, **TYPED})
            assert (said.status_code, 'name="again"' in said.text, WORD in said.text) == (403, False, False)
            assert "Log in</h1>" in said.text
    with shared.logged_in("edith") as visitor:
        token = visitor.token()
        expire(shared)
        forged = visitor.post(path, data={"csrf": token, **TYPED}, headers={"origin": "https://evil.example"})
        assert (forged.status_code, "Log in</h1>" in forged.text) == (403, False)
        file = visitor.post(f"/p/{uid_of(shared)}/import", data={"csrf": token}, files={"file": ("a.csv", b"x")})
        assert (file.status_code, "nothing was saved. Log in" in file.text) == (403, True)
        part = visitor.post(path, data={"csrf": token, **TYPED}, headers={"x-part": "true"})
        assert (part.status_code, "Log in</h1>" in part.text) == (403, False)
    assert not drafts._kept


def test_it_is_gone_with_the_logout_and_never_on_the_disk(shared: Served, caplog: pytest.LogCaptureFixture) -> None:
    with shared.logged_in("edith") as visitor:
        _, again = late(shared, visitor, f"/p/{uid_of(shared)}/add", TYPED)
        back = log_in(visitor, "edith", again).headers["location"]
        assert WORD in visitor.get(back).text
        for file in shared.store.path.parent.iterdir():
            assert WORD.encode() not in file.read_bytes()
        assert WORD not in caplog.text
        visitor.submit("/logout")
        assert not shared.app.state.drafts._kept


def test_what_is_no_longer_kept_is_not_promised(shared: Served) -> None:
    with shared.browser() as visitor:
        said = visitor.get("/login?again=gone-with-a-restart").text
        assert "no longer kept" in said
        assert "again=" not in visitor.get("/login?again=%22%3E").text


def test_the_session_is_a_new_one_after_it(shared: Served) -> None:
    """Fixation: the session that sent the form is nobody's afterwards."""
    with shared.logged_in("edith") as visitor:
        old = visitor.cookies["poems-session"]
        _, again = late(shared, visitor, f"/p/{uid_of(shared)}/add", TYPED)
        log_in(visitor, "edith", again)
        assert visitor.cookies["poems-session"] != old
        visitor.cookies = httpx.Cookies({"poems-session": old})
        assert visitor.get("/api/v1/session").json()["role"] == ""


def test_little_is_kept_and_not_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    kept, parts = Drafts(lambda: now), {"uid": "u"}
    monkeypatch.setattr(unsaved, "MOST", 3)
    monkeypatch.setattr(unsaved, "MOST_OF_ONE", 2)
    assert kept.keep("add", parts, {"a": "x" * 20_000}, "one") == ""
    assert kept.keep("what-if", parts, {"a": "x"}, "one") == ""
    for evil in ("//evil", "a\nb", "..%2f", ""):
        assert kept.keep("add", {"uid": evil}, {"a": "x"}, "one") == ""
    ones = [kept.keep("add", parts, {"a": "x"}, "one") for _ in range(3)]
    assert [kept.get(key, "one") is not None for key in ones] == [False, True, True]
    others = [kept.keep("add", parts, {"a": "x"}, f"other {one}") for one in range(2)]
    assert [kept.get(key, "one") is not None for key in ones] == [False, False, True]
    assert kept.get(others[0], "one") is None
    now = 60 * 30 + 1
    assert kept.get(others[1], "other 1") is None
    assert not kept._kept


def test_alone_a_form_of_the_browser_before_comes_back_too(tmp_path: Path, knowledge: Knowledge) -> None:
    """Without accounts, a browser that was started anew has lost its cookie, and its restored form the token for it."""
    with Store.open(tmp_path / "a.db") as store, Served(store, knowledge) as served:
        with served.browser() as before:
            old = before.token()
        with served.browser() as after:
            said = after.post("/patients", data={"csrf": old, "label": WORD})
            assert said.status_code == 303
            assert f'value="{WORD}"' in after.get(said.headers["location"]).text
        assert store.find(WORD) is None
