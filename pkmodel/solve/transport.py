"""Transport of drug along the graph: rates of change, their Jacobian on the tree, and one Rosenbrock step.

State rows are those of `model.graph.ROWS`, shape (rows, D, n): eleven compartments on the tree, then rows that
only follow it. Everything is per unit of s, the clock of the segment.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..model.graph import (
    CENTRAL,
    DAUGHTERS,
    ELIMINATED,
    HYPOXIA,
    INDEX,
    INPUT_ROWS,
    INTEGRALS,
    INTEGRATED,
    LOSSY,
    N_NODES,
    N_ROWS,
    OCCLUDED,
    rows,
)
from ..model.network import Network
from ..model.problem import Array, Problem
from . import rodas, tree

TREE = slice(0, N_NODES)
CELLS, SPACES = slice(0, 4), slice(4, 8)
OUTER = slice(4, 10)  # children of the centre
LOSS_ROWS, INTEGRAL_ROWS = rows(ELIMINATED), rows(INTEGRALS)
DAUGHTER_ROWS, HYPOXIA_ROWS = rows(DAUGHTERS), rows(HYPOXIA)
FOLLOWERS = slice(N_NODES, N_ROWS)
_LOSSY, _INTEGRATED, _INPUTS = list(LOSSY), list(INTEGRATED), list(INPUT_ROWS)
# places of the losses that feed the daughters, among the loss rows
_BODY_LOSSES = [LOSSY.index(INDEX[name]) for name in ("served_cells", "other_cells", "central")]
_ZONE_LOSSES = slice(LOSSY.index(INDEX["core_cells"]), LOSSY.index(INDEX["escape_cells"]) + 1)
# A time derivative of the forcing is taken over this part of a step: error 1e-6 of a term of higher order.
DERIVATIVE_STEP = 1e-6


class ForcingValues(NamedTuple):
    """What acts on transport at m positions of the clock."""

    speed: Array  # (m, n) dt/ds [h]
    supply: (
        Array | None
    )  # (m, 3, 1, n) flow of core, escape zone, served liver relative to unblocked; None: all 1
    inputs: (
        Array | None
    )  # (m, 4, D, n) drug entering core, escape, served, central per unit of s [mg]; None: none
    ischaemia: Array | None  # (m, 2, 1, n) drive towards hypoxia [1]; None: all 0


class Dynamics:
    """Right-hand side and Jacobian for the network of one reading."""

    def __init__(self, problem: Problem, network: Network) -> None:
        d = problem.drug
        self.inverse_capacity = 1.0 / network.capacity
        self.conductance = network.conductance
        self.clearance, self.inverse_km = network.clearance, network.inverse_km
        self.linear = not np.any(network.inverse_km)
        child, parent = self.inverse_capacity[:CENTRAL], np.empty_like(network.conductance)
        parent[CELLS], parent[OUTER] = self.inverse_capacity[SPACES], self.inverse_capacity[CENTRAL]
        self.up, self.down = network.conductance * child, network.conductance * parent
        self.loss_rate = self.clearance * self.inverse_capacity
        shape = (N_ROWS - N_NODES, problem.n_drugs, problem.n)
        self.decay = np.zeros(shape)
        daughters, hypoxia = _shift(DAUGHTER_ROWS), _shift(HYPOXIA_ROWS)
        self.decay[daughters] = np.stack([d.bound_rate, d.tumour_bound_rate, d.tumour_bound_rate])
        self.decay[hypoxia] = problem.patient.hypoxia_rate
        self.bound_fraction, self.tumour_bound_fraction = d.bound_fraction, d.tumour_bound_fraction

    def losses(self, concentration: Array) -> Array:
        """Loss [mg/h] from every node at plasma-equivalent concentrations (N, D, n)."""
        if self.linear:
            return self.clearance * concentration
        return self.clearance * concentration / (1.0 + concentration * self.inverse_km)

    def loss_slopes(self, amounts: Array) -> Array:
        """Derivative of the losses with respect to the amounts [1/h]."""
        if self.linear:
            return self.loss_rate
        return self.loss_rate / (1.0 + amounts * self.inverse_capacity * self.inverse_km) ** 2

    def rate(self, state: Array, forcing: ForcingValues, at: int, out: Array) -> Array:
        """d(state)/ds at position `at` of the forcing, without the drug that enters."""
        amounts = state[TREE]
        c = amounts * self.inverse_capacity
        inner = self.conductance[CELLS] * (c[CELLS] - c[SPACES])
        outer = self.conductance[OUTER] * (c[OUTER] - c[CENTRAL])
        if forcing.supply is not None:
            outer[:3] *= forcing.supply[at]
        loss = self.losses(c)
        np.negative(loss, out=out[TREE])
        out[CELLS] -= inner
        out[SPACES] += inner
        out[OUTER] -= outer
        out[CENTRAL] += outer.sum(axis=0)
        lost = loss[_LOSSY]
        out[LOSS_ROWS] = lost
        out[INTEGRAL_ROWS] = amounts[_INTEGRATED]
        self._feed_daughters(lost, out)
        out[HYPOXIA_ROWS] = 0.0 if forcing.ischaemia is None else forcing.ischaemia[at]
        out[HYPOXIA_ROWS] *= self.decay[_shift(HYPOXIA_ROWS)]
        after = slice(DAUGHTER_ROWS.start, N_ROWS)
        out[after] -= self.decay[_shift(after)] * state[after]
        out *= forcing.speed[at]
        return out

    def _feed_daughters(self, lost: Array, out: Array) -> None:
        first = DAUGHTER_ROWS.start
        out[first] = self.bound_fraction * (
            lost[_BODY_LOSSES[0]] + lost[_BODY_LOSSES[1]] + lost[_BODY_LOSSES[2]]
        )
        out[first + 1 : first + 3] = self.tumour_bound_fraction * lost[_ZONE_LOSSES]

    def factorise(self, state: Array, forcing: ForcingValues, over: float) -> Factors:
        """W = over I - J at position 0 of the forcing, factorised; `over` is 1/(h gamma)."""
        speed = forcing.speed[0]
        slopes = self.loss_slopes(state[TREE])
        up, down = self.up * speed, self.down * speed
        if forcing.supply is not None:
            up[OCCLUDED] *= forcing.supply[0]
            down[OCCLUDED] *= forcing.supply[0]
        diagonal = slopes * speed
        diagonal += over
        diagonal[:CENTRAL] += up
        diagonal[SPACES] += down[CELLS]
        diagonal[CENTRAL] += down[OUTER].sum(axis=0)
        follow = 1.0 / (over + self.decay * speed)
        return Factors(tree.eliminate(diagonal, up, down), slopes[_LOSSY] * speed, speed, follow)

    def solve(self, factors: Factors, right: Array) -> Array:
        """Solve W x = right in place: the tree first, then the rows that follow it."""
        tree.solve(factors.tree, right[TREE])
        lost = factors.slopes * right[_LOSSY]
        right[LOSS_ROWS] += lost
        right[INTEGRAL_ROWS] += factors.speed * right[_INTEGRATED]
        first = DAUGHTER_ROWS.start
        body = lost[_BODY_LOSSES[0]] + lost[_BODY_LOSSES[1]] + lost[_BODY_LOSSES[2]]
        right[first] += self.bound_fraction * body
        right[first + 1 : first + 3] += self.tumour_bound_fraction * lost[_ZONE_LOSSES]
        right[FOLLOWERS] *= factors.follow
        return right


class Factors(NamedTuple):
    """A factorised W: the tree's elimination and what the following rows need."""

    tree: tree.Elimination
    slopes: Array
    speed: Array
    follow: Array


