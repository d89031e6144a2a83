"""One patient's follow-up: what changed, what the published definitions say, what the papers do then, when to look."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from poems.course import days_of
from poems.errors import Issue
from poems.evaluate import Judgement, judge
from poems.follow import faults, minded, outlook, response, transplant, trends, visits
from poems.follow import lines as lines_of
from poems.follow.chart import Chart
from poems.follow.model import (
    Definition,
    DomainResponse,
    Factor,
    Follow,
    Option,
    Pattern,
    Relapse,
    Survival,
    Transplant,
    Trend,
    Visit,
)
from poems.knowledge import Knowledge
from poems.models.differential import TARGET
from poems.record import PRESENT, Record
from poems.rules import Rule, Verdict

__all__ = [
    "Definition",
    "DomainResponse",
    "Factor",
    "Follow",
    "Option",
    "Pattern",
    "Relapse",
    "Survival",
    "Transplant",
    "Trend",
    "Visit",
    "follow",
]


def follow(record: Record, knowledge: Knowledge, *, as_of: date, issues: tuple[Issue, ...] = ()) -> Follow:
    """The follow-up of one record on a day.

    Response, relapse and trends are those of the current line of treatment; what earlier lines ended with is listed
    after the relapses of the current one. Rows that cannot be read (a day to come, a negative value, another unit) are
    left out, each with a named fault in `issues`; a row that stands there twice is read once. The order of the rows
    says nothing.
    """
    sound, issued = faults.sound(record, knowledge, as_of)
    chart = Chart(sound, knowledge, as_of)
    found = lines_of.stretches(chart)
    first, current = (found[0][1], found[-1][1]) if found else (None, None)
    diagnosed, diagnosed_by = diagnosis(chart)
    deaths = [e for e in sound.by_finding.get(knowledge.follow.endpoints.death, ()) if e.status == PRESENT]
    died = min(days_of(deaths), default=None)
    sheets = transplant.transplants(chart)
    days = [sheet.day_0 for sheet in sheets]
    return Follow(
        patient=sound.patient,
        as_of=as_of,
        knowledge=knowledge.version,
        record=sound,
        diagnosed=diagnosed,
        treatments=chart.spans,
        trends=trends.trends(chart, current.start if current else None, found[-1][2] if found else ()),
        scales=trends.scales(chart, current.start if current else None),
        responses=response.responses(current, died) if current else response.untreated(chart),
        relapses=(*found[-1][2], *lines_of.earlier(found)) if found else (),
        pattern=outlook.patterns(chart, first),
        options=outlook.options(chart),
        trials=outlook.trials(chart, current),
        prognosis=outlook.prognosis(chart, first, days),
        survival=tuple(outlook.survival(chart)),
        calendar=() if deaths else visits.calendar(chart, diagnosed, current, first),
        transplants=sheets,
        cautions=tuple(minded.cautions(chart, diagnosed, diagnosed_by, found)),
        died=died,
        issues=(*issues, *issued, *minded.doubts(chart, died)),
        lines=tuple(line for line, _, _ in found),
        diagnosed_by=diagnosed_by,
    )


def diagnosis(chart: Chart) -> tuple[date | None, str]:
    """The first day on which the strictest level of a POEMS set was met, with the set; else the first treatment.

    A set that undated findings alone meet has no day. The sets judge the time before treatment.
    """
    treated = chart.therapies[0].start if chart.therapies else None
    wanted = {item.id: item.levels[0].rule for item in chart.knowledge.criteria.values() if item.diagnoses == TARGET}
    patient, events = chart.record.patient, chart.record.events
    met = _met(wanted, chart.record)
    if not met or _met(met, Record(patient, tuple(event for event in events if event.date is None))):
        return treated, ""
    for day in days_of(events):
        known = Record(patient, tuple(event for event in events if event.date is None or event.date <= day), day)
        if now := _met(met, known):
            return day, next(iter(now))
    return treated, ""


def _met(rules: Mapping[str, Rule], record: Record) -> dict[str, Rule]:
    """The rules that a record meets."""
    memo: dict[int, Judgement] = {}
    return {key: rule for key, rule in rules.items() if judge(rule, record, memo).verdict is Verdict.MET}
