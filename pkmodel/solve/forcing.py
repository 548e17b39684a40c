"""What acts on a segment from outside: doses entering, depots releasing, arteries closing and opening."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..laws import perfusion, tumour
from ..model.network import Geometry
from ..model.problem import Array, Problem, Slot
from .clock import Clock, patency
from .transport import ForcingValues

# A dose is refused when less than this share of the flow that would carry it is left (MODEL section 2).
LEAST_PATENCY = 0.01
# Simpson's rule over the injection.
_SIMPSON = ((0.0, 1.0 / 6.0), (0.5, 4.0 / 6.0), (1.0, 1.0 / 6.0))


class Delivery(NamedTuple):
    """Where the drug of one dose went: dissolved by input node and held back by place, (4, D, n) [mg].

    Input nodes are core, escape zone, served liver, centre; places of a depot are core, escape zone, served
    liver and, last, the lung or an extravascular site, which both release into the centre.
    """

    slot: Slot
    dissolved: Array
    depot: Array
    patency: Array  # (n,) share of the injection's flow that was open when it began


def deliver(problem: Problem, geometry: Geometry, slot: Slot) -> Delivery:
    """Divide a dose by the arterial flow of the moment, averaged over its injection by Simpson's rule."""
    p = problem.patient
    begin, end = problem.boundaries[slot.begin], problem.boundaries[slot.end]
    plain, carried = np.zeros((3, problem.n)), np.zeros((3, problem.n))
    open_ = np.ones(problem.n)
    for fraction, weight in _SIMPSON:
        time = begin + fraction * (end - begin)
        tumour_open, served_open = patency(problem, slot.begin, time, fraction)
        tumour_open, served_open = retained(problem, tumour_open), retained(problem, served_open)
        state = {"patent_tumour": tumour_open, "patent_served": served_open}
        plain += weight * perfusion.split(geometry.flows, target_preference=1.0, **state)
        carried += weight * perfusion.split(geometry.flows, target_preference=slot.preference, **state)
        if fraction == 0.0:
            open_ = perfusion.injectable(geometry.flows, target_preference=slot.preference, **state)
    arterial = slot.amount * (1.0 - slot.venous)
    dissolved, held = arterial * slot.prompt, arterial * (1.0 - slot.prompt)
    through, shunt = 1.0 - p.tumour_shunt, p.liver_shunt
    into = np.stack(
        [
            through * plain[0] * dissolved,
            through * plain[1] * dissolved,
            through * (1.0 - shunt) * plain[2] * dissolved,
            (p.tumour_shunt + through * shunt * plain[2]) * dissolved
            + slot.amount * slot.venous * slot.prompt,
        ]
    )
    lodged = held * (1.0 - slot.lung_share)
    site = slot.amount * slot.venous * (1.0 - slot.prompt) * slot.central_depot
    depot = np.stack(
        [carried[0] * lodged, carried[1] * lodged, carried[2] * lodged, held * slot.lung_share + site]
    )
    needed = np.any(arterial > 0.0, axis=0)
    return Delivery(slot, into, depot, np.where(needed, open_, 1.0))


def retained(problem: Problem, open_fraction: Array) -> Array:
    """Patency as transport and splits see it: fully open where the flow-retention player is switched off."""
    return 1.0 - problem.patient.retention_switch * (1.0 - open_fraction)


