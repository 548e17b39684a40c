"""Two hundred random scenarios for the comparison of the package with the oracle.

`scenario(index)` is a pure function of its index (NumPy SeedSequence(20261125, spawn_key=(index,))) and of the
library's plausible ranges. Categories are cycled by the index, so that all arms, drugs, patients, catheters and
release laws occur; everything else is drawn. Numbers are rounded, so that a specification survives any text format.
Combinations that are illegal (negative clearance, blocked artery, capacity below the tumour's volume) or ill-defined
(a review within a session, an event at the horizon) are drawn again.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import oracle_inputs as inputs
import oracle_timeline as line

COUNT = 200
SEED = 20261125
DRUGS = ("doxorubicin", "cisplatin", "fluorouracil", "mitomycin_c")
COMBINATIONS = (
    *((d,) for d in DRUGS),
    ("doxorubicin", "cisplatin"), ("doxorubicin", "mitomycin_c"), ("cisplatin", "fluorouracil"),
    ("doxorubicin",), ("fluorouracil", "mitomycin_c"), ("doxorubicin", "cisplatin", "mitomycin_c"),
    ("doxorubicin", "cisplatin", "fluorouracil", "mitomycin_c"),
)  # fmt: skip
PATIENTS = (
    "hcc_reference", "hcc_child_b", "hcc_portal_thrombosis", "colorectal_metastasis", "pig", "rabbit_vx2",
)  # fmt: skip
CATHETERS = ("whole_liver", "lobar", "segmental", "superselective")
LAWS = ("none", "first_order", "biexponential", "weibull", "higuchi", "korsmeyer_peppas", "tabulated")
END_EMBOLICS = ("gelatin_sponge", "sace_1", "sace_2", "sace_3", "sace_4", "none")
ARMS = (
    "iv", "arterial_bolus", "arterial_infusion", "solution_oil_sponge", "emulsion", "emulsion_sponge", "suspension",
    "suspension_sponge", "beads", "beads_sponge", "bland_sponge", "bland_oil_sponge", "bland_beads", "custom",
    "custom_sponge", "custom", "extravascular", "iv_and_arterial", "two_arterial", "mixed_sessions", "custom_overlap",
)  # fmt: skip
DOSE_RANGE = {
    "doxorubicin": (10.0, 100.0), "cisplatin": (20.0, 150.0), "fluorouracil": (100.0, 2000.0),
    "mitomycin_c": (5.0, 40.0),
}  # fmt: skip
DURATIONS = (0.0, 1 / 3600, 0.1, 0.25, None)
# Fields that are drawn on their own, move nothing here, or would leave the legal combinations too often.
NOT_DRAWN = {
    "patients": {
        "tumour.growth", "tumour.growth_capacity", "body_weight", "tumour.escape_spread", "liver.critical_supply",
        "tumour.count",
    },
    "drugs": {"molar_mass", "usual_dose", "kill.potency_spread", "reference.bsa", "cl_total", "v1"},
    "catheters": set(),
}  # fmt: skip
PREFIX = {"patients": "patient", "drugs": "drug", "catheters": "catheter"}

Rng = np.random.Generator


def _round(x: float, digits: int = 4) -> float:
    return float(f"{x:.{digits}g}")


def _log_uniform(rng: Rng, low: float, high: float) -> float:
    return _round(math.exp(rng.uniform(math.log(low), math.log(high))))


def _pick(rng: Rng, items: Any) -> Any:
    return items[int(rng.integers(len(items)))]


# ---- carriers -------------------------------------------------------------------------------------------


def _release(rng: Rng, law: str) -> dict[str, Any]:
    rate = _log_uniform(rng, 1e-6, 1e6) if rng.random() < 0.5 else _log_uniform(rng, 1e-3, 10)
    if law == "first_order":
        return {"law": law, "rate": rate}
    if law == "biexponential":
        return {"law": law, "fast_share": _round(rng.uniform(0, 1)), "fast_rate": rate,
                "slow_rate": _round(rate * _log_uniform(rng, 1e-4, 1))}  # fmt: skip
    if law == "weibull":
        return {"law": law, "scale": _round(1 / rate), "shape": _round(rng.uniform(0.35, 2.5), 3)}
    if law == "higuchi":
        return {"law": law, "rate_constant": _round(math.sqrt(rate))}
    if law == "korsmeyer_peppas":
        n = _round(rng.uniform(0.3, 1.0), 3)
        return {"law": law, "rate_constant": _round(rate**n), "exponent": n}
    if law == "tabulated":
        knots = int(rng.integers(3, 8))
        steps = np.cumsum(rng.uniform(0.2, 1.0, knots))
        times = [0.0, *(_round(_t) for _t in steps / steps[-1] * _log_uniform(rng, 0.5, 500))]
        rise = np.cumsum(rng.uniform(0.05, 1.0, knots) * np.linspace(1.5, 0.2, knots))
        return {"law": law, "times": times,
                "fractions": [0.0, *(_round(f) for f in rise / rise[-1] * rng.uniform(0.3, 1.0))]}  # fmt: skip
    return {"law": "none"}


def _custom(rng: Rng, law: str) -> dict[str, Any]:
    """A full carrier with numbers of its own, each in the field's own unit."""
    return {
        "name": f"custom_{law}", "title": f"Custom carrier, {law}", "product": "no",
        "prompt_fraction": 1.0 if law == "none" else _round(_pick(rng, [0.0, rng.uniform(0, 0.8)]), 3),
        "target_preference": _round(rng.uniform(0.4, 3.0), 3),
        "lung_share": _round(_pick(rng, [0.0, rng.uniform(0, 0.4)]), 3),
        "duration": _round(rng.uniform(0.05, 1.0), 3),
        "occlusion": _round(_pick(rng, [0.0, rng.uniform(0.05, 0.95)]), 3),
        "selectivity": _round(rng.uniform(0.0, 0.6), 3),
        "half_life": _round(_log_uniform(rng, 0.5, 200)),
        "retention_tumour": 24.0, "retention_liver": 8.0, "retention_lung": 13.0,
        "release": _release(rng, law),
    }  # fmt: skip


