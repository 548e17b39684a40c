"""Fits, errors, information, profiles and left-out studies against the closed forms of a linear model."""

from __future__ import annotations

import numpy as np
import pytest
from linear_stage_model import linear_stage
from scipy import stats

from pkmodel.errors import RunError
from pkmodel.study.calibration.fit import (
    TAIL,
    fit_stage,
    found_of,
    information,
    leave_one_study_out,
    minimise,
    profile,
)
from pkmodel.study.calibration.stage import Stage, data_of, signed_root_deviance

MATRIX = np.array([[1.0, 0.5], [0.2, 1.0], [1.0, -1.0]])
OBSERVED = [2.0, 0.7, 3.0]
SIGMA, SPREAD = 0.3, 0.8


def posterior(matrix: np.ndarray, observed: list[float]) -> tuple[np.ndarray, np.ndarray]:
    """Mean and covariance of a normal linear model with a normal prior around nought."""
    precision = matrix.T @ matrix / SIGMA**2 + np.eye(matrix.shape[1]) / SPREAD**2
    return np.linalg.solve(precision, matrix.T @ np.log(observed) / SIGMA**2), np.linalg.inv(precision)


def test_most_probable_values_and_their_covariance() -> None:
    x, covariance, _ = minimise(linear_stage(MATRIX, OBSERVED, sigma=SIGMA, spread=SPREAD))
    mean, expected = posterior(MATRIX, OBSERVED)
    np.testing.assert_allclose(x, mean, rtol=1e-6)
    np.testing.assert_allclose(covariance, expected, rtol=1e-6)


def test_value_interval_and_standard_error_come_from_the_transformed_axis() -> None:
    stage = linear_stage(MATRIX, OBSERVED, sigma=SIGMA, spread=SPREAD)
    x, covariance, _ = minimise(stage)
    first = found_of(stage, x, covariance)[0]
    error = np.sqrt(covariance[0, 0])
    assert first.value == pytest.approx(np.exp(x[0]))
    assert first.interval == pytest.approx((np.exp(x[0] - TAIL * error), np.exp(x[0] + TAIL * error)))
    assert first.standard_error == pytest.approx(np.exp(x[0]) * error, rel=1e-6)
    assert first.narrowed == pytest.approx(error / SPREAD, rel=1e-6)
    assert first.moved == pytest.approx(x[0] / SPREAD, rel=1e-6)


def test_rank_and_condition_of_what_the_data_know() -> None:
    stage = linear_stage(MATRIX, OBSERVED, sigma=SIGMA, spread=SPREAD)
    rank, condition = information(stage, minimise(stage)[0])
    assert rank == 2
    assert condition == pytest.approx(np.linalg.cond(MATRIX.T @ MATRIX), rel=1e-5)
    twins = np.array([[1.0, 1.0], [2.0, 2.0]])
    stage = linear_stage(twins, [2.0, 4.0], sigma=SIGMA, spread=SPREAD)
    rank, condition = information(stage, minimise(stage)[0])
    assert rank == 1
    assert condition > 1e9


def test_a_parameter_that_no_datum_feels_is_flat_and_keeps_its_prior() -> None:
    matrix = np.array([[1.0, 0.0], [1.0, 0.0]])
    fit = fit_stage(linear_stage(matrix, [2.0, 2.2], sigma=SIGMA, spread=SPREAD))
    assert [each.free.name for each in fit.flat] == ["b"]
    assert [each.free.name for each in fit.parameters] == ["a"]
    assert fit.parameters[0].decided
    assert fit.rank == 1
    mean, _ = posterior(matrix[:, :1], [2.0, 2.2])
    assert fit.parameters[0].position == pytest.approx(mean[0], rel=1e-6)
    assert fit.known[-1].value == pytest.approx(np.exp(mean[0]), rel=1e-6)


def test_two_that_only_their_product_is_known_of_move_together_and_stay_undecided() -> None:
    fit = fit_stage(linear_stage(np.array([[1.0, 1.0]]), [4.0], sigma=0.05, spread=SPREAD))
    assert not fit.flat
    a, b = fit.parameters
    assert a.position == pytest.approx(b.position, rel=1e-5)
    assert a.value * b.value == pytest.approx(4.0, rel=0.02)
    assert not a.decided
    assert 0.7 < a.narrowed < 0.72  # one direction of two is known


def test_profile_is_the_parabola_of_a_linear_model() -> None:
    fit = fit_stage(linear_stage(MATRIX, OBSERVED, sigma=SIGMA, spread=SPREAD))
    found = profile(fit, "a")
    held = np.log(found.values)
    rest = MATRIX[:, 1]
    expected = []
    for value in held:
        target = np.log(OBSERVED) - MATRIX[:, 0] * value
        b = rest @ target / SIGMA**2 / (rest @ rest / SIGMA**2 + 1.0 / SPREAD**2)
        expected.append(np.sum((target - rest * b) ** 2) / SIGMA**2 + (b / SPREAD) ** 2)
    np.testing.assert_allclose(found.misfit, np.array(expected) - min(expected), atol=1e-6)
    assert found.sides == "both"
    flat = fit_stage(linear_stage(np.array([[1.0, 0.0]]), [1.5], sigma=SIGMA, spread=SPREAD))
    assert profile(flat, "b").sides == "none"


def test_a_left_out_study_is_predicted_with_its_own_error_and_the_parameters() -> None:
    stage = linear_stage(MATRIX, OBSERVED, sigma=SIGMA, spread=SPREAD)
    first = leave_one_study_out(stage, minimise(stage)[0])[0]
    mean, covariance = posterior(MATRIX[1:], OBSERVED[1:])
    centre, spread = MATRIX[0] @ mean, np.sqrt(SIGMA**2 + MATRIX[0] @ covariance @ MATRIX[0])
    assert first.study == "study0"
    assert first.predicted[0] == pytest.approx(np.exp(centre), rel=1e-5)
    assert first.low[0] == pytest.approx(np.exp(centre - TAIL * spread), rel=1e-5)
    assert first.high[0] == pytest.approx(np.exp(centre + TAIL * spread), rel=1e-5)
    assert first.covered[0] == (first.low[0] <= 2.0 <= first.high[0])


@pytest.mark.parametrize(("hits", "size", "share"), [(35, 50, 0.6), (0, 22, 0.03), (15, 15, 0.8), (5, 30, 5 / 30)])
def test_deviance_is_that_of_the_binomial_likelihood(hits: int, size: int, share: float) -> None:
    best = stats.binom.logpmf(hits, size, hits / size)
    expected = 2.0 * (best - stats.binom.logpmf(hits, size, share))
    found = float(signed_root_deviance(hits / size, np.asarray(share), size))
    assert found**2 == pytest.approx(expected, abs=1e-9)
    assert np.sign(found) == np.sign(share - hits / size)


def test_only_rows_of_role_fit_may_be_fitted() -> None:
    with pytest.raises(RunError, match="only 'fit' may be fitted"):
        data_of(["dox057"], sigma=0.2)
    with pytest.raises(RunError, match="no observation 'dox999'"):
        data_of(["dox999"], sigma=0.2)


def test_a_start_that_makes_no_subject_says_so() -> None:
    class Impossible(Stage):
        def at(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            return np.full(self.size, np.inf), np.zeros((self.size, x.size))

    stage = linear_stage(MATRIX, OBSERVED, sigma=SIGMA, spread=SPREAD)
    with pytest.raises(RunError, match="make no subject"):
        minimise(Impossible("none", "", stage.free, ()))
