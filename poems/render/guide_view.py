"""The guide prepared for a reader: sentences with their numbers and citations, and a line behind every number."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from poems.guide.forms import SPREAD, digits, said, span
from poems.guide.model import Answer, Block, Edition, Hit, Number, Page, Passage, Words
from poems.guide.numbers import resolve
from poems.guide.numbers_follow import slug
from poems.guide.prose import words_of
from poems.knowledge import Knowledge, Reference
from poems.render.cited import Bibliography, Mark
from poems.render.words import STATUS, inside

Href = Callable[[str, str], str]
"""Where something is: kind (page, term, knowledge; elsewhere: a page of the other edition) and id (of a page
`slug#anchor`) to an address; empty where there is none."""
STOP = re.compile(r"[.!?](?=\s|$)")
NOTICE = ("This guide tells what is published. It does not know you, makes no diagnosis and gives no advice for one "
          "person; take it to your doctors.")


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a sentence. kind: text, number, term, link, marks. styles: strong, em."""

    kind: str
    text: str = ""
    href: str = ""
    marks: tuple[Mark, ...] = ()
    styles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BlockView:
    """A paragraph, list, table, quotation or small heading, its words as pieces."""

    kind: str
    pieces: tuple[Piece, ...] = ()
    rows: tuple[tuple[tuple[Piece, ...], ...], ...] = ()


@dataclass(frozen=True, slots=True)
class PassageView:
    """A section. question: that of its page. href: where it stands in the guide."""

    anchor: str
    title: str
    question: str
    href: str
    blocks: tuple[BlockView, ...]


@dataclass(frozen=True, slots=True)
class NumberLine:
    """What stands behind a number: what it is, how many were counted, how sure it is, where it stands."""

    id: str
    text: str
    label: str
    counted: str
    interval: str
    people: str
    status: str
    marks: tuple[Mark, ...]


@dataclass(frozen=True, slots=True)
class Correction:
    """What the FAQ of 2017 says, and what is right. plain: all of it in plain words; empty in the clinician edition.

    faq, problem, correct: the same for a clinician; empty in the patient edition.
    """

    id: str
    topic: str
    faq: str
    problem: str
    correct: str
    plain: str
    marks: tuple[Mark, ...]
    is_draft: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """Something the knowledge itself says to a question."""

    kind: str
    id: str
    title: str
    text: str
    href: str
    marks: tuple[Mark, ...]


@dataclass
class Writer:
    """Prepares passages for one document: one list of sources, one line per number."""

    knowledge: Knowledge
    edition: Edition
    href: Href
    cited: Bibliography = field(init=False)
    _numbers: dict[str, Number] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.cited = Bibliography(self.knowledge)

    def passage(self, passage: Passage, question: str) -> PassageView:
        """A section in this edition."""
        blocks = tuple(self._block(block) for block in passage.shown(self.edition))
        return PassageView(passage.anchor, passage.title, question, self.href("page", passage.address), blocks)

    @property
    def numbers(self) -> tuple[NumberLine, ...]:
        """A line for each number that was printed so far, in order."""
        return tuple(self._line(name, number) for name, number in self._numbers.items())

    def corrections(self, entries: Iterable[Mapping[str, Any]]) -> tuple[Correction, ...]:
        """Corrections of the FAQ in this edition. A patient is shown those that have a text in plain words."""
        return tuple(map(self._correction, entries if self.edition != "patient" else
                         [entry for entry in entries if entry.get("patient")]))

    def _correction(self, entry: Mapping[str, Any]) -> Correction:
        references = [Reference(**source) for source in entry.get("sources") or [entry["source"]]]
        marks = self.cited.marks(*references)
        key, topic, is_draft = entry["id"], entry["topic"], bool(entry.get("draft"))
        if self.edition == "patient":
            return Correction(key, topic, "", "", "", entry["patient"], marks, is_draft)
        return Correction(key, topic, entry["faq"], entry["problem"], entry["correct"], "", marks, is_draft)

    def _block(self, block: Block) -> BlockView:
        rows = tuple(tuple(self._pieces(cell) for cell in row) for row in block.rows)
        return BlockView(block.kind, self._pieces(block.words), rows)

    def _pieces(self, words: Sequence[Words]) -> tuple[Piece, ...]:
        """The words; marks of numbers from one source stand at the end of the sentence, or after the last of them."""
        made: list[Piece] = []
        held: tuple[Reference, ...] = ()
        last, before = 0, ""
        for at, word in enumerate(words):
            if word.kind == "cite":
                made.append(Piece("marks", marks=self.cited.marks(*held, *word.references)))
                held = ()
            elif word.kind == "number" and word.number is not None:
                if held and word.references != held:
                    made.insert(last, Piece("marks", marks=self.cited.marks(*held)))
                made.append(Piece("number", word.text, f"#{self._number(word)}", styles=word.marks))
                held, last = word.references, len(made)
            elif word.kind == "term":
                made.append(Piece("term", self._term(word, before), self.href("term", word.address), styles=word.marks))
            else:
                is_cited = at + 1 < len(words) and words[at + 1].kind == "cite"
                text = word.text.rstrip() if is_cited else word.text
                end = STOP.search(text) if held else None
                if end and not (is_cited and end.end() == len(text)):
                    made += [self._text(word, text[:end.end()]), Piece("marks", marks=self.cited.marks(*held))]
                    held, text = (), text[end.end():]
                made.append(self._text(word, text))
            before = word.text if word.kind != "cite" else before
        if held:
            made.insert(last, Piece("marks", marks=self.cited.marks(*held)))
        return tuple(piece for piece in made if piece.text or piece.marks)

    def _text(self, word: Words, text: str) -> Piece:
        styles = tuple(mark for mark in word.marks if mark != "link")
        if not word.link:
            return Piece("text", text, styles=styles)
        is_outside = word.link.startswith("https://")
        return Piece("link", text, word.link if is_outside else self.href("page", word.link), styles=styles)

    def _number(self, word: Words) -> str:
        """The anchor of the line behind a number."""
        base = word.address.partition("/")[0]
        name = f"n-{slug(base)}"
        if name not in self._numbers:
            self._numbers[name] = resolve(self.knowledge, base)
        return name

    def _term(self, word: Words, before: str) -> str:
        """The name of a term, small inside a sentence where it is the term's own name."""
        concept = self.knowledge.concepts[word.address]
        text = word.patient if self.edition == "patient" else word.text
        is_own = text in (concept.label, concept.patient)
        begins = not before.strip() or before.rstrip()[-1] in ".?!:"
        return text if begins or not is_own else inside(text, self.knowledge)

    def _line(self, name: str, number: Number) -> NumberLine:
        counted = f"{digits(number.n)} people" if number.n else ""
        if number.k is not None and number.n:
            counted = said(number, "count")
        interval = f"{span(number.low, number.high, number.unit)} ({SPREAD.get(number.spread, 'as printed')})" \
            if number.low is not None and number.high is not None else ""
        people = ", ".join(filter(None, (number.cohort, number.period if number.period not in number.cohort else "")))
        name_of = f"{number.label} ({number.stat})" if number.stat else number.label
        label = "; ".join(filter(None, (name_of, number.note.rstrip("."))))
        weak = STATUS[number.status] if number.status not in ("", "read") else ""
        marks = self.cited.marks(*number.references)
        return NumberLine(name, number.text, label, counted, interval, people, weak, marks)


