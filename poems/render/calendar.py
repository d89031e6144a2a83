"""The visits as a calendar file for any calendar. It names no patient and holds no value: calendars sync."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from hashlib import scrypt
from typing import TYPE_CHECKING
from uuid import UUID, uuid5

from poems.follow import Follow, Visit
from poems.knowledge import Knowledge
from poems.record import Event
from poems.render.follow_words import by_kind, name_of_test, window
from poems.render.words import clean, inside

if TYPE_CHECKING:
    from icalendar import Event as Entry

SALT = b"poems follow, visits"
COST, BLOCK = 2**13, 8  # 8 MiB and some 25 ms for each guess of a record
NOTE = "As published for follow-up, not as ordered: the treating team decides."
PERSON = "person"


def ics(follow: Follow, knowledge: Knowledge) -> bytes:
    """The visits as an iCalendar file (RFC 5545), one all-day event each.

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
    for several in by_kind(follow.calendar, follow.as_of) if follow.died is None else ():
        for place, visit in enumerate(several):
            uid = uuid5(whose, f"{clean(visit.label)}|{place}")
            calendar.add_component(_entry(visit, f"{uid}@poems.invalid", follow.as_of, knowledge))
    return bytes(calendar.to_ical())


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


def _entry(visit: Visit, uid: str, as_of: date, knowledge: Knowledge) -> Entry:
    from icalendar import Event as Entry

    day = max(visit.day, as_of)
    name = inside(clean(visit.label), knowledge)
    tests = ", ".join(name_of_test(test, knowledge) for test in visit.tests)
    late = f"Was due by {visit.latest}: ask whether it has been done."
    said = [late if visit.overdue else f"Due: {window(visit)}.", f"To look at: {tests}." if tests else "", NOTE]
    entry = Entry()
    entry.add("uid", uid)
    entry.add("sequence", as_of.toordinal())
    entry.add("dtstamp", datetime.combine(as_of, time(), UTC))
    entry.add("dtstart", day)
    entry.add("dtend", day + timedelta(1))
    entry.add("summary", name[:1].upper() + name[1:] if name.startswith("visit") else f"Visit: {name}")
    entry.add("description", " ".join(filter(None, said)))
    entry.add("class", "PRIVATE")
    entry.add("transp", "TRANSPARENT")
    return entry
