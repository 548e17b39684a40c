"""Blood cells on the steps of transport: the Friberg model by an explicit pair of order five.

Plasma concentration comes from the dense output of transport, so the marrow costs no step of its own; its error
estimate takes part in choosing the common step.

References
----------
Dormand JR, Prince PJ. A family of embedded Runge-Kutta formulae. J Comput Appl Math 1980;6:19 (pair).
Hairer E, Norsett SP, Wanner G. Solving Ordinary Differential Equations I, 2nd ed., section II.6 (dense output).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..laws.marrow import friberg_baseline, friberg_rates
from ..model.graph import CENTRAL
from ..model.problem import Array
from .clock import Clock
from .transport import Step, evaluate_dense

_C = np.array([0.0, 1 / 5, 3 / 10, 4 / 5, 8 / 9, 1.0, 1.0])
_A = (
    (),
    (1 / 5,),
    (3 / 40, 9 / 40),
    (44 / 45, -56 / 15, 32 / 9),
    (19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729),
    (9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656),
    (35 / 384, 0.0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84),
)
_ERROR = np.array([71 / 57600, 0.0, -71 / 16695, 71 / 1920, -17253 / 339200, 22 / 525, -1 / 40])
# Polynomial coefficients (stage, power 1..4) of the continuous extension of order four.
_DENSE = np.array(
    [
        [1.0, -8048581381 / 2820520608, 8663915743 / 2820520608, -12715105075 / 11282082432],
        [0.0, 0.0, 0.0, 0.0],
        [0.0, 131558114200 / 32700410799, -68118460800 / 10900136933, 87487479700 / 32700410799],
        [0.0, -1754552775 / 470086768, 14199869525 / 1410260304, -10690763975 / 1880347072],
        [0.0, 127303824393 / 49829197408, -318862633887 / 49829197408, 701980252875 / 199316789632],
        [0.0, -282668133 / 205662961, 2019193451 / 616988883, -1453857185 / 822651844],
        [0.0, 40617522 / 29380423, -110615467 / 29380423, 69997945 / 29380423],
    ]
)


class BloodStep(NamedTuple):
    """One step of a cell line: states before and after [ln or 1e9/L], slopes per unit theta, error estimate."""

    before: Array  # (5, n)
    after: Array
    slopes: Array  # (7, 5, n)
    error: Array  # (5, n)

    def circulating(self, theta: Array) -> Array:
        """Circulating cells inside the step [1e9/L]; theta (..., n) in [0, 1]."""
        basis = np.stack([theta**k for k in range(1, 5)])
        weights = np.tensordot(_DENSE, basis, axes=(1, 0))  # (7, ..., n)
        slopes = self.slopes[:, 4].reshape(7, *(1,) * (theta.ndim - 1), -1)
        return self.before[4] + (weights * slopes).sum(axis=0)


class CellLine:
    """One circulating cell line (neutrophils or leukocytes) of every lane, its nadir and when that was."""

    def __init__(self, *, baseline: Array, mtt: Array, feedback: Array, slope_per_amount: Array) -> None:
        self.baseline, self.mtt, self.feedback = baseline, mtt, feedback
        self.slope_per_amount = slope_per_amount  # (D, n) effect per amount in the central compartment [1/mg]
        self.state = friberg_baseline(baseline)
        self.lowest, self.lowest_time = baseline.copy(), np.full_like(baseline, np.nan)

    def step(self, step: Step, clock: Clock) -> BloodStep:
        """Integrate over one step of transport."""
        s = step.s + step.h * _C[:6, None]
        speed = step.h * clock.speed(s)
        amount = evaluate_dense(step.dense([CENTRAL])[:, 0][:, None], _C[:6, None, None])  # (6, D, n)
        effect = (self.slope_per_amount * amount).sum(axis=1)
        slopes = np.empty((7, *self.state.shape))
        y = self.state
        for i in range(7):
            if i:
                y = self.state + np.tensordot(np.array(_A[i]), slopes[:i], axes=(0, 0))
            at = min(i, 5)
            friberg_rates(
                y, effect=effect[at], circ0=self.baseline, mtt_h=self.mtt, gamma=self.feedback, out=slopes[i]
            )
            slopes[i] *= speed[at]
        return BloodStep(self.state, y, slopes, np.tensordot(_ERROR, slopes, axes=(0, 0)))

    @staticmethod
    def error(step: BloodStep) -> Array:
        """Error of a step relative to the cells (of the logarithm: absolute), (n,)."""
        relative = np.abs(step.error[1:]) / np.abs(step.after[1:])
        return np.maximum(np.abs(step.error[0]), relative.max(axis=0))

    def accept(self, step: BloodStep, clock_step: Step, clock: Clock) -> None:
        """Carry the cells over the step and keep the lowest count, located on the dense output."""
        turning = (step.slopes[0, 4] < 0.0) & (step.slopes[6, 4] > 0.0)
        theta = np.ones_like(self.baseline)
        if turning.any():
            theta = np.where(turning, _minimum(step, turning), 1.0)
        value = step.circulating(theta) if turning.any() else step.after[4]
        lower = value < self.lowest
        time = clock.start + clock.elapsed(clock_step.s + clock_step.h * theta)
        self.lowest = np.where(lower, value, self.lowest)
        self.lowest_time = np.where(lower, time, self.lowest_time)
        self.state = step.after


def _minimum(step: BloodStep, turning: Array) -> Array:
    """Theta at which circulating cells are lowest inside the step, by bisection on the slope."""
    low, high = np.zeros_like(step.before[4]), np.ones_like(step.before[4])
    powers = np.arange(1, 5)[:, None]
    coefficients = np.tensordot(_DENSE.T, step.slopes[:, 4], axes=(1, 0))  # (4, n)
    for _ in range(30):
        middle = 0.5 * (low + high)
        slope = (coefficients * powers * middle ** (powers - 1)).sum(axis=0)
        low, high = np.where(slope < 0.0, middle, low), np.where(slope < 0.0, high, middle)
    return 0.5 * (low + high)
