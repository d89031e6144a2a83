"""Is the trend model right, and is it earlier than the rules in use? Simulated courses, equal false alarms.

`python -m bench.trend_study` prints the tables, puts them into docs/trend.md and draws docs/images/trend-*.svg.
"""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench import trend_pictures
from bench.trend_intervals import covered, lasts, wide
from poems.models.trend import Fit, Model, Noise, fit
from tests.trend_courses import FROM_DAY, UNDETECTED, Courses, simulate

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
DOC = Path(__file__).parent.parent / "docs" / "trend.md"
SEED, N = 20261122, 10_000
YEAR, MONTH = 365.25, 365.25 / 12
MODEL = Model(Noise(30, 15, 69.2))  # its defaults
LIMIT = np.log(96.2)  # a laboratory's upper limit, plasma (facts N6)
CHANGE = 1.96 * np.sqrt(2 * np.log1p(0.3**2))  # reference change at a CV of 30 % (facts N14, N15)
FIFTY = np.log(1.5)
RATES = (0.02, 0.05, 0.1, 0.2)
SETTINGS: dict[str, dict[str, object]] = {
    "as above": {},
    "visits every 6 months": {"months": 6.0},
    "CV 30-70 %": {"cv": (30, 70)},
    "spikes on 10 % of samples": {"spikes": 0.1},
    "wandering twice as wide": {"wander": 0.2},
    "no wandering": {"wander": 0.0},
}


@dataclass(frozen=True)
class Method:
    """A way to raise an alarm: which samples do at a threshold; the thresholds tried; the one in use, if any."""

    name: str
    alarm: Callable[[float], Flags]
    thresholds: Floats
    published: float | None = None


@dataclass(frozen=True)
class Outcome:
    """What a method does at one threshold. lead_mean counts a missed relapse as 0 months."""

    rate: float
    sensitivity: float
    lead: float
    lead_mean: float
    hits: Flags


def outcome(courses: Courses, alarm: Flags) -> Outcome:
    """A course ends with its first alarm: false before the onset, a hit from there to the clinical relapse."""
    counts = alarm & (courses.days >= FROM_DAY)
    first = courses.days[np.arange(len(counts)), counts.argmax(axis=1)]
    day = np.where(counts.any(axis=1), first, np.inf)
    relapsing = ~np.isnan(courses.onset)
    free_until = np.where(relapsing, courses.onset, courses.end)
    watched = np.maximum(np.minimum(day, free_until) - FROM_DAY, 0).sum() / YEAR
    hits = (relapsing & (day > free_until) & (day <= courses.end))[relapsing]
    lead = (courses.end - day)[relapsing][hits] / MONTH
    return Outcome(
        float((day <= free_until).sum() / watched),
        float(hits.mean()),
        float(np.median(lead)) if hits.any() else np.nan,
        float(lead.sum() / len(hits)),
        hits,
    )


def before(values: Floats, fill: float) -> Floats:
    """Each sample's predecessor."""
    return np.hstack([np.full((len(values), 1), fill), values[:, :-1]])


def of_score(name: str, score: Floats, published: float | None = None, *, courses: Courses) -> Method:
    """An alarm where a score reaches the threshold."""
    score = np.where(np.isfinite(score), score, -100.0)
    seen = score[(courses.days >= FROM_DAY) & (score > -99)]
    levels = np.concatenate([np.linspace(0.3, 0.98, 80), 1 - np.geomspace(0.02, 2e-5, 150)])
    return Method(name, lambda threshold: score >= threshold, np.unique(np.quantile(seen, levels)), published)


def rules(courses: Courses) -> list[Method]:
    """The rules in use, each on one sample and confirmed by the next against the same reference."""
    since = courses.days > 0
    log = np.where(since, courses.logs, np.nan)
    value = np.where(np.isnan(log), -np.inf, log)
    nadir = before(np.fmin.accumulate(np.where(np.isnan(log), np.inf, log), axis=1), np.inf)
    previous = before(np.where(np.isnan(log), np.inf, log), np.inf)
    middle = medians(courses)
    methods = []
    for name, reference, published in (
        ("50 % above the nadir", nadir, FIFTY),
        ("outside the reference change", previous, CHANGE),
        ("50 % above the median so far", middle, FIFTY),
    ):
        with np.errstate(invalid="ignore"):
            score, kept = value - reference, value - before(reference, np.inf)
        both = np.minimum(before(np.nan_to_num(score, nan=-np.inf), -np.inf), np.nan_to_num(kept, nan=-np.inf))
        methods += [
            of_score(name, score, published, courses=courses),
            of_score(f"{name}, twice", both, published, courses=courses),
        ]

    def above(threshold: float) -> Flags:
        return np.asarray((value > threshold) & (nadir <= threshold))

    def above_twice(threshold: float) -> Flags:
        return above(threshold) & (before(value, -np.inf) > threshold) & (before(nadir, np.inf) <= threshold)

    tried = LIMIT + np.linspace(-0.8, 2.2, 150)
    return [
        *methods,
        Method("above the limit", above, tried, LIMIT),
        Method("above the limit, twice", above_twice, tried, LIMIT),
    ]


