"""The course of a batch: segment after segment, readings in between, failed lanes left behind.

All lanes of a block take common steps chosen by the worst of them, so a block's size is a constant that belongs
to the result (`BLOCK`). A lane that turns non-finite or exhausts its steps is marked failed with its reason and
leaves the norm; the others go on.
"""

from __future__ import annotations

import time as wall_clock
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..model.graph import CENTRAL, DAUGHTERS, ELIMINATED, HYPOXIA, INDEX, INTEGRALS, N_NODES, ROW, rows
from ..model.network import Geometry, Network, network, read_geometry
from ..model.problem import Array, Problem
from .blood import BloodStep, CellLine
from .clock import Clock, segment_clock
from .effect import NODES as PANEL_NODES
from .effect import WEIGHTS, Panel, TumourState
from .forcing import LEAST_PATENCY, Delivery, Forcing, deliver
from .scout import expected_maxima
from .solution import Solution, collect_solution, join
from .transport import Dynamics, Step, advance, positions
from .watch import Peak, Samples

BLOCK = 1024
FIRST_STEP, LEAST_STEP, MAX_STEPS = 3e-3, 1e-13, 5_000
# Part of the tolerance that one step may make: volumes, blood cells and saturable elimination gather more over many
# steps than a linear tree. Chosen on the oracle's 200 scenarios; judge it on others (tests/acceptance/fresh_oracle.py).
SHARE, SATURABLE_SHARE, BLOOD_SHARE, TUMOUR_SHARE = 1.25, 0.25, 0.1, 0.2
SAFETY, LARGEST_GROWTH, LARGEST_CUT = 0.97, 15.0, 0.1
# Errors count relative to max(|value|, this share of the course's maximum so far).
FLOOR = 1e-4
# Part of the maximum that a look ahead expects which a course may be trusted to reach.
EXPECTED = 0.3
# Hypoxia acts through its time integral, where a tail below a hundredth of its maximum adds nothing.
HYPOXIA_FLOOR = 0.01
TUMOUR_ROWS = [INDEX[n] for n in ("core_cells", "escape_cells", "core_extracellular", "escape_extracellular")]

Observer = Callable[[Step, Clock, Dynamics, Forcing], None]


@dataclass(frozen=True)
class Options:
    """How to solve: relative tolerance, limits per segment and block, and observers of every accepted step."""

    rtol: float = 1e-5
    max_steps: int = MAX_STEPS
    wall_limit_s: float | None = None
    observers: tuple[Observer, ...] = ()


def solve(problem: Problem, times: Array | None = None, options: Options | None = None) -> Solution:
    """Solve a problem block by block.

    Parameters
    ----------
    times : sample times [h], (m,) for all lanes or (m, n); None for no samples
    options : tolerance and limits

    Returns
    -------
    Solution
        Amounts, integrals, peaks, volumes and samples of every lane; failed lanes are NaN with a reason.
    """
    options = options or Options()
    samples = np.empty((0, problem.n)) if times is None else np.asarray(times, dtype=float)
    if samples.ndim == 1:
        samples = np.repeat(samples[:, None], problem.n, axis=1)
    parts = []
    for start in range(0, problem.n, BLOCK):
        lanes = slice(start, min(start + BLOCK, problem.n))
        with np.errstate(all="ignore"):  # failed lanes are found by their values, not by warnings
            parts.append(Course(problem.take(lanes), samples[:, lanes], options).run())
    return join(parts)


