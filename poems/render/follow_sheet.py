"""The hand-over sheet for a transplant: what engraftment syndrome is, its days, its definitions side by side."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta

from poems.follow import Definition, Follow, Transplant
from poems.follow.outlook import said
from poems.knowledge import Knowledge
from poems.knowledge.follow_model import EngraftmentDefinition
from poems.knowledge.model import Source
from poems.render.cited import Bibliography, Mark
from poems.render.follow_words import duration
from poems.render.view import Observation, PartView, part_view, person
from poems.render.words import clean
from poems.rules import Verdict

NO_DOSE = "No dose is printed here"
"""How the knowledge's word on a dose of steroids begins."""
SHOW_TO = ("Show this sheet to the transplant team before day 0, and to whoever sees the patient in the weeks after: "
           "day ward, emergency room, family doctor.")
NO_DAY_0 = ("Day 0 (the infusion of the stem cells) is not in the record up to this day, so no calendar days stand "
            "here: count them by hand, or enter it.")
PLACED = {True: "what is entered lies in these days", False: "what is entered lies outside of these days",
          None: "whether what is entered lies in these days is not known"}
COUNTED = 365
"""So many days after a transplant somebody still counts its days."""
LONG = 60
"""Letters of a title that a short citation has room for."""
Cited = tuple[Mark, ...]


@dataclass(frozen=True)
class DefinitionView:
    """One published definition of engraftment syndrome. days: on the calendar, where day 0 is known."""

    label: str
    verdict: Verdict | None
    window: str
    placed: str
    parts: tuple[PartView, ...]
    reading: str
    marks: Cited


@dataclass(frozen=True)
class SignView:
    """One sign that a definition looks at, what is entered of it, and its verdict in each definition that names it."""

    label: str
    observations: tuple[Observation, ...]
    verdicts: tuple[Verdict | None, ...]
    marks: Cited


@dataclass(frozen=True)
class SheetView:
    """The hand-over sheet of one transplant, or of one to come (day_0 empty).

    today: which day it is, counted from day 0, or that it cannot be counted. days: the windows on the calendar.
    """

    patient: str
    person: str
    knowledge: str
    day_0: str
    today: str
    days: tuple[tuple[str, str], ...]
    text: tuple[tuple[str, Cited], ...]
    rates: tuple[tuple[str, str, Cited], ...]
    definitions: tuple[DefinitionView, ...]
    cited: Bibliography

    @property
    def signs(self) -> tuple[SignView, ...]:
        """The signs of all definitions, each once, with its verdict under each definition."""
        found: dict[str, list[PartView | None]] = {}
        for place, item in enumerate(self.definitions):
            for sign in _leaves(item.parts):
                found.setdefault(sign.label, [None] * len(self.definitions))[place] = sign
        return tuple(_sign(label, row) for label, row in found.items())

    @property
    def short(self) -> tuple[tuple[int, str], ...]:
        """The sources that have been printed so far, each in a few words: number, and who, where and when."""
        known = {source.text: source for source in self.cited.knowledge.sources.values()}
        return tuple((entry.number, _short(known[entry.text]) if entry.text in known else entry.text)
                     for entry in self.cited.entries)


def _leaves(parts: Iterable[PartView]) -> Iterator[PartView]:
    for part in parts:
        if part.parts:
            yield from _leaves(part.parts)
        else:
            yield part


def _sign(label: str, row: list[PartView | None]) -> SignView:
    known = [sign for sign in row if sign is not None]
    seen = dict.fromkeys(one for sign in known for one in sign.observations)
    return SignView(label, tuple(seen), tuple(sign.verdict if sign else None for sign in row), known[0].marks)


def _short(source: Source) -> str:
    """A citation that finds the paper and fits a line: `Karam, Neurology 2015 84(19):1981-1987`."""
    who = source.authors.partition(",")[0].rpartition(" ")[0] or source.authors.partition(",")[0]
    if not source.journal:
        title = source.title if len(source.title) <= LONG else source.title[:LONG].rpartition(" ")[0] + " ..."
        return " ".join(filter(None, (f"{who}," if who else "", title, str(source.year or ""))))
    where = " ".join(filter(None, (source.journal, str(source.year or ""), source.cite)))
    return f"{who}, {where}" if who else where