# ---- sessions -------------------------------------------------------------------------------------------


def _duration(rng: Rng, low: float = 0.02, high: float = 2.0) -> float | None:
    return _pick(rng, DURATIONS) if rng.random() < 0.6 else _log_uniform(rng, low, high)


def _dose(rng: Rng, drugs: tuple[str, ...], route: str, carrier: Any = None, duration: Any = "draw") -> dict[str, Any]:
    return {
        "drugs": {d: _log_uniform(rng, *DOSE_RANGE[d]) for d in drugs},
        "route": route,
        "carrier": carrier,
        "duration_h": _duration(rng) if duration == "draw" else duration,
        "start_h": None,
    }


def _two_arterial(rng: Rng, drugs: tuple[str, ...], law: str) -> list[dict[str, Any]]:
    """Solution, then another carrier; the second sometimes with a start of its own after a pause."""
    doses = [
        _dose(rng, drugs[:1], "hepatic_artery", _pick(rng, [None, "solution"])),
        _dose(rng, drugs[-1:], "hepatic_artery", _pick(rng, ["lipiodol_emulsion", "beads", _custom(rng, law)])),
    ]
    if rng.random() < 0.4:
        doses[1]["start_h"] = _round((doses[0]["duration_h"] or 0.1) + rng.uniform(0.2, 3.0))
    return doses


def _session(rng: Rng, arm: str, drugs: tuple[str, ...], law: str) -> tuple[list[dict[str, Any]], list[str]]:
    """(doses, embolics) of one session of an arm."""
    end = _pick(rng, END_EMBOLICS)
    artery = "hepatic_artery"
    named = {"emulsion": "lipiodol_emulsion", "suspension": "lipiodol_suspension", "beads": "beads"}
    stem, _, sponge = arm.partition("_")
    if stem in named:
        return [_dose(rng, drugs, artery, named[stem])], [end] if sponge else []
    if arm == "iv":
        return [_dose(rng, (d,), "iv") for d in drugs], []
    if arm == "arterial_bolus":
        return [_dose(rng, drugs, artery, _pick(rng, [None, "solution"]))], []
    if arm == "arterial_infusion":
        return [_dose(rng, drugs, artery, None, _log_uniform(rng, 1, 48))], []
    if arm == "solution_oil_sponge":
        return [_dose(rng, drugs, artery)], ["lipiodol", end]
    if arm == "bland_sponge":
        return [], [end if end != "none" else "gelatin_sponge"]
    if arm == "bland_oil_sponge":
        return [], [_pick(rng, ["lipiodol+gelatin_sponge", "lipiodol"])]
    if arm == "bland_beads":
        return [], ["beads_bland"]
    if stem == "custom":
        doses = [_dose(rng, drugs, artery, _custom(rng, law))]
        if sponge == "overlap":  # an infusion into a vein during the arterial injection
            doses.append(_dose(rng, drugs[-1:], "iv", None, _log_uniform(rng, 0.5, 24)))
            doses[-1]["start_h"] = _pick(rng, [0.0, 0.05, 1.5])
        return doses, [end] if sponge == "sponge" else []
    if arm == "extravascular":
        carrier = _custom(rng, law)
        return [_dose(rng, drugs, "extravascular", carrier, _pick(rng, [0.0, 1 / 3600, 0.5, 3.0]))], []
    if arm == "iv_and_arterial":
        return [_dose(rng, drugs[:1], "iv"), _dose(rng, drugs[-1:], artery, "lipiodol_emulsion")], [end]
    if arm == "two_arterial":
        return _two_arterial(rng, drugs, law), _pick(rng, [[], [end], ["lipiodol", "gelatin_sponge"]])
    return _session(rng, _pick(rng, [a for a in ARMS if a not in ("mixed_sessions", "extravascular")]), drugs, law)


