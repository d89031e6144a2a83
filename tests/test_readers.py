"""The readers: what each format's words mean, what is refused and how it is said, and that all formats agree."""

from __future__ import annotations

import io
import json
import sys
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml
from events import TODAY, events
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from writers import as_csv, as_fhir, as_parquet, as_phenopacket, bundle, in_phenopacket, plain

from poems.adapters import Reading, read
from poems.errors import UsageError
from poems.knowledge import Knowledge, load
from poems.record import COLUMNS, Event

HERE = Path(__file__).parent
CASES = [(path.stem, case) for path in sorted((HERE / "cases" / "readers").glob("*.yaml"))
         for case in yaml.safe_load(path.read_text())]
PERSON = {"resourceType": "Patient", "id": "p1"}


def as_input(case: dict[str, Any]) -> bytes:
    """The input of a case: text, rows under the usual heading, JSON, or the resources of a Bundle."""
    if "bytes" in case:
        return bytes.fromhex(case["bytes"])
    if "text" in case:
        return str(case["text"]).encode()
    if "rows" in case:
        return f"{','.join(COLUMNS[:-1])}\n{case['rows']}".encode()
    if "resources" in case:
        return json.dumps(bundle([PERSON, *case["resources"]])).encode()
    return json.dumps(case["json"]).encode()


def facts(event: Event) -> dict[str, Any]:
    """What an event says, without what is empty."""
    return {name: str(value) if isinstance(value, date) else value for name in Event.__slots__
            if (value := getattr(event, name)) not in (None, "")}


@pytest.mark.parametrize(("formats", "case"), CASES, ids=[f"{name}: {case['case']}" for name, case in CASES])
def test_a_case_of_the_readers(formats: str, case: dict[str, Any], knowledge: Knowledge) -> None:
    """Each named behaviour gives exactly its events, and exactly its issues with their level, place and words."""
    reading = read(as_input(case), knowledge, name="input", format=case.get("format"), today=TODAY,
                   units=case.get("units", {}))
    expected = case.get("events", [])
    assert len(reading.events) == len(expected), [facts(event) for event in reading.events]
    for event, wanted in zip(reading.events, expected, strict=True):
        wanted = {"patient": "p1", **wanted}
        assert {name: str(value) if isinstance(value, date) else value for name, value in wanted.items()} == {
            name: value for name, value in facts(event).items() if name in wanted or name != "source"}
    issues = [str(issue) for issue in reading.issues]
    assert len(issues) == len(case.get("issues", [])), issues
    for issue, wanted in zip(reading.issues, case.get("issues", []), strict=True):
        level, place, words = (part.strip() for part in wanted.split("|"))
        assert (issue.level, issue.where) == (level, f"input, {place}" if place else "input"), issues
        assert words in f"{issue.found}; {issue.expected}. {issue.fix}", issues


@pytest.mark.parametrize("path", sorted((HERE / "data").glob("*.*")), ids=lambda path: path.name)
def test_a_golden_file(path: Path, knowledge: Knowledge) -> None:
    """The same patient as CSV, Parquet, Bundle, NDJSON and phenopacket is the same record."""
    reading = read(path, knowledge, today=TODAY)
    golden = read(HERE / "data" / "patient.csv", knowledge, today=TODAY)
    assert plain(reading.events) == plain(golden.events)
    assert not [issue for issue in reading.issues if issue.level != "note"]
    assert all(event.source.startswith(f"{path.name}, ") for event in reading.events)


def again(data: bytes, form: str, knowledge: Knowledge) -> Reading:
    """Read what a writer wrote; nothing may be refused, and the format must be recognised by itself."""
    reading = read(data, knowledge, today=TODAY)
    assert [str(issue) for issue in reading.issues if issue.level == "fault"] == []
    assert read(data, knowledge, format=form, today=TODAY) == reading
    return reading


BUNDLED = st.deferred(lambda: events(load()))
ROUNDS = settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@given(found=BUNDLED)
@ROUNDS
def test_csv_and_parquet_keep_every_event(found: list[Event]) -> None:
    """What is written as CSV or Parquet is read back, in order and to the last digit."""
    knowledge = load()
    for data, form in ((as_csv(found), "csv"), (as_parquet(found), "parquet"),
                       (as_parquet(found, typed=False), "parquet")):
        reading = again(data, form, knowledge)
        assert [facts(event) | {"source": ""} for event in reading.events] == [
            facts(event) | {"source": ""} for event in found]


