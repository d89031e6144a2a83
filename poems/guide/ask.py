"""A question in, the passages that answer it out: found, never made up; and `not in the guide` where nothing does."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from threading import Lock

from poems.guide import index
from poems.guide.index import Entry, Index
from poems.guide.model import Answer, Edition, Hit
from poems.guide.pages import pages
from poems.guide.search import Search
from poems.guide.sentences import Sentence, sentences
from poems.guide.weighing import asking, ranked
from poems.guide.wording import empty, named, words
from poems.knowledge import Knowledge

KEPT = "_guide_index"
SHARE = 0.35
"""A further passage is shown down to this part of the first one's score."""
_MAKING = Lock()


def ask(question: str, knowledge: Knowledge, *, edition: Edition = "patient", limit: int = 3) -> Answer:
    """The passages that answer best, best first, and what the knowledge itself says to it; none where no passage does.

    Where only the other edition has an answer, its passages are `elsewhere`; where none has, those that speak of a part
    of the question are `near`.
    """
    said = sentences(question)
    found, near, read_as = _found(said, knowledge, edition, limit)
    if found:
        return Answer(question, edition, found, read_as)
    other: Edition = "clinician" if edition == "patient" else "patient"
    elsewhere = tuple(hit for hit in _found(said, knowledge, other, limit)[0] if hit.passage)
    return Answer(question, edition, (), read_as, elsewhere, () if elsewhere else near)


def _found(said: Sequence[Sentence], knowledge: Knowledge, edition: Edition,
           limit: int) -> tuple[tuple[Hit, ...], tuple[Hit, ...], dict[str, str]]:
    """What an edition has to say, what it has near it, and how mistyped words were read."""
    guide, known = _indexes(knowledge, edition)
    search = Search(guide, *names(knowledge))
    asked = asking(said, search)
    answers, touched = ranked(asked, said, search)
    hits = [_hit(guide.entries[at], score) for at, score in answers[:limit] if score >= SHARE * answers[0][1]]
    if hits:
        further, _ = ranked(asked, asked, Search(known, *names(knowledge)))
        hits += [_hit(known.entries[at], score) for at, score in further[:limit]]
    near = [_hit(guide.entries[at], score) for at, score in touched[:limit]]
    return tuple(hits), tuple(near), search.read_as


def _hit(entry: Entry, score: float) -> Hit:
    return Hit(entry.kind, entry.address, entry.title, score, entry.passage, entry.page, entry.text, entry.references)


def names(knowledge: Knowledge) -> tuple[Mapping[str, frozenset[str]], frozenset[str]]:
    """Every name of a concept with its other names, levelled; and the words that such names are made of."""
    kept: tuple[dict[str, frozenset[str]], frozenset[str]] | None = knowledge.__dict__.get("_guide_names")
    if kept is None:
        found: dict[str, set[str]] = {}
        for concept in knowledge.concepts.values():
            same = set(_levelled((concept.label, concept.patient, *concept.synonyms)))
            for name in same:
                found.setdefault(name, set()).update(same - {name})
        parts = frozenset(word for name in found for word in name.split()) - empty() - named("unnamed")
        kept = knowledge.__dict__["_guide_names"] = ({name: frozenset(others) for name, others in found.items()}, parts)
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
