"""A course as the stable JSON contract of docs/follow.schema.json."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date
from math import isfinite
from typing import Any, Literal

from poems.course import Series, Span
from poems.follow import (
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
from poems.knowledge import Knowledge, Reference
from poems.record import Event
from poems.render.as_json import caution_object, cited, event_object, issue_object, part_object, reference_object
from poems.render.follow_patient import own_course
from poems.render.follow_words import name_of_test
from poems.render.patient import plain, without_dose
from poems.render.words import label

Object = dict[str, Any]


def document(follows: Sequence[Follow], knowledge: Knowledge, edition: Literal["clinician", "patient"]) -> str:
    """One object for one patient, a list for several; UTF-8 text with a line end, every number finite."""
    make = own_object if edition == "patient" else as_object
    made = [make(follow, knowledge) for follow in follows]
    return json.dumps(made[0] if len(made) == 1 else made, ensure_ascii=False, indent=2, allow_nan=False) + "\n"


def own_object(follow: Follow, knowledge: Knowledge) -> Object:
    """One course, patient's edition: no verdict, no probability, no dose."""
    page = own_course(follow, knowledge)
    events = [without_dose(event, knowledge) for event in follow.record.events]
    return {
        "patient": follow.patient, "as_of": page.as_of, "knowledge": page.knowledge, "edition": "patient",
        "died": _day(follow.died),
        "record": [event_object(event, knowledge) | {"label": plain(event.finding, knowledge)} for event in events],
        "treatments": [{"label": item.label, "days": item.days} for item in page.treatments],
        "values": [{"label": item.label, "values": [{"date": day, "value": seen} for day, seen in item.values],
                    "words": list(item.words)} for item in page.values],
        "visits": [{"when": item.when, "later": list(item.later), "then": item.then, "tests": list(item.tests),
                    "overdue": item.is_overdue} for item in page.visits],
        "questions": list(page.questions), "urgent": [text for text, _ in page.urgent],
        "notes": [text for text, _ in page.notes], "remarks": list(page.remarks),
        "issues": [issue_object(issue) for issue in page.issues],
    }


def as_object(follow: Follow, knowledge: Knowledge) -> Object:
    """One course, clinician's edition."""
    return {
        "patient": follow.patient, "as_of": follow.as_of.isoformat(), "knowledge": follow.knowledge,
        "edition": "clinician", "diagnosed": _day(follow.diagnosed), "diagnosed_by": follow.diagnosed_by or None,
        "died": _day(follow.died),
        "treatments": [_span(item, knowledge) for item in follow.treatments],
        "lines": [{"number": item.number, "start": _day(item.start), "end": _day(item.end),
                   "treatments": list(item.treatments)} for item in follow.lines],
        "trends": [_trend(item, knowledge) for item in follow.trends],
        "scales": [{**_series(series, knowledge), "change": said} for series, said in follow.scales],
        "responses": [_response(item, knowledge) for item in follow.responses],
        "relapses": [_relapse(item, knowledge) for item in follow.relapses],
        "recorded_relapses": [{"date": _day(item.day), "line": item.line, "shown": item.shown, "why": item.why,
                               "denied": _day(item.denied), "because": _because(item.because, knowledge)}
                              for item in follow.recorded],
        "first_treatment": [_pattern(item, knowledge) for item in follow.pattern],
        "options": [_option(item) for item in follow.options],
        "trials": [_pattern(item, knowledge) for item in follow.trials],
        "prognosis": [_factor(item, knowledge) for item in follow.prognosis],
        "survival": [_survival(item) for item in follow.survival],
        "calendar": [_visit(item, knowledge) for item in follow.calendar],
        "transplants": [_transplant(item, knowledge) for item in follow.transplants],
        "doubtful": list(follow.doubtful), "cautions": [caution_object(item) for item in follow.cautions],
        "issues": [issue_object(item) for item in follow.issues],
    }


def _day(day: date | None) -> str | None:
    return day.isoformat() if day else None


def _finite(value: float | None) -> float | None:
    return value if value is not None and isfinite(value) else None


def _because(events: Sequence[Event], knowledge: Knowledge) -> list[Object]:
    return [event_object(event, knowledge) for event in events]


def _span(item: Span, knowledge: Knowledge) -> Object:
    return {"finding": item.finding, "label": label(item.finding, knowledge), "start": _day(item.start),
            "end": _day(item.end), "because": _because(item.events, knowledge)}


def _series(item: Series, knowledge: Knowledge) -> Object:
    return {"finding": item.finding, "label": label(item.finding, knowledge), "method": item.method,
            "upper_limit": item.upper_limit, "samples": _because(item.samples, knowledge)}


