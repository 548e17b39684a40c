"""One chunk of a sweep: a pure function from plain data to plain data, for any process on any machine.

A point that cannot be made into a subject, or that cannot be treated as asked, is refused; one that the solver gives up
is solved once more alone and more tightly. Both keep their place in the table, with a reason, and the rest go on.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

import numpy as np

from ...course import READING, REFUSED, Trajectory, observed, tumour_volume_ml
from ...errors import InputError, PlausibilityWarning, RunError
from ...exposure.metrics import METRICS, evaluate
from ...inputs.lanes import take_lanes
from ...inputs.plain import from_plain
from ...inputs.record import Record
from ...inputs.scenario import Scenario
from ...model.body import Run, lower
from ...model.columns import column
from ...model.problem import Array, take
from ...outcome import effects
from ...solve.drive import Options
from ...solve.runs import READING_AFTER_H, solve_runs
from ...solve.solution import Solution
from .plan import EFFECTS, metric_columns, quantiles, versions

OK, REFUSED_STATUS, FAILED = range(3)
STATUSES = ("ok", "refused", "failed")
# The second attempt of a failed lane: so many times tighter, but not tighter than the solver allows.
TIGHTER, TIGHTEST = 10.0, 1e-10
NOT_FINITE = "not finite"


@dataclass(frozen=True, eq=False)
class Study:
    """What all chunks of a sweep share, made from its JSON text."""

    scenario: Scenario
    paths: tuple[str, ...]
    options: tuple[tuple[Any, ...] | None, ...]
    until_h: float | None
    rtol: float
    metrics: tuple[str, ...]
    times_h: Array
    subjects: bool


@dataclass(eq=False)
class Lanes:
    """Results of all lanes of a chunk: one a point and subject."""

    point: np.ndarray
    subject: np.ndarray
    values: Array
    status: np.ndarray
    reasons: list[str]
    courses: dict[str, Array] = field(default_factory=dict)


@lru_cache(maxsize=4)
def _study(text: str) -> Study:
    given = json.loads(text)
    for name, own in versions().items():
        if given[name] != own:
            what = "other sources of pkmodel" if name == "code" else f"another {name} ({own})"
            raise RunError(f"a worker has {what} than the process that began the sweep; install the same there")
    return Study(
        from_plain(given["scenario"]),
        tuple(axis["path"] for axis in given["axes"]),
        tuple(None if axis["options"] is None else from_plain(axis["options"]) for axis in given["axes"]),
        given["until_h"],
        given["rtol"],
        tuple(given["metrics"]),
        np.array(given["times_h"], dtype=float),
        given["subjects"],
    )


def compute(task: Mapping[str, Any]) -> dict[str, Any]:
    """Compute one chunk.

    Parameters
    ----------
    task : `study` (JSON text) and `rows` (values of the axes, (m, k)); see `Plan.task`

    Returns
    -------
    dict
        `values` (rows, columns), `status` (rows,), `reasons` (list of texts, one a row), `courses` (name ->
        (rows, times); empty when none were asked for). With a cohort one row a point, or one a point and subject.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PlausibilityWarning)  # said once, of the ends of the axes, when it began
        study = _study(str(task["study"]))
        lanes = _solved(study, np.asarray(task["rows"], dtype=float))
    if study.scenario.size > 1 and not study.subjects:
        lanes = _summarised(lanes, study.scenario.size)
    return {"values": lanes.values, "status": lanes.status, "reasons": lanes.reasons, "courses": lanes.courses}


def _solved(study: Study, rows: Array) -> Lanes:
    points, size = rows.shape[0], study.scenario.size
    n, names = points * size, metric_columns(study.metrics, study.scenario.drugs)
    found = Lanes(
        np.repeat(np.arange(points), size),
        np.tile(np.arange(size), points),
        np.full((n, len(names)), np.nan),
        np.full(n, OK, dtype=np.uint8),
        [""] * n,
    )
    runs: list[tuple[Run, np.ndarray]] = []
    for group in _groups(study, rows):
        runs += _legal(study, rows, np.flatnonzero(np.isin(found.point, group)), found)
    if runs:
        _solve(study, runs, study.rtol, found)
    for lane in np.flatnonzero(found.status == FAILED):
        _again(study, rows, int(lane), found)
    return found


def _groups(study: Study, rows: Array) -> list[np.ndarray]:
    """Points of one combination of names each, in the order of the combinations' numbers."""
    named = [j for j, options in enumerate(study.options) if options is not None]
    if not named:
        return [np.arange(rows.shape[0])]
    member = np.unique(rows[:, named], axis=0, return_inverse=True)[1].reshape(-1)
    return [np.flatnonzero(member == k) for k in range(int(member.max()) + 1)]


def _run(study: Study, rows: Array, lanes: np.ndarray, found: Lanes) -> Run:
    """The lanes, which share their names, as one run."""
    point, subject = found.point[lanes], found.subject[lanes]

    def own(value: Any) -> Any:
        if isinstance(value, tuple):
            return tuple(own(each) for each in value)
        return take_lanes(value, subject) if isinstance(value, Record) and value.size > 1 else value

    changes: dict[str, Any] = {}
    for j, (path, options) in enumerate(zip(study.paths, study.options, strict=True)):
        if options is not None:
            changes[path] = own(options[int(rows[point[0], j])])
        else:
            changes[path] = rows[point, j] if lanes.size > 1 else float(rows[point[0], j])
    scenario = own(study.scenario).with_values(changes)
    until = np.full(lanes.size, np.nan if study.until_h is None else study.until_h)
    if study.until_h is None:
        until = column(scenario.regimen.sessions[-1], "at", lanes.size) + READING_AFTER_H
    return Run(scenario, until)


