"""Growth, zones, kill, resorption, recruitment: 180 days against an independent Radau, and readings towards zero."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from independent import Independent

import pkmodel as pk
from pkmodel.errors import PlausibilityWarning
from pkmodel.inputs.regimen import Regimen

pytestmark = pytest.mark.filterwarnings("ignore::pkmodel.errors.PlausibilityWarning")

DAYS = 180.0
TIMES_H = 24.0 * np.array([3.0, 28.0, 42.0, 70.0, 126.0, 180.0])
GOMPERTZ: dict[str, Any] = {"tumour.growth": "gompertz", "tumour.growth_capacity": 1500.0}
FAST: dict[str, Any] = {"tumour.doubling_time": 60.0, "tumour.resorption_half_life": 30.0}
BLAND = "lipiodol+gelatin_sponge"


def scenario(regimen: Regimen, review_days: float | None = None, **patient: Any) -> pk.Scenario:
    """The reference patient with other values, by their paths."""
    person = pk.patient("hcc_reference").with_values(patient)
    return pk.Scenario(person, regimen, review_days=review_days)


def deviation(case: pk.Scenario, rtol: float = 1e-8) -> float:
    """Largest relative deviation of viable and dead volume from the independent integration."""
    course = pk.simulate(case, until_days=DAYS, times_h=TIMES_H)
    other = Independent(case).run(24.0 * DAYS, TIMES_H, rtol=rtol)
    viable = course.viable_volume_ml() / (1000.0 * other.viable.sum(axis=1)) - 1.0
    dead = course.necrotic_volume_ml() / (1000.0 * other.dead.sum(axis=1)) - 1.0
    zones = course.solution.sampled_viable[:, : TIMES_H.size, 0].T / other.viable - 1.0
    worst = float(np.abs(np.concatenate([viable, dead, zones.ravel()])).max())
    print(f"\ndeviation {worst:.1e}, {course.solution.steps[0]:.0f} steps")
    return worst


@pytest.mark.parametrize("growth", [{}, GOMPERTZ], ids=["exponential", "gompertz"])
@pytest.mark.parametrize("sessions", [1, 3])
@pytest.mark.parametrize("review", [None, 10.0], ids=["sessions", "reviews"])
def test_ischaemia_alone(growth: dict[str, Any], sessions: int, review: float | None) -> None:
    """No drug: occlusion is closed form, so that the check shares nothing with the solver."""
    regimen = pk.embolisation(BLAND).repeat(every_days=42, times=sessions)
    case = scenario(regimen, review, **{**FAST, **growth, "tumour.escape_intercept": -1.0})
    assert deviation(case) <= 1e-5


@pytest.mark.parametrize("growth", [{}, GOMPERTZ], ids=["exponential", "gompertz"])
def test_with_drug_kill(growth: dict[str, Any]) -> None:
    """Transport, flows and kill are solved by Radau as well, from MODEL's text."""
    regimen = pk.chemoembolisation("doxorubicin", 50, carrier="lipiodol_emulsion", embolic="gelatin_sponge")
    case = scenario(regimen.repeat(every_days=42, times=2), **FAST, **growth)
    case = case.with_values({"drug.kill.potency": 0.03, "drug.kill.hypoxia_factor": 0.5})
    assert deviation(case, rtol=1e-7) <= 1e-5


def test_with_a_saturable_drug() -> None:
    regimen = pk.hepatic_artery("fluorouracil", 750) + pk.embolisation(BLAND)
    assert deviation(scenario(regimen, **FAST), rtol=1e-7) <= 1e-5


@pytest.mark.parametrize("growth", [{}, GOMPERTZ], ids=["exponential", "gompertz"])
def test_an_untreated_tumour_in_closed_form(growth: dict[str, Any]) -> None:
    """Both laws, and a tumour that waits for its first session."""
    case = scenario(pk.embolisation("none", at_h=2400.0), **FAST, **growth)
    course = pk.simulate(case, until_days=DAYS, times_h=TIMES_H)
    start, doublings = case.patient.tumour.volume_ml, TIMES_H / 24.0 / 60.0
    expected = start * 2.0**doublings
    if growth:
        room = np.log(1500.0 / start)
        expected = 1500.0 * np.exp(-room * np.exp(-np.log(2.0) / room * doublings))
    np.testing.assert_allclose(course.viable_volume_ml(), expected, rtol=1e-7)
    assert course.necrotic_volume_ml().max() == 0.0


def test_readings_towards_zero_converge() -> None:
    """Readings ever more often after one emulsion session: first order in the interval, once that is short."""
    regimen = pk.chemoembolisation("doxorubicin", 50, carrier="lipiodol_emulsion", embolic="gelatin_sponge")
    intervals = (14.0, 7.0, 3.5, 1.75, 0.875, 0.4375, 0.21875, 0.109375)
    found = []
    for review in intervals:
        # a kill of which the shortest interval is a small part of the half-time
        slow = {"drug.kill.potency": 0.03, "patient.tumour.ischaemic_kill_rate": 1.1}
        case = scenario(regimen, review).with_values(slow)
        course = pk.simulate(case, until_days=14, times_h=[14.0 * 24.0], rtol=1e-6)
        exposure = course.exposure()
        assert course.balance_error <= 1e-9
        found.append(
            [
                course.viable_volume_ml()[0],
                exposure["tumour_auc_ug_h_per_g"],
                exposure["plasma_auc_ng_h_per_ml"],
            ]
        )
    values = np.array(found)
    steps = np.diff(values, axis=0) / values[-1]
    print("\nchange of viable volume, tumour AUC and plasma AUC at each halving of the interval:")
    for review, step in zip(intervals[1:], steps, strict=True):
        print(f"  {review:8.4f} d " + "".join(f"{100 * each:10.4f} %" for each in step))
    assert np.all(np.abs(steps[-1]) < 0.6 * np.abs(steps[-2]))
    assert np.all(np.abs(steps[-1]) < 0.01)


def test_no_tumour_is_harmless_and_growth_needs_room() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PlausibilityWarning)
        pig = pk.simulate(pk.Scenario("pig", pk.embolisation(BLAND)), until_days=28)
    assert pig.viable_volume_ml().max() == 0.0
    assert np.isnan(pig.necrosis_fraction()).all()
    with pytest.raises(pk.errors.ParameterError, match="growth_capacity"):
        scenario(pk.embolisation(BLAND), **{"tumour.growth": "gompertz", "tumour.growth_capacity": 100.0})
