"""What a comparison says in words, computed from its rows, so that it is true of any drug and patient."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..exposure.metrics import NO_DRUG
from ..study.arms import REFERENCE_ARM
from ..study.comparison import Comparison
from .text import three

_OWED = (
    ("shapley_ischaemia_percent", "ischaemia"),
    ("shapley_drug_percent", "the drug"),
    ("shapley_retention_percent", "drug held back by the blocked flow"),
)
_BLAND = "bland_embolisation"


def sentences(comparison: Comparison) -> Iterator[str]:
    """Yield what the rows say about exposure (one sentence a drug) and about necrosis and its causes."""
    for drug in dict.fromkeys(row["drug"] for row in comparison):
        yield from _exposure(comparison, drug)
    yield from _necrosis(comparison)


def without_drug(comparison: Comparison, row: dict[str, Any]) -> bool:
    """Say whether a row's arm gives no drug at all."""
    return NO_DRUG in comparison.reasons[row["arm"], row["drug"]].values()


def reading_day(comparison: Comparison) -> float:
    """Return the day of the reading: 28 d after the last session."""
    inputs = comparison.manifest["inputs"]
    starts = [each["value"] for path, each in inputs.items() if _is_start(path)]
    return max(starts, default=0.0) / 24.0 + 28.0


def sessions(comparison: Comparison) -> int:
    """Return the number of sessions."""
    return sum(map(_is_start, comparison.manifest["inputs"]))


def _is_start(path: str) -> bool:
    return path.startswith("session.") and path.endswith(".at")


def _arm(row: dict[str, Any]) -> str:
    return str(row["arm"]).replace("_", " ")


def _opening(text: str) -> str:
    return text[:1].upper() + text[1:]


def _exposure(comparison: Comparison, drug: str) -> Iterator[str]:
    rows = [r for r in comparison if r["drug"] == drug and not without_drug(comparison, r)]
    others = [r for r in rows if r["arm"] != REFERENCE_ARM and r["tumour_auc_ug_h_per_g"] is not None]
    if not others:
        return
    best = max(others, key=lambda r: r["tumour_auc_ug_h_per_g"])
    iv = next((r for r in rows if r["arm"] == REFERENCE_ARM), None)
    name, dose = _opening(_arm(best)), f"{drug} exposure"
    if iv is not None and iv["tumour_auc_ug_h_per_g"] and iv["plasma_auc_ng_h_per_ml"]:
        tumour = best["tumour_auc_ug_h_per_g"] / iv["tumour_auc_ug_h_per_g"]
        plasma = best["plasma_auc_ng_h_per_ml"] / iv["plasma_auc_ng_h_per_ml"]
        most = "the highest" if len(others) > 1 else "its"
        yield (
            f"{name} gives the tumour {most} {dose}: {three(tumour)} times that of iv, at {three(plasma)} times "
            "the plasma AUC."
        )
    elif best["targeting_index"] is not None:
        most = "the highest of these arms" if len(others) > 1 else f"{three(best['tumour_auc_ug_h_per_g'])} µg·h/g"
        yield f"{name} gives the tumour a {dose} of {most}, with a targeting index of {three(best['targeting_index'])}."


def _necrosis(comparison: Comparison) -> Iterator[str]:
    rows = {r["arm"]: r for r in comparison if r["necrosis_percent"] is not None}
    if not rows:
        return
    best = max(rows.values(), key=lambda r: r["necrosis_percent"])
    bland = rows.get(_BLAND)
    against = ""
    if bland is not None and best is not bland:
        against = f", against {three(bland['necrosis_percent'])} % by bland embolisation"
    day = f"day {reading_day(comparison):g}"
    lead = f"{_opening(_arm(best))} leaves the most necrosis at {day}," if len(rows) > 1 else f"Necrosis at {day} is"
    yield f"{lead} {three(best['necrosis_percent'])} %{against}."
    if best["shapley_drug_percent"] is not None:
        owed = [f"{round(best[key])} % {'is owed ' if not i else ''}to {what}" for i, (key, what) in enumerate(_OWED)]
        yield f"Of its log kill {', '.join(owed)}."
