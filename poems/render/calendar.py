"""The visits as a calendar file for any calendar. It names no patient and holds no value: calendars sync."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from hashlib import scrypt
from typing import TYPE_CHECKING
from uuid import UUID, uuid5

from poems.follow import Follow, Visit
from poems.knowledge import Knowledge
from poems.record import Event
from poems.render import Edition
from poems.render.follow_words import by_kind, name_of_test, window
from poems.render.own_visits import plain_tests, planned
from poems.render.words import clean, inside, listed

if TYPE_CHECKING:
    from icalendar import Event as Entry

SALT = b"poems follow, visits"
COST, BLOCK = 2**13, 8  # 8 MiB and some 25 ms for each guess of a record
NOTE = "As published for follow-up, not as ordered: the treating team decides."
OWN_NOTE = "As this guide reads the papers, not as ordered: my doctors decide."
LONG = 60
"""The name of a patient's entry has no more letters for its tests; its text has all of them."""
PERSON = "person"


def ics(follow: Follow, knowledge: Knowledge, edition: Edition = "clinician") -> bytes:
    """The visits as an iCalendar file (RFC 5545), one all-day event each; for the patient in plain words.

    What is overdue, or has been due since an earlier day, stands on the day asked about. The entry of a visit is told
    from others by its place: the next visit of a kind, the one after it. So a file written after a visit moves the
    entries that were taken in before; it does not add to them, and SEQUENCE says which file is newer. An entry of a
    kind that has ended since stays in the calendar until somebody deletes it: no file can know what was taken in.
    """
    from icalendar import Calendar

    calendar, whose = Calendar(), namespace(follow, knowledge)
    calendar.add("prodid", "-//poems//follow//EN")
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("method", "PUBLISH")
    for place, visit, name, said in _entries(follow, knowledge, edition):
        uid = f"{uuid5(whose, place)}@poems.invalid"
        calendar.add_component(_entry(visit, uid, follow.as_of, name, said))
    return bytes(calendar.to_ical())


def is_empty(follow: Follow, knowledge: Knowledge, edition: Edition = "clinician") -> bool:
    """Whether there is no visit to write: then a sentence says more than a file without an entry."""
    return not any(_entries(follow, knowledge, edition))


Wanted = tuple[str, Visit, str, list[str]]
"""An entry: what tells it from others, the visit, its name, and what is said of it."""


def _entries(follow: Follow, knowledge: Knowledge, edition: Edition) -> Iterator[Wanted]:
    return _own(follow, knowledge) if edition == "patient" else _all(follow, knowledge)


def _all(follow: Follow, knowledge: Knowledge) -> Iterator[Wanted]:
    """Each kind of visit under its published name."""
    places: Counter[str] = Counter()
    for several in by_kind(follow.calendar, follow.as_of) if follow.died is None else ():
        for visit in several:
            name = inside(clean(visit.label), knowledge)
            tests = ", ".join(name_of_test(test, knowledge) for test in visit.tests)
            places[visit.label] += 1
            yield (f"{clean(visit.label)}|{places[visit.label] - 1}", visit,
                   name[:1].upper() + name[1:] if name.startswith("visit") else f"Visit: {name}",
                   [f"To look at: {tests}." if tests else "", NOTE])


def _own(follow: Follow, knowledge: Knowledge) -> Iterator[Wanted]:
    """For the patient: one entry a day, with what is looked at on it, each once. Told apart by their order alone."""
    days: dict[date, Visit] = {}
    for row in planned(follow, knowledge):
        for visit in (row.visit, *row.later):
            day = max(visit.day, follow.as_of)
            known = days.get(day)
            days[day] = replace(known, tests=tuple(dict.fromkeys((*known.tests, *visit.tests)))) if known else visit
    for place, day in enumerate(sorted(days)):
        names = list(plain_tests(days[day], knowledge))
        yield (f"own|{place}", days[day], _name(names), [f"To look at: {', '.join(names)}." if names else "", OWN_NOTE])


def _name(tests: Sequence[str]) -> str:
    """The name of a patient's entry, short enough to be read in a calendar: its tests, or how many things there are."""
    if not tests:
        return "Visit"
    said = listed([name.partition(" (")[0] for name in tests], "and")
    is_short = len(said) <= LONG or len(tests) == 1
    return f"Visit: {said if is_short else f'{len(tests)} things to look at (listed inside)'}"


def namespace(follow: Follow, knowledge: Knowledge) -> UUID:
    """What the ids of one patient's entries are made from, so that two patients' never meet in one calendar.

    It is the same each time without anything being kept: derived from the patient's id and the first dated day of the
    record (its findings with their values; the day of birth aside), because later visits never change that day. A
    finding from before it, entered later, does: then the calendar has to be emptied once. Neither can be read back
    from it: a hash of the id alone could be found by trying all ids; this one can only be recomputed by somebody who
    has the record, and each trial is made slow (scrypt).
    """
    about = {concept.id for concept in knowledge.concepts.values() if concept.kind == PERSON}
    dated = [event for event in follow.record.events if event.date is not None and event.finding not in about]
    first = min((event.date for event in dated if event.date), default=None)
    facts = sorted(_fact(event) for event in dated if event.date == first)
    secret = "\n".join([follow.patient, *facts]).encode("utf-8", "replace")
    return UUID(bytes=scrypt(secret, salt=SALT, n=COST, r=BLOCK, p=1, dklen=16))


def _fact(event: Event) -> str:
    value = "" if event.value is None else f"{event.comparator}{event.value:.6g} {event.unit}"
    return f"{event.date}|{event.finding}|{event.status}|{value}"


def _entry(visit: Visit, uid: str, as_of: date, name: str, about: Sequence[str]) -> Entry:
    from icalendar import Event as Entry

    day = max(visit.day, as_of)
    late = f"Was due by {visit.latest}: ask whether it has been done."
    said = [late if visit.overdue else f"Due: {window(visit)}.", *about]
    entry = Entry()
    entry.add("uid", uid)
    entry.add("sequence", as_of.toordinal())
    entry.add("dtstamp", datetime.combine(as_of, time(), UTC))
    entry.add("dtstart", day)
    entry.add("dtend", day + timedelta(1))
    entry.add("summary", name)
    entry.add("description", " ".join(filter(None, said)))
    entry.add("class", "PRIVATE")
    entry.add("transp", "TRANSPARENT")
    return entry
