"""The clock of a segment, and what is closed form on it: arteries that close and open again."""

from __future__ import annotations

import numpy as np
import pytest

import pkmodel as pk
from pkmodel.inputs.materials import ReleaseParameters
from pkmodel.inputs.regimen import Regimen
from pkmodel.model.body import Run, lower
from pkmodel.model.problem import Agent, Problem
from pkmodel.solve.clock import Clock, blocked_by, patency, segment_clock


def clock() -> Clock:
    """Lanes that start at different times, of different lengths and powers, the last without length."""
    return Clock(
        np.array([0.0, 1.0, 5.0, 7.0]), np.array([2.0, 10.0, 1e-3, 0.0]), np.array([1.0, 2.0, 3.0, 1.0])
    )


def problem(regimen: Regimen, until_h: float = 200.0) -> Problem:
    """One lane of the reference patient."""
    [batch] = lower([Run(pk.Scenario("hcc_reference", regimen), until_h)])
    return batch.problem


def agent(begin: int, end: int, rate: float = 0.1, occlusion: float = 0.8) -> Agent:
    """One agent in one lane."""
    one = np.ones(1)
    return Agent(occlusion * one, 0.5 * occlusion * one, rate * one, begin, end)


def test_runs_from_start_to_end() -> None:
    c = clock()
    np.testing.assert_array_equal(c.elapsed(0.0), 0.0)
    np.testing.assert_array_equal(c.elapsed(1.0), c.length)
    s = np.linspace(0.0, 1.0, 11)[:, None]
    np.testing.assert_allclose(c.elapsed(s), c.length * s**c.power, rtol=1e-15)


def test_speed_is_the_derivative() -> None:
    c, s, step = clock(), np.linspace(0.1, 0.9, 9)[:, None], 1e-6
    slope = (c.elapsed(s + step) - c.elapsed(s - step)) / (2 * step)
    np.testing.assert_allclose(c.speed(s), slope, rtol=1e-8)


def test_position_undoes_the_clock() -> None:
    c, s = clock(), np.linspace(0.0, 1.0, 11)[:, None]
    position = c.position(c.start + c.elapsed(s))
    np.testing.assert_allclose(position[:, :3], np.repeat(s, 3, axis=1), atol=1e-9)
    np.testing.assert_array_equal(position[:, 3], 1.0)


def test_position_outside_the_segment() -> None:
    c = clock()
    assert np.all(c.position(c.start - 0.5) < 0.0)
    assert np.all(c.position(c.start + c.length + 0.5) > 1.0)


def test_power_follows_the_release_law() -> None:
    law = ReleaseParameters(law="weibull", scale=10.0, shape=0.5)
    carrier = pk.carrier("lipiodol_emulsion").replace(release=law, variants=())
    found = problem(pk.chemoembolisation("cisplatin", 50.0, carrier=carrier))
    [slot] = [slot for slot in found.slots if slot.law is not None]
    powers = [float(segment_clock(found, k).power[0]) for k in range(len(found.boundaries) - 1)]
    assert powers[slot.begin] == powers[slot.end] == 2.0
    assert all(p == 1.0 for k, p in enumerate(powers) if k not in (slot.begin, slot.end))


def test_power_is_one_where_nothing_is_held_back() -> None:
    law = ReleaseParameters(law="weibull", scale=10.0, shape=0.5)
    carrier = pk.carrier("lipiodol_emulsion").replace(
        release=law, variants=(), prompt_fraction=np.array([0.5, 0.9])
    )
    carrier = carrier.replace(origins={}, prompt_fraction=np.array([0.5, 1.0]))
    found = problem(pk.chemoembolisation("cisplatin", 50.0, carrier=carrier))
    [slot] = [slot for slot in found.slots if slot.law is not None]
    np.testing.assert_array_equal(segment_clock(found, slot.begin).power, [2.0, 1.0])


