"""The process that reads files for the app: started once, it forks one child for each file.

The child may take so much memory and so much time and no more, and the operating system ends it where it stands. None
of them ever has a socket of the app, its database or its log.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from multiprocessing.connection import Connection
from pathlib import Path

from poems.adapters import Reading, read
from poems.errors import Issue, PoemsError
from poems.knowledge import Knowledge, load
from poems.store import ArchiveError, FullError
from poems.store.archive import lay_aside
from poems.web.settings import Limits

MOST_ISSUES = 2_000
START = "import sys; sys.path[:] = sys.argv[1:]; from poems.web.reader import main; main()"
"""What the process runs: the same code as the app, from wherever that was taken."""


@dataclass(frozen=True)
class Job:
    """One file. name: how issues call it. form: a format, or empty. folder: for what a reader has to write."""

    data: bytes
    name: str
    form: str
    limits: Limits
    folder: str


@dataclass(frozen=True)
class Unpacking:
    """An archive, which comes as an open file beside, and another one to put its histories into."""

    most_bytes: int
    limits: Limits
    folder: str


def main() -> None:
    """Fork a child for every connection that comes over standard input, until that is closed."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # the end of the app closes our input
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    knowledge = load()
    with socket.socket(fileno=sys.stdin.fileno()) as asked:
        while True:
            word, handles, _, _ = socket.recv_fds(asked, 1, 3)
            if not word:
                os._exit(0)
            if os.fork() == 0:
                asked.close()
                _answer(handles, knowledge)
            for handle in handles:
                os.close(handle)


def _answer(handles: list[int], knowledge: Knowledge) -> None:
    """In the child: read one file, send what was found, and end. Whatever goes wrong, nothing is said of it."""
    try:
        with Connection(handles[0]) as wire:
            job: Job | Unpacking = wire.recv()
            confine(job.limits)
            tempfile.tempdir = job.folder
            wire.send(found_in(job, knowledge) if isinstance(job, Job) else unpacked(job, *handles[1:]))
    finally:
        os._exit(0)


def confine(limits: Limits) -> None:
    """Take no more memory than given on top of what the process has, no more time, and leave no image of it."""
    import resource

    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, limits.seconds)
    begun = 0
    with suppress(OSError, ValueError):
        begun = int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    for kind, most in ((resource.RLIMIT_AS, begun + limits.memory), (resource.RLIMIT_CORE, 0),
                       (resource.RLIMIT_CPU, int(limits.seconds) + 1)):
        with suppress(OSError, ValueError):
            resource.setrlimit(kind, (most, most))


def unpacked(job: Unpacking, source: int, aside: int) -> int | ArchiveError | FullError:
    """How many histories of an archive were put aside, each of them sound; or why it is refused."""
    with os.fdopen(source, "rb") as archive, os.fdopen(aside, "r+b") as file:
        try:
            return lay_aside(archive, job.most_bytes, file)
        except (ArchiveError, FullError) as error:
            return error


def found_in(job: Job, knowledge: Knowledge) -> Reading:
    """What the file says, if it is not more than one import may bring; of very many issues the first, and a count."""
    try:
        found = read(job.data, knowledge, name=job.name, format=job.form or None, today=date.today())
    except PoemsError as error:
        return Reading((), (Issue("fault", job.name, str(error)),))
    patients = len({event.patient for event in found.events})
    for count, most, what in ((len(found.events), job.limits.rows, "findings"),
                              (patients, job.limits.patients, "patients")):
        if count > most:
            return Reading((), (Issue("fault", job.name, f"more than {most:,} {what}; nothing of it was kept", "fewer",
                                      "Part the file."),))
    if (more := len(found.issues) - MOST_ISSUES) > 0:
        last = Issue("fault", job.name, f"{more:,} more are wrong in the same or other ways", "", "Mend these first.")
        return Reading(found.events, (*found.issues[:MOST_ISSUES], last))
    return found
