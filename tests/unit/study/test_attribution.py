"""Attribution against sums over all orders of joining, and where it has no value."""

from __future__ import annotations

from itertools import permutations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import pkmodel as pk
from pkmodel.study.attribution import (
    COALITIONS,
    EVERYBODY,
    LEAST_LOG_KILL,
    PLAYERS,
    attribute,
    reading_time,
    untreated_volume,
)

PAIRS = (("drug", "ischaemia"), ("drug", "retention"), ("ischaemia", "retention"))
Game = dict[frozenset[int], float]


def game(values: np.ndarray) -> Game:
    """The value of every coalition by its members."""
    return {
        frozenset(i for i, inside in enumerate(coalition) if inside): float(value)
        for coalition, value in zip(COALITIONS, values, strict=True)
    }


def brute_shapley(worth: Game, player: int) -> float:
    """Mean over all orders of joining of what a player adds."""
    orders = list(permutations(range(3)))
    gains = []
    for order in orders:
        before = frozenset(order[: order.index(player)])
        gains.append(worth[before | {player}] - worth[before])
    return sum(gains) / len(orders)


def brute_interaction(worth: Game, pair: set[int]) -> float:
    """Mean over all orders in which the pair joins as one, of the pair's second difference."""
    one, other = pair
    third = ({0, 1, 2} - pair).pop()
    return float(
        np.mean(
            [
                worth[frozenset(s | {one, other})]
                - worth[frozenset(s | {one})]
                - worth[frozenset(s | {other})]
                + worth[frozenset(s)]
                for s in (set(), {third})
            ]
        )
    )


log_kills = st.lists(st.floats(0.0, 8.0), min_size=7, max_size=7)


@given(log_kills)
@settings(max_examples=60, deadline=None)
def test_against_all_orders(kills: list[float]) -> None:
    value = np.array([0.0, *kills])
    untreated = np.array([0.13])
    found = attribute(untreated * np.exp(-value)[:, None], untreated)
    worth = game(value)
    total = value[EVERYBODY]
    assert found.total[0] == pytest.approx(total, abs=1e-12)
    for i, player in enumerate(PLAYERS):
        assert found.alone[player][0] == pytest.approx(worth[frozenset({i})], abs=1e-12)
        if total >= LEAST_LOG_KILL:
            assert found.share[player][0] * total == pytest.approx(brute_shapley(worth, i), abs=1e-11)
    for pair in PAIRS:
        numbers = {PLAYERS.index(name) for name in pair}
        assert found.interaction[pair][0] == pytest.approx(brute_interaction(worth, numbers), abs=1e-11)
    if total >= LEAST_LOG_KILL:
        assert sum(found.share[player][0] for player in PLAYERS) == pytest.approx(1.0, abs=1e-10)
    volume = game(-np.expm1(-value))
    for i, player in enumerate(PLAYERS):
        assert found.volume_share[player][0] == pytest.approx(brute_shapley(volume, i), abs=1e-12)
    whole = sum(found.volume_share[player][0] for player in PLAYERS)
    assert whole == pytest.approx(-np.expm1(-total), abs=1e-12)


def test_players_who_add_up_do_not_interact() -> None:
    """Bliss: independent log kills; each player gets his own and no pair interacts."""
    own = np.array([0.7, 1.9, 0.2])
    value = np.array([np.dot(own, coalition) for coalition in COALITIONS])
    found = attribute(np.exp(-value)[:, None], np.ones(1))
    for player, kill in zip(PLAYERS, own, strict=True):
        assert found.share[player][0] == pytest.approx(kill / own.sum(), rel=1e-12)
    assert all(abs(each[0]) < 1e-12 for each in found.interaction.values())


def test_a_player_who_adds_nothing_gets_nothing_and_twins_get_the_same() -> None:
    value = np.array([2.5 * max(a, b) for a, b, _ in COALITIONS])  # either of the first two does it all
    found = attribute(np.exp(-value)[:, None], np.ones(1))
    assert found.share["retention"][0] == 0.0
    assert found.share["drug"][0] == found.share["ischaemia"][0] == pytest.approx(0.5)
    assert found.interaction["drug", "ischaemia"][0] == pytest.approx(-2.5)


def test_nan_below_a_hundredth_lane_by_lane() -> None:
    total = np.array([0.0, 0.0099, 0.0101, 1.0])
    value = np.array([[sum(coalition) / 3.0] for coalition in COALITIONS]) * total
    found = attribute(np.exp(-value), np.ones(4))
    for player in PLAYERS:
        np.testing.assert_array_equal(np.isnan(found.share[player]), [True, True, False, False])
        np.testing.assert_allclose(found.share[player][2:], 1.0 / 3.0)
        assert np.isfinite(found.alone[player]).all()


def test_order_of_coalitions_is_that_of_the_switches() -> None:
    assert tuple(product((0.0, 1.0), repeat=3)) == COALITIONS
    assert COALITIONS[EVERYBODY] == (1.0, 1.0, 1.0)


@pytest.mark.parametrize("growth", ["exponential", "gompertz"])
def test_untreated_volume_is_the_course_without_a_session(growth: str) -> None:
    patient = pk.patient("hcc_reference").with_values({"tumour.growth_capacity": 2000.0, "tumour.growth": growth})
    times = np.array([0.0, 100.0, 2000.0])
    found = untreated_volume(patient, times)
    scenario = pk.Scenario(patient, pk.Regimen(()))
    course = pk.simulate(scenario, until_h=2000.0, times_h=times)
    np.testing.assert_allclose(1000.0 * found, course.viable_volume_ml(), rtol=1e-9)
    assert 1000.0 * found[0] == pytest.approx(patient.tumour.volume_ml, rel=1e-12)


def test_reading_time() -> None:
    np.testing.assert_array_equal(reading_time(np.array([0.0, 42.0 * 24.0])), [672.0, 1680.0])
