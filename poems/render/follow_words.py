"""A course in words: days, durations, levels, and what a trend says, sentence by sentence."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from math import isfinite

from poems.follow import DomainResponse, Factor, Follow, Survival, Trend, Visit
from poems.follow.model import CONFIRMED
from poems.knowledge import Knowledge
from poems.knowledge.follow_model import ScheduleItem
from poems.render.words import inside, label, listed, measured, number, percent, shown, unit
from poems.units import YEAR_DAYS

ALARM = {"none": "no rise shown", "confirm": "a true rise is possible", "rising": "a true rise is likely"}
"""The model's words. That a definition is met or confirmed is said of definitions alone."""
UNTOLD = "cannot be told yet"
LOWEST = "the lowest since treatment began"
SILENT_DAYS = 731
LONG_WEEKS = 520.0
"""Beyond ten years a trend foretells nothing."""
OUTCOMES = {"OS": "alive", "PFS": "without progression", "EFS": "without event", "RFS": "without relapse"}


def duration(days: float) -> str:
    """A length of time as people say it: days, weeks, months or years."""
    for step, most, word in ((1.0, 14, "day"), (7.0, 70, "week"), (30.44, 731, "month")):
        if days < most:
            count = round(days / step)
            return f"{count} {word}" + ("" if count == 1 else "s")
    return f"{days / YEAR_DAYS:.1f} years"


def weeks(count: float) -> str:
    """So many weeks, as people say it; beyond ten years nothing is said to be known."""
    return "over 10 years" if not isfinite(count) or count > LONG_WEEKS else duration(max(count, 0.0) * 7)


def is_today(day: date) -> bool:
    """Whether a day is the one on which this is written: only then `now` and `ago` are true for its reader."""
    return day == date.today()


def apart(day: date, other: date) -> str:
    """How far a day lies from another: from today `in 3 weeks`, `2 months ago`; else `3 weeks after 2020-10-10`."""
    days = (day - other).days
    if is_today(other):
        return "today" if not days else f"in {duration(days)}" if days > 0 else f"{duration(-days)} ago"
    return f"{duration(abs(days))} {'after' if days > 0 else 'before'} {other}" if days else f"on {other}"


def from_now(day: date, as_of: date) -> str:
    """How far a day lies from the day asked about, if that is today; else nothing: the reader has the dates."""
    return apart(day, as_of) if is_today(as_of) else ""


def level(value: float, code: str) -> str:
    """An estimated level: three digits, because no more are known."""
    return f"{rounded(value)} {unit(code)}".strip()


def rounded(value: float) -> str:
    """Three digits; no exponent where a person would write none."""
    return f"{float(f'{value:.3g}'):,.6g}" if 1e-4 <= abs(value) < 1e9 else f"{value:.3g}"


def trend_rows(trend: Trend, knowledge: Knowledge, since: date | None = None, *,
               is_over: bool = False) -> Iterator[tuple[str, str]]:
    """What the trend says, line by line: what it is about, and the sentence.

    since: the first day of the current line of treatment. is_over: the patient has died, so nothing is foretold.
    """
    code = _unit(trend, knowledge)
    yield "Last value", last_value(trend, knowledge)
    if _is_known(trend):
        between = f"{rounded(trend.now_low)} to {rounded(trend.now_high)}"
        yield "Modelled level then", f"{level(trend.now, code)}, 95 % interval {between}"
    if trend.nadir is not None and not is_lowest(trend):
        day = f" on {trend.nadir_day}" if trend.nadir_day else ""
        yield "Modelled low", f"{level(trend.nadir, code)}{day}, the lowest since treatment began"
    yield "True rise since the low", _rise(trend, since)
    yield "Above the limit", _above(trend, code)
    if trend.last_is_noise is not None:
        yield "Fits the earlier values?", (f"a value at least so far from what the earlier ones predict is seen by "
                                           f"chance alone in {percent(trend.last_is_noise)} of samples")
    if trend.alarm != "none" and not is_over:
        yield from _ahead(trend)
    if trend.sensitivity and not is_lowest(trend):
        yield "With other noise", "probability of a true rise " + listed(
            [f"{percent(share)} at {name}" for name, share in trend.sensitivity], "and")


