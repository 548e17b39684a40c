"""Observables: amounts over the right volumes, and a hepatic vein that carries what the liver lets pass."""

from __future__ import annotations

import numpy as np
import pytest

import pkmodel as pk
from pkmodel.course import Trajectory
from pkmodel.errors import UnknownNameError
from pkmodel.exposure.observables import NAMES
from pkmodel.model.body import Run, lower
from pkmodel.model.graph import INDEX
from pkmodel.model.network import read_geometry, steady_extraction
from pkmodel.solve.watch import SAMPLED_ROWS

# subjects without a tumour are implausible, on purpose
pytestmark = pytest.mark.filterwarnings("ignore::pkmodel.errors.PlausibilityWarning")

TIMES = np.array([0.0, 0.05, 0.5, 3.0, 12.0, 24.0])
DRUGS = ("cisplatin", "doxorubicin", "fluorouracil", "mitomycin_c")


def course(drug: object = "cisplatin", patient: object = "hcc_reference", **options: object) -> Trajectory:
    """A dose by the artery."""
    scenario = pk.Scenario(patient, pk.hepatic_artery(drug, 50.0), **options)
    return pk.simulate(scenario, until_h=24, times_h=TIMES)


def amount(found: Trajectory, node: str) -> np.ndarray:
    """Sampled amount of a node [mg]."""
    return found.solution.sampled[SAMPLED_ROWS.index(INDEX[node]), 0, : TIMES.size, 0]


def litres(found: Trajectory) -> dict[str, float]:
    """Volumes of the regions [L]."""
    [batch] = lower([Run(found.scenario, 24.0)])
    p = batch.problem.patient
    zones = p.zone_volume[:, 0]
    return {"core": zones[0], "escape": zones[1], "served": p.served[0], "other": p.other[0]}


@pytest.mark.parametrize("region", ["core", "escape", "served", "other"])
def test_tissue_is_both_spaces_over_the_volume(region: str) -> None:
    found = course()
    name = {"served": "served_liver", "other": "other_liver"}.get(region, f"tumour_{region}")
    both = amount(found, f"{region}_cells") + amount(found, f"{region}_extracellular")
    np.testing.assert_allclose(found.concentration_mg_per_l(name), both / litres(found)[region], rtol=1e-12)


def test_tumour_is_the_volume_mean_of_its_zones() -> None:
    found, volume = course(), litres(course())
    for ending in ("", "_extracellular"):
        zones = [found.concentration_mg_per_l(f"tumour_{zone}{ending}") for zone in ("core", "escape")]
        mean = (volume["core"] * zones[0] + volume["escape"] * zones[1]) / (volume["core"] + volume["escape"])
        np.testing.assert_allclose(found.concentration_mg_per_l(f"tumour{ending}"), mean, rtol=1e-12)


def test_extracellular_is_over_its_own_space() -> None:
    found = course()
    space = float(found.scenario.patient.tumour.extracellular_fraction) * litres(found)["core"]
    np.testing.assert_allclose(
        found.concentration_mg_per_l("tumour_core_extracellular"),
        amount(found, "core_extracellular") / space,
        rtol=1e-12,
    )


def test_plasma_is_over_the_central_volume() -> None:
    found = course()
    v1 = pk.drug("cisplatin").v1  # patient and reference subject share their surface
    np.testing.assert_allclose(found.concentration_mg_per_l(), amount(found, "central") / v1, rtol=1e-12)


def test_homogenate_is_tissue_and_depot() -> None:
    scenario = pk.Scenario("hcc_reference", pk.chemoembolisation("cisplatin", 50.0, carrier="beads"))
    found = pk.simulate(scenario, until_h=24, times_h=TIMES)
    volume = litres(found)
    depot = found.depot_mg("core") + found.depot_mg("escape")
    expected = found.concentration_mg_per_l("tumour") + depot / (volume["core"] + volume["escape"])
    np.testing.assert_allclose(found.concentration_mg_per_l("tumour_homogenate"), expected, rtol=1e-12)


def test_at_equilibrium_extracellular_equals_plasma() -> None:
    # no loss anywhere and a long time: one concentration everywhere
    drug = pk.drug("cisplatin").replace(origins={}, extraction=0.0, cl_total=1e-9)
    drug = drug.replace(tumour=drug.tumour.replace(origins={}, loss_extracellular=0.0, loss_cellular=0.0))
    found = pk.simulate(pk.Scenario("hcc_reference", pk.iv(drug, 50.0)), until_h=2000, times_h=[2000.0])
    plasma = found.concentration_mg_per_l()
    for zone in ("core", "escape"):
        np.testing.assert_allclose(
            found.concentration_mg_per_l(f"tumour_{zone}_extracellular"), plasma, rtol=1e-6
        )
    for vein in ("hepatic_vein", "served_hepatic_vein"):
        np.testing.assert_allclose(found.concentration_mg_per_l(vein), plasma, rtol=1e-6)


