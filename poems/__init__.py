"""The computable guide to POEMS syndrome.

    from poems import assess, load, read, records

    knowledge = load()
    reading = read("record.csv", knowledge)
    for record in records(reading.events):
        found = assess(record, knowledge, setting="neuropathy-clinic")

Names are imported when first used, so that the command line starts at once.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from poems.adapters import Reading, read
    from poems.errors import Issue, PoemsError
    from poems.knowledge import Knowledge, load
    from poems.record import Event, Record, records
    from poems.review import Review, assess
    from poems.rules import Verdict

__version__ = "0.1.0"
__all__ = ["Event", "Issue", "Knowledge", "PoemsError", "Reading", "Record", "Review", "Verdict", "assess", "load",
           "read", "records"]

_HOMES = {"Reading": "adapters", "read": "adapters", "Issue": "errors", "PoemsError": "errors",
          "Knowledge": "knowledge", "load": "knowledge", "Event": "record", "Record": "record", "records": "record",
          "Review": "review", "assess": "review", "Verdict": "rules"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'poems' has no attribute {name!r}")
    return getattr(import_module(f"poems.{_HOMES[name]}"), name)
