"""Clearance of a drug by liver and body: what follows from its two published numbers, in closed form.

A drug's disposition is published as a total clearance and a steady hepatic extraction, both in the limit of
low dose. With a liver of cells behind an exchange barrier these two fix the intrinsic clearance of the cells
and the clearance by all other routes; nothing is fitted here. Concentrations are total plasma-equivalent.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Values = Array | float


def hepatic_clearance(extraction: Values, blood_flow: Values, blood_plasma_ratio: Values) -> Array:
    """Plasma clearance by the liver [L/h] from its steady extraction.

    Parameters
    ----------
    extraction : fraction of the inflow removed in one passage [1]
    blood_flow : total hepatic blood flow [L/h]
    blood_plasma_ratio : blood:plasma concentration ratio [1]
    """
    return np.asarray(extraction) * blood_flow * blood_plasma_ratio


def apparent_intrinsic_clearance(extraction: Values, exchange_flow: Values) -> Array:
    """Clearance behind the extracellular space [L/h] that gives an extraction: E = CL'/(Q + CL').

    `exchange_flow` is blood flow times blood:plasma ratio [L/h].
    """
    extraction = np.asarray(extraction)
    return extraction * exchange_flow / (1.0 - extraction)


def intrinsic_clearance(apparent: Values, barrier: Values) -> Array:
    """Clearance of the cells [L/h] behind an exchange barrier: CL' = PS CL/(PS + CL), solved for CL.

    `apparent` must be below `barrier` (both [L/h]); the caller checks and names the fields.
    """
    apparent = np.asarray(apparent)
    return apparent * barrier / (np.asarray(barrier) - apparent)


def in_series(first: Values, second: Values) -> Array:
    """Two clearances one behind the other [L/h]; zero when either is zero."""
    total = np.asarray(first) + second
    return np.asarray(first) * second / np.where(total > 0.0, total, 1.0)


def regional_advantage(clearance: Values, zone_flow: Values, availability: Values, share: Values) -> Array:
    """Exposure of a loss-free target after arterial over intravenous dosing [1]: R_t = A + s CL/Q.

    Parameters
    ----------
    clearance : systemic plasma clearance of this patient [L/h]
    zone_flow : exchange flow of the target (blood flow x blood:plasma ratio) [L/h]
    availability : fraction of the arterial dose that reaches the systemic circulation [1]
    share : fraction of the arterial dose delivered to the target [1]

    References
    ----------
    Chen and Gross, Cancer Treat Rep 1980;64:31 (the textbook limit 1 + CL/Q for s = 1 and A = 1).
    """
    return np.asarray(availability) + np.asarray(share) * clearance / zone_flow