def _legal(study: Study, rows: Array, lanes: np.ndarray, found: Lanes) -> list[tuple[Run, np.ndarray]]:
    """Runs of the lanes that make subjects; the others are refused, found by halving."""
    try:
        run = _run(study, rows, lanes, found)
        lower([run])
    except InputError as error:
        if lanes.size == 1:
            found.status[lanes[0]], found.reasons[lanes[0]] = REFUSED_STATUS, str(error)
            return []
        middle = lanes.size // 2
        return [each for part in (lanes[:middle], lanes[middle:]) for each in _legal(study, rows, part, found)]
    return [(run, lanes)]


def _solve(study: Study, runs: list[tuple[Run, np.ndarray]], rtol: float, found: Lanes) -> None:
    """Solve runs together and put their numbers where their lanes stand."""
    times = study.times_h if study.times_h.size else None
    solution = solve_runs([run for run, _ in runs], times, Options(rtol=rtol))
    first = 0
    for run, lanes in runs:
        part = _part(solution, slice(first, first + lanes.size))
        first += lanes.size
        values, missing = _values(study, run.scenario, part)
        found.values[lanes] = values
        for lane, reason, absent in zip(lanes, part.reasons, missing, strict=True):
            refused = reason is not None and reason.startswith(REFUSED)
            found.status[lane] = OK if reason is None else REFUSED_STATUS if refused else FAILED
            found.reasons[lane] = absent if reason is None else reason.removeprefix(REFUSED)
        if times is not None:
            _keep_courses(study, run, part, lanes, found)


def _part(solution: Solution, lanes: slice) -> Solution:
    return replace(take(solution, lanes), reasons=solution.reasons[lanes])


def _values(study: Study, scenario: Scenario, solution: Solution) -> tuple[Array, list[str]]:
    """Numbers of every lane, (n, columns), and in words which are missing and why."""
    n = len(solution.reasons)
    exposure = tuple(name for name in study.metrics if name in METRICS)
    values, why = evaluate(observed(scenario, solution), exposure) if exposure else ({}, {})
    if any(name in EFFECTS for name in study.metrics):
        effect, effect_why = effects(solution, reading=READING, tumour_ml=tumour_volume_ml(scenario, n))
        values, why = {**values, **effect}, {**why, **effect_why}
    columns = [row for name in study.metrics for row in np.atleast_2d(values[name])]
    reasons = [row for name in study.metrics for row in np.atleast_2d(why[name])]
    missing: list[dict[str, list[str]]] = [{} for _ in range(n)]
    for name, numbers, texts in zip(
        metric_columns(study.metrics, study.scenario.drugs), columns, reasons, strict=True
    ):
        for lane in np.flatnonzero(np.isnan(numbers)):
            missing[lane].setdefault(texts[lane] or NOT_FINITE, []).append(name)
    described = ["; ".join(f"{why} ({', '.join(names)})" for why, names in each.items()) for each in missing]
    return np.column_stack(columns), described


def _keep_courses(study: Study, run: Run, solution: Solution, lanes: np.ndarray, found: Lanes) -> None:
    course = Trajectory(run.scenario, float(np.max(run.until_h)), study.rtol, study.times_h, solution)
    for name, values in course.columns().items():
        kept = found.courses.setdefault(name, np.full((found.point.size, study.times_h.size), np.nan))
        kept[lanes] = values.reshape(study.times_h.size, -1).T


def _again(study: Study, rows: Array, lane: int, found: Lanes) -> None:
    """Solve a failed lane once more, alone and more tightly, and say so in its reason."""
    first, rtol = found.reasons[lane], max(study.rtol / TIGHTER, TIGHTEST)
    alone = np.array([lane])
    _solve(study, [(_run(study, rows, alone, found), alone)], rtol, found)
    second = found.reasons[lane]
    if found.status[lane] == OK:
        found.reasons[lane] = f"solved alone with rtol {rtol:g}, after: {first}" + (f"; {second}" if second else "")
    else:
        found.reasons[lane] = f"{first}; alone with rtol {rtol:g}: {second}"


def _summarised(lanes: Lanes, size: int) -> Lanes:
    """One row a point: number of subjects solved, then median, 5 % and 95 % of every number over them."""
    points = lanes.point.size // size
    status = lanes.status.reshape(points, size)
    values = lanes.values.reshape(points, size, -1)
    rows, reasons = [], []
    for point in range(points):
        solved = status[point] == OK
        found = quantiles(values[point, solved])
        rows.append(np.concatenate([[float(solved.sum())], found.T.reshape(-1)]))
        lost = np.flatnonzero(~solved)
        first = "" if not lost.size else lanes.reasons[point * size + int(lost[0])]
        reasons.append(f"{lost.size} of {size} subjects have no result, the first: {first}" if lost.size else "")
    return Lanes(np.arange(points), np.zeros(points, dtype=int), np.array(rows), status.max(axis=1), reasons)
