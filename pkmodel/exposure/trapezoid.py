"""Areas under a sampled curve: checks of samples, rules for values below quantification, AUC and AUMC.

A concentration of 0 is one below the limit of quantification (BLQ), NaN is a missing sample.

References
----------
Purves RD (1992) Optimum numerical integration methods for estimation of AUC and AUMC.
J Pharmacokinet Biopharm 20:211-226.
"""

from __future__ import annotations

import math
import numbers
import warnings
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pkmodel.errors import ParameterError

FloatArray = NDArray[np.float64]

METHODS = ("linear", "lin-up/log-down")
UPTO = ("last", "all", "inf")
BLQ_RULES = ("zero", "drop", "half")
ALL_MISSING = "all concentrations are missing"
ALL_BLQ = "no concentration is above the limit of quantification"

_MOMENT_SERIES = [(-1.0) ** n * (n + 1.0) / math.factorial(n + 2) for n in range(10)]
# Below this log ratio the closed form of the moment cancels; the series is exact to 1e-16 there.
_SERIES_BELOW = 0.1


class NcaWarning(UserWarning):
    """A quantity is missing because of the data; the message is its reason."""


class BlqSamples(NamedTuple):
    """Samples after the BLQ rules; `measured` marks those that were quantified."""

    times_h: FloatArray
    concentration: FloatArray
    measured: NDArray[np.bool_]


def auc(
    times_h: ArrayLike,
    concentration: ArrayLike,
    *,
    upto: str = "last",
    method: str = "linear",
    start_h: float | None = None,
    end_h: float | None = None,
    lambda_z: float | None = None,
    clast: float | None = None,
) -> float:
    """Area under the curve by trapezoids.

    Parameters
    ----------
    times_h, concentration : array_like, shape (n,)
        Samples, times strictly increasing [h]; NaN concentrations are left out.
    upto : {"last", "all", "inf"}
        To the last positive concentration; on to the first BLQ sample after it (a straight line down); or to
        infinity.
    method : {"linear", "lin-up/log-down"}
        Straight lines, or exponentials wherever the concentration falls to a positive value.
    start_h, end_h : float, optional
        Part of the curve [h]: by default from the first sample to where `upto` ends. Between samples the
        concentration is interpolated by `method`; "inf" takes no `end_h`.
    lambda_z, clast : float, optional
        For "inf" only: the terminal rate [1/h] and the concentration to extrapolate from (default: the last
        observed).

    Returns
    -------
    float
        [concentration x h]; NaN with an `NcaWarning` when it cannot be computed.

    Raises
    ------
    ParameterError
        For samples or options that are not legal.
    """
    times, conc = check_samples(times_h, concentration)
    tail = (lambda_z, clast)
    return warned(*area(times, conc, upto=upto, method=method, window=(start_h, end_h), tail=tail))


def aumc(
    times_h: ArrayLike,
    concentration: ArrayLike,
    *,
    upto: str = "last",
    method: str = "linear",
    start_h: float | None = None,
    end_h: float | None = None,
    lambda_z: float | None = None,
    clast: float | None = None,
) -> float:
    """Area under the first moment, t C(t), of a curve whose dose is at time 0 [concentration x h^2].

    Parameters, warnings and errors are those of `auc`.
    """
    times, conc = check_samples(times_h, concentration)
    window, tail = (start_h, end_h), (lambda_z, clast)
    return warned(*area(times, conc, upto=upto, method=method, window=window, tail=tail, moment=1))


def apply_blq(
    times_h: ArrayLike,
    concentration: ArrayLike,
    *,
    lloq: float | None = None,
    first: str = "zero",
    middle: str = "zero",
    last: str = "zero",
) -> BlqSamples:
    """Treat concentrations below the limit of quantification, by their place in the profile.

    Parameters
    ----------
    times_h, concentration : array_like, shape (n,)
        Samples; NaN concentrations are left out.
    lloq : float, optional
        Lower limit of quantification; without it only exact zeros are BLQ.
    first, middle, last : {"zero", "drop", "half"}
        Rule before the first, between, and after the last quantified sample: count as 0, leave out, or put
        lloq/2. `last` may not be "half", which would move the last quantified sample. (PKNCA's defaults
        differ: middle "drop".)

    Returns
    -------
    BlqSamples

    Raises
    ------
    ParameterError
        For samples or rules that are not legal.
    """
    check_number("lloq", lloq, optional=True)
    if lloq is not None and not (math.isfinite(lloq) and lloq > 0.0):
        raise ParameterError(f"lloq = {lloq!r}; legal range (0, inf)")
    for name, rule in (("first", first), ("middle", middle), ("last", last)):
        check_choice(f"BLQ rule {name}", rule, BLQ_RULES)
        if rule == "half" and (name == "last" or lloq is None):
            why = "it would move the last quantified sample" if name == "last" else "it needs lloq"
            raise ParameterError(f"BLQ rule {name} = 'half': {why}")
    times, conc = check_samples(times_h, concentration)
    measured = (conc > 0.0) if lloq is None else (conc >= lloq)
    found = np.flatnonzero(measured)
    low, high = (found[0], found[-1]) if found.size else (times.size, times.size)
    keep = np.ones(times.size, dtype=np.bool_)
    conc = conc.copy()
    for index in np.flatnonzero(~measured):
        rule = first if index < low else middle if index < high else last
        keep[index] = rule != "drop"
        conc[index] = lloq / 2.0 if rule == "half" and lloq is not None else 0.0
    return BlqSamples(times[keep], conc[keep], measured[keep])


