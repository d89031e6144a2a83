"""Events, the one table everything is read into, and one patient's record of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property

PRESENT, ABSENT = "present", "absent"
COMPARATORS = ("", "<", "<=", ">", ">=")
SPECIMENS = ("", "serum", "plasma", "urine", "csf", "marrow")
COLUMNS = ("patient", "date", "finding", "status", "value", "unit", "comparator", "specimen", "upper_limit", "method",
           "source")


@dataclass(frozen=True, slots=True)
class Event:
    """One observation: a finding recorded present or absent, a measured value, or both.

    finding: an id of the concepts. date: the day it was observed, None where the input does not say.
    status: `present`, `absent`, or empty where the value speaks; on a quantity, `present` means that the report
    calls it raised and `absent` that the report calls it not raised.
    value, upper_limit: in the concept's canonical unit (readers convert); finite, never NaN.
    comparator: `<`, `<=`, `>`, `>=` for a censored value. source: where in the input it stood.
    """

    patient: str
    finding: str
    date: date | None = None
    status: str = ""
    value: float | None = None
    unit: str = ""
    comparator: str = ""
    specimen: str = ""
    upper_limit: float | None = None
    method: str = ""
    source: str = ""


@dataclass(frozen=True)
class Record:
    """One patient's events known on a day.

    events: every event of the patient dated on or before `as_of`, and every undated one, in input order.
    """

    patient: str
    events: tuple[Event, ...]
    as_of: date | None = None
    _first: dict[tuple[str, ...], date | None] = field(default_factory=dict, repr=False, compare=False)
    _undated: dict[tuple[str, ...], bool] = field(default_factory=dict, repr=False, compare=False)

    @cached_property
    def by_finding(self) -> dict[str, tuple[Event, ...]]:
        """The events of each finding."""
        found: dict[str, list[Event]] = defaultdict(list)
        for event in self.events:
            found[event.finding].append(event)
        return {finding: tuple(events) for finding, events in found.items()}

    def first_day(self, findings: tuple[str, ...]) -> date | None:
        """The first dated day on which any of these findings (treatments) was recorded and not denied."""
        if findings not in self._first:
            days = [event.date for event in self._not_denied(findings) if event.date is not None]
            self._first[findings] = min(days, default=None)
        return self._first[findings]

    def undated(self, findings: tuple[str, ...]) -> bool:
        """Whether any of these findings (treatments) was recorded without a date, and not denied."""
        if findings not in self._undated:
            self._undated[findings] = any(event.date is None for event in self._not_denied(findings))
        return self._undated[findings]

    def _not_denied(self, findings: tuple[str, ...]) -> Iterator[Event]:
        return (event for finding in findings for event in self.by_finding.get(finding, ()) if event.status != ABSENT)


def records(events: Iterable[Event], as_of: date | None = None) -> list[Record]:
    """One record per patient, in order of first appearance; events after `as_of` are not yet known and left out."""
    patients: dict[str, list[Event]] = {}
    for event in events:
        known = patients.setdefault(event.patient, [])
        if as_of is None or event.date is None or event.date <= as_of:
            known.append(event)
    return [Record(patient, tuple(known), as_of) for patient, known in patients.items()]
