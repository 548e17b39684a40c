"""The tumour's response: ischaemia, drug kill, growth and the recruitment of escape tissue.

Elementwise over lanes; zones (core, escape) on a first axis of length two. Rates [1/h], concentrations [mg/L].
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Values = Array | float


def sphere_volume(diameter_mm: Values, count: Values = 1.0) -> Array:
    """Volume of `count` equal spheres [L] of a diameter [mm]."""
    return np.asarray(count) * np.pi / 6.0 * np.asarray(diameter_mm, dtype=float) ** 3 * 1e-6


def sphere_diameter(volume: Values, count: Values = 1.0) -> Array:
    """Diameter [mm] of one of `count` equal spheres that together have a volume [L]."""
    return np.cbrt(6.0 * np.asarray(volume, dtype=float) / (np.pi * np.asarray(count)) * 1e6)


def ischaemia(supply: Values, critical_supply: Values) -> Array:
    """Drive towards hypoxia [1]: max(0, 1 - S/s_crit)^2, exactly zero above the critical supply."""
    return np.maximum(0.0, 1.0 - np.asarray(supply) / critical_supply) ** 2


def drug_kill(
    concentration: Values,
    hypoxia: Values,
    *,
    potency: Values,
    kmax: Values,
    ec50: Values,
    hill: Values,
    hypoxia_factor: Values,
) -> Array:
    """Kill rate of one drug [1/h] at an unbound medium-equivalent concentration [mg/L].

    pi kmax x/(1+x) (1 + (H-1) h) with x = (C/EC50)^n. Concentrations a hair below zero (solver rounding) kill
    nothing; they arise only where there is no drug.
    """
    x = (np.maximum(concentration, 0.0) / ec50) ** hill
    return potency * kmax * x / (1.0 + x) * (1.0 + (np.asarray(hypoxia_factor) - 1.0) * hypoxia)


def gompertz_rate(doubling_time: Values, volume: Values, capacity: Values) -> Array:
    """Gompertz constant g [1/h] that gives a volume its doubling time [h] at the start: g ln(K/v) = ln2/Td."""
    return np.log(2.0) / (np.asarray(doubling_time) * np.log(np.asarray(capacity) / volume))


def recruited(escape_recovery: Values, recovery_time: Values, elapsed: Values) -> Array:
    """Share of the escape zone that becomes core in an elapsed time [1]: 1 - (1 - r)^(dt/42 d)."""
    return 1.0 - (1.0 - np.asarray(escape_recovery)) ** (np.asarray(elapsed) / recovery_time)
