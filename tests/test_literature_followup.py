"""The published numbers of follow-up come out again from the knowledge."""

from __future__ import annotations

from itertools import pairwise
from math import exp, log, sqrt
from typing import Any

import pytest
import yaml
from conftest import HERE
from test_literature import close

from poems.knowledge import Knowledge
from poems.knowledge.follow_model import Share
from poems.models.accuracy import reference_change, wilson

TABLES: dict[str, Any] = yaml.safe_load((HERE / "cases" / "literature-followup.yaml").read_text())


def _share(row: dict[str, Any], knowledge: Knowledge) -> tuple[float, float]:
    if "k" in row:
        return row["k"], row["n"]
    follow = knowledge.follow
    if "rate" in row:
        found: list[Share] = [share for share in follow.engraftment.rates if share.what == row["rate"]]
    else:
        (option,) = [option for option in follow.options if option.id == row["option"]]
        found = [share for share in (*option.outcomes, *option.harms) if share.what == row["what"]]
    (share,) = found
    assert share.k is not None and share.n is not None
    return share.k, share.n


@pytest.mark.parametrize("row", TABLES["proportions"],
                         ids=lambda row: f"{row.get('option', '')} {row.get('rate') or row['what']}")
def test_a_published_proportion_comes_out_with_its_wilson_interval(row: dict[str, Any], knowledge: Knowledge) -> None:
    """So many of so many, as the knowledge has them, give the printed percentage and interval."""
    found = wilson(*_share(row, knowledge))
    assert close(100 * found.value, row["percent"])
    if "low" in row:
        assert close(100 * found.low, row["low"])
        assert close(100 * found.high, row["high"])


def _hazards(knowledge: Knowledge, cohort: str, outcome: str) -> list[float]:
    """Piecewise-exponential: ln(S0/S1)/dt between the printed points, from 100 percent at time 0."""
    (entry,) = [entry for entry in knowledge.follow.survival if entry.id == cohort]
    points = [(0.0, 100.0), *((point.years, point.percent) for point in entry.points if point.outcome == outcome)]
    return [log(before / after) / (later - sooner)
            for (sooner, before), (later, after) in pairwise(points)]


@pytest.mark.parametrize("row", TABLES["hazards"], ids=lambda row: f"{row['cohort']} {row['outcome']}")
def test_published_survival_points_give_the_hazards(row: dict[str, Any], knowledge: Knowledge) -> None:
    """The points of each cohort give the dossier's piecewise hazards."""
    found = _hazards(knowledge, row["cohort"], row["outcome"])
    assert len(found) == len(row["hazards"])
    assert all(close(value, printed) for value, printed in zip(found, row["hazards"], strict=True)), found


@pytest.mark.parametrize("row", TABLES["exponential"], ids=lambda row: f"{row['cohort']} {row['years']} years")
def test_a_median_read_as_exponential_gives_the_share_alive(row: dict[str, Any], knowledge: Knowledge) -> None:
    """A median of 165 months is about 60 % at ten years."""
    (hazard,) = _hazards(knowledge, row["cohort"], "OS")
    assert close(100 * exp(-hazard * row["years"]), row["percent"])


@pytest.mark.parametrize("row", TABLES["half-lives"], ids=lambda row: row["what"])
def test_a_published_half_life_comes_out(row: dict[str, Any], knowledge: Knowledge) -> None:
    """Two medians and the days between them give the half-life that the marker carries."""
    found = row["days"] * log(2) / log(row["before"] / row["after"])
    assert close(found, row["half-life"])
    rate = knowledge.follow.markers[row["marker"]].rate
    assert rate is not None
    assert close(found, f"{rate.half_life_days:g}")


@pytest.mark.parametrize("row", TABLES["falls"], ids=lambda row: row["what"])
def test_a_published_fall_comes_out(row: dict[str, Any]) -> None:
    """Two printed values give the dossier's percentage."""
    assert close(100 * (1 - row["after"] / row["before"]), row["percent"])


@pytest.mark.parametrize("row", TABLES["reference-changes"], ids=lambda row: str(row["cvs"]))
def test_a_reference_change_value_comes_out(row: dict[str, Any], knowledge: Knowledge) -> None:
    """The coefficients of variation give the dossier's limits; the markers carry those coefficients."""
    rise, fall = reference_change(*row["cvs"])
    assert close(rise, row["rise"])
    assert close(-fall, row["fall"])
    if "marker" in row:
        assert [knowledge.follow.markers[row["marker"]].noise.cv] == row["cvs"]


@pytest.mark.parametrize("row", TABLES["fifty-percent"], ids=lambda row: row["cv"])
def test_a_rise_of_fifty_percent_is_noise_unless_the_variation_is_small(row: dict[str, Any]) -> None:
    """The largest variation at which +50 % lies outside noise, solved and put back."""
    sigma = log(1.5) / (row["z"] * sqrt(2))
    cv = 100 * sqrt(exp(sigma**2) - 1)
    assert close(cv, row["cv"])
    assert reference_change(cv, z=row["z"])[0] == pytest.approx(50)


def test_survival_of_cohorts_printed_with_intervals(knowledge: Knowledge) -> None:
    """Peking Union, five years after transplantation: the printed intervals are those of a log-log scale."""
    (entry,) = [entry for entry in knowledge.follow.survival if entry.id == "peking-transplant"]
    errors = {}
    for point in entry.points:
        assert point.low is not None and point.high is not None
        scaled = [log(-log(value / 100)) for value in (point.low, point.percent, point.high)]
        errors[point.outcome] = [abs(scaled[1] - scaled[0]) / 1.959964, abs(scaled[2] - scaled[1]) / 1.959964]
    assert [round(value, 3) for value in errors["PFS"]] == [0.248, 0.231]
    assert [round(value, 3) for value in errors["OS"]] == [0.414, 0.362]