def _length_h(item: dict[str, Any]) -> float:
    """A bound on how long a session takes, with the embolics after it."""
    total = 1.0
    for dose in item["doses"]:
        total += (dose["duration_h"] if dose["duration_h"] is not None else 1.0) + (dose["start_h"] or 0.0)
    return total


# ---- overrides ------------------------------------------------------------------------------------------


def _drawable(kind: str, name: str) -> dict[str, tuple[float, float]]:
    """Plausible range of every numeric field of a library record, in the field's own unit."""
    table = inputs.library_table(kind, name)
    out = {}

    def walk(node: dict[str, Any], prefix: str) -> None:
        for key, item in node.items():
            if isinstance(item, dict) and "value" not in item and key != "for":
                walk(item, f"{prefix}{key}.")
            elif isinstance(item, dict) and "unit" in item and prefix + key not in NOT_DRAWN[kind]:
                low, high = item.get("plausible", item["range"])
                factor = inputs.FACTOR[item["unit"]] / inputs.FACTOR[inputs.OWN_UNIT[kind][prefix + key]]
                if not math.isnan(item["value"]):
                    high = high if math.isfinite(high) else 10 * max(low, 1.0)
                    out[prefix + key] = (low * factor, high * factor)

    walk(table, "")
    return {path: (low, high) for path, (low, high) in out.items() if high > low}


def _value(rng: Rng, low: float, high: float) -> float:
    if low > 0 and high / low > 5:
        return _log_uniform(rng, low, high)
    return _round(rng.uniform(low, high))


def _overrides(rng: Rng, patient: str, catheter: str, drugs: tuple[str, ...]) -> dict[str, float | str]:
    out: dict[str, float | str] = {}
    records = [("patients", patient, "patient"), ("catheters", catheter, "catheter")]
    records += [("drugs", d, f"drug.{d}") for d in drugs]
    for kind, name, prefix in records:
        fields = _drawable(kind, name)
        for path in rng.permutation(sorted(fields))[: int(rng.integers(0, 5 if kind != "catheters" else 2))]:
            out[f"{prefix}.{path}"] = _value(rng, *fields[str(path)])
    for d in drugs:
        if d != "doxorubicin" and rng.random() < 0.35:
            out[f"drug.{d}.marrow.neutrophil_slope"] = _log_uniform(rng, 0.01, 5)
        if rng.random() < 0.35:
            out[f"drug.{d}.marrow.leukocyte_slope"] = _log_uniform(rng, 0.01, 20)
    if rng.random() < 0.2:
        out["embolic.half_life"] = _log_uniform(rng, 0.5, 60)
    if rng.random() < 0.1:
        out["embolic.occlusion"] = _round(rng.uniform(0.1, 0.9), 3)
    if rng.random() < 0.15:
        out["carrier.target_preference"] = _round(rng.uniform(0.4, 2.5), 3)
    return out


def _growth(rng: Rng, spec: dict[str, Any]) -> None:
    """Gompertz in two of five: a capacity 1.5 to 100 times the tumour."""
    record = inputs.read("patients", spec["patient"])
    diameter = spec["overrides"].get("patient.tumour.diameter", record["tumour.diameter"])
    volume_ml = record["tumour.count"] * math.pi / 6 * diameter**3 * 1e-3
    if volume_ml > 0 and rng.random() < 0.4:
        spec["overrides"]["patient.tumour.growth"] = "gompertz"
        spec["overrides"]["patient.tumour.growth_capacity"] = _round(volume_ml * _log_uniform(rng, 1.5, 100))


# ---- a scenario -----------------------------------------------------------------------------------------


