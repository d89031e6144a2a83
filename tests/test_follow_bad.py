"""Courses that are bad, and courses on which a careful reader and the program disagreed.

Nothing bad ends in a traceback or is dropped without a word. The courses on which they disagreed stand in
tests/cases/follow/extra-courses.yaml.
"""

from __future__ import annotations

import json
import random
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from follow_cases import told
from hypothesis import given, settings
from hypothesis import strategies as st

from poems.adapters import Reading, read
from poems.follow import Follow, follow
from poems.follow.chart import Chart
from poems.knowledge import load
from poems.record import Event, Record, records

AS_OF = date(2026, 1, 1)
TODAY = date(2026, 11, 22)
HEAD = "patient,finding,date,status,value,unit,comparator,specimen,upper_limit,method\n"
COURSE = (
    "p,lenalidomide,2020-01-01,present,,,,,,\np,vegf-plasma,2019-12-20,,800,pg/mL,,plasma,100,\n"
    "p,vegf-plasma,2020-06-01,,100,pg/mL,,plasma,100,\n"
)
KNOWN = load()

# Each: the row after those of COURSE; the level and the word of the one issue that names row 5.
REFUSED = {
    "a date in the future": ("vegf-plasma,2030-01-01,,200,pg/mL,,,100,", "fault", "in the future"),
    "the thirtieth of February": ("vegf-plasma,2021-02-30,,200,pg/mL,,,100,", "fault", "does not exist"),
    "a thirteenth month": ("vegf-plasma,2021-13-01,,200,pg/mL,,,100,", "fault", "does not exist"),
    "day, month, year": ("vegf-plasma,01/02/2021,,200,pg/mL,,,100,", "fault", "not an ISO date"),
    "a year of the first century": ("vegf-plasma,0021-01-01,,200,pg/mL,,,100,", "fault", "before 1900"),
    "not a number": ("vegf-plasma,2021-01-01,,nan,pg/mL,,,100,", "fault", "not a number"),
    "infinite": ("vegf-plasma,2021-01-01,,inf,pg/mL,,,100,", "fault", "not a number"),
    "huge": ("vegf-plasma,2021-01-01,,1e300,pg/mL,,,100,", "fault", "too large"),
    "tiny": ("vegf-plasma,2021-01-01,,1e-300,pg/mL,,,100,", "fault", "too small"),
    "negative": ("vegf-plasma,2021-01-01,,-3,pg/mL,,,100,", "fault", "negative"),
    "a decimal comma": ('vegf-plasma,2021-01-01,,"1,5",pg/mL,,,100,', "fault", "comma"),
    "digits of another script": ("vegf-plasma,2021-01-01,,\uff11\uff12,pg/mL,,,100,", "fault", "not a number"),
    "no unit": ("vegf-plasma,2021-01-01,,200,,,,100,", "fault", "empty"),
    "another kind of unit": ("vegf-plasma,2021-01-01,,200,mmol/L,,,100,", "fault", "mmol/L"),
    "M-protein in a unit of volume": ("m-protein-serum,2021-01-01,,2,mL,,,,", "fault", "unit"),
    "an upper limit of zero": ("vegf-plasma,2021-01-01,,200,pg/mL,,,0,", "fault", "above zero"),
    "a negative upper limit": ("vegf-plasma,2021-01-01,,200,pg/mL,,,-1,", "fault", "negative"),
    "an upper limit with a sign": ("vegf-plasma,2021-01-01,,200,pg/mL,,,<100,", "fault", "above zero"),
    "an upper limit that is no number": ("vegf-plasma,2021-01-01,,200,pg/mL,,,nan,", "fault", "not a number"),
    "a comparator twice": ("vegf-plasma,2021-01-01,,200,pg/mL,<<,,100,", "fault", "not a comparator"),
    "an equals sign": ("vegf-plasma,2021-01-01,,200,pg/mL,=,,100,", "fault", "not a comparator"),
    "about": ("vegf-plasma,2021-01-01,,~200,pg/mL,,,100,", "fault", "not a number"),
    "two comparators": ("vegf-plasma,2021-01-01,,<200,pg/mL,>,,100,", "fault", "another comparator"),
    "the wrong specimen": ("vegf-plasma,2021-01-01,,200,pg/mL,,serum,100,", "fault", "serum"),
    "a status that is none": ("papilledema,2021-01-01,maybe,,,,,,", "fault", "not a status"),
    "a status of unknown": ("papilledema,2021-01-01,unknown,,,,,,", "note", "not known"),
    "neither status nor value": ("papilledema,2021-01-01,,,,,,,", "fault", "neither"),
    "a treatment without a status": ("bortezomib,2021-01-01,,,,,,,", "fault", "neither"),
    "a treatment that nobody knows": ("wonderdrug,2021-01-01,present,,,,,,", "caution", "do not know"),
    "a finding that nobody knows": ("vegf-plasm,2021-01-01,,200,pg/mL,,,,", "caution", "do not know"),
    "a number for a finding": ("papilledema,2021-01-01,,5,,,,,", "fault", "is a finding"),
    "a comparator without a value": ("vegf-plasma,2021-01-01,present,,pg/mL,<,,,", "fault", "without a value"),
    "a cell too many": ("vegf-plasma,2021-01-01,,200,pg/mL,,,100,,,", "fault", "cells"),
}
# Each: the row after those of COURSE, which is kept; a word of an issue or caution of the follow-up, or empty.
KEPT = {
    "zero": ("vegf-plasma,2021-01-01,,0,pg/mL,,,100,", "1 value of vegf-plasma is zero"),
    "two values on a day": ("vegf-plasma,2020-06-01,,120,pg/mL,,,100,", "2 values of vegf-plasma on 2020-06-01"),
    "only a year": ("vegf-plasma,2021,,200,pg/mL,,,100,", "vegf-plasma without a date"),
    "no date": ("vegf-plasma,,,200,pg/mL,,,100,", "vegf-plasma without a date"),
    "a treatment without a date": ("bortezomib,,present,,,,,,", "bortezomib without a date"),
    "a transplant without day 0": ("autologous-stem-cell-transplant,,present,,,,,,", "day 0 is not known"),
    "only the end of a treatment": ("bortezomib,2021-01-01,absent,,,,,,", "A stop without a start"),
    "another laboratory's limit": ("vegf-plasma,2021-01-01,,90,pg/mL,,,86,", "stands in 2 series"),
    "no limit any more": ("vegf-plasma,2021-01-01,,90,pg/mL,,,,", "stands in 2 series"),
    "another specimen": ("vegf-serum,2021-01-01,,900,pg/mL,,,500,", "stand in 2 series"),
    "no specimen": ("vegf,2021-01-01,,900,pg/mL,,,500,", "stand in 2 series"),
    "a year of birth": ("birth-date,1970,present,,,,,,", "only a part of a date"),
}
# Each: what is changed of a sound event made by hand; a word of the fault.
BY_HAND: dict[str, tuple[dict[str, Any], str]] = {
    "in the future": ({"date": date(2030, 1, 1)}, "after the day asked about"),
    "negative": ({"value": -1.0}, "negative or no number"),
    "not a number": ({"value": float("nan")}, "negative or no number"),
    "infinite": ({"value": float("inf")}, "negative or no number"),
    "nanograms": ({"unit": "ng/mL"}, "in ng/mL"),
    "a comparator that is none": ({"comparator": "<<"}, "no comparator"),
    "a comparator as one sign": ({"comparator": "\u2264"}, "no comparator"),
    "a comparator without a value": ({"comparator": "<", "value": None, "status": "present"}, "no comparator"),
    "a negative limit": ({"upper_limit": -5.0}, "an upper limit of vegf-plasma"),
    "a limit of zero": ({"upper_limit": 0.0}, "an upper limit of vegf-plasma"),
    "a limit that is no number": ({"upper_limit": float("nan")}, "an upper limit of vegf-plasma"),
    "an infinite limit": ({"upper_limit": float("inf")}, "an upper limit of vegf-plasma"),
    "no unit": ({"unit": ""}, "without a unit"),
    "an unknown finding": ({"finding": "no-such-finding"}, "do not know"),
    "an unknown status": ({"status": "maybe", "value": None}, "status"),
    "neither status nor value": ({"value": None}, "neither"),
    "another specimen": ({"specimen": "serum"}, "another specimen"),
    "no specimen at all": ({"specimen": "tears", "finding": "albumin", "unit": "g/dL"}, "no specimen"),
    "too large to be a measurement": ({"value": 1e300}, "too large"),
    "too small to be a measurement": ({"value": 1e-300}, "too small"),
    "a number for a finding": ({"finding": "papilledema", "specimen": ""}, "a number, but papilledema is a finding"),
}
# Rows after those of COURSE that contradict what stands before them.
CONTRARY = {
    "a stop before the start": "bortezomib,2020-05-01,absent,,,,,,\np,bortezomib,2020-06-01,present,,,,,,",
    "a sample after death": "death,2020-06-01,present,,,,,,\np,vegf-plasma,2021-01-01,,90,pg/mL,,,100,",
    "a finding after death": "death,2020-06-02,present,,,,,,\np,papilledema,2021-01-01,present,,,,,,",
    "two days of death": "death,2020-07-01,present,,,,,,\np,death,2021-01-01,present,,,,,,",
    "death taken back": "death,2020-07-01,present,,,,,,\np,death,2021-01-01,absent,,,,,,",
    "death without a day": "death,,present,,,,,,",
    "born after the treatment": "birth-date,2021-01-01,present,,,,,,",
    "born twice": "birth-date,1950-01-01,present,,,,,,\np,birth-date,1980-01-01,present,,,,,,",
    "a relapse without a day": "relapse,,present,,,,,,",
    "a relapse that is only a word": "relapse,2021-01-01,present,,,,,,",
    "a limit a thousand times another": "vegf-plasma,2021-01-01,,0.2,ng/mL,,,100,",
    "the same row twice": "vegf-plasma,2020-06-01,,100,pg/mL,,plasma,100,",
    "a drug after which VEGF cannot be read": "bevacizumab,2020-05-01,present,,,,,,",
}
SAID = {
    "a stop before the start": "bortezomib",
    "a limit a thousand times another": "limit of vegf",
    "the same row twice": "row 5",
    "born after the treatment": "birth",
    "born twice": "birth",
    "a relapse without a day": "relapse",
    "a relapse that is only a word": "relapse",
    "a drug after which VEGF cannot be read": "1 sample (2020-06-01)",
}
SAMPLE = Event("p", "vegf-plasma", date(2020, 9, 1), "", 50.0, "pg/mL", "", "plasma", 100.0, "", "here")


