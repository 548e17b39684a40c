"""What to choose: where one treatment beats another, and what tumour control costs in systemic exposure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ...inputs import library
from ...study.arms import arm_scenarios
from ...study.decision import DecisionMap, decision_map
from ...study.pareto import Pareto, pareto
from .data import FigureData
from .style import ARM_LOOKS, GREY, LEAST_FONT, Look, below, empty, look, new_figure, printed

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

TITLE = "What to choose"
QUESTION = "How slow must release be and how deep the occlusion to beat beads, and what does more control cost?"
SECONDS = 8.0

ARM, OVER = "emulsion_sponge", "beads"
_CARRIER, _EMBOLIC = "carrier.lipiodol_emulsion", "embolic.gelatin_sponge"
_RATE, _OCCLUSION = f"{_CARRIER}.release.slow_rate", f"{_EMBOLIC}.occlusion"
_FRONT_LOOK = Look("#000000", "-", "", "no other is better in both")
_CONTROL, _TOXICITY = "necrosis_percent", "plasma_auc_ng_h_per_ml"


def data(
    patient: Any = "hcc_reference",
    *,
    drug: Any = "doxorubicin",
    dose_mg: float | None = None,
    half_lives_h: Sequence[float] = (1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0),
    occlusions: Sequence[float] = (0.0, 0.15, 0.3, 0.45, 0.6, 0.75, 0.85, 0.92, 0.98),
    draws: int = 24,
    seed: int = 20261125,
    doses: Sequence[float] = (0.5, 0.75, 1.0, 1.5, 2.0),
    depths: Sequence[float] = (0.3, 0.6, 0.9),
    arms: Sequence[str] = ("iv", "hepatic_artery_bolus", "emulsion_sponge", "beads"),
) -> FigureData:
    """Compare emulsion and sponge with beads over release and occlusion, and many treatments with one another.

    Parameters
    ----------
    patient, drug, dose_mg : the case; the drug's usual dose by default
    half_lives_h, occlusions : half-lives of slow release from the emulsion [h], depths of the sponge's occlusion [1],
        both increasing
    draws, seed : of the parameters that are only assumed
    doses, depths, arms : multiples of the dose, depths of occlusion [1], and arms that the front is looked for among
    """
    person, given = library.patient(patient), library.drug(drug)
    dose = float(np.asarray(given.usual_dose)) if dose_mg is None else dose_mg
    named = dict.fromkeys((*arms, ARM, OVER))
    scenarios = arm_scenarios(person, drug=given, dose_mg=dose, arms=list(named))
    rates = np.log(2.0) / np.array(half_lives_h)[::-1]
    both = {name: scenarios[name] for name in (ARM, OVER)}
    found = decision_map(both, _CONTROL, arm=ARM, over=OVER, x=(_RATE, rates), y=(_OCCLUSION, np.array(occlusions)),
                         draws=draws, seed=seed)  # fmt: skip
    axes = {"session.dose": [dose * each for each in doses], _OCCLUSION: list(depths)}
    front = pareto({name: scenarios[name] for name in arms}, axes, control=_CONTROL, toxicity=_TOXICITY)
    return FigureData.of_rows(
        [*_cells(found), *_ties(found), *_points(front)],
        caption=f"Left: necrosis by {given.name} as emulsion + sponge less that by beads, over the half-life of "
        "slow release from the emulsion and the share of the artery that the sponge occludes; beads stay as they "
        "are. Thick line: both do the same"
        f"{'' if found.contour() else ' (nowhere in this map)'}. Hatched: the sign depends on parameters that are only "
        f"assumed (90 % interval of {draws} draws holds zero). Right: every dose and depth of occlusion by arm; on the "
        "line are those that no other beats in both necrosis and plasma exposure.",
        n=f"1 patient; {found.difference.size} cells of {draws} draws; {len(front.points)} treatments",
        seed=seed,
    )


def _cells(found: DecisionMap) -> Iterator[dict[str, Any]]:
    for i, occlusion in enumerate(found.y):
        for j, rate in enumerate(found.x):
            yield {"kind": "cell", "half_life_h": np.log(2.0) / rate, "occlusion": occlusion,
                   "difference_percent": found.difference[i, j], "low_90_percent": found.low_90[i, j],
                   "high_90_percent": found.high_90[i, j], "p_better": found.p_beats[i, j],
                   "uncertain": bool(found.uncertain[i, j])}  # fmt: skip


def _ties(found: DecisionMap) -> Iterator[dict[str, Any]]:
    for number, line in enumerate(found.contour()):
        for rate, occlusion in line:
            yield {"kind": "tie", "line": number, "half_life_h": np.log(2.0) / rate, "occlusion": occlusion}


def _points(front: Pareto) -> Iterator[dict[str, Any]]:
    for point in front.points:
        yield {"kind": "treatment", "arm": point["arm"], "dose_mg": point["settings"].get("session.dose"),
               "occlusion": point["settings"].get(_OCCLUSION), _CONTROL: point["control"], _TOXICITY: point["toxicity"],
               "on_front": bool(point["on_front"])}  # fmt: skip


def answer(data: FigureData) -> str:
    """Say where the emulsion beats beads and where nobody can tell, and which arms are on the front."""
    cells, points = data.where(kind="cell"), data.where(kind="treatment")
    better = int((cells.numbers("difference_percent") > 0.0).sum())
    unsure = cells.texts("uncertain").count("yes")
    front = [str(each) for each in (points.where(on_front="yes").distinct("arm") if len(points) else ())]
    return (
        f"Emulsion with sponge does better than beads in {better} of {len(cells)} combinations of release and "
        f"occlusion; in {unsure} of them the sign hangs on parameters that are only assumed. Of {len(points)} "
        f"treatments those that none beats in both necrosis and plasma exposure are given by: "
        f"{', '.join(look(each).label for each in front)}."
    )


@printed
def draw(data: FigureData) -> Figure:
    """Draw the map to the left and the front to the right."""
    figure = new_figure(height_mm=90.0)
    left, right = figure.subplots(1, 2)
    _map(figure, left, data)
    _front(right, data.where(kind="treatment") if len(data) else data)
    below(figure, list(_handles(data)), columns=4)
    return figure


def _map(figure: Figure, axes: Axes, data: FigureData) -> None:
    cells = data.where(kind="cell") if len(data) else data
    axes.set_xlabel("half-life of slow release from the emulsion [h]")
    axes.set_ylabel("artery occluded by the sponge [1]")
    times, depths = (np.unique(cells.numbers(key)) for key in ("half_life_h", "occlusion"))
    if times.size < 2 or depths.size < 2:
        empty(axes, "no map")
        return
    grids = {key: _grid(cells, key, times, depths) for key in ("difference_percent", "uncertain")}
    difference = np.ma.masked_invalid(grids["difference_percent"])
    most = max(float(np.abs(difference).max()), 1.0)
    levels = _few_ticks().tick_values(-most, most)
    axes.set_xscale("log")
    shading = axes.contourf(times, depths, difference, levels=levels, cmap="PuOr")
    # numbers on lines say in grey what colours say: both ends of the scale are dark
    numbered = axes.contour(times, depths, difference, levels=levels, colors="black", linewidths=0.4)
    for text in axes.clabel(numbered, fmt="%+.0f", fontsize=LEAST_FONT, colors="black"):
        text.set_bbox({"facecolor": "white", "edgecolor": "none", "pad": 0.8})
    axes.contourf(times, depths, grids["uncertain"], levels=[0.5, 1.5], colors="none", hatches=["////"])
    ties = data.where(kind="tie")
    for number in ties.distinct("line") if len(ties) else ():
        line = ties.where(line=number)
        axes.plot(line.numbers("half_life_h"), line.numbers("occlusion"), color="black", linewidth=1.6)
    bar = figure.colorbar(shading, ax=axes, location="top", aspect=40, shrink=0.9)
    bar.set_label("necrosis: emulsion + sponge less beads [%-points]")
    bar.ax.tick_params(labelrotation=0)
    bar.locator = _few_ticks()
    bar.update_ticks()


def _few_ticks() -> Any:
    from matplotlib.ticker import MaxNLocator

    return MaxNLocator(9)


def _grid(cells: FigureData, key: str, times: np.ndarray, depths: np.ndarray) -> np.ndarray:
    found = np.full((depths.size, times.size), np.nan)
    values = [float(cell == "yes") for cell in cells.texts(key)] if key == "uncertain" else cells.numbers(key)
    for time, depth, value in zip(cells.numbers("half_life_h"), cells.numbers("occlusion"), values, strict=True):
        found[np.searchsorted(depths, depth), np.searchsorted(times, time)] = value
    return found


def _front(axes: Axes, points: FigureData) -> None:
    axes.set_xlabel("plasma AUC [ng·h/mL]")
    axes.set_ylabel("necrosis [%]")
    if not len(points) or not np.isfinite(points.numbers(_CONTROL)).any():
        empty(axes, "no treatment")
        return
    for number, arm in enumerate(points.distinct("arm")):
        one, style = points.where(arm=arm), look(str(arm), number=number)
        chosen = np.array([each == "yes" for each in one.texts("on_front")])
        toxicity, control = one.numbers(_TOXICITY), one.numbers(_CONTROL)
        axes.plot(toxicity[chosen], control[chosen], **style.dotted())
        axes.plot(toxicity[~chosen], control[~chosen], **style.dotted(markerfacecolor="white", markeredgewidth=0.8))
    front = points.where(on_front="yes") if "yes" in points.texts("on_front") else None
    if front is not None:
        order = np.argsort(front.numbers(_TOXICITY))
        axes.plot(front.numbers(_TOXICITY)[order], front.numbers(_CONTROL)[order], drawstyle="steps-post", zorder=1,
                  **_FRONT_LOOK.drawn(linewidth=0.9))  # fmt: skip
    axes.set_xscale("log")
    _written_out(axes.xaxis)
    axes.set_ylim(bottom=0.0)


def _written_out(axis: Any) -> None:
    """Label 1, 2 and 5 of every decade of a short logarithmic axis."""
    from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

    axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axis.set_minor_formatter(NullFormatter())


def _handles(data: FigureData) -> Iterator[Any]:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    kinds: tuple[Any, ...] = data.distinct("kind") if len(data) else ()
    if "cell" in kinds:
        yield Line2D([], [], color="black", linewidth=1.6, label="both do the same")
        yield Patch(facecolor="white", edgecolor=GREY, hatch="////", label="hangs on what is only assumed")
    arms = data.where(kind="treatment").distinct("arm") if "treatment" in kinds else ()
    for number, arm in enumerate(arms):
        yield Line2D([], [], **look(str(arm), among=ARM_LOOKS, number=number).dotted())
    if arms:
        yield Line2D([], [], **_FRONT_LOOK.drawn(linewidth=0.9))
