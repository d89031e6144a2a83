"""Erasing a record for good in the app and by the interface: who may, how sure one has to be, what stays in memory."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from web_made import Served, fill, some_accounts

from poems.knowledge import Knowledge
from poems.store import Store, erasure
from poems.web import work

ROWS = b"patient,finding,status\nCase 9,edema,present\nCase 9,edema,perhapsish\n"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "a.db") as made:
        made.set_setting("mode", "many", "test")
        yield made


@pytest.fixture
def alone(store: Store, knowledge: Knowledge) -> Iterator[Served]:
    with Served(store, knowledge) as made:
        yield made


@pytest.fixture
def visitor(alone: Served) -> Iterator[Any]:
    with alone.browser() as made:
        yield made


def put_away(store: Store, label: str = "Case 9") -> str:
    """A record that was put away."""
    made = fill(store, label)
    store.remove(made.uid, made.revision, "test")
    return made.uid


def form(revision: int, label: str = "Case 9") -> dict[str, str]:
    return {"label": label, "revision": str(revision)}


def test_the_page_says_what_is_lost_and_asks_for_the_name(visitor: Any, store: Store) -> None:
    """From the list to the page to the form; another name, or none, erases nothing."""
    uid = put_away(store)
    assert f'href="/p/{uid}/erase"' in visitor.get("/").text
    said = visitor.get(f"/p/{uid}/erase").text
    for words in ("Erase Case 9 for good?", "cannot be undone", "24 findings", "3 changes", "One line stays",
                  "backups, exported archives"):
        assert words in said, words
    for label in ("", "case 9", "Case 90", "Case"):
        refused = visitor.submit(f"/p/{uid}/erase", form(3, label))
        assert refused.status_code == 422
        assert "not this record" in refused.text
    assert store.patient(uid, even_removed=True).entries == 24
    done = visitor.submit(f"/p/{uid}/erase", form(3, " Case  9 "))
    assert done.headers["location"] == "/?list=yes&erased=yes"
    after = visitor.get(done.headers["location"]).text
    assert "The record was erased for good." in after
    assert "Case 9" not in after
    for path in (f"/p/{uid}/", f"/p/{uid}/erase", f"/p/{uid}/history"):
        assert visitor.get(path).status_code == 404
    assert [one.action[:16] for one in store.audit(uid=uid)] == ["erased for good:"]
    assert "erased for good" in visitor.get("/audit").text
    assert store.check() == ()


def test_a_record_that_was_not_put_away_is_not_erased(visitor: Any, store: Store) -> None:
    uid = fill(store, "Case 9").uid
    for said in (visitor.get(f"/p/{uid}/erase"), visitor.submit(f"/p/{uid}/erase", form(2))):
        assert said.status_code == 409
        assert "not put away" in said.text or "not removed" in said.text
    assert store.patient(uid).entries == 24


def test_two_tabs(visitor: Any, store: Store) -> None:
    """Restored in one and erased in the other: whoever comes second reads why not, either way."""
    uid = put_away(store)
    visitor.submit(f"/p/{uid}/restore")
    said = visitor.submit(f"/p/{uid}/erase", form(3))
    assert (said.status_code, "brought back" in said.text or "restored" in said.text) == (409, True)
    visitor.submit(f"/p/{uid}/remove", {"revision": "4"})
    stale = visitor.submit(f"/p/{uid}/erase", form(3))
    assert (stale.status_code, "changed meanwhile" in stale.text) == (409, True)
    assert visitor.submit(f"/p/{uid}/erase", form(5)).status_code == 303
    gone = visitor.submit(f"/p/{uid}/restore")
    assert (gone.status_code, "erased for good" in gone.text) == (404, True)
    again = visitor.submit(f"/p/{uid}/erase", form(5))
    assert (again.status_code, "erased for good" in again.text) == (404, True)


def test_only_an_admin_erases(store: Store, knowledge: Knowledge) -> None:
    """An editor sees no button, and neither form nor call erases; each try leaves a line."""
    uid = put_away(store)
    with Served(store, knowledge, accounts=some_accounts()) as shared:
        for name in ("vera", "edith"):
            with shared.logged_in(name) as visitor:
                assert "Case 9" not in visitor.get("/").text
                for said in (visitor.get(f"/p/{uid}/erase"), visitor.submit(f"/p/{uid}/erase", form(3)),
                             visitor.call(f"/patients/{uid}/erase", {"label": "Case 9", "revision": 3}),
                             visitor.get("/api/v1/removed")):
                    assert (said.status_code, "Case 9" in said.text) == (403, False)
        assert store.patient(uid, even_removed=True).entries == 24
        assert "not allowed: erase" in [one.action for one in store.audit(who="edith")]
        with shared.logged_in("ada") as admin:
            assert "Case 9" in admin.get(f"/p/{uid}/erase").text
            assert store.audit(limit=1)[0].action == "read erasure"
            assert admin.submit(f"/p/{uid}/erase", form(3)).status_code == 303
        [line] = store.audit(uid=uid)
        assert (line.who, line.action.startswith("erased for good: 24 entries")) == ("ada", True)


def test_it_needs_the_token_of_the_session(visitor: Any, store: Store) -> None:
    uid = put_away(store)
    for token in ("", "x" * 112):
        assert visitor.post(f"/p/{uid}/erase", data={**form(3), "csrf": token}).status_code == 403
        assert visitor.post(f"/api/v1/patients/{uid}/erase", json={"label": "Case 9", "revision": 3},
                            headers={"x-csrf-token": token}).status_code == 403
    assert store.patient(uid, even_removed=True).removed


def test_nothing_of_it_stays_in_memory(visitor: Any, alone: Served, store: Store) -> None:
    """Answers that were made of it, what its import said, a form that was not saved."""
    outcome = visitor.submit("/import", files={"file": ("a.csv", ROWS)}).headers["location"]
    assert "perhapsish" in visitor.get(outcome).text
    [one] = store.patients()
    visitor.get(f"/p/{one.uid}/review")
    state = alone.app.state
    key = state.drafts.keep("add", {"uid": one.uid}, {"finding": "edema"}, "mark")
    assert state.drafts.get(key, "mark")
    assert work._answers.states(one.uid)
    visitor.submit(f"/p/{one.uid}/remove", {"revision": str(one.revision)})
    assert visitor.submit(f"/p/{one.uid}/erase", form(one.revision + 1)).status_code == 303
    assert not work._answers.states(one.uid)
    assert state.drafts.get(key, "mark") is None
    assert visitor.get(outcome).status_code == 410
    work._answers.put((one.uid, "late"), (9, one.created_at.date()), "made meanwhile", 1)
    assert not work._answers.states(one.uid)


def test_bytes_that_are_due_are_told(visitor: Any, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where another program reads, the page does not claim that nothing is left in the file."""
    uid = put_away(store)
    monkeypatch.setattr(erasure, "_is_swept_now", lambda *_: False)
    done = visitor.submit(f"/p/{uid}/erase", form(3))
    assert "may still stand in the file" in visitor.get(done.headers["location"]).text


