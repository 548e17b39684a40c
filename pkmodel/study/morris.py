"""Elementary effects: which of many inputs matter at all, at the price of a few runs each.

Inputs are numbers in the unit cube, as in `study.sobol`. Nothing here knows the model.

References
----------
Morris MD. Factorial sampling plans for preliminary computational experiments. Technometrics 1991;33:161.
Campolongo F, Cariboni J, Saltelli A. An effective screening design for sensitivity analysis of large models.
Environ Model Softw 2007;22:1509 (mu*, the mean of absolute effects).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..errors import ParameterError
from ..model.problem import Array
from .sobol import CONFIDENCE, RESAMPLES


@dataclass(frozen=True, eq=False)
class ElementaryEffects:
    """Elementary effects of d inputs: change of the output over the change of the input in the unit cube.

    Attributes
    ----------
    effects : (r, d) of every trajectory
    mu, mu_star, sigma : (d,) mean, mean of the absolute values, standard deviation (0 for a linear input)
    mu_star_low, mu_star_high : (d,) ends of the bootstrap interval of `mu_star`
    """

    effects: Array
    mu: Array
    mu_star: Array
    sigma: Array
    mu_star_low: Array
    mu_star_high: Array


def morris_points(d: int, *, trajectories: int, levels: int, seed: int) -> Array:
    """Return the design, (r (d + 1), d) in the unit cube: r trajectories that change one input a step.

    The step is levels / (2 (levels - 1)), which reaches every level equally often. Trajectory `i` depends on the seed
    and `i` alone.

    Raises
    ------
    ParameterError
        For less than 2 trajectories, levels that are not even from 2, or no input.
    """
    if isinstance(trajectories, bool) or not isinstance(trajectories, int) or trajectories < 2:
        raise ParameterError(
            f"trajectories = {trajectories!r} is not a whole number from 2", field="trajectories", value=trajectories
        )
    if isinstance(levels, bool) or not isinstance(levels, int) or levels < 2 or levels % 2:
        raise ParameterError(f"levels = {levels!r} is not an even number from 2", field="levels", value=levels)
    if d < 1:
        raise ParameterError("there is no uncertain input to vary")
    grid = np.empty((trajectories, d + 1, d), dtype=int)  # numbers of levels, so that no end is missed by rounding
    for i in range(trajectories):
        rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(i,)))
        low = rng.integers(0, levels // 2, size=d)
        rises = rng.random(d) < 0.5
        grid[i, 0] = np.where(rises, low, low + levels // 2)
        for k, j in enumerate(rng.permutation(d)):
            grid[i, k + 1] = grid[i, k]
            grid[i, k + 1, j] += levels // 2 if rises[j] else -(levels // 2)
    return grid.reshape(-1, d) / (levels - 1)


def elementary_effects(points: Array, values: Array, *, seed: int, resamples: int = RESAMPLES) -> ElementaryEffects:
    """Return the elementary effects from the values at `morris_points`.

    Raises
    ------
    ParameterError
        For another number of values, or values that are not finite.
    """
    values = np.asarray(values, dtype=float)
    m, d = points.shape
    if values.shape != (m,) or m % (d + 1):
        raise ParameterError(f"{values.shape} values do not belong to a Morris design of {m} points and {d} inputs")
    if not np.all(np.isfinite(values)):
        count = int((~np.isfinite(values)).sum())
        raise ParameterError(f"{count} of {m} values are not finite; effects of the rest would mean nothing")
    moves = np.diff(points.reshape(-1, d + 1, d), axis=1)
    moved = np.abs(moves).argmax(axis=2)
    change = np.diff(values.reshape(-1, d + 1), axis=1) / np.take_along_axis(moves, moved[..., None], axis=2)[..., 0]
    effects = np.empty((len(moves), d))
    np.put_along_axis(effects, moved, change, axis=1)
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(len(effects), resamples)))
    picks = rng.integers(0, len(effects), size=(resamples, len(effects)))
    means = np.abs(effects)[picks].mean(axis=1)
    low, high = np.quantile(means, (0.5 - CONFIDENCE / 2.0, 0.5 + CONFIDENCE / 2.0), axis=0)
    return ElementaryEffects(
        effects=effects,
        mu=effects.mean(axis=0),
        mu_star=np.abs(effects).mean(axis=0),
        sigma=effects.std(axis=0, ddof=1),
        mu_star_low=low,
        mu_star_high=high,
    )


def effects_of(
    function: Callable[[Array], Array], d: int, *, trajectories: int, seed: int, levels: int = 8
) -> ElementaryEffects:
    """Return the elementary effects of a function that takes (m, d) numbers from the unit cube and returns (m,).

    Examples
    --------
    >>> found = effects_of(lambda u: 2.0 * u[:, 0] + u[:, 1], 2, trajectories=10, seed=1)
    >>> [round(float(each), 6) for each in found.mu_star]
    [2.0, 1.0]
    """
    points = morris_points(d, trajectories=trajectories, levels=levels, seed=seed)
    return elementary_effects(points, np.asarray(function(points)), seed=seed)
