"""The writers: what is written is read back, foreign readers accept it, and nothing is lost in silence."""

from __future__ import annotations

import csv
import io
import json
import re
from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from conftest import PUBLISHED, case_events, read_case
from events import TODAY, events
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from poems.adapters import Reading, fields, read
from poems.errors import UsageError
from poems.exports import FORMATS, Export, write
from poems.knowledge import Knowledge, load
from poems.record import ABSENT, COLUMNS, PRESENT, Event, records
from poems.render.as_json import as_object
from poems.review import assess

MADE = datetime(2026, 1, 1, 12, tzinfo=UTC)
ROUNDS = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
BUNDLED = st.deferred(lambda: events(load()))
SOURCES = st.text(st.characters(min_codepoint=32, max_codepoint=0x2FFF), max_size=30).map(
    lambda text: "".join(sign for sign in text if sign.isprintable()).strip())
LABELS = st.one_of(st.sampled_from(("Anna 1", "=cmd|'/c calc'!A1", "<b>x</b>", "p,1;\"q\"", "é ü 日本", "@home",
                                    "+49")), SOURCES.filter(bool))

THREE = st.lists(LABELS.map(fields.patient), min_size=3, max_size=3, unique=True)


def out(found: list[Event], form: str) -> Export:
    """The events in a format."""
    return write(found, load(), form, made_at=MADE)


def back(export: Export, form: str) -> Reading:
    """An export read again: by itself and by name, without any fault."""
    reading = read(export.data, load(), name="again", today=TODAY)
    assert read(export.data, load(), name="again", format=form, today=TODAY) == reading
    assert [str(issue) for issue in reading.issues if "as printed" not in issue.fix] == []  # any number is drawn here
    return reading


def plain(found: list[Event] | tuple[Event, ...], *, source: bool = True) -> Counter[Event]:
    """The events in no order; a source that only the reader gave is none."""
    return Counter(replace(event, source="" if event.source.startswith("again, ") or not source else event.source)
                   for event in found)


@given(found=BUNDLED, sources=st.lists(SOURCES, min_size=20, max_size=20), labels=THREE)
@ROUNDS
def test_csv_and_fhir_keep_every_event_whole(found: list[Event], sources: list[str], labels: list[str]) -> None:
    """Everything comes back: the source and any label too; in CSV, in order; in FHIR, in order behind the persons."""
    names = dict(zip(("p1", "p2", "A-7.b"), labels, strict=True))
    found = [replace(event, patient=names[event.patient], source=sources[place % 20])
             for place, event in enumerate(found)]
    again = [replace(event, source="" if event.source.startswith("again, ") else event.source)
             for event in back(out(found, "csv"), "csv").events]
    assert again == found
    if found:
        reading = back(out(found, "fhir"), "fhir")
        assert plain(reading.events) == plain(found)
        rest = [event for event in found if load().concepts[event.finding].kind != "person"]
        assert [event.finding for event in reading.events if load().concepts[event.finding].kind != "person"] == [
            event.finding for event in rest]


@given(found=BUNDLED, labels=THREE)
@ROUNDS
def test_phenopackets_keep_every_event(found: list[Event], labels: list[str]) -> None:
    """Every event comes back, censored ones, refused treatments, methods and limits too."""
    if not found:
        return
    names = dict(zip(("p1", "p2", "A-7.b"), labels, strict=True))
    found = [replace(event, patient=names[event.patient]) for event in found]
    export = out(found, "phenopacket")
    assert plain(back(export, "phenopacket").events) == plain(found)
    refused = sum(event.status == ABSENT and load().concepts[event.finding].kind == "treatment" for event in found)
    assert [issue.found for issue in export.issues] == ([
        f"{refused} treatments that were not given are written as excluded features: "
        "an action that did not happen has no place"] if refused else [])


