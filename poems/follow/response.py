"""Response by domain, for one line of treatment: what is shown now, the best, and until when it was seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from poems.course import days_of
from poems.evaluate import Judgement, judge
from poems.follow.chart import MET, NOT_MET, UNKNOWN, Chart
from poems.follow.missing import missing
from poems.follow.model import DomainResponse
from poems.follow.stretch import Stretch
from poems.follow.words import listed
from poems.knowledge.follow_model import Category, Domain
from poems.record import ABSENT
from poems.review import Part
from poems.rules import AtLeast, Rule

UNKNOWN_RESPONSE, NOT_EVALUABLE = "unknown", "not evaluable"


@dataclass(frozen=True)
class Grade:
    """The response on a day: the category that is met, or none; judgements: of every category, in order."""

    day: date
    category: Category | None
    judgements: tuple[Judgement, ...]


def responses(stretch: Stretch, last: date | None = None) -> tuple[DomainResponse, ...]:
    """The response in each domain since a line of treatment began. last: the day until which it lasts (death)."""
    return tuple(_response(domain, stretch, last or stretch.last) for domain in stretch.chart.follow.domains)


def untreated(chart: Chart) -> tuple[DomainResponse, ...]:
    """The domains of a patient in whom no treatment of the plasma-cell disorder is dated."""
    why = "No treatment of the plasma-cell disorder is on record with a date, so there is nothing to respond to."
    return tuple(_without(domain, UNKNOWN_RESPONSE, why) for domain in chart.follow.domains)


def grades(domain: Domain, stretch: Stretch) -> list[Grade]:
    """The response on every day on which something was recorded that it rests on; judged once per stretch."""
    if domain.id not in stretch.graded:
        every = AtLeast(1, tuple(category.rule for category in domain.categories))
        stretch.graded[domain.id] = [_grade(domain, every, stretch, day) for day in stretch.relevant(every)]
    return stretch.graded[domain.id]


def _grade(domain: Domain, every: Rule, stretch: Stretch, day: date) -> Grade:
    """The first category that is met on a day; every: all of the domain's rules, in which they share their parts."""
    found = tuple(stretch.judge(category.rule, day, scope=every) for category in domain.categories)
    met = next((category for category, item in zip(domain.categories, found, strict=True) if item.verdict is MET), None)
    return Grade(day, met, found)


def reached(name: str, stretch: Stretch) -> date | None:
    """The first day of `<domain>/<category>`."""
    domain_id, _, category_id = name.partition("/")
    domain = next(item for item in stretch.chart.follow.domains if item.id == domain_id)
    return next(
        (grade.day for grade in grades(domain, stretch) if grade.category and grade.category.id == category_id), None
    )


def _response(domain: Domain, stretch: Stretch, last: date) -> DomainResponse:
    evaluable = judge(domain.evaluable, stretch.baseline, {})
    if evaluable.verdict is NOT_MET:
        return _without(domain, NOT_EVALUABLE, domain.not_evaluable, stretch.parts(evaluable))
    course = grades(domain, stretch)
    now = course[-1] if course else None
    if evaluable.verdict is UNKNOWN or now is None or not domain.categories:
        return _without(domain, UNKNOWN_RESPONSE, _why_open(domain, evaluable, now, stretch))
    known = [grade for grade in course if grade.category is not None]
    best = min(known, key=lambda grade: (_rank(grade.category, domain), grade.day), default=None)
    met = next((item for item in now.judgements if item.verdict is MET), None)
    relapses = _recorded(domain, stretch)
    relapsed = _relapsed(domain, now, relapses, stretch)
    gained = best if best and best.category is not domain.categories[-1] else None
    until, is_lost = _until(gained, known, domain, relapses) if gained else (None, False)
    if until and gained:
        until, is_lost = (min(until, last), is_lost and until <= last) if gained.day <= last else (None, False)
    return DomainResponse(
        domain.id,
        domain.label,
        now.category.id if now.category else UNKNOWN_RESPONSE,
        best.category.id if best and best.category else UNKNOWN_RESPONSE,
        gained.day if gained else None,
        (until - gained.day).days if gained and until else None,
        _why(domain, now, stretch, relapsed),
        stretch.parts(met) if met else (),
        now.category.source if now.category else domain.source,
        domain.drafts,
        until,
        is_lost,
        relapsed,
    )


