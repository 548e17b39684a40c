"""Three significant digits, and ASCII of equal width."""

from __future__ import annotations

import io
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pkmodel.report.text import needs_ascii, plain, three


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.0, "0"),
        (-0.0, "0"),
        (1248.6, "1250"),
        (99.96, "100"),
        (9.996, "10.0"),
        (0.74536, "0.745"),
        (0.001234, "0.00123"),
        (1.234e-5, "1.23e-05"),
        (60226.4, "60200"),
        (999600.0, "1.00e+06"),
        (-0.512, "-0.512"),
        (3, "3"),
        (math.inf, "inf"),
        (math.nan, "nan"),
    ],
)
def test_three(value: float, shown: str) -> None:
    assert three(value) == shown


@given(st.floats(1e-12, 1e12) | st.floats(-1e12, -1e-12))
def test_three_is_within_half_a_digit(value: float) -> None:
    assert float(three(value)) == pytest.approx(value, rel=5.001e-3)


def test_plain_keeps_widths() -> None:
    text = "µg·h/g 10⁹/L m² ─ ß"
    assert plain(text).isascii()
    assert len(plain(text)) == len(text)


@pytest.mark.parametrize(("encoding", "wanted"), [("utf-8", False), ("ascii", True), ("latin-1", True)])
def test_needs_ascii(encoding: str, wanted: bool) -> None:
    assert needs_ascii(io.TextIOWrapper(io.BytesIO(), encoding=encoding)) is wanted


def test_a_stream_without_encoding_gets_ascii() -> None:
    assert needs_ascii(object())
