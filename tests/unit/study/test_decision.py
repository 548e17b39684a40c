"""Decision maps and Pareto fronts: differences where they are known, borders, uncertain signs, dominance."""

from __future__ import annotations

import csv
import io
import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import pkmodel as pk
from pkmodel.errors import ParameterError, UnknownNameError
from pkmodel.study.arms import arm_scenarios
from pkmodel.study.decision import IMPOSSIBLE
from pkmodel.study.measures import measure
from pkmodel.study.pareto import non_dominated

NECROSIS, AUC = "necrosis_percent", "plasma_auc_inf_ng_h_per_ml"
DOSES, CLEARANCES = np.array([20.0, 40.0, 60.0, 80.0]), np.array([30.0, 40.0, 50.0])


@pytest.fixture(scope="module")
def simple() -> pk.Scenario:
    """An intravenous dose of a drug that liver and tumour leave alone: its plasma AUC is dose over clearance."""
    scenario = pk.Scenario("hcc_reference", pk.iv("doxorubicin", 50.0))
    nothing = ("drug.extraction", "drug.tumour.loss_extracellular", "drug.tumour.loss_cellular")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", pk.PlausibilityWarning)
        return scenario.with_values({**dict.fromkeys(nothing, 0.0), "patient.bsa": scenario.get("drug.reference.bsa")})


@pytest.fixture(scope="module")
def arms() -> dict[str, pk.Scenario]:
    """Ways to give doxorubicin."""
    names = ["emulsion_sponge", "hepatic_artery_bolus", "bland_embolisation", "iv"]
    return arm_scenarios("hcc_reference", drug="doxorubicin", arms=names)


@pytest.fixture(scope="module")
def simple_map(simple: pk.Scenario) -> pk.DecisionMap:
    """The same treatment twice."""
    x, y = ("session.dose", DOSES), ("drug.cl_total", CLEARANCES)
    return pk.decision_map({"one": simple, "other": simple}, AUC, arm="one", over="other", x=x, y=y, draws=2)


def test_an_axis_that_both_arms_have_moves_both(simple_map: pk.DecisionMap) -> None:
    """Dose and clearance are the same in both, so that there is no difference, and nobody wins."""
    np.testing.assert_allclose(simple_map.difference, 0.0, atol=1e-6)
    assert not simple_map.beats.any() and simple_map.uncertain.all()
    assert simple_map.difference.shape == (CLEARANCES.size, DOSES.size)
    assert (simple_map.x_unit, simple_map.y_unit, simple_map.unit) == ("mg", "L/h", "ng*h/mL")


def test_one_arm_alone_has_an_axis(arms: dict[str, pk.Scenario]) -> None:
    """The map's numbers are those of two runs; the arm without the path is the same along that axis."""
    x, y = ("embolic.occlusion", [0.05, 0.5, 0.95]), ("session.dose", ["10 mg", "50 mg"])
    found = pk.decision_map(
        arms, NECROSIS, arm="emulsion_sponge", over="hepatic_artery_bolus", x=x, y=y, draws=4, seed=5
    )
    for i, dose in enumerate(found.y):
        bolus = arms["hepatic_artery_bolus"].with_value("session.dose", dose)
        for j, occlusion in enumerate(found.x):
            sponge = arms["emulsion_sponge"].with_values({"session.dose": dose, "embolic.occlusion": occlusion})
            values = [measure([each], NECROSIS, until_h=672.0, rtol=1e-5)[0][0] for each in (sponge, bolus)]
            assert found.difference[i, j] == pytest.approx(values[0] - values[1], abs=2e-3)
            assert found.beats[i, j] == (values[0] > values[1])
    assert np.all((found.low_90 <= found.high_90) & (found.p_beats >= 0.0) & (found.p_beats <= 1.0))
    np.testing.assert_array_equal(found.uncertain, (found.low_90 <= 0.0) & (found.high_90 >= 0.0))
    assert not found.failures


def test_less_plasma_exposure_is_better(arms: dict[str, pk.Scenario]) -> None:
    """The sign of a difference is the measure's, the winner is the patient's; certain where nothing assumed matters."""
    x, y = ("carrier.prompt_fraction", [0.1, 0.5]), ("embolic.occlusion", [0.3, 0.9])
    asked = {"arm": "emulsion_sponge", "over": "iv", "x": x, "y": y, "draws": 4}
    found = pk.decision_map(arms, "plasma_cmax_ng_per_ml", **asked)
    assert np.all(found.difference < 0.0) and found.beats.all()
    assert np.all(found.p_beats[~found.uncertain] == 1.0)
    tumour = pk.decision_map(arms, "tumour_auc_ug_h_per_g", **asked)
    assert np.all(tumour.difference > 0.0) and tumour.beats.all()


