"""Cohorts of tumours on evenly spread points, for published shares of a group: every lane becomes a small cohort.

Tumours differ in the share that escapes the artery, in potency of the drug, and in how far the agents occlude; each by
its declared variability. The points are the same for every lane: a share depends smoothly on the typical values.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator

import numpy as np

from ..errors import PlausibilityWarning
from ..inputs.scenario import Scenario
from ..model.problem import Array
from .variability import logit_spread


def cohort_of(scenario: Scenario, size: int, *, like: Scenario | None = None) -> Scenario:
    """Return the scenario with every lane as a cohort of `size` tumours, lanes one after the other.

    Parameters
    ----------
    scenario : any number of lanes
    size : tumours a lane
    like : scenario whose origins declare the variability, where values of `scenario` were moved and have lost theirs
    """
    lanes = max(scenario.size, 1)
    varied = list(_varied(scenario if like is None else like))
    deviates = _deviates(size, len(varied))

    def of(path: str) -> Array:
        return np.repeat(np.broadcast_to(np.asarray(scenario.get(path), dtype=float), (lanes,)), size)

    values = {path: np.repeat(now, size) for path, now, _, _ in scenario.rows() if isinstance(now, np.ndarray)}
    for (path, scale, spread), row in zip(varied, deviates, strict=True):
        moved = (of(spread) if isinstance(spread, str) else spread) * np.tile(row, lanes)
        centre = of(path)
        if scale == "logit":
            odds = centre / (1.0 - centre) * np.exp(moved)
            values[path] = odds / (1.0 + odds)
        else:
            values[path] = centre * np.exp(moved) if scale == "log" else moved
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PlausibilityWarning)  # the tails of a cohort are implausible
        return _first_lane(scenario).with_values(values)


def _varied(scenario: Scenario) -> Iterator[tuple[str, str, str | float]]:
    """Path, scale, and spread (a number or its path) of what differs between tumours."""
    yield "patient.tumour.escape_deviation", "linear", "patient.tumour.escape_spread"
    for drug in scenario.regimen.drugs:
        yield f"drug.{drug.name}.kill.potency", "log", f"drug.{drug.name}.kill.potency_spread"
    for path, value, _, origin in scenario.rows():
        if path.endswith(".occlusion") and origin is not None and origin.cv:
            typical = float(np.atleast_1d(np.asarray(value, dtype=float))[0])
            if 0.0 < typical < 1.0:
                yield path, "logit", logit_spread(typical, origin.cv, path)


def _deviates(size: int, dimensions: int) -> Array:
    """Standard normal deviates on a low-discrepancy sequence (Kronecker, generalised golden ratio), (dims, size)."""
    from scipy.special import ndtri

    ratio = 2.0
    for _ in range(60):  # root of x^(d+1) = x + 1
        ratio = (1.0 + ratio) ** (1.0 / (dimensions + 1))
    steps = ratio ** -np.arange(1.0, dimensions + 1.0)
    return np.asarray(ndtri((0.5 + steps[:, None] * np.arange(1, size + 1)) % 1.0))


def _first_lane(scenario: Scenario) -> Scenario:
    """The scenario with single values in place of its arrays, so that arrays of another length can be set."""
    single = {path: float(value[0]) for path, value, _, _ in scenario.rows() if isinstance(value, np.ndarray)}
    return scenario.with_values(single) if single else scenario
