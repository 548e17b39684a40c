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


def _exposure(comparison: Comparison, drug: str) -> Iterator[str]:
    rows = [r for r in comparison if r["drug"] == drug and not without_drug(comparison, r)]
    rows = [r for r in rows if r["tumour_auc_ug_h_per_g"]]
    if not rows:
        return
    best = max(rows, key=lambda r: r["tumour_auc_ug_h_per_g"])
    iv = next((r for r in rows if r["arm"] == REFERENCE_ARM), None)
    what = f"{'Highest tumour' if len(rows) > 1 else 'Tumour'} exposure to {drug}: {_arm(best)},"
    if iv is None or best is iv:
        index = best["targeting_index"]
        targeting = "" if index is None or best is iv else f", targeting index {three(index)}"
        yield f"{what} AUC {three(best['tumour_auc_ug_h_per_g'])} µg·h/g{targeting}."
    else:
        tumour, plasma = (best[key] / iv[key] for key in ("tumour_auc_ug_h_per_g", "plasma_auc_ng_h_per_ml"))
        yield f"{what} {three(tumour)} times that of iv at {three(plasma)} times its plasma AUC."


def _necrosis(comparison: Comparison) -> Iterator[str]:
    rows = {r["arm"]: r for r in comparison if r["necrosis_percent"] is not None}
    if not rows:
        return
    best = max(rows.values(), key=lambda r: r["necrosis_percent"])
    bland = rows.get(_BLAND)
    against = ""
    if bland is not None and best is not bland:
        against = f", against {three(bland['necrosis_percent'])} % by {_arm(bland)}"
    what = f"{'Most necrosis' if len(rows) > 1 else 'Necrosis'} at day {reading_day(comparison):g}"
    yield f"{what}: {_arm(best)}, {three(best['necrosis_percent'])} %{against}."
    if best["shapley_drug_percent"] is not None:
        owed = [f"{round(best[key])} % {'is owed ' if not i else ''}to {cause}" for i, (key, cause) in enumerate(_OWED)]
        yield f"Of its log kill {', '.join(owed)}."
