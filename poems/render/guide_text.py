"""An answer of the guide as text for the terminal, and as JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from poems.guide.index import text
from poems.guide.model import Answer, Edition, Page
from poems.guide.prose import words_of
from poems.knowledge import Knowledge
from poems.render.as_text import QUIET, grid, heading, indented, printed, sources
from poems.render.cited import where
from poems.render.guide_view import (
    NOTICE,
    AnswerView,
    BlockView,
    Found,
    NumberLine,
    PassageView,
    Piece,
    answer_view,
    found_text,
    page_view,
)
from poems.render.words import STATUS, clean

DECLINED = "Not in the guide."
TOUCHED = "Not in the guide in so many words. It may touch on this in:"
INSTEAD = "Ask in other words, or see the questions it answers: poems guide list. Nothing is made up here."
KINDS = {"errata": "correction of the FAQ of 2017", "criteria": "set of criteria", "accuracies": "accuracy of a test",
         "tests": "test", "concepts": "finding"}


def answer_text(answer: Answer, knowledge: Knowledge, *, width: int = 100, colour: bool = False) -> str:
    """The answer for the terminal."""
    shown = answer_view(answer, knowledge, lambda kind, name: name)
    parts: list[RenderableType] = [Rule(style=QUIET, characters="━"), Text(clean(shown.question), style="bold")]
    parts += _read_as(shown)
    if not shown.passages:
        return printed([Group(*parts, Text(""), *map(indented, _declined(shown)))], width, colour)
    for passage in shown.passages:
        parts += _passage(passage)
    if shown.found:
        parts.append(heading("The knowledge behind it"))
        parts += map(_found, shown.found)
    parts += _numbers(shown.numbers)
    parts += [*sources(shown.cited.entries), Text(""), indented(Text(NOTICE, style=QUIET))]
    return printed([Group(*parts)], width, colour)


def _found(item: Found) -> RenderableType:
    """What the knowledge itself says."""
    return indented(Text.assemble(f"{item.title} ", (f"({KINDS[item.kind]} {item.id}): ", QUIET), item.text,
                                  (" " + " ".join(mark.text for mark in item.marks), QUIET)))


def _declined(shown: AnswerView) -> list[Text]:
    """That it is not in the guide, and what comes near; or that only the other edition has it."""
    if shown.near:
        return [Text(TOUCHED, style="yellow"), *_listed(shown.near), Text(INSTEAD)]
    if not shown.elsewhere:
        return [Text(DECLINED, style="yellow"), Text(INSTEAD)]
    other = "clinician" if shown.edition == "patient" else "patient"
    said = f"Not in the {shown.edition} edition. The {other} edition speaks of it (--edition {other}):"
    return [Text(said, style="yellow"), *_listed(shown.elsewhere)]


def _listed(found: Iterable[tuple[str, str]]) -> list[Text]:
    return [Text(f"• {title}  {href}") for title, href in found]


def page_text(page: Page, knowledge: Knowledge, edition: Edition, *, width: int = 100, colour: bool = False) -> str:
    """A page of the guide for the terminal."""
    shown = page_view(page, knowledge, edition, lambda kind, name: name)
    parts: list[RenderableType] = [Rule(style=QUIET, characters="━"), Text(shown.question, style="bold"),
                                   Text(f"revised {shown.revised}, for {edition}s", style=QUIET)]
    for passage in shown.passages:
        parts += [heading(passage.title), *_blocks(passage)]
    for item in shown.corrections:
        parts.append(heading(f"The FAQ of 2017: {item.topic}", item.id))
        if not item.plain:
            parts.append(indented(Text(f"It says: {item.faq}")))
        parts.append(indented(Text.assemble(f"{item.plain or f'Correct is: {item.correct}'} ",
                                            (" ".join(mark.text for mark in item.marks), QUIET))))
    parts += [*_numbers(shown.numbers), *sources(shown.cited.entries), Text(""), indented(Text(NOTICE, style=QUIET))]
    return printed([Group(*parts)], width, colour)


def _read_as(shown: AnswerView) -> list[RenderableType]:
    if not shown.read_as:
        return []
    pairs = ", ".join(f"{clean(typed)} = {meant}" for typed, meant in shown.read_as)
    return [indented(Text(f"Read as: {pairs}", style=QUIET))]


def _passage(passage: PassageView) -> list[RenderableType]:
    return [heading(passage.title, f"{passage.question}  {passage.href}"), *_blocks(passage)]


def _blocks(passage: PassageView) -> list[RenderableType]:
    parts: list[RenderableType] = []
    for place, block in enumerate(passage.blocks):
        if place:
            parts.append(Text(""))
        parts += [indented(line) for line in _block(block)]
    return parts


def _block(block: BlockView) -> list[RenderableType]:
    if block.kind in ("list", "steps"):
        table = grid(2, None)
        for place, row in enumerate(block.rows, 1):
            table.add_row(f"{place}." if block.kind == "steps" else "•", _line(row[0]))
        return [table]
    if block.kind == "table":
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
        for cell in block.rows[0] if block.rows else ():
            table.add_column(_line(cell))
        for row in block.rows[1:]:
            table.add_row(*map(_line, row))
        return [table]
    return [_line(block.pieces, "bold" if block.kind == "heading" else "italic" if block.kind == "quote" else "")]


def _line(pieces: Iterable[Piece], style: str = "") -> Text:
    text = Text(style=style)
    for piece in pieces:
        if piece.kind == "marks":
            text.append(" " + " ".join(mark.text for mark in piece.marks), style=QUIET)
        else:
            bold = "bold" if "strong" in piece.styles or piece.kind == "number" else ""
            text.append(piece.text, style=bold)
    return text


def _numbers(lines: Sequence[NumberLine]) -> list[RenderableType]:
    if not lines:
        return []
    table = grid(18, None)
    for line in lines:
        more = "; ".join(filter(None, (line.counted, line.interval, line.people, line.status)))
        table.add_row(Text(line.text, style="bold"), Text.assemble(
            line.label, (f": {more}" if more else "", QUIET),
            (" " + " ".join(mark.text for mark in line.marks), QUIET)))
    return [heading("The numbers"), indented(table)]


def answer_json(answer: Answer, knowledge: Knowledge) -> str:
    """The answer for programs: passages with their text, numbers and citations; declined where nothing was found.

    elsewhere, near: addresses of what the other edition has, and of what speaks of a part of the question.
    """
    document: dict[str, Any] = {
        "question": answer.question, "edition": answer.edition, "declined": not answer.is_found,
        "read_as": dict(answer.read_as), "knowledge": knowledge.version,
        "elsewhere": [hit.address for hit in answer.elsewhere], "near": [hit.address for hit in answer.near],
        "passages": [_passage_json(hit, answer) for hit in answer.hits if hit.passage],
        "found": [{"kind": hit.kind, "id": hit.address, "title": hit.title,
                   "text": found_text(hit, knowledge, answer.edition), "score": round(hit.score, 3),
                   "sources": [_reference(item, knowledge) for item in hit.references]}
                  for hit in answer.hits if not hit.passage]}
    used = [word for hit in answer.hits if hit.passage for word in words_of(hit.passage.shown(answer.edition))]
    document["sources"] = {reference.id: {"text": source.text, "link": source.link, "seen": source.seen}
                           for word in used for reference in word.references
                           if (source := knowledge.sources.get(reference.id))}
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _passage_json(hit: Any, answer: Answer) -> dict[str, Any]:
    blocks = hit.passage.shown(answer.edition)
    words = list(words_of(blocks))
    return {
        "address": hit.address, "page": hit.page.question, "title": hit.title, "score": round(hit.score, 3),
        "revised": hit.page.revised,
        "text": [text(block, answer.edition) for block in blocks],
        "numbers": [{"address": word.address, "text": word.text, "label": word.number.label, "k": word.number.k,
                     "n": word.number.n, "interval": word.number.interval, "cohort": word.number.cohort,
                     "period": word.number.period, "status": word.number.status,
                     "sources": [reference.id for reference in word.references]} for word in words if word.number],
        "citations": [{"source": reference.id, "at": reference.at, "status": reference.status}
                      for word in words for reference in word.references]}


def _reference(reference: Any, knowledge: Knowledge) -> dict[str, str]:
    return {"id": reference.id, "at": where(reference), "status": STATUS[reference.status]}