class Course:
    """One block on its way through the timeline."""

    def __init__(self, problem: Problem, times: Array, options: Options) -> None:
        self.problem, self.options = problem, options
        n, d = problem.n, problem.n_drugs
        self.geometry: Geometry = read_geometry(problem, problem.patient.zone_volume, np.zeros((2, n)))
        self.network: Network = network(problem, self.geometry)
        self.dynamics = Dynamics(problem, self.network)
        self.state = np.zeros((len(ROW), d, n))
        self.largest = np.zeros_like(self.state)
        self.ahead = np.zeros_like(self.state[:N_NODES])  # maxima that this session's doses let expect
        self.tumour = TumourState(problem, self.network)
        self.lines = self._cell_lines()
        self.deliveries: list[Delivery] = []
        self.forcing: Forcing | None = None  # of the segment under way; at the end, of the last one
        self.reasons: list[str | None] = [None] * n
        self.active = np.ones(n, dtype=bool)
        self.samples = Samples(problem, times, len(self.lines))
        self.plasma, self.tissue = Peak(problem, [CENTRAL]), Peak(problem, TUMOUR_ROWS)
        self.depot_integral = np.zeros((d, n))  # of the drug held in the tumour's depots [mg h / L tissue]
        self.tissue_integral = np.zeros((2, d, n))  # tissue, extracellular [mg h/L] up to the last reading
        self.read_integral = np.zeros((2, d, n))
        self.last_reading: Array = np.zeros(n)
        self.steps = self.rejected = 0
        self.deadline = (
            None if options.wall_limit_s is None else wall_clock.monotonic() + options.wall_limit_s
        )
        dose = sum((slot.amount for slot in problem.slots), np.zeros((d, n)))
        self.tiny = np.full((len(ROW), 1, n), 1e-16) * np.maximum(dose.max(axis=0), 1e-6)
        self.tiny[rows(HYPOXIA)] = 1e-6
        self.floor = np.full((len(ROW), 1, 1), FLOOR)
        self.floor[rows(HYPOXIA)] = HYPOXIA_FLOOR
        saturable = np.any(self.network.inverse_km > 0.0, axis=0)
        self.share = np.where(saturable, SATURABLE_SHARE, SHARE)
        # eliminated amounts, integrals and daughters follow states that are controlled
        for followers in (ELIMINATED, INTEGRALS, DAUGHTERS):
            self.tiny[rows(followers)] = np.inf

    def _cell_lines(self) -> list[CellLine]:
        p, d = self.problem.patient, self.problem.drug
        lines = []
        for slope, baseline, mtt, feedback in (
            (d.neutrophil_slope, p.neutrophils, p.neutrophil_mtt, p.neutrophil_feedback),
            (d.leukocyte_slope, p.leukocytes, p.leukocyte_mtt, p.leukocyte_feedback),
        ):
            known = np.nan_to_num(slope)
            per_amount = known / d.v1
            if known.any():  # not per_amount: a lane of NaN must fail alone, not add a line to all
                lines.append(
                    CellLine(baseline=baseline, mtt=mtt, feedback=feedback, slope_per_amount=per_amount)
                )
        return lines

    def run(self) -> Solution:
        """Go through all segments and hand over what is left at the horizon."""
        last = self.problem.boundaries.shape[0] - 2
        for segment in range(last + 1):
            if segment in self.problem.sessions:
                self.ahead = np.zeros_like(self.ahead)
            if segment in self.problem.readings:
                self._read(segment)
            for slot in self.problem.slots:
                if slot.begin == segment:
                    self._give(deliver(self.problem, self.geometry, slot))
            self._segment(segment, last=segment == last)
        return collect_solution(self)

    def _give(self, delivery: Delivery) -> None:
        self.deliveries.append(delivery)
        self.ahead = self.ahead + EXPECTED * expected_maxima(self.problem, self.dynamics, delivery)
        self.largest[:N_NODES] = np.maximum(self.largest[:N_NODES], self.ahead)
        blocked = delivery.patency < LEAST_PATENCY
        for lane in np.flatnonzero(blocked & self.active):
            self.fail(
                int(lane),
                f"refused: {100 * delivery.patency[lane]:.2g} % of the arterial flow that would "
                f"carry the dose is open (legal from {100 * LEAST_PATENCY:g} %), nothing can be injected",
            )

    def _read(self, segment: int) -> None:
        """Read geometry again: escape tissue is recruited, hypoxia mixes, drug and necrosis stay where they are."""
        first = segment == self.problem.sessions[0] if self.problem.sessions else True
        now = self.problem.boundaries[segment]
        self.settle_integrals()
        elapsed = np.zeros_like(now) if first else now - self.last_reading
        moved, before = self.tumour.recruit(elapsed)
        core, escape = (self.state[ROW[name]] for name in HYPOXIA)
        total = np.where(before + moved > 0.0, before + moved, 1.0)
        self.state[ROW[HYPOXIA[0]]] = np.where(moved > 0.0, (core * before + escape * moved) / total, core)
        self.last_reading = now
        self.geometry = read_geometry(self.problem, self.tumour.viable, self.tumour.dead)
        self.network = network(self.problem, self.geometry)
        self.dynamics = Dynamics(self.problem, self.network)
        self.tumour.reread(self.network)

    def settle_integrals(self) -> None:
        """Close the tissue integrals over the volume that held until now."""
        amounts = np.stack([self._integral(TUMOUR_ROWS), self._integral(TUMOUR_ROWS[2:])])
        volume = self.geometry.volume.sum(axis=0)
        spaces = volume * self.problem.patient.tumour_extracellular
        per = np.stack(
            [np.broadcast_to(1.0 / np.where(v > 0.0, v, np.inf), v.shape) for v in (volume, spaces)]
        )
        self.tissue_integral = self.tissue_integral + (amounts - self.read_integral) * per[:, None]
        self.read_integral = amounts

    def _integral(self, nodes: list[int]) -> Array:
        names = [f"integral_{name}" for name in INDEX if INDEX[name] in nodes]
        return self.state[[ROW[name] for name in names]].sum(axis=0)

    def _segment(self, segment: int, *, last: bool) -> None:
        clock = segment_clock(self.problem, segment)
        forcing = self.forcing = Forcing(self.problem, segment, clock, self.geometry, self.deliveries)
        if not clock.length.any() and not forcing.dissolved and not last:
            return
        where = self.samples.wanted(clock, last)
        if where is not None:
            self.samples.environment(self.problem, self.geometry, forcing, where)
        s, h = 0.0, FIRST_STEP
        self.ruled = np.zeros(self.problem.n, dtype=int)
        entered = forcing.entered(0.0) if forcing.inflow else None
        if not clock.length.any():
            h = 1.0
        while s < 1.0 and self.active.any():
            h = 1.0 - s if s + h > 1.0 - 1e-12 else h
            now = forcing.entered(s + h) if forcing.inflow else None
            released = None if now is None or entered is None else now - entered
            step = advance(self.dynamics, self.state, s, h, forcing.values(positions(s, h)), released)
            panel = self.tumour.panel(step, clock)
            blood = [line.step(step, clock) for line in self.lines]
            norm = self._norm(step, panel, blood)
            worst = float(np.max(np.where(self.active, norm, 0.0)))
            self.ruled[self.active & (norm == worst)] += 1
            if not self._limits(norm, h):
                continue
            if worst <= 1.0:
                self._accept(step, clock, forcing, panel, blood, where)
                s, entered = (1.0 if h == 1.0 - s else s + h), now
                self.steps += 1
            else:
                self.rejected += 1
            h *= _growth(worst)

    def _norm(self, step: Step, panel: Panel, blood: list[BloodStep]) -> Array:
        """Largest error of every lane in units of the tolerance, (n,); NaN or inf where a lane broke."""
        size = np.abs(step.after)
        scale = np.maximum(np.maximum(size, self.floor * self.largest), self.tiny)
        transport = (np.abs(step.error) / scale).max(axis=0)
        norm = np.maximum((transport / self.share).max(axis=0), self.tumour.error(panel) / TUMOUR_SHARE)
        for line, taken in zip(self.lines, blood, strict=True):
            norm = np.maximum(norm, line.error(taken) / BLOOD_SHARE)
        broken = ~np.isfinite(norm)
        return np.where(broken, np.inf, norm / self.options.rtol)

    def _limits(self, norm: Array, h: float) -> bool:
        """Fail lanes that cannot go on; returns whether the step may be judged.

        Of the block's common steps a lane answers for those that it ruled itself.
        """
        over = self.deadline is not None and wall_clock.monotonic() > self.deadline
        too_small, too_many = h <= LEAST_STEP, self.active & (self.ruled > self.options.max_steps)
        if over:
            for lane in np.flatnonzero(self.active):
                self.fail(int(lane), f"wall limit of {self.options.wall_limit_s:g} s reached")
        elif too_small and np.any(self.active & (norm > 1.0)):
            for lane in np.flatnonzero(self.active & (norm > 1.0)):
                broken = "non-finite values" if np.isinf(norm[lane]) else "error above tolerance"
                self.fail(int(lane), f"{broken} at the smallest step")
        elif too_many.any():
            for lane in np.flatnonzero(too_many):
                self.fail(int(lane), f"more than {self.options.max_steps} steps in one segment")
        else:
            return True
        return False

    def fail(self, lane: int, reason: str) -> None:
        """Take a lane out of the norm and remember why."""
        self.active[lane] = False
        self.reasons[lane] = reason

    def _accept(
        self,
        step: Step,
        clock: Clock,
        forcing: Forcing,
        panel: Panel,
        blood: list[BloodStep],
        where: tuple[Array, np.ndarray] | None,
    ) -> None:
        if where is not None:
            self.samples.collect(step, where, clock, (self.tumour, panel), blood)
        self.plasma.update(step, clock, 1.0 / self.network.capacity[CENTRAL])
        volume = self.geometry.volume.sum(axis=0)
        per_volume = 1.0 / np.where(volume > 0.0, volume, np.inf)
        self.tissue.update(step, clock, per_volume)
        if forcing.depots:
            held = forcing.held_in_tumour(step.s + step.h * PANEL_NODES[:3, None])
            weight = WEIGHTS[:, None] * panel.weight[:3]
            self.depot_integral += np.einsum("kn,kdn->dn", weight, held) * per_volume
        for line, taken in zip(self.lines, blood, strict=True):
            line.accept(taken, step, clock)
        self.tumour.accept(panel)
        self.state = step.after
        np.maximum(self.largest, np.abs(step.after), out=self.largest)
        for observe in self.options.observers:
            observe(step, clock, self.dynamics, forcing)


def _growth(worst: float) -> float:
    if not np.isfinite(worst):
        return LARGEST_CUT
    return float(np.clip(SAFETY * max(worst, 1e-10) ** -0.2, LARGEST_CUT, LARGEST_GROWTH))
