"""pkmodel against the independent oracle: 200 random scenarios, every course, at the default tolerance.

The oracle (`oracle.py`) was written from the specification and the library files alone, by someone who had not seen
the package; its results are committed with the digest of its sources. Error is relative to max(|value|, 1e-4 of the
course's maximum); the oracle keeps a dozen times, so the maximum also looks at a finer grid of pkmodel's own course.
Viable and dead volume share the tumour's maximum.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

HERE = Path(__file__).parent
RESULTS = json.loads((HERE / "data" / "oracle_results.json").read_text())
SCENARIOS = RESULTS["scenarios"]
LIMIT = 1e-5
COURSES = ("plasma", "tumour_core", "tumour_escape", "served_liver", "other_liver", "tumour_homogenate", "hepatic_vein")


def rows_of(value: Any, times: int) -> np.ndarray:
    """Zones of a stored volume (2, m); a constant is stored as one number."""
    zones = value if isinstance(value, list) else [value, value]
    return np.array([np.broadcast_to(np.array(zone, dtype=float), (times,)) for zone in zones])


def error(found: np.ndarray, reference: np.ndarray, largest: float) -> float:
    """Largest error of a course; missing values must be missing on both sides."""
    reference = np.asarray(reference, dtype=float)
    assert np.array_equal(np.isnan(found), np.isnan(reference))
    there = ~np.isnan(reference)
    scale = np.maximum(np.abs(reference[there]), 1e-4 * largest)
    difference = np.abs(found[there] - reference[there])
    return float(np.max(difference / np.where(scale > 0.0, scale, 1.0), initial=0.0))


def errors_of(result: dict[str, Any], *, rtol: float = 1e-5) -> dict[str, float]:
    """Errors of all courses of one scenario."""
    from adapter import course_of

    spec, times = result["spec"], np.array(result["times_h"], dtype=float)
    grid = np.unique(np.concatenate([times, np.linspace(0.0, spec["until_h"], 400), times[1:] * 0.999]))
    at = np.searchsorted(grid, times)
    course = course_of(spec, grid, rtol=rtol)
    found = {}
    for drug, reference in result["drugs"].items():
        for name in COURSES:
            own = course[drug][name]
            values = np.array(reference[name], dtype=float) * np.ones(times.size)
            found[f"{drug} {name}"] = error(own[at], values, float(np.nanmax(own, initial=0.0)))
        exact = np.atleast_1d(np.array(reference["plasma_auc"], dtype=float))[-1]
        found[f"{drug} plasma_auc"] = abs(float(course[drug]["plasma_auc"]) - exact) / max(exact, 1e-300)
    for name in ("viable_ml", "necrotic_ml"):
        own, values = course[name].sum(axis=0), rows_of(result[name], times.size).sum(axis=0)
        # dead volume on the scale of the tumour: as long as hardly anything has died, its own maximum lies far ahead
        found[name] = error(own[at], values, float(np.max(course["viable_ml"].sum(axis=0))))
    for name in ("neutrophils", "leukocytes"):
        values = np.array(result[name], dtype=float) * np.ones(times.size)
        own = course[name] if np.isfinite(values).any() else np.full(grid.size, np.nan)
        found[name] = error(own[at], values, float(np.nanmax(own, initial=0.0)))
    return found


def test_the_oracle_is_the_one_that_made_the_results() -> None:
    """Results belong to the oracle beside them: its sources have the digests stored with the results."""
    for name, digest in RESULTS["sources_sha256"].items():
        text = (HERE / name).read_bytes().replace(b"\r\n", b"\n")
        assert hashlib.sha256(text).hexdigest() == digest, name
    assert len(SCENARIOS) == 200


@pytest.mark.parametrize("index", sorted(SCENARIOS, key=int))
def test_scenario(index: str) -> None:
    """Every course of a scenario agrees with the oracle at the default tolerance."""
    found = errors_of(SCENARIOS[index])
    worst = max(found, key=lambda name: found[name])
    assert found[worst] <= LIMIT, (worst, found[worst], SCENARIOS[index]["spec"]["arm"])
