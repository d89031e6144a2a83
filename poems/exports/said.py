"""What every writer needs to say of an event: its concept, the codes of that, whom it belongs to, its numbers."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from poems.adapters import words
from poems.adapters.fields import LONGEST
from poems.knowledge import Concept, Knowledge
from poems.record import PRESENT, Event

STATES: Final = ("hpo", "snomed", "icd10cm", "mondo")
"""Systems whose codes can say that something is so, in the order in which a reader elsewhere would want them."""


def json_text(tree: dict[str, Any], lines: str) -> bytes:
    """An object as JSON; the items of its list `lines`, which stands last, on a line each.

    Indenting all of it would take the slow way of the library, ten times as long.
    """
    head = {key: value for key, value in tree.items() if key != lines}
    items = ",\n".join(json.dumps(item, ensure_ascii=False) for item in tree.get(lines, ()))
    plain = json.dumps(head, ensure_ascii=False)
    return (f'{plain[:-1]}, "{lines}": [\n{items}\n]}}\n' if items else f"{plain}\n").encode()


def digits(number: float) -> float | int:
    """The number as people write it: 150 and not 150.0."""
    return int(number) if float(number).is_integer() and abs(number) < 10**15 else number


def source(event: Event) -> str:
    """Where the event came from, as readers accept it: one printable line, not too long."""
    line = "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in event.source).strip()
    return line if len(line) <= LONGEST else f"{line[:LONGEST - 1]}\N{HORIZONTAL ELLIPSIS}"


def concept_of(event: Event, knowledge: Knowledge) -> Concept:
    """The concept of an event; a bare one, where the knowledge of today does not have it."""
    return knowledge.concepts.get(event.finding) or Concept(
        event.finding, event.finding, "quantity" if event.unit else "finding", unit=event.unit)


def codes(concept: Concept, knowledge: Knowledge, systems: Sequence[str]) -> list[tuple[str, str]]:
    """System and code, the concept's own ones first, of each system that has one; our own id last, which is exact.

    A quantity in one specimen has the code of the quantity: the specimen says the rest.
    """
    general = knowledge.concepts.get(concept.of, concept)
    found = [(system, known[0]) for system in systems if (known := (concept.codes or general.codes).get(system))]
    return [*found, ("poems", concept.id)]


def is_drug(concept: Concept) -> bool:
    """Whether a treatment is something that is given, and not something that is done."""
    return "rxnorm" in concept.codes


def is_plain(event: Event, concept: Concept) -> bool:
    """Whether it says no more than that something is there or is not: no method, no specimen, no number."""
    return not event.method and not event.specimen and not concept.specimen and event.value is None \
        and event.upper_limit is None and not event.unit


@dataclass(slots=True)
class Person:
    """What stands in the head of a record: whatever of it the format's own fields can hold."""

    label: str
    sex: Event | None = None
    born: Event | None = None


def people(events: Iterable[Event]) -> tuple[dict[str, Person], list[Event]]:
    """The people in order of appearance, and every event that their heads do not hold.

    A sex or a date of birth goes into the head if it says nothing else; a second one stays an event like any other.
    """
    found: dict[str, Person] = {}
    rest = []
    for event in events:
        person = found.setdefault(event.patient, Person(event.patient))
        bare = replace(event, patient="", date=None, source="") == Event("", event.finding, status=PRESENT)
        if bare and event.date is None and person.sex is None and event.finding in ("sex-male", "sex-female"):
            person.sex = event
        elif bare and event.date is not None and person.born is None and event.finding == "birth-date":
            person.born = event
        else:
            rest.append(event)
    return found, rest


URIS: Final = {system: uri for uri, system in reversed(words.SYSTEMS.items()) if uri.startswith(("http", "urn:poems"))}
"""System of the knowledge -> its URI: the first that the readers list."""

PREFIXES: Final = {"loinc": "LOINC:", "snomed": "SNOMEDCT:", "icd10cm": "ICD10CM:", "rxnorm": "RxNorm:", "hpo": "",
                   "mondo": "", "poems": "poems:"}
"""System -> the prefix of its compact identifiers; codes of the ontologies carry it themselves."""
