"""Many at once, and the server killed meanwhile: nobody's change is lost unseen. See bench/serve_kill.py."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from web_made import ROOT, Served

from poems.knowledge import Knowledge
from poems.store import Store

EDITORS, VERSIONS = 50, 4


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, knowledge: Knowledge) -> Iterator[Served]:
    path = tmp_path_factory.mktemp("together") / "a.db"
    with Store.open(path) as store, Served(store, knowledge) as made:
        yield made


def entry(source: str) -> dict[str, str]:
    return {"finding": "edema", "status": "present", "source": source}


def all_at_once(work: Any) -> None:
    """Fifty threads, each with the number it has; what one raises is raised here."""
    raised: list[BaseException] = []

    def one(number: int) -> None:
        try:
            work(number)
        except BaseException as error:
            raised.append(error)

    threads = [threading.Thread(target=one, args=(number,)) for number in range(EDITORS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if raised:
        raise raised[0]


def test_of_fifty_editors_of_one_version_one_wins(served: Served) -> None:
    """Half by the pages, half by the interface: each is told 409 and shown what stands there, but the one who wins."""
    uid = served.store.create("fifty at once", "test").uid
    with served.browser() as first:
        first.call(f"/patients/{uid}/entries", {"entries": [entry("0")]})
    started = threading.Barrier(EDITORS)
    answers: dict[int, list[int]] = {version: [] for version in range(VERSIONS)}
    won: list[str] = []

    def edit(number: int) -> None:
        with served.browser() as visitor:
            visitor.token()
            for version in range(VERSIONS):
                started.wait(60)
                current, mine = version + 1, f"{version}.{number}"
                if number % 2:
                    said = visitor.submit(f"/p/{uid}/entry/{current}", entry(mine))
                else:
                    said = visitor.call(f"/patients/{uid}/entries/{current}/correct", {"entry": entry(mine)})
                answers[version].append(said.status_code)
                if said.status_code == 409:
                    assert f"{version}." in said.text  # what the faster one wrote
                    assert mine in said.text or not number % 2  # and, on the page, what was typed
                else:
                    won.append(mine)

    all_at_once(edit)
    for version, seen in answers.items():
        assert Counter(200 if one == 303 else one for one in seen) == {200: 1, 409: EDITORS - 1}, version
    changes = served.store.history(uid)
    assert [one.added[0].event.source for one in changes if one.kind == "correction"] == won[::-1]
    assert [one.event.source for one in served.store.entries(uid)] == [won[-1]]


@pytest.mark.slow
def test_no_update_of_fifty_editors_is_lost(served: Served) -> None:
    """Each looks, writes, and looks again where it was too late, until it was in time twice: all of it is there."""
    uid = served.store.create("fifty in turn", "test").uid
    with served.browser() as first:
        first.call(f"/patients/{uid}/entries", {"entries": [entry("0")]})
    kept: list[tuple[str, int]] = []

    def edit(number: int) -> None:
        with served.browser() as visitor:
            left, now = 2, 1
            while left:
                said = visitor.call(f"/patients/{uid}/entries/{now}/correct", {"entry": entry(f"{number}.{left}")})
                if said.status_code == 200:
                    kept.append((f"{number}.{left}", now))
                    now, left = said.json()["change"]["added"][0]["id"], left - 1
                else:
                    assert said.status_code == 409
                    now = said.json()["current"]["id"]

    all_at_once(edit)
    found = [
        (one.added[0].event.source, one.added[0].supersedes)
        for one in served.store.history(uid)
        if one.kind == "correction"
    ]
    assert len(kept) == 2 * EDITORS
    assert sorted(found) == sorted(kept)  # type: ignore[type-var]
    assert len({before for _, before in kept}) == len(kept)  # nobody wrote over what another had not seen
    assert served.store.check() == ()


@pytest.mark.slow
def test_labels_are_taken_once_by_fifty(served: Served) -> None:
    seen: list[int] = []

    def create(number: int) -> None:
        with served.browser() as visitor:
            seen.append(visitor.submit("/patients", {"label": "the one"}).status_code)

    all_at_once(create)
    assert Counter(seen) == {303: 1, 409: EDITORS - 1}


def killed(*arguments: str) -> dict[str, Any]:
    """What a run of kills saw; it has a process of its own, since it forks."""
    found = subprocess.run(
        [sys.executable, "-m", "bench.serve_kill", *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert found.returncode == 0, found.stdout[-2000:] + found.stderr[-2000:]
    return json.loads(found.stdout)  # type: ignore[no-any-return]


def is_sound(seen: dict[str, Any], kills: int) -> bool:
    """Enough was done for it to mean something, and nothing went wrong."""
    assert seen["kills"] >= kills
    assert seen["acknowledged"] > kills, "the server was killed before it answered"
    return (seen["lost"], seen["torn"], seen["corrupt"], seen["faults"]) == (0, 0, 0, [])


def test_some_kills_of_the_server() -> None:
    """A short run, part of every test run."""
    assert is_sound(killed("--kills", "15", "--seed", "7"), 15)


@pytest.mark.slow
def test_a_thousand_kills_of_the_server() -> None:
    """A thousand times the server gets SIGKILL while it is written to through HTTP."""
    assert is_sound(killed("--kills", "1000"), 1000)


def test_the_measurement_would_see_a_loss(tmp_path: Path, knowledge: Knowledge) -> None:
    """A change that was answered and is not there, one by halves, one twice: each is counted."""
    from bench.serve_kill import TOGETHER, Client, Result, compare

    with Store.open(tmp_path / "a.db") as store:
        uid = store.create("p", "test").uid
        from poems.record import Event

        for note, count in (("0-0.0", 1), ("0-0.1", TOGETHER - 1), ("0-0.0", 1), ("0-0.5", 1), ("0-0.6", 1)):
            store.add(uid, [Event("", "edema", status="present")] * count, "test", note=note)
        client = Client("0-0", 1, uid, "", "", 1, threading.Event())
        client.acknowledged = ["0-0.0", "0-0.1", "0-0.2"]
        result = Result()
        compare(store, uid, [client], result)
    assert (result.lost, result.torn, len(result.faults), result.is_sound) == (1, 1, 1, False)
