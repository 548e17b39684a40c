"""Oracle, part 1: the library TOML files, units, overrides and what is derived once from them.

Internal units are mg, L, h (length stays mm, area m2). A *record* is here a plain dict {dotted path: number or text} in
internal units. Nothing of the package is imported.
"""

from __future__ import annotations

import math
import tomllib
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

DATA = Path(__file__).resolve().parent.parent.parent / "pkmodel" / "inputs" / "data"
ZONES = ("core", "escape")

# Factor from a unit to the internal one. 1 mL of tissue is 1e-3 L; 1 g of drug is 1000 mg.
FACTOR = {
    "1": 1.0, "%": 0.01,
    "mg": 1.0, "g": 1e3, "ug": 1e-3, "kg": 1.0, "g/mol": 1.0,
    "L": 1.0, "mL": 1e-3, "mm": 1.0, "cm": 10.0, "m2": 1.0,
    "h": 1.0, "min": 1 / 60, "s": 1 / 3600, "d": 24.0,
    "1/h": 1.0, "1/d": 1 / 24, "1/min": 60.0,
    "L/h": 1.0, "mL/min": 0.06, "L/min": 60.0, "L/h/L": 1.0,
    "mg/L": 1.0, "ug/mL": 1.0, "ng/mL": 1e-3, "L/mg": 1.0, "1e9/L": 1.0,
}  # fmt: skip

# Each field's own unit (the unit of a bare number in an override or in a carrier given as a dict).
OWN_UNIT: dict[str, dict[str, str]] = {
    "drugs": {
        "molar_mass": "g/mol", "usual_dose": "mg", "cl_total": "L/h", "extraction": "1", "blood_plasma_ratio": "1",
        "fraction_unbound": "1", "v1": "L", "q2": "L/h", "v2": "L", "q3": "L/h", "v3": "L", "km_other": "mg/L",
        "reference.bsa": "m2", "reference.liver_flow": "mL/min", "reference.parenchyma_volume": "mL",
        "liver.kp": "1", "liver.ps": "L/h/L", "liver.km": "mg/L",
        "tumour.kp": "1", "tumour.ps": "L/h/L", "tumour.loss_extracellular": "1/h", "tumour.loss_cellular": "1/h",
        "bound.fraction": "1", "bound.half_life": "h", "bound.volume": "L",
        "bound.tumour_fraction": "1", "bound.tumour_half_life": "h",
        "kill.kmax": "1/h", "kill.ec50": "mg/L", "kill.hill": "1", "kill.hypoxia_factor": "1",
        "kill.potency": "1", "kill.potency_spread": "1",
        "marrow.neutrophil_slope": "L/mg", "marrow.leukocyte_slope": "L/mg", "marrow.neutrophil_mtt": "h",
    },
    "patients": {
        "bsa": "m2", "body_weight": "kg",
        "liver.flow": "mL/min", "liver.arterial_share": "1", "liver.buffer_gain": "1", "liver.portal_open": "1",
        "liver.parenchyma_volume": "mL", "liver.extracellular_fraction": "1", "liver.reserve": "1",
        "liver.shunt": "1", "liver.critical_supply": "1",
        "tumour.diameter": "mm", "tumour.count": "1", "tumour.perfusion_ratio": "1",
        "tumour.extracellular_fraction": "1", "tumour.escape_intercept": "1", "tumour.escape_slope": "1",
        "tumour.escape_deviation": "1", "tumour.escape_spread": "1", "tumour.arterial_weight_core": "1",
        "tumour.arterial_weight_escape": "1", "tumour.collateral_supply": "1", "tumour.critical_supply": "1",
        "tumour.hypoxia_time": "h", "tumour.ischaemic_kill_rate": "1/d", "tumour.doubling_time": "d",
        "tumour.growth": "", "tumour.growth_capacity": "mL", "tumour.resorption_half_life": "d",
        "tumour.escape_recovery": "1", "tumour.escape_recovery_time": "d", "tumour.shunt": "1",
        "marrow.neutrophils": "1e9/L", "marrow.neutrophil_mtt": "h", "marrow.neutrophil_feedback": "1",
        "marrow.leukocytes": "1e9/L", "marrow.leukocyte_mtt": "h", "marrow.leukocyte_feedback": "1",
    },
    "catheters": {"territory_share": "1", "coverage": "1"},
    "carriers": {
        "prompt_fraction": "1", "target_preference": "1", "lung_share": "1", "duration": "h", "occlusion": "1",
        "selectivity": "1", "half_life": "d", "retention_tumour": "d", "retention_liver": "d", "retention_lung": "d",
        "release.law": "", "release.rate": "1/h", "release.fast_share": "1", "release.fast_rate": "1/h",
        "release.slow_rate": "1/h", "release.scale": "h", "release.shape": "1", "release.rate_constant": "1",
        "release.exponent": "1", "release.times": "h", "release.fractions": "1",
    },
    "embolics": {
        "occlusion": "1", "selectivity": "1", "half_life": "d", "duration": "h", "builds": "",
        "retention_tumour": "d", "retention_liver": "d", "retention_lung": "d",
    },
}  # fmt: skip

