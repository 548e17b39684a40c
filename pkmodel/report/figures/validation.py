"""Observed against predicted: every number of the published experiments, in panels of one unit each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...inputs.cases import cases
from ...study.quantities import base_unit
from ...study.uncertainty import SEED
from ...study.validation import DRAWS, MISS, Result, gmfe, validate_case
from ..text import three
from .data import FigureData
from .style import DRUG_LOOKS, GREY, LIGHT, Look, empty, floored, log_axis, look, new_figure, printed, save

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

TITLE = "Observed against predicted"
QUESTION = "Which published experiments does the model meet?"
SECONDS = 60.0

NO_DRUG = Look("#000000", "-", "v", "no drug")
PANELS: Mapping[str, tuple[str, ...]] = {
    "concentration": ("cmax", "concentration"),
    "AUC": ("auc",),
    "clearance": ("clearance",),
    "volume": ("volume_central", "volume_steady"),
    "time": ("half_life", "half_life_fast", "oil_half_life", "tmax"),
}
RATIOS, SHARES = "ratio of two arms", "share"
NARROW = 1.25
_MOST_DECADES = 6.0  # of a panel: what is less than that below the largest value is nothing, and stands on the floor
_MARKER = 3.6


def data(*, only: Sequence[str] | None = None, draws: int = DRAWS) -> FigureData:
    """Predict the published experiments.

    Parameters
    ----------
    only : ids of cases; all of them by default
    draws : lanes of a 90 % interval; the first is the typical subject
    """
    wanted = [case for case in cases() if only is None or case.id in only]
    return of_results([each for case in wanted for each in validate_case(case, draws=draws)], draws=draws)


def of_results(results: Sequence[Result], *, draws: int) -> FigureData:
    """Return the table of results that are there already: rows of `validate`, and the same in the panel's own unit."""
    rows = [{"panel": panel_of(each), **_told(each), **_in_base_unit(each)} for each in results]
    return FigureData.of_rows(
        rows,
        caption=_caption(results),
        n=f"{len(results)} observations of {len({each.case.id for each in results})} experiments, "
        f"{draws} draws (the first is the typical subject)",
        seed=SEED,
        sources=(each.observation.row for each in results),
    )


def answer(data: FigureData) -> str:
    """Say how many published numbers are met, how closely, and for which drugs best and worst."""
    numbers = [row for row in data.rows() if row.get("base_observed") is not None]
    if not numbers:
        return "No published number was looked at."
    shares = {limit: sum(row[f"within_{limit:g}_fold"] == "yes" for row in numbers) for limit in (NARROW, MISS)}
    folds = {drug: data.where(drug=drug).numbers("fold_error") for drug in data.distinct("drug")}
    errors = {str(drug): gmfe(found) for drug, found in folds.items()}
    best, worst = min(errors, key=lambda drug: errors[drug]), max(errors, key=lambda drug: errors[drug])
    return (
        f"Of {len(numbers)} published numbers {100.0 * shares[MISS] / len(numbers):.0f} % are met within {MISS:g}-fold "
        f"and {100.0 * shares[NARROW] / len(numbers):.0f} % within {NARROW:g}-fold. The geometric mean fold error is "
        f"smallest for {_look(best).label} ({three(errors[best])}) and largest for {_look(worst).label} "
        f"({three(errors[worst])})."
    )


def plot(results: Sequence[Result], path: str | Path, *, draws: int) -> None:
    """Write the picture of results that are there already, with its CSV beside it."""
    found = of_results(results, draws=draws)
    save(draw(found), path)
    Path(path).with_suffix(".csv").write_text(found.to_csv(), encoding="utf-8")


def panel_of(result: Result) -> str:
    """Return the panel of a result: that of its quantity, or ratios, or shares."""
    if result.observation.over is not None:
        return RATIOS
    quantity = result.observation.reading.quantity
    return next((name for name, quantities in PANELS.items() if quantity in quantities), SHARES)


def _told(result: Result) -> dict[str, Any]:
    """The row of `validate`, without what its evidence row says in free text."""
    return {key: value for key, value in result.row().items() if key not in ("n", "spread")}


def _in_base_unit(result: Result) -> dict[str, Any]:
    """Observed and predicted in the unit of the panel; nothing for an ordering, of which no number was published."""
    if result.observation.ordering is not None:
        return {}
    ratio = result.observation.over is not None
    values = (result.observation.value, result.predicted, result.low, result.high)
    names = ("base_observed", "base_predicted", "base_low_90", "base_high_90")
    found: dict[str, Any] = dict(zip(names, (value / result.per_base for value in values), strict=True))
    return {**found, "base_unit": "1" if ratio else base_unit(result.observation.reading.quantity)}


