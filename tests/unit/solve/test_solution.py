"""What a solution holds: lanes put back, areas to infinity, blood counts that are known or not, failed lanes."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest

import pkmodel as pk
from pkmodel.inputs.materials import ReleaseParameters
from pkmodel.inputs.regimen import Regimen
from pkmodel.model.body import Run, lower
from pkmodel.model.graph import CENTRAL, N_NODES, N_ROWS, NODES, OCCLUDED, ROW
from pkmodel.model.network import network, read_geometry
from pkmodel.solve.drive import Course, Options, solve
from pkmodel.solve.forcing import deliver
from pkmodel.solve.solution import Solution, _drug_amounts, integrate_to_infinity, join, scatter
from pkmodel.solve.transport import Dynamics, ForcingValues

pytestmark = pytest.mark.filterwarnings("ignore::pkmodel.errors.PlausibilityWarning")

FAILED_KEEP = ("reasons", "dose", "times", "steps", "rejected")
NO_SLOPE = ("nadir", "nadir_time", "sampled_cells")  # cisplatin has none


def course(
    regimen: Regimen, until_h: float = 24.0, times: list[float] | None = None, rtol: float = 1e-5, **patient: object
) -> Solution:
    """The reference patient under a regimen."""
    scenario = pk.Scenario(pk.patient("hcc_reference").with_values(patient), regimen)
    [batch] = lower([Run(scenario, until_h)])
    return solve(batch.problem, None if times is None else np.array(times), Options(rtol=rtol))


def lanes(solution: Solution, chosen: list[int]) -> Solution:
    """Some lanes of a solution, with reasons that tell them apart."""
    values = {f.name: getattr(solution, f.name)[..., chosen] for f in fields(Solution) if f.name != "reasons"}
    return Solution(reasons=tuple(solution.reasons[i] for i in chosen), **values)


def same(one: Solution, other: Solution) -> None:
    """Every field of two solutions is equal."""
    assert one.reasons == other.reasons
    for f in fields(Solution)[1:]:
        np.testing.assert_array_equal(getattr(one, f.name), getattr(other, f.name), err_msg=f.name)


@pytest.fixture(scope="module")
def four() -> Solution:
    """Four subjects, two of them marked as failed."""
    found = course(pk.iv("cisplatin", np.array([10.0, 20.0, 30.0, 40.0])), times=[1.0, 5.0])
    return replace(found, reasons=("a", None, "c", None))


def test_lanes_go_back_to_their_places(four: Solution) -> None:
    parts = [(np.array(chosen), lanes(four, chosen)) for chosen in ([3, 0], [2, 1])]
    same(scatter(parts, 4), four)
    assert scatter([(np.arange(4), four)], 4) is four
    same(scatter([(np.array([1, 0, 3, 2]), lanes(four, [1, 0, 3, 2]))], 4), four)


def test_blocks_are_joined_along_the_lanes(four: Solution) -> None:
    same(join([lanes(four, [0]), lanes(four, [1, 2]), lanes(four, [3])]), four)
    assert join([four]) is four


def test_failed_lanes_are_marked(four: Solution) -> None:
    np.testing.assert_array_equal(four.failed, [True, False, True, False])


def test_a_failed_lane_is_nan_but_for_what_was_asked() -> None:
    [batch] = lower([Run(pk.Scenario("hcc_reference", pk.iv("cisplatin", np.array([10.0, 20.0]))), 24.0)])
    batch.problem.drug.v1[0, 0] = np.nan
    found = solve(batch.problem, np.array([1.0]))
    assert found.reasons[0] is not None
    assert found.reasons[1] is None
    for f in fields(Solution):
        values = getattr(found, f.name)
        if f.name not in FAILED_KEEP:
            assert np.isnan(values[..., 0]).all(), f.name
            assert np.isnan(values[..., 1]).all() == (f.name in NO_SLOPE), f.name
    np.testing.assert_array_equal(found.dose, [[10.0, 20.0]])
    np.testing.assert_array_equal(found.times, [[1.0, 1.0]])


@pytest.mark.parametrize("blocked", [False, True])
def test_areas_to_infinity_are_the_inverse_of_the_rates(blocked: bool) -> None:
    regimen = pk.iv("doxorubicin", 50.0)
    [batch] = lower([Run(pk.Scenario("hcc_reference", regimen), 24.0)])
    problem = batch.problem
    geometry = read_geometry(problem, problem.patient.zone_volume, np.zeros((2, 1)))
    dynamics = Dynamics(problem, network(problem, geometry))
    supply = np.array([0.2, 0.5, 0.8])[:, None, None] if blocked else None
    forcing = ForcingValues(np.ones((7, 1)), None if supply is None else supply[None], None, None)
    matrix = np.zeros((N_NODES, N_NODES))
    for row in range(N_NODES):
        unit = np.zeros((N_ROWS, 1, 1))
        unit[row] = 1e-9  # low dose
        matrix[:, row] = dynamics.rate(unit, forcing, 0, out=np.empty_like(unit))[:N_NODES, 0, 0] / 1e-9
    right = np.random.default_rng(1).uniform(0.1, 1.0, (N_NODES, 1, 1))
    before = right.copy()
    found = integrate_to_infinity(dynamics, right, supply=supply)
    np.testing.assert_allclose(found[:, 0, 0], np.linalg.solve(-matrix, right[:, 0, 0]), rtol=1e-7)
    np.testing.assert_array_equal(right, before)
    assert NODES[OCCLUDED.start].name == "core_extracellular"


def test_the_area_to_infinity_does_not_depend_on_the_horizon() -> None:
    found = [course(pk.iv("mitomycin_c", 20.0), until) for until in (3.0, 12.0)]
    for kind in ("plasma", "tissue", "extracellular"):
        short, long = (getattr(s, f"{kind}_auc") + getattr(s, f"{kind}_auc_rest") for s in found)
        assert short[0, 0] == pytest.approx(long[0, 0], rel=1e-4)
        assert getattr(found[0], f"{kind}_auc_rest")[0, 0] > 0.02 * short[0, 0]
    for solution in found:
        expected = solution.dose / solution.clearance
        np.testing.assert_allclose(solution.plasma_auc + solution.plasma_auc_rest, expected, rtol=1e-4)


def test_nor_does_it_where_arteries_stay_blocked() -> None:
    """A sponge that never goes, in a tumour that neither grows nor shrinks: flow is constant from its end on."""
    rest = {"tumour.doubling_time": np.inf, "tumour.resorption_half_life": np.inf}
    sponge = pk.embolic("gelatin_sponge").with_values({"half_life": np.inf, "occlusion": 0.8})
    regimen = pk.embolisation(sponge) + pk.iv("mitomycin_c", 20.0, at_h=1.0)
    found = [course(regimen, until, **rest) for until in (3.0, 12.0)]
    open_ = course(pk.iv("mitomycin_c", 20.0, at_h=1.0), 3.0, **rest)
    for kind in ("plasma", "tissue", "extracellular"):
        short, long = (getattr(s, f"{kind}_auc") + getattr(s, f"{kind}_auc_rest") for s in found)
        assert short[0, 0] == pytest.approx(long[0, 0], rel=1e-4)
    assert found[0].tissue_auc_rest[0, 0] != pytest.approx(open_.tissue_auc_rest[0, 0], rel=0.02)


def test_what_depots_still_hold_counts_towards_infinity() -> None:
    law = ReleaseParameters(law="first_order", rate=0.1)
    carrier = pk.carrier("lipiodol_emulsion").replace(release=law, variants=())
    carrier = carrier.with_values({"prompt_fraction": 0.0, "occlusion": 0.0, "lung_share": 0.3})
    regimen = pk.chemoembolisation("mitomycin_c", 20.0, carrier=carrier, duration_h=0.0)
    rest = {"tumour.doubling_time": np.inf, "tumour.resorption_half_life": np.inf}
    found = [course(regimen, -np.log(left) / 0.1, rtol=1e-8, **rest) for left in (9e-4, 1e-7)]
    for kind in ("plasma", "tissue"):
        short, long = (getattr(s, f"{kind}_auc") + getattr(s, f"{kind}_auc_rest") for s in found)
        assert short[0, 0] == pytest.approx(long[0, 0], rel=1e-5)


def test_without_a_tumour_its_areas_are_zero() -> None:
    found = course(pk.iv("cisplatin", 50.0), **{"tumour.diameter": 0.0})
    for name in ("tissue_auc", "tissue_auc_rest", "extracellular_auc", "extracellular_auc_rest"):
        assert getattr(found, name)[0, 0] == 0.0


@pytest.mark.parametrize("size", [1.0, 1e-3])
def test_mass_that_is_not_there_is_in_the_balance(size: float) -> None:
    """A dose of 40 mg (or ug) of which 10 are accounted for, beside a subject without any."""
    [batch] = lower([Run(pk.Scenario("hcc_reference", pk.iv("cisplatin", np.array([40.0 * size, 0.0]))), 24.0)])
    of = Course(batch.problem, np.empty((0, 2)), Options())
    of.deliveries = [deliver(of.problem, of.geometry, of.problem.slots[0])]
    of.state[CENTRAL] = np.array([7.0 * size, 0.0])
    of.state[ROW["eliminated_central"]] = np.array([3.0 * size, 0.0])
    np.testing.assert_allclose(_drug_amounts(of)["balance"], [[0.75, 0.0]], rtol=1e-14)


def test_what_is_given_by_the_artery_and_what_reaches_the_tumour() -> None:
    carrier = pk.carrier("lipiodol_emulsion").with_values({"occlusion": 0.0, "target_preference": 2.0})
    regimen = pk.iv("cisplatin", 10.0) + pk.chemoembolisation("cisplatin", 50.0, carrier=carrier, duration_h=0.0)
    [batch] = lower([Run(pk.Scenario("hcc_reference", regimen), 24.0)])
    found, problem = solve(batch.problem), batch.problem
    assert found.dose[0, 0] == 60.0
    assert found.arterial[0, 0] == 50.0
    [slot] = [slot for slot in problem.slots if not slot.venous.any()]
    flows = read_geometry(problem, problem.patient.zone_volume, np.zeros((2, 1))).flows
    share = [theta * flows.zone_arterial.sum() for theta in (1.0, float(slot.preference[0]))]
    prompt, lung = float(slot.prompt[0, 0]), float(slot.lung_share[0])
    dissolved, held = (x / (x + flows.served_arterial[0]) for x in share)
    through = 1.0 - problem.patient.tumour_shunt[0]
    expected = 50.0 * (prompt * through * dissolved + (1.0 - prompt) * (1.0 - lung) * held)
    assert found.delivered[0, 0] == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("left, known", [(2e-3, False), (5e-4, True)])
def test_without_complete_release_there_is_no_area_to_infinity(left: float, known: bool) -> None:
    """A bolus depot empties like exp(-k t): what is left at the horizon is chosen."""
    rate = 0.1
    law = ReleaseParameters(law="first_order", rate=rate)
    carrier = pk.carrier("lipiodol_emulsion").replace(release=law, variants=()).with_values({"prompt_fraction": 0.0})
    found = course(pk.chemoembolisation("cisplatin", 50.0, carrier=carrier, duration_h=0.0), -np.log(left) / rate)
    assert found.depot.sum() == pytest.approx(50.0 * left, rel=1e-9)
    for kind in ("plasma", "tissue", "extracellular"):
        assert np.isfinite(getattr(found, f"{kind}_auc_rest")[0, 0]) == known


def marrow(neutrophils: object, leukocytes: float, dose: object = 100.0) -> Solution:
    """Cisplatin with these slopes, sampled before, inside and after the course."""
    drug = pk.drug("cisplatin").with_values(
        {"marrow.neutrophil_slope": neutrophils, "marrow.leukocyte_slope": leukocytes}
    )
    return course(pk.iv(drug, dose), 240.0, times=[-1.0, 0.0, 120.0, 240.0, 241.0])


def test_counts_without_drug_rest() -> None:
    found, patient = course(Regimen(()), 24.0, times=[0.0, 24.0, 25.0]), pk.patient("hcc_reference")
    rest = [patient.marrow.neutrophils, patient.marrow.leukocytes]
    np.testing.assert_allclose(found.nadir[:, 0], rest)
    assert np.isnan(found.nadir_time).all()
    np.testing.assert_allclose(found.sampled_cells[:, :2, 0], np.outer(rest, [1.0, 1.0]))
    assert np.isnan(found.sampled_cells[:, 2]).all()


def test_counts_are_known_only_with_a_slope() -> None:
    patient = pk.patient("hcc_reference")
    found = marrow(np.nan, 0.0)
    assert np.isnan(found.nadir[0, 0])
    assert np.isnan(found.sampled_cells[0]).all()
    assert found.nadir[1, 0] == patient.marrow.leukocytes  # a slope of zero: it stays where it is
    np.testing.assert_array_equal(found.sampled_cells[1, 1:4, 0], patient.marrow.leukocytes)
    assert np.isnan(found.sampled_cells[1, [0, 4]]).all()


def test_counts_fall_where_there_is_a_slope() -> None:
    patient = pk.patient("hcc_reference")
    found = marrow(np.nan, 2.0)
    assert np.isnan(found.nadir[0, 0])
    assert found.nadir[1, 0] < 0.95 * patient.marrow.leukocytes
    assert 0.0 < found.nadir_time[1, 0] <= 240.0
    assert np.isnan(found.nadir_time[0, 0])
    assert found.sampled_cells[1, 1, 0] == patient.marrow.leukocytes
    assert np.isnan(found.sampled_cells[1, [0, 4]]).all()
    assert found.nadir[1, 0] <= found.sampled_cells[1, 2:4, 0].min()


def test_a_subject_without_drug_rests_among_others_with_it() -> None:
    patient = pk.patient("hcc_reference")
    rest = np.array([patient.marrow.neutrophils, patient.marrow.leukocytes])
    found = marrow(np.nan, 2.0, np.array([0.0, 100.0]))
    np.testing.assert_array_equal(found.nadir[:, 0], rest)
    assert np.isnan(found.nadir_time[:, 0]).all()
    np.testing.assert_array_equal(found.sampled_cells[:, 1:4, 0], np.repeat(rest[:, None], 3, axis=1))
    assert np.isnan(found.nadir[0, 1])
    assert np.isnan(found.sampled_cells[0, :, 1]).all()
    assert found.nadir[1, 1] < 0.95 * rest[1]
    mixed = marrow(np.array([np.nan, 0.0]), 2.0)  # unknown in one subject, zero in the other
    assert np.isnan(mixed.nadir[0, 0])
    assert mixed.nadir[0, 1] == rest[0]
    np.testing.assert_array_equal(mixed.sampled_cells[0, 1:4, 1], rest[0])
    assert np.isnan(marrow(np.array([np.nan, 2.0]), 0.0).nadir[0, 0])  # a slope known in another subject only


def test_volumes_that_turn_amounts_into_concentrations() -> None:
    [batch] = lower([Run(pk.Scenario("hcc_reference", pk.iv("cisplatin", 50.0)), 24.0)])
    found, p = solve(batch.problem, np.array([6.0])), batch.problem.patient
    np.testing.assert_array_equal(found.parenchyma, [p.served, p.other])
    np.testing.assert_array_equal(found.extracellular, [p.tumour_extracellular, p.liver_extracellular])
    plasma = found.sampled[CENTRAL] / found.central_volume
    assert 0.0 < plasma[0, 0, 0] < found.plasma_cmax[0, 0]
