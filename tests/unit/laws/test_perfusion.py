"""Blood supply: what is divided adds up, what is open stays open, limits of the catheter's reach."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pkmodel.laws import perfusion

unit = st.floats(0.0, 1.0)
share = st.floats(0.01, 0.99)
volume = st.floats(1e-4, 2.0)
flow = st.floats(1.0, 200.0)
preference = st.floats(0.1, 5.0)


def divided(
    arterial: float = 26.0,
    portal: float = 38.0,
    served: float = 0.7,
    other: float = 0.5,
    viable: tuple[float, float] = (0.1, 0.03),
    first: tuple[float, float] | None = None,
) -> perfusion.Flows:
    """Flows of one lane; core and escape zone with weights 0.98 and 0.55."""
    weight, start = np.array([[0.98], [0.55]]), np.array(first or viable)[:, None]
    mean = (weight * start).sum(axis=0) / start.sum(axis=0)
    return perfusion.divide(
        arterial=np.array([arterial]),
        portal=np.array([portal]),
        served_volume=np.array([served]),
        other_volume=np.array([other]),
        viable=np.array(viable)[:, None],
        first_viable=start,
        weight=weight,
        mean_weight=mean,
        perfusion_ratio=np.array([4.1]),
    )


@given(flow, flow, volume, volume, volume, volume)
def test_what_is_divided_adds_up(
    arterial: float, portal: float, served: float, other: float, core: float, escape: float
) -> None:
    found = divided(arterial, portal, served, other, (core, escape))
    per_volume = found.served_arterial[0] / served
    parenchyma = per_volume * (served + other)
    assert found.zone_arterial.sum() + parenchyma == pytest.approx(arterial, rel=1e-12)
    assert found.served_portal[0] == pytest.approx(portal * served / (served + other), rel=1e-12)
    foreign = (found.zone - found.zone_arterial).sum()  # (1 - a_z) F_z comes from other vessels
    assert found.hepatic[0] == pytest.approx(arterial + portal + foreign, rel=1e-12)
    # rho is what the artery gives the tumour over what it gives the parenchyma, per volume
    ratio = found.zone_arterial.sum() / (core + escape) / per_volume
    assert ratio == pytest.approx(4.1, rel=1e-12)


def test_flow_follows_the_viable_volume_down_to_a_hundredth() -> None:
    whole = divided()
    for viable, expected in (((0.05, 0.03), 0.05), ((0.001, 0.03), 0.001), ((1e-5, 0.03), 0.001)):
        found = divided(viable=viable, first=(0.1, 0.03))
        per_volume = found.served_arterial / whole.served_arterial
        assert found.zone[0, 0] / whole.zone[0, 0] == pytest.approx(expected / 0.1 * per_volume[0], rel=1e-12)


def test_without_liver_or_tumour_nothing_is_divided_by_zero() -> None:
    none = divided(served=0.0, other=0.0, viable=(0.0, 0.0), first=(1e-9, 1e-9))
    assert all(np.isfinite(each).all() for each in none)
    no_tumour = divided(viable=(0.0, 0.0), first=(1e-300, 1e-300))
    assert no_tumour.zone.sum() == pytest.approx(0.0, abs=1e-200)
    assert no_tumour.hepatic[0] == pytest.approx(64.0)


@given(st.floats(5.0, 300.0), st.floats(-6.0, 2.0), st.floats(-3.0, 6.0), st.floats(-3.0, 3.0))
def test_escape_share_is_logistic_in_log_diameter(d: float, b0: float, b1: float, eta: float) -> None:
    found = perfusion.escape_share(d, b0, b1, eta)
    assert 0.0 <= found <= 1.0
    if 1e-6 < found < 1.0 - 1e-6:
        assert np.log(found / (1.0 - found)) == pytest.approx(b0 + b1 * np.log(d / 30.0) + eta, abs=1e-6)
    assert perfusion.escape_share(30.0, b0, b1, 0.0) == pytest.approx(1.0 / (1.0 + np.exp(-b0)))


def test_escape_share_without_a_tumour_is_finite() -> None:
    assert np.isfinite(perfusion.escape_share(0.0, -3.72, 2.93, 0.0))


@given(share, unit, st.floats(0.05, 1.0))
def test_reach_keeps_what_the_artery_feeds(phi: float, weight: float, coverage: float) -> None:
    """The catheter's artery feeds c times what it fed: (1 - phi) 0.98 + phi a, before and after."""
    wider, reached = perfusion.reach(phi, weight, coverage)
    before = (1.0 - phi) * 0.98 + phi * weight
    after = (1.0 - wider) * 0.98 + wider * reached
    assert after == pytest.approx(coverage * before, rel=1e-12)
    assert wider >= phi * (1.0 - 1e-12)


def test_reach_in_its_limits() -> None:
    assert [float(x) for x in perfusion.reach(0.2, 0.55, 1.0)] == pytest.approx([0.2, 0.55])
    assert [float(x) for x in perfusion.reach(0.2, 0.55, 0.0)] == [1.0, 0.0]
    assert np.isfinite(perfusion.reach(0.0, 0.55, 1.0)).all()


