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
# Errors of dead volume count relative to it, or to this share of the tumour if that is more.
LEAST_DEAD = 1e-4
_TO_POLYNOMIAL = np.linalg.inv(np.vander(NODES, increasing=True))


def partial_weights(theta: Array) -> Array:
    """Weights (5, ...) that integrate values at NODES from 0 to theta, exact for polynomials of degree 4."""
    powers = np.stack([theta ** (k + 1) / (k + 1) for k in range(5)])
    return np.tensordot(_TO_POLYNOMIAL.T, powers, axes=(1, 0))


_TO_NODES = partial_weights(NODES)  # (5 values, 5 ends)


def _three_nodes(values: Array) -> Array:
    """Integral over a step of values (5, ...) at NODES, the result."""
    return np.tensordot(WEIGHTS, values[:3], axes=(0, 0))


def _two_nodes(values: Array) -> Array:
    """The same from the other two nodes, to be compared."""
    return 0.5 * (values[3] + values[4])


class Panel(NamedTuple):
    """Kill on one step, at NODES: everything needed to finish the step and to interpolate inside it."""

    elapsed: Array  # (5, n) time since the step began [h]
    weight: Array  # (5, n) h ds/dt at the nodes: dt = weight dtheta [h]
    duration: Array  # (n,) [h]
    kill: Array  # (5, 2, n) total kill rate [1/h]
    by_drug: Array  # (5, D, 2, n)
    by_ischaemia: Array  # (5, 2, n)
    volume: Array  # (5, 2, n) viable volume at the nodes [L]
    log_ratio_end: Array  # (2, n)


class TumourState:
    """Zones between two readings: viable volume as a logarithm, dead volume, kill booked per cause."""

    def __init__(self, problem: Problem, network: Network) -> None:
        p = problem.patient
        self.problem = problem
        self.base = p.zone_volume.copy()  # viable volume at the last reading [L]
        self.initial = self.base.sum(axis=0)  # [L]
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
        capacity = np.stack([network.capacity[r] for r in CELL_ROWS], axis=1)
        self.per_amount = d.fraction_unbound[:, None] / capacity
        both = capacity.sum(axis=1, keepdims=True)
        self.share = capacity / np.where(both > 0.0, both, 1.0)  # of both zones' capacity, (D, 2, n)
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
        volume = self.base * np.exp((start + inside) * np.exp(-p.growth_damping * elapsed)[:, None])
        end = (start + _three_nodes(grown)) * np.exp(-p.growth_damping * duration)
        return Panel(elapsed, weight, duration, kill, by_drug, by_ischaemia, volume, end)

    def _drug_kill(self, step: Step, theta: Array, hypoxia: Array) -> Array:
        d, problem = self.problem.drug, self.problem
        if not self.drugs_kill:
            return np.zeros((len(NODES), problem.n_drugs, 2, problem.n))
        amounts = evaluate_dense(step.dense(CELL_ROWS)[:, None], theta)  # (5, 2, D, n)
        concentration = amounts.swapaxes(1, 2) * self.per_amount
        mixed = problem.patient.mixed
        if mixed.any():
            mean = (self.share * concentration).sum(axis=2, keepdims=True)
            concentration = np.where(mixed > 0.0, mean, concentration)
        return tumour.drug_kill(
            concentration,
            hypoxia[:, None],
            potency=d.potency[:, None],
            kmax=d.kmax[:, None],
            ec50=d.ec50[:, None],
            hill=d.hill[:, None],
            hypoxia_factor=d.hypoxia_factor[:, None],
        )

    def error(self, panel: Panel) -> Array:
        """Error of a step, (n,): of the logarithm of the viable volume, or relative of the dead one, if larger.

        Both are the difference of the three- and the two-node integral. Dead volume needs its own: a step that is
        long against the kill leaves the logarithm exact and misses when the cells died.
        """
        kill = panel.weight[:, None] * panel.kill
        viable = np.abs(_three_nodes(kill) - _two_nodes(kill)).max(axis=0)
        killed = (kill * panel.volume).sum(axis=1)
        gained = _three_nodes(killed)
        scale = np.maximum(self.dead.sum(axis=0) + gained, LEAST_DEAD * self.initial)
        return np.maximum(viable, np.abs(gained - _two_nodes(killed)) / np.where(scale > 0.0, scale, 1.0))

    def accept(self, panel: Panel) -> None:
        """Carry volumes and booked kill over the step."""
        p = self.problem.patient
        rate = panel.weight[:, None] * panel.volume
        left = np.exp(-p.resorption * (panel.duration - panel.elapsed))[:, None]
        self.dead = self.dead * np.exp(-p.resorption * panel.duration) + _three_nodes(left * rate * panel.kill)
        self.booked_ischaemia += _three_nodes((rate * panel.by_ischaemia).sum(axis=1))
        self.booked_drug += _three_nodes((rate[:, None] * panel.by_drug).sum(axis=2))
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
        killed = np.exp(p.resorption * panel.elapsed)[:, None] * panel.weight[:, None] * panel.volume * panel.kill
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
