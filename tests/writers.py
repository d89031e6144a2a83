"""The inverse of the readers, for tests: the same events as CSV, Parquet, FHIR R4 and GA4GH Phenopacket v2.

A concept without a code is written as system `urn:poems:concept` (FHIR) or `poems:` + id (phenopacket).
"""

from __future__ import annotations

import csv
import io
import json
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import fields
from functools import cache
from pathlib import Path
from typing import Any

import duckdb

from poems.adapters import words
from poems.knowledge import Concept, Knowledge
from poems.record import ABSENT, COLUMNS, PRESENT, Event

URIS = {"loinc": "http://loinc.org", "snomed": "http://snomed.info/sct", "hpo": "http://human-phenotype-ontology.org",
        "icd10cm": "http://hl7.org/fhir/sid/icd-10-cm", "rxnorm": "http://www.nlm.nih.gov/research/umls/rxnorm"}
PREFIXES = {"loinc": "LOINC:", "snomed": "SNOMEDCT:", "hpo": "", "icd10cm": "ICD10CM:", "rxnorm": "RxNorm:",
            "mondo": ""}
STATES = ("hpo", "snomed", "icd10cm")
SAMPLES = {"serum": "UBERON:0001977", "plasma": "UBERON:0001969", "urine": "UBERON:0001088", "csf": "UBERON:0001359",
           "marrow": "UBERON:0002371"}


def plain(events: Iterable[Event]) -> list[tuple[Any, ...]]:
    """Events without their source, in an order of their own: what two formats must agree on."""
    return sorted((tuple("" if (value := getattr(event, field.name)) is None else value
                         for field in fields(event) if field.name != "source") for event in events), key=repr)


def cells(event: Event) -> list[str]:
    """One row of the events table."""
    return ["" if (value := getattr(event, name)) is None else repr(value) if isinstance(value, float) else str(value)
            for name in COLUMNS]


def as_csv(events: Iterable[Event], delimiter: str = ",") -> bytes:
    """The events table as CSV."""
    text = io.StringIO()
    lines = csv.writer(text, delimiter=delimiter, lineterminator="\n")
    lines.writerow(COLUMNS)
    lines.writerows(cells(event) for event in events)
    return text.getvalue().encode()


def as_parquet(events: Iterable[Event], typed: bool = True) -> bytes:
    """The events table as Parquet: days as dates and values as doubles, or (not typed) everything as text."""
    rows = [cells(event) for event in events]
    return parquet(rows, {"date": "DATE", "value": "DOUBLE", "upper_limit": "DOUBLE"} if typed else {})


@cache
def _duckdb() -> duckdb.DuckDBPyConnection:
    return duckdb.connect(config={"threads": 1})


def parquet(rows: Sequence[Sequence[str]], types: dict[str, str], columns: Sequence[str] = COLUMNS) -> bytes:
    """Rows of text as Parquet; empty cells become NULL in typed columns."""
    with _duckdb().cursor() as connection, tempfile.TemporaryDirectory() as folder:
        connection.execute(f"CREATE OR REPLACE TEMP TABLE raw ({', '.join(f'{name} VARCHAR' for name in columns)})")
        if rows:
            marks = ", ".join(f"({', '.join('?' * len(columns))})" for _ in rows)
            connection.execute(f"INSERT INTO raw VALUES {marks}", [cell for row in rows for cell in row])
        chosen = ", ".join(f"nullif({name}, '')::{types[name]} AS {name}" if name in types else name
                           for name in columns)
        path = Path(folder) / "events.parquet"
        connection.execute(f"COPY (SELECT {chosen} FROM raw) TO '{path}' (FORMAT parquet)")
        return path.read_bytes()


def coded(concept: Concept, knowledge: Knowledge, systems: Iterable[str]) -> list[tuple[str, str]]:
    """System and code of a concept, of the concept it is `of` where it has none, or our own."""
    general = knowledge.concepts.get(concept.of, concept)
    found = [(system, codes[0]) for system in systems if (codes := (concept.codes or general.codes).get(system))]
    return found or [("poems", concept.id)]


def as_fhir(events: Iterable[Event], knowledge: Knowledge) -> bytes:
    """The events as a FHIR R4 Bundle."""
    return json.dumps(bundle(resources(events, knowledge))).encode()


