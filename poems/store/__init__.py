"""One SQLite file for the patients somebody looks after, or for one's own record; written once, never over.

`Store.open` gives the store; `export_all` and `import_all` carry everything from one to another.
"""

from __future__ import annotations

from poems.store.archive import Imported, export_all, import_all
from poems.store.model import Audited, Change, Entry, Erased, Import, Incoming, Kept, Patient
from poems.store.problems import (
    ArchiveError,
    BusyError,
    ConflictError,
    CorruptError,
    DuplicateError,
    FullError,
    InvalidError,
    MissingError,
    NeedsLibraryError,
    NewerError,
    StoreError,
    UnwritableError,
    WrongKeyError,
)
from poems.store.store import Store

__all__ = ["ArchiveError", "Audited", "BusyError", "Change", "ConflictError", "CorruptError", "DuplicateError", "Entry",
           "Erased", "FullError", "Import", "Imported", "Incoming", "InvalidError", "Kept", "MissingError",
           "NeedsLibraryError", "NewerError", "Patient", "Store", "StoreError", "UnwritableError", "WrongKeyError",
           "export_all", "import_all"]
