"""A review as the stable JSON contract of docs/assess.schema.json."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Literal

from poems.errors import Issue
from poems.knowledge import Knowledge, Reference
from poems.models.differential import Evidence, Posterior
from poems.record import Event
from poems.render.patient import own, plain, without_dose
from poems.render.words import disease, label
from poems.review import Caution, LevelReview, NextTest, Part, Review, SetReview

Object = dict[str, Any]


def document(reviews: Sequence[Review], knowledge: Knowledge, edition: Literal["clinician", "patient"]) -> str:
    """One object for one patient, a list for several; UTF-8 text with a line end, every number finite."""
    if edition == "patient":
        made = [own_record(review, knowledge) for review in reviews]
    else:
        made = [as_object(review, knowledge) for review in reviews]
    return json.dumps(made[0] if len(made) == 1 else made, ensure_ascii=False, indent=2, allow_nan=False) + "\n"


def own_record(review: Review, knowledge: Knowledge) -> Object:
    """One review, patient's edition: no verdict, no probability, no dose."""
    page = own(review, knowledge)
    events = [without_dose(event, knowledge) for event in review.record.events]
    return {
        "patient": review.patient, "as_of": page.as_of or None, "knowledge": page.knowledge, "edition": "patient",
        "record": [event_object(event, knowledge) | {"label": plain(event.finding, knowledge)} for event in events],
        "looked_at": [{"id": item.id, "label": item.label, "recorded": list(item.recorded), "note": item.note,
                       "source": knowledge.components[item.id].source.id} for item in page.looked_at],
        "ask_about": list(page.ask_about), "questions": list(page.questions),
        "notes": [text for text, _ in page.notes], "remarks": list(page.remarks),
        "issues": [issue_object(issue) for issue in page.issues],
    }


def as_object(review: Review, knowledge: Knowledge) -> Object:
    """One review, clinician's edition."""
    return {
        "patient": review.patient,
        "as_of": review.as_of.isoformat() if review.as_of else None,
        "knowledge": review.knowledge,
        "edition": "clinician",
        "setting": review.setting,
        "criteria": [_set(item, knowledge) for item in review.criteria],
        "differential": [_posterior(item, knowledge) for item in review.differential],
        "next_tests": [_test(item) for item in review.next_tests],
        "cautions": [caution_object(item) for item in review.cautions],
        "issues": [issue_object(item) for item in review.issues],
    }


def event_object(event: Event, knowledge: Knowledge) -> Object:
    """One observation, with the words a person knows it by; what was not recorded is null or empty."""
    return {
        "finding": event.finding, "label": label(event.finding, knowledge),
        "date": event.date.isoformat() if event.date else None,
        "status": event.status, "value": event.value, "unit": event.unit, "comparator": event.comparator,
        "specimen": event.specimen, "upper_limit": event.upper_limit, "method": event.method, "source": event.source,
    }


def cited(reference: Reference | None) -> Object:
    """`source`, the id of a citation, and `reference`: where in it, and how sure we are of having read it."""
    return {"source": reference.id if reference else None,
            "reference": reference_object(reference) if reference else None}


def reference_object(reference: Reference) -> Object:
    """A place in a source."""
    parts = {"id": reference.id, "at": reference.at, "status": reference.status, "how": reference.how,
             "because": reference.because}
    return {key: value for key, value in parts.items() if value or key in ("id", "at", "status")}


def issue_object(issue: Issue) -> Object:
    """One thing the reader had to say about the input."""
    return {"level": issue.level, "where": issue.where, "found": issue.found, "expected": issue.expected,
            "fix": issue.fix}


def _set(item: SetReview, knowledge: Knowledge) -> Object:
    return {
        "id": item.criteria.id, "label": item.criteria.label, "verdict": item.verdict.value, "level": item.level,
        "diagnoses": item.criteria.diagnoses, **cited(item.criteria.source),
        "parts": [part_object(part, knowledge) for part in item.parts],
        "settled_by": item.settled_by, "met_by": item.met_by,
        "levels": [_level(level, knowledge) for level in item.levels],
    }


def _level(level: LevelReview, knowledge: Knowledge) -> Object:
    return {"id": level.id, "verdict": level.verdict.value,
            "parts": [part_object(part, knowledge) for part in level.parts],
            "settled_by": level.settled_by, "met_by": level.met_by}


def part_object(part: Part, knowledge: Knowledge) -> Object:
    """One part of a rule with its reasons."""
    return {
        "id": part.id, "label": part.label, "verdict": part.verdict.value,
        **cited(part.criterion.source if part.criterion else None),
        "because": [event_object(event, knowledge) for event in part.because],
        "parts": [part_object(inner, knowledge) for inner in part.parts],
    }


def _posterior(item: Posterior, knowledge: Knowledge) -> Object:
    return {
        "disease": item.disease, "label": disease(item.disease, knowledge), "probability": item.probability,
        "low": item.low, "high": item.high, "prior": item.prior,
        "evidence": [_evidence(evidence) for evidence in item.evidence],
    }


def _evidence(item: Evidence) -> Object:
    return {"finding": item.finding, "label": item.label, "verdict": item.verdict.value, "log_ratio": item.log_ratio,
            "grade": item.grade, "spoken_by": item.spoken_by,
            "sources": [reference_object(source) for source in item.sources]}


def _test(item: NextTest) -> Object:
    return {"test": item.id, "label": item.label, "gain_bits": item.gain_bits, "could_settle": list(item.could_settle),
            "burden": item.burden, "why": item.why, **cited(item.source)}


def caution_object(item: Caution) -> Object:
    """Something that the reader must mind."""
    return {"id": item.id, "text": item.text, **cited(item.source)}
