"""The shapes of the guide: a number with its source, a citation, a passage, a page, an answer. No file is read here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from poems.knowledge import Reference

Edition = Literal["clinician", "patient"]
EDITIONS: tuple[Edition, ...] = ("patient", "clinician")
STRENGTH = ("read", "derived", "read-2nd", "seed", "assumed")
"""How surely a claim is known, from the surest."""


@dataclass(frozen=True, slots=True)
class Number:
    """A number of the knowledge, as prose says it.

    text: what stands in the sentence. value: in `unit`; a share in percent, with unit `%`. low, high: what `spread`
    says, in the same unit. k of n: people counted. references: at least one, unless it counts the knowledge itself.
    """

    address: str
    label: str
    text: str
    references: tuple[Reference, ...] = ()
    value: float | None = None
    unit: str = ""
    k: float | None = None
    n: float | None = None
    low: float | None = None
    high: float | None = None
    spread: str = ""
    stat: str = ""
    about: str = ""
    cohort: str = ""
    period: str = ""
    note: str = ""

    @property
    def interval(self) -> tuple[float, float] | None:
        """Both ends of its spread, where it has one."""
        return None if self.low is None or self.high is None else (self.low, self.high)

    @property
    def status(self) -> str:
        """How surely it is known: as its weakest reference."""
        return max((reference.status for reference in self.references), key=STRENGTH.index, default="")


@dataclass(frozen=True, slots=True)
class Words:
    """A stretch of running text. kind: `text`, `number`, `term`, `cite`.

    A number or a term carries its address, a citation its references; marks are the styles it stands in (strong, em,
    link), link its target. patient: how a term is said to a patient.
    """

    kind: str
    text: str
    address: str = ""
    number: Number | None = None
    references: tuple[Reference, ...] = ()
    marks: tuple[str, ...] = ()
    link: str = ""
    patient: str = ""


@dataclass(frozen=True, slots=True)
class Block:
    """kind: paragraph, list, steps, table, quote, heading. edition: the one it is for, empty for both.

    rows: of a list its items, of a table its rows (the first is the head) with cells; each a sequence of words.
    """

    kind: str
    words: tuple[Words, ...] = ()
    rows: tuple[tuple[tuple[Words, ...], ...], ...] = ()
    edition: str = ""


@dataclass(frozen=True, slots=True)
class Passage:
    """A section of a page: what an answer is made of. anchor: its place in the page, unique there."""

    page: str
    anchor: str
    title: str
    blocks: tuple[Block, ...]

    @property
    def address(self) -> str:
        """`page#anchor`."""
        return f"{self.page}#{self.anchor}"

    def shown(self, edition: Edition) -> tuple[Block, ...]:
        """Its blocks in an edition; none where the whole section is for the other."""
        return tuple(block for block in self.blocks if block.edition in ("", edition))


@dataclass(frozen=True, slots=True)
class Page:
    """One question of the guide. revised: day of its last revision. own: it speaks of the guide, not of the illness."""

    slug: str
    question: str
    short: str
    revised: str
    order: int
    passages: tuple[Passage, ...]
    faq: tuple[str, ...] = ()
    ask: tuple[str, ...] = ()
    own: bool = False

    def shown(self, edition: Edition) -> tuple[Passage, ...]:
        """Its passages in an edition."""
        return tuple(passage for passage in self.passages if passage.shown(edition))


@dataclass(frozen=True, slots=True)
class Hit:
    """Something that answers: a passage of a page, or a claim of the knowledge.

    kind: passage, or the kind of knowledge. address: `page#anchor`, or `kind/id`. score: higher is better.
    """

    kind: str
    address: str
    title: str
    score: float
    passage: Passage | None = None
    page: Page | None = None
    text: str = ""
    references: tuple[Reference, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """What the guide says to a question. hits: best first; empty where it is not in the guide.

    read_as: the words as they were understood, where that differs from how they were typed. elsewhere: what only the
    other edition has. near: what speaks of a part of the question, where nothing answers it.
    """

    question: str
    edition: Edition
    hits: tuple[Hit, ...] = ()
    read_as: Mapping[str, str] = field(default_factory=dict)
    elsewhere: tuple[Hit, ...] = ()
    near: tuple[Hit, ...] = ()

    @property
    def is_found(self) -> bool:
        """Whether the guide has something to say."""
        return bool(self.hits)