def reading(rows: str) -> Reading:
    return read((HEAD + COURSE + rows).encode(), KNOWN, name="x.csv", today=TODAY)


def course(found: Reading, as_of: date = AS_OF) -> Follow:
    return follow(records(found.events, as_of)[0], KNOWN, as_of=as_of, issues=found.issues)


def by_hand(*events: Event) -> Record:
    """The course with events that no reader saw; a last high sample, so that everything is compared."""
    shared = (
        Event("p", "lenalidomide", date(2020, 1, 1), "present", source="a"),
        replace(SAMPLE, date=date(2019, 12, 20), value=800.0, source="b"),
        replace(SAMPLE, date=date(2021, 1, 1), value=200.0, source="c"),
    )
    return Record("p", (*shared, *events), AS_OF)


def said(found: Follow) -> str:
    return " | ".join([*map(str, found.issues), *(item.text for item in found.cautions)])


@pytest.mark.parametrize("name", REFUSED)
def test_a_bad_row_is_named_and_the_others_are_followed(name: str) -> None:
    """The issue says where and what, a fault also what was expected and what to do; three rows remain."""
    row, level, word = REFUSED[name]
    found = reading(f"p,{row}\n")
    named = [issue for issue in found.issues if issue.where.startswith("x.csv, row 5")]
    assert [issue.level for issue in named] == [level] and any(word in issue.found for issue in named)
    assert level != "fault" or all(issue.expected and issue.fix for issue in named)
    one = course(found)
    assert set(found.issues) <= set(one.issues)
    assert len(found.events) == 3 and [len(trend.series.samples) for trend in one.trends] == [2]


