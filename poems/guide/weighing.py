"""Which sentences of a text ask, and which passages hold enough of what they ask to be an answer."""

from __future__ import annotations

import operator
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from poems.guide.search import Fit, Search, Term, told
from poems.guide.sentences import Sentence
from poems.guide.wording import people

COVERED, FIRM, STRANGE, ODD = 0.44, 0.27, 0.6, 0.33
"""So much of what a question is about, each word by what it tells, a passage has to hold to be an answer: as a rule;
where it holds a technical name of the question; where a word of the question may name another illness, drug or thing;
where both is so."""
SUBJECT = 0.5
"""So much of what the illnesses and drugs of a question tell it has to hold."""
EVIDENCE, PLAINLY = 0.1, 2.0
"""So much the everyday words tell that a passage holds, where it holds no other; so much, where one word strays."""
TOUCHED = 0.2
"""So much of a question a passage has to hold, a name among it, to be named where nothing is an answer."""
NOTE, STORY = 2.5, 1.0
"""So much the words of a note among other sentences have to tell to be taken for the question; so much a passage has to
hold of what a story tells, everyday words left out, to answer it."""
THIN, AROUND = 2.0, 0.7
"""A question that tells less is read with the sentences around it too; what their words count then."""
POINTING = frozenset(("this", "that"))
"""A question with one of these words may ask about what stands around it."""
CONTEXT = 1.0
"""What the sentences around a question add to a passage that answers it, at the most, of its score."""

Ranking = list[tuple[int, float]]
Reading = list[tuple[Term, float]]


@dataclass(frozen=True)
class Bar:
    """How much a passage has to hold to be an answer to one sentence.

    strange: a word of it may name another illness, drug or thing. foreign: the guide has one of its words not. strays:
    how many of its words, those of people and days half. story: it asks nothing, and stands among others.
    """

    strange: bool
    foreign: bool
    strays: float
    story: bool

    @classmethod
    def of(cls, terms: Sequence[Term], most: float, *, story: bool) -> Bar:
        """The bar that a sentence sets. most: what a word can tell."""
        strays = [term for term in terms if not term.is_known and not term.word[0].isdigit()]
        return cls(any(term.is_foreign and term.weight > most for term in strays),
                   any(term.is_foreign for term in strays),
                   sum(0.5 if term.word in people() else 1 for term in strays), story)

    def passes(self, fit: Fit) -> bool:
        """Whether a passage is an answer."""
        firm = fit.technical > 0
        enough = (ODD if firm else STRANGE) if self.strange else FIRM if firm else COVERED
        plainly = not self.foreign and self.strays <= 1 and fit.about >= (PLAINLY if self.strays else EVIDENCE)
        return (fit.share >= enough and fit.of_subject >= SUBJECT and (fit.named > 0 or plainly)
                and (not self.story or fit.named >= STORY))


def asking(said: Sequence[Sentence], search: Search) -> list[Sentence]:
    """The sentences that are taken for the question: those that ask, notes that name something; else all.

    A note of words that the guide has not is a question about something else, unless the story around it names much.
    """
    found = [one for one in said if _asks(one, search)]
    if any(one.kind == "question" or any(term.is_known for term in search.terms(one)) for one in found):
        return found
    story = [term for one in said if one not in found for term in search.terms(one)]
    return found if found and sum(term.weight for term in story if term.is_name) < STORY else list(said)


def _asks(one: Sentence, search: Search) -> bool:
    """Whether a sentence says what is asked: by a word that tells, or by two that the guide has not."""
    terms = search.terms(one)
    tells = sum(told(terms))
    if one.kind == "note":
        is_named = tells >= NOTE and not all(term.is_everyday for term in terms)
        return any(term.is_technical for term in terms) or (is_named and (len(terms) > 1 or terms[0].is_known))
    return one.kind == "question" and (tells > 0 or sum(not term.is_known for term in terms) > 1)


def ranked(asked: Sequence[Sentence], said: Sequence[Sentence], search: Search) -> tuple[Ranking, Ranking]:
    """The entries that answer, and those that only touch on it, best first. asked: those of the sentences that ask."""
    best: dict[int, float] = {}
    near: dict[int, float] = {}
    own: set[int] = set()
    story = len(said) > 1 and all(one.kind == "story" for one in asked)
    if story:
        asked = [one for one in asked if operator.ge(*told(search.terms(one)))]
    around = [term for one in said if one not in asked for term in search.terms(one)
              if term.is_about and not term.is_everyday]
    for one in asked:
        terms = search.terms(one)
        bar = Bar.of(terms, search.guide.most, story=story)
        like: Mapping[int, float] = {} if bar.foreign else search.guide.alike(one.said)
        own.update(at for at, far in like.items() if far == 1)
        for readings in _readings(one, around, search):
            passed: dict[int, float] = {}
            for reading in readings:
                for at, fit in search.ranked(reading).items():
                    value = (1 + like.get(at, 0.0)) * fit.score * fit.share
                    if bar.passes(fit):
                        passed[at] = max(passed.get(at, 0.0), value)
                    elif fit.share >= TOUCHED and fit.names:
                        near[at] = max(near.get(at, 0.0), value)
            for at, value in passed.items():
                best[at] = max(best.get(at, 0.0), value)
            if passed:
                break
    _with_context(best, around, search)
    return (sorted(best.items(), key=lambda pair: (pair[0] not in own, -pair[1])),
            sorted(near.items(), key=lambda pair: -pair[1]))


def _readings(one: Sentence, around: Sequence[Term], search: Search) -> Iterator[list[Reading]]:
    """The ways to read a question, the later where the earlier finds nothing: as it stands, by its parts, with what
    stands around it. One of everyday words alone is read with that first.
    """
    terms = search.terms(one)
    plain: Reading = [(term, 1.0) for term in terms]
    together: Reading = [*plain, *((term, AROUND) for term in around if term not in terms)]
    known, foreign = told(terms)
    parts: list[Reading] = [[(term, 1.0) for term in part] for part in map(search.terms, one.parts)
                            if foreign <= known and told(part)[0] >= THIN]
    if around and not foreign and all(term.is_everyday for term in terms):
        yield [together]
    is_thin = around and not foreign and (known < THIN or not POINTING.isdisjoint(one.said))
    yield [plain, *parts, *([together] if is_thin else [])]


def _with_context(best: dict[int, float], around: Sequence[Term], search: Search) -> None:
    """Moves forward what fits the sentences around the question too."""
    if best and around:
        context = search.ranked([(term, 1.0) for term in around])
        most = max((fit.score for fit in context.values()), default=0.0)
        for at in best.keys() & context.keys():
            best[at] *= 1 + CONTEXT * context[at].score / most
