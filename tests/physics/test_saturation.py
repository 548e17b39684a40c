"""5-FU saturates the liver: extraction falls from its low-dose value towards nothing as the rate rises."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pytest
import sets

import pkmodel as pk
from pkmodel.course import Trajectory
from pkmodel.inputs.drug import Drug
from pkmodel.inputs.scenario import Scenario
from pkmodel.model.columns import derived_clearances

# random sets are legal, and implausible on purpose
pytestmark = pytest.mark.filterwarnings("ignore::pkmodel.errors.PlausibilityWarning")

INFUSED_H = 100.0
RATES = np.geomspace(0.1, 1e4, 200)  # mg/h
SETTLED = 1400.0  # mg/h; above about 1500 liver and body cannot keep up, and the concentration climbs on


def reference_scenario(drug: Drug) -> Scenario:
    """The drug's reference subject, all of the liver served: no tumour, no shunt, own flow and parenchyma."""
    subject = sets.quietly(
        pk.patient("hcc_reference"),
        {
            "bsa": drug.reference.bsa,
            "liver.flow": drug.reference.liver_flow,
            "liver.parenchyma_volume": drug.reference.parenchyma_volume,
            "liver.reserve": 1.0,
            "liver.shunt": 0.0,
            "tumour.diameter": 0.0,
        },
    )
    regimen = pk.iv(drug, RATES * INFUSED_H, duration_h=INFUSED_H)
    return Scenario(subject, regimen, catheter="whole_liver")


@lru_cache
def infusions() -> tuple[Drug, Trajectory]:
    """Long infusions of 5-FU at all rates, one batch."""
    drug = pk.drug("fluorouracil")
    return drug, pk.simulate(reference_scenario(drug), until_h=INFUSED_H, times_h=[50.0, 99.9], rtol=1e-7)


def extraction(course: Trajectory) -> sets.Array:
    """1 - out/in of the served liver just before the infusions end, (n,)."""
    out = course.concentration_mg_per_l("served_hepatic_vein")[-1]
    return 1.0 - out / course.concentration_mg_per_l("plasma")[-1]


def test_extraction_falls_from_its_low_dose_value_towards_nothing() -> None:
    drug, course = infusions()
    found = extraction(course)
    assert abs(found[0] - drug.extraction) < 1e-3
    assert abs(found[0] - 0.83) < 0.01
    assert found[-1] < 1e-3
    assert np.all((found > 0.0) & (found < 1.0))


def test_extraction_falls_at_every_step_of_the_rate() -> None:
    _, course = infusions()
    assert np.all(np.diff(extraction(course)) < 0.0)


def test_steady_extraction_solves_the_quadratic() -> None:
    # at steady state G (C - m) = Vmax m/(Km + m), G the flow and the exchange in series
    drug, course = infusions()
    plasma = course.concentration_mg_per_l("plasma")
    steady = (RATES < SETTLED) & (np.abs(plasma[1] / plasma[0] - 1.0) < 1e-9)
    assert steady.sum() > 100
    flow = drug.reference.liver_flow * sets.ML_PER_MIN * drug.blood_plasma_ratio
    parenchyma = drug.reference.parenchyma_volume * 1e-3
    highest = derived_clearances(drug, 1)[1][0] * parenchyma * drug.liver.km
    through = sets.in_series(np.asarray(flow), np.asarray(drug.liver.ps * parenchyma))
    inside = plasma[1][steady]
    half = 0.5 * (inside - drug.liver.km - highest / through)
    m = half + np.sqrt(half**2 + inside * drug.liver.km)
    expected = highest * m / (drug.liver.km + m) / (flow * inside)
    assert sets.worst(extraction(course)[steady], expected) < 1e-6


def test_what_is_infused_is_eliminated_at_steady_state() -> None:
    drug, course = infusions()
    plasma = course.concentration_mg_per_l("plasma")
    steady = np.abs(plasma[1] / plasma[0] - 1.0) < 1e-9
    flow = drug.reference.liver_flow * sets.ML_PER_MIN * drug.blood_plasma_ratio
    other = derived_clearances(drug, 1)[0][0]
    c = plasma[1][steady]
    gone = flow * c * extraction(course)[steady] + other * c / (1.0 + c / drug.km_other)
    assert sets.worst(gone, RATES[steady]) < 1e-6


def test_the_other_drugs_do_not_saturate() -> None:
    for name in ("cisplatin", "doxorubicin", "mitomycin_c"):
        drug = pk.drug(name)
        course = pk.simulate(reference_scenario(drug), until_h=INFUSED_H, times_h=[99.9])
        found = extraction(course)
        assert sets.worst(found, np.full(RATES.size, found[0])) < 1e-6
