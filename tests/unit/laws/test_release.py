"""Release laws: closed forms against quadrature, limits, and the solver's clock at singular starts."""

from __future__ import annotations

import math
import subprocess
import sys
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate

from pkmodel.laws import release
from pkmodel.laws.release import law_from_parameters

TIMES, FRACTIONS = (0.5, 1.0, 3.0, 8.0, 9.0, 24.0), (0.02, 0.15, 0.4, 0.41, 0.6, 0.82)
LAWS = {
    "first_order": law_from_parameters("first_order", rate=0.3),
    "never": law_from_parameters("none"),
    "biexponential": law_from_parameters("biexponential", fast_share=0.3, fast_rate=4.0, slow_rate=0.02),
    "plateau": law_from_parameters("biexponential", fast_share=0.4, fast_rate=1.0, slow_rate=0.0),
    "weibull_singular": law_from_parameters("weibull", scale=10.0, shape=0.45),
    "weibull_smooth": law_from_parameters("weibull", scale=10.0, shape=1.7),
    "weibull_steep": law_from_parameters("weibull", scale=5.0, shape=12.0),
    "higuchi": law_from_parameters("higuchi", rate_constant=0.2),
    "peppas": law_from_parameters("korsmeyer_peppas", rate_constant=0.1, exponent=0.43),
    "peppas_late": law_from_parameters("korsmeyer_peppas", rate_constant=0.01, exponent=1.6),
    "tabulated": law_from_parameters("tabulated", times=TIMES, fractions=FRACTIONS),
}
SINGULAR = ("weibull_singular", "higuchi", "peppas")
every_law = pytest.mark.parametrize("name", LAWS)


def breakpoints(law: release.ReleaseLaw) -> list[float]:
    """Where a law is not smooth: its start, its end, its knots."""
    points = [0.0, *getattr(law, "times", ())]
    done = float(release.completion_time(law))
    return [*points, done] if math.isfinite(done) else points


def quadrature(law: release.ReleaseLaw, low: float, high: float) -> float:
    """Integral of F between its breakpoints; the start by u = x^8, which makes every singular law smooth."""
    low = max(low, 0.0)
    points = [low, *sorted(p for p in breakpoints(law) if low < p < high), high]
    total = 0.0
    for a, b in pairwise(points):

        def integrand(x: float, a: float = a) -> float:
            return float(release.cumulative(law, a + x**8)) * 8.0 * x**7

        total += integrate.quad(integrand, 0.0, (b - a) ** 0.125, epsabs=0.0, epsrel=1e-13, limit=200)[0]
    return total


@every_law
@pytest.mark.parametrize("window", [0.01, 0.25, 3.0, 7.0, 40.0, 1e4])
@pytest.mark.parametrize("end", [0.003, 0.25, 3.0, 7.0, 60.0])
def test_window_mean_is_the_integral(name: str, end: float, window: float) -> None:
    law = LAWS[name]
    expected = quadrature(law, end - window, end) / window
    assert release.window_mean(law, end, window) == pytest.approx(expected, rel=3e-12, abs=0.0)


@every_law
def test_window_rate_is_the_difference(name: str) -> None:
    law = LAWS[name]
    end, window = np.meshgrid([0.2, 1.0, 7.0, 26.0], [0.25, 2.0, 9.0, 400.0])
    difference = release.cumulative(law, end) - release.cumulative(law, end - window)
    # both sides carry the rounding of F, which is at most 1
    np.testing.assert_allclose(release.window_rate(law, end, window) * window, difference, rtol=0, atol=1e-15)


@every_law
def test_narrow_windows_tend_to_the_law_itself(name: str) -> None:
    law = LAWS[name]
    end = np.array([0.01, 0.7, 2.0, 7.3, 30.0])
    fraction, density = release.cumulative(law, end), release.density(law, end)
    for window in (0.0, 1e-300, 1e-20, 1e-13, 1e-10):
        close = {"rtol": 1e-15 + 600.0 * window, "atol": 0.0}
        np.testing.assert_allclose(release.window_mean(law, end, window), fraction, **close)
        np.testing.assert_allclose(release.window_rate(law, end, window), density, **close)


