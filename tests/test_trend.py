"""The trend model: right against an oracle, true to its symmetries, calm at spikes, and earlier than the rules."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from poems.follow import follow as followed
from poems.knowledge import Knowledge
from poems.models import courses
from poems.models.trend import CHUNK, Fit, Model, Noise, Samples, fit, fit_each
from poems.record import Event, Record

PLAIN = Model(Noise(30, 30, 30), rates=(1.5,), slope_sd=3, damping=0, outliers=0)
FULL = Model(Noise(30, 15, 69.2))
SIGMA = math.sqrt(math.log1p(0.09))


def draw(seed: int, n: int = 12) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A course that wanders, at irregular dates, one value of four beyond a limit."""
    rng = np.random.default_rng(seed)
    days = np.cumsum(rng.integers(10, 200, n)).astype(float)
    logs = np.cumsum(rng.normal(0, 0.3, n)) + 4
    return days, logs, rng.choice([0, 0, 0, -1], n)


def exact(values: list[float], step: float = 91.0, model: Model = FULL, **more: Any) -> Fit:
    """A course of measured values at even dates."""
    return fit(np.arange(len(values)) * step, np.log(values), np.zeros(len(values)), model, **more)


def same(one: Fit, other: Fit, up: float = 0.0) -> None:
    """Two fits say the same, the second `up` higher."""
    for name, shift in (("level", up), ("now", up), ("sd", 0), ("now_sd", 0), ("p_rise", 0), ("surprise", 0)):
        np.testing.assert_allclose(getattr(other, name), getattr(one, name) + shift, atol=1e-6, err_msg=name)


def test_the_noise_is_the_cited_one_and_its_ends_are_its_range() -> None:
    """Sigma is sqrt(ln(1 + CV^2)); a cited noise has one node, a fitted one lies within two sds of its range."""
    assert Noise(30, 30, 30).nodes()[0].tolist() == pytest.approx([SIGMA])
    sigma, weights = Noise(30, 15, 69.2).nodes()
    assert weights.sum() == pytest.approx(1) and (np.diff(sigma) > 0).all() and sigma[2] == pytest.approx(SIGMA)
    assert 0.14 < sigma[0] < 0.15 and 0.62 < sigma[-1] < 0.64


@pytest.mark.parametrize("size", [7, 1001])
def test_the_normal_tail_is_that_of_the_standard_library(size: int) -> None:
    """Our own normal distribution function agrees with math.erfc, few or many at a time, far out too."""
    z = np.linspace(-37, 9, size)
    expected = np.array([0.5 * math.erfc(-each / math.sqrt(2)) for each in z])
    np.testing.assert_allclose(courses.tail(z), expected, atol=1e-14)
    np.testing.assert_allclose(courses.log_tail(z), np.log(expected), rtol=1e-12, atol=1e-14)
    assert courses.log_tail(np.array([-100.0]))[0] == pytest.approx(-5005.5242, abs=1e-4)


