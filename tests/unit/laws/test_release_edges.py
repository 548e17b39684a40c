"""Release laws where they begin, where they end, and at the ends of their legal ranges."""

from __future__ import annotations

import numpy as np
import pytest

from pkmodel.errors import ParameterError
from pkmodel.laws import release
from pkmodel.laws.release import LAW_PARAMETERS, law_from_parameters, legal_range

INF = np.inf


def test_rates_at_the_start() -> None:
    """u^b rises at once for b < 1, at its constant for b = 1 and not yet for b > 1."""
    weibull = law_from_parameters("weibull", scale=4.0, shape=[0.5, 1.0, 1.5, 2.0, 5.0])
    np.testing.assert_array_equal(release.density(weibull, 0.0), [INF, 0.25, 0.0, 0.0, 0.0])
    power = law_from_parameters("korsmeyer_peppas", rate_constant=0.3, exponent=[0.5, 1.0, 1.5, 2.0, 5.0])
    np.testing.assert_array_equal(release.density(power, 0.0), [INF, 0.3, 0.0, 0.0, 0.0])
    never = law_from_parameters("korsmeyer_peppas", rate_constant=0.0, exponent=[0.5, 1.0, 2.0])
    np.testing.assert_array_equal(release.density(never, 0.0), 0.0)
    mixture = law_from_parameters("biexponential", fast_share=0.3, fast_rate=4.0, slow_rate=0.5)
    assert release.density(mixture, 0.0) == pytest.approx(0.3 * 4.0 + 0.7 * 0.5, rel=1e-15)
    for law in (weibull, power, mixture):
        np.testing.assert_array_equal(release.density(law, -1e-9), 0.0)


def test_the_rate_at_the_end_is_that_after_it() -> None:
    law = law_from_parameters("korsmeyer_peppas", rate_constant=[0.5, 0.25], exponent=[1.0, 2.0])  # both end at 2 h
    np.testing.assert_array_equal(release.completion_time(law), 2.0)
    np.testing.assert_array_equal(release.density(law, 2.0), 0.0)
    np.testing.assert_allclose(release.density(law, 1.5), [0.5, 0.75], rtol=1e-14)
    np.testing.assert_array_equal(release.cumulative(law, 2.0), 1.0)


def test_a_very_shallow_law_is_followed_to_its_end() -> None:
    law = law_from_parameters("weibull", scale=2.0, shape=0.05)
    u = 2.0 * np.array([1e9, 1e20, 1e40])
    z = np.array([10.0**0.45, 10.0, 100.0])
    np.testing.assert_allclose(release.cumulative(law, u), -np.expm1(-z), rtol=1e-13)
    np.testing.assert_allclose(release.density(law, u) * u, 0.05 * z * np.exp(-z), rtol=1e-12)


@pytest.mark.parametrize(
    "exponent, power", [(0.05, 20.0), (0.5, 2.0), (1.0, 1.0), (1.25, 1.6), (1.6, 1.25), (2.0, 1.0), (3.0, 1.0)]
)
def test_a_clock_that_makes_whole_powers(exponent: float, power: float) -> None:
    for law in (
        law_from_parameters("weibull", scale=1.0, shape=exponent),
        law_from_parameters("korsmeyer_peppas", rate_constant=0.1, exponent=exponent),
    ):
        assert release.clock_power(law) == pytest.approx(power, rel=1e-15)
        assert exponent * release.clock_power(law) == pytest.approx(round(exponent * power), abs=1e-14)


@pytest.mark.parametrize("length", [0.003, 0.4, 7.0])
def test_clock_rates_at_the_start_in_closed_form(length: float) -> None:
    """F(T s^p) starts like (T/scale)^b s^(b p): a constant rate for b p = 1, none at s = 0 above it."""
    shape = np.array([0.5, 0.8, 1.0, 1.5, 2.0])
    reach = (length / 4.0) ** shape
    law = law_from_parameters("weibull", scale=4.0, shape=shape)
    power = release.clock_power(law)
    first = np.where(shape <= 1.0, reach, 0.0)
    np.testing.assert_allclose(release.clock_rate(law, 0.0, length, power, 0.0), first, rtol=1e-13)
    s = 1e-12
    np.testing.assert_allclose(
        release.clock_rate(law, 0.0, length, power, s), reach * shape * power * s ** (shape * power - 1.0), rtol=1e-9
    )
    # u^n itself: k T^n s^(n p)
    law = law_from_parameters("korsmeyer_peppas", rate_constant=0.01, exponent=shape)
    k = 0.01 * length**shape
    found = release.clock_rate(law, 0.0, length, power, np.array([[0.0], [0.5]]))
    np.testing.assert_allclose(found[0], np.where(shape <= 1.0, k, 0.0), rtol=1e-13)
    np.testing.assert_allclose(found[1], k * shape * power * 0.5 ** (shape * power - 1.0), rtol=1e-13)


