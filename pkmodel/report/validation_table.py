"""Validation as a table, CSV and JSON; its picture is `report.figures.validation`."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence

from ..inputs.cases import left_out
from ..study.acceptance import Verdict
from ..study.validation import Result, gmfe, left_out_share, summary
from .text import three

GROUPS: Mapping[str, Callable[[Result], str]] = {
    "drug": lambda r: r.case.drug or "no drug",
    "carrier": lambda r: str(r.row()["carrier"]),
    "species": lambda r: str(r.row()["species"]),
    "role": lambda r: r.observation.role,
}
_WIDTHS = (15, 26, 19, 9, 9, 17, 7, 6)


def render(results: Sequence[Result], verdicts: Sequence[Verdict], *, draws: int) -> str:
    """Return the whole report as text of at most 120 columns."""
    studies = len({each.case.study for each in results})
    cases = len({each.case.id for each in results})
    lines = [
        f"pkmodel validate: {len(results)} observations, {cases} published experiments, {studies} studies; "
        f"90 % intervals from {draws - 1} draws",
        "",
        _line("row", "case", "quantity", "observed", "predicted", "90 % interval", "fold", "role"),
        "─" * (sum(_WIDTHS) + 2 * len(_WIDTHS)),
        *(_result(each) for each in results),
        "",
        *_summaries(results),
        *_footer(results, verdicts),
    ]
    return "\n".join(line.rstrip() for line in lines)


def _line(*cells: str) -> str:
    return "  ".join(
        f"{cell[:width]:<{width}}" if i < 3 or i == 7 else f"{cell:>{width}}"
        for i, (cell, width) in enumerate(zip(cells, _WIDTHS, strict=True))
    )


def _result(each: Result) -> str:
    o = each.observation
    quantity = f"{o.reading.quantity}{' ratio' if o.over else ''}"
    interval = f"{three(each.low)}-{three(each.high)}"
    if o.ordering is not None:
        fold, observed = "passes" if each.passed else "FAILS", o.ordering
    else:
        fold, observed = (three(each.fold) if each.fold == each.fold else "n/a"), three(o.value)
    return _line(o.id, each.case.id, quantity, observed, three(each.predicted), interval, fold, o.role) + f"  {o.unit}"


def _summaries(results: Sequence[Result]) -> list[str]:
    head = ("", "n", "GMFE", "1.25-fold", "1.5-fold", "2-fold", "covered", "orderings")
    lines = [f"{head[0]:<22}" + "".join(f"{cell:>11}" for cell in head[1:])]
    for name, by in GROUPS.items():
        lines.append(f"by {name}")
        for group, s in summary(results, by).items():
            shares = [_percent(s[f"within_{fold}_fold_percent"]) for fold in ("1.25", "1.5", "2")]
            cells = (str(s["n"]), _three(s["gmfe"]), *shares, _percent(s["covered_percent"]), s["orderings_passed"])
            lines.append(f"  {group:<20}" + "".join(f"{cell:>11}" for cell in cells))
    return [*lines, ""]


def _footer(results: Sequence[Result], verdicts: Sequence[Verdict]) -> list[str]:
    out, of = left_out_share()
    none = [each for each in results if each.observation.ordering is None and each.fold != each.fold]
    lines = [
        f"GMFE of all {three(gmfe(each.fold for each in results))}.",
        f"{len(none)} numbers have no fold error, nothing was observed or predicted: in the shares, not in the GMFE.",
        f"Of {of} in-vivo rows of the four drugs with number, unit, route and grade {out} are left out "
        f"({100.0 * out / of:.0f} %, at most 40 %).",
        f"Every row of the evidence that is in no case has its reason ({len(left_out())} rows).",
    ]
    for each in verdicts:
        if not each.accepted:
            lines.append(f"NOT ACCEPTED {each.group}: {each.why}")
    if all(each.accepted for each in verdicts):
        lines.append("Every group is within the committed acceptance.")
    return lines


def _three(value: float | None) -> str:
    return "-" if value is None else three(value)


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{value:.0f} %"


def to_json(results: Sequence[Result], verdicts: Sequence[Verdict]) -> str:
    """One JSON object: rows, summary by drug, carrier, species and role, what is left out, acceptance."""
    out, of = left_out_share()
    return json.dumps(
        {
            "rows": [each.row() for each in results],
            "gmfe": gmfe(each.fold for each in results),
            "summary": {name: summary(results, by) for name, by in GROUPS.items()},
            "left_out": {
                "countable_left_out": out,
                "countable": of,
                "rows": [{"row": row, "reason": why, "note": note} for row, (why, note) in left_out().items()],
            },
            "acceptance": [each.as_dict() for each in verdicts],
        },
        indent=1,
    )


def to_csv(results: Sequence[Result]) -> str:
    """Every observation as a line of CSV."""
    out = io.StringIO()
    rows = [each.row() for each in results]
    writer = csv.DictWriter(out, fieldnames=list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows({key: "" if value is None else value for key, value in row.items()} for row in rows)
    return out.getvalue()
