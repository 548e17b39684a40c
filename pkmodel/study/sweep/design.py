"""Designs: which points of the axes are computed, and in which order.

A design is never held with its results; a range of its rows is made when it is needed, so that it costs no memory
(a Latin hypercube and given points are held as numbers, 8 bytes a value).

References
----------
McKay MD, Beckman RJ, Conover WJ. A comparison of three methods for selecting values of input variables. Technometrics
1979;21:239-245.
Owen AB. Scrambling Sobol' and Niederreiter-Xing points. J Complexity 1998;14:466-489.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import FileError, InputError, ParameterError, UnknownNameError, nearest
from ...inputs.regimen import whole_number
from ...inputs.scenario import Scenario
from ...model.problem import Array
from .axes import Axis, read_axes

GRID, LHS, SOBOL, POINTS = "grid", "lhs", "sobol", "points"
KINDS = (GRID, LHS, SOBOL, POINTS)
MOST_SOBOL, MOST_POINTS = 2**30, 2**40


@dataclass(frozen=True, eq=False)
class Design:
    """Points of a sweep, row after row.

    Attributes
    ----------
    kind : grid, lhs, sobol or points
    axes : the axes, one column each
    size : number of points
    seed : of lhs and sobol; None for the others
    """

    kind: str
    axes: tuple[Axis, ...]
    size: int
    seed: int | None = None
    held: Array | None = field(default=None, repr=False)  # (size, k): shares of lhs, values of given points

    def rows(self, start: int, stop: int) -> Array:
        """Values of the points from `start` up to `stop`, (m, k); of an axis of names the number of the name."""
        if self.kind == POINTS:
            assert self.held is not None
            return self.held[start:stop]
        if self.kind == GRID:
            levels = [axis.grid() for axis in self.axes]
            places = np.unravel_index(np.arange(start, stop), [each.size for each in levels])
            return np.column_stack([each[place] for each, place in zip(levels, places, strict=True)])
        share = self._shares(start, stop)
        return np.column_stack([axis.at(share[:, j]) for j, axis in enumerate(self.axes)])

    def _shares(self, start: int, stop: int) -> Array:
        if self.held is not None:
            return self.held[start:stop]
        from scipy.stats import qmc

        engine = qmc.Sobol(len(self.axes), scramble=True, seed=_generator(self.seed))
        if start:
            engine.fast_forward(start)
        return np.asarray(_quietly(engine, stop - start))

    def as_dict(self) -> dict[str, Any]:
        """What the manifest says of the design."""
        found: dict[str, Any] = {"kind": self.kind, "n": self.size, "seed": self.seed}
        if self.kind == POINTS:
            assert self.held is not None
            found["sha256"] = hashlib.sha256(np.ascontiguousarray(self.held, dtype="<f8").tobytes()).hexdigest()
        return found


def _generator(seed: int | None) -> np.random.Generator:
    return np.random.default_rng(np.random.SeedSequence(seed))


def _quietly(engine: Any, n: int) -> Array:
    """Points of a Sobol engine without its advice on powers of two, which the documentation of `sweep` gives."""
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return np.asarray(engine.random(n))


def make_design(scenario: Scenario, axes: Any, *, kind: Any = GRID, n: Any = None, seed: int = 0) -> Design:
    """Return a design from what `sweep` takes.

    Raises
    ------
    InputError
        For an unknown kind, a missing or useless n, axes that do not fit the kind.
    """
    if isinstance(axes, str | Path):
        return _points(scenario, read_points(axes), kind)
    if not isinstance(kind, str):
        return _points(scenario, _columns(axes, kind), POINTS)
    if kind not in KINDS:
        raise UnknownNameError.of("design", kind, KINDS)
    if kind == POINTS:
        return _points(scenario, axes, kind)
    found = read_axes(scenario, axes)
    for axis in found:
        if axis.levels is not None and np.unique(axis.levels).size < axis.levels.size:
            raise ParameterError(f"axis {axis.path!r} has a value twice", field=axis.path)
    if kind == GRID:
        if n is not None:
            raise ParameterError("n has no effect on a grid; its axes say how many levels they have", field="n")
        points = int(np.prod([axis.grid().size for axis in found], dtype=object))
        if points > MOST_POINTS:
            raise ParameterError(f"a grid of {points} points is too large; at most {MOST_POINTS}", value=points)
        return Design(kind, found, points)
    if n is None:
        raise ParameterError(f"a design of kind {kind!r} needs n, its number of points", field="n")
    size = whole_number(n, "n") if not isinstance(n, int) or isinstance(n, bool) or n < 1 else n
    for axis in found:
        if axis.count is not None:
            raise ParameterError(f"axis {axis.path!r}: n has no effect in a design of kind {kind!r}", field=axis.path)
    if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
        raise ParameterError(f"seed = {seed!r} is not a whole number from 0", field="seed", value=seed)
    if kind == SOBOL:
        if size > MOST_SOBOL:
            raise ParameterError(f"n = {size} is more than a Sobol sequence has ({MOST_SOBOL})", field="n", value=size)
        return Design(kind, found, size, seed)
    from scipy.stats import qmc

    return Design(kind, found, size, seed, qmc.LatinHypercube(len(found), seed=_generator(seed)).random(size))


def _columns(axes: Any, values: Any) -> dict[str, Any]:
    """Columns of an array of points by the paths of its axes."""
    points = np.asarray(values)
    if isinstance(axes, Mapping | str) or not isinstance(axes, Sequence):
        raise InputError(f"axes: an array of points needs the list of its paths, got {axes!r}")
    if points.ndim != 2 or points.shape[1] != len(axes):
        raise InputError(f"design: expected an array (points, {len(axes)}), one column an axis, got {points.shape}")
    return {path: list(points[:, j]) for j, path in enumerate(axes)}


def _points(scenario: Scenario, columns: Any, kind: Any) -> Design:
    """Given points: path -> value of every point."""
    if kind not in (POINTS, GRID):
        raise InputError(f"design {kind!r} makes its own points; given ones are of kind {POINTS!r}")
    if not isinstance(columns, Mapping) or not columns:
        raise InputError(f"axes: expected a mapping of path to one value a point, got {columns!r}")
    lists = {path: list(values) for path, values in columns.items()}
    sizes = {path: len(values) for path, values in lists.items()}
    if len(set(sizes.values())) > 1 or not all(sizes.values()):
        raise InputError(f"axes: given points need as many values on every axis, at least one; got {sizes}")
    distinct = {path: _distinct(values) for path, values in lists.items()}
    axes = read_axes(scenario, {path: [values[i] for i in first] for path, (first, values, _) in distinct.items()})
    held = np.empty((next(iter(sizes.values())), len(axes)))
    for j, axis in enumerate(axes):
        assert axis.levels is not None
        held[:, j] = axis.levels[distinct[axis.path][2]]
    return Design(POINTS, axes, held.shape[0], held=held)


def _distinct(values: list[Any]) -> tuple[list[int], list[Any], list[int]]:
    """Places of the first of equal values, all values, and for each the number of its distinct value."""
    known: dict[Any, int] = {}
    first: list[int] = []
    which: list[int] = []
    for i, value in enumerate(values):
        key = value if isinstance(value, str | float | int | np.generic) or value is None else id(value)
        if key not in known:
            known[key] = len(first)
            first.append(i)
        which.append(known[key])
    return first, values, which


def read_points(path: str | Path) -> dict[str, list[str]]:
    """Read points from a CSV file: the first line holds paths, every other one a point; cells may carry units.

    Raises
    ------
    FileError
        The file cannot be read, a path comes twice, or a line has too few or too many cells.
    """
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            lines = [line for line in csv.reader(file) if line]
    except (OSError, UnicodeDecodeError) as error:
        raise FileError(f"cannot read {str(path)!r}: {getattr(error, 'strerror', None) or error}") from None
    if len(lines) < 2:
        raise FileError(f"{path}: expected a line of paths and at least one point")
    paths = [each.strip() for each in lines[0]]
    for each in paths:
        if paths.count(each) > 1:
            raise FileError(f"{path}: path {each!r} comes twice; {nearest(each, paths)}")
    for i, line in enumerate(lines[1:], 1):
        if len(line) != len(paths):
            raise FileError(f"{path}: point {i} has {len(line)} values for {len(paths)} paths")
    return {each: [line[j].strip() for line in lines[1:]] for j, each in enumerate(paths)}
