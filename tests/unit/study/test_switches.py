"""Structural switches: drug evenly in both zones, and rankings that turn round."""

from __future__ import annotations

import numpy as np
import pytest

import pkmodel as pk
from pkmodel.model.body import Run
from pkmodel.solve.runs import solve_runs
from pkmodel.study.switches import _turned, switches


def viable(scenario: pk.Scenario, mixed: float) -> np.ndarray:
    """Viable volume of the zones after ten days [L]."""
    return np.asarray(solve_runs([Run(scenario, 240.0, mixed=mixed)], [240.0]).sampled_viable[:, 0, 0])


def test_evenly_spread_drug_kills_both_zones_alike() -> None:
    """Without ischaemia and with equal zones' growth, both zones then lose the same share; apart they do not."""
    scenario = pk.Scenario("hcc_reference", pk.hepatic_artery("cisplatin", 100)).with_values(
        {"patient.tumour.doubling_time": 2000.0, "drug.cisplatin.kill.potency": 1.0}
    )
    start = viable(scenario.with_value("drug.cisplatin.kill.potency", 0.0), 0.0)
    even, apart = (viable(scenario, mixed) / start for mixed in (1.0, 0.0))
    assert even[0] == pytest.approx(even[1], rel=1e-6)
    assert abs(apart[0] - apart[1]) > 1e-2
    assert min(apart) < even[0] < max(apart)


def test_the_switch_needs_a_tumour_to_do_anything() -> None:
    scenario = pk.Scenario("pig", pk.hepatic_artery("cisplatin", 100))
    found = solve_runs([Run(scenario, 48.0, mixed=mixed) for mixed in (0.0, 1.0)], [48.0])
    assert found.reasons == (None, None)
    assert found.plasma_auc[0, 0] == pytest.approx(found.plasma_auc[0, 1], rel=1e-9)


def test_every_switch_has_every_arm() -> None:
    arms = ("iv", "bland_embolisation", "emulsion_sponge")
    found = switches(drug="doxorubicin", arms=arms)
    assert [each.switch for each in found] == [
        "as declared", "drug even over both zones", "geometry read every 7 d", "hypoxia factor 0.5",
        "hypoxia factor 3.3", "potency at the low end of its range", "potency at the high end of its range",
    ]  # fmt: skip
    for each in found:
        assert set(each.necrosis) == set(arms)
    usual = found[0].necrosis
    assert usual["emulsion_sponge"] == pytest.approx(
        pk.compare(drug="doxorubicin", arms=["emulsion_sponge"]).row("emulsion_sponge")["necrosis_percent"], rel=1e-4
    )
    assert found[-1].necrosis["iv"] > usual["iv"] > found[-2].necrosis["iv"]
    assert found[-1].necrosis["bland_embolisation"] == pytest.approx(usual["bland_embolisation"], rel=1e-4)


def test_pairs_that_turn_round() -> None:
    usual = {"a": 60.0, "b": 50.0, "c": 49.5}
    assert _turned(usual, {"a": 40.0, "b": 50.0, "c": 55.0}) == (("a", "b"), ("a", "c"))
    assert _turned(usual, {"a": 60.0, "b": 50.0, "c": 70.0}) == (("a", "c"),)  # b and c were equal
