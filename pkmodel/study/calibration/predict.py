"""What observations of a case come out as at trial values: many lanes at once, shares of cohorts with smooth edges."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from ...course import Trajectory, simulate
from ...errors import PlausibilityWarning, RunError
from ...inputs.cases import Case, Observation, Reading
from ...inputs.scenario import Scenario
from ...model.problem import Array
from .. import quantities, subjects
from ..quantities import COHORT_QUANTITIES
from ..tumours import cohort_of

RTOL = 1e-6  # of the solver: central differences divide its error by their step
# Tumours, evenly spread: 17 lanes of them fill one block. Lanes share their steps, so that differences stay smooth.
COHORT, COHORT_RTOL = 60, 3e-4
BANDWIDTH = 0.35  # of a share's smoothed edge, on the logit axis; tumours spread over several logits


def predict_case(
    case: Case, wanted: Sequence[Observation], settings: Mapping[str, Any], lanes: int
) -> dict[str, Array]:
    """What observations of a case come out as, id -> (n,), in the unit of their rows; shares as a fraction.

    Raises
    ------
    RunError
        A lane could not be simulated.
    """
    courses: dict[tuple[str, bool], Trajectory] = {}
    readings = [each for o in wanted for each in (o.reading, o.over) if each is not None]

    def value(reading: Reading) -> tuple[Array, quantities.Subject]:
        cohort = reading.quantity in COHORT_QUANTITIES
        key = (reading.arm, cohort)
        if key not in courses:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", PlausibilityWarning)  # trial values
                usual, moved = (subjects.scenario(case, case.arms[reading.arm], each) for each in ({}, settings))
            courses[key] = _course(case, usual, moved, [r for r in readings if r.arm == reading.arm], cohort)
        course = courses[key]
        found = _smooth_share(course, reading, lanes) if cohort else None
        subject = quantities.subject_of(course)
        return (quantities.value(course, reading, subject) if found is None else found), subject

    predicted = {}
    for each in wanted:
        found, subject = value(each.reading)
        if each.over is not None:
            found = found / value(each.over)[0]
        elif each.reading.quantity not in COHORT_QUANTITIES:
            found = found * quantities.in_unit(each.reading.quantity, each.unit, subject)
        predicted[each.id] = np.broadcast_to(found, (lanes,))
    return predicted


def _course(case: Case, usual: Scenario, scenario: Scenario, readings: Iterable[Reading], cohort: bool) -> Trajectory:
    times = np.unique(np.concatenate([quantities.grid(each, case.until_h) for each in readings]))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PlausibilityWarning)
        scenario = cohort_of(scenario, COHORT, like=usual) if cohort else scenario
        course = simulate(scenario, until_h=case.until_h, times_h=times, rtol=COHORT_RTOL if cohort else RTOL)
    if course.failures:
        lane, reason = next(iter(course.failures.items()))
        raise RunError(f"case {case.id}: lane {lane} failed: {reason}", lanes=[lane])
    return course


def _smooth_share(course: Trajectory, reading: Reading, lanes: int) -> Array:
    """Share of a cohort beyond the threshold with a smooth edge, so that it has a derivative, (n,)."""
    from scipy.special import expit, logit

    beyond, values, threshold = quantities.cohort_reading(course, reading)
    tiny = np.finfo(float).tiny
    distance = logit(np.clip(values, tiny, 1.0 - 1e-12)) - logit(threshold)
    share = expit(beyond * distance / (BANDWIDTH / 1.7))  # a logistic edge as wide as a normal of the bandwidth
    cohorts = max(share.size // COHORT, 1)
    return np.broadcast_to(share.reshape(cohorts, -1).mean(axis=1), (lanes,))
