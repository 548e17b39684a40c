"""Records to columns: what a patient, a catheter and a drug mean to the solver, in mg, L and h."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from ..errors import ParameterError
from ..inputs.drug import Drug
from ..inputs.patient import Catheter, Patient
from ..inputs.record import Record
from ..laws import clearance, perfusion, tumour
from .problem import Array, DrugColumns, PatientColumns

LN2 = float(np.log(2.0))
HOURS_PER_DAY = 24.0


def column(record: Record, path: str, lanes: int) -> Array:
    """One value of a record in internal units over lanes, (n,)."""
    return np.broadcast_to(np.asarray(record.internal(path), dtype=float), (lanes,)).astype(float)


def rate_of(half_life: Array) -> Array:
    """First-order rate [1/h] of a half-life [h]; zero for an infinite one."""
    return LN2 / half_life


def patient_columns(patient: Patient, catheter: Catheter, drugs: tuple[Drug, ...], lanes: int) -> PatientColumns:
    """Columns of a patient under a catheter, with every player of the attribution taking part.

    Parameters
    ----------
    drugs : those of the regimen, whose marrow parameters decide the transit time
    """

    def of(path: str) -> Array:
        return column(patient, path, lanes)

    arterial, portal = perfusion.liver_inflow(
        of("liver.flow"), of("liver.arterial_share"), of("liver.buffer_gain"), of("liver.portal_open")
    )
    volume = tumour.sphere_volume(of("tumour.diameter"), of("tumour.count"))
    own = perfusion.escape_share(
        of("tumour.diameter"),
        of("tumour.escape_intercept"),
        of("tumour.escape_slope"),
        of("tumour.escape_deviation"),
    )
    core_weight, escape_weight = of("tumour.arterial_weight_core"), of("tumour.arterial_weight_escape")
    share, reached = perfusion.reach(own, escape_weight, column(catheter, "coverage", lanes))
    parenchyma = of("liver.parenchyma_volume")
    served = parenchyma * column(catheter, "territory_share", lanes)
    growth_rate, damping, capacity = _growth(patient, volume, lanes)
    return PatientColumns(
        bsa=of("bsa"),
        arterial=arterial,
        portal=portal,
        parenchyma=parenchyma,
        served=served,
        other=parenchyma - served,
        liver_extracellular=of("liver.extracellular_fraction"),
        liver_shunt=of("liver.shunt"),
        liver_critical_supply=of("liver.critical_supply"),
        tumour_extracellular=of("tumour.extracellular_fraction"),
        tumour_shunt=of("tumour.shunt"),
        zone_volume=np.stack([(1.0 - share) * volume, share * volume]),
        zone_weight=np.stack([core_weight, reached]),
        # perfusion is the patient's: the mean weight is taken before the catheter's reach is known
        mean_weight=(1.0 - own) * core_weight + own * escape_weight,
        nodules=of("tumour.count"),
        perfusion_ratio=of("tumour.perfusion_ratio"),
        collateral=of("tumour.collateral_supply"),
        critical_supply=of("tumour.critical_supply"),
        hypoxia_rate=1.0 / of("tumour.hypoxia_time"),
        ischaemic_kill=of("tumour.ischaemic_kill_rate"),
        growth_rate=growth_rate,
        growth_damping=damping,
        growth_capacity=capacity,
        zone_share=np.stack([1.0 - share, share]),
        resorption=rate_of(of("tumour.resorption_half_life")),
        escape_recovery=of("tumour.escape_recovery"),
        escape_recovery_time=of("tumour.escape_recovery_time"),
        neutrophils=of("marrow.neutrophils"),
        neutrophil_mtt=_transit_time(patient, drugs, lanes),
        neutrophil_feedback=of("marrow.neutrophil_feedback"),
        leukocytes=of("marrow.leukocytes"),
        leukocyte_mtt=of("marrow.leukocyte_mtt"),
        leukocyte_feedback=of("marrow.leukocyte_feedback"),
        drug_switch=np.ones(lanes),
        ischaemia_switch=np.ones(lanes),
        retention_switch=np.ones(lanes),
        mixed=np.zeros(lanes),
    )


def _growth(patient: Patient, volume: Array, lanes: int) -> tuple[Array, Array, Array]:
    """Exponential rate [1/h], Gompertz constant [1/h] and capacity [L]; the law not chosen is switched off."""
    doubling = column(patient, "tumour.doubling_time", lanes)
    nothing = np.zeros(lanes)
    if patient.tumour.growth == "exponential":
        return rate_of(doubling), nothing, np.ones(lanes)
    capacity = column(patient, "tumour.growth_capacity", lanes)
    present = volume > 0.0
    constant = tumour.gompertz_rate(doubling, np.where(present, volume, 0.5 * capacity), capacity)
    return nothing, np.where(present, constant, 0.0), capacity


def _transit_time(patient: Patient, drugs: tuple[Drug, ...], lanes: int) -> Array:
    """Mean transit time of the run [h]: the longest of the drugs with a slope, else the patient's.

    A drug with a slope but without a transit time of its own has the patient's.
    """
    own = column(patient, "marrow.neutrophil_mtt", lanes)
    longest = np.zeros(lanes)
    for drug in drugs:
        slope, mtt = (
            column(drug, "marrow.neutrophil_slope", lanes),
            column(drug, "marrow.neutrophil_mtt", lanes),
        )
        acts = np.nan_to_num(slope) > 0.0
        longest = np.maximum(longest, np.where(acts, np.where(np.isfinite(mtt), mtt, own), 0.0))
    return np.where(longest > 0.0, longest, own)


def derived_clearances(drug: Drug, lanes: int) -> tuple[Array, Array]:
    """Other clearance [L/h] and intrinsic clearance per parenchyma [L/h/L] of the drug's reference subject.

    Raises
    ------
    ParameterError
        When total clearance, extraction, reference flow, blood:plasma ratio and liver exchange contradict each
        other; the message names the fields.
    """

    def of(path: str) -> Array:
        return column(drug, path, lanes)

    extraction, total = of("extraction"), of("cl_total")
    flow, parenchyma = (
        of("reference.liver_flow") * of("blood_plasma_ratio"),
        of("reference.parenchyma_volume"),
    )
    hepatic = clearance.hepatic_clearance(extraction, of("reference.liver_flow"), of("blood_plasma_ratio"))
    _refuse(
        hepatic > total * (1.0 + 1e-12),
        drug,
        lambda i: (
            f"drug.extraction {extraction[i]:g} times drug.reference.liver_flow and drug.blood_plasma_ratio is a "
            f"hepatic clearance of {hepatic[i]:.4g} L/h, above drug.cl_total {total[i]:.4g} L/h"
        ),
    )
    apparent = clearance.apparent_intrinsic_clearance(extraction, flow)
    barrier = of("liver.ps") * parenchyma
    _refuse(
        (apparent > 0.0) & (apparent >= barrier),
        drug,
        lambda i: (
            f"drug.extraction {extraction[i]:g} needs an exchange of more than {apparent[i]:.4g} L/h, but "
            f"drug.liver.ps times drug.reference.parenchyma_volume is {barrier[i]:.4g} L/h"
        ),
    )
    _refuse(
        (extraction > 0.0) & (flow <= 0.0),
        drug,
        lambda i: f"drug.extraction {extraction[i]:g} needs drug.reference.liver_flow above 0 mL/min",
    )
    active = apparent > 0.0
    intrinsic = clearance.intrinsic_clearance(np.where(active, apparent, 0.0), np.where(active, barrier, 1.0))
    per_volume = intrinsic / np.where(active, parenchyma, 1.0)
    return np.maximum(total - hepatic, 0.0), per_volume


def _refuse(bad: NDArray[np.bool_], drug: Drug, say: Callable[[int], str]) -> None:
    if np.any(bad):
        lane = int(np.argmax(bad))
        where = f" (index {lane})" if bad.size > 1 else ""
        raise ParameterError(f"{drug.name}: impossible combination{where}: {say(lane)}")


def drug_columns(drug: Drug, patient: Patient, lanes: int) -> dict[str, Array]:
    """Columns of one drug in a patient: body volumes and clearances scale with body surface, the liver is its own."""

    def of(path: str) -> Array:
        return column(drug, path, lanes)

    other, intrinsic = derived_clearances(drug, lanes)
    size = column(patient, "bsa", lanes) / of("reference.bsa")
    return {
        "blood_plasma_ratio": of("blood_plasma_ratio"),
        "fraction_unbound": of("fraction_unbound"),
        "cl_other": other * size,
        "other_inverse_km": 1.0 / of("km_other"),
        "v1": of("v1") * size,
        "q2": of("q2") * size,
        "v2": of("v2") * size,
        "q3": of("q3") * size,
        "v3": of("v3") * size,
        "liver_kp": of("liver.kp"),
        "liver_ps": of("liver.ps"),
        "liver_clint": intrinsic * column(patient, "liver.reserve", lanes),
        "liver_inverse_km": 1.0 / of("liver.km"),
        "tumour_kp": of("tumour.kp"),
        "tumour_ps": of("tumour.ps"),
        "loss_extracellular": of("tumour.loss_extracellular"),
        "loss_cellular": of("tumour.loss_cellular"),
        "bound_fraction": of("bound.fraction"),
        "bound_rate": rate_of(of("bound.half_life")),
        "bound_volume": of("bound.volume") * size,
        "tumour_bound_fraction": of("bound.tumour_fraction"),
        "tumour_bound_rate": rate_of(of("bound.tumour_half_life")),
        "kmax": of("kill.kmax"),
        "ec50": of("kill.ec50"),
        "hill": of("kill.hill"),
        "hypoxia_factor": of("kill.hypoxia_factor"),
        "potency": of("kill.potency"),
        "neutrophil_slope": of("marrow.neutrophil_slope"),
        "leukocyte_slope": of("marrow.leukocyte_slope"),
    }


# A session without any drug is followed with an inert one, dose zero: one road for bland embolisation too.
INERT = dict.fromkeys(
    ("blood_plasma_ratio", "fraction_unbound", "cl_other", "v1", "liver_kp", "liver_ps", "tumour_kp", "tumour_ps",
     "bound_rate", "bound_volume", "tumour_bound_rate", "ec50", "hill", "hypoxia_factor"), 1.0
)  # fmt: skip


def inert_columns(lanes: int) -> dict[str, Array]:
    """Columns of a drug that is never given and does nothing."""
    names = DrugColumns.__dataclass_fields__
    return {name: np.full(lanes, INERT.get(name, 0.0)) for name in names}
