"""Release laws by name: which parameters each has, their units and legal ranges, and how a law is made."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ParameterError, UnknownNameError
from .interpolation import PiecewiseCubic
from .release_kinds import Mixture, Power, Tabulated, Weibull
from .release_law import Array, ReleaseLaw


@dataclass(frozen=True)
class LawParameter:
    """Unit and legal range of a parameter."""

    unit: str
    low: float
    high: float

    @property
    def legal(self) -> str:
        """The range as text."""
        return f"[{self.low:g}, {self.high:g}]"


_RATE = LawParameter("1/h", 0.0, 1e6)
# Below this an exponent means a jump at the start and a constant after it (say so with a prompt fraction),
# and the clock power would exceed 20.
_LEAST_EXPONENT = 0.05
_RANGES: dict[str, LawParameter] = {
    "rate": _RATE,
    "fast_share": LawParameter("1", 0.0, 1.0),
    "fast_rate": _RATE,
    "slow_rate": _RATE,
    "scale": LawParameter("h", 1e-9, 1e6),
    "shape": LawParameter("1", _LEAST_EXPONENT, 20.0),
    "rate_constant": LawParameter("1/h^exponent", 0.0, 1e6),
    "exponent": LawParameter("1", _LEAST_EXPONENT, 5.0),
    "times": LawParameter("h", 0.0, 1e6),
    "fractions": LawParameter("1", 0.0, 1.0),
}

#: Parameters of each law, in the order in which they are documented.
LAW_PARAMETERS: dict[str, tuple[str, ...]] = {
    "none": (),
    "first_order": ("rate",),
    "biexponential": ("fast_share", "fast_rate", "slow_rate"),
    "weibull": ("scale", "shape"),
    "higuchi": ("rate_constant",),
    "korsmeyer_peppas": ("rate_constant", "exponent"),
    "tabulated": ("times", "fractions"),
}
LAW_NAMES: tuple[str, ...] = tuple(LAW_PARAMETERS)


def legal_range(name: str) -> LawParameter:
    """Unit and legal range of a law's parameter."""
    if name not in _RANGES:
        raise UnknownNameError.of("release parameter", name, _RANGES)
    return _RANGES[name]


def law_from_parameters(kind_name: str, **params: Any) -> ReleaseLaw:
    """Make a release law from its name and parameters, checked.

    Parameters
    ----------
    kind_name
        One of `LAW_NAMES`.
    params
        The parameters of that law (`LAW_PARAMETERS`), scalars or arrays with lanes last; for ``tabulated``
        the knots (m,), to which (0, 0) is added if absent. A parameter that is None, empty or entirely NaN
        counts as not given.

    Raises
    ------
    UnknownNameError
        No law, or no parameter, of that name.
    ParameterError
        A parameter is missing, superfluous or outside its legal range, or knots are out of order.
    """
    if kind_name not in LAW_PARAMETERS:
        raise UnknownNameError.of("release law", kind_name, LAW_NAMES)
    wanted = LAW_PARAMETERS[kind_name]
    given = {name: value for name, value in params.items() if not _absent(name, value)}
    for name in given:
        if name not in wanted:
            has = ", ".join(wanted) or "none at all"
            message = f"release law {kind_name!r} has no parameter {name!r} (it has {has})"
            raise ParameterError(message, field=name)
    for name in wanted:
        if name not in given:
            unit, legal = _RANGES[name].unit, _RANGES[name].legal
            message = f"release law {kind_name!r} needs {name} [{unit}], legal range {legal}"
            raise ParameterError(message, field=name, unit=unit, legal=legal)
    values = {name: _checked(name, given[name]) for name in wanted}
    if kind_name != "tabulated":
        _check_lanes(kind_name, values)
    return _MAKERS[kind_name](**values)


def _first_order(*, rate: Array) -> ReleaseLaw:
    return Mixture(fast_share=np.asarray(1.0), fast_rate=rate, slow_rate=np.asarray(0.0))


def _none() -> ReleaseLaw:
    return _first_order(rate=np.asarray(0.0))


def _higuchi(*, rate_constant: Array) -> ReleaseLaw:
    return Power(rate_constant=rate_constant, exponent=np.asarray(0.5))


def _tabulated(*, times: Array, fractions: Array) -> ReleaseLaw:
    """Build the curve; knots are a sequence shared by all lanes."""
    if times.ndim != 1 or times.shape != fractions.shape:
        shapes = f"{times.shape} and {fractions.shape}"
        raise ParameterError(f"times and fractions of a tabulated release must be equally long, got {shapes}")
    _check_order("times", times, np.diff(times) <= 0.0, "must increase strictly")
    _check_order("fractions", fractions, np.diff(fractions) < 0.0, "must not decrease")
    if times[0] > 0.0:
        times, fractions = np.append(0.0, times), np.append(0.0, fractions)
    if fractions[0] != 0.0:
        message = f"fractions[0] = {fractions[0]:g} at time 0, but release starts from 0"
        message += ": what is free at once is the carrier's prompt_fraction"
        raise ParameterError(message, field="fractions", value=float(fractions[0]), unit="1", legal="0")
    if len(times) < 2:
        raise ParameterError("a tabulated release needs at least one knot after time 0", field="times")
    return Tabulated(curve=PiecewiseCubic(times, fractions))


_MAKERS: dict[str, Callable[..., ReleaseLaw]] = {
    "none": _none,
    "first_order": _first_order,
    "biexponential": Mixture,
    "weibull": Weibull,
    "higuchi": _higuchi,
    "korsmeyer_peppas": Power,
    "tabulated": _tabulated,
}


def _absent(name: str, value: Any) -> bool:
    """Whether a parameter is not given: None, an empty list, or nothing but NaN."""
    legal_range(name)
    if value is None:
        return True
    values = _numbers(name, value)
    return values.size == 0 or bool(np.all(np.isnan(values)))


def _numbers(name: str, value: Any) -> Array:
    try:
        values = np.asarray(value)
        if values.dtype.kind not in "iuf":
            raise TypeError
    except (TypeError, ValueError):
        unit = _RANGES[name].unit
        message = f"{name} must be numbers [{unit}], got {value!r}"
        raise ParameterError(message, field=name, value=value, unit=unit) from None
    return values.astype(float)


def _checked(name: str, value: Any) -> Array:
    """The values as floats of their own, inside the legal range."""
    allowed = _RANGES[name]
    values = _numbers(name, value)
    bad = ~((values >= allowed.low) & (values <= allowed.high))  # NaN compares false and is refused here
    if np.any(bad):
        first = np.unravel_index(int(np.argmax(bad)), values.shape)
        value = float(values[first])
        place = name + "".join(f"[{int(i)}]" for i in first)
        message = f"{place} = {value:g} {allowed.unit} is outside the legal range {allowed.legal}"
        raise ParameterError(message, field=name, value=value, unit=allowed.unit, legal=allowed.legal)
    values.setflags(write=False)
    return values


def _check_lanes(kind_name: str, values: dict[str, Array]) -> None:
    try:
        np.broadcast_shapes(*(value.shape for value in values.values()))
    except ValueError:
        listed = ", ".join(f"{name}: {value.shape}" for name, value in values.items())
        message = f"parameters of release law {kind_name!r} differ in their lanes ({listed})"
        raise ParameterError(message) from None


def _check_order(name: str, values: Array, wrong: NDArray[np.bool_], rule: str) -> None:
    if np.any(wrong):
        i = int(np.argmax(wrong))
        message = f"{name} of a tabulated release {rule}; {values[i]:g} comes before {values[i + 1]:g}"
        raise ParameterError(message, field=name, value=float(values[i + 1]))
