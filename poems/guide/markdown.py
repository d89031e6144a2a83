"""A page's Markdown as blocks of words: numbers, terms and citations are resolved, what cannot be is an issue."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache

from markdown_it import MarkdownIt
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token

from poems.errors import Issue
from poems.guide.model import Block, Words
from poems.guide.numbers import resolve
from poems.knowledge import Knowledge, Reference
from poems.knowledge.model import DRIVES

SLOT, CITE = re.compile(r"\{\{\s*([^{}]+?)\s*\}\}"), re.compile(r"\[(@[^\[\]]+)\]")
TERM = re.compile(r"term:\s*([a-z0-9-]+)(?:\s+as\s+(.+))?$")
CITED = re.compile(r"@([a-z0-9-]+)(?:\s+at\s+(.+?))?(?:\s+\(([a-z0-9-]+)\))?$")
BY_SEEN = {"faq": "seed", "second-hand": "read-2nd"}
"""What a citation is worth whose page says nothing of it: as far as its source was seen."""
MARKS = {"strong": "strong", "em": "em", "link": "link"}
FENCE, HEADING = "fence", "heading"
LISTS = {"bullet_list_open": "list", "ordered_list_open": "steps"}


def _slot(state: StateInline, silent: bool) -> bool:
    return _matched(state, silent, SLOT, "slot")


def _cite(state: StateInline, silent: bool) -> bool:
    return _matched(state, silent, CITE, "cite")


def _matched(state: StateInline, silent: bool, pattern: re.Pattern[str], kind: str) -> bool:
    match = pattern.match(state.src, state.pos)
    if match is None:
        return False
    if not silent:
        state.push(kind, "", 0).content = match[1]
    state.pos = match.end()
    return True


@cache
def _parser() -> MarkdownIt:
    made = MarkdownIt("commonmark", {"html": False}).enable("table")
    made.disable(["html_block", "html_inline", "image", "code", "fence", "lheading", "autolink", "reference"])
    made.inline.ruler.before("link", "slot", _slot)
    made.inline.ruler.before("link", "cite", _cite)
    return made


@dataclass
class Reader:
    """Reads one page. where: the file, for its issues."""

    knowledge: Knowledge
    where: str
    issues: list[Issue] = field(default_factory=list)

    def blocks(self, text: str, line: int, edition: str = "") -> list[Block]:
        """The blocks of a stretch of Markdown that begins on this line of the file."""
        tokens = _parser().parse(text)
        found: list[Block] = []
        place = 0
        while place < len(tokens):
            end = _closing(tokens, place)
            block = self._block(tokens[place:end + 1], line)
            if block is not None:
                found.append(Block(block.kind, block.words, block.rows, edition))
            place = end + 1
        return found

    def fault(self, line: int, found: str, expected: str, fix: str) -> None:
        """Notes what is wrong on a line."""
        self.issues.append(Issue("fault", f"{self.where}, line {line}", found, expected, fix))

    def _block(self, tokens: Sequence[Token], line: int) -> Block | None:
        kind = tokens[0].type
        at = line + (tokens[0].map[0] if tokens[0].map else 0)
        inlines = [(token, line + (token.map[0] if token.map else 0)) for token in tokens if token.type == "inline"]
        if kind == "paragraph_open":
            return Block("paragraph", self._words(*inlines[0]))
        if kind == "heading_open":
            return Block("heading", self._words(*inlines[0]))
        if kind == "blockquote_open":
            return Block("quote", tuple(word for pair in inlines for word in self._words(*pair)))
        if kind in LISTS:
            return Block(LISTS[kind], rows=tuple((self._words(*pair),) for pair in inlines))
        if kind == "table_open":
            return Block("table", rows=tuple(self._rows(tokens, line)))
        if kind != "hr":
            self.fault(at, f"{kind.removesuffix('_open').replace('_', ' ')} in a page",
                       "paragraphs, lists, tables, quotations and headings", "Write it as one of these.")
        return None

    def _rows(self, tokens: Sequence[Token], line: int) -> Iterator[tuple[tuple[Words, ...], ...]]:
        cells: list[tuple[Words, ...]] = []
        at = line
        for token in tokens:
            at = line + token.map[0] if token.map else at
            if token.type == "inline":
                cells.append(self._words(token, at))
            elif token.type == "tr_close":
                yield tuple(cells)
                cells = []

    def _words(self, inline: Token, line: int) -> tuple[Words, ...]:
        found: list[Words] = []
        marks: list[str] = []
        link = ""
        for token in inline.children or ():
            kind = token.type.rpartition("_")[0] or token.type
            if token.type.endswith("_open"):
                marks.append(MARKS[kind])
                link = str(token.attrs.get("href", "")) if kind == "link" else link
            elif token.type.endswith("_close"):
                marks.pop()
                link = "" if kind == "link" else link
            elif token.type == "slot":
                found += self._resolved(token.content, line, tuple(marks))
            elif token.type == "cite":
                found.append(Words("cite", "", references=tuple(self._cited(token.content, line))))
            elif token.type in ("softbreak", "hardbreak"):
                found.append(Words("text", " ", marks=tuple(marks), link=link))
            elif token.content:
                found.append(Words("text", token.content, marks=tuple(marks), link=link))
        return tuple(found)

    def _resolved(self, address: str, line: int, marks: tuple[str, ...]) -> Iterator[Words]:
        term = TERM.match(address)
        if term:
            concept = self.knowledge.concepts.get(term[1])
            if concept is None:
                self.fault(line, f"{{{{{address}}}}}", "the id of a concept", "See `poems knowledge list concepts`.")
            else:
                patient = term[2] or concept.patient or concept.label
                yield Words("term", term[2] or concept.label, term[1], patient=patient, marks=marks)
            return
        try:
            number = resolve(self.knowledge, address)
        except KeyError as error:
            self.fault(line, f"{{{{{address}}}}}: {error.args[0]}", "an address", "See `poems knowledge list numbers`.")
            return
        yield Words("number", number.text, address, number, number.references, marks=marks)

    def _cited(self, text: str, line: int) -> Iterator[Reference]:
        for part in text.split(";"):
            match = CITED.match(part.strip())
            source = self.knowledge.sources.get(match[1]) if match else None
            if match is None or source is None:
                self.fault(line, f"[{part.strip()}]", "[@source at place], the source a key of sources.yaml",
                           "See `poems knowledge list sources`.")
                continue
            status = match[3] or BY_SEEN.get(source.seen, "read")
            if status not in DRIVES:
                self.fault(line, f"[{part.strip()}]: status {status}", f"one of {', '.join(DRIVES)}",
                           "What nobody has read cannot carry a sentence.")
            yield Reference(source.id, match[2] or "", status)


def _closing(tokens: Sequence[Token], place: int) -> int:
    """The place where the block that begins here ends."""
    depth = 0
    for at in range(place, len(tokens)):
        depth += tokens[at].nesting
        if depth == 0:
            return at
    return len(tokens) - 1