@pytest.mark.parametrize("damping", [0.0, 0.8])
@pytest.mark.parametrize("even", [True, False], ids=["regular", "irregular"])
def test_filter_smoother_and_likelihood_are_those_of_statsmodels(damping: float, *, even: bool) -> None:
    """One noise, one rate, no outliers: a linear state space with an exact diffuse level and a slope of known sd."""
    kalman = pytest.importorskip("statsmodels.tsa.statespace.kalman_smoother")
    initial = pytest.importorskip("statsmodels.tsa.statespace.initialization")
    days, logs, _ = draw(3, 15)
    if even:
        days = np.arange(15) * 60.0
    logs[6] = np.nan
    model = replace(PLAIN, damping=damping)
    gaps = np.append(np.diff(days), 1.0) / 365.25
    oracle = kalman.KalmanSmoother(k_endog=1, k_states=2, k_posdef=2)
    oracle.bind(logs[:, None].copy())
    kept, reach = courses._carry(gaps, damping)
    one, both, slope = courses._scatter(gaps, damping)
    oracle["design"], oracle["selection"], oracle["obs_cov"] = np.array([[1.0, 0]]), np.eye(2), np.array([[SIGMA**2]])
    oracle["transition"] = np.array([[np.ones(15), reach], [np.zeros(15), kept]])
    oracle["state_cov"] = 1.5**2 * np.array([[one, both], [both, slope]])
    start = initial.Initialization(2)
    start.set(0, "diffuse")
    start.set(1, "known", constant=[0.0], stationary_cov=np.array([[9.0]]))
    oracle.initialize(start)
    result = oracle.smooth()
    found = fit(days, logs, np.zeros(15), model)
    np.testing.assert_allclose(found.now[0], result.filtered_state[0], atol=1e-8)
    np.testing.assert_allclose(found.now_sd[0] ** 2, result.filtered_state_cov[0, 0], atol=1e-8)
    np.testing.assert_allclose(found.level[0], result.smoothed_state[0], atol=1e-6)
    np.testing.assert_allclose(found.sd[0] ** 2, result.smoothed_state_cov[0, 0], atol=1e-6)
    assert found.log_likelihood[0] == pytest.approx(result.llf_obs[1:].sum(), abs=1e-8)


def test_the_slope_that_wanders_scatters_as_its_integral_says() -> None:
    """The covariance of level and slope over a gap is the integral of its parts; small and no damping meet."""
    gap, damping, steps = 0.7, 2.0, np.linspace(0, 0.7, 20001)
    reach, kept = -np.expm1(-damping * steps) / damping, np.exp(-damping * steps)
    expected = [np.trapezoid(each, steps) for each in (reach**2, reach * kept, kept**2)]
    found = [float(each[0]) for each in courses._scatter(np.array([gap]), damping)]
    assert found == pytest.approx(expected, rel=1e-6)
    for near, plain in zip(courses._scatter(np.array([gap]), 1e-4), courses._scatter(np.array([gap]), 0), strict=True):
        assert near == pytest.approx(plain, rel=1e-3)


def test_two_samples_on_a_day_are_one_sample_with_half_the_variance() -> None:
    """Learning two values in turn is learning their mean at sigma / sqrt 2; their order says nothing."""
    mean, variance, side = np.array([[4.0]]), np.array([[0.5]]), np.zeros(1, int)
    twice, once = (courses.Spread(np.array([sigma]), 0.0, 1.0) for sigma in (0.3, 0.3 / math.sqrt(2)))
    _, first, left = courses.learn(mean, variance, np.array([4.4]), side, twice)
    _, second, last = courses.learn(first, left, np.array([5.0]), side, twice)
    _, at_once, remains = courses.learn(mean, variance, np.array([4.7]), side, once)
    assert (second[0, 0], last[0, 0]) == pytest.approx((at_once[0, 0], remains[0, 0]))
    days = np.array([0.0, 90, 90, 180])
    forth, back = (fit(days, logs, np.zeros(4), PLAIN) for logs in ([4, 4.4, 5.0, 4.6], [4, 5.0, 4.4, 4.6]))
    assert forth.now[0, 2:] == pytest.approx(back.now[0, 2:])
    assert forth.level[0] == pytest.approx(back.level[0])
    assert forth.level[0, 1] == pytest.approx(forth.level[0, 2])


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 10_000), times=st.floats(0.01, 1000), later=st.floats(-5000, 5000))
def test_another_unit_and_another_day_zero_change_nothing(seed: int, times: float, later: float) -> None:
    """Values times a factor shift the level by its log; days may start anywhere; nothing else moves."""
    days, logs, sides = draw(seed)
    same(fit(days, logs, sides, FULL), fit(days + later, logs + math.log(times), sides, FULL), math.log(times))


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 10_000), times=st.floats(0.2, 5))
def test_another_unit_of_time_changes_nothing(seed: int, times: float) -> None:
    """Days times a factor with rates, slope and damping in the new unit give the same levels."""
    days, logs, sides = draw(seed)
    slower = replace(
        FULL,
        rates=tuple(each / times**1.5 for each in FULL.rates),
        slope_sd=FULL.slope_sd / times,
        damping=FULL.damping / times,
    )
    same(fit(days, logs, sides, FULL), fit(days * times, logs, sides, slower))


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 10_000))
def test_upside_down_is_upside_down(seed: int) -> None:
    """Mirrored values with mirrored limits have mirrored levels."""
    days, logs, sides = draw(seed)
    one, other = fit(days, logs, sides, FULL), fit(days, -logs, -sides, FULL)
    np.testing.assert_allclose(other.level, -one.level, atol=1e-6)
    np.testing.assert_allclose(other.sd, one.sd, atol=1e-6)


