"""The patient's edition of a course: own treatments and values in words, the next visits, what to ask.

No probability, no verdict, no dose, no number of a prognosis.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

from poems.course import Series
from poems.errors import Issue
from poems.follow import Follow, Trend
from poems.knowledge import Knowledge
from poems.record import Event
from poems.render.cited import Bibliography, Mark
from poems.render.follow_words import is_now, is_today, silence, until, window
from poems.render.own_visits import Planned, plain_tests, planned
from poems.render.patient import URGENT, plain, remarks, urgent, without_dose
from poems.render.timeline import Timeline, is_once, open_days, timeline
from poems.render.view import person
from poems.render.words import clean, inside, listed, measured

DIED = ("The record says that this person died on {day}. The sheet shows the course until then as it is written in the "
        "record, in plain words. It is no diagnosis and no advice. No visit is to come.")
NOTICE = ("This sheet shows your own course as it is written in your record. It is no diagnosis and no advice on "
          "treatment: take it to your doctor. What is not recorded may still have been done: ask.")
QUESTIONS = ("Is anything in this list wrong or missing?",
             "What has changed since the last visit, and does it matter?",
             "The next sample: same laboratory, same kind of tube?",
             "I noticed something new or worse: is it the disease?",
             "When is the next visit, and whom do I call before?")
LATELY, MOST = 3, 9
"""How many values are shown: the last, and all that have moved one way since, where these are more."""


COUNTS = ("", "", "two", "three", "four", "five", "six", "seven", "eight", "nine")
FALLING = "falling"
SHOW = ": show this to your doctor."


@dataclass(frozen=True)
class OwnTreatment:
    """One treatment with its days."""

    label: str
    days: str
    finding: str = ""


@dataclass(frozen=True)
class OwnValue:
    """One quantity in words: its values lately, and the picture of its course. rise: what the doctor has to see."""

    label: str
    values: tuple[tuple[str, str], ...]
    words: tuple[str, ...]
    rise: str = ""


@dataclass(frozen=True)
class OwnVisit:
    """A kind of visit: when it is next, what will be looked at, when it comes again (later), and how often (then)."""

    when: str
    apart: str
    tests: tuple[str, ...]
    is_overdue: bool
    later: tuple[str, ...]
    then: str = ""


@dataclass(frozen=True)
class OwnCourse:
    """Everything the patient's edition of a course shows. urgent: what cannot wait; nothing after a death."""

    patient: str
    as_of: str
    notice: str
    urgent: tuple[tuple[str, tuple[Mark, ...]], ...]
    person: str
    knowledge: str
    picture: Timeline
    treatments: tuple[OwnTreatment, ...]
    values: tuple[OwnValue, ...]
    visits: tuple[OwnVisit, ...]
    silent: str
    questions: tuple[str, ...]
    notes: tuple[tuple[str, tuple[Mark, ...]], ...]
    issues: tuple[Issue, ...]
    remarks: tuple[str, ...]
    refused: int
    cited: Bibliography

    @property
    def rising(self) -> tuple[str, ...]:
        """What the doctor has to see of the values, one line each."""
        return tuple(f"{value.label}: {value.rise} What does it mean?" for value in self.values if value.rise)

    @property
    def urgent_head(self) -> str:
        """What stands before what cannot wait."""
        return URGENT


