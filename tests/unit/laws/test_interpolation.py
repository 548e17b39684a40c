"""Monotone interpolation against SciPy's."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.interpolate import PchipInterpolator

from pkmodel.laws import release
from pkmodel.laws.interpolation import monotone_slopes
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
