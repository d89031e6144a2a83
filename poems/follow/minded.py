"""What a reader has to mind: named faults of the record, and cautions about what was computed from it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from itertools import pairwise

from poems.course import Line, Series, Span, days_of, same_day
from poems.errors import Issue
from poems.explain import conflicts
from poems.follow.chart import BORN, Chart
from poems.follow.diagnosed import meets_a_set, told, treated_anew
from poems.follow.explained import explanations
from poems.follow.foremost import LIMITS_APART, apart, excluded, later_than
from poems.follow.model import RECORDED, Relapse
from poems.follow.stretch import Stretch
from poems.follow.transplant import DAY_0, infusions
from poems.follow.words import listed
from poems.record import ABSENT, Event
from poems.review import Caution

PLACES = 5  # so many places are named, the others counted


def doubts(chart: Chart, died: date | None) -> Iterator[Issue]:
    """What was read, and still has to be looked at: zeros, two values on a day, rows without a day, contradictions."""
    for marker in chart.follow.markers.values():
        for one in chart.series(marker.concept):
            zeros = [event for event in one.samples if event.value == 0]
            if zeros:
                count = "1 value" if len(zeros) == 1 else f"{len(zeros)} values"
                yield Issue(
                    "caution",
                    _where(zeros),
                    f"{count} of {marker.concept} {'is' if len(zeros) == 1 else 'are'} zero",
                    "a value above zero, or < with the limit of detection",
                    "Zero counts for response and relapse, and has no place in the trend.",
                )
            yield from _twice(one)
        yield from _limits(chart, marker.concept)
    ends = chart.follow.endpoints
    for concept in chart.knowledge.concepts.values():
        rows = chart.record.by_finding.get(concept.id, ())
        undated = [e for e in rows if e.date is None and (e.value is not None or e.status != ABSENT)]
        needs_a_day = concept.kind == "treatment" or concept.id in (ends.death, ends.relapse)
        if undated and (needs_a_day or any(event.value is not None for event in undated)):
            yield Issue(
                "caution",
                _where(undated),
                f"{concept.id} without a date",
                "YYYY-MM-DD",
                "The patient was taken for dead since a day that is not known, and no visits are listed."
                if concept.id == ends.death
                else "It has no place in the course and was left out of everything that needs a day.",
            )
    yield from _stops(chart)
    yield from _deaths(chart, died)
    yield from _births(chart)


def _limits(chart: Chart, finding: str) -> Iterator[Issue]:
    """Laboratory limits of one quantity that lie so far apart that one of them is likely in another unit."""
    found = apart(chart, finding)
    if found:
        yield Issue(
            "caution",
            _where(found),
            f"the laboratory's limit of {finding} differs {LIMITS_APART}-fold or more between samples",
            "limits of one unit",
            "Check the units of the values and of the limits: each sample was judged by its own limit.",
        )


def _stops(chart: Chart) -> Iterator[Issue]:
    """Treatments that were stopped before they began."""
    for finding in dict.fromkeys(span.finding for span in chart.spans):
        begun = min(span.start for span in chart.spans if span.finding == finding)
        rows = chart.record.by_finding.get(finding, ())
        early = [e for e in rows if e.status == ABSENT and e.date is not None and e.date < begun]
        if early:
            yield Issue(
                "caution",
                _where(early),
                f"{finding} stopped before its first day",
                "a stop after the start",
                "It was read as not given until its first day. Check the two days.",
            )


def _deaths(chart: Chart, died: date | None) -> Iterator[Issue]:
    """Two days of death, a death that is denied, what is recorded after it."""
    rows = chart.record.by_finding.get(chart.follow.endpoints.death, ())
    shown, denied = ([e for e in rows if (e.status == ABSENT) is is_denied] for is_denied in (False, True))
    if len(days_of(shown)) > 1:
        yield Issue("caution", _where(shown), "death on more than one day", "one day",
                    "The first was taken. Remove what is wrong.")
    if shown and denied:
        yield Issue("caution", _where(denied), "death recorded and denied", "one of them",
                    "The patient was taken for dead. Remove what is wrong.")
    later = later_than(chart, died)
    if later:
        yield Issue("caution", _where(later), f"{_counted(later)} dated after the day of death",
                    "days up to the day of death", "They were read as they stand. Check the days.")


def _births(chart: Chart) -> Iterator[Issue]:
    """Two days of birth; a birth after something that was recorded of the patient."""
    rows = [e for e in chart.record.by_finding.get(BORN, ()) if e.date is not None and e.status != ABSENT]
    if not rows:
        return
    if len(days_of(rows)) > 1:
        yield Issue("caution", _where(rows), "more than one day of birth", "one day",
                    "No age was computed from it. Remove what is wrong.")
    earlier = [e for e in chart.record.events if e.date is not None and e.date < days_of(rows)[0]]
    if earlier:
        yield Issue("caution", _where(earlier), f"{_counted(earlier)} dated before the day of birth",
                    "days after the birth", "They were read as they stand. Check the days.")


def _counted(events: Sequence[Event]) -> str:
    return "1 row" if len(events) == 1 else f"{len(events)} rows"


def _twice(one: Series) -> Iterator[Issue]:
    for events in same_day(one):
        yield Issue(
            "caution",
            _where(events),
            f"{len(events)} values of {one.finding} on {events[0].date}",
            "one a day",
            "All were read: the higher counts for a rise and against a fall. Remove what is wrong.",
        )


def _where(events: Sequence[Event]) -> str:
    places = list(dict.fromkeys(event.source or event.finding for event in events))
    more = [f"{len(places) - PLACES} more"] if len(places) > PLACES + 1 else []
    return "; ".join([*places[:PLACES], *more] if more else places)


def cautions(
    chart: Chart, diagnosed: date | None, diagnosed_by: str, found: Sequence[tuple[Line, Stretch, Sequence[Relapse]]]
) -> Iterator[Caution]:
    """The cautions of one course. found: the lines of treatment, each with its relapses."""
    lines = [(line, stretch) for line, stretch, _ in found]
    yield told(chart, diagnosed, diagnosed_by)
    if diagnosed_by in ("", RECORDED) and not meets_a_set(chart):
        fit = (
            f"The diagnosis was taken as it is recorded ({diagnosed})."
            if diagnosed_by
            else "The definitions of response and relapse are those of POEMS and may not fit."
        )
        yield Caution("no-set-met", f"No criteria set of POEMS syndrome is met by this record. {fit}")
    anew = treated_anew(chart, diagnosed, diagnosed_by)
    for line, _ in lines[1:]:
        names = listed([chart.label(finding) for finding in line.treatments])
        after = (
            f"after the diagnosis had been recorded on {diagnosed}"
            if line.start == anew
            else "after a definition of relapse or progression had been met, confirmed or not, or one was recorded"
        )
        yield Caution(
            f"line-{line.number}",
            f"Line {line.number} ({names}) began on {line.start}, {after}: baseline and lowest value start anew.",
        )
    yield from _unreadable(chart)
    yield from _recorded(chart, found)
    yield from _changed(chart)
    yield from _baselines(chart, lines)
    yield from _transplant(chart)
    yield from _treatments(chart)
    yield from _courses(chart)
    yield from excluded(chart)
    if lines:
        stretch = lines[-1][1]
        for finding, _ in conflicts(
            [stretch.judge(item.rule, stretch.last) for domain in chart.follow.domains for item in domain.categories]
        ):
            yield Caution(
                f"conflict-{finding}",
                f"{chart.label(finding)}: the record since treatment speaks for it "
                "and against it; what shows it was followed.",
            )


def _unreadable(chart: Chart) -> Iterator[Caution]:
    """Samples that were left out because a treatment made them unreadable."""
    groups: dict[tuple[str, Span], list[Event]] = {}
    for event, span in chart.unreadable.items():
        groups.setdefault((event.finding, span), []).append(event)
    for (finding, span), events in groups.items():
        known = next((item for item in chart.follow.explanations if item.finding == span.finding), None)
        acting, days = chart.acting[finding][span.finding], listed([str(day) for day in days_of(events)])
        until = f"from {span.start} " + (f"to {span.end}" if span.end else "on, and no stop is on record")
        given = f"on {span.start}" if span.finding in chart.once else until
        if acting and (span.end or span.finding in chart.once):
            given += f", and the {acting.days} days after that are left out with it"
        yield Caution(
            f"unreadable-{finding}",
            f"{chart.label(finding)}: {len(events)} {'sample' if len(events) == 1 else 'samples'} ({days}) left out of "
            f"response, relapse and trend, because {chart.label(span.finding)} was given {given}."
            + "".join(f" {item.text}" for item in (known, acting) if item),
            source=acting.source if acting else known.source if known else None,
        )


def _recorded(chart: Chart, found: Sequence[tuple[Line, Stretch, Sequence[Relapse]]]) -> Iterator[Caution]:
    """A relapse as a clinician recorded it: it moves no definition, and is told beside what was computed."""
    rows = chart.record.by_finding.get(chart.follow.endpoints.relapse, ())
    for day in days_of(event for event in rows if event.status != ABSENT):
        known = next((items for line, _, items in found if line.start < day and (not line.end or day <= line.end)), ())
        there = [item for item in known if item.day is not None and (item.gone is None or item.gone > day)]
        shown = [f"{item.label} since {item.day}" for item in there]
        yield Caution(
            f"relapse-recorded-{day}",
            f"The record says relapse or progression on {day}. "
            + (
                f"Of the definitions computed here this line of treatment shows: {listed(shown)}."
                if shown
                else "From what is recorded the definitions computed here do not show it."
            ),
        )


def _changed(chart: Chart) -> Iterator[Caution]:
    """Series that cannot be joined: another specimen, assay or laboratory limit."""
    families: dict[str, list[Series]] = {}
    for marker in chart.follow.markers.values():
        family = chart.knowledge.concepts[marker.concept].of or marker.concept
        families.setdefault(family, []).extend(chart.series(marker.concept))
    for family, known in families.items():
        if len(known) > 1:
            names = list(dict.fromkeys(chart.label(one.finding) for one in known))
            yield Caution(
                f"series-{family}",
                f"{listed(names)} {'stand' if len(names) > 1 else 'stands'} in {len(known)} series (another specimen, "
                "assay or laboratory limit). Each has its own baseline and lowest value; none is compared with "
                "another.",
            )


def _baselines(chart: Chart, lines: Sequence[tuple[Line, Stretch]]) -> Iterator[Caution]:
    """A baseline that something else may have raised makes a fall look like a response."""
    if not lines:
        return
    line, stretch = lines[-1]
    for marker in chart.follow.markers.values():
        for event in stretch.baseline.by_finding.get(marker.concept, ()):
            near = [item for item in explanations(chart, marker.concept, event.date or line.start) if item.is_passing]
            if near and event.value is not None:
                yield Caution(
                    f"baseline-{marker.concept}",
                    f"{chart.label(marker.concept)} of {event.date}, before "
                    f"line {line.number}, may have been raised by something else, so that a fall from it need "
                    f"not be a response. {near[0].explanation.text}",
                    source=near[0].explanation.source,
                )


def _transplant(chart: Chart) -> Iterator[Caution]:
    given = infusions(chart)
    if any(event.date is None for event in given):
        yield Caution(
            "day-0-missing",
            "A transplant is recorded without a date: day 0 is not known, so the definitions "
            "of engraftment syndrome and their days cannot be computed. Enter the day of the infusion.",
        )
    for day in sorted({event.date for event in given if event.date is not None}):
        number = (chart.as_of - day).days
        open_ = [
            item
            for item in chart.follow.engraftment.definitions
            if item.anchor == DAY_0 and item.to_days is not None and item.from_days <= number <= item.to_days
        ]
        if open_:
            yield Caution(
                "engraftment-days",
                f"Day {number} after the transplant of {day}: engraftment syndrome is said "
                f"to come on day {open_[0].from_days} to {open_[0].to_days} in POEMS, with or without "
                "neutrophils.",
                source=open_[0].source,
            )


def _courses(chart: Chart) -> Iterator[Caution]:
    """Entries of a treatment as given that lie too far apart for one course."""
    window = chart.follow.windows["one-course-days"]
    for finding in sorted(chart.once):
        for span, after in pairwise(span for span in chart.spans if span.finding == finding):
            yield Caution(
                f"courses-{finding}-{after.start}",
                f"{chart.label(finding)} is recorded on {span.start} and on {after.start}: it was read as given twice. "
                "If the second entry only repeats the first, correct it.",
            )
    for finding in window.treatments:
        known = [span for span in chart.spans if span.finding == finding]
        for span, after in pairwise(known):
            if span.events[-1].status != ABSENT:
                yield Caution(
                    f"courses-{finding}-{after.start}",
                    f"{chart.label(finding)} is recorded as given on {span.end} and on {after.start}, without an end "
                    "between: it was read as two courses. If it was one, or the second entry only repeats the first, "
                    "correct it.",
                    source=window.source,
                )


def _treatments(chart: Chart) -> Iterator[Caution]:
    undated = [
        chart.label(finding)
        for finding in chart.knowledge.clone_therapies
        if any(e.date is None and e.status != ABSENT for e in chart.record.by_finding.get(finding, ()))
    ]
    if undated:
        yield Caution(
            "treatment-undated",
            f"Recorded without a date: {listed(undated)}. What came before and after it "
            "cannot be told, so no response or relapse is computed from it.",
        )
    stops = [
        chart.label(finding)
        for finding in chart.knowledge.clone_therapies
        if (rows := [e for e in chart.record.by_finding.get(finding, ()) if e.date is not None])
        and all(event.status == ABSENT for event in rows)
    ]
    if stops:
        yield Caution(
            "stop-without-start", f"A stop without a start is recorded: {listed(stops)}. It was read as not given."
        )
