"""Files that people drop on the page are read in a process of their own, which can be stopped and may take no more
memory than it is given: a file that is a trap costs the file, not the app.
"""

from __future__ import annotations

import multiprocessing
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import date
from functools import cache
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext
from pathlib import Path
from threading import BoundedSemaphore, Timer

from poems.adapters import Reading, read
from poems.errors import Issue, PoemsError
from poems.knowledge import Knowledge, load
from poems.web.guard import Refused
from poems.web.settings import Limits

STOPPED = Issue("fault", "", "took too long or too much memory to read; it was stopped, and nothing of it was kept",
                "a file of one patient or a few", "Part the file, or read it on the command line.")
MOST_ISSUES = 2_000
WARM = "poems.web.warm"
PATIENCE = 60.0


@cache
def _context() -> ForkServerContext:
    """Where the processes come from: one that has read the knowledge already, so that each has it at once."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([WARM])
    return context


@cache
def knowledge() -> Knowledge:
    """The knowledge, in a process that reads files."""
    return load()


@cache
def _turns(readers: int, waiting: int) -> tuple[BoundedSemaphore, BoundedSemaphore]:
    return BoundedSemaphore(readers), BoundedSemaphore(readers + waiting)


@contextmanager
def _turn(limits: Limits) -> Iterator[None]:
    """Wait until fewer than so many files are being read. Raises: Refused, where too many wait already."""
    running, here = _turns(limits.readers, limits.waiting)
    if not here.acquire(blocking=False):
        raise Refused(503, "Too many files are being read just now. Try again in a minute.", {"retry-after": "60"})
    try:
        if not running.acquire(timeout=PATIENCE):
            raise Refused(503, "Too many files are being read just now. Try again in a minute.", {"retry-after": "60"})
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
    with _turn(limits), tempfile.TemporaryDirectory(prefix="poems-") as folder:
        found = _read_beside(data, name, form, limits, folder)
    return found or Reading((), (replace(STOPPED, where=name),))


def _read_beside(data: bytes, name: str, form: str, limits: Limits, folder: str) -> Reading | None:
    """What the process sent; None where it had to be killed. Its temporary files go with the folder."""
    receiver, sender = _context().Pipe(duplex=False)
    child = _context().Process(target=_read, args=(sender, data, name, form, limits, folder), daemon=True)
    child.start()
    sender.close()
    clock = Timer(limits.seconds, child.kill)
    clock.daemon = True
    clock.start()
    try:
        with suppress(EOFError, OSError):
            sent = receiver.recv()
            return sent if isinstance(sent, Reading) else None
        return None
    finally:
        clock.cancel()
        child.kill()
        child.join()
        child.close()
        receiver.close()


def _read(sender: Connection, data: bytes, name: str, form: str, limits: Limits, folder: str) -> None:
    """In the child: read, and send what was found."""
    _confine(limits)
    tempfile.tempdir = folder
    try:
        found = read(data, knowledge(), name=name, format=form or None, today=date.today())
    except PoemsError as error:
        found = Reading((), (Issue("fault", name, str(error)),))
    except Exception:  # the parent says that it could not be read; no trace leaves
        return
    sender.send(_measured(found, name, limits))


def _confine(limits: Limits) -> None:
    """Take no more memory than given on top of what the process begins with, no more time, and leave no image."""
    try:
        import resource
    except ImportError:  # not a Unix: the clock of the parent still ends it
        return
    begun = 0
    with suppress(OSError, ValueError):
        begun = int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    seconds = int(limits.seconds) + 1
    for kind, most in ((resource.RLIMIT_AS, begun + limits.memory), (resource.RLIMIT_CPU, seconds),
                       (resource.RLIMIT_CORE, 0)):
        with suppress(OSError, ValueError):
            resource.setrlimit(kind, (most, most))


def _measured(found: Reading, name: str, limits: Limits) -> Reading:
    """What was read, if it is not more than one import may bring; of very many issues the first, and how many more."""
    if len(found.events) > limits.rows:
        return Reading((), (Issue("fault", name, f"more than {limits.rows:,} findings; nothing of it was kept",
                                  "fewer", "Part the file."),))
    if (more := len(found.issues) - MOST_ISSUES) > 0:
        last = Issue("fault", name, f"{more:,} more are wrong in the same or other ways", "", "Mend these first.")
        return Reading(found.events, (*found.issues[:MOST_ISSUES], last))
    return found
