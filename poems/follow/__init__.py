"""One patient's follow-up: what changed, what the published definitions say, what the papers do then, when to look."""

from __future__ import annotations

from datetime import date

from poems.course import days_of
from poems.errors import Issue
from poems.follow import diagnosed as onset
from poems.follow import faults, minded, outlook, response, transplant, trends, visits
from poems.follow import foremost as before
from poems.follow import lines as lines_of
from poems.follow.chart import Chart
from poems.follow.model import (
    Definition,
    DomainResponse,
    Factor,
    Follow,
    Option,
    Pattern,
    Recorded,
    Relapse,
    Survival,
    Transplant,
    Trend,
    Visit,
)
from poems.knowledge import Knowledge
from poems.record import PRESENT, Record

__all__ = [
    "Definition",
    "DomainResponse",
    "Factor",
    "Follow",
    "Option",
    "Pattern",
    "Recorded",
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
    diagnosed, diagnosed_by = onset.diagnosis(chart)
    anew = onset.treated_anew(chart, diagnosed, diagnosed_by)
    found = lines_of.stretches(chart, anew)
    first = next((stretch for line, stretch, _ in found if anew is None or line.start == anew), None)
    current = found[-1][1] if found else None
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
        prognosis=outlook.prognosis(chart, first, days, diagnosed),
        survival=tuple(outlook.survival(chart)),
        calendar=() if deaths else visits.calendar(chart, diagnosed, current, first),
        transplants=sheets,
        doubtful=tuple(item.text for item in before.foremost(chart, died, diagnosed)),
        cautions=tuple(minded.cautions(chart, diagnosed, diagnosed_by, found)),
        died=died,
        issues=(*issues, *issued, *minded.doubts(chart, died)),
        lines=tuple(line for line, _, _ in found),
        diagnosed_by=diagnosed_by,
        recorded=lines_of.recorded(chart, found),
    )
