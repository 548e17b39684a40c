"""Peaks on the dense output, and which samples belong to which step."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import pkmodel as pk
from pkmodel.model.body import Run, lower
from pkmodel.model.network import read_geometry
from pkmodel.solve.clock import Clock
from pkmodel.solve.drive import solve
from pkmodel.solve.watch import SAMPLED_ROWS, Peak, Samples, blood_flow


class Transport:
    """Stands for a step of transport: every row has the same dense output, given by y0, y1, D0, D1, D2 of each lane."""

    def __init__(self, s: float, h: float, *coefficients: list[float]) -> None:
        self.s, self.h = s, h
        self.coefficients = np.array(coefficients).T  # (5, n)

    def dense(self, rows: list[int]) -> np.ndarray:
        return np.repeat(self.coefficients[:, None, None], len(rows), axis=1)


def quartic(coefficients: list[float]) -> np.polynomial.Polynomial:
    """The dense output as a polynomial in theta."""
    y0, y1, d0, d1, d2 = coefficients
    theta = np.polynomial.Polynomial([0.0, 1.0])
    return (1 - theta) * y0 + theta * y1 + theta * (1 - theta) * (d0 + theta * (d1 + theta * d2))


def summit(coefficients: list[float]) -> tuple[float, float]:
    """Where a quartic is highest in [0, 1], and how high."""
    curve = quartic(coefficients)
    stationary = [r.real for r in curve.deriv().roots() if abs(r.imag) < 1e-12 and 0.0 < r.real < 1.0]
    best = max([0.0, 1.0, *stationary], key=curve)
    return best, float(curve(best))


def two(n: int) -> SimpleNamespace:
    """As much of a problem as a peak asks for."""
    return SimpleNamespace(n_drugs=1, n=n)


# Stands for a tumour whose viable volume is the time since the step began, and the dead one the place inside it.
ELAPSED: Any = (
    SimpleNamespace(
        log_ratio=None, inside=lambda panel, start, theta, at: (np.stack([at, at]), np.stack([theta, theta]))
    ),
    None,
)
RISING, FALLING = [1.0, 4.0, 0.3, 0.1, -0.2], [5.0, 2.0, 0.3, 0.1, -0.2]
SUMMITS = [[1.0, 1.2, 3.0, -1.0, 0.7], [2.0, 0.5, 4.0, 2.0, 1.5], [0.0, 0.1, 2.0, -3.0, 1.5]]


def test_a_peak_is_found_inside_at_the_end_or_at_the_start() -> None:
    lanes = [RISING, FALLING, *SUMMITS]
    peak, n = Peak(two(len(lanes)), [3, 7]), len(lanes)  # type: ignore[arg-type]
    clock = Clock(np.full(n, 10.0), np.full(n, 8.0), np.full(n, 2.0))
    scale = np.linspace(1.0, 2.0, n)
    peak.update(Transport(0.25, 0.5, *lanes), clock, scale)  # type: ignore[arg-type]
    found = [summit(lane) for lane in lanes]
    assert [theta for theta, _ in found[:2]] == [1.0, 0.0]
    assert all(0.0 < theta < 1.0 for theta, _ in found[2:])
    for lane, (theta, height) in enumerate(found):  # two rows that are the same add up
        assert peak.value[0, lane] == pytest.approx(2.0 * height * scale[lane], rel=1e-12)
        assert peak.time[0, lane] == pytest.approx(10.0 + 8.0 * (0.25 + 0.5 * theta) ** 2, rel=1e-7)


def test_a_peak_stays_until_a_higher_one_comes() -> None:
    clock, peak = Clock(np.zeros(1), np.ones(1), np.ones(1)), Peak(two(1), [0])  # type: ignore[arg-type]
    level = [0.0, 0.0, 0.0]
    peak.update(Transport(0.0, 0.25, [1.0, 3.0, *level]), clock, np.ones(1))  # type: ignore[arg-type]
    peak.update(Transport(0.25, 0.25, [3.0, 2.0, *level]), clock, np.ones(1))  # type: ignore[arg-type]
    assert (peak.value[0, 0], peak.time[0, 0]) == (3.0, 0.25)  # as high, but later
    peak.update(Transport(0.5, 0.5, [2.0, 7.0, *level]), clock, np.ones(1))  # type: ignore[arg-type]
    assert (peak.value[0, 0], peak.time[0, 0]) == (7.0, 1.0)


def test_every_lane_keeps_its_own_peak() -> None:
    clock, peak = Clock(np.zeros(2), np.ones(2), np.ones(2)), Peak(two(2), [0])  # type: ignore[arg-type]
    level = [0.0, 0.0, 0.0]
    peak.update(Transport(0.0, 0.5, [1.0, 3.0, *level], [1.0, 3.0, *level]), clock, np.ones(2))  # type: ignore[arg-type]
    peak.update(Transport(0.5, 0.5, [3.0, 2.0, *level], [3.0, 4.0, *level]), clock, np.ones(2))  # type: ignore[arg-type]
    np.testing.assert_array_equal(peak.value[0], [3.0, 4.0])
    np.testing.assert_array_equal(peak.time[0], [0.5, 1.0])


def samples(times: list[list[float]]) -> Samples:
    array = np.array(times)
    return Samples(SimpleNamespace(n_drugs=1, n=array.shape[1]), array, 0)  # type: ignore[arg-type]


def test_a_sample_at_a_boundary_belongs_to_what_begins_there() -> None:
    clock = Clock(np.array([1.0, 0.0]), np.array([2.0, 4.0]), np.ones(2))
    of = samples([[0.5, -1.0], [1.0, 0.0], [2.0, 3.0], [3.0, 4.0], [np.nan, 5.0]])
    found = of.wanted(clock, last=False)
    assert found is not None
    assert found[1].tolist() == [1, 2]
    np.testing.assert_array_equal(found[0], [[-1, -1], [0, 0], [0.5, 0.75], [-1, -1], [-1, -1]])
    found = of.wanted(clock, last=True)
    assert found is not None
    assert found[1].tolist() == [1, 2, 3]  # the last instant of the course belongs to its last step
    np.testing.assert_array_equal(found[0][3], [1.0, 1.0])


def test_the_last_instant_is_met_whatever_the_rounding() -> None:
    start, length = np.array([0.1]), np.array([0.2])
    of = samples([[0.1 + 0.2]])  # 0.30000000000000004
    clock = Clock(start, length, np.ones(1))
    assert clock.position(of.times)[0, 0] > 1.0
    found = of.wanted(clock, last=True)
    assert found is not None
    assert found[0][0, 0] == 1.0


def test_where_no_sample_lies_none_is_wanted() -> None:
    clock = Clock(np.zeros(1), np.ones(1), np.ones(1))
    assert samples([[2.0]]).wanted(clock, last=True) is None
    assert Samples(two(1), np.empty((0, 1)), 0).wanted(clock, last=True) is None  # type: ignore[arg-type]
    still = Clock(np.ones(1), np.zeros(1), np.ones(1))  # a bolus: no time passes
    assert samples([[1.0]]).wanted(still, last=False) is None


def test_samples_are_interpolated_in_their_own_step() -> None:
    clock = Clock(np.zeros(2), np.full(2, 8.0), np.ones(2))
    of = samples([[1.0, 2.0], [2.0, 3.0], [4.0, 6.0], [6.0, 1.0], [8.0, 8.0]])
    where = of.wanted(clock, last=True)
    assert where is not None
    curve = [[1.0, 2.0, 0.5, -0.3, 0.2], [3.0, 1.0, 0.1, 0.4, -0.5]]
    of.collect(Transport(0.25, 0.5, *curve), where, clock, ELAPSED, [])  # type: ignore[arg-type]
    assert of.transport.shape == (len(SAMPLED_ROWS), 1, 5, 2)
    expected = np.full((5, 2), np.nan)  # the step holds 2 h to 6 h, without its end
    for row, lane, theta in ((1, 0, 0.0), (2, 0, 0.5), (0, 1, 0.0), (1, 1, 0.25)):
        expected[row, lane] = quartic(curve[lane])(theta)
    np.testing.assert_allclose(of.transport[0, 0], expected, rtol=1e-14)
    hours = np.array([[np.nan, 0.0], [0.0, 1.0], [2.0, np.nan], [np.nan, np.nan], [np.nan, np.nan]])
    np.testing.assert_allclose(of.viable[0], hours, atol=1e-14)
    np.testing.assert_allclose(of.dead[1], hours / 4.0, atol=1e-14)
    of.collect(Transport(0.75, 0.25, *curve), where, clock, ELAPSED, [])  # type: ignore[arg-type]
    expected[3, 0], expected[4] = curve[0][0], [curve[0][1], curve[1][1]]
    expected[2, 1] = curve[1][0]
    np.testing.assert_allclose(of.transport[5, 0], expected, rtol=1e-14)


def test_blood_flow_of_a_blocked_artery() -> None:
    """Zones q + (1 - q)(1 - a (1 - p)) of their flow, served liver p of its arterial flow, other liver all of it."""
    [batch] = lower([Run(pk.Scenario("hcc_reference", pk.iv("cisplatin", 50.0)), 24.0)])
    problem, p = batch.problem, batch.problem.patient
    geometry = read_geometry(problem, p.zone_volume, np.zeros((2, 1)))
    flows, q, a = geometry.flows, p.collateral[0], p.zone_weight[:, 0]
    found = blood_flow(problem, geometry, np.array([[1.0], [0.3]]), np.array([[1.0], [0.6]]))
    assert found.shape == (4, 2, 1)
    assert found[:, 0].sum() == pytest.approx(flows.hepatic[0], rel=1e-12)
    np.testing.assert_allclose(found[:2, 1, 0], flows.zone[:, 0] * (q + (1 - q) * (1 - 0.7 * a)), rtol=1e-12)
    np.testing.assert_allclose(found[2, 1], 0.6 * flows.served_arterial + flows.served_portal, rtol=1e-12)
    np.testing.assert_allclose(found[3, 1], flows.other, rtol=1e-12)


def test_what_is_closed_form_inside_a_segment_is_sampled() -> None:
    """After a sponge: open fractions fall back by its half-life, arterial flow follows them zone by zone."""
    [batch] = lower([Run(pk.Scenario("hcc_reference", pk.embolisation("gelatin_sponge")), 200.0)])
    problem, p, times = batch.problem, batch.problem.patient, np.array([24.0, 120.0])
    found, sponge = solve(problem, times), pk.embolic("gelatin_sponge")
    blocked = sponge.occlusion * 0.5 ** (times / 24.0 / sponge.half_life)
    tumour, served = 1.0 - blocked, 1.0 - sponge.selectivity * blocked
    np.testing.assert_allclose(found.sampled_patency[:, :, 0], [tumour, served], rtol=1e-12)
    flows = read_geometry(problem, p.zone_volume, np.zeros((2, 1))).flows
    expected = [*(flows.zone_arterial * tumour), flows.served_arterial * served]
    np.testing.assert_allclose(found.sampled_arterial[:, :, 0], expected, rtol=1e-12)
    np.testing.assert_allclose(found.sampled_volume[:, :, 0], np.repeat(p.zone_volume, 2, axis=1), rtol=1e-14)
