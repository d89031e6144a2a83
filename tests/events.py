"""Events as readers give them, by hypothesis or by a seeded generator: known findings, canonical units, real days."""

from __future__ import annotations

import random
from datetime import date, timedelta

from hypothesis import strategies as st

from poems.knowledge import Concept, Knowledge
from poems.record import ABSENT, PRESENT, Event

TODAY = date(2026, 1, 1)
PATIENTS = ("p1", "p2", "A-7.b")
SPECIMENS = ("", "serum", "plasma")


def days() -> st.SearchStrategy[date | None]:
    """A day, or none."""
    return st.none() | st.dates(date(1950, 1, 1), TODAY)


def events(knowledge: Knowledge, max_size: int = 12) -> st.SearchStrategy[list[Event]]:
    """Events of several patients; each patient has one sex and one birth date at most, as every format holds them."""
    concepts = [concept for concept in knowledge.concepts.values() if concept.kind != "person"]
    person = st.tuples(st.sampled_from(("", "male", "female")), days())
    found = st.lists(st.sampled_from(concepts).flatmap(lambda one: event(one, knowledge)), max_size=max_size)
    return st.tuples(found, st.dictionaries(st.sampled_from(PATIENTS), person)).map(_joined)


def _joined(drawn: tuple[list[Event], dict[str, tuple[str, date | None]]]) -> list[Event]:
    found, people = drawn
    for patient, (sex, born) in people.items():
        if sex:
            found.append(Event(patient, f"sex-{sex}", status=PRESENT))
        if born:
            found.append(Event(patient, "birth-date", born, PRESENT))
    return found


def event(concept: Concept, knowledge: Knowledge) -> st.SearchStrategy[Event]:
    """An event of one concept."""
    generic = {one.of for one in knowledge.concepts.values()}
    specimen = st.just(concept.specimen) if concept.specimen or concept.id in generic or concept.kind != "quantity" \
        else st.sampled_from(SPECIMENS)
    method = st.sampled_from(("", *(known.id for known in concept.methods))) if concept.methods else st.just("")
    status = st.sampled_from((PRESENT, ABSENT))
    if not concept.unit:
        return st.builds(Event, patient=st.sampled_from(PATIENTS), finding=st.just(concept.id), date=days(),
                         status=status, specimen=specimen, method=method)
    number = st.floats(0, 1e6, allow_subnormal=False).map(lambda value: round(value, 4))
    words = st.builds(Event, patient=st.sampled_from(PATIENTS), finding=st.just(concept.id), date=days(), status=status,
                      specimen=specimen, method=method)
    values = st.builds(Event, patient=st.sampled_from(PATIENTS), finding=st.just(concept.id), date=days(),
                       status=st.sampled_from(("", "", PRESENT, ABSENT)), value=number, unit=st.just(concept.unit),
                       comparator=st.sampled_from(("", "", "<", "<=", ">", ">=")), specimen=specimen,
                       upper_limit=st.none() | st.floats(0.0001, 1e6).map(lambda value: round(value, 4)), method=method)
    return words | values


def some(knowledge: Knowledge, dice: random.Random, n: int) -> list[Event]:
    """As many events as asked, drawn by a seeded generator, every one expressible in every format."""
    concepts = [one for one in knowledge.concepts.values() if one.kind != "person"]
    return [_one(dice.choice(concepts), dice) for _ in range(n)]


def _one(concept: Concept, dice: random.Random) -> Event:
    patient, day = dice.choice(PATIENTS), date(2015, 1, 1) + timedelta(dice.randrange(4000))
    if not concept.unit:
        status = PRESENT if concept.kind == "treatment" else dice.choice((PRESENT, ABSENT))
        return Event(patient, concept.id, day, status, specimen=concept.specimen)
    limit = round(dice.uniform(1, 1000), 1) if dice.random() < 0.5 else None
    return Event(patient, concept.id, day, "", round(dice.uniform(0, 3000), 1), concept.unit, specimen=concept.specimen,
                 upper_limit=limit)
