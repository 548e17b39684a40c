"""Fields of records: what each may hold, and the one place where a value is checked and normalised."""

from __future__ import annotations

import dataclasses
import math
import numbers
import re
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from pkmodel import units
from pkmodel.errors import ParameterError, UnitError, nearest

Value: TypeAlias = float | NDArray[np.float64]
REQUIRED: Any = dataclasses.MISSING
NAME_PATTERN = r"[A-Za-z0-9][A-Za-z0-9_-]*"
_LOOKS_NUMERIC = re.compile(r"\s*[+\-−]?(\.?[0-9]|(inf|nan)\b)", re.IGNORECASE)


@dataclass(frozen=True)
class FieldSpec:
    """What one field of a record may hold.

    Parameters
    ----------
    kind
        ``number``, ``series`` (tuple of numbers), ``text``, ``part`` (record), ``items`` (tuple of records)
        or ``other`` (checked by its record).
    doc
        One line for people.
    name
        The field's name in its record.
    unit
        The field's own unit: values are stored and shown in it.
    low, high, low_open, high_open
        Legal range; an open end is itself excluded.
    allow_inf, allow_nan
        Whether inf (always without limit) and nan (not known, not applicable) are legal.
    choices, pattern
        Legal texts.
    record
        Record class of a ``part`` or of ``items``.
    optional
        Whether None is legal.
    identity
        Whether the value belongs to the record's digest.
    default
        Default in the code, or `REQUIRED`.
    """

    kind: str
    doc: str
    name: str = ""
    unit: str = "1"
    low: float = -math.inf
    high: float = math.inf
    low_open: bool = False
    high_open: bool = False
    allow_inf: bool = False
    allow_nan: bool = False
    choices: tuple[str, ...] | None = None
    pattern: str | None = None
    record: type | None = None
    optional: bool = False
    identity: bool = True
    default: Any = dataclasses.field(default_factory=lambda: REQUIRED)

    @property
    def required(self) -> bool:
        """Whether the field has no default in the code."""
        return self.default is REQUIRED

    @property
    def legal(self) -> str:
        """The legal range or choices in words."""
        if self.kind == "text":
            return ", ".join(self.choices) if self.choices else "a text"
        if self.kind in ("part", "items"):
            return f"a {self.record.__name__} record" if self.record else "a record"
        left = "(" if self.low_open or math.isinf(self.low) else "["
        right = ")" if self.high_open or math.isinf(self.high) else "]"
        unit = "" if self.unit == "1" else f" {self.unit}"
        extra = " or inf" * self.allow_inf + " or nan" * self.allow_nan
        return f"{left}{self.low:g}, {self.high:g}{right}{unit}{extra}"

    @property
    def is_parameter(self) -> bool:
        """Whether the field is a parameter that should have an origin (names and titles are not)."""
        return self.kind in ("number", "series") or (self.kind == "text" and self.choices is not None)


def _refuse(spec: FieldSpec, label: str, value: Any, why: str) -> ParameterError:
    return ParameterError(
        f"{label}: {why}; legal: {spec.legal}", field=label, value=value, unit=spec.unit, legal=spec.legal
    )


def _outside(spec: FieldSpec, label: str, value: float) -> ParameterError:
    unit = "" if spec.unit == "1" else f" {spec.unit}"
    return ParameterError(
        f"{label} = {value:g}{unit} is outside the legal range {spec.legal}",
        field=label,
        value=value,
        unit=spec.unit,
        legal=spec.legal,
    )


def _scalar_from_text(spec: FieldSpec, value: str, label: str) -> float:
    if not _LOOKS_NUMERIC.match(value):
        raise _refuse(spec, label, value, f"{value!r} is not a number")
    try:
        parsed, unit = units.parse(value, allow_inf=True, allow_nan=True)
        # A bare number, even as text from a command line, is in the field's own unit.
        return parsed * units.factor(unit, spec.unit) if unit else parsed
    except UnitError as error:
        raise error.located(label) from None


def _scalar(spec: FieldSpec, value: Any, label: str) -> float:
    """Return one legal number, or raise."""
    if isinstance(value, str):
        value = _scalar_from_text(spec, value, label)
    elif isinstance(value, bool | np.bool_) or not isinstance(value, numbers.Real):
        raise _refuse(spec, label, value, f"{value!r} ({type(value).__name__}) is not a number")
    try:
        result = float(value) + 0.0  # turns -0.0 into 0.0, so that equal values have equal digests
    except OverflowError:
        raise _refuse(spec, label, value, "the number is too large") from None
    if result != result:
        legal = spec.allow_nan
    elif result in (math.inf, -math.inf):
        legal = spec.allow_inf and result > 0
    else:
        legal = (result > spec.low if spec.low_open else result >= spec.low) and (
            result < spec.high if spec.high_open else result <= spec.high
        )
    if not legal:
        raise _outside(spec, label, result)
    return result


