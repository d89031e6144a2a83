"""Words to look for: spelling levelled, other words for the same, other shapes, typing errors mended."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from poems.knowledge.files import read_yaml

SYNONYMS = Path(__file__).parent / "synonyms.yaml"
ENGLISH = Path(__file__).parent / "english.yaml"
WORD = re.compile(r"[a-z0-9]+")
LEVEL = ((re.compile(r"(?<=\d),(?=\d{3})"), ""), (re.compile(r"ae|(?<!\bp)oe"), "e"), (re.compile(r"our\b"), "or"),
         (re.compile(r"(\w{3,})is(e|ed|es|ing|ation)\b"), r"\1iz\2"), (re.compile(r"(\w{2,})tre\b"), r"\1ter"))
"""Spellings of both sides of the ocean, made alike on both sides of the search."""
NEARBY = {key: near for row in ("qwertyuiop", "asdfghjkl", "zxcvbnm") for key, near in zip(
    row, (row[max(0, at - 1):at] + row[at + 1:at + 2] for at in range(len(row))), strict=True)}
VOWELS = frozenset("aeiouy")
ENDINGS = (("ies", "y"), ("ied", "y"), ("s", ""), ("es", ""), ("ed", "e"), ("ed", ""), ("ing", ""), ("ing", "e"))
STEM, ROOT, TAIL, LONG_TAIL = 3, 5, 6, 8
"""So many letters stay of a word whose regular ending is taken off; of one whose part of speech is changed; of one that
is the end of a known word; of a known one that is the end of it."""
KEPT = 8000
"""So many words' stems are kept."""
SHORT, LONG = 4, 10
"""From so many letters on a word may hold one error, and two."""


def level(text: str) -> str:
    """The text in small letters without accents, spelled one way."""
    text = "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))
    for pattern, new in LEVEL:
        text = pattern.sub(new, text)
    return text


def words(text: str) -> list[str]:
    """Its words, levelled, in order."""
    return WORD.findall(level(text))


@cache
def rules() -> Mapping[str, Any]:
    """The list of synonyms and turns of phrase as it stands."""
    found: Mapping[str, Any] = read_yaml(SYNONYMS)
    return found


@cache
def empty() -> frozenset[str]:
    """The words that ask and carry nothing."""
    return frozenset(str(rules()["empty"]).split())


@cache
def named(name: str = "named") -> frozenset[str]:
    """The everyday words that name something; with `unnamed` those of names that do not; with `places` places."""
    return frozenset(words(rules()[name]))


@cache
def english() -> Mapping[str, str]:
    """Common English words, levelled, each with its list: everyday, topics, body, other."""
    found: dict[str, str] = {}
    for name, said in read_yaml(ENGLISH).items():
        found = dict.fromkeys(words(said), "everyday" if name == "by-hand" else name) | found
    return found


@cache
def people() -> frozenset[str]:
    """Words of people and days, and what people write to one another."""
    return frozenset(words(read_yaml(ENGLISH)["by-hand"]))


def sort(word: str) -> str:
    """The list of English words that it is in: everyday, topics, body, other; empty where it is in none."""
    if word in named():
        return "other"
    return next((english()[form] for form in plainer(word) if form in english()), "")


def plainer(word: str) -> Iterator[str]:
    """A word as it stands, then without each regular ending that it may have."""
    yield word
    for end, instead in ENDINGS:
        form = word.removesuffix(end) + instead
        if word.endswith(end) and len(word) - len(end) >= STEM:
            yield form
            if not instead and len(form) > STEM and form[-1] == form[-2]:
                yield form[:-1]


@cache
def groups(name: str = "groups") -> Mapping[str, frozenset[str]]:
    """Every word or phrase of a list of `groups` or `forms`, levelled, with the others of its lines."""
    found: dict[str, set[str]] = {}
    for group in rules()[name]:
        same = {" ".join(words(str(word))) for word in group}
        for word in same:
            found.setdefault(word, set()).update(same - {word})
    return {word: frozenset(others) for word, others in found.items()}


def alike(word: str, name: str = "groups") -> frozenset[str]:
    """The words used like this one, or like the word it is a form of; with `forms`, its other shapes."""
    found = groups(name)
    return next((found[form] - {word} for form in plainer(word) if form in found), frozenset())


def shapes(word: str, known: Iterable[str]) -> list[str]:
    """The known words that are this one with another ending or beginning: blurry, blurred; angioma, hemangioma."""
    stems = set(_stems(word))
    return [other for other in known if other != word and (
        (other[:STEM] == word[:STEM] and any(stem in stems for stem in _stems(other)))
        or (len(word) >= TAIL and other.endswith(word)) or (len(other) >= LONG_TAIL and word.endswith(other)))]


@lru_cache(KEPT)
def _stems(word: str) -> tuple[str, ...]:
    """What is left of a word without each ending that changes its part of speech; at least five letters, or a whole."""
    ends = ("", *str(rules()["endings"]).split())
    return tuple(word[:len(word) - len(end)] for end in ends if word.endswith(end) and len(word) - len(end) >= ROOT)


def mended(word: str, known: Iterable[str]) -> str:
    """The known word that was probably meant, or nothing. known: levelled words.

    One slip from four letters on, two from ten: a letter missing, doubled or too many, two swapped, one of its
    neighbours on the keyboard or another vowel. Other letters in their place make another word. The first letter is
    right.
    """
    most = 0 if len(word) < SHORT or word.isdigit() else 1 if len(word) < LONG else 2
    best = ("", most + 0.5)
    for other in known if most else ():
        if other[0] == word[0] and abs(len(other) - len(word)) <= most and len(other) >= SHORT:
            cost = _slips(word, other, best[1])
            if cost < best[1]:
                best = (other, cost)
    return best[0]


def swapped(word: str) -> Iterator[str]:
    """The word with each two neighbouring letters swapped: the commonest slip."""
    for at in range(len(word) - 1):
        yield word[:at] + word[at + 1] + word[at] + word[at + 2:]


def _slips(a: str, b: str, most: float) -> float:
    """How many slips lie between two words; no less than `most` where it is that or more."""
    before: list[float] = []
    row = [float(at) for at in range(len(b) + 1)]
    for i, x in enumerate(a, 1):
        older, before, row = before, row, [float(i)]
        for j, y in enumerate(b, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + _swap(x, y))
            if i > 1 and j > 1 and x == b[j - 2] and y == a[i - 2] and x != y:
                cost = min(cost, older[j - 2] + 0.9)
            row.append(cost)
        if min(row) >= most:
            return most
    return row[-1]


def _swap(x: str, y: str) -> float:
    """What one letter in the place of another costs."""
    if x == y:
        return 0.0
    return 1.0 if y in NEARBY.get(x, "") or (x in VOWELS and y in VOWELS) else 1.9