@pytest.mark.parametrize(("side", "limit"), [(-1, 40.0), (1, -40.0)])
@pytest.mark.parametrize("place", [0, 4, 11])
def test_a_limit_far_away_says_nothing(side: int, limit: float, place: int) -> None:
    """`<` a huge or `>` a tiny number is as good as no sample, even as the first one."""
    days, logs, sides = draw(7)
    sides[:] = 0
    limited, sides[place], logs[place] = logs.copy(), side, np.nan
    limited[place] = limit
    with_limit = fit(days, limited, sides, PLAIN)
    if place:
        without = fit(days, logs, np.zeros(12), PLAIN)
    else:
        limited[0], expected = np.nan, fit(days[1:], logs[1:], np.zeros(11), PLAIN)
        assert with_limit.level[0, -1] == pytest.approx(expected.level[0, -1], abs=0.02)
        return
    np.testing.assert_allclose(with_limit.level, without.level, atol=1e-8)
    assert with_limit.log_likelihood == pytest.approx(without.log_likelihood)


@pytest.mark.parametrize("side", [-1, 1])
@pytest.mark.parametrize("share", [0.0, 0.2])
def test_a_limit_moves_the_level_by_the_moments_of_the_truncated_normal(side: int, share: float) -> None:
    """Mean, variance and probability after `<` or `>` are those of numerical integration."""
    x = np.linspace(-4, 12, 40001)
    spread = courses.Spread(np.array([0.4]), share, 4.0)
    seen = sum(part * courses.tail(-side * (3.0 - x) / math.sqrt(variance[0, 0])) for part, variance in spread.parts)
    weight = np.exp(-0.5 * (x - 4) ** 2 / 0.7) * seen
    mean = float((weight * x).sum() / weight.sum())
    log_p, found, left = courses.learn(np.array([[4.0]]), np.array([[0.7]]), np.array([3.0]), np.array([side]), spread)
    assert found[0, 0] == pytest.approx(mean, abs=1e-6)
    assert left[0, 0] == pytest.approx(float((weight * (x - mean) ** 2).sum() / weight.sum()), abs=1e-6)
    assert math.exp(log_p[0, 0]) == pytest.approx(
        float(weight.sum() * (x[1] - x[0]) / math.sqrt(1.4 * math.pi)), abs=1e-6
    )


def test_many_courses_are_what_each_is_alone() -> None:
    """A batch over several chunks, padded with NaN, gives each course what it gets by itself."""
    rng = np.random.default_rng(5)
    n, lengths = CHUNK + 5, rng.integers(1, 10, CHUNK + 5)
    days, logs, sides = np.full((n, 9), np.nan), np.full((n, 9), np.nan), np.zeros((n, 9))
    for i, length in enumerate(lengths):
        a, b, c = draw(i, 9)
        days[i, :length], logs[i, :length], sides[i, :length] = a[:length], b[:length], c[:length]
    since = rng.uniform(0, 400, n)
    batch = fit(days, logs, sides, FULL, since=since)
    for i in (0, 1, 2, 3, CHUNK - 1, CHUNK, n - 1):
        k = lengths[i]
        alone = fit(days[i, :k], logs[i, :k], sides[i, :k], FULL, since=since[i])
        for name in ("level", "sd", "now", "now_sd", "p_rise", "surprise", "nadir"):
            np.testing.assert_allclose(getattr(batch, name)[i, :k], getattr(alone, name)[0], atol=1e-9, err_msg=name)
            assert name == "nadir" or np.isnan(getattr(batch, name)[i, k:]).all()
        assert batch.log_likelihood[i] == pytest.approx(alone.log_likelihood[0])
        assert batch.state.of(i).level()[0] == pytest.approx(alone.state.level()[0])


