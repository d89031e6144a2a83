"""A course in its renderings: complete, fitting, safe whatever the record holds, and nothing in it that must not be."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise
from math import nan
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import follow_cases
import follow_made
import pytest
from conftest import HERE, PUBLISHED, case_record, read_case
from hypothesis import given, settings
from hypothesis import strategies as st
from icalendar import Calendar
from jsonschema import Draft202012Validator
from rich.cells import cell_len
from test_render import ANSI, DOCS, MARK, NASTY, Page, luminance

from poems import cli
from poems.errors import Issue
from poems.follow import Follow, follow
from poems.knowledge import Knowledge, load
from poems.render import follow_schema, render_follow, render_sheet, words
from poems.render.calendar import ics
from poems.render.follow_patient import QUESTIONS
from poems.render.follow_sheet import SHOW_TO
from poems.render.follow_view import view
from poems.render.follow_words import duration
from poems.render.timeline import timeline
from poems.render.timeline_axis import MOST_TICKS, ticks, value_ticks
from poems.render.timeline_svg import LETTER, svg
from poems.render.timeline_text import plot

EXAMPLE = HERE.parent / "poems" / "examples" / "published-course.csv"
MADE = [follow_made.everything, follow_made.nothing, follow_made.three_weeks, follow_made.twenty_years]
Made = Callable[[], Follow]
made = pytest.mark.parametrize("make", MADE, ids=lambda make: make.__name__)
editions = pytest.mark.parametrize("edition", ["clinician", "patient"])


def one_line(text: str) -> str:
    """The text without its line ends."""
    return " ".join(text.split())


@made
@editions
@pytest.mark.parametrize("width", [60, 80, 100])
def test_no_line_is_longer_than_the_terminal(make: Made, edition: Any, width: int, knowledge: Knowledge) -> None:
    """Letter and sheet keep the columns they were given, and hold no escape sequence."""
    for text in (render_follow([make()], knowledge, edition=edition, width=width, options=True),
                 render_sheet([make()], knowledge, width=width)):
        assert max(map(cell_len, text.splitlines())) <= width
        assert "\x1b" not in text


@made
def test_colour_adds_nothing_but_colour(make: Made, knowledge: Knowledge) -> None:
    """Without its escape sequences the coloured letter is the plain one."""
    coloured = render_follow([make()], knowledge, colour=True)
    assert ANSI.search(coloured)
    assert [line.rstrip() for line in ANSI.sub("", coloured).splitlines()] == render_follow(
        [make()], knowledge).splitlines()


def test_the_letter_says_what_the_course_says(knowledge: Knowledge) -> None:
    """Each trend with its probabilities, each domain, type, pattern, option, factor, cohort and visit is there."""
    found = follow_made.everything()
    said = one_line(render_follow([found], knowledge, options=True))
    for item in (*found.responses, *found.relapses, *found.pattern, *found.trials, *found.options, *found.prognosis,
                 *found.calendar):
        assert item.label in said, item.label
    for item in found.responses:
        assert item.why in said
    for option in found.options:
        assert all(text in said for _, text, _ in option.outcomes)
        assert all(text in said for text, _ in option.harms)
    assert "HR 4.07 (1.41 to 11.76)" in said
    assert "OS (alive): 5 years 90 %, 10 years 82 %" in said
    assert "Modelled level then 294 pg/mL, 95 % interval 186 to 465" in said
    assert "Modelled low 20 pg/mL on 2021-03-01, the lowest since treatment began" in said
    assert "probability 97.1 %: a true rise is possible" in said
    assert "in 4 weeks it would show a rise with probability 62 %, speak against one with 8.0 %" in said
    assert "3.1 % of samples" in said
    assert "probability of a true rise 99.9 % at noise 15 % and 86 % at noise 69.2 %" in said
    assert "in 7 months, if the trend goes on (95 % interval: 3 months to over 10 years)" in said
    assert "Plasma VEGF, times the lowest value since treatment: 15.5" in said


def test_what_the_literature_does_is_told_where_it_was_met_and_nowhere_else(knowledge: Knowledge) -> None:
    """A definition that was met, confirmed or not, brings the literature; any other does not."""
    found = follow_made.everything()
    for text in (render_follow([found], knowledge), render_follow([found], knowledge, form="html")):
        said = one_line(text)
        for item in found.relapses:
            assert (item.literature in said) is (item.day is not None), item.id
    past = replace(found, lines=(replace_line(found, "2022-03-10"),))
    assert "observation is reasonable" not in render_follow([past], knowledge)
    assert "before the present treatment" in one_line(render_follow([past], knowledge))


def replace_line(found: Follow, start: str) -> Any:
    """A line of treatment that began on a day."""
    from poems.course import Line

    return Line(2, date.fromisoformat(start), None, found.treatments[-1:])


def test_published_treatments_are_folded_until_asked_for(knowledge: Knowledge) -> None:
    """The letter names them; numbers and harms come with the option, and are in the page anyhow."""
    found = [follow_made.everything()]
    assert "sinus bradycardia" not in render_follow(found, knowledge)
    assert "Thalidomide with dexamethasone" in one_line(render_follow(found, knowledge))
    assert "sinus bradycardia" in render_follow(found, knowledge, options=True)
    assert "sinus bradycardia" in render_follow(found, knowledge, form="html")


def test_what_is_overdue_stands_first(knowledge: Knowledge) -> None:
    """In every form the overdue visit comes before those to come, and says since when."""
    found = follow_made.everything()
    page = view(found, knowledge)
    assert [visit.is_overdue for visit in page.calendar] == [True, False, False]
    assert page.calendar[0].due == "overdue since 2021-12-10"
    assert any(line.startswith("Overdue: nerve conduction") for line in page.glance)


def test_each_test_has_its_own_days(knowledge: Knowledge) -> None:
    """JSON says of each test when it was last done and is due by itself; the glance names what of a kind is overdue."""
    day = date(2021, 1, 1)
    rows: list[Any] = [["lenalidomide", date(2020, 1, 1), "present"], ["vegf-plasma", day, 60],
                       ["serum-immunofixation", day, "absent"], ["urine-immunofixation", day, "absent"],
                       ["m-protein-serum", day, 0]]
    found = follow_cases.followed(rows, date(2021, 2, 1), knowledge)
    told = json.loads(render_follow([found], knowledge, form="json"))["calendar"]
    late = [visit["tests"] for visit in told if visit["overdue"]]
    assert [[test["id"] for test in tests] for tests in late] == [["pet-ct"], ["onls"]]
    assert {key: late[1][0][key] for key in ("last", "date", "latest")} == {
        "last": None, "date": "2020-04-01", "latest": "2021-01-01"}
    said = " ".join(view(found, knowledge).glance)
    assert "visit in the first five years from diagnosis: FDG PET-CT (since 2020-07-01)" in said
    assert "response and relapse ask for: Overall Neuropathy Limitations Scale (since 2021-01-01)" in said


def test_visits_of_one_kind_stand_together(knowledge: Knowledge) -> None:
    """A kind of visit has one entry, at its first day, with the later days in it."""
    first = follow_made.everything().calendar[0]
    several = tuple(replace(first, day=first.day + timedelta(90 * n), latest=first.latest + timedelta(90 * n))
                    for n in range(4))
    page = view(replace(follow_made.everything(), calendar=several), knowledge)
    assert len(page.calendar) == 1
    assert len(page.calendar[0].later) == 3


def test_the_dead_are_not_called_to_visits(knowledge: Knowledge) -> None:
    """Nobody is told to look again after a death; the death is the first thing that is said."""
    found = replace(follow_made.everything(), died=date(2022, 3, 15))
    assert view(found, knowledge).glance[0] == "Died on 2022-03-15."
    assert "When to look again" not in render_follow([found], knowledge)
    assert "My next visits" not in render_follow([found], knowledge, edition="patient")
    assert b"VEVENT" not in ics(found, knowledge)


@made
def test_every_number_of_a_source_is_in_the_list_and_every_source_is_used(make: Made, knowledge: Knowledge) -> None:
    """Marks and list agree, in the letter, the sheet and the page, and count from 1 without a gap."""
    for text in (render_follow([make()], knowledge, options=True), render_sheet([make()], knowledge)):
        body, _, listed = text.rpartition("Sources ──")
        entries = [int(number) for number in re.findall(r"^ +\[(\d+)\]", listed, re.M)]
        assert entries == list(range(1, len(entries) + 1))
        assert {int(number) for number in MARK.findall(body)} == set(entries)
    for html in (render_follow([make()], knowledge, form="html"), render_sheet([make()], knowledge, form="html")):
        page = Page(re.sub(r"<svg.*?</svg>", "", html, flags=re.S))
        used = {attributes["href"] for attributes in page.of("a") if attributes.get("class") == "cite"}
        assert used == {f"#{name}" for name in page.ids if re.fullmatch(r"p1-s\d+", name)}


@made
@pytest.mark.parametrize("kind", ["clinician", "patient", "sheet"])
def test_the_page_is_whole_and_needs_nothing(make: Made, kind: Any, knowledge: Knowledge) -> None:
    """One file: no script, no request; anchors resolve, ids are unique, tables are named, the picture is described."""
    follows = [make(), make()]
    html = render_sheet(follows, knowledge, form="html") if kind == "sheet" else render_follow(
        follows, knowledge, form="html", edition=kind)
    assert not re.search(r"url\((?!#)|@import|javascript:|\son\w+=|<script", html)
    page = Page(re.sub(r"<svg.*?</svg>", "", html, flags=re.S))
    assert not page.open
    ids = re.findall(r'\sid="([^"]+)"', html)
    assert len(ids) == len(set(ids))
    known = {source.link for source in knowledge.sources.values()}
    for attributes in page.of("a"):
        target = attributes["href"] or ""
        assert target[1:] in ids if target.startswith("#") else target in known
    assert len(page.of("caption")) == len(page.of("table"))
    assert len(page.of("h1")) == (2 if kind != "sheet" else len(view_sheets(follows)))
    for drawn in re.findall(r"<svg.*?</svg>", html, re.S):
        root = ElementTree.fromstring(drawn)
        names = [element.get("id") for element in root if element.tag in ("title", "desc")]
        assert root.get("aria-labelledby") == " ".join(map(str, names))
        assert all(element.text for element in root if element.tag in ("title", "desc"))
        assert set(re.findall(r"url\(#([^)]+)\)", drawn)) <= set(ids)


def view_sheets(follows: list[Follow]) -> list[int]:
    """One for each sheet."""
    return [1 for one in follows for _ in one.transplants or (None,)]


@pytest.mark.parametrize("theme", [0, 1, 2], ids=["light", "dark", "print"])
def test_the_colours_of_the_picture_can_be_told_from_the_ground(theme: int) -> None:
    """Lines, dots and marks reach 3 to 1 against their ground, on a light and a dark screen and on paper."""
    folder = HERE.parent / "poems/render/templates"
    own = re.findall(r":root\{(.*?)\}", (folder / "follow.css").read_text(), re.S)
    base = re.findall(r":root\{(.*?)\}", (folder / "page.css").read_text(), re.S)
    colours: dict[str, str] = {}
    for place in (0, theme):
        for block in (base[place], own[place]):
            colours |= dict(re.findall(r"--(\w[\w-]*):(#\w+)", block))
    for name in ("s0", "s1", "s2", "s3", "mark", "ink", "soft"):
        light, dark = sorted((luminance(colours[name]), luminance(colours["card"])), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 3, name


def test_series_and_treatments_differ_by_more_than_colour(knowledge: Knowledge) -> None:
    """Each series has a shape and a dash, each treatment a pattern; a value that may be explained is ringed."""
    root = ElementTree.fromstring(svg(timeline(follow_made.everything(), knowledge), "p1"))
    dots = {element.get("class"): element.get("d", "")[-12:] for element in root.iter("path")
            if (element.get("class") or "").startswith("dot s")}
    assert len({shape for name, shape in dots.items() if "hollow" not in str(name)}) >= 2
    fills = [element.get("fill") for element in root.iter("rect") if "treatment" in (element.get("class") or "")]
    assert len(fills) == 3
    assert len(set(fills)) == 3
    assert sum("explained" in (element.get("class") or "") for element in root.iter("circle")) == 1
    assert sum("censor" in (element.get("class") or "") for element in root.iter("path")) == 2


@made
def test_every_value_is_in_the_picture(make: Made, knowledge: Knowledge) -> None:
    """Each sample is a dot with its words, inside the frame; each series has its band, each limit its line."""
    found = make()
    root = ElementTree.fromstring(svg(timeline(found, knowledge), "p1"))
    told = {element.text for element in root.iter("title")}
    samples = [event for trend in found.trends for event in trend.series.samples]
    samples += [event for series, _ in found.scales for event in series.samples]
    for event in samples:
        assert any(str(event.date) in str(text) and words.shown(event.value or 0) in str(text) for text in told)
    bands = [element for element in root.iter("path") if (element.get("class") or "").startswith("band")]
    assert len(bands) == sum(len(trend.series.samples) > 1 for trend in found.trends) + len(found.scales)
    limits = [element for element in root.iter("path") if element.get("class") == "limit"]
    assert len(limits) == sum(trend.series.upper_limit is not None for trend in found.trends)


@made
def test_words_of_the_picture_do_not_cover_each_other(make: Made, knowledge: Knowledge) -> None:
    """No two labels of one row overlap, in a course of three weeks as in one of twenty years."""
    root = ElementTree.fromstring(svg(timeline(make(), knowledge), "p1"))
    boxes = []
    for element in root.iter("text"):
        width = len(element.text or "") * LETTER * 0.9
        x = float(element.get("x", 0)) - {"end": width, "middle": width / 2}.get(element.get("text-anchor", ""), 0)
        boxes.append((float(element.get("y", 0)), x, x + width, element.text))
    for place, one in enumerate(boxes):
        for other in boxes[:place]:
            assert not (abs(one[0] - other[0]) < 9 and one[1] < other[2] - 1 and other[1] < one[2] - 1), (one, other)


@settings(max_examples=60, deadline=None)
@given(start=st.dates(date(1950, 1, 1), date(2090, 1, 1)), days=st.integers(1, 30000))
def test_days_on_the_axis_are_few_round_and_inside(start: date, days: int) -> None:
    """Two weeks or eighty years: at most nine days are written, in order, none outside of the picture."""
    found = ticks(start, start + timedelta(days))
    assert len(found) <= MOST_TICKS + 1
    assert [day for day, _ in found] == sorted({day for day, _ in found})
    assert all(start <= day <= start + timedelta(days) for day, _ in found)
    assert len({label for _, label in found}) == len(found)
    apart = {(after - before).days for (before, _), (after, _) in pairwise(found)}
    assert not apart or not apart <= {7, 14} or {day.weekday() for day, _ in found} == {0}  # weeks begin on Monday


@settings(max_examples=60, deadline=None)
@given(low=st.floats(1e-3, 1e5), ratio=st.floats(1.2, 1e4), is_log=st.booleans())
def test_values_on_the_axis_are_few_and_inside(low: float, ratio: float, is_log: bool) -> None:
    """Every panel has at least one value written and six at the most, all inside of it."""
    found = value_ticks(low, low * ratio, is_log)
    assert 1 <= len(found) <= 6
    assert all(low * 0.999 <= value <= low * ratio * 1.001 for value in found)


@made
@pytest.mark.parametrize("width", [58, 78, 98])
def test_the_plot_of_the_terminal_shows_what_the_picture_shows(make: Made, width: int, knowledge: Knowledge) -> None:
    """It keeps its columns; a day, a relapse, an overdue visit and a censored value have their signs."""
    found = make()
    lines = [line.plain for line in plot(timeline(found, knowledge), width)]
    assert all(cell_len(line) <= width for line in lines)
    text = "\n".join(lines)
    if found.relapses:
        assert "✕" in text
        assert "✗" in text
    if found.transplants:
        assert "◆" in text
    for sign, is_there in (("▲", any(visit.overdue for visit in found.calendar) and not found.died),
                           ("▼", any(event.comparator == "<" for trend in found.trends
                                     for event in trend.series.samples))):
        assert sign in text or not is_there


@pytest.mark.parametrize("kind", ["clinician", "patient", "sheet"])
def test_whatever_the_record_holds_is_only_text(kind: Any, knowledge: Knowledge) -> None:
    """Markup of HTML, SVG, the terminal and our own tools is shown as it was written or left out, never followed."""
    found = nasty()
    text = render_sheet([found], knowledge) if kind == "sheet" else render_follow([found], knowledge, edition=kind)
    html = render_sheet([found], knowledge, form="html") if kind == "sheet" else render_follow(
        [found], knowledge, form="html", edition=kind)
    for said in (text, html):
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e\u2066\ud800]", said)
    assert "<script" not in html
    assert "[bold red]x[/]" in one_line(text)
    assert "{{ 7*7 }}" in html
    html.encode("utf-8")
    if kind != "sheet":
        json.loads(render_follow([found], knowledge, form="json", edition=kind))
    assert NASTY not in ics(found, knowledge).decode()


def nasty() -> Follow:
    """A course with markup wherever a record or a file may bring it."""
    found = follow_made.everything()
    event = follow_made.event("vegf-plasma", "2020-02-20", 9.0, unit=NASTY, method=NASTY, source=NASTY,
                              comparator=NASTY)
    series = replace(follow_made.PLASMA, method=NASTY, samples=(event, *follow_made.PLASMA.samples[1:]))
    return replace(
        found, patient=NASTY, trends=(replace(found.trends[1], series=series, notes=(NASTY,)),),
        treatments=(*found.treatments, replace(found.treatments[0], finding=NASTY)),
        responses=tuple(replace(item, best=NASTY, why=NASTY) for item in found.responses),
        calendar=(replace(found.calendar[0], label=NASTY, tests=(NASTY,)),),
        issues=(Issue("fault", NASTY, NASTY, NASTY, NASTY),),
        transplants=tuple(replace(item, text=((NASTY, follow_made.READ),)) for item in found.transplants))


@pytest.mark.slow
@settings(max_examples=20, deadline=None)
@given(name=st.text(max_size=100), value=st.floats(1e-300, 1e300), limit=st.none() | st.floats(1e-6, 1e12),
       level=st.sampled_from([nan, float("inf"), 1e-300, 1e300]))
def test_no_number_breaks_a_rendering(name: str, value: float, limit: float | None, level: float) -> None:
    """Values and levels of any size, and none at all: every form is made and every number in the JSON is finite."""
    known, found = load(), follow_made.everything()
    series = follow_made.series("vegf-plasma", [("2020-01-01", value), ("2021-01-01", 5.0)], limit=limit)
    trend = replace(follow_made.trend(series), now=level, crossing_weeks=(3.0, 1.0, level), level=(level,) * 61)
    strange = replace(found, patient=name, trends=(trend,))
    for edition in ("clinician", "patient"):
        text = render_follow([strange], known, edition=edition)  # type: ignore[arg-type]
        assert max(map(cell_len, text.splitlines())) <= 100
        render_follow([strange], known, form="html", edition=edition)  # type: ignore[arg-type]
        json.loads(render_follow([strange], known, form="json", edition=edition))  # type: ignore[arg-type]


def every_text(found: Follow, knowledge: Knowledge) -> list[str]:
    """The patient's edition in its three forms."""
    html = render_follow([found], knowledge, form="html", edition="patient")
    return [render_follow([found], knowledge, edition="patient"), html.partition("</style>")[2],
            render_follow([found], knowledge, form="json", edition="patient")]


