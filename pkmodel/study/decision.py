"""Decision maps: for two inputs that can be chosen, where one arm beats another, and where nobody can say.

A cell is uncertain where the 90 % interval of the difference, over draws of what is only assumed, holds both signs.
"""

from __future__ import annotations

import csv
import io
import warnings
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ..errors import ParameterError, PlausibilityWarning, UnknownNameError
from ..inputs.fields import number_value
from ..inputs.horizon import checked_rtol, horizon_h
from ..inputs.scenario import Scenario
from ..model.columns import derived_clearances
from ..model.problem import Array
from ..solve.drive import BLOCK
from .factors import holders_of, refuse_twins
from .measures import check_measure, direction, measure
from .question import Progress
from .uncertainty import SEED, interval, uncertain
from .variability import impossible

DRAWS = 32
RTOL = 1e-5
UNTIL_DAYS = 28.0
IMPOSSIBLE = "no legal subject with these values"
Axis = tuple[str, ArrayLike]


@dataclass(frozen=True, eq=False)
class DecisionMap:
    """The difference of a measure between two arms over a grid of two inputs.

    Attributes
    ----------
    metric, unit : what is compared
    arm, over : the two arms
    x_path, x_unit, x : first axis, (nx,)
    y_path, y_unit, y : second axis, (ny,)
    difference : (ny, nx) arm - over at the typical values; NaN where a run failed
    beats : (ny, nx) whether the arm is better, as the measure asks (more necrosis, less plasma AUC)
    low_90, high_90 : (ny, nx) interval of the difference over the draws
    p_beats : (ny, nx) share of the draws in which the arm is better
    uncertain : (ny, nx) whether the interval holds zero: the sign depends on what was drawn
    draws, seed, kinds : number of draws with the typical one, their seed, and the kinds of parameters drawn
    failures : (row, column) -> why a cell has no difference, or too few draws
    """

    metric: str
    unit: str
    arm: str
    over: str
    x_path: str
    x_unit: str
    x: Array
    y_path: str
    y_unit: str
    y: Array
    difference: Array
    beats: np.ndarray
    low_90: Array
    high_90: Array
    p_beats: Array
    uncertain: np.ndarray
    draws: int
    seed: int
    kinds: tuple[str, ...]
    failures: Mapping[tuple[int, int], str]

    def contour(self, level: float = 0.0) -> list[Array]:
        """Return the lines on which the difference has a value, each (k, 2) of x and y: the border of the region."""
        import contourpy

        lines = contourpy.contour_generator(self.x, self.y, np.ma.masked_invalid(self.difference)).lines(level)
        return [np.asarray(line) for line in lines]

    def to_csv(self, path: str | Path | None = None) -> str:
        """Return one row a cell as CSV text; written to `path` if one is given."""
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        about = ("metric", "unit", "arm", "over", "x_path", "x_unit", "y_path", "y_unit")
        numbers = ("difference", "low_90", "high_90", "p_beats")
        writer.writerow([*about, "x", "y", *numbers, "beats", "uncertain", "status"])
        told = [getattr(self, name) for name in about]
        for i, y in enumerate(self.y):
            for j, x in enumerate(self.x):
                cells = [_cell(getattr(self, name)[i, j]) for name in numbers]
                signs = [int(self.beats[i, j]), int(self.uncertain[i, j])]
                status = self.failures.get((i, j), "ok")
                writer.writerow([*told, repr(float(x)), repr(float(y)), *cells, *signs, status])
        if path is not None:
            Path(path).write_text(out.getvalue(), encoding="utf-8")
        return out.getvalue()


def decision_map(
    scenarios: Mapping[str, Scenario],
    metric: str,
    *,
    arm: str,
    over: str,
    x: Axis,
    y: Axis,
    drug: str | None = None,
    draws: int = DRAWS,
    kinds: Collection[str] = ("assumed",),
    seed: int = SEED,
    until_days: float = UNTIL_DAYS,
    rtol: float = RTOL,
    progress: Progress = None,
) -> DecisionMap:
    """Return where one arm beats another over two inputs.

    An axis that only one of the arms has (a carrier's release against no carrier) changes that arm alone. Both arms
    share their draws; the draws are the same in every cell.

    Parameters
    ----------
    scenarios : name -> scenario of one lane
    metric : a measure of which more, or less, is better
    arm, over : names
    x, y : (path, values), the values increasing, with or without a unit as everywhere
    drug : name, where several are given
    draws, kinds, seed : draws of the parameters of these kinds, at least 2; the first has the typical values
    until_days : horizon [d]
    rtol : relative tolerance of the runs
    progress : called with the number of cells done and of all

    Raises
    ------
    InputError
        A wrong name, value or combination.

    Examples
    --------
    >>> import pkmodel as pk
    >>> from pkmodel.study.arms import arm_scenarios
    >>> arms = arm_scenarios("hcc_reference", drug="doxorubicin", arms=["emulsion_sponge", "iv"])
    >>> found = pk.decision_map(arms, "necrosis_percent", arm="emulsion_sponge", over="iv", draws=2,
    ...                         x=("embolic.occlusion", [0.1, 0.9]), y=("patient.tumour.diameter", ["30 mm", "60 mm"]))
    >>> found.difference.shape
    (2, 2)
    """
    unit, until_h, rtol = check_measure(metric), horizon_h(None, until_days), checked_rtol(rtol)
    sign = direction(metric)
    arms = _two(scenarios, arm, over)
    axes = [_axis(each, arms) for each in (x, y)]
    refuse_twins([path for path, _, _ in axes], arms)
    (x_path, x_unit, xs), (y_path, y_unit, ys) = axes
    grid = np.stack([each.ravel() for each in np.meshgrid(xs, ys)], axis=1)
    asked = {"until_h": until_h, "rtol": rtol, "drug": drug}
    values, reasons = {}, {}
    for step, (name, scenario) in enumerate(arms.items()):
        drawn = uncertain(scenario, draws, seed=seed, kinds=tuple(kinds))
        report = None if progress is None else (lambda done, s=step: progress(s * len(grid) + done, 2 * len(grid)))
        cells = _Cells(scenario, drawn, draws, (x_path, y_path), grid)
        values[name], reasons[name] = cells.measured(metric, asked, report)
    shape = (len(ys), len(xs), draws)
    found = _read((values[arm] - values[over]).reshape(shape), sign)
    told = np.where(reasons[arm] != "", reasons[arm], reasons[over]).reshape(shape)
    return DecisionMap(
        metric, unit, arm, over, x_path, x_unit, xs, y_path, y_unit, ys,
        **found, draws=draws, seed=seed, kinds=tuple(kinds), failures=_failures(told),
    )  # fmt: skip