def test_courses_of_one_patient_together_are_what_each_is_alone() -> None:
    """Series of any lengths, each with its own noise, start and limits: together they get what `fit` gives each."""
    noises = [Noise(30, 15, 69.2), Noise(8.1, 7.8, 35.8), Noise(10, 10, 10), Noise(30, 15, 69.2), Noise(5, 5, 5)]
    lengths, models = (12, 3, 7, 1, 9), [Model(noise) for noise in noises]
    models[4] = replace(models[4], damping=0)
    every = [(*(each[:n] for each in draw(n)), 100.0 * n) for n in lengths]
    found = fit_each([Samples(*one) for one in every], models)
    for (days, logs, sides, since), model, one in zip(every, models, found, strict=True):
        alone = fit(days, logs, sides, model, since=since)
        for name in ("days", "level", "sd", "now", "now_sd", "p_rise", "surprise", "nadir", "log_likelihood"):
            np.testing.assert_allclose(getattr(one, name), getattr(alone, name), atol=1e-9, err_msg=name)
        assert one.state.model is model
        np.testing.assert_allclose(one.state.by_noise(), alone.state.by_noise())
        np.testing.assert_allclose(one.state.p_above(4.0), alone.state.p_above(4.0))
        first, second = (each.state.repeat(8, 0.9, np.random.default_rng(1)) for each in (one, alone))
        assert first == second
    assert fit_each([], []) == []
    with pytest.raises(ValueError, match="back"):
        fit_each([Samples([1.0, 0.0], [1.0, 1.0], [0, 0])], models[:1])


def test_on_the_day_of_the_nadir_no_repeat_is_told(knowledge: Knowledge) -> None:
    """While a marker falls a rise is one half by definition, and rounding must not make it more."""
    for count in range(2, 12):
        day = date(2020, 1, 1)
        events = [Event("p", "lenalidomide", day, "present")]
        events += [
            Event("p", "vegf-plasma", day + timedelta(40 * i), "", 900 * 0.8**i, "pg/mL", specimen="plasma")
            for i in range(1, count)
        ]
        as_of = day + timedelta(500)
        (found,) = followed(Record("p", tuple(events), as_of), knowledge, as_of=as_of).trends
        assert found.p_rise == pytest.approx(0.5) and found.repeat == ()


def test_days_without_a_sample_are_for_the_picture_only() -> None:
    """Days put between the samples change nothing at the samples, and are less certain than their neighbours."""
    days, logs, sides = draw(11)
    between = (days[1:] + days[:-1]) / 2
    order = np.argsort(np.concatenate([days, between]))
    more = fit(
        np.concatenate([days, between])[order],
        np.concatenate([logs, np.full(11, np.nan)])[order],
        np.concatenate([sides, np.zeros(11)])[order],
        FULL,
    )
    plain = fit(days, logs, sides, FULL)
    np.testing.assert_allclose(more.level[0, ::2], plain.level[0], atol=1e-8)
    np.testing.assert_allclose(more.p_rise[0, ::2], plain.p_rise[0], atol=1e-8)
    assert np.isnan(more.surprise[0, 1::2]).all()


