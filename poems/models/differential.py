"""How probable POEMS and each of its mimics are, from counts: every posterior with an interval, every step listed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from poems.knowledge.model import Count, Feature, Knowledge, Reference
from poems.rules import Verdict

Draws = NDArray[np.float64]
TARGET = "poems"
JEFFREYS = 0.5      # the Beta prior of a proportion nobody has an opinion on
N_DRAWS = 2000
CARRIED_OVER = 20   # a count carried over from another population speaks like this many people at the most
SEED = 20261122
GRADES = ("counted", "reported", "assumed", "uncounted")


@dataclass(frozen=True, slots=True)
class Evidence:
    """What one finding did to one diagnosis.

    log_ratio: ln P(verdict | disease) - ln P(verdict | the alternatives, weighted as the setting has them); 0 where the
    finding is unknown. spoken_by: another finding of its group that says the same more strongly, so that this one does
    not count. grade: the weaker of the two sides: counted, reported, assumed; `uncounted` where nobody counted it.
    """

    finding: str
    label: str
    verdict: Verdict
    log_ratio: float
    grade: str
    spoken_by: str = ""
    sources: tuple[Reference, ...] = ()


@dataclass(frozen=True, slots=True)
class Posterior:
    """The probability of one disease with its 95 % interval, and what moved it from the prior of the setting."""

    disease: str
    probability: float
    low: float
    high: float
    prior: float
    evidence: tuple[Evidence, ...]


class Differential:
    """The diseases of one setting and how often each shows each finding, as seeded draws."""

    def __init__(self, knowledge: Knowledge, setting: str) -> None:
        self.knowledge = knowledge
        self.setting = knowledge.settings[setting]
        self.diseases = tuple(dict.fromkeys(d for prior in self.setting.priors for d in prior.diseases))
        self._tables: dict[str, _Table] = {}
        self._ratios: dict[tuple[int, str, Verdict], float] = {}

    @cached_property
    def prior(self) -> Draws:
        """P(disease) in the setting, shape (diseases, draws); columns sum to 1."""
        rng = np.random.default_rng(SEED)
        raw = np.zeros((len(self.diseases), N_DRAWS))
        for prior in self.setting.priors:
            for disease in prior.diseases:
                raw[self.diseases.index(disease)] += _draw(prior, rng) / len(prior.diseases)
        return np.asarray(raw / raw.sum(axis=0))

    @cached_property
    def weights(self) -> Draws:
        """The mean prior of each disease."""
        return np.asarray(self.prior.mean(axis=1))

    def table(self, feature: str) -> _Table:
        """The draws of one feature, made when it is first asked for."""
        if feature not in self._tables:
            place = list(self.knowledge.features).index(feature)
            self._tables[feature] = _Table(self.knowledge.features[feature], self.diseases,
                                           np.random.default_rng([SEED, place]))
        return self._tables[feature]

    def posteriors(self, verdicts: Mapping[str, Verdict]) -> tuple[Posterior, ...]:
        """Every disease of the setting, the most probable first, each with its evidence.

        verdicts: per feature; a feature that is missing or unknown moves nothing, nor does one that the setting has in
        everybody. P(d | findings) is proportional to P(d) x the product over groups of P(finding | d), one finding for
        and one against POEMS per group.
        """
        seen = self._seen(verdicts)
        speaks = self._speakers(seen)
        logs = np.log(self.prior)
        for key, speaker in speaks.items():
            if not speaker:
                logs = logs + np.log(self.table(key).likelihood(seen[key]))
        draws = np.exp(logs - logs.max(axis=0))
        draws /= draws.sum(axis=0)
        low, high = np.quantile(draws, (0.025, 0.975), axis=1)
        found = [Posterior(disease, float(draws[i].mean()), float(low[i]), float(high[i]), float(self.weights[i]),
                           self._evidence(i, seen, speaks)) for i, disease in enumerate(self.diseases)]
        return tuple(sorted(found, key=lambda posterior: -posterior.probability))

    def gains(self, verdicts: Mapping[str, Verdict]) -> dict[str, float]:
        """Per feature not yet known: bits that knowing it is expected to tell about POEMS against the rest.

        H(POEMS) - sum over outcomes of P(outcome) H(POEMS | outcome), at the mean rates; never below 0.
        """
        seen = self._seen(verdicts)
        now = self._mean_posterior(seen)
        target = self.diseases.index(TARGET)
        gains = {}
        for key in self.knowledge.features:
            if key in seen or key in self.setting.given:
                continue
            rate = float(now @ self.table(key).mean_likelihood(Verdict.MET))
            expected = sum(share * _entropy(self._mean_posterior(seen | {key: verdict})[target])
                           for verdict, share in ((Verdict.MET, rate), (Verdict.NOT_MET, 1 - rate)))
            gains[key] = max(0.0, _entropy(now[target]) - expected)
        return gains

    def _seen(self, verdicts: Mapping[str, Verdict]) -> dict[str, Verdict]:
        return {key: verdict for key, verdict in verdicts.items()
                if verdict is not Verdict.UNKNOWN and key not in self.setting.given}

    def _mean_posterior(self, seen: Mapping[str, Verdict]) -> Draws:
        logs = np.log(self.weights)
        for key, speaker in self._speakers(seen).items():
            if not speaker:
                logs = logs + np.log(self.table(key).mean_likelihood(seen[key]))
        raw = np.exp(logs - logs.max())
        return np.asarray(raw / raw.sum())

    def _speakers(self, seen: Mapping[str, Verdict]) -> dict[str, str]:
        """Per seen feature: empty where it counts, else the feature of its group that speaks in its place."""
        strongest: dict[tuple[str, bool], str] = {}
        ratios = {key: self._ratio(self.diseases.index(TARGET), key, verdict) for key, verdict in seen.items()}
        for key, ratio in ratios.items():
            side = self.knowledge.features[key].group, ratio > 0
            if side not in strongest or abs(ratio) > abs(ratios[strongest[side]]):
                strongest[side] = key
        chosen = {key: strongest[self.knowledge.features[key].group, ratio > 0] for key, ratio in ratios.items()}
        return {key: "" if speaker == key else speaker for key, speaker in chosen.items()}

    def _ratio(self, disease: int, key: str, verdict: Verdict) -> float:
        """The log ratio of a finding; no patient moves it, and it is asked for often, so that it is kept."""
        at = disease, key, verdict
        if at not in self._ratios:
            likelihood = self.table(key).mean_likelihood(verdict)
            others = np.delete(self.weights, disease)
            alternative = float(np.delete(likelihood, disease) @ others / others.sum())
            self._ratios[at] = float(np.log(likelihood[disease]) - np.log(alternative))
        return self._ratios[at]

    def _evidence(self, disease: int, seen: Mapping[str, Verdict], speaks: Mapping[str, str]) -> tuple[Evidence, ...]:
        found = []
        for key, verdict in seen.items():
            feature, table = self.knowledge.features[key], self.table(key)
            ratio = 0.0 if speaks[key] else self._ratio(disease, key, verdict)
            found.append(Evidence(key, feature.label, verdict, ratio, self._grade(disease, table), speaks[key],
                                  table.sources[disease]))
        return tuple(sorted(found, key=lambda evidence: -abs(evidence.log_ratio)))


    def _grade(self, disease: int, table: _Table) -> str:
        """The weaker of the two sides; of the alternatives, the grade that at least half of their weight reaches."""
        others = np.delete(self.weights, disease)
        grades = np.delete([GRADES.index(grade) for grade in table.grades], disease)
        half = next(grade for grade in range(len(GRADES)) if others[grades <= grade].sum() * 2 >= others.sum())
        return GRADES[max(half, GRADES.index(table.grades[disease]))]


class _Table:
    """P(feature | disease) for every disease of a setting: draws, means, grades."""

    def __init__(self, feature: Feature, diseases: tuple[str, ...], rng: np.random.Generator) -> None:
        self.met = np.full((len(diseases), N_DRAWS), np.nan)
        grades, sources = [], []
        for i, disease in enumerate(diseases):
            studies = [count for count in feature.counts if disease in count.diseases]
            carried = _carried_over(feature.background, disease)
            if studies:
                self.met[i] = _pooled(studies, rng)
            elif carried:
                self.met[i] = _draw(carried, rng, at_most=CARRIED_OVER)
            grades.append(_grade(studies, carried))
            sources.append(tuple(count.source for count in studies) or ((carried.source,) if carried else ()))
        self.grades, self.sources = tuple(grades), tuple(sources)
        self.uncounted = np.isnan(self.met[:, 0])
        self.target = diseases.index(TARGET)

    def likelihood(self, verdict: Verdict) -> Draws:
        """P(verdict | disease), shape (diseases, draws).

        What was never counted must not punish: a disease in which nobody counted the finding is given the rate of
        POEMS, so that it speaks neither way between the two, and POEMS itself, if uncounted, the most favourable rate.
        """
        known = self.met if verdict is Verdict.MET else 1 - self.met
        if self.uncounted.all():
            return np.ones_like(known)
        stand_in = np.nanmax(known, axis=0) if self.uncounted[self.target] else known[self.target]
        return np.where(self.uncounted[:, None], stand_in, known)

    def mean_likelihood(self, verdict: Verdict) -> Draws:
        """P(verdict | disease) at the mean rates, shape (diseases,)."""
        if verdict not in self._means:
            self._means[verdict] = self.likelihood(verdict).mean(axis=1)
        return self._means[verdict]

    @cached_property
    def _means(self) -> dict[Verdict, Draws]:
        return {}


def pretest(knowledge: Knowledge, setting: str) -> float:
    """How probable the disease is in somebody of the setting, before any test.

    Where everybody has a given finding, the diseases listed are what can be behind it and share it out; otherwise
    (a population) most people have none of them, and the rate itself is the answer.
    """
    place = knowledge.settings[setting]
    if place.given:
        model = Differential(knowledge, setting)
        return float(model.weights[model.diseases.index(TARGET)])
    return sum(count.share / len(count.diseases) for count in place.priors if TARGET in count.diseases and count.n)


def _carried_over(background: Count | None, disease: str) -> Count | None:
    """The background of a disease; one that names its diseases holds for those only."""
    return background if background and (not background.diseases or disease in background.diseases) else None


def _grade(studies: list[Count], background: Count | None) -> str:
    if studies:
        return max((count.grade for count in studies), key=GRADES.index)
    return "assumed" if background else "uncounted"


def _pooled(studies: list[Count], rng: np.random.Generator) -> Draws:
    """Draws over several studies: each draw comes from one study, chosen in proportion to its size, so that the mean is
    the pooled proportion and the spread holds what the studies disagree about.
    """
    if len(studies) == 1:
        return _draw(studies[0], rng)
    sizes = np.array([study.n or _reported(study)[2] for study in studies], dtype=float)
    chosen = rng.choice(len(studies), size=N_DRAWS, p=sizes / sizes.sum())
    return np.asarray(np.choose(chosen, [_draw(study, rng) for study in studies]))


def _draw(count: Count, rng: np.random.Generator, at_most: float | None = None) -> Draws:
    if count.low is not None:
        a, b, _ = _reported(count)
    else:
        shrink = min(1.0, at_most / count.n) if at_most else 1.0
        a, b = count.k * shrink + JEFFREYS, (count.n - count.k) * shrink + JEFFREYS
    return np.clip(rng.beta(a, b, N_DRAWS), 1e-9, 1 - 1e-9)


def _reported(count: Count) -> tuple[float, float, float]:
    """A Beta whose mean is the middle of the printed range (percent) and whose 95 % spans it: a, b and their sum."""
    assert count.low is not None and count.high is not None
    mean, spread = (count.low + count.high) / 200, max((count.high - count.low) / 400, 0.01)
    size = max(mean * (1 - mean) / spread**2 - 1, 2.0)
    return mean * size, (1 - mean) * size, size


def _entropy(p: float) -> float:
    return 0.0 if p <= 0 or p >= 1 else float(-p * np.log2(p) - (1 - p) * np.log2(1 - p))