@given(found=BUNDLED)
@ROUNDS
def test_fhir_keeps_every_event(found: list[Event]) -> None:
    """What is written as a FHIR Bundle is read back."""
    assert plain(again(as_fhir(found, load()), "fhir", load()).events) == plain(found)


@given(found=BUNDLED)
@ROUNDS
def test_phenopackets_keep_every_event_that_they_can_hold(found: list[Event]) -> None:
    """What a phenopacket can say is read back."""
    held = [event for event in found if in_phenopacket(event, load())]
    assert plain(again(as_phenopacket(held, load()) if held else b'{"subject": {"id": "p"}}', "phenopacket",
                       load()).events) == plain(held)


@given(found=BUNDLED, delimiter=st.sampled_from(",;\t"))
@ROUNDS
def test_the_delimiter_does_not_matter(found: list[Event], delimiter: str) -> None:
    """Comma, semicolon and tab are recognised from the heading."""
    assert plain(read(as_csv(found, delimiter), load(), today=TODAY).events) == plain(found)


@pytest.mark.parametrize("source", ["nowhere.csv", "."])
def test_a_file_that_cannot_be_opened(source: str, knowledge: Knowledge) -> None:
    """No file, or a folder: one fault, no exception."""
    reading = read(source, knowledge, today=TODAY)
    assert reading.events == ()
    assert [issue.level for issue in reading.issues] == ["fault"]
    assert "cannot be opened" in reading.issues[0].found


def test_a_file_name_that_looks_like_a_pattern(knowledge: Knowledge, tmp_path: Path) -> None:
    """A Parquet file named with brackets is that file and no pattern of others."""
    path = tmp_path / "labs[1]*.parquet"
    path.write_bytes(as_parquet([Event("p1", "edema", status="present")]))
    (tmp_path / "labs1x.parquet").write_bytes(as_parquet([Event("p2", "edema", status="present")]))
    assert [event.patient for event in read(path, knowledge, today=TODAY).events] == ["p1"]


