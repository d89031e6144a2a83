"""The patient's edition of a course: own treatments and values in words, the next visits, what to ask.

No probability, no verdict, no dose, no number of a prognosis.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from poems.course import Series
from poems.errors import Issue
from poems.follow import Follow, Trend, Visit
from poems.knowledge import Knowledge
from poems.record import Event
from poems.render.cited import Bibliography, Mark
from poems.render.follow_words import is_now, is_today, until, window
from poems.render.own_visits import plain_tests, planned
from poems.render.patient import plain, remarks, without_dose
from poems.render.timeline import Timeline, is_once, open_days, timeline
from poems.render.view import person
from poems.render.words import clean, inside, listed, measured

NOTICE = ("This sheet shows your own course as it is written in your record. It is no diagnosis and no advice on "
          "treatment: take it to your doctor. What is not recorded may still have been done: ask.")
QUESTIONS = ("Is anything in this list wrong or missing?",
             "What has changed since the last visit, and does it matter?",
             "The next sample: same laboratory, same kind of tube?",
             "I noticed something new or worse: is it the disease?",
             "When is the next visit, and whom do I call before?")
LATELY = 3


@dataclass(frozen=True)
class OwnTreatment:
    """One treatment with its days."""

    label: str
    days: str
    finding: str = ""


@dataclass(frozen=True)
class OwnValue:
    """One quantity in words: its values lately, and the picture of its course."""

    label: str
    values: tuple[tuple[str, str], ...]
    words: tuple[str, ...]


@dataclass(frozen=True)
class OwnVisit:
    """A kind of visit: when it is next, what will be looked at, and when it comes again."""

    when: str
    apart: str
    tests: tuple[str, ...]
    is_overdue: bool
    later: tuple[str, ...]


@dataclass(frozen=True)
class OwnCourse:
    """Everything the patient's edition of a course shows."""

    patient: str
    as_of: str
    person: str
    knowledge: str
    picture: Timeline
    treatments: tuple[OwnTreatment, ...]
    values: tuple[OwnValue, ...]
    visits: tuple[OwnVisit, ...]
    questions: tuple[str, ...]
    notes: tuple[tuple[str, tuple[Mark, ...]], ...]
    issues: tuple[Issue, ...]
    remarks: tuple[str, ...]
    refused: int
    cited: Bibliography


def own_course(follow: Follow, knowledge: Knowledge) -> OwnCourse:
    """The course as its patient reads it: nothing of its verdicts and probabilities is left in it."""
    cited = Bibliography(knowledge)
    events = [without_dose(event, knowledge) for event in follow.record.events]
    return OwnCourse(
        clean(follow.patient), follow.as_of.isoformat(), person(events, knowledge, follow.died or follow.as_of),
        follow.knowledge, timeline(follow, knowledge, own=True), tuple(_treatments(follow, knowledge)),
        tuple(_values(follow, knowledge)), tuple(_visits(follow, knowledge)), QUESTIONS,
        tuple((clean(item.patient), cited.marks(item.source)) for item in follow.cautions if item.patient),
        follow.issues, tuple(remarks(follow.issues)), sum(issue.level == "fault" for issue in follow.issues), cited)


def _treatments(follow: Follow, knowledge: Knowledge) -> Iterator[OwnTreatment]:
    for span in follow.treatments:
        if is_once(span, follow):
            days = f"on {span.start}"
        else:
            days = f"{span.start} to {span.end}" if span.end else open_days(span)
        yield OwnTreatment(plain(span.finding, knowledge), days, span.finding)


def _values(follow: Follow, knowledge: Knowledge) -> Iterator[OwnValue]:
    for trend in follow.trends:
        yield OwnValue(plain(trend.series.finding, knowledge), _lately(trend.series, knowledge),
                       tuple(_words(trend, knowledge)))
    for series, _ in follow.scales:
        yield OwnValue(plain(series.finding, knowledge), _lately(series, knowledge), ())


def _lately(series: Series, knowledge: Knowledge) -> tuple[tuple[str, str], ...]:
    return tuple((str(event.date), measured(event, knowledge)) for event in series.samples[-LATELY:])


def _words(trend: Trend, knowledge: Knowledge) -> Iterator[str]:
    """The picture of the values in words: what they did, never what it means."""
    samples = [event for event in trend.series.samples if event.value is not None]
    if len(samples) < 2:
        yield "There is one value so far: nothing to compare it with yet."
        return
    yield f"{len(samples)} values since {samples[0].date}. {_moved(samples)}"
    limit = trend.series.upper_limit
    if limit is not None:
        yield f"The last value {_side(samples[-1], limit)} the limit that the laboratory printed."
    noted = dict.fromkeys(inside(plain(event.finding, knowledge), knowledge) for event in trend.explained_by)
    if noted:
        yield (f"Around the last value your record has: {listed(list(noted), 'and')}. That alone can change it: ask "
               "whether it should be measured again.")


def _moved(samples: list[Event]) -> str:
    last = samples[-1]
    earlier = [event for event in samples if event.date != last.date]
    if not earlier or sum(event.date == last.date for event in samples) > 1:
        return "There are several values of the last day."
    before = earlier[-1]
    assert last.value is not None and before.value is not None
    if last.comparator or before.comparator:
        return "Where the laboratory prints < or >, the exact value is not known."
    word = "higher than" if last.value > before.value else "lower than" if last.value < before.value else "the same as"
    return f"The last is {word} the one before. Values go up and down by themselves, so that one alone says little."


def _side(event: Event, limit: float) -> str:
    assert event.value is not None
    below, above = event.comparator.startswith("<"), event.comparator.startswith(">")
    if (below and event.value > limit) or (above and event.value < limit):
        return "cannot be compared with"
    if event.value == limit and not (below or above):
        return "is at"
    return "is above" if event.value > limit or above else "is below"


def _visits(follow: Follow, knowledge: Knowledge) -> Iterator[OwnVisit]:
    for first, others in planned(follow, knowledge):
        yield _visit(first, others, follow.as_of, knowledge)


def _visit(visit: Visit, others: Sequence[Visit], as_of: date, knowledge: Knowledge) -> OwnVisit:
    when = f"between {visit.day} and {visit.latest}" if visit.latest > visit.day else f"on {visit.day}"
    if visit.overdue:
        when = f"was due by {visit.latest}: has it been done?"
    elif is_now(visit, as_of) and is_today(as_of):
        when = f"now, until {visit.latest}" if visit.latest > as_of else "today"
    return OwnVisit(when, "" if visit.overdue else until(visit, as_of),
                    plain_tests(visit, knowledge), visit.overdue,
                    tuple(sorted(set(map(window, others)))))
