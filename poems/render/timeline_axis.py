"""The two axes of a picture: round days below it, round values beside it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from math import ceil, floor, log10

MOST_TICKS = 8
STEPS = ("1d", "2d", "7d", "14d", "1m", "2m", "3m", "6m", "12m", "24m", "60m", "120m", "600m")


def bounds(low: float, high: float, is_log: bool) -> tuple[float, float]:
    """The values with some air above and below, and never a flat picture."""
    if not is_log:
        air = max((high - low) * 0.12, 0.5)
        return low - air, high + air
    air = max((high / low) ** 0.12, 1.15)
    return low / air, high * air


def value_ticks(low: float, high: float, is_log: bool) -> tuple[float, ...]:
    """Two to five round numbers between low and high."""
    if is_log:
        places = range(floor(log10(low)), ceil(log10(high)) + 1)
        for digits in ((1, 2, 5), (1, 3), (1,)):
            found = tuple(float(f"{digit}e{place}") for place in places for digit in digits
                          if low <= float(f"{digit}e{place}") <= high)
            if 2 <= len(found) <= 5:
                return found
            if len(found) < 2:
                break
        if high / low >= 100:
            return found[::ceil(len(found) / 5)]
    step = 10 ** floor(log10((high - low) / 2))
    step *= next(times for times in (5, 2, 1) if times == 1 or (high - low) / (step * times) >= 2)
    first = ceil(low / step)
    return tuple(round(place * step, 12) for place in range(first, floor(high / step) + 1))[:6]


def ticks(start: date, end: date, most: int = MOST_TICKS) -> tuple[tuple[date, str], ...]:
    """Round days between two days, eight at the most: days, weeks, months or years, as the course is long."""
    for step in STEPS:
        count, what = int(step[:-1]), step[-1]
        if (end - start).days / (count * (30.44 if what == "m" else 1)) <= most:
            return tuple(_days(start, end, count) if what == "d" else _months(start, end, count))
    return ()


def _days(start: date, end: date, step: int) -> Iterator[tuple[date, str]]:
    first = start.toordinal() + (-start.toordinal() + 1) % step   # weeks begin on Monday
    for ordinal in range(first, end.toordinal() + 1, step):
        day = date.fromordinal(ordinal)
        yield day, day.isoformat()


def _months(start: date, end: date, step: int) -> Iterator[tuple[date, str]]:
    for month in range(-(-(start.year * 12 + start.month - 1) // step) * step, end.year * 12 + end.month, step):
        day = date(month // 12, month % 12 + 1, 1) if month >= 12 else start
        if start <= day <= end:
            yield day, str(day.year) if step >= 12 else f"{day.year}-{day.month:02}"