def test_an_arm_of_which_nothing_is_drawn_or_moved(arms: dict[str, pk.Scenario]) -> None:
    """No drug, so nothing fitted: the same in every cell and draw, against an arm that is not."""
    x, y = ("drug.kill.potency", [0.1, 0.4]), ("drug.tumour.ps", [2.0, 8.0])
    asked = {"x": x, "y": y, "draws": 3, "kinds": ["fitted"]}
    found = pk.decision_map(arms, NECROSIS, arm="emulsion_sponge", over="bland_embolisation", **asked)
    alone, _ = measure([arms["bland_embolisation"]], NECROSIS, until_h=672.0, rtol=1e-5)
    other = pk.decision_map(arms, NECROSIS, arm="emulsion_sponge", over="hepatic_artery_bolus", **asked)
    bolus = arms["hepatic_artery_bolus"].with_values({x[0]: np.tile(x[1], 2), y[0]: np.repeat(y[1], 2)})
    values, _ = measure([bolus], NECROSIS, until_h=672.0, rtol=1e-5)
    np.testing.assert_allclose(found.difference + alone, other.difference + values.reshape(2, 2), atol=2e-3)


def test_the_contour_lies_between_cells_of_different_sign(arms: dict[str, pk.Scenario]) -> None:
    """A bland embolisation against a bolus: without a tumour to block it loses, with a deep one it wins."""
    x, y = ("embolic.gelatin_sponge.occlusion", [0.0, 0.3, 0.95]), ("embolic.lipiodol.occlusion", [0.0, 0.3, 0.95])
    found = pk.decision_map(arms, NECROSIS, arm="bland_embolisation", over="hepatic_artery_bolus", x=x, y=y, draws=2)
    assert found.difference[0, 0] < 0.0 < found.difference[-1, -1]
    lines = found.contour()
    assert lines
    for line in lines:
        assert line.shape[1] == 2
        assert np.all((line >= 0.0) & (line <= 0.95))
    table = list(csv.DictReader(io.StringIO(found.to_csv())))
    assert len(table) == 9 and {row["status"] for row in table} == {"ok"}
    assert [int(row["beats"]) for row in table] == found.beats.ravel().astype(int).tolist()


def test_impossible_cells_say_why(arms: dict[str, pk.Scenario]) -> None:
    """A clearance below that of the liver: the cell has no difference, the others have theirs."""
    x, y = ("drug.cl_total", [5.0, 53.0]), ("drug.tumour.ps", [1.0, 10.0])
    found = pk.decision_map(arms, NECROSIS, arm="emulsion_sponge", over="iv", x=x, y=y, draws=2)
    assert np.isnan(found.difference[:, 0]).all() and np.isfinite(found.difference[:, 1]).all()
    assert not found.beats[:, 0].any() and found.uncertain[:, 0].all()
    assert set(found.failures) == {(0, 0), (1, 0)}
    assert IMPOSSIBLE in found.failures[0, 0]
    assert "2 of 2 draws" in found.to_csv()


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"metric": "necrosis"}, UnknownNameError, "necrosis_percent"),
        ({"metric": "plasma_tmax_h"}, ParameterError, "neither better"),
        ({"arm": "sponge"}, UnknownNameError, "emulsion_sponge"),
        ({"over": "emulsion_sponge"}, ParameterError, "both 'emulsion_sponge'"),
        ({"x": ("embolic.oclusion", [0.1, 0.2])}, UnknownNameError, "embolic.occlusion"),
        ({"x": ("embolic.occlusion", [0.2, 0.1])}, ParameterError, "increasing"),
        ({"x": ("embolic.occlusion", [0.2])}, ParameterError, "at least two"),
        ({"x": ("embolic.occlusion", [0.2, 1.2])}, ParameterError, "legal range"),
        ({"x": ("carrier", ["beads"])}, ParameterError, "two numbers"),
        ({"x": "embolic.occlusion"}, ParameterError, "path, values"),
        ({"x": ("embolic.gelatin_sponge.occlusion", [0, 1]), "y": ("embolic.occlusion", [0, 1])}, ParameterError, "by"),
        ({"draws": 1}, ParameterError, "draws = 1"),
    ],
)  # fmt: skip
def test_mistakes_in_maps_are_named(
    arms: dict[str, pk.Scenario], options: dict, error: type[Exception], words: str
) -> None:
    asked = {"arm": "emulsion_sponge", "over": "iv", "draws": 2, **options}
    asked = {"x": ("embolic.occlusion", [0.1, 0.9]), "y": ("session.dose", [10, 50]), **asked}
    with pytest.raises(error, match=words):
        pk.decision_map(arms, asked.pop("metric", NECROSIS), **asked)