@made
def test_the_patient_reads_no_verdict_and_no_probability(make: Made, knowledge: Knowledge) -> None:
    """Neither words nor numbers of trend, response, relapse, options or prognosis stand in the patient's edition."""
    for text in every_text(make(), knowledge):
        body = re.sub(r"Sources.*|vegf-plasma/\S+", "", text, flags=re.S)
        assert not re.search(r"\bnot met\b|\bmet\b|probab|likelihood|verdict|relapse|progression|response|prognos|"
                             r"hazard|\bHR\b|surviv|95 %|confirmed|[○◌]|p_rise", body, re.I)
        assert not re.search(r"\d\s?(mg|Gy|mg/m2)\b", body)
        assert make().died or all(question in one_line(body) for question in QUESTIONS)


def test_the_patient_reads_the_own_course(knowledge: Knowledge) -> None:
    """Treatments, values with what they did, illness near the last of them, and when the next visits are."""
    said = one_line(render_follow([follow_made.everything()], knowledge, edition="patient"))
    assert "on 2020-10-01" in said
    assert "310 pg/mL (limit 96.2)" in said
    assert "The last is higher than the one before: show this to your doctor." in said
    assert "Around the last value your record has: flu." in said
    assert "between 2022-05-10 and 2022-08-10" in said
    assert "was due by 2021-12-10: has it been done?" in said