def sheets(follow: Follow, knowledge: Knowledge) -> tuple[SheetView, ...]:
    """One sheet for each transplant; where none is recorded, one with what is published: it is printed beforehand."""
    if not follow.transplants:
        return (_blank(follow, knowledge),)
    return tuple(_sheet(follow, transplant, knowledge) for transplant in follow.transplants)


def _sheet(follow: Follow, transplant: Transplant, knowledge: Knowledge) -> SheetView:
    cited, days = Bibliography(knowledge), (follow.as_of - transplant.day_0).days
    known = {item.id: item for item in knowledge.follow.engraftment.definitions}
    return SheetView(
        clean(follow.patient), _person(follow, knowledge), follow.knowledge, transplant.day_0.isoformat(),
        f"day {days} on {follow.as_of}" if days <= COUNTED else f"{duration(days)} before {follow.as_of}",
        tuple(dict.fromkeys(_days(transplant.day_0, knowledge))),
        tuple((clean(text), cited.marks(source)) for text, source in transplant.text),
        tuple((clean(cohort), clean(share), cited.marks(source)) for cohort, share, source in transplant.rates),
        _once(_definition(item, known.get(item.id), knowledge, cited) for item in transplant.definitions), cited)


def _person(follow: Follow, knowledge: Knowledge) -> str:
    return person(follow.record.events, knowledge, follow.died or follow.as_of)


def _once(definitions: Iterable[DefinitionView]) -> tuple[DefinitionView, ...]:
    """The definitions, a reading that several share told with the first of them."""
    told: set[str] = set()
    found = []
    for item in definitions:
        found.append(replace(item, reading="") if item.reading in told else item)
        told.add(item.reading)
    return tuple(found)


def _definition(item: Definition, known: EngraftmentDefinition | None, knowledge: Knowledge,
                cited: Bibliography) -> DefinitionView:
    parts = tuple(part_view(part, knowledge, cited) for part in item.parts)
    return DefinitionView(clean(item.label), item.verdict, _noted(clean(item.window), known), PLACED[item.in_window],
                          parts, clean(known.reading) if known else "", cited.marks(item.source))


def _days(day_0: date, knowledge: Knowledge) -> Iterator[tuple[str, str]]:
    """The windows that count from day 0, on the calendar; those that count from another day are not known yet."""
    known = knowledge.follow.engraftment
    for item in known.definitions:
        if item.anchor not in known.anchors and item.to_days is not None:
            first, last = day_0 + timedelta(item.from_days), day_0 + timedelta(item.to_days)
            yield f"Day {item.from_days} to {item.to_days}", f"{first:%A} {first} to {last:%A} {last}"


def _blank(follow: Follow, knowledge: Knowledge) -> SheetView:
    cited, known = Bibliography(knowledge), knowledge.follow.engraftment
    return SheetView(
        clean(follow.patient), _person(follow, knowledge), follow.knowledge, "", NO_DAY_0, (),
        tuple((clean(item.text), cited.marks(item.source)) for item in known.sheet),
        tuple((clean(item.cohort or item.what), said(item), cited.marks(item.source)) for item in known.rates),
        _once(DefinitionView(clean(item.label), None, _window(item, knowledge), "", (), clean(item.reading),
                             cited.marks(item.source)) for item in known.definitions), cited)


def _window(item: EngraftmentDefinition, knowledge: Knowledge) -> str:
    anchor = knowledge.follow.engraftment.anchors.get(item.anchor)
    until = f" to {item.to_days}" if item.to_days is not None else " on"
    return _noted(f"day {item.from_days}{until}, counted from {anchor.label if anchor else 'day 0'}", item)


def _noted(window: str, known: EngraftmentDefinition | None) -> str:
    """The days of a definition, and where they are from if not from the definition itself."""
    return f"{window} ({clean(known.days)})" if known is not None and known.days else window
