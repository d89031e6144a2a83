"""The tables of a store, and how a file of an older poems becomes one of today.

Every row is written once: triggers forbid to update or delete any; `erasure.py` has the one exception. What is current
follows from the moves of an entry (added, taken away, brought back); a change carries the state it left, so that lists
need not add anything up.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

APPLICATION: Final = 0x504F454D
"""The mark of our files in their header: POEM."""

VERSION: Final = 1

TABLES: Final = ("patient", "change", "entry", "move", "issue", "audit", "setting")

_TABLES = """
CREATE TABLE patient (
    id INTEGER PRIMARY KEY,
    uid TEXT NOT NULL UNIQUE CHECK (length(uid) BETWEEN 8 AND 64)
) STRICT;

CREATE TABLE change (
    patient INTEGER NOT NULL REFERENCES patient,
    number INTEGER NOT NULL CHECK (number > 0),
    kind TEXT NOT NULL,
    who TEXT NOT NULL,
    at TEXT NOT NULL,
    note TEXT NOT NULL DEFAULT '',
    source TEXT NOT NULL DEFAULT '',
    format TEXT NOT NULL DEFAULT '',
    undoes INTEGER,
    named TEXT,                          -- the label that this change gave
    label TEXT NOT NULL,                 -- the label after it
    removed INTEGER NOT NULL,            -- whether the patient is removed after it
    entries INTEGER NOT NULL,            -- how many entries are current after it
    PRIMARY KEY (patient, number),
    FOREIGN KEY (patient, undoes) REFERENCES change (patient, number)
) STRICT, WITHOUT ROWID;

CREATE INDEX change_named ON change (named) WHERE named IS NOT NULL;

CREATE TABLE entry (
    patient INTEGER NOT NULL,
    number INTEGER NOT NULL CHECK (number > 0),
    change INTEGER NOT NULL,
    supersedes INTEGER,
    place INTEGER NOT NULL,              -- where it stands among the others: a correction keeps the place
    finding TEXT NOT NULL,
    date TEXT,
    status TEXT NOT NULL,
    value REAL,
    unit TEXT NOT NULL,
    comparator TEXT NOT NULL,
    specimen TEXT NOT NULL,
    upper_limit REAL,
    method TEXT NOT NULL,
    source TEXT NOT NULL,
    raw TEXT NOT NULL,
    PRIMARY KEY (patient, number),
    FOREIGN KEY (patient, change) REFERENCES change (patient, number),
    FOREIGN KEY (patient, supersedes) REFERENCES entry (patient, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE move (
    patient INTEGER NOT NULL,
    entry INTEGER NOT NULL,
    change INTEGER NOT NULL,
    added INTEGER NOT NULL CHECK (added IN (0, 1)),
    PRIMARY KEY (patient, entry, change),
    FOREIGN KEY (patient, entry) REFERENCES entry (patient, number),
    FOREIGN KEY (patient, change) REFERENCES change (patient, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE issue (
    patient INTEGER NOT NULL,
    change INTEGER NOT NULL,
    number INTEGER NOT NULL,
    level TEXT NOT NULL,
    place TEXT NOT NULL,
    found TEXT NOT NULL,
    expected TEXT NOT NULL,
    fix TEXT NOT NULL,
    PRIMARY KEY (patient, change, number),
    FOREIGN KEY (patient, change) REFERENCES change (patient, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE audit (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at TEXT NOT NULL,
    who TEXT NOT NULL,
    action TEXT NOT NULL,
    uid TEXT NOT NULL
) STRICT;

CREATE TABLE setting (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at TEXT NOT NULL,
    who TEXT NOT NULL,
    name TEXT NOT NULL,
    value TEXT NOT NULL
) STRICT;
"""


GUARDS: Final[Mapping[str, str]] = {
    f"{table}_no_{verb}": f"CREATE TRIGGER {table}_no_{verb} BEFORE {verb} ON {table} "
                          "BEGIN SELECT RAISE(ABORT, 'rows of a store are written once'); END"
    for table in TABLES for verb in ("update", "delete")}
"""The triggers by name. Only the erasure of a removed patient lifts some, within its one transaction."""

CREATION: Final = (*_TABLES.strip().split("\n\n"), *GUARDS.values())
"""One statement each: a script as a whole would commit between them."""

MIGRATIONS: Mapping[int, tuple[str, ...]] = {}
"""Version -> the statements that make the next one of it. A copy of the file is kept beside it before they run."""
