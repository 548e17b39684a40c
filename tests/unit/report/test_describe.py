"""A reader can recompute a rate by hand from what `describe` prints."""

from __future__ import annotations

import re

import numpy as np
import pytest

import pkmodel as pk
from pkmodel.inputs.materials import ReleaseParameters
from pkmodel.inputs.scenario import Scenario
from pkmodel.model.body import Run, lower
from pkmodel.model.graph import INDEX, N_NODES, N_ROWS, NAMES, NODES
from pkmodel.model.network import network, read_geometry
from pkmodel.report.describe import describe
from pkmodel.solve.transport import Dynamics, ForcingValues

NUMBER = r"[-+]?[0-9.]+(?:e[-+]?[0-9]+)?"
EXCHANGE = re.compile(rf"({NUMBER})(?: S\[\w+\]\(t\))? \(c\[(\w+)\] - c\[(\w+)\]\)")
LOSS = re.compile(rf"- ({NUMBER}) c\[(\w+)\](?: / \(1 \+ c\[\w+\]/({NUMBER})\))?")


def scenario(drug: str, carrier: str = "lipiodol_emulsion") -> Scenario:
    """An emulsion with oil and sponge for the reference patient."""
    regimen = pk.chemoembolisation(drug, 50, carrier=carrier, embolic="lipiodol+gelatin_sponge")
    return Scenario(pk.patient("hcc_reference"), regimen)


def by_hand(text: str, amounts: dict[str, float]) -> dict[str, float]:
    """Rates [mg/h] of all compartments from the printed equations and capacities alone."""
    volume = {name: float(value) for name, value in re.findall(rf"^  (\w+) +V ({NUMBER}) L", text, re.MULTILINE)}
    c = {name: amounts[name] / volume[name] for name in volume}
    rates = {}
    for name, body in re.findall(r"^  dA\[(\w+)\]/dt = (.*)$", text, re.MULTILINE):
        if name not in volume:
            continue
        terms = [float(k) * (c[a] - c[b]) for k, a, b in EXCHANGE.findall(body)]
        terms += [-float(k) * c[a] / (1.0 + (c[a] / float(km) if km else 0.0)) for k, a, km in LOSS.findall(body)]
        rest = LOSS.sub("", EXCHANGE.sub("", body)).replace("+ input(t)", "").replace("+", "").strip()
        assert rest in ("", "0"), f"not understood: {rest}"
        rates[name] = sum(terms)
    return rates


@pytest.mark.parametrize("drug", ["doxorubicin", "fluorouracil"])
def test_recompute_every_rate(drug: str) -> None:
    treated = scenario(drug)
    problem = lower([Run(treated, 1000.0)])[0].problem
    geometry = read_geometry(problem, problem.patient.zone_volume, np.zeros((2, 1)))
    dynamics = Dynamics(problem, network(problem, geometry))
    state = np.zeros((N_ROWS, 1, 1))
    state[:N_NODES, 0, 0] = np.random.default_rng(1).uniform(0.1, 9.0, N_NODES)
    solved = dynamics.rate(state, ForcingValues(np.ones((1, 1)), None, None, None), 0, np.empty_like(state))
    printed = by_hand(describe(treated), dict(zip(NAMES, state[:N_NODES, 0, 0], strict=True)))
    assert set(printed) == set(NAMES)
    for name, rate in printed.items():
        assert rate == pytest.approx(solved[INDEX[name], 0, 0], rel=1e-6, abs=1e-6), name


def test_saturation_is_printed() -> None:
    text = describe(scenario("fluorouracil"))
    assert "Km 1.093 mg/L" in text
    assert "c[served_cells] / (1 + c[served_cells]/" in text


def test_all_compartments_and_what_they_exchange() -> None:
    text = describe(scenario("doxorubicin"))
    for node in NODES:
        assert f"dA[{node.name}]/dt" in text
        assert node.exchange in text and node.loss in text


def test_treatment_and_response() -> None:
    text = describe(scenario("doxorubicin"))
    carrier = pk.carrier("lipiodol_emulsion").for_drug("doxorubicin")
    assert f"prompt fraction {carrier.prompt_fraction:.10g}" in text
    assert f"law {carrier.release.law}" in text
    occlusion = pk.embolic("gelatin_sponge").occlusion
    assert f"o_T = {occlusion:.8g}"[:9] in text
    assert "gelatin_sponge, at the end of the session" in text
    assert "lipiodol, grows during its injection" in text
    tumour = pk.patient("hcc_reference").tumour
    assert f"S(t)/{tumour.critical_supply:.10g}" in text
    assert f"k_isch = {tumour.ischaemic_kill_rate / 24:.10g} h" in text
    assert f"k_D of doxorubicin = {pk.drug('doxorubicin').kill.potency:.10g} x" in text
    assert "E = 35 c[central] of doxorubicin" in text


def test_several_drugs_gompertz_and_unknown_slopes() -> None:
    treated = Scenario(
        pk.patient("hcc_reference"), pk.hepatic_artery({"cisplatin": 50, "mitomycin_c": 10}, duration_h=1)
    ).with_values({"patient.tumour.growth": "gompertz", "patient.tumour.growth_capacity": "2000 mL"})
    text = describe(treated)
    assert "COMPARTMENTS of mitomycin_c" in text and "COMPARTMENTS of cisplatin" in text
    assert "ln(K_z/v)" in text
    assert "no marrow slope is known" in text


def test_bland_and_populations() -> None:
    bland = Scenario(pk.patient("hcc_reference"), pk.embolisation("gelatin_sponge"))
    assert "no drug" in describe(bland)
    many = scenario("doxorubicin").with_value("patient.tumour.diameter", [20.0, 60.0])
    one = scenario("doxorubicin").with_value("patient.tumour.diameter", 20.0)
    first, *rest = describe(many).splitlines()
    assert "first of 2 lanes" in first
    assert rest == describe(one).splitlines()[1:]


def test_a_tabulated_law() -> None:
    law = ReleaseParameters(law="tabulated", times=(0, 1, 4, 24), fractions=(0, 0.2, 0.5, 0.9))
    treated = scenario("doxorubicin")
    dose = treated.regimen.sessions[0].doses[0]
    assert dose.carrier is not None
    dose = dose.replace(carrier=dose.carrier.replace(release=law, variants=()))
    session = treated.regimen.sessions[0].replace(doses=(dose,))
    text = describe(treated.replace(regimen=pk.Regimen((session,))))
    assert "law tabulated (times [0, 1, 4, 24]" in text
