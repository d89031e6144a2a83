"""Every course in every form: the most important first, dates with values, nothing twice, a sheet on one page."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import HERE, case_events
from follow_cases import followed as made
from jsonschema import Draft202012Validator
from rich.cells import cell_len
from test_follow import event

from poems.adapters import read
from poems.follow import Follow, follow
from poems.knowledge import Knowledge, load
from poems.record import records
from poems.render import follow_schema, render_follow, render_sheet
from poems.render.follow_glance import glance
from poems.render.follow_patient import own_course
from poems.render.follow_view import together, view
from poems.render.follow_words import apart

COURSES = HERE / "cases" / "courses"
EXAMPLE = HERE.parent / "poems" / "examples" / "published-course.csv"
GLANCES = yaml.safe_load((HERE / "cases" / "glance.yaml").read_text())
STYLE = HERE.parent / "poems/render/templates/follow.css"
DAYS = [(path.stem, item["as-of"]) for path in sorted(COURSES.glob("*.yaml"))
        for item in yaml.safe_load(path.read_text())["expect"]] + [
            ("published-course", date(2020, 10, 10)), ("published-course", date(2021, 1, 15))]
each = pytest.mark.parametrize(("course", "as_of"), DAYS, ids=lambda each: str(each))
LEAST_PT = 8.5
HOLE = re.compile(r"\bNone\b(?! is| of)|\bnan\b|\binf\b|\(\)| ,|(?<!\.)\.\.(?!\.)|; *;|: *[.;]")


@cache
def followed(course: str, as_of: date) -> Follow:
    """A course on a day."""
    knowledge = load()
    if course == "published-course":
        events = list(read(EXAMPLE, knowledge, today=date(2026, 1, 1)).events)
    else:
        case = yaml.safe_load((COURSES / f"{course}.yaml").read_text())
        events = case_events(case) if "events" in case else [event(row, knowledge) for row in case["rows"]]
    return follow(records(events, as_of)[0], knowledge, as_of=as_of)


def one_line(text: str) -> str:
    """The text without its line ends."""
    return " ".join(text.split())


@pytest.mark.parametrize("case", GLANCES, ids=lambda case: f"{case['course']} {case['as-of']}")
def test_the_most_important_thing_is_said_first(case: dict[str, Any], knowledge: Knowledge) -> None:
    """The glance of a course begins with what the case says, and holds what it must and nothing that it must not."""
    found = made(case["rows"], case["as-of"], knowledge) if "rows" in case else followed(case["course"], case["as-of"])
    said = list(glance(found, knowledge))
    assert said[0].startswith(one_line(case.get("first", "")))
    whole = " ".join(said)
    assert all(one_line(text) in whole for text in case.get("says", ())), whole
    assert not any(text in whole for text in case.get("never", ())), whole


@each
def test_every_course_is_told_in_every_form(course: str, as_of: date, knowledge: Knowledge) -> None:
    """Text keeps its columns, JSON keeps the contract, and no form shows a hole of the program."""
    found = followed(course, as_of)
    validator = Draft202012Validator(follow_schema.schema())
    for edition in ("clinician", "patient"):
        forms = [render_follow([found], knowledge, edition=edition, width=width, options=width > 90)  # type: ignore[arg-type]
                 for width in (60, 80, 100)]
        for text, width in zip(forms, (60, 80, 100), strict=True):
            assert max(map(cell_len, text.splitlines())) <= width
        page = render_follow([found], knowledge, form="html", edition=edition)  # type: ignore[arg-type]
        told = [*forms, re.sub(r"<style>.*?</style>|<[^>]+>", "", page, flags=re.S)]
        for text in told:
            assert not HOLE.search(one_line(text))
        validator.validate(json.loads(render_follow([found], knowledge, form="json", edition=edition)))  # type: ignore[arg-type]


@each
def test_the_patient_reads_no_verdict_of_any_course(course: str, as_of: date, knowledge: Knowledge) -> None:
    """No diagnosis, probability, relapse, response or dose stands in a patient's edition."""
    found = followed(course, as_of)
    text = render_follow([found], knowledge, edition="patient")
    body = text.partition("Sources ─")[0].partition("What the reading of the input")[0]
    assert not re.search(r"\bnot met\b|probab|verdict|relapse|progression|response|prognos|hazard|surviv|95 %|"
                         r"confirmed|\d\s?mg\b", body, re.I)
    assert "It is no diagnosis" in one_line(body)


@each
def test_each_value_has_its_day_and_its_unit(course: str, as_of: date, knowledge: Knowledge) -> None:
    """The last value and the modelled low name day and unit; a modelled number is called one."""
    for trend in view(followed(course, as_of), knowledge).trends:
        rows = dict(trend.rows)
        assert re.search(r"\d \S+.* on \d{4}-\d\d-\d\d$", rows["Last value"])
        assert "Modelled low" not in rows or re.search(r"\d \S+ on \d{4}-\d\d-\d\d, the lowest", rows["Modelled low"])
        assert not {"Level now", "Lowest since treatment"} & set(rows)
        assert "Modelled low" in rows or rows["True rise since the low"].startswith(("none shown", "cannot be told"))


