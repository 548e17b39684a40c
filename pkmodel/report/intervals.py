"""The block of a comparison that says how certain its numbers are."""

from __future__ import annotations

from typing import Any

from ..study.arms import REFERENCE_ARM
from ..study.comparison import Comparison
from .text import three

COLUMNS = (
    ("plasma_auc_ng_h_per_ml", "plasma AUC", "ng·h/mL"),
    ("tumour_auc_ug_h_per_g", "tumour AUC", "µg·h/g"),
    ("necrosis_percent", "necrosis", "%"),
)
BETTER = (("tumour_auc_ug_h_per_g", "AUC"), ("necrosis_percent", "necr."))
_LEGEND = (
    "Medians with 90 % intervals: uncertainty of typical values, not variability between patients.",
    f"beats {REFERENCE_ARM}: share of draws with more; assumed: share of the variance from assumed parameters.",
)
_LABEL, _CELL, _SHARE = 25, 17, 6


def intervals(comparison: Comparison) -> list[str]:
    """Medians with 90 % intervals, how often an arm beats the reference, and what rests on assumptions."""
    drawn = comparison.manifest["uncertainty"]
    several = len({row["drug"] for row in drawn["rows"]}) > 1
    title = f"UNCERTAINTY ({drawn['draws']} draws)"
    head = f"{title:<{_LABEL}}" + "".join(f"{name:>{_CELL}}" for _, name, _ in COLUMNS)
    head += "".join(f"{what:>{2 * _SHARE}}" for what in (f"beats {REFERENCE_ARM}", "assumed"))
    units = f"{'arm':<{_LABEL}}" + "".join(f"{unit + ' [90 %]':>{_CELL}}" for _, _, unit in COLUMNS)
    units += "".join(f"{name:>{_SHARE}}" for _, name in (*BETTER, *BETTER))
    lines = [head, units, "─" * len(units)]
    for row in drawn["rows"]:
        label = f"{row['arm']}, {row['drug']}" if several else row["arm"]
        cells = "".join(f"{_interval(row[key]):>{_CELL}}" for key, _, _ in COLUMNS)
        better = "".join(f"{_share(row[key], 'p_above_reference', 100.0):>{_SHARE}}" for key, _ in BETTER)
        rests = "".join(f"{_share(row[key], 'assumed_variance_percent', 1.0):>{_SHARE}}" for key, _ in BETTER)
        lines.append(f"{label[: _LABEL - 1]:<{_LABEL}}{cells}{better}{rests}".rstrip())
    return [*lines, "", *_LEGEND]


def _interval(scores: dict[str, Any]) -> str:
    if not scores["n"] or scores["high_90"] == 0.0:
        return "-"
    return f"{three(scores['median'])} [{_two(scores['low_90'])}-{_two(scores['high_90'])}]"


def _two(value: float) -> str:
    """Two significant digits: an end of an interval is not known better."""
    return three(float(f"{value:.1e}")) if abs(value) < 1e-2 else f"{float(f'{value:.1e}'):g}"


def _share(scores: dict[str, Any], key: str, factor: float) -> str:
    return f"{factor * scores[key]:.0f} %" if key in scores else "-"