def test_the_sheet_has_the_days_the_rates_and_no_dose(knowledge: Knowledge) -> None:
    """Day 0, the windows that count from it on the calendar, every cohort's rate, every definition, and no dose."""
    found = follow_made.everything()
    transplant = found.transplants[0]
    known = knowledge.follow.engraftment
    for text in (render_sheet([found], knowledge), render_sheet([found], knowledge, form="html")):
        said = one_line(text)
        assert transplant.day_0.isoformat() in said
        for item in known.definitions:
            if item.anchor not in known.anchors and item.to_days is not None:
                assert (transplant.day_0 + timedelta(item.from_days)).isoformat() in said
                assert (transplant.day_0 + timedelta(item.to_days)).isoformat() in said
        assert all(share in said for _, share, _ in transplant.rates)
        assert all(item.label in said for item in transplant.definitions)
        assert SHOW_TO in said
        assert "Body temperature: 38.9" in said


def test_the_sheet_can_be_printed_before_the_transplant(knowledge: Knowledge) -> None:
    """Without a day 0 it tells what is published, judges nothing, and says that the days cannot be told."""
    said = one_line(render_sheet([follow_made.nothing()], knowledge))
    known = knowledge.follow.engraftment
    assert "Day 0 (the infusion of the stem cells) is not in the record" in said
    assert all(one_line(item.text) in re.sub(r" \[\d+\*?\]", "", said) for item in known.sheet)
    assert all(item.label in said for item in known.definitions)
    assert not re.search(r"[●○◌] (met|not met|unknown) ", said.partition("side by side")[2].partition("unknown")[2])
    assert "No dose is printed here" in said
    assert not re.search(r"\d\s?mg\b(?!/kg joined to| of nothing)", said.replace("500 mg of nothing named", ""))