@given(flow, unit, unit, unit)
def test_the_artery_takes_over_lost_portal_flow(total: float, arterial: float, buffer: float, open_: float) -> None:
    artery, portal = perfusion.liver_inflow(total, arterial, buffer, open_)
    lost = (1.0 - arterial) * total * (1.0 - open_)
    assert artery + portal == pytest.approx(total - (1.0 - buffer) * lost, rel=1e-12)
    assert artery >= arterial * total * (1.0 - 1e-12)


@given(preference, unit, unit)
def test_shares_of_an_injection_sum_to_one(theta: float, tumour_open: float, served_open: float) -> None:
    shares = perfusion.split(divided(), target_preference=theta, patent_tumour=tumour_open, patent_served=served_open)
    flowing = tumour_open > 0.0 or served_open > 0.0
    assert shares.sum() == pytest.approx(1.0 if flowing else 0.0, rel=1e-12)
    assert np.all(shares >= 0.0)


def test_preference_and_occlusion_shift_the_split() -> None:
    def tumour_share(**changed: float) -> float:
        state = {"target_preference": 1.0, "patent_tumour": 1.0, "patent_served": 1.0} | changed
        return float(perfusion.split(divided(), **state)[:2].sum())

    plain = tumour_share()
    flows = divided()
    inflow = flows.zone_arterial.sum()
    assert plain == pytest.approx(inflow / (inflow + flows.served_arterial[0]), rel=1e-12)
    assert tumour_share(target_preference=2.0) > plain > tumour_share(patent_tumour=0.5)
    assert tumour_share(patent_tumour=0.3, patent_served=0.3) == pytest.approx(plain, rel=1e-12)
    assert tumour_share(patent_served=0.0) == 1.0


@given(preference, unit, unit)
def test_injectable_is_what_is_left_of_the_carrying_flow(theta: float, tumour_open: float, served_open: float) -> None:
    flows = divided()
    state = {"patent_tumour": tumour_open, "patent_served": served_open}
    found = perfusion.injectable(flows, target_preference=theta, **state)[0]
    assert min(tumour_open, served_open) - 1e-12 <= found <= max(tumour_open, served_open) + 1e-12
    no_artery = divided(arterial=0.0)
    assert perfusion.injectable(no_artery, target_preference=theta, **state)[0] == 0.0


@given(unit, unit, unit)
def test_supply_between_collaterals_and_one(patent: float, weight: float, collateral: float) -> None:
    w = np.array([[weight], [0.0]])
    found = perfusion.supply(np.array([patent]), w, collateral)
    expected = collateral + (1.0 - collateral) * (weight * patent + 1.0 - weight)
    assert found[0, 0] == pytest.approx(expected, abs=1e-14)
    assert found[1, 0] == pytest.approx(1.0)  # fed by other vessels alone: never blocked
    assert perfusion.supply(np.ones(1), w, collateral) == pytest.approx(1.0)


def test_oxygen_comes_by_artery_and_portal_vein() -> None:
    assert perfusion.oxygen_weight(20.0, 60.0) == pytest.approx(36.0 / (36.0 + 43.8))
    assert perfusion.oxygen_weight(20.0, 0.0) == 1.0
    assert perfusion.oxygen_weight(0.0, 60.0) == 0.0
    assert perfusion.oxygen_weight(0.0, 0.0) == 1.0


@pytest.mark.parametrize("size", [1.0, 1e-3])
def test_flows_of_a_small_animal_are_divided_alike(size: float) -> None:
    """Shares do not depend on the unit of flow and volume: below 1 L/h all is as above it."""
    large, small = divided(), divided(26.0 * size, 38.0 * size, 0.7 * size, 0.5 * size, (0.1 * size, 0.03 * size))
    for one, other in zip(large, small, strict=True):
        np.testing.assert_allclose(other, size * one, rtol=1e-12)
    state = {"target_preference": 2.0, "patent_tumour": 0.3, "patent_served": 0.6}
    np.testing.assert_allclose(perfusion.split(small, **state), perfusion.split(large, **state), rtol=1e-12)
    tumour, served = 2.0 * large.zone_arterial.sum(), large.served_arterial[0]
    left = (0.3 * tumour + 0.6 * served) / (tumour + served)
    assert perfusion.injectable(small, **state)[0] == pytest.approx(left, rel=1e-12)
    assert perfusion.oxygen_weight(20.0 * size, 60.0 * size) == pytest.approx(36.0 / (36.0 + 43.8), rel=1e-12)


def test_injectable_is_for_every_lane_its_own() -> None:
    one = np.ones(3)
    flows = perfusion.Flows(
        np.array([[2.0, 4.0, 0.0], [1.0, 0.0, 0.0]]), np.array([[2.0, 4.0, 0.0], [1.0, 0.0, 0.0]]),
        np.array([3.0, 6.0, 0.0]), one, one, one,
    )  # fmt: skip
    found = perfusion.injectable(flows, target_preference=1.0, patent_tumour=0.5, patent_served=1.0)
    np.testing.assert_allclose(found, [(1.5 + 3.0) / 6.0, (2.0 + 6.0) / 10.0, 0.0], rtol=1e-14)


def test_escape_share_of_a_tiny_tumour() -> None:
    assert perfusion.escape_share(0.3, 0.0, 1.0, 0.0) == pytest.approx(0.01 / 1.01, rel=1e-12)
