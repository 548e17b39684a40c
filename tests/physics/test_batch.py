"""Batches: lanes of very different lengths together, each as it would be alone, and a bad one alone bad."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np
import pytest
import sets

import pkmodel as pk
from pkmodel.model.body import Run, lower
from pkmodel.model.graph import CENTRAL
from pkmodel.model.problem import Problem
from pkmodel.solve.drive import Options, solve
from pkmodel.solve.solution import Solution

# random sets are legal, and implausible on purpose
pytestmark = pytest.mark.filterwarnings("ignore::pkmodel.errors.PlausibilityWarning")

SECOND, QUARTER, DAY = 1.0 / 3600.0, 0.25, 24.0
DURATIONS_H = (0.0, SECOND, QUARTER, DAY)
DOSE_MG = 20.0
CHECKED = 15  # lanes of every drug that are solved alone, 60 in all; `-m slow` solves all of them
TIMES = np.array([0.05, 0.5, 2.0, 8.0, 30.0, 48.0])
SAME = {1e-7: 1e-6, 1e-5: 2e-5}

each_drug = pytest.mark.parametrize("name", sets.DRUGS)


def one_compartment(name: str, seed: int) -> tuple[sets.Draw, sets.Array, sets.Array]:
    """Sets without liver, tumour and peripherals; their clearance [L/h] and volume [L]."""
    drawn = sets.draw(name, seed=seed)
    drawn = drawn.changed(
        drug={"extraction": 0.0, "q2": 0.0, "v2": 0.0, "q3": 0.0, "v3": 0.0, "km_other": np.inf,
              "marrow.neutrophil_slope": 0.0, "marrow.leukocyte_slope": 0.0},
        patient={"liver.flow": 0.0, "liver.parenchyma_volume": 0.0, "tumour.diameter": 0.0, "bsa": 1.8},
    )  # fmt: skip
    return drawn, np.asarray(drawn.drug.cl_total), np.asarray(drawn.drug.v1)


def closed_form(
    time: sets.Array, length: sets.Array, clearance: sets.Array, volume: sets.Array
) -> sets.Array:
    """Concentration [mg/L] of a one-compartment infusion, a bolus where its length is zero."""
    rate = clearance / volume
    running = np.clip(time, 0.0, length)
    span = np.where(length > 0.0, length, 1.0)
    gathered = -np.expm1(-rate * running) / (rate * span)
    start = np.where(length > 0.0, gathered, 1.0)
    return DOSE_MG / volume * start * np.exp(-rate * (time - running))


@each_drug
def test_infusions_of_nothing_to_a_day_share_a_batch(name: str) -> None:
    drawn, clearance, volume = one_compartment(name, 31)
    length = np.resize(DURATIONS_H, sets.N)
    regimen = pk.iv(drawn.drug, DOSE_MG, duration_h=length)
    assert len(lower([drawn.run(regimen, 48.0)])) == 1
    half_lives = np.log(2.0) * volume / clearance
    times = np.array([1e-4, SECOND, 0.1, QUARTER, 1.0, 4.0, DAY, 30.0])
    solution = sets.solved(drawn.run(regimen, 48.0), times=times, rtol=1e-7)
    found = solution.sampled[CENTRAL, 0, : times.size] / volume
    expected = closed_form(times[:, None], length, clearance, volume)
    peak = expected.max(axis=0)
    alive = times[:, None] < length + 40.0 * half_lives  # later both are nothing
    off = np.abs(found - expected) / np.maximum(expected, 1e-4 * peak)
    assert np.max(off[alive]) < 1e-6
    assert sets.worst(solution.plasma_cmax[0], closed_form(length, length, clearance, volume)) < 1e-6
    assert sets.worst(sets.infinite(solution), DOSE_MG / clearance) < 1e-9
    assert np.max(solution.balance) < 1e-9


@each_drug
def test_a_second_in_half_a_year_loses_nothing(name: str) -> None:
    drawn, clearance, volume = one_compartment(name, 32)
    regimen = pk.iv(drawn.drug, DOSE_MG, duration_h=SECOND, at_h=100 * 24.0)
    solution = sets.solved(drawn.run(regimen, 180 * 24.0))
    assert np.max(solution.balance) < 1e-9
    assert sets.worst(sets.infinite(solution), DOSE_MG / clearance) < 1e-9
    assert (
        sets.worst(solution.plasma_cmax[0], closed_form(SECOND, np.full(sets.N, SECOND), clearance, volume))
        < 1e-5
    )


@each_drug
def test_a_second_into_the_artery_of_a_whole_patient_loses_nothing(name: str) -> None:
    drawn = sets.draw(name, seed=33).linear().changed(patient={"tumour.doubling_time": np.inf})
    regimen = pk.hepatic_artery(drawn.drug, DOSE_MG, duration_h=SECOND, at_h=24.0)
    solution = sets.solved(drawn.run(regimen, 180 * 24.0))
    anatomy = sets.anatomy(drawn.scenario(pk.hepatic_artery(drawn.drug, DOSE_MG)))
    assert np.max(solution.balance) < 1e-9
    expected = anatomy.availability() * DOSE_MG / anatomy.clearance()
    assert sets.worst(sets.infinite(solution), expected) < 1e-6


@lru_cache
def together(name: str, rtol: float) -> tuple[Problem, Solution]:
    """The 1,000 sets of a drug with a dose into the artery and one into a vein, as one batch."""
    drawn = sets.draw(name, seed=34)
    regimen = pk.hepatic_artery(drawn.drug, DOSE_MG, duration_h=0.1) + pk.iv(drawn.drug, DOSE_MG, at_h=20.0)
    [batch] = lower([Run(drawn.scenario(regimen), 48.0)])
    return batch.problem, solve(batch.problem, TIMES, Options(rtol=rtol, max_steps=20_000))


def difference(one: Solution, other: Solution) -> float:
    """Largest deviation of lanes' results, relative to max(|value|, 1e-4 of its compartment's maximum).

    A compartment that never holds 1e-9 of the dose is empty.
    """
    worst = 0.0
    for field in ("plasma_auc", "plasma_cmax", "tissue_auc", "tissue_cmax", "served_auc", "viable", "nadir"):
        found, expected = getattr(one, field), getattr(other, field)
        known = np.isfinite(expected)
        assert np.array_equal(known, np.isfinite(found))
        worst = max(worst, float(np.max((np.abs(found - expected) / np.abs(expected))[known], initial=0.0)))
    found, expected = one.sampled[:11, 0], other.sampled[:11, 0]
    peak = np.abs(expected).max(axis=1, keepdims=True)
    size = np.maximum(np.maximum(np.abs(expected), 1e-4 * peak), 1e-9 * DOSE_MG)
    return max(worst, float(np.max(np.abs(found - expected) / size)))


def check_alone(name: str, rtol: float, lanes: sets.Array) -> None:
    """Solve lanes one by one and compare them with the batch."""
    problem, whole = together(name, rtol)
    options = Options(rtol=rtol, max_steps=20_000)
    for lane in lanes:
        alone = solve(problem.take(np.array([lane])), TIMES, options)
        assert difference(alone, sets.lanes(whole, slice(lane, lane + 1))) < SAME[rtol], f"lane {lane}"


@each_drug
@pytest.mark.parametrize("rtol", list(SAME))
def test_a_lane_in_a_batch_is_the_lane_alone(name: str, rtol: float) -> None:
    check_alone(name, rtol, sets.generator(name, 35).choice(sets.N, CHECKED, replace=False))


@pytest.mark.slow
@each_drug
@pytest.mark.parametrize("rtol", list(SAME))
def test_every_lane_in_a_batch_is_the_lane_alone(name: str, rtol: float) -> None:
    check_alone(name, rtol, np.arange(sets.N))


@each_drug
@pytest.mark.parametrize("column", ["drug.v1", "drug.liver_ps", "patient.arterial", "patient.hypoxia_rate"])
def test_a_poisoned_lane_fails_alone_and_is_named(name: str, column: str) -> None:
    problem, _ = together(name, 1e-7)
    bad = 37
    clean = problem.take(np.arange(100))
    owner, field = column.split(".")
    values = np.array(getattr(getattr(clean, owner), field))
    values[..., bad] = np.nan
    dirty = replace(clean, **{owner: replace(getattr(clean, owner), **{field: values})})
    good, found = (solve(each, TIMES, Options(rtol=1e-7)) for each in (clean, dirty))
    assert not good.failed.any()
    assert np.flatnonzero(found.failed).tolist() == [bad]
    reason = found.reasons[bad]
    assert reason is not None
    assert (
        "non-finite values" in reason or "nothing can be injected" in reason
    )  # no flow: refused before it starts
    assert np.all(np.isnan(found.amounts[..., bad]))
    assert np.all(np.isnan(found.sampled[..., bad]))
    for part in (slice(0, bad), slice(bad + 1, None)):
        assert difference(sets.lanes(found, part), sets.lanes(good, part)) < 1e-6
