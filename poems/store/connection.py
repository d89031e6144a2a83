"""The file behind a store: opened, made, encrypted, lent out by connection, copied while it is in use."""

from __future__ import annotations

import contextlib
import errno
import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, BinaryIO, Final

from poems.store import schema
from poems.store.parts import sweep, workshop
from poems.store.problems import (
    NOTHING,
    BusyError,
    CorruptError,
    FullError,
    InvalidError,
    NeedsLibraryError,
    NewerError,
    StoreError,
    UnwritableError,
    WrongKeyError,
    named,
)

WAIT_SECONDS: Final = 20.0
IDLE: Final = 8
"""How many connections are kept open between calls."""

_PLAIN: Final = b"SQLite format 3\0"
_SMALLEST: Final = 512
_SETTINGS: Final = ("PRAGMA foreign_keys = ON", "PRAGMA synchronous = FULL", "PRAGMA fullfsync = ON",
                    "PRAGMA checkpoint_fullfsync = ON", "PRAGMA recursive_triggers = ON",
                    "PRAGMA trusted_schema = OFF", "PRAGMA cell_size_check = ON", "PRAGMA temp_store = MEMORY",
                    "PRAGMA secure_delete = ON")
"""fullfsync: on a Mac, the disk itself and not only its cache. recursive_triggers: REPLACE would slip past a guard.
secure_delete: what is erased is overwritten with zeros."""


