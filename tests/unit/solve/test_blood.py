"""The explicit pair for blood cells: order of steps and of dense output, error estimate, nadir."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from pkmodel.laws.marrow import friberg_baseline, friberg_rates
from pkmodel.solve.blood import _A, _C, _DENSE, _ERROR, BloodStep, CellLine
from pkmodel.solve.clock import Clock

CIRC0, MTT, GAMMA, LENGTH = 5.0, 90.0, 0.17, 480.0
SLOPE = 0.4
AMOUNT = (2.0, -4.0, 2.0)  # of s: a + b s + c s^2, in [0, 1]


class Transport:
    """Stands for a step of transport: an amount in the centre that is a parabola over the whole segment."""

    def __init__(self, s: float, h: float) -> None:
        self.s, self.h = s, h

    def dense(self, rows: list[int]) -> np.ndarray:
        a, b, c = AMOUNT
        start, end = (a + b * s + c * s**2 for s in (self.s, self.s + self.h))
        return np.array([start, end, -c * self.h**2, 0.0, 0.0]).reshape(5, 1, 1, 1)


def line() -> CellLine:
    one = np.ones(1)
    return CellLine(baseline=CIRC0 * one, mtt=MTT * one, feedback=GAMMA * one, slope_per_amount=SLOPE * np.ones((1, 1)))


def clock(power: float = 1.0) -> Clock:
    return Clock(np.zeros(1), np.full(1, LENGTH), np.full(1, power))


def integrate(steps: int, power: float = 1.0) -> tuple[CellLine, list[BloodStep]]:
    """The line carried over the segment in equal steps of the clock."""
    cells, taken, time = line(), [], clock(power)
    for k in range(steps):
        step = Transport(k / steps, 1.0 / steps)
        found = cells.step(step, time)  # type: ignore[arg-type]
        cells.accept(found, step, time)  # type: ignore[arg-type]
        taken.append(found)
    return cells, taken


def exact(s: np.ndarray, power: float = 1.0) -> np.ndarray:
    """States at clock positions by an independent method."""

    def rates(t: float, y: np.ndarray) -> np.ndarray:
        position = (t / LENGTH) ** (1.0 / power)
        effect = SLOPE * (AMOUNT[0] + AMOUNT[1] * position + AMOUNT[2] * position**2)
        return friberg_rates(y, effect=effect, circ0=CIRC0, mtt_h=MTT, gamma=GAMMA)

    times = LENGTH * s**power
    start = friberg_baseline(CIRC0)
    return solve_ivp(rates, (0.0, LENGTH), start, method="DOP853", t_eval=times, rtol=1e-13, atol=1e-13).y


def orders(errors: list[float]) -> np.ndarray:
    return np.log2(np.array(errors[:-1]) / np.array(errors[1:]))


@pytest.mark.parametrize("power", [1.0, 2.0])
def test_order_five(power: float) -> None:
    end = exact(np.array([0.0, 1.0]), power)[:, -1]
    errors = [float(np.abs(integrate(n, power)[0].state[:, 0] / end - 1.0).max()) for n in (16, 32, 64, 128)]
    print(f"\npower {power:g}: errors {errors}, orders {orders(errors).round(2)}")
    assert np.all(orders(errors)[1:] > 4.7)
    assert errors[-1] < 1e-6


def test_dense_output_of_order_four() -> None:
    errors = []
    for n in (16, 32, 64):
        _, taken = integrate(n)
        theta = np.array([[0.3], [0.5], [0.8]])
        found = np.stack([step.circulating(theta)[:, 0] for step in taken])
        s = (np.arange(n)[:, None] + theta[:, 0]) / n
        expected = exact(np.concatenate([[0.0], s.ravel()]))[4, 1:].reshape(s.shape)
        errors.append(float(np.abs(found / expected - 1.0).max()))
    print(f"\ndense output: errors {errors}, orders {orders(errors).round(2)}")
    assert np.all(orders(errors) > 3.7)


def test_dense_output_meets_both_ends() -> None:
    _, taken = integrate(48)
    for step in taken:
        assert step.circulating(np.zeros((1, 1)))[0, 0] == step.before[4, 0]
        assert step.circulating(np.ones((1, 1)))[0, 0] == pytest.approx(step.after[4, 0], rel=1e-13)


def test_error_estimate_tells_the_size_of_the_local_error() -> None:
    """One order below the result: it falls by 2^5 at each halving, and stays above the true error."""
    estimates, true = [], []
    for n in (32, 64, 128):
        _, taken = integrate(n)
        estimates.append(float(CellLine.error(taken[0])[0]))
        true.append(float(np.abs(taken[0].after[:, 0] / exact(np.array([0.0, 1.0 / n]))[:, -1] - 1.0).max()))
    assert np.all(orders(estimates) > 4.5)
    assert np.all(np.array(true) < np.array(estimates))


def test_tableau_is_consistent() -> None:
    for row, node in zip(_A, _C, strict=True):
        assert sum(row) == pytest.approx(float(node), abs=1e-15)
    assert _ERROR.sum() == pytest.approx(0.0, abs=1e-16)
    weights = np.array([*_A[6], 0.0])
    for k in range(5):
        assert weights @ _C**k == pytest.approx(1.0 / (k + 1), abs=1e-15)
    np.testing.assert_allclose(_DENSE.sum(axis=1), weights, atol=1e-14)


def test_without_drug_nothing_moves() -> None:
    cells = line()
    cells.slope_per_amount = np.zeros((1, 1))
    step = Transport(0.0, 0.05)
    found = cells.step(step, clock())  # type: ignore[arg-type]
    np.testing.assert_allclose(found.after, found.before, rtol=1e-14)  # exp(ln 5) is not quite 5
    assert CellLine.error(found)[0] < 1e-14


def test_the_nadir_is_found_inside_a_step() -> None:
    cells, _ = integrate(48)
    s = np.linspace(0.0, 1.0, 20_001)
    course = exact(s)[4]
    at = int(np.argmin(course))
    assert 0 < at < s.size - 1
    assert cells.lowest[0] == pytest.approx(course[at], rel=1e-6)
    assert cells.lowest_time[0] == pytest.approx(LENGTH * s[at], abs=0.3)


def test_the_nadir_of_one_lane_does_not_depend_on_the_others() -> None:
    """A lane whose count turns, one that stays and one that only falls, in the same steps."""
    one, (alone, _) = np.ones(3), integrate(48)
    cells = CellLine(
        baseline=CIRC0 * one, mtt=np.array([MTT, MTT, 20.0 * LENGTH]), feedback=GAMMA * one,
        slope_per_amount=SLOPE * np.array([[1.0, 0.0, 1.0]]),
    )  # fmt: skip
    time = Clock(np.full(3, 5.0), np.full(3, LENGTH), one)
    for k in range(48):
        step = Transport(k / 48, 1.0 / 48)
        cells.accept(cells.step(step, time), step, time)  # type: ignore[arg-type]
    assert cells.lowest[0] == pytest.approx(alone.lowest[0], rel=1e-12)
    assert cells.lowest_time[0] == pytest.approx(5.0 + alone.lowest_time[0], rel=1e-9)
    assert cells.lowest[1] == pytest.approx(CIRC0, rel=1e-12)
    assert cells.lowest[2] == cells.state[4, 2] < CIRC0
    assert cells.lowest_time[2] == 5.0 + LENGTH


def test_error_is_relative_to_the_cells_and_absolute_in_the_logarithm() -> None:
    after = np.array([[-3.0, 0.1], [2.0, 2.0], [4.0, 4.0], [8.0, 8.0], [5.0, 5.0]])
    error = np.array([[-1e-3, 1e-3], [0.0, 0.0], [1e-3, -0.02], [1e-3, 0.0], [-1e-3, 0.0]])
    step = BloodStep(after, after, np.zeros((7, 5, 2)), error)
    np.testing.assert_allclose(CellLine.error(step), [1e-3, 5e-3], rtol=1e-14)