def test_a_table_releases_up_to_its_last_knot() -> None:
    """Secants 0.2, 0.2 and 0.6 on steps of 1 h: the last slope is (3 0.6 - 0.2)/2, and the end belongs to its piece."""
    law = law_from_parameters("tabulated", times=[1.0, 2.0, 3.0], fractions=[0.2, 0.4, 1.0])
    assert release.clock_rate(law, 0.0, 3.0, 1.0, 1.0) == pytest.approx(3.0 * 0.8, rel=1e-13)
    assert release.density(law, 3.0) == 0.0
    assert release.clock_rate(law, 3.0, 5.0, 1.0, 0.0) == 0.0
    for u in (0.4, 1.7, 2.2, 2.9):
        rise = release.cumulative(law, u + 1e-6) - release.cumulative(law, u - 1e-6)
        assert release.clock_rate(law, 0.0, 3.0, 2.0, np.sqrt(u / 3.0)) == pytest.approx(
            float(rise) / 2e-6 * 2.0 * 3.0 * np.sqrt(u / 3.0), rel=1e-8
        )


@pytest.mark.parametrize("end", [1.0, 0.7, 3.0])
def test_a_window_that_begins_a_whisker_after_the_release(end: float) -> None:
    window, n = end - 1e-10, 0.05
    start = end - window  # exact: two numbers so close have no rounding in their difference
    law = law_from_parameters("korsmeyer_peppas", rate_constant=0.5, exponent=n)
    rate = 0.5 * (end**n - start**n) / window
    assert release.window_rate(law, end, window) == pytest.approx(rate, rel=1e-14)
    mean = 0.5 * (end ** (n + 1.0) - start ** (n + 1.0)) / (n + 1.0) / window
    assert release.window_mean(law, end, window) == pytest.approx(mean, rel=1e-14)


def test_a_depot_with_lanes_injected_at_once_and_slowly() -> None:
    """Lanes without a window have the law's own rate, the others (F(end) - F(end - window))/window."""
    law, rate = law_from_parameters("first_order", rate=[0.4, 0.4, 0.4]), 0.4
    window, s, length = np.array([0.0, 2.0, 5.0]), np.array([[0.3], [0.9]]), 4.0
    t = length * s
    found = release.window_clock_rate(law, 0.0, length, 1.0, s, window)
    np.testing.assert_allclose(found[:, 0], length * rate * np.exp(-rate * t[:, 0]), rtol=1e-13)
    for lane in (1, 2):
        w = window[lane]
        before = -np.expm1(-rate * np.maximum(t[:, 0] - w, 0.0))
        expected = length * (-np.expm1(-rate * t[:, 0]) - before) / w
        np.testing.assert_allclose(found[:, lane], expected, rtol=1e-13)


def test_ranges_are_closed() -> None:
    for name in {name for names in LAW_PARAMETERS.values() for name in names} - {"times", "fractions"}:
        law = next(law for law, names in LAW_PARAMETERS.items() if name in names)
        others = {other: legal_range(other).high for other in LAW_PARAMETERS[law]}
        allowed = legal_range(name)
        for value in (allowed.low, allowed.high):
            law_from_parameters(law, **{**others, name: value})
        assert allowed.low < allowed.high
        for value in (np.nextafter(allowed.low, -INF), np.nextafter(allowed.high, INF)):
            with pytest.raises(ParameterError, match=f"{name} = .*outside the legal range"):
                law_from_parameters(law, **{**others, name: value})


def test_difference_factors_of_single_units_are_those_of_their_mean() -> None:
    units, test = [[10.0, 40.0], [30.0, 60.0]], [25.0, 55.0]  # means 20 and 50
    assert release.f1(units, test) == pytest.approx(100.0 * 10.0 / 70.0, rel=1e-14)
    assert release.f2(test, units) == pytest.approx(50.0 * np.log10(100.0 / np.sqrt(26.0)), rel=1e-14)
    assert release.f1([0.2, 0.3], [0.3, 0.4]) == pytest.approx(40.0, rel=1e-12)
    assert release.f1([50.0], [60.0]) == pytest.approx(20.0, rel=1e-14)
    for bad in (5.0, [], [[[1.0]]]):
        with pytest.raises(ParameterError, match="finite percentages"):
            release.f1(bad, [1.0])
