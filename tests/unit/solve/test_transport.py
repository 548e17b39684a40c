"""Rates of change written out by hand from the graph, and one step under everything that acts at once."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import solve_ivp

import pkmodel as pk
from pkmodel.model.body import Run, lower
from pkmodel.model.graph import ELIMINATED, HYPOXIA, INDEX, INPUTS, N_NODES, N_ROWS, NODES, ROW, rows
from pkmodel.model.network import network, read_geometry
from pkmodel.model.problem import Problem
from pkmodel.solve.transport import Dynamics, ForcingValues, advance, evaluate_dense, positions

pytestmark = pytest.mark.filterwarnings("ignore::pkmodel.errors.PlausibilityWarning")

LENGTH_H = 0.03


def saturable() -> tuple[Problem, Dynamics]:
    """Mitomycin C in the reference patient, its elimination made saturable, with bound drug in body and tumour."""
    drug = pk.drug("mitomycin_c").with_values(
        {
            "km_other": 1.0,
            "liver.km": 2.0,
            "bound.fraction": 0.15,
            "bound.half_life": 2.0,
            "bound.tumour_fraction": 0.2,
            "bound.tumour_half_life": 1.0,
        }
    )
    [batch] = lower([Run(pk.Scenario("hcc_reference", pk.iv(drug, 20.0)), 24.0)])
    problem = batch.problem
    geometry = read_geometry(problem, problem.patient.zone_volume, np.zeros((2, 1)))
    return problem, Dynamics(problem, network(problem, geometry))


def acting(s: np.ndarray, speed: float = LENGTH_H) -> ForcingValues:
    """Arteries that close, hypoxia driven ever harder and an inflow that dies away, at clock positions (m, 1)."""
    one = s[:, :, None, None]
    supply = 1.0 - np.array([0.8, 0.5, 0.3])[None, :, None, None] * one
    drive = np.array([0.9, 0.4])[None, :, None, None] * one**2
    inputs = np.array([3.0, 2.0, 40.0, 8.0])[None, :, None, None] * np.exp(-2.0 * one)
    return ForcingValues(np.full((len(s), 1), speed), supply, inputs, drive)


def by_hand(problem: Problem, dynamics: Dynamics, state: np.ndarray, forcing: ForcingValues) -> np.ndarray:
    """d(state)/ds from the declaration of the graph, node after node; the drug that enters included."""
    d = problem.drug
    capacity = 1.0 / dynamics.inverse_capacity[:, 0, 0]
    c, flux, rate = state[:N_NODES] / capacity, np.zeros(N_NODES), np.zeros(N_ROWS)
    assert forcing.supply is not None
    assert forcing.inputs is not None
    assert forcing.ischaemia is not None
    open_ = dict(
        zip(
            ("core_extracellular", "escape_extracellular", "served_extracellular"),
            forcing.supply[0, :, 0, 0],
            strict=True,
        )
    )
    loss = {}
    for i, node in enumerate(NODES):
        loss[node.name] = dynamics.clearance[i, 0, 0] * c[i] / (1.0 + c[i] * dynamics.inverse_km[i, 0, 0])
        flux[i] -= loss[node.name]
        if node.parent is not None:
            parent = INDEX[node.parent]
            passed = dynamics.conductance[i, 0, 0] * open_.get(node.name, 1.0) * (c[i] - c[parent])
            flux[i] -= passed
            flux[parent] += passed
    rate[:N_NODES] = flux
    for name in loss:
        if f"eliminated_{name}" in ROW:
            rate[ROW[f"eliminated_{name}"]] = loss[name]
        if f"integral_{name}" in ROW:
            rate[ROW[f"integral_{name}"]] = state[INDEX[name]]
    body = loss["served_cells"] + loss["other_cells"] + loss["central"]
    rate[ROW["bound"]] = d.bound_fraction[0, 0] * body - d.bound_rate[0, 0] * state[ROW["bound"]]
    for k, zone in enumerate(("core", "escape")):
        bound, hypoxia = ROW[f"{zone}_bound"], ROW[f"{zone}_hypoxia"]
        rate[bound] = d.tumour_bound_fraction[0, 0] * loss[f"{zone}_cells"] - d.tumour_bound_rate[0, 0] * state[bound]
        drive = forcing.ischaemia[0, k, 0, 0]
        rate[hypoxia] = problem.patient.hypoxia_rate[0] * (drive - state[hypoxia])
    rate *= forcing.speed[0, 0]
    for k, name in enumerate(INPUTS):
        rate[INDEX[name]] += forcing.inputs[0, k, 0, 0]
    return rate


def test_rates_are_those_of_the_graph() -> None:
    problem, dynamics = saturable()
    assert not dynamics.linear
    assert problem.drug.bound_fraction[0, 0] == 0.15
    state = np.random.default_rng(3).uniform(0.5, 30.0, N_ROWS)
    forcing = acting(np.array([[0.6]]))
    found = dynamics.rate(state[:, None, None], forcing, 0, out=np.empty((N_ROWS, 1, 1)))[:, 0, 0]
    for k, name in enumerate(INPUTS):
        found[INDEX[name]] += forcing.inputs[0, k, 0, 0]  # type: ignore[index]
    np.testing.assert_allclose(found, by_hand(problem, dynamics, state, forcing), rtol=1e-11, atol=1e-11)


def start() -> np.ndarray:
    state = np.zeros((N_ROWS, 1, 1))
    state[INDEX["central"]], state[INDEX["core_cells"]], state[ROW["core_hypoxia"]] = 20.0, 0.5, 0.3
    return state


@pytest.fixture(scope="module")
def exact() -> np.ndarray:
    """Half and end of the segment by an independent method."""
    problem, dynamics = saturable()

    def rates(s: float, y: np.ndarray) -> np.ndarray:
        return by_hand(problem, dynamics, y, acting(np.array([[s]])))

    y0 = start()[:, 0, 0]
    return solve_ivp(rates, (0.0, 1.0), y0, method="DOP853", t_eval=[0.5, 1.0], rtol=1e-11, atol=1e-13).y.T


def integrate(steps: int) -> tuple[np.ndarray, np.ndarray]:
    """State in the middle (dense output of an odd number of steps) and at the end."""
    _, dynamics = saturable()
    state, h, middle = start(), 1.0 / steps, start()
    entering = np.array([3.0, 2.0, 40.0, 8.0])[:, None, None]
    for k in range(steps):
        s = k * h
        released = entering * (np.exp(-2.0 * s) - np.exp(-2.0 * (s + h))) / 2.0
        step = advance(dynamics, state, s, h, acting(positions(s, h)), released)
        if s < 0.5 <= s + h:
            middle = evaluate_dense(step.dense(list(range(N_ROWS))), (0.5 - s) / h)
        state = step.after
    return middle[:, 0, 0], state[:, 0, 0]


def test_everything_at_once_converges_with_its_order(exact: np.ndarray) -> None:
    errors = []
    for steps in (15, 31, 63):
        found = integrate(steps)
        errors.append(
            [float(np.max(np.abs(f[e > 1e-6] / e[e > 1e-6] - 1.0))) for f, e in zip(found, exact, strict=True)]
        )
    orders = np.log(np.array(errors[:-1]) / np.array(errors[1:])) / np.log(2.0)
    print(f"\nmiddle and end: errors {errors}, orders {orders.round(2)}")
    assert np.all(orders[-1] > 4.5)
    assert max(errors[-1]) < 1e-6


def test_mass_balances_at_any_step_when_the_inflow_is_given_in_closed_form() -> None:
    given = start()[:N_NODES].sum() + 53.0 * (1.0 - np.exp(-2.0)) / 2.0
    for steps in (1, 3):
        _, end = integrate(steps)
        there = end[:N_NODES].sum() + end[rows(ELIMINATED)].sum()
        assert there == pytest.approx(given, rel=1e-13)
    assert rows(HYPOXIA).stop == N_ROWS
