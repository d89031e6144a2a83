"""A sheet set in type by typst: measured, fitted to its pages, and made into a PDF. Every text goes in as data."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Any, Literal

import typst

from poems.render.report_model import Picture, Sheet
from poems.render.report_picture import STYLE

TEMPLATES = Path(__file__).parent / "templates"
MAIN = TEMPLATES / "report.typ"
STANDARD: Literal["ua-1"] = "ua-1"
LADDER = (5, 12, 24, 48)
MOST = LADDER[-1]
"""How many rows beyond the least a list may have: where the search begins, how it climbs, and where it ends."""
ENOUGH = 26.0
"""Points that may stay empty at the foot of a page: two rows."""
LARGE, SMALLER = 1.06, (1.0, 0.95, 0.9, 0.85, 0.8, 0.7)
"""How the letters grow where everything fits all the same, and shrink where not even the least does."""
FORGOTTEN_AFTER = 11
LONG_WORD = re.compile(r"\S{24,}")
PIECE = 12
BREAK = "\u200b"
Make = Callable[[Sequence[int]], Sheet]
Left = Callable[[Sequence[int]], list[float]]
Finish = Callable[[Sheet], Sheet]


def pdf(make: Make, rooms: int, finish: Finish) -> bytes:
    """The fullest sheet that keeps to its pages, as a tagged PDF (PDF/UA-1).

    Set in the fonts that typst brings. Letters that those lack come from the fonts of the machine; where it has none
    either, a box stands for the letter and the file does not claim the standard.
    """
    try:
        for system in (False, True):
            sheet = _fitted(make, rooms, finish, system)
            with suppress(typst.TypstError):
                return _compiled(sheet, system, STANDARD)
        return _compiled(sheet, True, None)
    finally:
        _forget()


def fitted(make: Make, rooms: int, finish: Finish) -> Sheet:
    """The fullest sheet that keeps to its number of pages.

    make: the sheet for so much room in each of so many flows (a page, or a column of its own). finish: what is put on
    every sheet (paper, day).
    """
    try:
        return _fitted(make, rooms, finish, system=False)
    finally:
        _forget()


def _fitted(make: Make, rooms: int, finish: Finish, system: bool) -> Sheet:
    """The same, in the fonts that typst brings or with those of the machine too."""
    def made(size: float) -> Make:
        def sized(given: Sequence[int]) -> Sheet:
            sheet = finish(make(given))
            return replace(sheet, size=sheet.size * size)
        return sized

    def left(size: float) -> Left:
        return lambda given: spares(made(size)(given), system=system)

    everything = [MOST] * rooms
    for size in SMALLER:
        found = _search(left(size), rooms, LADDER[0] if size == 1.0 else 1)
        if found == everything and size == 1.0 and min(left(LARGE)(found)) >= 0:
            return made(LARGE)(found)
        if found is not None:
            return made(size)(found)
    return made(SMALLER[-1])([0] * rooms)


@dataclass
class _Room:
    """What is known of one flow: the most room that fits and the least that does not, each with the points left."""

    start: int
    low: int = -1
    high: int = MOST + 1
    below: float = 0.0
    above: float = 0.0

    def learn(self, room: int, left: float) -> None:
        if left >= 0 and room >= self.low:
            self.low, self.below = room, left
        elif left < 0 and room <= self.high:
            self.high, self.above = room, left

    @property
    def is_settled(self) -> bool:
        return self.low == MOST or self.high - self.low <= 1 or (self.low >= 0 and self.below < ENOUGH)

    @property
    def guess(self) -> int:
        """The room to try next: where the page is probably full, because heights grow about evenly."""
        if self.is_settled:
            return max(self.low, 0)
        if self.low < 0:
            return self.start if self.high > MOST else 0
        if self.high > MOST:
            return next(step for step in LADDER if step > self.low)
        share = self.below / (self.below - self.above)
        return min(max(self.low + int((self.high - self.low) * share), self.low + 1), self.high - 1)


def _search(left: Left, rooms: int, start: int = LADDER[0]) -> list[int] | None:
    """How much room each flow has; None where one overflows with the least. start: the room that is tried first."""
    known = [_Room(start) for _ in range(rooms)]
    while True:
        tried = [room.guess for room in known]
        spare = left(tried)
        for room, count, points in zip(known, tried, spare, strict=True):
            room.learn(count, points)
        if any(room.high == 0 for room in known):
            return None
        if all(room.is_settled for room in known):
            return tried if min(spare) >= 0 else _lowered(left, [max(room.low, 0) for room in known])


def _lowered(left: Left, rooms: list[int]) -> list[int] | None:
    """A little less room, until all flows fit together; None where that is not to be had.

    What one flow holds moves the numbers of the sources in the next, so that two may fit alone and not together.
    """
    while min(spare := left(rooms)) < 0:
        if not any(rooms):
            return None
        short = [room - 1 if points < 0 and room else room for room, points in zip(rooms, spare, strict=True)]
        rooms = short if short != rooms else [max(room - 2, 0) for room in rooms]
    return rooms


def spares(sheet: Sheet, *, system: bool = False) -> list[float]:
    """For each flow, how many points of its page are left; negative where it runs over."""
    found = json.loads(_compiler(sheet, system, measure="yes").query("<fit>", field="value", one=True))
    return [found["has"] - need for need in found["needs"]]


def _compiled(sheet: Sheet, system: bool, standard: Literal["ua-1"] | None) -> bytes:
    made = datetime.combine(date.fromisoformat(sheet.made), datetime.min.time(), UTC)
    found = _compiler(sheet, system).compile(MAIN, format="pdf", pdf_standards=standard, timestamp=made)
    assert isinstance(found, bytes), "typst was asked for one PDF"
    return found


def _compiler(sheet: Sheet, system: bool, **more: str) -> typst.Compiler:
    return typst.Compiler(MAIN, root=TEMPLATES, font_paths=_fonts(system), ignore_system_fonts=not system,
                          sys_inputs={"data": data(sheet), **more})


def _forget() -> None:
    """Let typst drop what it remembers of a sheet: it does so after some ten runs, and a server makes many sheets."""
    empty = typst.Compiler(font_paths=_fonts(False), ignore_system_fonts=True)
    for _ in range(FORGOTTEN_AFTER):
        empty.compile(b"", format="pdf")


@cache
def _fonts(system: bool) -> typst.Fonts:
    return typst.Fonts(include_system_fonts=system)


def data(sheet: Sheet) -> str:
    """The sheet as the template reads it: JSON, long words made breakable, the picture with its colours."""
    return json.dumps(_breakable(asdict(sheet)))


def _breakable(item: Any) -> Any:
    """The same with a place to break in every long word; drawings are dressed and otherwise left alone."""
    if isinstance(item, dict):
        if item.get("kind") == Picture.kind:
            item = {**item, "svg": dressed(item["svg"])}
        return {key: value if key in ("svg", "link") else _breakable(value) for key, value in item.items()}
    if isinstance(item, list | tuple):
        return [_breakable(one) for one in item]
    return LONG_WORD.sub(_pieces, item) if isinstance(item, str) else item


def _pieces(word: re.Match[str]) -> str:
    return BREAK.join(word[0][start:start + PIECE] for start in range(0, len(word[0]), PIECE))


def dressed(svg: str) -> str:
    """The drawing with its colours in it."""
    start = svg.index(">") + 1
    return f"{svg[:start]}<style>{STYLE}</style>{svg[start:]}"
