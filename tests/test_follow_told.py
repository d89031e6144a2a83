"""What a course says in its editions, word by word: the table of cases/told.yaml, in text and as a page."""

from __future__ import annotations

import re
from datetime import date
from html import unescape
from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import HERE
from follow_cases import followed

from poems import cli
from poems.knowledge import Knowledge
from poems.render import render_follow
from poems.render.follow_view import view
from poems.render.words import shown

CASES = yaml.safe_load((HERE / "cases" / "told.yaml").read_text())
EDITIONS = ("clinician", "patient")


def told(case: dict[str, Any], edition: Any, knowledge: Knowledge) -> tuple[str, str]:
    """The course of a case as text and as a page, each on one line and without tags."""
    found = followed(case["events"], case["as-of"], knowledge)
    page = re.sub(r"<style>.*?</style>|<[^>]*>", " ", render_follow([found], knowledge, form="html", edition=edition),
                  flags=re.S)
    return one_line(render_follow([found], knowledge, edition=edition)), one_line(unescape(page))


def one_line(text: str) -> str:
    """The text without its line ends, its double spaces and the numbers of its sources."""
    return " ".join(re.sub(r"\[\d+\*?\]", "", text).split())


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["case"])
def test_a_course_says_what_its_reader_needs(case: dict[str, Any], knowledge: Knowledge) -> None:
    """Text and page hold the words of the case, in their order where it has one, and none of those it rules out."""
    for edition in [case["edition"]] if "edition" in case else EDITIONS:
        text, page = told(case, edition, knowledge)
        for words in case.get("says", ()):
            assert one_line(words) in text, f"{words!r} in {text}"
            assert one_line(words) in page, f"{words!r} in {page}"
        for words in case.get("never", ()):
            assert one_line(words) not in text
            assert one_line(words) not in page
        places = [text.index(words) for words in case.get("order", ())]
        assert places == sorted(places)


@pytest.mark.parametrize(("value", "said"), [
    (1.01808, "1.02"), (1.24432, "1.24"), (0.90496, "0.905"), (1040.123, "1040"), (98.76543, "98.8"),
    (13.25, "13.25"), (1234.5, "1234.5"), (520.5, "520.5"), (0.42, "0.42"), (123456, "123456"), (0, "0"),
    (-1.23456, "-1.23"), (0.000123, "0.000123"),
])
def test_a_value_has_the_digits_of_a_laboratory(value: float, said: str) -> None:
    """What was converted is rounded; what a laboratory prints stands as it is."""
    assert shown(value) == said


def test_both_samples_stand_below_what_two_samples_confirm(knowledge: Knowledge) -> None:
    """A definition that was met by two values lists the two."""
    rows: list[Any] = [["platelets", date.fromisoformat(day), value, {"upper_limit": 400}] for day, value in (
        ("2019-02-01", 520), ("2019-12-01", 380), ("2020-06-01", 430), ("2020-09-01", 440))]
    rows.append(["lenalidomide", date(2019, 3, 1), "present"])
    course = view(followed(rows, date(2020, 10, 1), knowledge), knowledge)
    met = next(item for item in course.relapses if item.label.startswith("Clinical"))
    assert [one.date for one in met.observations] == ["2020-06-01", "2020-09-01"]


def test_a_report_of_a_life_that_ended_asks_and_calls_for_nothing(tmp_path: Path) -> None:
    """The patient's sheet says that the person died, and has no call, no question and no test to ask for."""
    record, page = tmp_path / "record.csv", tmp_path / "report.html"
    record.write_text("patient,date,finding,status\nx,2019-01-01,polyneuropathy,present\n"
                      "x,2019-03-01,lenalidomide,present\nx,2020-04-01,death,present\n")
    assert cli.run(["report", str(record), "--edition", "patient", "--as-of", "2021-01-01", "-o", str(page)]) == 0
    said = one_line(re.sub(r"<[^>]*>", " ", page.read_text()))
    assert "died on 2020-04-01" in said
    assert not re.search("call at once|Questions to ask|would it help|Next visits|my own questions", said, re.I)


def test_a_count_of_none_stands_with_what_is_looked_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A bone lesion is not `nothing recorded yet` where their number is recorded as 0; that alone excludes nothing."""
    record = tmp_path / "record.csv"
    record.write_text("patient,date,finding,status,value,unit\nx,2019-01-01,bone-lesion-count,,0,1\n"
                      "x,2019-02-01,creatinine,,90,umol/L\n")
    assert cli.run(["assess", str(record), "--edition", "patient", "--as-of", "2021-01-01"]) == 0
    said = one_line(capsys.readouterr().out)
    assert "Number of bone lesions: 0, 2019-01-01; this" in said
    assert "1.02 mg/dL" in said
    assert said.count("Has this been done, or would it help?") == 1