Record = dict[str, Any]


def _merged(base: dict[str, Any], change: dict[str, Any]) -> dict[str, Any]:
    """Deep merge of two TOML tables; `change` wins."""
    out = dict(base)
    for key, value in change.items():
        both = isinstance(value, dict) and isinstance(out.get(key), dict)
        out[key] = _merged(out[key], value) if both else value
    return out


def _flat(table: dict[str, Any], prefix: str = "") -> Record:
    """TOML tables {value, unit, ...} to {path: internal value}; plain keys stay text."""
    out: Record = {}
    for key, item in table.items():
        if not isinstance(item, dict):
            out[prefix + key] = item
        elif "value" in item:
            number = item["value"]
            out[prefix + key] = number if isinstance(number, str) else number * FACTOR[item["unit"]]
        else:
            out.update(_flat(item, prefix + key + "."))
    return out


def to_internal(kind: str, path: str, value: Any) -> Any:
    """A bare value of the field `path` in the field's own unit, converted to internal units."""
    unit = OWN_UNIT[kind][path]
    if isinstance(value, str) or unit == "":
        return value
    if isinstance(value, list | tuple):
        return [float(x) * FACTOR[unit] for x in value]
    return float(value) * FACTOR[unit]


@cache
def library_table(kind: str, name: str) -> dict[str, Any]:
    """The TOML file as it stands (never changed by its readers)."""
    with open(DATA / kind / f"{name}.toml", "rb") as handle:
        return tomllib.load(handle)


def read(kind: str, name: str, *, drug: str | None = None) -> Record:
    """Library record; a carrier with the [for.<drug>] tables of `drug` laid over it."""
    table = library_table(kind, name)
    plain = {key: item for key, item in table.items() if key != "for"}
    return _flat(_merged(plain, table.get("for", {}).get(drug, {})))


def overridden(record: Record, kind: str, prefix: str, overrides: dict[str, Any]) -> Record:
    """The record with every override whose path starts with `prefix.`."""
    out = dict(record)
    for path, value in overrides.items():
        if path.startswith(prefix + "."):
            field = path[len(prefix) + 1 :]
            out[field] = to_internal(kind, field, value)
    return out


def carrier(item: str | dict[str, Any], drug: str | None, overrides: dict[str, Any]) -> Record:
    """A carrier by library name, or from a dict of full numbers in the fields' own units."""
    if isinstance(item, str):
        record = read("carriers", item, drug=drug)
    else:
        plain = {k: v for k, v in item.items() if k != "release"}
        plain |= {f"release.{k}": v for k, v in item.get("release", {}).items()}
        known = OWN_UNIT["carriers"]
        record = {k: to_internal("carriers", k, v) if k in known else v for k, v in plain.items()}
    return overridden(record, "carriers", "carrier", overrides)


def drug_constants(name: str, patient: Record, overrides: dict[str, Any]) -> SimpleNamespace:
    """Drug parameters scaled to the patient, with the clearances derived from the reference subject (section 1)."""
    d = overridden(read("drugs", name), "drugs", f"drug.{name}", overrides)
    rb, extraction = d["blood_plasma_ratio"], d["extraction"]
    flow_plasma = d["reference.liver_flow"] * rb
    ps_reference = d["liver.ps"] * d["reference.parenchyma_volume"]
    cl_hepatic = extraction * flow_plasma
    cl_other = d["cl_total"] - cl_hepatic
    if cl_other < 0:
        raise ValueError(f"{name}: extraction x liver flow exceeds cl_total")
    uptake = extraction * flow_plasma / (1 - extraction)  # CLi' of E = CLi'/(Q Rb + CLi')
    if uptake > 0 and ps_reference <= uptake:
        raise ValueError(f"{name}: liver.ps too small for the extraction")
    clint = uptake * ps_reference / (ps_reference - uptake) if uptake > 0 else 0.0
    clint_per_l = clint / d["reference.parenchyma_volume"] if clint > 0 else 0.0
    size = patient["bsa"] / d["reference.bsa"]
    return SimpleNamespace(
        name=name,
        rb=rb,
        fu=d["fraction_unbound"],
        v1=d["v1"] * size,
        peripherals=((d["q2"] * size, d["v2"] * size), (d["q3"] * size, d["v3"] * size)),
        cl_other=cl_other * size,
        inv_km_other=1 / d["km_other"],
        clint_per_l=clint_per_l * patient["liver.reserve"],
        inv_km_liver=1 / d["liver.km"],
        kp_liver=d["liver.kp"],
        ps_liver=d["liver.ps"],
        kp_tumour=d["tumour.kp"],
        ps_tumour=d["tumour.ps"],
        loss_e=d["tumour.loss_extracellular"],
        loss_c=d["tumour.loss_cellular"],
        bound_fraction=d["bound.fraction"],
        bound_rate=math.log(2) / d["bound.half_life"],
        bound_volume=d["bound.volume"] * size,
        bound_tumour_fraction=d["bound.tumour_fraction"],
        bound_tumour_rate=math.log(2) / d["bound.tumour_half_life"],
        kmax=d["kill.potency"] * d["kill.kmax"],
        ec50=d["kill.ec50"],
        hill=d["kill.hill"],
        hypoxia_factor=d["kill.hypoxia_factor"],
        slope={"neutrophils": d["marrow.neutrophil_slope"], "leukocytes": d["marrow.leukocyte_slope"]},
        neutrophil_mtt=d["marrow.neutrophil_mtt"],
    )


