"""The index of the static site: the scores that `poems ask` uses, so that a small script can add them up."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from poems.guide import ask
from poems.guide.index import NEAR, Index, text
from poems.guide.model import Edition
from poems.guide.wording import LONG, NEARBY, SHORT, empty, groups
from poems.knowledge import Knowledge


def search_script(knowledge: Knowledge, edition: Edition) -> str:
    """A script that sets `GUIDE`: the passages, what each word scores in each, and which words stand for which."""
    guide = ask.passages(knowledge, edition)
    alike = _alike(knowledge, guide)
    looked_up = sorted(guide.vocabulary | {way for ways in alike.values() for way in ways})
    data: dict[str, Any] = {
        "passages": [_passage(entry, edition) for entry in guide.entries],
        "words": {word: [round(value, 3) if at % 2 else value for at, value in enumerate(_flat(guide, word))]
                  for word in looked_up if guide.scores(word)},
        "alike": alike, "empty": sorted(empty()), "near": NEARBY, "short": SHORT, "long": LONG,
        "covered": ask.COVERED, "share": ask.SHARE, "mended": ask.MENDED, "together": ask.TOGETHER, "like": ask.LIKE,
        "apart": ask.APART, "unseen": ask.UNSEEN, "digits": ask.DIGITS, "within": NEAR}
    return f"window.GUIDE = {json.dumps(data, ensure_ascii=True, separators=(',', ':'))};\n"


def _passage(entry: Any, edition: Edition) -> list[str]:
    slug, _, anchor = entry.address.partition("#")
    return [f"{slug}.html#{anchor}", entry.title, entry.page.question,
            " ".join(text(block, edition) for block in entry.passage.shown(edition))]


def _flat(guide: Index, word: str) -> Iterator[float]:
    """Passage and score, one after the other."""
    for at, score in guide.scores(word).items():
        yield at
        yield score


def _alike(knowledge: Knowledge, guide: Index) -> dict[str, dict[str, float]]:
    """What stands for a word or name besides itself, and what a match by it counts; only what the guide has."""
    found: dict[str, dict[str, float]] = {}
    for name, counts in (("groups", ask.LIKE), ("forms", ask.SHAPE)):
        for word, others in groups(name).items():
            found.setdefault(word, {}).update({other: counts for other in others if guide.scores(other)})
    for name, names in ask.names(knowledge).items():
        for other in names:
            if guide.scores(other):
                found.setdefault(name, {})[other] = ask.OTHER_NAME
    return found
