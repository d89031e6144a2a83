"""Events as a FHIR R4 Bundle: a Patient for each person, one resource for each event, in order.

A state is a Condition, a result an Observation, a drug a MedicationStatement, a procedure a Procedure. Codings name the
terminologies first and our own id last. Where an event came from stands in the extension `urn:poems:source`, the
patient's label as an identifier of the system `urn:poems:patient`.
Source: HL7 FHIR R4 (4.0.1), https://hl7.org/fhir/R4/.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from poems.adapters.fhir_input import PSEUDONYM, SOURCE
from poems.exports.said import (
    STATES,
    URIS,
    Person,
    codes,
    concept_of,
    digits,
    is_drug,
    is_plain,
    json_text,
    people,
    source,
)
from poems.knowledge import Concept, Knowledge
from poems.record import ABSENT, PRESENT, Event

_ID: Final = re.compile(r"[A-Za-z0-9\-.]{1,64}", re.ASCII)
_SPACE: Final = uuid.UUID("7d0f6f0e-6d1f-5f0b-9a63-1f2f7c1f6a11")  # of ours, drawn once
_V3: Final = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"
_VERIFIED: Final = "http://terminology.hl7.org/CodeSystem/condition-ver-status"
_UCUM: Final = "http://unitsofmeasure.org"

Tree = dict[str, Any]


def written(events: Sequence[Event], knowledge: Knowledge, made_at: datetime) -> bytes:
    """The Bundle as JSON."""
    persons, rest = people(events)
    found = [_patient(person) for person in persons.values()]
    found += [_resource(event, concept_of(event, knowledge), knowledge) for event in rest]
    seen: dict[str, int] = {}
    entries = [{"fullUrl": _address(resource, seen), "resource": resource} for resource in found]
    return json_text({"resourceType": "Bundle", "type": "collection",
                      "timestamp": made_at.isoformat("T", "seconds"), "entry": entries}, "entry")


def _address(resource: Tree, seen: dict[str, int]) -> str:
    """An address of its own for each resource, the same whenever the same thing is written."""
    if resource["resourceType"] == "Patient":
        return _patient_address(resource["identifier"][0]["value"])
    content = json.dumps(resource, sort_keys=True)
    seen[content] = seen.get(content, 0) + 1
    return uuid.uuid5(_SPACE, f"{seen[content]} {content}").urn


def _patient_address(label: str) -> str:
    return uuid.uuid5(_SPACE, f"patient {label}").urn


def _patient(person: Person) -> Tree:
    return _filled({
        "resourceType": "Patient", "id": person.label if _ID.fullmatch(person.label) else None,
        "identifier": [{"system": PSEUDONYM, "value": person.label}],
        "gender": person.sex.finding.removeprefix("sex-") if person.sex else None,
        "_gender": _from(person.sex), "birthDate": str(person.born.date) if person.born else None,
        "_birthDate": _from(person.born)})


def _from(event: Event | None) -> Tree | None:
    """Where an event came from, as an element or a resource carries it."""
    said = source(event) if event else ""
    return {"extension": [{"url": SOURCE, "valueString": said}]} if said else None


def _resource(event: Event, concept: Concept, knowledge: Knowledge) -> Tree:
    day = str(event.date) if event.date else None
    about = {**(_from(event) or {}), "subject": {"reference": _patient_address(event.patient)}}
    if concept.kind == "treatment" and is_plain(event, concept):
        return _treatment(event, concept, knowledge, about, day)
    if not concept.unit and is_plain(event, concept) and (not concept.codes or set(STATES) & set(concept.codes)):
        said = "confirmed" if event.status == PRESENT else "refuted"
        return _filled({"resourceType": "Condition", **about, "recordedDate": day,
                        "verificationStatus": {"coding": [{"system": _VERIFIED, "code": said}]},
                        "code": _concept(concept, knowledge, STATES)})
    return _filled({"resourceType": "Observation", "status": "final", **about, "effectiveDateTime": day,
                    **_result(event, concept, knowledge)})


def _treatment(event: Event, concept: Concept, knowledge: Knowledge, about: Tree, day: str | None) -> Tree:
    if is_drug(concept):
        return _filled({"resourceType": "MedicationStatement", **about, "effectiveDateTime": day,
                        "status": "not-taken" if event.status == ABSENT else "completed",
                        "medicationCodeableConcept": _concept(concept, knowledge, ("rxnorm",))})
    return _filled({"resourceType": "Procedure", **about, "performedDateTime": day,
                    "status": "not-done" if event.status == ABSENT else "completed",
                    "code": _concept(concept, knowledge, STATES)})


def _result(event: Event, concept: Concept, knowledge: Knowledge) -> Tree:
    result: Tree = {"code": _concept(concept, knowledge, ("loinc",) if concept.unit else ("loinc", *STATES))}
    if event.specimen:
        result |= {"contained": [{"resourceType": "Specimen", "id": "specimen", "type": {"text": event.specimen}}],
                   "specimen": {"reference": "#specimen"}}
    if event.method:
        result["method"] = {"text": event.method}
    if not concept.unit:
        return result | {"valueBoolean": event.status == PRESENT}
    unit = {"unit": event.unit, "system": _UCUM, "code": event.unit}
    if event.value is not None:
        bound = {"comparator": event.comparator} if event.comparator else {}
        result["valueQuantity"] = {"value": digits(event.value), **bound, **unit}
    if event.status:
        flag = {"code": "H", "display": "High"} if event.status == PRESENT else {"code": "N", "display": "Normal"}
        result["interpretation"] = [{"coding": [{"system": _V3, **flag}]}]
    if event.upper_limit is not None:
        result["referenceRange"] = [{"high": {"value": digits(event.upper_limit), **unit}}]
    return result


def _concept(concept: Concept, knowledge: Knowledge, systems: Sequence[str]) -> Tree:
    return {"coding": [{"system": URIS[system], "code": code} for system, code in codes(concept, knowledge, systems)],
            "text": concept.label}


def _filled(raw: Tree) -> Tree:
    return {key: value for key, value in raw.items() if value is not None}
