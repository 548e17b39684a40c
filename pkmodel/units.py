"""Units: a small table of symbols and the arithmetic of products, quotients and powers.

Internal units are mg, L and h; beside them mm (length), m2 (area), mmol (amount) and 1e9 (cells). Length,
area and volume are independent dimensions here, because body surface area and organ volume never convert into
a diameter; only powers of a length symbol are tied to them (``mm3`` is a volume, ``m2`` an area). Mass and
volume are never exchanged: "1 g = 1 mL" belongs to reports.
"""

from __future__ import annotations

import math
import re
from functools import lru_cache

from pkmodel.errors import UnitError, nearest

_DIMENSIONS = ("mass", "volume", "time", "length", "area", "amount", "cells")
_Powers = tuple[float, ...]
_NONE: _Powers = (0.0,) * len(_DIMENSIONS)


def _table() -> dict[str, tuple[float, int | None]]:
    """Return symbol -> (factor to the internal unit, index of its dimension or None)."""
    mass, volume, time, length, _, amount, cells = range(len(_DIMENSIONS))
    symbols: dict[str, tuple[float, int | None]] = {
        "%": (0.01, None),
        "kg": (1e6, mass),
        "g": (1e3, mass),
        "mg": (1.0, mass),
        "ug": (1e-3, mass),
        "ng": (1e-6, mass),
        "pg": (1e-9, mass),
        "L": (1.0, volume),
        "l": (1.0, volume),
        "dL": (0.1, volume),
        "mL": (1e-3, volume),
        "ml": (1e-3, volume),
        "uL": (1e-6, volume),
        "m": (1e3, length),
        "cm": (10.0, length),
        "mm": (1.0, length),
        "um": (1e-3, length),
        "mol": (1e3, amount),
        "mmol": (1.0, amount),
        "umol": (1e-3, amount),
        "nmol": (1e-6, amount),
        "cells": (1e-9, cells),
        "1e9": (1.0, cells),
        "10^9": (1.0, cells),
        "1e6": (1e-3, cells),
        "10^6": (1e-3, cells),
    }
    times = {
        ("s", "sec"): 1 / 3600,
        ("min", "minute", "minutes"): 1 / 60,
        ("h", "hour", "hours"): 1.0,
        ("d", "day", "days"): 24.0,
        ("week", "weeks"): 168.0,
    }
    symbols.update({name: (scale, time) for names, scale in times.items() for name in names})
    return symbols


_SYMBOLS = _table()
_LENGTH, _AREA, _VOLUME = _DIMENSIONS.index("length"), _DIMENSIONS.index("area"), _DIMENSIONS.index("volume")
_FOLD = str.maketrans({"µ": "u", "μ": "u", "·": "*", "×": "*", "²": "2", "³": "3", "−": "-"})
_PLAIN = r"(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"
_NUMBER = re.compile(_PLAIN)
_SYMBOL = re.compile(r"(%|[A-Za-z]+)(?:\^?([+-]?[0-9]+(?:\.[0-9]+)?))?")
_QUANTITY = re.compile(rf"([+-]?(?:{_PLAIN}|(?:inf|nan)(?![A-Za-z])))(?![0-9.,])\s*(.*)", re.IGNORECASE)
# "1 500 mg" must not be read as 1 x "500 mg": a unit begins with a number only in 1/h and in counts of cells.
_SECOND_NUMBER = re.compile(r"(?!1\s*/|1e[69]|10\^[69])[0-9.]")
_DECIMAL_COMMA = re.compile(r"[0-9],[0-9]")


def _factor_of(token: str, unit: str) -> tuple[float, _Powers]:
    """Return scale and dimension of one factor of a unit."""
    powers = list(_NONE)
    entry, power = _SYMBOLS.get(token), 1.0
    if entry is None and _NUMBER.fullmatch(token):
        scale = float(token)
        if not 0 < scale < math.inf:
            raise UnitError(f"the number {token} in unit {unit!r} must be above 0 and finite")
        return scale, _NONE
    if entry is None and (match := _SYMBOL.fullmatch(token)):
        entry, power = _SYMBOLS.get(match[1]), float(match[2] or 1)
    if entry is None:
        raise UnitError(f"unknown unit {token!r} in {unit!r}; {nearest(token, _SYMBOLS)}")
    if not 0 < abs(power) <= 9:
        raise UnitError(f"the power {power:g} in unit {unit!r} is out of range")
    scale, dimension = entry
    total = scale**power
    if dimension == _LENGTH and abs(power) in (2, 3):
        # Powers of a length are areas in m2 (1e6 mm2) and volumes in L (1e6 mm3).
        powers[_AREA if abs(power) == 2 else _VOLUME] = math.copysign(1.0, power)
        total *= 1e-6 ** math.copysign(1.0, power)
    elif dimension is not None:
        powers[dimension] = power
    return total, tuple(powers)


