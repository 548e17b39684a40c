"""Sobol indices and elementary effects against closed forms and published values."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pkmodel.errors import ParameterError
from pkmodel.study.morris import effects_of, elementary_effects, morris_points
from pkmodel.study.sobol import sobol_indices, sobol_of, sobol_points

REFERENCE = json.loads((Path(__file__).parents[2] / "reference/data/sobol_indices.json").read_text(encoding="utf-8"))
Function = Callable[[np.ndarray], np.ndarray]


def ishigami(u: np.ndarray) -> np.ndarray:
    """Ishigami's function of three uniform numbers on [-pi, pi]."""
    x, known = np.pi * (2.0 * u - 1.0), REFERENCE["ishigami"]
    return np.sin(x[:, 0]) + known["A"] * np.sin(x[:, 1]) ** 2 + known["B"] * x[:, 2] ** 4 * np.sin(x[:, 0])


def g_function(a: list[float]) -> Function:
    """Sobol's product function with these coefficients."""
    return lambda u: np.prod((np.abs(4.0 * u - 2.0) + np.array(a)) / (1.0 + np.array(a)), axis=1)


def cases() -> dict[str, tuple[Function, int, np.ndarray, np.ndarray, float]]:
    """Function, number of inputs, first order, total order, variance."""
    ishi, g8, g6 = (REFERENCE[name] for name in ("ishigami", "g_function_8", "g_function_6"))
    found = {}
    for name, function, known, variance in (
        ("ishigami", ishigami, ishi["closed_form_recomputed"], ishi["closed_form_recomputed"]["variance"]),
        ("g_function_8", g_function(g8["a"]), g8["closed_form_recomputed"], g8["closed_form_recomputed"]["variance"]),
        ("g_function_6", g_function(g6["a"]), g6["third_party"], g6["third_party"]["total_variance"]),
    ):
        first, total = np.array(known["S1"]), np.array(known["ST"])
        found[name] = (function, first.size, first, total, variance)
    return found


def test_indices_of_functions_that_are_known() -> None:
    """The bars of acceptance/studies_sensitivity.py, there over 20 seeds."""
    errors, covered = [], []
    for function, d, first, total, variance in cases().values():
        found = sobol_of(function, d, n=8192, seed=0)
        assert found.variance == pytest.approx(variance, rel=5e-3)
        errors += [np.abs(found.first - first), np.abs(found.total - total)]
        covered += [(found.first_low <= first) & (first <= found.first_high)]
        covered += [(found.total_low <= total) & (total <= found.total_high)]
    assert np.median(np.concatenate(errors)) <= 5e-4
    assert np.concatenate(errors).max() <= 1e-2
    assert np.concatenate(covered).mean() >= 0.9


def test_what_the_literature_prints_agrees_with_the_closed_forms() -> None:
    _, _, first, total, _ = cases()["ishigami"]
    printed = REFERENCE["ishigami"]["third_party"]
    np.testing.assert_allclose(first, printed["S1"], atol=1e-4)
    np.testing.assert_allclose(total, printed["ST"], atol=1e-2)


@settings(max_examples=15)
@given(st.lists(st.floats(-5.0, 5.0), min_size=1, max_size=6))
def test_a_sum_shares_its_variance_by_the_squares(slopes: list[float]) -> None:
    """Closed form of a linear function of uniform numbers; first and total order are the same."""
    squares = np.square(slopes)
    found = sobol_of(lambda u: u @ np.array(slopes), len(slopes), n=1024, seed=1)
    if squares.sum() < 1e-6:
        return
    np.testing.assert_allclose(found.first, squares / squares.sum(), atol=0.03)
    np.testing.assert_allclose(found.total, squares / squares.sum(), atol=0.03)
    assert found.variance == pytest.approx(squares.sum() / 12.0, rel=0.1)


def test_nothing_varies_nothing_to_share() -> None:
    found = sobol_of(lambda u: np.full(len(u), 7.0), 3, n=16, seed=1)
    for values in (found.first, found.total, found.first_high, found.total_high):
        np.testing.assert_array_equal(values, 0.0)
    assert (found.mean, found.variance) == (7.0, 0.0)


