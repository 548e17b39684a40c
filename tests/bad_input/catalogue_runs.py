"""Bad input to what computes: courses, comparisons, non-compartmental analysis, fits of arrays."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np
from cases import api

import pkmodel as pk
from pkmodel.errors import InputError, ParameterError, RegimenError, UnknownNameError
from pkmodel.exposure import nca as nca_room
from pkmodel.study.compare import compare as study_compare

DOX = "doxorubicin"
# The types of what is wrong on purpose are of no interest.
auc: Any = nca_room.auc
c0: Any = nca_room.c0
lambda_z: Any = nca_room.lambda_z
T = [0.0, 1.0, 2.0, 4.0, 8.0, 24.0]
C = [0.0, 5.0, 4.0, 2.0, 1.0, 0.2]


def course(values: dict[str, Any] | None = None, regimen: pk.Regimen | None = None, **options: Any) -> pk.Trajectory:
    """A course of one day, or what the options say, with some values changed."""
    scenario = pk.Scenario("hcc_reference", pk.hepatic_artery(DOX, 50) if regimen is None else regimen)
    scenario = scenario.with_values(values) if values else scenario
    return pk.simulate(scenario, **({"until_h": 24.0} | options))


@lru_cache
def followed() -> pk.Trajectory:
    """One course to ask."""
    return course()


def compared(**options: Any) -> object:
    """A comparison of one arm."""
    return study_compare(**({"drug": DOX, "arms": ["iv"]} | options))


COURSES = (
    api("horizon-missing", lambda: course(until_h=None), ParameterError, "until_h", "until_days"),
    api("horizon-twice", lambda: course(until_days=1), ParameterError, "until_h", "until_days", "one of them"),
    api("horizon-text", lambda: course(until_h="24 h"), ParameterError, "until_h = '24 h'", "number of h"),
    api("horizon-bool", lambda: course(until_h=True), ParameterError, "until_h = True"),
    api("horizon-nan", lambda: course(until_h=math.nan), ParameterError, "until_h = nan h", "(0, 1e+06] h"),
    api("horizon-inf", lambda: course(until_h=math.inf), ParameterError, "until_h = inf h", "(0, 1e+06] h"),
    api("horizon-negative", lambda: course(until_h=None, until_days=-1), ParameterError, "until_days = -1 d",
        "(0, 41666"),
    api("horizon-list", lambda: course(until_h=[24]), ParameterError, "until_h = [24]"),
    api("rtol-1", lambda: course(rtol=1), ParameterError, "rtol = 1", "[1e-10, 1e-2]"),
    api("rtol-nan", lambda: course(rtol=math.nan), ParameterError, "rtol = nan", "[1e-10, 1e-2]"),
    api("rtol-text", lambda: course(rtol="1e-5"), ParameterError, "rtol = '1e-5'", "[1e-10, 1e-2]"),
    api("no-scenario", lambda: pk.simulate("x", until_h=1), ParameterError, "scenario", "str"),
    api("times-empty", lambda: course(times_h=[]), ParameterError, "times_h", "at least one"),
    api("times-unsorted", lambda: course(times_h=[0, 2, 1]), ParameterError, "times_h[2] = 1 h", "after 2 h"),
    api("times-twice", lambda: course(times_h=[0, 1, 1]), ParameterError, "times_h[2] = 1 h", "must increase"),
    api("times-nan", lambda: course(times_h=[0, math.nan]), ParameterError, "times_h[1] = nan h", "[0, 24] h"),
    api("times-none", lambda: course(times_h=[0, None]), ParameterError, "times_h[1]", "None"),
    api("times-negative", lambda: course(times_h=[-1, 2]), ParameterError, "times_h[0] = -1 h", "[0, 24] h"),
    api("times-beyond", lambda: course(times_h=[0, 25]), ParameterError, "times_h[1] = 25 h", "[0, 24] h"),
    api("times-text", lambda: course(times_h=["1", "2"]), ParameterError, "times_h[0]", "'1' (str)", "numbers in h"),
    api("times-bool", lambda: course(times_h=[0, True]), ParameterError, "times_h[1]", "True (bool)"),
    api("times-complex", lambda: course(times_h=np.array([1j])), ParameterError, "times_h", "numbers in h"),
    api("times-masked", lambda: course(times_h=np.ma.masked_equal([0, 1], 1)), ParameterError, "times_h",
        "numbers in h"),
    api("times-objects", lambda: course(times_h=np.array([0, "x"], dtype=object)), ParameterError, "times_h",
        "numbers in h"),
    api("times-matrix", lambda: course(times_h=[[0, 1]]), ParameterError, "times_h", "(1, 2)"),
    api("times-ragged", lambda: course(times_h=[[0], [1, 2]]), ParameterError, "times_h", "rows of different length"),
    api("times-number", lambda: course(times_h=3.0), ParameterError, "times_h", "list"),
    api("session-after-the-horizon", lambda: course(regimen=pk.iv(DOX, 50, at_h=48)), RegimenError,
        "session 1 lasts until 48.25 h", "24 h", "until"),
    api("artery-without-flow", lambda: course({"patient.liver.flow": 0}), RegimenError, "arterial flow", "0 %", "1 %"),
    api("artery-without-share", lambda: course({"patient.liver.arterial_share": 0}), RegimenError, "arterial flow",
        "0 %"),
    api("liver-clears-more-than-all", lambda: course({"drug.cl_total": 10}), ParameterError,
        "drug.extraction 0.3478", "31.2 L/h", "drug.cl_total 10 L/h"),
    api("uptake-too-slow-for-the-extraction", lambda: course({"drug.liver.ps": 1}), ParameterError,
        "drug.extraction 0.3478", "47.8", "drug.liver.ps", "1.241 L/h"),
    api("no-parenchyma-with-extraction", lambda: course({"drug.reference.parenchyma_volume": 0}), ParameterError,
        "drug.extraction 0.3478", "drug.reference.parenchyma_volume", "0 L/h"),
    api("no-flow-with-extraction", lambda: course({"drug.reference.liver_flow": 0}), ParameterError,
        "drug.extraction 0.3478", "drug.reference.liver_flow", "mL/min"),
    api("impossible-lane", lambda: course({"drug.cl_total": [53, 10]}), ParameterError, "(index 1)",
        "drug.cl_total 10"),
    api("observable-unknown", lambda: followed().concentration_mg_per_l("plsma"), UnknownNameError, "'plsma'",
        "'plasma'"),
    api("drug-not-given", lambda: followed().exposure("cisplatin"), UnknownNameError, "'cisplatin'", DOX),
    api("region-unknown", lambda: followed().depot_mg("cor"), UnknownNameError, "'cor'", "'core'"),
    api("metric-unknown", lambda: followed().exposure()["plasma_cmx"], UnknownNameError, "'plasma_cmx'", "plasma_cmax"),
    # comparisons
    api("arms-text", lambda: compared(arms="iv"), ParameterError, "arms = 'iv'", "list of names"),
    api("arms-number", lambda: compared(arms=3), ParameterError, "arms = 3", "list of names"),
    api("arms-empty", lambda: compared(arms=[]), ParameterError, "arms is empty"),
    api("arms-twice", lambda: compared(arms=["iv", "iv"]), ParameterError, "'iv' 2 times"),
    api("arm-unknown", lambda: compared(arms=["emulson"]), UnknownNameError, "no arm 'emulson'", "'emulsion'"),
    api("settings-list", lambda: compared(settings=[("patient.bsa", 1)]), ParameterError, "settings", "mapping"),
    api("settings-number", lambda: compared(settings={3: 1}), UnknownNameError, "no path 3"),
    api("compare-rtol-text", lambda: compared(rtol="x"), ParameterError, "rtol = 'x'", "[1e-10, 1e-2]"),
    api("compare-rtol-nan", lambda: compared(rtol=math.nan), ParameterError, "rtol = nan", "[1e-10, 1e-2]"),
    api("compare-until-text", lambda: compared(until_days="28 d"), ParameterError, "until_days = '28 d'"),
    api("compare-no-drug", lambda: compared(drug={}), RegimenError, "one amount a drug"),
    api("compare-unknown-in-mixture", lambda: compared(drug={DOX: 50, "cisplatine": 5}), UnknownNameError,
        "'cisplatin'"),
    api("compare-population", lambda: compared(dose_mg=[40, 50]), ParameterError, "'iv'", "2 lanes"),
    api("compare-two-doses", lambda: compared(drug={DOX: 50}, dose_mg=40), ParameterError, "dose_mg"),
    api("compare-animal-without-dose", lambda: compared(patient="pig"), ParameterError, "dose_mg", DOX, "pig"),
)  # fmt: skip


def profile(times: Any = T, concentration: Any = C, **options: Any) -> object:
    """A non-compartmental analysis."""
    return pk.nca(times, concentration, **options)


PROFILES = (
    api("nca-empty", lambda: profile([], []), ParameterError, "times_h is empty"),
    api("nca-lengths", lambda: profile(T, C[:-1]), ParameterError, "times_h has 6", "concentration has 5"),
    api("nca-unsorted", lambda: profile([0, 2, 1, 4, 8, 24]), ParameterError, "times_h[2] = 1 h", "after 2 h"),
    api("nca-time-twice", lambda: profile([0, 1, 1, 4, 8, 24]), ParameterError, "times_h[2] = 1 h"),
    api("nca-nan-time", lambda: profile([0, 1, math.nan, 4, 8, 24]), ParameterError, "times_h[2] = nan h"),
    api("nca-negative", lambda: profile(T, [0, 5, -4, 2, 1, 0.2]), ParameterError, "concentration[2] = -4", "[0, inf)"),
    api("nca-inf", lambda: profile(T, [0, math.inf, 4, 2, 1, 0.2]), ParameterError, "concentration[1] = inf",
        "[0, inf)"),
    api("nca-text", lambda: profile("abc"), ParameterError, "times_h is not a list of numbers"),
    api("nca-none", lambda: profile(None), ParameterError, "times_h is not a list of numbers"),
    api("nca-complex", lambda: profile(T, [1j] * 6), ParameterError, "concentration", "complex128"),
    api("nca-ragged", lambda: profile([[0], [1, 2]]), ParameterError, "times_h", "rows differ in length"),
    api("nca-two-profiles", lambda: profile(T, [C, C]), ParameterError, "concentration has 2 dimensions"),
    api("nca-dose-0", lambda: profile(dose=0), ParameterError, "dose = 0", "(0, inf)"),
    api("nca-dose-text", lambda: profile(dose="50 mg"), ParameterError, "dose = '50 mg'", "not a number"),
    api("nca-dose-bool", lambda: profile(dose=True), ParameterError, "dose = True", "not a number"),
    api("nca-dose-list", lambda: profile(dose=[50]), ParameterError, "dose = [50]", "not a number"),
    api("nca-route", lambda: profile(route="oral"), ParameterError, "route = 'oral'", "extravascular"),
    api("nca-no-duration", lambda: profile(route="iv_infusion"), ParameterError, "duration_h = None", "iv_infusion"),
    api("nca-duration-text", lambda: profile(route="iv_infusion", duration_h="1"), ParameterError, "duration_h = '1'"),
    api("nca-duration-minus", lambda: profile(route="iv_infusion", duration_h=-1), ParameterError, "duration_h = -1 h"),
    api("nca-before-the-dose", lambda: profile(dose_time_h=1), ParameterError, "times_h[0] = 0 h", "dose_time_h = 1 h"),
    api("nca-dose-time-none", lambda: profile(dose_time_h=None), ParameterError, "dose_time_h = None"),
    api("nca-lloq-text", lambda: profile(lloq="x"), ParameterError, "lloq = 'x'"),
    api("nca-lloq-minus", lambda: profile(lloq=-1), ParameterError, "lloq = -1", "(0, inf)"),
    api("nca-blq-rule", lambda: profile(blq_first="keep"), ParameterError, "first", "'keep'", "zero, drop, half"),
    api("nca-two-points", lambda: profile(min_points=2), ParameterError, "min_points = 2", "[3, inf)"),
    api("nca-half-point", lambda: profile(min_points=3.5), ParameterError, "min_points = 3.5", "whole"),
    api("nca-inf-points", lambda: profile(min_points=math.inf), ParameterError, "min_points = inf", "whole"),
    api("nca-tolerance", lambda: profile(r2_tolerance="x"), ParameterError, "r2_tolerance = 'x'"),
    api("nca-chosen-text", lambda: profile(fit_times_h=["a"]), ParameterError, "fit_times_h", "'a'"),
    api("nca-chosen-missing", lambda: profile(fit_times_h=[4, 5]), ParameterError, "fit_times_h", "5 h"),
    api("nca-c0-text", lambda: profile(route="iv_bolus", c0_methods="first"), ParameterError, "'first'", "list"),
    api("nca-c0-unknown", lambda: profile(route="iv_bolus", c0_methods=["x"]), ParameterError, "'x'", "log_slope"),
    api("auc-window", lambda: auc(T, C, start_h=4, end_h=2), ParameterError, "start_h = 4 h", "end_h = 2 h"),
    api("auc-window-text", lambda: auc(T, C, start_h="4"), ParameterError, "start_h = '4'"),
    api("auc-rate-missing", lambda: auc(T, C, upto="inf"), ParameterError, "lambda_z = None", "'inf'"),
    api("auc-rate-text", lambda: auc(T, C, upto="inf", lambda_z="x"), ParameterError,
        "lambda_z = 'x'"),
    api("auc-clast-minus", lambda: auc(T, C, upto="inf", lambda_z=0.1, clast=-1), ParameterError, "clast = -1",
        "[0, inf)"),
    api("lambda-start-text", lambda: lambda_z(T, C, not_before_h="x"), ParameterError,
        "not_before_h = 'x'"),
    api("c0-time-text", lambda: c0(T, C, dose_time_h="x"), ParameterError, "dose_time_h = 'x'"),
)  # fmt: skip

X, Y = [1.0, 2.0, 4.0, 8.0], [0.1, 0.2, 0.35, 0.5]


def fit(times: Any = X, fractions: Any = Y, **options: Any) -> Any:
    """A fit of one law to arrays."""
    return pk.fit_release((times, fractions), **({"laws": ["first_order"]} | options))


FITS = (
    api("fit-number", lambda: pk.fit_release(3), ParameterError, "CSV file or a pair"),
    api("fit-lengths", lambda: fit(X, Y[:-1]), ParameterError, "(4,)", "(3,)"),
    api("fit-text", lambda: fit(["1", "2"], [0.1, 0.2]), ParameterError, "times[0]", "'1' (str)"),
    api("fit-bool", lambda: fit([1, 2], [False, True]), ParameterError, "fractions[0]", "False (bool)"),
    api("fit-complex", lambda: fit([1, 2], np.array([1j, 1])), ParameterError, "fractions"),
    api("fit-nan", lambda: fit([1, 2, math.nan], [0.1, 0.2, 0.3]), ParameterError, "row 2", "nan h", "[0, inf)"),
    api("fit-percent", lambda: fit(X, [10, 20, 35, 50]), ParameterError, "row 0", "1000 %", "[0, 115] %"),
    api("fit-unsorted", lambda: fit([1, 4, 2, 8]), ParameterError, "row 2", "2 h", "increase"),
    api("fit-law-text", lambda: fit(laws="weibull"), ParameterError, "laws = 'weibull'", "list of names"),
    api("fit-law-unknown", lambda: fit(laws=["weibul"]), UnknownNameError, "'weibul'", "'weibull'"),
    api("fit-no-law", lambda: fit(laws=[]), ParameterError, "no laws were asked for"),
    api("fit-too-short", lambda: fit([1.0], [0.1]), ParameterError, "first_order", "at least 2"),
    api("fit-not-fitted", lambda: fit()["weibull"], UnknownNameError, "'weibull'", "first_order"),
    api("fit-carrier-fields", lambda: fit().carrier("x"), ParameterError, "carrier needs", "prompt_fraction"),
    api("fit-carrier-base", lambda: fit().carrier("x", base="bead"), UnknownNameError, "no carrier 'bead'", "'beads'"),
    api("fit-carrier-number", lambda: fit().carrier("x", base=3), InputError, "carrier: expected a Carrier", "3"),
    api("fit-carrier-value", lambda: fit().carrier("x", base="beads", occlusion=3), ParameterError,
        "carrier.occlusion = 3", "[0, 1]"),
    api("fit-carrier-key", lambda: fit().carrier("x", base="beads", occluson=1), UnknownNameError, "'occluson'",
        "'occlusion'"),
)  # fmt: skip
