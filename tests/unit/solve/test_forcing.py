"""Doses divided by the flow of the moment, and what enters, is held back and is blocked inside a segment."""

from __future__ import annotations

import numpy as np
import pytest

import pkmodel as pk
from pkmodel.inputs.materials import ReleaseParameters
from pkmodel.inputs.regimen import Regimen
from pkmodel.inputs.session import Session
from pkmodel.inputs.treatment import dose
from pkmodel.laws import perfusion
from pkmodel.model.body import Run, lower
from pkmodel.model.network import Geometry, read_geometry
from pkmodel.model.problem import Problem
from pkmodel.solve.clock import segment_clock
from pkmodel.solve.forcing import Delivery, Forcing, deliver, retained

pytestmark = pytest.mark.filterwarnings("ignore::pkmodel.errors.PlausibilityWarning")

DOSE, RATE, T = 40.0, 0.3, 2.0
POINTS, WEIGHTS = (0.5 + 0.5 * np.polynomial.legendre.leggauss(20)[0], 0.5 * np.polynomial.legendre.leggauss(20)[1])


def problem(regimen: Regimen, **patient: float) -> Problem:
    """One lane of the reference patient, with shunts past tumour and liver."""
    values = {"tumour.shunt": 0.1, "liver.shunt": 0.2, **patient}
    [batch] = lower([Run(pk.Scenario(pk.patient("hcc_reference").with_values(values), regimen), 100.0)])
    return batch.problem


def emulsion(prompt: float = 0.25, occlusion: float = 0.0, lung: float = 0.0, preference: float = 2.0) -> pk.Carrier:
    """A carrier that releases at a constant relative rate."""
    law = ReleaseParameters(law="first_order", rate=RATE)
    carrier = pk.carrier("lipiodol_emulsion").replace(release=law, variants=())
    values = {"prompt_fraction": prompt, "occlusion": occlusion, "lung_share": lung}
    return carrier.with_values({**values, "target_preference": preference})


def depot(**options: float) -> Regimen:
    """A carrier injected over T hours."""
    return pk.chemoembolisation("cisplatin", DOSE, carrier=emulsion(**options), duration_h=T)


def geometry(of: Problem) -> Geometry:
    return read_geometry(of, of.patient.zone_volume, np.zeros((2, of.n)))


def delivered(of: Problem) -> tuple[Delivery, dict[int, Forcing]]:
    """The only dose, and the forcing of every segment that has begun with or after it."""
    [slot] = of.slots
    first = geometry(of)
    found = deliver(of, first, slot)
    last = len(of.boundaries) - 1
    return found, {k: Forcing(of, k, segment_clock(of, k), first, [found]) for k in range(slot.begin, last)}


def shares(of: Problem, preference: float, open_tumour: float = 1.0, open_served: float = 1.0) -> np.ndarray:
    """Shares of core, escape zone and served liver by their arterial flows, worked out here."""
    flows = geometry(of).flows
    parts = np.concatenate([preference * open_tumour * flows.zone_arterial, open_served * flows.served_arterial[None]])
    return (parts / parts.sum(axis=0))[:, 0]


def test_a_dissolved_dose_goes_with_the_blood_and_through_the_shunts() -> None:
    of = problem(pk.hepatic_artery("cisplatin", DOSE))
    found, _ = delivered(of)
    core, escape, served = shares(of, 1.0)
    past = 0.1 + 0.9 * 0.2 * served
    expected = DOSE * np.array([0.9 * core, 0.9 * escape, 0.9 * 0.8 * served, past])
    np.testing.assert_allclose(found.dissolved[:, 0, 0], expected, rtol=1e-13)
    assert found.dissolved.sum() == pytest.approx(DOSE, rel=1e-13)
    assert not found.depot.any()
    assert found.patency[0] == 1.0


def test_an_intravenous_dose_enters_the_centre() -> None:
    found, segments = delivered(problem(pk.iv("cisplatin", DOSE, duration_h=T)))
    np.testing.assert_array_equal(found.dissolved[:, 0, 0], [0.0, 0.0, 0.0, DOSE])
    assert not found.depot.any()
    assert found.patency[0] == 1.0  # no artery carries it
    assert all(not f.shunted_rate(np.full((1, 1), 0.5)).any() for f in segments.values())


def test_a_carrier_prefers_the_tumour_and_loses_some_to_the_lung() -> None:
    of = problem(depot(lung=0.3))
    found, _ = delivered(of)
    preference = float(of.slots[0].preference[0])
    assert preference == 2.0
    core, escape, served = shares(of, preference)
    held = 0.75 * DOSE
    expected = held * np.array([0.7 * core, 0.7 * escape, 0.7 * served, 0.3])
    np.testing.assert_allclose(found.depot[:, 0, 0], expected, rtol=1e-13)
    assert found.dissolved.sum() == pytest.approx(0.25 * DOSE, rel=1e-13)
    np.testing.assert_allclose(found.dissolved[0, 0, 0], 0.25 * DOSE * 0.9 * shares(of, 1.0)[0], rtol=1e-13)


