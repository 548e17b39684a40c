"""The tumour's answer on the steps of transport: kill integrals on Gauss panels, growth in closed form.

Between two readings transport does not feel the response, so its dense output drives volumes step by step. The
state of a zone is u = ln(v / v at the last reading): du/dt = g - b u - kill, linear for exponential (b = 0) and
Gompertz growth, so an integrating factor and one quadrature solve it to the order of the panel.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..laws import tumour
from ..model.graph import HYPOXIA, INDEX, ROW, ZONES
from ..model.network import Network
from ..model.problem import Array, Problem
from .clock import Clock
from .transport import Step, evaluate_dense

CELL_ROWS = [INDEX[f"{zone}_cells"] for zone in ZONES]
HYPOXIA_ROWS = [ROW[name] for name in HYPOXIA]

# Three Gauss nodes carry the result, two more its error estimate; together they interpolate inside a step.
_THREE, _TWO = np.sqrt(0.6) / 2.0, np.sqrt(1.0 / 3.0) / 2.0
NODES = np.array([0.5 - _THREE, 0.5, 0.5 + _THREE, 0.5 - _TWO, 0.5 + _TWO])
WEIGHTS = np.array([5.0 / 18.0, 4.0 / 9.0, 5.0 / 18.0])
_TO_POLYNOMIAL = np.linalg.inv(np.vander(NODES, increasing=True))


def partial_weights(theta: Array) -> Array:
    """Weights (5, ...) that integrate values at NODES from 0 to theta, exact for polynomials of degree 4."""
    powers = np.stack([theta ** (k + 1) / (k + 1) for k in range(5)])
    return np.tensordot(_TO_POLYNOMIAL.T, powers, axes=(1, 0))


_TO_NODES = partial_weights(NODES)  # (5 values, 5 ends)


class Panel(NamedTuple):
    """Kill on one step, at NODES: everything needed to finish the step and to interpolate inside it."""

    elapsed: Array  # (5, n) time since the step began [h]
    weight: Array  # (5, n) h ds/dt at the nodes: dt = weight dtheta [h]
    duration: Array  # (n,) [h]
    kill: Array  # (5, 2, n) total kill rate [1/h]
    by_drug: Array  # (5, D, 2, n)
    by_ischaemia: Array  # (5, 2, n)
    log_ratio: Array  # (5, 2, n) u at the nodes
    log_ratio_end: Array  # (2, n)


class TumourState:
    """Zones between two readings: viable volume as a logarithm, dead volume, kill booked per cause."""

    def __init__(self, problem: Problem, network: Network) -> None:
        p = problem.patient
        self.problem = problem
        self.base = p.zone_volume.copy()  # viable volume at the last reading [L]
        self.log_ratio = np.zeros_like(self.base)
        self.dead = np.zeros_like(self.base)
        self.booked_drug = np.zeros((problem.n_drugs, problem.n))  # [L]
        self.booked_ischaemia = np.zeros(problem.n)
        self.reread(network)

    @property
    def viable(self) -> Array:
        """Viable volume of the zones [L], (2, n)."""
        return self.base * np.exp(self.log_ratio)

    def reread(self, network: Network) -> None:
        """Start a new stretch: the current viable volume becomes the base, concentrations a new capacity."""
        self.base, self.log_ratio = self.viable, np.zeros_like(self.base)
        d = self.problem.drug
        self.per_amount = d.fraction_unbound[:, None] / np.stack(
            [network.capacity[r] for r in CELL_ROWS], axis=1
        )
        self.drugs_kill = bool(np.any(d.potency * d.kmax > 0.0))
        self.growth = self._growth()

    def _growth(self) -> Array:
        """g of du/dt = g - b u for each zone [1/h], (2, n)."""
        p = self.problem.patient
        present = self.base > 0.0
        room = p.growth_capacity * p.zone_share / np.where(present, self.base, 1.0)
        damped = p.growth_damping > 0.0
        return np.where(
            damped, p.growth_damping * np.log(np.where(present & damped, room, 1.0)), p.growth_rate
        )

    def panel(self, step: Step, clock: Clock) -> Panel:
        """Evaluate kill on a step and integrate the logarithm of the viable volume to its nodes and end."""
        p = self.problem.patient
        s = step.s + step.h * np.append(NODES, [0.0, 1.0])[:, None]
        times = clock.elapsed(s)
        elapsed, duration = times[:5] - times[5], times[6] - times[5]
        weight = step.h * clock.speed(s[:5])
        theta = NODES[:, None, None, None]
        hypoxia = evaluate_dense(step.dense(HYPOXIA_ROWS)[:, None], theta)[:, :, 0]
        by_ischaemia = p.ischaemia_switch * p.ischaemic_kill * hypoxia
        by_drug = self._drug_kill(step, theta, hypoxia)
        kill = by_ischaemia + by_drug.sum(axis=1)
        grown = np.exp(p.growth_damping * elapsed)[:, None] * weight[:, None] * (self.growth - kill)
        start = self.log_ratio
        inside = np.tensordot(_TO_NODES.T, grown, axes=(1, 0))
        nodes = (start + inside) * np.exp(-p.growth_damping * elapsed)[:, None]
        end = (start + np.tensordot(WEIGHTS, grown[:3], axes=(0, 0))) * np.exp(-p.growth_damping * duration)
        return Panel(elapsed, weight, duration, kill, by_drug, by_ischaemia, nodes, end)

    def _drug_kill(self, step: Step, theta: Array, hypoxia: Array) -> Array:
        d, problem = self.problem.drug, self.problem
        if not self.drugs_kill:
            return np.zeros((len(NODES), problem.n_drugs, 2, problem.n))
        amounts = evaluate_dense(step.dense(CELL_ROWS)[:, None], theta)  # (5, 2, D, n)
        concentration = amounts.swapaxes(1, 2) * self.per_amount
        return tumour.drug_kill(
            concentration,
            hypoxia[:, None],
            potency=d.potency[:, None],
            kmax=d.kmax[:, None],
            ec50=d.ec50[:, None],
            hill=d.hill[:, None],
            hypoxia_factor=d.hypoxia_factor[:, None],
        )

    @staticmethod
    def error(panel: Panel) -> Array:
        """Difference of the three- and two-node kill integrals, an error of u (relative, of v), (n,)."""
        dose = panel.weight[:, None] * panel.kill
        return np.abs(np.tensordot(WEIGHTS, dose[:3], axes=(0, 0)) - 0.5 * (dose[3] + dose[4])).max(axis=0)

    def accept(self, panel: Panel) -> None:
        """Carry volumes and booked kill over the step."""
        p = self.problem.patient
        volume = self.base * np.exp(panel.log_ratio)
        rate = panel.weight[:, None] * volume
        left = np.exp(-p.resorption * (panel.duration - panel.elapsed))[:, None]
        self.dead = self.dead * np.exp(-p.resorption * panel.duration) + np.tensordot(
            WEIGHTS, (left * rate * panel.kill)[:3], axes=(0, 0)
        )
        self.booked_ischaemia += np.tensordot(
            WEIGHTS, (rate * panel.by_ischaemia).sum(axis=1)[:3], axes=(0, 0)
        )
        self.booked_drug += np.tensordot(
            WEIGHTS, (rate[:, None] * panel.by_drug).sum(axis=2)[:3], axes=(0, 0)
        )
        self.log_ratio = panel.log_ratio_end

    def inside(self, panel: Panel, start: Array, theta: Array, at: Array) -> tuple[Array, Array]:
        """Viable and dead volume [L], (2, m, n), at theta (m, n) of a step and times `at` [h] since its start.

        `start` is the log ratio at the start of the step; call before `accept`.
        """
        p = self.problem.patient
        part = partial_weights(theta)  # (5, m, n)
        damping = np.exp(p.growth_damping * panel.elapsed)[:, None]
        grown = damping * panel.weight[:, None] * (self.growth - panel.kill)  # (5, 2, n)
        log_ratio = (start[:, None] + np.einsum("kmn,kzn->zmn", part, grown)) * np.exp(-p.growth_damping * at)
        volume = self.base * np.exp(panel.log_ratio)
        killed = np.exp(p.resorption * panel.elapsed)[:, None] * panel.weight[:, None] * volume * panel.kill
        dead = (self.dead[:, None] + np.einsum("kmn,kzn->zmn", part, killed)) * np.exp(-p.resorption * at)
        return self.base[:, None] * np.exp(log_ratio), dead

    def recruit(self, elapsed: Array) -> Array:
        """Move escape tissue to the core [L] after a time since the last reading [h]; returns moved, core before."""
        p = self.problem.patient
        viable = self.viable
        moved = viable[1] * tumour.recruited(p.escape_recovery, p.escape_recovery_time, elapsed)
        before = viable[0].copy()
        viable[0] += moved
        viable[1] -= moved
        self.base, self.log_ratio = viable, np.zeros_like(viable)
        return np.stack([moved, before])
