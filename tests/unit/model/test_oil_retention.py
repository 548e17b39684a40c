"""Oil still in place, against half-lives counted by hand; what is no oil in the artery does not count."""

from __future__ import annotations

import numpy as np
import pytest

import pkmodel as pk
from pkmodel.inputs.regimen import Regimen
from pkmodel.model.timeline import oil_retained

DRUG = "cisplatin"
DAY = 24.0
HALF_LIFE_D = {"tumour": 20.0, "liver": 5.0, "lung": 10.0}


def oil(**values: object) -> pk.Carrier:
    """An emulsion whose half-lives differ between places."""
    stated = {f"retention_{place}": value for place, value in HALF_LIFE_D.items()}
    return pk.carrier("lipiodol_emulsion").with_values({**stated, **values})


def treatment(carrier: object, duration_h: float = 2.0, at_h: float = 0.0) -> Regimen:
    """One injection into the artery."""
    return pk.hepatic_artery(DRUG, 50.0, carrier=carrier, duration_h=duration_h, at_h=at_h)


def retained(regimen: Regimen, times: list[float], place: str = "tumour", lanes: int = 1) -> np.ndarray:
    """Share of the oil still in a place, (m, lanes)."""
    return oil_retained(regimen.sessions, np.asarray(times), place, lanes)


@pytest.mark.parametrize("place", list(HALF_LIFE_D))
def test_half_is_left_after_each_half_life_from_the_end_of_the_injection(place: str) -> None:
    half = HALF_LIFE_D[place] * DAY
    times = [0.0, 0.5, 2.0, 2.0 + half, 2.0 + 2.0 * half]
    found = retained(treatment(oil()), times, place)
    # before any oil has come there is no share; all that has come so far is there until the injection ends
    np.testing.assert_allclose(found[:, 0], [np.nan, 1.0, 1.0, 0.5, 0.25], rtol=1e-14)


def test_a_bolus_is_there_at_once() -> None:
    found = retained(treatment(oil(), duration_h=0.0, at_h=3.0), [2.999, 3.0, 3.0 + 20.0 * DAY])
    np.testing.assert_allclose(found[:, 0], [np.nan, 1.0, 0.5], rtol=1e-14)


def test_deposits_count_alike_and_while_they_grow_by_what_has_come() -> None:
    # the second deposit comes two half-lives after the end of the first; halfway through it: (1/4 + 1/2)/(1 + 1/2)
    second = 2.0 * 20.0 * DAY
    regimen = treatment(oil()) + treatment(oil(), at_h=second + 1.0)
    found = retained(regimen, [second + 2.0, second + 3.0, second + 2.0 + 20.0 * DAY])
    first = 0.25, 0.25 * 2.0 ** (-1.0 / 480.0), 0.125
    expected = [(first[0] + 0.5) / 1.5, (first[1] + 1.0) / 2.0, (first[2] + 2.0 ** (1.0 / 480.0 - 1.0)) / 2.0]
    np.testing.assert_allclose(found[:, 0], expected, rtol=1e-13)


def test_bland_oil_follows_the_drug_and_a_sponge_is_no_oil() -> None:
    dissolved = pk.hepatic_artery(DRUG, 50.0, duration_h=1.0)
    bland = pk.embolic("lipiodol").with_values({"retention_tumour": 20.0, "duration": 0.5})
    times = [1.0, 1.25, 1.5, 1.5 + 20.0 * DAY]
    alone = retained(dissolved + pk.embolisation(bland), times)
    np.testing.assert_allclose(alone[:, 0], [np.nan, 1.0, 1.0, 0.5], rtol=1e-14)
    with_sponge = retained(dissolved + pk.embolisation((bland, "gelatin_sponge")), times)
    np.testing.assert_array_equal(with_sponge, alone)


@pytest.mark.parametrize(
    "regimen",
    [
        pk.hepatic_artery(DRUG, 50.0),
        pk.chemoembolisation(DRUG, 50.0, carrier="beads"),
        pk.embolisation("gelatin_sponge"),
        pk.extravascular(DRUG, 50.0, carrier="lipiodol_emulsion"),
        Regimen(()),
    ],
    ids=["solution", "beads", "sponge", "oil outside the artery", "nothing"],
)
def test_without_oil_in_the_artery_there_is_no_share(regimen: Regimen) -> None:
    assert np.isnan(retained(regimen, [0.0, 1.0, 500.0])).all()


def test_lanes_have_half_lives_of_their_own() -> None:
    regimen = treatment(oil(retention_tumour=np.array([5.0, 10.0, 20.0])))
    found = retained(regimen, [2.0, 2.0 + 20.0 * DAY], lanes=3)
    np.testing.assert_allclose(found, [[1.0, 1.0, 1.0], [0.0625, 0.25, 0.5]], rtol=1e-14)


@pytest.mark.filterwarnings("ignore::pkmodel.errors.PlausibilityWarning")
def test_a_lane_whose_carrier_stays_for_good_has_no_share_and_the_others_keep_theirs() -> None:
    regimen = treatment(oil(retention_tumour=np.array([20.0, np.inf])))
    found = retained(regimen, [2.0, 2.0 + 20.0 * DAY], lanes=2)
    np.testing.assert_allclose(found, [[1.0, np.nan], [0.5, np.nan]], rtol=1e-14)
