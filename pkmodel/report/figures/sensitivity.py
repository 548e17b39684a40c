"""What a result rests on: one input at a time by the grade of its evidence, and shares of the variance."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ...inputs import library
from ...study.arms import arm_scenarios
from ...study.factors import NO_GRADE
from ...study.sensitivity import sobol, tornado
from ..text import three
from .data import FigureData
from .evidence_map import LETTERS
from .style import GREY, below, empty, new_figure, printed

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

TITLE = "What the result rests on"
QUESTION = "Which inputs decide the result, and how good is the evidence for them?"
SECONDS = 14.0

# Colour and hatching of the grade of an input's best row of evidence.
GRADE_LOOKS: Mapping[str, tuple[str, str, str]] = {
    "R": ("#0072B2", "", "read in the source"),
    "S": ("#56B4E9", "...", "read in a secondary source"),
    "C": ("#009E73", "\\\\\\", "computed from read numbers"),
    "M": ("#CC79A7", "xxx", "from memory, not seen"),
    NO_GRADE: ("#E69F00", "///", "no row of evidence"),
}
_UNITS = {"necrosis_percent": "necrosis [%]", "tumour_auc_ug_h_per_g": "tumour AUC [µg·h/g]",
          "plasma_auc_ng_h_per_ml": "plasma AUC [ng·h/mL]"}  # fmt: skip
_BAR = 0.72
_BELOW = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


def data(
    patient: Any = "hcc_reference",
    *,
    drug: Any = "doxorubicin",
    dose_mg: float | None = None,
    arm: str = "emulsion_sponge",
    metric: str = "necrosis_percent",
    most: int = 12,
    n: int = 256,
    seed: int = 20261125,
    kinds: Sequence[str] | None = None,
) -> FigureData:
    """Move every uncertain input alone, then share the variance among those that matter most.

    Parameters
    ----------
    patient, drug, dose_mg, arm : the case; the drug's usual dose by default
    metric : a measure of the comparison
    most : number of inputs that are shown, and that share the variance; the others stay at their typical values there
    n, seed : points and seed of the Sobol design
    kinds : only inputs of these kinds of origin, such as ``["assumed"]``
    """
    scenario = arm_scenarios(library.patient(patient), drug=drug, dose_mg=dose_mg, arms=[arm])[arm]
    alone = tornado(scenario, metric, kinds=kinds)
    paths = [row["path"] for row in alone.rows[:most]]
    rest = [row["path"] for row in alone.rows[most:]]
    shared = sobol(scenario, metric, kinds=kinds, fixed=rest, n=n, seed=seed)
    rows: list[dict[str, Any]] = [
        {"panel": "tornado", "metric": metric, "base": alone.base, **row} for row in alone.rows[:most]
    ]
    rows += [{"panel": "sobol", "metric": metric, **row} for row in shared.rows]
    rows = [{**row, "unit": f"[{row['unit']}]"} for row in rows]  # a unit of 1 is no number
    return FigureData.of_rows(
        rows,
        caption=f"Left: {_label(metric)} with one input at a time at either end of its 90 % range, the {len(paths)} of "
        f"{len(alone.rows)} inputs with the widest swing; hollow end: input low, filled end: input high; line: all "
        "typical. Colour and hatching: how the best row of evidence behind the input was read; "
        "(a) after a name: the value itself is assumed. Right: shares of the variance when these inputs vary together "
        "over their distributions and all others stay typical: bar, total share with 95 % interval; dot, share alone.",
        n=f"1 patient, {len(alone.rows)} inputs; {shared.runs} runs for the shares",
        seed=seed,
        sources=_behind(scenario, paths),
    )


def _behind(scenario: Any, paths: Sequence[str]) -> Iterator[str]:
    for path, _, _, origin in scenario.rows():
        if path in paths and origin is not None:
            yield from origin.rows


def answer(data: FigureData) -> str:
    """Say which inputs move the result most, how much of the variance they carry, and what stands behind them."""
    alone, shared = data.where(panel="tornado"), data.where(panel="sobol")
    paths, first = alone.texts("path"), next(alone.rows())
    low, high = sorted(float(first[key]) for key in ("at_low", "at_high"))  # type: ignore[arg-type]
    assumed, bare = alone.texts("kind").count("assumed"), sum(each not in LETTERS for each in alone.texts("grade"))
    top, share = next(shared.rows()), shared.numbers("st")[0]
    return (
        f"Most moves with {paths[0]}: {_label(str(first['metric']))} {three(low)} to {three(high)} between the ends of "
        f"its range; the largest share of the variance, {100.0 * share:.0f} % in total, is that of {top['path']}. "
        f"Of the {len(paths)} inputs that matter most {assumed} are assumed, and {bare} have no row of evidence behind "
        "them."
    )


@printed
def draw(data: FigureData) -> Figure:
    """Draw the tornado to the left and the shares of the variance to the right, the largest on top."""
    alone = data.where(panel="tornado") if len(data) else data
    shared = data.where(panel="sobol") if len(data) else data
    figure = new_figure(height_mm=42.0 + 5.2 * max(len(alone), len(shared), 4))
    left, right = figure.subplots(1, 2)
    _tornado(left, alone)
    _shares(right, shared)
    below(figure, list(_handles(data)), columns=3)
    return figure


def _tornado(axes: Axes, data: FigureData) -> None:
    if not _named(axes, data):
        return
    base = data.numbers("base")[0]
    for i, row in enumerate(data.rows()):
        colour, hatch, _ = _look(row)
        low, high = float(row["at_low"]), float(row["at_high"])  # type: ignore[arg-type]
        axes.barh(i, low - base, _BAR, left=base, facecolor="white", edgecolor=colour, linewidth=0.8)
        axes.barh(i, high - base, _BAR, left=base, facecolor=colour, edgecolor="white", hatch=hatch, linewidth=0.0)
    axes.axvline(base, color="black", linewidth=0.8)
    axes.set_xlabel(_label(str(data.distinct("metric")[0])))
    axes.set_title("one at a time")


def _shares(axes: Axes, data: FigureData) -> None:
    if not _named(axes, data):
        return
    for i, row in enumerate(data.rows()):
        colour, hatch, _ = _look(row)
        axes.barh(i, float(row["st"]), _BAR, facecolor=colour, edgecolor="white", hatch=hatch, linewidth=0.0)  # type: ignore[arg-type]
    places = np.arange(len(data))
    axes.hlines(places, data.numbers("st_low_95"), data.numbers("st_high_95"), color="black", linewidth=0.9)
    axes.plot(data.numbers("s1"), places, linestyle="none", marker="o", markersize=3.2, color="white",
              markeredgecolor="black", markeredgewidth=0.7)  # fmt: skip
    axes.set_xlim(left=min(0.0, float(np.nanmin(data.numbers("s1")))))
    axes.set_xlabel("share of the variance [1]")
    axes.set_title("all together")


def _named(axes: Axes, data: FigureData) -> bool:
    """Name the bars, the first on top; False where there are none."""
    if not len(data):
        axes.set_axis_off()
        empty(axes, "no uncertain input")
        return False
    names = [_short(path, kind) for path, kind in zip(data.texts("path"), data.texts("kind"), strict=True)]
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)
    return True


def _short(path: str, kind: str) -> str:
    """The last two parts of a path, with the owner where it is a material."""
    head, *rest = path.split(".")
    owner = [rest.pop(0).replace("lipiodol_", "").replace("gelatin_", "")] if head in ("carrier", "embolic") else []
    own = rest[1:] if head == "drug" else rest
    words = " ".join([*owner, *own]).replace("_", " ").translate(_BELOW)
    return f"{words} (a)" if kind == "assumed" else words


def _look(row: Mapping[str, Any]) -> tuple[str, str, str]:
    return GRADE_LOOKS[LETTERS.get(str(row["grade"]), NO_GRADE)]


def _label(metric: str) -> str:
    return _UNITS.get(metric, f"{metric.replace('_', ' ')} [as named]")


def _handles(data: FigureData) -> Iterator[Any]:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    found = [_look({"grade": grade}) for grade in (data.distinct("grade") if len(data) else ())]
    for look in GRADE_LOOKS.values():
        if look in found:
            colour, hatch, label = look
            yield Patch(facecolor=colour, hatch=hatch, edgecolor="white", linewidth=0.0, label=label)
    if len(data):
        yield Patch(facecolor="white", edgecolor=GREY, label="input at its low end")
        yield Line2D([], [], linestyle="none", marker="o", markersize=3.2, color="white", markeredgecolor="black",
                     label="share of the variance alone")  # fmt: skip