def medians(courses: Courses) -> Floats:
    """The median of the earlier samples since the third month: our own rule, to see what a simple one can do."""
    log = np.where(courses.days >= 90, courses.logs, np.nan)
    found = np.full(log.shape, np.inf)
    for j in range(1, log.shape[1]):
        some = ~np.isnan(log[:, :j]).all(axis=1)
        found[some, j] = np.nanmedian(log[some, :j], axis=1)
    return found


def models(courses: Courses) -> list[Method]:
    """The trend model's alarms: P(true rise) and P(true rise of 50 %), on one sample and on two running."""
    methods = []
    for name, rise in (("model, P(rise)", 0.0), ("model, P(rise of 50 %)", FIFTY)):
        p = np.nan_to_num(follow(courses, rise=rise, smoothed=False).p_rise)
        sure = np.round(-np.log10(np.maximum(1 - p, 1e-15)), 9)
        methods += [
            of_score(name, sure, 2.0, courses=courses),
            of_score(f"{name}, twice", np.minimum(sure, before(sure, 0.0)), 2.0, courses=courses),
        ]
    return methods


def follow(courses: Courses, rise: float = 0.0, *, smoothed: bool = True) -> Fit:
    """The model on the courses; the treatment began on day 0."""
    return fit(courses.days, courses.logs, courses.sides, MODEL, since=0.5, rise=rise, smoothed=smoothed)


def curve(method: Method, courses: Courses) -> list[Outcome]:
    """A method at every threshold, by false-alarm rate."""
    return sorted((outcome(courses, method.alarm(each)) for each in method.thresholds), key=lambda each: each.rate)


def nearest(found: list[Outcome], rate: float) -> Outcome:
    """The outcome whose false-alarm rate is the highest that does not pass `rate`."""
    return max(
        (each for each in found if each.rate <= rate), key=lambda each: (each.rate, each.sensitivity), default=found[0]
    )


def best(found: list[Outcome], rate: float) -> Outcome:
    """The outcome that sees the most relapses with no more false alarms than `rate`."""
    return max((each for each in found if each.rate <= rate), key=lambda each: each.sensitivity, default=found[0])


