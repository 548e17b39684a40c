"""Fitting a drug's body volumes with the liver inside, so that its published plasma curve is kept.

A published compartment model has no liver: its compartments hold the liver's drug too. Here the liver is a tissue
of its own, so the published model is re-fitted, not subtracted: liver exchange and clearances stay what they are,
central and peripheral compartments (for saturable drugs also the Michaelis constant of the other clearance) are
fitted to the published model's curve in the drug's own reference subject. The curve itself comes from
`reference_curve` and never passes through pkmodel's solver.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..course import simulate
from ..errors import PlausibilityWarning, RunError
from ..inputs import library
from ..inputs.drug import Drug
from ..inputs.horizon import LONGEST_FOLLOW_UP_H
from ..inputs.patient import Patient
from ..inputs.scenario import Scenario
from ..inputs.treatment import Regimen, iv
from ..model.graph import ELIMINATED
from .reference_curve import Array, LinearCurve, SaturableCurve

POINTS = 200  # of the curve over its window: enough that the largest deviation does not hide between them
RTOL = 1e-9  # of the solver, well below what the central differences need
LOG_STEP = 1e-3  # of the central differences, on the log of a parameter: error of order 1e-6
LOW_DOSE = 1e-6  # share of the reference dose at which no clearance is saturated
HALF_LIVES = 60.0  # followed for AUC to infinity: nothing is left to extrapolate


@dataclass(frozen=True)
class FreeParameter:
    """A parameter to be fitted: the published value to start from, its 90 % range, and what a reader must know.

    Numbers are in the drug's own unit.
    """

    start: float
    range: tuple[float, float]
    note: str


@dataclass(frozen=True)
class Case:
    """What a drug is fitted to.

    Parameters
    ----------
    drug
        Library name.
    curve
        The published model.
    rows
        Evidence rows behind it.
    dose_mg, duration_h
        Intravenous dose [mg] and its duration [h].
    window_h
        First and last time compared [h].
    free
        Parameters to be fitted, by path.
    title
        What the curve is, for notes and tables.
    """

    drug: str
    curve: LinearCurve | SaturableCurve
    rows: tuple[str, ...]
    dose_mg: float
    duration_h: float
    window_h: tuple[float, float]
    free: Mapping[str, FreeParameter]
    title: str = ""

    def times_h(self) -> Array:
        """Times compared [h]: evenly spaced in their logarithm, and the end of the infusion."""
        first, last = self.window_h
        inner = np.geomspace(first, last, POINTS)[1:-1]  # the ends as declared, not as rounded
        return np.unique(np.concatenate([[first], inner, [min(max(self.duration_h, first), last), last]]))

    def reference(self) -> Array:
        """The published curve at `times_h` [mg/L]."""
        return self.curve.concentration(self.times_h(), dose_mg=self.dose_mg, duration_h=self.duration_h)

    def published(self) -> dict[str, float]:
        """The free parameters as published."""
        return {path: each.start for path, each in self.free.items()}


@dataclass(frozen=True, eq=False)
class Deviation:
    """pkmodel's curve against the reference: relative deviation (m,) at times [h]."""

    times_h: Array
    relative: Array

    @property
    def largest(self) -> float:
        """Largest absolute relative deviation [1]."""
        return float(np.abs(self.relative).max())

    @property
    def where_h(self) -> float:
        """Time of the largest deviation [h]."""
        return float(self.times_h[np.abs(self.relative).argmax()])


@dataclass(frozen=True, eq=False)
class DispositionFit:
    """Result of `fit_disposition`.

    Parameters
    ----------
    case
        What was fitted.
    drug
        The drug with the fitted values.
    values
        Fitted values by path, in the drug's own units.
    relative_error
        Their standard errors on the log scale. The residual is the misfit of one model by another, not noise, so
        this tells how sharply the curve fixes a value; it is no uncertainty of the value.
    before, after
        Deviation with the published and with the fitted values.
    """

    case: Case
    drug: Drug
    values: Mapping[str, float]
    relative_error: Mapping[str, float]
    before: Deviation
    after: Deviation

    def ranges(self) -> dict[str, tuple[float, float]]:
        """The published 90 % ranges, carried to the fitted values in proportion."""
        carried = {}
        for path, each in self.case.free.items():
            factor = self.values[path] / each.start
            carried[path] = (each.range[0] * factor, each.range[1] * factor)
        return carried


def reference_subject(drug: Drug) -> Patient:
    """The subject in whom a drug's disposition was measured: no tumour, no shunt, full reserve."""
    with warnings.catch_warnings():
        # A subject without a tumour is a definition; that it is no plausible patient is the point.
        warnings.simplefilter("ignore", PlausibilityWarning)
        return library.patient("hcc_reference").with_values(
            {
                "name": "reference_subject",
                "tumour_type": "none",
                "tumour.diameter": 0.0,
                "bsa": drug.reference.bsa,
                "liver.flow": drug.reference.liver_flow,
                "liver.parenchyma_volume": drug.reference.parenchyma_volume,
                "liver.shunt": 0.0,
                "liver.portal_open": 1.0,
                "liver.reserve": 1.0,
            }
        )