def test_the_schema_in_the_docs_is_the_one_of_the_code() -> None:
    """docs/follow.schema.json is what `python -m poems.render.follow_schema` prints, and a valid JSON Schema."""
    assert (DOCS / "follow.schema.json").read_text() == follow_schema.text()
    Draft202012Validator.check_schema(follow_schema.schema())


@editions
def test_every_course_keeps_the_contract(edition: Any, knowledge: Knowledge) -> None:
    """The JSON of every course, made by hand or followed, alone and together, is valid by the schema."""
    validator = Draft202012Validator(follow_schema.schema())
    courses = [make() for make in MADE] + followed(knowledge)
    together = json.loads(render_follow(courses, knowledge, form="json", edition=edition))
    validator.validate(together)
    for one, shown in zip(courses, together, strict=True):
        alone = json.loads(render_follow([one], knowledge, form="json", edition=edition))
        validator.validate(alone)
        assert alone == shown
        if edition == "clinician":
            assert [item["verdict"] for item in shown["relapses"]] == [item.verdict.value for item in one.relapses]
            assert [item["p_rise"] for item in shown["trends"]] == [item.p_rise for item in one.trends]
        else:
            assert not {"trends", "relapses", "responses", "prognosis", "survival", "options"} & set(shown)


def followed(knowledge: Knowledge) -> list[Follow]:
    """What the engine makes of the published cases."""
    found = []
    for path in PUBLISHED:
        case = read_case(path)
        day = case.get("as_of") or date(2026, 1, 1)
        found.append(follow(case_record(case, day), knowledge, as_of=day))
    return found


