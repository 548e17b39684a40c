"""Six months, six sessions, a thousand subjects with intervals of their own, in one call."""

from __future__ import annotations

import resource
import time

import numpy as np
import pytest

import pkmodel as pk
from pkmodel.model.body import Run, lower

pytestmark = pytest.mark.filterwarnings("ignore::pkmodel.errors.PlausibilityWarning")

SUBJECTS, SESSIONS, DAYS, SEED = 1000, 6, 182.0, 20261123
MOST_SECONDS, MOST_GROWTH_GB = 60.0, 2.0


def population(sessions: int = SESSIONS) -> pk.Scenario:
    """Subjects that differ in body, tumour, supply and interval between sessions."""
    rng = np.random.default_rng(SEED)
    patient = pk.patient("hcc_reference").with_values(
        {
            "bsa": rng.uniform(1.5, 2.1, SUBJECTS),
            "tumour.diameter": rng.uniform(25.0, 90.0, SUBJECTS),
            "tumour.escape_deviation": rng.normal(0.0, 1.3, SUBJECTS),
            "tumour.doubling_time": rng.uniform(60.0, 250.0, SUBJECTS),
            "liver.flow": rng.uniform(800.0, 1500.0, SUBJECTS),
        }
    )
    session = pk.chemoembolisation("doxorubicin", 50, carrier="lipiodol_emulsion", embolic="gelatin_sponge")
    regimen = session.repeat(every_days=rng.uniform(24.0, 34.0, SUBJECTS), times=sessions)
    scenario = pk.Scenario(patient, regimen)
    return scenario.with_value("drug.kill.potency", 0.2 * np.exp(1.5 * rng.normal(size=SUBJECTS)))


def peak_gb() -> float:
    """Largest resident memory of this process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0**2


def test_a_thousand_subjects_with_intervals_of_their_own() -> None:
    scenario = population()
    assert scenario.size == SUBJECTS
    batches = lower([Run(scenario, 24.0 * DAYS)])
    before, start, processor = peak_gb(), time.perf_counter(), time.process_time()
    course = pk.simulate(scenario, until_days=DAYS, times_h=24.0 * np.linspace(0.0, DAYS, 27))
    seconds, processor = time.perf_counter() - start, time.process_time() - processor
    grown = peak_gb() - before
    print(
        f"\n{SUBJECTS} subjects, {SESSIONS} sessions, {DAYS:g} d: {processor:.1f} s processor, {seconds:.1f} s wall, "
        f"peak memory +{grown:.2f} GB to {peak_gb():.2f} GB, {course.solution.steps[0]:.0f} steps, "
        f"{len(batches)} batch(es), balance {course.balance_error:.1e}"
    )
    assert len(batches) == 1
    assert not course.failures
    assert course.balance_error <= 1e-9
    assert np.isfinite(course.viable_volume_ml()).all()
    assert processor < MOST_SECONDS
    assert grown < MOST_GROWTH_GB


def test_a_subject_of_the_population_is_the_subject_alone() -> None:
    """To the tolerance: the steps are those of the worst lane, in a crowd as alone."""
    scenario = population(sessions=2)
    crowd = pk.simulate(scenario, until_days=70.0, times_h=[24.0 * 70.0])
    for lane in (0, 499, 999):
        patient = scenario.patient.with_values(
            {
                path: float(np.asarray(scenario.patient.get(path))[lane])
                for path in (
                    "bsa",
                    "tumour.diameter",
                    "tumour.escape_deviation",
                    "tumour.doubling_time",
                    "liver.flow",
                )
            }
        )
        every, potency = scenario.get("regimen.every")[lane], scenario.get("drug.kill.potency")[lane]
        session = pk.chemoembolisation("doxorubicin", 50, carrier="lipiodol_emulsion", embolic="gelatin_sponge")
        alone = pk.Scenario(patient, session.repeat(every_days=float(every), times=2))
        alone = alone.with_value("drug.kill.potency", float(potency))
        course = pk.simulate(alone, until_days=70.0, times_h=[24.0 * 70.0])
        assert crowd.viable_volume_ml()[0, lane] == pytest.approx(course.viable_volume_ml()[0], rel=2e-5)
        assert crowd.solution.plasma_auc[0, lane] == pytest.approx(course.solution.plasma_auc[0, 0], rel=1e-5)