def test_window_mean_keeps_its_digits_when_little_is_released() -> None:
    """Reference values from 50-digit arithmetic: forms that cancel lose all digits here."""
    cases = [
        ("first_order", {"rate": 1e-6}, 1e-3, 2.5e-4, 8.749999996145833e-10),
        ("first_order", {"rate": 1e6}, 1e-9, 0.25, 1.9993334999666726e-12),
        ("weibull", {"scale": 1e4, "shape": 0.5}, 1e-6, 0.25, 2.666656666693333e-11),
        ("weibull", {"scale": 1e4, "shape": 12.0}, 10.0, 9.0, 8.547008547007692e-38),
        ("korsmeyer_peppas", {"rate_constant": 1e-4, "exponent": 0.3}, 1e3, 1e-9, 7.943282347241624e-4),
    ]
    for kind, parameters, end, window, expected in cases:
        law = law_from_parameters(kind, **parameters)
        assert release.window_mean(law, end, window) == pytest.approx(expected, rel=2e-14, abs=0.0), kind


@given(
    kind=st.sampled_from(["biexponential", "weibull", "korsmeyer_peppas", "tabulated"]),
    share=st.floats(0.0, 1.0),
    logs=st.tuples(st.floats(-6.0, 6.0), st.floats(-6.0, 6.0)),
    exponent=st.floats(0.05, 5.0),
    u=st.lists(st.floats(-10.0, 1e5), min_size=2, max_size=30),
    window=st.one_of(st.just(0.0), st.floats(1e-9, 1e5)),
)
@settings(max_examples=400, deadline=None)
def test_every_law_rises_from_0_to_1_at_most(kind, share, logs, exponent, u, window) -> None:  # type: ignore[no-untyped-def]
    first, second = 10.0 ** logs[0], 10.0 ** logs[1]
    parameters = {
        "biexponential": {"fast_share": share, "fast_rate": first, "slow_rate": second},
        "weibull": {"scale": first, "shape": exponent},
        "korsmeyer_peppas": {"rate_constant": first, "exponent": exponent},
        "tabulated": {"times": [first / 2.0, (first + second) / 2.0], "fractions": [share / 2.0, share]},
    }
    law = law_from_parameters(kind, **parameters[kind])
    times = np.sort(u)
    for values in (release.cumulative(law, times), release.window_mean(law, times, window)):
        assert np.all((values >= 0.0) & (values <= 1.0))
        assert np.all(np.diff(values) >= -4e-15)
        assert np.all(values[times <= 0.0] == 0.0)
    rates = release.window_rate(law, times, window)
    assert np.all(rates >= 0.0)
    assert np.all(rates[times < 0.0] == 0.0)


@every_law
def test_nothing_but_numbers_for_extreme_arguments(name: str) -> None:
    law = LAWS[name]
    u = np.array([-np.inf, -1.0, -0.0, 0.0, 5e-324, 1e-200, 1.0, 1e9, 1e300, np.inf])
    with np.errstate(divide="raise", over="raise", invalid="raise"):
        for values in (release.cumulative(law, u), release.density(law, u[u != 0.0])):
            assert not np.any(np.isnan(values))
        end, window = np.meshgrid(u[np.isfinite(u)], [0.0, 1e-300, 1e-9, 1.0, 1e9])
        assert np.all(release.window_mean(law, end, window) <= 1.0)
        assert not np.any(np.isnan(release.window_rate(law, end, window)))


@pytest.mark.parametrize("rate", [1e-6, 1.0, 1e6])
def test_first_order_over_twelve_decades(rate: float) -> None:
    law = law_from_parameters("first_order", rate=rate)
    u = np.geomspace(1e-9, 1e9, 37)
    np.testing.assert_allclose(release.cumulative(law, u), -np.expm1(-rate * u), rtol=1e-15)
    expected = [1.0 - (1.0 - math.exp(-rate * x)) / (rate * x) for x in u if rate * x > 0.1]
    np.testing.assert_allclose(release.window_mean(law, u, u)[rate * u > 0.1], expected, rtol=3e-14)
    np.testing.assert_allclose(
        release.window_mean(law, 1e-3 / rate, 1e-3 / rate), 4.99833374991668e-4, rtol=1e-15
    )


@every_law
@pytest.mark.parametrize("window", [0.0, 0.25])
@pytest.mark.parametrize("offset", [0.0, 0.25, 2.0])
def test_clock_rate_integrates_to_what_is_released(name: str, offset: float, window: float) -> None:
    """The rate along the clock against the closed form, from a start at which the law may be singular."""
    law, length = LAWS[name], 6.0
    power = float(np.max(release.clock_power(law)))
    inner = [*breakpoints(law), *(p + window for p in breakpoints(law))]
    cuts = sorted(
        {0.0, 1.0, *(((p - offset) / length) ** (1.0 / power) for p in inner if offset < p < offset + length)}
    )
    total = 0.0
    for a, b in pairwise(cuts):

        def rate(x: float, a: float = a) -> float:  # x^4 for the root-like rate at the end of an injection
            s = a + x**4
            return float(release.window_clock_rate(law, offset, length, power, s, window)) * 4.0 * x**3

        total += integrate.quad(rate, 0.0, (b - a) ** 0.25, epsabs=1e-14, epsrel=1e-12, limit=200)[0]
    before = release.window_mean(law, offset, window)
    assert total == pytest.approx(
        float(release.window_mean(law, offset + length, window) - before), rel=1e-10, abs=1e-14
    )