def test_every_followed_case_can_be_rendered(knowledge: Knowledge) -> None:
    """What the engine makes of each published case is told in every form, in 100 columns, with its sources."""
    for one in followed(knowledge):
        for edition in ("clinician", "patient"):
            text = render_follow([one], knowledge, edition=edition, options=True)  # type: ignore[arg-type]
            assert max(map(cell_len, text.splitlines())) <= 100
            render_follow([one], knowledge, form="html", edition=edition)  # type: ignore[arg-type]
        Calendar.from_ical(ics(one, knowledge))
        render_sheet([one], knowledge, form="html")


@pytest.mark.parametrize(("days", "said"), [
    (0, "0 days"), (1, "1 day"), (13, "13 days"), (14, "2 weeks"), (69, "10 weeks"), (90, "3 months"),
    (730, "24 months"), (3653, "10.0 years")])
def test_a_length_of_time_is_said_as_people_say_it(days: int, said: str) -> None:
    """Days, then weeks, then months, then years."""
    assert duration(days) == said


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of a command."""
    code = cli.run(["follow", *arguments])
    out, err = capsys.readouterr()
    return code, out, err


def test_the_command_says_what_the_paper_says(capsys: pytest.CaptureFixture[str]) -> None:
    """The published false progression: a possible rise that influenza may explain, not confirmed, no order."""
    code, out, err = run(capsys, str(EXAMPLE), "--as-of", "2020-10-10")
    said = one_line(out)
    assert (code, err) == (0, "")
    assert "a true rise is possible" in said
    assert "influenza near the sample can raise it without POEMS" in said
    assert ("Not confirmed: VEGF progression, plasma more than 50 % above its lowest value, met on 2020-10-01; it asks "
            "for 2 samples at least 28 days apart that nothing else explains.") in said
    assert "no published rule was found" in said


def test_the_command_writes_what_it_is_asked_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Page, JSON, sheet and calendar go to their files; nothing else is said."""
    page, visits = tmp_path / "course.html", tmp_path / "visits.ics"
    day = ("--as-of", "2020-10-10")
    assert run(capsys, str(EXAMPLE), *day, "--format", "html", "-o", str(page), "--ics", str(visits)) == (0, "", "")
    assert page.read_text("utf-8").startswith("<!doctype html>")
    assert Calendar.from_ical(visits.read_bytes()).walk("VEVENT")
    code, out, _ = run(capsys, str(EXAMPLE), *day, "--format", "json")
    assert code == 0
    assert json.loads(out)["patient"] == "published-course"
    code, out, _ = run(capsys, str(EXAMPLE), *day, "--sheet", "transplant")
    assert code == 0
    assert "hand-over sheet" in out


