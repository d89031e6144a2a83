"""What became of an import, kept for the page to which the browser is sent after it, so that a reload imports nothing.

The rows that were refused are nowhere else: they are no part of a record, and do not belong into a file or an address.
So they are kept in memory, for the session that sent them, for an hour and up to a bound; after that, or when the app
was started anew, the page says that they are gone. What was stored stands in the history in any case. Names of records
are not kept here: the page asks the store for them.
"""

from __future__ import annotations

import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from typing import Final

from poems.errors import Issue

HOURS, MOST, MOST_OF_ONE, MOST_LINES = 1, 100, 10, 20_000
"""How long an outcome is kept, how many, how many of one session, and how many lines of files all may hold."""
GONE: Final = ("The outcome of this import is no longer kept here, or belongs to another session. What was stored "
               "stands in the history of each record, with what its reading had to say.")


@dataclass(frozen=True)
class Told:
    """One issue, and the row of the file that it is about, where it is about one."""

    issue: Issue
    row: str

    @property
    def place(self) -> str:
        """Where it stands in the file."""
        return self.issue.where.partition(", ")[2] or "the file"


@dataclass(frozen=True)
class FileTold:
    """What became of a file. read: how many findings; told: the first of its issues; issues, faults: how many."""

    name: str
    read: int
    told: tuple[Told, ...]
    issues: int
    faults: int


@dataclass(frozen=True)
class Part:
    """One record that the import went to. findings: how many it brought; alike: records with nearly the same name."""

    uid: str
    change: int
    findings: int
    source: str
    doubts: tuple[Issue, ...]
    is_contradicted: bool
    alike: tuple[str, ...]


@dataclass(frozen=True)
class Outcome:
    """What the page tells. parts: the first records; uids: all of them. into: the one record it was for."""

    files: tuple[FileTold, ...]
    parts: tuple[Part, ...]
    uids: frozenset[str]
    more: int
    doubtful: int
    into: str
    is_other: bool

    @property
    def lines(self) -> int:
        """How many lines of files it holds."""
        return sum(len(file.told) for file in self.files)


class Outcomes:
    """The latest outcomes, by a random id."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._lock = clock, Lock()
        self._kept: OrderedDict[str, tuple[str, float, Outcome]] = OrderedDict()

    def keep(self, owner: str, outcome: Outcome) -> str:
        """The id under which it can be seen; the oldest give way."""
        made = secrets.token_urlsafe(16)
        with self._lock:
            mine = [key for key, (whose, _, _) in self._kept.items() if whose == owner]
            for key in mine[:max(len(mine) - MOST_OF_ONE + 1, 0)]:
                del self._kept[key]
            self._kept[made] = owner, self._clock() + HOURS * 3600, outcome
            while len(self._kept) > 1 and (
                    len(self._kept) > MOST or sum(one.lines for _, _, one in self._kept.values()) > MOST_LINES):
                self._kept.popitem(last=False)
            self._tidy()
        return made

    def get(self, key: str, owner: str) -> Outcome | None:
        """The outcome, for the session whose import it was."""
        with self._lock:
            self._tidy()
            whose, _, found = self._kept.get(key, ("", 0.0, None))
        return found if whose == owner else None

    def forget(self, uid: str) -> None:
        """Let go of every outcome that concerns a record: it was erased."""
        with self._lock:
            for key in [key for key, (_, _, one) in self._kept.items() if uid in one.uids or one.into == uid]:
                del self._kept[key]

    def _tidy(self) -> None:
        now = self._clock()
        for key in [key for key, (_, until, _) in self._kept.items() if until < now]:
            del self._kept[key]
