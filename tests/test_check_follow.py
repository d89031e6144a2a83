"""Faults in the parts of follow-up's knowledge that name what the code must not: death, day 0, which way is worse."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from conftest import some_slow
from follow_cases import followed
from test_knowledge import Files, _drop, _put, plant

from poems.knowledge import Knowledge, load
from poems.knowledge.check import check

FOLLOWUP = "followup.yaml"


def _harm(field: str, value: str) -> Callable[[Files], None]:
    """Another drug or finding in the first harm that names both."""
    def change(files: Files) -> None:
        harms = (harm for option in files["treatments.yaml"]["options"] for harm in option.get("harms", ()))
        next(harm for harm in harms if "drug" in harm)[field] = value

    return change


FAULTS: dict[str, tuple[Callable[[Files], None], str, str]] = {
    "a death that is no concept": (
        _put(FOLLOWUP, "endpoints", "survival", "finding", value="deth"), "endpoints.survival.finding", "deth"),
    "a death that is a quantity": (
        _put(FOLLOWUP, "endpoints", "survival", "finding", value="albumin"), "endpoints.survival.finding", "quantity"),
    "no death": (_drop(FOLLOWUP, "endpoints", "survival"), "endpoints", "survival"),
    "progression-free survival without a source": (
        _drop(FOLLOWUP, "endpoints", "progression-free", "source"), "endpoints.progression-free", "source"),
    "progression-free survival from memory": (
        _put(FOLLOWUP, "endpoints", "progression-free", "source", "status", value="memory"),
        "endpoints.progression-free.source.status", "memory"),
    "progression-free survival of a source nobody knows": (
        _put(FOLLOWUP, "endpoints", "progression-free", "source", "id", value="nobody-1999"),
        "endpoints.progression-free.source", "nobody-1999"),
    "day 0 of something that does not exist": (
        _put(FOLLOWUP, "engraftment", "day-0", value=["stem-cell-transplant"]), "engraftment.day-0",
        "stem-cell-transplant"),
    "day 0 of something that is no treatment": (
        _put(FOLLOWUP, "engraftment", "day-0", value=["papilledema"]), "engraftment.day-0", "papilledema"),
    "no day 0": (_drop(FOLLOWUP, "engraftment", "day-0"), "engraftment", "day-0"),
    "a marker that does not say which way is worse": (
        _drop(FOLLOWUP, "markers", "albumin", "worse"), "markers.albumin", "worse"),
    "a marker that is worse in a way nobody knows": (
        _put(FOLLOWUP, "markers", "albumin", "worse", value="down"), "markers.albumin.worse", "down"),
    "a cohort that had a treatment nobody knows": (
        _put(FOLLOWUP, "prognosis", 10, "given", value="stem-cell-transplant"), "prognosis.igg-lambda.given",
        "stem-cell-transplant"),
    "a harm of a drug that is no treatment": (
        _harm("drug", "papilledema"), "options.lenalidomide-dexamethasone.harms", "papilledema"),
    "a harm beside a finding that does not exist": (
        _harm("finding", "pregnant"), "options.lenalidomide-dexamethasone.harms", "pregnant"),
    "a quantity seen as what does not exist": (
        _put("concepts.yaml", "m-protein-serum", "seen_as", value="serum-band"), "m-protein-serum.seen_as",
        "serum-band"),
}


@pytest.mark.parametrize("name", some_slow(FAULTS))
def test_a_planted_fault_is_found_and_named(name: str, tmp_path: Path) -> None:
    """The check says where it is, what was found, what was expected and what to do."""
    change, where, found = FAULTS[name]
    issues = [issue for issue in check(plant(change, tmp_path)) if issue.level == "fault"]
    hits = [issue for issue in issues if where in issue.where]
    assert any(found in issue.found + issue.expected for issue in hits), [str(issue) for issue in issues]
    assert all(issue.expected and issue.fix for issue in issues)


def test_what_ends_a_course_and_what_is_day_0_are_read_from_the_knowledge(tmp_path: Path) -> None:
    """With other names in the file, the engine looks for these and no longer for the old ones."""
    def change(files: Files) -> None:
        files[FOLLOWUP]["endpoints"]["survival"]["finding"] = "papilledema"
        files[FOLLOWUP]["engraftment"]["day-0"] = ["lenalidomide"]

    rows = [["death", date(2021, 1, 1), "present"], ["autologous-stem-cell-transplant", date(2020, 1, 1), "present"]]
    other = [["papilledema", date(2021, 1, 1), "present"], ["lenalidomide", date(2020, 1, 1), "present"]]
    for knowledge, (told, untold) in ((load(), (rows, other)), (load(plant(change, tmp_path)), (other, rows))):
        found, none = (followed(given, date(2022, 1, 1), knowledge) for given in (told, untold))
        assert found.died == date(2021, 1, 1) and [sheet.day_0 for sheet in found.transplants] == [date(2020, 1, 1)]
        assert none.died is None and not none.transplants


def test_only_a_marker_that_is_worse_when_it_rises_can_alarm(knowledge: Knowledge) -> None:
    """Platelets rise when a marrow recovers, albumin when a patient does."""
    silent = {key for key, marker in knowledge.follow.markers.items() if not marker.can_alarm}
    assert silent == {"albumin", "platelets"}
