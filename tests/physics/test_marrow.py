"""Marrow and volume integrator inside the package's solver, against published runs; grades and missing slopes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pkmodel as pk
from pkmodel.inputs.drug import Drug
from pkmodel.inputs.materials import ReleaseParameters
from pkmodel.inputs.patient import Patient
from pkmodel.inputs.regimen import Regimen
from pkmodel.laws.marrow import ctcae_neutropenia_grade
from pkmodel.model.body import Run, lower
from pkmodel.model.graph import INDEX
from pkmodel.model.network import network, read_geometry
from pkmodel.solve.clock import Clock
from pkmodel.solve.drive import Course, Options
from pkmodel.solve.effect import NODES, TumourState
from pkmodel.solve.transport import N_ROWS, Step

pytestmark = pytest.mark.filterwarnings("ignore::pkmodel.errors.PlausibilityWarning")

DATA = Path(__file__).parents[1] / "reference" / "data" / "myelosuppression_and_tumour.json"


def block(name: str) -> dict[str, Any]:
    """One block of the reference file."""
    return json.loads(DATA.read_text(encoding="utf-8"))[name]


def two_compartments(**values: float) -> Drug:
    """A drug without a liver: what is left of the body are two compartments."""
    return pk.drug("doxorubicin").with_values(
        {
            "extraction": 0.0,
            "q3": 0.0,
            "v3": 0.0,
            "km_other": np.inf,
            "marrow.neutrophil_mtt": np.nan,
            **values,
        }
    )


def bare(bsa: float, **marrow: float) -> Patient:
    """A patient without tumour and hepatic flow."""
    values = {"tumour.diameter": 0.0, "liver.flow": 0.0, "bsa": bsa}
    return pk.patient("hcc_reference").with_values(values | {f"marrow.{name}": v for name, v in marrow.items()})


def test_paclitaxel_nadir_and_rebound() -> None:
    """Friberg 2002 by rxode2, on its grid of times; neutrophils and leukocytes take the same numbers here."""
    case = block("friberg_paclitaxel_single_dose")
    p, expected, rtol = case["parameters"], case["expected"], case["rtol"]
    slope = p["slope_L_per_umol"]  # umol stands where mg stands elsewhere
    drug = two_compartments(
        cl_total=p["CL_L_per_h"],
        v1=p["V1_L"],
        q2=p["Q_L_per_h"],
        v2=p["V2_L"],
        **{"marrow.neutrophil_slope": slope, "marrow.leukocyte_slope": slope},
    )
    numbers = {"": p["Circ0_1e9_per_L"], "_mtt": p["MTT_h"], "_feedback": p["gamma"]}
    patient = bare(
        float(drug.reference.bsa),
        **{("neutrophils" if not end else f"neutrophil{end}"): v for end, v in numbers.items()},
        **{("leukocytes" if not end else f"leukocyte{end}"): v for end, v in numbers.items()},
    )
    regimen = pk.iv(drug, case["dose_umol"], duration_h=case["infusion_h"])
    grid = np.unique(np.concatenate([np.arange(0.0, 6.5, 0.5), np.arange(0.0, 721.0, 12.0)]))
    course = pk.simulate(pk.Scenario(patient, regimen), until_h=720.0, times_h=grid)
    for cells in course.solution.sampled_cells[:, : grid.size, 0]:
        nadir = int(np.argmin(cells))
        rebound = nadir + int(np.argmax(cells[nadir:]))
        assert (grid[nadir], grid[rebound]) == (expected["nadir_time_h"], expected["rebound_time_h"])
        assert cells[nadir] == pytest.approx(expected["nadir_1e9_per_L"], rel=rtol["nadir_1e9_per_L"])
        assert cells[rebound] == pytest.approx(expected["rebound_1e9_per_L"], rel=rtol["rebound_1e9_per_L"])
    assert course.solution.plasma_cmax[0, 0] == pytest.approx(expected["Cmax_umol_per_L"], rel=1e-6)
    for lowest, time in zip(course.solution.nadir[:, 0], course.solution.nadir_time[:, 0], strict=True):
        assert lowest <= cells[nadir]
        assert abs(time - expected["nadir_time_h"]) < 12.0
    print(f"\npaclitaxel: nadir {lowest:.6f} at {time:.1f} h, {course.solution.steps[0]:.0f} steps")


def test_torsten_steady_state() -> None:
    """80 values by Torsten: doses every 12 h through a first-order depot into the centre, until nothing changes."""
    case = block("friberg_steady_state_torsten")
    p, interval, times = case["parameters"], float(case["interval_h"]), np.array(case["time_h"])
    drug = two_compartments(
        **{
            "cl_total": p["CL"],
            "v1": p["VC"],
            "q2": p["Q"],
            "v2": p["VP"],
            "marrow.neutrophil_slope": p["alpha"],
        }
    )
    patient = bare(
        float(drug.reference.bsa),
        neutrophils=p["Circ0"],
        neutrophil_mtt=p["MTT"],
        neutrophil_feedback=p["gamma"],
    )
    gut = pk.carrier("solution").replace(
        prompt_fraction=0.0, release=ReleaseParameters(law="first_order", rate=p["ka"])
    )
    doses = 60  # the cells are left to settle for the last 50
    dose = pk.extravascular(drug, case["dose"], carrier=gut, duration_h=0.0)
    scenario = pk.Scenario(patient, dose.repeat(every_days=interval / 24.0, times=doses))
    until = (doses - 1) * interval + np.maximum(times, 1e-9)  # ten lanes, ended at the ten times
    [batch] = lower([Run(scenario, until)])
    started: list[float] = []

    def start_near(step: Step, clock: Clock, *_: Any) -> None:
        """Put the cells near their steady state once the drug is in its own: from rest it would take 2,000 h."""
        if not started and clock.start[0] >= 10 * interval:
            started.append(float(clock.start[0]))
            cells = 0.27 * p["Circ0"]
            course.lines[0].state = np.stack([np.full(times.size, v) for v in (np.log(cells), *[cells] * 4)])

    course = Course(batch.problem, np.empty((0, times.size)), Options(observers=(start_near,)))
    with np.errstate(all="ignore"):  # as `solve` does: a liver without flow has no integral to infinity
        solution = course.run()
    cells = course.lines[0].state.copy()
    cells[0] = np.exp(cells[0])
    central, peripheral = (solution.amounts[INDEX[name], 0] for name in ("central", "peripheral_1"))
    expected = np.array(case["expected"]).T
    assert expected.size == 80
    drug_found = np.stack([solution.depot[3, 0], central, peripheral])
    np.testing.assert_allclose(drug_found, expected[:3], rtol=case["rtol_pk"])
    np.testing.assert_allclose(cells - p["Circ0"], expected[3:], rtol=case["rtol_pd"])
    worst = np.abs((cells - p["Circ0"]) / expected[3:] - 1.0).max()
    print(f"\nTorsten: {solution.steps[0]:.0f} steps, cells within {worst:.1e}")


class GivenKill(TumourState):
    """The volume integrator with a kill rate that is given as a function of time."""

    clock: Clock
    rate: Any

    def _drug_kill(self, step: Step, theta: np.ndarray, hypoxia: np.ndarray) -> np.ndarray:
        at = self.clock.start + self.clock.elapsed(step.s + step.h * NODES[:, None])
        return np.broadcast_to(self.rate(at)[:, None, None], (len(NODES), 1, 2, at.shape[1]))


def test_claret_tumour_growth_inhibition() -> None:
    """dy/dt = KG y - KS0 exp(-GAMMA t) ln(DOSE) y on the integrator's own panels, in five steps."""
    case = block("claret_tumour_growth_inhibition")
    p = case["parameters"]
    patient = pk.patient("hcc_reference").with_values(
        {
            "tumour.diameter": 10.0 * np.cbrt(6.0 * p["y0"] / np.pi),
            "tumour.doubling_time": np.log(2.0) / p["KG"] / 24.0,
        }
    )
    [batch] = lower([Run(pk.Scenario(patient, Regimen(())), 1.0)])
    problem = batch.problem
    zeros = np.zeros((N_ROWS, 1, 1))
    state = GivenKill(problem, network(problem, read_geometry(problem, problem.patient.zone_volume, np.zeros((2, 1)))))
    state.clock = Clock(np.zeros(1), np.ones(1), np.ones(1))
    state.rate = lambda t: p["KS0"] * np.log(p["DOSE"]) * np.exp(-p["GAMMA"] * t)
    found, times = [1000.0 * state.viable.sum()], np.array(case["time"])
    for s in np.arange(0.0, 1.0, 0.2):
        step = Step(s, 0.2, zeros, zeros, zeros, np.zeros((8, *zeros.shape)))
        panel = state.panel(step, state.clock)
        inside, _ = state.inside(panel, state.log_ratio, np.full((1, 1), 0.5), np.full((1, 1), 0.1))
        state.accept(panel)
        found += [1000.0 * inside.sum(), 1000.0 * state.viable.sum()]
    np.testing.assert_allclose(found, case["expected"], rtol=case["rtol"])
    gone = p["KS0"] * np.log(p["DOSE"]) / p["GAMMA"] * -np.expm1(-p["GAMMA"] * times)
    closed = p["y0"] * np.exp(p["KG"] * times - gone)
    np.testing.assert_allclose(found, closed, rtol=1e-8)


