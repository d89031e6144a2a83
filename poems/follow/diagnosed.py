"""The day of diagnosis: when a criteria set was first met, or when the record names the disease."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from poems.course import days_of, shifted
from poems.evaluate import Judgement, judge
from poems.follow.chart import Chart
from poems.follow.model import RECORDED
from poems.models.differential import TARGET
from poems.record import ABSENT, Record
from poems.review import Caution
from poems.rules import Rule, Verdict


def diagnosis(chart: Chart) -> tuple[date | None, str]:
    """The first day on which the strictest level of a POEMS set was met, with the set, or on which the record names the
    disease, whichever is earlier; else the first treatment.

    A set that undated findings alone meet has no day. The sets judge the time before treatment.
    """
    treated = chart.therapies[0].start if chart.therapies else None
    named = recorded(chart)
    met_on, by = _first_met(chart, named)
    if met_on is not None:
        return met_on, by
    return (named, RECORDED) if named is not None else (treated, "")


def _first_met(chart: Chart, until: date | None) -> tuple[date | None, str]:
    """The first day on which a set was met, with the set; until: the day after which it does not matter."""
    wanted = {item.id: item.levels[0].rule for item in chart.knowledge.criteria.values() if item.diagnoses == TARGET}
    patient, events = chart.record.patient, chart.record.events
    met = _met(wanted, chart.record)
    if not met or _met(met, Record(patient, tuple(event for event in events if event.date is None))):
        return None, ""
    for day in days_of(events):
        if until is not None and day > until:
            break
        known = Record(patient, tuple(event for event in events if event.date is None or event.date <= day), day)
        if now := _met(met, known):
            return day, next(iter(now))
    return None, ""


def _met(rules: Mapping[str, Rule], record: Record) -> dict[str, Rule]:
    """The rules that a record meets."""
    memo: dict[int, Judgement] = {}
    return {key: rule for key, rule in rules.items() if judge(rule, record, memo).verdict is Verdict.MET}


def recorded(chart: Chart) -> date | None:
    """The first day on which the record names the disease, if nothing denies it since."""
    labels = [concept.id for concept in chart.knowledge.concepts.values() if concept.label_of == TARGET]
    rows = [e for label in labels for e in chart.record.by_finding.get(label, ()) if e.date is not None and e.status]
    denied = max((e.date for e in rows if e.status == ABSENT and e.date), default=date.min)
    return min((e.date for e in rows if e.status != ABSENT and e.date and e.date > denied), default=None)


def treated_anew(chart: Chart, diagnosed: date | None, diagnosed_by: str) -> date | None:
    """The first treatment after a recorded diagnosis, where all that was given before was given for something else.

    That is taken to be so where it was over by then and had begun before the time from which a baseline is taken: the
    findings of the diagnosis are no baseline of it, and they are that of what was begun then.
    """
    if diagnosed is None or diagnosed_by != RECORDED:
        return None
    before = [span for span in chart.therapies if span.start < diagnosed]
    oldest = shifted(diagnosed, -chart.follow.windows["baseline-days"].days)
    ends = [span.start if span.finding in chart.once else span.end or date.max for span in before]
    if not before or max(ends) > diagnosed or any(span.start >= oldest for span in before):
        return None
    return min((span.start for span in chart.therapies if span.start >= diagnosed), default=None)


def meets_a_set(chart: Chart) -> bool:
    """Whether any level of any set of POEMS syndrome is met."""
    memo: dict[int, Judgement] = {}
    sets = [item for item in chart.knowledge.criteria.values() if item.diagnoses == TARGET]
    return any(judge(level.rule, chart.record, memo).verdict is Verdict.MET for item in sets for level in item.levels)


def told(chart: Chart, diagnosed: date | None, diagnosed_by: str) -> Caution:
    """Which day counts as that of diagnosis, and how it was come by."""
    if diagnosed is None:
        return Caution(
            "diagnosis-day",
            "The day of diagnosis cannot be told: no criteria set is met on a dated finding "
            "and no treatment is dated. No calendar can be made.",
        )
    if diagnosed_by == RECORDED:
        return Caution("diagnosis-day", f"Day of diagnosis: {diagnosed}, as it is recorded.")
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