def _caption(results: Sequence[Result]) -> str:
    orderings = sum(each.observation.ordering is not None for each in results)
    folds = [each.fold for each in results]
    return (
        "Published numbers against the model's, in the base unit of each quantity; bars are 90 % intervals of the "
        "prediction under the uncertainty of the parameters. Hollow: numbers that served or may serve a fit; filled: "
        f"checks. Solid line: equal; dotted: {NARROW:g}-fold; dashed: {MISS:g}-fold. Geometric mean fold error of all "
        f"{three(gmfe(folds))}. {orderings} orderings of two arms have no number and are not drawn."
    )


@printed
def draw(data: FigureData) -> Figure:
    """Draw a panel a unit, observed to the right and predicted upwards; the legend has the last place."""
    figure = new_figure(height_mm=100.0)
    *panels, last = figure.subplots(2, 4).ravel()
    for axes, name in zip(panels, (*PANELS, RATIOS, SHARES), strict=True):
        _panel(axes, name, data.where(panel=name) if len(data) else data)
    last.set_axis_off()
    drugs = [str(each) for each in data.distinct("drug")] if len(data) else []
    last.legend(handles=list(_handles(drugs)), loc="center")
    return figure


def _panel(axes: Axes, name: str, data: FigureData) -> None:
    axes.set_title(name)
    shown = [row for row in data.rows() if row.get("base_observed") is not None]
    if not shown:
        axes.set_axis_off()
        empty(axes, "no published number")
        return
    unit = str(shown[0]["base_unit"]).replace("*", "·")
    axes.set_xlabel(f"observed [{unit}]")
    axes.set_ylabel(f"predicted [{unit}]")
    values = [float(row[key]) for row in shown for key in ("base_observed", "base_predicted")]  # type: ignore[arg-type]
    low, high = _limits(values)
    for which, key in (("x", "base_observed"), ("y", "base_predicted")):
        _axis(axes, which, low, high, floor=any(float(row[key]) <= low for row in shown))  # type: ignore[arg-type]
    axes.set_aspect("equal", adjustable="box")
    ends = np.array([low, high])
    axes.plot(ends, ends, color=GREY, linewidth=0.7, zorder=1)
    for fold, style in ((NARROW, ":"), (MISS, "--")):
        for factor in (fold, 1.0 / fold):
            axes.plot(ends, factor * ends, color=LIGHT, linestyle=style, linewidth=0.7, zorder=1)
    for row in shown:
        _point(axes, row, low)


def _axis(axes: Axes, which: str, low: float, high: float, *, floor: bool) -> None:
    """A logarithmic axis with a tick every decade or two, and a marked floor where something stands on it."""
    from matplotlib.ticker import LogLocator, NullLocator

    if floor:
        log_axis(axes, which, floor=low, top=high)
    else:
        getattr(axes, f"set_{which}scale")("log")
        getattr(axes, f"set_{which}lim")(low, high)
    axis = getattr(axes, f"{which}axis")
    axis.set_major_locator(LogLocator(numticks=4))
    axis.set_minor_locator(NullLocator())


def _limits(values: Iterable[float]) -> tuple[float, float]:
    """Powers of ten around all values; what is nothing, or next to it, stands on the lower one."""
    found = [value for value in values if value > 0.0]
    high = max(found, default=1.0)
    least = max(min(found, default=0.1), high * 10.0**-_MOST_DECADES)
    return 10.0 ** np.floor(np.log10(least * 0.99)), 10.0 ** np.ceil(np.log10(high * 1.01))


def _point(axes: Axes, row: Mapping[str, Any], floor: float) -> None:
    style = _look(str(row["drug"]))
    observed, predicted, low, high = (
        floored([row[key]], floor)[0] if row[key] is not None else np.nan
        for key in ("base_observed", "base_predicted", "base_low_90", "base_high_90")
    )
    axes.plot([observed, observed], [low, high], color=style.colour, linewidth=0.5, alpha=0.5, zorder=2)
    face = "white" if row["role"] == "fit" else style.colour
    axes.plot([observed], [predicted], color=style.colour, linestyle="none", marker=style.marker, markersize=_MARKER,
              markerfacecolor=face, markeredgewidth=0.8, zorder=3, gid=str(row["id"]))  # fmt: skip


def _look(drug: str) -> Look:
    return NO_DRUG if drug == "none" else look(drug, among=DRUG_LOOKS)


def _handles(drugs: Sequence[str]) -> Iterator[Any]:
    from matplotlib.lines import Line2D

    handle: Callable[..., Any] = Line2D
    known = [drug for drug in DRUG_LOOKS if drug in drugs]
    for drug in [*known, *(each for each in drugs if each not in DRUG_LOOKS)]:
        yield handle([], [], **_look(drug).dotted(markersize=_MARKER))
    for label, face in (("fit", "white"), ("check", GREY)):
        yield handle([], [], color=GREY, linestyle="none", marker="o", markersize=_MARKER, markerfacecolor=face,
                     label=label)  # fmt: skip
    for label, style in (("equal", "-"), (f"{NARROW:g}-fold", ":"), (f"{MISS:g}-fold", "--")):
        yield handle([], [], color=GREY, linestyle=style, linewidth=0.8, label=label)
