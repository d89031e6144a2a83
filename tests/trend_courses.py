"""Simulated courses of a quantity after treatment, for the tests and the study of the trend model.

Nothing here is taken from the model or fitted to it: see docs/trend.md for every assumption and what is cited.
Days count from the treatment; values are in any unit; every array is (courses, samples), padded with NaN.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
MONTH = 365.25 / 12
YEARS_FOLLOWED = 8
BEFORE, PLATEAU = 452.0, 63.5  # medians before and after, plasma, pg/mL (facts K16)
HALF_LIFE_DAYS = 21.0  # facts K18
UNDETECTED = 30.0
FROM_DAY = 6 * MONTH  # the plateau is reached by then (facts K10); the remission that is watched begins


@dataclass(frozen=True)
class Courses:
    """Samples and what is true of them. onset, clinical: NaN without a relapse. spiked: illness at that sample."""

    days: Floats
    logs: Floats
    sides: NDArray[np.int64]
    truth: Floats
    onset: Floats
    clinical: Floats
    end: Floats
    cv: Floats
    spiked: NDArray[np.bool_]


def simulate(
    n: int,
    rng: np.random.Generator,
    *,
    relapsing: float = 0.5,
    months: float = 3.0,
    cv: tuple[float, float] = (15, 45),
    spikes: float = 0.03,
    wander: float = 0.1,
) -> Courses:
    """`n` courses: fall, plateau, wandering remission, and in a share of them a rise until the clinical relapse."""
    days = _visits(n, months, rng)
    before = np.log(BEFORE) + 0.7 * rng.standard_normal(n)
    plateau = np.minimum(np.log(PLATEAU) + 0.5 * rng.standard_normal(n), before)
    half_life = HALF_LIFE_DAYS * np.exp(0.5 * rng.standard_normal(n))
    fallen = np.exp(-np.log(2) * np.maximum(days, 0) / half_life[:, None])
    truth = np.log(np.exp(plateau)[:, None] + np.exp(before)[:, None] * fallen)
    truth += _wandering(days, wander, rng)
    relapses = rng.random(n) < relapsing
    onset = np.where(relapses, _onsets(n, rng), np.nan)
    doubling = 120 * np.exp(0.7 * rng.standard_normal(n))
    gain = rng.uniform(np.log(2), np.log(8), n)
    clinical = onset + doubling * gain / np.log(2)
    truth += np.where(relapses[:, None], np.maximum(days - onset[:, None], 0) * np.log(2) / doubling[:, None], 0)
    end = np.where(relapses, clinical, YEARS_FOLLOWED * 12 * MONTH)
    person_cv = rng.uniform(*cv, n)
    noise = np.sqrt(np.log1p((person_cv / 100) ** 2))[:, None] * rng.standard_normal(days.shape)
    spiked = rng.random(days.shape) < spikes
    logs = truth + noise + np.where(spiked, rng.uniform(np.log(1.5), np.log(4), days.shape), 0)
    gone = days > end[:, None]
    sides = np.where(logs < np.log(UNDETECTED), -1, 0)
    logs = np.maximum(logs, np.log(UNDETECTED))
    days, logs, truth = (np.where(gone, np.nan, each) for each in (days, logs, truth))
    width = int((~gone).sum(axis=1).max())
    return Courses(
        days[:, :width],
        logs[:, :width],
        np.where(gone, 0, sides)[:, :width],
        truth[:, :width],
        onset,
        clinical,
        end,
        person_cv,
        (spiked & ~gone)[:, :width],
    )


def _visits(n: int, months: float, rng: np.random.Generator) -> Floats:
    """A sample before treatment, one after about a month, then about every `months`; one visit in ten is missed."""
    longest = 2 * YEARS_FOLLOWED * 12
    count = int(longest / months)
    gaps = months * MONTH + 14 * rng.standard_normal((n, count))
    gaps += np.where(rng.random((n, count)) < 0.1, months * MONTH, 0)
    gaps[:, 0] = MONTH + 7 * rng.standard_normal(n)
    first = -rng.uniform(0, 14, (n, 1))
    return np.asarray(np.round(np.hstack([first, np.cumsum(np.maximum(gaps, 7), axis=1)])))


def _wandering(days: Floats, sd: float, rng: np.random.Generator) -> Floats:
    """An Ornstein-Uhlenbeck walk: sd half to one and a half times `sd`, time constant 3 to 24 months."""
    n = len(days)
    sds, constant = sd * rng.uniform(0.5, 1.5, n), MONTH * rng.uniform(3, 24, n)
    walk = np.empty_like(days)
    walk[:, 0] = sds * rng.standard_normal(n)
    for j in range(1, days.shape[1]):
        kept = np.exp(-(days[:, j] - days[:, j - 1]) / constant)
        walk[:, j] = kept * walk[:, j - 1] + sds * np.sqrt(1 - kept**2) * rng.standard_normal(n)
    return walk


def _onsets(n: int, rng: np.random.Generator) -> Floats:
    """Days to the beginning of the rise: not before month 9, median month 35 (facts G2), within the follow-up."""
    half = 35 - 9
    share = rng.random(n) * (1 - 0.5 ** ((YEARS_FOLLOWED * 12 - 9) / half))
    return MONTH * (9 - half * np.log2(1 - share))