def envelope(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """The best so far at each rate, as steps would show it: more false alarms never have to see less."""
    return [(rate, max(value for _, value in points[: place + 1])) for place, (rate, _) in enumerate(points)]


def apart(ours: Flags, theirs: Flags, rng: np.random.Generator) -> tuple[float, float]:
    """95 % interval of the difference of sensitivity: the same courses, drawn again 1,000 times."""
    differences = (ours.astype(float) - theirs)[rng.integers(0, len(ours), (1000, len(ours)))].mean(axis=1)
    low, high = np.quantile(differences, (0.025, 0.975))
    return float(low), float(high)


def table(head: list[str], rows: list[list[str]]) -> str:
    """A table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def percent(share: float) -> str:
    """A share with one decimal."""
    return f"{100 * share:.1f}"


def as_published(courses: Courses, methods: list[Method], curves: dict[str, list[Outcome]]) -> str:
    """Each rule at the threshold in use, and the model at the false-alarm rate that this rule has."""
    rng, rows = np.random.default_rng(SEED), []
    for method in methods:
        if method.published is None or method.name.startswith("model"):
            continue
        rule = outcome(courses, method.alarm(method.published))
        rise, fifty = (nearest(curves[name], rule.rate) for name in ("model, P(rise)", "model, P(rise of 50 %)"))
        low, high = apart(fifty.hits, rule.hits, rng)
        shown = (
            f"{percent(each.sensitivity)} · {each.lead:.1f} · {each.lead_mean:.2f}" for each in (rule, rise, fifty)
        )
        rows.append([method.name, f"{rule.rate:.3f}", *shown, f"{100 * low:+.1f} to {100 * high:+.1f}"])
    head = ["rule as it is used", "false alarms / person-year", "rule", "model, P(rise)", "model, P(rise of 50 %)"]
    return table([*head, "last less rule, 95 %"], rows)


def at_equal(curves: dict[str, list[Outcome]]) -> str:
    """Every method, its threshold free, at the same false-alarm rates."""
    rows = []
    for name, found in curves.items():
        each = [best(found, rate) for rate in RATES]
        rows.append([name, *(f"{percent(one.sensitivity)} · {one.lead_mean:.2f}" for one in each)])
    return table(["method, threshold free", *(f"at {rate:g}/year" for rate in RATES)], rows)


def elsewhere(n: int) -> str:
    """Sensitivity at 0.05 false alarms per person-year when the courses are of another kind."""
    rows = []
    for name, change in SETTINGS.items():
        courses = simulate(n, np.random.default_rng([SEED, 2]), **change)  # type: ignore[arg-type]
        found = {each.name: best(curve(each, courses), 0.05) for each in [*rules(courses), *models(courses)]}
        rule = max(
            (each for key, each in found.items() if not key.startswith("model") and "median" not in key),
            key=lambda each: each.sensitivity,
        )
        extra = max((each for key, each in found.items() if "median" in key), key=lambda each: each.sensitivity)
        rows.append(
            [
                name,
                *(
                    f"{percent(each.sensitivity)} · {each.lead_mean:.2f}"
                    for each in (rule, extra, found["model, P(rise)"], found["model, P(rise of 50 %)"])
                ),
            ]
        )
    return table(["courses", "best rule in use", "our median rule", "model, P(rise)", "model, P(rise of 50 %)"], rows)


def from_model(n: int, rng: np.random.Generator, width: int = 16, model: Model | None = None) -> Courses:
    """Courses that are as the model takes them to be: what it must recover if the mathematics is right."""
    motion, spread, log_prior = (model or MODEL).grid
    point = rng.choice(len(log_prior), size=n, p=np.exp(log_prior))
    days = np.cumsum(rng.uniform(20, 160, (n, width)), axis=1)
    level, slope = rng.normal(4, 1, n), motion.slope_sd * rng.standard_normal(n)
    truth = np.empty((n, width))
    for j in range(width):
        if j:
            steps = 40
            dt = (days[:, j] - days[:, j - 1]) / YEAR / steps
            for _ in range(steps):
                level = level + slope * dt
                slope = slope * np.exp(-motion.damping * dt) + motion.rate[point] * np.sqrt(dt) * rng.standard_normal(n)
        truth[:, j] = level
    sigma = spread.sigma[point][:, None] * np.where(rng.random((n, width)) < spread.share, spread.times, 1)
    logs = truth + sigma * rng.standard_normal((n, width))
    sides = np.where(logs < np.log(UNDETECTED), -1, 0)
    logs, none = np.maximum(logs, np.log(UNDETECTED)), np.full(n, np.nan)
    return Courses(days, logs, sides, truth, none, none, days[:, -1], none, np.zeros(days.shape, bool))


def coverage(courses: Courses) -> str:
    """Coverage on courses as the model takes them, and on the simulated ones, which it does not know."""
    rows = []
    own = from_model(5000, np.random.default_rng([SEED, 3]))
    for name, each, found in (
        ("drawn from the model", own, fit(own.days, own.logs, own.sides, MODEL)),
        ("simulated", courses, follow(courses)),
    ):
        samples = ~np.isnan(each.days)
        places = [
            ("every sample, smoothed", found.level, found.sd, samples),
            ("every sample, filtered", found.now, found.now_sd, samples),
            ("last sample", found.now, found.now_sd, lasts(samples)),
        ]
        if name == "simulated":
            rising = samples & (each.days > each.onset[:, None])
            places += [
                ("during a relapse, smoothed", found.level, found.sd, rising),
                ("during a relapse, filtered", found.now, found.now_sd, rising),
                ("a spike, smoothed", found.level, found.sd, each.spiked),
            ]
        rows += [
            [name, place, f"{int(at.sum()):,}", *(percent(share) for share in covered(level, sd, each.truth, at))]
            for place, level, sd, at in places
        ]
    return table(["courses", "true level at", "levels", "in 50 %", "in 80 %", "in 95 %"], rows)


def timing() -> str:
    """A hundred thousand courses of twenty samples, and one."""
    rng = np.random.default_rng([SEED, 4])
    days = np.cumsum(rng.uniform(60, 120, (100_000, 20)), axis=1)
    logs, sides = rng.normal(4, 0.3, days.shape), np.where(rng.random(days.shape) < 0.05, -1, 0)
    rows = []
    for name, smoothed in (
        ("100,000 courses of 20 samples, decisions", False),
        ("the same with the smoothed picture", True),
    ):
        start = time.process_time()
        fit(days, logs, sides, MODEL, smoothed=smoothed)
        rows.append([name, f"{time.process_time() - start:.1f} s"])

    def one() -> None:
        state, draws = fit(days[0], logs[0], sides[0], MODEL, since=days[0, 3]).state, np.random.default_rng(1)
        state.p_above(5.0), state.by_noise(), state.crossing(5.0, draws)
        for weeks in (4, 8, 12):
            state.repeat(weeks, 0.95, draws)

    times = []
    for _ in range(101):
        start = time.process_time()
        one()
        times.append(time.process_time() - start)
    rows.append(
        ["one course of 20 samples: fit, picture, crossing, three repeats", f"{1000 * float(np.median(times)):.1f} ms"]
    )
    return table([f"work ({platform.machine()}, {os.cpu_count()} cores, one used)", "processor time"], rows)


def write(parts: dict[str, str]) -> None:
    """Put each table between its marks in docs/trend.md."""
    text = DOC.read_text()
    for name, part in parts.items():
        begin, end = f"<!-- {name} -->\n", f"<!-- end {name} -->"
        text = text[: text.index(begin) + len(begin)] + part + "\n" + text[text.index(end) :]
    DOC.write_text(text)


def main() -> None:
    """Simulate, compare, draw, write."""
    courses = simulate(N, np.random.default_rng([SEED, 1]))
    relapsing = ~np.isnan(courses.onset)
    waits = np.nanquantile((courses.clinical - courses.onset) / MONTH, (0.1, 0.5, 0.9))
    methods = [*rules(courses), *models(courses)]
    curves = {each.name: curve(each, courses) for each in methods}
    sure = [
        (p, outcome(courses, next(m for m in methods if m.name == "model, P(rise)").alarm(-np.log10(1 - p))))
        for p in (0.9, 0.95, 0.975, 0.99, 0.995)
    ]
    parts = {
        "courses": f"{N:,} courses: {int(relapsing.sum()):,} with a relapse, {int((~relapsing).sum()):,} without; from "
        f"the onset to the clinical relapse {waits[1]:.1f} months (median; 80 %: {waits[0]:.1f} to {waits[2]:.1f}); "
        f"{100 * float((courses.sides != 0).sum() / (~np.isnan(courses.days)).sum()):.0f} % of samples below the limit "
        f"of detection.",
        "published": as_published(courses, methods, curves),
        "equal": at_equal(curves),
        "elsewhere": elsewhere(6000),
        "thresholds": table(
            ["alarm when P(rise) is at least", "false alarms per person-year", "sensitivity %", "lead, months"],
            [[f"{p:g}", f"{each.rate:.3f}", percent(each.sensitivity), f"{each.lead:.1f}"] for p, each in sure],
        ),
        "coverage": coverage(courses),
        "wide": table(
            ["filtered, true level at", "levels", "in 50 %", "in 80 %", "in 95 %"],
            wide(courses, follow(courses), MODEL, SEED),
        ),
        "timing": timing(),
    }
    for name, part in parts.items():
        print(f"\n{name}\n{part}")
    write(parts)
    shown = {name: found for name, found in curves.items() if name in trend_pictures.LINES}
    for file, what in (("trend-sensitivity", "sensitivity"), ("trend-lead", "lead_mean")):
        lines = {name: envelope([(each.rate, getattr(each, what)) for each in found]) for name, found in shown.items()}
        (DOC.parent / "images" / f"{file}.svg").write_text(trend_pictures.curves(lines, what))
    pick = trend_pictures.example(courses)
    (DOC.parent / "images" / "trend-course.svg").write_text(trend_pictures.course(courses, follow(courses), pick))


if __name__ == "__main__":
    main()
