"""The JSON Schema of `poems assess --format json`: `python -m poems.render.schema > docs/assess.schema.json`."""

from __future__ import annotations

import json
import sys
from typing import Any

Schema = dict[str, Any]
TEXT: Schema = {"type": "string"}
ID: Schema = {"type": "string", "minLength": 1}
NUMBER: Schema = {"type": "number"}
SHARE: Schema = {"type": "number", "minimum": 0, "maximum": 1}
DAY: Schema = {"type": ["string", "null"], "format": "date"}
VERDICT: Schema = {"enum": ["met", "not met", "unknown"]}


def schema() -> Schema:
    """The contract: one object for one patient, a list for several. Keys may be added; none listed here goes away."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A review of one or several records by poems",
        "oneOf": [ref("any"), many("any")],
        "$defs": {
            "any": {"oneOf": [ref("review"), ref("own-record")]},
            "review": _review(), "own-record": _own_record(), "set": _set(), "level": _level(),
            "disease": _disease(), "evidence": _evidence(), "next-test": _next_test(), **shared(),
        },
    }


def shared() -> Schema:
    """What a review and a course say alike: parts with reasons, events, citations, cautions, issues."""
    return {
        "part": _part(), "event": _event(), "reference": _reference(), "caution": _caution(), "issue": _issue(),
        "ways": {"description": "Smallest sets of missing findings, shortest first.", "type": "array",
                 "items": {"type": "array", "items": ID}},
    }


def shape(properties: Schema, described: str = "") -> Schema:
    """An object that has all of these."""
    made = {"type": "object", "required": list(properties), "properties": properties}
    return {"description": described, **made} if described else made


def ref(name: str) -> Schema:
    """One of the definitions."""
    return {"$ref": f"#/$defs/{name}"}


def many(name: str) -> Schema:
    """A list of one of the definitions."""
    return {"type": "array", "items": ref(name)}


def or_null(part: Schema) -> Schema:
    """It, or null."""
    return {"oneOf": [part, {"type": "null"}]}


def cited() -> Schema:
    """The two keys of a citation."""
    return {"source": {"description": "Id of a citation: poems knowledge cite ID.", "type": ["string", "null"]},
            "reference": or_null(ref("reference"))}


def _review() -> Schema:
    return shape({
        "patient": TEXT, "as_of": DAY, "knowledge": ID, "edition": {"const": "clinician"}, "setting": ID,
        "criteria": many("set"), "differential": many("disease"), "next_tests": many("next-test"),
        "cautions": many("caution"), "issues": many("issue")}, "The clinician's edition.")


def _own_record() -> Schema:
    made = shape({
        "patient": TEXT, "as_of": DAY, "knowledge": ID, "edition": {"const": "patient"}, "record": many("event"),
        "looked_at": {"type": "array", "items": shape({
            "id": ID, "label": ID, "recorded": {"description": "Each finding with its result and day.", "type": "array",
                                               "items": TEXT},
            "note": {"description": "What a finding that was not found leaves open.", "type": "string"},
            "source": ID})},
        "ask_about": {"type": "array", "items": TEXT}, "questions": {"type": "array", "items": TEXT},
        "notes": {"type": "array", "items": TEXT},
        "remarks": {"description": "The issues in plain words.", "type": "array", "items": TEXT},
        "issues": many("issue")},
        "The patient's edition: no verdict, no probability, no dose.")
    return {**made, "properties": {**made["properties"], "criteria": False, "differential": False, "next_tests": False}}


def _set() -> Schema:
    return shape({
        "id": ID, "label": ID, "verdict": VERDICT, "level": TEXT, "diagnoses": ID, **cited(), "parts": many("part"),
        "settled_by": ref("ways"), "met_by": ref("ways"), "levels": many("level")},
        "One set of criteria; parts, settled_by and met_by are those of the level that the verdict stands for.")


def _level() -> Schema:
    return shape({"id": ID, "verdict": VERDICT, "parts": many("part"), "settled_by": ref("ways"),
                    "met_by": ref("ways")}, "Levels are ordered from the strictest.")


def _part() -> Schema:
    return shape({"id": ID, "label": ID, "verdict": VERDICT, **cited(), "because": many("event"),
                    "parts": many("part")})


def _event() -> Schema:
    return shape({
        "finding": ID, "label": ID, "date": DAY, "status": {"enum": ["present", "absent", ""]},
        "value": {"type": ["number", "null"]}, "unit": TEXT, "comparator": {"enum": ["", "<", "<=", ">", ">="]},
        "specimen": TEXT, "upper_limit": {"type": ["number", "null"]}, "method": TEXT,
        "source": {"description": "Where in the input it stood.", "type": "string"}})


def _reference() -> Schema:
    made = shape({"id": ID, "at": TEXT, "status": {"enum": ["read", "derived", "read-2nd", "seed", "assumed"]}})
    return {**made, "properties": {**made["properties"], "how": TEXT, "because": TEXT}}


def _disease() -> Schema:
    return shape({"disease": ID, "label": ID, "probability": SHARE, "low": SHARE, "high": SHARE, "prior": SHARE,
                    "evidence": many("evidence")}, "low and high are the ends of the 95 % interval.")


def _evidence() -> Schema:
    return shape({
        "finding": ID, "label": ID, "verdict": VERDICT, "log_ratio": NUMBER,
        "grade": {"enum": ["counted", "reported", "assumed", "uncounted"]},
        "spoken_by": {"description": "The finding that says the same and counts in its place.", "type": "string"},
        "sources": many("reference")})


def _next_test() -> Schema:
    return shape({"test": ID, "label": ID, "gain_bits": {"type": "number", "minimum": 0},
                    "could_settle": {"type": "array", "items": ID}, "burden": {"type": "integer"}, "why": TEXT,
                    **cited()})


def _caution() -> Schema:
    return shape({"id": ID, "text": ID, **cited()})


def _issue() -> Schema:
    return shape({"level": {"enum": ["fault", "caution", "note"]}, "where": TEXT, "found": TEXT, "expected": TEXT,
                    "fix": TEXT})


def text(made: Schema | None = None) -> str:
    """A schema, that of a review unless another is given, as the file that is kept in docs."""
    return json.dumps(made or schema(), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.stdout.write(text())