@pytest.mark.parametrize("name", DRUGS)
def test_extraction_of_the_vein_is_the_closed_form_at_steady_state(name: str) -> None:
    # a slow infusion, no tumour: 1 - out/in of the served liver, with the patient's shunt and reserve
    patient = pk.patient("hcc_reference").with_value("tumour.diameter", 0.0)
    drug = pk.drug(name).replace(origins={}, q2=0.0, v2=0.0, q3=0.0, v3=0.0)
    for catheter in ("lobar", "whole_liver"):
        scenario = pk.Scenario(patient, pk.iv(drug, 1e-3, duration_h=3000.0), catheter=catheter)
        found = pk.simulate(scenario, until_h=3000, times_h=[2999.0], rtol=1e-7)
        extraction = (
            1.0 - found.concentration_mg_per_l("served_hepatic_vein") / found.concentration_mg_per_l()
        )
        [batch] = lower([Run(scenario, 3000.0)])
        p = batch.problem.patient
        geometry = read_geometry(batch.problem, p.zone_volume, np.zeros_like(p.zone_volume))
        expected = steady_extraction(batch.problem, geometry)[0]
        np.testing.assert_allclose(extraction, expected, rtol=1e-6)
        whole = 1.0 - found.concentration_mg_per_l("hepatic_vein") / found.concentration_mg_per_l()
        np.testing.assert_allclose(whole, expected, rtol=1e-6)  # lobes are perfused alike


@pytest.mark.parametrize("name", DRUGS)
def test_the_vein_carries_what_the_liver_lets_pass(name: str) -> None:
    # steady arterial infusion: what enters the liver is eliminated there or leaves by the vein
    drug = pk.drug(name).replace(origins={}, q2=0.0, v2=0.0, q3=0.0, v3=0.0)
    rate = 1e-6  # mg/h, far below saturation
    scenario = pk.Scenario("hcc_reference", pk.hepatic_artery(drug, rate * 5000, duration_h=5000.0))
    found = pk.simulate(scenario, until_h=5000, times_h=[4900.0, 4999.0], rtol=1e-8)
    blood = found.solution.sampled_flow[:, 1, 0] * float(drug.blood_plasma_ratio)
    plasma = found.concentration_mg_per_l()[1]
    out = blood.sum() * found.concentration_mg_per_l("hepatic_vein")[1]
    [batch] = lower([Run(scenario, 5000.0)])
    d, p = batch.problem.drug, batch.problem.patient
    cells = found.solution.sampled[:4, 0, 1, 0]
    kp, share = d.liver_kp[0, 0], 1.0 - p.liver_extracellular[0]
    lost = sum(
        d.liver_clint[0, 0] * volume * amount_ / (kp * share * volume)
        for volume, amount_ in ((p.served[0], cells[2]), (p.other[0], cells[3]))
    )
    spaces = found.solution.sampled[4:6, 0, 1, 0]
    lost += d.loss_cellular[0, 0] * cells[:2].sum() + d.loss_extracellular[0, 0] * spaces.sum()
    # at low dose the losses are linear; 5-FU's constants lie nine decades above these concentrations
    assert out + lost == pytest.approx(blood.sum() * plasma + rate, rel=1e-6)


def test_served_vein_is_above_plasma_during_an_arterial_infusion() -> None:
    scenario = pk.Scenario("hcc_reference", pk.hepatic_artery("cisplatin", 50.0, duration_h=4.0))
    found = pk.simulate(scenario, until_h=24, times_h=[1.0, 3.0])
    assert np.all(found.concentration_mg_per_l("served_hepatic_vein") > found.concentration_mg_per_l())


def test_what_is_absent_is_nan() -> None:
    patient = pk.patient("hcc_reference").with_value("tumour.diameter", 0.0)
    found = course(patient=patient, catheter="whole_liver")
    for name in ("tumour", "tumour_core", "tumour_extracellular", "tumour_homogenate", "other_liver"):
        assert np.all(np.isnan(found.concentration_mg_per_l(name)))
    for name in ("plasma", "served_liver", "hepatic_vein", "served_hepatic_vein"):
        assert np.all(np.isfinite(found.concentration_mg_per_l(name)))


def test_every_name_is_an_observable() -> None:
    found = course()
    for name in NAMES:
        assert np.all(np.isfinite(found.concentration_mg_per_l(name)))
    with pytest.raises(UnknownNameError, match="did you mean 'plasma'"):
        found.concentration_mg_per_l("plasm")
