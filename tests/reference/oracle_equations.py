"""Oracle, part 4: the right-hand sides of MODEL sections 1, 4 and 5, written out state by state.

Both functions take plain lists, so that a complex step through them gives the exact Jacobian.
"""

from __future__ import annotations

import cmath
import math
from types import SimpleNamespace
from typing import Any

import numpy as np

REGIONS = ("core", "escape", "served_liver", "other_liver")
# States of one drug. "e_" extracellular, "c_" cellular amount; "loss_" eliminated so far; the rest by name.
STATES = (
    "central", "peripheral_1", "peripheral_2",
    "e_core", "c_core", "e_escape", "c_escape", "e_served_liver", "c_served_liver", "e_other_liver", "c_other_liver",
    "bound", "bound_core", "bound_escape",
    "depot_core", "depot_escape", "depot_served_liver", "depot_lung", "depot_extravascular",
    "loss_other", "loss_served_liver", "loss_other_liver",
    "loss_core_extracellular", "loss_core_cellular", "loss_escape_extracellular", "loss_escape_cellular",
    "plasma_auc", "tumour_auc",
)  # fmt: skip
AT = {name: i for i, name in enumerate(STATES)}
PLACES = ("core", "escape", "served_liver", "lung", "extravascular")
LINES = ("neutrophils", "leukocytes")
STEP = 1e-30  # of the complex-step derivative

Number = Any  # float, or complex in the Jacobian


def regions_of(drug: SimpleNamespace, tumour: SimpleNamespace, supply: SimpleNamespace, geo: SimpleNamespace) -> list:
    """Per region the constants of exchange and elimination at the last reading; None for a region without volume."""
    out = []
    for name, volume in zip(REGIONS, [*geo.volume, supply.v_served, supply.v_other], strict=True):
        in_tumour = name in ("core", "escape")
        f_e = tumour.f_e if in_tumour else supply.f_e
        kp = drug.kp_tumour if in_tumour else drug.kp_liver
        region = SimpleNamespace(
            v_e=f_e * volume,
            medium=(1 - f_e) * volume * kp,  # A_c / medium = m
            ps=(drug.ps_tumour if in_tumour else drug.ps_liver) * volume,
            clint=0.0 if in_tumour else drug.clint_per_l * volume,
            inv_km=drug.inv_km_liver,
            loss_e=drug.loss_e if in_tumour else 0.0,
            loss_c=drug.loss_c if in_tumour else 0.0,
        )
        out.append(region if volume > 0 else None)
    return out


def transport(
    y: list[Number],
    drug: SimpleNamespace,
    regions: list,
    flows: list[float],
    inputs: SimpleNamespace,
    volume: float,
) -> list[Number]:
    """dA/dt of one drug. `flows`: Q of the four regions [plasma-equivalent L/h]; `volume`: of the whole tumour [L]."""
    d: list[Number] = [0.0] * len(STATES)
    c = y[0] / drug.v1
    for j, (q, v) in enumerate(drug.peripherals):
        if q > 0 and v > 0:
            flux = q * (c - y[1 + j] / v)
            d[0] -= flux
            d[1 + j] += flux
    other = drug.cl_other * c / (1 + c * drug.inv_km_other)
    d[0] -= other
    d[AT["loss_other"]] = other
    removed = other
    for i, region in enumerate(regions):
        e, k = 3 + 2 * i, 4 + 2 * i
        if region is None:
            d[e] = inputs.to_region[i]
            continue
        c_e, m = y[e] / region.v_e, y[k] / region.medium
        delivered = flows[i] * (c - c_e)
        exchange = region.ps * (c_e - m)
        d[0] -= delivered
        d[e] += delivered - exchange + inputs.to_region[i]
        d[k] += exchange
        if i < 2:
            lost_e, lost_c = region.loss_e * y[e], region.loss_c * y[k]
            d[e] -= lost_e
            d[k] -= lost_c
            d[AT["loss_core_extracellular"] + 2 * i] = lost_e
            d[AT["loss_core_cellular"] + 2 * i] = lost_c
            bound = AT["bound_core"] + i
            d[bound] = drug.bound_tumour_fraction * lost_c - drug.bound_tumour_rate * y[bound]
        else:
            eliminated = region.clint * m / (1 + m * region.inv_km)
            d[k] -= eliminated
            d[AT["loss_served_liver"] + i - 2] = eliminated
            removed = removed + eliminated
    d[0] += inputs.to_central
    d[AT["bound"]] = drug.bound_fraction * removed - drug.bound_rate * y[AT["bound"]]
    for place, rate in enumerate(inputs.depot):
        d[AT["depot_core"] + place] = rate
    d[AT["plasma_auc"]] = c
    if volume > 0:
        d[AT["tumour_auc"]] = (y[3] + y[4] + y[5] + y[6]) / volume
    return d


def response_size(n_drugs: int) -> int:
    """Hypoxia 2, ln(v/v0) 2, necrosis 2, volume killed by ischaemia and by each drug, two lines of five blood pools,
    ischaemic dose of the served liver."""
    return 6 + 1 + n_drugs + 10 + 1


