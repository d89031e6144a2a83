"""The differential: Bayes' rule on counts, groups that speak once, silence that moves nothing, honest intervals."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import yaml
from conftest import HERE
from hypothesis import given, settings
from hypothesis import strategies as st

from poems.evaluate import evaluate
from poems.knowledge import Knowledge, load
from poems.knowledge.model import Count, Feature, Reference, Setting
from poems.models.differential import GRADES, Differential
from poems.record import ABSENT, PRESENT, Event, Record
from poems.review import assess
from poems.rules import Present, Verdict

PATIENTS: list[dict[str, Any]] = yaml.safe_load((HERE / "cases" / "differential.yaml").read_text())
MET, NOT_MET, UNKNOWN = Verdict.MET, Verdict.NOT_MET, Verdict.UNKNOWN
READ = Reference("dispenzieri-2012")
FEATURES = sorted(load().features)


def feature(name: str, group: str = "", **counts: tuple[int, int]) -> Feature:
    """A finding with k of n per disease (written with _ for -)."""
    rows = tuple(Count((disease.replace("_", "-"),), READ, k, n) for disease, (k, n) in counts.items())
    return Feature(name, name, Present(name), group or name, rows)


def small(*features: Feature, **priors: tuple[int, int]) -> Differential:
    """A world of its own: the diseases of the priors and these features."""
    rows = tuple(Count((disease,), READ, k, n) for disease, (k, n) in priors.items())
    knowledge = replace(
        load(), settings={"here": Setting("here", "here", rows)}, features={item.id: item for item in features}
    )
    return Differential(knowledge, "here")


def probability(model: Differential, disease: str = "poems", **verdicts: Verdict) -> float:
    """The posterior mean of one disease."""
    return next(item.probability for item in model.posteriors(verdicts) if item.disease == disease)


def test_one_finding_gives_bayes_rule() -> None:
    """With large counts the posterior is prior odds times the likelihood ratio."""
    model = small(
        feature("sign", poems=(60_000, 100_000), cidp=(5_000, 100_000)), poems=(10_000, 100_000), cidp=(90_000, 100_000)
    )
    odds = 1 / 9
    assert probability(model, sign=MET) == pytest.approx(odds * 12 / (1 + odds * 12), abs=0.005)
    assert probability(model, sign=NOT_MET) == pytest.approx(odds * 0.4 / 0.95 / (1 + odds * 0.4 / 0.95), abs=0.005)


def test_small_counts_give_wide_intervals() -> None:
    """The same shares from 10 instead of 10,000 people widen the interval."""

    def width(n: int) -> float:
        model = small(feature("sign", poems=(6 * n // 10, n), cidp=(n // 10, n)), poems=(50, 100), cidp=(50, 100))
        found = next(item for item in model.posteriors({"sign": MET}) if item.disease == "poems")
        return found.high - found.low

    assert width(10) > 1.5 * width(10_000)


def test_studies_that_disagree_widen_the_interval() -> None:
    """Two studies with 30 and 90 percent are not one study with 60."""

    def width(*rows: tuple[int, int]) -> float:
        sign = Feature(
            "sign",
            "sign",
            Present("sign"),
            "sign",
            (*(Count(("poems",), READ, k, n) for k, n in rows), Count(("cidp",), READ, 300, 1000)),
        )
        found = next(
            item
            for item in small(sign, poems=(500, 1000), cidp=(500, 1000)).posteriors({"sign": MET})
            if item.disease == "poems"
        )
        return found.high - found.low

    assert width((300, 1000), (900, 1000)) > 2 * width((1200, 2000))


def test_what_nobody_counted_speaks_neither_way() -> None:
    """A finding counted in POEMS alone leaves the odds against every other disease as they were, met or not."""
    model = small(feature("sign", poems=(90, 100)), poems=(10, 100), cidp=(90, 100))
    before = probability(model)
    assert probability(model, sign=MET) == pytest.approx(before, abs=1e-9)
    assert probability(model, sign=NOT_MET) == pytest.approx(before, abs=1e-9)


def test_poems_is_not_punished_by_what_nobody_counted_in_it() -> None:
    """A finding counted in a mimic alone cannot lower POEMS against it."""
    model = small(feature("sign", cidp=(90, 100)), poems=(10, 100), cidp=(90, 100))
    assert probability(model, sign=MET) >= probability(model) - 1e-9


def test_a_group_speaks_once() -> None:
    """A second finding of the group adds nothing to the stronger one; in a group of its own it would."""
    strong, weak = {"poems": (90, 100), "cidp": (5, 100)}, {"poems": (80, 100), "cidp": (10, 100)}
    together = small(feature("a", "g", **strong), feature("b", "g", **weak), poems=(10, 100), cidp=(90, 100))
    apart = small(feature("a", **strong), feature("b", **weak), poems=(10, 100), cidp=(90, 100))
    assert probability(together, a=MET, b=MET) == pytest.approx(probability(together, a=MET), abs=1e-9)
    assert probability(apart, a=MET, b=MET) > probability(apart, a=MET) + 0.05
    evidence = {item.finding: item for item in together.posteriors({"a": MET, "b": MET})[0].evidence}
    assert evidence["b"].spoken_by == "a" and evidence["b"].log_ratio == 0


def test_a_group_speaks_once_for_and_once_against() -> None:
    """In one group a finding for and another against both count."""
    model = small(
        feature("a", "g", poems=(90, 100), cidp=(5, 100)),
        feature("b", "g", poems=(80, 100), cidp=(10, 100)),
        poems=(10, 100),
        cidp=(90, 100),
    )
    assert probability(model, b=NOT_MET) < probability(model, a=MET, b=NOT_MET) < probability(model, a=MET)


@settings(max_examples=60, deadline=None)
@given(
    st.dictionaries(st.sampled_from(FEATURES), st.sampled_from(list(Verdict)), max_size=15),
    st.sampled_from(sorted(load().settings)),
)
def test_posteriors_are_probabilities_and_silence_moves_nothing(verdicts: dict[str, Verdict], setting: str) -> None:
    """They sum to one, lie in their intervals, and an unknown finding changes not a digit."""
    model = Differential(load(), setting)
    found = model.posteriors(verdicts)
    assert sum(item.probability for item in found) == pytest.approx(1)
    for item in found:
        assert 0 <= item.low <= item.high <= 1
        assert all(np.isfinite(evidence.log_ratio) and evidence.grade in GRADES for evidence in item.evidence)
    said = {key: verdict for key, verdict in verdicts.items() if verdict is not UNKNOWN}
    assert model.posteriors(said) == found
    assert model.posteriors(dict(reversed(said.items())))[0].probability == pytest.approx(found[0].probability)
    assert all(gain >= 0 for gain in model.gains(verdicts).values())
    assert not set(model.gains(verdicts)) & (set(said) | set(model.setting.given))


def test_expected_information_is_that_of_the_outcomes() -> None:
    """A finding that decides between two equal diseases tells one bit; one that is alike in both tells nothing."""
    model = small(
        feature("decides", poems=(10**6, 10**6), cidp=(0, 10**6)),
        feature("alike", poems=(50, 100), cidp=(50, 100)),
        poems=(10**6, 2 * 10**6),
        cidp=(10**6, 2 * 10**6),
    )
    gains = model.gains({})
    assert gains["decides"] == pytest.approx(1, abs=0.001)
    assert gains["alike"] == pytest.approx(0, abs=0.001)


def test_what_everybody_in_the_setting_has_does_not_count_again(knowledge: Knowledge) -> None:
    """In a neuropathy clinic the neuropathy itself is no evidence."""
    model = Differential(knowledge, "neuropathy-clinic")
    assert model.posteriors({"polyneuropathy": MET}) == model.posteriors({})


@pytest.mark.parametrize("patient", PATIENTS, ids=lambda patient: patient["patient"])
def test_typical_patients_come_out_as_what_they_are(patient: dict[str, Any], knowledge: Knowledge) -> None:
    """POEMS as POEMS, and each mimic as itself, in the settings where it is met."""
    record = Record(
        "p",
        (
            *(Event("p", key, status=PRESENT) for key in patient.get("present", ())),
            *(Event("p", key, status=ABSENT) for key in patient.get("absent", ())),
            *(Event("p", key, value=9.0, upper_limit=3.0) for key in patient.get("raised", ())),
            *(Event("p", key, value=2.0, upper_limit=3.0) for key in patient.get("normal", ())),
        ),
    )
    for setting, leader in patient["leads"].items():
        found = assess(record, knowledge, setting=setting).differential
        poems = next(item.probability for item in found if item.disease == "poems")
        assert found[0].disease == leader, [(item.disease, item.probability) for item in found[:3]]
        assert patient.get("poems-above", 0) <= poems <= patient.get("poems-below", 1)


def test_without_a_setting_nothing_is_taken_for_granted_that_the_record_does_not_hold(knowledge: Knowledge) -> None:
    """The clinic where a neuropathy is recorded, else the general population; a caution where said all the same."""
    ill = Record("p", (Event("p", "polyneuropathy", status=PRESENT),))
    unsaid = Record("p", (Event("p", "ascites", status=PRESENT),))
    assert assess(ill, knowledge).setting == "neuropathy-clinic"
    assert assess(unsaid, knowledge).setting == "general-population"
    cautions = {item.id for item in assess(unsaid, knowledge, setting="neuropathy-clinic").cautions}
    assert "setting-takes-for-granted" in cautions
    assert evaluate(knowledge.features["polyneuropathy"].rule, unsaid) is UNKNOWN
