"""A sheet of paper before it is set: pages of blocks, every text plain, every source numbered. PDF and HTML draw it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, TypeVar

from poems.knowledge import Knowledge
from poems.knowledge.model import Reference, Source
from poems.render.cited import Bibliography, Mark
from poems.render.words import clean
from poems.rules import Verdict

Paper = Literal["a4", "us-letter"]
T = TypeVar("T")
FOOTER = "It informs and never orders. A finding that is not recorded is never taken as absent."
LONG = 420
"""A text of the record or of the knowledge longer than this is cut, and shown to be cut."""
SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-Z(])")
NAME = 60
MARKS = 3
SIGNS = {Verdict.MET: "met", Verdict.NOT_MET: "not-met", Verdict.UNKNOWN: "unknown"}


@dataclass(frozen=True)
class Line:
    """Some words: a sign before them, softer words behind them, the numbers of their sources.

    sign: met, not-met, unknown, box (to be ticked by hand), dot or nothing; it repeats what the words say.
    """

    text: str
    soft: str = ""
    sign: str = ""
    strong: bool = False
    cites: tuple[str, ...] = ()


@dataclass(frozen=True)
class Lines:
    """Lines below each other. cites: the sources of all of them.

    style: list; box (at a glance), alert; record (what it is at the left, when at the right); pairs (the softer words
    below); run (one after the other); tiny.
    """

    title: str
    lines: tuple[Line, ...]
    style: str = "list"
    hint: str = ""
    more: str = ""
    columns: int = 1
    cites: tuple[str, ...] = ()
    kind: str = field(default="lines", init=False)


@dataclass(frozen=True)
class Table:
    """Rows of as many cells as there are widths (shares of the whole). cites: the sources of all rows."""

    title: str
    rows: tuple[tuple[Line, ...], ...]
    widths: tuple[float, ...]
    heads: tuple[Line, ...] = ()
    hint: str = ""
    more: str = ""
    cites: tuple[str, ...] = ()
    kind: str = field(default="table", init=False)


@dataclass(frozen=True)
class Bar:
    """A probability with its interval, for the eye and in words."""

    label: str
    share: float
    low: float
    high: float
    text: str
    interval: str
    is_target: bool


@dataclass(frozen=True)
class Bars:
    """Several probabilities on one scale from 0 to 1."""

    title: str
    rows: tuple[Bar, ...]
    hint: str = ""
    more: str = ""
    kind: str = field(default="bars", init=False)


@dataclass(frozen=True)
class Picture:
    """A drawing as SVG, in words for those who do not see it, and what its signs mean."""

    title: str
    svg: str
    alt: str
    legend: tuple[tuple[str, str], ...]
    more: str = ""
    kind: str = field(default="picture", init=False)


@dataclass(frozen=True)
class Beside:
    """Two columns of blocks beside each other. flows: each has a room of its own, and takes what the page leaves."""

    left: tuple[Block, ...]
    right: tuple[Block, ...]
    share: float = 0.5
    flows: bool = False
    kind: str = field(default="beside", init=False)


@dataclass(frozen=True)
class Ruled:
    """Empty lines for a pen, as many as the page has room for, and `least` at the least."""

    title: str
    least: int = 1
    kind: str = field(default="ruled", init=False)


@dataclass(frozen=True)
class Cited:
    """One source in short, with its number and where it can be opened."""

    number: int
    text: str
    link: str


@dataclass(frozen=True)
class Sources:
    """The sources of everything printed, in the order of their numbers."""

    title: str
    entries: tuple[Cited, ...]
    hint: str = ""
    kind: str = field(default="sources", init=False)


Block = Lines | Table | Bars | Picture | Beside | Ruled | Sources


@dataclass(frozen=True)
class Sheet:
    """A whole report: what stands at the top and at the foot of it, and the blocks of each page.

    size: of the letters in points. who: the record as its owner called it.
    """

    heading: str
    eyebrow: str
    who: str
    about: tuple[str, ...]
    pages: tuple[tuple[Block, ...], ...]
    knowledge: str
    as_of: str
    made: str
    size: float
    paper: Paper = "a4"
    footer: str = FOOTER


class Press:
    """Numbers the sources of one sheet, in the order in which its lines are made."""

    def __init__(self, knowledge: Knowledge) -> None:
        self.knowledge, self.cited = knowledge, Bibliography(knowledge)

    def cites(self, marks: Iterable[Mark], most: int = MARKS) -> tuple[str, ...]:
        """The numbers of the marks in this sheet's own list; a star where something was not read in the source."""
        return self.of(*(reference for mark in list(marks)[:most] for reference in mark.references))

    def of(self, *references: Reference) -> tuple[str, ...]:
        """The numbers of these sources in this sheet's own list; a star as above."""
        return tuple(mark.text.strip("[]") for mark in self.cited.marks(*references))

    def sources(self, title: str = "Sources") -> tuple[Sources, ...]:
        """The list of what was cited so far; nothing where that is nothing."""
        by_text = {source.text: source for source in self.knowledge.sources.values()}
        entries = tuple(Cited(entry.number, short(by_text.get(entry.text), entry.text), entry.link)
                        for entry in self.cited.entries)
        return (Sources(title, entries, "" if title else "Sources"),) if entries else ()


