"""Rodas5P: its quadrature, its order on the transport graph, and the order of its dense output."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.linalg import expm

import pkmodel as pk
from pkmodel.model.body import Run, lower
from pkmodel.model.graph import CENTRAL, INDEX, N_NODES, N_ROWS, ROW
from pkmodel.model.network import network, read_geometry
from pkmodel.solve import rodas
from pkmodel.solve.clock import Clock
from pkmodel.solve.transport import Dynamics, ForcingValues, Step, advance, evaluate_dense, positions

UNTIL_H = 2.0


def dynamics() -> Dynamics:
    """Mitomycin C in the reference patient: linear, two compartments, liver and tumour."""
    [batch] = lower([Run(pk.Scenario("hcc_reference", pk.iv("mitomycin_c", 20.0)), 24.0)])
    problem = batch.problem
    geometry = read_geometry(problem, problem.patient.zone_volume, np.zeros((2, 1)))
    return Dynamics(problem, network(problem, geometry))


def bolus() -> np.ndarray:
    """A unit dose in the centre."""
    state = np.zeros((N_ROWS, 1, 1))
    state[CENTRAL] = 1.0
    return state


def matrix(model: Dynamics) -> np.ndarray:
    """d(state)/dt as a matrix [1/h]."""
    forcing = ForcingValues(np.ones((7, 1)), None, None, None)
    full = np.zeros((N_ROWS, N_ROWS))
    for row in range(N_ROWS):
        unit = np.zeros((N_ROWS, 1, 1))
        unit[row] = 1.0
        full[:, row] = model.rate(unit, forcing, 0, out=np.empty_like(unit))[:, 0, 0]
    return full


def integrate(model: Dynamics, steps: int, power: float, *, decaying: bool = False) -> list[Step]:
    """Equal steps of the clock over UNTIL_H from a bolus; an inflow [mg/h] that decays on request."""
    clock = Clock(np.zeros(1), np.full(1, UNTIL_H), np.full(1, power))
    state, taken = bolus(), []
    h = 1.0 / steps
    for k in range(steps):
        s = positions(k * h, h)
        speed, inputs, released = clock.speed(s), None, None
        if decaying:
            inputs = np.zeros((7, 4, 1, 1))
            inputs[:, 3] = (np.exp(-clock.elapsed(s)) * speed)[:, :, None]
            ends = clock.elapsed(np.array([k * h, (k + 1) * h])[:, None])
            released = np.zeros((4, 1, 1))
            released[3] = np.exp(-ends[0]) - np.exp(-ends[1])
        step = advance(model, state, k * h, h, ForcingValues(speed, None, inputs, None), released)
        state = step.after
        taken.append(step)
    return taken


def order(errors: list[float], factor: float = 2.0) -> float:
    """Observed order of convergence between the two finest of equally refined runs."""
    return float(np.log(errors[-2] / errors[-1]) / np.log(factor))


def test_weights_integrate_polynomials_up_to_degree_four() -> None:
    for degree in range(5):
        moment = rodas.WEIGHTS @ rodas.DISTINCT_NODES**degree
        assert moment == pytest.approx(1.0 / (degree + 1), abs=1e-12)
    assert abs(rodas.WEIGHTS @ rodas.DISTINCT_NODES**5 - 1.0 / 6.0) > 1e-6  # and no further


def test_the_weight_of_the_time_derivative_vanishes() -> None:
    # J = 0 and no rate: k_i = gamma (D_i f' + sum_j C_ij k_j), in units of h^2 f'
    k = np.zeros(rodas.STAGES)
    for i in range(rodas.STAGES):
        k[i] = rodas.GAMMA * (rodas.D[i] + rodas.C[i, :i] @ k[:i])
    assert abs(rodas.A[5, :5] @ k[:5] + k[5:].sum()) < 1e-12


def test_the_last_stages_stand_at_the_end_of_the_step() -> None:
    assert np.all(rodas.CNODES[5:] == 1.0)
    assert rodas.WEIGHTS.sum() == pytest.approx(1.0, abs=1e-13)


@pytest.mark.parametrize("power", [1.0, 2.0])
def test_order_five_on_a_linear_problem(power: float) -> None:
    # power 2: the clock itself depends on s, so the time derivative of the method takes part
    model = dynamics()
    exact = (expm(UNTIL_H * matrix(model)) @ bolus()[:, 0, 0])[:, None, None]
    errors = []
    for steps in (8, 16, 32):
        after = integrate(model, steps, power)[-1].after
        errors.append(float(np.max(np.abs(after - exact)[:N_NODES])))
    assert order(errors) > 4.6
    assert errors[-1] < 1e-6


def test_order_with_an_inflow_that_decays() -> None:
    model = dynamics()
    a = matrix(model)
    extended = np.zeros((N_ROWS + 1, N_ROWS + 1))  # the inflow as one more state, exp(-t)
    extended[:N_ROWS, :N_ROWS], extended[ROW["central"], -1], extended[-1, -1] = a, 1.0, -1.0
    start = np.append(bolus()[:, 0, 0], 1.0)
    exact = (expm(UNTIL_H * extended) @ start)[:N_ROWS, None, None]
    errors, balance = [], []
    for steps in (8, 16, 32):
        after = integrate(model, steps, 1.0, decaying=True)[-1].after
        errors.append(float(np.max(np.abs(after - exact)[:N_NODES])))
        there = after[:N_NODES].sum() + after[[i for n, i in ROW.items() if n.startswith("eliminated")]].sum()
        balance.append(abs(there - (1.0 + 1.0 - np.exp(-UNTIL_H))))
    assert order(errors) > 4.0
    assert max(balance) < 1e-13  # exact mass at any step, inflow in closed form


def test_the_dense_output_has_order_four() -> None:
    model = dynamics()
    a = matrix(model)
    errors = []
    for steps in (16, 32, 64):  # behind the transient of the first steps
        worst = 0.0
        for step in integrate(model, steps, 1.0)[steps // 8 :: steps // 8]:
            coefficients = step.dense(list(range(N_NODES)))
            for theta in (0.25, 0.5, 0.8):
                exact = expm(UNTIL_H * (step.s + theta * step.h) * a) @ bolus()[:, 0, 0]
                worst = max(
                    worst,
                    float(np.max(np.abs(evaluate_dense(coefficients, theta)[:, 0, 0] - exact[:N_NODES]))),
                )
        errors.append(worst)
    assert order(errors) > 3.6


def test_the_dense_output_meets_both_ends() -> None:
    step = integrate(dynamics(), 8, 1.0)[3]
    coefficients = step.dense([CENTRAL, INDEX["core_cells"]])
    np.testing.assert_array_equal(
        evaluate_dense(coefficients, 0.0), step.before[[CENTRAL, INDEX["core_cells"]]]
    )
    np.testing.assert_array_equal(
        evaluate_dense(coefficients, 1.0), step.after[[CENTRAL, INDEX["core_cells"]]]
    )


def test_the_error_estimate_shrinks_with_the_step() -> None:
    model = dynamics()
    sizes = [np.max(np.abs(integrate(model, steps, 1.0)[-1].error)) for steps in (16, 32, 64)]
    assert sizes[0] > 10 * sizes[1] > 100 * sizes[2]