@pytest.mark.parametrize("name", KEPT)
def test_a_row_to_mind_is_kept_and_said(name: str) -> None:
    """What can be read and has to be looked at is told in an issue or a caution."""
    row, word = KEPT[name]
    found = reading(f"p,{row}\n")
    assert len(found.events) == 4 and word in said(course(found))


@pytest.mark.parametrize("name", CONTRARY)
def test_rows_that_contradict_each_other_are_said(name: str) -> None:
    """An issue or a caution beyond those of the course alone names the finding."""
    usual = {str(item) for item in course(reading("")).issues} | {item.id for item in course(reading("")).cautions}
    found = course(reading(f"p,{CONTRARY[name]}\n"))
    more = [str(item) for item in found.issues if str(item) not in usual]
    more += [item.text for item in found.cautions if item.id not in usual]
    assert any(SAID.get(name, "death") in text for text in more), more


def test_two_values_of_a_day_say_the_same_in_any_order() -> None:
    """90 and 140 on one day, lowest before 100: 140 is half more than 90 in one order, not than 100 in the other."""
    pair = [replace(SAMPLE, date=date(2020, 9, 1), value=value, source=f"{value}") for value in (90.0, 140.0)]
    shared = [*by_hand().events[:2], replace(SAMPLE, date=date(2020, 6, 1), value=100.0, source="d")]
    assert verdicts([*shared, *pair]) == verdicts([*shared, *reversed(pair)])


def test_a_row_that_stands_twice_changes_no_probability() -> None:
    """One observation in two files makes nobody more certain."""
    twice = replace(SAMPLE, date=date(2021, 1, 1), value=200.0)
    one = plain([*by_hand(SAMPLE).events[:2], SAMPLE, twice])["trends"]["vegf-plasma"]["p-rise"]
    two = plain([*by_hand(SAMPLE).events[:2], SAMPLE, twice, twice])["trends"]["vegf-plasma"]["p-rise"]
    assert one == two


