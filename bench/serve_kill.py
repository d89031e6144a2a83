"""The server, killed at random moments: `python -m bench.serve_kill [--kills 1000] [--seed 1] [--seconds 0]`.

This process has read everything that the app needs, so that a server is a fork of it that opens the file and listens.
Each round, one to four clients write through HTTP (the interface and the forms of the pages) and note every change that
was answered with success; then the server gets SIGKILL: while it starts, or a random time after its first answer. The
file must then be sound, hold every change that was answered, and at most one more of each client; a change that brought
several entries brought all of them.
"""

from __future__ import annotations

import argparse
import http.client
import json
import logging
import os
import random
import shutil
import signal
import socket
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from bench.store_kill import ROUNDS_PER_FILE, TOGETHER, Result
from poems.knowledge import Knowledge, load
from poems.store import Store
from poems.web import openapi, pages, serving  # noqa: F401 (read before the forks)
from poems.web.app import make_app
from poems.web.settings import reachable

ENTRY = {"finding": "edema", "status": "present"}


def serve(path: Path, knowledge: Knowledge, listening: socket.socket) -> None:
    """In the child: the app on the file, until it is killed."""
    logging.disable()
    store = Store.open(path)
    app = make_app(store, knowledge, settings=reachable(("127.0.0.1",), listening.getsockname()[1]))
    serving.server(app).run(sockets=[listening])


def start(path: Path, knowledge: Knowledge) -> tuple[int, int]:
    """A server in a process of its own, and its port."""
    listening = serving.listen("127.0.0.1", 0)
    port: int = listening.getsockname()[1]
    process = os.fork()
    if process == 0:
        try:
            serve(path, knowledge, listening)
        except BaseException as error:
            print(f"server: {type(error).__name__}: {error}", file=sys.stderr, flush=True)
        os._exit(1)
    listening.close()
    return process, port


class Client(threading.Thread):
    """Writes one change after the other, each under a word of its own, until the server is gone."""

    def __init__(
        self, name: str, port: int, uid: str, cookie: str, token: str, seed: int, heard: threading.Event
    ) -> None:
        super().__init__(name=name, daemon=True)
        self.uid, self.dice, self.heard = uid, random.Random(seed), heard
        self.wire = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        self.headers = {"cookie": cookie, "x-csrf-token": token}
        self.acknowledged: list[str] = []
        self.count, self.entry, self.fault = 0, 0, ""

    def run(self) -> None:
        """Write until the connection breaks."""
        ways: list[Callable[[str], tuple[bool, int]]] = [
            self.by_program,
            self.by_program,
            self.by_form,
            self.many,
            self.corrected,
            self.retracted,
        ]
        with suppress(OSError, http.client.HTTPException):
            while True:
                word, self.count = f"{self.name}.{self.count}", self.count + 1
                is_kept, status = self.dice.choice(ways)(word)
                if is_kept:
                    self.acknowledged.append(word)
                elif status >= 500:
                    self.fault = f"answer {status}"
                self.heard.set()
        self.wire.close()

    def post(self, path: str, body: str, kind: str) -> tuple[int, bytes]:
        """Status and body of the answer, when all of it is there."""
        self.wire.request("POST", path, body, {**self.headers, "content-type": kind})
        answer = self.wire.getresponse()
        return answer.status, answer.read()

    def call(self, path: str, body: dict[str, Any]) -> tuple[bool, int]:
        """A call of the programming interface; the entry that it made is the next to be corrected."""
        status, said = self.post(f"/api/v1/patients/{self.uid}{path}", json.dumps(body), "application/json")
        if status not in (200, 201):
            return False, status
        added = json.loads(said)["change"]["added"]
        self.entry = added[0]["id"] if added else 0
        return True, status

    def by_program(self, word: str) -> tuple[bool, int]:
        """One entry."""
        return self.call("/entries", {"entries": [{**ENTRY, "source": word}], "note": word})

    def many(self, word: str) -> tuple[bool, int]:
        """Several at once."""
        return self.call("/entries", {"entries": [{**ENTRY, "source": word}] * TOGETHER, "note": word})

    def by_form(self, word: str) -> tuple[bool, int]:
        """One entry, as a browser sends it; its word is the source, since the form has no note."""
        status, _ = self.post(
            f"/p/{self.uid}/add", urlencode({**ENTRY, "source": word}), "application/x-www-form-urlencoded"
        )
        return status == 303, status

    def corrected(self, word: str) -> tuple[bool, int]:
        """The last entry, corrected."""
        if not self.entry:
            return self.by_program(word)
        return self.call(f"/entries/{self.entry}/correct", {"entry": {**ENTRY, "source": word}, "note": word})

    def retracted(self, word: str) -> tuple[bool, int]:
        """The last entry, taken back."""
        if not self.entry:
            return self.by_form(word)
        return self.call(f"/entries/{self.entry}/retract", {"note": word})


