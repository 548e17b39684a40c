"""The course of a batch: limits, blocks, readings in between, step control, and who sees the steps."""

from __future__ import annotations

from dataclasses import fields
from itertools import pairwise

import numpy as np
import pytest

import pkmodel as pk
from pkmodel.inputs.materials import ReleaseParameters
from pkmodel.inputs.regimen import Regimen
from pkmodel.laws.tumour import recruited
from pkmodel.model.body import Run, lower
from pkmodel.model.graph import INDEX, N_NODES, ROW
from pkmodel.model.problem import Problem
from pkmodel.solve import drive
from pkmodel.solve.clock import Clock
from pkmodel.solve.drive import Course, Options, solve
from pkmodel.solve.forcing import Forcing
from pkmodel.solve.solution import Solution, join
from pkmodel.solve.transport import Dynamics, Step

pytestmark = pytest.mark.filterwarnings("ignore::pkmodel.errors.PlausibilityWarning")

ZONES = {"tumour.escape_intercept": 0.0}  # an escape zone as large as the core


def problem(regimen: Regimen, until_h: float = 24.0, **patient: object) -> Problem:
    """The reference patient under a regimen."""
    scenario = pk.Scenario(pk.patient("hcc_reference").with_values({**ZONES, **patient}), regimen)
    [batch] = lower([Run(scenario, until_h)])
    return batch.problem


def same(one: Solution, other: Solution) -> None:
    """Every field of two solutions is equal, bit by bit."""
    for f in fields(Solution):
        np.testing.assert_array_equal(getattr(one, f.name), getattr(other, f.name), err_msg=f.name)


def test_too_many_steps_fail_the_lane_with_a_reason() -> None:
    of = problem(pk.iv("cisplatin", 50.0, duration_h=0.0))
    whole = solve(of)
    needed = int((whole.steps + whole.rejected)[0]) - 1  # all but that of the bolus lie in one segment
    assert needed > 10
    assert solve(of, None, Options(max_steps=needed)).reasons == (None,)
    for limit in (needed - 1, 3):
        [reason] = solve(of, None, Options(max_steps=limit)).reasons
        assert reason == f"more than {limit} steps in one segment"


def test_time_on_the_wall_is_limited() -> None:
    of = problem(pk.iv("cisplatin", np.array([50.0, 60.0])))
    found = solve(of, None, Options(wall_limit_s=0.0))
    assert found.reasons == ("wall limit of 0 s reached",) * 2
    assert np.isnan(found.plasma_auc).all()
    assert solve(of, None, Options(wall_limit_s=3600.0)).reasons == (None, None)


def test_a_broken_lane_fails_at_the_smallest_step_and_the_others_go_on() -> None:
    of = problem(pk.iv("cisplatin", np.array([50.0, 50.0, 50.0])))
    of.drug.v1[0, 1] = np.nan
    found = solve(of)
    assert found.reasons == (None, "non-finite values at the smallest step", None)
    assert np.isfinite(found.plasma_auc[0, [0, 2]]).all()
    assert found.plasma_auc[0, 0] == found.plasma_auc[0, 2]


def test_blocks_are_solved_apart_and_joined(monkeypatch: pytest.MonkeyPatch) -> None:
    of, times = problem(pk.iv("cisplatin", np.array([20.0, 50.0, 90.0]))), np.array([1.0, 5.0])
    apart = join([solve(of.take(slice(0, 2)), times), solve(of.take(slice(2, 3)), times)])
    monkeypatch.setattr(drive, "BLOCK", 2)
    same(solve(of, times), apart)


def test_times_are_for_all_lanes_or_for_each() -> None:
    of = problem(pk.iv("cisplatin", np.array([20.0, 50.0])))
    assert solve(of).times.shape == (0, 2)
    times = np.array([1.0, 5.0, 9.0])
    same(solve(of, times), solve(of, np.stack([times, times], axis=1)))