@pytest.mark.parametrize(("arguments", "word"), [
    ((), "no RECORD was given"),
    (("{file}", "--sheet", "transplant", "--format", "json"), "text or html"),
    (("{file}", "--as-of", "yesterday"), "is not a day"),
    (("{file}", "--edition", "doctor"), "edition"),
    (("{file}", "--wrong"), "poems follow --help"),
    (("{file}", "--ics", "{file}/x.ics"), "--ics"),
    (("{file}", "--cohort", "--ics", "x.ics"), "all patients together"),
    (("{both}", "--ics", "x.ics"), "one patient"),
])
def test_wrong_use_is_told_and_nothing_is_printed(arguments: tuple[str, ...], word: str, tmp_path: Path,
                                                  capsys: pytest.CaptureFixture[str]) -> None:
    """Each wrong call ends with exit code 2, one line that says what is wrong, and no output."""
    both = tmp_path / "both.csv"
    both.write_text("patient,finding,status\np1,edema,present\np2,edema,present\n")
    code, out, err = run(capsys, *(one.format(file=EXAMPLE, both=both) for one in arguments))
    assert (code, out) == (2, "")
    assert word in err
    assert len(err.splitlines()) == 1


def test_what_is_refused_is_listed_once_and_the_rest_is_followed(tmp_path: Path,
                                                                 capsys: pytest.CaptureFixture[str]) -> None:
    """A row that nobody can read and a value that cannot be are faults on stderr; the exit code is 3."""
    record = tmp_path / "record.csv"
    record.write_text("patient,date,finding,status,value,unit\n"
                      "p1,2020-01-01,lenalidomide,present,,\np1,2020-02-01,vegf-plasma,,many,pg/mL\n"
                      "p1,2020-03-01,vegf-plasma,,-5,pg/mL\np1,2020-04-01,vegf-plasma,,90,pg/mL\n")
    code, out, err = run(capsys, str(record), "--as-of", "2020-05-01")
    assert code == 3
    assert "refused" in out
    faults = [line for line in err.splitlines() if line.startswith("fault")]
    assert len(faults) == len(set(faults)) >= 2


