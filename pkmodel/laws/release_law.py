"""What every release law can do; the kinds of law fill in four formulas."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]
Law = TypeVar("Law", bound="ReleaseLaw")

_SHORTEST = 1e-280  # [h] a window to divide by; a shorter one is none
_LATEST = 1e200  # [h] times are held here, so that a rate of zero never meets an infinite time


@dataclass(frozen=True, eq=False)
class ReleaseLaw(ABC):
    """Cumulative released fraction F(u) of a carrier.

    Parameters are scalars or arrays with lanes last, (n,) or (D, n); arguments broadcast against them.
    """

    kind: ClassVar[str]

    def take(self: Law, lanes: Any) -> Law:
        """The same law for some of its lanes."""
        chosen = {f.name: getattr(self, f.name) for f in fields(self)}
        return replace(self, **{k: v[..., lanes] for k, v in chosen.items() if np.ndim(v) > 0})

    def cumulative(self, u: ArrayLike) -> Array:
        """Released fraction F(u) [1] at a time since the start of release [h]."""
        return self._fraction(_elapsed(u))

    def density(self, u: ArrayLike) -> Array:
        """Release rate F'(u) [1/h], from the right at a jump; inf at u = 0 if the law is singular."""
        return np.where(np.asarray(u) < 0.0, 0.0, self._density(_elapsed(u)))

    def clock_power(self) -> Array:
        """Power p for which F(T s^p) is smooth at s = 0: 1/b for an exponent b < 1, 2/b for 1 < b < 2."""
        return np.asarray(1.0)

    def completion_time(self) -> Array:
        """Time [h] at which a power law reaches 1 and stops, an event for the solver; inf for other laws."""
        return np.asarray(np.inf)

    def clock_rate(self, offset: ArrayLike, length: ArrayLike, power: ArrayLike, s: ArrayLike) -> Array:
        """Derivative d/ds F(offset + length s^power): release per unit of the solver's own clock.

        Exact at s = 0 also for laws that are singular there, because the two powers are multiplied before
        they are evaluated; finite if power >= `clock_power`. A segment that ends where the release ends (a
        completion, a last knot) sees the running release up to its end, and the next one none, whatever the
        rounding.

        Parameters
        ----------
        offset
            Time since the start of release at s = 0 [h]; exactly 0 in the segment in which a release starts.
        length
            Length of the segment [h]; with 0 the rate is 0.
        power
            Power of the clock, at least 1.
        s
            Clock, from 0 to 1.
        """
        return self._clock_rate(*_floats(offset, length, power, s))

    def window_mean(self, end: ArrayLike, window: ArrayLike) -> Array:
        """(1/window) times the integral of F from end - window to end [1]; F(end) for window = 0.

        The fraction released, at `end` hours after an injection of length `window` [h] began, from the depot
        that it lays down uniformly. Relative accuracy about 1e-14 for any ratio of the two.
        """
        end, window = _floats(end, window)
        start = end - window
        low, high, length = _span(start, end, window)
        whole = np.where(start < 0.0, window, 1.0)
        share = np.where(start < 0.0, high / np.where(whole > 0.0, whole, 1.0), 1.0)
        # rounding must not release more than there is
        return np.minimum(share * self._mean(low, high, length), 1.0)

    def window_rate(self, end: ArrayLike, window: ArrayLike) -> Array:
        """(F(end) - F(end - window))/window [1/h], derivative of `window_mean`; F'(end) for window = 0."""
        end, window = _floats(end, window)
        return self._window_rate(end - window, end, window)

    def window_clock_rate(
        self, offset: ArrayLike, length: ArrayLike, power: ArrayLike, s: ArrayLike, window: ArrayLike
    ) -> Array:
        """Derivative d/ds of `window_mean` at end = offset + length s^power; `clock_rate` where window = 0.

        `offset` counts from the start of the injection. Bounded at s = 0 for every law as long as window > 0.
        """
        offset, length, power, s, window = _floats(offset, length, power, s, window)
        wide = window > _SHORTEST
        if not np.any(wide):
            return self._clock_rate(offset, length, power, s) + np.zeros_like(window)
        advance = length * s**power
        # from offset - window, not from end - window: just after the injection the advance is what counts
        start = np.where(wide, offset - window + advance, -1.0)
        rate = self._window_rate(start, offset + advance, np.where(wide, window, 1.0))
        rate = rate * length * power * s ** (power - 1.0)
        return rate if np.all(wide) else np.where(wide, rate, self._clock_rate(offset, length, power, s))

    def _window_rate(self, start: Array, end: Array, window: Array) -> Array:
        low, high, length = _span(start, end, window)
        # until the injection is over the window holds the whole history
        early = start < 0.0
        rising = self._fraction(high) / np.where(early & (window > 0.0), window, 1.0)
        return np.where(early, rising, self._secant(low, high, length))

    @abstractmethod
    def _fraction(self, u: Array) -> Array:
        """F(u), u >= 0."""

    @abstractmethod
    def _density(self, u: Array) -> Array:
        """F'(u), u >= 0."""

    @abstractmethod
    def _mean(self, low: Array, high: Array, length: Array) -> Array:
        """Mean of F over [low, high], low >= 0; `length` is exact where high - low is not, and may be 0."""

    @abstractmethod
    def _secant(self, low: Array, high: Array, length: Array) -> Array:
        """Mean of F' over such a span."""

    def _clock_rate(self, offset: Array, length: Array, power: Array, s: Array) -> Array:
        """`clock_rate` of a law that is nowhere singular and never ends."""
        return self.density(offset + length * s**power) * length * power * s ** (power - 1.0)


def _floats(*values: ArrayLike) -> list[Array]:
    return [np.asarray(value, dtype=float) for value in values]


def _elapsed(u: ArrayLike) -> Array:
    """Time since the start of release, 0 before it."""
    return np.clip(np.asarray(u, dtype=float), 0.0, _LATEST)


def _span(start: Array, end: Array, window: Array) -> tuple[Array, Array, Array]:
    """The part of a window after the start of release: its two ends and its length."""
    low, high = _elapsed(start), _elapsed(end)
    return low, high, np.where(start >= 0.0, window, high)
