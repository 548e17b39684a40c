"""Blood-cell law and its toxicity grade."""

from __future__ import annotations

import math

import numpy as np
import pytest

from pkmodel.errors import ParameterError
from pkmodel.laws.marrow import STATES, ctcae_neutropenia_grade, friberg_baseline, friberg_rates

MARROW = {"circ0": 5.05, "mtt_h": 120.0, "gamma": 0.161}


def test_marrow_without_drug_is_at_rest() -> None:
    rates = friberg_rates(friberg_baseline(5.05), effect=0.0, **MARROW)
    np.testing.assert_allclose(rates, 0.0, atol=1e-15)


def test_drug_acts_on_the_proliferating_pool_only_and_without_a_bound() -> None:
    k = 4.0 / MARROW["mtt_h"]
    for effect in (0.3, 1.0, 9.0):
        rates = friberg_rates(friberg_baseline(5.05), effect=effect, **MARROW)
        assert rates[0] == pytest.approx(-k * effect)
        np.testing.assert_allclose(rates[1:], 0.0, atol=1e-15)


def test_few_circulating_cells_speed_proliferation_up() -> None:
    state = friberg_baseline(5.05)
    state[4] = 5.05 / 2.0
    k = 4.0 / MARROW["mtt_h"]
    rates = friberg_rates(state, effect=0.0, **MARROW)
    assert rates[0] == pytest.approx(k * (2.0**0.161 - 1.0))
    assert rates[4] == pytest.approx(k * 5.05 / 2.0)


def test_cells_pass_from_compartment_to_compartment() -> None:
    state, k = np.array([np.log(3.0), 2.0, 7.0, 4.0, 5.05]), 4.0 / MARROW["mtt_h"]
    rates = friberg_rates(state, effect=0.0, **MARROW)
    np.testing.assert_allclose(rates[1:], [k * (3.0 - 2.0), k * (2.0 - 7.0), k * (7.0 - 4.0), k * (4.0 - 5.05)])


def test_lanes_of_the_state_alone() -> None:
    assert friberg_rates(friberg_baseline([2.0, 3.0, 4.0]), effect=0.0, **MARROW).shape == (5, 3)


def test_lanes_broadcast_and_equal_single_runs() -> None:
    rng = np.random.default_rng(7)
    state = rng.uniform(0.5, 5.0, (5, 4))
    effect, mtt = rng.uniform(0.0, 3.0, 4), rng.uniform(80.0, 130.0, 4)
    together = friberg_rates(state, effect=effect, circ0=5.0, mtt_h=mtt, gamma=0.2)
    assert together.shape == (len(STATES), 4)
    for lane in range(4):
        alone = friberg_rates(state[:, lane], effect=effect[lane], circ0=5.0, mtt_h=mtt[lane], gamma=0.2)
        np.testing.assert_allclose(together[:, lane], alone, rtol=1e-14)
    out = np.empty((5, 4))
    assert friberg_rates(state, effect=effect, circ0=5.0, mtt_h=mtt, gamma=0.2, out=out) is out
    np.testing.assert_array_equal(out, together)
    assert friberg_rates(state[:, 0], effect=effect, circ0=5.0, mtt_h=100.0, gamma=0.2).shape == (5, 4)


def test_baseline_of_several_patients() -> None:
    state = friberg_baseline([2.0, 5.0])
    np.testing.assert_allclose(np.exp(state[0]), [2.0, 5.0])
    np.testing.assert_array_equal(state[1:], [[2.0, 5.0]] * 4)


def test_few_cells_are_a_baseline_too() -> None:
    np.testing.assert_allclose(friberg_baseline(0.5), [np.log(0.5), 0.5, 0.5, 0.5, 0.5])


@pytest.mark.parametrize("circ0", [0.0, -1.0, math.nan, math.inf, [5.0, 0.0]])
def test_impossible_baseline(circ0: float) -> None:
    with pytest.raises(ParameterError, match=r"circ0 = .* 1e9/L; legal range \(0, inf\)"):
        friberg_baseline(circ0)


@pytest.mark.parametrize(
    ("nadir", "grade"),
    [
        (5.0, 0), (2.0, 0), (1.999, 1), (1.5, 1), (1.499, 2), (1.0, 2),
        (0.999, 3), (0.5, 3), (0.499, 4), (0.0, 4),
    ],
)  # fmt: skip
def test_grade_of_neutropenia(nadir: float, grade: int) -> None:
    found = ctcae_neutropenia_grade(nadir)
    assert isinstance(found, float)
    assert found == grade


def test_grades_of_many_keep_what_is_unknown() -> None:
    found = ctcae_neutropenia_grade([[3.0, math.nan], [0.2, 1.2]])
    np.testing.assert_array_equal(found, [[0.0, math.nan], [4.0, 2.0]])
    assert math.isnan(ctcae_neutropenia_grade(math.nan))


def test_lower_limit_of_normal_of_another_laboratory() -> None:
    assert ctcae_neutropenia_grade(1.7, lower_normal_1e9_per_l=1.6) == 0.0
    assert ctcae_neutropenia_grade(1.55, lower_normal_1e9_per_l=1.6) == 1.0
    with pytest.raises(ParameterError, match=r"lower_normal_1e9_per_l = 1.2 .*\[1.5, inf\)"):
        ctcae_neutropenia_grade(1.7, lower_normal_1e9_per_l=1.2)


def test_negative_count() -> None:
    with pytest.raises(ParameterError, match=r"nadir_1e9_per_l = -0.1 1e9/L; legal range \[0, inf\)"):
        ctcae_neutropenia_grade([1.0, -0.1, math.nan])


def test_the_lower_limit_of_normal_may_be_where_grade_2_begins() -> None:
    found = ctcae_neutropenia_grade([1.6, 1.5, 1.4], lower_normal_1e9_per_l=1.5)
    np.testing.assert_array_equal(found, [0.0, 0.0, 2.0])  # no room for grade 1