def test_observers_see_every_accepted_step_in_order() -> None:
    seen: list[tuple[float, float, float]] = []

    def observe(step: Step, clock: Clock, dynamics: Dynamics, forcing: Forcing) -> None:
        seen.append((float(clock.start[0]), step.s, step.s + step.h))

    of = problem(pk.iv("cisplatin", 50.0, duration_h=2.0))
    found = solve(of, None, Options(observers=(observe,)))
    assert len(seen) == found.steps[0]
    for start in {start for start, _, _ in seen}:
        steps = [(low, high) for begun, low, high in seen if begun == start]
        assert steps[0][0] == 0.0
        assert steps[-1][1] == pytest.approx(1.0, abs=1e-15)
        assert all(b[0] == pytest.approx(a[1], abs=1e-15) for a, b in pairwise(steps))
    assert {start for start, _, _ in seen} == {0.0, 2.0}


def test_a_tighter_tolerance_takes_more_steps_and_errs_less() -> None:
    of, times = problem(pk.hepatic_artery("doxorubicin", 50.0), 48.0), np.array([0.5, 4.0, 40.0])
    exact, steps, errors = solve(of, times, Options(rtol=1e-10)).sampled[:11], [], []
    for rtol in (1e-3, 1e-5, 1e-7):
        found = solve(of, times, Options(rtol=rtol))
        steps.append(float(found.steps[0]))
        errors.append(float(np.max(np.abs(found.sampled[:11] / exact - 1.0))) / rtol)
    assert steps[0] < steps[1] < steps[2]
    assert max(errors) < 5.0


def test_volumes_and_counts_keep_the_tolerance() -> None:
    """Blood cells and tumour take part in choosing the step, also where plasma has long been smooth."""
    of, times = problem(pk.iv("doxorubicin", 100.0), 672.0), np.array([24.0, 240.0])
    exact = solve(of, times, Options(rtol=1e-9))
    for rtol in (1e-3, 1e-5):
        found = solve(of, times, Options(rtol=rtol))
        for name in ("viable", "dead", "nadir", "sampled_cells", "sampled_viable", "sampled_dead"):
            ratio = getattr(found, name) / getattr(exact, name)
            assert np.nanmax(np.abs(ratio - 1.0)) < rtol, name
        assert found.nadir[0, 0] < 0.8 * of.patient.neutrophils[0]


def test_accuracy_does_not_depend_on_the_size_of_a_dose() -> None:
    """A linear drug: nanograms are followed as well as milligrams are, and the second session as well as the first."""
    drug = pk.drug("mitomycin_c").with_values({"kill.kmax": 0.0})
    twice = [pk.hepatic_artery(drug, 20.0 * f) + pk.hepatic_artery(drug, 20.0 * f, at_h=48.0) for f in (1.0, 1e-6)]
    large, small = (solve(problem(of, 96.0), np.array([0.5, 4.0, 40.0, 48.5, 52.0])) for of in twice)
    assert small.steps[0] == large.steps[0]
    np.testing.assert_allclose(small.sampled[:N_NODES], 1e-6 * large.sampled[:N_NODES], rtol=1e-9)


def test_step_control_is_that_of_a_method_of_order_five() -> None:
    assert drive._growth(32.0) == pytest.approx(0.5 * drive._growth(1.0), rel=1e-12)
    assert 0.8 < drive._growth(1.0) < 1.0
    assert drive._growth(np.inf) == drive._growth(1e9) == 0.1
    assert 2.0 < drive._growth(0.0) == drive._growth(1e-30) < 50.0


def test_what_depots_hold_is_integrated_in_time() -> None:
    """d(held)/dt = dose/T during the injection - k held, so that k times the integral is what has left."""
    rate, duration, until = 0.05, 2.0, 30.0
    law = ReleaseParameters(law="first_order", rate=rate)
    carrier = pk.carrier("lipiodol_emulsion").replace(release=law, variants=()).with_values({"prompt_fraction": 0.0})
    regimen = pk.chemoembolisation("cisplatin", 50.0, carrier=carrier, duration_h=duration)
    of = problem(regimen, until)
    found = solve(of)
    left = (1 - np.exp(-rate * duration)) / (rate * duration) * np.exp(-rate * (until - duration))
    volume = of.patient.zone_volume.sum()
    assert found.depot[:, 0, 0].sum() == pytest.approx(50.0 * left, rel=1e-12)
    assert found.depot_auc[0, 0] * volume == pytest.approx(found.delivered[0, 0] * (1 - left) / rate, rel=1e-6)