def _trend(item: Trend, knowledge: Knowledge) -> Object:
    weeks = item.crossing_weeks
    return {
        **_series(item.series, knowledge),
        "course": [{"date": _day(day), "level": _finite(level), "low": _finite(low), "high": _finite(high)}
                   for day, level, low, high in zip(item.days, item.level, item.low, item.high, strict=True)],
        "now": {"level": _finite(item.now), "low": _finite(item.now_low), "high": _finite(item.now_high)},
        "nadir": _finite(item.nadir), "nadir_date": _day(item.nadir_day), "p_rise": _finite(item.p_rise),
        "p_above_limit": _finite(item.p_above),
        "crossing_weeks": {"median": _finite(weeks[0]), "low": _finite(weeks[1]), "high": _finite(weeks[2])}
        if weeks else None,
        "last_is_noise": _finite(item.last_is_noise),
        "repeat": [{"weeks": count, "confirms": up, "speaks_against": down} for count, up, down in item.repeat],
        "alarm": item.alarm, "definition": item.definition or None,
        "sensitivity": [{"noise": name, "p_rise": share} for name, share in item.sensitivity],
        "explained_by": _because(item.explained_by, knowledge), "notes": list(item.notes),
        "sources": [reference_object(source) for source in item.sources],
    }


def _response(item: DomainResponse, knowledge: Knowledge) -> Object:
    return {"id": item.id, "label": item.label, "now": item.now, "best": item.best, "best_date": _day(item.best_day),
            "until": _day(item.until), "is_lost": item.is_lost, "duration_days": item.duration_days,
            "relapse_recorded": _day(item.relapsed), "why": item.why, **cited(item.source),
            "parts": [part_object(part, knowledge) for part in item.parts], "drafts": list(item.drafts)}


def _relapse(item: Relapse, knowledge: Knowledge) -> Object:
    return {"id": item.id, "label": item.label, "verdict": item.verdict.value, "date": _day(item.day),
            "confirmed": item.confirmed, "samples_asked_for": item.samples, "first_met": _day(item.met_from),
            "not_met_any_more": _day(item.gone), "why": item.why, "beside": list(item.beside),
            "reading": item.reading, "denied": _day(item.denied), "not_counted": [
                {"finding": name, "date": _day(day), "why": why} for name, day, why in item.not_counted],
            **cited(item.source),
            "because": _because(item.because, knowledge),
            "literature": {"text": item.literature, **cited(item.literature_source)}}


def _pattern(item: Pattern, knowledge: Knowledge) -> Object:
    return {"id": item.id, "label": item.label, "verdict": item.verdict.value, "why": item.why, **cited(item.source),
            "parts": [part_object(part, knowledge) for part in item.parts], "settled_by": item.settled_by}


def _option(item: Option) -> Object:
    return {"id": item.id, "label": item.label, "setting": item.setting,
            "outcomes": [{"what": what, "text": said, **cited(source)} for what, said, source in item.outcomes],
            "harms": [{"text": said, **cited(source)} for said, source in item.harms]}


def _factor(item: Factor, knowledge: Knowledge) -> Object:
    return {"id": item.id, "label": item.label, "verdict": item.verdict.value, "outcome": item.outcome,
            "hazard_ratio": item.hazard_ratio, "low": item.low, "high": item.high, "cohort": item.cohort,
            "applies": item.applies, **cited(item.source), "because": _because(item.because, knowledge)}


def _survival(item: Survival) -> Object:
    return {"cohort": item.cohort, "era": item.era, "n": item.n, **cited(item.source), "note": item.note,
            "points": [{"outcome": outcome, "years": years, "percent": share} for outcome, years, share in item.points]}


def _visit(item: Visit, knowledge: Knowledge) -> Object:
    return {"date": _day(item.day), "latest": _day(item.latest), "label": item.label, "overdue": item.overdue,
            "because": item.because, **cited(item.source),
            "tests": [_test(name, item, knowledge) for name in item.tests]}


def _test(name: str, visit: Visit, knowledge: Knowledge) -> Object:
    """What is looked at in a visit; with its own days where it is counted from the record."""
    own = next(({"last": _day(due.last), "date": _day(due.day), "latest": _day(due.latest)}
                for due in visit.dues if due.test == name), {})
    return {"id": name, "label": name_of_test(name, knowledge), **own}


def _transplant(item: Transplant, knowledge: Knowledge) -> Object:
    return {
        "day_0": _day(item.day_0), "definitions": [_definition(one, knowledge) for one in item.definitions],
        "rates": [_said(said, source) | {"cohort": cohort} for cohort, said, source in item.rates],
        "text": [_said(said, source) for said, source in item.text]}


def _definition(item: Definition, knowledge: Knowledge) -> Object:
    return {"id": item.id, "label": item.label, "verdict": item.verdict.value, "window": item.window,
            "in_window": item.in_window, **cited(item.source),
            "parts": [part_object(part, knowledge) for part in item.parts]}


def _said(text: str, source: Reference) -> Object:
    return {"text": text, **cited(source)}
