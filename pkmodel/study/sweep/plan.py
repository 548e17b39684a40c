"""What a sweep computes, as plain data: the study that all chunks share, and the chunks with their borders and keys.

A chunk is a range of points in the order of the design. Its lanes are solved in blocks of `BLOCK`, so that the borders
belong to the result; who computes a chunk, and when, does not.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import ParameterError, UnknownNameError
from ...exposure.metrics import METRICS
from ...inputs.plain import to_plain
from ...inputs.scenario import Scenario
from ...model.body import INERT_DRUG
from ...model.problem import Array
from ...outcome import BLOOD_EFFECTS, TUMOUR_EFFECTS
from ...solve.drive import BLOCK
from .design import Design

FORMAT = 1
EFFECTS = {**TUMOUR_EFFECTS, **BLOOD_EFFECTS}
METRIC_NAMES = (*METRICS, *EFFECTS)
SUMMARIES = ("median", "p05", "p95")
# With names among the axes a chunk has several scenarios, which may not share batches: so many blocks at most, that
# each of them still fills one.
MOST_BLOCKS = 8
# Rooms of the package whose sources decide what a number is.
_ROOMS = ("laws", "inputs", "model", "solve", "exposure", "study/sweep")
_MODULES = ("units.py", "outcome.py", "course.py", "accuracy.py")


@cache
def code_digest() -> str:
    """Sha256 over the sources that decide what a number is; texts and tables for people are not among them."""
    home = Path(__file__).parents[2]
    files = [home / each for each in _MODULES]
    for room in _ROOMS:
        files += sorted((home / room).glob("*.py"))
    sha = hashlib.sha256()
    for path in files:
        content = path.read_bytes()
        sha.update(f"{path.relative_to(home).as_posix()}:{len(content)};".encode() + content)
    return sha.hexdigest()


@cache
def versions() -> dict[str, str]:
    """What must be the same wherever chunks are computed: sources, NumPy (its exponentials) and SciPy."""
    return {"code": code_digest(), "numpy": version("numpy"), "scipy": version("scipy")}


@dataclass(frozen=True, eq=False)
class Plan:
    """A sweep that is ready to be computed.

    Attributes
    ----------
    scenario, design : what is computed
    study : what all chunks share, as JSON text
    metrics : names of the metrics and effects wanted
    chunk_points : points of a chunk (the last may have fewer)
    subjects : whether a cohort gets one row a subject instead of a summary
    times_h : times of the full courses [h]; empty for none
    """

    scenario: Scenario
    design: Design
    study: str
    metrics: tuple[str, ...]
    chunk_points: int
    subjects: bool
    times_h: tuple[float, ...]

    @property
    def chunks(self) -> int:
        """Number of chunks."""
        return -(-self.design.size // self.chunk_points)

    def border(self, chunk: int) -> tuple[int, int]:
        """First point of a chunk, and the one after its last."""
        return chunk * self.chunk_points, min((chunk + 1) * self.chunk_points, self.design.size)

    def task(self, chunk: int) -> dict[str, Any]:
        """All that computing a chunk needs, as plain data."""
        return {"study": self.study, "rows": self.design.rows(*self.border(chunk))}

    def key(self, task: Mapping[str, Any]) -> str:
        """Content hash of a task: equal keys, equal numbers."""
        sha = hashlib.sha256(str(task["study"]).encode())
        sha.update(np.ascontiguousarray(task["rows"], dtype="<f8").tobytes())
        return sha.hexdigest()

    @property
    def cohort(self) -> bool:
        """Whether points hold a cohort that is summarised."""
        return self.scenario.size > 1 and not self.subjects

    def value_columns(self) -> tuple[str, ...]:
        """Names of the numbers of a row, units in them."""
        names = metric_columns(self.metrics, self.scenario.drugs)
        if not self.cohort:
            return names
        return ("subjects", *(f"{name}_{summary}" for name in names for summary in SUMMARIES))

    def unit(self, column: str) -> str:
        """Unit of a column of numbers."""
        names = [name for name in METRIC_NAMES if column.startswith(name)]
        if not names:
            return "1"
        name = max(names, key=len)
        return EFFECTS[name] if name in EFFECTS else METRICS[name].unit


@dataclass(frozen=True)
class Wanted:
    """What is wanted of every point: tolerance, horizon [h], metrics, times of courses [h], rows of subjects."""

    rtol: float = 1e-5
    until_h: float | None = None
    metrics: Sequence[str] | None = None
    times_h: tuple[float, ...] = ()
    subjects: bool = False


def make_plan(scenario: Scenario, design: Design, wanted: Wanted) -> Plan:
    """Lay out a sweep.

    Raises
    ------
    InputError
        For an unknown metric, or for rows of subjects where there is no cohort.
    """
    times_h, subjects = wanted.times_h, wanted.subjects
    names = METRIC_NAMES if wanted.metrics is None else tuple(wanted.metrics)
    for name in names:
        if name not in METRIC_NAMES:
            raise UnknownNameError.of("metric", name, METRIC_NAMES)
    if not names or len(set(names)) < len(names):
        raise ParameterError(f"outputs = {list(names)} names nothing, or something twice", field="outputs")
    if subjects and scenario.size == 1:
        raise ParameterError("subjects: one row a subject needs a cohort, but the scenario has one lane")
    if times_h and scenario.size > 1 and not subjects:
        raise ParameterError("courses of a cohort need one row a subject; set subjects too", field="courses")
    study = {
        "format": FORMAT,
        **versions(),
        "block": BLOCK,
        "scenario": to_plain(scenario),
        "axes": [
            {"path": axis.path, "options": None if axis.labels is None else to_plain(axis.options)}
            for axis in design.axes
        ],
        "until_h": wanted.until_h,
        "rtol": wanted.rtol,
        "metrics": list(names),
        "times_h": list(times_h),
        "subjects": subjects,
    }
    text = json.dumps(study, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return Plan(scenario, design, text, names, _chunk_points(scenario, design), subjects, times_h)


def _chunk_points(scenario: Scenario, design: Design) -> int:
    combinations = 1
    for axis in design.axes:
        combinations *= 1 if axis.labels is None else len(axis.labels)
    return max(1, BLOCK * min(combinations, MOST_BLOCKS) // scenario.size)


def metric_columns(metrics: tuple[str, ...], drugs: tuple[str, ...]) -> tuple[str, ...]:
    """Columns of metrics: exposure by drug where there are several, effects once."""
    given = drugs or (INERT_DRUG,)
    found = []
    for name in metrics:
        if name in EFFECTS or len(given) == 1:
            found.append(name)
        else:
            found += [f"{name}_{drug}" for drug in given]
    return tuple(found)


def quantiles(values: Array) -> Array:
    """Median, 5 % and 95 % of a cohort's values, (3, k) of (subjects, k); NaN where nobody has the value."""
    known = np.isfinite(values).any(axis=0)
    found = np.full((len(SUMMARIES), values.shape[1]), np.nan)
    if known.any():
        found[:, known] = np.nanquantile(values[:, known], [0.5, 0.05, 0.95], axis=0)
    return found
