"""The patient's report: one page for the appointment. The own record, what doctors look for, the course, what to ask.

No diagnosis, no probability, no dose: it is made of the patient's views, which hold none.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from poems.follow import Follow
from poems.knowledge import Knowledge
from poems.render import follow_patient, patient
from poems.render.follow_patient import OwnCourse
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
    capital,
    cut,
    first,
    joined,
    left_over,
    shared,
)
from poems.render.report_picture import PATIENT, picture
from poems.render.words import listed
from poems.review import Review

HEADING = "My record, for the appointment"
FOOTER = "It informs and never orders. What is not recorded may still have been done: ask."
VISITS, TESTS, NOTES = 1, 5, 1
VISITS_HEAD = "Next visits, as this guide reads the papers"
DONE = "Has this been done, or would it help?"


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
        page: tuple[Block, ...] = (
            Lines("", (Line(patient.NOTICE),), "box"), *refused(max(self.own.refused, self.course.refused)),
            Beside(tuple(self._findings(rooms[0])), tuple(self._looked_for(press, rooms[1])), flows=True),
            *picture(self.course.picture, "My course", PATIENT), *self._ask(), *self._notes(press),
            Ruled("My own questions and notes"), self._urgent(press), *press.sources())
        return Sheet(
            heading=HEADING, eyebrow="POEMS report", who=cut(self.review.patient, NAME),
            about=tuple(filter(None, (self.own.person, f"as of {self.follow.as_of}"))), pages=(page,),
            knowledge=self.review.knowledge, as_of=str(self.follow.as_of), made="", size=10.0, footer=FOOTER)

    def _urgent(self, press: Press) -> Lines:
        signs = self.knowledge.follow.urgent
        text = f"Do not wait for the appointment with {listed([sign.text for sign in signs], 'or')}: call at once."
        return Lines("", (Line(text, cites=press.of(*(sign.source for sign in signs))),), "alert")

    # my record

    def _findings(self, room: int) -> Iterator[Lines]:
        """The record by kind, two columns; each finding as it was last seen."""
        looked_for = {name for item in self.own.looked_at for name in item.recorded}
        lines, rest = [], 0
        for title, entries in self.own.groups:
            if title == patient.KINDS["treatment"] and self.course.treatments:
                continue
            most = 2 + room if title == patient.KINDS["finding"] else 1 + room // 2
            shown, left = first(sorted(entries, key=lambda entry: entry.label not in looked_for), most)
            rest += left
            lines += [Line(title, strong=True), *map(entry_line, shown)]
        spans, left = first(self.course.treatments[::-1], 1 + room // 2)
        if spans:
            lines += [Line(patient.KINDS["treatment"], strong=True),
                      *(Line(cut(span.label, 70), span.days) for span in spans)]
        yield Lines("What my record says", tuple(lines) or (Line("Nothing yet."),), "record",
                    more=left_over(rest + left, "more"))

    def _looked_for(self, press: Press, room: int) -> Iterator[Lines]:
        """What published criteria look at: what the record has of it, and what nobody has recorded yet."""
        found = [item for item in self.own.looked_at if item.recorded]
        blank = [item for item in self.own.looked_at if not item.recorded]
        shown, rest = first(found, 2 + room)
        cites, has = shared([Line(cut(item.label, 110), cut(joined(item.recorded, 2 + room // 6), 130),
                                  cites=press.cites(item.marks, 1)) for item in shown])
        if has:
            yield Lines("What doctors look for, and my record has", has, "pairs", more=left_over(rest), cites=cites)
        shown, left = first(blank, 3 + room)
        cites, not_yet = shared([Line(cut(item.label, 110), sign="box", cites=press.cites(item.marks, 1))
                                 for item in shown])
        if not_yet:
            yield Lines("What doctors look for, and nobody has recorded yet", not_yet, cites=cites,
                        hint="It may have been done all the same: ask.", more=left_over(left, where=""))

    # what to ask

    def _ask(self) -> Iterator[Block]:
        questions = self.course.questions if self.course.treatments else self.own.questions
        asked = Lines("Questions to ask", tuple(Line(text, sign="box") for text in questions))
        visits, later = first(self.course.visits, VISITS)
        tests, left = first(self.own.ask_about, TESTS - len(visits))
        other: list[Block] = []
        if tests:
            other.append(Lines(DONE, tuple(Line(name, sign="box") for name in tests), more=left_over(left, where="")))
        if visits:
            lines = tuple(Line(capital(visit.when), cut(", ".join(filter(None, (visit.apart, *visit.tests))), 110))
                          for visit in visits)
            other.append(Lines(VISITS_HEAD, lines, "pairs", more=left_over(later, where="")))
        yield Beside((asked,), tuple(other)) if other else asked

    def _notes(self, press: Press) -> Iterator[Lines]:
        shown, rest = first(list(dict([*self.own.notes, *self.course.notes]).items()), NOTES)
        if shown:
            yield Lines("Good to know", tuple(Line(cut(text, 220), sign="dot", cites=press.cites(marks, 1))
                                              for text, marks in shown), more=left_over(rest, where=""))


def own(review: Review, follow: Follow, knowledge: Knowledge) -> Patient:
    """What the patient's report is made of."""
    return Patient(review, follow, knowledge, patient.own(review, knowledge),
                   follow_patient.own_course(follow, knowledge))


def entry_line(entry: Entry) -> Line:
    """What was seen last, and when; how often it was seen."""
    day = entry.days[-1][0]
    seen = " and ".join(dict.fromkeys(text for on, text in entry.days if on == day))
    days = len({on for on, _ in entry.days})
    times = f"last of {days}, {day}" if days > 1 else day
    return Line(": ".join(filter(None, (cut(entry.label, 70), cut(seen, 50)))), times)