def drug_kill(drug: SimpleNamespace, m: Number, h: Number) -> Number:
    """k_D of one zone [1/h]; rounding below zero counts as no drug."""
    c = drug.fu * m
    if (c.real if isinstance(c, complex) else c) <= 0:
        return 0.0
    effect = (c / drug.ec50) ** drug.hill
    return drug.kmax * effect / (1 + effect) * (1 + (drug.hypoxia_factor - 1) * h)


def response(
    r: list[Number], plasma: list[Number], medium: list[list[Number]], x: list[float], case: SimpleNamespace
) -> list[Number]:
    """Tumour and blood. `plasma`: C per drug; `medium`: [m_core, m_escape] per drug; `x`: ischaemia of both
    zones and of the served liver."""
    t, n = case.tumour, len(case.drugs)
    d: list[Number] = [0.0] * len(r)
    d[-1] = x[2]
    for z in (0, 1):
        if t.v0[z] == 0:
            continue
        h, u = r[z], r[2 + z]
        d[z] = (x[z] - h) / t.tau
        v = t.v0[z] * (cmath.exp(u) if isinstance(u, complex) else math.exp(u))
        growth = t.growth_rate
        if t.gompertz is not None:
            growth = t.gompertz * (math.log(t.capacity[z] / t.v0[z]) - u)
        ischaemic = case.k_hyp * h
        d[6] += ischaemic * v
        total = ischaemic
        for i, drug in enumerate(case.drugs):
            killed = drug_kill(drug, medium[i][z], h)
            d[7 + i] += killed * v
            total = total + killed
        d[2 + z] = growth - total
        d[4 + z] = total * v - t.k_res * r[4 + z]
    for number, line in enumerate(LINES):
        p, at = case.marrow[line], 7 + n + 5 * number
        effect = sum(s * c for s, c in zip(p.slopes, plasma, strict=True))
        log_pool, t1, t2, t3, circ = r[at : at + 5]
        pool = cmath.exp(log_pool) if isinstance(log_pool, complex) else math.exp(log_pool)
        d[at] = p.ktr * ((1 - effect) * (p.circ0 / circ) ** p.gamma - 1)
        d[at + 1] = p.ktr * (pool - t1)
        d[at + 2] = p.ktr * (t1 - t2)
        d[at + 3] = p.ktr * (t2 - t3)
        d[at + 4] = p.ktr * (t3 - circ)
    return d


def _columns(function: Any, point: list[float], which: range) -> np.ndarray:
    """Jacobian of `function` (list to list) in the arguments `which`, by complex step."""
    out = np.zeros((len(function(point)), len(point)))
    for j in which:
        shifted: list[Number] = list(point)
        shifted[j] = complex(point[j], STEP)
        out[:, j] = [value.imag / STEP if isinstance(value, complex) else 0.0 for value in function(shifted)]
    return out


def jacobian(y: list[float], flows: list[list[float]], x: list[float], case: SimpleNamespace) -> np.ndarray:
    """d(rates)/d(states) of the whole system; the inputs do not depend on the states."""
    size, n = len(STATES), len(case.drugs)
    full = np.zeros((len(y), len(y)))
    nothing = SimpleNamespace(to_region=[0.0] * 4, to_central=0.0, depot=[0.0] * 5)
    for i, drug in enumerate(case.drugs):
        part = slice(i * size, (i + 1) * size)
        regions = case.regions[i]
        full[part, part] = _columns(
            lambda v, i=i, drug=drug, regions=regions: transport(v, drug, regions, flows[i], nothing, case.volume),
            y[part],
            range(AT["depot_core"]),
        )
    start = n * size
    length = len(y) - start
    plasma, medium = coupling(y, case)

    def joined(v: list[Number]) -> list[Number]:
        zones = [[v[length + n + 2 * i], v[length + n + 2 * i + 1]] for i in range(n)]
        return response(v[:length], v[length : length + n], zones, x, case)

    columns = _columns(joined, [*y[start:], *plasma, *(m for pair in medium for m in pair)], range(length + 3 * n))
    full[start:, start:] = columns[:, :length]
    for i, drug in enumerate(case.drugs):
        full[start:, i * size] = columns[:, length + i] / drug.v1
        for z in (0, 1):
            if case.regions[i][z] is not None:
                full[start:, i * size + 4 + 2 * z] = columns[:, length + n + 2 * i + z] / case.regions[i][z].medium
    return full


def coupling(y: list[float], case: SimpleNamespace) -> tuple[list[float], list[list[float]]]:
    """What the response sees of the transport: C per drug and m per drug and zone."""
    size = len(STATES)
    plasma, medium = [], []
    for i, drug in enumerate(case.drugs):
        plasma.append(y[i * size] / drug.v1)
        zones = case.regions[i][:2]
        medium.append([0.0 if r is None else y[i * size + 4 + 2 * z] / r.medium for z, r in enumerate(zones)])
    return plasma, medium
