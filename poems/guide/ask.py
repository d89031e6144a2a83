"""A question in, the passages that answer it out: found, never made up; and `not in the guide` where nothing does."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from threading import Lock
from types import MappingProxyType

from poems.guide import index
from poems.guide.index import Entry, Index
from poems.guide.model import Answer, Edition, Hit
from poems.guide.pages import pages
from poems.guide.wording import alike, asked, groups, mended, words
from poems.knowledge import Knowledge

KEPT = "_guide_index"
LIKE, OTHER_NAME, SHAPE, MENDED = 0.5, 0.8, 0.9, 0.7
"""What a match counts by a word used alike, another name, another shape of it, a mended word; the word itself 1."""
TOGETHER = 0.5
"""What two words that stand together in the question add where they stand together in the text, of their score."""
COVERED = 0.44
"""So much of what the question is about, each word by what it tells, a passage has to hold to be an answer."""
APART = 0.3
"""What two neighbours in the question lose of what they tell where a passage holds both, but far from each other."""
UNSEEN, DIGITS = 1.5, 0.5
"""How much more a word tells that the guide never uses, as it may name something else; how much less, a number."""
SHARE = 0.35
"""A further passage is shown down to this part of the first one's score."""
LONGEST = 3
"""So many words a name in a question may have."""
_MAKING = Lock()


@dataclass(frozen=True)
class _Term:
    """One word of the question: what stands for it, each with what a match by it counts, and what the word tells."""

    ways: Mapping[str, float]
    weight: float


def ask(question: str, knowledge: Knowledge, *, edition: Edition = "patient", limit: int = 3) -> Answer:
    """The passages that answer best, best first, and what the knowledge itself says to it; none where no passage does.

    Where only the other edition has an answer, its passages are `elsewhere`.
    """
    found, read_as = _found(question, knowledge, edition, limit)
    other: Edition = "clinician" if edition == "patient" else "patient"
    elsewhere = () if found else tuple(hit for hit in _found(question, knowledge, other, limit)[0] if hit.passage)
    return Answer(question, edition, found, read_as, elsewhere)


def _found(question: str, knowledge: Knowledge, edition: Edition, limit: int) -> tuple[tuple[Hit, ...], dict[str, str]]:
    """What an edition has to say, and how mistyped words were read."""
    guide, known = _indexes(knowledge, edition)
    said = asked(question)
    named = names(knowledge)
    read_as: dict[str, str] = {}
    terms = _terms(said, guide, named, read_as)
    ranked = _ranked(terms, said, guide, guide.alike(question))
    hits = [_hit(guide.entries[at], score) for at, score in ranked[:limit] if score >= SHARE * ranked[0][1]]
    if hits:
        further = _ranked(_terms(said, known, named, {}), said, known)
        hits += [_hit(known.entries[at], score) for at, score in further[:limit]]
    return tuple(hits), read_as


def _hit(entry: Entry, score: float) -> Hit:
    return Hit(entry.kind, entry.address, entry.title, score, entry.passage, entry.page, entry.text, entry.references)


def _ranked(terms: Sequence[_Term], said: Sequence[str], guide: Index,
            own: Mapping[int, float] = MappingProxyType({})) -> list[tuple[int, float]]:
    """The entries that hold enough of the question, best first. own: how far it is the entry's own question."""
    score: dict[int, float] = {}
    covered: dict[int, float] = {}
    for term in terms:
        best: dict[int, float] = {}
        holds: dict[int, float] = {}
        for way, counts in term.ways.items():
            for at, fits in guide.scores(way).items():
                best[at] = max(best.get(at, 0.0), counts * fits)
                holds[at] = max(holds.get(at, 0.0), counts)
        for at, fits in best.items():
            score[at] = score.get(at, 0.0) + fits
            covered[at] = covered.get(at, 0.0) + holds[at] * term.weight
    for (one, first), (other, second) in pairwise(zip(said, terms, strict=True)):
        for at, together in guide.scores(f"{one} {other}").items():
            score[at] = score.get(at, 0.0) + TOGETHER * together
        near = guide.near(one, other)
        for at in (guide.scores(one).keys() & guide.scores(other).keys()) - near:
            covered[at] -= APART * (first.weight + second.weight)
    whole = sum(term.weight for term in terms)
    enough = [at for at in score if covered[at] >= COVERED * whole]
    ranked = [(at, (1 + own.get(at, 0.0)) * score[at] * (covered[at] / whole if whole else 1)) for at in enough]
    return sorted(ranked, key=lambda pair: (own.get(pair[0], 0.0) < 1, -pair[1]))  # its own question comes first


