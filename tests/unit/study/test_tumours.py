"""Cohorts of tumours on evenly spread points."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import logit

import pkmodel as pk
from pkmodel.study.tumours import cohort_of
from pkmodel.study.variability import logit_spread


@pytest.fixture(scope="module")
def scenario() -> pk.Scenario:
    given = pk.chemoembolisation("doxorubicin", 50, carrier="lipiodol_emulsion", embolic="gelatin_sponge")
    return pk.Scenario("hcc_reference", given)


def test_deviations_have_the_declared_spread(scenario: pk.Scenario) -> None:
    cohort = cohort_of(scenario, 2000)
    assert cohort.size == 2000
    deviation = cohort.get("patient.tumour.escape_deviation")
    assert np.std(deviation) == pytest.approx(scenario.get("patient.tumour.escape_spread"), rel=0.02)
    assert np.mean(deviation) == pytest.approx(0.0, abs=0.02)
    potency = np.log(cohort.get("drug.doxorubicin.kill.potency") / scenario.get("drug.doxorubicin.kill.potency"))
    assert np.std(potency) == pytest.approx(scenario.get("drug.doxorubicin.kill.potency_spread"), rel=0.02)
    for path in ("embolic.gelatin_sponge.occlusion", "carrier.lipiodol_emulsion.occlusion"):
        typical, cv = scenario.get(path), scenario.origin(path).cv
        moved = logit(cohort.get(path)) - logit(typical)
        assert np.std(moved) == pytest.approx(logit_spread(typical, cv), rel=0.02)
        assert np.mean(moved) == pytest.approx(0.0, abs=0.03)


def test_deviations_are_independent_of_each_other(scenario: pk.Scenario) -> None:
    cohort = cohort_of(scenario, 2000)
    paths = ("patient.tumour.escape_deviation", "drug.doxorubicin.kill.potency", "embolic.gelatin_sponge.occlusion")
    values = np.array([np.log(cohort.get(p)) if "escape" not in p else cohort.get(p) for p in paths])
    assert np.abs(np.corrcoef(values) - np.eye(3)).max() < 0.05


def test_every_lane_gets_the_same_points_around_its_own_values(scenario: pk.Scenario) -> None:
    path = "embolic.gelatin_sponge.occlusion"
    moved = scenario.with_values({path: [0.5, 0.8], "patient.liver.flow": [1000.0, 1100.0]})
    cohort = cohort_of(moved, 16, like=scenario)
    odds = logit(cohort.get(path))
    np.testing.assert_allclose(odds[:16] - logit(0.5), odds[16:] - logit(0.8))
    np.testing.assert_array_equal(cohort.get("patient.liver.flow"), np.repeat([1000.0, 1100.0], 16))
    same = cohort.get("patient.tumour.escape_deviation")
    np.testing.assert_array_equal(same[:16], same[16:])


def test_without_the_first_scenario_a_moved_occlusion_has_lost_its_variability(scenario: pk.Scenario) -> None:
    moved = scenario.with_value("embolic.gelatin_sponge.occlusion", [0.5, 0.8])
    assert len(set(cohort_of(moved, 16).get("embolic.gelatin_sponge.occlusion"))) == 2
