"""What can overturn the first lines of a follow-up, and so has to stand among them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from poems.course import Span, shifted
from poems.evaluate import judge
from poems.follow.chart import Chart
from poems.follow.model import Relapse
from poems.follow.relapse import relapses
from poems.follow.stretch import Stretch
from poems.follow.words import listed, number
from poems.record import ABSENT, Event, Record
from poems.review import Caution
from poems.rules import Above, Verdict

LIMITS_APART = 20  # no two laboratories' limits of one quantity differ by so much; two units do
NAMED = 3  # so many findings are named, the others counted


def foremost(chart: Chart, died: date | None, diagnosed: date | None) -> Iterator[Caution]:
    """The cautions that come before anything computed: units, days after death, contradictions, what must not be."""
    yield from _after_death(chart, died)
    for marker in chart.follow.markers.values():
        yield from _units(chart, marker.concept)
        yield from _disagreements(chart, marker.concept)
    yield from excluded(chart)
    if diagnosed is not None and not chart.therapies:
        yield from _untreated(chart, diagnosed)


def later_than(chart: Chart, died: date | None) -> list[Event]:
    """What is dated after the day of death, the records of the death itself aside."""
    rows = chart.record.by_finding.get(chart.follow.endpoints.death, ())
    events = (*chart.record.events, *chart.unreadable)
    return [e for e in events if died is not None and e.date is not None and e.date > died and e not in rows]


def _after_death(chart: Chart, died: date | None) -> Iterator[Caution]:
    later = later_than(chart, died)
    if later:
        names = list(dict.fromkeys(chart.label(event.finding) for event in later))
        more = [f"{len(names) - NAMED} more"] if len(names) > NAMED else []
        yield Caution(
            "after-death",
            f"Dated after the day of death ({died}): {listed([*names[:NAMED], *more])}. They were read as they stand; "
            "check the days.",
        )


def apart(chart: Chart, finding: str) -> tuple[Event, Event] | None:
    """The samples with the lowest and the highest laboratory limit, where these are likely of two units."""
    sampled = sorted(
        (event for event in chart.record.by_finding.get(finding, ()) if event.upper_limit is not None),
        key=lambda event: event.upper_limit or 0.0,
    )
    low, high = (sampled[0].upper_limit, sampled[-1].upper_limit) if sampled else (None, None)
    return (sampled[0], sampled[-1]) if low and high and high >= LIMITS_APART * low else None


def _units(chart: Chart, finding: str) -> Iterator[Caution]:
    found = apart(chart, finding)
    if found:
        said = listed([f"{number(e.upper_limit or 0)}{f' on {e.date}' if e.date else ''}" for e in found])
        yield Caution(
            f"units-{finding}",
            f"Units in doubt: {chart.label(finding)}, whose laboratory limits differ {LIMITS_APART}-fold or more "
            f"({said}). What rests on these samples may be wrong.",
        )


def _disagreements(chart: Chart, finding: str) -> Iterator[Caution]:
    """The last day on which one value lies above its own limit and another does not; earlier ones are counted."""
    rule = Above(finding, by_lab_limit=True)
    sides: dict[date, dict[bool, Event]] = {}
    for one in chart.series(finding):
        for event in one.samples:
            verdict = judge(rule, Record(event.patient, (event,), event.date), {}).verdict
            if event.date is not None and verdict is not Verdict.UNKNOWN:
                sides.setdefault(event.date, {})[verdict is Verdict.MET] = event
    days = sorted(day for day, both in sides.items() if len(both) > 1)
    if days:
        above, within = (_value(chart, sides[days[-1]][is_above]) for is_above in (True, False))
        before = f"; so on {len(days) - 1} earlier day{'s' if len(days) > 2 else ''}" if len(days) > 1 else ""
        yield Caution(
            f"disagreement-{finding}",
            f"{chart.label(finding)} on {days[-1]}: {above} lies above its laboratory's limit and {within} within it"
            f"{before}. Which is right the record does not say.",
        )


def excluded(chart: Chart) -> Iterator[Caution]:
    """A drug given to somebody who has a finding with which it must not be given."""
    told: set[tuple[str, str]] = set()
    for harm in (harm for option in chart.follow.options for harm in option.harms if harm.drug):
        found = _beside(chart, harm.drug, harm.finding)
        if found is not None and (harm.drug, harm.finding) not in told:
            told.add((harm.drug, harm.finding))
            span, since = found
            on = f" on {since}" if since else ""
            no_end = " and no end of it" if since is None or since < span.start else ""
            yield Caution(
                f"{harm.drug}-{harm.finding}",
                f"{chart.label(harm.finding)} is recorded{on}{no_end}. {chart.label(harm.drug)} "
                f"was given from {span.start} {f'to {span.end}' if span.end else 'on'}. {harm.text}.",
                source=harm.source,
            )


def _beside(chart: Chart, drug: str, finding: str) -> tuple[Span, date | None] | None:
    """The first course of a drug during which a finding was there, recorded then, or earlier and not as over; and the
    day on which it is recorded, if it has one.
    """
    rows = [event for event in chart.record.by_finding.get(finding, ()) if event.status]
    known = sorted((e.date or date.min, e.status != ABSENT) for e in rows)
    for span in chart.spans:
        if span.finding == drug:
            before = [one for one in known if one[0] <= span.start][-1:]
            during = [one for one in known if span.start < one[0] and (not span.end or one[0] <= span.end)]
            there = [day for day, is_there in (*before, *during) if is_there]
            if there:
                return span, there[0] if there[0] > date.min else None
    return None


def _untreated(chart: Chart, diagnosed: date) -> Iterator[Caution]:
    """What the definitions of progression show since the diagnosis, where no treatment of the clone is dated."""
    worked_up = shifted(diagnosed, chart.follow.windows["baseline-days"].days)  # what is found by then may not be new
    causes = {known.finding for known in chart.follow.explanations}
    for item in relapses(Stretch(chart, worked_up)):
        if item.day is not None:
            names = list(dict.fromkeys(chart.label(e.finding) for e in item.because if e.finding not in causes))
            gone = f", not any more on {item.gone}" if item.gone else ""
            told = "; ".join((*(() if item.confirmed else ("not confirmed",)), *item.beside))
            yield Caution(
                f"untreated-{item.id}",
                f"{item.label}, met on {item.day}{gone}{f' ({told})' if told else ''}, since the diagnosis on "
                f"{diagnosed} and without a treatment of the plasma-cell disorder: {', '.join(names)}."
                f"{''.join(_lower(chart, item, diagnosed))}",
                source=item.source,
            )


def _lower(chart: Chart, item: Relapse, diagnosed: date) -> Iterator[str]:
    """The markers that had fallen all the same: the last value by then beside that of the diagnosis."""
    for marker in chart.follow.markers.values():
        for one in chart.series(marker.concept) if marker.can_alarm and item.day else ():
            then = [e for e in one.samples if e.date and item.day and diagnosed < e.date <= item.day][-1:]
            first = [e for e in one.samples if e.date and e.date <= diagnosed][-1:]
            if then and first and (then[0].value or 0) < (first[0].value or 0):
                yield (
                    f" {chart.label(marker.concept)} was lower then: {_value(chart, then[0])} on {then[0].date}, "
                    f"{_value(chart, first[0])} on {first[0].date}."
                )


def _value(chart: Chart, event: Event) -> str:
    limit = f" (limit {number(event.upper_limit)})" if event.upper_limit else ""
    unit = chart.knowledge.concepts[event.finding].unit
    return f"{event.comparator}{' ' if event.comparator else ''}{number(event.value or 0)} {unit}{limit}"
