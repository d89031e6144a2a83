"""The visits to come as their patient reads them: in plain words, and only where the record says what it is about."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date

from poems.follow import Follow, Visit
from poems.knowledge import Knowledge
from poems.models.differential import TARGET
from poems.record import PRESENT, Event
from poems.render.follow_words import by_kind, rhythm, scheduled
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


@dataclass(frozen=True)
class Planned:
    """What falls on the same days: the next visit, those after it, and how often each of its kinds comes again."""

    visit: Visit
    later: tuple[Visit, ...] = ()
    again: tuple[str, ...] = ()


def planned(follow: Follow, knowledge: Knowledge) -> list[Planned]:
    """The next visits with those after each: what falls on the same days together, each test in the first row it is in.

    A visit at which tests are only thought of is told as a visit: none of its tests is a duty that was missed.
    None where the record says neither the disease nor a treatment of it, and none after a death.
    """
    if follow.died or not is_begun(follow, knowledge):
        return []
    rows: dict[tuple[date, date], Planned] = {}
    told: set[str] = set()
    home: dict[str, tuple[date, date]] = {}
    for first, *others in _plainly(follow, knowledge):
        tests = tuple(name for name in first.tests if name not in told)
        told.update(first.tests)
        if tests or not first.tests:
            is_known = any(name in knowledge.tests or name in knowledge.concepts for name in tests)
            # What is no test and is all that is left of a kind stands with the rest of it.
            days = (first.day, first.latest) if is_known else home.get(first.label, (first.day, first.latest))
            home.setdefault(first.label, days)
            row = rows.get(days, Planned(replace(first, tests=())))
            again = tuple(filter(None, (rhythm(first, knowledge, is_last=not others),)))
            rows[days] = Planned(
                replace(row.visit, tests=(*row.visit.tests, *tests)), (*row.later, *others),
                tuple(dict.fromkeys((*row.again, *again))))
    return list(rows.values())


def _plainly(follow: Follow, knowledge: Knowledge) -> list[list[Visit]]:
    """The kinds of visits; what has words for its patient has these instead of its tests, and stands once, where the
    last of its tests is due: on the day of the others the visit was.
    """
    found = by_kind(follow.calendar, follow.as_of)
    last = {several[0].label: several for several in found}
    kept = []
    for several in found:
        item = scheduled(several[0], knowledge)
        if item is None or not item.patient:
            kept.append(several)
        elif several is last[several[0].label]:
            kept.append([replace(visit, tests=(item.patient,)) for visit in several])
    return kept


def plain_tests(visit: Visit, knowledge: Knowledge) -> tuple[str, ...]:
    """What is looked at in a visit, in the patient's words."""
    return tuple(clean(test.patient or test.label) if (test := knowledge.tests.get(name)) else plain(name, knowledge)
                 for name in visit.tests)
