"""Events as GA4GH phenopackets v2: one packet, or a Cohort of them where there are several people.

What the schema has no field for, and where our reader finds it: a censored value is a complex value whose quantity is
of the type `poems:less-than` (or at-most, more-than, at-least), so that nobody takes the bound for the value; a limit
without a value is one of the type `poems:upper-limit`; a method is the procedure of the measurement; where an event
came from stands in the description. A treatment that was not given is an excluded feature.
Source: Phenopacket Schema 2.0, https://phenopacket-schema.readthedocs.io/en/v2/.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

from poems.adapters.phenopacket import BOUNDS, LIMIT, SOURCE
from poems.adapters.words import SPECIMEN_CODES
from poems.errors import Issue
from poems.exports.said import (
    PREFIXES,
    STATES,
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

_SAMPLES: Final = {name: f"{prefix}:{code}" for (prefix, code), name in SPECIMEN_CODES.items()
                   if prefix == "UBERON" and name}
_NOT_SAID: Final = {"id": "poems:not-said", "label": "not said"}
_ANSWERS: Final = {PRESENT: {"id": "PATO:0000467", "label": "present"},
                   ABSENT: {"id": "PATO:0000462", "label": "absent"}}
_FLAGS: Final = {PRESENT: {"id": "poems:present", "label": "raised"},
                 ABSENT: {"id": "poems:absent", "label": "not raised"}}
_RESOURCES: Final = {
    "HP": ("Human Phenotype Ontology", "http://purl.obolibrary.org/obo/hp.owl", "http://purl.obolibrary.org/obo/HP_"),
    "MONDO": ("Mondo Disease Ontology", "http://purl.obolibrary.org/obo/mondo.owl",
              "http://purl.obolibrary.org/obo/MONDO_"),
    "UBERON": ("Uber-anatomy ontology", "http://purl.obolibrary.org/obo/uberon.owl",
               "http://purl.obolibrary.org/obo/UBERON_"),
    "PATO": ("Phenotype And Trait Ontology", "http://purl.obolibrary.org/obo/pato.owl",
             "http://purl.obolibrary.org/obo/PATO_"),
    "LOINC": ("Logical Observation Identifiers Names and Codes", "https://loinc.org", "https://loinc.org/"),
    "SNOMEDCT": ("SNOMED CT", "http://snomed.info/sct", "http://snomed.info/id/"),
    "ICD10CM": ("ICD-10-CM", "http://hl7.org/fhir/sid/icd-10-cm", "http://hl7.org/fhir/sid/icd-10-cm/"),
    "RxNorm": ("RxNorm", "http://www.nlm.nih.gov/research/umls/rxnorm", "http://purl.bioontology.org/ontology/RXNORM/"),
    "UCUM": ("Unified Code for Units of Measure", "https://ucum.org", "https://units-of-measurement.org/"),
    "poems": ("Concepts of the computable guide to POEMS syndrome", "urn:poems:concept", "urn:poems:concept:"),
}

Tree = dict[str, Any]


def written(events: Sequence[Event], knowledge: Knowledge, made_at: datetime) -> tuple[bytes, list[Issue]]:
    """The JSON, and what it could not hold or holds in another place."""
    persons, rest = people(events)
    lost = Counter("source" for person in persons.values() for one in (person.sex, person.born) if one and one.source)
    packets = {label: _packet(person) for label, person in persons.items()}
    for event in rest:
        _put(packets[event.patient], event, concept_of(event, knowledge), knowledge, lost)
    for packet in packets.values():
        packet["metaData"] = _meta(packet, made_at)
    found = list(packets.values())
    if len(found) == 1:
        return (json.dumps(found[0], ensure_ascii=False) + "\n").encode(), _issues(lost)
    return json_text({"id": "poems", "metaData": _meta({}, made_at), "members": found}, "members"), _issues(lost)


def _issues(lost: Counter[str]) -> list[Issue]:
    found = []
    if lost["source"]:
        found.append(Issue("note", "phenopacket", f"where {lost['source']} findings came from is left out: diseases, "
                           "treatments and the subject have no place for it"))
    if lost["refused"]:
        found.append(Issue("note", "phenopacket", f"{lost['refused']} treatments that were not given are written as "
                           "excluded features: an action that did not happen has no place"))
    return found


def _packet(person: Person) -> Tree:
    sex = person.sex.finding.removeprefix("sex-").upper() if person.sex else None
    return {"id": person.label, "subject": _filled({"id": person.label, "sex": sex,
                                                    "dateOfBirth": _stamp(person.born)})}


def _put(packet: Tree, event: Event, concept: Concept, knowledge: Knowledge, lost: Counter[str]) -> None:
    """Put an event into the section that it belongs to."""
    stood = f"{SOURCE}{source(event)}" if source(event) else None
    is_state = not concept.unit and is_plain(event, concept)
    if is_state and concept.kind == "treatment" and event.status != ABSENT:
        packet.setdefault("medicalActions", []).append(_action(event, concept, knowledge))
        lost["source"] += bool(stood)
    elif is_state and concept.kind == "label":
        packet.setdefault("diseases", []).append(_filled({
            "term": _term(concept, knowledge, ("mondo", "hpo", "snomed", "icd10cm")),
            "excluded": event.status == ABSENT or None, "onset": _moment(event)}))
        lost["source"] += bool(stood)
    elif is_state and ("loinc" not in concept.codes or set(STATES) & set(concept.codes)):
        packet.setdefault("phenotypicFeatures", []).append(_filled({
            "description": stood, "type": _term(concept, knowledge, (*STATES, "rxnorm")),
            "excluded": event.status == ABSENT or None, "onset": _moment(event)}))
        lost["refused"] += concept.kind == "treatment"
    else:
        _measure(packet, event, concept, knowledge, stood)


def _action(event: Event, concept: Concept, knowledge: Knowledge) -> Tree:
    if is_drug(concept):
        start = [{"interval": {"start": _stamp(event)}}] if event.date else None
        return {"treatment": _filled({"agent": _term(concept, knowledge, ("rxnorm",)), "doseIntervals": start})}
    return {"procedure": _filled({"code": _term(concept, knowledge, STATES), "performed": _moment(event)})}


def _measure(packet: Tree, event: Event, concept: Concept, knowledge: Knowledge, stood: str | None) -> None:
    """A measurement; a sample of one or two, where a specimen is said or a number and a word belong together."""
    systems = ("loinc",) if concept.unit else ("loinc", *STATES, "rxnorm")
    method = {"code": {"id": f"poems:{event.method}", "label": event.method}} if event.method else None
    found = [_filled({"description": stood, "assay": _term(concept, knowledge, systems), **said,
                      "timeObserved": _moment(event), "procedure": method}) for said in _values(event, concept)]
    if not event.specimen and len(found) == 1:
        packet.setdefault("measurements", []).extend(found)
        return
    kind = {"id": _SAMPLES[event.specimen], "label": event.specimen} if event.specimen else _NOT_SAID
    samples = packet.setdefault("biosamples", [])
    samples.append({"id": f"sample {len(samples) + 1}", "sampleType": kind, "measurements": found})


def _values(event: Event, concept: Concept) -> list[Tree]:
    """What was measured, and what the report calls it: one measurement each."""
    word = (_FLAGS if concept.unit else _ANSWERS).get(event.status)
    found: list[Tree] = [{"value": {"ontologyClass": word}}] if word else []
    unit = {"id": f"UCUM:{event.unit}", "label": event.unit}
    high = None if event.upper_limit is None else digits(event.upper_limit)
    if event.value is not None:
        limits = None if high is None else {"unit": unit, "low": 0, "high": high}
        quantity = _filled({"unit": unit, "value": digits(event.value), "referenceRange": limits})
        found.insert(0, _bound(BOUNDS[event.comparator], quantity) if event.comparator else {
            "value": {"quantity": quantity}})
    elif high is not None:
        found.insert(0, _bound(LIMIT, {"unit": unit, "value": high}))
    return found


def _bound(kind: str, quantity: Tree) -> Tree:
    return {"complexValue": {"typedQuantities": [
        {"type": {"id": f"poems:{kind}", "label": kind.replace("-", " ")}, "quantity": quantity}]}}


def _term(concept: Concept, knowledge: Knowledge, systems: Sequence[str]) -> Tree:
    """The concept as one code: the first that a reader takes for exactly this concept."""
    for system, code in codes(concept, knowledge, systems):
        other = knowledge.by_code(system, code)
        if system == "poems" or (other and other.id in (concept.id, concept.of)):
            return {"id": f"{PREFIXES[system]}{code}", "label": concept.label}
    raise AssertionError("our own id comes last")


def _stamp(event: Event | None) -> str | None:
    return f"{event.date}T00:00:00Z" if event and event.date else None


def _moment(event: Event) -> Tree | None:
    return {"timestamp": _stamp(event)} if event.date else None


def _meta(packet: Tree, made_at: datetime) -> Tree:
    """The metadata, with every vocabulary that the packet uses."""
    text = json.dumps(packet)
    used = [prefix for prefix in _RESOURCES if f'"{prefix}:' in text]
    return {"created": made_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"), "createdBy": "poems",
            "resources": [{"id": prefix.lower(), "name": _RESOURCES[prefix][0], "url": _RESOURCES[prefix][1],
                           "version": "not stated", "namespacePrefix": prefix, "iriPrefix": _RESOURCES[prefix][2]}
                          for prefix in used],
            "phenopacketSchemaVersion": "2.0"}


def _filled(raw: Tree) -> Tree:
    return {key: value for key, value in raw.items() if value is not None}