@dataclass(frozen=True)
class PageView:
    """A page of the guide for a reader. corrections: where a reader of the FAQ would be misled."""

    slug: str
    question: str
    edition: Edition
    revised: str
    passages: tuple[PassageView, ...]
    corrections: tuple[Correction, ...]
    numbers: tuple[NumberLine, ...]
    cited: Bibliography


@dataclass(frozen=True)
class AnswerView:
    """An answer for a reader. passages: best first, empty where it is not in the guide; found: what the knowledge says.

    elsewhere: title and address of what only the other edition has. near: of what speaks of a part of the question.
    """

    question: str
    edition: Edition
    read_as: tuple[tuple[str, str], ...]
    passages: tuple[PassageView, ...]
    found: tuple[Found, ...]
    elsewhere: tuple[tuple[str, str], ...]
    near: tuple[tuple[str, str], ...]
    numbers: tuple[NumberLine, ...]
    cited: Bibliography


def page_view(page: Page, knowledge: Knowledge, edition: Edition, href: Href) -> PageView:
    """A page in an edition."""
    writer = Writer(knowledge, edition, href)
    passages = tuple(writer.passage(passage, page.question) for passage in page.shown(edition))
    corrections = writer.corrections(entry for entry in knowledge.errata if entry["id"] in page.faq)
    return PageView(page.slug, page.question, edition, day(page.revised), passages, corrections, writer.numbers,
                    writer.cited)


def answer_view(answer: Answer, knowledge: Knowledge, href: Href) -> AnswerView:
    """An answer, with one list of sources for all of it."""
    writer = Writer(knowledge, answer.edition, href)
    passages = tuple(writer.passage(hit.passage, hit.page.question) for hit in answer.hits if hit.passage and hit.page)
    found = tuple(_found(hit, writer) for hit in answer.hits if hit.passage is None)
    elsewhere, near = (tuple((f"{hit.page.question} {hit.title}", href(kind, hit.address)) for hit in hits if hit.page)
                       for kind, hits in (("elsewhere", answer.elsewhere), ("page", answer.near)))
    return AnswerView(answer.question, answer.edition, tuple(answer.read_as.items()), passages, found, elsewhere, near,
                      writer.numbers, writer.cited)


def corrections(knowledge: Knowledge, edition: Edition, href: Href) -> tuple[tuple[Correction, ...], Bibliography]:
    """Every correction of the FAQ, and the sources."""
    writer = Writer(knowledge, edition, href)
    return writer.corrections(knowledge.errata), writer.cited


def found_text(hit: Hit, knowledge: Knowledge, edition: Edition) -> str:
    """What the knowledge says, in the words of the edition: a correction has a text for patients."""
    if edition != "patient" or hit.kind != "errata":
        return hit.text
    return next((str(entry["patient"]) for entry in knowledge.errata
                 if entry["id"] == hit.address and entry.get("patient")), hit.text)


def terms(pages: Iterable[Page], knowledge: Knowledge, edition: Edition) -> list[str]:
    """The concepts that the pages speak of in an edition, by label."""
    used = {word.address for page in pages for passage in page.passages
            for word in words_of(passage.shown(edition)) if word.kind == "term"}
    return sorted(used, key=lambda key: knowledge.concepts[key].label.casefold())


def day(text: str) -> str:
    """`2026-11-22` as people write it: 22 November 2026."""
    when = date.fromisoformat(text)
    return f"{when.day} {when:%B %Y}"


def _found(hit: Hit, writer: Writer) -> Found:
    name = hit.address
    marks = writer.cited.marks(*hit.references)
    text = found_text(hit, writer.knowledge, writer.edition)
    return Found(hit.kind, name, hit.title, text, writer.href("knowledge", name), marks)