@pytest.mark.parametrize(("start", "as_of"), [("2020-01-01", "9999-12-31"), ("0001-01-05", "2020-01-01")])
def test_the_ends_of_the_calendar_are_days(start: str, as_of: str) -> None:
    """`--as-of 9999-12-31` is a way to say: everything."""
    treated = Event("p", "lenalidomide", date.fromisoformat(start), "present", source="a")
    found = follow(Record("p", (treated,)), KNOWN, as_of=date.fromisoformat(as_of))
    assert [span.start for span in found.treatments] == [date.fromisoformat(start)]
    assert found.as_of == date.fromisoformat(as_of) and found.calendar
    assert all(visit.day <= visit.latest for visit in found.calendar)


FHIR_DRUG = {
    "resourceType": "MedicationStatement",
    "status": "completed",
    "subject": {"reference": "Patient/p"},
    "medicationCodeableConcept": {"coding": [{"system": "urn:poems:concept", "code": "lenalidomide"}]},
}


def bundled(*resources: dict[str, Any]) -> bytes:
    entries = [{"resource": resource} for resource in resources]
    return json.dumps({"resourceType": "Bundle", "type": "collection", "entry": entries}).encode()


def packet(*actions: dict[str, Any], **subject: Any) -> bytes:
    known = {"created": "2021-01-01T00:00:00Z", "createdBy": "x", "phenopacketSchemaVersion": "2.0", "resources": []}
    raw = {"id": "a", "subject": {"id": "p", **subject}, "medicalActions": list(actions), "metaData": known}
    return json.dumps(raw).encode()


LENALIDOMIDE = {"agent": {"id": "poems:lenalidomide", "label": "Lenalidomide"}}


def test_treatments_of_fhir_and_phenopackets_are_followed() -> None:
    """A period and a dose interval begin a line on their first day."""
    period = {"start": "2020-01-01", "end": "2020-06-01"}
    dose = {"treatment": {**LENALIDOMIDE, "doseIntervals": [{"interval": {"start": "2020-01-01T00:00:00Z"}}]}}
    person = {"resourceType": "Patient", "id": "p"}
    for data in (bundled(person, {**FHIR_DRUG, "effectivePeriod": period}), packet(dose)):
        found = course(read(data, KNOWN, name="x.json", today=TODAY))
        assert [line.start for line in found.lines] == [date(2020, 1, 1)]


def test_treatments_of_fhir_and_phenopackets_without_a_day_are_said() -> None:
    """They make no line, and an issue says so; a plan and an error are no treatment."""
    person = {"resourceType": "Patient", "id": "p"}
    for data in (bundled(person, FHIR_DRUG), packet({"treatment": LENALIDOMIDE})):
        found = course(read(data, KNOWN, name="x.json", today=TODAY))
        assert not found.lines and "lenalidomide without a date" in said(found)
    for status in ("intended", "entered-in-error"):
        dated = {**FHIR_DRUG, "status": status, "effectiveDateTime": "2020-01-01"}
        reading_ = read(bundled(person, dated), KNOWN, name="x.json", today=TODAY)
        assert not reading_.events and status in reading_.issues[0].found


def taken(start: str, end: str = "") -> dict[str, Any]:
    period = {key: day for key, day in (("start", start), ("end", end)) if day}
    return {**FHIR_DRUG, "effectivePeriod": period}


def dosed(*intervals: tuple[str, str]) -> dict[str, Any]:
    sides = [{key: f"{day}T00:00:00Z" for key, day in zip(("start", "end"), pair, strict=True) if day}
             for pair in intervals]
    return {"treatment": {**LENALIDOMIDE, "doseIntervals": [{"interval": pair} for pair in sides]}}


