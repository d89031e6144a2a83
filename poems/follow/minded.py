"""What a reader has to mind: named faults of the record, and cautions about what was computed from it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date

from poems.course import Line, Series, same_day
from poems.errors import Issue
from poems.evaluate import Judgement, judge
from poems.explain import conflicts
from poems.follow.chart import Chart
from poems.follow.explained import explanations
from poems.follow.stretch import Stretch
from poems.follow.transplant import DAY_0, infusions
from poems.follow.words import listed
from poems.knowledge import Knowledge
from poems.models.differential import TARGET
from poems.record import ABSENT, Event, Record
from poems.review import Caution
from poems.rules import Verdict


def sound(record: Record, knowledge: Knowledge, as_of: date) -> tuple[Record, tuple[Issue, ...]]:
    """The record without what cannot be read, and a named fault for each row left out."""
    kept, issues = [], []
    for place, event in enumerate(record.events, 1):
        fault = _fault(event, knowledge, as_of)
        if fault is None:
            kept.append(event)
        else:
            issues.append(replace(fault, where=event.source or f"finding {place}"))
    return Record(record.patient, tuple(kept), as_of), tuple(issues)


def _fault(event: Event, knowledge: Knowledge, as_of: date) -> Issue | None:
    concept = knowledge.concepts.get(event.finding)
    if event.date is not None and event.date > as_of:
        return Issue(
            "fault",
            "",
            f"{event.finding} after the day asked about ({as_of})",
            "a day that has come",
            "Correct the date, or ask about a later day.",
        )
    if event.value is not None and not 0 <= event.value < float("inf"):
        return Issue(
            "fault",
            "",
            f"a value of {event.finding} that is negative or no number",
            "zero or more",
            "Correct the value.",
        )
    if event.value is not None and concept is not None and event.unit and event.unit != concept.unit:
        return Issue(
            "fault",
            "",
            f"{event.finding} in {event.unit}",
            concept.unit,
            "Read the record through the reader, which converts units.",
        )
    return None


def doubts(chart: Chart) -> Iterator[Issue]:
    """What was read, and still has to be looked at: zeros, two values on a day, rows without a day."""
    for marker in chart.follow.markers.values():
        for one in chart.series(marker.concept):
            zeros = [event for event in one.samples if event.value == 0]
            if zeros:
                yield Issue(
                    "caution",
                    _where(zeros),
                    f"{len(zeros)} values of {marker.concept} are zero",
                    "a value above zero, or < with the limit of detection",
                    "They count for response and relapse, and have no place in the trend.",
                )
            yield from _twice(one)
    for concept in chart.knowledge.concepts.values():
        undated = [e for e in chart.record.by_finding.get(concept.id, ()) if e.date is None]
        if undated and (concept.kind == "treatment" or any(event.value is not None for event in undated)):
            yield Issue(
                "caution",
                _where(undated),
                f"{concept.id} without a date",
                "YYYY-MM-DD",
                "It has no place in the course and was left out of everything that needs a day.",
            )


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
    return "; ".join(dict.fromkeys(event.source or event.finding for event in events))


def cautions(
    chart: Chart, diagnosed: date | None, diagnosed_by: str, lines: Sequence[tuple[Line, Stretch]]
) -> Iterator[Caution]:
    """The cautions of one course."""
    yield _diagnosis(chart, diagnosed, diagnosed_by)
    if not diagnosed_by and not _meets_a_set(chart):
        yield Caution(
            "no-set-met",
            "No criteria set of POEMS syndrome is met by this record. The definitions of "
            "response and relapse are those of POEMS and may not fit.",
        )
    for line, _ in lines[1:]:
        names = listed([chart.label(finding) for finding in line.treatments])
        yield Caution(
            f"line-{line.number}",
            f"Line {line.number} ({names}) began on {line.start}, after a definition "
            "of relapse or progression had been met, confirmed or not: baseline and lowest value start anew.",
        )
    yield from _changed(chart)
    yield from _baselines(chart, lines)
    yield from _transplant(chart)
    yield from _treatments(chart)
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


def _meets_a_set(chart: Chart) -> bool:
    """Whether any level of any set of POEMS syndrome is met."""
    memo: dict[int, Judgement] = {}
    sets = [item for item in chart.knowledge.criteria.values() if item.diagnoses == TARGET]
    return any(judge(level.rule, chart.record, memo).verdict is Verdict.MET for item in sets for level in item.levels)


def _diagnosis(chart: Chart, diagnosed: date | None, diagnosed_by: str) -> Caution:
    if diagnosed is None:
        return Caution(
            "diagnosis-day",
            "The day of diagnosis cannot be told: no criteria set is met on a dated finding "
            "and no treatment is dated. No calendar can be made.",
        )
    if diagnosed_by:
        return Caution(
            "diagnosis-day",
            f"Day of diagnosis: {diagnosed}, the first day on which the record met "
            f"{chart.knowledge.criteria[diagnosed_by].label}.",
        )
    return Caution(
        "diagnosis-day",
        f"Day of diagnosis: {diagnosed}, the first treatment; the record does not say on "
        "which day a criteria set was met.",
    )


def _changed(chart: Chart) -> Iterator[Caution]:
    """Series that cannot be joined: another specimen, assay or laboratory limit."""
    families: dict[str, list[Series]] = {}
    for marker in chart.follow.markers.values():
        family = chart.knowledge.concepts[marker.concept].of or marker.concept
        families.setdefault(family, []).extend(chart.series(marker.concept))
    for family, known in families.items():
        if len(known) > 1:
            yield Caution(
                f"series-{family}",
                f"{chart.label(family)} stands in {len(known)} series (another specimen, "
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
