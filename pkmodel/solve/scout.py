"""A look ahead: how much drug every compartment will about hold, so that errors are judged against that.

The error of a course counts relative to 1e-4 of its maximum, which at the start of a course still lies ahead. A dozen
backward Euler steps on a logarithmic grid tell it well enough; without them compartments that fill from nothing would
be followed over many decades that nobody looks at.
"""

from __future__ import annotations

import numpy as np

from ..model.graph import CENTRAL, INPUT_ROWS, N_NODES
from ..model.problem import Array, Problem
from . import tree
from .forcing import Delivery
from .transport import CELLS, OUTER, SPACES, Dynamics

FIRST_H, STEPS = 1e-3, 12


def expected_maxima(problem: Problem, dynamics: Dynamics, delivery: Delivery) -> Array:
    """About the largest amount [mg] of every compartment after one dose, (N, D, n): low-dose, nothing occluded."""
    bounds = problem.boundaries
    window = bounds[delivery.slot.end] - bounds[delivery.slot.begin]
    left = np.maximum(bounds[-1] - bounds[delivery.slot.begin], 2.0 * FIRST_H)
    held = np.zeros((N_NODES, problem.n_drugs, problem.n))
    largest, entered, before = held.copy(), np.zeros((4, *held.shape[1:])), np.zeros(problem.n)
    rates = dynamics.loss_rate.copy()
    rates[:CENTRAL] += dynamics.up
    rates[SPACES] += dynamics.down[CELLS]
    rates[CENTRAL] += dynamics.down[OUTER].sum(axis=0)
    for k in range(STEPS):
        time = FIRST_H * (left / FIRST_H) ** (k / (STEPS - 1))
        now = delivery.dissolved * np.minimum(time / np.maximum(window, FIRST_H), 1.0)
        if delivery.slot.law is not None:
            now = now + delivery.depot * delivery.slot.law.window_mean(time, window)
        held[list(INPUT_ROWS)] += now - entered
        step = time - before
        factors = tree.eliminate(1.0 + step * rates, step * dynamics.up, step * dynamics.down)
        held = tree.solve(factors, held)
        largest, entered, before = np.maximum(largest, held), now, time
    return largest