PERSON = {"resourceType": "Patient", "id": "p"}
RADIATION = {
    "resourceType": "Procedure",
    "status": "completed",
    "subject": {"reference": "Patient/p"},
    "code": {"coding": [{"system": "urn:poems:concept", "code": "radiotherapy"}]},
    "performedPeriod": {"start": "2020-01-01", "end": "2020-02-10"},
}
GIVEN, STOPPED = ["lenalidomide", "2020-01-01", "present"], ["lenalidomide", "2020-06-01", "absent"]
UNDATED = ["lenalidomide", "None", "present"]
DAY = {"timestamp": "2020-06-01T00:00:00Z"}
# Each: a document; the events that come of it; a word of the one issue, or nothing.
DOCUMENTS: dict[str, tuple[bytes, list[list[str]], str]] = {
    "the end of a period": (bundled(PERSON, taken("2020-01-01", "2020-06-01")), [GIVEN, STOPPED], ""),
    "a period that goes on": (bundled(PERSON, taken("2020-01-01")), [GIVEN], ""),
    "a period of one day is no stop": (bundled(PERSON, taken("2020-01-01", "2020-01-01")), [GIVEN], ""),
    "an end before the start": (bundled(PERSON, taken("2020-01-01", "2019-06-01")), [GIVEN], "before its start"),
    "only an end": (bundled(PERSON, taken("", "2020-06-01")), [UNDATED], "an end without a start"),
    "half an end": (bundled(PERSON, taken("2020-01-01", "2020-06")), [GIVEN], "only a part of a date"),
    "an end that does not exist": (bundled(PERSON, taken("2020-01-01", "2020-06-31")), [GIVEN], "does not exist"),
    "an end to come": (bundled(PERSON, taken("2020-01-01", "2030-06-01")), [GIVEN], ""),
    "two periods, the second over the end of the first": (
        bundled(PERSON, taken("2020-01-01", "2020-05-01"), taken("2020-04-01", "2020-06-01")),
        [GIVEN, ["lenalidomide", "2020-04-01", "present"], STOPPED], "",
    ),
    "two periods, the second goes on": (
        bundled(PERSON, taken("2020-01-01", "2020-06-01"), taken("2020-06-01")),
        [GIVEN, ["lenalidomide", "2020-06-01", "present"]], "",
    ),
    "the end of a procedure is not that of a treatment": (
        bundled(PERSON, RADIATION), [["radiotherapy", "2020-01-01", "present"]], "its first day is read",
    ),
    "a day of death": (bundled({**PERSON, "deceasedDateTime": "2020-06-01"}), [["death", "2020-06-01", "present"]], ""),
    "a death": (bundled({**PERSON, "deceasedBoolean": True}), [["death", "None", "present"]], ""),
    "half a day of death": (bundled({**PERSON, "deceasedDateTime": "2020"}), [["death", "None", "present"]], "a part"),
    "no death": (bundled({**PERSON, "deceasedBoolean": False}), [], ""),
    "the end of a dose": (packet(dosed(("2020-01-01", "2020-06-01"))), [GIVEN, STOPPED], ""),
    "the end of the last of two doses": (
        packet(dosed(("2020-01-01", "2020-03-01"), ("2020-04-01", "2020-06-01"))), [GIVEN, STOPPED], "",
    ),
    "the last dose goes on": (packet(dosed(("2020-01-01", "2020-03-01"), ("2020-04-01", ""))), [GIVEN], ""),
    "a dose with only an end": (packet(dosed(("", "2020-06-01"))), [UNDATED], "an end without a start"),
    "a dose that ends before it begins": (packet(dosed(("2020-01-01", "2019-06-01"))), [GIVEN], "before its start"),
    "a regimen": (
        packet({"therapeuticRegimen": {
            "ontologyClass": LENALIDOMIDE["agent"], "startTime": {"timestamp": "2020-01-01"}, "endTime": DAY,
            "regimenStatus": "COMPLETED"}}), [GIVEN, STOPPED], "",
    ),
    "a procedure of some weeks": (
        packet({"procedure": {"code": {"id": "poems:radiotherapy"}, "performed": {
            "interval": {"start": "2020-01-01T00:00:00Z", "end": "2020-02-10T00:00:00Z"}}}}),
        [["radiotherapy", "2020-01-01", "present"]], "the first day is read",
    ),
    "a death in a phenopacket": (
        packet(vitalStatus={"status": "DECEASED", "timeOfDeath": DAY}), [["death", "2020-06-01", "present"]], "",
    ),
    "a death without a day in a phenopacket": (
        packet(vital_status={"status": "DECEASED"}), [["death", "None", "present"]], "",
    ),
    "alive": (packet(vitalStatus={"status": "ALIVE"}), [], ""),
    "alive, with a time of death": (packet(vitalStatus={"status": "ALIVE", "timeOfDeath": DAY}), [], "time of death"),
    "neither dead nor alive": (packet(vitalStatus={"status": "GONE"}), [], "not a word of the schema"),
}  # fmt: skip


@pytest.mark.parametrize("name", DOCUMENTS)
def test_the_end_of_a_treatment_or_a_life_is_read_or_said(name: str) -> None:
    """A day that stands in the document is a stop, a death, or in an issue; an end is never taken for a first day."""
    data, rows, word = DOCUMENTS[name]
    found = read(data, KNOWN, name="x.json", today=TODAY)
    assert [[event.finding, str(event.date), event.status] for event in found.events] == rows
    assert len(found.issues) == bool(word) and all(word in issue.found for issue in found.issues)


def test_who_died_on_a_day_that_is_not_known_gets_no_visits() -> None:
    """No calendar, no day of death, and an issue that says why."""
    found = course(reading("p,death,,present,,,,,,\n"))
    assert found.died is None and not found.calendar and "no visits are listed" in said(found)


@pytest.mark.parametrize(("last", "is_within"), [(100, True), (101, False)])
def test_a_rise_within_the_limit_is_said_to_be_one(last: float, is_within: bool) -> None:
    """The definition asks for no limit to be passed; whoever reads that it is met has to know."""
    rows = "p,vegf-plasma,2020-09-01,,50,pg/mL,,plasma,100,\np,vegf-plasma,2021-01-01,,80,pg/mL,,plasma,100,\n"
    found = told(course(reading(f"{rows}p,vegf-plasma,2021-03-01,,{last},pg/mL,,plasma,100,\n")))["relapses"]["vegf"]
    assert found["verdict"] == "met" and ("All of these values lie within" in found["why"]) == is_within


