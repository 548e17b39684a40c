"""Clearance laws: the reference subject's two numbers back out, limits, monotonicity."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pkmodel.laws import clearance

positive = st.floats(1e-3, 1e3)
fraction = st.floats(1e-6, 0.989)


@given(fraction, positive, positive)
def test_apparent_clearance_gives_the_extraction_back(extraction: float, flow: float, factor: float) -> None:
    apparent = clearance.apparent_intrinsic_clearance(extraction, flow)
    assert apparent / (flow + apparent) == pytest.approx(extraction, rel=1e-12)
    barrier = apparent * (1.0 + factor)
    intrinsic = clearance.intrinsic_clearance(apparent, barrier)
    assert clearance.in_series(barrier, intrinsic) == pytest.approx(apparent, rel=1e-9)
    assert intrinsic > apparent


@given(positive, positive)
def test_in_series_is_below_both_and_symmetric(one: float, other: float) -> None:
    found = clearance.in_series(one, other)
    assert found < min(one, other)
    assert found == clearance.in_series(other, one)
    assert clearance.in_series(one, 1e15) == pytest.approx(one, rel=1e-9)


def test_nothing_in_series_is_nothing() -> None:
    np.testing.assert_array_equal(clearance.in_series([0.0, 0.0, 2.0], [0.0, 3.0, 0.0]), 0.0)


def test_hepatic_clearance_is_extraction_of_the_blood_flow() -> None:
    assert clearance.hepatic_clearance(0.4, 80.0, 1.15) == pytest.approx(36.8)
    assert clearance.hepatic_clearance(0.0, 80.0, 1.15) == 0.0


def test_apparent_clearance_limits() -> None:
    assert clearance.apparent_intrinsic_clearance(0.0, 80.0) == 0.0
    small = clearance.apparent_intrinsic_clearance(1e-9, 80.0)
    assert small == pytest.approx(8e-8, rel=1e-8)


@given(positive, positive)
def test_regional_advantage_is_the_textbook_one_in_its_limit(total: float, flow: float) -> None:
    """Chen and Gross: 1 + CL/Q when all is delivered and all becomes available."""
    found = clearance.regional_advantage(total, flow, availability=1.0, share=1.0)
    assert found == pytest.approx(1.0 + total / flow, rel=1e-14)
    assert clearance.regional_advantage(total, flow, availability=0.7, share=0.0) == pytest.approx(0.7)


def test_lanes_are_independent() -> None:
    found = clearance.apparent_intrinsic_clearance([0.1, 0.5], [10.0, 20.0])
    np.testing.assert_allclose(found, [10.0 / 9.0, 20.0])