def test_ones_own_records_that_were_put_away_can_be_reached(visitor: Any, store: Store) -> None:
    """The start leads to the one record; the settings lead to those that were put away."""
    store.set_setting("mode", "own", "test")
    fill(store, "mine")
    uid = put_away(store)
    assert visitor.get("/").status_code == 303
    [path] = re.findall(r'href="(/\?list=yes)#away"', visitor.get("/settings").text)
    assert f"/p/{uid}/erase" in visitor.get(path).text


def test_by_the_interface(visitor: Any, store: Store) -> None:
    """Remove, look, restore, remove, erase; each refusal says why."""
    made = visitor.call("/patients", {"label": "Case 9"}).json()
    path = f"/patients/{made['uid']}"
    early = visitor.call(f"{path}/erase", {"label": "Case 9", "revision": 1})
    assert (early.status_code, "not removed" in early.json()["error"]) == (409, True)
    assert visitor.call(f"{path}/remove", {"revision": 7}).status_code == 409
    assert visitor.call(f"{path}/remove", {"revision": 1}).json()["removed"]
    assert [one["uid"] for one in visitor.get("/api/v1/removed").json()["patients"]] == [made["uid"]]
    assert visitor.get("/api/v1/patients").json()["patients"] == []
    null = visitor.post(f"/api/v1{path}/restore", content=b"null", headers={
        "content-type": "application/json", "x-csrf-token": visitor.token()})
    assert null.status_code == 422  # not an empty body
    assert visitor.call(f"{path}/restore", {}).json()["revision"] == 3
    visitor.call(f"{path}/remove", {"revision": 3})
    other = visitor.call(f"{path}/erase", {"label": "Case 8", "revision": 4})
    assert (other.status_code, other.json()["issues"][0]["where"]) == (422, "label")
    assert [one.action for one in store.audit(uid=made["uid"], limit=1)] == ["erase refused"]
    assert visitor.call(f"{path}/erase", {"label": "Case 9"}).status_code == 422
    said = visitor.call(f"{path}/erase", {"label": "Case 9", "revision": 4})
    assert (said.status_code, said.json()) == (200, {"entries": 0, "changes": 4, "swept": True})
    assert visitor.call(f"{path}/restore").status_code == 404
    assert visitor.get("/api/v1/removed").json() == {"patients": []}


def test_a_new_patient_with_a_name_like_another_ones(visitor: Any) -> None:
    """The interface says so by uids; the labels are for whoever may look."""
    first = visitor.call("/patients", {"label": "Rosa Kov\u00e1cs"}).json()
    assert first["alike"] == []
    second = visitor.call("/patients", {"label": "rosa Kov\u00e1cs"})
    assert (second.status_code, second.json()["alike"]) == (201, [first["uid"]])
    third = visitor.call("/patients", {"label": "R\u043esa Kov\u00e1cs"}).json()
    assert sorted(third["alike"]) == sorted([first["uid"], second.json()["uid"]])
    assert visitor.call("/patients", {"label": "somebody"}).json()["alike"] == []
