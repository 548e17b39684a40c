"""The four kinds of release law: what each contributes to `ReleaseLaw`.

All formulas are elementwise and free of cancellation. Times u, low, high and length [h].
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from .interpolation import PiecewiseCubic
from .release_law import Array, ReleaseLaw
from .weibull import LARGEST_EXPONENT, mean_of_span

# Two times that are equal on paper differ by rounding once they are counted from different origins. A
# release that ends at an event is therefore taken as running up to this relative distance beyond it, and as
# ended this much before.
EVENT_TOLERANCE = 1e-9
_EARLIEST = 1e-290  # [h] up to here a quotient by the time could overflow: it is the start itself
_EXPONENT_TOLERANCE = 1e-12  # (1/b) b - 1 may come out as -1e-16, and 0**-1e-16 is infinite


@dataclass(frozen=True, eq=False)
class Mixture(ReleaseLaw):
    """Two first-order processes, F = w (1 - exp(-k1 u)) + (1 - w)(1 - exp(-k2 u)); rates [1/h]."""

    kind: ClassVar[str] = "mixture"
    fast_share: Array
    fast_rate: Array
    slow_rate: Array

    def _mix(self, fast: Array, slow: Array) -> Array:
        return self.fast_share * fast + (1.0 - self.fast_share) * slow

    def _fraction(self, u: Array) -> Array:
        return self._mix(-np.expm1(-self.fast_rate * u), -np.expm1(-self.slow_rate * u))

    def _density(self, u: Array) -> Array:
        return self._mix(*(k * np.exp(-k * u) for k in (self.fast_rate, self.slow_rate)))

    def _mean(self, low: Array, high: Array, length: Array) -> Array:
        rates = (self.fast_rate, self.slow_rate)
        # released before the span, and on average within it: both positive
        released = [-np.expm1(-k * low) + np.exp(-k * low) * _mean_released(k * length) for k in rates]
        return self._mix(*released)

    def _secant(self, low: Array, high: Array, length: Array) -> Array:
        rates = (self.fast_rate, self.slow_rate)
        return self._mix(*(k * np.exp(-k * low) * _mean_decay(k * length) for k in rates))


@dataclass(frozen=True, eq=False)
class Weibull(ReleaseLaw):
    """F = 1 - exp(-(u/scale)^shape); scale [h]."""

    kind: ClassVar[str] = "weibull"
    scale: Array
    shape: Array

    def _exponent(self, u: Array) -> Array:
        """(u/scale)^shape, held where exp(-z) has long been zero so that nothing overflows."""
        return np.minimum(u / self.scale, LARGEST_EXPONENT ** (1.0 / self.shape)) ** self.shape

    def _fraction(self, u: Array) -> Array:
        return -np.expm1(-self._exponent(u))

    def _density(self, u: Array) -> Array:
        z = self._exponent(u)
        at_start = np.where(self.shape < 1.0, np.inf, np.where(self.shape > 1.0, 0.0, 1.0 / self.scale))
        return np.where(u > _EARLIEST, self.shape * z * np.exp(-z) / _divisor(u), at_start)

    def _mean(self, low: Array, high: Array, length: Array) -> Array:
        return mean_of_span(self.scale, self.shape, low=low, high=high, length=length)

    def _secant(self, low: Array, high: Array, length: Array) -> Array:
        safe = _divisor(high)
        z_low, z_high = self._exponent(low), self._exponent(high)
        slope = z_high / safe * _power_secant(self.shape, low, safe, length)  # mean of dz/du
        mean = np.exp(-z_low) * _mean_decay(slope * length) * slope
        return np.where(high > _EARLIEST, mean, self._density(high))

    def clock_power(self) -> Array:
        return _smoothing_power(self.shape)

    def _clock_rate(self, offset: Array, length: Array, power: Array, s: Array) -> Array:
        u = np.maximum(offset + length * s**power, 0.0)
        z = self._exponent(u)
        outer = power * self.shape * np.exp(-z)
        # u = length s^p: compose the powers, so that s^(p b - 1) alone decides what happens at s = 0
        low_shape = np.minimum(self.shape, 1.0)
        reach = (np.maximum(length, 0.0) / self.scale) ** low_shape
        composed = reach * _origin_power(power * low_shape - 1.0, s)
        steep = np.where(s > 0.0, z / np.where(s > 0.0, s, 1.0), 0.0)
        at_origin = np.where(self.shape <= 1.0, composed, steep)
        inner = z / _divisor(u) * length * s ** (power - 1.0)
        return np.where(length > 0.0, outer * np.where(offset == 0.0, at_origin, inner), 0.0)


@dataclass(frozen=True, eq=False)
class Power(ReleaseLaw):
    """F = min(1, k u^n): Higuchi (n = 1/2) and Korsmeyer-Peppas; k [1/h^n]."""

    kind: ClassVar[str] = "power"
    rate_constant: Array
    exponent: Array

    def _fraction(self, u: Array) -> Array:
        ended = np.where(u > 0.0, 1.0, 0.0)
        return np.where(u < self.completion_time(), np.minimum(1.0, self._rise(u)), ended)

    def _rise(self, u: Array) -> Array:
        """The power law at a time before completion."""
        return self.rate_constant * np.minimum(u, self.completion_time()) ** self.exponent

    def _density(self, u: Array) -> Array:
        return np.where(u < self.completion_time(), self._rise_density(u), 0.0)

    def _rise_density(self, u: Array) -> Array:
        k, n = self.rate_constant, self.exponent
        at_start = np.where(k > 0.0, np.where(n < 1.0, np.inf, np.where(n > 1.0, 0.0, k)), 0.0)
        return np.where(u > _EARLIEST, n * self._rise(u) / _divisor(u), at_start)

    def _mean(self, low: Array, high: Array, length: Array) -> Array:
        rising, top, within = self._split(low, high, length)
        safe = _divisor(top)
        n = self.exponent
        climb = self._rise(top) * _power_secant(n + 1.0, low, safe, within) / (n + 1.0)
        return rising * climb + (1.0 - rising)

    def _secant(self, low: Array, high: Array, length: Array) -> Array:
        rising, top, within = self._split(low, high, length)
        safe = _divisor(top)
        slope = self._rise(top) / safe * _power_secant(self.exponent, low, safe, within)
        return np.where(high > _EARLIEST, rising * slope, self._density(high))

    def _split(self, low: Array, high: Array, length: Array) -> tuple[Array, Array, Array]:
        """Share of a span before completion, where that part ends, and how long it is."""
        done = self.completion_time()
        whole, none = high < done, low >= done
        span = np.where(high > low, high - low, 1.0)
        part = np.where(whole | none, 0.0, np.minimum(high, done) - low)
        rising = np.where(whole, 1.0, np.where(none, 0.0, part / span))
        return rising, np.minimum(high, done), np.where(whole, length, part)

    def clock_power(self) -> Array:
        return _smoothing_power(self.exponent)

    def completion_time(self) -> Array:
        k = self.rate_constant
        with np.errstate(over="ignore"):  # so slow or so shallow that it never ends
            return np.where(k > 0.0, np.where(k > 0.0, k, 1.0) ** (-1.0 / self.exponent), np.inf)

    def _clock_rate(self, offset: Array, length: Array, power: Array, s: Array) -> Array:
        k, n = self.rate_constant, self.exponent
        u, running = _running(offset, length * s**power, self.completion_time())
        inner = n * self._rise(u) / _divisor(u) * length * power * s ** (power - 1.0)
        composed = n * power * k * np.maximum(length, 0.0) ** n * _origin_power(power * n - 1.0, s)
        rate = np.where(offset == 0.0, composed, inner)
        return np.where(running & (length > 0.0) & (k > 0.0), rate, 0.0)


@dataclass(frozen=True, eq=False)
class Tabulated(ReleaseLaw):
    """A measured curve, shared by all lanes: monotone cubic between knots, constant after the last one."""

    kind: ClassVar[str] = "tabulated"
    curve: PiecewiseCubic

    @property
    def times(self) -> Array:
        """Knots [h], the first one 0: the solver ends a segment at each."""
        return self.curve.knots

    def _fraction(self, u: Array) -> Array:
        return self.curve.value(u, self.curve.piece(u))

    def _density(self, u: Array) -> Array:
        return self.curve.slope(u, self.curve.piece(u))

    def _mean(self, low: Array, high: Array, length: Array) -> Array:
        return self.curve.mean(low, high)

    def _secant(self, low: Array, high: Array, length: Array) -> Array:
        return self.curve.secant(low, high)

    def _clock_rate(self, offset: Array, length: Array, power: Array, s: Array) -> Array:
        u, running = _running(offset, length * s**power, self.times[-1])
        slope = self.curve.slope(u, np.minimum(self.curve.piece(u), len(self.times) - 2))
        return np.where(running, slope, 0.0) * length * power * s ** (power - 1.0)


def _smoothing_power(exponent: Array) -> Array:
    """Power p of the clock that turns u^b into a whole power of s: a rate u^(b-1) has no slope at 0 for b < 2."""
    return np.where(exponent < 1.0, 1.0 / exponent, np.where((exponent > 1.0) & (exponent < 2.0), 2.0 / exponent, 1.0))


def _running(offset: Array, advance: Array, end: Array) -> tuple[Array, NDArray[np.bool_]]:
    """Time held inside a release that ends at `end`, and whether that release is going on.

    A segment that starts before the end keeps its own side up to and including it; one that starts there is
    past it.
    """
    u = offset + advance
    started = (u >= 0.0) & (offset < end * (1.0 - EVENT_TOLERANCE))
    return np.minimum(np.maximum(u, 0.0), end), started & (u <= end * (1.0 + EVENT_TOLERANCE))


def _divisor(u: Array) -> Array:
    """A time to divide by; 1 at the start, where the quotient is not used."""
    return np.where(u > _EARLIEST, u, 1.0)


def _origin_power(exponent: Array, s: Array) -> Array:
    """s^exponent with an exponent that is zero on paper taken as zero; inf at s = 0 where it is negative."""
    snapped = np.where(np.abs(exponent) < _EXPONENT_TOLERANCE, 0.0, exponent)
    safe = np.where((s > 0.0) | (snapped >= 0.0), s, 1.0)
    return np.where((s > 0.0) | (snapped >= 0.0), safe**snapped, np.inf)


def _power_secant(exponent: Array, low: Array, high: Array, length: Array) -> Array:
    """(1 - (low/high)^n) / (length/high), which tends to n as the span shrinks; high > 0."""
    share = np.minimum(length / high, 1.0)
    narrow = share < 0.5
    with np.errstate(divide="ignore"):  # log 0 = -inf is meant: a span that starts at zero
        wide_log = np.log(np.where(narrow, 1.0, low / high))
    log_ratio = np.where(narrow, np.log1p(-np.where(narrow, share, 0.0)), wide_log)
    lost = -np.expm1(exponent * log_ratio)
    return np.where(share > 0.0, lost / np.where(share > 0.0, share, 1.0), exponent)


def _mean_decay(x: Array) -> Array:
    """(1 - exp(-x))/x: the mean of exp(-v) over [0, x]; 1 at 0."""
    return np.where(x > 0.0, -np.expm1(-x) / np.where(x > 0.0, x, 1.0), 1.0)


def _mean_released(x: Array) -> Array:
    """1 - (1 - exp(-x))/x: the mean of 1 - exp(-v) over [0, x], by its series where it would cancel."""
    small = np.where(x < 1.0, x, 0.0)
    series = np.zeros_like(small)
    for n in range(18, 0, -1):  # sum (-1)^(n+1) x^n/(n+1)!
        series = small / (n + 1.0) * (1.0 - series)
    large = np.where(x < 1.0, 1.0, x)
    return np.where(x < 1.0, series, (large + np.expm1(-large)) / large)
