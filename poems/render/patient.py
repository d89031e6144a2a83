"""The patient's edition: the own record in plain words, what doctors look at, what to ask.

No verdict, no probability, no dose.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from poems.errors import Issue
from poems.follow.words import AGAIN
from poems.knowledge import Knowledge
from poems.models.differential import TARGET
from poems.record import ABSENT, PRESENT, Event
from poems.render.cited import Bibliography, Mark
from poems.render.view import person
from poems.render.words import beside_name, clean, measured
from poems.review import Part, Review
from poems.rules import Above, Judged, Named, Not, Present, Rule, Verdict, children, walk

KINDS = {"finding": "What was found", "quantity": "What was measured", "label": "Diagnoses written in the record",
         "treatment": "Treatments"}
NOT_FOUND = "Looked for and not found"
LOOKED_AT = "What doctors look for, and what my record says about it"
WEAK, OPEN = "this test alone cannot rule it out", "this alone cannot rule it out"
"""What is said beside a finding that was not found by a test that does not exclude it, or not by all that it takes."""
QUESTIONS = ("Is anything in this list wrong or missing?",
             "What has changed since the last visit, and does it matter?",
             "What is still being looked for, and why?",
             "Who else should see these results?")
DONE = "Has this been done, or would it help?"
URGENT = "Do not wait for the appointment, call at once with"
NOTICE = ("This sheet shows what is written in your record and what doctors look at. It is no diagnosis and no advice "
          "on treatment: take it to your doctor. What is not recorded may still have been done: ask.")


@dataclass(frozen=True)
class Entry:
    """One thing of the record in plain words, with what was seen on each day."""

    label: str
    days: tuple[tuple[str, str], ...]
    finding: str = ""


@dataclass(frozen=True)
class LookedAt:
    """Something that published criteria look at, and what the record holds about it, neither more nor less.

    recorded: each finding with its result and day, `findings` the ids of them; note: what a negative one leaves open.
    """

    id: str
    label: str
    recorded: tuple[str, ...]
    marks: tuple[Mark, ...]
    findings: tuple[str, ...] = ()
    note: str = ""

    @property
    def said(self) -> str:
        """What the record holds, in one line."""
        return "; ".join(filter(None, (*self.recorded, self.note)))


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
    remarks: tuple[str, ...]
    refused: int
    cited: Bibliography

    @property
    def done(self) -> str:
        """What is asked of each test in `ask_about`."""
        return DONE


def own(review: Review, knowledge: Knowledge) -> OwnRecord:
    """The review as its patient reads it: nothing of its verdicts and probabilities is left in it."""
    cited = Bibliography(knowledge)
    events = [without_dose(event, knowledge) for event in review.record.events]
    notes = tuple((clean(item.patient), cited.marks(item.source)) for item in review.cautions if item.patient)
    return OwnRecord(
        clean(review.patient), review.as_of.isoformat() if review.as_of else "",
        person(events, knowledge, review.as_of), review.knowledge, tuple(_groups(events, knowledge)),
        tuple(_looked_at(review, events, knowledge, cited)),
        tuple(sorted({test.patient for test in review.next_tests if test.patient})), QUESTIONS, notes,
        review.issues, tuple(remarks(review.issues)), sum(issue.level == "fault" for issue in review.issues), cited)


def plain(finding: str, knowledge: Knowledge) -> str:
    """A finding in the patient's words."""
    concept = knowledge.concepts.get(finding)
    return (concept.patient or concept.label) if concept else clean(finding)


def urgent(knowledge: Knowledge, cited: Bibliography) -> tuple[tuple[str, tuple[Mark, ...]], ...]:
    """What cannot wait for an appointment, each sign with its source."""
    return tuple((clean(sign.text), cited.marks(sign.source)) for sign in knowledge.follow.urgent)


def without_dose(event: Event, knowledge: Knowledge) -> Event:
    """A treatment without its amount; any other event as it is."""
    concept = knowledge.concepts.get(event.finding)
    if concept is None or concept.kind != "treatment":
        return event
    return replace(event, value=None, unit="", comparator="", upper_limit=None)


def remarks(issues: Sequence[Issue]) -> Iterator[str]:
    """What reading the input had to say, counted and in plain words, without an id or a place; refusals stand above."""
    again = sum(AGAIN in issue.found for issue in issues)
    if again:
        entries, were = ("entry stands", "it was") if again == 1 else ("entries stand", "they were")
        yield f"{again} {entries} twice; {were} read once."
    if any(issue.level == "note" and AGAIN not in issue.found for issue in issues):
        yield "Some entries were left out: this guide does not know them, or they are from after the day asked about."
    doubts = sum(issue.level == "caution" for issue in issues)
    if doubts:
        yield (f"{doubts} thing{'' if doubts == 1 else 's'} in the entries should be checked against the reports, such "
               "as a missing day or two values on one day.")


