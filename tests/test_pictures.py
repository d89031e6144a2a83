"""A part of a picture is a part of the same one, its table holds its data, and the account of a probability closes."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from math import log
from pathlib import Path
from xml.etree import ElementTree

import follow_made
import pytest
from conftest import PUBLISHED, case_record, read_case

from poems.follow import Follow, follow
from poems.knowledge import Knowledge, load
from poems.models.differential import TARGET
from poems.record import Event, records
from poems.render import render_follow
from poems.render.calendar import is_empty
from poems.render.follow_patient import own_course
from poems.render.timeline import Timeline, timeline
from poems.render.timeline_part import keys, part, rows, spans
from poems.render.timeline_svg import LEFT, RIGHT, WIDTH, svg
from poems.render.timeline_text import plot
from poems.render.view import view
from poems.render.waterfall import ENDS, STARTS, TOGETHER, waterfall
from poems.review import assess

MADE = [follow_made.everything, follow_made.three_weeks, follow_made.twenty_years]
made = pytest.mark.parametrize("make", MADE, ids=lambda one: one.__name__)


def dots(drawn: Timeline) -> list[ElementTree.Element]:
    """What a drawing marks as values."""
    root = ElementTree.fromstring(svg(drawn, "p1"))
    return [one for one in root.iter("path") if (one.get("class") or "").startswith("dot s") and one.get("data-row")]


@made
def test_the_whole_is_a_part(make: Callable[[], Follow], knowledge: Knowledge) -> None:
    """Without years and without anything hidden, nothing is changed."""
    whole = timeline(make(), knowledge)
    assert part(whole) == whole


def test_a_response_seen_on_one_day_stands_on_that_day(knowledge: Knowledge) -> None:
    """Where nothing later shows it (it is dated after the death), the picture says the day that it marks."""
    whole = follow_made.everything()
    for until in (None, follow_made.day("2020-08-31")):
        shown = replace(whole.responses[3], best_day=follow_made.day("2020-09-01"), until=until)
        drawn = timeline(replace(whole, responses=(shown,)), knowledge)
        (bar,) = (bar for lane in drawn.lanes if lane.group == "response" for bar in lane.bars)
        assert (bar.is_day, bar.start, bar.label) == (True, shown.best_day, "response on 2020-09-01")


@made
@pytest.mark.parametrize("years", [1, 3, 5])
def test_fewer_years_hold_what_lies_in_them_and_nothing_else(make: Callable[[], Follow], years: int,
                                                             knowledge: Knowledge) -> None:
    """Every value and mark of the last years is there with its words; what is older is gone, bars keep their words."""
    whole = timeline(make(), knowledge)
    cut = part(whole, years=years)
    every = {(panel.label, sample) for panel in whole.panels for course in panel.courses for sample in course.samples}
    left = {(panel.label, sample) for panel in cut.panels for course in panel.courses for sample in course.samples}
    assert left == {(name, sample) for name, sample in every if sample.day >= cut.start}
    assert {bar.label for lane in cut.lanes for bar in lane.bars} == {
        bar.label for lane in whole.lanes for bar in lane.bars if (bar.start if bar.is_day else bar.end) >= cut.start}
    assert cut.end == whole.end
    assert (cut.start > whole.start) == (years in spans(whole, (years,)))


@made
def test_nothing_of_a_part_is_drawn_outside_of_it(make: Callable[[], Follow], knowledge: Knowledge) -> None:
    """No value, band or level leaves the frame to the left, where the cut is, and each is drawn once."""
    cut = part(timeline(make(), knowledge), years=1)
    drawn = dots(cut)
    assert len(drawn) == sum(len(course.samples) for panel in cut.panels for course in panel.courses)
    for one in drawn:
        x = float((one.get("d") or "")[1:].split()[0])
        assert LEFT - 6 <= x <= WIDTH - RIGHT + 1
    for panel in cut.panels:
        for course in panel.courses:
            assert all(day >= cut.start for day in course.days)
            assert len(course.days) == len(course.level) == len(course.low) == len(course.high)


def test_the_line_of_the_first_treatment_is_not_called_diagnosis(knowledge: Knowledge) -> None:
    """Where no criteria set gave the day of diagnosis, the first treatment stands for it and is named."""
    for criteria, said in (("mayo-2007", "criteria first met"), ("", "first treated")):
        drawn = timeline(replace(follow_made.everything(), diagnosed_by=criteria), knowledge)
        assert [line.label for line in drawn.lines if line.kind == "diagnosis"] == [said]


MEETS = (Event("p", "polyneuropathy", date(2020, 3, 2), "present"),
         Event("p", "serum-immunofixation", date(2020, 3, 6), "present"),
         Event("p", "hyperpigmentation", date(2020, 3, 7), "present"),
         Event("p", "vegf-plasma", date(2020, 3, 5), value=820.0, unit="pg/mL", upper_limit=96.2, specimen="plasma"))
"""A record that meets the criteria and in which nobody has said the name of the disease or treated it."""


def course(*more: Event) -> Follow:
    """The record above with more, a year later."""
    return follow(records([*MEETS, *more], date(2021, 3, 1))[0], load(), as_of=date(2021, 3, 1))


@pytest.mark.parametrize(("more", "line", "visits"), [
    ((), "", False),
    ((Event("p", "ivig", date(2020, 4, 1), "present"),), "", False),
    ((Event("p", "poems-syndrome", date(2020, 5, 1), "absent"),), "", False),
    ((Event("p", "poems-syndrome", None, "present"),), "", True),
    ((Event("p", "poems-syndrome", date(2020, 5, 1), "present"),), "2020-05-01 diagnosis", True),
    ((Event("p", "lenalidomide", date(2020, 6, 1), "present"),), "2020-06-01 first treated", True),
], ids=["nothing", "treated for something else", "denied", "named without a day", "named", "treated"])
def test_no_picture_of_a_patient_tells_a_diagnosis_that_the_record_does_not(more: tuple[Event, ...], line: str,
                                                                            visits: bool) -> None:
    """For the patient there is a day of diagnosis, and a visit, only where the record has the name or a treatment."""
    found = course(*more)
    assert found.diagnosed
    assert found.calendar
    drawn, known = timeline(found, load(), own=True), timeline(found, load())
    assert [f"{one.day} {one.label}" for one in drawn.lines if one.kind == "diagnosis"] == ([line] if line else [])
    assert any(lane.group == "visit" for lane in drawn.lanes) is visits
    said = " ".join(row.said for row in rows(drawn) if row.what == "Visits")
    assert not re.search("relapse|response|diagnosis", said)
    assert bool(own_course(found, load()).visits) is visits
    assert is_empty(found, load(), "patient") is not visits
    assert not is_empty(found, load())
    assert "criteria first met" in [one.label for one in known.lines]
    html = render_follow([found], load(), form="html", edition="patient")
    assert (">diagnosis<" in html) is ("diagnosis" in line)
    assert ("My next visits" in html) is visits


def test_a_treatment_whose_end_nobody_recorded_is_not_drawn_as_running(knowledge: Knowledge) -> None:
    """Its bar ends on the last day on which it was recorded; from there a dotted line, and words that say why."""
    found = course(Event("p", "melphalan", date(2020, 6, 1), "present"),
                   Event("p", "lenalidomide", date(2020, 6, 1), "present"),
                   Event("p", "lenalidomide", date(2020, 12, 1), "present"),
                   Event("p", "dexamethasone", date(2020, 6, 1), "present"),
                   Event("p", "dexamethasone", date(2020, 9, 1), "absent"))
    for own in (False, True):
        drawn = timeline(found, knowledge, own=own)
        bars = {lane.label.casefold(): lane.bars[0] for lane in drawn.lanes if lane.group == "treatment"}
        assert [bars[name].known for name in ("melphalan", "lenalidomide", "dexamethasone")] == [
            date(2020, 6, 1), date(2020, 12, 1), None]
        assert not any(bar.is_open for bar in bars.values())
        assert bars["melphalan"].label == "from 2020-06-01, no end recorded"
        root = ElementTree.fromstring(svg(drawn, "p1"))
        assert sum(one.get("class") == "not-known" for one in root.iter("path")) == 2
        wide = {one[0].text: float(one.get("width") or 0) for one in root.iter("rect") if len(one)}
        ended = next(size for name, size in wide.items() if name and name.startswith("Dexamethasone"))
        assert next(size for name, size in wide.items() if name and name.startswith("Melphalan")) < ended / 3
        rows = {row.plain[:8]: row.plain for row in plot(drawn, 98)}
        assert rows["Melphala"].count("┄") > 5 > rows["Dexameth"].count("┄")
        assert "►" not in rows["Melphala"]
    assert "no end recorded" in render_follow([found], knowledge, edition="patient")


def test_a_level_is_cut_where_the_picture_begins(knowledge: Knowledge) -> None:
    """The smoothed level begins at the cut, between its neighbours, and goes on as it was."""
    whole = timeline(follow_made.twenty_years(), knowledge)
    cut = part(whole, years=3)
    before, after = whole.panels[0].courses[0], cut.panels[0].courses[0]
    place = next(at for at, day in enumerate(before.days) if day >= cut.start)
    assert after.days == (cut.start, *before.days[place:])
    assert after.level[1:] == before.level[place:]
    assert min(before.level[place - 1:place + 1]) <= after.level[0] <= max(before.level[place - 1:place + 1])


@made
def test_each_series_and_group_can_be_hidden_alone(make: Callable[[], Follow], knowledge: Knowledge) -> None:
    """What is hidden is neither drawn nor in the table; everything else is; the signs of the others stay theirs."""
    whole = timeline(make(), knowledge)
    styles = {(one.get("data-row"), (one.get("class") or "").split()[1]) for one in dots(whole)}
    for key in keys(whole):
        cut = part(whole, hidden=[key.id])
        gone = list(rows(whole))
        for row in rows(cut):
            gone.remove(row)
        assert gone, key
        if key.place is None:
            assert {row.what for row in gone} == {lane.label for lane in whole.lanes if lane.group == key.id}
        else:
            assert {row.what for row in gone} == {key.label}
        assert {(one.get("data-row"), (one.get("class") or "").split()[1]) for one in dots(cut)} <= styles
    nothing = part(whole, hidden=[key.id for key in keys(whole)])
    assert not nothing.lanes
    assert not nothing.panels
    ElementTree.fromstring(svg(nothing, "p1"))


@made
def test_the_table_holds_every_value_of_the_picture(make: Callable[[], Follow], knowledge: Knowledge) -> None:
    """One line for each bar, mark and value, with its day."""
    drawn = timeline(make(), knowledge)
    told = list(rows(drawn))
    samples = [sample for panel in drawn.panels for course in panel.courses for sample in course.samples]
    bars = [one for lane in drawn.lanes for one in (*lane.bars, *lane.marks)]
    assert len(told) == len(samples) + len(bars)
    for sample in samples:
        assert any(row.when == str(sample.day) and row.said and f"{sample.day}: {row.said}".startswith(sample.text)
                   for row in told)


def test_a_course_that_began_today_has_one_span(knowledge: Knowledge) -> None:
    """Years that are longer than the course are not offered."""
    assert spans(timeline(follow_made.three_weeks(), knowledge), (1, 3, 5)) == ()


@pytest.mark.parametrize("path", PUBLISHED, ids=lambda path: path.stem)
def test_the_account_of_a_probability_closes(path: Path, knowledge: Knowledge) -> None:
    """Each bar begins where the last one ended, from before the findings to now; weights are those of the review."""
    found = assess(case_record(read_case(path)), knowledge)
    shown = view(found, knowledge)
    flow = waterfall(found, shown)
    if flow is None:
        assert not shown.evidence
        return
    first, *moves, last = flow.steps
    assert (first.label, last.label) == (STARTS, ENDS)
    at = first.left if first.left != pytest.approx(flow.half) else first.right
    for step in moves:
        start, end = (step.left, step.right) if step.is_for else (step.right, step.left)
        assert start == pytest.approx(at, abs=1e-9)
        at = end
    rest = [step for step in moves if step.label == TOGETHER]
    target = next(item for item in found.differential if item.disease == TARGET)
    assert [step.evidence for step in moves if step.evidence] == list(shown.evidence)
    if rest:
        assert at == pytest.approx(last.left if last.left != pytest.approx(flow.half) else last.right, abs=0.5)
    unit = (moves[0].right - moves[0].left) / abs(shown.evidence[0].log_ratio)
    assert at - flow.half == pytest.approx(unit * log(target.probability / (1 - target.probability)), abs=unit * 0.06)
    assert all(0 <= step.left <= step.right <= 100 for step in flow.steps)
