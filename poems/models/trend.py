"""The trend of a quantity: where its true level is, whether it has risen since its nadir, and what a repeat would tell.

One implementation serves one course and a hundred thousand: a course is a row. No medicine stands here: noise, rates
and the certainty asked for are arguments.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from poems.models import courses
from poems.models.courses import Belief, Floats, Ints, Motion, Spread, tail
from poems.units import YEAR_DAYS

WEEK = 7.0
CHUNK = 512         # courses worked on at a time, so that they stay in the processor's cache
NORMAL_95 = 1.959964
NODES = (-2.0, -1.0, 0.0, 1.0, 2.0)     # where the noise is tried, in sds of its prior


@dataclass(frozen=True)
class Noise:
    """Total coefficient of variation of a sample in percent, as cited, with the ends of its 95 % range.

    low = high = cv: taken as cited; else the course may say more or less within the range.
    """

    cv: float
    low: float
    high: float

    def nodes(self) -> tuple[Floats, Floats]:
        """Sds on the log scale, sqrt(ln(1 + CV^2)), and their prior: normal in their log, each side with its own sd."""
        middle, low, high = (0.5 * math.log(math.log1p((cv / 100) ** 2)) for cv in (self.cv, self.low, self.high))
        if low == high:
            return np.exp([middle]), np.ones(1)
        z = np.array(NODES)
        side = np.where(z < 0, middle - low, high - middle) / NORMAL_95
        weights = np.exp(-0.5 * z**2)
        return np.exp(middle + z * side), weights / weights.sum()


@dataclass(frozen=True)
class Model:
    """What a course is taken to be before it is seen; ln units and years. docs/trend.md says how the defaults do.

    rates: sds of the change of slope per root year that are tried, each as probable as the other; the course's own
    likelihood weighs them. slope_sd: how steep a course may start, per year. damping: how fast a slope dies away, per
    year; 0 is the integrated Brownian slope. start_sd: how far from its first exact value the level may start of a
    course that begins beyond a detection limit. outliers: share of samples that miss the level by more than the noise;
    outlier_times: their sd as a multiple of the noise. With them one spike moves the level little and widens it; a
    second sample at the same height makes it a rise.
    """

    noise: Noise
    rates: tuple[float, ...] = (1.0, 3.0, 10.0)
    slope_sd: float = 5.0
    start_sd: float = 3.0
    damping: float = 0.5
    outliers: float = 0.05
    outlier_times: float = 3.0

    @cached_property
    def grid(self) -> tuple[Motion, Spread, Floats]:
        """Every noise with every rate, and the log prior of each."""
        sigmas, weights = self.noise.nodes()
        sigma, rate = (axis.ravel() for axis in np.meshgrid(sigmas, np.array(self.rates, float), indexing="ij"))
        log_prior = np.log(np.repeat(weights / len(self.rates), len(self.rates)))
        return (Motion(rate, self.damping, self.slope_sd, self.start_sd),
                Spread(sigma, self.outliers, self.outlier_times), log_prior)


@dataclass(frozen=True)
class State:
    """What is believed of the true levels on one day: a normal belief per grid point and course, and its weight.

    floor: the detection limit (log) below which a course's nadir lies, else -infinity. One number per course comes
    back, or, where it says so, those of the first course.
    """

    model: Model
    weights: Floats
    belief: Belief
    floor: Floats

    def of(self, course: int) -> State:
        """The state of one course."""
        at = slice(course, course + 1)
        return State(self.model, self.weights[:, at], Belief(*(each[:, at] for each in self.belief)), self.floor[at])

    def later(self, days: float) -> State:
        """The state after `days` more without a sample."""
        years = np.full(self.weights.shape[1], days / YEAR_DAYS)
        return replace(self, belief=courses.predict(self.belief, years, self.model.grid[0]))

    def level(self) -> tuple[Floats, Floats]:
        """Mean and sd of the true log level."""
        return _mixed(self.weights, self.belief.level, self.belief.ll)

    def nadir(self) -> tuple[Floats, Floats]:
        """Mean and sd of the true log level at the nadir, by everything known now."""
        return _mixed(self.weights, self.belief.nadir, self.belief.nn)

    def slope(self) -> tuple[Floats, Floats]:
        """Mean and sd of the slope, per year."""
        return _mixed(self.weights, self.belief.slope, self.belief.ss)

    def p_rise(self, rise: float = 0.0) -> Floats:
        """P(true level now > true level at the nadir + rise), by their joint posterior; 0.5 on the nadir's own day."""
        return _chance(self.weights, _p_rise(self.belief, rise, self.floor))

    def p_above(self, limit: ArrayLike) -> Floats:
        """P(true level > limit), limit on the log scale."""
        return _chance(self.weights, tail((self.belief.level - np.asarray(limit)) / np.sqrt(self.belief.ll)))

    def by_noise(self, rise: float = 0.0) -> tuple[tuple[float, float], ...]:
        """Of the first course: per coefficient of variation tried (percent), p_rise if that one were right."""
        p, sigma = _p_rise(self.belief, rise, self.floor)[:, 0], self.model.grid[1].sigma
        weights = self.weights[:, 0] + courses.TINY
        tried = [(each, sigma == each) for each in np.unique(sigma)]
        return tuple((100 * math.sqrt(math.expm1(each**2)), float(np.average(p[at], weights=weights[at])))
                     for each, at in tried)

    def crossing(self, limit: float, rng: np.random.Generator, n: int = 2000) -> tuple[float, float, float] | None:
        """Weeks until the first course crosses `limit` (log) if its slope goes on: median and 95 % interval of draws.

        A draw that does not rise never crosses, which is infinity; None where half do not, or half have passed it.
        """
        points = rng.choice(len(self.weights), size=n, p=self.weights[:, 0])
        drawn = Belief(*(each[points, 0] for each in self.belief))
        step = rng.standard_normal((2, n))
        sd = np.sqrt(drawn.ll)
        across = drawn.ls / sd
        level = drawn.level + sd * step[0]
        slope = drawn.slope + across * step[0] + np.sqrt(np.maximum(drawn.ss - across**2, 0)) * step[1]
        rising = np.where(slope > 0, slope, 1.0)
        years = np.where(level >= limit, 0.0, np.where(slope > 0, (limit - level) / rising, np.inf))
        ends = np.quantile(years, (0.025, 0.5, 0.975), method="lower") * YEAR_DAYS / WEEK
        low, middle, high = (float(each) for each in ends)
        return (middle, low, high) if 0 < middle < math.inf else None

    def repeat(self, weeks: float, sure: float, rng: np.random.Generator, n: int = 200) -> tuple[float, float]:
        """What a repeat of the first course in `weeks` would tell: P(it makes p_rise >= sure), P(it makes it <= 0.5).

        `n` values of the repeat are drawn from what is believed now, and each is learned.
        """
        spread, ahead = self.model.grid[1], self.of(0).later(weeks * WEEK)
        points = rng.choice(len(self.weights), size=n, p=ahead.weights[:, 0])
        times = np.where(rng.random(n) < spread.share, spread.times, 1.0)
        scatter = np.sqrt(ahead.belief.ll[points, 0] + (times * spread.sigma[points]) ** 2)
        value = ahead.belief.level[points, 0] + scatter * rng.standard_normal(n)
        log_p, belief = _learned(ahead.belief, value, np.zeros(n, dtype=np.int64), spread)
        p = replace(ahead, weights=_weigh(np.log(ahead.weights + courses.TINY) + log_p), belief=belief).p_rise()
        return float((p >= sure).mean()), float((p <= 0.5).mean())


