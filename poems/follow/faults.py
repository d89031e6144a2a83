"""The record without what cannot be followed: a named fault for each bad event, a note for each that stands twice."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date

from poems.adapters.fields import LARGEST
from poems.errors import Issue
from poems.follow.words import AGAIN
from poems.knowledge import Concept, Knowledge
from poems.record import ABSENT, COMPARATORS, PRESENT, SPECIMENS, Event, Record


def sound(record: Record, knowledge: Knowledge, as_of: date) -> tuple[Record, tuple[Issue, ...]]:
    """The record without what cannot be read or stands there twice, and an issue for each row left out.

    Readers give nothing of the kind; a record made by hand is held to the same.
    """
    kept: dict[Event, Event] = {}
    issues = []
    for place, event in enumerate(record.events, 1):
        where = event.source or f"finding {place}"
        fault = next(_faults(event, knowledge.concepts.get(event.finding), as_of), None)
        content = replace(event, source="")
        if fault is not None:
            issues.append(Issue("fault", where, *fault))
        elif content in kept:
            first = kept[content].source or "an earlier one"
            issues.append(Issue("note", where, f"{event.finding} {AGAIN} {first}",
                                "each observation once", "It was read once."))
        else:
            kept[content] = event
    return Record(record.patient, tuple(kept.values()), as_of), tuple(issues)


def _faults(event: Event, concept: Concept | None, as_of: date) -> Iterator[tuple[str, str, str]]:
    """What was found, what was expected, what to do."""
    if concept is None:
        yield "a finding that we do not know", "the id of a concept", "See `poems knowledge list`."
        return
    name, made_in = event.finding, concept.specimen
    if event.date is not None and event.date > as_of:
        yield (f"{name} after the day asked about ({as_of})", "a day that has come",
               "Correct the date, or ask about a later day.")
    if event.status not in ("", PRESENT, ABSENT):
        yield f"{name} with a status that is none", f"{PRESENT}, {ABSENT} or nothing", "Use one of these words."
    if event.comparator not in COMPARATORS or (event.comparator and event.value is None):
        yield (f"{name} with something that is no comparator, or with one and no value", "<, <=, >, >= or nothing",
               "Correct it.")
    if event.specimen not in SPECIMENS or (made_in and event.specimen not in ("", made_in)):
        yield (f"{name} in another specimen" if made_in else f"{name} in something that is no specimen",
               made_in or ", ".join(SPECIMENS[1:]), "Correct the specimen or the finding.")
    if event.value is None and not event.status:
        yield f"{name} with neither a status nor a value", "one of them", "Fill one."
    if event.upper_limit is not None and not 0 < event.upper_limit <= LARGEST:
        yield (f"an upper limit of {name} that is not above zero, or no number", "a number above zero",
               "Correct the limit, or leave it out.")
    if event.value is not None and concept.kind != "treatment":
        yield from _measured(event, event.value, concept)


def _measured(event: Event, value: float, concept: Concept) -> Iterator[tuple[str, str, str]]:
    """What is wrong with a value; the amount of a treatment is not looked at."""
    name = event.finding
    if concept.kind != "quantity" and not concept.unit:
        yield (f"a number, but {name} is a {concept.kind}", f"{PRESENT} or {ABSENT}",
               "Give a status, or name the test that was measured.")
        return
    if not 0 <= value < float("inf"):
        yield f"a value of {name} that is negative or no number", "zero or more", "Correct the value."
    if value > LARGEST or 0 < value < 1 / LARGEST:
        yield (f"a value of {name} too large or too small to be a measurement",
               f"zero, or {1 / LARGEST:g} to {LARGEST:g}", "Correct the value.")
    if event.unit != concept.unit:
        yield (f"{name} in {event.unit}" if event.unit else f"a value of {name} without a unit", concept.unit,
               "Read the record through the reader, which converts units.")