@given(found=BUNDLED, sources=st.lists(SOURCES.filter(bool), min_size=20, max_size=20))
@ROUNDS
def test_what_a_phenopacket_cannot_say_is_counted(found: list[Event], sources: list[str]) -> None:
    """A source comes back, or is among those that the export says are left out."""
    if not found:
        return
    found = [replace(event, source=sources[place % 20]) for place, event in enumerate(found)]
    export = out(found, "phenopacket")
    reading = back(export, "phenopacket")
    assert plain(reading.events, source=False) == plain(found, source=False)
    lost = sum((plain(found) - plain(reading.events)).values())
    said = [issue.found for issue in export.issues if "came from is left out" in issue.found]
    assert said == ([f"where {lost} findings came from is left out: diseases, treatments and the subject have no place "
                     "for it"] if lost else [])


@given(found=BUNDLED)
@example(found=[])
@settings(ROUNDS, max_examples=60)
def test_another_program_accepts_the_bundle(found: list[Event]) -> None:
    """Every resource is valid by fhir.resources, and every subject is in the Bundle."""
    from fhir.resources.R4B.bundle import Bundle

    tree = json.loads(out(found, "fhir").data)
    Bundle.model_validate(tree)
    entries = tree.get("entry", [])
    addresses = [entry["fullUrl"] for entry in entries]
    assert len(addresses) == len(set(addresses))
    subjects = {entry["resource"]["subject"]["reference"] for entry in entries if "subject" in entry["resource"]}
    assert subjects <= {entry["fullUrl"] for entry in entries if entry["resource"]["resourceType"] == "Patient"}


@pytest.mark.parametrize("form", FORMATS)
def test_every_concept_in_every_state(form: str, knowledge: Knowledge) -> None:
    """No concept's codes lead back to another one: present, absent, measured, censored, by a method, in a specimen."""
    found = []
    for concept in knowledge.concepts.values():
        event = Event("p", concept.id, specimen=concept.specimen)
        if concept.kind != "person":
            method = concept.methods[0].id if concept.methods else "looked-at"
            found += [replace(event, status=PRESENT), replace(event, status=ABSENT, date=date(2020, 2, 29)),
                      replace(event, status=ABSENT, method=method)]
        if concept.unit:
            measured = replace(event, value=0.1, unit=concept.unit)
            found += [measured, replace(measured, upper_limit=3.0, status=ABSENT, comparator="<"),
                      replace(event, status=PRESENT, upper_limit=2.5, unit=concept.unit)]
    assert plain(back(out(found, form), form).events) == plain(found)


@pytest.mark.parametrize("form", FORMATS)
def test_a_person_who_contradicts_itself(form: str, knowledge: Knowledge) -> None:
    """Two sexes, two dates of birth, denied or dated ones: nothing is dropped, though the head holds one of each."""
    born = Event("p", "birth-date", date(1970, 1, 2), PRESENT)
    found = [Event("p", "sex-female", status=ABSENT), replace(born, status=ABSENT), replace(born, method="passport"),
             Event("p", "sex-male", status=PRESENT, method="karyotype"), Event("p", "sex-male", status=PRESENT),
             Event("p", "sex-female", status=PRESENT), Event("p", "sex-male", status=PRESENT),
             Event("p", "sex-male", date(2020, 1, 1), PRESENT), born, born, replace(born, date=date(1971, 1, 2)),
             replace(born, date=None), Event("q", "edema", status=PRESENT)]
    assert plain(back(out(found, form), form).events) == plain(found)


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("path", PUBLISHED, ids=lambda path: path.stem)
def test_a_published_case_is_reviewed_alike(form: str, path: Path, knowledge: Knowledge) -> None:
    """A published case gives the same verdicts, posteriors and next tests after a round through each format."""
    case = read_case(path)
    found = list(read(out(case_events(case), "csv").data, knowledge, today=date.today()).events)
    again = read(out(found, form).data, knowledge, today=date.today())
    assert not [issue for issue in again.issues if issue.level == "fault"]
    reviews = [without_place(as_object(assess(records(some, case.get("as_of"))[0], knowledge), knowledge))
               for some in (found, again.events)]
    assert reviews[0] == reviews[1]


def without_place(tree: Any) -> Any:
    """A review without where its findings stood: neither their source nor their order."""
    if isinstance(tree, dict):
        return {key: without_place(value) for key, value in tree.items() if key != "source" or isinstance(value, dict)}
    if isinstance(tree, list):
        return sorted((without_place(value) for value in tree), key=lambda value: json.dumps(value, sort_keys=True))
    return tree


