"""The audit trail as the app writes it: no answer waits long for its line, and no line is lost without a word.

A line is written before what it tells of is shown. Where the database cannot be written just now (another program holds
it, the disk is full), the line is kept in memory, whoever asked is told so, and it is written as soon as that can be.
"""

from __future__ import annotations

import logging
from collections import deque
from datetime import UTC, datetime
from threading import Event, Lock, Thread

from poems.store import Audited, Store, StoreError
from poems.web.guard import Refused

log = logging.getLogger("poems.web")
WAIT, RETRY = 1.0, 1.0
"""Seconds that an answer waits for its line, and between two tries to write those that were late."""
MOST = 10_000
FULL = ("The database cannot be written, and what is read can no longer be noted. See that no other program holds it "
        "and that the disk has room; then try again.")


class Trail:
    """Writes lines in the order in which they came; whoever has the turn writes for all who wait."""

    def __init__(self, store: Store) -> None:
        self._store, self._lines = store, deque[Audited]()
        self._lock, self._turn = Lock(), Lock()
        self._is_late, self._ended = False, Event()

    def tell(self, who: str, action: str, uid: str = "") -> bool:
        """Write a line: who did what, with whose record; no value belongs into it. False where it is kept for later.

        Raises: Refused, where too many wait already: then nothing may be shown.
        """
        with self._lock:
            if len(self._lines) >= MOST:
                raise Refused(503, FULL)
            self._lines.append(_line(who, action, uid))
            if self._is_late:
                return False
        with self._turn:
            return not self._is_late and self._write()

    def later(self, who: str, action: str) -> None:
        """A line that nobody waits for, from where nothing may be written."""
        with self._lock:
            self._lines.append(_line(who, action, ""))
        Thread(target=self._write_once, name="audit trail", daemon=True).start()

    def end(self) -> None:
        """Write what waits; say how much of it is lost, where that cannot be."""
        self._ended.set()
        with self._turn:
            if not self._write() and self._lines:
                log.error("%d lines of the audit trail could not be written before the app ended; they are lost",
                          len(self._lines))
                self._lines.clear()

    def _write_once(self) -> None:
        with self._turn:
            self._write()

    def _write(self) -> bool:
        """Write all that waits; the caller has the turn."""
        with self._lock:
            lines = tuple(self._lines)
        try:
            if lines:
                self._store.append(lines, WAIT)
        except StoreError as error:
            with self._lock:
                if not self._is_late:
                    log.warning("the audit trail cannot be written (%s); its lines are kept in memory until it can",
                                type(error).__name__)
                    self._begin_late()
            return False
        with self._lock:
            for _ in lines:
                self._lines.popleft()
            if self._is_late and not self._lines:
                self._is_late = False
                log.warning("the audit trail is written again, with all that was kept")
        return True

    def _begin_late(self) -> None:
        """Try again and again beside; the caller has the lock."""
        if not self._is_late and not self._ended.is_set():
            self._is_late = True
            Thread(target=self._catch_up, name="audit trail", daemon=True).start()

    def _catch_up(self) -> None:
        while True:
            self._write_once()
            with self._lock:
                if not self._is_late:
                    return
            if self._ended.wait(RETRY):
                return


def _line(who: str, action: str, uid: str) -> Audited:
    return Audited(0, datetime.now(UTC), who, action, uid)