@lru_cache(maxsize=1024)
def _parsed(unit: str) -> tuple[float, _Powers]:
    """Return factor to internal units and powers of the dimensions of a unit string."""
    groups = unit.translate(_FOLD).strip().split("/")
    scale, powers = 1.0, _NONE
    for position, group in enumerate(groups):
        # Everything between two slashes belongs together: mL/min/100 g is per (100 g).
        tokens = group.replace("*", " ").split()
        if not tokens:
            raise UnitError(f"{unit!r} is not a unit" if unit.strip() else "a unit is missing (dimensionless is '1')")
        sign = -1.0 if position else 1.0
        for token in tokens:
            if token == "1":
                continue
            each, raised = _factor_of(token, unit)
            scale *= each**sign
            powers = tuple(old + sign * new for old, new in zip(powers, raised, strict=True))
    if not 0 < scale < math.inf:
        raise UnitError(f"unit {unit!r} is out of range")
    return scale, powers


def dimension(unit: str) -> str:
    """Return the dimension of a unit in words, such as ``volume time^-1`` for L/h."""
    words = [
        name if power == 1 else f"{name}^{power:g}"
        for name, power in zip(_DIMENSIONS, _parsed(unit)[1], strict=True)
        if power
    ]
    return " ".join(words) or "dimensionless"


def to_internal(unit: str) -> float:
    """Return the factor from a unit to internal units (mg, L, h, mm, m2, mmol, 1e9 cells).

    Raises
    ------
    UnitError
        Unknown symbol or malformed unit.
    """
    return _parsed(unit)[0]


@lru_cache(maxsize=1024)
def factor(unit: str, to: str) -> float:
    """Return the number that turns a value in `unit` into a value in `to`.

    Raises
    ------
    UnitError
        A unit is unknown, or the two have different dimensions.

    Examples
    --------
    >>> factor("cm", "mm")
    10.0
    """
    if unit == to:
        to_internal(unit)
        return 1.0
    (scale, powers), (target, wanted) = _parsed(unit), _parsed(to)
    if powers != wanted:
        raise UnitError(f"cannot convert {unit!r} ({dimension(unit)}) to {to!r} ({dimension(to)})")
    ratio = scale / target
    # Decimal prefixes leave dust such as 1e-3/1e-6 = 1000.0000000000001; a unit factor is rarely that odd.
    rounded = float(f"{ratio:.15g}")
    return rounded if abs(rounded - ratio) <= 4e-16 * ratio else ratio


def parse(text: str, *, allow_inf: bool = False, allow_nan: bool = False) -> tuple[float, str]:
    """Split a quantity such as ``60 mm`` into number and unit.

    Parameters
    ----------
    text
        Number and unit; without a unit the second result is the empty string.
    allow_inf, allow_nan
        Whether the words ``inf`` and ``nan`` are numbers here.

    Raises
    ------
    UnitError
        No number, a decimal comma, inf or nan where not allowed, or an unknown unit.

    Examples
    --------
    >>> parse("1.3 L/min")
    (1.3, 'L/min')
    """
    cleaned = text.translate(_FOLD).strip()
    match = _QUANTITY.fullmatch(cleaned)
    if match is None:
        if _DECIMAL_COMMA.search(cleaned):
            raise UnitError(f"{text!r} has a decimal comma; write a decimal point")
        raise UnitError(f"{text!r} is not a number with a unit, such as '60 mm'")
    value, unit = float(match[1]), match[2]
    if _SECOND_NUMBER.match(unit):
        raise UnitError(f"{text!r} holds two numbers; write one number and its unit, such as '60 mm'")
    if math.isnan(value) and not allow_nan:
        raise UnitError(f"{text!r}: nan is not allowed here")
    if math.isinf(value) and not allow_inf:
        raise UnitError(f"{text!r}: the number must be finite")
    if unit:
        to_internal(unit)
    return value, unit