def test_a_recorded_relapse_is_told_beside_what_was_computed() -> None:
    """The word moves no verdict, and what the definitions of that line of treatment show is said with it."""
    rise = "p,vegf-plasma,2021-01-01,,200,pg/mL,,plasma,100,\np,vegf-plasma,2021-03-01,,210,pg/mL,,plasma,100,\n"
    for rows, says in (("", "do not show it"), (rise, "shows: VEGF progression, plasma more than 50 %")):
        found = course(reading(f"{rows}p,relapse,2021-04-01,present,,,,,,\n"))
        (text,) = [item.text for item in found.cautions if item.id.startswith("relapse-recorded")]
        assert "on 2021-04-01" in text and says in text
        plainly = course(reading(rows or "p,rash,2021-04-01,absent,,,,,,\n"))
        assert [(item.id, item.verdict) for item in found.relapses] == [
            (item.id, item.verdict) for item in plainly.relapses
        ]


def test_two_days_of_birth_give_no_age() -> None:
    """What rests on the age stays unknown, rather than following the first row."""
    one = course(reading("p,birth-date,1950-01-01,present,,,,,,\n"))
    two = course(reading("p,birth-date,1950-01-01,present,,,,,,\np,birth-date,1990-01-01,present,,,,,,\n"))
    assert [told(each)["prognosis"]["age-over-50"] for each in (one, two)] == ["met", "unknown"]


@pytest.mark.parametrize("unit", ["pg/mL", "ng/L", "ng/mL", "pg/dL", "ug/L"])
def test_every_unit_of_vegf_is_one_series(unit: str) -> None:
    """200 pg/mL and its limit, as any laboratory prints them."""
    factor = {"pg/mL": 1, "ng/L": 1, "ng/mL": 0.001, "pg/dL": 100, "ug/L": 0.001}[unit]
    found = course(reading(f"p,vegf-plasma,2021-01-01,,{200 * factor:g},{unit},,plasma,{100 * factor:g},\n"))
    assert [len(trend.series.samples) for trend in found.trends] == [3]


@pytest.mark.parametrize(("value", "unit"), [("5000", "mg/L"), ("5", "g/L"), ("500", "mg/dL"), ("0.5", "g/dL")])
def test_every_unit_of_m_protein_is_one_value(value: str, unit: str) -> None:
    """Half a gram in a deciliter."""
    found = reading(f"p,m-protein-serum,2021-01-01,,{value},{unit},,serum,,\n")
    assert found.events[-1].value == pytest.approx(0.5)


def test_a_file_in_another_encoding_is_refused_whole() -> None:
    """Latin-1 and UTF-16 are named; nothing is guessed."""
    for data in ((HEAD + "p,papilledema,2021-01-01,pr\u00e9sent,,,,,,\n").encode("latin-1"), HEAD.encode("utf-16")):
        found = read(data, KNOWN, name="x.csv", today=TODAY)
        assert not found.events and [issue.level for issue in found.issues] == ["fault"]
        assert "not UTF-8" in found.issues[0].found


def test_semicolons_are_read_and_decimal_commas_are_refused() -> None:
    """A spreadsheet of another country: the columns are found, the number is not guessed."""
    text = (HEAD + COURSE).replace(",", ";") + "p;vegf-plasma;2021-01-01;;0,2;ng/mL;;plasma;0.1;\n"
    found = read(text.encode(), KNOWN, name="x.csv", today=TODAY)
    assert len(found.events) == 3 and [issue.where for issue in found.issues] == ["x.csv, row 5, value"]


@pytest.mark.parametrize("name", BY_HAND)
def test_a_bad_event_without_a_reader_is_one_named_fault(name: str) -> None:
    """Its place, what was found, what was expected, what to do; the rest is followed as if it were not there."""
    change, word = BY_HAND[name]
    _one_fault(change, word)


def _one_fault(change: dict[str, Any], word: str) -> None:
    found = follow(by_hand(replace(SAMPLE, **change)), KNOWN, as_of=AS_OF)
    faults = [issue for issue in found.issues if issue.level == "fault"]
    assert [issue.where for issue in faults] == ["here"]
    assert word in faults[0].found and faults[0].expected and faults[0].fix
    assert told(replace(found, issues=())) == told(replace(follow(by_hand(), KNOWN, as_of=AS_OF), issues=()))


