"""The full-text index of the guide: SQLite FTS5 in memory, one per edition, made when it is first asked."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from math import log
from pathlib import Path
from threading import Lock

from poems.guide.model import Block, Edition, Page, Passage, Words
from poems.guide.prose import words_of
from poems.guide.wording import level, words
from poems.knowledge import Knowledge, Reference
from poems.knowledge.files import read_yaml

WEIGHTS = (3.0, 1.0, 0.5, 1.5)
"""What a word counts in a heading, in the text, in what stands behind it, in what people ask for it."""
ASKED = Path(__file__).parent / "asked.yaml"
FIRST, LATER, OWN, ASKS = 1.5, 0.6, 0.8, 0.6
"""What a match of the page's question counts for its first passage, the short answer, and for the others; what
everything counts on a page that speaks of the guide itself, and in a passage that only lists questions."""
ALIKE = 0.5
"""From so many common words on, of all the words of both, a question is like the one that a page answers."""
NEAR = 6
"""Within so many words two words stand near each other."""
KEPT = 4000
"""So many results are kept, so that no asking fills the memory."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that can be found. kind: passage, or the kind of knowledge.

    columns: heading, text, what stands behind, in what words people ask for it. asks: the
    question it answers, and each other wording of it; what a match of one counts is `answers`.
    """

    kind: str
    address: str
    title: str
    columns: tuple[str, ...]
    asks: tuple[str, ...] = ()
    answers: float = 0.0
    page: Page | None = None
    passage: Passage | None = None
    text: str = ""
    references: tuple[Reference, ...] = ()
    only_asks: bool = False

    @property
    def counts(self) -> float:
        """What everything in it counts."""
        return (OWN if self.page is not None and self.page.own else 1.0) * (ASKS if self.only_asks else 1.0)


@dataclass
class Index:
    """Entries that can be asked for by words. Several threads may ask at once.

    vocabulary: every word of them, levelled. titles: those of their headings, and of the words people ask with.
    """

    entries: Sequence[Entry]
    vocabulary: dict[str, None] = field(default_factory=dict)
    titles: frozenset[str] = frozenset()
    _lock: Lock = field(default_factory=Lock)
    _scores: dict[str, Mapping[int, float]] = field(default_factory=dict)
    _near: dict[str, frozenset[int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._db = sqlite3.connect(":memory:", check_same_thread=False)
        for table, columns in (("entry", "heading, body, behind, wording"), ("question", "asks")):
            self._db.execute(f"CREATE VIRTUAL TABLE {table} USING fts5({columns}, tokenize='porter unicode61')")
        rows = [(at, *map(level, entry.columns)) for at, entry in enumerate(self.entries)]
        self._db.executemany("INSERT INTO entry(rowid, heading, body, behind, wording) VALUES (?, ?, ?, ?, ?)", rows)
        pages = list(dict.fromkeys(entry.asks for entry in self.entries if entry.asks))
        asked = [(row, one) for row, asks in enumerate(pages) for one in asks]
        self._db.executemany("INSERT INTO question(rowid, asks) VALUES (?, ?)",
                             ((at, level(one)) for at, (_, one) in enumerate(asked)))
        answering = [[(at, entry.answers) for at, entry in enumerate(self.entries) if entry.asks == asks]
                     for asks in pages]
        self._asked = [(row, answering[row]) for row, _ in asked]
        self._pages = len(pages)
        self._wordings = {at: [frozenset(words(one)) for one in entry.asks]
                          for at, entry in enumerate(self.entries) if entry.answers == FIRST}
        texts = (str(text) for row in rows for text in row[1:])
        self.titles = frozenset(word for entry in self.entries for text in (entry.title, entry.columns[-1], *entry.asks)
                                for word in words(text))
        every = {word for text in (*texts, *(one for _, one in asked)) for word in words(text)}
        self.vocabulary = dict.fromkeys(sorted(every))

    def scores(self, phrase: str) -> Mapping[int, float]:
        """How well each entry fits a word or phrase, higher is better; entries without it are left out."""
        with self._lock:
            found = self._scores.get(phrase)
            if found is None:
                match = '"' + " ".join(words(phrase)) + '"'
                found = self._fits(match) if match != '""' else {}
                if len(self._scores) < KEPT:
                    self._scores[phrase] = found
            return found

    def _fits(self, match: str) -> dict[int, float]:
        weights = ", ".join(map(str, WEIGHTS))
        found: dict[int, float] = dict(self._db.execute(
            f"SELECT rowid, -bm25(entry, {weights}) FROM entry WHERE entry MATCH ?", (match,)))  # noqa: S608
        best: dict[int, float] = {}
        asked = self._db.execute(
            "SELECT rowid, -bm25(question) FROM question WHERE question MATCH ?", (match,)).fetchall()
        for row, fits in asked:
            for at, answers in self._asked[row][1]:
                best[at] = max(best.get(at, 0.0), answers * fits)
        tells = 1 - log(len({self._asked[row][0] for row, _ in asked}) + 1) / log(self._pages + 2)
        for at, fits in best.items():  # a word of nearly every question, the name of the illness, tells nothing
            found[at] = found.get(at, 0.0) + tells * fits
        return {at: fits * self.entries[at].counts for at, fits in found.items()}

    def alike(self, question: Iterable[str]) -> Mapping[int, float]:
        """How far a question is a page's own, word for word: 0 to 1, for the page's first passage."""
        said = frozenset(question)
        return {at: best for at, wordings in self._wordings.items()
                if (best := max(len(said & wording) / len(said | wording) for wording in wordings)) >= ALIKE}

    def near(self, one: str, other: str) -> frozenset[int]:
        """The entries in which two words stand near each other."""
        with self._lock:
            key = f"{one}\0{other}"
            found = self._near.get(key)
            if found is None:
                match = f'NEAR("{one}" "{other}", {NEAR})'
                rows = self._db.execute("SELECT rowid FROM entry WHERE entry MATCH ?", (match,))
                found = frozenset(row[0] for row in rows)
                if len(self._near) < KEPT:
                    self._near[key] = found
            return found

    def weight(self, phrase: str) -> float:
        """How much a word tells: nothing where every entry has it, most where hardly one does."""
        return log((len(self.entries) + 1) / (len(self.scores(phrase)) + 1))

    @property
    def most(self) -> float:
        """The weight of a word that no entry has."""
        return log(len(self.entries) + 1)


def passages(pages: Iterable[Page], knowledge: Knowledge, edition: Edition) -> Index:
    """The passages of an edition."""
    return Index([_passage(page, passage, knowledge, edition, place == 0)
                  for page in pages for place, passage in enumerate(page.shown(edition))])


def _passage(page: Page, passage: Passage, knowledge: Knowledge, edition: Edition, is_first: bool) -> Entry:
    """A passage as it is searched: the first of a page, its short answer, is what answers the page's own question."""
    blocks = passage.shown(edition)
    body = " ".join(text(block, edition) for block in blocks)
    columns = (passage.title, body, " . ".join(_behind(words_of(blocks), knowledge)),
               " . ".join(wordings().get(passage.address, ())))
    asks = (page.question, page.short, *page.ask)
    return Entry("passage", passage.address, passage.title, columns, asks, FIRST if is_first else LATER, page, passage,
                 only_asks=_only_asks(body))