def _read(difference: Array, sign: float) -> dict[str, Any]:
    """What a map says of differences (ny, nx, draws), the first of them typical."""
    low, high = interval(difference)
    better = np.where(np.isnan(difference), np.nan, sign * difference > 0.0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a cell of which nothing is left is NaN, with its reason
        p_beats = np.nanmean(better, axis=2)
    return {
        "difference": difference[..., 0],
        "beats": better[..., 0] == 1.0,
        "low_90": low,
        "high_90": high,
        "p_beats": p_beats,
        "uncertain": ~((low > 0.0) | (high < 0.0)),
    }


def _failures(told: np.ndarray) -> dict[tuple[int, int], str]:
    """Cells with lanes that have no number: how many, and why the first has none."""
    found = {}
    for i, j in zip(*np.nonzero((told != "").any(axis=2)), strict=True):
        lost = [reason for reason in told[i, j] if reason]
        found[int(i), int(j)] = f"{len(lost)} of {told.shape[2]} draws: {lost[0]}"
    return found


class _Cells:
    """The lanes of one arm: every cell of the grid with every draw, in blocks of whole cells."""

    def __init__(
        self, scenario: Scenario, drawn: Scenario, draws: int, paths: tuple[str, str], grid: Array
    ) -> None:
        self.scenario, self.draws, self.paths, self.grid = scenario, draws, paths, grid
        known = frozenset(scenario.paths())
        self.drawn = {path: v for path, v, *_ in drawn.rows() if isinstance(v, np.ndarray) and path in known}

    def measured(self, metric: str, asked: dict[str, Any], report: Any) -> tuple[Array, np.ndarray]:
        """Values and reasons, (cells, draws) one behind the other."""
        values, reasons = [], []
        step = max(1, BLOCK // self.draws)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", PlausibilityWarning)  # a map looks beyond what is plausible
            for start in range(0, len(self.grid), step):
                cells = self.grid[start : start + step]
                one = self._block(cells, metric, asked)
                values.append(one[0])
                reasons.append(one[1])
                if report is not None:
                    report(start + len(cells))
        return np.concatenate(values), np.concatenate(reasons)

    def _block(self, cells: Array, metric: str, asked: dict[str, Any]) -> tuple[Array, np.ndarray]:
        lanes = len(cells) * self.draws
        # of two paths to one value the later wins: a cell's value holds, not the drawn one
        columns = {path: np.tile(values, len(cells)) for path, values in self.drawn.items()}
        known = frozenset(self.scenario.paths())
        for path, values in zip(self.paths, cells.T, strict=True):
            if path in known:
                columns.pop(path, None)
                columns[path] = np.repeat(values, self.draws)

        def build(chosen: np.ndarray) -> Scenario:
            found = self.scenario.with_values({path: values[chosen] for path, values in columns.items()})
            for drug in found.regimen.drugs:
                derived_clearances(drug, found.size)
            return found

        every = np.arange(lanes)
        bad = np.array(list(impossible(build, every)), dtype=int)
        good = np.setdiff1d(every, bad)
        values, reasons = np.full(lanes, np.nan), np.full(lanes, IMPOSSIBLE, dtype=object)
        if good.size:
            values[good], reasons[good] = measure([build(good)], metric, **asked)
        return values, reasons


def _two(scenarios: Mapping[str, Scenario], arm: str, over: str) -> dict[str, Scenario]:
    for name in (arm, over):
        if name not in scenarios:
            raise UnknownNameError.of("arm", str(name), scenarios)
    if arm == over:
        raise ParameterError(f"arm and over are both {arm!r}; an arm is held against another", field="over")
    return {name: scenarios[name] for name in (arm, over)}


def _axis(axis: Axis, arms: Mapping[str, Scenario]) -> tuple[str, str, Array]:
    """Path, unit and increasing values of an axis."""
    if isinstance(axis, str) or len(axis) != 2:
        raise ParameterError(f"an axis is (path, values), not {axis!r}")
    path, given = axis
    spec = next(iter(holders_of(path, arms).values())).spec(path)
    if spec.kind != "number":
        raise ParameterError(f"{path} is not a number, and a map needs two numbers as axes", field=path)
    values = np.atleast_1d(np.asarray(number_value(spec, given, path)))
    if values.size < 2 or np.any(np.diff(values) <= 0.0) or not np.all(np.isfinite(values)):
        raise ParameterError(f"{path}: the values of an axis are at least two, increasing and finite", field=path)
    return path, spec.unit, values


def _cell(value: float) -> str:
    return "" if np.isnan(value) else repr(float(value))