@pytest.mark.parametrize(
    "samples",
    [
        [(n, "", 100.0 + n) for n in range(60)],
        [(n * 90, "<", 20.0) for n in range(9)],
        [(n * 90, ">", 2000.0) for n in range(9)],
        [(0, "", 90.0)],
        [(0, "", 90.0), (5500, "", 500.0)],
        [(n, "", 1e15 if n % 2 else 1e-15) for n in range(9)],
        [(n * 30, "", 0.0) for n in range(5)],
        [(n * 2, "", 60.0 + 90 * ((n * 7919) % 13) / 13) for n in range(1000)],
    ],
    ids=["daily", "all below", "all beyond", "one", "years apart", "widest", "zeros", "a thousand"],
)
def test_a_strange_course_is_followed(samples: list[tuple[int, str, float]]) -> None:
    """Every sample stands in its series; probabilities are probabilities."""
    begin = date(2010, 6, 1)
    events = [
        replace(SAMPLE, date=begin + timedelta(n), comparator=sign, value=value, source=f"row {i}")
        for i, (n, sign, value) in enumerate(samples)
    ]
    start = Event("p", "lenalidomide", date(2010, 1, 1), "present", source="a")
    found = follow(Record("p", (start, *events)), KNOWN, as_of=AS_OF)
    assert len(found.record.events) == len(events) + 1
    for trend in found.trends:
        assert len(trend.series.samples) == len(events)
        assert trend.p_rise is not None and 0 <= trend.p_rise <= 1 and trend.p_above is not None


def test_the_day_asked_about_is_before_everything() -> None:
    """Every row is a fault by name, and what remains is an empty record."""
    found = follow(by_hand(), KNOWN, as_of=date(1950, 1, 1))
    assert [issue.where for issue in found.issues] == ["a", "b", "c"] and not found.lines and not found.calendar


# Hypothesis: courses of the vocabulary.

POOLS = [
    list(KNOWN.clone_therapies),
    sorted({feature for made in KNOWN.follow.derived.values() for feature, _ in made.features}),
    [marker.concept for marker in KNOWN.follow.markers.values()],
    [scale.concept for scale in KNOWN.follow.scales.values()],
    [
        "serum-immunofixation", "urine-immunofixation", "clonal-marrow-plasma-cells", "fdg-avid-lesion",
        "new-bone-lesion", "bone-lesion-count", "fdg-suv-max", "infection", "influenza", "surgery", "death",
        "relapse", "neurologic-worsening", "age", "egfr", "clinical-response", "neurologic-response",
        "body-temperature", "rash", "neutrophils", "first-neutrophils", "creatinine", "neutrophil-engraftment",
        "birth-date", "bevacizumab", "dexamethasone", "sclerotic-bone-lesion",
    ],
]
VALUES = (0.0, 1.0, 2.0, 5.0, 20.0, 60.0, 100.0, 150.0, 151.0, 400.0, 5000.0)


@st.composite
def events(draw: st.DrawFn, least: int = 0, a_day: int = 1) -> list[Event]:
    """Sound rows, none of them twice. a_day: at most so many of a finding on one day."""
    found: dict[tuple[str, date | None, int], Event] = {}
    for place in range(draw(st.integers(least, 25))):
        finding = draw(st.sampled_from(draw(st.sampled_from(POOLS))))
        concept = KNOWN.concepts[finding]
        months = draw(st.none() | st.integers(0, 80))
        day = None if months is None else date(2019, 1, 1) + timedelta(30 * months)
        where: dict[str, Any] = {"date": day, "specimen": concept.specimen, "source": f"row {place}"}
        event = Event("p", finding, status=draw(st.sampled_from(("present", "present", "absent"))), **where)
        if concept.unit and draw(st.integers(0, 9)):
            sign = draw(st.sampled_from(("", "", "", "", "<", ">=")))
            limit = draw(st.sampled_from((100.0, 100.0, None)))
            event = Event("p", finding, None, "", draw(st.sampled_from(VALUES)), concept.unit, sign, upper_limit=limit)
            event = replace(event, **where)
        found[finding, day, place % a_day] = event
    return list({replace(event, source=""): event for event in found.values()}.values())


def plain(rows: list[Event]) -> dict[str, Any]:
    """What is said of these rows, without the issues; numbers to six digits, lists of reasons as sets."""
    found = told(follow(Record("p", tuple(rows)), KNOWN, as_of=AS_OF))
    del found["issues"]
    for item in found["relapses"].values():
        item["because"] = sorted(set(item["because"]))
    rounded: dict[str, Any] = json.loads(json.dumps(found, default=str), parse_float=lambda text: round(float(text), 6))
    return rounded


def verdicts(rows: list[Event]) -> dict[str, str]:
    return {name: item["verdict"] for name, item in plain(rows)["relapses"].items()}


FAULTY = [
    {"value": float("nan")},
    {"value": float("-inf")},
    {"value": -0.5},
    {"date": date(2027, 5, 1)},
    {"unit": "furlong", "value": 1.0},
]


