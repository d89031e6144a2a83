"""The published patient that the app shows to those who look at it first."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from threading import Lock

from poems.adapters import read
from poems.knowledge import Knowledge
from poems.store import Store

FOLDER = Path(__file__).parent.parent / "examples"
NAMES = ("published-case", "published-course")
_FILLING = Lock()
"""Two who look at it first at one time get one copy."""


def is_example(label: str) -> bool:
    """Whether a record is called as the published patients are, and is no patient of this app."""
    return label in NAMES


def fill(store: Store, knowledge: Knowledge) -> str:
    """Put the published patients into the store, where they are not there yet; the uid of the first."""
    with _FILLING:
        first, *_ = [uid for name in NAMES for uid in _filled(store, knowledge, name)]
    return first


def _filled(store: Store, knowledge: Knowledge, name: str) -> Iterator[str]:
    reading = read(FOLDER / f"{name}.csv", knowledge, today=date.today())
    for label in dict.fromkeys(event.patient for event in reading.events):
        known = store.find(label)
        if known is None:
            store.add_patients({label: [event for event in reading.events if event.patient == label]}, "example",
                               source=f"{name}.csv", format="csv", issues=reading.issues)
            known = store.find(label)
        assert known is not None
        yield known.uid
