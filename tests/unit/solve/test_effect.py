"""The tumour's answer on a panel: exact for polynomial kill, its order for Gompertz, what is booked, recruitment."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import solve_ivp

import pkmodel as pk
from pkmodel.inputs.regimen import Regimen
from pkmodel.model.body import Run, lower
from pkmodel.model.network import network, read_geometry
from pkmodel.model.problem import Problem
from pkmodel.solve.clock import Clock
from pkmodel.solve.effect import NODES, WEIGHTS, Panel, TumourState, partial_weights

pytestmark = pytest.mark.filterwarnings("ignore::pkmodel.errors.PlausibilityWarning")

K_HYP = 1.1 / 24.0
HYPOXIA = (0.2, 1.1, -0.6)  # of s: a + b s + c s^2


class Transport:
    """Stands for a step of transport: hypoxia is a parabola over the whole segment, the same in both zones."""

    def __init__(self, s: float, h: float) -> None:
        self.s, self.h = s, h

    def dense(self, rows: list[int]) -> np.ndarray:
        a, b, c = HYPOXIA
        start, end = (a + b * s + c * s**2 for s in (self.s, self.s + self.h))
        one = np.array([start, end, -c * self.h**2, 0.0, 0.0])
        return np.broadcast_to(one[:, None, None, None], (5, len(rows), 1, 1))


def problem(**values: object) -> Problem:
    """One lane without drug."""
    changed = {
        "tumour.escape_intercept": 0.0,
        "tumour.doubling_time": 40.0,
        "tumour.ischaemic_kill_rate": 24.0 * K_HYP,
        **values,
    }
    patient = pk.patient("hcc_reference").with_values(changed)
    [batch] = lower([Run(pk.Scenario(patient, Regimen(())), 1000.0)])
    return batch.problem


def state(of: Problem) -> TumourState:
    first = read_geometry(of, of.patient.zone_volume, np.zeros((2, 1)))
    return TumourState(of, network(of, first))


def carry(tumour: TumourState, length: float, steps: int = 1, power: float = 1.0) -> list[Panel]:
    """Carry a tumour over a segment in equal steps of the clock."""
    clock = Clock(np.zeros(1), np.full(1, length), np.full(1, power))
    panels = []
    for k in range(steps):
        panels.append(tumour.panel(Transport(k / steps, 1.0 / steps), clock))  # type: ignore[arg-type]
        tumour.accept(panels[-1])
    return panels


def killed(s: float, length: float, power: float = 1.0) -> float:
    """Integral of k_hyp h dt from 0 to a position of the clock."""
    a, b, c = HYPOXIA
    terms = (
        a / power * s**power,
        b / (power + 1.0) * s ** (power + 1.0),
        c / (power + 2.0) * s ** (power + 2.0),
    )
    return K_HYP * length * power * sum(terms)


@pytest.mark.parametrize("power", [1.0, 2.0, 3.0])
def test_exponential_growth_under_polynomial_kill_is_exact_in_one_panel(power: float) -> None:
    of = problem()
    tumour, length = state(of), 100.0
    before = tumour.viable.copy()
    carry(tumour, length, power=power)
    growth = np.log(2.0) / (24.0 * 40.0)
    expected = before * np.exp(growth * length - killed(1.0, length, power))
    np.testing.assert_allclose(tumour.viable, expected, rtol=1e-13)


@pytest.mark.parametrize("theta", [0.0, 0.13, 0.5, 0.77, 1.0])
def test_inside_a_step(theta: float) -> None:
    of = problem()
    tumour, length = state(of), 100.0
    clock = Clock(np.zeros(1), np.full(1, length), np.ones(1))
    before = tumour.viable.copy()
    panel = tumour.panel(Transport(0.0, 1.0), clock)  # type: ignore[arg-type]
    viable, dead = tumour.inside(panel, tumour.log_ratio, np.full((1, 1), theta), np.full((1, 1), theta * length))
    growth = np.log(2.0) / (24.0 * 40.0)
    expected = before * np.exp(growth * theta * length - killed(theta, length))
    np.testing.assert_allclose(viable[:, 0], expected, rtol=1e-13)
    assert np.all(dead >= 0.0)
    assert dead.sum() == pytest.approx(0.0, abs=1e-18) if theta == 0.0 else dead.sum() > 0.0


def reference(of: Problem, length: float) -> np.ndarray:
    """Viable and dead volume of both zones by an independent method."""
    p = of.patient

    def rates(t: float, y: np.ndarray) -> np.ndarray:
        a, b, c = HYPOXIA
        s = t / length
        kill = K_HYP * (a + b * s + c * s**2)
        room = p.growth_capacity[0] * p.zone_share[:, 0]
        damping = p.growth_damping[0]
        growth = damping * np.log(room / y[:2]) if damping > 0.0 else p.growth_rate[0]
        return np.concatenate([(growth - kill) * y[:2], kill * y[:2] - p.resorption[0] * y[2:]])

    start = np.concatenate([p.zone_volume[:, 0], np.zeros(2)])
    return solve_ivp(rates, (0.0, length), start, method="DOP853", rtol=1e-13, atol=1e-17).y[:, -1]


@pytest.mark.parametrize("growth", ["exponential", "gompertz"])
def test_order_of_viable_and_dead_volume(growth: str) -> None:
    """Three Gauss nodes: order six."""
    of = problem(**{"tumour.growth_capacity": 1500.0, "tumour.growth": growth, "tumour.resorption_half_life": 5.0})
    expected, errors = reference(of, 400.0), []
    for steps in (8, 16, 32):
        tumour = state(of)
        carry(tumour, 400.0, steps)
        found = np.concatenate([tumour.viable[:, 0], tumour.dead[:, 0]])
        errors.append(float(np.abs(found / expected - 1.0).max()))
    orders = np.log2(np.array(errors[:-1]) / np.array(errors[1:]))
    print(f"\n{growth}: errors {errors}, orders {orders.round(2)}")
    assert np.all(orders > 5.5)
    assert errors[-1] < 1e-9


def test_without_growth_and_resorption_nothing_is_lost() -> None:
    of = problem(**{"tumour.doubling_time": np.inf, "tumour.resorption_half_life": np.inf})
    tumour = state(of)
    before = tumour.viable.sum()
    carry(tumour, 200.0, 40)
    assert tumour.viable.sum() + tumour.dead.sum() == pytest.approx(before, rel=1e-12)
    assert tumour.booked_ischaemia[0] == pytest.approx(tumour.dead.sum(), rel=1e-12)
    assert tumour.booked_drug.max() == 0.0


def test_error_estimate_is_zero_where_two_nodes_suffice_and_falls_with_order_five_where_not() -> None:
    of, errors = problem(), []
    before = state(of)
    before.dead = np.full_like(before.dead, 1e12)  # so much has died that only the viable volume can be wrong
    # a parabola on a straight clock is of degree two; on a cubic clock the integrand is of degree four
    assert before.error(carry(state(of), 100.0)[0])[0] < 1e-14
    for steps in (1, 2, 4):
        errors.append(before.error(carry(state(of), 100.0, steps, power=3.0)[-1])[0])
    assert errors[0] > 1e-4
    np.testing.assert_allclose(np.log2(np.array(errors[:-1]) / np.array(errors[1:])), 5.0, atol=0.2)


def test_error_estimate_sees_a_step_in_which_the_cells_die() -> None:
    """Kill of low degree is integrated exactly, and the dead volume is wrong all the same."""
    of = problem(**{"tumour.growth": "exponential", "tumour.doubling_time": np.inf})
    found, kept = state(of), state(of)
    [panel] = carry(found, 4000.0)
    log_kill = np.log(found.base / found.viable).max()
    assert log_kill > 3.0
    before = found.base.sum()
    assert before - found.viable.sum() > 1.02 * found.booked_ischaemia[0]  # missed
    assert kept.error(panel)[0] > 0.02


def test_partial_weights_integrate_quartics() -> None:
    rng = np.random.default_rng(4)
    for _ in range(20):
        curve = np.polynomial.Polynomial(rng.normal(size=5))
        theta = rng.uniform(size=(3, 2))
        found = np.einsum("kmn,k->mn", partial_weights(theta), curve(NODES))
        np.testing.assert_allclose(found, curve.integ()(theta), rtol=1e-12, atol=1e-13)
    assert WEIGHTS.sum() == pytest.approx(1.0)


def test_recruitment_moves_volume_and_keeps_the_sum() -> None:
    of = problem()
    tumour = state(of)
    carry(tumour, 100.0)
    before = tumour.viable.copy()
    moved, core = tumour.recruit(np.array([42.0 * 24.0]))
    assert moved[0] == pytest.approx(0.5 * before[1, 0], rel=1e-12)
    assert core[0] == before[0, 0]
    np.testing.assert_allclose(tumour.viable[:, 0], before[:, 0] + [moved[0], -moved[0]], rtol=1e-14)
    nothing, _ = tumour.recruit(np.zeros(1))
    assert nothing[0] == 0.0


def test_a_zone_without_volume_stays_empty() -> None:
    of = problem(**{"tumour.diameter": 0.0, "tumour.growth_capacity": 1500.0, "tumour.growth": "gompertz"})
    tumour = state(of)
    carry(tumour, 100.0, 3)
    assert tumour.viable.max() == 0.0
    assert tumour.dead.max() == 0.0
    assert np.isfinite(tumour.log_ratio).all()
