"""A sensitivity study in print: the inputs that matter most, with what is known of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..study.sensitivity import Sensitivity
from .text import three

Row = dict[str, Any]
Cell = Callable[[Row], str]
_LEFT = ("input", "unit", "kind", "evidence")
_LEGEND = {
    "tornado": "One input at a time at either end of its 90 % range; swing is the width over low, typical and high.",
    "morris": "Change of the result when an input moves through its whole distribution; sigma 0: always the same.",
    "sobol": "Share of the variance that an input explains alone (first), and that it is part of in any way (total).",
}


def render(found: Sensitivity, *, rows: int) -> str:
    """Return the table of the most influential inputs, under what was asked."""
    columns = {**_known(), **_numbers(found.method)}
    shown = found.rows[:rows]
    table = [list(columns), *([cell(row) for cell in columns.values()] for row in shown)]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    lines = []
    for cells in table:
        padded = [
            f"{cell:<{width}}" if name in _LEFT else f"{cell:>{width}}"
            for name, cell, width in zip(columns, cells, widths, strict=True)
        ]
        lines.append("  ".join(padded).rstrip())
    rule = "─" * max(map(len, lines))
    rest = len(found.rows) - len(shown)
    more = [f"and {rest} more input{'s' * (rest != 1)}"] if rest else []
    return "\n".join([_title(found), "", lines[0], rule, *lines[1:], *more, "", *_notes(found)])


def _known() -> dict[str, Cell]:
    return {
        "input": lambda row: str(row["path"]),
        "value": lambda row: three(row["value"]),
        "range": lambda row: f"{three(row['low'])}-{three(row['high'])}",
        "unit": lambda row: str(row["unit"]),
        "kind": lambda row: str(row["kind"]),
        "evidence": lambda row: str(row["grade"]),
    }


def _numbers(method: str) -> dict[str, Cell]:
    """Columns of a method: heading -> cell."""
    if method == "tornado":
        return {name: _number(key) for name, key in (("at low", "at_low"), ("at high", "at_high"), ("swing", "swing"))}
    if method == "morris":
        numbers = {name: _number(key) for name, key in (("mu", "mu"), ("mu*", "mu_star"), ("sigma", "sigma"))}
        return {**numbers, "mu* 95 %": lambda row: f"{three(row['mu_star_low_95'])}-{three(row['mu_star_high_95'])}"}
    return {
        "first": lambda row: f"{row['s1']:.3f}",
        "first 95 %": lambda row: f"{row['s1_low_95']:.3f} to {row['s1_high_95']:.3f}",
        "total": lambda row: f"{row['st']:.3f}",
        "total 95 %": lambda row: f"{row['st_low_95']:.3f} to {row['st_high_95']:.3f}",
    }


def _number(key: str) -> Cell:
    return lambda row: three(row[key])


def _title(found: Sensitivity) -> str:
    asked = {
        "value": f"{found.metric} of {found.arm}",
        "log_ratio": f"ln {found.metric} of {found.arm} over {found.over}",
        "beats": f"chance that {found.arm} beats {found.over} in {found.metric}",
    }[found.how]
    unit = "" if found.unit == "1" else f" {found.unit}"
    typical = "" if found.how == "beats" else f", {three(found.base)}{unit} at the typical values"
    return f"pkmodel sensitivity ({found.method}): {asked}{typical}"


def _notes(found: Sensitivity) -> list[str]:
    lines = [_LEGEND[found.method]]
    if found.method == "tornado" and found.how == "beats":
        lines.append(f"The other inputs are drawn ({found.n} draws), for which the chance is {three(found.base)}.")
    if found.mean is not None and found.variance is not None:
        lines.append(f"Over all inputs: mean {three(found.mean)}, standard deviation {three(found.variance**0.5)}.")
    cut = [row["path"] for row in found.rows if row["left_out_percent"] > 0.0]
    if cut and found.method != "tornado":
        lines.append(f"Tails of {len(cut)} inputs are left out, which no subject can have (CSV: left_out_percent).")
    lines.append(f"{found.runs} points in each arm. Uncertainty of typical values, not variability between patients.")
    return lines
