"""The app as a process beside: started, found again, stopped. A locked file says on which port one runs."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TextIO

from poems.errors import UsageError

PATIENCE = 30.0
READY = "POEMS_READY"
"""The variable that names the pipe on which a process beside says that it answers."""
START = "import json, sys; sys.path[:], words = json.loads(sys.argv[1]); from poems.cli import main; main(words)"


def data_folder() -> Path:
    """Where this user's data lie: XDG_DATA_HOME, or ~/.local/share."""
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local/share") / "poems"


@dataclass(frozen=True)
class Running:
    """An app that runs: its process, where its records lie, and how it is reached."""

    pid: int
    database: str
    address: str


@contextmanager
def known(port: int, database: Path, address: str) -> Iterator[None]:
    """While this lasts, others find the app by its port. Without a folder to say it in, they do not."""
    with ExitStack() as held:
        with suppress(OSError):
            _note(port).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            file = held.enter_context(os.fdopen(os.open(_note(port), os.O_RDWR | os.O_CREAT, 0o600), "r+"))
            _lock(file)
            file.truncate()
            json.dump(asdict(Running(os.getpid(), str(database), address)), file)
            file.flush()
        yield


def _lock(file: TextIO) -> None:
    """Hold the file until it is closed, or we end in whatever way; somebody may just be looking at it."""
    import fcntl

    for _ in range(50):
        with suppress(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        time.sleep(0.02)
    raise OSError


def running(port: int) -> Running | None:
    """The app that runs on this port, if one of this user's does."""
    import fcntl

    try:
        with _note(port).open() as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except OSError:
                return Running(**json.load(file))
    except (OSError, ValueError, TypeError):
        return None
    return None


def stop(port: int) -> int:
    """End the app on this port, and say so."""
    found = running(port)
    if found is None:
        _say(f"nothing of yours runs on port {port}")
        return 0
    _end(found, port)
    _say(f"stopped {found.address}")
    return 0


def _end(found: Running, port: int) -> None:
    """Ask the process to end, and wait until it has. Raises: UsageError, where it does not."""
    with suppress(ProcessLookupError):
        os.kill(found.pid, signal.SIGTERM)
    until = time.monotonic() + PATIENCE
    while running(port) == found:
        if time.monotonic() > until:
            raise UsageError(f"the app on port {port} (process {found.pid}) does not end; look at what it does")
        time.sleep(0.02)


def begin(words: Sequence[str], port: int, database: Path) -> tuple[int, str]:
    """Start `poems` with these words beside, and wait until it answers: 0 and its address, or its exit code.

    An app of the same database on this port is started anew. Raises: UsageError, where another one runs there.
    """
    if (found := running(port)) is not None:
        if found.database != str(database):
            raise UsageError(f"--port {port}: an app of yours runs there already, with the records of {found.database};"
                             f" stop it with `poems serve --stop --port {port}`, or take another port")
        _end(found, port)
    log = data_folder() / f"serve-{port}.log"
    try:
        data_folder().mkdir(parents=True, exist_ok=True, mode=0o700)
        log.unlink(missing_ok=True)
        out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise UsageError(f"{log}: cannot be written ({error.strerror}); expected a folder for data of your own: set "
                         "XDG_DATA_HOME to one") from None
    heard, told = os.pipe()
    try:
        child = subprocess.Popen(  # noqa: S603 - this program
            [sys.executable, "-P", "-c", START, json.dumps([[one for one in sys.path if one], list(words)])],
            stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True, pass_fds=[told],
            env={**os.environ, READY: str(told)})
    finally:
        os.close(out)
        os.close(told)
    address = _line(heard)
    if not address:
        child.kill()
        _say(log.read_text("utf-8", "replace").strip() or "the app did not start")
        return max(child.wait(), 0) or 5, ""
    child.returncode = 0  # it goes on without us, and nobody has to be warned of that
    return 0, address


def _line(handle: int) -> str:
    """What the process says when it answers; nothing where it ended, or took too long."""
    with os.fdopen(handle, "rb") as heard:
        if not select.select([heard], [], [], PATIENCE)[0]:
            return ""
        return heard.readline().decode().strip()


def answers(address: str) -> None:
    """Tell whoever started this process beside that it answers now."""
    if handle := os.environ.pop(READY, ""):
        with suppress(OSError, ValueError), os.fdopen(int(handle), "w") as told:
            told.write(f"{address}\n")


def _note(port: int) -> Path:
    return data_folder() / f"serve-{port}.json"


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
