"""Release laws by name: wrong parameters are refused in words that name the remedy; similarity factors."""

from __future__ import annotations

import math

import numpy as np
import pytest

from pkmodel.errors import ParameterError, UnknownNameError
from pkmodel.laws import release
from pkmodel.laws.release import law_from_parameters


@pytest.mark.parametrize(
    ("name", "parameters", "message"),
    [
        ("first_order", {}, "needs rate"),
        ("first_order", {"rate": math.nan}, "needs rate"),
        ("first_order", {"rate": -1.0}, r"rate = -1 1/h is outside the legal range \[0, 1e\+06\]"),
        ("first_order", {"rate": [1.0, math.nan]}, r"rate\[1\] = nan"),
        ("first_order", {"rate": math.inf}, "rate = inf"),
        ("first_order", {"rate": "fast"}, "rate must be numbers"),
        ("first_order", {"rate": True}, "rate must be numbers"),
        ("first_order", {"rate": 1.0, "shape": 1.0}, "has no parameter 'shape'"),
        ("weibull", {"scale": 0.0, "shape": 1.0}, r"scale = 0 h is outside the legal range \[1e-09"),
        ("weibull", {"scale": 1.0, "shape": 0.01}, "shape = 0.01"),
        ("biexponential", {"fast_share": 1.1, "fast_rate": 1.0, "slow_rate": 0.0}, "fast_share = 1.1"),
        ("biexponential", {"fast_share": [0.1, 0.2], "fast_rate": [1.0] * 3, "slow_rate": 0.0}, "differ"),
        ("tabulated", {"times": [1.0, 1.0], "fractions": [0.1, 0.2]}, "must increase strictly"),
        ("tabulated", {"times": [1.0, 2.0], "fractions": [0.2, 0.1]}, "decrease; 0.2 comes before 0.1"),
        ("tabulated", {"times": [0.0, 2.0], "fractions": [0.2, 0.3]}, "prompt_fraction"),
        ("tabulated", {"times": [1.0, 2.0], "fractions": [0.2]}, "equally long"),
        ("tabulated", {"times": [0.0], "fractions": [0.0]}, "at least one knot"),
        ("tabulated", {"times": [1.0], "fractions": [1.2]}, r"fractions\[0\] = 1.2"),
    ],
)  # fmt: skip
def test_wrong_parameters_are_refused(name: str, parameters: dict[str, object], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        law_from_parameters(name, **parameters)


def test_unknown_names_list_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'weibull'"):
        law_from_parameters("weibul", scale=1.0, shape=1.0)
    with pytest.raises(UnknownNameError, match="did you mean 'rate'"):
        law_from_parameters("first_order", rat=1.0)


def test_parameters_that_are_not_given_may_be_nan_none_or_empty() -> None:
    law = law_from_parameters(
        "higuchi", rate_constant=0.2, exponent=math.nan, scale=None, times=(), fractions=()
    )
    assert release.cumulative(law, 4.0) == pytest.approx(0.4)


def test_the_law_that_releases_nothing() -> None:
    law = law_from_parameters("none")
    np.testing.assert_array_equal(release.cumulative(law, [0.0, 1.0, 1e9]), 0.0)
    assert release.window_mean(law, 100.0, 1.0) == 0.0
    with pytest.raises(ParameterError, match=r"no parameter 'rate' \(it has none at all\)"):
        law_from_parameters("none", rate=1.0)
    with pytest.raises(ParameterError, match=r"no parameter 'rate' \(it has scale, shape\)"):
        law_from_parameters("weibull", scale=1.0, shape=1.0, rate=1.0)


def test_a_law_keeps_numbers_of_its_own() -> None:
    rate = np.array([0.1, 0.2])
    law = law_from_parameters("biexponential", fast_share=0.5, fast_rate=rate, slow_rate=0.0)
    before = release.cumulative(law, 3.0)
    rate[:] = 9.0
    np.testing.assert_array_equal(release.cumulative(law, 3.0), before)
    with pytest.raises(ValueError, match="read-only"):
        law.fast_rate[0] = 9.0


def test_similarity_factors() -> None:
    profile = np.array([20.0, 50.0, 80.0])
    assert release.f1(profile, profile) == 0.0
    assert release.f2(profile, profile) == 100.0
    assert release.f2(profile, profile + 10.0) == pytest.approx(50.0, abs=0.11)
    assert release.f1(profile, profile + 10.0) == pytest.approx(20.0)
    with pytest.raises(ParameterError, match="same times"):
        release.f2(profile, profile[:2])
    with pytest.raises(ParameterError, match="finite percentages"):
        release.f2(profile, [1.0, math.nan, 2.0])
    with pytest.raises(ParameterError, match="not above 0"):
        release.f1([0.0, 0.0], [1.0, 1.0])
