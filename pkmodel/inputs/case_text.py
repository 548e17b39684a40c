"""Texts of a case: times, windows, keys and choices, each with a message that says where it stands."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from pkmodel import units
from pkmodel.errors import FileError, UnknownNameError


def hours(text: str, where: str) -> float:
    """A time as a text with a unit, such as ``"24 h"``, in hours; ``"inf"`` is one."""
    if text == "inf":
        return float("inf")
    try:
        value, unit = units.parse(text)
        return value * units.factor(unit, "h")
    except (ValueError, TypeError) as error:
        raise FileError(f"{where}: {error}") from None


def window(text: str, where: str) -> tuple[float, float]:
    """A window such as ``"0-24 h"`` or ``"0-inf"`` [h]."""
    found = re.fullmatch(r"\s*([0-9.]+)\s*-\s*([0-9.]+|inf)\s*([a-z]*)\s*", text)
    if not found:
        raise FileError(f"{where}: {text!r} is no window, such as '0-24 h'")
    low, high, unit = found.groups()
    unit = unit or "h"
    ends = hours(f"{low} {unit}", where), hours("inf" if high == "inf" else f"{high} {unit}", where)
    if not ends[0] < ends[1]:
        raise FileError(f"{where}: the window {text!r} is empty")
    return ends


def only(table: Mapping[str, Any], known: set[str], where: str) -> Mapping[str, Any]:
    """The table; FileError for a key that is not known."""
    for name in table:
        if name not in known:
            raise FileError(f"{where}: {UnknownNameError.of('key', name, sorted(known))}")
    return table


def choice(value: Any, choices: tuple[str, ...], what: str, where: str) -> str:
    """The value; FileError unless it is one of the choices."""
    if value not in choices:
        raise FileError(f"{where}: {UnknownNameError.of(what, str(value), choices)}")
    return str(value)
