"""One thing that is known, for a page: the same as `poems knowledge show` prints, as rows and paragraphs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from markupsafe import Markup, escape
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from poems.knowledge import Knowledge
from poems.render.show import entries
from poems.render.words import clean

LINK = re.compile(r"https://[^\s<>\"']+")
NAMED = re.compile(r"\(([a-z][a-z0-9-]+)\)$")


@dataclass(frozen=True)
class Block:
    """A paragraph (one cell), or a table of so many columns. Every cell may hold several lines."""

    rows: tuple[tuple[tuple[Markup, ...], ...], ...]
    columns: int


@dataclass(frozen=True)
class Shown:
    """One thing: its name, what kind of thing it is, what is said of it."""

    title: str
    kind: str
    blocks: tuple[Block, ...]


def shown(key: str, knowledge: Knowledge) -> tuple[Shown, ...]:
    """Everything that goes by this id; empty where nothing does."""
    return tuple(Shown(clean(title), kind, tuple(_blocks(lines, knowledge)))
                 for title, kind, lines in entries(key, knowledge))


def _blocks(lines: Iterable[RenderableType], knowledge: Knowledge) -> Iterator[Block]:
    for line in lines:
        if isinstance(line, Group):
            yield from _blocks(line.renderables, knowledge)
        elif isinstance(line, Padding):
            yield from _blocks([line.renderable], knowledge)
        elif isinstance(line, Table):
            columns = [list(column.cells) for column in line.columns]
            found = tuple(tuple(tuple(_lines(cell, knowledge)) for cell in row) for row in zip(*columns, strict=True))
            if found:
                yield Block(found, len(columns))
        elif text := tuple(_lines(line, knowledge)):
            yield Block(((text,),), 1)


def _lines(cell: RenderableType, knowledge: Knowledge) -> Iterator[Markup]:
    text = cell.plain if isinstance(cell, Text) else str(cell)
    for line in text.split("\n"):
        if line.strip():
            yield _linked(line.rstrip(), knowledge)


def _linked(line: str, knowledge: Knowledge) -> Markup:
    """The line with its addresses as links, and the source that it ends with as a link to what we know of it."""
    named = NAMED.search(line)
    known = named[1] if named and named[1] in knowledge.sources else ""
    body = line[:named.start()] if named and known else line
    parts, last = [], 0
    for found in LINK.finditer(body):
        address = found[0].rstrip(".,;)")
        parts += [escape(body[last:found.start()]),
                  Markup('<a href="{0}" rel="noreferrer">{0}</a>').format(address)]
        last = found.start() + len(address)
    tail = Markup('<a href="/knowledge/{0}">({0})</a>').format(known) if known else Markup()
    return Markup("").join([*parts, escape(body[last:]), tail])
