"""The shapes of a store: patients, entries, changes, imports, audit lines. No database is known here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from poems.errors import Issue
from poems.record import Event

CREATE, RENAME, REMOVE, RESTORE = "create", "rename", "remove", "restore"
ENTRY, IMPORT, CORRECTION, RETRACTION, UNDO = "entry", "import", "correction", "retraction", "undo"
KINDS: Final = (CREATE, RENAME, REMOVE, RESTORE, ENTRY, IMPORT, CORRECTION, RETRACTION, UNDO)
UNDOABLE: Final = (RENAME, ENTRY, IMPORT, CORRECTION, RETRACTION)
"""What undo takes back; undo itself it takes back too. Removing has restore, creating has removing."""


@dataclass(frozen=True, slots=True)
class Patient:
    """A patient of the store. uid: random, says nothing. label: the pseudonym that was given. entries: current ones.

    revision: grows by one with every change; give it back with a change of the patient itself.
    """

    uid: str
    label: str
    entries: int
    created_at: datetime
    changed_at: datetime
    revision: int
    removed: bool = False


@dataclass(frozen=True, slots=True)
class Entry:
    """One event as it was entered. id: counts within the patient. raw: what was typed or imported.

    kind: of the change that brought it. supersedes: the entry that it corrected.
    """

    id: int
    event: Event
    raw: Mapping[str, Any]
    entered_at: datetime
    who: str
    change_id: int
    kind: str
    supersedes: int | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """What happened to a patient at one moment. id: the revision it made.

    added, retired: entries that became current, or ceased to be; of an undo, what came back and what was taken back.
    undoable: whether undo of this change would succeed now. undone: whether an undo has taken it back.
    """

    id: int
    uid: str
    kind: str
    who: str
    at: datetime
    note: str
    source: str
    format: str
    undoes: int | None
    added: tuple[Entry, ...]
    retired: tuple[Entry, ...]
    label: str
    label_before: str
    issues: int
    undoable: bool
    undone: bool


@dataclass(frozen=True, slots=True)
class Import:
    """One import of a file. entries: how many it brought. issues: what its reader had to say."""

    change_id: int
    uid: str
    source: str
    format: str
    at: datetime
    who: str
    entries: int
    undone: bool
    issues: tuple[Issue, ...]


@dataclass(frozen=True, slots=True)
class Incoming:
    """A file that is to be kept. events, raws: by label. issues: what its reader had to say."""

    events: Mapping[str, Sequence[Event]]
    source: str = ""
    format: str = ""
    issues: Sequence[Issue] = ()
    raws: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Kept:
    """What became of one patient's part of a file: the patient as it is now, and the change.

    doubts: why it may be somebody else's, or here already. is_contradicted: both cannot be one person. alike: other
    patients whose names look like the one that the file brought. file: which of those that came.
    """

    patient: Patient
    change: Change
    file: int
    doubts: tuple[Issue, ...] = ()
    is_contradicted: bool = False
    alike: tuple[Patient, ...] = ()

    def __iter__(self) -> Iterator[Any]:
        """The patient and the change, for those who ask for no more."""
        return iter((self.patient, self.change))


@dataclass(frozen=True, slots=True)
class Erased:
    """How much of a patient was erased for good: entries there ever were, changes, lines of the audit trail.

    is_swept: whether its bytes are gone from the file; else they go when the file is opened next.
    """

    entries: int
    changes: int
    lines: int
    is_swept: bool


@dataclass(frozen=True, slots=True)
class Audited:
    """One line of the audit trail: who did what, when, with whose record; never a value."""

    id: int
    at: datetime
    who: str
    action: str
    uid: str