def _ahead(trend: Trend) -> Iterator[tuple[str, str]]:
    """Where a rise is possible, when the limit is crossed; where it waits for a repeat, what that would tell."""
    if trend.crossing_weeks:
        middle, low, high = trend.crossing_weeks
        yield "Crosses the limit", (f"in {weeks(middle)}, if the trend goes on (95 % interval: "
                                    f"{weeks(low)} to {weeks(high)})")
    if trend.repeat and trend.alarm == "confirm":
        yield "What a repeat would tell", _repeat(trend)


def _unit(trend: Trend, knowledge: Knowledge) -> str:
    concept = knowledge.concepts.get(trend.series.finding)
    return concept.unit if concept else ""


def _is_known(trend: Trend) -> bool:
    return all(isfinite(value) for value in (trend.now, trend.now_low, trend.now_high))


def last_value(trend: Trend, knowledge: Knowledge) -> str:
    """What was measured last, with its unit, its limit and its day; all of it where there are several of one day."""
    last = trend.series.samples[-1] if trend.series.samples else None
    if last is None:
        return "none that can be used"
    seen = [measured(event, knowledge) for event in trend.series.samples if event.date == last.date]
    return f"{listed(list(dict.fromkeys(seen)), 'and')} on {last.date}"


def is_lowest(trend: Trend) -> bool:
    """Whether the last sample is the modelled low itself: then there is no rise to speak of."""
    last = trend.series.samples[-1] if trend.series.samples else None
    return bool(last and trend.alarm == "none" and trend.nadir_day is not None and trend.nadir_day == last.date)


def _rise(trend: Trend, since: date | None) -> str:
    if trend.p_rise is None:
        return f"cannot be told: {_untreated(since)}"
    if is_lowest(trend):
        return f"none shown: the modelled level is {LOWEST}"
    return f"probability {percent(trend.p_rise)}: {alarm_text(trend)}"


def _untreated(since: date | None) -> str:
    return f"no value since the treatment that began on {since}" if since else "no value since a treatment began"


def _above(trend: Trend, code: str) -> str:
    limit = trend.series.upper_limit
    if limit is None or trend.p_above is None:
        return "cannot be told: the record has no laboratory limit for these values"
    return f"probability {percent(trend.p_above)} that the true level is above {shown(limit)} {unit(code)}".rstrip()


def _repeat(trend: Trend) -> str:
    parts = [f"in {weeks(count)} it would show a rise with probability {percent(up)}, speak against one with "
             f"{percent(down)}" for count, up, down in trend.repeat]
    return "; ".join(parts)


def alarm_text(trend: Trend) -> str:
    """What is said of a rise; where nothing could be judged, or a rise of it means nothing, that."""
    if not trend.can_alarm:
        return "a rise of it is not read as relapse"
    if trend.alarm == "none" and trend.p_rise is None:
        return UNTOLD
    if trend.is_likely and not trend.is_defined:
        return f"{ALARM['rising']}; no definition rests on it"
    more = {"rising": "" if trend.definition else "; no definition that was read is met by it",
            "confirm": "" if trend.definition == CONFIRMED else "; a repeat has to show it"}
    return ALARM.get(trend.alarm, trend.alarm) + more.get(trend.alarm, "")


def trend_sentence(trend: Trend, knowledge: Knowledge, as_of: date | None, since: date | None = None) -> str:
    """The trend at a glance. as_of: if it is today, how long ago the last sample was; None where nobody looks again."""
    name = label(trend.series.finding, knowledge)
    last = trend.series.samples[-1].date if trend.series.samples else None
    ago = f" ({away})" if last and as_of and (away := from_now(last, as_of)) else ""
    noted = dict.fromkeys(inside(label(event.finding, knowledge), knowledge) for event in trend.explained_by)
    why = f"; {listed(list(noted), 'and')} near the sample can raise it without POEMS" if noted else ""
    return f"{name}: {last_value(trend, knowledge)}{ago}; {_shown(trend, since)}{why}."


def _shown(trend: Trend, since: date | None) -> str:
    if trend.p_rise is None:
        return f"whether it rises {UNTOLD}: {_untreated(since)}"
    if is_lowest(trend):
        return f"no rise shown, the modelled level is {LOWEST}"
    return f"{alarm_text(trend)} (probability of a true rise {percent(trend.p_rise)})"


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


