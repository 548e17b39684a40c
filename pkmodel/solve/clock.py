"""The one clock of a segment, and what is closed form on it: arteries that close and open again.

Between two events every lane runs through s in [0, 1] with t = start + length s^power. Lanes with different
intervals share their steps, a length of zero is an exact bolus, and a power above one makes a release law that
is singular at the start of the segment smooth.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..model.problem import Agent, Array, Problem


class Clock(NamedTuple):
    """Start [h], length [h] and power of every lane's time in one segment, each (n,)."""

    start: Array
    length: Array
    power: Array

    def elapsed(self, s: Array | float) -> Array:
        """Time since the start of the segment [h]; s broadcasts in front of the lanes."""
        return self.length * np.power(s, self.power)

    def speed(self, s: Array | float) -> Array:
        """dt/ds [h]."""
        return self.length * self.power * np.power(s, self.power - 1.0)

    def position(self, time: Array) -> Array:
        """The s at which a lane reaches a time, outside [0, 1] before and after; lanes of no length: -1, 1, 3."""
        moving = self.length > 0.0
        fraction = (time - self.start) / np.where(moving, self.length, 1.0)
        inside = np.sign(fraction) * np.power(np.abs(fraction), 1.0 / self.power)
        return np.where(moving, inside, 1.0 + 2.0 * np.sign(time - self.start))


def segment_clock(problem: Problem, segment: int) -> Clock:
    """The clock between boundary `segment` and the next one."""
    start = problem.boundaries[segment]
    length = problem.boundaries[segment + 1] - start
    wishes = [np.ones(problem.n)]
    for slot in problem.slots:
        if slot.law is not None and segment >= slot.begin:
            # by time, not by index: a sponge at the very end of a deposit puts a segment of no length between
            edges = problem.boundaries[[slot.begin, slot.end]]
            singular = (start == edges).any(axis=0) & (length > 0.0)
            held = (slot.amount * (1.0 - slot.prompt)) > 0.0
            wishes += list(np.where(held & singular, slot.law.clock_power(), 1.0))
    power = np.max(wishes, axis=0)
    # What needs another power, and what enters evenly in time (power 1), starts like s to the ratio of the two; a
    # ratio between 1 and 2 would leave its rate without a slope at the start.
    ratios = power / np.stack(wishes)
    uneasy = np.any((ratios > 1.0 + 1e-9) & (ratios < 2.0), axis=0)
    power = np.where(uneasy, 2.0 * power, power)
    return Clock(start, length, power)


def blocked_by(agent: Agent, boundaries: Array, segment: int, time: Array, within: float = 1.0) -> Array:
    """Progress of one agent at times inside a segment [1]: 0 before, growing during, decaying after it.

    `within` is the progress inside a deposit of no length, where the time cannot tell.

    The phase is structure (the segment's place among the agent's boundaries), never a comparison of times.
    """
    if segment < agent.begin:
        return np.zeros(np.broadcast(time, agent.rate).shape)
    begin, end = boundaries[agent.begin], boundaries[agent.end]
    if segment < agent.end:
        duration = end - begin
        return np.where(duration > 0.0, (time - begin) / np.where(duration > 0.0, duration, 1.0), within)
    return np.exp(-agent.rate * (time - end))


def patency(problem: Problem, segment: int, time: Array, within: float = 1.0) -> tuple[Array, Array]:
    """Open fractions of tumour and served-liver arteries at times inside a segment; shapes as `time`."""
    tumour = served = np.ones(time.shape)
    for agent in problem.agents:
        if segment >= agent.begin:
            progress = blocked_by(agent, problem.boundaries, segment, time, within)
            tumour = tumour * (1.0 - agent.occlusion * progress)
            served = served * (1.0 - agent.served_occlusion * progress)
    return tumour, served
