"""The comparison as a table of at most 100 columns, with what it says and where its numbers come from."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, NamedTuple

from ..exposure.metrics import NO_DRUG, NO_TUMOUR, NOT_ARTERIAL
from ..inputs import library
from ..study import compare as study
from ..study.comparison import Comparison
from .intervals import intervals
from .sentences import reading_day, sentences, sessions, without_drug
from .text import needs_ascii, plain, three

WIDTH = 100
_ABSENT = (NO_DRUG, NO_TUMOUR, NOT_ARTERIAL)
_LEAST_LABEL = 20
_NO_PERCENT = 1e-6  # shares carry rounding noise around zero


class Column(NamedTuple):
    """One column: its key in a row, a heading it may share with its neighbours, its own heading and its unit."""

    key: str
    group: str
    name: str
    unit: str
    wide: bool = False


EXPOSURE = (
    Column("plasma_cmax_ng_per_ml", "plasma", "cmax", "ng/mL"),
    Column("plasma_auc_ng_h_per_ml", "plasma", "AUC", "ng·h/mL"),
    Column("tumour_cmax_ug_per_g", "tumour tissue", "cmax", "µg/g"),
    Column("tumour_auc_ug_h_per_g", "tumour tissue", "AUC", "µg·h/g"),
    Column("homogenate_auc_ug_h_per_g", "homogenate", "AUC", "µg·h/g"),
    Column("tumour_plasma_auc_ratio", "T:P AUC", "ratio", "1"),
    Column("targeting_index", "targeting", "vs iv", "1"),
    Column("delivered_share_percent", "dose to", "tumour", "%"),
    Column("retained_share_percent", "there", "at 24 h", "%", wide=True),
    Column("plasma_tmax_h", "plasma", "tmax", "h", wide=True),
    Column("plasma_auc_inf_ng_h_per_ml", "plasma", "AUC 0-inf", "ng·h/mL", wide=True),
    Column("tumour_tmax_h", "tumour tissue", "tmax", "h", wide=True),
    Column("tumour_auc_inf_ug_h_per_g", "tumour tissue", "AUC 0-inf", "µg·h/g", wide=True),
    Column("extracellular_auc_ug_h_per_ml", "extracellular", "AUC", "µg·h/mL", wide=True),
    Column("served_liver_auc_ug_h_per_g", "served liver", "AUC", "µg·h/g", wide=True),
    Column("clearance_l_per_h", "systemic", "clearance", "L/h", wide=True),
)
EFFECT = (
    Column("necrosis_percent", "necrosis", "total", "%"),
    Column("necrosis_drug_alone_percent", "each alone", "drug", "%"),
    Column("necrosis_ischaemia_alone_percent", "each alone", "ischaemia", "%"),
    Column("shapley_drug_percent", "share of the log kill", "drug", "%"),
    Column("shapley_ischaemia_percent", "share of the log kill", "ischaemia", "%"),
    Column("shapley_retention_percent", "share of the log kill", "retention", "%"),
    Column("neutrophil_nadir_1e9_per_l", "neutrophil nadir", "count", "10⁹/L"),
    Column("neutrophil_nadir_day", "neutrophil nadir", "day", "d"),
    Column("ctcae_grade", "neutrophil nadir", "grade", "CTCAE"),
    Column("viable_left_percent", "viable", "left", "%", wide=True),
)
_TUMOUR_TYPES = {"hcc": "HCC", "metastasis": "metastasis", "vx2": "VX2"}


class Table(Comparison):
    """A comparison that prints as its table."""

    def __str__(self) -> str:
        return render(self, ascii_only=needs_ascii(sys.stdout))


def compare(
    patient: Any = "hcc_reference",
    *,
    drug: Any,
    dose_mg: Any = None,
    arms: Sequence[str] | None = None,
    catheter: Any = "lobar",
    until_days: float = 28.0,
    settings: Mapping[str, Any] | None = None,
    rtol: float = study.LEAST_RTOL,
    check: bool = False,
    uncertainty: int = 0,
) -> Table:
    """Compare ways of giving a drug; parameters and errors as of `pkmodel.study.compare.compare`.

    Returns
    -------
    Table
        A `Comparison` that prints as a table.

    Examples
    --------
    >>> import pkmodel as pk
    >>> table = pk.compare("hcc_reference", drug="cisplatin", dose_mg=100, arms=["iv", "beads"])
    >>> str(table).splitlines()[0]
    'pkmodel compare: cisplatin 100 mg, one session, followed for 28 days'
    """
    return tabulated(
        study.compare(
            patient,
            drug=drug,
            dose_mg=dose_mg,
            arms=arms,
            catheter=catheter,
            until_days=until_days,
            settings=settings,
            rtol=rtol,
            check=check,
            uncertainty=uncertainty,
        )
    )


def tabulated(comparison: Comparison) -> Table:
    """Return a comparison that prints as its table."""
    return Table(comparison.rows, comparison.reasons, comparison.assumed, comparison.manifest)


def render(
    comparison: Comparison,
    *,
    wide: bool = False,
    ascii_only: bool = False,
    title: str = "pkmodel compare",
    again: str | None = None,
    follow: str | None = None,
) -> str:
    """Return a comparison as text.

    Parameters
    ----------
    comparison : what to print
    wide : all columns, in as many characters as they take; otherwise at most 100
    ascii_only : nothing beyond ASCII
    title : what the first line begins with
    again : options of the command line that mean the same inputs; by default drug and patient by name
    follow : what to type next
    """
    drugs = list(dict.fromkeys(row["drug"] for row in comparison))
    lines = [*(line for text in header(comparison, title) for line in _hint(text)), ""]
    for drug in drugs:
        name = "EXPOSURE" if len(drugs) == 1 else f"EXPOSURE, {drug}"
        rows = [row for row in comparison if row["drug"] == drug]
        lines += [*_block(comparison, name, rows, EXPOSURE, wide), ""]
    # effects are of the arm, whatever the drug
    rows = [row for row in comparison if row["drug"] == drugs[0]]
    lines += [*_block(comparison, f"EFFECT (day {reading_day(comparison):g})", rows, EFFECT, wide), ""]
    if "uncertainty" in comparison.manifest:
        lines += [*intervals(comparison), ""]
    lines += _footer(comparison, wide, _options(comparison) if again is None else again)
    lines += _hint(f"Next: {_next(comparison) if follow is None else follow}")
    text = "\n".join(lines)
    return plain(text) if ascii_only else text


def header(comparison: Comparison, title: str) -> Iterator[str]:
    """Yield what was given, how often and how long it is followed, and to whom; one line each."""
    manifest = comparison.manifest
    count = sessions(comparison)
    given = [f"{drug} {dose:g} mg" for drug, dose in manifest["drugs"].items() if dose > 0.0] or ["no drug"]
    how_often = ", one session" if count == 1 else f" in all, {count} sessions"
    yield f"{title}: {' + '.join(given)}{how_often}, followed for {manifest['until_days']:g} days"
    yield f"{manifest['patient']}: {', '.join(_patient(manifest))}"


def _patient(manifest: Mapping[str, Any]) -> Iterator[str]:
    def of(path: str) -> Any:
        return manifest["inputs"][f"patient.{path}"]["value"]

    if of("tumour.diameter") > 0.0:
        count = f"{of('tumour.count'):g} x " if of("tumour.count") > 1.0 else ""
        yield f"{_TUMOUR_TYPES.get(of('tumour_type'), 'tumour')} {count}{of('tumour.diameter'):g} mm"
    else:
        yield "no tumour"
    if of("child_pugh") != "none":
        yield f"Child-Pugh {of('child_pugh')}"
    if of("portal_thrombosis") != "none":
        yield f"{of('portal_thrombosis')} portal thrombosis"
    yield f"{of('bsa'):g} m²"
    yield f"{manifest['catheter'].replace('_', ' ')} catheter"


def _block(
    comparison: Comparison, title: str, rows: Sequence[dict[str, Any]], columns: Sequence[Column], wide: bool
) -> list[str]:
    """One block: three lines of headings, a rule, one line a row."""
    shown = shown_columns(columns, wide)
    cells = [[cell(comparison, row, column) for column in shown] for row in rows]
    widths = [
        max(len(column.name), len(column.unit), *(len(value.lstrip("~")) for value in values))
        for column, values in zip(shown, zip(*cells, strict=True), strict=True)
    ]
    label = max(_LEAST_LABEL, len(title), *(len(row["arm"]) for row in rows))
    groups = ""
    for group, members in groupby(zip(shown, widths, strict=True), key=lambda pair: pair[0].group):
        inside = list(members)
        span = sum(width + 2 for _, width in inside) - 2
        widths[shown.index(inside[-1][0])] += max(0, len(group) - span)
        groups += "  " + group.center(max(span, len(group)))
    lines = [f"{title:<{label}}{groups}".rstrip()]
    lines += [
        f"{head:<{label}}" + "".join(f"  {text:>{width}}" for text, width in zip(texts, widths, strict=True))
        for head, texts in (("", [c.name for c in shown]), ("arm", [c.unit for c in shown]))
    ]
    lines.append("─" * max(map(len, lines)))
    for row, values in zip(rows, cells, strict=True):
        lines.append(f"{row['arm']:<{label}}" + "".join(f" {v:>{w + 1}}" for v, w in zip(values, widths, strict=True)))
    return lines


def shown_columns(columns: Sequence[Column], wide: bool) -> list[Column]:
    """Return the columns of a block: all of them when it may be wide."""
    return [column for column in columns if wide or not column.wide]


def cell(comparison: Comparison, row: dict[str, Any], column: Column) -> str:
    """One cell: a number, marked where it rests on assumptions, or why there is none."""
    key, place = column.key, (row["arm"], row["drug"])
    if column in EXPOSURE and without_drug(comparison, row):
        return "-"
    if row[key] is None:
        return "-" if comparison.reasons[place].get(key) in _ABSENT else "n/a"
    value = row[key]
    if column.unit == "CTCAE":
        value = int(value)
    elif column.unit == "%" and abs(value) < _NO_PERCENT:
        value = 0.0
    return ("~" if key in comparison.assumed[place] else "") + three(value)


def _footer(comparison: Comparison, wide: bool, again: str) -> Iterator[str]:
    shown = [*shown_columns(EXPOSURE, wide), *shown_columns(EFFECT, wide)]
    for sentence in sentences(comparison):
        yield from _hint(sentence)
    inputs = [each for each in comparison.manifest["inputs"].values() if not _is_text(each["value"])]
    assumed = sum(each["kind"] == "assumed" for each in inputs)
    balance = max(row["balance_error"] for row in comparison)
    yield f"Largest mass-balance error of any arm {balance:.0e}; " + (
        f"{assumed} of {len(inputs)} parameters used are assumed."
    )
    check = comparison.manifest.get("check")
    if check is not None:
        what = f"largest error of any number {check['largest']:.0e} ({check['arm']}, {check['key']})"
        yield from _hint(f"Checked at rtol {check['rtol']:g}: {what}.")
    yield ""
    cells = {cell(comparison, row, column) for row in comparison for column in shown}
    if any(text.startswith("~") for text in cells):
        yield from _hint(f"~ rests mainly on parameters nobody has measured: pkmodel params list --assumed{again}")
    if "-" in cells:
        yield "- does not exist in that arm (no drug, or no tumour)"
    for reason in missing(comparison, shown):
        yield from _hint(reason)
    yield from _hint(f"Group-level model output, not advice for a person. Sources: pkmodel params cite{again}")


def _options(comparison: Comparison) -> str:
    drugs = ",".join(drug for drug, dose in comparison.manifest["drugs"].items() if dose > 0.0)
    return (f" --drug {drugs}" if drugs else "") + f" --patient {comparison.manifest['patient']}"


def _next(comparison: Comparison) -> str:
    other = next((name for name in library.names("drugs") if name not in comparison.manifest["drugs"]), "doxorubicin")
    return f"pkmodel compare --drug {other} | --patient my_patient.toml | --csv arms.csv | --wide"


def _hint(text: str) -> list[str]:
    return textwrap.wrap(text, WIDTH, subsequent_indent="    ", break_on_hyphens=False)


def missing(comparison: Comparison, shown: Sequence[Column]) -> Iterator[str]:
    """Yield why cells read n/a and in which arms, one text a reason."""
    found: dict[str, dict[str, None]] = {}
    for row in comparison:
        for column in shown:
            if cell(comparison, row, column) == "n/a":
                reason = comparison.reasons[row["arm"], row["drug"]][column.key]
                found.setdefault(reason, {})[row["arm"]] = None
    arms = {row["arm"] for row in comparison}
    treated = {row["arm"] for row in comparison if not without_drug(comparison, row)}
    for reason, where in found.items():
        places = {frozenset(arms): "all arms", frozenset(treated): "all arms with drug"}.get(frozenset(where))
        yield f"n/a {reason} ({places or ', '.join(where)})"


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and value not in ("inf", "nan")