class Step(NamedTuple):
    """One step of the clock: state before and after, error estimate and stages for the dense output."""

    s: float
    h: float
    before: Array
    after: Array
    error: Array
    stages: Array

    def dense(self, row: list[int]) -> Array:
        """Coefficients of the dense output of some rows, (5, rows, D, n): y0, y1, D0, D1, D2."""
        found = np.empty((5, len(row), *self.before.shape[1:]))
        found[0], found[1] = self.before[row], self.after[row]
        part = self.stages[:, row]
        np.matmul(rodas.H, part.reshape(rodas.STAGES, -1), out=found[2:].reshape(3, -1))
        return found


def evaluate_dense(coefficients: Array, theta: Array | float) -> Array:
    """Dense output at theta in [0, 1] of a step; theta broadcasts against the rows."""
    y0, y1, d0, d1, d2 = coefficients
    q = 1.0 - np.asarray(theta)
    return q * y0 + theta * (y1 + q * (d0 + theta * (d1 + theta * d2)))


def positions(s: float, h: float) -> Array:
    """Clock positions at which a step wants its forcing: six stage nodes and one for the time derivative."""
    return np.append(s + h * rodas.DISTINCT_NODES, s + h * DERIVATIVE_STEP)[:, None]


def advance(
    dynamics: Dynamics, state: Array, s: float, h: float, forcing: ForcingValues, released: Array | None
) -> Step:
    """One Rodas5P step from s to s + h.

    Parameters
    ----------
    forcing : values at `positions(s, h)`
    released : drug that enters during the step in closed form [mg], (4, D, n). The stage rates are shifted by
        the constant defect of their quadrature, so that amounts balance to rounding at no extra step.
    """
    inputs = forcing.inputs
    shift = None
    if inputs is not None and released is not None:
        shift = released / h - np.tensordot(rodas.WEIGHTS, inputs[:6], axes=(0, 0))
    factors = dynamics.factorise(state, forcing, 1.0 / (h * rodas.GAMMA))
    stages = np.empty((rodas.STAGES, *state.shape))
    flat = stages.reshape(rodas.STAGES, -1)
    drift = _time_derivative(dynamics, state, forcing, h)
    argument = state
    for i in range(rodas.STAGES):
        k = stages[i]
        if 0 < i < 6:
            argument = (rodas.A[i, :i] @ flat[:i]).reshape(state.shape)
            argument += state
        elif i >= 6:
            argument = argument + stages[i - 1]
        at = min(i, 5)
        dynamics.rate(argument, forcing, at, out=k)
        if inputs is not None:
            k[_INPUTS] += inputs[at] + shift
        if i:
            k += ((rodas.C[i, :i] / h) @ flat[:i]).reshape(state.shape)
        if drift is not None and rodas.D[i] != 0.0:
            k += (h * rodas.D[i]) * drift
        dynamics.solve(factors, k)
    return Step(s, h, state, argument + stages[7], stages[7], stages)


def _time_derivative(dynamics: Dynamics, state: Array, forcing: ForcingValues, h: float) -> Array | None:
    """df/ds at fixed state, by a difference over a millionth of the step; None where the forcing is constant."""
    steady = np.array_equal(forcing.speed[6], forcing.speed[0])
    if steady and forcing.supply is None and forcing.inputs is None and forcing.ischaemia is None:
        return None
    later, now = np.empty_like(state), np.empty_like(state)
    dynamics.rate(state, forcing, 6, out=later)
    dynamics.rate(state, forcing, 0, out=now)
    later -= now
    if forcing.inputs is not None:
        later[_INPUTS] += forcing.inputs[6] - forcing.inputs[0]
    later /= h * DERIVATIVE_STEP
    return later


def _shift(rows_: slice) -> slice:
    return slice(rows_.start - N_NODES, rows_.stop - N_NODES)
