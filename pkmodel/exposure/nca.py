"""Non-compartmental analysis of a sampled concentration-time profile, by the definitions of CDISC and PKNCA.

Every quantity is one small function that works alone (`auc`, `aumc`, `lambda_z`, `c0`); `nca` calls them in
turn. Any consistent units will do: times in hours, a concentration in amount per volume, `dose` in that
amount. A concentration of 0 is one below the limit of quantification (BLQ), NaN is a missing sample. What
cannot be computed is NaN, with its reason.

References
----------
Gabrielsson J, Weiner D (2016) Pharmacokinetic and Pharmacodynamic Data Analysis, 5th ed., chapter 2.8.
Denney W, Duvvuri S, Buckeridge C (2015) Simple, automatic noncompartmental analysis: the PKNCA R package.
J Pharmacokinet Pharmacodyn 42:S65.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike

from pkmodel.errors import ParameterError, UnknownNameError
from pkmodel.exposure.extrapolate import (
    C0_METHODS,
    MIN_POINTS,
    R2_TOLERANCE,
    LambdaZ,
    back_extrapolated,
    c0,
    chosen_times,
    lambda_z,
    terminal_fit,
)
from pkmodel.exposure.trapezoid import (
    ALL_BLQ,
    ALL_MISSING,
    METHODS,
    BlqSamples,
    FloatArray,
    NcaWarning,
    apply_blq,
    area,
    auc,
    aumc,
    check_choice,
    check_number,
    check_samples,
)

__all__ = ["LambdaZ", "NcaResult", "NcaWarning", "apply_blq", "auc", "aumc", "c0", "lambda_z", "nca"]

ROUTES = ("extravascular", "iv_bolus", "iv_infusion")
NAMES = (
    "cmax", "tmax", "clast", "tlast", "c0", "auc_last", "auc_all", "auc_inf_obs", "auc_inf_pred", "aumc_last",
    "aumc_inf_obs", "lambda_z", "half_life", "r2_adjusted", "n_points", "span_ratio", "clast_pred",
    "mrt", "cl", "vz", "vss",
)  # fmt: skip

_NO_DOSE = "no dose was given"
_NO_C0 = "c0 is defined for an intravenous bolus"
_NO_VSS = "vss needs an intravenous dose: after another one mrt includes the absorption"
_NOT_OF_THE_DATA = {_NO_DOSE, _NO_C0, _NO_VSS}  # the caller's choice: a reason, but no warning
_Found = dict[str, tuple[float, str]]


@dataclass(frozen=True, eq=False)
class NcaResult:
    """Values of one profile by name (`NAMES`), read as ``result["auc_last"]``.

    Attributes
    ----------
    values : mapping of str to float
        NaN where a quantity cannot be computed. Times [h] count from the dose; an extravascular dose gives
        CL/F and Vz/F.
    reasons : mapping of str to str
        Why each NaN of `values` is missing.
    excluded : mapping of str to str
        Why a value, though computed, must not be used (a "terminal" phase picked by hand that does not fall).
    """

    values: Mapping[str, float]
    reasons: Mapping[str, str]
    excluded: Mapping[str, str]

    def __getitem__(self, name: str) -> float:
        if name not in self.values:
            raise UnknownNameError.of("metric", name, NAMES)
        return self.values[name]


def nca(
    times_h: ArrayLike,
    concentration: ArrayLike,
    *,
    dose: float | None = None,
    method: str = "linear",
    route: str = "extravascular",
    duration_h: float | None = None,
    dose_time_h: float = 0.0,
    lloq: float | None = None,
    blq_first: str = "zero",
    blq_middle: str = "zero",
    blq_last: str = "zero",
    min_points: int = MIN_POINTS,
    r2_tolerance: float = R2_TOLERANCE,
    tmax_in_fit: bool = False,
    fit_times_h: Sequence[float] | None = None,
    c0_methods: Sequence[str] = C0_METHODS,
) -> NcaResult:
    """Analyse one profile after one dose.

    Parameters
    ----------
    times_h, concentration : array_like, shape (n,)
        Samples, strictly increasing and none before the dose [h]; 0 is BLQ, NaN is missing.
    dose : float, optional
        Amount, in the unit of concentration times volume; without it there is no cl, vz and vss.
    method : {"linear", "lin-up/log-down"}
        Trapezoidal rule.
    route : {"extravascular", "iv_bolus", "iv_infusion"}
        A bolus has its areas begin at `c0`; any other route needs a sample at the dose.
    duration_h : float, optional
        Length of the infusion [h]: required for "iv_infusion", refused otherwise. The terminal fit begins no
        earlier.
    dose_time_h : float
        When the dose begins [h].
    lloq, blq_first, blq_middle, blq_last
        See `apply_blq`. Imputed samples never enter the terminal fit.
    min_points, r2_tolerance, tmax_in_fit, fit_times_h
        See `lambda_z`; `fit_times_h` on the axis of `times_h`.
    c0_methods
        See `c0`.

    Returns
    -------
    NcaResult
        With an `NcaWarning` for each reason in the data that makes something missing.

    Raises
    ------
    ParameterError
        For samples or options that are not legal.
    """
    check_choice("method", method, METHODS)
    _check_dose(dose, route=route, duration_h=duration_h)
    times, conc, empty = _since_dose(times_h, concentration, dose_time_h=dose_time_h)
    by_hand = None if fit_times_h is None else chosen_times(fit_times_h) - dose_time_h
    samples = apply_blq(times, conc, lloq=lloq, first=blq_first, middle=blq_middle, last=blq_last)
    seen = samples.times_h[samples.measured], samples.concentration[samples.measured]
    quantified = np.where(samples.measured, samples.concentration, 0.0)  # an imputed value is no observation
    fit = terminal_fit(
        samples.times_h, quantified, min_points=min_points, r2_tolerance=r2_tolerance,
        tmax_in_fit=tmax_in_fit, start=duration_h or 0.0, by_hand=by_hand,
    )  # fmt: skip
    found = _observed(*seen, empty=empty)
    found["c0"], curve = _begun(samples, quantified, route=route, methods=c0_methods)
    found |= {name: (getattr(fit, name), fit.reason) for name in LambdaZ._fields[:6]}
    found |= _areas(*curve, method=method, fit=fit)
    found |= _derived(found, route=route, dose=dose, duration_h=duration_h or 0.0)
    return _result(found, flagged=fit.excluded)


def _since_dose(
    times_h: ArrayLike, concentration: ArrayLike, *, dose_time_h: float
) -> tuple[FloatArray, FloatArray, str]:
    """All samples with times counted from the dose, and what to say if none of them is quantified."""
    times, _ = check_samples(times_h, concentration)
    check_number("dose_time_h", dose_time_h)
    if not math.isfinite(dose_time_h):
        raise ParameterError(f"dose_time_h = {dose_time_h:g} h is not a finite time")
    if np.any(times < dose_time_h):
        raise ParameterError(
            f"times_h[0] = {times[0]:g} h lies before dose_time_h = {dose_time_h:g} h: "
            "give a predose sample the time of the dose"
        )
    shifted = np.asarray(times_h, dtype=np.float64) - dose_time_h
    return shifted, np.asarray(concentration, dtype=np.float64), ALL_BLQ if times.size else ALL_MISSING


def _begun(
    samples: BlqSamples, quantified: FloatArray, *, route: str, methods: Sequence[str]
) -> tuple[tuple[float, str], tuple[FloatArray, FloatArray]]:
    """C0 (or why there is none) and the curve from the dose on, which begins at c0 after a bolus."""
    times, conc = samples.times_h, samples.concentration
    if route != "iv_bolus":
        return (math.nan, _NO_C0), (times, conc)
    start, missing = back_extrapolated(times, quantified, dose_time_h=0.0, methods=methods)
    if missing:
        return (start, missing), (times, conc)
    after = times > 0.0
    return (start, ""), (np.append(0.0, times[after]), np.append(start, conc[after]))


def _check_dose(dose: float | None, *, route: str, duration_h: float | None) -> None:
    check_choice("route", route, ROUTES)
    check_number("dose", dose, optional=True)
    check_number("duration_h", duration_h, optional=True)
    if dose is not None and not (math.isfinite(dose) and dose > 0.0):
        raise ParameterError(f"dose = {dose:g}; legal range (0, inf)")
    if (route == "iv_infusion") != (duration_h is not None):
        raise ParameterError(
            f"duration_h = {duration_h!r} with route = {route!r}: only 'iv_infusion' takes it, and needs it"
        )
    if duration_h is not None and not (math.isfinite(duration_h) and duration_h > 0.0):
        raise ParameterError(f"duration_h = {duration_h:g} h; legal range (0, inf)")


def _observed(times: FloatArray, conc: FloatArray, *, empty: str) -> _Found:
    """Extremes of the quantified samples."""
    if times.size == 0:
        cmax = (math.nan, empty) if empty == ALL_MISSING else (0.0, "")
        return {"cmax": cmax} | dict.fromkeys(("tmax", "clast", "tlast"), (math.nan, empty))
    top = int(np.argmax(conc))
    values = {"cmax": conc[top], "tmax": times[top], "clast": conc[-1], "tlast": times[-1]}
    return {name: (float(value), "") for name, value in values.items()}


def _areas(times: FloatArray, conc: FloatArray, *, method: str, fit: LambdaZ) -> _Found:
    """Areas from the dose on, with the dose at time 0."""
    whole = (0.0, None)
    found = {
        "auc_last": area(times, conc, upto="last", method=method, window=whole),
        "auc_all": area(times, conc, upto="all", method=method, window=whole),
        "aumc_last": area(times, conc, upto="last", method=method, window=whole, moment=1),
    }
    to_infinity = {"auc_inf_obs": (None, 0), "auc_inf_pred": (fit.clast_pred, 0), "aumc_inf_obs": (None, 1)}
    for name, (clast, moment) in to_infinity.items():
        found[name] = math.nan, fit.reason
        if not fit.reason:
            tail = (fit.lambda_z, clast)
            found[name] = area(times, conc, upto="inf", method=method, window=whole, tail=tail, moment=moment)
    return found


def _derived(found: _Found, *, route: str, dose: float | None, duration_h: float) -> _Found:
    """Mean residence time, clearance and volumes, by the observed area to infinity."""
    total, why = found["auc_inf_obs"]
    if why:
        return dict.fromkeys(("mrt", "cl", "vz", "vss"), (math.nan, why))
    mrt = found["aumc_inf_obs"][0] / total - duration_h / 2.0
    cl = math.nan if dose is None else dose / total
    no_dose = _NO_DOSE if dose is None else ""
    vss = (math.nan, _NO_VSS) if route == "extravascular" else (cl * mrt, no_dose)
    return {"mrt": (mrt, ""), "cl": (cl, no_dose), "vz": (cl / found["lambda_z"][0], no_dose), "vss": vss}


def _result(found: _Found, *, flagged: str) -> NcaResult:
    """Order the values, and warn of each reason that lies in the data once."""
    reasons = {name: found[name][1] for name in NAMES if found[name][1]}
    for reason in dict.fromkeys(reasons.values()):
        if reason not in _NOT_OF_THE_DATA:
            warnings.warn(reason, NcaWarning, stacklevel=3)
    for name in NAMES:
        if math.isnan(found[name][0]) and name not in reasons:
            reasons[name] = "fewer than 3 points: the fit has no degree of freedom left"
    excluded = dict.fromkeys(LambdaZ._fields[:6], flagged) if flagged else {}
    values = {name: found[name][0] for name in NAMES}
    return NcaResult(MappingProxyType(values), MappingProxyType(reasons), MappingProxyType(excluded))
