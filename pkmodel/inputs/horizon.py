"""How long and at which times a course is followed: checks and defaults."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import ParameterError
from .fields import plain_numbers

Array = NDArray[np.float64]
LONGEST_FOLLOW_UP_H = 1e6


def horizon_h(until_h: float | None, until_days: float | None) -> float:
    """The horizon [h] from either of its two forms.

    Raises
    ------
    ParameterError
        If none or both are given, or the value is not in (0, 1e6] h.
    """
    if (until_h is None) == (until_days is None):
        raise ParameterError("give the horizon as until_h or as until_days, one of them", field="until_h")
    name, value, unit = ("until_h", until_h, "h") if until_h is not None else ("until_days", until_days, "d")
    if isinstance(value, bool) or not isinstance(value, int | float | np.integer | np.floating):
        raise ParameterError(f"{name} = {value!r} is not a number of {unit}", field=name, value=value, unit=unit)
    hours = float(value) * (1.0 if unit == "h" else 24.0)
    if not 0.0 < hours <= LONGEST_FOLLOW_UP_H:
        longest = LONGEST_FOLLOW_UP_H / (1.0 if unit == "h" else 24.0)
        raise ParameterError(
            f"{name} = {value:g} {unit}; legal range (0, {longest:g}] {unit}", field=name, value=value, unit=unit
        )
    return hours


def checked_rtol(rtol: float) -> float:
    """The relative tolerance of a run [1].

    Raises
    ------
    ParameterError
        If it is not a number in [1e-10, 1e-2].
    """
    if isinstance(rtol, bool) or not isinstance(rtol, int | float) or not 1e-10 <= rtol <= 1e-2:
        raise ParameterError(
            f"rtol = {rtol!r}; legal range [1e-10, 1e-2]", field="rtol", value=rtol, legal="[1e-10, 1e-2]"
        )
    return float(rtol)


def checked_times(times_h: ArrayLike, horizon: float) -> Array:
    """Times at which a course is wanted [h], (m,): finite, increasing, from 0 to the horizon.

    Raises
    ------
    ParameterError
        Naming the first time that is not.
    """
    times = plain_numbers(times_h, "times_h", "h")
    if times.ndim != 1 or times.size == 0:
        raise ParameterError(f"times_h must be a list of at least one time, got shape {times.shape}", field="times_h")
    bad = ~(np.isfinite(times) & (times >= 0.0) & (times <= horizon))
    if bad.any():
        i = int(np.argmax(bad))
        raise ParameterError(
            f"times_h[{i}] = {times[i]:g} h; legal range [0, {horizon:g}] h", field="times_h", unit="h"
        )
    falling = np.diff(times) <= 0.0
    if falling.any():
        i = int(np.argmax(falling)) + 1
        raise ParameterError(
            f"times_h[{i}] = {times[i]:g} h does not come after {times[i - 1]:g} h; times must increase",
            field="times_h",
        )
    return times


def default_times(until_h: float) -> Array:
    """About 200 times from 0 to the horizon [h], dense in the first hours."""
    return np.unique(
        np.concatenate([[0.0], np.geomspace(min(0.01, until_h), until_h, 120), np.linspace(0, until_h, 85)])
    )