class File:
    """One database file. Connections are lent to one caller at a time; writers of this process take turns."""

    def __init__(self, path: Path, key: str | None) -> None:
        self.path, self.name, self._key = path, path.name, key
        self._library = _library(key)
        self.errors: tuple[type[Exception], ...] = (self._library.Error,)
        self._idle: list[Any] = []
        self._lock, self._turn = threading.Lock(), threading.Lock()
        self._process, self._closed = os.getpid(), False
        self._open()

    def _open(self) -> None:
        _prepare(self.path, self._key)
        sweep(self.path)
        connection = None
        try:
            self._look()
            connection = self._connect()
            self._make_or_migrate(connection)
            _to_write_ahead(connection)
        except BaseException as error:
            if connection is not None:
                connection.close()
            if isinstance(error, self.errors):
                raise self._named(error) from None
            raise
        self._idle.append(connection)

    def _look(self) -> None:
        """Look at the file without a right to write: a log beside a damaged or newer one must not be folded into it.

        Raises: NewerError, CorruptError.
        """
        if not self.path.stat().st_size:
            return
        try:
            connection = self._connect(read_only=True)
        except self.errors as error:
            if isinstance(named(error, self.name), CorruptError):
                raise
            return  # a change was cut off before there was a log: only who may write can take it back
        try:
            self._check(connection)
        finally:
            connection.close()

    def _check(self, connection: Any) -> None:
        version, is_ours = _number(connection, "user_version"), _is_ours(connection)
        if not is_ours and (version or _has_tables(connection)):
            raise CorruptError(f"{self.name}: a database of another program; it was left as it is. "
                               "Choose another file.")
        if version > schema.VERSION:
            raise NewerError(f"{self.name}: made by a newer poems (version {version} of the file; this one knows "
                             f"{schema.VERSION}). It was left as it is. Update poems.")
        if connection.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
            raise CorruptError(f"{self.name}: damaged; expected a sound database. It was left as it is. "
                               "Restore the newest backup beside it, and keep this file for a rescue.")

    def _named(self, error: Exception) -> StoreError:
        found = named(error, self.name)
        if isinstance(found, CorruptError) and getattr(error, "sqlite_errorname", "") == "SQLITE_NOTADB":
            if self._key is not None:
                return WrongKeyError(f"{self.name}: cannot be opened with this key. It was left as it is. "
                                     "Check the key; without it nobody can read the file.")
            return CorruptError(f"{self.name}: no store, or an encrypted one; it was left as it is. "
                                "If it is encrypted, give its key; otherwise choose another file.")
        return found

    def _connect(self, *, read_only: bool = False) -> Any:
        where = f"{self.path.as_uri()}?mode={'ro' if read_only else 'rw'}"
        connection = self._library.connect(where, uri=True, timeout=WAIT_SECONDS, isolation_level=None,
                                           check_same_thread=False, cached_statements=256)
        try:
            if self._key is not None:
                connection.execute("PRAGMA cipher_log_level = NONE")
                connection.execute("PRAGMA key = '" + self._key.replace("'", "''") + "'")
            for setting in _SETTINGS:
                connection.execute(setting)
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        except BaseException:
            connection.close()
            raise
        return connection

    def _make_or_migrate(self, connection: Any) -> None:
        """Make the tables where there are none; bring an older file up to date."""
        if _number(connection, "user_version") == schema.VERSION:
            return
        with transaction(connection, "BEGIN EXCLUSIVE"):
            if not _has_tables(connection):
                for statement in (*schema.CREATION, f"PRAGMA application_id = {schema.APPLICATION}",
                                  f"PRAGMA user_version = {schema.VERSION}"):
                    connection.execute(statement)
        self._check(connection)
        if (version := _number(connection, "user_version")) < schema.VERSION:
            self._migrate(connection, version)

    def _migrate(self, connection: Any, version: int) -> None:
        self.copy(connection, self.path.with_name(f"{self.name}.version-{version}.{datetime.now(UTC):%Y%m%dT%H%M%S%f}"))
        with transaction(connection, "BEGIN EXCLUSIVE"):
            for older in range(_number(connection, "user_version"), schema.VERSION):  # another one may have been faster
                for statement in schema.MIGRATIONS[older]:
                    connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {schema.VERSION}")

    def copy(self, connection: Any, path: Path) -> None:
        """A sound copy of what is stored now, with the same key; writing goes on meanwhile. Never overwrites a file."""
        with self._copied(connection, path) as part:
            publish(part, path)

    def opened_copy(self, connection: Any) -> BinaryIO:
        """The same as a file that has no name any more: it is gone from the disk when it is closed."""
        with self._copied(connection, self.path) as part:
            return part.open("rb")

    @contextlib.contextmanager
    def _copied(self, connection: Any, path: Path) -> Iterator[Path]:
        """A copy that stands beside a path, for as long as the block lasts."""
        try:
            with workshop(path) as folder:
                part = folder / "copy"
                os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
                target = self._library.connect(part, isolation_level=None)
                try:
                    if self._key is not None:
                        target.execute("PRAGMA key = '" + self._key.replace("'", "''") + "'")
                    connection.backup(target)
                    target.execute("PRAGMA journal_mode = DELETE")
                    if target.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
                        raise CorruptError(f"{path.name}: the copy is not sound; it was thrown away. Try again.")
                finally:
                    target.close()
                yield part
        except self.errors as error:
            raise named(error, path.name) from None
        except OSError as error:
            raise refused(path, error) from None

    @contextlib.contextmanager
    def reading(self) -> Iterator[Any]:
        """A connection that sees one moment of the store."""
        with self._lent() as connection, transaction(connection, "BEGIN"):
            yield connection

    @contextlib.contextmanager
    def writing(self, wait: float = WAIT_SECONDS) -> Iterator[Any]:
        """A connection that alone may write; what it wrote is on the disk when the block ends, or nothing of it is.

        wait: how many seconds for others. What ends after the file was given up is not stored any more.
        """
        if not self._turn.acquire(timeout=wait):
            raise self._held()
        try:
            with self._lent() as connection, _patience(connection, wait), transaction(connection, "BEGIN IMMEDIATE"):
                yield connection
                self.refuse_closed()
        finally:
            self._turn.release()

    @contextlib.contextmanager
    def _lent(self) -> Iterator[Any]:
        connection = self._take()
        try:
            yield connection
        except self.errors as error:
            raise named(error, self.name) from None
        finally:
            self._give_back(connection)

    def _take(self) -> Any:
        with self._lock:
            if self._closed or self._process != os.getpid():
                raise StoreError(f"{self.name}: closed, or carried into another process. Open it anew.")
            if self._idle:
                return self._idle.pop()
        try:
            return self._connect()
        except self.errors as error:
            raise self._named(error) from None

    def _give_back(self, connection: Any) -> None:
        with self._lock:
            if not self._closed and len(self._idle) < IDLE and not connection.in_transaction:
                self._idle.append(connection)
                return
        connection.close()

    @contextlib.contextmanager
    def alone(self) -> Iterator[Any]:
        """A connection outside any transaction, while no other writer of this process has its turn; it is closed at the
        end, and so are those that lie idle: what they hold of the file in memory goes with them.
        """
        if not self._turn.acquire(timeout=WAIT_SECONDS):
            raise self._held()
        try:
            self.refuse_closed()
            with contextlib.closing(self._connect()) as connection:
                yield connection
        except self.errors as error:
            raise self._named(error) from None
        finally:
            self._turn.release()
            self._let_go()

    @property
    def is_encrypted(self) -> bool:
        """Whether it needs a key."""
        return self._key is not None

    def refuse_closed(self) -> None:
        """Before something is stored: the file was given up meanwhile, and nobody waits for an answer any more."""
        if self._closed:
            raise StoreError(f"{self.name}: the app was stopped before this was done. {NOTHING}.")

    def _held(self) -> StoreError:
        return BusyError(f"{self.name}: held by another writer for too long. {NOTHING}. Try again.")

    def close(self) -> None:
        """Close every idle connection; those lent out are closed when they come back."""
        self._closed = True
        self._let_go()

    def _let_go(self) -> None:
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()