@dataclass(frozen=True)
class Fit:
    """What the samples of each course say; arrays (courses, days), NaN where a course has ended.

    level, sd: the true log level given all samples (smoothed, for the picture). now, now_sd, p_rise, surprise: given
    the samples until that day only (filtered, for decisions). nadir: index of the day of the nadir as of that day.
    surprise: two-sided probability of a sample at least so far from what the earlier ones predict under ordinary noise,
    NaN where nothing predicts it. log_likelihood: of each course, up to the constant of its flat start. state: after
    the last day.
    """

    days: Floats
    level: Floats
    sd: Floats
    now: Floats
    now_sd: Floats
    p_rise: Floats
    surprise: Floats
    nadir: Ints
    log_likelihood: Floats
    state: State

    def band(self, z: float = NORMAL_95) -> tuple[Floats, Floats]:
        """Lower and upper ends of the smoothed level."""
        return self.level - z * self.sd, self.level + z * self.sd


class Samples(NamedTuple):
    """One course as `fit` takes it."""

    days: Sequence[float]
    logs: Sequence[float]
    sides: Sequence[int]
    since: float = -math.inf


def fit(days: ArrayLike, logs: ArrayLike, sides: ArrayLike, model: Model, *, since: ArrayLike = -np.inf,
        rise: float = 0.0, smoothed: bool = True) -> Fit:
    """Follow each course through its days.

    days, logs, sides: (days,) for one course or (courses, days); days oldest first, NaN after a course's last; logs: ln
    of the value or of the limit, NaN on a day without a sample (for a picture), never on the first; sides: 0 the value,
    -1 below, 1 above it. since: per course, the day its treatment began: with the first sample from then on level and
    slope start anew and the nadir counts; only noise and rate are learned from what was before. rise: what `p_rise` of
    every day asks for, on the log scale. smoothed: False leaves level and sd filtered, which is faster.
    Raises: ValueError, if days go back, a course starts without a sample, or a number is infinite.
    """
    shaped = np.broadcast_arrays(*(np.atleast_2d(np.asarray(each, float)) for each in (days, logs, sides)))
    day, log, side = shaped[0], shaped[1], shaped[2].astype(np.int64)
    _refuse(day, log)
    begin = np.broadcast_to(np.asarray(since, float), day.shape[:1])
    parts = [_follow(_Course(day[at], log[at], side[at], begin[at]), model, model.grid, rise, smoothed)
             for at in (slice(i, i + CHUNK) for i in range(0, len(day), CHUNK))]
    return parts[0] if len(parts) == 1 else _joined(parts)