def _array(spec: FieldSpec, value: Any, label: str) -> NDArray[np.float64]:
    """Return a read-only float64 copy of a 1-D array of legal numbers, or raise."""
    if isinstance(value, list | tuple):
        array = np.array([_scalar(spec, each, f"{label}[{i}]") for i, each in enumerate(value)], dtype=np.float64)
    else:
        given = np.asanyarray(value)
        if np.ma.is_masked(given):
            raise _refuse(spec, label, value, "the array has masked values")
        if given.dtype.kind not in "fiu":
            raise _refuse(spec, label, value, f"an array of {given.dtype} is not an array of numbers")
        if given.ndim != 1:
            raise _refuse(
                spec, label, value, f"the array has shape {given.shape}; one value a lane needs one dimension"
            )
        with np.errstate(over="ignore"):
            array = np.array(given, dtype=np.float64) + 0.0
        finite = np.isfinite(array)
        legal = finite & (array > spec.low if spec.low_open else array >= spec.low)
        legal &= array < spec.high if spec.high_open else array <= spec.high
        if spec.allow_inf:
            legal |= array == np.inf
        if spec.allow_nan:
            legal |= np.isnan(array)
        if not legal.all():
            index = int(np.argmin(legal))
            raise _outside(spec, f"{label}[{index}]", float(array[index]))
    if array.size == 0:
        raise _refuse(spec, label, value, "the array is empty")
    array.setflags(write=False)
    return array


def number_value(spec: FieldSpec, value: Any, label: str) -> Value:
    """Check a numeric value and return it as a float or a read-only float64 array in the field's own unit.

    Parameters
    ----------
    spec
        The field.
    value
        A number, a string with unit, or a sequence of them.
    label
        The name to use in messages, such as ``patient.tumour.diameter``.

    Raises
    ------
    ParameterError
        Not a number, or outside the legal range; the first bad index is named.
    UnitError
        A string whose unit cannot be converted, or with a decimal comma.
    """
    if isinstance(value, list | tuple):
        return _array(spec, value, label)
    if hasattr(value, "__array__") and not isinstance(value, np.generic):
        if np.ndim(value) == 0 and not np.ma.is_masked(value):
            return _scalar(spec, np.asarray(value)[()], label)
        return _array(spec, value, label)
    return _scalar(spec, value, label)


def plain_numbers(value: Any, label: str, unit: str) -> NDArray[np.float64]:
    """Return numbers without a unit as a float64 copy of any shape, or raise.

    Raises
    ------
    ParameterError
        Texts, booleans, complex numbers, masked values, rows of different length; the first bad index is named.
    """
    if isinstance(value, list | tuple):
        for i, each in enumerate(value):
            if isinstance(each, bool | np.bool_ | str) or (np.ndim(each) == 0 and not isinstance(each, numbers.Real)):
                raise _not_numbers(f"{label}[{i}]", each, unit)
    try:
        given = np.asanyarray(value)
    except ValueError:
        raise ParameterError(f"{label} has rows of different length", field=label, unit=unit) from None
    if given.dtype.kind not in "iuf" or np.ma.is_masked(given):
        raise _not_numbers(label, value, unit)
    return np.array(given, dtype=np.float64)


def _not_numbers(label: str, value: Any, unit: str) -> ParameterError:
    shown = " ".join(repr(value).split())
    shown = shown if len(shown) <= 60 else f"{shown[:57]}..."
    kind, in_unit = type(value).__name__, "" if unit == "1" else f" in {unit}"
    message = f"{label} must be numbers{in_unit}, got {shown} ({kind})"
    return ParameterError(message, field=label, value=value, unit=unit)


def text_value(spec: FieldSpec, value: Any, label: str) -> str:
    """Check a text value."""
    if not isinstance(value, str):
        raise _refuse(spec, label, value, f"{value!r} ({type(value).__name__}) is not a text")
    if spec.choices is not None and value not in spec.choices:
        raise ParameterError(
            f"{label} = {value!r} is not legal; {nearest(value, spec.choices)}",
            field=label,
            value=value,
            legal=spec.legal,
        )
    if spec.pattern is not None and not re.fullmatch(spec.pattern, value):
        raise _refuse(spec, label, value, f"{value!r} is not a name (letters, digits, _ and - only)")
    return value


def field_value(spec: FieldSpec, value: Any, label: str) -> Any:
    """Check and normalise the value of any field."""
    if spec.kind == "other" or (value is None and spec.optional):
        return value
    if spec.kind == "number":
        return number_value(spec, value, label)
    if spec.kind == "text":
        return text_value(spec, value, label)
    if spec.kind == "series":
        if isinstance(value, str) or not hasattr(value, "__iter__"):
            raise _refuse(spec, label, value, f"{value!r} is not a list of numbers")
        return tuple(_scalar(spec, each, f"{label}[{i}]") for i, each in enumerate(value))
    assert spec.record is not None
    if spec.kind == "part":
        if not isinstance(value, spec.record):
            raise _refuse(spec, label, value, f"{type(value).__name__} is not a {spec.record.__name__} record")
        return value
    if isinstance(value, (spec.record, str)) or not hasattr(value, "__iter__"):
        raise _refuse(spec, label, value, f"{type(value).__name__} is not a list of {spec.record.__name__} records")
    result = tuple(value)
    for i, each in enumerate(result):
        if not isinstance(each, spec.record):
            raise _refuse(spec, f"{label}[{i}]", each, f"{type(each).__name__} is not a {spec.record.__name__} record")
    return result
