"""Fitting a stage: the most probable values, their errors, and which of them the data decide.

References
----------
Raue A et al. (2009) Structural and practical identifiability analysis of partially observed dynamical models by
exploiting the profile likelihood. Bioinformatics 25:1923-1929.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import InputError, RunError
from ...model.problem import Array
from ..uncertainty import TAIL
from .stage import Datum, Free, Known, Stage, signed_root_deviance

NARROWED = 0.7  # posterior over prior spread below which the data are said to decide a parameter
FLAT, STILL = 0.9, 0.25  # narrowed less than to this, and moved by less prior spreads than this: nothing was learnt
REACH = (-TAIL, TAIL)  # of a profile: both ends of the prior, beside the fit itself
RANK_TOLERANCE = 1e-6  # of the largest singular value
XTOL, FTOL, GTOL = 1e-9, 1e-11, 1e-9
ROUGH = 1e6  # times these tolerances are enough for a misfit that is read to a tenth


@dataclass(frozen=True, eq=False)
class Found:
    """One parameter of a fitted stage.

    Attributes
    ----------
    free : what was fitted
    position, error : on the transformed axis, with the prior counted as information

    Data that narrow the prior to `NARROWED` of its spread *decide* a parameter. One that is neither narrowed nor moved
    is *flat*. What lies between is decided only together with others: it takes the most probable value, stays
    assumed, and keeps its range.
    """

    free: Free
    position: float
    error: float

    @property
    def value(self) -> float:
        """In the path's own unit."""
        return float(self.free.value(self.position))

    @property
    def interval(self) -> tuple[float, float]:
        """90 % range in the path's own unit."""
        low, high = (float(self.free.value(self.position + sign * TAIL * self.error)) for sign in (-1.0, 1.0))
        return low, high

    @property
    def standard_error(self) -> float:
        """In the path's own unit, to first order."""
        slope = (self.free.value(self.position + 1e-5) - self.free.value(self.position - 1e-5)) / 2e-5
        return float(slope * self.error)

    @property
    def narrowed(self) -> float:
        """Posterior over prior spread [1]."""
        return self.error / self.free.spread

    @property
    def moved(self) -> float:
        """Distance from the prior's centre in prior spreads."""
        return (self.position - self.free.centre) / self.free.spread

    @property
    def decided(self) -> bool:
        """Whether the data decide it."""
        return self.narrowed <= NARROWED

    @property
    def flat(self) -> bool:
        """Whether the data say nothing of it: neither narrowed nor moved."""
        return self.narrowed > FLAT and abs(self.moved) < STILL


@dataclass(frozen=True, eq=False)
class StageFit:
    """A fitted stage.

    Attributes
    ----------
    whole, joint : the stage with all its parameters, and where it is most probable
    stage : as fitted in the end, with flat parameters held at their priors
    parameters : of the last fit
    flat : parameters of which the data say nothing, as the first fit found them
    predicted : (m,) of the data, at the fitted values
    rank, condition : of the data's Fisher matrix over all free parameters scaled by their priors, without priors
    cost : half the sum of squared residuals, priors included
    """

    whole: Stage
    joint: Array
    stage: Stage
    parameters: tuple[Found, ...]
    flat: tuple[Found, ...]
    predicted: Array
    covariance: Array
    position: Array
    rank: int
    condition: float
    cost: float

    @property
    def known(self) -> tuple[Known, ...]:
        """What later stages take over."""
        return (*self.stage.known, *(Known(each.free, each.value) for each in self.parameters))

    def folds(self) -> Array:
        """Predicted over observed, (m,); infinite where nothing was observed."""
        observed = np.array([each.observed for each in self.stage.data])
        return np.divide(self.predicted, observed, out=np.full(observed.size, np.inf), where=observed > 0.0)


def fit_stage(stage: Stage) -> StageFit:
    """Fit a stage with all its parameters, then again with those held at their priors of which the data say nothing.

    Raises
    ------
    RunError
        The fit did not converge, or a trial could not be simulated.
    """
    joint, covariance, _ = minimise(stage)
    rank, condition = information(stage, joint)
    everything = found_of(stage, joint, covariance)
    flat = tuple(each for each in everything if each.flat)
    kept, x = stage, joint
    if flat:
        kept = stage.holding({each.free.name: each.free.start for each in flat})
        x, covariance, _ = minimise(kept, np.delete(joint, [i for i, each in enumerate(everything) if each.flat]))
    return StageFit(
        stage,
        joint,
        kept,
        found_of(kept, x, covariance),
        flat,
        kept.predict(x[:, None])[:, 0],
        covariance,
        x,
        rank,
        condition,
        0.5 * float(np.sum(kept.at(x)[0] ** 2)),
    )


def minimise(stage: Stage, start: Array | None = None, *, tolerance: float = 1.0) -> tuple[Array, Array, float]:
    """Most probable position (k,), its covariance (k, k) on the transformed axes, and the cost.

    Tolerances are multiplied by `tolerance`.

    Raises
    ------
    RunError
        The fit did not converge.
    """
    from scipy.optimize import least_squares

    first = stage.start() if start is None else start
    if first.size == 0:
        return first, np.zeros((0, 0)), 0.5 * float(np.sum(stage.residuals(first[:, None]) ** 2))
    if not np.all(np.isfinite(stage.at(first)[0])):
        stage.residuals(first[:, None])  # raises what is wrong with the start
        raise RunError(f"stage {stage.name}: trial values beside the start make no subject")
    options: dict[str, Any] = {
        "xtol": XTOL * tolerance, "ftol": FTOL * tolerance, "gtol": GTOL * tolerance, "max_nfev": 200,
    }  # fmt: skip
    found = least_squares(lambda x: stage.at(x)[0], first, jac=lambda x: stage.at(x)[1], x_scale="jac", **options)
    if found.status <= 0:
        raise RunError(f"stage {stage.name} did not converge: {found.message}")
    slope = stage.at(found.x)[1]
    return np.asarray(found.x, dtype=float), np.asarray(np.linalg.inv(slope.T @ slope)), float(found.cost)


