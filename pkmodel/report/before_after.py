"""A comparison beside the same one with earlier parameters: what a calibration changed."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

from ..study.compare import compare
from .text import three

DRUGS = ("doxorubicin", "cisplatin", "mitomycin_c", "fluorouracil")
KEYS = {
    "plasma_cmax_ng_per_ml": "plasma Cmax ng/mL",
    "plasma_auc_ng_h_per_ml": "plasma AUC ng·h/mL",
    "tumour_auc_ug_h_per_g": "tumour AUC µg·h/g",
    "necrosis_percent": "necrosis %",
    "shapley_drug_percent": "drug share %",
    "neutrophil_nadir_1e9_per_l": "nadir 10^9/L",
}


def arms_csv() -> str:
    """The reference patient's arms for all drugs, as CSV of the keys that are shown."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["drug", "arm", *KEYS])
    for drug in DRUGS:
        for row in compare("hcc_reference", drug=drug).rows:
            writer.writerow([drug, row["arm"], *(_cell(row[key]) for key in KEYS)])
    return out.getvalue()


def before_after(before: str | Path) -> str:
    """Return the stored comparison and the present one side by side, `before -> after` in every cell.

    Raises
    ------
    OSError
        The stored comparison cannot be read.
    """
    old = {(row["drug"], row["arm"]): row for row in _rows(Path(before).read_text(encoding="utf-8"))}
    lines = [f"{'drug':<13}{'arm':<26}" + "".join(f"{name:>24}" for name in KEYS.values())]
    for row in _rows(arms_csv()):
        earlier: dict[str, Any] = old.get((row["drug"], row["arm"]), {})
        cells = (f"{_shown(earlier.get(key, ''))} -> {_shown(row[key])}" for key in KEYS)
        lines.append(f"{row['drug']:<13}{row['arm']:<26}" + "".join(f"{cell:>24}" for cell in cells))
    return "\n".join(lines)


def _rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def _cell(value: Any) -> str:
    return "" if value is None else f"{float(value):.6g}"


def _shown(cell: str) -> str:
    return three(float(cell)) if cell else "-"
