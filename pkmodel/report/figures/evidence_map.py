"""Where the numbers come from: every parameter of every drug, and of the patient, by kind and grade of evidence."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ...inputs import library
from ...inputs.record import Record
from ...study.factors import grade_of
from .data import FigureData
from .style import DRUG_LOOKS, GREY, KIND_COLOURS, KIND_HATCHES, LEAST_FONT, below, empty, new_figure, printed

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

TITLE = "Where the numbers come from"
QUESTION = "Which parameters are measured, and which are only assumed?"
SECONDS = 0.2

# How the best row of the evidence tables behind a number was read: the letter that stands for it in the map.
LETTERS: Mapping[str, str] = {
    "read": "R", "read-secondary": "S", "read (derived)": "C", "computed": "C", "derived": "C", "memory-high": "M",
    "memory-moderate": "M", "memory": "M",
}  # fmt: skip
MEANINGS: Mapping[str, str] = {
    "R": "read in the source", "S": "read in a secondary source", "C": "computed from read numbers",
    "M": "from memory, not seen",
}  # fmt: skip
CARRIERS, EMBOLIC = ("lipiodol_emulsion", "lipiodol_suspension", "beads"), "gelatin_sponge"
_MM_PER_ROW, _MARGINS_MM, _BETWEEN_ROWS = 3.1, 26.0, 3


def data(patient: Any = "hcc_reference", *, drugs: Sequence[str] | None = None, catheter: str = "lobar") -> FigureData:
    """List every number with its kind and the best grade of the rows of evidence behind it.

    Parameters
    ----------
    patient, catheter : whose numbers the second part shows
    drugs : names; all of the library by default
    """
    chosen = library.names("drugs") if drugs is None else tuple(drugs)
    rows = [row for name in chosen for row in _of("drug", library.drug(name), name)]
    for name in chosen:
        for carrier in CARRIERS:
            variant = library.carrier(carrier).for_drug(name)
            rows += [row for row in _of("drug", variant, name, f"{carrier}.") if _of_a_drug(row)]
    rows += _of("patient", library.patient(patient), "patient")
    rows += _of("patient", library.catheter(catheter), "patient", "catheter.")
    for carrier in CARRIERS:
        rows += [row for row in _of("material", library.carrier(carrier), carrier) if not _of_a_drug(row)]
    rows += _of("material", library.embolic(EMBOLIC), EMBOLIC)
    counts = {kind: sum(row["kind"] == kind for row in rows) for kind in KIND_COLOURS}
    said = ", ".join(f"{count} {kind}" for kind, count in counts.items() if count)
    letters = "; ".join(f"{letter} {meaning}" for letter, meaning in MEANINGS.items())
    return FigureData.of_rows(
        rows,
        caption=f"Kind of every number (colour and hatching) and the best grade of the evidence behind it (letter: "
        f"{letters}; none: no row). An assumed number may have rows that make it plausible. {said}.",
        n="no simulation",
    )


def _of(part: str, record: Record, owner: str, before: str = "") -> Iterator[dict[str, Any]]:
    """Every number of a record, except those of its versions."""
    for path, value, _, origin in record.rows():
        if not isinstance(value, str) and origin is not None:
            yield {"part": part, "parameter": f"{before}{path}", "of": owner, "kind": origin.kind,
                   "grade": grade_of(origin), "evidence_rows": len(origin.rows)}  # fmt: skip


def _of_a_drug(row: Mapping[str, Any]) -> bool:
    """Whether a carrier's number is one that it has for each drug."""
    return "release." in row["parameter"] or row["parameter"].endswith("prompt_fraction")


def answer(data: FigureData) -> str:
    """Say how many numbers are assumed, for which drug least is measured, and how many have no evidence at all."""
    kinds, n = data.texts("kind"), len(data)
    drugs = {str(each): data.where(part="drug", of=each) for each in data.where(part="drug").distinct("of")}
    assumed = {drug: sum(kind == "assumed" for kind in each.texts("kind")) / len(each) for drug, each in drugs.items()}
    most, least = max(assumed, key=lambda drug: assumed[drug]), min(assumed, key=lambda drug: assumed[drug])
    bare = sum(grade not in LETTERS for grade in data.texts("grade"))
    return (
        f"{kinds.count('measured')} of {n} numbers are measured and {kinds.count('assumed')} assumed; {bare} have no "
        f"row of evidence behind them at all. Of a drug's own numbers from {100.0 * assumed[least]:.0f} % "
        f"({_heading(least)}) to {100.0 * assumed[most]:.0f} % ({_heading(most)}) are assumed."
    )


