"""Errors, options and missing values of the non-compartmental analysis."""

from __future__ import annotations

import math

import numpy as np
import pytest

from pkmodel.errors import InputError, ParameterError, UnknownNameError
from pkmodel.exposure.nca import NAMES, NcaWarning, apply_blq, auc, aumc, c0, lambda_z, nca

T = [0.0, 1.0, 2.0, 4.0, 8.0, 12.0]
C = [0.0, 4.0, 3.0, 1.6, 0.4, 0.1]


@pytest.mark.parametrize(
    ("times", "conc", "message"),
    [
        ([0, 2, 1], [1, 1, 1], r"times_h\[2\] = 1 h does not come after 2 h"),
        ([0, 1, 1], [1, 1, 1], r"times_h\[2\] = 1 h does not come after 1 h"),
        ([], [], "times_h is empty"),
        ([0, math.nan, 2], [1, 1, 1], r"times_h\[1\] = nan h is not a finite time"),
        ([0, 1, math.inf], [1, 1, 1], r"times_h\[2\] = inf h"),
        ([0, 1], [1, 1, 1], "times_h has 2 values, concentration has 3"),
        ([0, 1, 2], [1, -1, 1], r"concentration\[1\] = -1; legal range \[0, inf\)"),
        ([0, 1, 2], [1, math.inf, 1], r"concentration\[1\] = inf"),
        ([0, 1, 2], ["1", "2", "3"], "concentration is not a list of numbers"),
        ([0, 1, 2], [1, None, 3], "concentration is not a list of numbers"),
        ([0, 1, 2], [True, False, True], "concentration is not a list of numbers"),
        ([[0, 1]], [[1, 1]], "times_h has 2 dimensions"),
        (3.0, 1.0, "times_h has 0 dimensions"),
    ],
)
def test_samples_that_are_not_legal(times: list[float], conc: list[float], message: str) -> None:
    for function in (auc, aumc, lambda_z, c0, nca, apply_blq):
        with pytest.raises(InputError, match=message):
            function(times, conc)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"method": "log"}, "method = 'log'; legal values: linear, lin-up/log-down"),
        ({"route": "oral"}, "route = 'oral'; legal values: extravascular, iv_bolus, iv_infusion"),
        ({"dose": 0.0}, r"dose = 0; legal range \(0, inf\)"),
        ({"dose": math.nan}, "dose = nan"),
        ({"route": "iv_infusion"}, "only 'iv_infusion' takes it, and needs it"),
        ({"duration_h": 1.0}, "only 'iv_infusion' takes it, and needs it"),
        ({"route": "iv_infusion", "duration_h": 0.0}, r"duration_h = 0 h; legal range \(0, inf\)"),
        ({"dose_time_h": 0.5}, r"times_h\[0\] = 0 h lies before dose_time_h = 0.5 h"),
        ({"dose_time_h": math.nan}, "dose_time_h = nan h is not a finite time"),
        ({"lloq": 0.0}, r"lloq = 0.0; legal range \(0, inf\)"),
        ({"blq_middle": "keep"}, "BLQ rule middle = 'keep'; legal values: zero, drop, half"),
        ({"blq_first": "half"}, "BLQ rule first = 'half': it needs lloq"),
        ({"blq_last": "half", "lloq": 1.0}, "it would move the last quantified sample"),
        ({"min_points": 2}, r"min_points = 2; legal range \[3, inf\)"),
        ({"r2_tolerance": -1.0}, r"r2_tolerance = -1; legal range \[0, 1\)"),
        ({"fit_times_h": [4.0, 5.0]}, "no positive sample at 5 h"),
        ({"fit_times_h": [0.0, 4.0]}, "no positive sample at 0 h"),
        ({"fit_times_h": [4.0]}, "at least 2 sample times"),
        ({"route": "iv_bolus", "c0_methods": ["cmin"]}, "c0 method = 'cmin'"),
    ],
)
def test_options_that_are_not_legal(options: dict[str, object], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        nca(T, C, **options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"upto": "end"}, "upto = 'end'; legal values: last, all, inf"),
        ({"upto": "inf"}, "only 'inf' takes a rate, and it needs one"),
        ({"lambda_z": 0.1}, "only 'inf' takes a rate, and it needs one"),
        ({"upto": "inf", "lambda_z": 0.1, "end_h": 4.0}, "an area to infinity takes no end"),
        ({"start_h": math.nan}, "start_h = nan h is not a finite time"),
        ({"start_h": 2.0, "end_h": 2.0}, "does not lie before"),
    ],
)
def test_areas_that_are_not_legal(options: dict[str, object], message: str) -> None:
    for function in (auc, aumc):
        with pytest.raises(ParameterError, match=message):
            function(T, C, **options)


def test_result_is_read_by_name() -> None:
    result = nca(T, C)
    assert tuple(result.values) == NAMES
    assert result["cmax"] == 4.0
    with pytest.raises(UnknownNameError, match="no metric 'auc_lst'; did you mean 'auc_last'"):
        result["auc_lst"]
    with pytest.raises(TypeError):
        result.values["cmax"] = 1.0  # type: ignore[index]


def test_every_missing_value_has_its_reason() -> None:
    result = nca(T, C)
    assert {name for name, value in result.values.items() if math.isnan(value)} == set(result.reasons)
    assert set(result.reasons) == {"c0", "cl", "vz", "vss"}
    assert result.reasons["cl"] == "no dose was given"
    assert "absorption" in result.reasons["vss"]
    assert nca(T, C, fit_times_h=[8.0, 12.0]).reasons["r2_adjusted"].startswith("fewer than 3 points")


