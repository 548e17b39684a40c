"""Sensitivity of the model: closed forms where there are some, the marginals of the uncertainty study, refusals."""

from __future__ import annotations

import csv
import io
import math
import warnings

import numpy as np
import pytest
from scipy import stats

import pkmodel as pk
from pkmodel.errors import ParameterError, RunError, UnknownNameError
from pkmodel.inputs import library
from pkmodel.model.columns import derived_clearances
from pkmodel.study import question
from pkmodel.study.arms import arm_scenarios
from pkmodel.study.factors import NO_GRADE, TIED, factors_of, grade_of
from pkmodel.study.measures import direction, measure, measures, units
from pkmodel.study.uncertainty import FARTHEST, drawn_paths, value_at

RATIO, NECROSIS = "tumour_plasma_auc_ratio", "necrosis_percent"
TWINS = ("embolic.occlusion", "embolic.gelatin_sponge.occlusion")
DOSE, CLEARANCE = (25.0, 75.0), (30.0, 60.0)


@pytest.fixture(scope="module")
def arms() -> dict[str, pk.Scenario]:
    """Two arms of doxorubicin."""
    return arm_scenarios("hcc_reference", drug="doxorubicin", arms=["emulsion_sponge", "iv", "bland_embolisation"])


@pytest.fixture(scope="module")
def simple() -> pk.Scenario:
    """An intravenous dose of a drug that liver and tumour leave alone: its plasma AUC is dose over clearance."""
    scenario = pk.Scenario("hcc_reference", pk.iv("doxorubicin", 50.0))
    nothing = ("drug.extraction", "drug.tumour.loss_extracellular", "drug.tumour.loss_cellular")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", pk.PlausibilityWarning)
        return scenario.with_values({**dict.fromkeys(nothing, 0.0), "patient.bsa": scenario.get("drug.reference.bsa")})


@pytest.fixture(scope="module")
def ranges() -> dict[str, tuple[float, float]]:
    """What enters that AUC, and something that does not."""
    return {"session.dose": DOSE, "drug.cl_total": CLEARANCE, "patient.tumour.hypoxia_time": (2.0, 24.0)}


def closed_form() -> dict[str, tuple[float, float]]:
    """First and total order of D / C for independent uniform D and C."""
    (d0, d1), (c0, c1) = DOSE, CLEARANCE
    mean_d, square_d = (d0 + d1) / 2.0, (d0**2 + d0 * d1 + d1**2) / 3.0
    mean_i, square_i = math.log(c1 / c0) / (c1 - c0), 1.0 / (c0 * c1)
    variance = square_d * square_i - (mean_d * mean_i) ** 2
    var_d, var_i = square_d - mean_d**2, square_i - mean_i**2
    return {
        "session.dose": (var_d * mean_i**2 / variance, var_d * square_i / variance),
        "drug.cl_total": (var_i * mean_d**2 / variance, var_i * square_d / variance),
    }


def test_sobol_of_a_dose_over_a_clearance(simple: pk.Scenario, ranges: dict[str, tuple[float, float]]) -> None:
    found = pk.sobol(simple, "plasma_auc_inf_ng_h_per_ml", ranges=ranges, n=512, seed=1)
    rows = {row["path"]: row for row in found.rows}
    for path, (first, total) in closed_form().items():
        assert rows[path]["s1"] == pytest.approx(first, abs=0.02), path
        assert rows[path]["st"] == pytest.approx(total, abs=0.02), path
        assert rows[path]["s1_low_95"] <= first <= rows[path]["s1_high_95"]
    assert rows["patient.tumour.hypoxia_time"]["st"] == pytest.approx(0.0, abs=1e-8)
    assert [row["path"] for row in found.rows] == ["session.dose", "drug.cl_total", "patient.tumour.hypoxia_time"]
    mean = 1000.0 * sum(DOSE) / 2.0 * math.log(CLEARANCE[1] / CLEARANCE[0]) / (CLEARANCE[1] - CLEARANCE[0])
    assert found.mean == pytest.approx(mean, rel=0.01)
    assert found.base == pytest.approx(1000.0 * 50.0 / simple.get("drug.cl_total"), rel=1e-4)
    assert (found.unit, found.runs, found.how) == ("ng*h/mL", 512 * 5, "value")