def test_all_that_died_of_drugs_is_booked_to_them() -> None:
    """Without growth, resorption and ischaemia the dead volume is what the two drugs killed, and each its own."""
    rest = {"tumour.doubling_time": np.inf, "tumour.resorption_half_life": np.inf}
    both = {"doxorubicin": 50.0, "cisplatin": 50.0}
    found = solve(problem(pk.hepatic_artery(both), 96.0, **rest))
    assert found.booked_ischaemia[0] == 0.0
    assert np.all(found.booked_drug > 0.0)
    assert found.booked_drug.sum() == pytest.approx(found.dead.sum(), rel=1e-12)
    # the more one drug kills, the less tissue is left to the other
    for row, name in enumerate(both):
        alone = solve(problem(pk.hepatic_artery(name, 50.0), 96.0, **rest)).booked_drug[0, 0]
        assert 0.5 * alone < found.booked_drug[row, 0] < alone


def sessions() -> Problem:
    """Two sessions ten days apart, the first after two days."""
    regimen = pk.hepatic_artery("cisplatin", 50.0, at_h=48.0) + pk.hepatic_artery("cisplatin", 50.0, at_h=288.0)
    return problem(regimen, 480.0)


def test_hypoxia_of_tissue_that_joins_the_core_is_mixed_in() -> None:
    of = sessions()
    course = Course(of, np.empty((0, 1)), Options())
    first, second = of.sessions
    core, escape = ROW["core_hypoxia"], ROW["escape_hypoxia"]
    course.state[core], course.state[escape] = 0.2, 0.8
    course._read(first)
    assert (course.state[core, 0, 0], course.state[escape, 0, 0]) == (0.2, 0.8)  # nothing has moved yet
    before = of.patient.zone_volume[:, 0]
    course._read(second)
    p = of.patient
    moved = before[1] * recruited(p.escape_recovery, p.escape_recovery_time, 240.0)[0]
    assert moved > 0.05 * before[0]
    mixed = (0.2 * before[0] + 0.8 * moved) / (before[0] + moved)
    assert course.state[core, 0, 0] == pytest.approx(mixed, rel=1e-12)
    assert course.state[escape, 0, 0] == 0.8
    np.testing.assert_allclose(course.geometry.viable[:, 0], [before[0] + moved, before[1] - moved], rtol=1e-12)
    flow, viable = course.geometry.flows.zone[:, 0], course.geometry.viable[:, 0]
    assert flow[1] / flow[0] == pytest.approx(viable[1] / viable[0], rel=1e-12)  # equally perfused
    for k, zone in enumerate(("core", "escape")):  # and transport follows
        row = INDEX[f"{zone}_extracellular"]
        assert course.dynamics.conductance[row, 0, 0] == pytest.approx(of.drug.blood_plasma_ratio[0, 0] * flow[k])
        space = p.tumour_extracellular[0] * viable[k]
        assert 1.0 / course.dynamics.inverse_capacity[row, 0, 0] == pytest.approx(space, rel=1e-12)


def test_integrals_are_settled_over_the_volume_that_held() -> None:
    of = sessions()
    course = Course(of, np.empty((0, 1)), Options())
    names = ("core_cells", "escape_cells", "core_extracellular", "escape_extracellular")
    volume = of.patient.zone_volume.sum()
    space = volume * of.patient.tumour_extracellular[0]
    for k, name in enumerate(names):
        course.state[ROW[f"integral_{name}"]] = k + 1.0  # 10 in all, 7 of it extracellular
    course.settle_integrals()
    course.geometry = course.geometry._replace(dead=course.geometry.viable)  # twice as large
    for name in names:
        course.state[ROW[f"integral_{name}"]] += 2.0
    course.settle_integrals()
    found = course.tissue_integral[:, 0, 0]
    np.testing.assert_allclose(found, [(10 + 8 / 2) / volume, (7 + 4 / 2) / space], rtol=1e-13)
    course.settle_integrals()
    np.testing.assert_array_equal(course.tissue_integral[:, 0, 0], found)
