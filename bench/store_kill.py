"""Writers of a store, killed at random moments: `python -m bench.store_kill [--kills 1000] [--seed 1] [--key KEY]`.

Each round starts one to three writers (fresh processes by fork; each opens the file by itself) and kills one or all of
them with SIGKILL after a random time, some while they open or make the file, copy it or fold its log back. A writer
says "n" on a pipe when the call of its change n has returned. Then the store is opened and must be sound, hold every
change that was acknowledged, and at most one more of each writer; a change that brought several entries brought all.
Writers also erase somebody for good now and then: whoever is not erased yet is there whole.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import selectors
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path

from poems.record import Event
from poems.store import ConflictError, DuplicateError, Store, connection

ROUNDS_PER_FILE = 40
TOGETHER = 17
"""Entries of one import: all of them are there, or none."""


@dataclass
class Result:
    """What was seen. surplus: changes on the disk whose acknowledgement did not get out any more."""

    kills: int = 0
    acknowledged: int = 0
    lost: int = 0
    torn: int = 0
    corrupt: int = 0
    surplus: int = 0
    files: int = 0
    seconds: float = 0.0
    faults: list[str] = field(default_factory=list)

    @property
    def is_sound(self) -> bool:
        """Whether nothing went wrong."""
        return not (self.lost or self.torn or self.corrupt or self.faults)


def write_until_killed(path: Path, key: str | None, name: str, pipe: int, seed: int) -> None:
    """Change after change, each acknowledged when its call has returned."""
    dice = random.Random(seed)
    connection._SETTINGS = (*connection._SETTINGS, f"PRAGMA wal_autocheckpoint = {dice.choice((1, 10, 1000))}")
    store = Store.open(path, key=key)
    try:
        patient = store.find("p") or store.create("p", "kill")
    except DuplicateError:  # another writer was faster
        patient = store.find("p")
    assert patient is not None
    count, last = 0, 0
    while True:
        word = f"{name}.{count}"
        event = Event("", "edema", status="present", source=word)
        try:
            kind = dice.randrange(8)
            if kind == 0:
                store.add(patient.uid, [event] * TOGETHER, "kill", kind="import", source=word, note=word)
            elif kind == 1 and last:
                store.correct(patient.uid, last, event, "kill", note=word)
            elif kind == 2:
                store.backup(path.with_name(f"{word}.copy"))
                path.with_name(f"{word}.copy").unlink()
                continue
            elif kind == 3 and not dice.randrange(3):
                erase_somebody(store, word)
                continue
            else:
                change = store.add(patient.uid, [event], "kill", note=word)
                last = change.added[0].id
        except ConflictError:
            continue
        os.write(pipe, b"%d\n" % count)
        count += 1


def erase_somebody(store: Store, word: str) -> None:
    """Somebody with entries comes, is removed, and is erased for good."""
    made = store.create(f"goes {word}", "kill")
    store.add(made.uid, [Event("", "edema", status="present", source=f"goes {word}")] * TOGETHER, "kill")
    store.remove(made.uid, 2, "kill")
    store.erase(made.uid, 3, "kill")


@dataclass
class Writer:
    """A process that writes, and the end of its pipe."""

    name: str
    process: int
    pipe: int
    heard: bytes = b""

    @property
    def acknowledged(self) -> int:
        """How many changes it said were done; half a line was not said."""
        return self.heard.count(b"\n")


def start(path: Path, key: str | None, name: str, seed: int) -> Writer:
    """A writer in a process of its own."""
    out, into = os.pipe()
    process = os.fork()
    if process == 0:
        os.close(out)
        try:
            write_until_killed(path, key, name, into, seed)
        except BaseException as error:
            print(f"{name}: {type(error).__name__}: {error}", file=sys.stderr, flush=True)
        os._exit(1)
    os.close(into)
    return Writer(name, process, out)


def listen(writers: list[Writer], seconds: float, *, first_word: float = 0.0) -> None:
    """Hear them out for a while. first_word: how long to wait for it before the time begins to run."""
    until = time.monotonic() + (first_word or seconds)
    with selectors.DefaultSelector() as watch:
        for writer in writers:
            watch.register(writer.pipe, selectors.EVENT_READ, writer)
        while (left := until - time.monotonic()) > 0 and watch.get_map():
            for key, _ in watch.select(left):
                piece = os.read(key.fd, 1 << 16)
                key.data.heard += piece
                if first_word and piece:
                    until, first_word = time.monotonic() + seconds, 0.0
                if not piece:
                    watch.unregister(key.fd)


def end(writer: Writer, result: Result) -> None:
    """Kill a writer, and hear what it had still said."""
    os.kill(writer.process, signal.SIGKILL)
    status = os.waitpid(writer.process, 0)[1]
    if not os.WIFSIGNALED(status):
        result.faults.append(f"{writer.name} ended by itself")
    while piece := os.read(writer.pipe, 1 << 16):
        writer.heard += piece
    os.close(writer.pipe)
    result.kills += 1
    result.acknowledged += writer.acknowledged


def compare(store: Store, writers: list[Writer], result: Result) -> None:
    """Whether everything that was acknowledged is there, and nothing by halves."""
    patient = store.find("p")
    history = store.history(patient.uid) if patient else ()
    stored = Counter(change.note for change in history)
    for change in history:
        if change.kind == "import" and len(change.added) != TOGETHER:
            result.torn += 1
    for one in store.patients(removed=True):  # who was not erased yet is here whole
        result.torn += (one.revision, one.entries) != (3, TOGETHER)
    for writer in writers:
        mine = {note for note in stored if note.startswith(f"{writer.name}.")}
        said = {f"{writer.name}.{count}" for count in range(writer.acknowledged)}
        result.lost += len(said - mine)
        result.surplus += len(mine - said)
        if len(mine - said) > 1 or any(stored[note] > 1 for note in mine):
            result.faults.append(f"{writer.name}: stored what it never wrote")


def run(kills: int, seed: int = 1, key: str | None = None) -> Result:
    """So many kills, in files that are begun anew now and then."""
    dice, result, begun = random.Random(seed), Result(), time.monotonic()
    folder = Path(tempfile.mkdtemp())
    try:
        while result.kills < kills:
            path = folder / f"{result.files}.db"
            everybody: list[Writer] = []
            for number in range(ROUNDS_PER_FILE):
                crowd = dice.choice((1, 1, 2, 3))
                writers = [start(path, key, f"{number}-{one}", dice.randrange(1 << 30)) for one in range(crowd)]
                if dice.random() < 0.3:  # while they open the file, or make it
                    listen(writers, (0.4 if key else 0.03) * dice.random())
                else:
                    listen(writers, dice.choice((0.005, 0.05, 0.2)) * dice.random(), first_word=10.0)
                first = dice.randrange(crowd)
                end(writers[first], result)
                others = writers[:first] + writers[first + 1:]
                listen(others, 0.01 * dice.random())  # they go on over what the killed one left
                for writer in others:
                    end(writer, result)
                everybody += writers
                check(path, key, everybody if number == ROUNDS_PER_FILE - 1 else writers, result)
                if result.kills >= kills and number >= 1:
                    break
            check(path, key, everybody, result)
            result.files += 1
            for left in folder.iterdir():
                shutil.rmtree(left) if left.is_dir() else left.unlink()
    finally:
        shutil.rmtree(folder)
    result.seconds = round(time.monotonic() - begun, 1)
    return result


def check(path: Path, key: str | None, writers: list[Writer], result: Result) -> None:
    """Open what was left, and look at all of it."""
    try:
        with Store.open(path, key=key) as store:
            if faults := store.check():
                result.corrupt += 1
                result.faults += faults[:3]
            surplus = result.surplus
            compare(store, writers, result)
            if len(writers) > 3:  # all of them again: their surplus was counted
                result.surplus = surplus
    except Exception as error:
        result.corrupt += 1
        result.faults.append(f"{type(error).__name__}: {error}")


def main() -> int:
    """Run, and print what was seen."""
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument("--kills", type=int, default=1000)
    asked.add_argument("--seed", type=int, default=1)
    asked.add_argument("--key")
    given = asked.parse_args()
    result = run(given.kills, given.seed, given.key)
    print(json.dumps(asdict(result)))
    return 0 if result.is_sound else 1


if __name__ == "__main__":
    sys.exit(main())
