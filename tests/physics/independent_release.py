"""Cumulative release of every law and its integral over time, by SciPy, for the independent course."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.interpolate import PchipInterpolator
from scipy.special import gamma, gammainc

Cumulative = Callable[[float], float]


def released_integral(release: Any) -> Cumulative:
    """G(t), the integral of the released fraction F from 0 to t [h]; 0 before the start."""
    law = release.law
    if law == "none":
        return lambda t: 0.0
    if law in ("first_order", "biexponential"):
        parts = [(1.0, release.rate)]
        if law == "biexponential":
            parts = [(release.fast_share, release.fast_rate), (1.0 - release.fast_share, release.slow_rate)]
        return lambda t: sum(w * (t + np.expm1(-k * t) / k) for w, k in parts if k > 0.0) if t > 0.0 else 0.0
    if law == "weibull":
        b, scale = release.shape, release.scale
        one, two = 1.0 / b, 1.0 + 1.0 / b

        def weibull(t: float) -> float:
            if t <= 0.0:
                return 0.0
            z = (t / scale) ** b
            return t - scale * gamma(two) * gammainc(one, z)

        return weibull
    if law == "tabulated":
        curve = PchipInterpolator(release.times, release.fractions)
        integral, last = curve.antiderivative(), release.times[-1]
        return lambda t: 0.0 if t <= 0.0 else float(integral(min(t, last)) + max(0.0, t - last) * curve(last))
    k, n = release.rate_constant, 0.5 if law == "higuchi" else release.exponent
    done = k ** (-1.0 / n)
    return lambda t: k * min(t, done) ** (n + 1.0) / (n + 1.0) + max(0.0, t - done) if t > 0.0 else 0.0


def released_fraction(release: Any) -> Cumulative:
    """F(t) of the laws, for a depot laid down at one instant."""
    law = release.law
    if law == "weibull":
        return lambda t: -np.expm1(-((max(t, 0.0) / release.scale) ** release.shape))
    if law in ("higuchi", "korsmeyer_peppas"):
        n = 0.5 if law == "higuchi" else release.exponent
        return lambda t: min(1.0, release.rate_constant * max(t, 0.0) ** n)
    if law == "tabulated":
        curve = PchipInterpolator(release.times, release.fractions)
        return lambda t: float(curve(np.clip(t, 0.0, release.times[-1])))
    if law == "none":
        return lambda t: 0.0
    parts = [(1.0, getattr(release, "rate", 0.0))]
    if law == "biexponential":
        parts = [(release.fast_share, release.fast_rate), (1.0 - release.fast_share, release.slow_rate)]
    return lambda t: sum(-w * np.expm1(-k * max(t, 0.0)) for w, k in parts)
