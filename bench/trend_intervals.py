"""Do the intervals of the trend model hold the true level, and where are they too wide?"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from poems.models.trend import Fit, Model, Noise, fit
from tests.trend_courses import Courses, simulate

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
FIRST = 3  # samples that tell next to nothing yet about a person's own noise


def covered(level: Floats, sd: Floats, truth: Floats, at: Flags) -> list[float]:
    """The share of true levels inside the 50, 80 and 95 % intervals."""
    miss = np.abs(level - truth)[at] / sd[at]
    return [float((miss < z).mean()) for z in (0.67449, 1.28155, 1.95996)]


def lasts(samples: Flags) -> Flags:
    """The last sample of each course."""
    return np.asarray(samples & (np.cumsum(samples[:, ::-1], axis=1)[:, ::-1] == 1))


def wide(courses: Courses, found: Fit, model: Model, seed: int) -> list[list[str]]:
    """Rows of the filtered intervals: by what the samples can have told about the noise, and by what was told of it."""
    rows, samples = [], ~np.isnan(courses.days)
    early = np.broadcast_to(np.arange(samples.shape[1]) < FIRST, samples.shape)
    for low, high in ((15, 25), (25, 35), (35, 45)):
        person = ((courses.cv >= low) & (courses.cv < high))[:, None] & samples
        for name, when in ((f"first {FIRST}", early), ("later", ~early)):
            rows.append(_row(f"persons with a CV of {low}-{high} %, {name} samples", courses, found, person & when))
    told = Model(Noise(model.noise.cv, 15, 45))
    rows.append(_row("every sample, had the model been told 15-45 %", courses, _filtered(courses, told), samples))
    noisy = simulate(len(samples), np.random.default_rng([seed, 5]), cv=(30, 70))
    every = ~np.isnan(noisy.days)
    rows.append(_row("every sample, other persons with a CV of 30-70 %", noisy, _filtered(noisy, model), every))
    return rows


def _filtered(courses: Courses, model: Model) -> Fit:
    return fit(courses.days, courses.logs, courses.sides, model, since=0.5, smoothed=False)


def _row(name: str, courses: Courses, found: Fit, at: Flags) -> list[str]:
    shares = covered(found.now, found.now_sd, courses.truth, at)
    return [name, f"{int(at.sum()):,}", *(f"{100 * share:.1f}" for share in shares)]
