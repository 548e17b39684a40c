"""Closed forms of MODEL section 8: clearance, availability, regional advantage, on 1,000 random sets a drug.

Linear drugs (Michaelis constants set to infinity), constant flow. Clearances, flows and shares on the
right-hand sides are worked out by `sets.anatomy` from the columns; the solver appears on the left-hand sides
only. AUCs run to infinity: integrated up to the horizon, the rest by the solver's own solve on the tree.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
import pytest
import sets

import pkmodel as pk
from pkmodel.inputs.materials import ReleaseParameters
from pkmodel.laws.clearance import in_series, regional_advantage
from pkmodel.model.body import Run, lower
from pkmodel.model.network import read_geometry, steady_extraction
from pkmodel.solve.solution import Solution

# random sets are legal, and implausible on purpose
pytestmark = pytest.mark.filterwarnings("ignore::pkmodel.errors.PlausibilityWarning")

RTOL = 1e-6
UNTIL_H = 24.0
DOSE_MG = 50.0

each_drug = pytest.mark.parametrize("name", sets.DRUGS)


class Pair(NamedTuple):
    """A set's anatomy, and its courses after the same dose into the artery and into a vein."""

    run: Run
    anatomy: sets.Anatomy
    artery: Solution
    vein: Solution

    def target(self, what: str) -> sets.Array:
        """R_t: exposure of a target after arterial over intravenous dosing, both to infinity."""
        return sets.infinite(self.artery, what) / sets.infinite(self.vein, what)


def follow(drawn: sets.Draw, until_h: float = UNTIL_H) -> Pair:
    """Solve artery and vein of a set as one batch."""
    runs = [
        drawn.run(pk.hepatic_artery(drawn.drug, DOSE_MG, duration_h=0.1), until_h),
        drawn.run(pk.iv(drawn.drug, DOSE_MG, duration_h=0.25), until_h),
    ]
    assert len(lower(runs)) == 1
    both = sets.solved(*runs)
    n = drawn.drug.size
    artery, vein = sets.lanes(both, slice(0, n)), sets.lanes(both, slice(n, None))
    return Pair(runs[0], sets.anatomy(runs[0].scenario), artery, vein)


@lru_cache
def general(name: str) -> Pair:
    """Linear, shunts of liver and tumour at random, losses everywhere."""
    return follow(sets.draw(name, seed=1).linear())


@lru_cache
def unshunted(name: str) -> Pair:
    """As `general` but without the shunt of the liver."""
    return follow(sets.draw(name, seed=1).linear().unshunted())


@lru_cache
def lossless(name: str) -> Pair:
    """A tumour without loss and one zone in effect: coverage whole, no escape tissue."""
    drawn = sets.draw(name, seed=2).linear().unshunted()
    return follow(
        drawn.changed(
            drug={"tumour.loss_extracellular": 0.0, "tumour.loss_cellular": 0.0},
            patient={"tumour.escape_intercept": -50.0},
            catheter={"coverage": 1.0},
        )
    )


@lru_cache
def liver_alone(name: str) -> Pair:
    """No tumour, no shunt: the served liver is all that is injected; followed until nothing is left."""
    drawn = sets.draw(name, seed=3).linear().unshunted()
    silent = {
        "marrow.neutrophil_slope": 0.0,
        "marrow.leukocyte_slope": 0.0,
    }  # nothing but transport takes steps
    absent = {"tumour.diameter": 0.0, "tumour.shunt": 0.0}
    return follow(drawn.changed(drug=silent, patient=absent), until_h=1e5)


@each_drug
@pytest.mark.parametrize("kind", [unshunted, general])
def test_clearance_is_the_sum_of_its_routes(name: str, kind) -> None:  # type: ignore[no-untyped-def]
    pair = kind(name)
    assert pair.artery.clearance.shape == (1, sets.N)
    assert sets.worst(pair.vein.clearance[0], pair.anatomy.clearance()) < RTOL


@each_drug
@pytest.mark.parametrize("kind", [unshunted, general])
def test_intravenous_exposure_is_dose_over_clearance(name: str, kind) -> None:  # type: ignore[no-untyped-def]
    pair = kind(name)
    assert sets.worst(sets.infinite(pair.vein), DOSE_MG / pair.anatomy.clearance()) < RTOL


@each_drug
@pytest.mark.parametrize("kind", [unshunted, general])
def test_arterial_exposure_is_availability_times_dose_over_clearance(name: str, kind) -> None:  # type: ignore[no-untyped-def]
    pair = kind(name)
    available = pair.anatomy.availability()
    assert np.all((available > 0.0) & (available <= 1.0))
    assert sets.worst(sets.infinite(pair.artery), available * DOSE_MG / pair.anatomy.clearance()) < RTOL


