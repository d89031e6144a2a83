"""The index of the static site: the scores that `poems ask` uses, so that a small script can add them up."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from poems.guide import ask, index, search, sentences, weighing, wording
from poems.guide.index import FIRST, Index, text
from poems.guide.model import Edition
from poems.guide.wording import groups, named, rules, words
from poems.knowledge import Knowledge

PLACES = 3
"""So many digits of a score are kept."""
NUMBERS = (
    (search, "LIKE OTHER_NAME SHAPE TOGETHER APART RARE COMMON SAID DIGITS PLAIN FAINT LONGEST MENDS WHOLE"),
    (weighing, "COVERED FIRM STRANGE ODD SUBJECT EVIDENCE PLAINLY TOUCHED NOTE STORY THIN AROUND CONTEXT"),
    (sentences, "CHARACTERS FIRST LAST ASKING WORDS LETTERS BESIDE MANY"),
    (wording, "STEM ROOT TAIL LONG_TAIL SHORT LONG"), (index, "NEAR ALIKE"), (ask, "SHARE"))
"""The numbers that the search in the browser has to share, and where they stand."""


def search_script(knowledge: Knowledge, edition: Edition) -> str:
    """A script that sets `GUIDE`: the passages, what each word scores in each, and how words are understood."""
    guide = ask.passages(knowledge, edition)
    names, parts = ask.names(knowledge)
    alike = {"groups": dict(groups()), "forms": dict(groups("forms")), "names": dict(names)}
    found = {kind: {name: sorted(other for other in others if guide.scores(other)) for name, others in lists.items()}
             for kind, lists in alike.items()}
    found["names"] = {name: others for name, others in found["names"].items() if others}
    ways = {way for lists in found.values() for others in lists.values() for way in others}
    looked_up = sorted(guide.vocabulary.keys() | ways)
    data: dict[str, Any] = {
        "passages": [_passage(entry, edition) for entry in guide.entries],
        "words": {word: list(_flat(guide, word)) for word in looked_up if guide.scores(word)},
        "own": [[at, [sorted(set(words(one))) for one in entry.asks]] for at, entry in enumerate(guide.entries)
                if entry.answers == FIRST],
        **found, **_language(guide, parts), "numbers": _numbers()}
    whole = json.dumps(data, ensure_ascii=True, separators=(",", ":"))
    return f"/*\n{notices()}*/\nwindow.GUIDE = {whole};\n"


def notices() -> str:
    """What goes with every copy of the lists of English words: whose they are."""
    head = wording.ENGLISH.read_text().partition("\neveryday:")[0]
    return "".join(f"{line.removeprefix('#').strip()}\n" for line in head[head.index("# SCOWL:"):].splitlines())


def _passage(entry: Any, edition: Edition) -> list[str]:
    slug, _, anchor = entry.address.partition("#")
    return [f"{slug}.html#{anchor}", entry.title, entry.page.question,
            " ".join(text(block, edition) for block in entry.passage.shown(edition)), entry.columns[-1]]


def _flat(guide: Index, word: str) -> Iterator[float]:
    """Passage and score, one after the other."""
    for at, score in guide.scores(word).items():
        yield at
        yield round(score, PLACES)


def _language(guide: Index, parts: frozenset[str]) -> dict[str, Any]:
    """How words and sentences are understood."""
    lists: dict[str, list[str]] = {}
    for word, name in wording.english().items():
        lists.setdefault(name, []).append(word)
    turns = [{"said": said, "read": str(item.get("read", "")).split(), "near": str(item.get("near", "")),
              "units": str(item.get("units", ""))} for item in rules()["turns"] for said in item["said"]]
    return {
        "english": {name: " ".join(sorted(found)) for name, found in lists.items()},
        "empty": _line(wording.empty()), "people": _line(wording.people()), "named": _line(named()),
        "unnamed": _line(named("unnamed")),
        "places": _line(named("places")), "parts": _line(parts), "titles": _line(guide.titles),
        "asks": rules()["asks"], "turns": turns,
        "elsewhere": [said for group in rules()["elsewhere"] for said in group],
        "otherwise": sentences.ELSEWHERE, "endings": wording.ENDINGS, "shapes": str(rules()["endings"]).split(),
        "near": wording.NEARBY, "pointing": sorted(weighing.POINTING)}


def _line(found: Iterable[str]) -> str:
    return " ".join(sorted(found))


def _numbers() -> dict[str, float]:
    """Every weight and bar of the search, by its name."""
    return {name.lower(): getattr(module, name) for module, names in NUMBERS for name in names.split()}
