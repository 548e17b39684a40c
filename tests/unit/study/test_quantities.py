"""Readings of a course against closed forms: a biexponential and an infusion that everybody can integrate by hand."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from pkmodel.errors import UnitError
from pkmodel.inputs.cases import Reading
from pkmodel.study import quantities
from pkmodel.study.quantities import Subject, grid, in_unit, value

FAST, SLOW, A, B = 4.0, 0.1, 3.0, 1.0  # C = A exp(-FAST t) + B exp(-SLOW t), two lanes of which the second is double
DOSE = 10.0
SUBJECT = Subject(dose_mg=DOSE, duration_h=0.0, bsa_m2=2.0, weight_kg=80.0, molar_mass=500.0)
UNTIL = 100.0


def course(*readings: Reading) -> Any:
    """A course of the biexponential, sampled where the readings want it."""
    times = np.unique(np.concatenate([grid(each, UNTIL) for each in readings]))
    one = A * np.exp(-FAST * times) + B * np.exp(-SLOW * times)
    both = np.stack([one, 2.0 * one], axis=1)
    exact = A / FAST + B / SLOW
    solution = SimpleNamespace(
        plasma_auc=np.array([[0.9 * exact, 1.8 * exact]]), plasma_auc_rest=np.array([[0.1 * exact, 0.2 * exact]])
    )
    return SimpleNamespace(
        times_h=times, until_h=UNTIL, size=2, solution=solution,
        concentration_mg_per_l=lambda name: {"plasma": both, "hepatic_vein": 0.7 * both}[name],
    )  # fmt: skip


def read(quantity: str, **keys: Any) -> np.ndarray:
    """One reading of the course."""
    reading = Reading("a", quantity, **keys)
    return value(course(reading), reading, SUBJECT)


def test_peaks_and_levels() -> None:
    assert read("cmax", observable="plasma", window=(0.0, 5.0)) == pytest.approx([4.0, 8.0])
    assert read("tmax", observable="plasma", window=(1.0, 5.0)) == pytest.approx([1.0, 1.0])
    level = A * math.exp(-FAST * 0.5) + B * math.exp(-SLOW * 0.5)
    assert read("concentration", observable="plasma", time=0.5) == pytest.approx([level, 2.0 * level])


def test_areas() -> None:
    part = A / FAST * (1 - math.exp(-FAST * 8)) + B / SLOW * (1 - math.exp(-SLOW * 8))
    assert read("auc", observable="plasma", window=(0.0, 8.0)) == pytest.approx([part, 2 * part], rel=3e-3)
    whole = A / FAST + B / SLOW
    assert read("auc", observable="plasma", window=(0.0, math.inf)) == pytest.approx([whole, 2 * whole], rel=1e-12)
    vein = read("auc", observable="hepatic_vein", window=(0.0, math.inf))
    assert vein == pytest.approx([0.7 * whole, 1.4 * whole], rel=3e-3)


def test_clearance_with_and_without_the_whole_area() -> None:
    whole = A / FAST + B / SLOW
    assert read("clearance", window=(0.0, math.inf)) == pytest.approx([DOSE / whole, DOSE / whole / 2])
    # whoever samples to 24 h extrapolates with the slope seen there, which is the terminal one
    assert read("clearance", window=(0.0, 24.0)) == pytest.approx([DOSE / whole, DOSE / whole / 2], rel=3e-3)


def test_volume_at_steady_state() -> None:
    area, moment = A / FAST + B / SLOW, A / FAST**2 + B / SLOW**2
    expected = DOSE / area * moment / area
    assert read("volume_steady", window=(0.0, 60.0))[0] == pytest.approx(expected, rel=5e-3)
    reading = Reading("a", "volume_steady", window=(0.0, 60.0))
    infused = Subject(DOSE, 2.0, 2.0, 80.0, 500.0)
    assert value(course(reading), reading, infused)[0] == pytest.approx(DOSE / area * (moment / area - 1.0), rel=5e-3)


def test_half_lives() -> None:
    slow = read("half_life", observable="plasma", window=(5.0, 20.0))
    assert slow == pytest.approx([math.log(2) / SLOW] * 2, rel=1e-6)
    fast = read("half_life_fast", observable="plasma", window=(0.0, 1.0), tail=(5.0, 20.0))
    assert fast == pytest.approx([math.log(2) / FAST] * 2, rel=1e-3)


def test_extraction() -> None:
    assert read("extraction", time=3.0) == pytest.approx([0.3, 0.3])


def test_a_course_that_has_vanished_has_no_tail() -> None:
    reading = Reading("a", "volume_steady", window=(0.0, 50.0))
    found = course(reading)
    gone = np.exp(-2.0 * found.times_h)[:, None] * np.ones(2)
    gone[found.times_h > 20.0] = 0.0
    found.concentration_mg_per_l = lambda name: gone
    assert value(found, reading, SUBJECT) == pytest.approx([DOSE * 2.0 * 0.5] * 2, rel=5e-2)


@pytest.mark.parametrize(
    ("quantity", "unit", "factor"),
    [
        ("clearance", "L/h", 1.0), ("clearance", "mL/min", 1000 / 60), ("clearance", "mL/min/m2", 1000 / 60 / 2),
        ("clearance", "mL/min/kg", 1000 / 60 / 80), ("clearance", "L/min/m2", 1 / 120),
        ("volume_steady", "L/kg", 1 / 80),
        ("half_life", "min", 60.0), ("half_life", "d", 1 / 24), ("cmax", "ng/mL", 1000.0), ("cmax", "ug/mL", 1.0),
        ("concentration", "nmol/L", 2000.0), ("concentration", "uM", 2.0), ("concentration", "ug/g", 1.0),
        ("cmax", "ug Pt/mL", 195.084 / 500), ("auc", "ug*min/mL", 60.0), ("auc", "mg*h/L", 1.0),
        ("extraction", "ratio", 1.0), ("necrosis_above", "%", 100.0), ("extraction", "-", 1.0),
    ],
)  # fmt: skip
def test_units_of_papers(quantity: str, unit: str, factor: float) -> None:
    assert in_unit(quantity, unit, SUBJECT) == pytest.approx(factor)


@pytest.mark.parametrize(
    ("quantity", "unit"), [("clearance", "L"), ("extraction", "mg/L"), ("cmax", "ug"), ("auc", "?")]
)
def test_units_that_do_not_belong_are_refused(quantity: str, unit: str) -> None:
    with pytest.raises(UnitError):
        in_unit(quantity, unit, SUBJECT)


def test_every_quantity_of_the_rules_can_be_read() -> None:
    from pkmodel.inputs.cases import NEEDS

    assert set(NEEDS) == set(quantities.QUANTITIES)