def _terms(said: Sequence[str], guide: Index, named: Mapping[str, frozenset[str]],
           read_as: dict[str, str]) -> list[_Term]:
    """What is looked for: each word with the words that stand for it."""
    others = _other_names(said, named)
    terms = []
    for word in said:
        ways = {word: 1.0}
        known = bool(guide.scores(word))
        for way in alike(word):
            ways.setdefault(way, LIKE)
        ways |= dict.fromkeys(alike(word, "forms"), SHAPE)
        for way, counts in others[word].items():
            ways[way] = max(ways.get(way, 0.0), counts)
        if not known and len(ways) == 1:
            better = mended(word, guide.vocabulary)
            if better:
                read_as[word] = better
                ways = {better: MENDED} | dict.fromkeys(alike(better), MENDED * LIKE)
        terms.append(_Term(ways, _weight(word, ways, guide)))
    return terms


def _weight(word: str, ways: Mapping[str, float], guide: Index) -> float:
    """What a word of the question tells: by itself, else by the best of what stands for it."""
    found = [way for way in ways if guide.scores(way)]
    if not found:
        return guide.most * (DIGITS if word.isdigit() else UNSEEN)
    return guide.weight(max(found, key=lambda way: ways[way]))


def _other_names(said: Sequence[str], named: Mapping[str, frozenset[str]]) -> dict[str, dict[str, float]]:
    """For each word that is, or is part of, a name of something: its other names, and what a match of them counts."""
    found: dict[str, dict[str, float]] = {word: {} for word in said}
    for size in range(1, LONGEST + 1):
        for start in range(len(said) - size + 1):
            part = said[start:start + size]
            name = " ".join(part)
            ways = dict.fromkeys(groups().get(name, ()) if size > 1 else (), LIKE)
            ways |= dict.fromkeys(named.get(name, ()), OTHER_NAME)
            for word in part:
                found[word].update(ways)
    return found


def names(knowledge: Knowledge) -> Mapping[str, frozenset[str]]:
    """Every name of a concept with its other names, levelled."""
    kept: dict[str, frozenset[str]] | None = knowledge.__dict__.get("_guide_names")
    if kept is None:
        found: dict[str, set[str]] = {}
        for concept in knowledge.concepts.values():
            same = set(_levelled((concept.label, concept.patient, *concept.synonyms)))
            for name in same:
                found.setdefault(name, set()).update(same - {name})
        kept = knowledge.__dict__["_guide_names"] = {name: frozenset(others) for name, others in found.items()}
    return kept


def passages(knowledge: Knowledge, edition: Edition) -> Index:
    """The index of the passages of an edition."""
    return _indexes(knowledge, edition)[0]


def _levelled(texts: Iterable[str]) -> Iterator[str]:
    return (" ".join(words(name)) for name in texts if name)


def _indexes(knowledge: Knowledge, edition: Edition) -> tuple[Index, Index]:
    """The indexes of an edition, made once and kept with the knowledge."""
    with _MAKING:
        kept: dict[str, tuple[Index, Index]] = knowledge.__dict__.setdefault(KEPT, {})
        if edition not in kept:
            kept[edition] = (index.passages(pages(knowledge).values(), knowledge, edition),
                             index.claims(knowledge, edition))
        return kept[edition]
