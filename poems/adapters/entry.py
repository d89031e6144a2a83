"""The one place where a raw observation becomes an event, or an issue that says why not."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Final, ParamSpec, TypeVar

from poems import units as ucum
from poems.adapters import fields
from poems.adapters.document import RefusedError
from poems.errors import Issue, Level, UnitError
from poems.knowledge import Concept, Knowledge
from poems.record import ABSENT, PRESENT, Event

ELSEWHERE: Final = frozenset({"urine", "csf", "marrow"})
"""Specimens in which a quantity that names none is another quantity: albumin in urine is not albumin."""

_T = TypeVar("_T")
_P = ParamSpec("_P")


@dataclass(frozen=True, slots=True)
class Reading:
    """What an input said, and what has to be said about it. Events stand in the order of the input."""

    events: tuple[Event, ...]
    issues: tuple[Issue, ...]


@dataclass(frozen=True, slots=True)
class Observation:
    """One observation as an input words it; nothing in it is trusted yet.

    where: its place in the input. limit_unit: the unit of the upper limit, where it is not that of the value.
    source: the input's own word on where it comes from; empty: its place in this input. until: of a treatment given
    from `date` on, its last day.
    """

    where: str
    concept: Concept
    patient: object = None
    date: object = None
    status: object = None
    value: object = None
    unit: object = None
    comparator: object = None
    specimen: object = None
    upper_limit: object = None
    limit_unit: object = None
    method: object = None
    source: object = None
    until: object = None


class Entries:
    """Collects the events and issues of one input.

    units: concept id -> unit of values that come without one. today: no observation can be later.
    """

    def __init__(self, knowledge: Knowledge, name: str, today: date, units: Mapping[str, str]) -> None:
        self.knowledge, self.name, self.today, self.units = knowledge, name, today, units
        self._events: list[Event] = []
        self._courses: dict[tuple[str, str], list[tuple[Event, date | None, str]]] = {}
        self._issues: list[Issue] = []
        self._counted: dict[tuple[object, ...], tuple[int, int]] = {}
        self._specific = {(c.of, c.specimen): c for c in knowledge.concepts.values() if c.of}
        self._generic = {c.of for c in knowledge.concepts.values() if c.of}

    def reading(self) -> Reading:
        """Everything collected; repeated notes carry their number."""
        issues = list(self._issues)
        for place, count in self._counted.values():
            if count > 1:
                issues[place] = replace(issues[place], found=f"{issues[place].found} ({count} times, first here)")
        return Reading((*self._events, *self._stops()), tuple(issues))

    def _stops(self) -> list[Event]:
        """The last day of each course of a treatment, as its absence, unless another course runs over that day."""
        return [replace(event, date=last, status=ABSENT, source=where)
                for courses in self._courses.values() for event, last, where in courses
                if last is not None and not any(begun <= last and (end is None or end > last)
                                                for one, end, _ in courses if (begun := one.date) is not None)]

    def say(self, level: Level, where: str, found: str, expected: str = "", fix: str = "") -> None:
        """Record an issue at a place of this input."""
        self._issues.append(Issue(level, f"{self.name}, {where}" if where else self.name, found, expected, fix))

    def count(self, key: tuple[object, ...], where: str, found: str, expected: str = "", fix: str = "",
              level: Level = "note") -> None:
        """Record an issue once, at its first place, and how often it came."""
        place, times = self._counted.get(key, (len(self._issues), 0))
        if not times:
            self.say(level, where, found, expected, fix)
        self._counted[key] = place, times + 1

    def counted(self, key: tuple[object, ...]) -> bool:
        """Whether this was counted before."""
        return key in self._counted

    def refuse(self, refused: RefusedError) -> None:
        """Record a fault."""
        self.say("fault", refused.where, refused.found, refused.expected, refused.fix)

    def add(self, seen: Observation) -> None:
        """Keep the observation as an event, or record every reason why not."""
        row = _Row(seen.where)
        patient = row.take("patient", fields.patient, seen.patient)
        day = row.take("date", fields.day, seen.date, self.today)
        specimen = row.take("specimen", fields.specimen, seen.specimen)
        concept = row.take("specimen", self._resolve, seen.concept, specimen or "")
        status = row.take("status", fields.status, seen.status, is_quantity(seen.concept))
        method = row.take("method", fields.method, seen.method)
        source = row.take("source", fields.text, seen.source)
        measured = row.take("value", self._measure, seen, concept or seen.concept)
        if not row.faults and not status and measured is not None and measured[0] is None:
            row.faults.append(RefusedError(seen.where, "neither a status nor a value", "one of them", "Fill one."))
        for fault in row.faults:
            self.refuse(fault)
        if row.faults or patient is None or concept is None or measured is None or day is None:
            return
        value, sign, limit = measured
        unit = "" if value is None and limit is None else concept.unit
        place = source or f"{self.name}, {seen.where}"
        event = Event(patient, concept.id, day[0], status or "", value, unit, sign, concept.specimen or specimen or "",
                      limit, method or "", _dated(place, seen.date) if day[1] else place)
        self._keep(event, concept, seen.where, is_partial=day[1])
        if seen.until is not None and event.status == PRESENT:
            self._course(event, seen)

    def _course(self, event: Event, seen: Observation) -> None:
        """Keep the last day of a treatment, or say why not; one that was given on one day did not stop on it."""
        where = f"{seen.where}, end"
        try:
            last, is_partial = fields.day(seen.until, date.max)
        except RefusedError as refused:
            self.say("fault", where, refused.found, refused.expected, refused.fix)
            return
        if is_partial:
            self.say("caution", where, "only a part of a date; the end was left out", "YYYY-MM-DD")
            last = None
        if last is not None and event.date is None:
            self.say("caution", where, "an end without a start; it was left out", "the first day", "Fill it.")
        elif last is not None and event.date is not None and last < event.date:
            self.say("caution", where, "the end of a treatment before its start; it was left out",
                     "an end on or after the start", "Correct the period.")
            last = None
        if event.date is not None:
            is_over = last is not None and event.date < last <= self.today
            course = event, last if is_over else None, f"{self.name}, {where}"
            self._courses.setdefault((event.patient, event.finding), []).append(course)

    def _keep(self, event: Event, concept: Concept, where: str, is_partial: bool) -> None:
        """Keep an event, and say what its reader has to mind."""
        if event.status == "open":
            if event.value is None:
                self.count(("open", concept.id), where, f"{concept.id} is recorded as not known; nothing is read")
                return
            event = replace(event, status="")
        if is_partial:
            self.say("caution", f"{where}, date", "only a part of a date; kept without a date, and as it stands there "
                     "in the text", "YYYY-MM-DD",
                     "What came before what cannot be told from it; fill the day if it is known.")
        for field in doubted(event, concept):
            self.say("caution", f"{where}, {field}", f"outside of {span(concept)}, within which what is "
                     "printed lies", "", "Is this as printed? It is kept; correct the number or its unit if not.")
        if event.method and concept.methods and event.method not in {known.id for known in concept.methods}:
            self.count(("method", concept.id, event.method), where,
                       f"a method that is not listed for {concept.id}; an absence by it excludes nothing",
                       ", ".join(known.id for known in concept.methods))
        self._events.append(event)

    def _resolve(self, concept: Concept, specimen: str) -> Concept:
        """The concept in its specimen: VEGF in plasma is plasma VEGF. Raises: RefusedError, where there is none."""
        if concept.specimen:
            if specimen and specimen != concept.specimen:
                raise RefusedError("", f"{specimen}, but {concept.id} is of {concept.specimen}", concept.specimen,
                                   "Correct the specimen or the finding.")
            return concept
        if not specimen or (concept.id not in self._generic and not (is_quantity(concept) and specimen in ELSEWHERE)):
            return concept
        if (specific := self._specific.get((concept.id, specimen))) is None:
            known = sorted(made_in for of, made_in in self._specific if of == concept.id) or ["serum", "plasma"]
            raise RefusedError("", f"{specimen}, in which we know no {concept.id}", " or ".join(known),
                               "Correct the specimen, or leave the row out.")
        return specific

    def _measure(self, seen: Observation, concept: Concept) -> tuple[float | None, str, float | None]:
        """Value, comparator and upper limit in the concept's unit."""
        value, written = _number(seen.value, concept)
        sign = fields.comparator(seen.comparator, written)
        limit, limit_sign = _named("upper limit", fields.number, seen.upper_limit)
        if limit_sign or limit == 0:
            raise RefusedError("upper limit", "not a plain number above zero", "a number", "Write the limit alone.")
        if not is_quantity(concept):
            return self._no_measure(seen, concept, value, limit)
        unit = _named("unit", fields.text, seen.unit, 40)
        if sign and value is None:
            raise RefusedError("comparator", "a comparator without a value", "a value", "Fill the value.")
        if value is None and limit is None and not unit:
            return None, "", None
        unit = unit or self._given(concept)
        factored = None if value is None else self._converted(concept, "unit", unit, value)
        limit_unit = _named("upper limit", fields.text, seen.limit_unit, 40) or unit
        if value is None and limit is None:
            self._converted(concept, "unit", unit, 1.0)
        return factored, sign, None if limit is None else self._converted(concept, "upper limit", limit_unit, limit)

    def _no_measure(self, seen: Observation, concept: Concept, value: float | None,
                    limit: float | None) -> tuple[None, str, None]:
        if value is not None and concept.kind == "treatment":
            self.count(("dose", concept.id), seen.where, f"the amount of {concept.id} is not read")
        elif value is not None or limit is not None:
            raise RefusedError("", f"a number, but {concept.id} is a finding", "present, absent or unknown",
                               "Give a status, or name the test that was measured.")
        return None, "", None

    def _given(self, concept: Concept) -> str:
        """The unit of values that came without one."""
        unit = self.units.get(concept.id) or self.units.get(concept.of) or (
            "1" if concept.unit == "1" or concept.unit.startswith("{") else "")
        if not unit:
            raise RefusedError("unit", "empty", f"a unit of {concept.id}, such as {concept.unit}",
                               f"Fill it; --unit {concept.id}=UNIT says it for all of a file on the command line.")
        return unit

    def _converted(self, concept: Concept, field: str, unit: str, value: float) -> float:
        try:
            converted = ucum.convert(value, unit, concept.unit, concept.molar_mass)
        except UnitError:
            expected = ", ".join(ucum.accepted(concept.unit, concept.molar_mass))
            raise RefusedError(field, fields.shown_unit(unit), f"a unit of {concept.id}: {expected}",
                               "Correct it; units are case sensitive.") from None
        return _named(field, fields.number, converted)[0] or 0.0


