"""Numbers and characters as every report prints them."""

from __future__ import annotations

import math
from typing import Any

# Equal widths, so that a table stays aligned in plain ASCII.
_PLAIN = (("10⁹/L", "1e9/L"), ("µ", "u"), ("·", "*"), ("²", "2"), ("─", "-"))
_NO_DIGIT = 0.005  # shows as nothing with two decimals
_LARGEST_WRITTEN_OUT, _SMALLEST_WRITTEN_OUT = 1e6, 1e-3


def three(value: Any) -> str:
    """Return a number with three significant digits: 0, 1.25, 340, 60200, 1.23e-05."""
    number = float(value)
    if number == 0.0 or not math.isfinite(number):
        return f"{number:g}".replace("-0", "0")
    if isinstance(value, int):
        return str(value)
    rounded = float(f"{number:.2e}")
    if not _SMALLEST_WRITTEN_OUT <= abs(rounded) < _LARGEST_WRITTEN_OUT:
        return f"{rounded:.2e}"
    return f"{rounded:.{max(0, 2 - math.floor(math.log10(abs(rounded))))}f}"


def two(value: Any) -> str:
    """Return a number with two digits, or its whole part from 10 on: 0.00 (less than 0.005), 0.55, 2.6, 64, 1300."""
    number = float(value)
    if 0.0 < abs(number) < _NO_DIGIT:
        return "0.00"
    if abs(number) >= 10.0 or number == 0.0 or not math.isfinite(number):
        return f"{number:.0f}"
    return three(float(f"{number:.1e}")).rstrip("0").rstrip(".")


def within(value: Any, low: Any, high: Any, unit: str = "") -> str:
    """Return a number with its interval, as far as they exist: ``64 % [13-90]``."""
    if value is None:
        return "nothing"
    ends = "" if low is None or high is None else f" [{two(low)}-{two(high)}]"
    return f"{two(value)}{unit}{ends}"


def plain(text: str) -> str:
    """Return a text in ASCII, as wide as it was."""
    for pretty, ascii_ in _PLAIN:
        text = text.replace(pretty, ascii_)
    return text.encode("ascii", "replace").decode("ascii")


def needs_ascii(stream: Any) -> bool:
    """Say whether a stream cannot show what the reports use beyond ASCII."""
    try:
        "".join(pretty for pretty, _ in _PLAIN).encode(getattr(stream, "encoding", None) or "ascii")
    except (UnicodeEncodeError, LookupError):
        return True
    return False
