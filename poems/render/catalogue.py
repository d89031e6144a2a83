"""What is known, as lists and citations: `poems knowledge list` and `poems knowledge cite`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any, Final

from poems.guide.numbers import addresses, resolve
from poems.knowledge import Knowledge, Source

KINDS: Final = {
    "concepts": "findings, measured values, treatments and labels as records name them",
    "components": "the parts that the sets of criteria are made of",
    "criteria": "the sets of criteria",
    "diseases": "the diseases of the differential",
    "settings": "where a patient is met, and how common each disease is there",
    "features": "the findings that the differential weighs, and how often each disease shows them",
    "accuracies": "single tests at a cut-off, with sensitivity and specificity",
    "tests": "what can be done next",
    "sources": "the citations",
    "errata": "what the FAQ of 2017 gets wrong or leaves out",
    "claims": "the numbers that only the guide speaks of",
}
NUMBERS: Final = "numbers"
"""Not a kind of thing but every number of every kind, as the guide's prose refers to it."""


def of_kind(knowledge: Knowledge, kind: str) -> Mapping[str, Any]:
    """Everything of one of the KINDS, by id."""
    if kind == "errata":
        return {entry["id"]: entry for entry in knowledge.errata}
    found: Mapping[str, Any] = getattr(knowledge, kind)
    return found


def name(item: Any) -> str:
    """What a person calls it."""
    if isinstance(item, Mapping):
        return str(item.get("label") or item.get("topic"))
    return item.text if isinstance(item, Source) else str(item.label)


def listing(knowledge: Knowledge, kind: str = "") -> str:
    """One line per id of a kind; without a kind, the kinds and how many there are of each."""
    if kind == NUMBERS:
        return _columns([(number.address, f"{number.text}  ({number.label})") for number in map(
            partial(resolve, knowledge), addresses(knowledge))])
    if not kind:
        rows = [(key, f"{len(of_kind(knowledge, key)):>4}  {what}") for key, what in KINDS.items()]
        rows.append((NUMBERS, f"{len(addresses(knowledge)):>4}  every number, by its address in the guide's prose"))
    else:
        rows = [(key, name(item)) for key, item in of_kind(knowledge, kind).items()]
    return _columns(rows)


def drafts(knowledge: Knowledge) -> str:
    """What nobody has confirmed in its source. To confirm one, read the paper and change its status in the YAML."""
    if not knowledge.drafts:
        return "No drafts: every claim was seen in a source.\n"
    head = ("Drafts drive nothing until somebody who has the paper in hand sets their status to `read` in the "
            "knowledge files:\n")
    return head + "".join(f"  {draft}\n" for draft in knowledge.drafts)


def citations(sources: Iterable[Source], *, bibtex: bool = False) -> str:
    """The citations, one line each with its address, or as BibTeX."""
    if bibtex:
        return "\n".join(map(_bibtex, sources))
    return "".join(f"{source.id}: {source.text}{' ' + source.link if source.link else ''}\n" for source in sources)


def _columns(rows: list[tuple[str, str]]) -> str:
    width = max((len(key) for key, _ in rows), default=0)
    return "".join(f"{key:<{width}}  {what}\n" for key, what in rows)


def _bibtex(source: Source) -> str:
    fields = {"author": _authors(source.authors), "title": source.title, "journal": source.journal, "year": source.year,
              "note": source.cite, "doi": source.doi, "pmid": source.pmid, "pmcid": source.pmcid, "url": source.url}
    kind = "article" if source.journal else "misc"
    lines = [f"  {key} = {{{_tex(str(value), key)}}}" for key, value in fields.items() if value]
    return f"@{kind}{{{source.id},\n" + ",\n".join(lines) + "\n}\n"


def _authors(names: str) -> str:
    """`Smith J, Doe AB, et al.` as BibTeX wants it; the name of an institution whole, in braces."""
    parts = [part.strip() for part in names.split(",") if part.strip()]
    people = [re.fullmatch(r"(.+) ([A-Z]{1,4})|(et al\.?)", part) for part in parts]
    if not all(people):
        return f"{{{names}}}"
    return " and ".join("others" if person[3] else f"{person[1]}, {person[2]}" for person in people if person)


def _tex(text: str, key: str) -> str:
    """The text with TeX's special characters escaped; addresses stay as they are."""
    if key in ("doi", "url"):
        return text
    for char in "&%$#_":
        text = text.replace(char, f"\\{char}")
    return text
