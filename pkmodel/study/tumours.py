"""Cohorts of tumours on evenly spread points, for published shares of a group: every lane becomes a small cohort.

Tumours differ in the share that escapes the artery, in potency of the drug, and in how far the agents occlude; each by
its declared variability. The points are the same for every lane: a share depends smoothly on the typical values.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator

import numpy as np

from ..errors import PlausibilityWarning
from ..inputs.scenario import Scenario
from ..model.problem import Array
from .variability import logit_spread

# Steps of a low-discrepancy sequence (Kronecker): escape and two agents by the generalised golden ratio, root of
# x^4 = x + 1; further agents and the potencies of drugs by square roots of primes.
GOLDEN = 1.2207440846057596
EVEN = (1.0 / GOLDEN, 1.0 / GOLDEN**2, 1.0 / GOLDEN**3)
DRUGS, FURTHER_AGENTS = (2, 3, 5, 7), (11, 13, 17, 19, 23, 29)


def cohort_of(scenario: Scenario, size: int, *, like: Scenario | None = None) -> Scenario:
    """Return the scenario with every lane as a cohort of `size` tumours, lanes one after the other.

    Parameters
    ----------
    scenario : any number of lanes
    size : tumours a lane
    like : scenario whose origins declare the variability, where values of `scenario` were moved and have lost theirs
    """
    from scipy.special import ndtri

    lanes = max(scenario.size, 1)
    varied = list(_varied(scenario if like is None else like))
    deviates = ndtri((0.5 + np.outer([step for *_, step in varied], np.arange(1, size + 1))) % 1.0)

    def of(path: str) -> Array:
        return np.repeat(np.broadcast_to(np.asarray(scenario.get(path), dtype=float), (lanes,)), size)

    values = {path: np.repeat(now, size) for path, now, _, _ in scenario.rows() if isinstance(now, np.ndarray)}
    for (path, scale, spread, _), row in zip(varied, deviates, strict=True):
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


def _varied(scenario: Scenario) -> Iterator[tuple[str, str, str | float, float]]:
    """Path, scale, spread (a number or its path) and step of the sequence of what differs between tumours.

    Every one has a step of its own, whatever else varies, so that cohorts of different arms are the same tumours.
    """
    yield "patient.tumour.escape_deviation", "linear", "patient.tumour.escape_spread", EVEN[0]
    agents = iter((*EVEN[1:], *(math.sqrt(each) % 1.0 for each in FURTHER_AGENTS)))
    for path, value, _, origin in scenario.rows():
        if path.endswith(".occlusion") and origin is not None and origin.cv:
            typical = float(np.atleast_1d(np.asarray(value, dtype=float))[0])
            if 0.0 < typical < 1.0:
                yield path, "logit", logit_spread(typical, origin.cv, path), next(agents)
    for drug, prime in zip(scenario.regimen.drugs, DRUGS, strict=False):
        kill = f"drug.{drug.name}.kill"
        yield f"{kill}.potency", "log", f"{kill}.potency_spread", math.sqrt(prime) % 1.0


def _first_lane(scenario: Scenario) -> Scenario:
    """The scenario with single values in place of its arrays, so that arrays of another length can be set."""
    single = {path: float(value[0]) for path, value, _, _ in scenario.rows() if isinstance(value, np.ndarray)}
    return scenario.with_values(single) if single else scenario
