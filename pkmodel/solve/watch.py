"""What is kept of a course while it is computed: peaks, and samples at asked times. Nothing else is stored."""

from __future__ import annotations

import numpy as np

from ..laws.perfusion import supply
from ..model.graph import DAUGHTERS, HYPOXIA, N_NODES, rows
from ..model.network import Geometry
from ..model.problem import Array, Problem
from .blood import BloodStep
from .clock import Clock, patency
from .effect import Panel, TumourState
from .forcing import Forcing, retained
from .transport import Step, evaluate_dense

SAMPLED_ROWS = [*range(N_NODES), *range(rows(DAUGHTERS).start, rows(HYPOXIA).stop)]


class Peak:
    """Largest value of a sum of state rows over a course, located on the dense output."""

    def __init__(self, problem: Problem, rows_: list[int]) -> None:
        self.rows = rows_
        self.value = np.zeros((problem.n_drugs, problem.n))
        self.time = np.zeros_like(self.value)

    def update(self, step: Step, clock: Clock, scale: Array) -> None:
        """Take a step into account; `scale` turns the sum of amounts into the quantity watched."""
        dense = step.dense(self.rows).sum(axis=1)
        y0, y1, d0, d1, d2 = dense
        theta = np.ones_like(y1)
        inside = (y1 - y0 + d0 > 0.0) & (y1 - y0 - d0 - d1 - d2 < 0.0)
        if inside.any():
            theta[inside] = _summit(dense[:, inside])
        falling = ~inside & (y0 > y1)  # a reading may have shrunk the tumour and raised its concentration
        theta[falling] = 0.0
        value = np.where(inside, evaluate_dense(dense, theta), np.where(falling, y0, y1)) * scale
        higher = value > self.value
        if higher.any():
            time = clock.start + clock.elapsed(step.s + step.h * theta)
            self.value = np.where(higher, value, self.value)
            self.time = np.where(higher, time, self.time)


def _summit(dense: Array) -> Array:
    """Theta of the maximum of dense-output quartics whose slope falls from positive to negative."""
    y0, y1, d0, d1, d2 = dense
    low, high = np.zeros_like(y0), np.ones_like(y0)
    for _ in range(30):
        t = 0.5 * (low + high)
        # derivative of (1-t) y0 + t y1 + t (1-t) (d0 + t d1 + t^2 d2)
        slope = y1 - y0 + (1 - 2 * t) * (d0 + t * (d1 + t * d2)) + t * (1 - t) * (d1 + 2 * t * d2)
        rising = slope > 0.0
        low, high = np.where(rising, t, low), np.where(rising, high, t)
    return 0.5 * (low + high)


