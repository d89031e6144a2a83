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
        "oneOf": [_ref("any"), _many("any")],
        "$defs": {
            "any": {"oneOf": [_ref("review"), _ref("own-record")]},
            "review": _review(), "own-record": _own_record(), "set": _set(), "level": _level(), "part": _part(),
            "event": _event(), "reference": _reference(), "disease": _disease(), "evidence": _evidence(),
            "next-test": _next_test(), "caution": _caution(), "issue": _issue(),
            "ways": {"description": "Smallest sets of missing findings, shortest first.", "type": "array",
                     "items": {"type": "array", "items": ID}},
        },
    }


def _object(properties: Schema, described: str = "") -> Schema:
    made = {"type": "object", "required": list(properties), "properties": properties}
    return {"description": described, **made} if described else made


def _ref(name: str) -> Schema:
    return {"$ref": f"#/$defs/{name}"}


def _many(name: str) -> Schema:
    return {"type": "array", "items": _ref(name)}


def _or_null(part: Schema) -> Schema:
    return {"oneOf": [part, {"type": "null"}]}


def _cited() -> Schema:
    return {"source": {"description": "Id of a citation: poems knowledge cite ID.", "type": ["string", "null"]},
            "reference": _or_null(_ref("reference"))}


def _review() -> Schema:
    return _object({
        "patient": TEXT, "as_of": DAY, "knowledge": ID, "edition": {"const": "clinician"}, "setting": ID,
        "criteria": _many("set"), "differential": _many("disease"), "next_tests": _many("next-test"),
        "cautions": _many("caution"), "issues": _many("issue")}, "The clinician's edition.")


def _own_record() -> Schema:
    made = _object({
        "patient": TEXT, "as_of": DAY, "knowledge": ID, "edition": {"const": "patient"}, "record": _many("event"),
        "looked_at": {"type": "array", "items": _object({
            "id": ID, "label": ID, "recorded": {"type": "array", "items": TEXT}, "source": ID})},
        "ask_about": {"type": "array", "items": TEXT}, "questions": {"type": "array", "items": TEXT},
        "notes": {"type": "array", "items": TEXT}, "issues": _many("issue")},
        "The patient's edition: no verdict, no probability, no dose.")
    return {**made, "properties": {**made["properties"], "criteria": False, "differential": False, "next_tests": False}}


def _set() -> Schema:
    return _object({
        "id": ID, "label": ID, "verdict": VERDICT, "level": TEXT, "diagnoses": ID, **_cited(), "parts": _many("part"),
        "settled_by": _ref("ways"), "met_by": _ref("ways"), "levels": _many("level")},
        "One set of criteria; parts, settled_by and met_by are those of the level that the verdict stands for.")


def _level() -> Schema:
    return _object({"id": ID, "verdict": VERDICT, "parts": _many("part"), "settled_by": _ref("ways"),
                    "met_by": _ref("ways")}, "Levels are ordered from the strictest.")


def _part() -> Schema:
    return _object({"id": ID, "label": ID, "verdict": VERDICT, **_cited(), "because": _many("event"),
                    "parts": _many("part")})


def _event() -> Schema:
    return _object({
        "finding": ID, "label": ID, "date": DAY, "status": {"enum": ["present", "absent", ""]},
        "value": {"type": ["number", "null"]}, "unit": TEXT, "comparator": {"enum": ["", "<", "<=", ">", ">="]},
        "specimen": TEXT, "upper_limit": {"type": ["number", "null"]}, "method": TEXT,
        "source": {"description": "Where in the input it stood.", "type": "string"}})


def _reference() -> Schema:
    made = _object({"id": ID, "at": TEXT, "status": {"enum": ["read", "derived", "read-2nd", "seed", "assumed"]}})
    return {**made, "properties": {**made["properties"], "how": TEXT, "because": TEXT}}


def _disease() -> Schema:
    return _object({"disease": ID, "label": ID, "probability": SHARE, "low": SHARE, "high": SHARE, "prior": SHARE,
                    "evidence": _many("evidence")}, "low and high are the ends of the 95 % interval.")


def _evidence() -> Schema:
    return _object({
        "finding": ID, "label": ID, "verdict": VERDICT, "log_ratio": NUMBER,
        "grade": {"enum": ["counted", "reported", "assumed", "uncounted"]},
        "spoken_by": {"description": "The finding that says the same and counts in its place.", "type": "string"},
        "sources": _many("reference")})


def _next_test() -> Schema:
    return _object({"test": ID, "label": ID, "gain_bits": {"type": "number", "minimum": 0},
                    "could_settle": {"type": "array", "items": ID}, "burden": {"type": "integer"}, "why": TEXT,
                    **_cited()})


def _caution() -> Schema:
    return _object({"id": ID, "text": ID, **_cited()})


def _issue() -> Schema:
    return _object({"level": {"enum": ["fault", "caution", "note"]}, "where": TEXT, "found": TEXT, "expected": TEXT,
                    "fix": TEXT})


def text() -> str:
    """The schema as the file that is kept in docs."""
    return json.dumps(schema(), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.stdout.write(text())