def fit_each(samples: Sequence[Samples], models: Sequence[Model]) -> list[Fit]:
    """`fit` of single courses of any lengths, each with its own model: the same answers at the price of about one.

    Courses whose models differ in nothing but the noise are worked on together.
    """
    alike: dict[tuple[Model, int], list[int]] = {}
    for place, model in enumerate(models):
        alike.setdefault((replace(model, noise=models[0].noise), len(model.grid[2])), []).append(place)
    found = {place: one for places in alike.values()
             for place, one in zip(places, _together([samples[i] for i in places], [models[i] for i in places]),
                                   strict=True)}
    return [found[place] for place in range(len(samples))]


def _together(samples: Sequence[Samples], models: Sequence[Model]) -> list[Fit]:
    longest = max(len(each.days) for each in samples)
    day, log, side = (np.array([[*getattr(each, name), *[fill] * (longest - len(each.days))] for each in samples], kind)
                      for name, fill, kind in (("days", np.nan, float), ("logs", np.nan, float), ("sides", 0, int)))
    _refuse(day, log)
    spread, prior = (np.stack(each, axis=1) for each in zip(*((one.grid[1].sigma, one.grid[2]) for one in models),
                                                             strict=True))
    grid = (models[0].grid[0], replace(models[0].grid[1], sigma=spread), prior)
    course = _Course(day, log, side, np.array([each.since for each in samples]))
    joint = _follow(course, models[0], grid, 0.0, True)
    return [_alone(joint, place, len(each.days), model)
            for place, (each, model) in enumerate(zip(samples, models, strict=True))]


def _alone(joint: Fit, place: int, length: int, model: Model) -> Fit:
    """One course of a fit, with the model that was its own."""
    at = slice(place, place + 1)
    arrays: dict[str, Any] = {field.name: getattr(joint, field.name)[at, :length] for field in fields(Fit)
                              if field.name not in ("log_likelihood", "state")}
    state = replace(joint.state.of(place), model=model)
    return Fit(**arrays, log_likelihood=joint.log_likelihood[at], state=state)