def _draw(rng: Rng, index: int) -> dict[str, Any]:
    arm = ARMS[index % len(ARMS)]
    drugs = (
        COMBINATIONS[int(rng.integers(len(COMBINATIONS)))]
        if index % 3
        else COMBINATIONS[index // 3 % len(COMBINATIONS)]
    )
    law = LAWS[(index + index // len(ARMS)) % len(LAWS)]
    if arm == "extravascular" and law == "none":
        law = "first_order"
    patient, catheter = PATIENTS[(index // 2) % len(PATIENTS)], CATHETERS[(index // 3) % len(CATHETERS)]
    reviews = rng.random() < 0.3
    count = int(rng.choice([1, 2, 3, 4], p=[0.4, 0.3, 0.2, 0.1])) if arm != "mixed_sessions" else 3
    at = 0.0 if reviews or rng.random() < 0.6 else _round(rng.uniform(1, 200))
    sessions = []
    for _ in range(count):
        doses, embolics = _session(rng, arm, drugs, law)
        sessions.append({"at_h": at, "doses": doses, "embolics": embolics})
        at = round(at + _length_h(sessions[-1]) + _log_uniform(rng, 24, 50 * 24), 2)
    last = sessions[-1]["at_h"] + _length_h(sessions[-1])
    until = round(last + _log_uniform(rng, 36, 80 * 24), 1)
    spec = {
        "patient": patient,
        "catheter": catheter,
        "overrides": _overrides(rng, patient, catheter, drugs),
        "until_h": max(until, 48.0),
        "review_days": _round(rng.uniform(2, 20), 3) if reviews else None,
        "switches": [1, 1, 1] if rng.random() < 0.7 else [int(s) for s in rng.integers(0, 2, 3)],
        "sessions": sessions,
    }
    _growth(rng, spec)
    return spec


def _legal(spec: dict[str, Any]) -> bool:
    """Whether everything derived exists, nothing overlaps, and the artery stays open enough for every injection."""
    overrides = spec["overrides"]
    patient = inputs.overridden(inputs.read("patients", spec["patient"]), "patients", "patient", overrides)
    catheter = inputs.overridden(inputs.read("catheters", spec["catheter"]), "catheters", "catheter", overrides)
    try:
        for name in {n for s in spec["sessions"] for d in s["doses"] for n in d["drugs"]}:
            inputs.drug_constants(name, patient, overrides)
        tumour = inputs.tumour_constants(patient, catheter)
        plan = line.schedule(spec)
    except ValueError:
        return False
    horizon_d = spec["until_h"] / 24
    if not 2 <= horizon_d <= 120 or horizon_d * 24 * tumour.growth_rate > 4 or patient["tumour.doubling_time"] <= 0:
        return False
    geo = line.geometry(tumour, inputs.supply_constants(patient, catheter), list(tumour.v0), [0.0, 0.0])
    full_t = full_s = 1.0
    for agent in plan.agents:
        full_t, full_s = full_t * (1 - agent.occlusion[0]), full_s * (1 - agent.occlusion[1])
    zones = sum(a * f for a, f in zip(tumour.weight, geo.zone_flow, strict=True))
    if 3 * zones * full_t + geo.artery_served * full_s < 0.05 * (3 * zones + geo.artery_served):
        return False
    times = [*plan.sessions, *(t for item in [*plan.doses, *plan.agents] for t in (item.start, item.end))]
    if any(t >= Fraction(spec["until_h"]) for t in [*times, *plan.reviews]):
        return False
    starts = plan.sessions
    ends = [
        max(t for t in times if t >= a and (i + 1 == len(starts) or t < starts[i + 1])) for i, a in enumerate(starts)
    ]
    return not any(a <= r <= b for r in plan.reviews for a, b in zip(starts, ends, strict=True))


def scenario(index: int) -> dict[str, Any]:
    """Specification number `index`, ready for `oracle.simulate`; `arm` and `index` are for information."""
    rng = np.random.default_rng(np.random.SeedSequence(SEED, spawn_key=(index,)))
    for _ in range(1000):
        spec = _draw(rng, index)
        if _legal(spec):
            return {"index": index, "arm": ARMS[index % len(ARMS)], **spec}
    raise RuntimeError(f"no legal scenario for index {index}")


def sample_times(spec: dict[str, Any], count: int = 12) -> list[float]:
    """Times [h] to compare at: sessions and offsets after them, the rest log-spaced up to the horizon."""
    first, until = spec["sessions"][0]["at_h"], spec["until_h"]
    times = {0.0, until}
    offsets: list[Callable[[float], float]] = [lambda a: a, lambda a: a + 0.2, lambda a: a + 5.0]
    for item in spec["sessions"]:
        times |= {round(f(item["at_h"]), 4) for f in offsets[: 3 if len(spec["sessions"]) < 3 else 2]}
    spaced = np.geomspace(0.05, until - first, max(count + 1 - len(times), 3))[:-1]
    times |= {round(first + float(x), 3) for x in spaced}
    return sorted(t for t in times if t <= until)
