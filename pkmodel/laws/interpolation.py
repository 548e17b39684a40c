"""Monotone piecewise-cubic interpolation (PCHIP) with exact slopes and integrals.

References
----------
Fritsch & Carlson 1980, SIAM J Numer Anal 17:238; Fritsch & Butland 1984, SIAM J Sci Stat Comput 5:300 (the
weighted harmonic mean of the secants as slope); Moler 2004, Numerical Computing with MATLAB, ch. 3 (ends).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Index = NDArray[np.intp]

_GAUSS_TWO = 0.5 / np.sqrt(3.0)  # half the distance of the two Gauss points, in units of the interval


def monotone_slopes(knots: Array, values: Array) -> Array:
    """Slopes (m,) at the knots that keep a cubic Hermite interpolant of values that never fall monotone; m >= 2."""
    step = np.diff(knots)
    secant = np.diff(values) / step
    if len(secant) == 1:
        return np.array([secant[0], secant[0]])
    before, after = secant[:-1], secant[1:]
    weight_before, weight_after = 2.0 * step[1:] + step[:-1], step[1:] + 2.0 * step[:-1]
    turning = before * after <= 0.0
    safe_before, safe_after = np.where(turning, 1.0, before), np.where(turning, 1.0, after)
    total = weight_before + weight_after
    # total/(w/before + w'/after), scaled by the smaller secant so that nothing overflows however flat it is
    least = np.where(turning, 0.0, np.minimum(safe_before, safe_after))
    scaled = weight_before * (least / safe_before) + weight_after * (least / safe_after)
    inner = least * total / np.where(turning, 1.0, scaled)
    first = _end_slope(step[0], step[1], secant[0], secant[1])
    last = _end_slope(step[-1], step[-2], secant[-1], secant[-2])
    return np.concatenate(([first], inner, [last]))


def _end_slope(step: float, next_step: float, secant: float, next_secant: float) -> float:
    """Three-point slope at an end, at most twice the secant there; flat where it would fall."""
    slope = ((2.0 * step + next_step) * secant - step * next_secant) / (step + next_step)
    if np.sign(slope) != np.sign(secant):
        return 0.0
    return float(slope)


class PiecewiseCubic:
    """A monotone curve through knots, continued as a constant after the last one.

    Everything is evaluated elementwise for arguments at or after the first knot. `piece` selects the cubic;
    the piece after the last knot is the constant.

    Parameters
    ----------
    knots, values
        Coordinates (m,), knots strictly increasing, m >= 2.
    """

    def __init__(self, knots: Array, values: Array) -> None:
        slope = monotone_slopes(knots, values)
        step = np.diff(knots)
        secant = np.diff(values) / step
        self.knots = knots
        self._constant = values
        self._linear = np.append(slope[:-1], 0.0)
        self._quadratic = np.append((3.0 * secant - 2.0 * slope[:-1] - slope[1:]) / step, 0.0)
        self._cubic = np.append((slope[:-1] + slope[1:] - 2.0 * secant) / step**2, 0.0)
        pieces = step * (values[:-1] + values[1:]) / 2.0 + step**2 * (slope[:-1] - slope[1:]) / 12.0
        self._area = np.append(0.0, np.cumsum(pieces))  # integral from the first knot to each knot

    def piece(self, u: Array) -> Index:
        """Index of the cubic that holds at `u`."""
        return np.maximum(np.searchsorted(self.knots, u, side="right") - 1, 0)

    def value(self, u: Array, piece: Index) -> Array:
        """Value of a cubic at `u`."""
        x = self._local(u, piece)
        inner = self._quadratic[piece] + x * self._cubic[piece]
        return self._constant[piece] + x * (self._linear[piece] + x * inner)

    def slope(self, u: Array, piece: Index) -> Array:
        """Derivative of a cubic at `u`."""
        x = self._local(u, piece)
        return self._linear[piece] + x * (2.0 * self._quadratic[piece] + x * 3.0 * self._cubic[piece])

    def mean(self, low: Array, high: Array) -> Array:
        """Mean of the curve over [low, high]; its value where the two coincide.

        Within a piece the two-point Gauss rule is exact for a cubic and free of cancellation.
        """
        first, last = self.piece(low), self.piece(high)
        same = first == last
        break_up = np.where(same, high, self.knots[np.minimum(first + 1, len(self.knots) - 1)])
        break_down = np.where(same, high, self.knots[last])
        head = self._piece_mean(low, break_up, first)
        tail = self._piece_mean(break_down, high, last)
        middle = np.where(same, 0.0, self._area[last] - self._area[np.minimum(first + 1, last)])
        span = np.where(same, 1.0, high - low)
        return np.where(same, head, ((break_up - low) * head + middle + (high - break_down) * tail) / span)

    def secant(self, low: Array, high: Array) -> Array:
        """Mean slope of the curve over [low, high]; its derivative where the two coincide."""
        first, last = self.piece(low), self.piece(high)
        same = first == last
        next_knot = np.minimum(first + 1, last)
        break_up = np.where(same, high, self.knots[next_knot])
        break_down = np.where(same, high, self.knots[last])
        head = self._piece_secant(low, break_up, first)
        tail = self._piece_secant(break_down, high, last)
        middle = self._constant[last] - self._constant[next_knot]
        span = np.where(same, 1.0, high - low)
        return np.where(same, head, ((break_up - low) * head + middle + (high - break_down) * tail) / span)

    def _local(self, u: Array, piece: Index) -> Array:
        """Distance from a cubic's own knot; 0 on the constant piece, however far that runs."""
        return np.minimum(u, self.knots[-1]) - self.knots[piece]

    def _piece_mean(self, low: Array, high: Array, piece: Index) -> Array:
        centre, half = low + 0.5 * (high - low), (high - low) * _GAUSS_TWO
        return 0.5 * (self.value(centre - half, piece) + self.value(centre + half, piece))

    def _piece_secant(self, low: Array, high: Array, piece: Index) -> Array:
        x, y = self._local(low, piece), self._local(high, piece)
        cubic = self._cubic[piece] * (x * x + x * y + y * y)
        return self._linear[piece] + self._quadratic[piece] * (x + y) + cubic
