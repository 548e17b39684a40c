"""Blood supply of tumour and liver: how arterial flow is divided, blocked and recovers.

All functions are elementwise over lanes. Tumour zones lie on a first axis of length two: core, escape zone.
Flows are blood flows [L/h], volumes [L], times [h].
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Values = Array | float

# Viable volume below this share of its first value no longer shrinks the zone's flow (MODEL section 2).
VIABLE_FLOOR = 0.01
# Oxygen carried by arterial and portal blood, relative weights of equal flows (MODEL section 5).
ARTERIAL_OXYGEN, PORTAL_OXYGEN = 1.8, 0.73


class Flows(NamedTuple):
    """Blood flows at one reading, nothing occluded: zones (2, n), the rest (n,) [L/h]."""

    zone: Array
    zone_arterial: Array
    served_arterial: Array
    served_portal: Array
    other: Array
    hepatic: Array


def escape_share(diameter_mm: Values, intercept: Values, slope: Values, deviation: Values) -> Array:
    """Share of the tumour that the catheterised artery does not feed alone [1], logistic in log diameter."""
    diameter = np.asarray(diameter_mm, dtype=float)
    safe = np.where(diameter > 0.0, diameter, 30.0)  # no tumour: the share multiplies a volume of zero
    return 1.0 / (1.0 + np.exp(-(intercept + slope * np.log(safe / 30.0) + deviation)))


def reach(share: Values, weight: Values, coverage: Values) -> tuple[Array, Array]:
    """Escape share and its arterial weight once tissue out of the catheter's reach has joined it.

    Returns
    -------
    share, weight : phi' = 1 - c (1 - phi) and a' = a c phi / phi'
    """
    wider = 1.0 - np.asarray(coverage) * (1.0 - np.asarray(share))
    return wider, np.asarray(weight) * coverage * share / np.where(wider > 0.0, wider, 1.0)


def liver_inflow(
    flow: Values, arterial_share: Values, buffer_gain: Values, portal_open: Values
) -> tuple[Array, Array]:
    """Arterial and portal inflow [L/h]; the artery gains buffer x the portal flow lost to thrombosis."""
    portal = (1.0 - np.asarray(arterial_share)) * flow
    lost = (1.0 - np.asarray(portal_open)) * portal
    return np.asarray(arterial_share) * flow + np.asarray(buffer_gain) * lost, portal - lost


def divide(
    *,
    arterial: Values,
    portal: Values,
    served_volume: Values,
    other_volume: Values,
    viable: Array,
    first_viable: Array,
    weight: Array,
    mean_weight: Values,
    perfusion_ratio: Values,
) -> Flows:
    """Divide arterial flow over parenchyma and tumour zones by perfusion, portal flow by volume.

    Parameters
    ----------
    arterial, portal : inflow of the liver [L/h], (n,)
    served_volume, other_volume : parenchyma inside and outside the territory [L], (n,)
    viable, first_viable : viable volume of the zones at this reading and before the first session [L], (2, n)
    weight : arterial weight a_z of the zones [1], (2, n)
    mean_weight : volume-mean arterial weight a0 of this patient's tumour before any treatment [1], (n,)
    perfusion_ratio : tumour:parenchyma arterial perfusion rho [1], (n,)
    """
    perfused = np.maximum(viable, VIABLE_FLOOR * first_viable) * perfusion_ratio / mean_weight
    parenchyma = np.asarray(served_volume) + other_volume
    demand = parenchyma + (weight * perfused).sum(axis=0)
    present = demand > 0.0
    arterial_per_volume = np.where(present, arterial, 0.0) / np.where(present, demand, 1.0)
    portal_per_volume = np.where(parenchyma > 0.0, portal, 0.0) / np.where(parenchyma > 0.0, parenchyma, 1.0)
    zone = perfused * arterial_per_volume
    served_arterial = arterial_per_volume * served_volume
    served_portal = portal_per_volume * served_volume
    other = (arterial_per_volume + portal_per_volume) * other_volume
    hepatic = zone.sum(axis=0) + served_arterial + served_portal + other
    return Flows(zone, weight * zone, served_arterial, served_portal, other, hepatic)


def split(flows: Flows, *, target_preference: Values, patent_tumour: Values, patent_served: Values) -> Array:
    """Where an arterial injection goes: shares of core, escape zone and served liver, (3, n), summing to 1.

    Lanes in which nothing flows get zeros; `injectable` tells whether a dose can be given at all.
    """
    tumour = np.asarray(target_preference) * flows.zone_arterial * patent_tumour
    served = flows.served_arterial * np.asarray(patent_served)
    total = tumour.sum(axis=0) + served
    open_ = total > 0.0
    shares = np.stack([tumour[0], tumour[1], np.broadcast_to(served, total.shape)])
    return np.where(open_, shares, 0.0) / np.where(open_, total, 1.0)


def injectable(
    flows: Flows, *, target_preference: Values, patent_tumour: Values, patent_served: Values
) -> Array:
    """Flow that carries an injection, relative to its unblocked value [1]; zero without an artery."""
    tumour = np.asarray(target_preference) * flows.zone_arterial.sum(axis=0)
    whole = tumour + flows.served_arterial
    left = tumour * patent_tumour + flows.served_arterial * np.asarray(patent_served)
    return np.where(whole > 0.0, left, 0.0) / np.where(whole > 0.0, whole, 1.0)


def supply(patent_tumour: Values, weight: Array, collateral: Values) -> Array:
    """Blood supply of the zones relative to the untreated state [1], (2, n): q + (1-q)(a p + 1 - a)."""
    return collateral + (1.0 - np.asarray(collateral)) * (1.0 - weight * (1.0 - np.asarray(patent_tumour)))


def oxygen_weight(arterial: Values, portal: Values) -> Array:
    """Share of the served liver's oxygen that comes by the artery [1]; 1 when no portal blood flows."""
    by_artery = ARTERIAL_OXYGEN * np.asarray(arterial)
    total = by_artery + PORTAL_OXYGEN * np.asarray(portal)
    return np.where(total > 0.0, by_artery, 1.0) / np.where(total > 0.0, total, 1.0)
