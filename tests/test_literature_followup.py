"""The published numbers of follow-up come out again from the knowledge."""

from __future__ import annotations

from itertools import pairwise
from math import exp, log, sqrt
from statistics import NormalDist
from typing import Any

import pytest
import yaml
from conftest import HERE
from test_literature import close

from poems.knowledge import Knowledge
from poems.knowledge.follow_model import PrognosticFactor, Share
from poems.knowledge.model import Claim
from poems.models.accuracy import reference_change, wilson

TABLES: dict[str, Any] = yaml.safe_load((HERE / "cases" / "literature-followup.yaml").read_text())


def _shares(knowledge: Knowledge) -> dict[tuple[str, str], Share]:
    """Every share of the knowledge that may be used, by its option, or `rate`, and what it counts."""
    follow = knowledge.follow
    found = {(option.id, one.what): one for option in follow.options for one in (*option.outcomes, *option.harms)}
    return found | {("rate", one.what): one for one in follow.engraftment.rates}


def _at(row: dict[str, Any]) -> tuple[str, str]:
    return ("rate", row["rate"]) if "rate" in row else (row["option"], row["what"])


def _factor(row: dict[str, Any], knowledge: Knowledge) -> PrognosticFactor:
    (factor,) = [one for one in knowledge.follow.prognosis if one.id == row["factor"]]
    return factor


def _count(row: dict[str, Any], knowledge: Knowledge) -> tuple[float, float]:
    found: Share | Claim | PrognosticFactor
    if "claim" in row:
        found = knowledge.claims[row["claim"]]
    else:
        found = _factor(row, knowledge) if "factor" in row else _shares(knowledge)[_at(row)]
    assert found.k is not None and found.n is not None
    return found.k, found.n


def _named(row: dict[str, Any]) -> str:
    return " ".join(str(row[key]) for key in ("option", "rate", "claim", "factor", "cohort", "what") if key in row)


@pytest.mark.parametrize("row", TABLES["proportions"], ids=_named)
def test_a_published_proportion_comes_out_with_its_wilson_interval(row: dict[str, Any], knowledge: Knowledge) -> None:
    """So many of so many, as the knowledge has them, give the printed percentage and interval."""
    found = wilson(*_count(row, knowledge))
    assert close(100 * found.value, row["percent"])
    assert close(100 * found.low, row["low"])
    assert close(100 * found.high, row["high"])


def test_every_share_of_the_knowledge_is_in_a_table(knowledge: Knowledge) -> None:
    """No count and no percentage of an option or a rate goes unlooked at."""
    counted = {at for at, one in _shares(knowledge).items() if one.k is not None and one.n is not None}
    assert {_at(row) for row in TABLES["proportions"] if not {"claim", "factor"} & set(row)} == counted
    printed = {at for at, one in _shares(knowledge).items() if one.k is None and (one.percent, one.low) != (None, None)}
    assert {_at(row) for row in TABLES["percents"]} == printed


@pytest.mark.parametrize("row", TABLES["percents"], ids=_named)
def test_a_percentage_stands_as_it_was_printed(row: dict[str, Any], knowledge: Knowledge) -> None:
    """Without a count there is no interval of our own, only the printed one."""
    found = _shares(knowledge)[_at(row)]
    assert [getattr(found, key) for key in ("percent", "n", "low", "high")] == [
        row.get(key) for key in ("percent", "n", "low", "high")
    ]


@pytest.mark.parametrize("row", TABLES["hazard-ratios"], ids=_named)
def test_a_published_hazard_ratio_stands_with_its_interval(row: dict[str, Any], knowledge: Knowledge) -> None:
    """As printed; where it is a Wald interval, ratio and p come out of the interval."""
    found = _factor(row, knowledge)
    assert [found.hazard_ratio, found.low, found.high, found.p] == [
        row["ratio"], row["low"], row["high"], row.get("p", "")
    ]
    error = log(row["high"] / row["low"]) / (2 * 1.959964)
    even = abs(log(row["ratio"]) - log(row["low"] * row["high"]) / 2) < 0.01
    assert even == row.get("wald", False)
    if even:
        p = 2 * (1 - NormalDist().cdf(log(row["ratio"]) / error))
        assert p == pytest.approx(float(row["p"]), rel=0.06)


def test_every_factor_with_a_number_is_in_a_table(knowledge: Knowledge) -> None:
    """No hazard ratio and no p goes unlooked at."""
    ratios = {one.id for one in knowledge.follow.prognosis if one.hazard_ratio is not None}
    assert {row["factor"] for row in TABLES["hazard-ratios"]} == ratios
    plain = {one.id: one.p for one in knowledge.follow.prognosis if one.hazard_ratio is None and one.p}
    assert {row["factor"]: row["p"] for row in TABLES["p-values"]} == plain


def test_every_point_of_survival_stands_as_it_was_printed(knowledge: Knowledge) -> None:
    """Each cohort with its number of people and its points, and no other."""
    found = {
        one.id: (one.n, [[point.outcome, point.years, point.percent] for point in one.points])
        for one in knowledge.follow.survival
    }
    assert found == {row["cohort"]: (row.get("n"), row["points"]) for row in TABLES["survival"]}


@pytest.mark.parametrize("row", TABLES["medians"], ids=_named)
def test_a_point_at_half_is_the_printed_median(row: dict[str, Any], knowledge: Knowledge) -> None:
    """In months, as the papers print it."""
    (entry,) = [entry for entry in knowledge.follow.survival if entry.id == row["cohort"]]
    (point,) = entry.points
    assert (point.percent, 12 * point.years) == (50, row["months"])


@pytest.mark.parametrize("row", TABLES["claims"], ids=_named)
def test_a_number_of_follow_up_is_a_claim_and_the_text_says_the_same(row: dict[str, Any], knowledge: Knowledge) -> None:
    """Structured once, and as follow-up words it."""
    claim = knowledge.claims[row["claim"]]
    for key in ("k", "n", "percent", "value", "low", "high"):
        assert key not in row or getattr(claim, key) == row[key]
    if "text" in row:
        assert row["says"] in " ".join(_text(row["text"], knowledge).split())


def _text(where: str, knowledge: Knowledge) -> str:
    """The words of VEGF's markers, of the transplant's sheet, of a factor or of an option."""
    follow = knowledge.follow
    if where == "vegf":
        marker = follow.markers["vegf-serum"]
        return " ".join(said.text for said in (*marker.blind_spots, *marker.shows))
    if where == "sheet":
        return " ".join(said.text for said in follow.engraftment.sheet)
    notes = [one.note for one in follow.prognosis if one.id == where]
    shares = [f"{one.what}: {one.text}" for (option, _), one in _shares(knowledge).items() if option == where]
    return " ".join(notes + shares)


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
    before, after = (knowledge.claims[row[key]].value for key in ("before", "after"))
    assert before and after
    found = row["days"] * log(2) / log(before / after)
    assert close(found, row["half-life"])
    rate = knowledge.follow.markers[row["marker"]].rate
    assert rate is not None
    assert close(found, f"{rate.half_life_days:g}")


@pytest.mark.parametrize("row", TABLES["falls"], ids=lambda row: row["what"])
def test_a_published_fall_comes_out(row: dict[str, Any], knowledge: Knowledge) -> None:
    """Two printed values give the dossier's percentage."""
    before, after = (knowledge.claims[row[key]].value for key in ("before", "after"))
    assert [before, after] == row["values"] and before and after
    assert close(100 * (1 - after / before), row["percent"])


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