def compare(store: Store, uid: str, clients: list[Client], result: Result) -> None:
    """Whether everything that was answered is there, and nothing by halves."""
    stored: Counter[str] = Counter()
    for change in store.history(uid):
        word = change.note or next((one.event.source for one in change.added), "")
        stored[word] += 1
        if len(change.added) not in (0, 1, TOGETHER):
            result.torn += 1
    for client in clients:
        mine = {word for word in stored if word.startswith(f"{client.name}.")}
        said = set(client.acknowledged)
        result.lost += len(said - mine)
        result.surplus += len(mine - said)
        if len(mine - said) > 1 or any(stored[word] > 1 for word in mine):
            result.faults.append(f"{client.name}: stored what it was never told")
        if client.fault:
            result.faults.append(f"{client.name}: {client.fault}")


def check(path: Path, uid: str, clients: list[Client], result: Result) -> None:
    """Open what was left, and look at all of it."""
    try:
        with Store.open(path) as store:
            if faults := store.check():
                result.corrupt += 1
                result.faults += faults[:3]
            compare(store, uid, clients, result)
    except Exception as error:
        result.corrupt += 1
        result.faults.append(f"{type(error).__name__}: {error}")


@dataclass(frozen=True)
class Begun:
    """A file with one patient, and the session of a browser that outlives every restart."""

    path: Path
    uid: str
    cookie: str
    token: str


def begin(path: Path, knowledge: Knowledge) -> Begun:
    """A new file."""
    from starlette.requests import Request

    with Store.open(path) as store:
        uid = store.create("p", "kill").uid
        sessions = make_app(store, knowledge, settings=reachable(("127.0.0.1",), 1)).state.sessions
        session = sessions.of(Request({"type": "http", "headers": []}))
        return Begun(path, uid, f"{sessions.cookie}={session.id}.{sessions._sign('id', session.id)}", session.token)


def one_round(begun: Begun, knowledge: Knowledge, number: int, dice: random.Random, result: Result) -> list[Client]:
    """Start, write, kill."""
    process, port = start(begun.path, knowledge)
    heard = threading.Event()
    clients = [
        Client(f"{number}-{one}", port, begun.uid, begun.cookie, begun.token, dice.randrange(1 << 30), heard)
        for one in range(dice.choice((1, 1, 2, 4)))
    ]
    for client in clients:
        client.start()
    if dice.random() < 0.2:  # while it starts
        time.sleep(0.08 * dice.random())
    else:
        heard.wait(20)
        time.sleep(dice.choice((0.01, 0.05, 0.1)) * dice.random())
    os.kill(process, signal.SIGKILL)
    if not os.WIFSIGNALED(os.waitpid(process, 0)[1]):
        result.faults.append(f"{number}: the server ended by itself")
    for client in clients:
        client.join(30)
    result.kills += 1
    result.acknowledged += sum(len(client.acknowledged) for client in clients)
    return clients


def run(kills: int, seed: int = 1, seconds: float = 0.0) -> Result:
    """So many kills, or as many as fit into the seconds, in files that are begun anew now and then."""
    knowledge, dice, result, started = load(), random.Random(seed), Result(), time.monotonic()

    def is_done() -> bool:
        return time.monotonic() > started + seconds if seconds else result.kills >= kills

    folder = Path(tempfile.mkdtemp(prefix="poems-kill-"))
    try:
        while not is_done():
            begun = begin(folder / f"{result.files}.db", knowledge)
            everybody: list[Client] = []
            for number in range(ROUNDS_PER_FILE):
                clients = one_round(begun, knowledge, number, dice, result)
                check(begun.path, begun.uid, clients, result)
                everybody += clients
                if is_done():
                    break
            surplus = result.surplus
            check(begun.path, begun.uid, everybody, result)  # nothing of earlier rounds was lost since
            result.surplus = surplus
            result.files += 1
            for left in folder.iterdir():
                left.unlink()
    finally:
        shutil.rmtree(folder)
    result.seconds = round(time.monotonic() - started, 1)
    return result


def main() -> int:
    """Run, and print what was seen."""
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument("--kills", type=int, default=1000)
    asked.add_argument("--seed", type=int, default=1)
    asked.add_argument("--seconds", type=float, default=0.0)
    given = asked.parse_args()
    result = run(given.kills, given.seed, given.seconds)
    print(json.dumps(asdict(result)))
    return 0 if result.is_sound else 1


if __name__ == "__main__":
    sys.exit(main())
