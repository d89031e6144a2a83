"""What somebody typed, as sentences: which of them ask, which only tell the story around the question."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache

from poems.guide.wording import empty, rules, words

ENDS = re.compile(r"(?<=[.?!])\s+|[\r\n]+|;\s")
PARTS = re.compile(r",\s|:\s|\s[-–—]\s|[()]|\s(?:but|so|because|and|while|now|that|if|when)\s", re.IGNORECASE)
JOINED = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
SPELLED = re.compile(r"(?<![a-z0-9])[a-z](?:[ .][a-z]){2,}(?![a-z0-9])")
"""Letters one by one, as in `V E G F` and `c.i.d.p`."""
NOT = re.compile(r"n't\b")
CHARACTERS, FIRST, LAST, ASKING, WORDS, LETTERS = 20_000, 6, 10, 8, 40, 40
"""What of a very long text is read: so many characters of its beginning and of its end; of these the first and last
sentences and the last that end in a question mark; of a sentence so many words at its beginning and at its end; of a
word so many letters."""
BESIDE = 4
"""So many words before and after a turn of phrase tell how it is meant."""
ELSEWHERE = "zzz"
"""Stands for what is named with the guide's words and is something else."""
MANY = 7
"""From so many telling words on, the parts of a sentence are looked at too."""


@dataclass(frozen=True)
class Sentence:
    """words: those that carry what is asked, levelled, each once. said: all of them, in order.

    kind: `question`; `note`, words without a verb or a person, as typed into a search; or `story`.
    """

    words: tuple[str, ...]
    said: tuple[str, ...]
    kind: str
    parts: tuple[Sentence, ...] = ()


def sentences(text: str) -> list[Sentence]:
    """The sentences that say something, in order."""
    found = (sentence(one) for one in _chosen(text))
    return [one for one in found if one.words]


def _chosen(text: str) -> list[str]:
    """The sentences of a text; of a very long one those at its ends, and those that ask."""
    if len(text) > 2 * CHARACTERS:
        text = f"{text[:CHARACTERS]}\n{text[-CHARACTERS:]}"
    every = [one for one in ENDS.split(text) if one.strip()]
    if len(every) <= FIRST + LAST:
        return every
    asking = [at for at, one in enumerate(every) if one.rstrip().endswith("?")][-ASKING:]
    kept = {*range(FIRST), *asking, *range(len(every) - LAST, len(every))}
    return [every[at] for at in sorted(kept)]


def sentence(text: str) -> Sentence:
    """One sentence with its parts."""
    whole = _read(text)
    if len(whole.words) <= MANY:
        return whole
    parts = [one for piece in PARTS.split(text) if (one := _read(piece)).words]
    return Sentence(whole.words, whole.said, whole.kind, tuple(parts)) if len(parts) > 1 else whole


def _read(text: str) -> Sentence:
    plain = unicodedata.normalize("NFKD", NOT.sub(" not", text.casefold().replace("’", "'").replace("can't", "cannot")))
    plain = "".join(c for c in plain if not unicodedata.combining(c))
    plain = SPELLED.sub(lambda letters: re.sub("[ .]", "", letters[0]), plain)
    tokens = [one[:LETTERS] for one in JOINED.findall(plain)]
    if len(tokens) > 2 * WORDS:
        tokens = tokens[:WORDS] + tokens[-WORDS:]
    meant = _meant(tokens)
    kept = [word for word in meant if word not in empty() and (len(word) > 1 or word.isdigit())]
    said = tuple(one for word in meant for one in words(word))
    return Sentence(tuple(dict.fromkeys(one for word in kept for one in words(word))), said,
                    _kind(text, tokens, meant))


def _kind(text: str, tokens: Sequence[str], meant: Iterable[str]) -> str:
    """Whether a sentence asks, by its mark, its beginning or a turn of phrase in it."""
    asks = _grammar()
    if text.rstrip().endswith("?"):
        return "question"
    plain = " ".join(tokens)
    while tokens and tokens[0] in asks["before"]:
        tokens = tokens[1:]
    first, second = (*tokens, "", "")[:2]
    if first in asks["first"] and not (first in asks["conjunctions"] and second in asks["persons"]):
        return "question"
    if first in asks["inverted"] and second in asks["persons"]:
        return "question"
    if any(f" {turn} " in f" {plain} " for turn in asks["turns"]):
        return "question"
    return "story" if any(word in asks["tells"] for word in meant) else "note"


@cache
def _grammar() -> dict[str, frozenset[str]]:
    return {name: frozenset(str(one) for one in (value if isinstance(value, list) else value.split()))
            for name, value in rules()["asks"].items()}


def _meant(tokens: Sequence[str]) -> list[str]:
    """The words, with each turn of phrase read as what it means."""
    found: list[str] = []
    at = 0
    while at < len(tokens):
        turn = next((turn for turn in _turns().get(tokens[at], ()) if turn.fits(tokens, at)), None)
        found += turn.read if turn else tokens[at:at + 1]
        at += len(turn.said) if turn else 1
    return found


@dataclass(frozen=True)
class _Turn:
    """A turn of phrase: what is said, how it is read, and words of which one has to stand near."""

    said: tuple[str, ...]
    read: tuple[str, ...]
    near: frozenset[str]
    units: frozenset[str]

    def fits(self, tokens: Sequence[str], at: int) -> bool:
        """Whether it stands here, and means what it is read as."""
        end = at + len(self.said)
        if tuple(tokens[at:end]) != self.said:
            return False
        around = (*tokens[max(0, at - BESIDE):at], *tokens[end:end + BESIDE])
        number, unit = (*tokens[end:end + 2], "", "")[:2]
        is_number = "0" in self.near and number.isdigit() and unit not in self.units
        return not self.near or is_number or not self.near.isdisjoint(around)


@cache
def _turns() -> dict[str, list[_Turn]]:
    """The turns of phrase by their first word."""
    found: dict[str, list[_Turn]] = {}
    for item in rules()["turns"]:
        for said in item["said"]:
            read, near, units = (str(item.get(name, "")).split() for name in ("read", "near", "units"))
            turn = _Turn(tuple(said.split()), tuple(read), frozenset(near), frozenset(units))
            found.setdefault(turn.said[0], []).append(turn)
    for said in (one for group in rules()["elsewhere"] for one in group):
        turn = _Turn(tuple(said.split()), (ELSEWHERE,), frozenset(), frozenset())
        found.setdefault(turn.said[0], []).insert(0, turn)
    return found
