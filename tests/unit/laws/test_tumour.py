"""Laws of the tumour: ischaemia, drug kill, Gompertz, recruitment, spheres."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

from pkmodel.laws import tumour

KILL = {"potency": 0.2, "kmax": 0.05, "ec50": 0.06, "hill": 1.0, "hypoxia_factor": 1.0}
unit = st.floats(0.0, 1.0)


@given(st.floats(1.0, 300.0), st.integers(1, 50))
def test_sphere_there_and_back(diameter: float, count: int) -> None:
    volume = tumour.sphere_volume(diameter, count)
    assert volume == pytest.approx(count * np.pi / 6.0 * (diameter / 100.0) ** 3, rel=1e-12)
    assert tumour.sphere_diameter(volume, count) == pytest.approx(diameter, rel=1e-12)


def test_a_sphere_of_60_mm() -> None:
    assert tumour.sphere_volume(60.0) == pytest.approx(0.1130973355, rel=1e-9)
    assert tumour.sphere_diameter(0.1130973355) == pytest.approx(60.0, rel=1e-9)
    assert tumour.sphere_volume(0.0) == 0.0


@given(unit, st.floats(0.05, 1.0))
def test_ischaemia_is_exactly_zero_above_the_critical_supply(supply: float, critical: float) -> None:
    found = float(tumour.ischaemia(supply, critical))
    assert 0.0 <= found <= 1.0
    assert (found == 0.0) == (supply >= critical) or found < 1e-30
    assert tumour.ischaemia(0.0, critical) == 1.0


def test_ischaemia_starts_flat() -> None:
    """Value and slope vanish at the critical supply, so that the drive has no kink there."""
    step = 1e-6
    assert tumour.ischaemia(0.58 - step, 0.58) == pytest.approx((step / 0.58) ** 2, rel=1e-6)


@given(st.floats(0.0, 1e4), unit, st.floats(1.0, 8.0), st.floats(0.0, 3.0))
def test_drug_kill_closed_form(c: float, h: float, hill: float, factor: float) -> None:
    found = tumour.drug_kill(c, h, **(KILL | {"hill": hill, "hypoxia_factor": factor}))
    x = (c / 0.06) ** hill
    assert found == pytest.approx(0.01 * x / (1.0 + x) * (1.0 + (factor - 1.0) * h), rel=1e-12, abs=1e-300)
    assert 0.0 <= found <= 0.01 * max(1.0, factor) * (1.0 + 1e-12)


def test_drug_kill_limits() -> None:
    assert tumour.drug_kill(0.0, 0.5, **KILL) == 0.0
    assert tumour.drug_kill(-1e-18, 0.5, **KILL) == 0.0  # rounding of the solver
    assert tumour.drug_kill(0.06, 0.0, **KILL) == pytest.approx(0.2 * 0.05 / 2.0)
    assert tumour.drug_kill(1e9, 0.0, **KILL) == pytest.approx(0.01, rel=1e-9)
    # far below EC50 the slope is potency kmax/EC50, which is what data give
    assert tumour.drug_kill(6e-8, 0.0, **KILL) / 6e-8 == pytest.approx(0.2 * 0.05 / 0.06, rel=1e-5)
    assert tumour.drug_kill(1.0, 1.0, **(KILL | {"hypoxia_factor": 0.0})) == 0.0


@given(st.floats(10.0, 2000.0), st.floats(1e-4, 0.5), st.floats(1.1, 100.0))
def test_gompertz_starts_with_the_doubling_time(doubling: float, volume: float, room: float) -> None:
    g = tumour.gompertz_rate(doubling, volume, volume * room)
    assert g * np.log(room) == pytest.approx(np.log(2.0) / doubling, rel=1e-12)


def test_gompertz_approaches_its_capacity() -> None:
    g = tumour.gompertz_rate(100.0, 0.1, 1.0)
    run = solve_ivp(lambda t, v: g * np.log(1.0 / v) * v, (0.0, 5000.0), [0.1], rtol=1e-9, atol=1e-12)
    assert run.y[0, -1] == pytest.approx(1.0, rel=1e-3)
    assert np.all(np.diff(run.y[0]) > -1e-12)


@given(unit, st.floats(1.0, 500.0), st.floats(0.0, 500.0), st.floats(0.0, 500.0))
def test_recruitment_does_not_depend_on_how_often_one_reads(
    recovery: float, time: float, first: float, second: float
) -> None:
    """What stays in the escape zone after two readings is what stays after one."""
    apart = (1.0 - tumour.recruited(recovery, time, first)) * (1.0 - tumour.recruited(recovery, time, second))
    assert apart == pytest.approx(1.0 - tumour.recruited(recovery, time, first + second), abs=1e-12)


def test_recruitment_limits() -> None:
    assert tumour.recruited(0.5, 42.0, 42.0) == pytest.approx(0.5)
    assert tumour.recruited(0.5, 42.0, 0.0) == 0.0
    assert tumour.recruited(0.0, 42.0, 100.0) == 0.0
    assert tumour.recruited(1.0, 42.0, 1.0) == 1.0