class _Row:
    """One observation while its fields are read: every fault is kept, not only the first."""

    def __init__(self, where: str) -> None:
        self.where = where
        self.faults: list[RefusedError] = []

    def take(self, field: str, read: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T | None:
        """The field as `read` gives it; None, with a fault, where it refuses."""
        try:
            return read(*args, **kwargs)
        except RefusedError as refused:
            self.faults.append(RefusedError(f"{self.where}, {refused.where or field}", refused.found, refused.expected,
                                            refused.fix))
            return None


def _number(written: object, concept: Concept) -> tuple[float | None, str]:
    """The number and its comparator; where words stand instead, the refusal says where they belong."""
    try:
        return fields.number(written)
    except RefusedError as refused:
        words = isinstance(written, str) and any(sign.isalpha() for sign in written)
        other = (f" Words for what was seen and not measured go into a row of their own: {concept.seen_as}, present."
                 if concept.seen_as and words else "")
        raise RefusedError("", refused.found, refused.expected, refused.fix + other) from None


def _named(field: str, read: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
    """Read a field, and let a refusal name it."""
    try:
        return read(*args, **kwargs)
    except RefusedError as refused:
        raise RefusedError(field, refused.found, refused.expected, refused.fix) from None


def _dated(source: str, written: object) -> str:
    """Where it stands, with a date that is no day as it was written, where there is room for it."""
    dated = f"{source} (dated {fields.text(written)})"
    return dated if len(dated) <= fields.LONGEST else source


def doubted(event: Event, concept: Concept) -> tuple[str, ...]:
    """Which numbers of an event lie where hardly anything is printed: `value`, `upper limit`."""
    guard = concept.plausible
    if guard is None:
        return ()
    return tuple(name for name, number in (("value", event.value), ("upper limit", event.upper_limit))
                 if number is not None and not guard.holds(number))


def span(concept: Concept, unit: str = "", called: str = "") -> str:
    """Within which numbers what is printed of a concept lies, in one of its units (its own, where none is said); empty
    where nobody said. called: how the unit is called.
    """
    guard, unit = concept.plausible, unit or concept.unit
    if guard is None:
        return ""
    low, high = (f"{ucum.convert(end, concept.unit, unit, concept.molar_mass):,.6g}" for end in (guard.low, guard.high))
    return f"{low} to {high} {called or ('' if unit == '1' else unit.strip('{}'))}".strip()


def is_quantity(concept: Concept) -> bool:
    """Whether the concept is measured in a unit."""
    return concept.kind == "quantity" or bool(concept.unit)


def specific_only(concepts: Iterable[Concept]) -> list[Concept]:
    """The concepts without those that another of them says more exactly, each once."""
    kept = {concept.id: concept for concept in concepts}
    for concept in list(kept.values()):
        kept.pop(concept.of, None)
    return list(kept.values())
