"""Units of laboratory results and their exact factors: UCUM, and the other wordings that laboratories print.

Physics, not medicine. UCUM is case sensitive, so nothing is case-folded: every accepted spelling is generated from the
tables below. Source: The Unified Code for Units of Measure, https://ucum.org/ucum (tables 1 to 5).
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator
from fractions import Fraction
from functools import lru_cache

from poems.errors import UnitError as UnitError

_POWERS = {"k": 3, "": 0, "d": -1, "c": -2, "m": -3, "u": -6, "n": -9, "p": -12, "f": -15}


def _prefixed(symbol: str, prefixes: str) -> dict[str, Fraction]:
    """A symbol with each of the prefixes (`-` for none), and its size in the bare symbol."""
    return {f"{prefix.strip('-')}{symbol}": Fraction(10) ** _POWERS[prefix.strip("-")] for prefix in prefixes}


def _per(tops: dict[str, Fraction], bottoms: dict[str, Fraction]) -> dict[str, Fraction]:
    return {f"{top}/{bottom}": size / volume for top, size in tops.items() for bottom, volume in bottoms.items()}


_LITRES = _prefixed("L", "-dmu")
_TENS = {f"10*{power}": Fraction(10) ** power for power in (3, 4, 6, 9, 12)}
_DAY = Fraction(86400)
YEAR_DAYS = 365.25
"""UCUM: a is the Julian year, mo its twelfth part."""
_YEAR = Fraction(YEAR_DAYS) * _DAY

UNITS: dict[str, dict[str, Fraction]] = {
    "mass concentration": _per(_prefixed("g", "k-munp"), _LITRES),
    "substance concentration": _per(_prefixed("mol", "-munpf"), _LITRES),
    "number concentration": _per({"": Fraction(1), **_TENS}, _LITRES | _prefixed("L", "np")),
    "fraction": {"1": Fraction(1), "%": Fraction(1, 100), "L/L": Fraction(1)},
    "time": {"a": _YEAR, "mo": _YEAR / 12, "wk": 7 * _DAY, "d": _DAY, "h": Fraction(3600), "min": Fraction(60),
             **_prefixed("s", "-mu")},
    "length": _prefixed("m", "-cmu"),
    "mass": _prefixed("g", "k-mu"),
    "velocity": {"m/s": Fraction(1), "cm/s": Fraction(1, 100)},
    "voltage": _prefixed("V", "mu"),
    "pressure": {"mm[Hg]": Fraction(1), "kPa": 1000 / Fraction("133.322387415")},  # mercury 13.5951, gravity 9.80665
    "international units by volume": _per(_prefixed("[IU]", "k-mun"), _LITRES),
    # 1 U is 1 umol/min, so 1 ukat/L is 60 U/L
    "catalytic concentration": _per(_prefixed("U", "k-mu"), _LITRES)
    | {unit: size * 60_000_000 for unit, size in _per(_prefixed("kat", "mun"), {"L": Fraction(1)}).items()},
    "flow": {"mL/min": Fraction(1), "L/min": Fraction(1000), "mL/s": Fraction(60)},
    # UCUM reads the braces as a comment; a clearance scaled to body surface is another quantity all the same
    "flow by body surface": {"mL/min/{1.73_m2}": Fraction(1), "mL/s/{1.73_m2}": Fraction(60)},
    "transfer": {"mL/min/mm[Hg]": Fraction(1)},
    "temperature": {"Cel": Fraction(1)},
    "score": {"{score}": Fraction(1)},
    "international normalized ratio": {"{INR}": Fraction(1)},
    "mass by day": {"g/d": Fraction(1), "mg/d": Fraction(1, 1000), "g/(24.h)": Fraction(1),
                    "mg/(24.h)": Fraction(1, 1000)},
}
"""Dimension -> UCUM unit -> its size in the dimension's first principles (any common base will do).