def _only_asks(body: str) -> bool:
    """Whether a text is a list of questions: they stand for an answer somewhere else."""
    said = [one for one in re.split(r"[.?!]\s", body) if one.strip()]
    return body.count("?") > len(said) / 2


@cache
def wordings() -> Mapping[str, Sequence[str]]:
    """In what words people ask for a section, by its address."""
    found: Mapping[str, Sequence[str]] = read_yaml(ASKED)
    return found


def text(block: Block, edition: Edition) -> str:
    """The words of a block as plain text."""
    cells = [block.words] if block.words else [cell for row in block.rows for cell in row]
    return " . ".join("".join(_said(word, edition) for word in cell).strip() for cell in cells)


def _said(word: Words, edition: Edition) -> str:
    return word.patient if word.kind == "term" and edition == "patient" else word.text


def _behind(shown: Iterable[Words], knowledge: Knowledge) -> Iterator[str]:
    """What a passage speaks of without saying it: the other names of its terms, what its numbers count."""
    for word in shown:
        if word.kind == "term":
            concept = knowledge.concepts[word.address]
            yield from (concept.label, concept.patient, *concept.synonyms)
        elif word.number is not None:
            yield word.number.label


def claims(knowledge: Knowledge, edition: Edition) -> Index:
    """What the knowledge itself holds: the corrections; for a clinician criteria, accuracies, tests and findings."""
    return Index([*_errata(knowledge), *(_clinical(knowledge) if edition == "clinician" else ())])


def _errata(knowledge: Knowledge) -> Iterator[Entry]:
    for item in knowledge.errata:
        if not item.get("draft"):
            references = tuple(Reference(**raw) for raw in item.get("sources") or [item["source"]])
            said = " ".join(item[name] for name in ("faq", "correct", "patient"))
            yield Entry("errata", item["id"], item["topic"], (item["topic"], said, item["problem"], ""),
                        text=item["correct"], references=references)


def _clinical(knowledge: Knowledge) -> Iterator[Entry]:
    for one in knowledge.criteria.values():
        yield Entry("criteria", one.id, one.label, (one.label, one.summary, "", ""), text=one.summary,
                    references=(one.source,))
    for test in knowledge.accuracies.values():
        yield Entry("accuracies", test.id, test.label, (test.label, f"{test.versus} {test.note}", "", ""),
                    text=" ".join(filter(None, (f"Against {test.versus}.", test.note))),
                    references=(test.sensitivity.source, test.specificity.source))
    for step in knowledge.tests.values():
        if step.source:
            yield Entry("tests", step.id, step.label, (f"{step.label} {step.patient}", step.why,
                        " ".join(step.finds), ""), text=step.why, references=(step.source,))
    for concept in knowledge.concepts.values():
        if concept.note and concept.source:
            yield Entry("concepts", concept.id, concept.label, (concept.label, concept.note,
                        " . ".join((concept.patient, *concept.synonyms)), ""), text=concept.note,
                        references=(concept.source,))