def test_a_bound_is_never_taken_for_a_value(knowledge: Knowledge) -> None:
    """A reader that knows nothing of ours finds no plain quantity where the assay gave a bound."""
    event = Event("p", "vegf-plasma", date(2020, 1, 1), value=31.0, unit="pg/mL", comparator="<", specimen="plasma")
    packet = json.loads(out([event], "phenopacket").data)
    (measurement,) = packet["biosamples"][0]["measurements"]
    assert "value" not in measurement
    assert measurement["complexValue"]["typedQuantities"][0]["type"]["id"] == "poems:less-than"


def test_no_cell_is_a_formula(knowledge: Knowledge) -> None:
    """A spreadsheet does not calculate what people typed; numbers are as people write them."""
    found = [Event("=1+1", "edema", status=PRESENT, source="@SUM(A1)"),
             Event("-x", "platelets", value=150.0, unit="10*9/L", upper_limit=400.5)]
    rows = list(csv.DictReader(io.StringIO(out(found, "csv").data.decode())))
    assert list(rows[0]) == list(COLUMNS)
    assert not [cell for row in rows for cell in row.values() if cell[:1] in tuple("=+-@\t")]
    assert (rows[1]["value"], rows[1]["upper_limit"]) == ("150", "400.5")
    assert [event.patient for event in back(out(found, "csv"), "csv").events] == ["=1+1", "-x"]


HIDDEN = ("letter;=1+cmd|' /C calc'!A0", "a; =1+1", "a;  @x", 'a;"=1+1', "a;;+1;=2", "\uff1d1+1", "a;\uff0b1", ";=1",
          "a;-", "a;b=c", "a; b", "'a';=\"x\"", "a;+-=x")


@pytest.mark.parametrize("delimiter", [";", ",;\t"])
@pytest.mark.parametrize("said", HIDDEN)
def test_no_cell_is_a_formula_where_another_sign_parts_cells(said: str, delimiter: str) -> None:
    """In a country whose lists are parted by semicolons, a file with commas is parted there; still no cell begins
    as a formula, and our own reader gets back what was written.
    """
    found = [Event(said, "edema", status=PRESENT, source=said)]
    text = out(found, "csv").data.decode()
    cells = [cell.strip('"') for line in text.splitlines() for cell in re.split(f"[{delimiter}]", line)]
    assert not [cell for cell in cells if cell[:1] in tuple("=+-@\uff1d\uff0b\uff0d\uff20")]
    (again,) = back(out(found, "csv"), "csv").events
    assert (again.patient, again.source) == (fields.patient(said), said)


def test_a_source_that_no_reader_would_take(knowledge: Knowledge) -> None:
    """Control signs and very long names of files do not cost the event."""
    event = Event("p", "edema", status=PRESENT, source=f"a\x07b\udcff{'x' * 400}.csv, row 3")
    for form in FORMATS:
        (again,) = back(out([event], form), form).events
        assert len(again.source) == 256
        assert replace(again, source="") == replace(event, source="")


def test_a_finding_that_the_knowledge_does_not_know(knowledge: Knowledge) -> None:
    """It is written under its own name, and said."""
    found = [Event("p", "long-gone", status=PRESENT), Event("p", "gone-too", value=3.0, unit="mg/L")]
    for form in FORMATS:
        export = out(found, form)
        assert b"long-gone" in export.data
        assert [issue.level for issue in export.issues] == ["caution"]
        assert "2 findings" in export.issues[0].found


def test_the_same_events_make_the_same_file(knowledge: Knowledge) -> None:
    """Nothing in a file is drawn by chance, and several people become a Cohort."""
    found = [Event("p", "edema", status=PRESENT)] * 2 + [Event("q", "edema", status=ABSENT)]
    for form in FORMATS:
        assert out(found, form) == out(found, form)
    cohort: dict[str, Any] = json.loads(out(found, "phenopacket").data)
    assert [member["subject"]["id"] for member in cohort["members"]] == ["p", "q"]
    with pytest.raises(UsageError, match="csv, fhir, phenopacket"):
        write(found, knowledge, "xml")
