"""The hand-over sheet for a transplant on one page: days, what to look for, rates, the definitions side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from poems.follow import Follow
from poems.knowledge import Knowledge
from poems.render.follow_sheet import NO_DOSE, SHOW_TO, DefinitionView, SheetView, SignView, sheets
from poems.render.report_model import (
    LONG,
    NAME,
    SIGNS,
    Block,
    Line,
    Lines,
    Press,
    Sheet,
    Table,
    cut,
    first,
    joined,
    left_over,
    sentences,
)

HEADING, SHEET = "Engraftment syndrome in POEMS", "in the full sheet"


@dataclass(frozen=True)
class Transplant:
    """What the sheets of one patient are made of: one page for each transplant, or one before the first."""

    follow: Follow
    knowledge: Knowledge
    shown: tuple[SheetView, ...]

    def sheet(self, rooms: Sequence[int]) -> Sheet:
        """The pages. rooms: for each, how many rows its lists may have beyond the least."""
        pages = tuple(_page(one, Press(self.knowledge), room) for one, room in zip(self.shown, rooms, strict=True))
        return Sheet(
            heading=HEADING, eyebrow="Transplant hand-over sheet", who=cut(self.follow.patient, NAME),
            about=tuple(filter(None, (self.shown[0].person, f"as of {self.follow.as_of}"))), pages=pages,
            knowledge=self.follow.knowledge, as_of=str(self.follow.as_of), made="", size=9.2)


def _page(one: SheetView, press: Press, room: int) -> tuple[Block, ...]:
    return (_days(one), Lines("", (*_no_dose(one, press), Line(SHOW_TO)), "alert"), _told(one, press),
            _rates(one, press, room), _definitions(one, press, room), *_readings(one, room), *press.sources())


def _days(one: SheetView) -> Lines:
    """Day 0 and its windows on the calendar."""
    lines = [Line(f"Day 0: {one.day_0}", one.today, strong=True)] if one.day_0 else [Line(one.today, strong=True)]
    return Lines("", (*lines, *(Line(f"{name}: {when}") for name, when in one.days)), "box")


def _no_dose(one: SheetView, press: Press) -> tuple[Line, ...]:
    """What the knowledge says of a dose, once and where it is seen."""
    return tuple(Line(sentences(text, LONG), strong=True, cites=press.cites(marks, 1))
                 for text, marks in one.text if text.startswith(NO_DOSE))


def _told(one: SheetView, press: Press) -> Lines:
    return Lines("What to know", tuple(Line(sentences(text, LONG), sign="dot", cites=press.cites(marks, 1))
                                         for text, marks in one.text if not text.startswith(NO_DOSE)))


def _rates(one: SheetView, press: Press, room: int) -> Lines:
    shown, rest = first(one.rates, 6 + room)
    return Lines("How often, by cohort, each by its own definition",
                 tuple(Line(cut(cohort, 100), cut(said, 90), cites=press.cites(marks, 1))
                       for cohort, said, marks in shown), "record", columns=2, more=left_over(rest, "more", SHEET))


def _definitions(one: SheetView, press: Press, room: int) -> Table:
    """One row a sign, one column a definition: a cell says what this record shows of it."""
    found = one.definitions
    share = 0.3
    widths = (share, *((1 - share) / max(len(found), 1) for _ in found))
    rows = [(Line("The definition", strong=True), *(_verdict(item) for item in found)),
            (Line("Days"), *(Line(cut(item.window)) for item in found))]
    shown, rest = first(one.signs, 8 + room)
    rows += [_sign(sign, press) for sign in shown]
    heads = (Line("Sign, and what is entered"),
             *(Line(item.label, cites=press.cites(item.marks, 1)) for item in found))
    return Table("The published definitions side by side, with what is entered in this record", tuple(rows), widths,
                 heads, "A dash: not looked at by this definition, or its days are not known.",
                 left_over(rest, "more signs", SHEET))


def _verdict(item: DefinitionView) -> Line:
    if item.verdict is None:
        return Line("not judged: no day 0")
    return Line(item.verdict.value, item.placed, SIGNS[item.verdict], strong=True)


def _sign(sign: SignView, press: Press) -> tuple[Line, ...]:
    seen = joined([cut(f"{one.what}, {one.date}", 80) for one in sign.observations], 2, "more in the record")
    cells = (Line(verdict.value, sign=SIGNS[verdict]) if verdict else Line("–") for verdict in sign.verdicts)
    return Line(cut(sign.label, 90), seen, cites=press.cites(sign.marks, 1)), *cells


def _readings(one: SheetView, room: int) -> tuple[Lines, ...]:
    shown, rest = first([item for item in one.definitions if item.reading], room // 2)
    lines = tuple(Line(f"{item.label}: {sentences(item.reading, 300)}") for item in shown)
    return (Lines("How we read them", lines, "tiny", more=left_over(rest, "more", SHEET)),) if lines else ()


def transplant(follow: Follow, knowledge: Knowledge) -> Transplant:
    """What the hand-over sheets are made of."""
    return Transplant(follow, knowledge, sheets(follow, knowledge))