def bundle(found: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """A Bundle of resources."""
    return {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": resource} for resource in found]}


def resources(events: Iterable[Event], knowledge: Knowledge) -> list[dict[str, Any]]:
    """The events as FHIR resources: the Patients first, then one resource per event."""
    patients: dict[str, dict[str, Any]] = {}
    found = []
    for event in events:
        patient = patients.setdefault(event.patient, {"resourceType": "Patient", "id": event.patient})
        if event.finding.startswith("sex-"):
            patient["gender"] = event.finding.removeprefix("sex-")
        elif event.finding == "birth-date":
            patient["birthDate"] = str(event.date)
        else:
            found.append(_resource(event, knowledge.concepts[event.finding], knowledge))
    return [*patients.values(), *found]


def _concept(codings: Iterable[tuple[str, str]]) -> dict[str, Any]:
    return {"coding": [{"system": URIS.get(system, words.POEMS), "code": code} for system, code in codings]}


def _resource(event: Event, concept: Concept, knowledge: Knowledge) -> dict[str, Any]:
    about = {"subject": {"reference": f"Patient/{event.patient}"}}
    day = str(event.date) if event.date else None
    if concept.kind == "treatment":
        status = "completed" if event.status == PRESENT else "not-done"
        if "rxnorm" in concept.codes:
            return _filled({"resourceType": "MedicationAdministration", "status": status, **about,
                            "medicationCodeableConcept": _concept(coded(concept, knowledge, ["rxnorm"])),
                            "effectiveDateTime": day})
        return _filled({"resourceType": "Procedure", "status": status, **about, "performedDateTime": day,
                        "code": _concept(coded(concept, knowledge, ["snomed"]))})
    is_state = not event.method and (not event.specimen or event.specimen == concept.specimen) and (
        not concept.codes or any(system in concept.codes for system in STATES))
    if not concept.unit and is_state:
        said = "confirmed" if event.status == PRESENT else "refuted"
        return _filled({"resourceType": "Condition", **about, "code": _concept(coded(concept, knowledge, STATES)),
                        "verificationStatus": {"coding": [{"code": said}]}, "onsetDateTime": day})
    return _filled({"resourceType": "Observation", "status": "final", **about, "effectiveDateTime": day,
                    **_result(event, concept, knowledge)})


def _result(event: Event, concept: Concept, knowledge: Knowledge) -> dict[str, Any]:
    systems = ["loinc"] if concept.unit else ["loinc", *STATES]
    result: dict[str, Any] = {"code": _concept(coded(concept, knowledge, systems))}
    if event.specimen:
        result |= {"contained": [{"resourceType": "Specimen", "id": "s", "type": {"text": event.specimen}}],
                   "specimen": {"reference": "#s"}}
    if event.method:
        result["method"] = {"text": event.method}
    if not concept.unit:
        return result | {"valueBoolean": event.status == PRESENT}
    unit = {"unit": concept.unit, "system": "http://unitsofmeasure.org", "code": concept.unit}
    if event.value is not None:
        result["valueQuantity"] = _filled({"value": event.value, "comparator": event.comparator or None, **unit})
    if event.status:
        flag = "H" if event.status == PRESENT else "N"
        result["interpretation"] = [{"coding": [{"code": flag}]}]
    if event.upper_limit is not None:
        result["referenceRange"] = [{"high": {"value": event.upper_limit, **unit}}]
    return result


def _filled(raw: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in raw.items() if value is not None}


def in_phenopacket(event: Event, knowledge: Knowledge) -> bool:
    """Whether a phenopacket can say this: it has no comparator, no method, no refused treatment, no limit alone."""
    concept = knowledge.concepts[event.finding]
    alone = event.upper_limit is not None and event.value is None
    return not (event.comparator or event.method or alone or (concept.kind == "treatment" and event.status == ABSENT))


def as_phenopacket(events: Iterable[Event], knowledge: Knowledge) -> bytes:
    """The events as phenopackets: one, or a list where there are several patients. See `in_phenopacket`."""
    packets: dict[str, dict[str, Any]] = {}
    for event in events:
        packet = packets.setdefault(event.patient, {
            "id": f"packet of {event.patient}", "subject": {"id": event.patient},
            "metaData": {"phenopacketSchemaVersion": "2.0"}})
        _pack(packet, event, knowledge.concepts[event.finding], knowledge)
    found = list(packets.values())
    return json.dumps(found[0] if len(found) == 1 else found).encode()


def _pack(packet: dict[str, Any], event: Event, concept: Concept, knowledge: Knowledge) -> None:
    moment = {"timestamp": f"{event.date}T00:00:00Z"} if event.date else None
    if event.finding.startswith("sex-"):
        packet["subject"]["sex"] = event.finding.removeprefix("sex-").upper()
    elif event.finding == "birth-date":
        packet["subject"]["dateOfBirth"] = f"{event.date}T00:00:00Z"
    elif concept.kind == "treatment":
        term = _term(coded(concept, knowledge, ["rxnorm", "snomed"]))
        action = {"procedure": _filled({"code": term, "performed": moment})} if event.date is None else {
            "treatment": {"agent": term, "doseIntervals": [{"interval": {"start": f"{event.date}T00:00:00Z"}}]}}
        packet.setdefault("medicalActions", []).append(action)
    elif not concept.unit and event.specimen in ("", concept.specimen) and "loinc" not in concept.codes:
        key, name = ("diseases", "term") if concept.kind == "label" else ("phenotypicFeatures", "type")
        term = _term(coded(concept, knowledge, ["hpo", "snomed", "icd10cm", "mondo"]))
        packet.setdefault(key, []).append(_filled({name: term, "excluded": event.status == ABSENT, "onset": moment}))
    else:
        assay = _term(coded(concept, knowledge, ["loinc", "hpo"]))
        measurements = [_filled({"assay": assay, "value": value, "timeObserved": moment})
                        for value in _measured(event, concept)]
        if event.specimen or len(measurements) > 1:
            kind = {"id": SAMPLES[event.specimen]} if event.specimen else None
            packet.setdefault("biosamples", []).append(
                _filled({"id": "s", "sampleType": kind, "measurements": measurements}))
        else:
            packet.setdefault("measurements", []).extend(measurements)


def _measured(event: Event, concept: Concept) -> list[dict[str, Any]]:
    """The value and the word of a result: both, where both were said, as two measurements of one sample."""
    word = [{"ontologyClass": {"id": f"poems:{event.status}"}}] if event.status else []
    if event.value is None:
        return word
    unit = {"id": f"UCUM:{concept.unit}"}
    limits = None if event.upper_limit is None else {"unit": unit, "low": 0, "high": event.upper_limit}
    return [{"quantity": _filled({"unit": unit, "value": event.value, "referenceRange": limits})}, *word]


def _term(codings: Sequence[tuple[str, str]]) -> dict[str, str]:
    system, code = codings[0]
    return {"id": f"{PREFIXES.get(system, 'poems:')}{code}"}
