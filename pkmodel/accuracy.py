"""How accurate a solution is: every reported quantity against the same run with a tighter tolerance.

Error is relative to max(|value|, 1e-4 of the largest value of that course), the measure used throughout.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from .model.problem import Array

TIGHTER = 100.0  # a check reruns with the tolerance divided by this
TIGHTEST = 1e-10
SMALL = 1e-4


def course_error(values: Array, reference: Array) -> float:
    """Largest error of courses (m, ...) relative to max(|value|, 1e-4 of the course's maximum); NaN if all missing."""
    values, reference = np.asarray(values, dtype=float), np.asarray(reference, dtype=float)
    there = np.isfinite(reference)
    if not there.any():
        return float("nan")
    largest = np.max(np.abs(np.where(there, reference, 0.0)), axis=0, keepdims=True)
    scale = np.maximum(np.abs(reference), SMALL * largest)
    difference = np.abs(values - reference)
    moving = there & (scale > 0.0)
    if not moving.any():
        return float(np.max(difference[there]))
    return float(np.max(difference[moving] / scale[moving]))


def achieved_errors(
    found: Mapping[str, Array], reference: Mapping[str, Array]
) -> dict[str, float]:
    """Error of every named quantity against its reference; single numbers count relative to themselves."""
    return {name: course_error(np.atleast_1d(found[name]), np.atleast_1d(reference[name])) for name in found}