@every_law
def test_clock_rate_is_the_derivative(name: str) -> None:
    law = LAWS[name]
    s, step = np.array([0.2, 0.47, 0.8]), 1e-5
    for offset, length, power in [(0.0, 2.0, 1.0), (0.0, 2.0, 1.0 / 0.43), (0.7, 1.3, 2.0)]:
        high, low = (release.cumulative(law, offset + length * (s + d) ** power) for d in (step, -step))
        rate = release.clock_rate(law, offset, length, power, s)
        np.testing.assert_allclose(rate, (high - low) / (2.0 * step), rtol=2e-6, atol=1e-9)


@pytest.mark.parametrize("name", SINGULAR)
def test_singular_laws_start_at_a_finite_rate(name: str) -> None:
    law, length = LAWS[name], 3.0
    power = release.clock_power(law)
    assert np.isinf(release.density(law, 0.0))
    start = release.clock_rate(law, 0.0, length, power, 0.0)
    assert np.isfinite(start)
    assert start > 0.0
    s = np.array([1e-300, 1e-30, 1e-9])
    np.testing.assert_allclose(release.clock_rate(law, 0.0, length, power, s), start, rtol=1e-8)
    # the limit is the slope of F(T s^p) itself, to the last digits
    assert start == pytest.approx(float(release.cumulative(law, length * 1e-9**power)) / 1e-9, rel=1e-8)
    assert np.isinf(release.clock_rate(law, 0.0, length, 1.0, 0.0))
    assert release.clock_rate(law, 0.0, length, 2.0 * power, 0.0) == 0.0


def test_power_that_misses_its_inverse_by_rounding_is_finite_at_the_start() -> None:
    shape = np.linspace(0.05, 0.999, 2000)
    assert np.any((1.0 / shape) * shape < 1.0)
    for law in (
        law_from_parameters("weibull", scale=1.0, shape=shape),
        law_from_parameters("korsmeyer_peppas", rate_constant=0.1, exponent=shape),
    ):
        start = release.clock_rate(law, 0.0, 1.0, release.clock_power(law), 0.0)
        assert np.all(np.isfinite(start))
        assert np.all(start > 0.0)


@every_law
def test_segment_of_no_length_releases_nothing(name: str) -> None:
    s = np.array([0.0, 0.5, 1.0])
    for window in (0.0, 0.25):
        rate = release.window_clock_rate(LAWS[name], 0.0, 0.0, release.clock_power(LAWS[name]), s, window)
        assert np.all(rate == 0.0)


@every_law
def test_uniform_depot_is_bounded_at_both_ends_of_its_injection(name: str) -> None:
    law, window = LAWS[name], 0.25
    for offset in (0.0, window):
        rate = release.window_clock_rate(law, offset, 5.0, 1.0, np.linspace(0.0, 1.0, 11), window)
        assert np.all((rate >= 0.0) & (rate <= 5.0 / window))


def test_window_rate_just_after_a_long_injection_sees_the_advance() -> None:
    """(offset + x) - window would leave nothing of an advance x far below the rounding of the window."""
    law, power = LAWS["higuchi"], 2.0
    s, window, length = 1e-9, 48.0, 1.0
    released = float(release.cumulative(law, 48.0)) - 0.2 * s
    rate = release.window_clock_rate(law, window, length, power, s, window)
    assert rate == pytest.approx(released / window * power * s, rel=1e-15)


@pytest.mark.parametrize("name", ["higuchi", "peppas", "peppas_late", "tabulated"])
def test_release_that_ends_keeps_its_side_of_the_event(name: str) -> None:
    law = LAWS[name]
    end = TIMES[-1] if name == "tabulated" else float(release.completion_time(law))
    for late in (-1e-12, 0.0, 1e-12):
        last = release.clock_rate(law, 0.0, end * (1.0 + late), release.clock_power(law), 1.0)
        before = release.clock_rate(law, 0.0, end * (1.0 - 1e-7), release.clock_power(law), 1.0)
        assert last == pytest.approx(float(before), rel=1e-5, abs=1e-6)
        assert np.all(
            release.clock_rate(law, end * (1.0 + late), 5.0, 1.0, np.array([0.0, 1e-15, 0.5])) == 0.0
        )
    assert release.clock_rate(law, 0.0, 2.0 * end, 1.0, 0.9) == 0.0