class Samples:
    """State of every lane at its own times (m, n) [h]; NaN where a lane never got there.

    At a boundary a sample includes what happens there at once (a bolus, a new reading); the last instant of the
    course belongs to its last step.
    """

    def __init__(self, problem: Problem, times: Array, n_lines: int) -> None:
        self.times = times
        m, d, n = times.shape[0], problem.n_drugs, problem.n
        self.transport = np.full((len(SAMPLED_ROWS), d, m, n), np.nan)
        self.depot = np.full((4, d, m, n), np.nan)
        self.shunted = np.full((d, m, n), np.nan)  # injected drug that bypasses to the hepatic vein [mg/h]
        self.flow = np.full((4, m, n), np.nan)  # blood flow of core, escape, served, other [L/h]
        self.arterial = np.full((3, m, n), np.nan)  # arterial flow of core, escape, served [L/h]
        self.patency = np.full((2, m, n), np.nan)  # tumour and served arteries
        self.viable = np.full((2, m, n), np.nan)
        self.dead = np.full((2, m, n), np.nan)
        self.volume = np.full((2, m, n), np.nan)  # of the last reading
        self.cells = np.full((n_lines, m, n), np.nan)

    def wanted(self, clock: Clock, last: bool) -> tuple[Array, np.ndarray] | None:
        """Clock positions (m, n) of the samples in a segment and the times concerned; None if there are none."""
        if not self.times.size:
            return None
        position = clock.position(self.times)
        if last:  # the end of the course is inside its last segment
            end = self.times == clock.start + clock.length
            position = np.where(end, 1.0, position)
        inside = (position >= 0.0) & ((position < 1.0) | (last & (position == 1.0)))
        chosen = np.flatnonzero(inside.any(axis=1))
        return (np.where(inside, position, -1.0), chosen) if chosen.size else None

    def environment(
        self,
        problem: Problem,
        geometry: Geometry,
        forcing: Forcing,
        where: tuple[Array, np.ndarray],
    ) -> None:
        """Fill in what is closed form inside a segment: depots, flows, patency, volumes."""
        position, chosen = where
        s = position[chosen]
        mask = s >= 0.0
        s = np.where(mask, s, 0.5)
        time = forcing.clock.start + forcing.clock.elapsed(s)
        tumour_open, served_open = patency(problem, forcing.segment, time)
        seen = retained(problem, tumour_open), retained(problem, served_open)
        _put(self.patency, chosen, mask, np.stack([tumour_open, served_open]))
        arteries = np.concatenate([geometry.flows.zone_arterial, geometry.flows.served_arterial[None]])
        _put(self.arterial, chosen, mask, arteries[:, None] * np.stack([seen[0], seen[0], seen[1]]))
        _put(self.flow, chosen, mask, blood_flow(problem, geometry, *seen))
        _put(self.volume, chosen, mask, np.broadcast_to(geometry.volume[:, None], (2, *s.shape)))
        held = np.zeros((4, problem.n_drugs, *s.shape))
        for d in forcing.depots:
            left = forcing.kept(d, s[:, None])  # (m, D, n)
            held = held + d.depot[:, :, None] * np.moveaxis(left, 1, 0)
        _put(self.depot, chosen, mask, held)
        _put(self.shunted, chosen, mask, forcing.shunted_rate(s))

    def collect(
        self,
        step: Step,
        where: tuple[Array, np.ndarray],
        clock: Clock,
        tumour: tuple[TumourState, Panel],
        cells: list[BloodStep],
    ) -> None:
        """Interpolate the samples that lie in a step."""
        position, chosen = where
        end = step.s + step.h
        upper = position[chosen] <= 1.0 if end >= 1.0 else position[chosen] < end
        hit = (position[chosen] >= step.s) & upper
        if not hit.any():
            return
        picked = chosen[hit.any(axis=1)]
        mask = hit[hit.any(axis=1)]
        theta = np.where(mask, (position[picked] - step.s) / step.h, 0.5)
        dense = step.dense(SAMPLED_ROWS)[:, :, :, None]
        _put(self.transport, picked, mask, evaluate_dense(dense, theta))
        state, panel = tumour
        at = clock.elapsed(step.s + step.h * theta) - clock.elapsed(step.s)
        viable, dead = state.inside(panel, state.log_ratio, theta, at)
        _put(self.viable, picked, mask, viable)
        _put(self.dead, picked, mask, dead)
        if cells:
            _put(self.cells, picked, mask, np.stack([line.circulating(theta) for line in cells]))


def _put(store: Array, chosen: np.ndarray, mask: Array, values: Array) -> None:
    """Write values (..., len(chosen), n) into a store (..., m, n) where the mask holds."""
    store[..., chosen, :] = np.where(mask, values, store[..., chosen, :])


def blood_flow(problem: Problem, geometry: Geometry, tumour_open: Array, served_open: Array) -> Array:
    """Blood flow [L/h] of core, escape zone, served and other liver at given patency (m, n); (4, m, n)."""
    p, flows = problem.patient, geometry.flows
    zones = flows.zone[:, None] * supply(tumour_open[None], p.zone_weight[:, None], p.collateral)
    served = flows.served_arterial * served_open + flows.served_portal
    other = np.broadcast_to(flows.other, served.shape)
    return np.concatenate([zones, np.stack([served, other])])
