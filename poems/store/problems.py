"""What can go wrong with a store, by name, so that whoever calls can say it and act on it. No message holds a value."""

from __future__ import annotations

from typing import TYPE_CHECKING

from poems.errors import PoemsError

if TYPE_CHECKING:
    from poems.store.model import Change, Entry

NOTHING = "Nothing of this was stored"


class StoreError(PoemsError):
    """The store could not do what was asked; nothing of the call was stored."""


class ConflictError(StoreError):
    """Somebody was faster: what the caller saw is no longer what stands.

    current: the entry that stands in its place now, if any. change: the later change in the way, if one is known.
    """

    def __init__(self, message: str, current: Entry | None = None, change: Change | None = None) -> None:
        super().__init__(message)
        self.current, self.change = current, change


class MissingError(StoreError):
    """No such patient, entry or change; or the patient was removed."""


class DuplicateError(StoreError):
    """Another patient has this label."""


class InvalidError(StoreError):
    """The call holds something that no store keeps: an empty label, an event without content, a file that is there."""

    exit_code = 2


class BusyError(StoreError):
    """Another process held the store for longer than we wait."""


class FullError(StoreError):
    """No room on the disk."""


class UnwritableError(StoreError):
    """The file or its folder cannot be opened, made or written."""


class CorruptError(StoreError):
    """The file is no store, or a damaged one; it is left as it is."""


class NewerError(StoreError):
    """A newer poems made the file; it is left as it is."""


class WrongKeyError(StoreError):
    """The file is encrypted, and not with this key; or it is not encrypted, and a key was given."""


class NeedsLibraryError(StoreError):
    """A key was given, and the library that encrypts is not installed."""

    exit_code = 2


class ArchiveError(StoreError):
    """The archive cannot be used; nothing of it was taken in."""

    exit_code = 3


_BUSY, _READONLY, _IOERR, _CORRUPT, _FULL, _CANTOPEN, _NOTADB = (5, 6), (8, 3, 23), (10,), (11,), (13,), (14,), (26,)


def named(error: Exception, name: str) -> StoreError:
    """The error of the database library as one of ours. name: the file, as a message may call it."""
    code = (getattr(error, "sqlite_errorcode", 0) or 0) & 0xFF
    if code in _BUSY:
        return BusyError(f"{name}: held by another program for too long. {NOTHING}. Try again.")
    if code in _FULL:
        return FullError(f"{name}: no room on the disk. {NOTHING}. Make room and try again.")
    if code in _READONLY:
        return UnwritableError(f"{name}: may not be written. {NOTHING}. Give yourself the right to write it.")
    if code in _CANTOPEN:
        return UnwritableError(f"{name}: cannot be opened; expected a file and a folder that you may write. "
                               "Check the path and its rights.")
    if code in _CORRUPT or code in _NOTADB:
        return CorruptError(f"{name}: damaged; expected a sound database. It was left as it is. "
                            "Restore the newest backup beside it, and keep this file for a rescue.")
    if code in _IOERR:
        return UnwritableError(f"{name}: the disk reports an error. {NOTHING}. Check the disk and its free space.")
    return StoreError(f"{name}: the database refused ({getattr(error, 'sqlite_errorname', None) or 'no reason'}). "
                      f"{NOTHING}.")