def _treated(drug: Drug, given: Regimen) -> Scenario:
    """The reference subject under a dose, which may be one of the low-dose limit."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PlausibilityWarning)
        return Scenario(reference_subject(drug), given)


def plasma_curve(drug: Drug, case: Case) -> Array:
    """pkmodel's plasma concentration in the reference subject at the case's times [mg/L], (m,) or (m, lanes)."""
    given = iv(drug, case.dose_mg, duration_h=case.duration_h)
    course = simulate(_treated(drug, given), until_h=case.window_h[1], times_h=case.times_h(), rtol=RTOL)
    for lane, reason in course.failures.items():
        raise RunError(f"{drug.name}: disposition could not be simulated: {reason}", lanes=[lane])
    return course.concentration_mg_per_l("plasma")


def deviation(drug: Drug, case: Case) -> Deviation:
    """Relative deviation of a drug's plasma curve from the reference."""
    return Deviation(case.times_h(), plasma_curve(drug, case) / case.reference() - 1.0)


def with_parameters(drug: Drug, values: Mapping[str, Any]) -> Drug:
    """A drug with trial values, plausible or not."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PlausibilityWarning)
        return drug.with_values(values)


@dataclass
class _Problem:
    """Residual and Jacobian on the log scale; both come from one solve, a lane for every moved parameter."""

    drug: Drug
    case: Case
    paths: tuple[str, ...]
    logarithm: Array = field(init=False)
    known: tuple[bytes, Array, Array] | None = None

    def __post_init__(self) -> None:
        self.logarithm = np.log(self.case.reference())

    def at(self, x: Array) -> tuple[Array, Array]:
        """Residual (m,) and Jacobian (m, k) at log parameters (k,)."""
        key = x.tobytes()
        if self.known is None or self.known[0] != key:
            k = x.size
            moved = np.repeat(x[:, None], 1 + 2 * k, axis=1)
            moved[np.arange(k), 1 + np.arange(k)] += LOG_STEP
            moved[np.arange(k), 1 + k + np.arange(k)] -= LOG_STEP
            lanes = with_parameters(self.drug, dict(zip(self.paths, np.exp(moved), strict=True)))
            residual = np.log(plasma_curve(lanes, self.case)) - self.logarithm[:, None]
            slope = (residual[:, 1 : 1 + k] - residual[:, 1 + k :]) / (2.0 * LOG_STEP)
            self.known = (key, residual[:, 0], slope)
        return self.known[1], self.known[2]


def fit_disposition(drug: Drug, case: Case, *, start: Mapping[str, float] | None = None) -> DispositionFit:
    """Fit the free parameters of a drug to its reference curve, with liver and clearances as they are.

    Parameters
    ----------
    drug
        The drug; its free parameters' own values have no influence.
    case
        Curve, dose, window and free parameters.
    start
        Where to start, by path; the published values by default.

    Returns
    -------
    DispositionFit

    Raises
    ------
    RunError
        The fit did not converge.
    """
    from scipy.optimize import least_squares

    paths = tuple(case.free)
    first = dict(start) if start is not None else case.published()
    problem = _Problem(drug, case, paths)
    found = least_squares(
        lambda x: problem.at(x)[0],
        np.log([first[path] for path in paths]),
        jac=lambda x: problem.at(x)[1],
        xtol=1e-10,
        ftol=1e-14,
        gtol=1e-12,
    )
    if found.status <= 0:
        raise RunError(f"{drug.name}: the fit of the disposition did not converge: {found.message}")
    residual, slope = problem.at(found.x)
    spread = float(residual @ residual) / (residual.size - len(paths))
    error = np.sqrt(spread * np.diag(np.linalg.inv(slope.T @ slope)))
    values = {path: float(value) for path, value in zip(paths, np.exp(found.x), strict=True)}
    fitted = with_parameters(drug, values)
    return DispositionFit(
        case,
        fitted,
        values,
        {path: float(each) for path, each in zip(paths, error, strict=True)},
        deviation(with_parameters(drug, case.published()), case),
        deviation(fitted, case),
    )


def low_dose_limits(drug: Drug, case: Case) -> tuple[float, float]:
    """Clearance dose/AUC [L/h] and hepatic extraction [1] of the reference subject, as the solver finds them.

    Extraction is the dose eliminated by the liver over what flowed into it, AUC x flow x blood:plasma ratio.
    """
    until = min(HALF_LIVES * float(case.curve.half_lives()[-1]), LONGEST_FOLLOW_UP_H)
    given = iv(drug, LOW_DOSE * case.dose_mg, duration_h=case.duration_h)
    solution = simulate(_treated(drug, given), until_h=until, rtol=RTOL).solution
    area = float(solution.plasma_auc[0, 0])
    liver = [ELIMINATED.index(f"eliminated_{region}_cells") for region in ("served", "other")]
    inflow = area * float(drug.reference.internal("liver_flow")) * float(drug.blood_plasma_ratio)
    return float(solution.dose[0, 0]) / area, float(solution.eliminated[liver, 0, 0].sum()) / inflow