def _without(domain: Domain, said: str, why: str, parts: tuple[Part, ...] = ()) -> DomainResponse:
    """A domain in which no category can be named."""
    return DomainResponse(domain.id, domain.label, said, said, None, None, why, parts, domain.source, domain.drafts)


def _rank(category: Category | None, domain: Domain) -> float:
    """The place of a category, the strictest first; one made of others (mixed) stands after the first of them."""
    assert category is not None
    rule = category.rule
    members = [
        place
        for place, other in enumerate(domain.categories)
        if isinstance(rule, AtLeast) and rule.n == len(rule.parts) and other.rule in rule.parts
    ]
    return min(members) + 0.5 if len(members) > 1 else domain.categories.index(category)


def _until(best: Grade, known: Sequence[Grade], domain: Domain, relapses: Sequence[date]) -> tuple[date, bool]:
    """The last day that shows the best response or more; or the first that shows a lesser one, or a recorded relapse,
    and that it was lost.
    """
    rank = _rank(best.category, domain)
    lost = [grade.day for grade in known if grade.day > best.day and _rank(grade.category, domain) > rank]
    lost += [day for day in relapses if day > best.day]
    return (min(lost), True) if lost else (known[-1].day, False)


def _recorded(domain: Domain, stretch: Stretch) -> list[date]:
    """The days on which a clinician recorded a relapse, for a domain whose definitions heed that word."""
    chart, finding = stretch.chart, stretch.chart.follow.endpoints.relapse
    if not any(finding in chart.leaves(category.rule) for category in domain.categories):
        return []
    return days_of(event for event in stretch.after if event.finding == finding and event.status != ABSENT)


def _relapsed(domain: Domain, now: Grade, relapses: Sequence[date], stretch: Stretch) -> date | None:
    """The relapse that was recorded after what shows the category now; none where the domain was looked at since."""
    met = next((item for item in now.judgements if item.verdict is MET), None)
    shown = max(days_of(stretch.behind(met)), default=now.day) if met else now.day
    own = {name for category in domain.categories for name in stretch.chart.leaves(category.rule)}
    own.discard(stretch.chart.follow.endpoints.relapse)
    looked = max(days_of(event for event in stretch.after if event.finding in own), default=shown)
    return next((day for day in relapses if day > shown and day >= looked), None)


def _why(domain: Domain, now: Grade, stretch: Stretch, relapsed: date | None) -> str:
    """One sentence: what the record shows, since when it is compared, and which stricter grade is open.

    relapsed: the day of a relapse that was recorded after what shows it.
    """
    since = f"compared with the time before {stretch.start}"
    if now.category is None:
        items = [item for item in now.judgements if item.verdict is UNKNOWN]
        lacking = missing(items, stretch.chart, stretch.after)
        return f"None of the definitions can be decided by {now.day} ({since})" + (
            f"; missing: {lacking}." if lacking else "."
        )
    place = domain.categories.index(now.category)
    stricter = [
        (category, item)
        for category, item in zip(domain.categories[:place], now.judgements[:place], strict=True)
        if item.verdict is UNKNOWN
    ]
    said = f"{now.category.label}, on {now.day}, {since}"
    said += f"; a relapse was recorded on {relapsed}, after what shows it" if relapsed else ""
    if stricter:
        names = listed([category.label for category, _ in stricter])
        said += f"; not known: {names}" + (
            f" (missing: {m})" if (m := missing([i for _, i in stricter], stretch.chart, stretch.after)) else ""
        )
    return said + "."


def _why_open(domain: Domain, evaluable: Judgement, now: Grade | None, stretch: Stretch) -> str:
    if evaluable.verdict is not UNKNOWN:
        return (
            f"Nothing that this response rests on is on record after {stretch.start}."
            if domain.categories
            else "No definition of it has been read yet."
        )
    lacking = missing([evaluable], stretch.chart, stretch.baseline.events)
    said = (
        f"Whether it can be evaluated is not known: the record before {stretch.start} lacks {lacking or 'a baseline'}"
    )
    if now and now.category:
        said += f"; if it can, it is now: {now.category.label} ({now.day})"
    return said + "."
