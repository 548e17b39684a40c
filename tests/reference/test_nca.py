"""Non-compartmental analysis against the numbers of PKNCA's tests and against areas recomputed here."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pkmodel.exposure.nca import NcaWarning, auc, aumc, c0, lambda_z, nca

DATA = Path(__file__).parent / "data"
METHOD = {"linear": "linear", "linear up, log down": "lin-up/log-down"}
EXPECTED_VALUES = 23
AREA_RTOL = 1e-9


def cases() -> dict[str, Any]:
    return json.loads((DATA / "nca_small_cases.json").read_text(encoding="utf-8"))


def read_profiles(name: str, *keys: str) -> dict[tuple[str, ...], tuple[np.ndarray, np.ndarray]]:
    """Times and concentrations of each subject, keyed by the given columns."""
    found: dict[tuple[str, ...], list[tuple[float, float]]] = {}
    with (DATA / name).open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            sample = float(row["time_h"]), float(row["conc_mg_per_L"])
            found.setdefault(tuple(row[key] for key in keys), []).append(sample)
    return {key: (np.array(rows)[:, 0], np.array(rows)[:, 1]) for key, rows in found.items()}


def half_life_values(case: dict[str, Any]) -> list[tuple[float, float, float]]:
    """(computed, expected, rtol) of one half-life case."""
    chosen = case["time"] if case.get("manual_all_points") else None
    fit = lambda_z(
        case["time"],
        case["conc"],
        tmax_in_fit=case.get("tmax_allowed_in_fit", False),
        fit_times_h=chosen,
    )
    expected = case.get("expected") or {"half_life": case["expected_half_life"]}
    return [(getattr(fit, name), value, case["rtol"]) for name, value in expected.items()]


def area_values(case: dict[str, Any]) -> list[tuple[float, float, float]]:
    """(computed, expected, rtol) of one AUC case."""
    found = []
    for upto in ("last", "all", "inf"):
        if f"auc_{upto}" in case:
            rate = case["lambda_z"] if upto == "inf" else None
            value = auc(case["time"], case["conc"], upto=upto, method=METHOD[case["method"]], lambda_z=rate)
            found.append((value, case[f"auc_{upto}"], AREA_RTOL))
    return found


def c0_values(case: dict[str, Any]) -> list[tuple[float, float, float]]:
    """(computed, expected, rtol) of one C0 case."""
    method = "log_slope" if case["method"].startswith("log slope") else "first"
    return [(c0(case["time"], case["conc"], methods=[method]), case["expected"], AREA_RTOL)]


VALUES: dict[str, Callable[[dict[str, Any]], list[tuple[float, float, float]]]] = {
    "half_life": half_life_values,
    "auc": area_values,
    "c0": c0_values,
}


def test_every_expected_value_of_the_small_cases() -> None:
    blocks = cases()
    checked = 0
    for block, values in VALUES.items():
        for number, case in enumerate(blocks[block]):
            for computed, expected, rtol in values(case):
                assert computed == pytest.approx(expected, rel=rtol, abs=0.0), (block, number)
                checked += 1
    assert checked == EXPECTED_VALUES


def test_nca_as_a_whole_gives_the_same_areas() -> None:
    for case in cases()["auc"]:
        with pytest.warns(NcaWarning):  # none of these short profiles has a terminal phase
            result = nca(case["time"], case["conc"], method=METHOD[case["method"]])
        for name in ("auc_last", "auc_all"):
            if name in case:
                assert result[name] == pytest.approx(case[name], rel=AREA_RTOL)


def test_too_few_points_for_a_half_life() -> None:
    with pytest.warns(
        NcaWarning, match=r"too few points for lambda_z: 2 positive after the maximum, 3 needed"
    ):
        fit = lambda_z([0, 1, 2], [1, 0.5, 0.25])
    assert math.isnan(fit.half_life)


def test_area_that_starts_before_the_first_sample() -> None:
    with pytest.warns(NcaWarning, match=r"starts at 0 h, before the first sample at 1 h"):
        assert math.isnan(auc([1, 2, 3], [1, 2, 1], start_h=0.0))
    with pytest.warns(NcaWarning, match=r"starts at 0 h, before the first sample at 1 h"):
        result = nca([1, 2, 3, 4, 5], [1, 4, 2, 1, 0.5])
    assert math.isnan(result["auc_last"])
    assert "before the first sample" in result.reasons["auc_inf_obs"]
    assert result["half_life"] == pytest.approx(1.0)


def test_unsorted_interval() -> None:
    with pytest.raises(ValueError, match=r"start_h = 2 h does not lie before end_h = 1 h"):
        auc([0, 1, 2], [1, 2, 1], start_h=2.0, end_h=1.0)


def test_all_concentrations_missing() -> None:
    missing = [math.nan] * 3
    with pytest.warns(NcaWarning, match="all concentrations are missing"):
        assert math.isnan(auc([0, 1, 2], missing))
    with pytest.warns(NcaWarning, match="all concentrations are missing"):
        assert math.isnan(c0([0, 1, 2], missing))
    with pytest.warns(NcaWarning, match="all concentrations are missing") as caught:
        result = nca([0, 1, 2], missing, dose=1.0, route="iv_bolus")
    assert len(caught) == 1
    assert all(math.isnan(value) for value in result.values.values())
    assert set(result.reasons.values()) == {"all concentrations are missing"}


def test_rising_points_picked_by_hand_are_flagged() -> None:
    fit = lambda_z([0, 1, 2], [1, 2, 4], fit_times_h=[0, 1, 2])
    assert fit.half_life == pytest.approx(-1.0)
    assert "do not fall" in fit.excluded
    with pytest.warns(NcaWarning, match="not positive"):
        result = nca([0, 1, 2], [1, 2, 4], fit_times_h=[0, 1, 2])
    assert result["half_life"] == pytest.approx(-1.0)
    assert "do not fall" in result.excluded["half_life"]
    assert math.isnan(result["auc_inf_obs"])


def test_theophylline_areas_are_plain_trapezoids() -> None:
    profiles = read_profiles("data_theoph.csv", "subject", "weight_kg", "dose_mg_per_kg")
    assert len(profiles) == 12
    for (_, weight, dose), (t, c) in profiles.items():
        result = nca(t, c, dose=float(weight) * float(dose))
        assert result["auc_last"] == pytest.approx(np.trapezoid(c, t), rel=1e-12)
        assert result["aumc_last"] == pytest.approx(np.trapezoid(c * t, t), rel=1e-12)
        assert (result["cmax"], result["tlast"]) == (c.max(), t[-1])
        slope, intercept = np.polyfit(t[-int(result["n_points"]) :], np.log(c[-int(result["n_points"]) :]), 1)
        assert result["lambda_z"] == pytest.approx(-slope, rel=1e-9)
        assert result["clast_pred"] == pytest.approx(math.exp(intercept + slope * t[-1]), rel=1e-9)
        assert result["auc_inf_obs"] == pytest.approx(np.trapezoid(c, t) - c[-1] / slope, rel=1e-9)
        assert 3.0 < result["half_life"] < 16.0
        assert 0.015 < result["cl"] / float(weight) < 0.08  # textbook: 0.04 L/h/kg
        assert 0.3 < result["vz"] / float(weight) < 0.7  # textbook: 0.5 L/kg


def test_theophylline_terminal_fit_is_the_best_of_all() -> None:
    for t, c in read_profiles("data_theoph.csv", "subject").values():
        start = int(np.argmax(c)) + 1
        adjusted = {}
        for n in range(3, t.size - start + 1):
            r2 = np.corrcoef(t[-n:], np.log(c[-n:]))[0, 1] ** 2
            adjusted[n] = 1.0 - (1.0 - r2) * (n - 1) / (n - 2)
        longest = max(n for n, value in adjusted.items() if value >= max(adjusted.values()) - 1e-4)
        fit = lambda_z(t, c)
        assert fit.n_points == longest
        assert fit.r2_adjusted == pytest.approx(adjusted[longest], rel=1e-9)


def test_indometacin_after_a_bolus() -> None:
    profiles = read_profiles("data_indometh.csv", "subject")
    assert len(profiles) == 6
    for t, c in profiles.values():
        result = nca(t, c, dose=25.0, route="iv_bolus")
        start = c[0] * (c[0] / c[1]) ** (t[0] / (t[1] - t[0]))
        assert result["c0"] == pytest.approx(start, rel=1e-12)
        whole_t, whole_c = np.append(0.0, t), np.append(start, c)
        assert result["auc_last"] == pytest.approx(np.trapezoid(whole_c, whole_t), rel=1e-12)
        total = np.trapezoid(whole_c, whole_t) + c[-1] / result["lambda_z"]
        assert result["cl"] == pytest.approx(25.0 / total, rel=1e-12)
        assert result["vss"] == pytest.approx(result["cl"] * result["mrt"], rel=1e-12)
        assert result["vss"] < result["vz"]


PROFILE = st.lists(st.floats(1e-3, 1e3), min_size=5, max_size=12).map(lambda x: np.array(sorted(x)[::-1]))
STEPS = st.lists(st.floats(1e-2, 10.0), min_size=12, max_size=12).map(lambda x: np.cumsum(x) - x[0])
FACTOR = st.floats(1e-3, 1e3)
ANY_METHOD = st.sampled_from(["linear", "lin-up/log-down"])


@given(PROFILE, STEPS, FACTOR, FACTOR, ANY_METHOD)
def test_areas_scale_with_the_units(
    c: np.ndarray, steps: np.ndarray, unit_c: float, unit_t: float, method: str
) -> None:
    t = steps[: c.size]
    area, moment = auc(t, c, method=method), aumc(t, c, method=method)
    assert auc(t * unit_t, c * unit_c, method=method) == pytest.approx(area * unit_c * unit_t, rel=1e-9)
    assert aumc(t * unit_t, c * unit_c, method=method) == pytest.approx(moment * unit_c * unit_t**2, rel=1e-9)


@given(PROFILE, STEPS, st.floats(0.05, 0.95))
def test_parts_of_an_area_add_up(c: np.ndarray, steps: np.ndarray, where: float) -> None:
    t = steps[: c.size]
    cut = where * float(t[-1])
    # t C(t) is no straight line, so the linear rule for AUMC is not additive at a cut between samples
    for area, method in ((auc, "linear"), (auc, "lin-up/log-down"), (aumc, "lin-up/log-down")):
        parts = area(t, c, method=method, end_h=cut) + area(t, c, method=method, start_h=cut)
        assert parts == pytest.approx(area(t, c, method=method), rel=1e-9)


@given(PROFILE, STEPS)
def test_logarithmic_area_never_exceeds_the_linear_one(c: np.ndarray, steps: np.ndarray) -> None:
    t = steps[: c.size]
    assert auc(t, c, method="lin-up/log-down") <= auc(t, c) * (1.0 + 1e-12)


@given(st.floats(0.01, 2.0), FACTOR, st.floats(0.1, 10.0), st.floats(0.2, 3.0))
def test_one_compartment_is_recovered_exactly(
    rate: float, start: float, volume: float, spacing: float
) -> None:
    t = spacing * np.arange(8.0)
    result = nca(
        t, start * np.exp(-rate * t), dose=start * volume, route="iv_bolus", method="lin-up/log-down"
    )
    assert result["lambda_z"] == pytest.approx(rate, rel=1e-6)
    assert result["cl"] == pytest.approx(rate * volume, rel=1e-6)
    for name in ("vz", "vss"):
        assert result[name] == pytest.approx(volume, rel=1e-6)
    assert result["mrt"] == pytest.approx(1.0 / rate, rel=1e-6)
    assert result["auc_inf_pred"] == pytest.approx(result["auc_inf_obs"], rel=1e-6)


@given(PROFILE, STEPS, st.floats(-50.0, 50.0))
def test_analysis_does_not_depend_on_the_clock(c: np.ndarray, steps: np.ndarray, shift: float) -> None:
    t = steps[: c.size]
    chosen = t[-3:]
    if c[-3] <= c[-1] * (1.0 + 1e-6):
        return
    here = nca(t, c, dose=1.0, route="iv_bolus", fit_times_h=chosen)
    moved = t + shift
    there = nca(moved, c, dose=1.0, route="iv_bolus", dose_time_h=moved[0], fit_times_h=moved[-3:])
    for name in ("auc_last", "lambda_z", "tmax", "tlast"):
        assert there[name] == pytest.approx(here[name], rel=1e-6, abs=1e-9)