def test_the_longer_ago_the_wider() -> None:
    """The state spreads with the days since the last sample; after a longer gap the earlier ones help a sample less."""
    state = exact([60, 70, 55, 62, 66], model=PLAIN).state
    spread = [float(state.later(days).level()[1][0]) for days in (0, 30, 200, 2000)]
    assert spread == sorted(spread) and spread[0] < spread[-1]
    near, far = (fit([0, 90, 180, 180 + gap], np.log([60, 62, 58, 61]), np.zeros(4), PLAIN) for gap in (60, 3000))
    assert near.now_sd[0, -1] < far.now_sd[0, -1] <= SIGMA + 1e-9


def test_at_the_last_sample_the_picture_and_the_decision_agree() -> None:
    """Nothing later is known there."""
    found = fit(*draw(13), FULL)
    assert (found.level[0, -1], found.sd[0, -1]) == pytest.approx((found.now[0, -1], found.now_sd[0, -1]))


def test_one_spike_is_not_a_rise_but_two_are() -> None:
    """A value of three times the level asks for a repeat; the repeat decides; a steady course stays at even chances."""
    calm = [62, 58, 66, 61, 59, 64, 60, 63]
    assert exact(calm).p_rise[0, -1] < 0.8
    spike, back, again = exact([*calm, 190]), exact([*calm, 190, 64]), exact([*calm, 190, 200])
    assert spike.p_rise[0, -1] < 0.95 and spike.surprise[0, -1] < 0.02
    assert back.p_rise[0, -1] < 0.8 and again.p_rise[0, -1] > 0.97
    assert exact([*calm, 190], model=replace(FULL, outliers=0)).p_rise[0, -1] > spike.p_rise[0, -1]
    assert back.level[0, -2] < math.log(90), "seen from later the spike hardly moved the level"


def test_a_slow_rise_within_the_noise_is_seen_in_the_end() -> None:
    """No pair of neighbours is 30 % apart, yet the level has doubled."""
    p = exact([60, 63, 58, 61, 66, 74, 85, 97, 112, 128]).p_rise[0]
    assert p[4] < 0.9 and p[-1] > 0.97 and (np.diff(p[5:]) > 0).all()


def test_what_was_before_the_treatment_is_another_course() -> None:
    """With noise and rate known, the samples before `since` say nothing about those after; the nadir is after."""
    values = [30, 450, 400, 80, 62, 60, 65, 61]
    found = exact(values, model=PLAIN, since=2.5 * 91)
    alone = exact(values[3:], model=PLAIN)
    np.testing.assert_allclose(found.level[0, 3:], alone.level[0], atol=1e-9)
    np.testing.assert_allclose(found.p_rise[0, 3:], alone.p_rise[0], atol=1e-9)
    assert found.nadir[0, 2] == 0 and found.nadir[0, -1] >= 3 and np.isnan(found.surprise[0, 3])
    earlier = exact(values[:3], model=PLAIN)
    np.testing.assert_allclose(found.level[0, :3], earlier.level[0], atol=1e-9)


def test_a_nadir_that_nobody_could_measure_is_not_a_low_one() -> None:
    """After years below a limit of detection, a value just above is no rise; one far above, twice, is."""
    days, sides = np.arange(10) * 91.0, np.array([0, 0, *[-1] * 6, 0, 0])
    low, high = (fit(days, np.log([90, 40, *[30] * 6, *last]), sides, FULL) for last in ((31, 33), (120, 130)))
    assert low.p_rise[0, -1] < 0.8 and high.p_rise[0, -1] > 0.9
    assert np.exp(low.state.floor) == pytest.approx([30])


def test_p_above_and_by_noise_are_ordered() -> None:
    """The higher the limit the less probable; the more noise, the less a rise is believed."""
    state = exact([60, 62, 58, 61, 90, 130]).state
    above = [float(state.p_above(math.log(limit))[0]) for limit in (20, 80, 100, 200, 5000)]
    assert above == sorted(above, reverse=True) and above[0] > 0.99 and above[-1] < 0.01
    tried = state.by_noise()
    assert [cv for cv, _ in tried] == sorted(cv for cv, _ in tried) and tried[0][1] > tried[-1][1]
    assert state.p_rise(math.log(1.5))[0] < state.p_rise()[0]


