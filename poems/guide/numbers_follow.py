"""The addresses of what is known about the time after treatment: options, survival, prognosis, calendar and more."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import partial

from poems.guide.limits import limits
from poems.guide.made import of_share, plain, ranged
from poems.guide.model import Number
from poems.knowledge import Knowledge
from poems.knowledge.follow_model import Engraftment, Marker, PrognosticFactor, ScheduleItem, SurvivalCohort
from poems.models.accuracy import reference_change

Make = Callable[[], Number]
HALF = 50
STEPS = {"{score}": "points", "%": "percentage points"}
OUTCOMES = {"OS": "alive", "PFS": "alive without progression", "EFS": "without an event", "RFS": "without relapse"}


def slug(text: str) -> str:
    """Text as an id: small letters, digits, hyphens."""
    return re.sub(r"[^a-z0-9]+", "-", text.casefold()).strip("-")


def everything(knowledge: Knowledge) -> Iterator[tuple[str, Make]]:
    """All of them."""
    follow = knowledge.follow
    for option in follow.options:
        for share in (*option.outcomes, *option.harms):
            address = f"option.{option.id}.{slug(share.what)}"
            yield address, partial(of_share, address, f"{option.label}: {share.what}", share)
    for cohort in follow.survival:
        yield from _survival(cohort)
    for factor in follow.prognosis:
        yield from _factor(factor, knowledge)
    for item in follow.schedule:
        yield from _schedule(item)
    for window in follow.windows.values():
        address = f"window.{window.id}"
        yield address, partial(plain, address, "A length of time that a definition leaves open", window.days, "days",
                               (window.source,))
    for marker in follow.markers.values():
        yield from _marker(marker)
    for scale in follow.scales.values():
        address, whole = f"scale.{scale.id}.change", knowledge.concepts[scale.concept].unit
        for least, unit in ((scale.points, STEPS.get(whole, whole)), (scale.percent, "% of the value before")):
            if least is not None:
                yield address, partial(plain, address, f"{scale.label}: least change that counts", least, unit,
                                       (scale.source,))
    yield from _relapses(knowledge)
    yield from _engraftment(follow.engraftment)


def _schedule(item: ScheduleItem) -> Iterator[tuple[str, Make]]:
    """When something is looked at: how often, once, until when."""
    address = f"schedule.{item.id}"
    if item.every_months:
        low, high = item.every_months
        yield f"{address}.every", partial(ranged, f"{address}.every", item.label, low, high, "months", (item.source,))
    for name, value, unit in (("once", item.once_months, "months"), ("years", item.years_to, "years")):
        if value is not None:
            yield f"{address}.{name}", partial(plain, f"{address}.{name}", item.label, value, unit, (item.source,))


def _survival(cohort: SurvivalCohort) -> Iterator[tuple[str, Make]]:
    for point in cohort.points:
        who = f"{OUTCOMES[point.outcome]} ({cohort.cohort}, {cohort.era})"
        made = partial(plain, references=(cohort.source,), cohort=cohort.cohort, period=cohort.era, n=cohort.n,
                       note=cohort.note)
        if point.percent == HALF:
            address = f"survival.{cohort.id}.{point.outcome.casefold()}-median"
            months = round(12 * point.years)
            yield address, partial(made, address, f"Half of them were {who} after", months, "months", stat="median")
        else:
            address = f"survival.{cohort.id}.{point.outcome.casefold()}-{point.years:g}"
            yield address, partial(
                made, address, f"After {point.years:g} years {who}", point.percent, "%", low=point.low, high=point.high,
                spread="interval" if point.low is not None else "")
            yield f"{address}.years", partial(
                plain, f"{address}.years", f"When it was counted who was {who}", point.years, "years", (cohort.source,))


def _factor(factor: PrognosticFactor, knowledge: Knowledge) -> Iterator[tuple[str, Make]]:
    if factor.hazard_ratio is not None:
        address = f"prognosis.{factor.id}.hazard-ratio"
        yield address, partial(plain, address, f"{factor.label}: hazard ratio for {factor.outcome}",
                               factor.hazard_ratio, "", (factor.source,), low=factor.low, high=factor.high,
                               spread="interval", cohort=factor.cohort, n=factor.n, note=factor.note)
    if factor.rule is not None:
        for name, value, unit in limits(factor.rule, knowledge):
            address = f"prognosis.{factor.id}.{name}"
            yield address, partial(plain, address, factor.label, value, unit, (factor.source,))


def _marker(marker: Marker) -> Iterator[tuple[str, Make]]:
    noise, address = marker.noise, f"marker.{marker.id}"
    yield f"{address}.noise", partial(plain, f"{address}.noise", f"{marker.label}: variation in an unchanged patient",
                                      noise.cv, "%", (noise.source,), low=noise.low, high=noise.high, spread="range")
    rise = round(reference_change(noise.cv)[0])
    yield f"{address}.least-rise", partial(
        plain, f"{address}.least-rise", f"{marker.label}: least rise that such variation does not explain", rise, "%",
        (noise.source,), note="computed from the variation, two samples")
    if marker.rate:
        yield f"{address}.half-life", partial(plain, f"{address}.half-life", f"{marker.label}: time in which it halved",
                                              marker.rate.half_life_days, "days", (marker.rate.source,))


def _relapses(knowledge: Knowledge) -> Iterator[tuple[str, Make]]:
    for item in knowledge.follow.relapses:
        address, confirm = f"relapse.{item.id}", item.confirm
        for name, value, unit in limits(item.rule, knowledge):
            yield f"{address}.{name}", partial(plain, f"{address}.{name}", item.label, value, unit, (item.source,))
        yield f"{address}.confirm-days", partial(plain, f"{address}.confirm-days", f"{item.label}: confirmed after",
                                                 confirm.days, "days", (confirm.source,))
        yield f"{address}.confirm-samples", partial(plain, f"{address}.confirm-samples", f"{item.label}: samples",
                                                    confirm.samples, "samples", (confirm.source,))


def _engraftment(item: Engraftment) -> Iterator[tuple[str, Make]]:
    for rate in item.rates:
        address = f"engraftment.{slug(rate.what)}"
        yield address, partial(of_share, address, f"Engraftment syndrome: {rate.what}", rate)
    for one in item.definitions:
        address = f"engraftment.{one.id}.days"
        if one.to_days is not None:
            yield address, partial(ranged, address, f"Engraftment syndrome, {one.label}: days after its anchor",
                                   one.from_days, one.to_days, "days", (one.source,))