def _refuse(day: Floats, log: Floats) -> None:
    if np.isinf(log).any() or np.isinf(day).any():
        raise ValueError("a day or a log value is infinite; values must be above zero")
    if not day.size or np.isnan(day[:, 0]).any() or np.isnan(log[:, 0]).any():
        raise ValueError("a course must start with a dated sample")
    if (np.isnan(day[:, :-1]) & ~np.isnan(day[:, 1:])).any() or (np.diff(day, axis=1) < 0).any():
        raise ValueError("the days of a course must not go back, and NaN may only stand after its last day")


class _Course:
    """The samples of some courses, one column per day, and where they start."""

    def __init__(self, day: Floats, log: Floats, side: Ints, since: Floats) -> None:
        self.day, self.log, self.side, self.rows = day, log, side, np.arange(len(day))
        self.gaps = np.nan_to_num(np.diff(day, axis=1)).T / YEAR_DAYS
        self.sampled = ~np.isnan(log) & ~np.isnan(day)
        self.exact = self.sampled & (side == 0)
        treated = self.sampled & (np.nan_to_num(day) >= since[:, None])
        self.starts = treated & (np.cumsum(treated, axis=1) == 1)
        self.starts[:, 0] = True

    def start(self, j: int, spread: Spread, motion: Motion) -> Belief:
        """The belief of courses that start on day j; one that starts beyond a limit is anchored at its next value."""
        first = j + self.exact[:, j:].argmax(axis=1)
        anchor = np.where(self.exact[self.rows, first], self.log[self.rows, first], self.log[:, j])
        return courses.start(self.log[:, j], self.exact[:, j], anchor, spread, motion)

    def floor(self, nadir: Ints) -> Floats:
        """The detection limit below which the nadir lies."""
        return np.where(self.side[self.rows, nadir] < 0, self.log[self.rows, nadir], -np.inf)


def _follow(course: _Course, model: Model, grid: tuple[Motion, Spread, Floats], rise: float, smoothed: bool) -> Fit:
    """grid: as that of the model, or with a noise and a log prior of each course's own."""
    motion, spread, prior = grid
    belief = course.start(0, spread, motion)
    logs = prior if prior.ndim == 2 else np.repeat(prior[:, None], len(course.rows), axis=1)
    nadir = np.zeros(len(course.rows), dtype=np.int64)
    kept: list[Belief] = []
    predicted: list[Belief] = []
    out: list[tuple[NDArray[Any], ...]] = []
    weights = _weigh(logs)
    for j in range(course.day.shape[1]):
        starts = course.starts[:, j]
        if j:
            belief = courses.predict(belief, course.gaps[j - 1], motion)
            predicted.append(belief)
            if starts.any():
                belief = Belief(*(np.where(starts, new, old)
                                  for new, old in zip(course.start(j, spread, motion), belief, strict=True)))
        surprise, belief, logs = _sample(course, j, belief, logs, weights, spread)
        weights = _weigh(logs)
        lower = starts | ((weights * (belief.level - belief.nadir)).sum(axis=0) < 0)
        belief, nadir = _keep_nadir(belief, nadir, j, lower & course.sampled[:, j])
        p_rise = _chance(weights, _p_rise(belief, rise, course.floor(nadir)))
        out.append((*_mixed(weights, belief.level, belief.ll), p_rise, surprise, nadir))
        kept.append(belief)
    now, now_sd, p_rise, surprise, nadirs = (np.stack(each, axis=1) for each in zip(*out, strict=True))
    level, sd = _smoothed(kept, predicted, course, motion, weights) if smoothed else (now.copy(), now_sd.copy())
    for each in (level, sd, now, now_sd, p_rise, surprise):
        each[np.isnan(course.day)] = np.nan
    return Fit(course.day, level, sd, now, now_sd, p_rise, surprise, nadirs.astype(np.int64),
               np.logaddexp.reduce(logs, axis=0), State(model, weights, belief, course.floor(nadir)))