def test_an_extravascular_depot_lies_at_its_site() -> None:
    given = dose("cisplatin", DOSE, route="extravascular", carrier=emulsion())
    found, _ = delivered(problem(Regimen((Session(doses=(given,)),))))
    np.testing.assert_allclose(found.depot[:, 0, 0], [0.0, 0.0, 0.0, 0.75 * DOSE], rtol=1e-14)
    np.testing.assert_allclose(found.dissolved[:, 0, 0], [0.0, 0.0, 0.0, 0.25 * DOSE], rtol=1e-14)


def test_a_dose_that_closes_its_own_artery_is_divided_by_simpson_s_rule() -> None:
    of = problem(depot(occlusion=0.6))
    [agent] = [a for a in of.agents if a.occlusion.any()]
    assert agent.begin == of.slots[0].begin
    found, _ = delivered(of)
    preference, selectivity = float(of.slots[0].preference[0]), float((agent.served_occlusion / agent.occlusion)[0])
    split = [shares(of, preference, 1 - 0.6 * t, 1 - 0.6 * selectivity * t) for t in (0.0, 0.5, 1.0)]
    expected = 0.75 * DOSE * (split[0] + 4 * split[1] + split[2]) / 6
    np.testing.assert_allclose(found.depot[:3, 0, 0], expected, rtol=1e-12)
    assert found.patency[0] == 1.0  # it was open when the injection began


@pytest.mark.parametrize("given", [DOSE, 0.1])
def test_what_is_open_at_the_beginning_is_flow_over_unblocked_flow(given: float) -> None:
    of = problem(pk.embolisation("gelatin_sponge") + pk.hepatic_artery("cisplatin", given, at_h=24.0))
    [slot] = [s for s in of.slots if s.amount.any()]
    found, flows = deliver(of, geometry(of), slot), geometry(of).flows
    sponge = pk.embolic("gelatin_sponge")
    blocked = sponge.occlusion * 0.5 ** (1.0 / sponge.half_life)
    tumour, served = flows.zone_arterial.sum(), flows.served_arterial[0]
    left = tumour * (1 - blocked) + served * (1 - sponge.selectivity * blocked)
    assert found.patency[0] == pytest.approx(left / (tumour + served), rel=1e-12)


def test_a_dose_of_one_of_two_drugs_needs_an_artery_too() -> None:
    """The second drug is given through a blocked artery, the first intravenously before."""
    regimen = pk.iv("doxorubicin", DOSE) + pk.embolisation("gelatin_sponge", at_h=1.0)
    of = problem(regimen + pk.hepatic_artery("cisplatin", DOSE, at_h=24.0))
    [slot] = [s for s in of.slots if (s.amount * (1.0 - s.venous)).any()]
    assert slot.amount[:, 0].tolist() == [0.0, DOSE]
    assert deliver(of, geometry(of), slot).patency[0] < 0.9


@pytest.mark.parametrize("switch", [0.0, 0.4, 1.0])
def test_retention_is_switched(switch: float) -> None:
    [batch] = lower([Run(pk.Scenario("hcc_reference", pk.iv("cisplatin", 1.0)), 10.0, (1.0, 1.0, switch))])
    found = retained(batch.problem, np.array([0.0, 0.25, 1.0]))
    np.testing.assert_allclose(found, [1.0 - switch, 1.0 - 0.75 * switch, 1.0], rtol=1e-15)


@pytest.mark.parametrize("regimen", [depot(), pk.hepatic_artery("cisplatin", DOSE, duration_h=T)])
def test_what_has_entered_is_the_integral_of_what_enters(regimen: Regimen) -> None:
    _, segments = delivered(problem(regimen))
    for forcing in segments.values():
        total = np.zeros_like(forcing.entered(1.0))
        if forcing.inflow:
            inputs = forcing.values(POINTS[:, None]).inputs
            assert inputs is not None
            total = np.tensordot(WEIGHTS, inputs, axes=(0, 0))
        np.testing.assert_allclose(total, forcing.entered(1.0) - forcing.entered(0.0), rtol=1e-9, atol=1e-13)


def test_an_infusion_enters_evenly_and_shunts_at_a_constant_rate() -> None:
    of = problem(pk.hepatic_artery("cisplatin", DOSE, duration_h=T, at_h=5.0))
    found, segments = delivered(of)
    running = [f for f in segments.values() if f.dissolved and f.clock.length[0] > 0.0]
    assert sum(float(f.clock.length[0]) for f in running) == T
    for forcing in running:
        entered = forcing.entered(0.5) - forcing.entered(0.0)
        share = float(forcing.clock.elapsed(0.5)[0]) / T
        np.testing.assert_allclose(entered, found.dissolved * share, rtol=1e-13)
        past = forcing.shunted_rate(np.full((3, 1), 0.5))
        assert past.shape == (1, 3, 1)
        np.testing.assert_allclose(past, found.dissolved[3, 0, 0] / T, rtol=1e-13)


