"""Files that people drop on the page are read in a process of their own, which can be stopped and may take no more
memory than it is given: a file that is a trap costs the file, not the app.
"""

from __future__ import annotations

import atexit
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import cache
from multiprocessing.connection import Connection
from threading import BoundedSemaphore, Lock
from typing import Any, BinaryIO

from poems.adapters import Reading
from poems.errors import Issue
from poems.store import ArchiveError, StoreError
from poems.web import reader
from poems.web.guard import Refused
from poems.web.reader import Job, Unpacking
from poems.web.settings import Limits

STOPPED = Issue("fault", "", "took too long or too much memory to read; it was stopped, and nothing of it was kept",
                "a file of one patient or a few", "Part the file, or read it on the command line.")
MANY = "Too many files are being read just now. Try again in a minute."
TOO_MUCH = ("The archive took too long or too much memory to read; it was stopped. Nothing was taken in. Check where "
            "it comes from: what this app exports is read easily.")
ARCHIVE_SECONDS = 600.0
"""How long an archive may be read: it may hold a thousand times what a file that people drop may."""
PATIENCE, GRACE = 60.0, 5.0
"""Seconds that one waits for a turn, and that a process has beyond its own time until we no longer listen."""


class Readers:
    """The process that forks those that read; started when it is first needed, and again should it end."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._wire: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def connection(self, *files: int) -> Connection:
        """The wire to a fresh process that waits for its job. files: what it may read or write, open already."""
        ours, theirs = socket.socketpair()
        with theirs, self._lock:
            handles = [theirs.fileno(), *files]
            try:
                socket.send_fds(self._begun(), [b"."], handles)
            except OSError:
                self._end()
                socket.send_fds(self._begun(), [b"."], handles)
        return Connection(ours.detach())

    def prepare(self) -> None:
        """Start the process now, so that the first file does not wait for it."""
        with self._lock:
            self._begun()

    def end(self) -> None:
        """Let the process go; those that read end by themselves."""
        with self._lock:
            self._end()

    def _begun(self) -> socket.socket:
        if self._wire is None or self._process is None or self._process.poll() is not None:
            self._end()
            self._wire, theirs = socket.socketpair()
            with theirs:
                self._process = subprocess.Popen(  # noqa: S603 - this program
                    [sys.executable, "-P", "-c", reader.START, *filter(None, sys.path)], stdin=theirs.fileno(),
                    stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return self._wire

    def _end(self) -> None:
        if self._wire is not None:
            self._wire.close()
        if self._process is not None:
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(GRACE)
            self._process.kill()
            self._process.wait()
        self._wire = self._process = None


READERS = Readers()
atexit.register(READERS.end)


@cache
def _turns(readers: int, waiting: int) -> tuple[BoundedSemaphore, BoundedSemaphore]:
    return BoundedSemaphore(readers), BoundedSemaphore(readers + waiting)


@contextmanager
def turn(limits: Limits) -> Iterator[None]:
    """Wait until fewer than so many files are being read. Raises: Refused, where too many wait already."""
    running, here = _turns(limits.readers, limits.waiting)
    if not here.acquire(blocking=False):
        raise Refused(503, MANY, {"retry-after": "60"})
    try:
        if not running.acquire(timeout=PATIENCE):
            raise Refused(503, MANY, {"retry-after": "60"})
        try:
            yield
        finally:
            running.release()
    finally:
        here.release()


def read_file(data: bytes, name: str, form: str, limits: Limits) -> Reading:
    """What a file says, with every issue; one fault where it had to be stopped.

    name: how issues call the file. form: one of the formats, or empty to tell by content.
    Raises: Refused, where too many others are being read.
    """
    with turn(limits), tempfile.TemporaryDirectory(prefix="poems-") as folder:
        found: Reading | None = None
        with READERS.connection() as wire, suppress(EOFError, OSError):
            wire.send(Job(data, name, form, limits, folder))
            if wire.poll(limits.seconds + GRACE):
                found = wire.recv()
    return found if isinstance(found, Reading) else Reading((), (replace(STOPPED, where=name),))


def archive_reader(limits: Limits) -> Callable[[Any, int, BinaryIO], int]:
    """What reads an archive as `store.archive.lay_aside` does, beside.

    Raises, when it is called: ArchiveError, FullError; Refused, where too many others are being read.
    """
    def lay_aside(source: Any, most_bytes: int, aside: BinaryIO) -> int:
        with turn(limits), tempfile.TemporaryDirectory(prefix="poems-") as folder:
            found: object = None
            source.seek(0)
            source.flush()
            with READERS.connection(source.fileno(), aside.fileno()) as wire, suppress(EOFError, OSError):
                wire.send(Unpacking(most_bytes, replace(limits, seconds=ARCHIVE_SECONDS), folder))
                if wire.poll(ARCHIVE_SECONDS + GRACE):
                    found = wire.recv()
        if isinstance(found, StoreError):
            raise found
        if not isinstance(found, int):
            raise ArchiveError(TOO_MUCH)
        return found

    return lay_aside