def test_segments_fill_the_time() -> None:
    found = problem(pk.hepatic_artery("cisplatin", 50.0, at_h=3.0) + pk.iv("cisplatin", 10.0, at_h=9.0))
    clocks = [segment_clock(found, k) for k in range(len(found.boundaries) - 1)]
    assert sum(float(c.length[0]) for c in clocks) == pytest.approx(200.0, rel=1e-14)
    assert clocks[0].start[0] == 0.0


def test_an_agent_grows_then_decays() -> None:
    bounds = np.array([[0.0], [2.0], [4.0], [10.0]])
    one = agent(1, 2)
    time = np.array([[3.0]])
    assert blocked_by(one, bounds, 0, np.array([[1.0]])) == 0.0
    assert blocked_by(one, bounds, 1, time) == pytest.approx(0.5)
    assert blocked_by(one, bounds, 2, np.array([[6.0]])) == pytest.approx(np.exp(-0.2))


def test_an_agent_that_acts_at_once() -> None:
    bounds = np.array([[0.0], [2.0], [2.0], [10.0]])
    for one in (agent(1, 1), agent(1, 2)):
        assert blocked_by(one, bounds, 2, np.array([[2.0]])) == pytest.approx(1.0)


def test_agents_multiply() -> None:
    found = problem(
        pk.embolisation("gelatin_sponge", at_h=0.0) + pk.embolisation("gelatin_sponge", at_h=100.0), 300.0
    )
    sponge = pk.embolic("gelatin_sponge")
    rate, o, p = np.log(2.0) / (24.0 * sponge.half_life), sponge.occlusion, sponge.selectivity
    last = len(found.boundaries) - 2
    tumour, served = patency(found, last, np.array([[150.0]]))
    decays = np.exp(-rate * 150.0), np.exp(-rate * 50.0)
    assert tumour[0, 0] == pytest.approx((1 - o * decays[0]) * (1 - o * decays[1]), rel=1e-12)
    assert served[0, 0] == pytest.approx((1 - o * p * decays[0]) * (1 - o * p * decays[1]), rel=1e-12)


def test_nothing_given_nothing_blocked() -> None:
    tumour, served = patency(problem(pk.iv("cisplatin", 50.0)), 0, np.array([[0.0], [1.0]]))
    np.testing.assert_array_equal(tumour, 1.0)
    np.testing.assert_array_equal(served, 1.0)


def held(exponent: float) -> Problem:
    """A drug held back by a law that starts like u^exponent, dissolved in part."""
    law = ReleaseParameters(law="weibull", scale=10.0, shape=exponent)
    carrier = pk.carrier("lipiodol_emulsion").replace(release=law, variants=())
    return problem(pk.chemoembolisation("cisplatin", 50.0, carrier=carrier))


@pytest.mark.parametrize("exponent, power", [(0.4, 2.5), (0.5, 2.0), (0.6, 2.0 / 0.6), (0.9, 2.0 / 0.9), (1.0, 1.0)])
def test_what_enters_evenly_keeps_a_slope_too(exponent: float, power: float) -> None:
    """Even inflow goes like s^p: p is 1 or at least 2, else its rate would have no slope at the start."""
    found = held(exponent)
    [slot] = [slot for slot in found.slots if slot.law is not None]
    assert segment_clock(found, slot.begin).power[0] == pytest.approx(power, rel=1e-14)


def test_a_deposit_of_no_length_is_complete_unless_told_otherwise() -> None:
    bounds, time = np.array([[0.0], [2.0], [2.0], [10.0]]), np.array([[2.0]])
    assert blocked_by(agent(1, 2), bounds, 1, time) == 1.0
    assert blocked_by(agent(1, 2), bounds, 1, time, 0.25) == 0.25
    assert blocked_by(agent(1, 2), bounds, 2, time, 0.25) == 1.0
    open_tumour, _ = patency(problem(pk.iv("cisplatin", 50.0)), 0, time)
    assert open_tumour.shape == time.shape