@given(events(), st.lists(st.tuples(st.integers(0, 99), st.sampled_from(FAULTY)), max_size=5))
@settings(max_examples=60, deadline=None)
def test_every_row_is_used_or_named(rows: list[Event], faulty: list[tuple[int, dict[str, Any]]]) -> None:
    """No traceback; a row is in the record that was followed or in a fault, and a fault says four things."""
    measured = [row for row in rows if row.unit]
    spoiled = [
        replace(measured[n % len(measured)], source=f"bad {i}", **change)
        for i, (n, change) in enumerate(faulty)
        if measured
    ]
    found = follow(Record("p", (*rows, *spoiled)), KNOWN, as_of=AS_OF)
    faults = [issue for issue in found.issues if issue.level == "fault"]
    assert sorted(issue.where for issue in faults) == sorted(event.source for event in spoiled)
    assert all(issue.found and issue.expected and issue.fix for issue in faults)
    assert list(found.record.events) == rows


@given(events(least=3), events(least=1), st.integers(1, 3000))
@settings(max_examples=40, deadline=None)
def test_a_row_of_the_future_changes_nothing(rows: list[Event], later: list[Event], days: int) -> None:
    """It is a fault, and everything else that is said is the same."""
    future = [replace(event, date=AS_OF + timedelta(days)) for event in later]
    assert plain([*rows, *future]) == plain(rows)


@given(events(least=3, a_day=3), st.integers(0, 2**32))
@settings(max_examples=60, deadline=None)
def test_the_order_of_rows_changes_nothing(rows: list[Event], seed: int) -> None:
    """Rows are placed by what they say, not by their line in the file: every sentence and every issue is the same."""
    shuffled = rows[:]
    random.Random(seed).shuffle(shuffled)
    first, second = (follow(Record("p", tuple(each)), KNOWN, as_of=AS_OF) for each in (rows, shuffled))
    assert told(first) == told(second)
    assert [item.text for item in first.cautions] == [item.text for item in second.cautions]
    assert [trend.series for trend in first.trends] == [trend.series for trend in second.trends]


def _related() -> dict[str, frozenset[str]]:
    """Of each kind of relapse: what it rests on, and whatever shows or excludes that."""
    chart = Chart(Record("p", ()), KNOWN, AS_OF)
    found = {}
    for kind in KNOWN.follow.relapses:
        names, size = set(chart.leaves(kind.rule)), 0
        while size < len(names):
            size = len(names)
            known = [KNOWN.concepts[name] for name in names if name in KNOWN.concepts]
            names |= {other for concept in known for other in (*concept.shown_by, *concept.excluded_by)}
            names |= {concept.id for concept in KNOWN.concepts.values() if names & set(concept.shown_by)}
        found[kind.id] = frozenset(names)
    return found


RELATED = _related()
BESIDE = sorted(
    concept.id
    for concept in KNOWN.concepts.values()
    if concept.kind not in ("treatment", "person") and not concept.unit and concept.id != "death"
)


@given(events(least=3), st.sampled_from(BESIDE), st.integers(0, 80))
@settings(max_examples=80, deadline=None)
def test_what_is_absent_elsewhere_does_not_clear_a_relapse(rows: list[Event], finding: str, months: int) -> None:
    """A finding that a definition does not rest on, recorded absent, leaves its verdict as it was."""
    extra = Event("p", finding, date(2019, 1, 1) + timedelta(30 * months), "absent", source="extra")
    before, after = verdicts(rows), verdicts([*rows, extra])
    for name, verdict in before.items():
        if finding not in RELATED[name.partition("@")[0]] and name in after:
            assert after[name] == verdict


@given(events(least=3), st.sampled_from(("vegf-plasma", "vegf-serum")), st.sampled_from((0.01, 0.3, 10.0, 1000.0)))
@settings(max_examples=40, deadline=None)
def test_the_unit_of_a_series_does_not_change_its_rise(rows: list[Event], finding: str, times: float) -> None:
    """Values and limits multiplied alike: the same probability of a rise, the same verdict of the relative rule."""
    scaled = [
        event
        if event.finding != finding or event.value is None
        else replace(event, value=event.value * times, upper_limit=event.upper_limit and event.upper_limit * times)
        for event in rows
    ]
    before, after = plain(rows), plain(scaled)
    for name, trend in before["trends"].items():
        if name.startswith(finding):
            assert after["trends"][name]["p-rise"] == pytest.approx(trend["p-rise"], abs=1e-4)
            assert after["trends"][name]["alarm"] == trend["alarm"]
    kind = "vegf" if finding == "vegf-plasma" else finding
    if kind in before["relapses"]:
        assert after["relapses"][kind]["verdict"] == before["relapses"][kind]["verdict"]


@given(events(least=3), st.integers(0, 99))
@settings(max_examples=40, deadline=None)
def test_a_row_that_stands_twice_changes_nothing(rows: list[Event], place: int) -> None:
    """The same row in two files is one observation, and a note says so."""
    if not rows:
        return
    again = replace(rows[place % len(rows)], source="other file")
    found = follow(Record("p", (*rows, again)), KNOWN, as_of=AS_OF)
    assert [issue.level for issue in found.issues if issue.where == "other file"] == ["note"]
    assert plain([*rows, again]) == plain(rows)