@each_drug
def test_regional_advantage_of_a_zone_without_loss(name: str) -> None:
    pair = lossless(name)
    a = pair.anatomy
    delivered = (1.0 - a.patient.tumour_shunt) * a.share[0]
    expected = regional_advantage(
        a.clearance(), zone_flow=a.zone_flow[0], availability=a.availability(), share=delivered
    )
    assert sets.worst(pair.target("tissue"), expected) < RTOL
    assert sets.worst(pair.target("extracellular"), expected) < RTOL
    by_hand = a.availability() + (1.0 - a.patient.tumour_shunt) * a.share[0] * a.clearance() / a.zone_flow[0]
    assert sets.worst(expected, by_hand) < 1e-12


@each_drug
def test_targeting_is_regional_advantage_over_availability(name: str) -> None:
    pair = lossless(name)
    assert np.all(pair.anatomy.zone_flow[1] < 1e-9 * pair.anatomy.zone_flow[0])
    plasma = sets.infinite(pair.artery) / sets.infinite(pair.vein)
    assert sets.worst(plasma, pair.anatomy.availability()) < RTOL
    a = pair.anatomy
    delivered = (1.0 - a.patient.tumour_shunt) * a.share[0]
    expected = 1.0 + delivered * a.clearance() / (a.zone_flow[0] * a.availability())
    assert sets.worst(pair.target("tissue") / plasma, expected) < RTOL


@each_drug
def test_regional_advantage_of_the_served_liver(name: str) -> None:
    pair = liver_alone(name)
    a = pair.anatomy
    kept, flow = a.kept()[0], a.flow[0]
    assert np.all(a.share[2] == 1.0)
    assert np.max(pair.vein.amounts) < 1e-9 * DOSE_MG  # nothing is left: these AUCs are to infinity
    target = pair.artery.served_auc[0] / pair.vein.served_auc[0]
    assert sets.worst(target, kept + a.clearance() / flow) < RTOL
    plasma = pair.artery.plasma_auc[0] / pair.vein.plasma_auc[0]
    assert sets.worst(plasma, kept) < RTOL
    assert sets.worst(target / plasma, 1.0 + a.clearance() / (flow * kept)) < RTOL


@each_drug
def test_textbook_limit_needs_a_whole_share_and_no_extraction(name: str) -> None:
    # only s -> 1 and E -> 0 give 1 + CL/Q
    drawn = sets.draw(name, seed=4).linear().unshunted()
    pair = follow(
        drawn.changed(
            drug={"extraction": 0.0, "tumour.loss_extracellular": 0.0, "tumour.loss_cellular": 0.0},
            patient={
                "tumour.escape_intercept": -50.0,
                "tumour.shunt": 0.0,
                "liver.parenchyma_volume": 1e-6 * drawn.patient.liver.parenchyma_volume,
            },
            catheter={"coverage": 1.0},
        )
    )
    a = pair.anatomy
    assert np.min(a.share[0]) > 1.0 - 1e-3
    textbook = 1.0 + a.clearance() / a.zone_flow[0]
    assert np.max(np.abs(pair.target("tissue") / textbook - 1.0) - (1.0 - a.share[0])) < RTOL


@each_drug
def test_extraction_with_a_shunt(name: str) -> None:
    # 1 - E = sh + (1 - sh) Q/(Q + CLi'): what a vein carries out of a perfused liver, here from the columns
    pair = general(name)
    a = pair.anatomy
    shunt, flow = a.patient.liver_shunt, a.flow
    liver = np.stack([a.patient.served, a.patient.other])
    uptake = in_series(a.drug.liver_ps[0] * liver, a.drug.liver_clint[0] * liver)
    through = (1.0 - shunt) * flow
    assert sets.worst(a.kept(), shunt + (1.0 - shunt) * through / (through + uptake)) < 1e-12
    [batch] = lower([pair.run])
    geometry = read_geometry(batch.problem, a.patient.zone_volume, np.zeros((2, sets.N)))
    assert sets.worst(steady_extraction(batch.problem, geometry)[0], 1.0 - a.kept()[0]) < RTOL


@each_drug
def test_slow_release_leaves_exposure_to_infinity_as_it_was(name: str) -> None:
    # constant flow, complete release: the law drops out (no text may claim AUC from slow release alone)
    drawn = sets.draw(name, seed=5).linear()
    still = {"occlusion": 0.0, "lung_share": 0.0, "target_preference": 1.0, "prompt_fraction": 0.0}
    rate = drawn.rng.uniform(0.05, 2.0, sets.N)
    law = ReleaseParameters(law="first_order", rate=rate)
    depot = sets.quietly(pk.carrier("lipiodol_emulsion"), still).replace(release=law, variants=())
    quiet = drawn.changed(patient={"tumour.shunt": 0.0, "liver.shunt": 0.0})
    held = sets.solved(
        quiet.run(pk.chemoembolisation(quiet.drug, DOSE_MG, carrier=depot, duration_h=0.1), 400.0)
    )
    free = sets.solved(quiet.run(pk.hepatic_artery(quiet.drug, DOSE_MG, duration_h=0.1), 400.0))
    for what in ("plasma", "extracellular"):
        assert sets.worst(sets.infinite(held, what), sets.infinite(free, what)) < RTOL
    assert np.all(held.plasma_cmax < free.plasma_cmax)
