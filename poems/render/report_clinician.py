"""The clinician's report: two pages, the record against the criteria on the first, the course and the literature after.

What does not fit is counted, never dropped in silence; `rooms` says how generous each page may be.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date

from poems.follow import Follow
from poems.knowledge import Knowledge
from poems.record import ABSENT, Event
from poems.render import follow_view, view
from poems.render.follow_glance import said_first
from poems.render.follow_view import FollowView
from poems.render.report_course import course_blocks
from poems.render.report_model import (
    NAME,
    SIGNS,
    Bar,
    Bars,
    Beside,
    Block,
    Line,
    Lines,
    Press,
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
from poems.render.view import PartView, ReviewView, SetView
from poems.render.words import beside_name, bits, clean, label, percent
from poems.review import Part, Review
from poems.rules import Verdict

HEADING = "POEMS report"
HINT = "Unknown means that the record does not say. A star: not read in the source itself."
KINDS = {"finding": "Found", "quantity": "Measured", "label": "Diagnoses as written", "treatment": "Treatments"}
NOT_FOUND = "Looked for, not found"
WHERE = "in the full review"
SMALL = 0.02
"""Diseases less probable than this are told in one line."""


@dataclass(frozen=True)
class Clinician:
    """What the two pages are made of; `sheet` lays out as much of it as there is room for."""

    review: Review
    follow: Follow
    knowledge: Knowledge
    seen: ReviewView
    course: FollowView

    def sheet(self, rooms: Sequence[int]) -> Sheet:
        """Both pages. rooms: for each page, how many rows its lists may have beyond the least."""
        press = Press(self.knowledge)
        record = tuple(self._record(press, rooms[0]))
        course = course_blocks(self.course, press, rooms[1])
        return Sheet(
            heading=HEADING, eyebrow="For the physician", who=cut(self.review.patient, NAME),
            about=tuple(filter(None, (self.seen.person, f"as of {self.follow.as_of}", self._since()))),
            pages=(record, (*course, *press.sources())), knowledge=self.review.knowledge,
            as_of=str(self.follow.as_of), made="", size=9.2)

    def _since(self) -> str:
        if self.follow.died:
            return f"died {self.follow.died}"
        return cut(self.course.since.partition(";")[0], 90) if self.follow.diagnosed else ""

    def _record(self, press: Press, room: int) -> Iterator[Block]:
        yield from refused(max(self.seen.refused, self.course.refused))
        yield self._glance(press)
        yield from self._findings(press, room)
        yield self._criteria(press, room)
        yield Beside((self._differential(room), *self._moved(press, room)), (self._next(press, room),))
        yield from self._cautions(press, room)

    def _cautions(self, press: Press, room: int) -> Iterator[Lines]:
        """What has to be minded of the record and of the course, each once."""
        found = list(dict([*self.seen.cautions, *self.course.cautions]).items())
        shown, rest = first(found, 1 + (room + 1) // 2)
        if shown:
            lines = tuple(Line(sentences(text, 180 + 20 * room), sign="dot", cites=press.cites(marks, 1))
                          for text, marks in shown)
            yield Lines("Mind", lines, more=left_over(rest, "more", "in the full review and course"))

    def _glance(self, press: Press) -> Lines:
        marks = press.cites(self.seen.setting_marks)
        about = Line(f"Setting of the probabilities: {self.seen.setting}.", cites=marks)
        found = self.follow
        told: list[str] = []
        if found.treatments or found.recorded or any(item.day for item in found.relapses):
            told += self.course.glance[:max(2, len(list(said_first(found, self.knowledge))))]
        told += [text for text in map(clean, found.doubtful) if text not in told] + list(self.seen.glance)
        return Lines("At a glance", (*(Line(sentences(text, 300), strong=not place) for place, text in enumerate(told)),
                                     about), "box")

    # the record

    def _findings(self, press: Press, room: int) -> Iterator[Block]:
        leading = self.seen.leading[0]
        parts = next(item.parts for item in self.review.criteria if item.criteria.id == leading.id)
        judged = list(self._judged(parts, leading.parts))
        told = [(part, seen) for part, seen in judged if part.because]
        cites, names = shared([Line(f"{part.label}: {part.verdict.value}", sign=SIGNS[part.verdict],
                                    cites=press.cites(seen.marks, 1)) for part, seen in told])
        rows = [(name, Line(self._seen(part, 3 + room // 3))) for name, (part, _) in zip(names, told, strict=True)]
        blank = [part.label for part, _ in judged if not part.because]
        if blank:
            rows.append((Line("Unknown: not recorded, or not ruled out", sign="unknown"), Line(" · ".join(blank))))
        yield Table(f"Findings, by what {leading.label} asks", tuple(rows), (0.36, 0.64), hint=HINT, cites=cites)
        used = {event for item in parts for event in events_of(item)}
        measured_too = {event.finding for event in used if event.value is not None}
        rest = [event for event in self.review.record.events
                if event not in used and event.finding not in measured_too]
        more = tuple(self._rest(rest, 3 + room // 2))
        if more:
            yield Table("Also in the record", more, (0.16, 0.84))

    def _judged(self, parts: Iterable[Part], seen: Iterable[PartView]) -> Iterator[tuple[Part, PartView]]:
        """Each part that is asked for; a choice between parts by its parts."""
        of = {item.id: item for item in seen}
        for part in {one.id: one for one in parts}.values():
            known = of[part.id]
            if part.parts and not known.is_question:
                yield from self._judged(part.parts, known.parts)
            else:
                yield part, known

    def _seen(self, part: Part, most: int) -> str:
        said = [dated(name, text, day) for name, text, day in self._latest(part.because)]
        return joined(said, most, "more in the record")

    def _latest(self, events: Iterable[Event]) -> Iterator[tuple[str, str, str]]:
        """Each finding once, as it was last seen: its name, what was seen, the day."""
        of: dict[str, list[Event]] = {}
        for event in events:
            of.setdefault(event.finding, []).append(event)
        for finding, several in of.items():
            last = max(event.date or date.min for event in several)
            seen = dict.fromkeys(beside_name(event, self.knowledge) for event in several
                                 if (event.date or date.min) == last)
            days = {event.date for event in several if event.date}
            day = last.isoformat() if days else "no date"
            yield (cut(label(finding, self.knowledge), 70), cut(" and ".join(seen), 60),
                   f"last of {len(days)}, {day}" if len(days) > 1 else day)

    def _rest(self, events: Iterable[Event], most: int) -> Iterator[tuple[Line, Line]]:
        of: dict[str, list[Event]] = {title: [] for title in (*KINDS.values(), NOT_FOUND)}
        for event in events:
            concept = self.knowledge.concepts.get(event.finding)
            if concept and concept.kind in KINDS and event.finding != "age":
                is_absent = event.status == ABSENT and concept.kind == "finding"
                of[NOT_FOUND if is_absent else KINDS[concept.kind]].append(event)
        for title, several in of.items():
            said = [dated(name, "" if title == NOT_FOUND else text, day) for name, text, day in self._latest(several)]
            if said and not (title == KINDS["treatment"] and self.follow.treatments):
                yield Line(title, strong=True), Line(joined(said, most, "more in the record"))

    # what the criteria say

    def _criteria(self, press: Press, room: int) -> Table:
        shown, rest = first(self.seen.sets, 8 + room)
        rows = tuple((Line(verdict(item), sign=SIGNS[item.verdict], strong=True),
                      Line(item.label, cites=press.cites(item.marks)), Line(missing(item, 84 + 6 * room)))
                     for item in shown)
        return Table("Criteria", rows, (0.15, 0.45, 0.4), tuple(map(Line, ("Verdict", "Set", "Missing, or against"))),
                     more=left_over(rest, "more sets", WHERE))

    # what may be behind it

    def _differential(self, room: int) -> Bars:
        """POEMS and every disease that is more probable, always; the others while there is room."""
        ranked = sorted(self.seen.diseases, key=lambda item: -item.probability)
        prior = next((item for item in ranked if item.is_target), None)
        least = ranked.index(prior) + 1 if prior else 0
        rows = [item for place, item in enumerate(ranked) if place < least or item.probability >= SMALL]
        shown, rest = first(rows, max(3 + room // 2, least))
        small = len(ranked) - len(rows)
        less = f"{small} other{'' if small == 1 else 's'} below {percent(SMALL)}" if small else ""
        before = f" Before the findings {prior.label} had {prior.prior}." if prior else ""
        return Bars("Differential", tuple(Bar(item.label, item.probability, item.low, item.high, item.text,
                                              item.interval, item.is_target) for item in shown),
                    f"Probability among the diseases compared, with its 95 % interval.{before}",
                    "; ".join(filter(None, (left_over(rest, "more", WHERE), less))))

    def _moved(self, press: Press, room: int) -> Iterator[Lines]:
        """Which findings spoke loudest."""
        found = sorted(self.seen.evidence, key=lambda item: -abs(item.log_ratio))
        shown, rest = first(found, 3 + room // 2)
        if shown:
            lines = tuple(Line(f"{item.label}{'' if item.verdict is Verdict.MET else ' (absent)'}", item.factor,
                               cites=press.cites(item.marks, 1)) for item in shown)
            yield Lines("What moved it most", lines, "run", "× so many times as frequent in POEMS as in the rest, ÷ "
                        "rarer", left_over(rest, "more", WHERE))

    def _next(self, press: Press, room: int) -> Lines:
        shown, rest = first(self.seen.tests, 2 + room // 2)
        lines = tuple(Line(item.label, f"{bits(item.gain)} bit{self._settles(item.settles)}", "box",
                           cites=press.cites(item.marks, 1)) for item in shown)
        hint = self.seen.tests_hint
        if not lines:
            lines, hint = (Line("Nothing that is not known yet would move this much."),), ""
        return Lines("Next tests, as options", lines, "list", hint, left_over(rest, "more", WHERE))

    def _settles(self, names: Sequence[str]) -> str:
        return f"; could settle {len(names)} set{'' if len(names) == 1 else 's'}" if names else ""


def clinician(review: Review, follow: Follow, knowledge: Knowledge) -> Clinician:
    """What the clinician's report is made of: a series of one value is a finding, not a trend."""
    course, settings = follow_view.view(follow, knowledge), {kind.id: kind.setting for kind in knowledge.follow.options}
    course = replace(
        course, trends=tuple(seen for seen, trend in zip(course.trends, follow.trends, strict=True)
                             if len(trend.series.samples) > 1),
        options=tuple(replace(seen, setting=settings.get(option.id, seen.setting))
                      for seen, option in zip(course.options, follow.options, strict=True)))
    return Clinician(review, follow, knowledge, view.view(review, knowledge), course)


def refused(count: int) -> tuple[Lines, ...]:
    """That rows of the input were left out; nothing where none was."""
    if not count:
        return ()
    was = "row was" if count == 1 else "rows were"
    return (Lines("", (Line(f"{count} {was} refused when the record was read: this sheet rests on the rest only."),),
                  "alert"),)


def events_of(part: Part) -> Iterator[Event]:
    """Every event that a part of a set rests on, and its own parts."""
    yield from part.because
    for one in part.parts:
        yield from events_of(one)


def dated(name: str, seen: str, day: str) -> str:
    """A finding with what was seen and the day."""
    return f"{name}{': ' if seen else ''}{seen} ({day})"


def verdict(item: SetView) -> str:
    """The verdict with its level, where the set has several."""
    return f"{item.verdict.value}, {item.level}" if item.level and item.verdict is Verdict.MET else item.verdict.value


def missing(item: SetView, most: int) -> str:
    """What would complete a set, or what speaks against it, in so many letters."""
    needs = list(item.missing)
    if needs and needs[0].endswith(":"):
        needs[:2] = [" ".join(needs[:2])]
    return items([*needs, *filter(None, (capital(item.against),))], most)