def own_course(follow: Follow, knowledge: Knowledge) -> OwnCourse:
    """The course as its patient reads it: nothing of its verdicts and probabilities is left in it."""
    cited = Bibliography(knowledge)
    events = [without_dose(event, knowledge) for event in follow.record.events]
    notice = DIED.format(day=follow.died) if follow.died else NOTICE
    visits = tuple(_visits(follow, knowledge))
    return OwnCourse(
        clean(follow.patient), follow.as_of.isoformat(), notice,
        () if follow.died else urgent(knowledge, cited), person(events, knowledge, follow.died or follow.as_of),
        follow.knowledge, timeline(follow, knowledge, own=True), tuple(_treatments(follow, knowledge)),
        tuple(_values(follow, knowledge)), visits, silence(follow) if visits else "",
        () if follow.died else QUESTIONS,
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
        moved = "" if follow.died else _moved(trend, knowledge)
        rise = f"{moved[:1].lower()}{moved.removesuffix(SHOW)[1:]}." if moved.endswith(SHOW) else ""
        yield OwnValue(plain(trend.series.finding, knowledge), _lately(trend.series, knowledge),
                       tuple(_words(trend, moved, follow, knowledge)), rise)
    for series, _ in follow.scales:
        yield OwnValue(plain(series.finding, knowledge), _lately(series, knowledge), ())


def _lately(series: Series, knowledge: Knowledge) -> tuple[tuple[str, str], ...]:
    count = min(max(LATELY, abs(_in_a_row(series.samples)) + 1), MOST)
    return tuple((str(event.date), measured(event, knowledge)) for event in series.samples[-count:])


def _words(trend: Trend, moved: str, follow: Follow, knowledge: Knowledge) -> Iterator[str]:
    """The picture of the values in words: what they did (moved), never what it means."""
    samples = [event for event in trend.series.samples if event.value is not None]
    if len(samples) < 2:
        yield "There is one value so far: nothing to compare it with yet."
        return
    yield f"{len(samples)} values since {samples[0].date}. {moved}".rstrip()
    limit = trend.series.upper_limit
    if limit is not None:
        yield f"The last value {_side(samples[-1], limit)} the limit that the laboratory printed."
    noted = dict.fromkeys(inside(plain(event.finding, knowledge), knowledge) for event in trend.explained_by)
    if noted and not follow.died:
        yield (f"Around the last value your record has: {listed(list(noted), 'and')}. That alone can change it: ask "
               "whether it should be measured again.")


def _in_a_row(samples: Sequence[Event]) -> int:
    """How many values at the end were each higher than the one before; lower: the number is negative.

    A value that is not exactly known ends it, and so do two of one day.
    """
    days = [event.date for event in samples]
    count = 0
    for before, after in reversed(list(pairwise(samples))):
        exact = not (before.comparator or after.comparator) and days.count(before.date) == days.count(after.date) == 1
        if not exact or before.value is None or after.value is None or before.value == after.value:
            break
        step = 1 if after.value > before.value else -1
        if count * step < 0:
            break
        count += step
    return count


def _moved(trend: Trend, knowledge: Knowledge) -> str:
    """What the last values did. Nothing is called harmless that moves the way in which it may speak of relapse (up,
    unless the marker falls then): the doctor has to see it.
    """
    samples = [event for event in trend.series.samples if event.value is not None]
    if len(samples) < 2:
        return ""
    last, run, markers = samples[-1], _in_a_row(samples), knowledge.follow.markers.values()
    falls = any(marker.concept == trend.series.finding and marker.worse == FALLING for marker in markers)
    is_worse = run < 0 if falls else run > 0
    if abs(run) > 1:
        word, end = "higher" if run > 0 else "lower", SHOW if is_worse else "."
        many = COUNTS[abs(run)] if abs(run) < len(COUNTS) else str(abs(run))
        return f"The last {many} have each been {word} than the one before{end}"
    earlier = [event for event in samples if event.date != last.date]
    if not earlier or sum(event.date == last.date for event in samples) > 1:
        return "There are several values of the last day."
    before = earlier[-1]
    assert last.value is not None and before.value is not None
    if last.comparator or before.comparator:
        return "Where the laboratory prints < or >, the exact value is not known."
    word = "higher than" if last.value > before.value else "lower than" if last.value < before.value else "the same as"
    if is_worse and (trend.alarm != "none" or trend.is_likely):
        return f"The last is {word} the one before{SHOW}"
    ask = ": ask when it should be measured again." if is_worse else "."
    return (f"The last is {word} the one before. Values go up and down by themselves, so that one alone says "
            f"little{ask}")


def _side(event: Event, limit: float) -> str:
    assert event.value is not None
    below, above = event.comparator.startswith("<"), event.comparator.startswith(">")
    if (below and event.value > limit) or (above and event.value < limit):
        return "cannot be compared with"
    if event.value == limit and not (below or above):
        return "is at"
    return "is above" if event.value > limit or above else "is below"


def _visits(follow: Follow, knowledge: Knowledge) -> Iterator[OwnVisit]:
    for row in planned(follow, knowledge):
        yield _visit(row, follow.as_of, knowledge)


def _visit(row: Planned, as_of: date, knowledge: Knowledge) -> OwnVisit:
    visit, later = row.visit, tuple(sorted(set(map(window, row.later))))
    when = f"between {visit.day} and {visit.latest}" if visit.latest > visit.day else f"on {visit.day}"
    if visit.overdue:
        when = f"was due by {visit.latest}: has it been done?"
    elif is_now(visit, as_of) and is_today(as_of):
        when = f"now, until {visit.latest}" if visit.latest > as_of else "today"
    return OwnVisit(when, "" if visit.overdue else until(visit, as_of), plain_tests(visit, knowledge),
                    visit.overdue, later, "; ".join(row.again or later))
