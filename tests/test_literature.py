"""Published tables come out again from the counts in the knowledge."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from conftest import HERE

from poems.knowledge import Knowledge
from poems.models.accuracy import likelihood_ratios, predictive_values, wilson

TABLES: dict[str, Any] = yaml.safe_load((HERE / "cases" / "literature.yaml").read_text())


def close(value: float, printed: str) -> bool:
    """Within half a unit of the last printed digit."""
    digits = len(printed.partition(".")[2])
    return abs(value - float(printed)) <= 0.5 * 10.0 ** -digits + 1e-9


@pytest.mark.parametrize("row", TABLES["proportions"], ids=lambda row: row["what"])
def test_a_published_proportion_comes_out_with_its_wilson_interval(row: dict[str, Any]) -> None:
    """So many of so many give the printed percentage and interval."""
    found = wilson(row["k"], row["n"])
    assert close(100 * found.value, row["percent"])
    if "low" in row:
        assert close(100 * found.low, row["low"])
        assert close(100 * found.high, row["high"])


@pytest.mark.parametrize("row", TABLES["ratios"], ids=lambda row: row["test"])
def test_a_published_likelihood_ratio_comes_out(row: dict[str, Any], knowledge: Knowledge) -> None:
    """The counts in the knowledge give the dossier's LR+ and LR-, with intervals where it prints them."""
    positive, negative = likelihood_ratios(knowledge.accuracies[row["test"]])
    for found, key in ((positive, "positive"), (negative, "negative")):
        for value, printed in zip((found.value, found.low, found.high), row.get(key, ()), strict=False):
            assert close(value, printed), (key, value, printed)


@pytest.mark.parametrize("row", TABLES["predictive"], ids=lambda row: f"{row['test']} at {row['pretest']} %")
def test_a_published_predictive_value_comes_out(row: dict[str, Any], knowledge: Knowledge) -> None:
    """Specificity is not the share of positives who are ill: the PPV by pre-test probability is."""
    ppv, _ = predictive_values(knowledge.accuracies[row["test"]], float(row["pretest"]) / 100)
    assert close(100 * ppv, row["ppv"])


@pytest.mark.parametrize("row", TABLES["counts"], ids=lambda row: f"{row['feature']} in {row['disease']}, {row['n']}")
def test_a_printed_count_stands_in_the_knowledge(row: dict[str, Any], knowledge: Knowledge) -> None:
    """The counts that drive the differential are those of the papers."""
    counts = [(count.k, count.n) for count in knowledge.features[row["feature"]].counts
              if row["disease"] in count.diseases]
    assert (row["k"], row["n"]) in counts


@pytest.mark.parametrize(("k", "n"), [(-1, 5), (6, 5), (0, 0)])
def test_an_impossible_count_is_refused(k: int, n: int) -> None:
    """No proportion of nothing, or of more than all."""
    with pytest.raises(ValueError, match="no proportion"):
        wilson(k, n)
