"""Exposure metrics of a solved batch: one pure function and one registration each.

A metric has a name with its unit, the CDISC code of the standard quantity where there is one, and says in words
why it is missing where it cannot be computed (NaN with a reason, never a silent zero).

References
----------
CDISC SDTM controlled terminology, PK parameters (PKPARMCD): CMAX, TMAX, AUCINT, AUCIFO, CLO.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..errors import UnknownNameError
from ..model.problem import Array
from ..solve.solution import Solution

NG_PER_ML = 1000.0  # of 1 mg/L; 1 mg/L of tissue is 1 ug/g at 1 g = 1 mL
NO_DRUG, NO_TUMOUR = "no drug given", "no tumour"
NOT_RELEASED = "release not complete at the horizon"
NOT_ARTERIAL, NOT_FOLLOWED = "no arterial dose", "follow-up ends before the time asked for"


@dataclass(frozen=True, eq=False)
class Observed:
    """What metrics are computed from, all (D, n).

    Parameters
    ----------
    solution : the solved batch
    retained_mg : drug in depots and tissue of the tumour 24 h after the first session; NaN when not followed
    tumour_ml : (n,) volume of the tumour at the start
    """

    solution: Solution
    retained_mg: Array
    tumour_ml: Array


@dataclass(frozen=True)
class Metric:
    """A named quantity: unit, CDISC code (or ""), meaning, how to compute it and why it may be missing."""

    name: str
    unit: str
    cdisc: str
    meaning: str
    compute: Callable[[Observed], Array]
    missing: Callable[[Observed], dict[str, np.ndarray]]


METRICS: dict[str, Metric] = {}


def _metric(
    name: str,
    unit: str,
    meaning: str,
    *,
    cdisc: str = "",
    missing: Callable[[Observed], dict[str, np.ndarray]],
) -> Callable[[Callable[[Observed], Array]], Callable[[Observed], Array]]:
    def register(compute: Callable[[Observed], Array]) -> Callable[[Observed], Array]:
        METRICS[name] = Metric(name, unit, cdisc, meaning, compute, missing)
        return compute

    return register


def evaluate(
    observed: Observed, names: tuple[str, ...] | None = None
) -> tuple[dict[str, Array], dict[str, np.ndarray]]:
    """Values of metrics (D, n) and, in arrays of the same shape, the reason where one is missing (else "")."""
    values, reasons = {}, {}
    lost = np.array([reason or "" for reason in observed.solution.reasons], dtype=object)
    for name in names or tuple(METRICS):
        metric = METRICS[name]
        with np.errstate(invalid="ignore", divide="ignore"):  # what has no value gets its reason below
            value = np.array(metric.compute(observed), dtype=float)
        reason = np.full(value.shape, "", dtype=object)
        for text, where in metric.missing(observed).items():
            reason[np.broadcast_to(where, value.shape) & (reason == "")] = text
        reason = np.where(lost != "", lost, reason)
        values[name] = np.where(reason != "", np.nan, value)
        reasons[name] = reason
    return values, reasons


def _no_drug(o: Observed) -> dict[str, np.ndarray]:
    return {NO_DRUG: o.solution.dose <= 0.0}


def _no_tumour(o: Observed) -> dict[str, np.ndarray]:
    return {NO_TUMOUR: o.tumour_ml <= 0.0}


def _no_ratio(o: Observed) -> dict[str, np.ndarray]:
    return {**_no_drug(o), **_no_tumour(o)}


def _not_released(o: Observed) -> dict[str, np.ndarray]:
    return {NOT_RELEASED: np.isnan(o.solution.plasma_auc_rest)}


@_metric(
    "plasma_cmax_ng_per_ml", "ng/mL", "highest total plasma concentration", cdisc="CMAX", missing=lambda o: {}
)
def plasma_cmax(o: Observed) -> Array:
    """Highest total plasma concentration from 0 to the horizon [ng/mL]."""
    return o.solution.plasma_cmax * NG_PER_ML


@_metric("plasma_tmax_h", "h", "time of the highest plasma concentration", cdisc="TMAX", missing=_no_drug)
def plasma_tmax(o: Observed) -> Array:
    """Time of the highest plasma concentration [h]."""
    return o.solution.plasma_tmax


@_metric(
    "plasma_auc_ng_h_per_ml", "ng*h/mL", "plasma AUC, 0 to the horizon", cdisc="AUCINT", missing=lambda o: {}
)
def plasma_auc(o: Observed) -> Array:
    """Area under the total plasma concentration from 0 to the horizon [ng*h/mL]."""
    return o.solution.plasma_auc * NG_PER_ML


@_metric(
    "plasma_auc_inf_ng_h_per_ml",
    "ng*h/mL",
    "plasma AUC, 0 to infinity",
    cdisc="AUCIFO",
    missing=_not_released,
)
def plasma_auc_inf(o: Observed) -> Array:
    """Area under the total plasma concentration from 0 to infinity [ng*h/mL]."""
    return (o.solution.plasma_auc + o.solution.plasma_auc_rest) * NG_PER_ML


@_metric(
    "tumour_cmax_ug_per_g", "ug/g", "highest tumour tissue concentration", cdisc="CMAX", missing=_no_tumour
)
def tumour_cmax(o: Observed) -> Array:
    """Highest tissue concentration (extracellular and cells) as a mean over the tumour [ug/g]."""
    return o.solution.tissue_cmax


@_metric("tumour_tmax_h", "h", "time of the highest tumour concentration", cdisc="TMAX", missing=_no_ratio)
def tumour_tmax(o: Observed) -> Array:
    """Time of the highest tumour tissue concentration [h]."""
    return o.solution.tissue_tmax


@_metric(
    "tumour_auc_ug_h_per_g",
    "ug*h/g",
    "tumour tissue AUC, 0 to the horizon",
    cdisc="AUCINT",
    missing=_no_tumour,
)
def tumour_auc(o: Observed) -> Array:
    """Area under the tumour tissue concentration from 0 to the horizon [ug*h/g]."""
    return o.solution.tissue_auc


@_metric(
    "tumour_auc_inf_ug_h_per_g",
    "ug*h/g",
    "tumour tissue AUC, 0 to infinity",
    cdisc="AUCIFO",
    missing=lambda o: {**_no_tumour(o), **_not_released(o)},
)
def tumour_auc_inf(o: Observed) -> Array:
    """Area under the tumour tissue concentration from 0 to infinity [ug*h/g]."""
    return o.solution.tissue_auc + o.solution.tissue_auc_rest


@_metric(
    "extracellular_auc_ug_h_per_ml",
    "ug*h/mL",
    "tumour extracellular AUC, 0 to the horizon",
    missing=_no_tumour,
)
def extracellular_auc(o: Observed) -> Array:
    """Area under the extracellular tumour concentration from 0 to the horizon [ug*h/mL]."""
    return o.solution.extracellular_auc


@_metric(
    "homogenate_auc_ug_h_per_g", "ug*h/g", "tumour homogenate AUC (tissue and depot)", missing=_no_tumour
)
def homogenate_auc(o: Observed) -> Array:
    """Area under the concentration of a tumour homogenate, depot included, from 0 to the horizon [ug*h/g]."""
    return o.solution.tissue_auc + o.solution.depot_auc


@_metric("tumour_plasma_auc_ratio", "1", "tumour tissue AUC over plasma AUC", missing=_no_ratio)
def tumour_plasma_ratio(o: Observed) -> Array:
    """Tumour tissue AUC over plasma AUC, both from 0 to the horizon [1]."""
    return o.solution.tissue_auc / o.solution.plasma_auc


@_metric(
    "served_liver_auc_ug_h_per_g", "ug*h/g", "served parenchyma AUC, 0 to the horizon", missing=lambda o: {}
)
def served_liver_auc(o: Observed) -> Array:
    """Area under the tissue concentration of the served parenchyma from 0 to the horizon [ug*h/g]."""
    return o.solution.served_auc


@_metric("delivered_share_percent", "%", "dose that entered the tumour by its artery", missing=_no_ratio)
def delivered_share(o: Observed) -> Array:
    """Part of the dose that the injection brought into the tumour, dissolved or held back [%].

    An intravenous dose is not injected into the tumour: its delivered share is what follows from the tumour's
    flow over the body's, which the exposure shows; here it is zero.
    """
    return 100.0 * o.solution.delivered / o.solution.dose


@_metric(
    "retained_share_percent",
    "%",
    "dose in tumour depot and tissue 24 h after the first session",
    missing=lambda o: {**_no_ratio(o), NOT_FOLLOWED: np.isnan(o.retained_mg)},
)
def retained_share(o: Observed) -> Array:
    """Part of the dose found in depot and tissue of the tumour 24 h after the first session began [%]."""
    return 100.0 * o.retained_mg / o.solution.dose


@_metric(
    "clearance_l_per_h",
    "L/h",
    "systemic plasma clearance of the unoccluded patient",
    cdisc="CLO",
    missing=lambda o: {},
)
def clearance(o: Observed) -> Array:
    """Systemic low-dose plasma clearance of this patient with nothing occluded, an output [L/h]."""
    return o.solution.clearance


@_metric("balance_error", "1", "largest mass not accounted for, relative to the dose", missing=lambda o: {})
def balance_error(o: Observed) -> Array:
    """Mass that depots, body and eliminated amounts do not account for, relative to the dose [1]."""
    return o.solution.balance


@dataclass(frozen=True, eq=False)
class Exposure(Mapping[str, Any]):
    """Metrics of one drug: `exposure["plasma_cmax_ng_per_ml"]`, floats or (n,); NaN has a reason in `reasons`."""

    drug: str
    values_: dict[str, Any] = field(repr=False)
    reasons: dict[str, Any] = field(repr=False)

    def __getitem__(self, name: str) -> Any:
        if name not in self.values_:
            raise UnknownNameError.of("metric", name, tuple(self.values_))
        return self.values_[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.values_)

    def __len__(self) -> int:
        return len(self.values_)

    def __str__(self) -> str:
        lines = [f"exposure, {self.drug}"]
        for name, value in self.values_.items():
            shown = np.array2string(np.asarray(value), precision=4, threshold=6)
            reason = self.reasons[name]
            missing = f"  ({reason})" if isinstance(reason, str) and reason else ""
            lines.append(f"  {name:32s} {shown} {missing}".rstrip())
        return "\n".join(lines)
