"""FHIR R4 JSON to events: a Bundle, one resource, a list of resources, or NDJSON.

A resource with a fault yields nothing and its neighbours still do. Codes are matched by system and code. What FHIR
calls refuted, not done or not taken is an absence; what is entered in error, planned or unconfirmed is not used, and
listed.
Source: HL7 FHIR R4 (4.0.1), https://hl7.org/fhir/R4/.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any, Final

from poems.adapters import coding, fhir_observation
from poems.adapters.document import Node, RefusedError
from poems.adapters.entry import Entries, Observation
from poems.adapters.fhir_input import RESULT, Input, begun, codings, collect, judged, matches, source, when
from poems.record import ABSENT, PRESENT

DEATH: Final = "death"
SILENT: Final = frozenset({"Specimen", "Medication", "Practitioner", "Organization", "Location"})
"""Resources that hold nothing to observe; they are looked up where another one points at them."""

CONDITION: Final = {"": PRESENT, "confirmed": PRESENT, "refuted": ABSENT, "unconfirmed": "", "provisional": "",
                    "differential": "", "entered-in-error": ""}
PROCEDURE: Final = {"completed": PRESENT, "in-progress": PRESENT, "stopped": PRESENT, "not-done": ABSENT,
                    "preparation": "", "on-hold": "", "entered-in-error": "", "unknown": ""}
REQUEST: Final = {"active": PRESENT, "completed": PRESENT, "stopped": PRESENT, "on-hold": "", "cancelled": "",
                  "entered-in-error": "", "draft": "", "unknown": ""}
STATEMENT: Final = {"active": PRESENT, "completed": PRESENT, "stopped": PRESENT, "not-taken": ABSENT, "intended": "",
                    "on-hold": "", "entered-in-error": "", "unknown": ""}
"""Status -> what the record says: present, absent, read with a caution, or (empty) nothing that may be used."""


def read(trees: Iterable[tuple[str, Any]], entries: Entries) -> None:
    """Add what the resources say to the entries. trees: place and tree of each JSON text (one, or one per line)."""
    box = Input(entries)
    for place, tree in trees:
        collect(Node(tree, place), box)
    for resource in box.resources:
        try:
            stood = source(resource)
            for seen in _observations(resource, box):
                entries.add(replace(seen, source=seen.source or stood))
        except RefusedError as refused:
            entries.refuse(refused)


def _observations(resource: Node, box: Input) -> list[Observation]:
    kind = resource.child("resourceType").text()
    if not kind:
        raise RefusedError(resource.path, "no resourceType", "a FHIR resource", "Add the resourceType.")
    if kind in SILENT:
        return []
    if kind not in READERS:
        box.entries.count(("type", kind), resource.path, "a kind of resource that is not read")
        return []
    if resource.child("modifierExtension").each():
        box.entries.count(("modifier", kind), resource.path,
                          "an extension that may change its meaning; FHIR forbids to read it without knowing it")
        return []
    return READERS[kind](resource, box)


def _states(resource: Node, box: Input, concept: Node, status: str, date: str) -> list[Observation]:
    """A record that something is so, or is not: a diagnosis, a procedure, a drug."""
    patient = box.patient(resource, resource.child("subject"))
    found = coding.claims(box.entries, resource.path, matches(concept, resource, box.entries), status)
    return [Observation(resource.path, one, patient, date, status) for one in found] if patient is not None else []


def _condition(resource: Node, box: Input) -> list[Observation]:
    verification = resource.child("verificationStatus")
    words = [code for _, code in codings(verification)]
    unknown = bool(verification) and not any(word in CONDITION for word in words if word)
    chosen = Node("?" if unknown else next((word for word in words if word in CONDITION), ""), verification.path)
    status = judged(resource, CONDITION, box.entries, chosen)
    if not status:
        return []
    clinical = {code for _, code in codings(resource.child("clinicalStatus"))}
    if status == PRESENT and clinical & {"resolved", "inactive", "remission"}:
        box.entries.count(("resolved",), resource.path, "no longer active; read as present when it began")
    date = when(resource, "onset", "recordedDate")
    if not date and any(resource.child(f"onset{form}") for form in ("Age", "Range", "String")):
        box.entries.count(("onset",), resource.path, "an onset that is not a date; read without a date")
    return _states(resource, box, resource.child("code"), status, date)


def _treatment(resource: Node, box: Input, concept: Node, status: str, date: str) -> list[Observation]:
    seen = _states(resource, box, concept, status, date)
    for other in (one for one in seen if one.concept.kind != "treatment"):
        box.entries.count(("not a treatment", other.concept.id), resource.path,
                          f"names {other.concept.id}, which is not a treatment; nothing is read")
    return [one for one in seen if one.concept.kind == "treatment"]


def _procedure(resource: Node, box: Input) -> list[Observation]:
    status = judged(resource, PROCEDURE, box.entries)
    if not status:
        return []
    return _treatment(resource, box, resource.child("code"), status, _once(resource, box, "performed"))


def _once(resource: Node, box: Input, name: str) -> str:
    """The first moment of one administration or procedure, whose end is not the end of a treatment."""
    period = resource.child(f"{name}Period")
    if period.child("start") and period.child("end"):
        box.entries.count(("end", name), resource.path,
                          "the end of one procedure or administration, not of a treatment; its first day is read")
    return begun(resource, box.entries, name)


def _drug(resource: Node, box: Input) -> Node:
    """The concept of a drug, by code or by reference to a Medication (or its single ingredient)."""
    concept = resource.child("medicationCodeableConcept")
    if concept:
        return concept
    reference = resource.child("medicationReference")
    if not reference:
        raise RefusedError(resource.path, "no medication", "medicationCodeableConcept or medicationReference",
                           "Add it.")
    medication = box.find(reference, resource)
    if medication is None:
        raise RefusedError(reference.path, "a Medication that is not in the input", "the Medication",
                           "Include it, or give medicationCodeableConcept.")
    ingredients = medication.child("ingredient").each()
    code = medication.child("code")
    return ingredients[0].child("itemCodeableConcept") if not code and len(ingredients) == 1 else code


def _administration(resource: Node, box: Input) -> list[Observation]:
    status = judged(resource, PROCEDURE, box.entries)
    return _treatment(resource, box, _drug(resource, box), status, _once(resource, box, "effective")) if status else []


def _request(resource: Node, box: Input) -> list[Observation]:
    status = judged(resource, REQUEST, box.entries)
    if not status:
        return []
    if resource.child("intent").text() in ("proposal", "plan", "option") or resource.child("doNotPerform").boolean():
        box.entries.count(("intent",), resource.path, "a plan or a prohibition, not a treatment; nothing is read")
        return []
    box.entries.count(("order",), resource.path, "an order, read as given from the day it was written", level="caution")
    return _treatment(resource, box, _drug(resource, box), status, when(resource, "authoredOn"))


def _statement(resource: Node, box: Input) -> list[Observation]:
    status = judged(resource, STATEMENT, box.entries)
    if not status:
        return []
    date, period = begun(resource, box.entries, "effective", "dateAsserted"), resource.child("effectivePeriod")
    seen = _treatment(resource, box, _drug(resource, box), status, date)
    return [replace(one, until=period.child("end").text()) for one in seen] if period.child("start") else seen


def _report(resource: Node, box: Input) -> list[Observation]:
    if not judged(resource, RESULT, box.entries):
        return []
    if resource.child("conclusion").text():
        box.entries.count(("conclusion",), resource.path, "a conclusion in free text is not read", "conclusionCode")
    date = when(resource, "effective", "issued")
    return [seen for concept in resource.child("conclusionCode").each()
            for seen in _states(resource, box, concept, PRESENT, date)]


def _patient(resource: Node, box: Input) -> list[Observation]:
    known, key = box.entries.knowledge.concepts, box.own_id(resource)
    seen, birth, gender = [], resource.child("birthDate").text(), resource.child("gender").text()
    if gender not in ("", "male", "female", "other", "unknown"):
        raise RefusedError(f"{resource.path}.gender", "not a word that FHIR knows", "male, female, other, unknown",
                           "Correct it.")
    if gender in ("male", "female") and f"sex-{gender}" in known:
        seen.append(Observation(resource.path, known[f"sex-{gender}"], key, status=PRESENT,
                                source=source(resource.child("_gender"))))
    if birth and "birth-date" in known:
        seen.append(Observation(resource.path, known["birth-date"], key, birth, PRESENT,
                                source=source(resource.child("_birthDate"))))
    day, is_dead = resource.child("deceasedDateTime"), resource.child("deceasedBoolean").boolean()
    if (day or is_dead) and DEATH in known:
        seen.append(Observation(resource.path, known[DEATH], key, day.text(), PRESENT))
    return seen


READERS: Final[Mapping[str, Callable[[Node, Input], list[Observation]]]] = {
    "Patient": _patient, "Condition": _condition, "Observation": fhir_observation.read, "Procedure": _procedure,
    "MedicationAdministration": _administration, "MedicationRequest": _request, "MedicationStatement": _statement,
    "DiagnosticReport": _report,
}