@each
def test_nothing_is_foretold_where_nothing_rises_or_nobody_lives(course: str, as_of: date,
                                                                 knowledge: Knowledge) -> None:
    """Without an alarm, and after a death, neither a crossing nor a repeat is told."""
    found = followed(course, as_of)
    for shown, trend in zip(view(found, knowledge).trends, found.trends, strict=True):
        if trend.alarm == "none" or found.died:
            assert not {"Crosses the limit", "What a repeat would tell"} & {name for name, _ in shown.rows}


@each
def test_what_is_the_same_is_said_once(course: str, as_of: date, knowledge: Knowledge) -> None:
    """Domains and types of which the same is said share it; a line never repeats its own title; nothing is lost."""
    page = view(followed(course, as_of), knowledge)
    for items in (page.responses, page.relapses):
        groups = together(items)
        assert sorted(item.label for group in groups for item in group) == sorted(item.label for item in items)
        assert len({group[0].same for group in groups}) == len(groups)
        assert not any(item.why.startswith(item.label) for item in items)
    notes = [note for trend in page.trends for note in trend.notes]
    assert len(notes) == len(set(notes))


def test_a_first_treatment_is_not_called_a_diagnosis(knowledge: Knowledge) -> None:
    """The head says which of the two the day is."""
    treated, met = followed("simulated-slow-relapse", date(2016, 2, 1)), followed("case-05", date(2020, 9, 1))
    assert view(treated, knowledge).since.startswith("first treated 2012-01-01")
    assert view(met, knowledge).since.startswith("criteria first met 2020-01-01 (Mayo Clinic 2003)")


AWAY = re.compile(r"\bago\b|\btoday\b|\bin \d+ (day|week|month|year)s?\b")


@each
def test_now_and_ago_are_said_only_on_the_day_itself(course: str, as_of: date, knowledge: Knowledge) -> None:
    """A sheet for an earlier day counts from that day: it has dates, and nothing that is true only on the day."""
    page, own = view(followed(course, as_of), knowledge), own_course(followed(course, as_of), knowledge)
    told = [page.since, *(f"{visit.due} {visit.apart}" for visit in page.calendar),
            *(f"{visit.when} {visit.apart}" for visit in own.visits)]
    assert not any(AWAY.search(text) for text in told), told
    assert not any(" ago" in line for line in page.glance)


def test_on_the_day_itself_they_are_said(knowledge: Knowledge) -> None:
    """Looked at today, the head, the trends and the visits say how far away a day is."""
    events = read(EXAMPLE, knowledge, today=date(2026, 1, 1)).events
    found = follow(records(list(events), date.today())[0], knowledge, as_of=date.today())
    page = view(found, knowledge)
    assert " ago" in page.since
    assert any(" ago)" in line for line in page.glance)
    assert any(re.match(r"in \d", visit.apart) for visit in own_course(found, knowledge).visits) or any(
        visit.is_overdue for visit in page.calendar)
    assert apart(date.today(), date.today()) == "today"
    assert apart(date(2020, 1, 11), date(2020, 1, 1)) == "10 days after 2020-01-01"
    assert apart(date(2020, 1, 1), date(2020, 1, 11)) == "10 days before 2020-01-11"


def test_a_treatment_without_an_end_has_no_length(knowledge: Knowledge) -> None:
    """Nobody knows how long it was given; one with an end has its length."""
    found = view(followed("simulated-transplant", date(2020, 3, 1)), knowledge).treatments
    assert {bool(span.lasted) for span in found if "no end recorded" in span.days} == {False}
    assert [span.lasted for span in found if " to " in span.days] == ["3 months"]


def test_no_text_of_the_printed_sheet_is_too_small_to_read() -> None:
    """Every size that is printed on the hand-over sheet is 8.5 points or more."""
    rules = re.findall(r"\.sheet[^{}]*\{[^}]*\}", STYLE.read_text().partition("@media print")[2])
    sizes = [float(size) for rule in rules for size in re.findall(r"font(?:-size)?:(?:[^;}]*? )?([\d.]+)pt", rule)]
    assert sizes
    assert min(sizes) >= LEAST_PT


@pytest.mark.slow
@pytest.mark.parametrize("size", ["A4", "letter"])
@pytest.mark.parametrize("course", [("simulated-transplant", date(2018, 9, 1)), ("case-12", date(2021, 12, 1))],
                         ids=["filled", "to be filled"])
def test_the_sheet_fits_one_page(course: tuple[str, date], size: str, tmp_path: Path, knowledge: Knowledge) -> None:
    """Printed by a real browser, a hand-over sheet is one page of A4 and of Letter, filled or not."""
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("chromium was not found")
    page, made = tmp_path / "sheet.html", tmp_path / "sheet.pdf"
    html = render_sheet([followed(*course)], knowledge, form="html")
    page.write_text(re.sub(r"(@page[ a-z]*\{)", rf"\1size:{size};", html), "utf-8")
    subprocess.run([chromium, "--headless", "--no-sandbox", "--disable-gpu", "--no-pdf-header-footer",
                    f"--print-to-pdf={made}", page.as_uri()], check=True, capture_output=True, timeout=120)
    assert len(re.findall(rb"/Type\s*/Page\b", made.read_bytes())) == 1
