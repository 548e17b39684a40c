"""Runs as batches: the two samples that every run gets on top of those asked for."""

from __future__ import annotations

import numpy as np

import pkmodel as pk
from pkmodel.inputs.regimen import Regimen
from pkmodel.model.body import Run
from pkmodel.solve.runs import EXTRA_SAMPLES, READING, RETAINED, solve_runs


def run(regimen: Regimen, until_h: float = 900.0) -> Run:
    """The reference patient under a regimen."""
    return Run(pk.Scenario("hcc_reference", regimen), until_h)


def test_a_day_after_the_first_session_and_four_weeks_after_the_last() -> None:
    twice = pk.iv("cisplatin", 50.0, at_h=np.array([3.0, 5.0])) + pk.iv("cisplatin", 50.0, at_h=100.0)
    found = solve_runs([run(twice), run(Regimen(()))], [1.0, 7.0])
    np.testing.assert_array_equal(found.times[:2], np.outer([1.0, 7.0], np.ones(3)))
    assert found.times.shape == (2 + EXTRA_SAMPLES, 3)
    np.testing.assert_array_equal(found.times[RETAINED], [27.0, 29.0, np.nan])
    np.testing.assert_array_equal(found.times[READING], [772.0, 772.0, np.nan])
    assert np.isfinite(found.sampled[:, 0, :, :2]).all()
    assert np.isnan(found.sampled[:, 0, 2:, 2]).all()


def test_no_times_are_the_extra_samples_alone() -> None:
    found = solve_runs([run(pk.iv("cisplatin", 50.0))])
    np.testing.assert_array_equal(found.times[:, 0], [24.0, 672.0])
