"""What fresh oracle scenarios found once; each failed before it was mended."""

from __future__ import annotations

import numpy as np
import pytest

import pkmodel as pk
from pkmodel.inputs.materials import Carrier, ReleaseParameters
from pkmodel.model.body import Run, lower
from pkmodel.solve.drive import Options
from pkmodel.solve.runs import solve_runs

pytestmark = pytest.mark.filterwarnings("ignore::pkmodel.errors.PlausibilityWarning")


def depot(release: ReleaseParameters) -> Carrier:
    """A carrier that holds everything back and blocks nothing."""
    base = pk.carrier("lipiodol_emulsion").replace(variants=(), release=release)
    return base.with_values({"prompt_fraction": 0.0, "occlusion": 0.0})


def test_a_first_order_carrier_for_one_of_two_drugs() -> None:
    held = depot(ReleaseParameters(law="first_order", rate=0.3))
    tace = pk.chemoembolisation("cisplatin", 80, carrier=held)
    both = tace + pk.iv("fluorouracil", 500)
    alone, mixed = (solve_runs([Run(pk.Scenario("hcc_reference", r), 48.0)], [1.0, 24.0]) for r in (tace, both))
    assert mixed.reasons == (None,)
    assert np.max(mixed.balance) < 1e-9
    assert mixed.plasma_auc[0] == pytest.approx(alone.plasma_auc[0], rel=1e-6)


def test_a_drug_without_a_transit_time_of_its_own_has_the_patients() -> None:
    patient = pk.patient("hcc_reference").with_value("marrow.neutrophil_mtt", 160.0)
    slope = pk.drug("mitomycin_c").with_value("marrow.neutrophil_slope", 1.0)
    assert np.isnan(slope.marrow.neutrophil_mtt)
    doxorubicin = pk.drug("doxorubicin")
    assert doxorubicin.marrow.neutrophil_mtt < 160.0
    [batch] = lower([Run(pk.Scenario(patient, pk.iv({doxorubicin: 50, slope: 10})), 48.0)])
    assert batch.problem.patient.neutrophil_mtt[0] == 160.0
    [batch] = lower([Run(pk.Scenario(patient, pk.iv(doxorubicin, 50)), 48.0)])
    assert batch.problem.patient.neutrophil_mtt[0] == doxorubicin.marrow.neutrophil_mtt


def law_of(law: str, exponent: float, time: float) -> ReleaseParameters:
    """A Weibull or power law that takes a time to come far."""
    if law == "weibull":
        return ReleaseParameters(law=law, scale=time, shape=exponent)
    return ReleaseParameters(law=law, rate_constant=0.5 * time**-exponent, exponent=exponent)


@pytest.mark.parametrize("company", [False, True])
@pytest.mark.parametrize("law", ["weibull", "korsmeyer_peppas"])
@pytest.mark.parametrize("exponent", [0.3, 0.7, 1.19, 1.59, 1.98])
def test_any_exponent_starts(law: str, exponent: float, company: bool) -> None:
    """A bolus in the carrier; in company another carrier of another exponent and a dissolved infusion start with it."""
    first, second = (depot(law_of(law, b, time)) for b, time in ((exponent, 1.4), (0.5, 9.0)))
    regimen = pk.chemoembolisation("doxorubicin", 51, carrier=first, duration_h=0, at_h=28.5)
    if company:
        regimen += pk.chemoembolisation("doxorubicin", 50, carrier=second, duration_h=0, at_h=28.5)
        regimen += pk.iv("doxorubicin", 20, at_h=28.5)
    run = Run(pk.Scenario("rabbit_vx2", regimen), 96.0)
    coarse, fine = (solve_runs([run], [29.0, 40.0], Options(rtol=rtol)) for rtol in (1e-5, 1e-8))
    assert coarse.reasons == fine.reasons == (None,)
    assert np.max(coarse.balance) < 1e-12
    for name in ("plasma_auc", "plasma_cmax", "tissue_auc", "extracellular_auc"):
        assert getattr(coarse, name) == pytest.approx(getattr(fine, name), rel=1e-5)


def test_what_is_released_very_slowly_is_followed_all_the_same() -> None:
    held = depot(ReleaseParameters(law="weibull", scale=168_400.0, shape=1.92))
    tace = pk.chemoembolisation("fluorouracil", 1600, carrier=held, duration_h=0.34)
    run = Run(pk.Scenario("hcc_portal_thrombosis", tace), 782.0)
    times = [0.2, 0.56, 1.9, 5.0, 21.0, 234.0, 782.0]
    coarse, fine = (solve_runs([run], times, Options(rtol=rtol)).sampled[:11, 0, :7, 0] for rtol in (1e-5, 1e-8))
    largest = fine.max(axis=1, keepdims=True)
    assert largest[10, 0] < 1e-8 * 1600
    there = largest[:, 0] > 0.0
    coarse, fine, largest = coarse[there], fine[there], largest[there]
    assert np.max(np.abs(coarse - fine) / np.maximum(fine, 1e-4 * largest)) < 1e-5


def test_dead_volume_is_right_where_the_last_cells_die() -> None:
    """Kill that is fast against the solver's steps leaves viable volume exact, and missed when the cells died."""
    scenario = pk.Scenario("hcc_child_b", pk.embolisation("beads_bland", at_h=196))
    scenario = scenario.with_values({"patient.tumour.growth": "gompertz", "patient.tumour.growth_capacity": 683.0})
    times = [196.75, 199.4, 210.0, 255.0, 441.0, 1208.0]
    coarse, fine = (pk.simulate(scenario, until_h=1208.0, times_h=times, rtol=rtol) for rtol in (1e-5, 1e-9))
    dead, exact = coarse.necrotic_volume_ml(), fine.necrotic_volume_ml()
    tumour_ml = coarse.viable_volume_ml().max()
    assert np.max(np.abs(dead - exact) / np.maximum(exact, 1e-4 * tumour_ml)) < 1e-5
