"""How a number is said: `54%`, `54 of 100`, `5 in 10`, `1 to 77 months`. No number is made here."""

from __future__ import annotations

import re
from collections.abc import Callable

from poems.guide.model import Number

SPELLED = ("none", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
NEAR = 0.1
"""So far, as a part of it, may a natural frequency lie beside the share it stands for."""
FINE = 50
"""From so many people on a small share has a decimal."""
SPREAD = {"range": "smallest to largest", "interval": "95% interval", "wilson": "95% interval",
          "sd": "one SD either way", "printed": "printed range", "studies": "over studies"}
"""What the two ends of a number are."""


def digits(value: float) -> str:
    """A number as it was printed, thousands parted from ten thousand on."""
    if value and abs(value) < 0.001:
        return f"{float(f'{value:.1g}'):f}".rstrip("0")
    text = f"{value:.6g}"
    return f"{float(text):,.0f}" if abs(value) >= 10_000 else text


def quantity(value: float, unit: str) -> str:
    """A value with its unit: `15 months`, `54%`, `0.3 per 100,000`."""
    if unit == "%":
        return f"{digits(value)}%"
    if value == 1 and unit.endswith("s") and unit != "times":
        unit = unit[:-1]
    return f"{digits(value)} {unit}".strip()


def span(low: float, high: float, unit: str) -> str:
    """Both ends with the unit once: `44 to 63%`, `1 to 77 months`."""
    return f"{digits(low)} to {quantity(high, unit)}" if low != high else quantity(low, unit)


def share(k: float, n: float) -> float:
    """Percent, with the digits that so many people bear: whole ones; one decimal below ten; one digit below one."""
    percent = round(100 * k / n, 9)
    if 0 < percent < 1:
        return float(f"{percent:.1g}")
    return round(percent, 1) if n >= FINE and percent < 10 else float(round(percent))


def said(number: Number, form: str) -> str:
    """The number in a form. Raises: ValueError where it has no such form, saying which it has."""
    if not form:
        return number.text
    make = _FORMS.get(form)
    made = _natural(number, form) if re.fullmatch(r"in-[1-9]\d*", form) else make(number) if make else ""
    if not made:
        raise ValueError(f"no form {form!r}; it has {', '.join(forms(number)) or 'none'}")
    return made


def forms(number: Number) -> list[str]:
    """The forms that this number has."""
    return [form for form, make in _FORMS.items() if make(number)] + (["in-100"] if _natural(number, "in-100") else [])


def _natural(number: Number, form: str) -> str:
    """So many in so many people, where a whole number comes near enough."""
    base = int(form[3:])
    per = re.fullmatch(r"per ([\d,]+)", number.unit)
    if number.value is None or not (number.unit == "%" or per):
        return ""
    exact = number.value * base / (float(per[1].replace(",", "")) if per else 100)
    whole = round(exact)
    return f"{digits(whole)} in {digits(base)}" if whole and abs(whole - exact) <= NEAR * exact else ""


def _count(number: Number) -> str:
    return "" if number.k is None or number.n is None else f"{digits(number.k)} of {digits(number.n)}"


def _words(number: Number) -> str:
    value = number.value if number.unit != "%" else None
    return SPELLED[int(value)] if value is not None and value == int(value) and 0 <= value < len(SPELLED) else ""


def _plain(pick: Callable[[Number], float | None]) -> Callable[[Number], str]:
    def text(number: Number) -> str:
        value = pick(number)
        return "" if value is None else digits(value)
    return text


def _end(pick: Callable[[Number], float | None]) -> Callable[[Number], str]:
    def text(number: Number) -> str:
        value = pick(number)
        return "" if value is None else quantity(value, number.unit)
    return text


def _range(number: Number) -> str:
    return "" if number.low is None or number.high is None else span(number.low, number.high, number.unit)


_FORMS: dict[str, Callable[[Number], str]] = {
    "percent": lambda number: quantity(number.value, "%") if number.unit == "%" and number.value is not None else "",
    "count": _count, "k": _plain(lambda number: number.k), "n": _plain(lambda number: number.n),
    "value": _plain(lambda number: number.value), "words": _words, "low": _end(lambda number: number.low),
    "high": _end(lambda number: number.high), "range": _range, "interval": _range,
    "cohort": lambda number: number.cohort, "period": lambda number: number.period,
    "label": lambda number: number.label}