def test_completion_time() -> None:
    law = law_from_parameters(
        "korsmeyer_peppas", rate_constant=[0.1, 0.0, 2.0, 1e-6], exponent=[0.5, 0.5, 1.0, 0.05]
    )
    done = release.completion_time(law)
    np.testing.assert_allclose(done[[0, 2, 3]], [100.0, 0.5, 1e120], rtol=1e-13)
    assert done[1] == np.inf
    assert np.all(release.cumulative(law, done)[[0, 2, 3]] == 1.0)
    assert release.completion_time(LAWS["weibull_singular"]) == np.inf


def test_clock_power() -> None:
    weibull = law_from_parameters("weibull", scale=1.0, shape=[0.5, 1.0, 2.0])
    np.testing.assert_array_equal(release.clock_power(weibull), [2.0, 1.0, 1.0])
    np.testing.assert_array_equal(release.clock_power(LAWS["higuchi"]), 2.0)
    np.testing.assert_array_equal(release.clock_power(LAWS["tabulated"]), 1.0)


def test_laws_that_are_special_cases_of_one_another() -> None:
    u, window = np.geomspace(1e-4, 1e3, 40), np.geomspace(1e2, 1e-3, 40)
    pairs = [
        (law_from_parameters("first_order", rate=0.2), law_from_parameters("weibull", scale=5.0, shape=1.0)),
        (LAWS["higuchi"], law_from_parameters("korsmeyer_peppas", rate_constant=0.2, exponent=0.5)),
        (
            law_from_parameters("korsmeyer_peppas", rate_constant=0.125, exponent=1.0),
            law_from_parameters("tabulated", times=[8.0], fractions=[1.0]),
        ),
    ]  # fmt: skip
    for one, other in pairs:
        np.testing.assert_allclose(release.cumulative(one, u), release.cumulative(other, u), rtol=1e-14)
        for function in (release.window_mean, release.window_rate):
            np.testing.assert_allclose(
                function(one, u, window), function(other, u, window), rtol=1e-13, atol=1e-300
            )


def test_lanes_broadcast_and_can_be_taken() -> None:
    rng = np.random.default_rng(5)
    shape, scale, end = rng.uniform(0.3, 2.0, 50), rng.lognormal(2.0, 1.0, 50), rng.uniform(0.0, 30.0, 50)
    window = np.where(np.arange(50) % 3 == 0, 0.0, rng.uniform(0.0, 2.0, 50))
    law = law_from_parameters("weibull", scale=scale, shape=shape)
    s = np.array([0.0, 0.3, 1.0])[:, None, None]
    power = release.clock_power(law)
    together = [
        release.window_mean(law, end, window),
        release.window_rate(law, end, window),
        release.window_clock_rate(law, 0.0, end, power, s, window),
    ]
    assert together[2].shape == (3, 1, 50)
    for i in (0, 1, 49):
        one = law.take([i])
        alone = [
            release.window_mean(one, end[i], window[i]),
            release.window_rate(one, end[i], window[i]),
            release.window_clock_rate(one, 0.0, end[i], power[i], s, window[i]),
        ]
        for all_lanes, lane in zip(together, alone, strict=True):
            np.testing.assert_allclose(all_lanes[..., [i]], lane, rtol=1e-13)
    scalar = LAWS["tabulated"].take(slice(0, 3))
    assert scalar.cumulative(2.0) == LAWS["tabulated"].cumulative(2.0)


def test_table_is_constant_after_its_last_knot() -> None:
    law = LAWS["tabulated"]
    np.testing.assert_array_equal(release.cumulative(law, [24.0, 25.0, 1e9]), 0.82)
    assert release.density(law, 24.5) == 0.0
    np.testing.assert_array_equal(law.times, (0.0, *TIMES))


def test_no_scipy_is_needed() -> None:
    code = (
        "import sys; from pkmodel.laws import release as r; "
        "law = r.law_from_parameters('weibull', scale=1.0, shape=0.5); "
        "r.window_mean(law, [0.0, 1.0, 9.0], 0.25); "
        "sys.exit('scipy' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