def test_tornado_of_a_dose_over_a_clearance(simple: pk.Scenario, ranges: dict[str, tuple[float, float]]) -> None:
    found = pk.tornado(simple, "plasma_auc_inf_ng_h_per_ml", ranges=ranges)
    rows, clearance = {row["path"]: row for row in found.rows}, simple.get("drug.cl_total")
    for key, dose in zip(("at_low", "at_high"), DOSE, strict=True):
        assert rows["session.dose"][key] == pytest.approx(1000.0 * dose / clearance, rel=1e-4)
    for key, own in zip(("at_low", "at_high"), CLEARANCE, strict=True):
        assert rows["drug.cl_total"][key] == pytest.approx(1000.0 * 50.0 / own, rel=1e-4)
    assert rows["drug.cl_total"]["swing"] == pytest.approx(1000.0 * 50.0 * (1 / 30.0 - 1 / 60.0), rel=1e-3)
    assert rows["patient.tumour.hypoxia_time"]["swing"] < 1e-6 * found.base


def test_morris_of_a_logarithm_is_linear_in_what_multiplies(simple: pk.Scenario) -> None:
    """The log ratio of two doses does not depend on the clearance."""
    twice = {"once": simple, "twice": simple.with_value("session.dose", 100.0)}
    found = pk.morris(
        twice, "plasma_auc_inf_ng_h_per_ml", arm="twice", over="once", ranges={"drug.cl_total": CLEARANCE},
        trajectories=4, seed=1,
    )  # fmt: skip
    assert found.base == pytest.approx(math.log(2.0), rel=1e-6)
    assert found.rows[0]["mu_star"] == pytest.approx(0.0, abs=1e-6)
    assert found.unit == "1"


def test_one_arm_that_always_beats_another(simple: pk.Scenario) -> None:
    """More drug is more plasma exposure, which is worse; and more in the tumour, which is better."""
    arms = {"once": simple, "twice": simple.with_value("session.dose", 100.0)}
    for metric, chance in (("plasma_auc_ng_h_per_ml", 0.0), ("tumour_auc_ug_h_per_g", 1.0)):
        asked = {"arm": "twice", "over": "once", "how": "beats", "ranges": {"drug.cl_total": CLEARANCE}}
        found = pk.sobol(arms, metric, n=8, **asked)
        assert found.mean == found.base == chance
        assert found.rows[0]["st"] == 0.0
        assert pk.tornado(arms, metric, draws=4, **asked).base == chance


def test_probability_of_beating_moves_with_its_input(simple: pk.Scenario) -> None:
    """Arms that differ in dose: which has more plasma exposure depends on the range of one dose alone."""
    arms = {"fixed": simple, "varied": simple.with_value("session.duration", 0.5)}
    ranges = {"session.duration": (0.2, 1.0), "drug.cl_total": CLEARANCE}
    found = pk.tornado(arms, "tumour_cmax_ug_per_g", arm="varied", over="fixed", how="beats", ranges=ranges, draws=4)
    assert 0.0 <= found.base <= 1.0
    assert all(0.0 <= row[key] <= 1.0 for row in found.rows for key in ("at_low", "at_high"))


def test_inputs_are_the_uncertain_parameters(arms: dict[str, pk.Scenario]) -> None:
    """Same paths and ranges as the uncertainty study, with kind, unit and grade."""
    pair = {name: arms[name] for name in ("emulsion_sponge", "iv")}
    factors = {each.path: each for each in factors_of(pair)}
    wanted = {path for scenario in pair.values() for path, _ in drawn_paths(scenario)}
    assert set(factors) == wanted
    origins = {row[0]: row[3] for row in pair["emulsion_sponge"].rows()}
    for path, bounds in drawn_paths(pair["emulsion_sponge"]):
        factor, origin = factors[path], origins[path]
        assert (factor.first.value, factor.first.low, factor.first.high) == bounds
        assert origin is not None and factor.kind == origin.kind and factor.grade == grade_of(origin)
        assert factor.unit == pair["emulsion_sponge"].spec(path).unit
    assert {"catheter.coverage", "carrier.lipiodol_emulsion.occlusion"} <= set(factors)
    assert "iv" not in factors["carrier.lipiodol_emulsion.occlusion"].arms
    only = factors_of(pair, kinds=["assumed"], fixed=["catheter.coverage"])
    assert {each.kind for each in only} == {"assumed"} and "catheter.coverage" not in {each.path for each in only}