Left out on purpose: mmol/mol, which UCUM calls a fraction. Haemoglobin A1c is printed in it on another scale (IFCC),
and the way to percent is not a factor.
"""

_HOME = {unit: dimension for dimension, table in UNITS.items() for unit in table}

_WORDS: dict[str, dict[str, str]] = {
    "mass concentration": {"g%": "g/dL", "mg%": "mg/dL", "gm/dL": "g/dL", "GM/DL": "g/dL", "g/100mL": "g/dL",
                           "mg/100mL": "mg/dL"},
    "number concentration": {
        "K/uL": "10*3/uL", "k/uL": "10*3/uL", "K/UL": "10*3/uL", "Thou/uL": "10*3/uL", "thou/uL": "10*3/uL",
        "THOU/UL": "10*3/uL", "Tsd/uL": "10*3/uL", "M/uL": "10*6/uL", "M/UL": "10*6/uL", "Mill/uL": "10*6/uL",
        "MILL/UL": "10*6/uL", "G/L": "10*9/L", "Gpt/L": "10*9/L", "Giga/L": "10*9/L", "T/L": "10*12/L",
        "Tpt/L": "10*12/L", "cells/uL": "/uL", "cells/mL": "/mL", "1/uL": "/uL", "1/L": "/L", "1/nL": "/nL",
        "\u4e07/uL": "10*4/uL"},
    "fraction": {"ratio": "1", "percent": "%", "l/l": "L/L"},
    "time": {"years": "a", "year": "a", "yr": "a", "yrs": "a", "y": "a", "months": "mo", "month": "mo", "weeks": "wk",
             "week": "wk", "days": "d", "day": "d", "hours": "h", "hour": "h", "minutes": "min", "sec": "s",
             "msec": "ms"},
    "temperature": {"\u00b0C": "Cel", "degC": "Cel", "C": "Cel"},
    "score": {"1": "{score}", "score": "{score}", "points": "{score}"},
    "international normalized ratio": {"1": "{INR}", "INR": "{INR}", "ratio": "{INR}"},
    "pressure": {"mmHg": "mm[Hg]", "mmhg": "mm[Hg]", "MMHG": "mm[Hg]"},
    "transfer": {"mL/min/mmHg": "mL/min/mm[Hg]", "ml/min/mmHg": "mL/min/mm[Hg]"},
    "flow by body surface": {
        f"{flow}{area}": f"{flow.replace('ml', 'mL')}/{{1.73_m2}}" for flow in ("mL/min", "ml/min", "mL/s", "ml/s")
        for area in ("/{1.73_m2}", "/1.73m2", "/1.73m^2", "/1.73_m2", "/{1.73m2}", "/(1.73m2)", "/1.73sqm", "/1.73M2")},
    "mass by day": {"g/24h": "g/d", "mg/24h": "mg/d", "g/24hr": "g/d", "mg/24hr": "mg/d", "g/24hours": "g/d",
                    "mg/24hours": "mg/d", "g/day": "g/d", "mg/day": "mg/d"},
}
_CAPITALS = ("mass concentration", "substance concentration", "international units by volume")
"""Where a spelling in capitals throughout is UCUM's own case-insensitive form (MG/DL): milli, never mega."""


def _spellings(dimension: str, unit: str) -> Iterator[str]:
    """Every way a unit may be written; spaces, micro signs and raised figures are evened out before the look-up."""
    yield unit
    yield unit.replace("L", "l")
    if unit.startswith("u"):
        yield from ("mc" + unit[1:], "mc" + unit[1:].replace("L", "l"))
    if dimension in _CAPITALS:
        yield unit.upper()
    if dimension == "international units by volume":
        for written in ("IU", "[iU]", "U"):  # U: laboratories leave the I out (mU/L of thyrotropin)
            plain = unit.replace("[IU]", written)
            yield from (plain, plain.replace("L", "l"), plain.upper())
    if dimension == "catalytic concentration":
        plain = unit.replace("U", "IU")  # and write it where none belongs: 1 IU of an enzyme is 1 U
        yield from (plain, plain.replace("L", "l"), unit.upper())
    if dimension == "number concentration" and (count := re.fullmatch(r"(?:10\*(\d+))?/(\w+)", unit)):
        yield from _counts(count[1], count[2])


