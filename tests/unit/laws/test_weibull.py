"""The Weibull mean and the gamma function behind it against SciPy's."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import special

from pkmodel.laws import release
from pkmodel.laws.release import law_from_parameters
from pkmodel.laws.weibull import gamma


@pytest.mark.parametrize("shape", [0.05, 0.3, 1.0, 1.6, 8.0, 20.0])
def test_weibull_mean_agrees_with_the_incomplete_gamma_function(shape: float) -> None:
    law = law_from_parameters("weibull", scale=2.0, shape=shape)
    z = np.array([0.5, 2.0, 10.0, 36.9, 37.1, 80.0, 400.0])
    u = 2.0 * z ** (1.0 / shape)
    expected = 1.0 - special.gamma(1.0 + 1.0 / shape) * special.gammainc(1.0 / shape, z) * 2.0 / u
    np.testing.assert_allclose(release.window_mean(law, u, u), expected, rtol=3e-13, atol=2e-15)


@pytest.mark.parametrize("shape", [0.05, 0.5, 1.0, 1.6, 8.0])
@pytest.mark.parametrize("low", [1e-6, 2.0**-7, 0.2, 0.6])
def test_weibull_mean_of_spans_that_begin_soon_after_the_release(shape: float, low: float) -> None:
    """A singular start just outside the span is no polynomial inside it."""
    law = law_from_parameters("weibull", scale=1.0, shape=shape)

    def integral(u: float) -> float:
        return u - special.gamma(1.0 + 1.0 / shape) * special.gammainc(1.0 / shape, u**shape)

    window = 1.0 - low
    expected = (integral(1.0) - integral(1.0 - window)) / window
    assert release.window_mean(law, 1.0, window) == pytest.approx(expected, rel=1e-12)


def test_gamma_function() -> None:
    x = np.linspace(1.0, 21.0, 401)
    np.testing.assert_allclose(gamma(x), special.gamma(x), rtol=3e-14)
