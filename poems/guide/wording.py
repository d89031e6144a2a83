"""What somebody typed, as words to look for: spelling levelled, empty words dropped, typing errors mended."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

from poems.knowledge.files import read_yaml

SYNONYMS = Path(__file__).parent / "synonyms.yaml"
WORD = re.compile(r"[a-z0-9]+")
JOINED = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
LEVEL = ((re.compile(r"(?<=\d),(?=\d{3})"), ""), (re.compile("ae|oe"), "e"), (re.compile(r"our\b"), "or"),
         (re.compile(r"(\w{3,})is(e|ed|es|ing|ation)\b"), r"\1iz\2"), (re.compile(r"(\w{2,})tre\b"), r"\1ter"))
"""Spellings of both sides of the ocean, made alike on both sides of the search."""
NEARBY = {key: near for row in ("qwertyuiop", "asdfghjkl", "zxcvbnm") for key, near in zip(
    row, (row[max(0, at - 1):at] + row[at + 1:at + 2] for at in range(len(row))), strict=True)}
VOWELS = frozenset("aeiouy")
ENDINGS = ("s", "es", "d", "ed", "ing")
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


def asked(text: str) -> list[str]:
    """The words of a question that carry what is asked, each once; all of them, where none does."""
    text = text[:400].replace("’", "'")
    plain = "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))
    kept = [word for word in JOINED.findall(plain) if word not in empty() and (len(word) > 1 or word.isdigit())]
    return list(dict.fromkeys(found for word in kept for found in words(word)))


@cache
def empty() -> frozenset[str]:
    """The words that ask and carry nothing."""
    return frozenset(str(read_yaml(SYNONYMS)["empty"]).split())


@cache
def groups(name: str = "groups") -> Mapping[str, frozenset[str]]:
    """Every word or phrase of a list of `groups` or `forms`, levelled, with the others of its lines."""
    found: dict[str, set[str]] = {}
    for group in read_yaml(SYNONYMS)[name]:
        same = {" ".join(words(str(word))) for word in group}
        for word in same:
            found.setdefault(word, set()).update(same - {word})
    return {word: frozenset(others) for word, others in found.items()}


def alike(word: str, name: str = "groups") -> frozenset[str]:
    """The words used like this one, or like the word it is a form of; with `forms`, its other shapes."""
    found = groups(name)
    forms = (word, *(word.removesuffix(end) for end in ENDINGS if word.endswith(end)),
             *(word.removesuffix(end) + "e" for end in ENDINGS if word.endswith(end)))
    return next((found[form] for form in forms if form in found), frozenset())


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
