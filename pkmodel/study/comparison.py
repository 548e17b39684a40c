"""What a comparison is: rows with their keys, reasons of what is missing, and a manifest."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..accuracy import SMALL
from ..errors import UnknownNameError

EXPOSURE_KEYS = (
    "plasma_cmax_ng_per_ml",
    "plasma_auc_ng_h_per_ml",
    "tumour_cmax_ug_per_g",
    "tumour_auc_ug_h_per_g",
    "homogenate_auc_ug_h_per_g",
    "tumour_plasma_auc_ratio",
    "targeting_index",
    "delivered_share_percent",
    "retained_share_percent",
)
EFFECT_KEYS = (
    "necrosis_percent",
    "viable_left_percent",
    "necrosis_drug_alone_percent",
    "necrosis_ischaemia_alone_percent",
    "shapley_drug_percent",
    "shapley_ischaemia_percent",
    "shapley_retention_percent",
    "neutrophil_nadir_1e9_per_l",
    "neutrophil_nadir_day",
    "ctcae_grade",
)
WIDE_KEYS = ("plasma_auc_inf_ng_h_per_ml", "tumour_auc_inf_ug_h_per_g", "plasma_tmax_h", "tumour_tmax_h",
             "extracellular_auc_ug_h_per_ml", "served_liver_auc_ug_h_per_g", "clearance_l_per_h")  # fmt: skip
COUNT_KEYS = ("balance_error", "n_parameters", "n_assumed", "status")


@dataclass(frozen=True, eq=False)
class Comparison:
    """Rows of a comparison, the reasons of what is missing, and how it came about.

    Attributes
    ----------
    rows : one mapping an arm and drug; numbers, None where missing
    reasons : (arm, drug) -> key -> why it is missing
    assumed : (arm, drug) -> keys that rest mainly on assumed parameters
    manifest : versions, settings, inputs with their kinds
    """

    rows: tuple[dict[str, Any], ...]
    reasons: dict[tuple[str, str], dict[str, str]]
    assumed: dict[tuple[str, str], frozenset[str]]
    manifest: dict[str, Any] = field(repr=False)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    def row(self, arm: str, drug: str | None = None) -> dict[str, Any]:
        """The row of an arm (of a drug, when several were given)."""
        found = [r for r in self.rows if r["arm"] == arm and drug in (None, r["drug"])]
        if len(found) != 1:
            names = tuple(dict.fromkeys(r["arm"] for r in self.rows))
            raise UnknownNameError.of("arm" if not found else "single drug in arm", arm, names)
        return found[0]

    def to_json(self) -> str:
        """One JSON object: rows, reasons, manifest; missing numbers are null."""
        reasons = [{"arm": arm, "drug": drug, **why} for (arm, drug), why in self.reasons.items() if why]
        return json.dumps({"rows": list(self.rows), "reasons": reasons, "manifest": self.manifest}, indent=1)

    def to_csv(self, path: str | Path | None = None) -> str:
        """Rows as CSV text, units in the column names; written to `path` if one is given."""
        out = io.StringIO()
        writer = csv.DictWriter(out, fieldnames=list(self.rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows({k: "" if v is None else v for k, v in row.items()} for row in self.rows)
        if path is not None:
            Path(path).write_text(out.getvalue(), encoding="utf-8")
        return out.getvalue()


def achieved_errors(found: Comparison, fine: Comparison) -> dict[str, Any]:
    """Errors of every number of a comparison against the same with a tighter tolerance.

    Returns
    -------
    dict
        `rtol` of the tighter run; `largest` with its `arm`, `drug` and `key`; `rows`, one an arm and drug, key -> error
        relative to max(|value|, 1e-4 of the largest of its column).
    """
    keys = (*EXPOSURE_KEYS, *WIDE_KEYS, *EFFECT_KEYS)
    rows: list[dict[str, Any]] = [{"arm": row["arm"], "drug": row["drug"]} for row in found]
    for key in keys:
        largest = max((abs(row[key]) for row in fine if row[key] is not None), default=0.0)
        for out, row, exact in zip(rows, found, fine, strict=True):
            out[key] = _error(row[key], exact[key], largest)
    worst = max(rows, key=lambda row: max(row[key] or 0.0 for key in keys))
    key = max(keys, key=lambda name: worst[name] or 0.0)
    at = {"arm": worst["arm"], "drug": worst["drug"], "key": key}
    return {"rtol": fine.manifest["rtol"], "largest": worst[key], **at, "rows": rows}


def _error(value: float | None, exact: float | None, largest: float) -> float | None:
    """Error of one number; None where there is none, infinite where it exists in one of the two runs only."""
    if value is None or exact is None:
        return None if value is exact else math.inf
    scale = max(abs(exact), SMALL * largest)
    return abs(value - exact) / scale if scale > 0.0 else abs(value)