def _sample(course: _Course, j: int, belief: Belief, logs: Floats, weights: Floats,
            spread: Spread) -> tuple[Floats, Belief, Floats]:
    """Learn the samples of day j: their surprise, the belief and the log weights after.

    An exact sample that starts a course is in its belief already.
    """
    starts = course.starts[:, j]
    taken = course.sampled[:, j] & ~(starts & course.exact[:, j])
    surprise = np.full(len(taken), np.nan)
    if not taken.any():
        return surprise, belief, logs
    value, side = np.where(taken, course.log[:, j], 0.0), course.side[:, j]
    below = _chance(weights, tail((value - belief.level) / np.sqrt(belief.ll + spread.variance)))
    reach = np.where(side == 0, np.minimum(below, 1 - below), np.where(side < 0, below, 1 - below))
    surprise = np.where(taken & ~starts, np.minimum(1.0, 2 * reach), np.nan)
    log_p, after = _learned(belief, value, np.where(taken, side, 0), spread)
    if not taken.all():
        after = Belief(*(np.where(taken, new, old) for new, old in zip(after, belief, strict=True)))
    return surprise, after, logs + np.where(taken, log_p, 0.0)


def _learned(belief: Belief, value: Floats, side: Ints, spread: Spread) -> tuple[Floats, Belief]:
    log_p, mean, variance = courses.learn(belief.level, belief.ll, value, side, spread)
    return log_p, courses.absorb(belief, mean, variance)


def _keep_nadir(belief: Belief, nadir: Ints, j: int, moved: NDArray[np.bool_]) -> tuple[Belief, Ints]:
    """The nadir of these courses is the level of day j."""
    if not moved.any():
        return belief, nadir
    return belief._replace(
        nadir=np.where(moved, belief.level, belief.nadir), ln=np.where(moved, belief.ll, belief.ln),
        sn=np.where(moved, belief.ls, belief.sn), nn=np.where(moved, belief.ll, belief.nn)), np.where(moved, j, nadir)


def _p_rise(belief: Belief, rise: float, floor: Floats) -> Floats:
    """P(level > nadir + rise); where the nadir lies below a detection limit, at most P(level > that limit + rise)."""
    apart = np.sqrt(np.maximum(belief.ll + belief.nn - 2 * belief.ln, courses.TINY))
    p = tail((belief.level - belief.nadir - rise) / apart)
    unseen = np.flatnonzero(np.isfinite(floor))
    if unseen.size:
        level, ll = belief.level[:, unseen], belief.ll[:, unseen]
        p[:, unseen] = np.minimum(p[:, unseen], tail((level - floor[unseen] - rise) / np.sqrt(ll)))
    return p


def _smoothed(kept: Sequence[Belief], predicted: Sequence[Belief], course: _Course, motion: Motion,
              weights: Floats) -> tuple[Floats, Floats]:
    means, variances = courses.smooth(kept, predicted, course.gaps, ~course.starts[:, 1:].T, motion)
    pairs = [_mixed(weights, mean, variance) for mean, variance in zip(means, variances, strict=True)]
    return np.stack([mean for mean, _ in pairs], axis=1), np.stack([sd for _, sd in pairs], axis=1)


def _weigh(logs: Floats) -> Floats:
    raw = np.exp(logs - logs.max(axis=0))
    return np.asarray(raw / raw.sum(axis=0))


def _chance(weights: Floats, p: Floats) -> Floats:
    """Probability of a mixture; rounding does not carry it past 1."""
    return np.asarray(np.minimum((weights * p).sum(axis=0), 1.0))


def _mixed(weights: Floats, means: Floats, variances: Floats) -> tuple[Floats, Floats]:
    """Mean and sd of a mixture."""
    mean = (weights * means).sum(axis=0)
    return mean, np.sqrt((weights * (variances + (means - mean) ** 2)).sum(axis=0))


def _joined(parts: list[Fit]) -> Fit:
    states = [part.state for part in parts]
    belief = Belief(*(np.concatenate(each, axis=1) for each in zip(*(state.belief for state in states), strict=True)))
    state = State(states[0].model, np.concatenate([each.weights for each in states], axis=1), belief,
                  np.concatenate([each.floor for each in states]))
    arrays: dict[str, Any] = {field.name: np.concatenate([getattr(part, field.name) for part in parts])
                              for field in fields(Fit) if field.name != "state"}
    return Fit(**arrays, state=state)
