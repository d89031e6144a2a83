"""The pages of the guide: Markdown in, passages out; every fault of a page is found and named."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import yaml

from poems.errors import Issue, KnowledgeError
from poems.guide.markdown import Reader
from poems.guide.model import EDITIONS, Block, Page, Passage
from poems.guide.numbers_follow import slug
from poems.guide.prose import bare, doses, words_of
from poems.knowledge import Knowledge

PAGES = Path(__file__).parent / "pages"
GLOSSARY = "glossary"
"""The page that the terms of all pages lead to."""
TAKEN = ("index", "corrections", "sources")
"""Names that the site needs for what it makes itself."""
KEPT = "_guide_pages"
HEAD = re.compile(r"\A---\n(.*?\n)---\n", re.DOTALL)
SECTION = re.compile(r"##(?!#)\s*(.+?)\s*(?:\{#([a-z0-9-]+)\})?\s*$")
OPEN, CLOSE = re.compile(r":::\s*(\S+)\s*$"), re.compile(r":::\s*$")
FIELDS: dict[str, type | tuple[type, ...]] = {
    "question": str, "short": str, "order": int, "revised": date, "ask": list, "faq": list, "own": bool}
REQUIRED = ("question", "short", "order", "revised")
OUTSIDE = re.compile(r"https://\S+$")


def pages(knowledge: Knowledge) -> Mapping[str, Page]:
    """The pages by slug, in their order; kept with the knowledge.

    Raises: KnowledgeError where a number or a source is not there. What they may not hold is looked for by
    `poems knowledge check` and in the tests, and trusted here.
    """
    kept: Mapping[str, Page] | None = knowledge.__dict__.get(KEPT)
    if kept is None:
        kept, issues = read(knowledge, is_trusted=True)
        if issues:
            raise KnowledgeError(f"the pages of the guide have {len(issues)} faults", tuple(issues))
        knowledge.__dict__[KEPT] = kept
    return kept


def read(knowledge: Knowledge, directory: Path = PAGES, *,
         is_trusted: bool = False) -> tuple[Mapping[str, Page], list[Issue]]:
    """The pages of a directory that could be read, in their order, and everything that is wrong with any of them.

    is_trusted: do not look for what prose may not hold, nor for what every page has to have.
    """
    issues: list[Issue] = []
    found = [page for path in sorted(directory.glob("*.md")) if (page := _page(path, knowledge, issues)) is not None]
    made = {page.slug: page for page in sorted(found, key=lambda page: (page.order, page.slug))}
    for page in made.values() if not is_trusted else ():
        issues += [*_prose(page), *_links(page, made), *_editions(page)]
    return made, issues


def _page(path: Path, knowledge: Knowledge, issues: list[Issue]) -> Page | None:
    """One page, or nothing where its head cannot be read."""
    reader = Reader(knowledge, f"guide/pages/{path.name}", issues)
    text = path.read_text(encoding="utf-8")
    head = HEAD.match(text)
    if head is None:
        reader.fault(1, "no front matter", "--- and the fields of a page on the first lines", "Begin the page with it.")
        return None
    fields = _fields(head[1], reader, knowledge)
    if fields is None:
        return None
    passages = tuple(_passages(path.stem, text[head.end():], head[0].count("\n") + 1, reader))
    faq, ask = (tuple(map(str, fields.get(name, ()))) for name in ("faq", "ask"))
    return Page(path.stem, fields["question"], fields["short"], fields["revised"].isoformat(), fields["order"],
                passages, faq, ask, fields.get("own", False))


def _fields(text: str, reader: Reader, knowledge: Knowledge) -> dict[str, Any] | None:
    try:
        fields = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        reader.fault(mark.line + 2 if mark else 1, "front matter that is no YAML", "key: value", "Correct the line.")
        return None
    faults = len(reader.issues)
    if not isinstance(fields, dict):
        reader.fault(1, "front matter without fields", ", ".join(REQUIRED), "Add them.")
        return None
    for name in [name for name in REQUIRED if name not in fields]:
        reader.fault(1, f"no {name!r}", f"{name}: ...", "Add it.")
    for name, value in fields.items():
        kind = FIELDS.get(name)
        if kind is None or not isinstance(value, kind):
            reader.fault(1, f"{name}: {value!r}", f"one of {', '.join(FIELDS)}" if kind is None else str(kind),
                         "Correct the front matter.")
    known = {entry["id"] for entry in knowledge.errata}
    for name in fields.get("faq") or ():
        if name not in known:
            reader.fault(1, f"faq: {name}", "the id of a correction", "See `poems knowledge errata`.")
    return fields if len(reader.issues) == faults else None


def _passages(page: str, body: str, line: int, reader: Reader) -> Iterator[Passage]:
    """The sections of a page."""
    title, anchor, start = "", "", line
    lines: list[str] = []
    seen: set[str] = set()
    for at, text in enumerate([*body.split("\n"), "## "], line):
        match = SECTION.match(text)
        if match is None and text.rstrip() != "##":
            lines.append(text)
            continue
        if title:
            if anchor in seen:
                reader.fault(start, f"two sections #{anchor}", "each anchor once", "Give one of them {#another}.")
            seen.add(anchor)
            yield Passage(page, anchor, title, tuple(_blocks(lines, start + 1, reader)))
        elif any(map(str.strip, lines)):
            reader.fault(start, "text before the first section", "## heading", "Put a heading before it.")
        if match is not None:
            title, anchor, start, lines = match[1], match[2] or slug(match[1]), at, []


def _blocks(lines: list[str], line: int, reader: Reader) -> Iterator[Block]:
    """The blocks of a section, fenced ones marked with their edition."""
    edition, start = "", line
    kept: list[str] = []
    for at, text in enumerate(lines, line):
        opened, closed = OPEN.match(text), CLOSE.match(text)
        if opened is None and closed is None:
            kept.append(text)
            continue
        yield from reader.blocks("\n".join(kept), start, edition)
        kept, start = [], at + 1
        if opened and (edition or opened[1] not in EDITIONS):
            reader.fault(at, text.strip(), f"::: {' or ::: '.join(EDITIONS)}, one after the other",
                         "Close the fence first.")
        if closed and not edition:
            reader.fault(at, ":::", "a fence to close", "Drop it, or open the fence.")
        edition = opened[1] if opened else ""
    if edition:
        reader.fault(start, f"::: {edition} without an end", ":::", "Close the fence before the next section.")
    yield from reader.blocks("\n".join(kept), start, edition)


def _prose(page: Page) -> Iterator[Issue]:
    """Numbers that stand in the page by themselves, and doses where patients read."""
    where = f"guide/pages/{page.slug}.md"
    if page.slug in TAKEN:
        yield Issue("fault", where, f"a page called {page.slug}", "another name",
                    "The site makes a page of this name itself.")
    heads = [(f"{where}, {name}", text) for name, text in (("question", page.question), ("short", page.short))]
    heads += [(f"{where}, #{passage.anchor}", passage.title) for passage in page.passages]
    texts = [(f"{where}, #{passage.anchor}", word.text) for passage in page.passages
             for word in words_of(passage.blocks) if word.kind == "text"]
    for place, text in heads + texts:
        for found in bare(text):
            yield Issue("fault", place, f"{found!r} in {' '.join(text.split())[:60]!r}", "no number outside {{}}",
                        "Refer to it by its address (`poems knowledge list numbers`), or list the name in names.yaml.")
    for passage in page.passages:
        for dose in doses(passage.shown("patient")):
            yield Issue("fault", f"{where}, #{passage.anchor}", f"the dose {dose!r} where patients read", "no dose",
                        "Move it into ::: clinician.")


def _links(page: Page, known: Mapping[str, Page]) -> Iterator[Issue]:
    """Links to pages and sections that are not there, and to addresses that are not secure."""
    for passage in page.passages:
        for target in {word.link for word in words_of(passage.blocks) if word.link}:
            name, _, anchor = target.partition("#")
            there = known.get(name or page.slug)
            if OUTSIDE.match(target) or (there and (not anchor or any(p.anchor == anchor for p in there.passages))):
                continue
            yield Issue("fault", f"guide/pages/{page.slug}.md, #{passage.anchor}", f"a link to {target!r}",
                        "a page, page#section or https://", "Correct the link.")


def _editions(page: Page) -> Iterator[Issue]:
    """Every edition has its answer, and every passage that is shown rests on something."""
    for edition in EDITIONS:
        shown = page.shown(edition)
        if not shown:
            yield Issue("fault", f"guide/pages/{page.slug}.md", f"nothing for the {edition} edition",
                        "at least one section", "Each edition answers the question by itself.")
        for passage in shown:
            if not page.own and not any(word.references for word in words_of(passage.shown(edition))):
                yield Issue("fault", f"guide/pages/{page.slug}.md, #{passage.anchor}",
                            f"nothing cited in the {edition} edition", "a number, or [@source at place]",
                            "Say where it stands.")
