"""Units: exact factors, checked against two other libraries; spellings that laboratories print; refusals that help."""

from __future__ import annotations

import math
import warnings
from fractions import Fraction
from itertools import combinations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from poems.errors import UnitError
from poems.knowledge import Knowledge
from poems.units import NAMES, UNITS, accepted, convert, factor, known

UNKNOWN_TO_PINT = {"score", "international normalized ratio"}
"""Arbitrary units: comments in braces, which UCUM gives no size."""


@pytest.fixture(scope="module")
def registry() -> Any:
    """UCUM by ucumvert and pint, which know nothing of ours."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from ucumvert import PintUcumRegistry

        return PintUcumRegistry()


@pytest.mark.parametrize("dimension", [name for name in UNITS if name not in UNKNOWN_TO_PINT])
def test_every_factor_is_that_of_ucum(dimension: str, registry: Any) -> None:
    """Within a dimension each factor is what ucumvert and pint compute, to the precision of floats."""
    first, *others = UNITS[dimension]
    base = registry.from_ucum(first)
    for unit in others:
        theirs = registry.from_ucum(unit).to(base.units).magnitude / base.magnitude
        assert math.isclose(float(factor(unit, first)), theirs, rel_tol=1e-9), (unit, first)


@pytest.mark.parametrize(("value", "unit", "to", "expected"), [
    (1, "ng/mL", "pg/mL", 1000.0), (0.1, "ng/mL", "pg/mL", 100.0), (0.3, "g/L", "mg/dL", 30.0),
    (1.1, "g/dL", "g/L", 11.0),
    (150, "g/L", "g/dL", 15.0), (86.2, "ng/L", "pg/mL", 86.2), (450, "10*3/uL", "10*9/L", 450.0),
    (450000, "/uL", "10*9/L", 450.0),
    (45, "10*4/uL", "10*9/L", 450.0), (0.42, "1", "%", 42.0), (2.5, "m[IU]/L", "u[IU]/mL", 2.5),
    (1, "ukat/L", "U/L", 60.0),
    (1, "a", "mo", 12.0), (4, "s", "ms", 4000.0), (3, "g/d", "mg/(24.h)", 3000.0)])
def test_conversions_are_exact(value: float, unit: str, to: str, expected: float) -> None:
    """The float nearest to the true value comes out, with no dust behind it."""
    assert convert(value, unit, to) == expected


@pytest.mark.parametrize(("to", "spellings"), [
    ("10*9/L", ["10^9/L", "x10^9/L", "10e9/L", "10E9/L", "x10E9/L", "\u00d710\u2079/L", "x 10^9/l", "K/uL",
                "K/\u00b5L", "k/\u03bcL", "G/L",
                "Gpt/l", "10^3/uL", "10*3/\u00b5l", "x10E3/uL", "X10E3/UL", "10(3)/mcL",
                "Thou/uL",
                "10^3/mm\u00b3", "K/mm3", "/nL", "/nl", "10*3/uL{platelets}"]),
    ("pg/mL", ["pg/ml", "PG/ML", "ng/L", "ng/l", "pg / mL"]), ("mg/dL", ["mg/dl", "MG/DL", "mg/100mL", "mg%"]),
    ("ug/L", ["\u00b5g/L", "\u03bcg/l", "mcg/L", "ng/mL", "UG/L"]),
    ("u[IU]/mL", ["uIU/mL", "\u00b5IU/ml", "mIU/L", "mU/L", "m[iU]/L", "UIU/ML"]),
    ("U/L", ["IU/L", "U/l", "IU/l"]),
    ("mL/min/{1.73_m2}", ["mL/min/1.73m2", "ml/min/1.73 m\u00b2", "mL/min/1.73 m^2"]),
    ("a", ["years", "yr", "y"]), ("mm[Hg]", ["mmHg", "mm Hg"]), ("1", ["{ratio}", "ratio"]), ("Cel", ["\u00b0C"])])
def test_spellings_that_laboratories_print(to: str, spellings: list[str]) -> None:
    """Each is the unit, not something near it."""
    assert {spelling: factor(spelling, to) for spelling in spellings} == dict.fromkeys(spellings, Fraction(1))


@pytest.mark.parametrize(("unit", "to"), [
    ("Mg/dL", "mg/dL"), ("MG/dL", "mg/dL"), ("Pg/mL", "pg/mL"), ("mmol/mol", "%"), ("mL/min", "mL/min/{1.73_m2}"),
    ("mg/dL", "10*9/L"),
    ("", "1"), ("", "pg/mL"), ("pg", "pg/mL"), ("pg/mL/mL", "pg/mL"), ("mmol/L", "mg/dL"),
    ("mg/g{creat}", "%"), ("10*99/L", "10*9/L"),
    ("K/L", "10*9/L"), ("u[IU]/mL", "ng/mL"), ("g/L", "pg/mL/h")])
def test_what_is_not_this_unit_is_refused(unit: str, to: str) -> None:
    """Another case, another dimension, or nothing at all: an error that lists what is accepted."""
    with pytest.raises(UnitError, match="expected"):
        convert(1.0, unit, to)


def test_an_error_lists_the_accepted_units() -> None:
    """The message names the units that could stand there."""
    with pytest.raises(UnitError, match=r"'pg/dl\?' cannot become pg/mL; expected one of .*ng/L.*pg/mL"):
        convert(1.0, "pg/dl?", "pg/mL")


def test_mass_and_substance_need_a_molar_mass() -> None:
    """10 nmol/L of something of 288.43 g/mol is 288.43 ng/dL, and back; without the mass it is refused."""
    assert convert(10, "nmol/L", "ng/dL", 288.43) == 288.43
    assert convert(288.43, "ng/dL", "nmol/L", 288.43) == 10
    assert "nmol/L" in accepted("ng/dL", 288.43)
    assert "nmol/L" not in accepted("ng/dL")


def test_hemoglobin_in_mmol_is_counted_by_the_chain(knowledge: Knowledge) -> None:
    """As laboratories print it: 8.5 mmol/L is 13.7 g/dL, and 1 g/dL is 0.6206 mmol/L."""
    mass = knowledge.concepts["hemoglobin"].molar_mass
    assert convert(8.5, "mmol/L", "g/dL", mass) == pytest.approx(13.7, abs=0.05)
    assert convert(1, "g/dL", "mmol/L", mass) == pytest.approx(0.6206, abs=0.00005)


def test_the_same_letters_mean_what_the_dimension_says() -> None:
    """G/L is giga per litre of platelets and, in capitals, gram per litre of albumin."""
    assert factor("G/L", "10*9/L") == 1
    assert factor("G/L", "g/dL") == Fraction(1, 10)


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_no_unit_for_what_is_no_number(value: float) -> None:
    """NaN and infinity are refused."""
    with pytest.raises(ValueError, match="finite"):
        convert(value, "g/L", "g/dL")


def test_no_spelling_is_two_units_of_one_dimension() -> None:
    """Spellings of one dimension that differ in case alone are the same amount: never mega for milli."""
    for dimension, names in NAMES.items():
        for one, two in combinations(names, 2):
            if one.casefold() == two.casefold() and dimension not in ("international units by volume",):
                assert UNITS[dimension][names[one]] == UNITS[dimension][names[two]], (one, two)


def test_every_concept_has_a_unit_of_ours(knowledge: Knowledge) -> None:
    """The canonical unit of each quantity is known, and converts to itself."""
    for concept in knowledge.concepts.values():
        if concept.unit:
            assert known(concept.unit), concept.id
            assert factor(concept.unit, concept.unit) == 1


_UNITS = [(unit, to) for table in UNITS.values() for unit in table for to in table]


@given(value=st.floats(0, 1e9), pair=st.sampled_from(_UNITS))
def test_there_and_back(value: float, pair: tuple[str, str]) -> None:
    """A value comes back from any unit of its dimension."""
    unit, to = pair
    assert math.isclose(convert(convert(value, unit, to), to, unit), value, rel_tol=1e-12, abs_tol=1e-300)