def tumour_constants(p: Record, catheter: Record) -> SimpleNamespace:
    """Zones before the first session, arterial weights and response parameters (sections 2 and 4)."""
    volume = p["tumour.count"] * math.pi / 6 * p["tumour.diameter"] ** 3 * 1e-6  # mm3 to L
    core, escape = p["tumour.arterial_weight_core"], p["tumour.arterial_weight_escape"]
    if volume > 0:
        logit = p["tumour.escape_intercept"] + p["tumour.escape_slope"] * math.log(p["tumour.diameter"] / 30.0)
        phi = 1 / (1 + math.exp(-logit - p["tumour.escape_deviation"]))
        mean_weight = (1 - phi) * core + phi * escape  # the patient's own zones: before coverage is applied
        phi_reached = 1 - catheter["coverage"] * (1 - phi)
        escape = escape * catheter["coverage"] * phi / phi_reached
    else:
        phi_reached, mean_weight = 0.0, 1.0
    share = (1 - phi_reached, phi_reached)
    capacity, doubling = p["tumour.growth_capacity"], p["tumour.doubling_time"]
    initial_rate = math.log(2) / doubling
    gompertz = p["tumour.growth"] == "gompertz" and volume > 0 and math.isfinite(capacity)
    if gompertz and capacity <= volume:
        raise ValueError("growth_capacity must exceed the tumour's volume")
    return SimpleNamespace(
        v0=tuple(volume * s for s in share),
        weight=(core, escape),
        mean_weight=mean_weight,
        rho=p["tumour.perfusion_ratio"],
        f_e=p["tumour.extracellular_fraction"],
        q_min=p["tumour.collateral_supply"],
        s_crit=p["tumour.critical_supply"],
        tau=p["tumour.hypoxia_time"],
        k_hyp=p["tumour.ischaemic_kill_rate"],
        growth_rate=initial_rate,  # of the whole tumour at t = 0
        gompertz=initial_rate / math.log(capacity / volume) if gompertz else None,
        capacity=tuple(capacity * s for s in share),
        k_res=math.log(2) / p["tumour.resorption_half_life"],
        recovery=p["tumour.escape_recovery"],
        recovery_time=p["tumour.escape_recovery_time"],
        bypass=p["tumour.shunt"],  # phi_sh
    )


def supply_constants(p: Record, catheter: Record) -> SimpleNamespace:
    """Liver blood flows at rest and the territory (section 2)."""
    portal = p["liver.flow"] * (1 - p["liver.arterial_share"])
    lost = portal * (1 - p["liver.portal_open"])
    volume, share = p["liver.parenchyma_volume"], catheter["territory_share"]
    return SimpleNamespace(
        arterial=p["liver.flow"] * p["liver.arterial_share"] + p["liver.buffer_gain"] * lost,
        portal=portal - lost,
        v_served=volume * share,
        v_other=volume * (1 - share),
        f_e=p["liver.extracellular_fraction"],
        shunt=p["liver.shunt"],
        main_thrombosis=p["portal_thrombosis"] == "main",
    )


def marrow_constants(p: Record, drugs: list[SimpleNamespace]) -> dict[str, SimpleNamespace]:
    """Friberg parameters of both cell lines; one transit time per run (section 5).

    `known` is False when drugs are given and none of them has a slope: the line is then reported as NaN.
    """
    lines = {}
    for line, mtt_field in (("neutrophils", "neutrophil_mtt"), ("leukocytes", "leukocyte_mtt")):
        mtt = p[f"marrow.{mtt_field}"]
        slopes = [0.0 if math.isnan(d.slope[line]) else d.slope[line] for d in drugs]
        with_slope = [d for d in drugs if not math.isnan(d.slope[line])]
        if line == "neutrophils" and with_slope:
            mtt = max(mtt if math.isnan(d.neutrophil_mtt) else d.neutrophil_mtt for d in with_slope)
        lines[line] = SimpleNamespace(
            circ0=p[f"marrow.{line}"],
            gamma=p[f"marrow.{line[:-1]}_feedback"],
            ktr=4 / mtt,
            slopes=slopes,
            known=bool(with_slope) or not drugs,
        )
    return lines
