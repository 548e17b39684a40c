"""Metrics of exposure: what they mean, on courses with a known answer, and why they may be missing."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np
import pytest

import pkmodel as pk
from pkmodel.course import Trajectory, observed
from pkmodel.errors import UnknownNameError
from pkmodel.exposure.metrics import METRICS, NO_DRUG, NO_TUMOUR, NOT_FOLLOWED, NOT_RELEASED, evaluate
from pkmodel.inputs.regimen import Regimen
from pkmodel.model.graph import CENTRAL

# subjects without a tumour are implausible, on purpose
pytestmark = pytest.mark.filterwarnings("ignore::pkmodel.errors.PlausibilityWarning")

DOSE_MG = 50.0


@lru_cache
def course(kind: str, until_h: float = 672.0) -> Trajectory:
    """Cisplatin in the reference patient by one of four ways."""
    regimen = {
        "vein": lambda: pk.iv("cisplatin", DOSE_MG),
        "artery": lambda: pk.hepatic_artery("cisplatin", DOSE_MG),
        "beads": lambda: pk.chemoembolisation("cisplatin", DOSE_MG, carrier="beads"),
        "nothing": lambda: Regimen(()),
    }[kind]()
    return pk.simulate(
        pk.Scenario("hcc_reference", regimen), until_h=until_h, times_h=np.linspace(0, until_h, 2001)
    )


def area(time: np.ndarray, curve: np.ndarray) -> float:
    """Trapezoidal area."""
    return float(np.sum(0.5 * (curve[1:] + curve[:-1]) * np.diff(time)))


def test_every_metric_says_what_it_is() -> None:
    assert len(METRICS) >= 15
    for name, metric in METRICS.items():
        assert metric.name == name
        assert metric.unit
        assert metric.meaning
        assert metric.compute.__doc__
    codes = {
        METRICS[name].cdisc for name in ("plasma_cmax_ng_per_ml", "plasma_tmax_h", "plasma_auc_ng_h_per_ml")
    }
    assert codes == {"CMAX", "TMAX", "AUCINT"}
    assert METRICS["plasma_auc_inf_ng_h_per_ml"].cdisc == "AUCIFO"


def test_plasma_peak_and_area_are_those_of_the_curve() -> None:
    scenario = pk.Scenario("hcc_reference", pk.iv("cisplatin", DOSE_MG))
    times = np.linspace(0.0, 24.0, 4801)
    found = pk.simulate(scenario, until_h=24, times_h=times)
    plasma, metrics = found.concentration_mg_per_l(), found.exposure()
    assert metrics["plasma_cmax_ng_per_ml"] == pytest.approx(1000 * plasma.max(), rel=1e-5)
    assert metrics["plasma_tmax_h"] == pytest.approx(0.25, abs=1e-6)  # the end of the infusion
    assert metrics["plasma_auc_ng_h_per_ml"] == pytest.approx(1000 * area(times, plasma), rel=1e-4)


def test_tumour_peak_and_area_are_those_of_the_curve() -> None:
    scenario = pk.Scenario("hcc_reference", pk.hepatic_artery("cisplatin", DOSE_MG))
    times = np.linspace(0.0, 24.0, 4801)
    found = pk.simulate(scenario, until_h=24, times_h=times)
    tumour, metrics = found.concentration_mg_per_l("tumour"), found.exposure()
    assert metrics["tumour_cmax_ug_per_g"] == pytest.approx(tumour.max(), rel=1e-4)
    assert metrics["tumour_tmax_h"] == pytest.approx(times[tumour.argmax()], abs=0.01)
    assert metrics["tumour_auc_ug_h_per_g"] == pytest.approx(area(times, tumour), rel=1e-4)
    space = found.concentration_mg_per_l("tumour_extracellular")
    assert metrics["extracellular_auc_ug_h_per_ml"] == pytest.approx(area(times, space), rel=1e-4)
    served = found.concentration_mg_per_l("served_liver")
    assert metrics["served_liver_auc_ug_h_per_g"] == pytest.approx(area(times, served), rel=1e-4)


def test_homogenate_holds_the_depot() -> None:
    scenario = pk.Scenario("hcc_reference", pk.chemoembolisation("cisplatin", DOSE_MG, carrier="beads"))
    times = np.linspace(0.0, 24.0, 4801)
    found = pk.simulate(scenario, until_h=24, times_h=times)
    homogenate, metrics = found.concentration_mg_per_l("tumour_homogenate"), found.exposure()
    assert metrics["homogenate_auc_ug_h_per_g"] == pytest.approx(area(times, homogenate), rel=1e-4)
    assert metrics["homogenate_auc_ug_h_per_g"] > 10 * metrics["tumour_auc_ug_h_per_g"]


def test_infinity_adds_the_rest() -> None:
    early, late = course("vein", 6.0).exposure(), course("vein").exposure()
    assert early["plasma_auc_ng_h_per_ml"] < late["plasma_auc_ng_h_per_ml"]
    assert early["plasma_auc_inf_ng_h_per_ml"] == pytest.approx(late["plasma_auc_inf_ng_h_per_ml"], rel=1e-9)
    assert early["tumour_auc_inf_ug_h_per_g"] == pytest.approx(late["tumour_auc_inf_ug_h_per_g"], rel=1e-9)


def test_clearance_is_dose_over_exposure() -> None:
    metrics = course("vein").exposure()
    found = 1000 * DOSE_MG / metrics["plasma_auc_inf_ng_h_per_ml"]
    assert metrics["clearance_l_per_h"] == pytest.approx(found, rel=1e-9)
    assert course("beads").exposure()["clearance_l_per_h"] == pytest.approx(
        found, rel=1e-9
    )  # nothing occluded


def test_ratio_and_shares() -> None:
    found = course("artery")
    metrics = found.exposure()
    ratio = 1000 * metrics["tumour_auc_ug_h_per_g"] / metrics["plasma_auc_ng_h_per_ml"]
    assert metrics["tumour_plasma_auc_ratio"] == pytest.approx(ratio, rel=1e-12)
    share = 100.0 * found.solution.delivered[0, 0] / DOSE_MG
    assert metrics["delivered_share_percent"] == pytest.approx(share, rel=1e-12)
    assert 0.0 < share < 100.0
    assert course("vein").exposure()["delivered_share_percent"] == 0.0


def test_retained_share_is_what_is_there_after_a_day() -> None:
    patient = pk.patient("hcc_reference").with_value("tumour.doubling_time", np.inf)
    regimen = pk.chemoembolisation("cisplatin", DOSE_MG, carrier="beads", at_h=10.0)
    found = pk.simulate(pk.Scenario(patient, regimen), until_h=100, times_h=[34.0])
    there = found.concentration_mg_per_l("tumour_homogenate")[0] * float(patient.tumour.volume_ml) * 1e-3
    assert found.exposure()["retained_share_percent"] == pytest.approx(100 * there / DOSE_MG, rel=1e-9)


def test_not_followed_long_enough_is_said() -> None:
    metrics = course("artery", 12.0).exposure()
    assert np.isnan(metrics["retained_share_percent"])
    assert metrics.reasons["retained_share_percent"] == NOT_FOLLOWED


def test_no_drug_is_said() -> None:
    metrics = course("nothing").exposure()
    for name in (
        "plasma_tmax_h",
        "tumour_plasma_auc_ratio",
        "delivered_share_percent",
        "retained_share_percent",
    ):
        assert np.isnan(metrics[name])
        assert metrics.reasons[name] == NO_DRUG
    assert metrics["plasma_cmax_ng_per_ml"] == 0.0
    assert metrics["tumour_auc_ug_h_per_g"] == 0.0
    assert "no drug given" in str(metrics)


def test_no_tumour_is_said() -> None:
    patient = pk.patient("hcc_reference").with_value("tumour.diameter", np.array([0.0, 60.0]))
    found = pk.simulate(pk.Scenario(patient, pk.hepatic_artery("cisplatin", DOSE_MG)), until_h=48)
    metrics = found.exposure()
    for name in METRICS:
        if METRICS[name].name.startswith(("tumour", "homogenate", "extracellular", "delivered", "retained")):
            assert metrics.reasons[name][0] == NO_TUMOUR
            assert metrics.reasons[name][1] == ""
            assert np.isnan(metrics[name][0])
            assert np.isfinite(metrics[name][1])


def test_incomplete_release_is_said() -> None:
    metrics = course("beads", 24.0).exposure()
    assert metrics.reasons["plasma_auc_inf_ng_h_per_ml"] == NOT_RELEASED
    assert metrics.reasons["tumour_auc_inf_ug_h_per_g"] == NOT_RELEASED
    assert np.isnan(metrics["plasma_auc_inf_ng_h_per_ml"])
    assert np.isfinite(metrics["plasma_auc_ng_h_per_ml"])


def test_the_reason_of_a_failed_lane_comes_first() -> None:
    found = course("artery")
    broken = replace(found.solution, reasons=("non-finite values at the smallest step",))
    values, reasons = evaluate(observed(found.scenario, broken), ("plasma_cmax_ng_per_ml",))
    assert np.isnan(values["plasma_cmax_ng_per_ml"]).all()
    assert reasons["plasma_cmax_ng_per_ml"][0, 0].startswith("non-finite")


def test_every_missing_value_has_a_reason() -> None:
    for kind in ("vein", "artery", "beads", "nothing"):
        metrics = course(kind, 12.0).exposure()
        for name, value in metrics.items():
            assert np.isnan(value) == bool(metrics.reasons[name]), name


def test_an_unknown_metric_is_named() -> None:
    metrics = course("artery").exposure()
    assert len(metrics) == len(METRICS)
    with pytest.raises(UnknownNameError, match="plasma_cmax_ng_per_ml"):
        metrics["plasma_cmax"]


def test_balance_is_reported() -> None:
    found = course("beads")
    assert found.exposure()["balance_error"] == found.solution.balance[0, 0] < 1e-9
    assert found.solution.amounts[CENTRAL].shape == (1, 1)