def test_ctcae_grades() -> None:
    nadir = np.array([5.0, 2.0, 1.99, 1.5, 1.49, 1.0, 0.99, 0.5, 0.49, 0.0, np.nan])
    expected = [0.0, 0.0, 1.0, 1.0, 2.0, 2.0, 3.0, 3.0, 4.0, 4.0, np.nan]
    np.testing.assert_array_equal(ctcae_neutropenia_grade(nadir), expected)


def test_without_a_slope_it_says_so() -> None:
    drug = pk.drug("cisplatin").with_values({"marrow.neutrophil_slope": np.nan})
    course = pk.simulate(pk.Scenario("hcc_reference", pk.iv(drug, 100)), until_days=28)
    assert np.isnan(course.neutrophils_1e9_per_l()).all()
    effect = course.effect()
    for key in ("neutrophil_nadir_1e9_per_l", "neutrophil_nadir_day", "ctcae_grade"):
        assert np.isnan(effect[key])
        assert "slope" in effect.reasons[key]


def test_one_transit_time_the_longest_of_the_drugs_with_a_slope() -> None:
    """A drug without a slope has no say; one that acts without a transit time of its own has the patient's."""

    def transit(*drugs: Drug) -> float:
        scenario = pk.Scenario("hcc_reference", pk.iv(dict.fromkeys(drugs, 10.0)))
        [batch] = lower([Run(scenario, 24.0)])
        return float(batch.problem.patient.neutrophil_mtt[0])

    def drug(name: str, slope: float, mtt: float) -> Drug:
        return pk.drug(name).with_values({"marrow.neutrophil_slope": slope, "marrow.neutrophil_mtt": mtt})

    own = float(pk.patient("hcc_reference").marrow.neutrophil_mtt)
    assert transit(drug("doxorubicin", 35.0, np.nan)) == own
    assert transit(drug("doxorubicin", np.nan, 120.0)) == own
    assert transit(drug("doxorubicin", 0.0, 120.0)) == own
    assert transit(drug("doxorubicin", 35.0, 120.0), drug("cisplatin", 1.0, 100.0)) == 120.0
    assert transit(drug("doxorubicin", 35.0, 80.0), drug("cisplatin", 1.0, np.nan)) == own
    assert transit(drug("doxorubicin", 35.0, 80.0), drug("cisplatin", 0.0, np.nan)) == 80.0
    assert transit(drug("doxorubicin", 35.0, 110.0), drug("cisplatin", np.nan, 130.0)) == 110.0