def shared(lines: Sequence[Line]) -> tuple[tuple[str, ...], tuple[Line, ...]]:
    """The sources that most of the lines rest on, to be said once; and the lines with those that rest on others."""
    if not lines:
        return (), ()
    most = max((line.cites for line in lines), key=[line.cites for line in lines].count)
    return most, tuple(replace(line, cites=()) if line.cites == most else line for line in lines)


def short(source: Source | None, text: str) -> str:
    """A citation that still finds the paper: first author, year, journal and place; else its title."""
    if source is None:
        return cut(text, 90)
    who = " ".join(filter(None, (source.authors.partition(",")[0], str(source.year or ""))))
    place = " ".join(filter(None, (source.journal, source.cite)))
    title = "" if source.authors and place else cut(source.title, 58)
    return ". ".join(filter(None, (who, title, cut(place, 48))))


def cut(text: str, most: int = LONG) -> str:
    """The text without control characters, and not longer than `most` letters; an ellipsis shows a cut."""
    said = clean(text).strip()
    if len(said) <= most:
        return said
    kept = said[:most - 1]
    word = kept.rpartition(" ")[0]
    return (word if word and len(word) > most - 20 else kept).rstrip(" ,;.:(") + "…"


def sentences(text: str, most: int) -> str:
    """As many whole sentences as have room, the first whatever its length; an ellipsis shows that there are more."""
    said = clean(text).strip()
    kept, *rest = SENTENCE.split(said)
    while rest and len(kept) + 1 + len(rest[0]) <= most:
        kept += f" {rest.pop(0)}"
    return cut(f"{kept} …" if rest else kept)


def items(several: Sequence[str], most: int, mark: str = "; ", last: str = "more") -> str:
    """As many whole items as have room, the first whatever its length, and how many more there are (`last`: where)."""
    kept = list(several[:1])
    for item in several[1:]:
        if len(mark.join((*kept, item))) > most:
            return f"{mark.join(kept)}{mark}{len(several) - len(kept)} {last}"
        kept.append(item)
    return cut(mark.join(kept))


def first(items: Sequence[T], most: int) -> tuple[tuple[T, ...], int]:
    """The first items, and how many are left."""
    kept = tuple(items[:max(most, 0)])
    return kept, len(items) - len(kept)


def left_over(count: int, what: str = "more", where: str = "in the record") -> str:
    """That so many were left out for want of room, and where they stand; nothing where none was."""
    return f"and {count} {what} {where}" if count else ""


def joined(items: Sequence[str], most: int, last: str = "more") -> str:
    """The items in a row; where they are many, the first of them and how many more there are."""
    kept, rest = first(items, most)
    return " · ".join((*kept, f"{rest} {last}") if rest else kept)


def capital(text: str) -> str:
    """The text with a large first letter."""
    return text[:1].upper() + text[1:]
