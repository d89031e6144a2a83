"""Files of events into the store: what is checked before anybody has to wait, and what is written then, in one go."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from poems.errors import Issue
from poems.record import Event
from poems.store import checked, doubts, labels, rows
from poems.store import model as m
from poems.store.problems import InvalidError
from poems.store.rows import Draft, Fresh, Head


@dataclass(frozen=True, slots=True)
class Ready:
    """A file whose every word is sound. events, fresh: by label."""

    draft: Draft
    said: tuple[Issue, ...]
    events: Mapping[str, Sequence[Event]]
    fresh: Mapping[str, Sequence[Fresh]]


def ready(file: m.Incoming, who: str) -> Ready:
    """The file, to be written. Raises: InvalidError, where anything in it cannot be kept."""
    events = {checked.label(label): list(several) for label, several in file.events.items()}
    if len(events) != len(file.events):
        raise InvalidError("labels that are one and the same but for blanks, or the way in which accents are written; "
                           "expected one for each patient")
    fresh = {checked.label(label): checked.fresh(several, file.raws.get(label, ()))
             for label, several in file.events.items()}
    draft = Draft(m.IMPORT, who, "", checked.printable(file.source), checked.printable(file.format, 40))
    return Ready(draft, tuple(checked.issues(file.issues)), events, fresh)


class Keeper:
    """Writes files into a database, for patients who are there and for new ones."""

    def __init__(self, db: Any, heads: Iterable[Head]) -> None:
        self._db = db
        self._heads = labels.by_label(heads)
        self._alike: dict[str, list[str]] = {}
        for label, head in self._heads.items():
            self._alike.setdefault(labels.looks(head.label), []).append(label)
        self._kept: list[tuple[str, m.Kept]] = []

    def keep(self, file: Ready, place: int, only: Head | None = None) -> None:
        """Write a file. only: the patient whose it is, whatever label it bears."""
        for label, fresh in file.fresh.items():
            key = label if only is None else labels.named(only.label)
            alike = [] if key in self._heads else self._begun(key, file.draft.who)
            head, where = self._heads[key], file.draft.source
            here = [entry.event for entry in rows.entries(self._db, head)] if head.entries else []
            strong = doubts.contradictions(here, file.events[label], where)
            said = (*strong, *([doubts.was_here(len(here), where)] if here and only is None else ()),
                    *doubts.repeated(here, file.events[label], where), *([doubts.alike(where)] if alike else ()))
            self._heads[key] = rows.write(self._db, head, file.draft, fresh, (*said, *file.said))
            change = rows.newest(self._db, self._heads[key])
            self._kept.append((key, m.Kept(head.patient, change, place, said, bool(strong),
                                           tuple(self._heads[one].patient for one in alike))))

    def _begun(self, label: str, who: str) -> list[str]:
        """Make a patient; the labels of those whose own look like it."""
        self._heads[label] = rows.write(self._db, rows.new_patient(self._db, secrets.token_urlsafe(16)),
                                        Draft(m.CREATE, who, named=label))
        others = self._alike.setdefault(labels.looks(label), [])
        others.append(label)
        return others[:-1]

    def kept(self) -> tuple[m.Kept, ...]:
        """What was written, in order, each with its patient as all files left it."""
        return tuple(replace(one, patient=self._heads[key].patient) for key, one in self._kept)
