"""Monotone interpolation against SciPy's."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.interpolate import PchipInterpolator

from pkmodel.laws import release
from pkmodel.laws.interpolation import PiecewiseCubic, monotone_slopes
from pkmodel.laws.release import law_from_parameters

RISE = st.one_of(st.just(0.0), st.floats(1e-9, 1.0))  # SciPy overflows on smaller ones


@given(data=st.lists(st.tuples(st.floats(0.01, 10.0), RISE), min_size=1, max_size=12))
@settings(max_examples=200, deadline=None)
def test_interpolation_agrees_with_scipy(data: list[tuple[float, float]]) -> None:
    times = np.concatenate(([0.0], np.cumsum([step for step, _ in data])))
    values = np.concatenate(([0.0], np.cumsum([rise for _, rise in data])))
    values = values / max(1.0, values[-1])
    law = law_from_parameters("tabulated", times=times, fractions=values)
    other = PchipInterpolator(times, values)
    u = np.linspace(0.0, times[-1], 101)
    np.testing.assert_allclose(
        monotone_slopes(times, values), other.derivative()(times), rtol=1e-9, atol=1e-12
    )
    np.testing.assert_allclose(release.cumulative(law, u), other(u), rtol=0, atol=1e-12)
    mean = other.antiderivative()(u[1:]) / u[1:]
    np.testing.assert_allclose(release.window_mean(law, u[1:], u[1:]), mean, rtol=0, atol=1e-12)


def test_a_slope_at_an_end_is_flat_where_three_points_would_let_it_fall() -> None:
    """Secants 2 and 10 on equal steps: three points give (3 2 - 10)/2 < 0 at the start."""
    slopes = monotone_slopes(np.array([0.0, 1.0, 2.0]), np.array([0.0, 2.0, 12.0]))
    np.testing.assert_allclose(slopes, [0.0, 10.0 / 3.0, 14.0], rtol=1e-14)  # harmonic mean; (3 10 - 2)/2


def test_a_curve_may_be_as_flat_as_numbers_are() -> None:
    slopes = monotone_slopes(np.array([0.0, 1.0, 2.0]), np.array([0.0, 1e-310, 1.0]))
    assert slopes[1] == pytest.approx(2e-310, rel=1e-6, abs=0.0)  # twice the smaller secant


def test_means_across_knots_of_unequal_steps() -> None:
    """On a straight line every mean is the value in the middle and every secant the slope, wherever the ends lie."""
    knots = np.array([0.0, 1.0, 1.5, 4.0, 4.1])
    curve = PiecewiseCubic(knots, 3.0 + 0.25 * knots)
    low = np.array([0.0, 0.2, 0.2, 0.2, 1.0, 1.2, 3.9, 0.5])
    high = np.array([4.1, 0.7, 1.0, 1.3, 4.0, 4.05, 4.1, 0.5])
    np.testing.assert_allclose(curve.mean(low, high), 3.0 + 0.125 * (low + high), rtol=1e-14)
    np.testing.assert_allclose(curve.secant(low, high), 0.25, rtol=1e-13)
    # after the last knot the line is level
    assert curve.secant(np.array([2.1]), np.array([6.1]))[0] == pytest.approx(0.25 * 0.5, rel=1e-14)