def test_the_crossing_is_where_the_trend_meets_the_limit() -> None:
    """A doubling in 26 weeks meets twice the level after 26 weeks; a fall, a flat course and one above never do."""
    quiet = replace(PLAIN, noise=Noise(2, 2, 2), rates=(0.05,))
    state = exact([10 * 2 ** (i / 2) for i in range(8)], model=quiet).state
    rng = np.random.default_rng(3)
    middle, low, high = state.crossing(float(state.level()[0][0]) + math.log(2), rng) or (0, 0, 0)
    assert middle == pytest.approx(26, rel=0.03) and low < middle < high
    assert state.crossing(0.0, rng) is None
    falling = exact([10 * 0.5**i for i in range(8)], model=quiet).state
    assert falling.crossing(5.0, rng) is None
    assert state.crossing(8.0, np.random.default_rng(4)) == state.crossing(8.0, np.random.default_rng(4))


def test_a_repeat_is_expected_to_say_what_is_believed_now() -> None:
    """The mean of p_rise after the repeat is what it is before: nobody knows in advance which way it goes."""
    state = exact([60, 62, 58, 61, 85]).state
    steps = np.linspace(0.025, 0.975, 20)
    chances = [state.repeat(8, sure, np.random.default_rng(9), n=2000)[0] for sure in steps]
    assert np.mean(chances) == pytest.approx(float(state.later(56).p_rise()[0]), abs=0.04)
    yes, no = state.repeat(8, 0.95, np.random.default_rng(9))
    assert 0 < yes < 1 and 0 <= no < 1 and yes + no <= 1


@pytest.mark.parametrize(
    ("days", "logs", "says"),
    [
        ([0.0, 1.0], [1.0, -np.inf], "infinite"),
        ([0.0, -1.0], [1.0, 2.0], "back"),
        ([0.0, 1.0], [np.nan, 1.0], "start"),
        ([np.nan, 1.0], [1.0, 1.0], "start"),
        ([0.0, np.nan, 2.0], [1.0, 1.0, 1.0], "NaN"),
        ([], [], "start"),
    ],
)
def test_a_course_that_cannot_be_is_refused(days: list[float], logs: list[float], says: str) -> None:
    """Each fault is named."""
    with pytest.raises(ValueError, match=says):
        fit(days, logs, np.zeros(len(days)), FULL)


def test_a_single_sample_and_only_limits_are_answered() -> None:
    """One value is its own level; limits alone leave the level below them, wide; nothing is NaN."""
    one = exact([60], model=PLAIN)
    assert (one.level[0, 0], one.sd[0, 0], one.p_rise[0, 0]) == pytest.approx((math.log(60), SIGMA, 0.5))
    limits = fit([0, 90, 180], np.log([30, 30, 30]), [-1, -1, -1], FULL)
    assert limits.now[0, -1] < math.log(30) and limits.p_rise[0, -1] <= 0.5
    assert (
        np.isfinite(limits.level).all() and np.isfinite(limits.sd).all() and limits.state.p_above(math.log(60))[0] < 0.2
    )


@settings(deadline=None, max_examples=40)
@example([(1000, -1.0, 0), (1624, 10.0, 0)])  # the weights sum to a little more than 1
@given(
    st.lists(st.tuples(st.integers(0, 3000), st.floats(-12, 12), st.sampled_from((-1, 0, 1))), min_size=1, max_size=15)
)
def test_whatever_comes_the_answer_is_a_number(samples: list[tuple[int, float, int]]) -> None:
    """Any dates, any sizes, any limits: probabilities between 0 and 1, finite levels, no negative spread."""
    days, logs, sides = (np.array(each, float) for each in zip(*sorted(samples, key=lambda each: each[0]), strict=True))
    found = fit(days, logs, sides, FULL, since=1000)
    for each in (found.level, found.sd, found.now, found.now_sd, found.log_likelihood):
        assert np.isfinite(each).all()
    assert (found.sd > 0).all() and (found.now_sd > 0).all()
    assert ((found.p_rise >= 0) & (found.p_rise <= 1)).all()