def found_of(stage: Stage, x: Array, covariance: Array) -> tuple[Found, ...]:
    """The free parameters of a position; the reference curve's compartments are nobody's result."""
    errors = np.sqrt(np.diag(covariance))
    return tuple(Found(each, float(x[i]), float(errors[i])) for i, each in enumerate(stage.free))


def information(stage: Stage, x: Array) -> tuple[int, float]:
    """Rank and condition number of the data's information on the free parameters, each in units of its prior."""
    k = len(stage.free)
    if k == 0 or not stage.data:
        return 0, np.inf
    slope = stage.at(x)[1][: len(stage.data), :k] * np.array([each.spread for each in stage.free])
    values = np.linalg.svd(slope, compute_uv=False)
    values = np.concatenate([values, np.zeros(k - values.size)])
    rank = int(np.sum(values > RANK_TOLERANCE * values[0]))
    condition = float((values[0] / values[-1]) ** 2) if values[-1] > 0.0 else np.inf
    return rank, condition


@dataclass(frozen=True, eq=False)
class Profile:
    """Misfit along one parameter with all others at their best, its own prior left out.

    Attributes
    ----------
    free : the parameter
    values : (n,) in its own unit
    misfit : (n,) -2 log likelihood of data and the others' priors, above its least
    """

    free: Free
    values: Array
    misfit: Array

    @property
    def sides(self) -> str:
        """On which sides the data exclude values at 90 %: ``both``, ``low``, ``high`` or ``none``."""
        limit, best = TAIL**2, int(self.misfit.argmin())
        low, high = bool(np.any(self.misfit[: best + 1] > limit)), bool(np.any(self.misfit[best:] > limit))
        return {(True, True): "both", (True, False): "low", (False, True): "high", (False, False): "none"}[low, high]


def profile(fit: StageFit, name: str) -> Profile:
    """Profile of one parameter of a stage at its best and at both ends of its prior, all others free."""
    stage, fitted = fit.whole, fit.joint
    index = next(i for i, each in enumerate(stage.free) if each.name == name)
    free = stage.free[index]
    own = (fitted[index] - free.centre) / free.spread
    # Where all are most probable, so are the others with this one held: the joint fit less its own prior.
    best = 0.5 * float(np.sum(stage.at(fitted)[0] ** 2)) - 0.5 * own**2
    found, rest = {float(fitted[index]): best}, np.delete(fitted, index)
    for step in REACH:
        position = free.centre + free.spread * step
        found[position] = _least(stage.holding({name: float(free.value(position))}), rest)
    positions = np.array(sorted(found))
    misfit = np.array([2.0 * found[each] for each in positions])
    return Profile(free, np.array([float(free.value(each)) for each in positions]), misfit - misfit.min())


def _least(stage: Stage, start: Array) -> float:
    """Least cost of a stage from a start, or from its priors where the start makes no subject; infinite without any."""
    for first in (start, stage.start()):
        try:
            return minimise(stage, first, tolerance=ROUGH)[2]
        except InputError:
            continue
    return np.inf


@dataclass(frozen=True, eq=False)
class LeftOut:
    """What a stage fitted without one study says of that study.

    Attributes
    ----------
    study : its name
    data : its observations
    predicted, low, high : (m,) with the 90 % interval of parameters and observation error
    """

    study: str
    data: tuple[Datum, ...]
    predicted: Array
    low: Array
    high: Array

    @property
    def covered(self) -> NDArray[np.bool_]:
        """Whether each interval holds its observation, (m,)."""
        observed = np.array([each.observed for each in self.data])
        return (self.low <= observed) & (observed <= self.high)


def leave_one_study_out(stage: Stage, fitted: Array) -> list[LeftOut]:
    """Fit without each study in turn, and predict what was left out."""
    found = []
    for study in dict.fromkeys(each.case.study for each in stage.data):
        kept = stage.without(lambda each, study=study: each.case.study != study)  # type: ignore[misc]
        x, covariance, _ = minimise(kept, fitted)
        out = stage.without(lambda each, study=study: each.case.study == study)  # type: ignore[misc]
        found.append(_predicted(study, out, x, covariance))
    return found


def _predicted(study: str, stage: Stage, x: Array, covariance: Array) -> LeftOut:
    predicted, slope = stage.predict(x[:, None])[:, 0], stage.at(x)[1]
    m = len(stage.data)
    spread = np.sqrt(1.0 + np.einsum("ij,jk,ik->i", slope[:m], covariance, slope[:m]))  # of the weighted residual
    low, high = np.empty(m), np.empty(m)
    for i, datum in enumerate(stage.data):
        low[i], high[i] = _limits(datum, predicted[i], TAIL * spread[i])
    return LeftOut(study, stage.data, predicted, low, high)


def _limits(datum: Datum, predicted: float, reach: float) -> tuple[float, float]:
    """Observations whose weighted residual lies within `reach` of nought."""
    if not datum.is_share:
        return predicted * np.exp(-reach * datum.sigma), predicted * np.exp(reach * datum.sigma)
    shares, expected = np.linspace(0.0, 1.0, 1001), np.asarray(predicted)
    inside = [s for s in shares if abs(float(signed_root_deviance(float(s), expected, datum.size))) <= reach]
    return (min(inside), max(inside)) if inside else (predicted, predicted)