@given(arrays(float, st.tuples(st.integers(0, 12), st.integers(1, 3)), elements=st.integers(0, 4).map(float)))
def test_dominance_by_its_definition(values: np.ndarray) -> None:
    found = non_dominated(values)
    for i, own in enumerate(values):
        beaten = any(all(a >= b for a, b in zip(other, own, strict=True)) and any(other > own) for other in values)
        assert found[i] == (not beaten)
    assert found.any() == (len(values) > 0)


def test_more_dose_is_more_control_and_more_toxicity(arms: dict[str, pk.Scenario]) -> None:
    """Every dose of one treatment is on the front; control and toxicity rise along it."""
    found = pk.pareto({"sponge": arms["emulsion_sponge"]}, {"session.dose": [75, 25, 50]}, control="log10_kill")
    assert [point["settings"]["session.dose"] for point in found.front] == [25, 50, 75]
    assert np.all(np.diff([point["control"] for point in found.front]) > 0.0)
    assert np.all(np.diff([point["toxicity"] for point in found.front]) > 0.0)
    assert [float(each.get("session.dose")) for each in found.scenarios] == [25.0, 50.0, 75.0]
    assert (found.control_unit, found.toxicity_unit) == ("1", "ng*h/mL")


def test_a_front_over_arms_carriers_and_intervals(arms: dict[str, pk.Scenario]) -> None:
    """Choices that an arm does not have are left out there; nothing on the front is beaten; failures say why."""
    axes = {
        "session.dose": ["25 mg", "75 mg"],
        "carrier": ["lipiodol_emulsion", "lipiodol_suspension"],
        "embolic.occlusion": [0.3, 1.7],
        "regimen.every": [21, 42],
        "regimen.times": [2],
    }
    given = {name: arms[name] for name in ("emulsion_sponge", "iv")}
    found = pk.pareto(given, axes, toxicity="neutrophil_nadir_1e9_per_l")
    assert len(found.points) == 2 * 2 * 2 * 2 + 2 * 2
    iv = [point for point in found.points if point["arm"] == "iv"]
    assert all(set(point["settings"]) == {"session.dose", "regimen.every", "regimen.times"} for point in iv)
    illegal = [point for point in found.points if point["settings"].get("embolic.occlusion") == 1.7]
    assert len(illegal) == 8
    assert all("legal range" in point["status"] and point["control"] is None for point in illegal)
    fine = [point for point in found.points if point["status"] == "ok"]
    assert len(fine) == len(found.points) - 8
    pairs = np.array([[point["control"], point["toxicity"]] for point in fine])
    np.testing.assert_array_equal([point["on_front"] for point in fine], non_dominated(pairs))
    assert found.until_h == (42.0 + 28.0) * 24.0
    for point, scenario in zip(found.front, found.scenarios, strict=True):
        values, _ = measure([scenario], NECROSIS, until_h=found.until_h, rtol=1e-5)
        assert values[0] == pytest.approx(point["control"], rel=1e-3)
    table = list(csv.DictReader(io.StringIO(found.to_csv())))
    assert sum(int(row["on_front"]) for row in table) == len(found.front)


def test_what_cannot_be_given_is_a_point_with_its_reason(arms: dict[str, pk.Scenario]) -> None:
    """A setting without effect, and a session after the horizon: each stands alone, the others have their numbers."""
    found = pk.pareto({"iv": arms["iv"]}, {"regimen.every": [20], "regimen.times": [1, 2]})
    assert [point["status"] == "ok" for point in found.points] == [False, True]
    assert "no effect on a single session" in found.points[0]["status"]
    axes = {"session.at": ["0 d", "40 d", "1 d"]}
    late = pk.pareto(arms["iv"], axes, until_days=35.0, control="tumour_auc_ug_h_per_g")
    assert [point["status"] == "ok" for point in late.points] == [True, False, True]
    assert "after the end of follow-up" in late.points[1]["status"] and late.points[1]["control"] is None
    assert sum(point["on_front"] for point in late.points) == len(late.front) > 0


@pytest.mark.parametrize(
    ("axes", "options", "error", "words"),
    [
        ({}, {}, ParameterError, "mapping of path to values"),
        ({"session.dos": [1]}, {}, UnknownNameError, "session.dose"),
        ({"session.dose": 50}, {}, ParameterError, "list of values"),
        ({"session.dose": "50 mg"}, {}, ParameterError, "list of values"),
        ({"session.dose": []}, {}, ParameterError, "list of values"),
        ({"session.dose": [50]}, {"toxicity": "plasma_auc"}, UnknownNameError, "plasma_auc_ng_h_per_ml"),
        ({"session.dose": [50]}, {"control": "plasma_tmax_h"}, ParameterError, "neither better"),
    ],
)
def test_mistakes_in_fronts_are_named(
    arms: dict[str, pk.Scenario], axes: dict, options: dict, error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        pk.pareto(arms, axes, **options)