def by_kind(calendar: Sequence[Visit], as_of: date) -> list[list[Visit]]:
    """The visits of each kind and tests together, what has been overdue for longest first, then by the day.

    Of each the first, whenever it is, and those after it that begin after the day asked about. Where the tests of a
    kind fall due on different days each group of them stands by itself.
    """
    of: dict[tuple[str, tuple[str, ...]], list[Visit]] = {}
    for visit in sorted(calendar, key=lambda visit: (not visit.overdue, visit.latest if visit.overdue else visit.day)):
        known = of.setdefault((visit.label, visit.tests), [])
        if not known or visit.day > as_of:
            known.append(visit)
    return list(of.values())


def rhythm(visit: Visit, knowledge: Knowledge, *, is_last: bool = False) -> str:
    """How often such a visit comes again, as published: `every 3 to 12 months`; empty where it does not.

    is_last: no visit of its kind is listed after it; then only what is life-long comes again for certain.
    """
    item = scheduled(visit, knowledge)
    if item is None or item.every_months is None or (is_last and item.years_to is not None):
        return ""
    low, high = item.every_months
    return f"every {number(low)} months" if low == high else f"every {number(low)} to {number(high)} months"


def scheduled(visit: Visit, knowledge: Knowledge) -> ScheduleItem | None:
    """What the knowledge says of such a visit."""
    return next((item for item in knowledge.follow.schedule if item.label == visit.label), None)


def silent_since(follow: Follow) -> date | None:
    """The day of the last entry, where nothing has been entered for long: then the record has ended, and what was due
    since then may have been done and stand elsewhere.
    """
    last = max((event.date for event in follow.record.events if event.date), default=None)
    return last if last and not follow.died and (follow.as_of - last).days > SILENT_DAYS else None


def lasted(item: DomainResponse) -> str:
    """Since when a response is shown and until when: the day it was last looked at, or the one that shows it lost."""
    if item.best_day is None:
        return ""
    until, since = item.until, f"first on {item.best_day}"
    if until is None:
        return since
    if item.is_lost:
        why = ", when a relapse was recorded" if item.relapsed == until else ""
        again = "; reached again since" if item.now == item.best and item.relapsed is None else ""
        return f"{since}, until {until}{why} ({duration((until - item.best_day).days)}){again}"
    return f"{since}, shown until {until}, last looked at" if until > item.best_day else f"{since}, last looked at then"


def silence(follow: Follow) -> str:
    """That the record has ended, in a sentence; empty where it has not."""
    last = silent_since(follow)
    return f"No entry since {last}: what was due after it may have been done and is not in this record." if last else ""


def window(visit: Visit) -> str:
    """The days of a visit."""
    return f"{visit.day} to {visit.latest}" if visit.latest > visit.day else f"{visit.day}"


def is_now(visit: Visit, as_of: date) -> bool:
    """Whether the time of a visit has begun and is not over."""
    return not visit.overdue and visit.day <= as_of


def due(visit: Visit, as_of: date, silent: date | None = None) -> str:
    """When a visit is due, seen from the day asked about. silent: since when nothing has been entered."""
    if visit.overdue and silent and visit.latest >= silent:
        return f"was due by {visit.latest}"
    if visit.overdue:
        return f"overdue since {visit.latest}" if visit.latest <= as_of else f"due since {visit.day}"
    if is_now(visit, as_of):
        if not is_today(as_of):
            return f"due {window(visit)}"
        return f"due now, until {visit.latest}" if visit.latest > as_of else "due today"
    return window(visit)


def until(visit: Visit, as_of: date, silent: date | None = None) -> str:
    """How far the day lies on which a visit is due; empty where that is said already, today is another day, or the
    record ended before (`silent`).
    """
    if visit.overdue and silent:
        return ""
    if visit.overdue:
        return from_now(visit.latest, as_of)
    return "" if is_now(visit, as_of) else from_now(visit.day, as_of)


def name_of_test(name: str, knowledge: Knowledge) -> str:
    """What is looked at in a visit: the name of a test or a concept, or the words themselves."""
    return knowledge.tests[name].label if name in knowledge.tests else label(name, knowledge)