def _counts(power: str | None, volume: str) -> Iterator[str]:
    volumes = {"uL": ("uL", "ul", "UL", "mcL", "mcl", "MCL", "mm3", "mm^3", "MM3", "cmm")}.get(
        volume, (volume, volume.replace("L", "l")))
    forms = ("10*{}", "10^{}", "10E{}", "10e{}", "10({})")
    signs = ("",) if power is None else tuple(
        start + form.format(power) for start in ("", "x", "X") for form in forms)
    yield from (f"{sign}/{bottom}" for sign in signs for bottom in volumes)


def _names(dimension: str, table: Iterable[str]) -> dict[str, str]:
    names: dict[str, str] = {}
    for unit in table:
        for spelling in _spellings(dimension, unit):
            names.setdefault(spelling, unit)
    for word, unit in _WORDS.get(dimension, {}).items():
        for spelling in (word, word.replace("L", "l"), word.replace("uL", "mcL"), word.replace("uL", "mm3")):
            names.setdefault(spelling, unit)
    return names | {unit: unit for unit in table}


NAMES: dict[str, dict[str, str]] = {dimension: _names(dimension, table) for dimension, table in UNITS.items()}
"""Dimension -> accepted spelling -> UCUM unit."""

_EVEN = str.maketrans({"\u00b5": "u", "\u03bc": "u", "\u00d7": "x", "\u00b2": "^2", "\u00b3": "^3", "\u2074": "^4",
                       "\u2076": "^6", "\u2079": "^9", "\u2215": "/", "\u2044": "/"})
_COMMENT = re.compile(r"\{(?!1\.73_?m2\})[^{}]*\}")  # UCUM: {words} say what is counted and change nothing


def _even(unit: str) -> str:
    """One look for spaces, micro signs and raised figures: signs that say the same and cannot be misread."""
    plain = "".join(unit.replace("\u00b9\u00b2", "^12").translate(_EVEN).split())
    return _COMMENT.sub("", plain) or ("1" if plain else "")


_BY_SUBSTANCE = {"mass concentration": "substance concentration", "substance concentration": "mass concentration"}


def known(unit: str) -> bool:
    """Whether this is a UCUM unit of this module, written as UCUM writes it."""
    return unit in _HOME


def accepted(to: str, molar_mass: float | None = None) -> tuple[str, ...]:
    """The UCUM units that can become `to`. Raises: UnitError, if `to` is not a unit of this module."""
    dimension = _home(to)
    other = _BY_SUBSTANCE.get(dimension) if molar_mass is not None else None
    return (*UNITS[dimension], *(UNITS[other] if other else ()))


def _home(unit: str) -> str:
    try:
        return _HOME[unit]
    except KeyError:
        raise UnitError(f"unit {unit!r} is not in units.py; expected a UCUM unit of {', '.join(UNITS)}") from None


@lru_cache(maxsize=4096)
def factor(unit: str, to: str, molar_mass: float | None = None) -> Fraction:
    """What a value in `unit` is multiplied by to be a value in `to`, exactly.

    molar_mass: g/mol, where a result may be printed by mass and by substance. The same spelling can mean two units
    (G/L: giga per litre, or gram per litre in capitals); the dimension of `to` decides.
    Raises: UnitError, naming the units that are accepted.
    """
    home, plain = _home(to), _even(unit)
    if (written := NAMES[home].get(plain)) is not None:
        return UNITS[home][written] / UNITS[home][to]
    other = _BY_SUBSTANCE.get(home)
    if molar_mass is not None and other and (written := NAMES[other].get(plain)) is not None:
        grams = Fraction(str(molar_mass))
        return UNITS[other][written] * (grams if home == "mass concentration" else 1 / grams) / UNITS[home][to]
    raise UnitError(f"unit {unit!r} cannot become {to}; expected one of {', '.join(accepted(to, molar_mass))}")


def convert(value: float, unit: str, to: str, molar_mass: float | None = None) -> float:
    """The value in the unit `to`, rounded once at the end: 1 ng/mL is 1000.0 pg/mL, not nearly.

    value: finite. Raises: UnitError, as `factor` does; ValueError, if the value is not finite.
    """
    if not math.isfinite(value):
        raise ValueError("only a finite value has a unit")
    return float(Fraction(str(value)) * factor(unit, to, molar_mass))
