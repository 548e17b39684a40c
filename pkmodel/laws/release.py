"""Release of drug from a carrier: the fraction F(u) released by time u [h], its means and its rates.

A law starts at u = 0 (F = 0 before), never falls and never exceeds 1. A depot laid down uniformly over an
injection of length T has released, at time t after the injection began, the fraction (1/T) int_{t-T}^{t}
F(u) du: `window_mean` serves both phases, because F is zero before its start, and tends to F(t) as T -> 0.
Laws of one kind are one array expression over lanes; every function here is also a method of the law.

Laws by name, with their parameters:

============================  =====================================================
``none``                      F = 0
``first_order``               ``rate`` [1/h]
``biexponential``             ``fast_share`` [1], ``fast_rate``, ``slow_rate`` [1/h]
``weibull``                   ``scale`` [h], ``shape`` [1]
``higuchi``                   ``rate_constant`` [1/h^0.5]
``korsmeyer_peppas``          ``rate_constant`` [1/h^exponent], ``exponent`` [1]
``tabulated``                 ``times`` [h], ``fractions`` [1]
============================  =====================================================

References
----------
Higuchi 1963, J Pharm Sci 52:1145; Korsmeyer et al. 1983, Int J Pharm 15:25; Langenbucher 1972, J Pharm
Pharmacol 24:979 (Weibull); Moore & Flanner 1996, Pharm Technol 20:64 (f1, f2).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import ParameterError
from .release_kinds import Mixture, Power, Tabulated, Weibull
from .release_law import ReleaseLaw
from .release_names import LAW_NAMES, LAW_PARAMETERS, LawParameter, law_from_parameters, legal_range

__all__ = [
    "LAW_NAMES", "LAW_PARAMETERS", "LawParameter", "Mixture", "Power", "ReleaseLaw", "Tabulated", "Weibull",
    "clock_power", "clock_rate", "completion_time", "cumulative", "density", "f1", "f2",
    "law_from_parameters", "legal_range", "window_clock_rate", "window_mean", "window_rate",
]  # fmt: skip

Array = NDArray[np.float64]


def cumulative(law: ReleaseLaw, u: ArrayLike) -> Array:
    """Released fraction F(u) [1]; see `ReleaseLaw.cumulative`."""
    return law.cumulative(u)


def density(law: ReleaseLaw, u: ArrayLike) -> Array:
    """Release rate F'(u) [1/h]; see `ReleaseLaw.density`."""
    return law.density(u)


def clock_power(law: ReleaseLaw) -> Array:
    """Power of the clock that makes a law smooth at its start; see `ReleaseLaw.clock_power`."""
    return law.clock_power()


def completion_time(law: ReleaseLaw) -> Array:
    """Time at which a power law reaches 1 [h]; see `ReleaseLaw.completion_time`."""
    return law.completion_time()


def clock_rate(
    law: ReleaseLaw, offset: ArrayLike, length: ArrayLike, power: ArrayLike, s: ArrayLike
) -> Array:
    """d/ds F(offset + length s^power) [1]; see `ReleaseLaw.clock_rate`."""
    return law.clock_rate(offset, length, power, s)


def window_mean(law: ReleaseLaw, end: ArrayLike, window: ArrayLike) -> Array:
    """Mean of F over a window [1]; see `ReleaseLaw.window_mean`."""
    return law.window_mean(end, window)


def window_rate(law: ReleaseLaw, end: ArrayLike, window: ArrayLike) -> Array:
    """Mean of F' over a window [1/h]; see `ReleaseLaw.window_rate`."""
    return law.window_rate(end, window)


def window_clock_rate(
    law: ReleaseLaw, offset: ArrayLike, length: ArrayLike, power: ArrayLike, s: ArrayLike, window: ArrayLike
) -> Array:
    """d/ds of `window_mean` at offset + length s^power [1]; see `ReleaseLaw.window_clock_rate`."""
    return law.window_clock_rate(offset, length, power, s, window)


def f1(reference: ArrayLike, test: ArrayLike) -> float:
    """Difference factor [%], 100 sum |R - T| / sum R, of two release profiles in percent at the same times.

    A profile is (times,) or, for single units, (units, times), which are averaged.
    """
    r, t = _profiles(reference, test)
    if not r.sum() > 0.0:
        raise ParameterError("f1 needs a reference profile that releases something; its sum is not above 0")
    return float(100.0 * np.abs(r - t).sum() / r.sum())


def f2(reference: ArrayLike, test: ArrayLike) -> float:
    """Similarity factor, 50 log10(100/sqrt(1 + mean (R - T)^2)): 100 if equal, 50 if 10 points apart.

    Profiles in percent, as in `f1`.
    """
    r, t = _profiles(reference, test)
    return float(50.0 * np.log10(100.0 / np.sqrt(1.0 + np.mean((r - t) ** 2))))


def _profiles(reference: ArrayLike, test: ArrayLike) -> tuple[Array, Array]:
    means = []
    for name, profile in (("reference", reference), ("test", test)):
        values = np.asarray(profile, dtype=float)
        if values.ndim not in (1, 2) or values.size == 0 or not np.all(np.isfinite(values)):
            raise ParameterError(f"the {name} profile must be finite percentages, (times,) or (units, times)")
        means.append(values if values.ndim == 1 else values.mean(axis=0))
    if means[0].shape != means[1].shape:
        sizes = f"{len(means[0])} and {len(means[1])}"
        raise ParameterError(f"reference and test must be sampled at the same times, but have {sizes} points")
    return means[0], means[1]