def test_a_parquet_file_without_room_for_a_copy_is_said(knowledge: Knowledge, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bytes that lie nowhere are laid aside to be read."""
    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    data = as_parquet([Event("p1", "edema", status="present")])
    monkeypatch.setattr(Path, "write_bytes", full)
    reading = read(data, knowledge, today=TODAY)
    assert (reading.events, [issue.level for issue in reading.issues]) == ((), ["fault"])
    assert "No space left" in reading.issues[0].found


@pytest.mark.parametrize(("units", "word"), [
    ({"vegf-plasma": "mg"}, "expected one of"), ({"edema": "mg/dL"}, "not a measured"),
    ({"no-such": "mg/dL"}, "not a measured")])
def test_units_that_do_not_fit_are_wrong_use(units: dict[str, str], word: str, knowledge: Knowledge) -> None:
    """A unit for a concept that has none, or of another dimension, is refused before anything is read."""
    with pytest.raises(UsageError, match=word):
        read(b"patient,finding,status\n", knowledge, today=TODAY, units=units)
    with pytest.raises(UsageError, match="unknown format"):
        read(b"", knowledge, format="xml", today=TODAY)


@pytest.mark.parametrize("data", [b"[" * 100_000, b'{"a":' * 100_000,
                                  b'{"resourceType": "Bundle", "entry": ' + b"[" * 5000])
def test_nesting_without_end(data: bytes, knowledge: Knowledge) -> None:
    """JSON nested beyond what can be read is one fault, whatever the format it was meant to be."""
    for form in (None, "fhir", "phenopacket"):
        reading = read(data, knowledge, name="input", format=form, today=TODAY)
        assert reading.events == ()
        assert [issue.level for issue in reading.issues] == ["fault"]


def test_deep_nesting_in_one_resource(knowledge: Knowledge) -> None:
    """A resource that nests too deeply is named; its neighbours are read."""
    deep = PERSON | {"id": "p2", "gender": "male", "extension": json.loads("[" * 400 + "]" * 400)}
    data = json.dumps(bundle([deep, PERSON | {"gender": "male"}])).encode()
    reading = read(data, knowledge, name="input", today=TODAY)
    assert [event.patient for event in reading.events] == ["p1"]
    assert [(issue.where, issue.found) for issue in reading.issues] == [
        ("input, Bundle.entry[0].resource", "nested too deeply")]


def test_integers_of_thousands_of_digits(knowledge: Knowledge) -> None:
    """A number that Python itself refuses to read is a fault of its resource."""
    data = f'[{{"resourceType": "Patient", "id": "p1", "x": {"9" * 9999}}}]'.encode()
    assert "too large" in read(data, knowledge, today=TODAY).issues[0].found


def test_standard_input(knowledge: Knowledge, monkeypatch: pytest.MonkeyPatch) -> None:
    """`-` reads standard input, and issues call it so."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"patient,finding,status\np1,edema,yes\n")))
    assert [event.source for event in read("-", knowledge, today=TODAY).events] == ["stdin, row 2"]


@pytest.mark.parametrize(("columns", "types", "words"), [
    (("patient", "finding", "status", "STATUS"), {}, "stands twice"), (("patient", "status"), {}, "no column finding")])
def test_a_parquet_file_with_other_columns(columns: tuple[str, ...], types: dict[str, str], words: str,
                                           knowledge: Knowledge, tmp_path: Path) -> None:
    """Columns that are missing or stand twice are refused as in CSV."""
    path = tmp_path / "events.parquet"
    chosen = ", ".join(f"'x' AS \"{name}\"" for name in columns)
    _write(path, f"SELECT {chosen}")
    assert words in str(read(path, knowledge, today=TODAY).issues[0])


def test_a_parquet_file_of_other_types(knowledge: Knowledge, tmp_path: Path) -> None:
    """Whole numbers as patients, moments as days, truth as status; NaN, infinity and lists are refused."""
    path = tmp_path / "events.parquet"
    _write(path, "SELECT 7 AS patient, 'edema' AS finding, true AS status, "
                 "TIMESTAMPTZ '2020-01-02 23:30:00+00' AS date")
    reading = read(path, knowledge, today=TODAY)
    assert [(event.patient, event.date, event.status) for event in reading.events] == [
        ("7", date(2020, 1, 2), "present")]
    for value in ("'NaN'::DOUBLE", "'Infinity'::DOUBLE", "[1, 2]", "true", "-1", "{'a': 1}", "'\\x00'::BLOB"):
        _write(path, f"SELECT 'p' AS patient, 'platelets' AS finding, '10*9/L' AS unit, {value} AS value")
        reading = read(path, knowledge, today=TODAY)
        assert reading.events == ()
        assert [issue.where for issue in reading.issues] == ["events.parquet, row 1, value"]


def _write(path: Path, select: str) -> None:
    with duckdb.connect() as connection:
        connection.execute(f"COPY ({select}) TO '{path}' (FORMAT parquet)")


def test_no_issue_repeats_a_patients_words(knowledge: Knowledge) -> None:
    """Ids and values of a patient stand in no issue, however wrong the row."""
    secret = "Jane Roe 19450312"
    wrong = [f"{secret},2020-01-01,edema,{secret},,,,,,", f"{secret},{secret},edema,present,,,,,,",
             f"{secret},2020-01-01,platelets,,{secret},10*9/L,,,,", f"{secret},2020-01-01,platelets,,7,{secret},,,,",
             f"{secret},2020-01-01,{secret},present,,,,,,", f"{secret},2020-01-01,platelets,,7,10*9/L,{secret},,,",
             f"{secret},2020-01-01,platelets,,7,10*9/L,,{secret},,",
             f"{secret},2020-01-01,platelets,,7,10*9/L,,,{secret},"]
    reading = read(as_input({"rows": "\n".join(wrong)}), knowledge, today=TODAY)
    assert reading.events == ()
    assert len(reading.issues) == len(wrong)
    observation = {"resourceType": "Observation", "id": secret, "status": secret, "code": {"text": secret},
                   "subject": {"reference": secret}, "valueString": secret}
    packet = {"subject": {"id": secret, "sex": secret},
              "phenotypicFeatures": [{"type": {"id": secret, "label": secret}}],
              "measurements": [{"assay": {"id": "LOINC:777-3"}, "value": {"quantity": {
                  "unit": {"id": secret}, "value": 7}}, "timeObserved": {"timestamp": secret}}]}
    for tree in (bundle([observation, observation | {"status": "final"}]), packet):
        reading = read(json.dumps(tree).encode(), knowledge, today=TODAY)
        assert reading.issues
        assert not [str(issue) for issue in reading.issues if "Jane" in str(issue) or "1945" in str(issue)]