def test_the_surprise_of_what_the_model_expects_is_uniform() -> None:
    """On courses drawn from the model itself, a surprise below 10 % comes in 10 % of samples."""
    rng = np.random.default_rng(21)
    logs = 4 + 0.01 * rng.normal(size=(3000, 8)) + SIGMA * rng.normal(size=(3000, 8))
    still = replace(PLAIN, rates=(0.01,), slope_sd=0.01)
    last = fit(np.arange(8) * 60.0, logs, np.zeros((3000, 8)), still).surprise[:, -1]
    assert (last < 0.1).mean() == pytest.approx(0.1, abs=0.02) and (last < 0.5).mean() == pytest.approx(0.5, abs=0.03)


def test_the_likelihood_finds_the_noise_and_the_rate() -> None:
    """Over many courses of one kind the grid's weight goes to what made them."""
    from bench.trend_study import from_model

    model = replace(FULL, noise=Noise(20, 20, 20), rates=(3,), outliers=0)
    made = from_model(300, np.random.default_rng(8), model=model)
    fits = {
        (cv, rate): fit(
            made.days, made.logs, made.sides, replace(model, noise=Noise(cv, cv, cv), rates=(rate,)), smoothed=False
        ).log_likelihood.sum()
        for cv in (12, 20, 33)
        for rate in (1, 3, 9)
    }
    assert max(fits, key=lambda key: float(fits[key])) == (20, 3)


@pytest.mark.slow
def test_the_intervals_hold_the_true_level() -> None:
    """50, 80 and 95 % intervals hold within three points, on courses drawn from the model and on simulated ones."""
    from trend_courses import simulate

    from bench.trend_intervals import covered, lasts
    from bench.trend_study import MODEL, follow, from_model

    own = from_model(4000, np.random.default_rng(31))
    found = fit(own.days, own.logs, own.sides, MODEL)
    everywhere = np.ones(own.days.shape, bool)
    assert covered(found.level, found.sd, own.truth, everywhere) == pytest.approx([0.5, 0.8, 0.95], abs=0.03)
    made = simulate(4000, np.random.default_rng(32))
    found = follow(made)  # type: ignore[arg-type]
    samples = ~np.isnan(made.days)
    last = lasts(samples)
    assert covered(found.level, found.sd, made.truth, samples) == pytest.approx([0.5, 0.8, 0.95], abs=0.03)
    assert covered(found.now, found.now_sd, made.truth, last) == pytest.approx([0.5, 0.8, 0.95], abs=0.03)


@pytest.mark.slow
def test_the_model_is_earlier_than_the_rules_at_equal_false_alarms() -> None:
    """On the same courses, at the false-alarm rate of each rule as used: more relapses seen, and a longer mean lead."""
    from trend_courses import simulate

    from bench.trend_study import curve, models, nearest, outcome, rules

    made = simulate(5000, np.random.default_rng(33))
    ours = {each.name: curve(each, made) for each in models(made) if "twice" not in each.name}  # type: ignore[arg-type]
    for rule in rules(made):  # type: ignore[arg-type]
        assert rule.published is not None
        theirs = outcome(made, rule.alarm(rule.published))  # type: ignore[arg-type]
        if "median" in rule.name:
            continue
        for name, found in ours.items():
            here = nearest(found, theirs.rate)
            assert here.lead_mean > theirs.lead_mean, (rule.name, name)
            assert here.sensitivity > theirs.sensitivity - 0.005, (rule.name, name)
