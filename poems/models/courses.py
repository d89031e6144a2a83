"""Courses of a quantity on the log scale: the filter and the smoother behind `trend`, for many courses at once.

Between samples the true log level follows its slope, and the slope wanders (and dies away, where `damping` is not 0):

    d level = slope dt        d slope = -damping slope dt + rate dW        (t in years)

A sample is the level plus noise: normal with sd sigma, or, with a small share, an outlier whose sd is a multiple of
sigma. A sample beyond a detection limit says only on which side it lies. Each sample's exact effect on the level is
matched in its first two moments (assumed-density filtering); every other state moves along its covariance. The third
state is the level at the nadir. All arrays are (grid, courses): the grid holds the combinations of noise and rate.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
LOG_TWO_PI = math.log(2 * math.pi)
TINY = 1e-12
FEW = 100           # so few numbers are faster one by one


class Belief(NamedTuple):
    """Means and covariances of level, slope and the level at the nadir; each (grid, courses)."""

    level: Floats
    slope: Floats
    nadir: Floats
    ll: Floats
    ls: Floats
    ss: Floats
    ln: Floats
    sn: Floats
    nn: Floats


@dataclass(frozen=True)
class Motion:
    """How a level may move, as in `trend.Model`; rate: one per grid point."""

    rate: Floats
    damping: float
    slope_sd: float
    start_sd: float


@dataclass(frozen=True)
class Spread:
    """How samples scatter about the level: `share` of them with an sd of `times` sigma.

    sigma: per grid point, or (grid, courses) where each course has its own.
    """

    sigma: Floats
    share: float
    times: float

    @cached_property
    def variance(self) -> Floats:
        """Of an ordinary sample: (grid, 1) or (grid, courses)."""
        return (self.sigma if self.sigma.ndim == 2 else self.sigma[:, None]) ** 2

    @cached_property
    def parts(self) -> list[tuple[float, Floats]]:
        """(share, variance) of the ordinary samples and of the outliers, if any."""
        variance = self.variance
        return [(1 - self.share, variance), (self.share, variance * self.times**2)][: 2 if self.share else 1]


def predict(belief: Belief, years: Floats, motion: Motion) -> Belief:
    """The belief after `years` (per course) without a sample."""
    kept, reach = _carry(years, motion.damping)
    rate = motion.rate[:, None] ** 2
    on_level, on_both, on_slope = _scatter(years, motion.damping)
    return belief._replace(
        level=belief.level + reach * belief.slope, slope=kept * belief.slope,
        ll=belief.ll + 2 * reach * belief.ls + reach**2 * belief.ss + rate * on_level,
        ls=kept * (belief.ls + reach * belief.ss) + rate * on_both, ss=kept**2 * belief.ss + rate * on_slope,
        ln=belief.ln + reach * belief.sn, sn=kept * belief.sn)


def _carry(years: Floats, damping: float) -> tuple[Floats, Floats]:
    """What remains of the slope, and how far a unit slope has carried the level."""
    if not damping:
        return np.ones_like(years), years
    return np.exp(-damping * years), -np.expm1(-damping * years) / damping


def _scatter(years: Floats, damping: float) -> tuple[Floats, Floats, Floats]:
    """Covariance that a wandering slope of unit rate gives (level, level-slope, slope)."""
    if damping:
        x = damping * years
        once, twice = -np.expm1(-x), -np.expm1(-2 * x)
        exact = (x - 2 * once + twice / 2) / damping**3
        return (np.where(x < 1e-3, years**3 / 3, exact), once**2 / (2 * damping**2), twice / (2 * damping))
    return years**3 / 3, years**2 / 2, years


def start(first: Floats, exact: NDArray[np.bool_], anchor: Floats, spread: Spread, motion: Motion) -> Belief:
    """The belief at the first sample: the limit of a flat prior where it is exact, else wide about the anchor."""
    scatter = sum(share * variance for share, variance in spread.parts)
    level = np.where(exact, first, anchor) + np.zeros_like(motion.rate)[:, None]
    ll = np.where(exact, scatter, motion.start_sd**2) + np.zeros_like(level)
    none, slopes = np.zeros_like(level), np.full_like(level, motion.slope_sd**2)
    return Belief(level, none, level, ll, none, slopes, ll, none, ll)


def absorb(belief: Belief, mean: Floats, variance: Floats) -> Belief:
    """The belief once the level is known to have this mean and variance; the other states follow their covariance."""
    shift, shrink = mean - belief.level, variance - belief.ll
    to_slope, to_nadir = belief.ls / belief.ll, belief.ln / belief.ll
    return Belief(
        mean, belief.slope + to_slope * shift, belief.nadir + to_nadir * shift,
        variance, belief.ls + to_slope * shrink, belief.ss + to_slope**2 * shrink,
        belief.ln + to_nadir * shrink, belief.sn + to_slope * to_nadir * shrink, belief.nn + to_nadir**2 * shrink)


def learn(mean: Floats, variance: Floats, value: Floats, side: Ints, spread: Spread) -> tuple[Floats, Floats, Floats]:
    """Log probability of a sample, and the level's mean and variance after it.

    value: per course; side: 0 an exact value, -1 below it, 1 above it. Moments of the mixture over ordinary samples and
    outliers; a limit truncates: E[x | x + e < L] = m - V/S h, h = phi(z)/Phi(z), z = (L - m)/S.
    """
    each = [_one(mean, variance, variance + part, value) for _, part in spread.parts]
    limited = np.flatnonzero(side)
    if limited.size:
        for (log_p, new, left), (_, part) in zip(each, spread.parts, strict=True):
            at = (slice(None), limited)
            log_p[at], new[at], left[at] = _limit(mean[at], variance[at], (variance + part)[at], value[limited],
                                                  side[limited])
    if len(each) == 1:
        return each[0]
    logs = np.stack([log_p + math.log(share) for (log_p, _, _), (share, _) in zip(each, spread.parts, strict=True)])
    total = np.logaddexp(logs[0], logs[1])
    outlier = np.exp(logs[1] - total)
    apart = each[1][1] - each[0][1]
    new = each[0][1] + outlier * apart
    left = each[0][2] + outlier * (each[1][2] - each[0][2]) + outlier * (1 - outlier) * apart**2
    return total, new, left


def _one(mean: Floats, variance: Floats, total: Floats, value: Floats) -> tuple[Floats, Floats, Floats]:
    """An exact value: the Kalman update of the level."""
    gain, miss = variance / total, value - mean
    return -0.5 * (LOG_TWO_PI + np.log(total) + miss**2 / total), mean + gain * miss, variance * (1 - gain)


def _limit(mean: Floats, variance: Floats, total: Floats, limit: Floats, side: Ints) -> tuple[Floats, Floats, Floats]:
    """A value beyond a limit: the moments of the truncated normal."""
    sd = np.sqrt(total)
    z = -side * (limit - mean) / sd
    log_p = log_tail(z)
    hazard = np.exp(-0.5 * (z**2 + LOG_TWO_PI) - log_p)
    left = variance - variance**2 / total * hazard * (hazard + z)
    return log_p, mean + side * variance / sd * hazard, np.maximum(left, TINY * variance)


def smooth(filtered: Sequence[Belief], predicted: Sequence[Belief], years: Floats, linked: NDArray[np.bool_],
           motion: Motion) -> tuple[list[Floats], list[Floats]]:
    """Rauch, Tung and Striebel's smoother: the level's mean and variance on each day given every sample.

    predicted, years: for each day but the first, what was believed before its sample, and the time since the day
    before; linked: False where a course starts anew, so that nothing is carried back.
    """
    last = filtered[-1]
    level, slope, ll, ls, ss = last.level, last.slope, last.ll, last.ls, last.ss
    means, variances = [level], [ll]
    for now, ahead, gap, link in zip(filtered[-2::-1], predicted[::-1], years[::-1], linked[::-1], strict=True):
        kept, reach = (link * each for each in _carry(gap, motion.damping))
        c_ll, c_ls = link * now.ll + reach * now.ls, kept * now.ls                # Cov(now, ahead)
        c_sl, c_ss = link * now.ls + reach * now.ss, kept * now.ss
        size = np.maximum(ahead.ll * ahead.ss - ahead.ls**2, TINY * ahead.ll * ahead.ss)
        g_ll, g_ls = (c_ll * ahead.ss - c_ls * ahead.ls) / size, (c_ls * ahead.ll - c_ll * ahead.ls) / size
        g_sl, g_ss = (c_sl * ahead.ss - c_ss * ahead.ls) / size, (c_ss * ahead.ll - c_sl * ahead.ls) / size
        d_l, d_s = level - ahead.level, slope - ahead.slope
        d_ll, d_ls, d_ss = ll - ahead.ll, ls - ahead.ls, ss - ahead.ss
        level, slope = now.level + g_ll * d_l + g_ls * d_s, now.slope + g_sl * d_l + g_ss * d_s
        ll, ls, ss = (now.ll + g_ll**2 * d_ll + 2 * g_ll * g_ls * d_ls + g_ls**2 * d_ss,
                      now.ls + g_ll * g_sl * d_ll + (g_ll * g_ss + g_ls * g_sl) * d_ls + g_ls * g_ss * d_ss,
                      now.ss + g_sl**2 * d_ll + 2 * g_sl * g_ss * d_ls + g_ss**2 * d_ss)
        means.append(level)
        variances.append(np.maximum(ll, TINY))
    return means[::-1], variances[::-1]


def _scaled(x: float) -> float:
    """exp(x^2) erfc(x) for x >= 0: from the standard library, or by its continued fraction where that underflows."""
    if x < 8:
        return math.erfc(x) * math.exp(x * x)
    fraction = x
    for k in range(60, 0, -1):
        fraction = x + k / 2 / fraction
    return 1 / (math.sqrt(math.pi) * fraction)


def _polynomial(degree: int) -> Floats:
    """Chebyshev coefficients of (2 + x)/2 exp(x^2) erfc(x) in u = 4/(2 + x) - 1, made once; error below 1e-12."""
    k = np.arange(degree + 1)
    nodes = np.cos(np.pi * (k + 0.5) / (degree + 1))
    xs = 4 / (nodes + 1) - 2
    values = np.array([_scaled(x) * (2 + x) / 2 for x in xs])
    basis = np.cos(np.outer(k, np.arccos(nodes)))
    coefficients = 2 / (degree + 1) * basis @ values
    coefficients[0] /= 2
    return np.asarray(coefficients)


_CHEBYSHEV = _polynomial(24)


def _half_tail(x: Floats) -> tuple[Floats, Floats]:
    """For x >= 0: exp(x^2) erfc(x) and x^2 (Clenshaw's sum; NumPy has no error function)."""
    u = 4 / (2 + x) - 1
    twice, later, now, free = 2 * u, np.zeros_like(u), np.full_like(u, _CHEBYSHEV[-1]), np.empty_like(u)
    for coefficient in _CHEBYSHEV[-2:0:-1]:  # next = 2 u now - later + coefficient, in place
        np.multiply(twice, now, out=free)
        free -= later
        free += coefficient
        later, now, free = now, free, later
    return (u * now - later + _CHEBYSHEV[0]) * 2 / (2 + x), x**2


def tail(z: Floats) -> Floats:
    """P(a standard normal is below z)."""
    if z.size <= FEW:
        return 0.5 * np.array(list(map(math.erfc, (-z / math.sqrt(2)).ravel().tolist()))).reshape(z.shape)
    scaled, square = _half_tail(np.abs(z) / math.sqrt(2))
    outer = 0.5 * scaled * np.exp(-square)
    return np.where(z > 0, 1 - outer, outer)


def log_tail(z: Floats) -> Floats:
    """The logarithm of `tail`, right far out too."""
    scaled, square = _half_tail(np.abs(z) / math.sqrt(2))
    outer = 0.5 * scaled
    return np.where(z > 0, np.log1p(-outer * np.exp(-square)), np.log(outer) - square)
