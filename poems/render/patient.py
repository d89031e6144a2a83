"""The patient's edition: the own record in plain words, what doctors look at, what to ask.

No verdict, no probability, no dose.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from poems.errors import Issue
from poems.knowledge import Knowledge
from poems.models.differential import TARGET
from poems.record import ABSENT, Event
from poems.render.cited import Bibliography, Mark
from poems.render.view import person
from poems.render.words import clean, measured
from poems.review import Review
from poems.rules import Above, Judged, Named, Not, Present, Rule, children, walk

KINDS = {"finding": "What was found", "quantity": "What was measured", "label": "Diagnoses written in the record",
         "treatment": "Treatments"}
NOT_FOUND = "Looked for and not found"
QUESTIONS = ("Is anything in this list wrong, or is something missing from it?",
             "What has changed since the last visit, and does it matter?",
             "What is still being looked for, and why?",
             "Who else should see these results?")
NOTICE = ("This sheet shows what is written in your record and what doctors look at. It is no diagnosis and no advice "
          "on treatment: take it to your doctor. What is not recorded may still have been done: ask.")


@dataclass(frozen=True)
class Entry:
    """One thing of the record in plain words, with what was seen on each day."""

    label: str
    days: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class LookedAt:
    """Something that published criteria look at, and what the record holds about it."""

    id: str
    label: str
    recorded: tuple[str, ...]
    marks: tuple[Mark, ...]


@dataclass(frozen=True)
class OwnRecord:
    """Everything the patient's edition shows."""

    patient: str
    as_of: str
    person: str
    knowledge: str
    groups: tuple[tuple[str, tuple[Entry, ...]], ...]
    looked_at: tuple[LookedAt, ...]
    ask_about: tuple[str, ...]
    questions: tuple[str, ...]
    notes: tuple[tuple[str, tuple[Mark, ...]], ...]
    issues: tuple[Issue, ...]
    refused: int
    cited: Bibliography


def own(review: Review, knowledge: Knowledge) -> OwnRecord:
    """The review as its patient reads it: nothing of its verdicts and probabilities is left in it."""
    cited = Bibliography(knowledge)
    events = [without_dose(event, knowledge) for event in review.record.events]
    notes = tuple((clean(item.patient), cited.marks(item.source)) for item in review.cautions if item.patient)
    return OwnRecord(
        clean(review.patient), review.as_of.isoformat() if review.as_of else "", person(events, knowledge),
        review.knowledge, tuple(_groups(events, knowledge)), tuple(_looked_at(review, events, knowledge, cited)),
        tuple(sorted({test.patient for test in review.next_tests if test.patient})),
        QUESTIONS, notes, review.issues, sum(issue.level == "fault" for issue in review.issues), cited)


def plain(finding: str, knowledge: Knowledge) -> str:
    """A finding in the patient's words."""
    concept = knowledge.concepts.get(finding)
    return (concept.patient or concept.label) if concept else clean(finding)


def without_dose(event: Event, knowledge: Knowledge) -> Event:
    """A treatment without its amount; any other event as it is."""
    concept = knowledge.concepts.get(event.finding)
    if concept is None or concept.kind != "treatment":
        return event
    return replace(event, value=None, unit="", comparator="", upper_limit=None)


def _groups(events: Iterable[Event], knowledge: Knowledge) -> Iterable[tuple[str, tuple[Entry, ...]]]:
    """The record by kind; the days of one finding on one line, oldest first."""
    of: dict[str, dict[str, list[Event]]] = {title: {} for title in (*KINDS.values(), NOT_FOUND)}
    for event in events:
        concept = knowledge.concepts.get(event.finding)
        if concept is None or concept.kind == "person" or event.finding == "age":
            continue
        title = NOT_FOUND if event.status == ABSENT and concept.kind == "finding" else KINDS[concept.kind]
        of[title].setdefault(event.finding, []).append(event)
    for title in ("What was found", NOT_FOUND, *list(KINDS.values())[1:]):
        if of[title]:
            yield title, tuple(Entry(plain(finding, knowledge), _days(seen, knowledge))
                               for finding, seen in of[title].items())


def _days(events: Iterable[Event], knowledge: Knowledge) -> tuple[tuple[str, str], ...]:
    days = [(event.date.isoformat() if event.date else "no date", _seen(event, knowledge)) for event in
            sorted(events, key=lambda event: str(event.date or ""))]
    return tuple(dict.fromkeys(days))


def _seen(event: Event, knowledge: Knowledge) -> str:
    words = measured(event, knowledge)
    return "" if words in ("present", "absent") else words


def _looked_at(review: Review, events: list[Event], knowledge: Knowledge, cited: Bibliography) -> Iterable[LookedAt]:
    """The questions of the reviewed sets that have plain words, each once, with what is recorded on them."""
    asked = dict.fromkeys(rule.id for item in review.criteria if item.criteria.diagnoses == TARGET
                          for level in item.criteria.levels for rule in walk(level.rule)
                          if isinstance(rule, Named) and rule.asks)
    for key in asked:
        criterion = knowledge.components[key]
        if criterion.patient:
            shown, every = _findings(_shown(criterion.rule)), _findings(walk(criterion.rule))
            recorded = dict.fromkeys(plain(event.finding, knowledge) for event in events
                                     if event.finding in shown and event.status != ABSENT)
            looked = any(event.finding in every for event in events)
            found = tuple(recorded) or (("looked for, not found",) if looked else ())
            yield LookedAt(key, criterion.patient, found, cited.marks(criterion.source))


def _shown(rule: Rule) -> Iterable[Rule]:
    """The nodes that can show a criterion; what can only exclude it says nothing for it."""
    yield rule
    for part in (rule.shown_by,) if isinstance(rule, Judged) else () if isinstance(rule, Not) else children(rule):
        yield from _shown(part)


def _findings(rules: Iterable[Rule]) -> frozenset[str]:
    return frozenset(rule.finding for rule in rules if isinstance(rule, Present | Above))