@printed
def draw(data: FigureData) -> Figure:
    """Draw drugs as columns to the left; patient and catheter, carriers and embolic to the right."""
    parts = {part: data.where(part=part) if len(data) else data for part in ("drug", "patient", "material")}
    rows = {part: max(len(each.distinct("parameter")) if len(each) else 0, 3) for part, each in parts.items()}
    stacked = rows["patient"] + rows["material"] + _BETWEEN_ROWS
    figure = new_figure(height_mm=_MARGINS_MM + _MM_PER_ROW * max(rows["drug"], stacked))
    grid = figure.add_gridspec(2, 2, width_ratios=[1.7, 1.0], height_ratios=[rows["patient"], rows["material"]])
    _map(figure.add_subplot(grid[:, 0]), parts["drug"], max(rows["drug"], stacked))
    _map(figure.add_subplot(grid[0, 1]), parts["patient"], rows["patient"])
    _map(figure.add_subplot(grid[1, 1]), parts["material"], rows["material"])
    below(figure, _handles(data), columns=3)
    return figure


def _map(axes: Axes, data: FigureData, rows: int) -> None:
    """One cell a parameter and owner, the first parameter on top."""
    from matplotlib.patches import Rectangle

    parameters = [str(each) for each in data.distinct("parameter")] if len(data) else []
    if not parameters:
        axes.set_axis_off()
        empty(axes, "no parameter")
        return
    owners = [str(each) for each in data.distinct("of")]
    for row in data.rows():
        x, y, kind = owners.index(str(row["of"])), parameters.index(str(row["parameter"])), str(row["kind"])
        axes.add_patch(
            Rectangle((x + 0.04, y + 0.06), 0.92, 0.88, facecolor=KIND_COLOURS[kind], edgecolor="white", linewidth=0.0,
                      hatch=KIND_HATCHES[kind], gid=f"{row['parameter']} {row['of']}")
        )  # fmt: skip
        letter = LETTERS.get(str(row["grade"]))
        if letter is not None:
            box = {"boxstyle": "square,pad=0.1", "facecolor": "white", "edgecolor": "none"}
            axes.text(x + 0.5, y + 0.52, letter, ha="center", va="center", fontsize=LEAST_FONT, bbox=box)
    axes.set_xlim(0.0, len(owners))
    axes.set_ylim(rows, 0.0)
    for i, name in enumerate(owners):
        axes.text(i + 0.5, -0.3, _heading(name), rotation=25, ha="left", va="bottom", rotation_mode="anchor",
                  fontsize=LEAST_FONT)  # fmt: skip
    for i, name in enumerate(parameters):
        axes.text(-0.03 * len(owners), i + 0.5, _short(name), ha="right", va="center", fontsize=LEAST_FONT)
    axes.set_axis_off()


def _short(parameter: str) -> str:
    return parameter.replace("lipiodol_", "").replace("_", " ")


def _heading(owner: str) -> str:
    return DRUG_LOOKS[owner].label if owner in DRUG_LOOKS else _short(owner).removeprefix("gelatin ")


def _handles(data: FigureData) -> list[Any]:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    found: Iterable[str] = [str(each) for each in data.distinct("kind")] if len(data) else []
    patches = [
        Patch(facecolor=KIND_COLOURS[kind], hatch=KIND_HATCHES[kind], edgecolor="white", label=kind)
        for kind in KIND_COLOURS
        if kind in found
    ]
    letters = [
        Line2D([], [], linestyle="none", marker=f"${letter}$", color=GREY, label=meaning)
        for letter, meaning in MEANINGS.items()
    ]
    return [*patches, *letters]
