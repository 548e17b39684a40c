"""Courses over several sessions: times that follow each of them closely, and arterial flow as a share of before."""

from __future__ import annotations

import numpy as np

from ...course import Trajectory, default_times
from ...inputs.scenario import Scenario
from ...model.problem import Array


def starts_h(scenario: Scenario) -> tuple[float, ...]:
    """Return when the sessions of one patient begin [h]."""
    return tuple(float(np.asarray(session.at)) for session in scenario.regimen.sessions)


def course_times(scenario: Scenario, until_h: float) -> Array:
    """Return times that follow every session as closely as the first [h]: the default ones, begun anew at each."""
    again = [start + default_times(until_h - start) for start in starts_h(scenario) if start < until_h]
    return np.unique(np.concatenate([default_times(until_h), *again]).clip(max=until_h))


def arterial_flow_percent(course: Trajectory) -> Array:
    """Return the arterial flow to core and escape zone in percent of that at time 0, (m,); NaN without a tumour."""
    flow = np.asarray(course.arterial_flow_l_per_h("core") + course.arterial_flow_l_per_h("escape"))
    before = float(flow[0])
    return np.asarray(100.0 * flow / before) if before > 0.0 else np.full_like(flow, np.nan)