def test_a_bolus_enters_in_one_segment_of_no_length() -> None:
    found, segments = delivered(problem(pk.hepatic_artery("cisplatin", DOSE, duration_h=0.0)))
    entering = [f for f in segments.values() if f.dissolved and (f.entered(1.0) - f.entered(0.0)).any()]
    [forcing] = entering
    assert forcing.clock.length[0] == 0.0
    np.testing.assert_array_equal(forcing.entered(1.0) - forcing.entered(0.0), found.dissolved)
    assert not forcing.shunted_rate(np.full((1, 1), 0.5)).any()


def kept(t: float, window: float) -> float:
    """Share of the dose that lies in a depot laid down over a window and emptied at RATE, a closed form."""
    if t <= window:
        return (1.0 - np.exp(-RATE * t)) / (RATE * window)
    return (1.0 - np.exp(-RATE * window)) / (RATE * window) * np.exp(-RATE * (t - window))


@pytest.mark.parametrize("given, window", [(DOSE, T), (0.1, T), (DOSE, 0.5)])
def test_a_depot_fills_while_it_empties(given: float, window: float) -> None:
    of = problem(pk.chemoembolisation("cisplatin", given, carrier=emulsion(), duration_h=window))
    found, segments = delivered(of)
    s = np.array([[0.1], [0.5], [0.9]])
    seen = set()
    for forcing in segments.values():
        since = forcing.clock.start - of.boundaries[found.slot.begin] + forcing.clock.elapsed(s)
        expected = np.array([kept(float(t), window) for t in since[:, 0]])
        seen |= {bool(t < window) for t in since[:, 0]}
        np.testing.assert_allclose(forcing.kept(found, s[:, None])[:, 0, 0], expected, rtol=1e-10, atol=1e-15)
        tumour = (found.depot[0, 0, 0] + found.depot[1, 0, 0]) * expected
        np.testing.assert_allclose(forcing.held_in_tumour(s)[:, 0, 0], tumour, rtol=1e-10, atol=1e-15)
    assert seen == {True, False}


def test_blood_of_a_blocked_artery() -> None:
    """Supply of both zones and of the served liver, and the drive towards hypoxia, half a half-life after."""
    of = problem(pk.embolisation("gelatin_sponge"))
    p, first, last = of.patient, geometry(of), len(of.boundaries) - 2
    forcing = Forcing(of, last, segment_clock(of, last), first, [])
    sponge, s = pk.embolic("gelatin_sponge"), np.array([[0.5]])
    values = forcing.values(s)
    assert values.supply is not None
    assert values.ischaemia is not None
    assert values.inputs is None
    blocked = sponge.occlusion * 0.5 ** (float(forcing.clock.elapsed(0.5)[0]) / (24.0 * sponge.half_life))
    q, a = p.collateral[0], p.zone_weight[:, 0]
    zones = q + (1 - q) * (1 - a * blocked)
    arterial, portal = first.flows.served_arterial[0], first.flows.served_portal[0]
    served = (arterial * (1 - sponge.selectivity * blocked) + portal) / (arterial + portal)
    assert values.supply.shape == (1, 3, 1, 1)
    np.testing.assert_allclose(values.supply[0, :, 0, 0], [*zones, served], rtol=1e-12)
    drive = np.maximum(0.0, 1.0 - zones / p.critical_supply[0]) ** 2
    np.testing.assert_allclose(values.ischaemia[0, :, 0, 0], drive, rtol=1e-12)
    np.testing.assert_array_equal(perfusion.supply(1.0, p.zone_weight, p.collateral), 1.0)


def test_an_artery_is_blocked_in_its_own_subject_alone() -> None:
    of = problem(pk.embolisation(pk.embolic("gelatin_sponge").with_values({"occlusion": np.array([0.0, 0.9])})))
    last = len(of.boundaries) - 2
    values = Forcing(of, last, segment_clock(of, last), geometry(of), []).values(np.array([[0.1]]))
    assert values.supply is not None
    np.testing.assert_allclose(values.supply[0, :, 0, 0], 1.0, rtol=1e-14)
    assert np.all(values.supply[0, :, 0, 1] < 0.95)


def test_an_open_artery_costs_nothing() -> None:
    of = problem(pk.iv("cisplatin", DOSE))
    values = Forcing(of, 0, segment_clock(of, 0), geometry(of), []).values(np.array([[0.5]]))
    assert values.supply is values.ischaemia is values.inputs is None