@contextlib.contextmanager
def _patience(connection: Any, seconds: float) -> Iterator[None]:
    """Wait so long, and no longer, for another program."""
    connection.execute(f"PRAGMA busy_timeout = {round(1000 * seconds)}")
    try:
        yield
    finally:
        connection.execute(f"PRAGMA busy_timeout = {round(1000 * WAIT_SECONDS)}")


@contextlib.contextmanager
def transaction(connection: Any, begin: str) -> Iterator[None]:
    """All that the block does, or nothing of it."""
    connection.execute(begin)
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # a full disk may have rolled back already
            connection.execute("ROLLBACK")
        raise


def _library(key: str | None) -> ModuleType:
    if key is None:
        return sqlite3
    if not key or "\0" in key:
        raise InvalidError("the key of the store is empty, or holds a zero byte; give a long one")
    try:
        return import_module("sqlcipher3.dbapi2")
    except ImportError:
        raise NeedsLibraryError("a key was given, but the library that encrypts is not installed; "
                                "run: pip install 'poems[encrypted]'") from None


def _prepare(path: Path, key: str | None) -> None:
    """Make the folder and an empty file that only its owner reads; refuse what is certainly no store of this kind."""
    try:
        for folder in reversed([one for one in path.parents if not one.exists()]):
            folder.mkdir(mode=0o700, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        if path.stat().st_mode & 0o077:
            with contextlib.suppress(OSError):  # somebody else's file, which we may write
                path.chmod(0o600)
        with path.open("rb") as file:
            start = file.read(len(_PLAIN))
        size, log = path.stat().st_size, path.with_name(f"{path.name}-wal")
        lost = not start and log.exists() and log.stat().st_size
    except OSError as error:
        raise refused(path, error) from None
    if lost:
        raise CorruptError(f"{path.name}: empty, and {log.name} beside it is not; both were left as they are. "
                           "Restore the newest backup, and keep these files for a rescue.")
    if 0 < size < _SMALLEST:  # SQLite would take it for an empty database, and write over it
        raise CorruptError(f"{path.name}: no store, or the stump of one; it was left as it is. Choose another file, "
                           "or restore the newest backup beside it.")
    if key is not None and start == _PLAIN:
        raise WrongKeyError(f"{path.name}: not encrypted, and a key was given; it was left as it is. Open it without "
                            "a key, or export its archive and import that into a new, encrypted store.")


def publish(part: Path, path: Path) -> None:
    """Give a finished file its name, durably, unless the name is taken. Raises: InvalidError, where it is."""
    with part.open("rb") as file:
        os.fsync(file.fileno())
    try:
        os.link(part, path)
    except FileExistsError:
        raise InvalidError(f"{path.name}: is there already, and nothing is overwritten. Choose another name.") from None
    except OSError:  # a file system without links
        if path.exists():
            raise InvalidError(f"{path.name}: is there already, and nothing is overwritten. "
                               "Choose another name.") from None
        part.rename(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    except OSError:
        return  # some file systems cannot; the content is on the disk
    finally:
        os.close(folder)


def refused(path: Path, error: OSError) -> StoreError:
    """The error of the operating system as one of ours."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return FullError(f"{path.name}: no room on the disk. {NOTHING}. Make room and try again.")
    return UnwritableError(f"{path.name}: cannot be opened or made ({error.strerror}); expected a file in a folder "
                           "that you may write. Check the path and its rights.")


def _number(connection: Any, pragma: str) -> int:
    return int(connection.execute(f"PRAGMA {pragma}").fetchone()[0])


def _is_ours(connection: Any) -> bool:
    return _number(connection, "application_id") == schema.APPLICATION


def _has_tables(connection: Any) -> bool:
    return bool(connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0])


def _to_write_ahead(connection: Any) -> None:
    """Turn on the write-ahead log: readers and a writer do not wait for each other. Waits where another one opens."""
    deadline = time.monotonic() + WAIT_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL").fetchone()
            return
        except Exception as error:
            if not isinstance(named(error, ""), BusyError) or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
