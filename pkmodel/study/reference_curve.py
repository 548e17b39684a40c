"""Plasma curves of published compartment models, computed without pkmodel's solver.

Linear models are sums of exponentials, saturable ones go through scipy.

References
----------
Gibaldi M, Perrier D. Pharmacokinetics, 2nd ed. 1982, ch. 2 (multicompartment models as sums of exponentials),
ch. 7 (Michaelis-Menten elimination).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..errors import ParameterError

Array = NDArray[np.float64]


@dataclass(frozen=True)
class LinearCurve:
    """A published linear model of one to three compartments; absent ones have q and v 0 [L/h, L]."""

    cl: float
    v1: float
    q2: float = 0.0
    v2: float = 0.0
    q3: float = 0.0
    v3: float = 0.0

    def exponentials(self) -> tuple[Array, Array]:
        """Coefficients [1/L] and rates [1/h] of the unit bolus, from the eigenvalues of the rate matrix."""
        present = [(q, v) for q, v in ((self.q2, self.v2), (self.q3, self.v3)) if q > 0.0 and v > 0.0]
        matrix = np.zeros((1 + len(present), 1 + len(present)))
        matrix[0, 0] = -(self.cl + sum(q for q, _ in present)) / self.v1
        for i, (q, v) in enumerate(present, start=1):
            matrix[0, i], matrix[i, 0], matrix[i, i] = q / v, q / self.v1, -q / v
        values, vectors = np.linalg.eig(matrix)
        start = np.zeros(len(values))
        start[0] = 1.0 / self.v1
        # A mammillary system can be symmetrised, so its eigenvalues are real.
        return np.real(vectors[0] * np.linalg.solve(vectors, start)), -np.real(values)

    def half_lives(self) -> Array:
        """Half-lives [h], the shortest first."""
        return np.sort(np.log(2.0) / self.exponentials()[1])

    def concentration(self, times_h: Array, *, dose_mg: float, duration_h: float) -> Array:
        """Plasma concentration [mg/L] during and after an infusion, or after a bolus of duration 0."""
        size, rate = self.exponentials()
        times = np.asarray(times_h, dtype=float)[:, None]
        if duration_h == 0.0:
            return dose_mg * (size * np.exp(-rate * times)).sum(axis=1)
        since = np.maximum(times - duration_h, 0.0)
        terms = size / rate * (np.exp(-rate * since) - np.exp(-rate * times))
        return dose_mg / duration_h * terms.sum(axis=1)


@dataclass(frozen=True)
class SaturableCurve:
    """One compartment with Michaelis-Menten elimination: Vmax [mg/h], Km [mg/L], volume [L]; bolus only."""

    vmax: float
    km: float
    v1: float

    def half_lives(self) -> Array:
        """Half-life of the low-dose limit [h]."""
        return np.array([np.log(2.0) * self.v1 * self.km / self.vmax])

    def concentration(self, times_h: Array, *, dose_mg: float, duration_h: float) -> Array:
        """Plasma concentration [mg/L] after a bolus.

        Raises
        ------
        ParameterError
            The dose is an infusion.
        """
        from scipy.integrate import solve_ivp

        if duration_h != 0.0:
            raise ParameterError(
                f"a saturable reference curve is one of a bolus: duration_h = {duration_h:g} h; legal range [0, 0] h",
                field="duration_h",
                value=duration_h,
                unit="h",
                legal="[0, 0] h",
            )
        times = np.asarray(times_h, dtype=float)

        def rate(_: float, c: Array) -> Array:
            return -self.vmax / self.v1 * c / (self.km + c)

        start = [dose_mg / self.v1]
        found = solve_ivp(
            rate, (0.0, times[-1]), start, method="DOP853", t_eval=times, rtol=1e-11, atol=1e-12 * start[0]
        )
        return np.asarray(found.y[0], dtype=float)
