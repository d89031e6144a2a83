"""A course in words: days, durations, levels, and what a trend says, sentence by sentence."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from math import isfinite

from poems.follow import Factor, Survival, Trend, Visit
from poems.knowledge import Knowledge
from poems.render.words import inside, label, listed, measured, number, percent, unit

ALARM = {"none": "no rise shown", "confirm": "possible rise, not confirmed", "rising": "rise confirmed"}
UNTOLD = "cannot be told yet"
LONG_WEEKS = 520.0
"""Beyond ten years a trend foretells nothing."""
OUTCOMES = {"OS": "alive", "PFS": "without progression", "EFS": "without event", "RFS": "without relapse"}


def duration(days: float) -> str:
    """A length of time as people say it: days, weeks, months or years."""
    for step, most, word in ((1.0, 14, "day"), (7.0, 70, "week"), (30.44, 731, "month")):
        if days < most:
            count = round(days / step)
            return f"{count} {word}" + ("" if count == 1 else "s")
    return f"{days / 365.25:.1f} years"


def weeks(count: float) -> str:
    """So many weeks, as people say it; beyond ten years nothing is said to be known."""
    return "over 10 years" if not isfinite(count) or count > LONG_WEEKS else duration(max(count, 0.0) * 7)


def apart(day: date, other: date) -> str:
    """How far a day lies from another: `in 3 weeks`, `2 months ago`, `today`."""
    days = (day - other).days
    return "today" if not days else f"in {duration(days)}" if days > 0 else f"{duration(-days)} ago"


def level(value: float, code: str) -> str:
    """An estimated level: three digits, because no more are known."""
    return f"{rounded(value)} {unit(code)}".strip()


def rounded(value: float) -> str:
    """Three digits; no exponent where a person would write none."""
    return f"{float(f'{value:.3g}'):,.6g}" if 1e-4 <= abs(value) < 1e9 else f"{value:.3g}"


def trend_rows(trend: Trend, knowledge: Knowledge) -> Iterator[tuple[str, str]]:
    """What the trend says, line by line: what it is about, and the sentence."""
    code = _unit(trend, knowledge)
    yield "Last value", _last(trend, knowledge)
    if _is_known(trend):
        between = f"{rounded(trend.now_low)} to {rounded(trend.now_high)}"
        yield "Level now", f"{level(trend.now, code)}, 95 % interval {between}"
    if trend.nadir is not None:
        day = f" on {trend.nadir_day}" if trend.nadir_day else ""
        yield "Lowest since treatment", f"{level(trend.nadir, code)}{day}"
    yield "True rise since then", _rise(trend)
    yield "Above the limit", _above(trend, code)
    if trend.crossing_weeks:
        middle, low, high = trend.crossing_weeks
        yield "Crosses the limit", (f"in {weeks(middle)}, if the trend goes on (95 % interval: "
                                    f"{weeks(low)} to {weeks(high)})")
    if trend.last_is_noise is not None:
        yield "Is it noise?", (f"chance alone puts a value at least so far from what the earlier ones predict in "
                               f"{percent(trend.last_is_noise)} of samples")
    if trend.repeat:
        yield "What a repeat would tell", _repeat(trend)
    if trend.sensitivity:
        yield "With other noise", "true rise " + listed([f"{percent(share)} at {name}"
                                                         for name, share in trend.sensitivity], "and")


def _unit(trend: Trend, knowledge: Knowledge) -> str:
    concept = knowledge.concepts.get(trend.series.finding)
    return concept.unit if concept else ""


def _is_known(trend: Trend) -> bool:
    return all(isfinite(value) for value in (trend.now, trend.now_low, trend.now_high))


def _last(trend: Trend, knowledge: Knowledge) -> str:
    last = trend.series.samples[-1] if trend.series.samples else None
    return f"{measured(last, knowledge)} on {last.date}" if last else "none that can be used"


def _rise(trend: Trend) -> str:
    if trend.p_rise is None:
        return "cannot be told: fewer than two values since treatment began"
    return f"probability {percent(trend.p_rise)}: {alarm_text(trend)}"


def _above(trend: Trend, code: str) -> str:
    limit = trend.series.upper_limit
    if limit is None or trend.p_above is None:
        return "cannot be told: the record has no laboratory limit for these values"
    return f"probability {percent(trend.p_above)} that the true level is above {number(limit)} {unit(code)}".rstrip()


def _repeat(trend: Trend) -> str:
    parts = [f"in {weeks(count)}, a rise confirmed with probability {percent(up)}, spoken against with {percent(down)}"
             for count, up, down in trend.repeat]
    return "; ".join(parts)


def alarm_text(trend: Trend) -> str:
    """What is said of a rise; where nothing could be judged, that."""
    return UNTOLD if trend.alarm == "none" and trend.p_rise is None else ALARM.get(trend.alarm, trend.alarm)


def trend_sentence(trend: Trend, knowledge: Knowledge) -> str:
    """The trend at a glance."""
    name = label(trend.series.finding, knowledge)
    rise = alarm_text(trend) if trend.p_rise is not None else f"whether it rises {UNTOLD}"
    chance = f" (probability of a true rise {percent(trend.p_rise)})" if trend.p_rise is not None else ""
    noted = dict.fromkeys(inside(label(event.finding, knowledge), knowledge) for event in trend.explained_by)
    why = f"; {listed(list(noted), 'and')} near the sample can raise it without POEMS" if noted else ""
    return f"{name}: {_last(trend, knowledge)}; {rise}{chance}{why}."


def ratio(factor: Factor) -> str:
    """A hazard ratio with its interval as printed, or that none was."""
    if factor.hazard_ratio is None:
        return "no ratio printed"
    known = factor.low is not None and factor.high is not None
    interval = f" ({number(factor.low or 0)} to {number(factor.high or 0)})" if known else ""
    return f"HR {number(factor.hazard_ratio)}{interval}"


def outcome_name(outcome: str) -> str:
    """The published abbreviation, with what it means."""
    return f"{outcome} ({OUTCOMES[outcome]})" if outcome in OUTCOMES else outcome


def points(cohort: Survival) -> Sequence[tuple[str, str]]:
    """Published survival per outcome: `5 years 90 %, 10 years 82 %`."""
    of: dict[str, list[str]] = {}
    for outcome, years, share in sorted(cohort.points, key=lambda point: point[1]):
        of.setdefault(outcome, []).append(f"{number(years)} year{'' if years == 1 else 's'} {number(share)} %")
    return [(outcome, ", ".join(several)) for outcome, several in of.items()]


def by_kind(calendar: Sequence[Visit]) -> list[list[Visit]]:
    """The visits of each kind together, what is overdue before what is to come."""
    of: dict[str, list[Visit]] = {}
    for visit in sorted(calendar, key=lambda visit: (not visit.overdue, visit.day, visit.latest)):
        of.setdefault(visit.label, []).append(visit)
    return list(of.values())


def due(visit: Visit, as_of: date) -> str:
    """When a visit is due, seen from the day asked about."""
    if visit.overdue:
        return f"overdue since {visit.latest}" if visit.latest <= as_of else f"due since {visit.day}"
    return f"{visit.day} to {visit.latest}" if visit.latest > visit.day else f"{visit.day}"


def test_label(name: str, knowledge: Knowledge) -> str:
    """What is looked at in a visit: the name of a test or a concept, or the words themselves."""
    return knowledge.tests[name].label if name in knowledge.tests else label(name, knowledge)
