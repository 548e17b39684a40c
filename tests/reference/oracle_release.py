"""Oracle, part 2: release laws as cumulative fractions, and what a depot laid down over time lets go.

A law has *kinks* (times at which its formula changes: the hold at 1, the knots of a table). The caller restarts
the solver there and passes the number of the piece in force, so that no function below asks where it is in time.
`singular` is the exponent b < 1 of a law that starts like t^b, else None.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from scipy.interpolate import PchipInterpolator

GAUSS = (
    0.5 - 0.5 / math.sqrt(3),
    0.5 + 0.5 / math.sqrt(3),
)  # two nodes: exact for the quadratic density of a table


@dataclass(frozen=True)
class Law:
    """cumulative(t, piece) = F, density(t, piece) = dF/dt, and without cancellation
    window(b, T, piece at b + T, piece at b) = F(b + T) - F(b).
    """

    cumulative: Callable[[float, int], float]
    density: Callable[[float, int], float]
    window: Callable[[float, float, int, int], float]
    kinks: list[float] = field(default_factory=list)
    marks: list[float] = field(default_factory=list)  # characteristic times: the solver is restarted there for safety
    singular: float | None = None


def _exponentials(parts: list[tuple[float, float]]) -> Law:
    """F = sum of share (1 - exp(-rate t))."""

    def cumulative(t: float, piece: int) -> float:
        return sum(-w * math.expm1(-k * t) for w, k in parts)

    def density(t: float, piece: int) -> float:
        return sum(w * k * math.exp(-k * t) for w, k in parts)

    def window(back: float, length: float, piece: int, piece_back: int) -> float:
        return sum(-w * math.exp(-k * back) * math.expm1(-k * length) for w, k in parts)

    return Law(cumulative, density, window, marks=[1 / k for w, k in parts if w * k > 0])


def _power_window(back: float, length: float, b: float) -> float:
    """(back + length)^b - back^b without cancellation."""
    if back <= length:
        return (back + length) ** b - back**b
    return back**b * math.expm1(b * math.log1p(length / back))


def _weibull(scale: float, b: float) -> Law:
    """F = 1 - exp(-(t/scale)^b)."""

    def cumulative(t: float, piece: int) -> float:
        return -math.expm1(-((t / scale) ** b))

    def density(t: float, piece: int) -> float:
        return b / scale * (t / scale) ** (b - 1) * math.exp(-((t / scale) ** b))

    def window(back: float, length: float, piece: int, piece_back: int) -> float:
        return -math.exp(-((back / scale) ** b)) * math.expm1(-_power_window(back / scale, length / scale, b))

    return Law(cumulative, density, window, marks=[scale], singular=b if b < 1 else None)


def _power(k: float, n: float) -> Law:
    """F = k t^n, held at 1 once reached (piece 1)."""

    def cumulative(t: float, piece: int) -> float:
        return k * t**n if piece == 0 else 1.0

    def density(t: float, piece: int) -> float:
        return k * n * t ** (n - 1) if piece == 0 else 0.0

    def window(back: float, length: float, piece: int, piece_back: int) -> float:
        if piece == 0:
            return k * _power_window(back, length, n)
        return 1 - k * back**n if piece_back == 0 else 0.0

    return Law(cumulative, density, window, kinks=[(1 / k) ** (1 / n)], singular=n if n < 1 else None)


def _tabulated(times: list[float], fractions: list[float]) -> Law:
    """PCHIP through the knots, constant after the last; piece i lies between knot i - 1 and knot i."""
    curve = PchipInterpolator(times, fractions)
    coefficients = curve.c.T.tolist()
    kinks = [t for t in times if t > 0]
    first = len(times) - len(kinks)  # 1 when the table starts at 0
    if first != 1:
        raise ValueError("a tabulated law must start at time 0")

    def cumulative(t: float, piece: int) -> float:
        if piece >= len(coefficients):
            return fractions[-1]
        x = t - times[piece]
        a, b, c, d = coefficients[piece]
        return ((a * x + b) * x + c) * x + d

    def density(t: float, piece: int) -> float:
        if piece >= len(coefficients):
            return 0.0
        x = t - times[piece]
        a, b, c, _ = coefficients[piece]
        return (3 * a * x + 2 * b) * x + c

    def window(back: float, length: float, piece: int, piece_back: int) -> float:
        edges = [back, *times[piece_back + 1 : piece + 1], back + length]
        total = 0.0
        for number, (low, high) in enumerate(pairwise(edges)):
            total += (high - low) / 2 * sum(density(low + g * (high - low), piece_back + number) for g in GAUSS)
        return total

    return Law(cumulative, density, window, kinks=kinks)


def law_of(record: dict[str, Any]) -> Law:
    """The law of a carrier record (internal units)."""
    name = record["release.law"]

    def get(key: str) -> Any:
        return record[f"release.{key}"]

    if name == "none":
        return _exponentials([(1.0, 0.0)])
    if name == "first_order":
        return _exponentials([(1.0, get("rate"))])
    if name == "biexponential":
        return _exponentials([(get("fast_share"), get("fast_rate")), (1 - get("fast_share"), get("slow_rate"))])
    if name == "weibull":
        return _weibull(get("scale"), get("shape"))
    if name == "higuchi":
        return _power(get("rate_constant"), 0.5)
    if name == "korsmeyer_peppas":
        return _power(get("rate_constant"), get("exponent"))
    if name == "tabulated":
        return _tabulated(list(get("times")), list(get("fractions")))
    raise ValueError(f"unknown release law {name!r}")
