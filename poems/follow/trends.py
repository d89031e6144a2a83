"""Trends of the markers by the model, with what else can explain them; scales in a sentence each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import takewhile
from math import exp, inf, isnan, log

import numpy as np

from poems.course import Series, baseline_of, same_day
from poems.follow.chart import Chart
from poems.follow.explained import Near, explanations
from poems.follow.model import CONFIRMED, WAITING, Relapse, Trend
from poems.follow.stretch import ratio_findings
from poems.follow.words import listed, number
from poems.knowledge import Reference
from poems.knowledge.follow_model import Marker, Scale
from poems.models.trend import NORMAL_95, Fit, Model, Noise, Samples, State, fit_each
from poems.record import Event

SEED = 20261122
SURE = 0.95  # from here on a rise counts as likely; one side, as in a test at 5 %
EVEN = 0.5
REPEATS = (1, 2, 3)  # repeats are told for so many times the interval that confirmation asks for


@dataclass(frozen=True)
class Fitted:
    """A fit and the samples in it, by day."""

    fit: Fit
    samples: tuple[Event, ...]


def trends(chart: Chart, start: date | None, relapses: Iterable[Relapse] = ()) -> tuple[Trend, ...]:
    """The trend of each series of each marker. start: of the current line of treatment; relapses: of that line."""
    met = [item for item in relapses if item.day is not None and item.gone is None]
    found = [
        (marker, one)
        for marker in chart.follow.markers.values()
        for one in chart.series(marker.concept)
        if _usable(one)
    ]
    fits = fit_each(
        [_samples(_usable(one), start) for _, one in found],
        [Model(Noise(marker.noise.cv, marker.noise.low, marker.noise.high)) for marker, _ in found],
    )
    return tuple(
        _trend(chart, marker, one, Fitted(each, _usable(one)), start, _definition(one, met))
        for (marker, one), each in zip(found, fits, strict=True)
    )


def _usable(one: Series) -> tuple[Event, ...]:
    """The samples that have a place on a log scale; a zero has none and is named as an issue of the record."""
    return tuple(event for event in one.samples if event.value is not None and event.value > 0)


def _definition(one: Series, met: Sequence[Relapse]) -> str:
    """What the last sample of a series does for the definitions of relapse: it meets one, confirmed or not, or none.

    A sample of another laboratory, or one that has fallen again since, meets nothing.
    """
    now = [item for item in met if one.samples[-1] in item.because]
    return CONFIRMED if any(item.confirmed for item in now) else WAITING if now else ""


def _trend(chart: Chart, marker: Marker, one: Series, fitted: Fitted, start: date | None, definition: str) -> Trend:
    state, rng = fitted.fit.state, np.random.default_rng(SEED)
    last = fitted.samples[-1]
    assert last.date is not None
    mean, sd = (float(each[0]) for each in state.level())
    treated = [place for place, event in enumerate(fitted.samples) if start is not None and _day(event) > start]
    p_rise = float(state.p_rise()[0]) if treated else None
    nadir = int(fitted.fit.nadir[0, -1]) if treated else None
    near = explanations(chart, marker.concept, last.date)
    low, high = fitted.fit.band()
    surprise = float(fitted.fit.surprise[0, -1])
    limit = log(one.upper_limit) if one.upper_limit else None
    return Trend(
        series=one,
        days=tuple(map(_day, fitted.samples)),
        level=_raised(fitted.fit.level[0]),
        low=_raised(low[0]),
        high=_raised(high[0]),
        now=exp(mean),
        now_low=exp(mean - NORMAL_95 * sd),
        now_high=exp(mean + NORMAL_95 * sd),
        nadir=None if nadir is None else exp(float(fitted.fit.now[0, nadir])),
        nadir_day=None if nadir is None else _day(fitted.samples[nadir]),
        p_rise=p_rise,
        p_above=None if limit is None else float(state.p_above(limit)[0]),
        crossing_weeks=None if limit is None else state.crossing(limit, rng),
        last_is_noise=None if isnan(surprise) or any(last in twice for twice in same_day(one)) else surprise,
        repeat=tuple(_repeats(chart, marker, state, p_rise)),
        alarm=_alarm(chart, marker, fitted, treated, bool(definition)),
        can_alarm=marker.can_alarm,
        is_likely=p_rise is not None and p_rise >= SURE,
        definition=definition,
        is_defined=_speaks(chart, marker),
        sensitivity=_sensitivity(state, p_rise),
        explained_by=tuple(dict.fromkeys(event for item in near for event in item.events)),
        notes=tuple(_notes(marker, one, near)),
        sources=tuple(_sources(marker, near)),
    )


def _samples(events: Sequence[Event], start: date | None) -> Samples:
    """A series as the model takes it; `<` and `>` are read as the side on which the value lies."""
    first = _day(events[0])
    return Samples(
        days=[float((_day(event) - first).days) for event in events],
        logs=[log(event.value) for event in events if event.value],
        sides=[-1 if event.comparator.startswith("<") else int(event.comparator.startswith(">")) for event in events],
        since=-inf if start is None else (start - first).days + 1,
    )


def _raised(logs: Sequence[float]) -> tuple[float, ...]:
    return tuple(float(exp(value)) for value in logs)


def _confirmation(chart: Chart, marker: Marker) -> tuple[int, int]:
    """How many samples, how many days apart, the strictest definition of a relapse by this marker asks for."""
    asked = [
        (kind.confirm.samples, kind.confirm.days)
        for kind in chart.follow.relapses
        if marker.concept in chart.leaves(kind.rule)
    ]
    every = asked or [(kind.confirm.samples, kind.confirm.days) for kind in chart.follow.relapses]
    return max((samples for samples, _ in every), default=1), max((days for _, days in every), default=0)


def _repeats(chart: Chart, marker: Marker, state: State, p_rise: float | None) -> Iterator[tuple[int, float, float]]:
    """What a repeat would tell, where a rise is more probable than not."""
    weeks = round(_confirmation(chart, marker)[1] / 7)
    is_even = p_rise is None or round(p_rise, 9) <= EVEN  # on the nadir's own day it is one half but for rounding
    if is_even or not weeks or not _speaks(chart, marker):
        return
    for times in REPEATS:
        up, down = state.repeat(times * weeks, SURE, np.random.default_rng(SEED))
        yield times * weeks, up, down


def _speaks(chart: Chart, marker: Marker) -> bool:
    """Whether some definition of response or relapse rests on this marker, so that its rise means something."""
    return marker.can_alarm and (
        marker.concept in ratio_findings(chart.knowledge)
        or any(marker.concept in chart.leaves(kind.rule) for kind in chart.follow.relapses)
    )


def _alarm(chart: Chart, marker: Marker, fitted: Fitted, treated: Sequence[int], is_met: bool) -> str:
    """`rising` once enough samples that nothing else explains have shown it for long enough; before that `confirm`.

    is_met: the last sample meets a definition of relapse, confirmed or not; then there is something to confirm, however
    probable the model finds the rise.
    """
    if not treated or not _speaks(chart, marker):
        return "none"
    samples, days = _confirmation(chart, marker)
    likely = list(takewhile(lambda place: fitted.fit.p_rise[0, place] >= SURE, reversed(treated)))
    sure = [day for place in likely if not explanations(chart, marker.concept, day := _day(fitted.samples[place]))]
    if len(set(sure)) >= samples and (sure[0] - sure[-1]).days >= days:
        return "rising"
    return "confirm" if likely or is_met else "none"


def _sensitivity(state: State, p_rise: float | None) -> tuple[tuple[str, float], ...]:
    """What P(rise) would be at the low end, the cited value and the high end of the noise."""
    if p_rise is None:
        return ()
    tried = state.by_noise()
    kept = [tried[0], tried[len(tried) // 2], tried[-1]] if len(tried) > 2 else tried
    return tuple((f"a variation of {cv:.0f} %", p) for cv, p in kept)


def _notes(marker: Marker, one: Series, near: Sequence[Near]) -> Iterator[str]:
    yield from (item.explanation.text for item in near)
    if any(event.comparator for event in one.samples):
        yield "Values with < or > are read as the side on which the true value lies, not as the number."
    if one.upper_limit is None:
        yield "No laboratory limit is recorded with this series, so nothing is said about the limit."
    yield from (said.text for said in (*marker.blind_spots, *marker.shows))
    yield from filter(None, (marker.note, marker.noise.note))


def _sources(marker: Marker, near: Sequence[Near]) -> Iterator[Reference]:
    yield marker.noise.source
    yield from (item.explanation.source for item in near)
    yield from (said.source for said in (*marker.blind_spots, *marker.shows))


def scales(chart: Chart, start: date | None) -> tuple[tuple[Series, str], ...]:
    """Each series of each scale, and what it shows in a sentence."""
    return tuple(
        (one, _scale(chart, scale, one, start))
        for scale in chart.follow.scales.values()
        for one in chart.series(scale.concept)
    )


def _scale(chart: Chart, scale: Scale, one: Series, start: date | None) -> str:
    plain = [event for event in one.samples if not event.comparator] or list(one.samples)
    last = plain[-1]
    days = chart.follow.windows["baseline-days"].days
    before = baseline_of(one, start, days) if start else ()
    said = [f"{number(last.value or 0)} on {last.date}"]
    if before and _day(last) > _day(before[-1]):
        said.append(
            f"{_direction(scale, before[-1], last)} before treatment ({number(before[-1].value or 0)} on "
            f"{before[-1].date})"
        )
    since = [event for event in plain if start is not None and start < _day(event) < _day(last)]
    if since:
        pick = max if scale.better == "higher" else min
        best = pick(since, key=lambda event: event.value or 0)
        said.append(f"{_direction(scale, best, last)} the best since ({number(best.value or 0)} on {best.date})")
    return "; ".join(said) + f". {_least(scale)}"


def _direction(scale: Scale, reference: Event, last: Event) -> str:
    gain = ((last.value or 0) - (reference.value or 0)) * (1 if scale.better == "higher" else -1)
    if not gain:
        return "the same as"
    return f"{number(abs(gain))} {'better' if gain > 0 else 'worse'} than"


def _least(scale: Scale) -> str:
    """The least change that counts, or that none was read."""
    least = [f"{number(scale.points)} points"] if scale.points is not None else []
    least += [f"{number(scale.percent)} %"] if scale.percent is not None else []
    if not least:
        return "No least change that counts was read for it: the direction only."
    return f"A change counts from {'' if scale.inclusive else 'more than '}{listed(least)} on."


def _day(event: Event) -> date:
    assert event.date is not None
    return event.date