def test_the_design_changes_one_input_at_a_time() -> None:
    n, d = 32, 4
    points = sobol_points(d, n=n, seed=3).reshape(d + 2, n, d)
    for j in range(d):
        differs = points[2 + j] != points[0]
        assert differs[:, j].all() and not np.delete(differs, j, axis=1).any()
        np.testing.assert_array_equal(points[2 + j, :, j], points[1, :, j])
    # every dimension of both halves is balanced: one point in each of n strata
    for half in points[:2]:
        assert all(np.array_equal(np.sort(np.floor(n * half[:, j])), np.arange(n)) for j in range(d))
    np.testing.assert_array_equal(points.reshape(-1, d), sobol_points(d, n=n, seed=3))
    assert not np.array_equal(points.reshape(-1, d), sobol_points(d, n=n, seed=4))


@pytest.mark.parametrize("n", [0, 1, 100, 2.0, True])
def test_a_design_needs_a_power_of_two(n: int) -> None:
    with pytest.raises(ParameterError, match="power of two"):
        sobol_points(2, n=n, seed=1)


def test_indices_refuse_values_that_are_missing() -> None:
    values = np.ones(4 * 16)
    values[3] = np.nan
    with pytest.raises(ParameterError, match="1 of 64 values are not finite"):
        sobol_indices(values, 2, seed=1)
    with pytest.raises(ParameterError, match="do not belong"):
        sobol_indices(np.ones(63), 2, seed=1)
    points = morris_points(2, trajectories=3, levels=4, seed=1)
    with pytest.raises(ParameterError, match="not finite"):
        elementary_effects(points, np.full(len(points), np.inf), seed=1)


@given(st.lists(st.floats(-5.0, 5.0), min_size=1, max_size=8), st.integers(0, 2**31), st.sampled_from([2, 4, 8]))
def test_elementary_effects_of_a_sum_are_its_slopes(slopes: list[float], seed: int, levels: int) -> None:
    found = effects_of(lambda u: u @ np.array(slopes) + 3.0, len(slopes), trajectories=4, levels=levels, seed=seed)
    np.testing.assert_allclose(found.mu, slopes, atol=1e-12)
    np.testing.assert_allclose(found.mu_star, np.abs(slopes), atol=1e-12)
    np.testing.assert_allclose(found.sigma, 0.0, atol=1e-12)
    np.testing.assert_allclose(found.mu_star_low, np.abs(slopes), atol=1e-12)


def test_elementary_effects_of_a_product() -> None:
    """d(x1 x2)/dx1 = x2, whose mean over the levels is 1/2 and whose spread is that of the levels."""
    levels = 4
    found = effects_of(lambda u: u[:, 0] * u[:, 1], 2, trajectories=4000, levels=levels, seed=1)
    spread = np.arange(levels) / (levels - 1)
    np.testing.assert_allclose(found.mu, 0.5, atol=0.03)
    np.testing.assert_allclose(found.sigma, spread.std(), atol=0.02)
    assert np.all((found.mu_star_low < found.mu_star) & (found.mu_star < found.mu_star_high))


def test_trajectories_stay_on_the_levels_and_move_one_input() -> None:
    levels, d = 6, 5
    points = morris_points(d, trajectories=50, levels=levels, seed=2)
    np.testing.assert_allclose(points * (levels - 1), np.round(points * (levels - 1)), atol=1e-12)
    assert points.min() == 0.0 and points.max() == 1.0
    moves = np.diff(points.reshape(50, d + 1, d), axis=1)
    assert np.all((moves != 0.0).sum(axis=2) == 1) and np.all((moves != 0.0).sum(axis=1) == 1)
    np.testing.assert_array_equal(points[: 10 * (d + 1)], morris_points(d, trajectories=10, levels=levels, seed=2))


@pytest.mark.parametrize("options", [{"trajectories": 1}, {"levels": 3}, {"levels": 0}, {"trajectories": 2.5}])
def test_a_screening_needs_trajectories_and_even_levels(options: dict) -> None:
    with pytest.raises(ParameterError, match=next(iter(options))):
        morris_points(2, **{"trajectories": 4, "levels": 4, "seed": 1, **options})
