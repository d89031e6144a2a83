"""Follow-up: tables of definitions on both sides of each limit, real and simulated courses, records that are bad."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import HERE
from events import some
from follow_cases import answer, cases, differences, event, followed, told
from writers import as_csv

from poems.adapters import read
from poems.follow import follow
from poems.knowledge import Knowledge
from poems.record import Event, Record, records
from poems.render.timeline import timeline
from poems.rules import Verdict

COURSES = sorted((HERE / "cases" / "courses").glob("*.yaml"))
TODAY = date(2026, 11, 22)


@pytest.mark.parametrize(("table", "shared", "case"), cases(), ids=lambda v: v["case"] if isinstance(v, dict) else None)
def test_a_written_case_gets_what_was_written(
    table: str, shared: list[Any], case: dict[str, Any], knowledge: Knowledge
) -> None:
    """Each definition on both sides of its limit, met, not met, unknown and not evaluable, as the tables have it."""
    found = answer(shared, case, knowledge)
    assert not differences(case["expect"], found), "\n".join(differences(case["expect"], found))
    for part in case.get("without", []):
        assert not any(part in item for item in [*found["cautions"], *found["issues"]]), part


def course_events(case: dict[str, Any], knowledge: Knowledge) -> list[Event]:
    """The events of a course through the CSV reader, as for any user."""
    raw = [Event(patient=case["case"], **{**row, "unit": row.get("unit", "")}) for row in case.get("events", [])]
    raw += [event(row, knowledge) for row in case.get("rows", [])]
    reading = read(as_csv(raw), knowledge, name="case.csv", today=TODAY)
    assert not [issue for issue in reading.issues if issue.level == "fault"], reading.issues
    return list(reading.events)


def test_the_examples_are_the_courses_of_the_tables(knowledge: Knowledge) -> None:
    """poems/examples/courses holds each course as a file that anybody can run, but the one beside it."""
    folder = HERE.parent / "poems/examples/courses"
    assert {path.stem for path in folder.glob("*.csv")} == {path.stem for path in COURSES} - {"case-07"}
    for path in folder.glob("*.csv"):
        case = yaml.safe_load((HERE / "cases/courses" / f"{path.stem}.yaml").read_text())
        reading = read(path, knowledge, today=TODAY)
        assert not reading.issues and {event.patient for event in reading.events} == {path.stem}
        expected = [replace(event, patient=path.stem, source="") for event in course_events(case, knowledge)]
        assert [replace(event, source="") for event in reading.events] == expected


def course_steps() -> list[tuple[Path, dict[str, Any], int]]:
    return [
        (path, case, place)
        for path in COURSES
        for case in [yaml.safe_load(path.read_text())]
        for place in range(len(case["expect"]))
    ]


@pytest.mark.parametrize(
    ("path", "case", "place"),
    course_steps(),
    ids=lambda v: v.stem if isinstance(v, Path) else str(v) if isinstance(v, int) else "",
)
def test_a_course_says_what_was_written_before_it_ran(
    path: Path, case: dict[str, Any], place: int, knowledge: Knowledge
) -> None:
    """Three and more published courses and five simulated ones, on the days that matter."""
    step = case["expect"][place]
    record = records(course_events(case, knowledge), step["as-of"])[0]
    found = told(follow(record, knowledge, as_of=step["as-of"]))
    lines = differences({key: value for key, value in step.items() if key not in ("as-of", "because")}, found)
    assert step["because"] and not lines, "\n".join(lines)


def test_published_courses_carry_a_citation_and_simulated_ones_say_so() -> None:
    """At least three real courses with their citation, at least five simulated ones."""
    found = [yaml.safe_load(path.read_text()) for path in COURSES]
    assert sum("citation" in case.get("source", {}) for case in found) >= 3
    assert sum(case.get("simulated", False) for case in found) >= 5
    assert all(("citation" in case.get("source", {})) != case.get("simulated", False) for case in found)


BAD = {
    "a date in the future": ("vegf-plasma,2030-01-01,500,pg/mL", "date"),
    "a negative value": ("vegf-plasma,2020-03-01,-5,pg/mL", "value"),
    "another kind of unit": ("vegf-plasma,2020-03-01,5,mmol/L", "unit"),
    "no unit": ("vegf-plasma,2020-03-01,5,", "unit"),
}


@pytest.mark.parametrize("name", BAD)
def test_the_reader_refuses_a_bad_row_by_name(name: str, knowledge: Knowledge) -> None:
    """The bad row is a fault that names row and field; the good rows are followed."""
    row, field = BAD[name]
    text = (
        f"patient,finding,date,value,unit,status\np,vegf-plasma,2020-01-01,900,pg/mL,\np,{row.partition(',')[0]},"
        f"{row.partition(',')[2]},\np,lenalidomide,2020-01-02,,,present\n"
    )
    reading = read(text.encode(), knowledge, name="bad.csv", today=TODAY)
    faults = [issue for issue in reading.issues if issue.level == "fault"]
    assert len(faults) == 1 and faults[0].where == f"bad.csv, row 3, {field}"
    found = follow(records(reading.events, TODAY)[0], knowledge, as_of=TODAY, issues=reading.issues)
    assert faults[0] in found.issues
    assert [len(trend.series.samples) for trend in found.trends] == [1]


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"date": date(2030, 1, 1), "value": 5.0, "unit": "pg/mL"}, "after the day asked about"),
        ({"date": date(2020, 3, 1), "value": -5.0, "unit": "pg/mL"}, "negative"),
        ({"date": date(2020, 3, 1), "value": float("nan"), "unit": "pg/mL"}, "no number"),
        ({"date": date(2020, 3, 1), "value": 5.0, "unit": "ng/mL"}, "in ng/mL"),
    ],
)
def test_a_bad_event_made_by_hand_is_a_named_fault(fields: dict[str, Any], says: str, knowledge: Knowledge) -> None:
    """A record that did not come through a reader is screened too: no traceback, no silent drop."""
    record = Record("p", (Event("p", "vegf-plasma", source="here", **fields),))
    found = follow(record, knowledge, as_of=date(2026, 1, 1))
    assert [(issue.level, issue.where, says in issue.found) for issue in found.issues] == [("fault", "here", True)]
    assert not found.trends


def test_units_mixed_in_one_series_are_converted_by_the_reader(knowledge: Knowledge) -> None:
    """0.9 ng/mL and 900 pg/mL are the same plasma VEGF, in one series."""
    text = b"patient,finding,date,value,unit\np,vegf-plasma,2020-01-01,0.9,ng/mL\np,vegf-plasma,2020-03-01,900,pg/mL\n"
    reading = read(text, knowledge, name="x.csv", today=TODAY)
    found = follow(records(reading.events, TODAY)[0], knowledge, as_of=TODAY)
    assert [[event.value for event in trend.series.samples] for trend in found.trends] == [[900.0, 900.0]]


def test_an_empty_record_is_followed(knowledge: Knowledge) -> None:
    """Nothing is known, and that is what is said."""
    found = follow(Record("p", ()), knowledge, as_of=TODAY)
    assert not found.trends and not found.calendar and found.diagnosed is None
    assert {item.now for item in found.responses} == {"unknown"}
    assert {item.verdict for item in found.pattern} == {Verdict.UNKNOWN}


def test_the_same_record_gives_the_same_follow_up(knowledge: Knowledge) -> None:
    """Draws are seeded: two runs agree to the last digit."""
    rows = [
        ["lenalidomide", date(2020, 1, 1), "present"],
        *(
            ["vegf-plasma", date(2020, 1, 1) + timedelta(60 * n), 100 + 20 * n, {"upper_limit": 100.0}]
            for n in range(9)
        ),
    ]
    assert repr(followed(rows, TODAY, knowledge)) == repr(followed(rows, TODAY, knowledge))


WAITING = ["vegf-plasma", date(2021, 1, 1), 500, {"upper_limit": 100.0}]


@pytest.mark.parametrize(
    ("more", "kind", "said"),
    [
        ([WAITING], "unconfirmed", "2021-01-01, not confirmed"),
        ([WAITING, ["vegf-plasma", date(2021, 3, 1), 500, {"upper_limit": 100.0}]], "relapse", "2021-01-01, confirmed"),
        ([WAITING, ["vegf-plasma", date(2021, 3, 1), 90, {"upper_limit": 100.0}]], None, None),
    ],
)
def test_the_picture_marks_what_the_engine_says(
    more: list[Any], kind: str | None, said: str | None, knowledge: Knowledge
) -> None:
    """A relapse that waits for its confirmation has a mark of its own, a confirmed one another, a spike none."""
    rows = [["lenalidomide", date(2020, 1, 1), "present"]]
    rows += [["vegf-plasma", date(2019, 12, 20), 800, {"upper_limit": 100.0}]]
    rows += [["vegf-plasma", date(2020, month, 1), 90, {"upper_limit": 100.0}] for month in (6, 9)]
    lanes = timeline(followed([*rows, *more], TODAY, knowledge), knowledge).lanes
    marks = [(mark.kind, mark.label) for lane in lanes if lane.group == "relapse" for mark in lane.marks]
    assert marks == ([(kind, said)] if kind else [])


def test_nothing_that_is_a_draft_speaks(knowledge: Knowledge) -> None:
    """No category, relapse, factor or rate whose status is memory stands in a follow-up."""
    found = followed([["lenalidomide", date(2020, 1, 1), "present"]], TODAY, knowledge)
    sources = [
        *(item.source for item in found.responses),
        *(item.source for item in found.relapses),
        *(item.source for item in found.prognosis),
        *(item.source for item in found.survival),
        *(item.source for item in found.calendar),
        *(source for item in found.options for *_, source in item.outcomes),
    ]
    assert sources and all(source.status != "memory" for source in sources)
    assert any(item.drafts for item in found.responses)


def test_no_dose_stands_in_the_transplant_sheet(knowledge: Knowledge) -> None:
    """Steroids are mentioned, a dose is not."""
    found = followed([["autologous-stem-cell-transplant", date(2020, 1, 1), "present"]], TODAY, knowledge)
    text = json.dumps([text for text, _ in found.transplants[0].text])
    assert "corticosteroids" in text and "mg/m2" not in text and " mg/d" not in text


@pytest.mark.parametrize("seed", range(40))
def test_whatever_a_reader_gives_is_followed(seed: int, knowledge: Knowledge) -> None:
    """Random records end in a follow-up: no traceback, and every event is kept or has a named fault."""
    dice = random.Random(seed)
    for record in records(some(knowledge, dice, dice.randrange(1, 60)), TODAY):
        found = follow(record, knowledge, as_of=TODAY)
        faults = sum(issue.level == "fault" for issue in found.issues)
        assert len(found.record.events) + faults == len(record.events)
        assert all(event.finding in knowledge.concepts for item in found.relapses for event in item.because)
        assert all(item.day for item in found.relapses if item.confirmed)
        assert not any(item.day for item in found.relapses if item.verdict is Verdict.NOT_MET)
