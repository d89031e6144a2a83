"""A patient's course: treatments as spans, quantities as series that may be compared, slices of the record in time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import groupby
from operator import sub, truediv

from poems.record import ABSENT, PRESENT, Event, Record

OF_BASELINE, OF_NADIR, ABOVE_NADIR = "of-baseline", "of-nadir", "above-nadir"
RATIO = "1"  # the UCUM unit of a value divided by another


@dataclass(frozen=True)
class Span:
    """One treatment: from the first day recorded, to the day it was recorded as stopped, or open."""

    finding: str
    start: date
    end: date | None
    events: tuple[Event, ...]


@dataclass(frozen=True)
class Series:
    """Samples of one quantity that may be compared: same concept (so same specimen), same assay, same laboratory limit.

    samples: dated, oldest first; values in the concept's unit. A new specimen, assay or limit is a new series with its
    own baseline, never a jump.
    """

    finding: str
    method: str
    upper_limit: float | None
    samples: tuple[Event, ...]


@dataclass(frozen=True)
class Line:
    """One line of treatment: from its first treatment until the next line, which a relapse or progression parts."""

    number: int
    start: date
    end: date | None
    spans: tuple[Span, ...]

    @property
    def treatments(self) -> tuple[str, ...]:
        """What was given, each once, in the order it began."""
        return tuple(dict.fromkeys(span.finding for span in self.spans))


def spans(record: Record, treatments: Iterable[str], one_course: Mapping[str, int] | None = None) -> tuple[Span, ...]:
    """Every course of every treatment, earliest first; a later `absent` row is its stop, a `present` then a restart.

    An undated row cannot be placed and makes no span; on one day a start is read before a stop. one_course: of certain
    treatments, how many days at most lie between two rows of one course; what is further apart is another course, and
    the one before ended with its last row. Of what is given on a single day that is 0.
    """
    found: list[Span] = []
    longest = one_course or {}
    for finding in treatments:
        rows = sorted(
            (
                (event.date, event.status == ABSENT, event)
                for event in record.by_finding.get(finding, ())
                if event.date is not None
            ),
            key=lambda row: row[:2],
        )
        running: list[Event] = []
        for day, stops, event in rows:
            if not stops:
                if running and finding in longest and (day - _day(running[-1])).days > longest[finding]:
                    found.append(Span(finding, _day(running[0]), _day(running[-1]), tuple(running)))
                    running = []
                running.append(event)
            elif running:
                found.append(Span(finding, _day(running[0]), day, (*running, event)))
                running = []
        if running:
            found.append(Span(finding, _day(running[0]), None, tuple(running)))
    return tuple(sorted(found, key=lambda span: (span.start, span.finding)))


def series(record: Record, finding: str) -> tuple[Series, ...]:
    """The dated measurements of a quantity, one series per assay and laboratory limit, by their first sample.

    Samples of one day stand by their value, the lower first, whatever the order of the rows.
    """
    groups: dict[tuple[str, float | None], list[Event]] = {}
    for event in sorted(
        (e for e in record.by_finding.get(finding, ()) if e.date is not None and e.value is not None), key=in_order
    ):
        groups.setdefault((event.method, event.upper_limit), []).append(event)
    return tuple(Series(finding, method, limit, tuple(samples)) for (method, limit), samples in groups.items())


def within(
    record: Record,
    start: date | None = None,
    end: date | None = None,
    undated: bool = False,
    extra: Iterable[Event] = (),
) -> Record:
    """The slice of a record from a day to a day, both included, with extra (derived) events of the same days.

    undated: whether events without a date come along; where a slice has to say what came when, they cannot.
    """
    kept = [event for event in (*record.events, *extra) if _lies(event, start, end, undated)]
    return Record(record.patient, tuple(kept), end or record.as_of)


def _lies(event: Event, start: date | None, end: date | None, undated: bool) -> bool:
    if event.date is None:
        return undated
    return (start is None or start <= event.date) and (end is None or event.date <= end)


def baseline_of(one: Series, start: date, days: int) -> tuple[Event, ...]:
    """The samples of the last sampled day on or before `start`, at most so many days before it."""
    oldest = shifted(start, -days)
    near = [e for e in one.samples if oldest <= _day(e) <= start]
    return tuple(event for event in near if event.date == near[-1].date)


def derived(one: Series, start: date, days: int, fall: float | None = None) -> dict[Event, Event]:
    """What each sample after `start` is beside the baseline and the nadir of its own series: derived event -> sample.

    Findings: `<quantity>/of-baseline` and `/of-nadir` (quotients, unit 1), `/above-nadir` (a difference, in the unit of
    the quantity). The baseline is the last sample on or before `start`, at most so many days before it; the nadir of a
    sample the lowest from the baseline on, up to the sample itself. A quotient of censored values keeps the side it is
    sure of; where it is sure of none there is no event, and the question stays open. Several samples on one day each
    speak: the higher counts for a rise and against a fall, as `Above` has it.

    Before the day of `compared_from` the true nadir may be lower than any sample of the series: what lies above it is
    then a lower bound (`>=`), which can show a rise and cannot exclude one.
    """
    before = baseline_of(one, start, days)
    known_from = compared_from(one, start, days, fall)
    found: dict[Event, Event] = {}
    lowest: Event | None = None
    for baseline in before:
        lowest = _lowest(baseline, lowest)
    for sample in one.samples:
        if _day(sample) <= start:
            continue
        for baseline in before:
            _put(found, sample, baseline, OF_BASELINE, truediv)
        lowest = _lowest(sample, lowest)
        if lowest is not None:
            is_bound = known_from is None or _day(sample) < known_from
            reference = replace(lowest, comparator=lowest.comparator or "<=") if is_bound else lowest
            _put(found, sample, reference, OF_NADIR, truediv)
            _put(found, sample, reference, ABOVE_NADIR, sub)
    return found


def compared_from(one: Series, start: date, days: int, fall: float | None = None) -> date | None:
    """The first day from which a series tells how far a sample lies above the lowest value since `start`, or None.

    With a baseline it can from the start. A series that begins later (another laboratory, assay or specimen, or the
    first test ever) does not show how low the quantity was before. It can once a sample of an earlier day lies behind
    and its lowest value is low by itself: within the laboratory's own limit, or as far below an earlier sample as the
    rise that a rule asks for (`fall`, a quotient).
    """
    if baseline_of(one, start, days):
        return start
    lowest: Event | None = None
    highest = 0.0
    is_first = True
    for day, samples in groupby((event for event in one.samples if _day(event) > start), key=_day):
        for sample in samples:
            lowest = _lowest(sample, lowest)
            if lowest is not None and not is_first and _is_low(lowest, highest, fall):
                return day
            highest = max(highest, 0.0 if sample.comparator.startswith("<") else sample.value or 0.0)
        is_first = False
    return None


def _is_low(lowest: Event, highest: float, fall: float | None) -> bool:
    """Whether the lowest value of a series is known to be low without what was measured before the series."""
    value, limit = lowest.value or 0.0, lowest.upper_limit
    return (limit is not None and value <= limit) or (fall is not None and highest > fall * value)


def _put(
    found: dict[Event, Event], sample: Event, other: Event, what: str, operator: Callable[[float, float], float]
) -> None:
    value, reference = sample.value, other.value
    sign = "" if sample is other else _sign(sample.comparator, other.comparator)
    if value is None or reference is None or sign is None or (what != ABOVE_NADIR and reference <= 0):
        return
    unit = sample.unit if what == ABOVE_NADIR else RATIO
    found[
        replace(
            sample,
            finding=f"{sample.finding}/{what}",
            status="",
            value=operator(value, reference),
            unit=unit,
            comparator=sign,
            upper_limit=None,
        )
    ] = sample


_TURNED = {"": "", "<": ">", "<=": ">=", ">": "<", ">=": "<="}


def _sign(own: str, other: str) -> str | None:
    """The comparator of `own` beside `other` (divided by it, or less it); None where the two pull apart."""
    signs = {sign for sign in (own, _TURNED[other]) if sign}
    if not signs:
        return ""
    if len({sign[0] for sign in signs}) > 1:
        return None
    return min(signs, key=len)


def _lowest(sample: Event, known: Event | None) -> Event | None:
    """The lowest sample so far; `>` only says that the true value is not lower, so that it is never the lowest."""
    if sample.comparator.startswith(">") or sample.value is None:
        return known
    return sample if known is None or known.value is None or sample.value < known.value else known


def same_day(one: Series) -> tuple[tuple[Event, ...], ...]:
    """The days on which a series holds values that differ."""
    days: dict[date, list[Event]] = {}
    for event in one.samples:
        days.setdefault(_day(event), []).append(event)
    return tuple(
        tuple(events) for events in days.values() if len({(event.value, event.comparator) for event in events}) > 1
    )


def mark(patient: str, finding: str, day: date, is_present: bool, because: Sequence[Event] = ()) -> Event:
    """A derived finding on a day, pointing at the place of what it was derived from."""
    return Event(
        patient,
        finding,
        day,
        PRESENT if is_present else ABSENT,
        source="; ".join(dict.fromkeys(event.source for event in because if event.source)),
    )


def days_of(events: Iterable[Event]) -> list[date]:
    """The days of events, each once, oldest first."""
    return sorted({event.date for event in events if event.date is not None})


def shifted(day: date, days: int) -> date:
    """So many days later, or earlier; at the most the last, or first, day of the calendar."""
    try:
        return day + timedelta(days)
    except OverflowError:
        return date.max if days > 0 else date.min


def in_order(event: Event) -> tuple[date, str, float, str, str, float, str, str, str, str]:
    """A place for each event that does not depend on the order of the rows: by day, finding, then what it says."""
    limit = event.upper_limit
    return (
        event.date or date.min,
        event.finding,
        -1.0 if event.value is None else event.value,
        event.comparator,
        event.method,
        -1.0 if limit is None else limit,
        event.status,
        event.specimen,
        event.unit,
        event.source,
    )


def _day(event: Event) -> date:
    assert event.date is not None
    return event.date
