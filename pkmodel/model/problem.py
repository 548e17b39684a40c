"""What the solver sees: columns over lanes, a timeline of events, and nothing with a name from the clinic's files.

A lane is one subject under one regimen. Drugs of a lane lie on an axis of their own: arrays of a drug have shape
(D, n), arrays of a patient (n,), with zones first where there are any: (2, n). Units: mg, L, h.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from ..laws.release import ReleaseLaw

Array = NDArray[np.float64]
T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class DrugColumns:
    """Numbers of the drugs in their patients, each (D, n)."""

    blood_plasma_ratio: Array
    fraction_unbound: Array
    cl_other: Array
    other_inverse_km: Array
    v1: Array
    q2: Array
    v2: Array
    q3: Array
    v3: Array
    liver_kp: Array
    liver_ps: Array
    liver_clint: Array  # [L/h per L parenchyma], this patient's reserve included
    liver_inverse_km: Array
    tumour_kp: Array
    tumour_ps: Array
    loss_extracellular: Array
    loss_cellular: Array
    bound_fraction: Array
    bound_rate: Array
    bound_volume: Array
    tumour_bound_fraction: Array
    tumour_bound_rate: Array
    kmax: Array
    ec50: Array
    hill: Array
    hypoxia_factor: Array
    potency: Array
    neutrophil_slope: Array
    leukocyte_slope: Array


@dataclass(frozen=True, eq=False)
class PatientColumns:
    """Numbers of the patients and their catheters, each (n,) or, for zones, (2, n)."""

    bsa: Array
    arterial: Array  # inflow of the liver [L/h]
    portal: Array
    parenchyma: Array
    served: Array  # parenchyma volumes [L]
    other: Array
    liver_extracellular: Array
    liver_shunt: Array
    liver_critical_supply: Array
    tumour_extracellular: Array
    tumour_shunt: Array
    zone_volume: Array  # (2, n) before the first session [L]
    zone_weight: Array  # (2, n) arterial weight a_z
    mean_weight: Array
    nodules: Array
    perfusion_ratio: Array
    collateral: Array
    critical_supply: Array
    hypoxia_rate: Array
    ischaemic_kill: Array
    growth_rate: Array  # g of du/dt = g - b u, u = ln v (exponential: b = 0)
    growth_damping: Array  # Gompertz constant [1/h]; 0: exponential
    growth_capacity: Array  # Gompertz K of the whole tumour [L]
    zone_share: Array  # (2, n) a zone's share of the tumour before the first session
    resorption: Array
    escape_recovery: Array
    escape_recovery_time: Array
    neutrophils: Array
    neutrophil_mtt: Array  # that of the regimen: the longest of its drugs with a slope
    neutrophil_feedback: Array
    leukocytes: Array
    leukocyte_mtt: Array
    leukocyte_feedback: Array
    drug_switch: Array  # attribution: 0 takes the player out, 1 leaves it in
    ischaemia_switch: Array
    retention_switch: Array
    mixed: Array  # 1: drug kills as if it lay evenly in both zones


@dataclass(frozen=True, eq=False)
class Slot:
    """One dose of every lane: what is given, where it goes and how it is released."""

    amount: Array  # (D, n) [mg]
    venous: Array  # (n,) 1 for intravenous, 0 for arterial
    prompt: Array  # (D, n) dissolved share of the amount
    central_depot: Array  # (n,) 1 when the depot lies in the centre instead of the liver
    preference: Array  # (n,) theta of the carrier
    lung_share: Array  # (n,)
    law: ReleaseLaw | None  # None: nothing is held back in any lane
    begin: int  # index of the boundary at which the dose starts, and ends
    end: int


@dataclass(frozen=True, eq=False)
class Agent:
    """One agent that blocks arteries: a carrier during its deposit, or an embolic."""

    occlusion: Array  # (n,) o_T once deposited
    served_occlusion: Array  # (n,) o_S
    rate: Array  # (n,) recanalisation [1/h]
    begin: int  # boundaries between which the occlusion builds up; equal: at once
    end: int


@dataclass(frozen=True, eq=False)
class Problem:
    """A batch of lanes that share the order of events, ready to be solved."""

    drug_names: tuple[str, ...]
    drug: DrugColumns
    patient: PatientColumns
    boundaries: Array  # (K + 1, n) times of events in order [h], first 0, last the horizon
    readings: tuple[int, ...]  # boundaries at which geometry is read again
    sessions: tuple[int, ...]  # boundaries at which sessions begin
    slots: tuple[Slot, ...]
    agents: tuple[Agent, ...]

    @property
    def n(self) -> int:
        """Number of lanes."""
        return int(self.boundaries.shape[1])

    @property
    def n_drugs(self) -> int:
        """Number of drugs, the first axis of everything that belongs to a drug."""
        return len(self.drug_names)

    def take(self, lanes: slice | NDArray[np.intp]) -> Problem:
        """The same problem for some of its lanes."""
        return take(self, lanes)


def take(item: T, lanes: Any) -> T:
    """Select lanes (last axis) in every array of a nested dataclass; scalars and names stay."""
    if isinstance(item, np.ndarray):
        return item[..., lanes] if item.ndim else item  # type: ignore[return-value]
    if isinstance(item, tuple):
        return tuple(take(part, lanes) for part in item)  # type: ignore[return-value]
    if is_dataclass(item) and not isinstance(item, type):
        if isinstance(item, ReleaseLaw):
            return item.take(lanes)  # type: ignore[return-value]
        changed = {f.name: take(getattr(item, f.name), lanes) for f in fields(item)}
        return replace(item, **changed)  # type: ignore[type-var]
    return item
