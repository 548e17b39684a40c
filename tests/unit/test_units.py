"""Units: exact factors, dimensions that refuse each other, quantities as people write them."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pkmodel import units
from pkmodel.errors import UnitError

FACTORS = [
    ("mg", "g", 1e-3),
    ("kg", "mg", 1e6),
    ("ug", "ng", 1e3),
    ("g", "pg", 1e12),
    ("mL", "L", 1e-3),
    ("dL", "uL", 1e5),
    ("d", "h", 24.0),
    ("week", "d", 7.0),
    ("min", "s", 60.0),
    ("h", "hours", 1.0),
    ("cm", "mm", 10.0),
    ("m", "um", 1e6),
    ("mm3", "mL", 1e-3),
    ("cm^3", "mL", 1.0),
    ("m2", "cm2", 1e4),
    ("m²", "m2", 1.0),
    ("mL/min", "L/h", 0.06),
    ("L/min", "mL/min", 1000.0),
    ("ng/mL", "mg/L", 1e-3),
    ("ug/mL", "mg/L", 1.0),
    ("mg/m2", "mg/m^2", 1.0),
    ("%", "1", 0.01),
    ("1/d", "1/h", 1 / 24),
    ("h^-1", "1/h", 1.0),
    ("d-1", "1/d", 1.0),
    ("L/h/L", "1/h", 1.0),
    ("L h-1 m-2", "L/h/m2", 1.0),
    ("mL/min/100 g", "mL/min/g", 0.01),
    ("ug*h/g", "mg*h/kg", 1.0),
    ("ug·h/mL", "mg*h/L", 1.0),
    ("µg", "ug", 1.0),
    ("μg/L", "ng/mL", 1.0),
    ("1e9/L", "1e6/mL", 1.0),
    ("10^9/L", "1e9/L", 1.0),
    ("cells/uL", "1e9/L", 1e-3),
    ("g/mol", "mg/mmol", 1.0),
    ("umol/L", "nmol/mL", 1.0),
    ("1/h^0.5", "1/min^0.5", 60**-0.5),
    ("1", "1", 1.0),
    ("mg / L", "mg/L", 1.0),
    ("1/mm3", "1/mL", 1e3),
]


@pytest.mark.parametrize(("unit", "to", "expected"), FACTORS)
def test_factor(unit: str, to: str, expected: float) -> None:
    assert units.factor(unit, to) == pytest.approx(expected, rel=1e-15)
    assert units.factor(to, unit) == pytest.approx(1 / expected, rel=1e-15)


@pytest.mark.parametrize(
    ("unit", "to", "expected"), [("mL", "uL", 1000.0), ("ng/mL", "mg/L", 0.001), ("mm", "cm", 0.1)]
)
def test_decimal_factors_are_exact(unit: str, to: str, expected: float) -> None:
    assert units.factor(unit, to) == expected


@pytest.mark.parametrize(
    ("unit", "expected"),
    [
        ("mg/L", 1.0),
        ("mL/min", 0.06),
        ("1/d", 1 / 24),
        ("mm", 1.0),
        ("m2", 1.0),
        ("1e9/L", 1.0),
        ("g/mol", 1.0),
        ("mL", 1e-3),
        ("%", 0.01),
        ("d", 24.0),
        ("L/mg", 1.0),
    ],
)
def test_to_internal(unit: str, expected: float) -> None:
    assert units.to_internal(unit) == pytest.approx(expected, rel=1e-15)


@pytest.mark.parametrize(
    ("unit", "to", "words"),
    [
        ("mg", "h", "cannot convert 'mg' (mass) to 'h' (time)"),
        ("g", "mL", "cannot convert 'g' (mass) to 'mL' (volume)"),
        ("mm", "mL", "(length) to 'mL' (volume)"),
        ("L/h", "L", "(volume time^-1) to 'L' (volume)"),
        ("1", "mg", "(dimensionless) to 'mg' (mass)"),
        ("umol/L", "mg/L", "'umol/L' (volume^-1 amount)"),
    ],
)
def test_other_dimension_is_refused_with_both_named(unit: str, to: str, words: str) -> None:
    with pytest.raises(UnitError) as caught:
        units.factor(unit, to)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("unit", "words"),
    [
        ("mgg", "did you mean 'mg'"),
        ("", "a unit is missing"),
        ("/L", "is not a unit"),
        ("mg//L", "is not a unit"),
        ("0 g", "must be above 0"),
        ("1e999 g", "must be above 0"),
        ("mg^9999", "out of range"),
        ("kg^400", "out of range"),
        ("mm-9999", "out of range"),
        ("mg0", "out of range"),
        ("*".join(["kg9"] * 7), "out of range"),
        ("mg+L", "unknown unit"),
    ],
)
def test_malformed_units(unit: str, words: str) -> None:
    with pytest.raises(UnitError, match=words.replace("(", r"\(")):
        units.to_internal(unit)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("60 mm", (60.0, "mm")),
        ("1.3 L/min", (1.3, "L/min")),
        ("10 %", (10.0, "%")),
        ("15 min", (15.0, "min")),
        ("28d", (28.0, "d")),
        ("-3e-2 mg", (-0.03, "mg")),
        (".5 h", (0.5, "h")),
        ("60", (60.0, "")),
        ("0.5 1/h", (0.5, "1/h")),
        ("5.05 1e9/L", (5.05, "1e9/L")),
        ("  7 µg ", (7.0, "ug")),
        ("−2 h", (-2.0, "h")),
        ("5 mL/min/100 g", (5.0, "mL/min/100 g")),
    ],
)
def test_parse(text: str, expected: tuple[float, str]) -> None:
    assert units.parse(text) == expected


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("1,5 mg", "decimal comma"),
        ("1,000 mg", "decimal comma"),
        ("1 500 mg", "two numbers"),
        ("4 0 mm", "two numbers"),
        ("inf d", "must be finite"),
        ("nan", "nan is not allowed"),
        ("infusion", "not a number"),
        ("", "not a number"),
        ("mg 5", "not a number"),
        ("1.5.2 mg", "not a number"),
        ("5 florins", "unknown unit"),
        ("1e999 mg", "must be finite"),
        ("1_000 mg", "unknown unit"),
        ("٣ mg", "not a number"),
    ],
)
def test_parse_refuses(text: str, words: str) -> None:
    with pytest.raises(UnitError, match=words):
        units.parse(text)


def test_parse_takes_inf_and_nan_where_asked() -> None:
    assert units.parse("inf d", allow_inf=True) == (math.inf, "d")
    assert math.isnan(units.parse("nan", allow_nan=True)[0])


NAMES = st.sampled_from(["mg", "g", "L", "mL", "h", "d", "min", "mm", "umol", "cells"])
UNITS = st.lists(st.tuples(NAMES, st.integers(-3, 3).filter(bool)), min_size=1, max_size=3).map(
    lambda pairs: "*".join(f"{name}^{power}" for name, power in pairs)
)


@given(st.floats(allow_nan=False, allow_infinity=False), UNITS)
def test_a_written_quantity_reads_back(value: float, unit: str) -> None:
    assert units.parse(f"{value!r} {unit}") == (value, unit)


@given(UNITS, UNITS)
def test_products_and_quotients_multiply_and_divide(one: str, other: str) -> None:
    a, b = units.to_internal(one), units.to_internal(other)
    assert units.to_internal(f"{one}*{other}") == pytest.approx(a * b, rel=1e-12)
    inverse = "/".join(["1", *other.split("*")])
    assert units.to_internal(f"{one}*{other}{inverse[1:]}") == pytest.approx(a, rel=1e-12)


@given(st.text(max_size=20))
def test_any_text_is_parsed_or_refused_clearly(text: str) -> None:
    try:
        value, unit = units.parse(text)
    except UnitError as error:
        assert str(error)
    else:
        assert math.isfinite(value)
        assert unit == "" or units.to_internal(unit) > 0
