"""The visits to come as their patient reads them: in plain words, and only where the record says what it is about."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date

from poems.follow import Follow, Visit
from poems.knowledge import Knowledge
from poems.models.differential import TARGET
from poems.record import PRESENT, Event
from poems.render.follow_words import by_kind
from poems.render.patient import plain
from poems.render.words import clean


def is_begun(follow: Follow, knowledge: Knowledge) -> bool:
    """Whether the record itself says that it is about this disease: by its name, or by a treatment of it.

    Without that a patient's edition has no day of diagnosis and no calendar: they would tell a diagnosis nobody made.
    """
    return bool(follow.lines) or any(True for _ in named(follow, knowledge))


def named(follow: Follow, knowledge: Knowledge) -> Iterator[Event]:
    """Where the record says the name of the disease."""
    for event in follow.record.events:
        concept = knowledge.concepts.get(event.finding)
        if concept and concept.label_of == TARGET and event.status == PRESENT:
            yield event


def planned(follow: Follow, knowledge: Knowledge) -> list[tuple[Visit, list[Visit]]]:
    """The next visits with those after each: what falls on the same days together, each test in the first row it is in.

    None where the record says neither the disease nor a treatment of it, and none after a death.
    """
    if follow.died or not is_begun(follow, knowledge):
        return []
    rows: dict[tuple[date, date], tuple[Visit, list[Visit]]] = {}
    told: set[str] = set()
    for first, *others in by_kind(follow.calendar, follow.as_of):
        tests = tuple(name for name in first.tests if name not in told)
        told.update(first.tests)
        if tests or not first.tests:
            known, later = rows.get((first.day, first.latest), (replace(first, tests=()), []))
            rows[first.day, first.latest] = replace(known, tests=(*known.tests, *tests)), [*later, *others]
    return list(rows.values())


def plain_tests(visit: Visit, knowledge: Knowledge) -> tuple[str, ...]:
    """What is looked at in a visit, in the patient's words."""
    return tuple(clean(test.patient or test.label) if (test := knowledge.tests.get(name)) else plain(name, knowledge)
                 for name in visit.tests)