def test_marginals_are_those_of_the_draws(arms: dict[str, pk.Scenario]) -> None:
    """A quantile is that of a normal deviate cut at two standard deviations, turned into a value by the same rule."""
    quantiles = np.linspace(0.02, 0.98, 7)
    normal = stats.truncnorm(-FARTHEST, FARTHEST)
    for factor in factors_of({"emulsion_sponge": arms["emulsion_sponge"]}):
        own = factor.first
        deviates = normal.ppf(own.below + (own.above - own.below) * quantiles)
        expected = [value_at(float(z), own.value, own.low, own.high) for z in deviates]
        np.testing.assert_allclose(own.at(quantiles), expected, rtol=1e-9, atol=1e-12, err_msg=factor.path)
        assert factor.left_out < 0.35, factor.path


@pytest.mark.parametrize("drug", library.names("drugs"))
def test_all_combinations_are_possible(drug: str) -> None:
    """Every corner of what can be impossible together, and every end of a legal range."""
    scenario = arm_scenarios("hcc_reference", drug=drug, arms=["emulsion_sponge"])["emulsion_sponge"]
    factors, record = factors_of({"arm": scenario}), scenario.regimen.drugs[0]
    corners = np.indices((2,) * len(TIED)).reshape(len(TIED), -1).astype(float)
    own = {each.path: each.first for each in factors}
    columns = {
        name: own[f"drug.{drug}.{name}"].at(corners[i]) for i, name in enumerate(TIED) if f"drug.{drug}.{name}" in own
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", pk.PlausibilityWarning)
        derived_clearances(record.with_values(columns), corners.shape[1])
        scenario.with_values({path: each.at(np.array([0.0, 1.0])) for path, each in own.items()})


def test_a_grade_is_that_of_the_best_row() -> None:
    assert grade_of(None) == NO_GRADE
    drug = pk.drug("doxorubicin")
    grades = {grade_of(origin) for _, _, _, origin in drug.rows()}
    assert "read" in grades and NO_GRADE in grades


def test_results_are_the_same_again_and_written_with_units(arms: dict[str, pk.Scenario]) -> None:
    asked = {"arm": "emulsion_sponge", "over": "iv", "trajectories": 2, "seed": 3, "kinds": ["fitted", "measured"]}
    one, other = (pk.morris(arms, RATIO, **asked) for _ in range(2))
    assert one.to_csv() == other.to_csv()
    table = list(csv.DictReader(io.StringIO(one.to_csv())))
    assert len(table) == len(one.rows) and {row["how"] for row in table} == {"log_ratio"}
    assert {row["kind"] for row in table} == {"fitted", "measured"}
    sizes = [row["mu_star"] for row in one.rows]
    assert sizes == sorted(sizes, reverse=True) and sizes[0] > 0.0
    assert all(row["mu_star_low_95"] <= row["mu_star"] <= row["mu_star_high_95"] for row in one.rows)


def test_measures_are_the_numbers_of_a_comparison() -> None:
    """One lane of `measure` says what `compare` says, and the log kill what is left of the untreated tumour."""
    arms = arm_scenarios("hcc_reference", drug="doxorubicin", arms=["emulsion_sponge"])
    row = pk.compare("hcc_reference", drug="doxorubicin", arms=["emulsion_sponge"]).row("emulsion_sponge")
    names = ("tumour_plasma_auc_ratio", "necrosis_percent", "neutrophil_nadir_1e9_per_l", "plasma_cmax_ng_per_ml")
    scenario = arms["emulsion_sponge"]
    for name, (values, reasons) in zip(
        names, measures([scenario], names, until_h=672.0, rtol=1e-5), strict=True
    ):
        assert values[0] == pytest.approx(row[name], rel=1e-4) and reasons[0] == ""
    kill, _ = measure([scenario], "log10_kill", until_h=672.0, rtol=1e-5)
    growth = 2.0 ** (28.0 / scenario.get("patient.tumour.doubling_time"))
    assert kill[0] == pytest.approx(math.log10(100.0 * growth / row["viable_left_percent"]), rel=1e-4)


def test_measures_know_their_direction() -> None:
    assert direction(NECROSIS) == 1.0 and direction("plasma_auc_ng_h_per_ml") == -1.0
    assert {"log10_kill", RATIO, NECROSIS, "neutrophil_nadir_1e9_per_l"} <= set(units())
    with pytest.raises(ParameterError, match="neither better nor worse"):
        direction("plasma_tmax_h")


def test_runs_that_failed_are_not_passed_over(simple: pk.Scenario, monkeypatch: pytest.MonkeyPatch) -> None:
    real = question.measure

    def failing(*arguments: object, **options: object) -> tuple[np.ndarray, np.ndarray]:
        values, reasons = real(*arguments, **options)  # type: ignore[arg-type]
        reasons[1] = "the smallest step was too large"
        return values, reasons

    monkeypatch.setattr(question, "measure", failing)
    with pytest.raises(RunError, match=r"1 of 3 runs .*the smallest step was too large") as error:
        pk.tornado(simple, "plasma_auc_ng_h_per_ml", ranges={"drug.cl_total": CLEARANCE})
    assert error.value.lanes == (1,)


def test_a_number_that_is_missing_is_an_error_with_its_reason(arms: dict[str, pk.Scenario]) -> None:
    ranges = {"patient.liver.flow": (900.0, 1400.0)}
    with pytest.raises(RunError, match="no drug given"):
        pk.tornado(arms, RATIO, arm="bland_embolisation", ranges=ranges)
    with pytest.raises(RunError, match="no logarithm"):
        pk.tornado(arms, "plasma_auc_ng_h_per_ml", arm="iv", over="bland_embolisation", ranges=ranges)


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"metric": "necrosis"}, UnknownNameError, "necrosis_percent"),
        ({"arm": "emulsion_spong"}, UnknownNameError, "emulsion_sponge"),
        ({"arm": None}, ParameterError, "which arm"),
        ({"over": "iv", "how": "ratio"}, UnknownNameError, "log_ratio"),
        ({"over": "iv", "how": "value"}, ParameterError, "takes no over"),
        ({"how": "beats"}, ParameterError, "another arm"),
        ({"over": "emulsion_sponge"}, ParameterError, "another arm"),
        ({"metric": "plasma_tmax_h", "over": "iv", "how": "beats"}, ParameterError, "neither better"),
        ({"ranges": {"patient.liver.flo": (1, 2)}}, UnknownNameError, "patient.liver.flow"),
        ({"ranges": {"catheter": (1, 2)}}, ParameterError, "not a number"),
        ({"ranges": {"patient.liver.flow": (2, 1)}}, ParameterError, "empty or endless"),
        ({"ranges": {"patient.liver.flow": 3}}, ParameterError, "pair"),
        ({"ranges": dict.fromkeys(TWINS, (0, 1))}, ParameterError, "one value by two paths"),
        ({"ranges": {"drug.cl_total": (20.0, 60.0), "drug.extraction": (0.1, 0.9)}}, ParameterError, "not independent"),
        ({"ranges": {}}, ParameterError, "no uncertain input"),
        ({"fixed": ["patient.liver.flo"]}, UnknownNameError, "patient.liver.flow"),
        ({"fixed": "patient.liver.flow"}, ParameterError, "lists"),
        ({"drug": "cisplatin"}, UnknownNameError, "doxorubicin"),
    ],
)  # fmt: skip
def test_mistakes_are_named(
    arms: dict[str, pk.Scenario], options: dict, error: type[Exception], words: str
) -> None:
    asked = {"metric": NECROSIS, "arm": "emulsion_sponge", "n": 2, **options}
    if "drug" in options:
        asked["metric"] = RATIO
    with pytest.raises(error, match=words):
        pk.sobol(arms, asked.pop("metric"), **asked)


def test_a_population_is_no_design(arms: dict[str, pk.Scenario]) -> None:
    cohort = pk.cohort(arms["iv"], n=3, seed=1)
    with pytest.raises(ParameterError, match="3 lanes"):
        pk.tornado(cohort, "plasma_auc_ng_h_per_ml")