class Forcing:
    """The forcing of one segment as functions of the clock position."""

    def __init__(
        self, problem: Problem, segment: int, clock: Clock, geometry: Geometry, deliveries: list[Delivery]
    ) -> None:
        self.problem, self.segment, self.clock = problem, segment, clock
        self.served_arterial, self.served_portal = (
            geometry.flows.served_arterial,
            geometry.flows.served_portal,
        )
        self.occluded = any(
            segment >= agent.begin and np.any(agent.occlusion + agent.served_occlusion > 0.0)
            for agent in problem.agents
        )
        running = [d for d in deliveries if segment < d.slot.end]
        self.dissolved = [(d.dissolved, self._share(d.slot)) for d in running]
        self._running = [(d.dissolved, d.slot) for d in running]
        self.depots = [d for d in deliveries if d.slot.law is not None and np.any(d.depot > 0.0)]
        self.inflow = bool(self.dissolved or self.depots)

    def _share(self, slot: Slot) -> Array:
        """Part of a dose's injection that falls into this segment; a bolus falls into its first one."""
        bounds = self.problem.boundaries
        duration = bounds[slot.end] - bounds[slot.begin]
        instant = 1.0 if self.segment == slot.begin else 0.0
        return np.where(duration > 0.0, self.clock.length / np.where(duration > 0.0, duration, 1.0), instant)

    def values(self, s: Array) -> ForcingValues:
        """Everything that acts at clock positions (m, 1)."""
        speed = self.clock.speed(s)
        supply = ischaemia = None
        if self.occluded:
            supply, ischaemia = self._blood(self.clock.start + self.clock.elapsed(s))
        return ForcingValues(speed, supply, self._rates(s) if self.inflow else None, ischaemia)

    def _blood(self, time: Array) -> tuple[Array, Array]:
        p = self.problem.patient
        tumour_open, served_open = patency(self.problem, self.segment, time)
        zones = perfusion.supply(tumour_open[:, None], p.zone_weight, p.collateral)
        drive = tumour.ischaemia(zones, p.critical_supply)
        seen = perfusion.supply(retained(self.problem, tumour_open)[:, None], p.zone_weight, p.collateral)
        inflow = self.served_arterial + self.served_portal
        served = self.served_arterial * retained(self.problem, served_open) + self.served_portal
        served = np.where(inflow > 0.0, served / np.where(inflow > 0.0, inflow, 1.0), 1.0)
        return np.concatenate([seen, served[:, None]], axis=1)[:, :, None], drive[:, :, None]

    def _rates(self, s: Array) -> Array:
        """Drug entering core, escape zone, served liver and centre per unit of s [mg], (m, 4, D, n)."""
        p = self.problem
        total = np.zeros((s.shape[0], 4, p.n_drugs, p.n))
        for amounts, share in self.dissolved:
            total += amounts * (share * self.clock.power * np.power(s, self.clock.power - 1.0))[:, None, None]
        for d in self.depots:
            offset, window = self._age(d.slot)
            law = d.slot.law
            assert law is not None
            rate = law.window_clock_rate(offset, self.clock.length, self.clock.power, s[:, None], window)
            total += d.depot * rate[:, None]
        return total

    def entered(self, s: float) -> Array:
        """Drug that has entered since the dose, in closed form up to a constant [mg], (4, D, n)."""
        p = self.problem
        total = np.zeros((4, p.n_drugs, p.n))
        for amounts, share in self.dissolved:
            total += amounts * (share * np.power(s, self.clock.power))
        for d in self.depots:
            total += d.depot * self.released(d, s)
        return total

    def shunted_rate(self, s: Array) -> Array:
        """Dissolved arterial drug that bypasses liver and tumour [mg/h] at positions (m, n), (D, m, n)."""
        p = self.problem
        total = np.zeros((p.n_drugs, *s.shape))
        for amounts, slot in self._running:
            bounds = p.boundaries
            duration = bounds[slot.end] - bounds[slot.begin]
            venous = slot.amount * slot.venous * slot.prompt
            rate = np.where(duration > 0.0, amounts[3] - venous, 0.0) / np.where(
                duration > 0.0, duration, 1.0
            )
            total += rate[:, None]
        return total

    def released(self, delivery: Delivery, s: float | Array) -> Array:
        """Fraction of a depot released by a position of the clock [1], (.., D, n)."""
        law = delivery.slot.law
        assert law is not None
        offset, window = self._age(delivery.slot)
        return law.window_mean(offset + self.clock.elapsed(s), window)

    def held_in_tumour(self, s: Array) -> Array:
        """Drug still in the tumour's depots [mg] at positions (m, 1), (m, D, n)."""
        total = np.zeros((s.shape[0], self.problem.n_drugs, self.problem.n))
        for d in self.depots:
            total += (d.depot[0] + d.depot[1]) * self.kept(d, s[:, None])
        return total

    def kept(self, delivery: Delivery, s: Array) -> Array:
        """Fraction of a depot that lies in its place [1]: laid down so far and not yet released, (.., D, n)."""
        released = self.released(delivery, s)
        if self.segment >= delivery.slot.end:
            return 1.0 - released
        offset, window = self._age(delivery.slot)
        laid = np.where(window > 0.0, (offset + self.clock.elapsed(s)) / np.where(window > 0.0, window, 1.0), 1.0)
        return laid - released

    def _age(self, slot: Slot) -> tuple[Array, Array]:
        """Time since the injection began at the segment's start, and the injection's duration [h], (n,)."""
        bounds = self.problem.boundaries
        return self.clock.start - bounds[slot.begin], bounds[slot.end] - bounds[slot.begin]