def check_samples(times_h: ArrayLike, concentration: ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Return the samples as float arrays without the missing ones, or raise `ParameterError`."""
    times = _float_vector("times_h", times_h)
    conc = _float_vector("concentration", concentration)
    if times.size == 0:
        raise ParameterError("times_h is empty: at least one sample is needed")
    if times.size != conc.size:
        raise ParameterError(
            f"times_h has {times.size} values, concentration has {conc.size}: give one a time"
        )
    if not np.all(np.isfinite(times)):
        index = int(np.flatnonzero(~np.isfinite(times))[0])
        raise ParameterError(f"times_h[{index}] = {times[index]:g} h is not a finite time")
    steps = np.flatnonzero(np.diff(times) <= 0.0)
    if steps.size:
        index = int(steps[0]) + 1
        raise ParameterError(
            f"times_h[{index}] = {times[index]:g} h does not come after {times[index - 1]:g} h before it: "
            "sort the samples and keep one a time"
        )
    bad = np.flatnonzero((conc < 0.0) | np.isinf(conc))
    if bad.size:
        raise ParameterError(
            f"concentration[{bad[0]}] = {conc[bad[0]]:g}; legal range [0, inf), 0 for BLQ, NaN for missing"
        )
    known = ~np.isnan(conc)
    return times[known], conc[known]


def check_number(name: str, value: Any, *, optional: bool = False) -> None:
    """Raise `ParameterError` unless `value` is a real number, or None where that is an option not used."""
    if value is None and optional:
        return
    if isinstance(value, bool | np.bool_) or not isinstance(value, numbers.Real):
        raise ParameterError(f"{name} = {value!r} is not a number", field=name, value=value)


def check_choice(name: str, value: str, choices: tuple[str, ...]) -> None:
    """Raise `ParameterError` unless `value` is one of `choices`."""
    if value not in choices:
        raise ParameterError(f"{name} = {value!r}; legal values: {', '.join(choices)}")


def warned(value: float, reason: str) -> float:
    """Return `value`, issuing its `reason` as an `NcaWarning` of the caller's caller if there is one."""
    if reason:
        warnings.warn(reason, NcaWarning, stacklevel=3)
    return value


def area(
    times: FloatArray,
    conc: FloatArray,
    *,
    upto: str,
    method: str,
    window: tuple[float | None, float | None] = (None, None),
    tail: tuple[float | None, float | None] = (None, None),
    moment: int = 0,
) -> tuple[float, str]:
    """As `auc` (moment 0), `aumc` (moment 1) on checked samples: value, reason it is missing; no warning."""
    check_choice("upto", upto, UPTO)
    check_choice("method", method, METHODS)
    start, end = _check_window(window, upto)
    rate, clast = tail
    check_number("lambda_z", rate, optional=True)
    check_number("clast", clast, optional=True)
    if clast is not None and not (math.isfinite(clast) and clast >= 0.0):
        raise ParameterError(f"clast = {clast:g}; legal range [0, inf)", field="clast", value=clast)
    if (upto == "inf") != (rate is not None):
        raise ParameterError(
            f"lambda_z = {rate!r} with upto = {upto!r}: only 'inf' takes a rate, and it needs one"
        )
    if times.size == 0:
        return math.nan, ALL_MISSING
    start = float(times[0]) if start is None else start
    if start < times[0]:
        return math.nan, (
            f"the area starts at {start:g} h, before the first sample at {times[0]:g} h: "
            "add a sample there (0 before a first dose)"
        )
    positive = np.flatnonzero(conc > 0.0)
    if positive.size == 0:
        return (math.nan, ALL_BLQ) if upto == "inf" else (0.0, "")
    last = int(positive[-1])
    stop = last + (2 if upto == "all" else 1)
    t, c = _cut(times[:stop], conc[:stop], start=start, end=end, method=method)
    body = float(np.sum(_trapezoids(t, c, method=method, moment=moment)))
    if rate is None:
        return body, ""
    if not rate > 0.0:
        return math.nan, f"lambda_z = {rate:g} 1/h is not positive: nothing to extrapolate with"
    tlast = float(times[last])
    begin = max(start, tlast)
    at = float(conc[last] if clast is None else clast) * math.exp(-rate * (begin - tlast))
    return body + (at / rate if moment == 0 else at * (begin / rate + 1.0 / rate**2)), ""


def _check_window(window: tuple[float | None, float | None], upto: str) -> tuple[float | None, float | None]:
    start, end = window
    for name, value in (("start_h", start), ("end_h", end)):
        check_number(name, value, optional=True)
        if value is not None and not math.isfinite(value):
            raise ParameterError(f"{name} = {value:g} h is not a finite time")
    if start is not None and end is not None and not start < end:
        raise ParameterError(f"start_h = {start:g} h does not lie before end_h = {end:g} h")
    if end is not None and upto == "inf":
        raise ParameterError(f"end_h = {end:g} h with upto = 'inf': an area to infinity takes no end")
    return start, end


def _cut(
    times: FloatArray, conc: FloatArray, *, start: float, end: float | None, method: str
) -> tuple[FloatArray, FloatArray]:
    """Part of the curve from start to end, as far as it has samples; both ends interpolated."""
    stop = times[-1] if end is None else min(end, times[-1])
    if start >= stop:
        return times[:0], conc[:0]
    inner = (times > start) & (times < stop)
    grid = np.concatenate([[start], times[inner], [stop]])
    ends = [_interpolated(x, times, conc, method=method) for x in (start, float(stop))]
    return grid, np.concatenate([ends[:1], conc[inner], ends[1:]])


def _interpolated(x: float, times: FloatArray, conc: FloatArray, *, method: str) -> float:
    left = int(np.searchsorted(times, x, side="right")) - 1
    if times[left] == x:
        return float(conc[left])
    c1, c2 = float(conc[left]), float(conc[left + 1])
    weight = float((x - times[left]) / (times[left + 1] - times[left]))
    if method == "lin-up/log-down" and c1 > c2 > 0.0:
        return c1 ** (1.0 - weight) * c2**weight
    return (1.0 - weight) * c1 + weight * c2


def _trapezoids(times: FloatArray, conc: FloatArray, *, method: str, moment: int) -> FloatArray:
    """Area or first moment of each interval."""
    step, t1, c1, c2 = np.diff(times), times[:-1], conc[:-1], conc[1:]
    linear = step * (c1 + c2) / 2.0 if moment == 0 else step * (t1 * c1 + times[1:] * c2) / 2.0
    falls = (c1 > c2) & (c2 > 0.0)
    if method == "linear" or not np.any(falls):
        return linear
    h, a, b = step[falls], c1[falls], c2[falls]
    # log1p keeps all digits of the ratio of two nearly equal concentrations, where log(a / b) loses them
    close = a < 2.0 * b
    ratio = np.where(close, np.log1p((a - b) / np.where(close, b, a)), np.log(a) - np.log(b))
    piece = h * (a - b) / ratio
    if moment == 1:
        piece = t1[falls] * piece + a * h**2 * _exponential_moment(ratio)
    linear[falls] = piece
    return linear


def _exponential_moment(x: FloatArray) -> FloatArray:
    """Integral of u exp(-x u) over u in [0, 1]: (1 - (1 + x) exp(-x))/x^2."""
    small = x < _SERIES_BELOW
    safe = np.where(small, 1.0, x)
    series = np.polynomial.polynomial.polyval(np.where(small, x, 0.0), _MOMENT_SERIES)
    return np.where(small, series, (1.0 - (1.0 + safe) * np.exp(-safe)) / safe**2)


def _float_vector(name: str, value: ArrayLike) -> FloatArray:
    try:
        array = np.asarray(value)
    except ValueError:
        raise ParameterError(f"{name} is not a list of numbers: its rows differ in length", field=name) from None
    if array.dtype.kind not in "iuf":
        raise ParameterError(f"{name} is not a list of numbers: {array.dtype} instead of numbers", field=name)
    if array.ndim != 1:
        raise ParameterError(f"{name} has {array.ndim} dimensions instead of 1: one profile at a time")
    return array.astype(np.float64)