def test_the_example_is_the_published_case() -> None:
    """The rows before treatment are those of case-07, and the README names the paper and says which days are ours."""
    case = read_case(HERE / "cases" / "published" / "case-07.yaml")
    with EXAMPLE.open(newline="") as file:
        rows = [{key: value for key, value in row.items() if value and key != "patient"}
                for row in csv.DictReader(file)]
    expected = [{key: str(value) for key, value in row.items() if value} for row in case["events"]]
    assert rows[:len(expected)] == expected
    assert [row.get("value") for row in rows[len(expected):] if row["finding"].startswith("vegf")] == ["182", "740"]
    readme = one_line((EXAMPLE.parent / "README.md").read_text())
    assert one_line(case["source"]["citation"]).split("(")[0].strip() in readme
    assert case["source"]["url"] in readme


def test_the_help_of_follow_loads_nothing_heavy() -> None:
    """`poems follow --help` imports neither numpy nor jinja2 nor icalendar, and knows every option."""
    import subprocess
    import sys

    code = ("import sys; from poems.cli import run; run(['follow', '--help']);"
            "print([m for m in ('numpy', 'duckdb', 'jinja2', 'yaml', 'icalendar') if m in sys.modules])")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=HERE.parent, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
    for option in ("--as-of", "--edition", "--format", "--output", "--ics", "--sheet", "--options", "--cohort",
                   "--unit", "--input-format"):
        assert option in done.stdout
