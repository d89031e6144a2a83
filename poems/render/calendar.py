"""The visits as a calendar file for any calendar. It names no patient and holds no value: calendars sync."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING
from uuid import NAMESPACE_URL, uuid5

from poems.follow import Follow, Visit
from poems.knowledge import Knowledge
from poems.render.follow_words import due, test_label
from poems.render.words import clean, inside

if TYPE_CHECKING:
    from icalendar import Event

NAMESPACE = uuid5(NAMESPACE_URL, "https://poems.invalid/visit")
LATE = "It was due before; ask whether it has been done."
NOTE = "As published for follow-up, not as ordered: the treating team decides."


def ics(follow: Follow, knowledge: Knowledge) -> bytes:
    """The visits as an iCalendar file (RFC 5545), one all-day event each; those overdue stand on the day asked about.

    The same visit has the same UID each time, so that taking the file in again doubles nothing.
    """
    from icalendar import Calendar

    calendar = Calendar()
    calendar.add("prodid", "-//poems//follow//EN")
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    for visit in follow.calendar if follow.died is None else ():
        calendar.add_component(_event(visit, follow.as_of, knowledge))
    return bytes(calendar.to_ical())


def _event(visit: Visit, as_of: date, knowledge: Knowledge) -> Event:
    from icalendar import Event

    day = max(visit.day, as_of) if visit.overdue else visit.day
    tests = ", ".join(test_label(name, knowledge) for name in visit.tests)
    said = [f"Due: {due(visit, as_of)}.", LATE if visit.overdue else "", f"Looked at: {tests}." if tests else "", NOTE]
    event = Event()
    event.add("uid", f"{uuid5(NAMESPACE, f'{visit.day}|{clean(visit.label)}')}@poems.invalid")
    event.add("dtstamp", datetime.combine(as_of, time(), UTC))
    event.add("dtstart", day)
    event.add("dtend", day + timedelta(1))
    event.add("summary", f"Visit: {inside(clean(visit.label), knowledge)}")
    event.add("description", " ".join(filter(None, said)))
    event.add("class", "PRIVATE")
    event.add("transp", "TRANSPARENT")
    return event
