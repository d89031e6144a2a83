"""What prose may not hold: a number of its own. Digits, signs and number words stand in the knowledge alone."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

from poems.guide.model import Block, Words
from poems.knowledge.files import read_yaml

NAMES = Path(__file__).parent / "names.yaml"
_SMALL = "two three four five six seven eight nine ten eleven twelve"
_TEENS = "thirteen fourteen fifteen sixteen seventeen eighteen nineteen"
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
_MANY = "hundred hundreds thousand thousands million millions billion dozen dozens"
_PARTS = "half halves halved quarter quarters thirds fifths percent percentage"
_TIMES = "twice thrice double doubled doubles doubling triple tripled"
_WORDS = " ".join((_SMALL, _TEENS, _TENS, _MANY, _PARTS, _TIMES))
BARE = re.compile(
    rf"\d(?:[\d.,]*\d)?|[%‰½¼¾⅓⅔²³]|\b(?:{'|'.join(_WORDS.split())})\b"
    r"|\b(?:a|one) third\b|\bper cent\b|\b[a-z]+fold\b(?<!manifold)(?<!blindfold)(?<!unfold)(?<!scaffold)",
    re.IGNORECASE)
DOSE = re.compile(r"\d\s*(?:µg|ug|mcg|mg|g|Gy|mL|IU)\b(?!/(?:m?L|dL)\b)")


def bare(text: str) -> list[str]:
    """The numbers that stand in a text by themselves, names left out."""
    for name in sorted(names(), key=len, reverse=True):
        text = re.sub(rf"(?<![\w-]){re.escape(name)}(?!\w)", " ", text)
    return [match[0] for match in BARE.finditer(text)]


@cache
def names() -> frozenset[str]:
    """The names that hold digits."""
    return frozenset(map(str, read_yaml(NAMES)))


def words_of(blocks: Iterable[Block]) -> Iterator[Words]:
    """Every word of the blocks."""
    for block in blocks:
        yield from block.words
        for row in block.rows:
            for cell in row:
                yield from cell


def doses(blocks: Iterable[Block]) -> list[str]:
    """The doses that the blocks print."""
    return [word.text for word in words_of(blocks) if word.kind == "number" and DOSE.search(word.text)]
