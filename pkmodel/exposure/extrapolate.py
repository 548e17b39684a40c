"""Both ends of a sampled curve: concentration at the instant of a bolus, and the terminal log-linear rate.

References
----------
Gabrielsson J, Weiner D (2016) Pharmacokinetic and Pharmacodynamic Data Analysis, 5th ed., chapter 2.8.
Denney W, Duvvuri S, Buckeridge C (2015) Simple, automatic noncompartmental analysis: the PKNCA R package.
J Pharmacokinet Pharmacodyn 42:S65.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from pkmodel.errors import ParameterError
from pkmodel.exposure.trapezoid import (
    ALL_BLQ,
    ALL_MISSING,
    FloatArray,
    NcaWarning,
    check_choice,
    check_number,
    check_samples,
    warned,
)

C0_METHODS = ("observed", "log_slope", "first")
MIN_POINTS = 3
R2_TOLERANCE = 1e-4


class LambdaZ(NamedTuple):
    """Terminal log-linear fit: all NaN with a `reason` if there is none, `excluded` if not to be used."""

    lambda_z: float = math.nan
    half_life: float = math.nan
    r2_adjusted: float = math.nan
    n_points: float = math.nan
    span_ratio: float = math.nan
    clast_pred: float = math.nan
    reason: str = ""
    excluded: str = ""


def lambda_z(
    times_h: ArrayLike,
    concentration: ArrayLike,
    *,
    min_points: int = MIN_POINTS,
    r2_tolerance: float = R2_TOLERANCE,
    tmax_in_fit: bool = False,
    not_before_h: float | None = None,
    fit_times_h: Sequence[float] | None = None,
) -> LambdaZ:
    """Terminal rate by regression of the log concentration on the last positive samples after the maximum.

    Of all fits that end at the last positive sample the one with the best adjusted R2 is taken; of those
    within `r2_tolerance` of it, the one with the most points. If the best ones do not fall there is no fit.

    Parameters
    ----------
    times_h, concentration : array_like, shape (n,)
        Samples; NaN and BLQ (0) are left out.
    min_points : int
        Fewest points of a fit, at least 3.
    r2_tolerance : float
        How far below the best adjusted R2 a fit with more points may lie [1].
    tmax_in_fit : bool
        Whether the maximum itself may be a point of the fit.
    not_before_h : float, optional
        Earliest point, such as the end of an infusion [h].
    fit_times_h : sequence of float, optional
        Sample times chosen by hand: they are fitted as they are and every rule above is left aside.

    Returns
    -------
    LambdaZ
        Missing with an `NcaWarning` if there is no fit; flagged `excluded` if points chosen by hand do not
        fall.

    Raises
    ------
    ParameterError
        For samples or options that are not legal, or a chosen time without a positive sample.
    """
    times, conc = check_samples(times_h, concentration)
    check_number("not_before_h", not_before_h, optional=True)
    start = -math.inf if not_before_h is None else not_before_h
    fit = terminal_fit(
        times, conc, min_points=min_points, r2_tolerance=r2_tolerance, tmax_in_fit=tmax_in_fit,
        start=start, by_hand=fit_times_h,
    )  # fmt: skip
    if fit.reason:
        warnings.warn(fit.reason, NcaWarning, stacklevel=2)
    return fit


def c0(
    times_h: ArrayLike,
    concentration: ArrayLike,
    *,
    dose_time_h: float = 0.0,
    methods: Sequence[str] = C0_METHODS,
) -> float:
    """Concentration at the instant of an intravenous bolus, by the first of `methods` that applies.

    Parameters
    ----------
    times_h, concentration : array_like, shape (n,)
        Samples; NaN concentrations are left out.
    dose_time_h : float
        When the bolus is given [h].
    methods : sequence of {"observed", "log_slope", "first"}
        "observed": a positive sample at the dose. "log_slope": straight line through the logarithms of the
        first two samples after the dose, which must be positive and falling. "first": the first positive
        sample after the dose.

    Returns
    -------
    float
        In the unit of `concentration`; NaN with an `NcaWarning` if no method applies.

    Raises
    ------
    ParameterError
        For samples that are not legal or an unknown method.
    """
    times, conc = check_samples(times_h, concentration)
    check_number("dose_time_h", dose_time_h)
    return warned(*back_extrapolated(times, conc, dose_time_h=dose_time_h, methods=methods))


def terminal_fit(
    times: FloatArray,
    conc: FloatArray,
    *,
    min_points: int,
    r2_tolerance: float,
    tmax_in_fit: bool,
    start: float,
    by_hand: Sequence[float] | FloatArray | None,
) -> LambdaZ:
    """As `lambda_z`, for samples already checked and without a warning."""
    check_number("min_points", min_points)
    check_number("r2_tolerance", r2_tolerance)
    if not min_points >= MIN_POINTS or min_points % 1 != 0:
        raise ParameterError(f"min_points = {min_points}; legal range [{MIN_POINTS}, inf), whole numbers")
    if not 0.0 <= r2_tolerance < 1.0:
        raise ParameterError(f"r2_tolerance = {r2_tolerance:g}; legal range [0, 1)")
    if by_hand is not None:
        return _fit_by_hand(times, conc, chosen_times(by_hand))
    if times.size == 0:
        return LambdaZ(reason=ALL_MISSING)
    positive = conc > 0.0
    if not np.any(positive):
        return LambdaZ(reason=ALL_BLQ)
    tmax = times[np.argmax(conc)]
    use = positive & (times >= start) & ((times >= tmax) if tmax_in_fit else (times > tmax))
    t, y = times[use], np.log(conc[use])
    if t.size < min_points:
        where = "from" if tmax_in_fit else "after"
        return LambdaZ(
            reason=f"too few points for lambda_z: {t.size} positive {where} the maximum, {min_points} needed"
        )
    fits = [_fit(t[-n:], y[-n:], tlast=float(t[-1])) for n in range(int(min_points), t.size + 1)]
    r2 = np.array([fit.r2_adjusted for fit in fits])
    known = ~np.isnan(r2)
    best = float(np.max(r2[known])) if np.any(known) else math.nan
    chosen = [fit for fit in fits if fit.r2_adjusted >= best - r2_tolerance and fit.lambda_z > 0.0]
    return (
        chosen[-1] if chosen else LambdaZ(reason="the points that fit a line best do not fall: no lambda_z")
    )


def back_extrapolated(
    times: FloatArray, conc: FloatArray, *, dose_time_h: float, methods: Sequence[str]
) -> tuple[float, str]:
    """As `c0`, for samples already checked: the value and the reason why it is missing, without a warning."""
    for method in (methods,) if isinstance(methods, str) else methods:
        check_choice("c0 method", method, C0_METHODS)
    if isinstance(methods, str):
        raise ParameterError(f"c0_methods = {methods!r} is one text; give a list of methods", field="c0_methods")
    if times.size == 0:
        return math.nan, ALL_MISSING
    if dose_time_h > times[-1]:
        return math.nan, f"the dose at {dose_time_h:g} h comes after the last sample at {times[-1]:g} h"
    after = times > dose_time_h
    t, c = times[after] - dose_time_h, conc[after]
    for method in methods:
        if method == "observed":
            at_dose = conc[(times == dose_time_h) & (conc > 0.0)]
            if at_dose.size:
                return float(at_dose[0]), ""
        elif method == "log_slope":
            if c.size >= 2 and c[0] > c[1] > 0.0:
                return float(c[0] * math.exp((math.log(c[0]) - math.log(c[1])) / (t[1] - t[0]) * t[0])), ""
        elif np.any(c > 0.0):
            return float(c[c > 0.0][0]), ""
    return math.nan, f"c0 cannot be had by any of: {', '.join(methods)}"


def chosen_times(times_h: Sequence[float] | FloatArray) -> FloatArray:
    """Return times chosen by hand as floats, or raise `ParameterError`."""
    found = np.asarray(times_h)
    if found.ndim != 1 or (found.size and found.dtype.kind not in "iuf"):
        raise ParameterError(f"fit_times_h = {times_h!r} is not a list of numbers", field="fit_times_h", unit="h")
    return found.astype(np.float64)


def _fit_by_hand(times: FloatArray, conc: FloatArray, chosen: FloatArray) -> LambdaZ:
    picked = np.isin(times, chosen) & (conc > 0.0)
    unknown = chosen[~np.isin(chosen, times[picked])]
    if unknown.size:
        raise ParameterError(f"fit_times_h: no positive sample at {unknown[0]:g} h")
    if np.count_nonzero(picked) < 2:
        raise ParameterError("fit_times_h: a line needs at least 2 sample times")
    fit = _fit(times[picked], np.log(conc[picked]), tlast=float(times[conc > 0.0][-1]))
    return fit if fit.lambda_z > 0.0 else fit._replace(excluded="the points chosen by hand do not fall")


def _fit(t: FloatArray, y: FloatArray, *, tlast: float) -> LambdaZ:
    """Least-squares line through log concentrations."""
    n = t.size
    x = t - t.mean()
    slope = float(x @ (y - y.mean()) / (x @ x))
    residual, total = y - y.mean() - slope * x, y - y.mean()
    spread = float(total @ total)
    r2 = 1.0 - float(residual @ residual) / spread if spread > 0.0 else math.nan
    half_life = math.log(2.0) / -slope if slope else math.inf
    return LambdaZ(
        lambda_z=-slope,
        half_life=half_life,
        r2_adjusted=1.0 - (1.0 - r2) * (n - 1) / (n - 2) if n > 2 else math.nan,
        n_points=float(n),
        span_ratio=float(t[-1] - t[0]) / half_life,
        clast_pred=math.exp(float(y.mean()) + slope * (tlast - float(t.mean()))),
    )
