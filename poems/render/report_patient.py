"""The patient's report: one page for the appointment. The own record, what doctors look for, the course, what to ask.

No diagnosis, no probability, no dose: it is made of the patient's views, which hold none.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from poems.follow import Follow
from poems.knowledge import Knowledge
from poems.render import follow_patient, patient
from poems.render.follow_patient import OwnCourse, OwnVisit
from poems.render.patient import Entry, OwnRecord
from poems.render.report_clinician import refused
from poems.render.report_model import (
    NAME,
    Beside,
    Block,
    Line,
    Lines,
    Press,
    Ruled,
    Sheet,
    Table,
    capital,
    cut,
    first,
    items,
    joined,
    left_over,
    sentences,
    shared,
)
from poems.render.report_picture import LOWER, PATIENT, picture
from poems.render.words import listed
from poems.review import Review

HEADING = "My record, for the appointment"
FOOTER = "It informs and never orders. What is not recorded may still have been done: ask."
FIRST, ELSE, VISITS, TESTS, NOTES = 8, 3, 1, 1, 1
"""How many treatments, other findings, visits, tests and notes there are at the least."""
MOST_TESTS = 9
"""More would take the room for a pen."""
NOT_YET = "What doctors look for, and nobody has recorded yet"
LOOKED = "looked for, not found"
VISITS_HEAD = "Next visits, as this guide reads the papers"
TREATED = "My treatments"
WHERE, COURSE = "in my full record", "in my full course"


@dataclass(frozen=True)
class Patient:
    """What the page is made of; `sheet` lays out as much of it as there is room for."""

    review: Review
    follow: Follow
    knowledge: Knowledge
    own: OwnRecord
    course: OwnCourse

    def sheet(self, rooms: Sequence[int]) -> Sheet:
        """The page. rooms: how many rows its lists may have beyond the least."""
        press = Press(self.knowledge)
        heading, pen = ("My record", "Notes") if self.follow.died else (HEADING, "My own questions and notes")
        page: tuple[Block, ...] = (
            Lines("", (Line(self.course.notice if self.follow.died else patient.NOTICE),), "box"),
            *refused(max(self.own.refused, self.course.refused)),
            *self._looked_for(press, min(rooms)),
            Beside((*self._findings(min(rooms), rooms[0]), *self._ask()), tuple(self._plan(rooms[1])), flows=True),
            *picture(self.course.picture, "My course", PATIENT + 12 * min(rooms), LOWER),
            *self._notes(press, min(rooms)), Ruled(pen), *self._urgent(press), *press.sources(""))
        return Sheet(
            heading=heading, eyebrow="POEMS report", who=cut(self.review.patient, NAME),
            about=tuple(filter(None, (self.course.person, f"as of {self.follow.as_of}"))), pages=(page,),
            knowledge=self.review.knowledge, as_of=str(self.follow.as_of), made="", size=10.0, footer=FOOTER)

    def _urgent(self, press: Press) -> Iterator[Lines]:
        if self.follow.died:
            return
        signs = self.knowledge.follow.urgent
        text = f"Do not wait for the appointment with {listed([sign.text for sign in signs], 'or')}: call at once."
        yield Lines("", (Line(text, cites=press.of(*(sign.source for sign in signs))),), "alert")

    # my record

    def _looked_for(self, press: Press, room: int) -> Iterator[Block]:
        """Everything that published criteria look at: what the record says about it, and what nobody has recorded."""
        found = [item for item in self.own.looked_at if item.recorded]
        blank = [item for item in self.own.looked_at if not item.recorded]
        cites, names = shared([Line(cut(item.label, 110), cites=press.cites(item.marks, 1)) for item in found])
        most = self._most(room)
        rows = tuple((name, Line(" · ".join(filter(None, (joined(item.recorded, most), item.note)))))
                     for name, item in zip(names, found, strict=True))
        more = f"What is more stands {WHERE}" if any(len(item.recorded) > most for item in found) else ""
        if rows:
            yield Table(patient.LOOKED_AT, rows, (0.37, 0.63), cites=cites, more=more)
        cites, not_yet = shared([Line(cut(item.label, 110), cites=press.cites(item.marks, 1))
                                 for item in blank])
        if not_yet:
            yield Lines(NOT_YET, not_yet, "run", cites=cites)

    def _most(self, room: int) -> int:
        """How many findings stand beside one thing that doctors look for."""
        return 1 + (room + 1) // 2

    def _findings(self, room: int, more: int) -> Iterator[Lines]:
        """What else the record holds, as it was last seen. room: that of the table above; more: that of this list."""
        told = {name for item in self.own.looked_at for name in item.findings[:self._most(room)]}
        found = [entry_line(entry, LOOKED if title == patient.NOT_FOUND else "") for title, entries in self.own.groups
                 for entry in entries if title != patient.KINDS["treatment"] and entry.finding not in told]
        shown, rest = first(found, ELSE + more)
        if shown:
            yield Lines("What else my record says", shown, "record", more=left_over(rest, "more", WHERE))
        elif not self.own.groups:
            yield Lines("What my record says", (Line("Nothing yet."),), "record")

    # what was done, and what to ask

    def _ask(self) -> Iterator[Lines]:
        questions = self.course.questions if self.follow.treatments or self.follow.died else self.own.questions
        questions = (*self.course.rising, *questions)
        if questions:
            yield Lines("Questions to ask", tuple(Line(text, sign="box") for text in questions))

    def _plan(self, room: int) -> Iterator[Lines]:
        """My treatments, all of them where there is any room; then visits and tests."""
        given = tuple(self._given())
        shown, rest = first(given, FIRST + 2 * room)
        if shown:
            yield Lines(TREATED, shown, "record", more=left_over(rest, "more", WHERE))
        room = max(room - max(len(given) - FIRST, 0), 0)
        visits, later = first(self.course.visits, VISITS + room // 4)
        if visits:
            yield Lines(VISITS_HEAD, tuple(map(self._visit, visits)), "pairs", self.course.silent,
                        left_over(later, "more", COURSE))
        tests, left = first(() if self.follow.died else self.own.ask_about, min(TESTS + room, MOST_TESTS))
        if tests:
            yield Lines(patient.DONE, tuple(Line(name, sign="box") for name in tests),
                        more=left_over(left, "more", WHERE))

    def _visit(self, visit: OwnVisit) -> Line:
        """When a visit is and what is looked at; how often it comes again."""
        looked_at = items(visit.tests, 110, ", ", f"more {COURSE}")
        then = f"then {visit.then}" if visit.then else ""
        return Line(capital(visit.when), "; ".join(filter(None, (visit.apart, looked_at, then))))

    def _given(self) -> Iterator[Line]:
        """Every treatment, the latest first, then those without a day."""
        yield from (Line(cut(span.label, 70), span.days) for span in self.course.treatments[::-1])
        dated = {span.finding for span in self.course.treatments}
        for title, entries in self.own.groups:
            if title == patient.KINDS["treatment"]:
                yield from (entry_line(entry) for entry in entries if entry.finding not in dated)

    def _notes(self, press: Press, room: int) -> Iterator[Lines]:
        shown, rest = first(list(dict([*self.own.notes, *self.course.notes]).items()), NOTES + room // 3)
        if shown:
            yield Lines("Good to know", tuple(Line(sentences(text, 220), sign="dot", cites=press.cites(marks, 1))
                                              for text, marks in shown), more=left_over(rest, "more", COURSE))


def own(review: Review, follow: Follow, knowledge: Knowledge) -> Patient:
    """What the patient's report is made of."""
    return Patient(review, follow, knowledge, patient.own(review, knowledge),
                   follow_patient.own_course(follow, knowledge))


def entry_line(entry: Entry, before: str = "") -> Line:
    """What was seen last, and when; how often it was seen. before: words that come first."""
    day = entry.days[-1][0]
    seen = " and ".join(dict.fromkeys(text for on, text in entry.days if on == day))
    days = len({on for on, _ in entry.days})
    times = f"last of {days}, {day}" if days > 1 else day
    said = "; ".join(filter(None, (before, cut(seen, 50))))
    return Line(": ".join(filter(None, (cut(entry.label, 70), said))), times)
