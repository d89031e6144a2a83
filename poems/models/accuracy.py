"""What a count says about a test: proportions, likelihood ratios, predictive values, each with its interval; noise."""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, expm1, log, log1p, sqrt

from poems.knowledge.model import Accuracy

Z95 = 1.959963984540054


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number with its 95 % interval."""

    value: float
    low: float
    high: float


def wilson(k: float, n: float) -> Estimate:
    """The proportion k/n with its Wilson score interval. Raises: ValueError unless 0 <= k <= n and n > 0."""
    if not 0 <= k <= n or n <= 0:
        raise ValueError(f"no proportion: {k} of {n}")
    p = k / n
    centre = p + Z95**2 / (2 * n)
    half = Z95 * sqrt(p * (1 - p) / n + Z95**2 / (4 * n * n))
    scale = 1 + Z95**2 / n
    return Estimate(p, max(0.0, (centre - half) / scale), min(1.0, (centre + half) / scale))


def reference_change(*cv_percent: float, z: float = Z95) -> tuple[float, float]:
    """The least rise and the least fall, in percent, that two samples of an unchanged patient do not explain.

    cv_percent: the coefficients of variation that add up (analytic, within the person), or the total one. Log-normal:
    sigma = sqrt(ln(1 + sum of CV^2)), limits exp(+-z sqrt(2) sigma) - 1. z: 1.96 for two-sided 95 %.
    """
    sigma = sqrt(log1p(sum((cv / 100) ** 2 for cv in cv_percent)))
    return 100 * expm1(z * sqrt(2) * sigma), 100 * expm1(-z * sqrt(2) * sigma)


def likelihood_ratios(accuracy: Accuracy) -> tuple[Estimate, Estimate]:
    """LR+ and LR-: the values from the shares as printed, the intervals from the counts.

    LR+ = sensitivity / (1 - specificity), LR- = (1 - sensitivity) / specificity. Intervals by the log method; half a
    patient is added to every cell where one is empty.
    """
    sensitivity, specificity = accuracy.sensitivity.share, accuracy.specificity.share
    tp, ill = accuracy.sensitivity.k, accuracy.sensitivity.n
    tn, well = accuracy.specificity.k, accuracy.specificity.n
    pad = 0.5 if min(tp, ill - tp, tn, well - tn) == 0 else 0.0
    tp, fn, tn, fp = tp + pad, ill - tp + pad, tn + pad, well - tn + pad
    ill, well = tp + fn, tn + fp
    return (_ratio(sensitivity / (1 - specificity), tp, ill, fp, well),
            _ratio((1 - sensitivity) / specificity, fn, ill, tn, well))


def _ratio(value: float, a: float, n: float, b: float, m: float) -> Estimate:
    middle = log((a / n) / (b / m))
    spread = Z95 * sqrt(max(0.0, 1 / a - 1 / n + 1 / b - 1 / m))
    return Estimate(value, exp(middle - spread), exp(middle + spread))


def predictive_values(accuracy: Accuracy, pretest: float) -> tuple[float, float]:
    """PPV and NPV at a pre-test probability, by Bayes' rule from the printed sensitivity and specificity.

    Raises: ValueError unless 0 < pretest < 1.
    """
    if not 0 < pretest < 1:
        raise ValueError(f"no pre-test probability: {pretest}")
    sensitivity, specificity = accuracy.sensitivity.share, accuracy.specificity.share
    true_positive, false_positive = pretest * sensitivity, (1 - pretest) * (1 - specificity)
    true_negative, false_negative = (1 - pretest) * specificity, pretest * (1 - sensitivity)
    return true_positive / (true_positive + false_positive), true_negative / (true_negative + false_negative)
