"""What each word of a question tells, and which passages hold enough of what is asked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from poems.guide.index import Index
from poems.guide.sentences import Sentence
from poems.guide.wording import SHORT, alike, empty, groups, mended, named, plainer, shapes, sort, swapped

LIKE, OTHER_NAME, SHAPE = 0.5, 0.8, 0.9
"""What a match counts by a word used alike, another name, another shape of it; the word itself 1."""
TOGETHER = 0.5
"""What two words that stand together in the question add where they stand together in the text, of their score."""
APART = 0.3
"""What two neighbours in the question lose of what they tell where a passage holds both, but far from each other."""
RARE, COMMON, SAID, DIGITS = 1.5, 0.6, 0.1, 0.15
"""What a word tells that the guide never uses, of the most a word can tell: one that is no common English word, as it
may name something else; a common one; an everyday one; a number."""
PLAIN = 0.5
"""What an everyday word tells that the guide uses but is not about, of what it would tell."""
FAINT = 1.0
"""A word that tells less, as nearly every passage has it, can be missing from an answer."""
LONGEST = 4
"""So many words a name in a question may have."""
MENDS = 12
"""So many words of a question are mended at the most."""
WHOLE = 5
"""From so many letters on a word is mended whatever else is there; a shorter one where nothing else is known."""


@dataclass(frozen=True)
class Term:
    """One word of a question: what stands for it, with what a match by each counts, and what the word tells.

    is_known: the guide uses it. is_telling: it does, and it is no plain everyday word there. is_foreign: it does not,
    and the word may name something else. is_everyday: it names nothing. is_about: the guide has it, or a word like it,
    in a heading or a name. is_name: it is part of a name of something in the knowledge. is_technical: so it is, and no
    common English word. is_subject: the question can hardly be answered without it: a technical word, or an illness.
    """

    word: str
    ways: Mapping[str, float]
    weight: float
    is_known: bool = False
    is_telling: bool = False
    is_foreign: bool = False
    is_everyday: bool = False
    is_about: bool = False
    is_name: bool = False
    is_technical: bool = False
    is_subject: bool = False


@dataclass(frozen=True)
class Fit:
    """How well a passage fits a question: its score, and the share that it holds of what the words tell.

    about: how much it holds of what those words tell that the guide is about; named: the same without everyday words;
    names: of what the names among them tell; technical: of what the technical words among them tell. of_subject: which
    share of what its subjects tell.
    """

    score: float
    share: float
    about: float
    named: float
    names: float
    technical: float
    of_subject: float


KINDS: Mapping[str, Callable[[Term], bool]] = {
    "about": lambda term: term.is_about, "named": lambda term: term.is_about and not term.is_everyday,
    "names": lambda term: term.is_name, "technical": lambda term: term.is_technical,
    "subject": lambda term: term.is_subject}
"""What sorts of words are told apart in a fit."""


class Search:
    """The words of one question in one index."""

    def __init__(self, guide: Index, names: Mapping[str, frozenset[str]], parts: frozenset[str]) -> None:
        """names: each with its other names. parts: the words they are made of."""
        self.guide, self.names, self.parts = guide, names, parts
        self.read_as: dict[str, str] = {}
        self._terms: dict[tuple[str, ...], tuple[Term, ...]] = {}
        self._shapes: dict[str, list[str]] = {}
        self._mends = MENDS

    def terms(self, sentence: Sentence) -> tuple[Term, ...]:
        """What is looked for by the words of a sentence."""
        found = self._terms.get(sentence.said)
        if found is None:
            is_alone = not any(map(self._knows, sentence.words))
            meant = {word: self._meant(word, is_alone) for word in sentence.words}
            others = self._other_names([meant.get(word, word) for word in sentence.said])
            said = [word for word in dict.fromkeys(meant.values()) if word not in empty() or word in sentence.words]
            found = tuple(self._term(word, others.get(word, {})) for word in said)
            self._terms[sentence.said] = found
        return found

    def _knows(self, word: str) -> bool:
        """Whether the guide uses it; a short one, which may be an abbreviation, letter by letter."""
        return bool(self.guide.scores(word)) and (len(word) > SHORT or word in self.guide.vocabulary)

    def _shaped(self, word: str) -> list[str]:
        """The words of the guide that are another shape of one."""
        if word not in self._shapes:
            self._shapes[word] = shapes(word, self.guide.vocabulary)
        return self._shapes[word]

    def _meant(self, word: str, is_alone: bool) -> str:
        """The word that was probably meant: itself where the guide or everybody uses it."""
        if (not self._mends or len(word) < SHORT or word[0].isdigit() or self._knows(word) or sort(word) or alike(word)
                or alike(word, "forms") or word in self.names or self._shaped(word)):
            return word
        self._mends -= 1
        known = self.guide.vocabulary
        better = next((other for other in swapped(word) if sort(other) or other in empty()
                       or any(form in known for form in plainer(other))), "")
        if not better and (is_alone or len(word) >= WHOLE):
            better = mended(word, known)
        if better and sort(better) != "everyday" and better not in empty():
            self.read_as[word] = better
        return better or word

    def _term(self, word: str, others: Mapping[str, float]) -> Term:
        most, sorted_as = self.guide.most, sort(word)
        if word[0].isdigit():
            return Term(word, {word: 1.0}, most * DIGITS, bool(self.guide.scores(word)), is_everyday=True)
        plain = sorted_as == "everyday"
        ways = {word: 1.0} | dict.fromkeys(alike(word), LIKE) | dict.fromkeys(alike(word, "forms"), SHAPE)
        for way, counts in others.items():
            ways[way] = max(ways.get(way, 0.0), counts)
        known = [way for way in ways if self._knows(way)]
        if not known:
            known = self._shaped(word)
            ways |= dict.fromkeys(known, SHAPE)
        if not known:
            weight = most * (SAID if plain else COMMON if sorted_as == "other" else RARE)
            return Term(word, {}, weight, is_foreign=not plain, is_everyday=plain)
        weight = min(map(self.guide.weight, (way for way in known if ways[way] == max(map(ways.__getitem__, known)))))
        same = known if word in self.guide.vocabulary else [*known, *self._shaped(word)]
        is_about = self._is_about(word, same)
        is_name = not plain and any(way in self.parts for way in (word, *same) if ways.get(way, 1.0) > LIKE)
        return Term(word, {way: ways[way] for way in known}, weight if is_about or not plain else weight * PLAIN, True,
                    is_about or not plain, is_everyday=plain, is_about=is_about,
                    is_name=is_name, is_technical=is_name and not sorted_as,
                    is_subject=weight > FAINT and word not in named("unnamed")
                    and (sorted_as == "topics" or (is_name and not sorted_as)))

    def _is_about(self, word: str, known: Iterable[str]) -> bool:
        """Whether the guide has it in a heading or a name, or it has other words like it."""
        if word in named("places"):
            return False
        return (not self.parts.isdisjoint((word, *known)) or not self.guide.titles.isdisjoint((word, *known))
                or bool(alike(word)) or bool(alike(word, "forms")))

    def _other_names(self, said: Sequence[str]) -> dict[str, dict[str, float]]:
        """For each word that is, or is part of, a name of something: its other names, and what a match counts."""
        found: dict[str, dict[str, float]] = {}
        for size in range(1, LONGEST + 1):
            for start in range(len(said) - size + 1):
                part = said[start:start + size]
                name = " ".join(part)
                ways = dict.fromkeys(groups().get(name, ()) if size > 1 else (), LIKE)
                ways |= dict.fromkeys(self.names.get(name, ()), OTHER_NAME)
                for word in part if ways else ():
                    found.setdefault(word, {}).update(ways)
        return found

    def ranked(self, terms: Sequence[tuple[Term, float]]) -> dict[int, Fit]:
        """How each entry fits that holds one of the terms. Each term comes with what it counts here."""
        score: dict[int, float] = {}
        covered: dict[int, float] = {}
        held: dict[str, dict[int, float]] = {kind: {} for kind in KINDS}
        for term, counts in terms:
            best: dict[int, float] = {}
            holds: dict[int, float] = {}
            for way, like in term.ways.items():
                for at, fits in self.guide.scores(way).items():
                    best[at] = max(best.get(at, 0.0), like * fits)
                    holds[at] = max(holds.get(at, 0.0), like)
            of = [held[kind] for kind, is_one in KINDS.items() if is_one(term)]
            for at, fits in best.items():
                score[at] = score.get(at, 0.0) + counts * fits
                tells = counts * holds[at] * term.weight
                for each in (covered, *of):
                    each[at] = each.get(at, 0.0) + tells
        self._neighbours(terms, score, covered)
        whole = sum(term.weight * counts for term, counts in terms) or 1.0
        subject = sum(term.weight * counts for term, counts in terms if term.is_subject)
        return {at: Fit(fits, covered[at] / whole, held["about"].get(at, 0.0), held["named"].get(at, 0.0),
                        held["names"].get(at, 0.0), held["technical"].get(at, 0.0),
                        held["subject"].get(at, 0.0) / subject if subject else 1.0) for at, fits in score.items()}

    def _neighbours(self, terms: Sequence[tuple[Term, float]], score: dict[int, float],
                    covered: dict[int, float]) -> None:
        """Words that stand together in the question count more where they do so in a passage, else less."""
        guide = self.guide
        for (one, counts), (other, _) in pairwise(terms):
            if one.is_known and other.is_known:
                for at, together in guide.scores(f"{one.word} {other.word}").items():
                    score[at] = score.get(at, 0.0) + counts * TOGETHER * together
                near = guide.near(one.word, other.word)
                for at in (guide.scores(one.word).keys() & guide.scores(other.word).keys()) - near:
                    covered[at] -= counts * APART * (one.weight + other.weight)


def told(terms: Iterable[Term]) -> tuple[float, float]:
    """How much the terms tell that the guide is about, and how much that may name something else."""
    known = foreign = 0.0
    for term in terms:
        known += term.weight if term.is_telling else 0.0
        foreign += term.weight if term.is_foreign else 0.0
    return known, foreign
