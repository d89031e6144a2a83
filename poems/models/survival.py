"""Outcome curves of many patients: a thin layer over lifelines, and competing risks without its random tie-breaking."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from poems.errors import EngineError

Floats = NDArray[np.float64]
CENSORED = 0
Z95 = 1.959963984540054


@dataclass(frozen=True, eq=False)
class Steps:
    """A share of people as a step function of time, with pointwise 95 % intervals.

    years: when it steps, from 0 on, increasing; value, low, high: from that moment on. low and high are NaN where no
    interval can be computed: while nobody, or once everybody, has had the event.
    """

    years: Floats
    value: Floats
    low: Floats
    high: Floats

    def at(self, year: float) -> tuple[float, float, float]:
        """Value, low and high at a time; what holds after the last step where the time lies beyond it."""
        place = int(np.searchsorted(self.years, year, side="right")) - 1
        return float(self.value[place]), float(self.low[place]), float(self.high[place])

    def median(self) -> tuple[float, float, float]:
        """When the share first falls to one half, and its interval from where the bands do; infinity: not reached."""
        return _crossing(self.years, self.value), _crossing(self.years, self.low), _crossing(self.years, self.high)


@dataclass(frozen=True)
class Hazard:
    """The hazard ratio of one factor (present against absent), Wald 95 % interval and p; p_constant: of the test of
    scaled Schoenfeld residuals that the ratio stays the same over time (small: it does not).
    """

    factor: str
    ratio: float
    low: float
    high: float
    p: float
    p_constant: float


@dataclass(frozen=True)
class Regression:
    """One Cox model (Efron's way with ties): people, events, concordance, and one hazard per factor."""

    n: int
    events: int
    concordance: float
    hazards: tuple[Hazard, ...]


class NotEstimableError(ValueError):
    """The data cannot answer; the message says why, for people."""


def kaplan_meier(years: Sequence[float] | Floats, happened: Sequence[bool] | NDArray[np.bool_]) -> Steps:
    """The share still free of the event (product-limit), with log-log intervals from Greenwood's variance.

    years: from the start to the event or the last contact. happened: whether the event ended it. People last seen on
    the day of an event were still at risk on it.
    """
    time, event = _checked(years, happened)
    fitter = _lifelines().KaplanMeierFitter(alpha=0.05).fit(time, event_observed=event != CENSORED)
    value = fitter.survival_function_.iloc[:, 0].to_numpy(dtype=float)
    low, high = fitter.confidence_interval_.to_numpy(dtype=float).T
    return _steps(fitter.survival_function_.index.to_numpy(dtype=float), value, low, high)


def cumulative_incidence(years: Sequence[float] | Floats, cause: Sequence[int] | NDArray[np.int_], of: int) -> Steps:
    """The share who have had the event `of`, others being taken by the other causes first (Aalen-Johansen).

    cause: 0 for a last contact, else a number per kind of event. F(t) = sum over t_i <= t of S(t_i-) d_i / n_i, where
    S counts every kind as an end. Variance by the delta method (Marubini and Valsecchi 1995), interval by log-log.
    Own code because lifelines moves tied times apart at random; where no times are tied the two agree (tests).
    """
    time, kind = _checked(years, cause)
    moments = np.unique(np.concatenate(([0.0], time)))
    at_risk = len(time) - np.searchsorted(np.sort(time), moments, side="left")
    all_ends = _count(moments, time[kind != CENSORED])
    ends = _count(moments, time[kind == of])
    free = np.cumprod(1 - all_ends / at_risk)
    before = np.concatenate(([1.0], free[:-1]))
    share = np.cumsum(before * ends / at_risk)
    spread = np.sqrt(_variance(share, before, ends, all_ends, at_risk))
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        reach = Z95 * spread / (share * np.log(share))   # negative, as log(share) is: the lower end comes first
        low, high = share ** np.exp(-reach), share ** np.exp(reach)
    return _steps(moments, share, low, high)


def cox(years: Sequence[float] | Floats, happened: Sequence[bool] | NDArray[np.bool_],
        factors: Mapping[str, Sequence[bool] | NDArray[np.bool_]]) -> Regression:
    """Proportional hazards of the event with binary or numeric factors, complete data, ties as Efron has them.

    Raises: NotEstimableError where there is no single answer: a factor that does not vary, factors that say the same,
    or one side of a factor without any event.
    """
    time, event = _checked(years, happened)
    columns = {name: np.asarray(values, dtype=float) for name, values in factors.items()}
    _check_factors(columns, event != CENSORED)
    library, frames = _lifelines(), import_module("pandas")
    table = frames.DataFrame({f"x{i}": column for i, column in enumerate(columns.values())})
    table["years"], table["happened"] = time, (event != CENSORED).astype(int)
    trouble = import_module("lifelines.exceptions")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", trouble.ConvergenceWarning)
            fitted = library.CoxPHFitter(alpha=0.05).fit(table, "years", "happened")
            constant = import_module("lifelines.statistics").proportional_hazard_test(fitted, table, "km").summary
    except (trouble.ConvergenceError, trouble.ConvergenceWarning):
        raise NotEstimableError("the ratios run away to zero or infinity: these people do not settle them") from None
    found = fitted.summary
    hazards = tuple(_hazard(name, found.loc[f"x{i}"], constant.loc[f"x{i}"]) for i, name in enumerate(columns))
    return Regression(len(time), int((event != CENSORED).sum()), float(fitted.concordance_index_), hazards)


def _hazard(name: str, found: Any, constant: Any) -> Hazard:
    return Hazard(name, float(found["exp(coef)"]), float(found["exp(coef) lower 95%"]),
                  float(found["exp(coef) upper 95%"]), float(found["p"]), float(constant["p"]))


def _lifelines() -> Any:
    """The survival library, when it is first needed. Raises: EngineError that says how to install it."""
    try:
        return import_module("lifelines")
    except ImportError:
        raise EngineError("curves of cohorts need the library lifelines, which is not installed; install it with "
                          "`pip install 'poems[cohort]'`") from None


def _checked(years: Sequence[float] | Floats, cause: Any) -> tuple[Floats, NDArray[np.int_]]:
    time, kind = np.asarray(years, dtype=float), np.asarray(cause, dtype=int)
    if not len(time) or time.shape != kind.shape or not np.isfinite(time).all() or (time < 0).any():
        raise ValueError("times are finite, not negative, at least one, and each has its outcome")
    return time, kind


def _check_factors(columns: Mapping[str, Floats], event: NDArray[np.bool_]) -> None:
    for name, column in columns.items():
        if np.ptp(column) == 0:
            raise NotEstimableError(f"{name}: the same in everybody")
        if set(np.unique(column)) <= {0.0, 1.0} and not (event[column == 1].any() and event[column == 0].any()):
            raise NotEstimableError(f"{name}: no event on one side, so that the ratio has no end")
    matrix = np.column_stack([column - column.mean() for column in columns.values()])
    if np.linalg.matrix_rank(matrix) < len(columns):
        raise NotEstimableError("two or more factors say the same in these people")


def _count(moments: Floats, times: Floats) -> Floats:
    return np.bincount(np.searchsorted(moments, times), minlength=len(moments)).astype(float)


def _variance(share: Floats, before: Floats, ends: Floats, all_ends: Floats, at_risk: NDArray[np.int_]) -> Floats:
    """Var F(t) = sum (F(t)-F_i)^2 d/(n(n-d)) + sum S^2 d_k(n-d_k)/n^3 - 2 sum (F(t)-F_i) S d_k/n^2, over t_i <= t."""
    left = at_risk - all_ends
    first = np.divide(all_ends, at_risk * left, out=np.zeros_like(share), where=left > 0)
    second = before**2 * ends * (at_risk - ends) / at_risk.astype(float)**3
    third = before * ends / at_risk.astype(float)**2
    total = (share**2 * np.cumsum(first) - 2 * share * np.cumsum(share * first) + np.cumsum(share**2 * first)
             + np.cumsum(second) - 2 * (share * np.cumsum(third) - np.cumsum(share * third)))
    return np.asarray(np.maximum(total, 0.0))


def _steps(years: Floats, value: Floats, low: Floats, high: Floats) -> Steps:
    """Only the moments at which the share changes, and the start; no interval where there is no variance."""
    settled = (value <= 0) | (value >= 1)
    low, high = np.where(settled, np.nan, low), np.where(settled, np.nan, high)
    kept = np.concatenate(([True], np.diff(value) != 0))
    return Steps(years[kept], value[kept], low[kept], high[kept])


def _crossing(years: Floats, value: Floats) -> float:
    below = np.flatnonzero(value <= 0.5)
    return float(years[below[0]]) if len(below) else float("inf")
