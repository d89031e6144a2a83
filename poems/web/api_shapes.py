"""What the programming interface takes and gives: each shape as JSON Schema, and the library's objects in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from jsonschema import Draft202012Validator

from poems.adapters import FORMATS
from poems.adapters.document import kind
from poems.errors import Issue
from poems.exports import FORMATS as WRITTEN
from poems.knowledge import Knowledge
from poems.record import COMPARATORS
from poems.render import follow_schema
from poems.render import schema as review_schema
from poems.render.as_json import event_object, issue_object
from poems.render.schema import ID, TEXT, Schema, or_null, shape
from poems.store import Change, Entry, Import, Patient
from poems.web.accounts import ROLES
from poems.web.entry import FIELDS
from poems.web.imports import File

Object = dict[str, Any]
COUNT: Schema = {"type": "integer", "minimum": 0}
NUMBER: Schema = {"type": "integer", "minimum": 1, "maximum": 10**15 - 1}
FLAG: Schema = {"type": "boolean"}
MOMENT: Schema = {"type": "string", "format": "date-time"}
NOTE: Schema = {"description": "Why, for the history.", "type": "string", "maxLength": 500}
TEXT_OR_NULL: Schema = {"type": ["string", "null"]}
MEASURE: Schema = {"description": "A number, or a text such as <20.", "type": ["number", "string", "null"]}
REVISION: Schema = {"description": "Of the patient, as it was seen last.", **NUMBER}
MOST = 1_000


def of(name: str) -> Schema:
    """A shape that is named below."""
    return {"$ref": f"#/components/schemas/{name}"}


def many(name: str) -> Schema:
    """A list of a shape that is named below."""
    return {"type": "array", "items": of(name)}


def taken(properties: Schema, *required: str) -> Schema:
    """An object that a program sends: a key that nobody knows is a mistake, and is refused."""
    return {"type": "object", "properties": properties, "required": list(required), "additionalProperties": False}


OBSERVATION = taken({
    "finding": {"description": "An id, label or synonym of a concept.", "type": "string", "minLength": 1},
    "status": {"description": "present, absent, or (of a number) raised, not raised.", **TEXT_OR_NULL},
    "value": MEASURE, "unit": {"description": "As the report prints it; needed with a number.", **TEXT_OR_NULL},
    "comparator": {"enum": [*COMPARATORS, None]},
    "specimen": {"description": "Needed where several are measured; not-said where the report does not tell.",
                 **TEXT_OR_NULL},
    "upper_limit": {**MEASURE, "description": "The laboratory's own, in the same unit."},
    "date": {"description": "YYYY-MM-DD; null or nothing where the day is not known.", **TEXT_OR_NULL},
    "method": TEXT_OR_NULL, "source": {"description": "Where it stands.", **TEXT_OR_NULL},
}, "finding")

TAKEN: Mapping[str, Schema] = {
    "Observation": OBSERVATION,
    "NewPatient": taken({"label": {"description": "A name or pseudonym, each once.", "type": "string", "minLength": 1,
                                   "maxLength": 128}}, "label"),
    "NewEntries": taken({"entries": {**many("Observation"), "minItems": 1, "maxItems": MOST}, "note": NOTE}, "entries"),
    "Correction": taken({"entry": of("Observation"), "note": NOTE}, "entry"),
    "Note": taken({"note": NOTE}), "Nothing": taken({}), "Revision": taken({"revision": REVISION}, "revision"),
    "Erasure": taken({"label": {"description": "The label of the patient, so that nobody else is erased.",
                                "type": "string"}, "revision": REVISION}, "label", "revision"),
    "Login": taken({"name": TEXT, "password": TEXT}, "name", "password"),
    "Files": taken({"file": {"type": "string", "contentMediaType": "application/octet-stream"},
                    "format": {"enum": ["", *FORMATS]}}, "file"),
}

PATIENT: Schema = {"uid": ID, "label": ID, "entries": COUNT, "created_at": MOMENT, "changed_at": MOMENT,
                   "revision": NUMBER, "removed": FLAG}
GIVEN: Mapping[str, Schema] = {
    "Session": shape({"who": TEXT, "role": {"enum": ["", *ROLES]}, "token": ID, "accounts": FLAG, "knowledge": ID},
                     "Who asks; token: what every POST has to bring as x-csrf-token."),
    "Patient": shape(PATIENT),
    "Created": shape({**PATIENT, "alike": {
        "description": "The uids of other patients whose labels look the same: both may be one person.",
        "type": "array", "items": ID}}),
    "Erased": shape({"entries": COUNT, "changes": COUNT, "swept": {
        "description": "Whether the bytes are gone from the file; else that is tried again, as at the next start.",
        **FLAG}}),
    "Entry": shape({"id": NUMBER, "event": of("Event"), "raw": {"type": "object"}, "entered_at": MOMENT, "who": TEXT,
                    "change": NUMBER, "kind": TEXT, "supersedes": or_null(NUMBER)}),
    "Change": shape({"id": NUMBER, "kind": ID, "who": TEXT, "at": MOMENT, "note": TEXT, "source": TEXT, "format": TEXT,
                     "undoes": or_null(NUMBER), "added": many("Entry"), "retired": many("Entry"), "label": ID,
                     "label_before": TEXT, "issues": COUNT, "undoable": FLAG, "undone": FLAG}),
    "Import": shape({"change": NUMBER, "source": TEXT, "format": TEXT, "at": MOMENT, "who": TEXT, "entries": COUNT,
                     "undone": FLAG, "issues": many("Issue")}),
    "Patients": shape({"patients": many("Patient")}),
    "Entries": shape({"patient": of("Patient"), "entries": many("Entry")}),
    "History": shape({"patient": of("Patient"), "changes": many("Change"), "imports": many("Import")}),
    "Changed": shape({"patient": of("Patient"), "change": of("Change"), "issues": many("Issue")}),
    "Imported": shape({
        "files": {"type": "array", "items": shape({"name": TEXT, "findings": COUNT, "issues": many("Issue")})},
        "kept": {"type": "array", "items": shape({"patient": of("Patient"), "change": of("Change")})},
        "other_name": {"description": "The file names its patient otherwise than the record.", "type": "boolean"}}),
    "Error": shape({"error": {"description": "What is wrong and what to do.", **ID}, "issues": many("Issue")}),
    "Conflict": shape({"error": ID, "issues": many("Issue"), "current": or_null(of("Entry"))},
                      "Somebody was faster; current: the entry that stands there now."),
}


def schemas() -> Schema:
    """Every shape by its name, those of a review and of a course as in docs/*.schema.json."""
    return {**TAKEN, **GIVEN, **_borrowed(review_schema.schema(), "Review"),
            **_borrowed(follow_schema.schema(), "Follow"),
            "Event": review_schema.schema()["$defs"]["event"], "Issue": review_schema.schema()["$defs"]["issue"]}


def _borrowed(schema: Schema, prefix: str) -> Schema:
    """The definitions of a schema of its own under names with a prefix, and all references with them."""
    def moved(part: Any) -> Any:
        if isinstance(part, dict):
            return {key: f"#/components/schemas/{prefix}.{value.rpartition('/')[2]}" if key == "$ref" else moved(value)
                    for key, value in part.items()}
        return [moved(one) for one in part] if isinstance(part, list) else part

    return {prefix: of(f"{prefix}.any"), **{f"{prefix}.{name}": moved(part) for name, part in schema["$defs"].items()}}


EXPORTED = (*WRITTEN,)
_VALIDATORS = {name: Draft202012Validator({**TAKEN[name], "components": {"schemas": dict(TAKEN)}})
               for name in TAKEN if name != "Files"}


def faults(body: object, name: str) -> tuple[Issue, ...]:
    """What is wrong with a body that should have this shape. No value stands in it."""
    return tuple(_fault(error.absolute_path, str(error.validator), error.validator_value, error.instance)
                 for error, _ in zip(_VALIDATORS[name].iter_errors(body), range(100), strict=False))


def _fault(path: Sequence[str | int], rule: str, asked: Any, found: object) -> Issue:
    where = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).lstrip(".") or "body"
    every = [str(one) for one in asked] if isinstance(asked, list) else [str(asked)]
    expected = {"type": " or ".join(every), "enum": ", ".join(every), "required": f"all of: {', '.join(every)}",
                "additionalProperties": "no other keys"}.get(rule, f"{rule} {asked}")
    said = {"required": "a key is missing", "additionalProperties": "a key that is not known",
            "enum": "not one of these", "type": kind(found)}.get(rule, "too long, too short or too many")
    return Issue("fault", where, said, expected, "See /api/v1/openapi.json.")


def cells(observation: Mapping[str, object]) -> dict[str, str]:
    """An observation as a form would send it: numbers to their last digit, nothing as empty."""
    return {name: "" if (value := observation.get(name)) is None else str(value) for name in ("finding", *FIELDS)}


def patient(one: Patient) -> Object:
    """A patient of the store."""
    return {"uid": one.uid, "label": one.label, "entries": one.entries, "created_at": one.created_at.isoformat(),
            "changed_at": one.changed_at.isoformat(), "revision": one.revision, "removed": one.removed}


def entry(one: Entry, knowledge: Knowledge) -> Object:
    """An entry, and what was typed or imported."""
    return {"id": one.id, "event": event_object(one.event, knowledge), "raw": dict(one.raw),
            "entered_at": one.entered_at.isoformat(), "who": one.who, "change": one.change_id, "kind": one.kind,
            "supersedes": one.supersedes}


def change(one: Change, knowledge: Knowledge) -> Object:
    """A change with what it added and retired."""
    return {"id": one.id, "kind": one.kind, "who": one.who, "at": one.at.isoformat(), "note": one.note,
            "source": one.source, "format": one.format, "undoes": one.undoes,
            "added": [entry(each, knowledge) for each in one.added],
            "retired": [entry(each, knowledge) for each in one.retired], "label": one.label,
            "label_before": one.label_before, "issues": one.issues, "undoable": one.undoable, "undone": one.undone}


def imported(one: Import) -> Object:
    """An import with its issues."""
    return {"change": one.change_id, "source": one.source, "format": one.format, "at": one.at.isoformat(),
            "who": one.who, "entries": one.entries, "undone": one.undone, "issues": list(issues(one.issues))}


def file(one: File) -> Object:
    """What was read of a file."""
    return {"name": one.name, "findings": len(one.reading.events), "issues": list(issues(one.reading.issues))}


def issues(found: Sequence[Issue]) -> Iterator[Object]:
    """Issues as they stand in every answer."""
    return map(issue_object, found)
