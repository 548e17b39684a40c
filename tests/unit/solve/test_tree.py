"""The tree solve against dense linear algebra, bare and as the solver uses it."""

from __future__ import annotations

import numpy as np
import pytest

import pkmodel as pk
from pkmodel.model.body import Run, lower
from pkmodel.model.graph import BANDS, CENTRAL, INDEX, N_NODES, N_ROWS, NODES, Node, bands
from pkmodel.model.network import network, read_geometry
from pkmodel.solve import tree
from pkmodel.solve.transport import Dynamics, ForcingValues

CASES = 1000
TOLERANCE = 1e-12


def parents() -> list[int]:
    """Parent of every node but the root."""
    return [INDEX[str(node.parent)] for node in NODES[:CENTRAL]]


def random_flows(seed: int, *, absent: float = 0.0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Diagonal (N, n), up and down (N-1, n) of W = g I - M for random conductances, capacities and losses.

    Of the size of the library's drugs: 0.1 to 100 L/h and 0.1 to 100 L, steps of minutes to hours.
    """
    rng = np.random.default_rng(seed)

    def spread(low: float, high: float, *shape: int) -> np.ndarray:
        return np.exp(rng.uniform(np.log(low), np.log(high), shape))

    conductance = spread(0.1, 1e2, N_NODES - 1, CASES) * (rng.uniform(size=(N_NODES - 1, CASES)) >= absent)
    capacity = spread(0.1, 1e2, N_NODES, CASES)
    loss = spread(1e-3, 10.0, N_NODES, CASES) * (rng.uniform(size=(N_NODES, CASES)) > 0.5)
    up = conductance / capacity[:-1]
    down = conductance / capacity[parents()]
    diagonal = spread(0.3, 1e4, CASES) + loss
    diagonal[:-1] += up
    for child, parent in enumerate(parents()):
        diagonal[parent] += down[child]
    return diagonal, up, down


def dense(diagonal: np.ndarray, up: np.ndarray, down: np.ndarray) -> np.ndarray:
    """The same matrices in full, (n, N, N)."""
    matrix = np.zeros((diagonal.shape[1], N_NODES, N_NODES))
    for i in range(N_NODES):
        matrix[:, i, i] = diagonal[i]
    for child, parent in enumerate(parents()):
        matrix[:, parent, child] = -up[child]
        matrix[:, child, parent] = -down[child]
    return matrix


@pytest.mark.parametrize("absent", [0.0, 0.3, 1.0])
def test_equals_a_dense_solve(absent: float) -> None:
    diagonal, up, down = random_flows(1, absent=absent)
    right = np.random.default_rng(2).normal(size=(N_NODES, CASES))
    expected = np.linalg.solve(dense(diagonal, up, down), right.T[:, :, None])[:, :, 0].T
    found = tree.solve(tree.eliminate(diagonal.copy(), up, down), right.copy())
    assert np.max(np.abs(found - expected).max(axis=0) / np.abs(expected).max(axis=0)) < TOLERANCE


def test_positive_right_hand_sides_agree_in_every_component() -> None:
    # an inverse M-matrix is not negative: no cancellation, and every component is accurate on its own
    diagonal, up, down = random_flows(3, absent=0.2)
    right = np.random.default_rng(4).uniform(0.1, 1.0, (N_NODES, CASES))
    expected = np.linalg.solve(dense(diagonal, up, down), right.T[:, :, None])[:, :, 0].T
    found = tree.solve(tree.eliminate(diagonal.copy(), up, down), right.copy())
    assert np.all(found > 0.0)
    assert np.max(np.abs(found / expected - 1.0)) < TOLERANCE


def test_solves_in_place_and_again() -> None:
    diagonal, up, down = random_flows(5)
    factors = tree.eliminate(diagonal.copy(), up, down)
    right = np.random.default_rng(6).normal(size=(N_NODES, CASES))
    copy = right.copy()
    first = tree.solve(factors, right)
    assert first is right
    np.testing.assert_array_equal(tree.solve(factors, copy), first)


def test_the_solver_s_matrix_is_the_jacobian_of_its_rates() -> None:
    # W x = b of the whole state, rows behind the tree included, against W built from rates of unit vectors
    regimen = pk.iv("cisplatin", 100.0)
    [batch] = lower([Run(pk.Scenario("hcc_reference", regimen), 24.0)])
    problem = batch.problem
    geometry = read_geometry(problem, problem.patient.zone_volume, np.zeros((2, 1)))
    dynamics = Dynamics(problem, network(problem, geometry))
    supply = np.full((7, 3, 1, 1), 1.0) * np.array([0.1, 0.4, 0.7])[None, :, None, None]
    forcing = ForcingValues(np.full((7, 1), 3.0), supply, None, None)
    jacobian = np.zeros((N_ROWS, N_ROWS))
    for row in range(N_ROWS):
        unit = np.zeros((N_ROWS, 1, 1))
        unit[row] = 1.0
        jacobian[:, row] = dynamics.rate(unit, forcing, 0, out=np.empty_like(unit))[:, 0, 0]
    over = 40.0
    right = np.random.default_rng(7).normal(size=(N_ROWS, 1, 1))
    expected = np.linalg.solve(over * np.eye(N_ROWS) - jacobian, right[:, 0, 0])
    found = dynamics.solve(dynamics.factorise(np.zeros_like(right), forcing, over), right.copy())
    np.testing.assert_allclose(found[:, 0, 0], expected, rtol=1e-11, atol=1e-13)


def test_a_saturated_matrix_is_the_derivative_of_its_rates() -> None:
    regimen = pk.iv("fluorouracil", 750.0)
    [batch] = lower([Run(pk.Scenario("hcc_reference", regimen), 24.0)])
    problem = batch.problem
    geometry = read_geometry(problem, problem.patient.zone_volume, np.zeros((2, 1)))
    dynamics = Dynamics(problem, network(problem, geometry))
    amounts = np.random.default_rng(8).uniform(0.1, 5.0, (N_NODES, 1, 1))
    step = 1e-6
    rise = dynamics.losses((amounts + step) * dynamics.inverse_capacity)
    fall = dynamics.losses((amounts - step) * dynamics.inverse_capacity)
    np.testing.assert_allclose(
        dynamics.loss_slopes(amounts), (rise - fall) / (2 * step), rtol=1e-6, atol=1e-9
    )


def test_the_graph_is_eliminated_leaves_first() -> None:
    assert BANDS[0] == (slice(0, 4), slice(4, 8))
    assert BANDS[1] == (slice(4, 10), CENTRAL)


def test_an_order_that_is_no_order_is_refused() -> None:
    root, leaf = Node("root", None, "", ""), Node("leaf", "root", "Q", "")
    inner, other = Node("inner", "leaf", "Q", ""), Node("other", "root", "Q", "")
    with pytest.raises(ValueError, match="contiguous siblings"):
        bands((leaf, inner, other, root))
