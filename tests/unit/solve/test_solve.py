"""Blocks, samples and the limit of steps: what a lane must not notice, and what ends a lane alone."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest

import pkmodel as pk
from pkmodel.model.body import Run, lower
from pkmodel.model.problem import Problem
from pkmodel.solve import drive
from pkmodel.solve.drive import Options, solve
from pkmodel.solve.solution import Solution

TIMES = np.array([0.0, 0.1, 3.0, 24.0])
UNTIL_H = 48.0


def problem(dose_mg: object) -> Problem:
    """Lanes of the reference patient that differ in their dose into the artery."""
    regimen = pk.hepatic_artery("doxorubicin", dose_mg, duration_h=0.25)
    [batch] = lower([Run(pk.Scenario("hcc_reference", regimen), UNTIL_H)])
    return batch.problem


def assert_same(found: Solution, expected: Solution, lanes: slice = slice(None)) -> None:
    """All that is kept of some lanes is the same to the last bit."""
    assert found.reasons[lanes] == expected.reasons
    for field in fields(Solution):
        if field.name != "reasons":
            part = getattr(found, field.name)[..., lanes]
            np.testing.assert_array_equal(part, getattr(expected, field.name), err_msg=field.name)


def test_blocks_are_solved_apart_and_put_back_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = problem(np.array([10.0, 20.0, 30.0, 40.0, 50.0]))
    volume = whole.drug.v1.copy()
    volume[:, 3] = np.nan  # this lane fails; its reason must stay with it
    whole = replace(whole, drug=replace(whole.drug, v1=volume))
    times = TIMES[:, None] + 0.1 * np.arange(5)  # every lane has times of its own
    monkeypatch.setattr(drive, "BLOCK", 2)
    found = solve(whole, times)
    assert found.failed.tolist() == [False, False, False, True, False]
    np.testing.assert_array_equal(found.dose[0], [10.0, 20.0, 30.0, 40.0, 50.0])
    np.testing.assert_array_equal(found.times, times)
    for start in (0, 2, 4):
        lanes = slice(start, min(start + 2, 5))
        assert_same(found, solve(whole.take(lanes), times[:, lanes]), lanes)


def test_samples_leave_the_course_as_it_is() -> None:
    whole = problem(np.array([10.0, 50.0]))
    sampled, plain = solve(whole, TIMES), solve(whole)
    assert np.isfinite(sampled.sampled).all()
    assert plain.times.shape == (0, 2)
    for name in ("sampled", "sampled_depot", "sampled_flow", "sampled_viable", "sampled_cells"):
        assert getattr(plain, name).shape[-2:] == (0, 2), name
    for name in (field.name for field in fields(Solution)):
        if name not in ("reasons", "times") and not name.startswith("sampled"):
            np.testing.assert_array_equal(getattr(plain, name), getattr(sampled, name), err_msg=name)


def test_a_lane_that_needs_too_many_steps_fails_alone() -> None:
    # without drug there is nothing that asks for small steps, so that the second lane rules them all
    whole = problem(np.array([0.0, 50.0]))
    found = solve(whole, TIMES, Options(max_steps=8))
    assert found.reasons == (None, "more than 8 steps in one segment")
    assert np.isnan(found.amounts[..., 1]).all()
    assert np.isnan(found.sampled[..., 1]).all()
    np.testing.assert_array_equal(found.dose[0], [0.0, 50.0])  # what was asked for stays
    assert np.all(found.amounts[..., 0] == 0.0)
    p = whole.patient
    damping, rate = p.growth_damping[0], p.growth_rate[0]
    assert damping == 0.0
    np.testing.assert_allclose(found.viable[:, 0], p.zone_volume[:, 0] * np.exp(rate * UNTIL_H), rtol=1e-9)


def test_a_limit_of_steps_that_suffices_changes_nothing() -> None:
    whole = problem(50.0)
    assert_same(solve(whole, TIMES, Options(max_steps=200)), solve(whole, TIMES))