def test_every_reason_in_the_data_warns_once() -> None:
    with pytest.warns(NcaWarning) as caught:
        nca([1.0, 2.0, 3.0], [2.0, 1.0, 0.5])
    messages = [str(warning.message) for warning in caught]
    assert len(messages) == len(set(messages)) == 2
    assert all(warning.filename == __file__ for warning in caught)


def test_nothing_above_quantification() -> None:
    with pytest.warns(NcaWarning, match="no concentration is above the limit of quantification"):
        result = nca(T, [0.0] * 6, dose=1.0)
    assert (result["cmax"], result["auc_last"], result["auc_all"]) == (0.0, 0.0, 0.0)
    for name in ("tmax", "tlast", "clast", "half_life", "auc_inf_obs", "cl"):
        assert result.reasons[name] == "no concentration is above the limit of quantification"


def test_blq_rules_by_place() -> None:
    t, c = [0, 1, 2, 3, 4, 5], [0.05, 2.0, 0.02, 1.0, 0.03, 0.0]
    zero = apply_blq(t, c, lloq=0.1)
    np.testing.assert_array_equal(zero.concentration, [0, 2, 0, 1, 0, 0])
    np.testing.assert_array_equal(zero.measured, [False, True, False, True, False, False])
    mixed = apply_blq(t, c, lloq=0.1, first="half", middle="drop", last="drop")
    np.testing.assert_array_equal(mixed.times_h, [0, 1, 3])
    np.testing.assert_allclose(mixed.concentration, [0.05, 2, 1])
    np.testing.assert_array_equal(apply_blq(t, c).concentration, c)
    np.testing.assert_array_equal(apply_blq(t, [0.1] * 6, lloq=0.1).measured, [True] * 6)


def test_imputed_samples_stay_out_of_fit_and_c0() -> None:
    t, c = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0], [0.01, 8.0, 4.0, 0.01, 1.0, 0.5]
    result = nca(t, c, route="iv_bolus", lloq=0.2, blq_first="half", blq_middle="half")
    assert result["half_life"] == pytest.approx(1.0)
    assert result["n_points"] == 3
    assert result["c0"] == pytest.approx(16.0)


def test_missing_samples_are_left_out() -> None:
    with_gap = nca([0, 1, 1.5, 2, 4, 8, 12], [0, 4, math.nan, 3, 1.6, 0.4, 0.1])
    assert dict(with_gap.values) == pytest.approx(dict(nca(T, C).values), nan_ok=True)


def test_part_of_an_area_is_interpolated_by_the_rule() -> None:
    t, c = [0.0, 2.0, 4.0], [4.0, 1.0, 0.0]
    assert auc(t, c, start_h=0.0, end_h=1.0) == pytest.approx((4.0 + 2.5) / 2.0)
    assert auc(t, c, method="lin-up/log-down", end_h=1.0) == pytest.approx((4.0 - 2.0) / math.log(2.0))
    assert auc(t, c, upto="all", start_h=3.0) == pytest.approx(0.25)
    assert auc(t, c, start_h=3.0) == 0.0
    assert auc(t, c, upto="inf", lambda_z=0.5, start_h=3.0) == pytest.approx(math.exp(-0.5) / 0.5)


def test_moment_of_an_exponential_is_exact_however_flat_it_is() -> None:
    t = np.array([1.0, 2.0, 4.0])
    nodes, weights = np.polynomial.legendre.leggauss(40)
    at = 2.5 + 1.5 * nodes
    for rate in (3.0, 0.1, 0.0499, 1e-3, 1e-6, 1e-9):
        exact = 1.5 * float(weights @ (at * np.exp(-rate * at)))
        found = aumc(t, np.exp(-rate * t), method="lin-up/log-down")
        assert found == pytest.approx(exact, rel=1e-11)


def test_infusion_counts_half_its_duration_and_fits_after_its_end() -> None:
    rate, stop = 0.4, 2.0
    t = np.arange(0.0, 20.25, 0.05)
    during = -np.expm1(-rate * np.minimum(t, stop)) * np.exp(-rate * np.maximum(t - stop, 0.0))
    dose = stop * rate * 3.0  # volume 3
    result = nca(t, during, dose=dose, route="iv_infusion", duration_h=stop, method="lin-up/log-down")
    assert result["lambda_z"] == pytest.approx(rate, rel=1e-9)
    assert result["mrt"] == pytest.approx(1.0 / rate, rel=1e-3)
    assert result["cl"] == pytest.approx(rate * 3.0, rel=1e-3)
    assert result["vss"] == pytest.approx(3.0, rel=1e-3)
    fit = lambda_z([0, 1, 2, 3, 4, 5], [9, 8, 4, 2, 1, 0.5], not_before_h=2.0)
    assert fit.n_points == 4


def test_c0_methods_in_their_order() -> None:
    assert c0([0, 1, 2], [5, 2, 1]) == 5.0
    assert c0([0, 1, 2], [0, 2, 1]) == pytest.approx(4.0)
    assert c0([0, 1, 2], [0, 1, 2]) == 1.0
    assert c0([0, 1, 2, 3], [0, 2, 0, 0.5]) == 2.0
    assert c0([2, 3, 4], [math.nan, 2, 1], dose_time_h=2.0) == pytest.approx(4.0)
    with pytest.warns(NcaWarning, match="cannot be had by any of: observed"):
        assert math.isnan(c0([0, 1], [0, 1], methods=["observed"]))
    with pytest.warns(NcaWarning, match="the dose at 9 h comes after the last sample at 1 h"):
        assert math.isnan(c0([0, 1], [0, 1], dose_time_h=9.0))


def test_times_count_from_the_dose() -> None:
    result = nca(np.array(T) + 24.0, C, dose_time_h=24.0, dose=3.0)
    assert dict(result.values) == pytest.approx(dict(nca(T, C, dose=3.0).values), nan_ok=True)
    assert result["tmax"] == 1.0
