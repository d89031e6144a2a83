"""What a person types becomes an observation, and the readers make an event of it or say why not."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from math import log10

from poems import units as ucum
from poems.adapters.entry import Entries, Observation, doubted, is_quantity, span
from poems.errors import Issue
from poems.knowledge import Concept, Knowledge
from poems.record import ABSENT, PRESENT, Event
from poems.render.words import UNITS, method_name

FIELDS = ("status", "value", "unit", "comparator", "specimen", "upper_limit", "date", "method", "source")
NAMES = {"status": "What was found", "value": "Value", "unit": "Unit", "comparator": "Sign", "specimen": "Measured in",
         "upper_limit": "Upper limit", "date": "Day", "method": "How", "source": "Where it stands"}
AS_PRINTED = "as_printed"
"""The field by which a form brings back the numbers it was asked about; a program has none, and is not asked."""
NOT_SAID = "not-said"
"""The choice that says that the report does not tell the specimen."""
NEAR = 3.0
"""Units within so many powers of ten of the usual one are listed first. None is ever chosen for anybody."""
RAISED = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


@dataclass(frozen=True)
class Asked:
    """What the form asks for one finding. units, specimens, methods: (what the form sends, how it is called); a choice
    without a default, empty where it has none. near, far: the units, those of a usual size first. specimen: the one
    that the finding was named with, so that nobody is asked for it again.
    """

    concept: Concept
    is_quantity: bool
    near: tuple[tuple[str, str], ...]
    far: tuple[tuple[str, str], ...]
    specimens: tuple[tuple[str, str], ...]
    methods: tuple[tuple[str, str], ...]
    is_treatment: bool
    specimen: str = ""


@dataclass(frozen=True)
class Typed:
    """What became of a form: an event, or the faults; notes are what its reader has to mind."""

    event: Event | None
    faults: tuple[Issue, ...]
    notes: tuple[Issue, ...]
    raw: Mapping[str, str]


def asked(concept: Concept, knowledge: Knowledge) -> Asked:
    """The form for a concept. A concept of one specimen, and the general one, both ask in which it was measured."""
    general = knowledge.concepts[concept.of] if concept.of else concept
    parts = [one for one in knowledge.concepts.values() if one.of == general.id and one.specimen]
    specimens = tuple((one.specimen, one.specimen) for one in parts)
    if specimens:
        specimens += ((NOT_SAID, "the report does not say"),)
    quantity = is_quantity(concept)
    near, far = _units(concept) if quantity else ((), ())
    return Asked(general if specimens else concept, quantity, near, far, specimens,
                 tuple(_methods(concept)), concept.kind == "treatment",
                 concept.specimen if specimens else "")


def _methods(concept: Concept) -> Iterator[tuple[str, str]]:
    """How it may have been looked for, each way once, though its words may stand in another order."""
    offered: set[frozenset[str]] = set()
    for one in concept.methods:
        words = frozenset(one.id.split("-"))
        if one.id and words not in offered:
            offered.add(words)
            yield one.id, method_name(one.id)



def _units(concept: Concept) -> tuple[tuple[tuple[str, str], ...], ...]:
    """The accepted units by how far they are from the usual one: those of its size, and the rest."""
    def apart(unit: str) -> float:
        return abs(log10(ucum.factor(unit, concept.unit, concept.molar_mass)))

    every = sorted(ucum.accepted(concept.unit, concept.molar_mass), key=lambda unit: (round(apart(unit), 1), unit))
    return tuple(tuple((unit, printed(unit)) for unit in every if (apart(unit) <= NEAR) is near)
                 for near in (True, False))


def printed(unit: str) -> str:
    """A UCUM unit as a laboratory sheet prints it."""
    if unit in UNITS or unit.startswith("{"):
        return UNITS.get(unit) or unit.strip("{}") if unit != "1" else "as a ratio (1)"
    power = re.sub(r"10\*(\d+)", lambda found: "×10" + found[1].translate(RAISED), unit)
    return re.sub(r"(^|/)u(?=[A-Za-z\[])", r"\1µ", power).replace("[IU]", "IU").replace("mm[Hg]", "mmHg")


def is_begun(form: Mapping[str, str]) -> bool:
    """Whether a form has the fields of its finding, filled or not; else only the finding was named so far."""
    return any(name in form for name in FIELDS)


def typed(form: Mapping[str, str], label: str, knowledge: Knowledge, today: date) -> Typed:
    """The event that a form describes. Every fault names its field; nothing is assumed that was not chosen."""
    raw = {name: form.get(name, "").strip() for name in ("finding", *FIELDS)}
    faults: list[Issue] = []
    concept = knowledge.by_name(raw["finding"])
    if concept is None:
        said = "empty" if not raw["finding"] else "not a finding that we know"
        return Typed(None, (Issue("fault", "finding", said, "one of the list", "Choose it from the list."),), (), raw)
    form_of = asked(concept, knowledge)
    faults += _unsaid(form_of, raw)
    entries = Entries(knowledge, "form", today, {})
    cells = {name: value for name, value in raw.items() if name != "finding" and value and value != NOT_SAID}
    entries.add(Observation("form", form_of.concept, patient=label, **{"source": "entered by hand", **cells}))
    found = entries.reading()
    said_of = tuple(Issue(one.level, one.where.removeprefix("form, ").removeprefix("form, "), one.found, one.expected,
                          one.fix) for one in found.issues)
    known = {one.where for one in faults} | ({"form"} if form_of.is_quantity and faults else set())
    faults += [one for one in said_of if one.level == "fault" and one.where not in known]
    event = found.events[0] if found.events and not faults else None
    if event is not None and AS_PRINTED in form:
        doubts = tuple(_doubts(event, raw, knowledge))
        if doubts:
            raw[AS_PRINTED] = _numbers(raw)
        if doubts and form[AS_PRINTED] != _numbers(raw):
            return Typed(None, doubts, (), raw)
    return Typed(event, tuple(faults), tuple(one for one in said_of if one.level != "fault"), raw)


def _numbers(raw: Mapping[str, str]) -> str:
    """The numbers of a form and their unit: what was asked about, and is kept when it comes again."""
    return " ".join(raw[name] for name in ("comparator", "value", "upper_limit", "unit"))


def _doubts(event: Event, raw: Mapping[str, str], knowledge: Knowledge) -> Iterator[Issue]:
    """The question whether a number is as printed, where it lies far from all that is."""
    concept = knowledge.concepts[event.finding]
    for name in doubted(event, concept):
        unit = raw["unit"] or concept.unit
        yield Issue("fault", name, f"outside of {span(concept, unit, printed(unit))}, where printed values lie", "",
                    "Is this as printed? Save again to keep it; else correct the number or its unit.")


def _unsaid(form_of: Asked, raw: Mapping[str, str]) -> Iterator[Issue]:
    """What a form has to say and does not: the unit of a number, and the specimen where there are several."""
    is_empty = form_of.is_quantity and not (raw["value"] or raw["upper_limit"] or raw["status"])
    if is_empty:
        yield Issue("fault", "value", "empty", "the number, or the report’s word", "Fill one of them.")
    measured = form_of.is_quantity and (raw["value"] or raw["upper_limit"] or is_empty)
    if measured and not raw["unit"]:
        yield Issue("fault", "unit", "not chosen", "the unit that the report prints", "Choose it; it is never assumed.")
    if measured and form_of.specimens and not raw["specimen"]:
        yield Issue("fault", "specimen", "not chosen", "where it was measured, or that the report does not say",
                    "Choose it; it is never assumed.")
    if not form_of.is_quantity and raw["status"] not in (PRESENT, ABSENT):
        yield Issue("fault", "status", "not chosen", "present or absent", "Choose what was found.")


def by_field(issues: Iterable[Issue]) -> dict[str, str]:
    """What is wrong with each field, in a sentence; under `form`, what belongs to none of them."""
    said: dict[str, str] = {}
    for one in issues:
        field = one.where.split(",")[-1].strip().replace(" ", "_")
        field = field if field in ("finding", *FIELDS) else "form"
        text = one.found + (f"; expected {one.expected}" if one.expected else "")
        said[field] = f"{said.get(field, '')} {text[:1].upper()}{text[1:]}. {one.fix}".strip()
    return said


def shown(event: Event) -> dict[str, str]:
    """An event as a form shows it, so that it can be corrected."""
    def number(value: float | None) -> str:
        return "" if value is None else f"{value:.12g}"

    form = {"finding": event.finding, "status": event.status, "value": number(event.value), "unit": event.unit,
            "comparator": event.comparator, "specimen": event.specimen or (NOT_SAID if event.value is not None else ""),
            "upper_limit": number(event.upper_limit), "date": event.date.isoformat() if event.date else "",
            "method": event.method, "source": event.source}
    return {**form, AS_PRINTED: _numbers(form)}  # what is on record was asked about, or was imported with a word


@dataclass(frozen=True)
class Compared:
    """One field as it is on record now, and as it was typed here."""

    name: str
    theirs: str
    mine: str

    @property
    def differs(self) -> bool:
        """Whether the two do not say the same."""
        return self.theirs != self.mine


def compared(theirs: Mapping[str, str], mine: Mapping[str, str], knowledge: Knowledge) -> tuple[Compared, ...]:
    """Two versions of one entry side by side, field by field; those that both leave empty are left out."""
    concept = knowledge.concepts.get(theirs["finding"])
    form = asked(concept, knowledge) if concept else None

    def words(name: str, value: str) -> str:
        if name == "specimen" and value == NOT_SAID:
            return "not said"
        if name == "status" and form and form.is_quantity:
            return {PRESENT: "called raised", ABSENT: "called not raised"}.get(value, value)
        return printed(value) if name == "unit" and value else value

    pairs = (Compared(title, words(name, theirs.get(name, "")), words(name, mine.get(name, "")))
             for name, title in NAMES.items())
    return tuple(one for one in pairs if (one.theirs or one.mine) and not (
        one.name == NAMES["specimen"] and not (form and form.specimens)))
