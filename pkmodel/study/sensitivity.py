"""Which inputs a result rests on: one at a time (tornado), elementary effects (Morris), shares of variance (Sobol).

The result is a measure of one arm, the logarithm of its ratio between two, or whether one is better than the other.
Inputs are the uncertain parameters with the distributions of `study.uncertainty`, or named ranges. Every design point
is a lane; nothing is printed of a design in which runs failed.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..inputs.horizon import checked_rtol, horizon_h
from ..inputs.scenario import Scenario
from ..model.problem import Array
from .factors import Factor, Ranges, columns, factors_of, possible_ends
from .morris import elementary_effects, morris_points
from .question import Columns, Progress, Question, question
from .sobol import sobol_indices, sobol_points
from .uncertainty import SEED

RTOL = 1e-5
UNTIL_DAYS = 28.0
TRAJECTORIES, LEVELS = 20, 8
POINTS = 256
DRAWS = 128
Scenarios = Scenario | Mapping[str, Scenario]


@dataclass(frozen=True, eq=False)
class Sensitivity:
    """How a result depends on its inputs.

    Attributes
    ----------
    method : tornado, morris or sobol
    metric, arm, over, how, drug : what was asked
    unit : of the result
    base : the result at the typical values; of `beats` in a tornado its mean over draws
    mean, variance : of the result over a Sobol design; None otherwise
    rows : one mapping an input, the most influential first: path, unit, typical value, ends of its range, kind of
        origin, grade of its evidence, `left_out_percent` of its distribution (see `study.factors`), and what the method
        found
    n, seed, runs : size and seed of the design, and points solved in each arm
    """

    method: str
    metric: str
    arm: str
    over: str | None
    how: str
    drug: str | None
    unit: str
    base: float
    mean: float | None
    variance: float | None
    rows: tuple[dict[str, Any], ...]
    n: int
    seed: int | None
    runs: int

    def to_csv(self, path: str | Path | None = None) -> str:
        """Return the rows as CSV text, with what was asked in every row; written to `path` if one is given."""
        over = self.over or ""
        asked = {"method": self.method, "metric": self.metric, "arm": self.arm, "over": over, "how": self.how}
        out = io.StringIO()
        writer = csv.DictWriter(out, [*asked, "result_unit", *self.rows[0]], lineterminator="\n")
        writer.writeheader()
        writer.writerows({**asked, "result_unit": self.unit, **row} for row in self.rows)
        if path is not None:
            Path(path).write_text(out.getvalue(), encoding="utf-8")
        return out.getvalue()


def tornado(
    scenarios: Scenarios,
    metric: str,
    *,
    arm: str | None = None,
    over: str | None = None,
    how: str | None = None,
    drug: str | None = None,
    kinds: Collection[str] | None = None,
    ranges: Ranges | None = None,
    fixed: Collection[str] = (),
    until_days: float = UNTIL_DAYS,
    rtol: float = RTOL,
    draws: int = DRAWS,
    seed: int = SEED,
    progress: Progress = None,
) -> Sensitivity:
    """Move one input at a time to either end of its range, the others at their typical values.

    For ``how="beats"`` the others are drawn (`draws`, a power of two), so that the result is the probability that `arm`
    is better than `over`.

    Parameters
    ----------
    scenarios : a scenario, or name -> scenario, one lane each
    metric : a measure of `compare`, or ``log10_kill``
    arm, over : names; the arm asked about, and the one it is held against
    how : ``value``, ``log_ratio`` (default with `over`) or ``beats``
    drug : name, where several are given
    kinds : only uncertain parameters of these kinds of origin, such as ``["assumed"]``
    ranges : path -> (low, high), these instead of the uncertain parameters
    fixed : paths that are not varied
    until_days : horizon [d]; effects are read 28 d after the last session
    rtol : relative tolerance of the runs
    draws, seed : of ``beats``
    progress : called with the number of points solved and of all

    Returns
    -------
    Sensitivity
        Rows with `at_low`, `at_high` and `swing`, the width of low, typical and high together.

    Raises
    ------
    InputError
        A wrong name, value or combination; inputs that are not independent.
    RunError
        A run failed.

    Examples
    --------
    >>> import pkmodel as pk
    >>> given = pk.Scenario("hcc_reference", pk.iv("doxorubicin", 50))
    >>> found = pk.tornado(given, "plasma_auc_ng_h_per_ml", ranges={"patient.bsa": (1.5, 2.1)})
    >>> found.rows[0]["at_low"] > found.base > found.rows[0]["at_high"]
    True
    """
    asked, factors = _asked(scenarios, metric, arm, over, how, drug, kinds, ranges, fixed, until_days, rtol)
    lanes = draws if asked.how == "beats" else 1
    table = _ends(asked, factors, _around(asked, factors, lanes, seed), lanes)
    found = asked.answers(table, (2 * len(factors) + 1) * lanes, progress).reshape(-1, lanes).mean(axis=1)
    base = float(found[0])
    rows = []
    for factor, low, high in zip(factors, found[1::2], found[2::2], strict=True):
        swing = max(low, high, base) - min(low, high, base)
        rows.append({**_known(factor), "at_low": float(low), "at_high": float(high), "swing": float(swing)})
    about: dict[str, Any] = {"n": lanes, "seed": seed if lanes > 1 else None, "runs": found.size * lanes}
    return _result("tornado", asked, rows, "swing", base, **about)


def _around(asked: Question, factors: tuple[Factor, ...], lanes: int, seed: int) -> Columns:
    """What the inputs are while another one moves: typical in one lane, drawn in more."""
    if lanes > 1:
        points = sobol_points(len(factors), n=lanes, seed=seed)[:lanes]
        return {name: columns(factors, name, points) for name in asked.arms}
    return {
        name: {each.path: np.array([each.arms[name].value]) for each in factors if name in each.arms}
        for name in asked.arms
    }


def _ends(asked: Question, factors: tuple[Factor, ...], around: Columns, lanes: int) -> Columns:
    """Values of every input and point, arm by arm: typical (or drawn), then each input at its low and its high end."""
    table: dict[str, dict[str, Array]] = {}
    for name, values in around.items():
        table[name] = {}
        for i, factor in enumerate(factors):
            if name in factor.arms:
                column = np.tile(values[factor.path], (2 * len(factors) + 1, 1))
                own = factor.arms[name]
                ends = own.ends(whole=False) if lanes > 1 else possible_ends(asked.arms[name], factor.path, own)
                column[2 * i + 1], column[2 * i + 2] = ends
                table[name][factor.path] = column.ravel()
    return table


def morris(
    scenarios: Scenarios,
    metric: str,
    *,
    arm: str | None = None,
    over: str | None = None,
    how: str | None = None,
    drug: str | None = None,
    kinds: Collection[str] | None = None,
    ranges: Ranges | None = None,
    fixed: Collection[str] = (),
    until_days: float = UNTIL_DAYS,
    rtol: float = RTOL,
    trajectories: int = TRAJECTORIES,
    levels: int = LEVELS,
    seed: int = SEED,
    progress: Progress = None,
) -> Sensitivity:
    """Screen the inputs by their elementary effects; parameters as of `tornado`.

    Parameters
    ----------
    trajectories : number of trajectories, each of d + 1 points
    levels : even number of quantiles that an input takes, from the lowest to the highest of its distribution
    seed : of the trajectories

    Returns
    -------
    Sensitivity
        Rows with `mu`, `mu_star` and `sigma`: mean, mean size and standard deviation of the change of the result, for a
        move of an input through its whole distribution; `mu_star_low_95`, `mu_star_high_95`.
    """
    asked, factors = _asked(scenarios, metric, arm, over, how, drug, kinds, ranges, fixed, until_days, rtol)
    points = morris_points(len(factors), trajectories=trajectories, levels=levels, seed=seed)
    values = asked.answers({name: columns(factors, name, points) for name in asked.arms}, len(points), progress)
    found = elementary_effects(points, values, seed=seed)
    numbers = {
        "mu": found.mu,
        "mu_star": found.mu_star,
        "sigma": found.sigma,
        "mu_star_low_95": found.mu_star_low,
        "mu_star_high_95": found.mu_star_high,
    }
    rows = _rows(factors, numbers)
    return _result("morris", asked, rows, "mu_star", _base(asked), n=trajectories, seed=seed, runs=len(points))


def sobol(
    scenarios: Scenarios,
    metric: str,
    *,
    arm: str | None = None,
    over: str | None = None,
    how: str | None = None,
    drug: str | None = None,
    kinds: Collection[str] | None = None,
    ranges: Ranges | None = None,
    fixed: Collection[str] = (),
    until_days: float = UNTIL_DAYS,
    rtol: float = RTOL,
    n: int = POINTS,
    seed: int = SEED,
    progress: Progress = None,
) -> Sensitivity:
    """Share the variance of the result among the inputs; parameters as of `tornado`.

    With ``how="beats"`` the mean of the result is the probability that `arm` is better than `over`.

    Parameters
    ----------
    n : points of the design, a power of two; n (d + 2) are solved in each arm
    seed : of the design and the bootstrap

    Returns
    -------
    Sensitivity
        Rows with first and total order `s1` and `st`, and the ends of their 95 % intervals.
    """
    asked, factors = _asked(scenarios, metric, arm, over, how, drug, kinds, ranges, fixed, until_days, rtol)
    points = sobol_points(len(factors), n=n, seed=seed)
    values = asked.answers({name: columns(factors, name, points) for name in asked.arms}, len(points), progress)
    found = sobol_indices(values, len(factors), seed=seed)
    numbers = {
        "s1": found.first,
        "s1_low_95": found.first_low,
        "s1_high_95": found.first_high,
        "st": found.total,
        "st_low_95": found.total_low,
        "st_high_95": found.total_high,
    }
    rows = _rows(factors, numbers)
    about = {"mean": found.mean, "variance": found.variance}
    return _result("sobol", asked, rows, "st", _base(asked), n=n, seed=seed, runs=len(points), **about)


def _asked(
    scenarios: Scenarios,
    metric: str,
    arm: str | None,
    over: str | None,
    how: str | None,
    drug: str | None,
    kinds: Collection[str] | None,
    ranges: Ranges | None,
    fixed: Collection[str],
    until_days: float,
    rtol: float,
) -> tuple[Question, tuple[Factor, ...]]:
    until_h = horizon_h(None, until_days)
    asked = question(
        scenarios, metric, arm=arm, over=over, how=how, drug=drug, until_h=until_h, rtol=checked_rtol(rtol)
    )
    return asked, factors_of(asked.arms, kinds=kinds, ranges=ranges, fixed=fixed)


def _base(asked: Question) -> float:
    return float(asked.answers({name: {} for name in asked.arms}, 1)[0])


def _known(factor: Factor) -> dict[str, Any]:
    """What is known of an input, whatever the method."""
    first = factor.first
    return {
        "path": factor.path,
        "unit": factor.unit,
        "value": first.value,
        "low": first.low,
        "high": first.high,
        "kind": factor.kind,
        "grade": factor.grade,
        "left_out_percent": 100.0 * factor.left_out,
    }


def _rows(factors: tuple[Factor, ...], numbers: Mapping[str, Array]) -> list[dict[str, Any]]:
    return [
        {**_known(factor), **{name: float(values[i]) for name, values in numbers.items()}}
        for i, factor in enumerate(factors)
    ]


def _result(
    method: str, asked: Question, rows: list[dict[str, Any]], by: str, base: float, **about: Any
) -> Sensitivity:
    ordered = tuple(sorted(rows, key=lambda row: -row[by]))
    settled = {"mean": None, "variance": None, **about}
    return Sensitivity(
        method=method,
        metric=asked.metric,
        arm=asked.arm,
        over=asked.over,
        how=asked.how,
        drug=asked.drug,
        unit=asked.unit,
        base=base,
        rows=ordered,
        **settled,
    )
