"""Blood cells under a cytotoxic drug: the semi-mechanistic model of Friberg and its toxicity grade.

One proliferating pool, three transit compartments and the circulating cells follow each other at the rate
k = 4/MTT; a feedback (Circ0/Circ)^gamma speeds proliferation up when circulating cells are few::

    d ln P /dt = k ((1 - E) (Circ0/Circ)^gamma - 1)
    d T1 /dt   = k (P - T1)       d T2 /dt = k (T1 - T2)       d T3 /dt = k (T2 - T3)
    d Circ /dt = k (T3 - Circ)

The proliferating pool is carried as its logarithm, so it stays positive by structure: the drug effect E =
slope x concentration is linear and unbounded (E well above 1 is usual at the end of an infusion) and is not
clamped.

References
----------
Friberg LE et al. (2002) Model of chemotherapy-induced myelosuppression with parameter consistency across
drugs. J Clin Oncol 20:4713-4721.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pkmodel.errors import ParameterError

FloatArray = NDArray[np.float64]

STATES = ("log_proliferating", "transit_1", "transit_2", "transit_3", "circulating")
STAGES_PER_TRANSIT_TIME = 4
"""Steps from the proliferating pool to the circulation; the mean transit time is divided among them."""

NEUTROPENIA_LIMITS_1E9_PER_L = (1.5, 1.0, 0.5)
"""CTCAE v5 "neutrophil count decreased": below these counts the grade is 2, 3 and 4."""
NEUTROPHILS_LOWER_NORMAL_1E9_PER_L = 2.0
"""Lower limit of normal below which grade 1 begins; laboratories differ (1.5 to 2.0)."""


def friberg_baseline(circ0: ArrayLike) -> FloatArray:
    """State of a marrow that no drug has reached.

    Parameters
    ----------
    circ0 : array_like, shape (...,)
        Circulating cells at rest [1e9/L], above 0.

    Returns
    -------
    numpy.ndarray, shape (5, ...)
        The states of `STATES`: the logarithm of `circ0` first, then `circ0` four times.

    Raises
    ------
    ParameterError
        If a count is not positive and finite.
    """
    cells = _positive("circ0", circ0, "1e9/L")
    return np.stack([np.log(cells), cells, cells, cells, cells])


def friberg_rates(
    state: ArrayLike,
    *,
    effect: ArrayLike,
    circ0: ArrayLike,
    mtt_h: ArrayLike,
    gamma: ArrayLike,
    out: FloatArray | None = None,
) -> FloatArray:
    """Right-hand side of the Friberg model; nothing is checked here, it stands in the innermost loop.

    Parameters
    ----------
    state : array_like, shape (5, ...)
        The states of `STATES` [ln(1e9/L), then 1e9/L].
    effect : array_like, shape (...,)
        Drug effect E [1], the sum over drugs of slope x total plasma concentration; not bounded above.
    circ0 : array_like, shape (...,)
        Circulating cells at rest [1e9/L].
    mtt_h : array_like, shape (...,)
        Mean transit time [h].
    gamma : array_like, shape (...,)
        Exponent of the feedback [1].
    out : numpy.ndarray, shape (5, ...), optional
        Where to write the rates; it must not share memory with `state`.

    Returns
    -------
    numpy.ndarray, shape (5, ...)
        Rates of change [1/h, then 1e9/L/h]; the trailing axes of all arguments broadcast.
    """
    y = np.asarray(state, dtype=np.float64)
    lanes = np.broadcast_shapes(y.shape[1:], *(np.shape(x) for x in (effect, circ0, mtt_h, gamma)))
    rates = np.empty((len(STATES), *lanes)) if out is None else out
    k = STAGES_PER_TRANSIT_TIME / np.asarray(mtt_h, dtype=np.float64)
    feedback = (np.asarray(circ0, dtype=np.float64) / y[4]) ** np.asarray(gamma, dtype=np.float64)
    rates[0] = k * ((1.0 - np.asarray(effect, dtype=np.float64)) * feedback - 1.0)
    rates[1] = k * (np.exp(y[0]) - y[1])
    for i in (2, 3, 4):
        rates[i] = k * (y[i - 1] - y[i])
    return rates


def ctcae_neutropenia_grade(
    nadir_1e9_per_l: ArrayLike, *, lower_normal_1e9_per_l: float = NEUTROPHILS_LOWER_NORMAL_1E9_PER_L
) -> float | FloatArray:
    """Grade of neutropenia by CTCAE version 5 ("neutrophil count decreased").

    Grade 1 from 1.5 up to the lower limit of normal, 2 from 1.0, 3 from 0.5, 4 below 0.5 [1e9/L]; a count on
    a limit has the milder grade, as CTCAE writes "< limit".

    Parameters
    ----------
    nadir_1e9_per_l : array_like, shape (...,)
        Lowest neutrophil count [1e9/L], not negative; NaN where it is not known.
    lower_normal_1e9_per_l : float
        Lower limit of normal [1e9/L], at least 1.5.

    Returns
    -------
    float or numpy.ndarray, shape (...,)
        Grade 0 to 4 as a float; NaN stays NaN.

    Raises
    ------
    ParameterError
        If a count is negative, or the lower limit of normal lies below 1.5.

    References
    ----------
    National Cancer Institute (2017) Common Terminology Criteria for Adverse Events (CTCAE) version 5.0.
    """
    nadir = np.asarray(nadir_1e9_per_l, dtype=np.float64)
    if np.any(nadir < 0.0):
        raise ParameterError(f"nadir_1e9_per_l = {np.nanmin(nadir):g} 1e9/L; legal range [0, inf)")
    if not lower_normal_1e9_per_l >= NEUTROPENIA_LIMITS_1E9_PER_L[0]:
        raise ParameterError(
            f"lower_normal_1e9_per_l = {lower_normal_1e9_per_l:g} 1e9/L; legal range "
            f"[{NEUTROPENIA_LIMITS_1E9_PER_L[0]:g}, inf): grade 1 would end above where it begins"
        )
    limits = np.array([lower_normal_1e9_per_l, *NEUTROPENIA_LIMITS_1E9_PER_L])
    grade = np.sum(nadir[..., None] < limits, axis=-1).astype(np.float64)
    grade = np.where(np.isnan(nadir), np.nan, grade)
    return grade if nadir.ndim else float(grade)


def _positive(name: str, value: ArrayLike, unit: str) -> FloatArray:
    array = np.asarray(value, dtype=np.float64)
    bad = ~(np.isfinite(array) & (array > 0.0))
    if np.any(bad):
        raise ParameterError(f"{name} = {array[bad].flat[0]:g} {unit}; legal range (0, inf)")
    return array