def is_weak(event: Event, knowledge: Knowledge) -> bool:
    """Whether an absence was recorded by a method that cannot rule the finding out."""
    concept = knowledge.concepts.get(event.finding)
    excluding = {method.id for method in concept.methods if method.excludes} if concept else set()
    return bool(event.status == ABSENT and concept and concept.methods and event.method not in excluding)


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
            yield title, tuple(Entry(plain(finding, knowledge), _days(seen, knowledge), finding)
                               for finding, seen in of[title].items())


def _days(events: Iterable[Event], knowledge: Knowledge) -> tuple[tuple[str, str], ...]:
    days = [(event.date.isoformat() if event.date else "no date", _seen(event, knowledge)) for event in
            sorted(events, key=lambda event: str(event.date or ""))]
    return tuple(dict.fromkeys(days))


def _seen(event: Event, knowledge: Knowledge) -> str:
    words = beside_name(event, knowledge)
    return words if words != "absent" else WEAK if is_weak(event, knowledge) else ""


def _looked_at(review: Review, events: list[Event], knowledge: Knowledge, cited: Bibliography) -> Iterable[LookedAt]:
    """The questions of the reviewed sets that have plain words, each once, with what is recorded on them."""
    asked = dict.fromkeys(rule.id for item in review.criteria if item.criteria.diagnoses == TARGET
                          for level in item.criteria.levels for rule in walk(level.rule)
                          if isinstance(rule, Named) and rule.asks)
    open_ = {part.id for item in review.criteria for level in item.levels for part in _every(level.parts)
             if part.verdict is Verdict.UNKNOWN}
    for key in asked:
        criterion = knowledge.components[key]
        if criterion.patient:
            shown, every = _findings(_shown(criterion.rule)), _findings(walk(criterion.rule))
            known: dict[str, list[Event]] = {}
            for event in events:
                if event.finding in (*shown, *criterion.beside) or (
                        event.finding in every and event.status == ABSENT):
                    known.setdefault(event.finding, []).append(event)
            states = {event.status for several in known.values() for event in several
                      if knowledge.concepts[event.finding].kind != "quantity"}
            is_none = bool(known) and set(known) <= set(criterion.beside) and all(
                event.value == 0 for several in known.values() for event in several)
            is_denied = is_none or (ABSENT in states and PRESENT not in states)
            yield LookedAt(key, criterion.patient, tuple(_told(known, knowledge)), cited.marks(criterion.source),
                           tuple(known), OPEN if is_denied and key in open_ else "")


def _every(parts: Iterable[Part]) -> Iterator[Part]:
    for part in parts:
        yield part
        yield from _every(part.parts)


def _told(known: Mapping[str, Sequence[Event]], knowledge: Knowledge) -> Iterator[str]:
    """Each finding with what was seen last: the value with its limit, or found and not found, with the day."""
    for finding, several in known.items():
        name = plain(finding, knowledge)
        if knowledge.concepts[finding].kind == "quantity":
            day, seen = _last(several)
            days = len({event.date for event in several if event.date})
            said = " and ".join(dict.fromkeys(measured(event, knowledge) for event in seen))
            yield f"{name}: {said}{f', last of {days}' if days > 1 else ''}{',' if days else ''} {day}"
        else:
            found = "written in the record" if knowledge.concepts[finding].kind == "label" else "found"
            parts = [(word, [event for event in several if (event.status == ABSENT) is denied])
                     for word, denied in ((found, False), ("looked for, not found", True))]
            lasts = sorted((_last(part)[1][0].date or date.min, word, _last(part)[0]) for word, part in parts if part)
            yield f"{name}: {'; '.join(f'{word} {day}' for _, word, day in lasts)}"


def _last(events: Sequence[Event]) -> tuple[str, list[Event]]:
    """The last day, and what was recorded on it; what has no day only where nothing has one."""
    last = max(event.date or date.min for event in events)
    seen = [event for event in events if (event.date or date.min) == last]
    return seen[0].date.isoformat() if seen[0].date else "(no date)", seen


def _shown(rule: Rule) -> Iterable[Rule]:
    """The nodes that can show a criterion; what can only exclude it says nothing for it."""
    yield rule
    for part in (rule.shown_by,) if isinstance(rule, Judged) else () if isinstance(rule, Not) else children(rule):
        yield from _shown(part)


def _findings(rules: Iterable[Rule]) -> frozenset[str]:
    return frozenset(rule.finding for rule in rules if isinstance(rule, Present | Above))
