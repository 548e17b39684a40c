"""Exposure of tumour, liver and plasma by arm and drug, and the regional advantage of the artery behind it."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ...course import simulate
from ...errors import PlausibilityWarning
from ...inputs import library
from ...inputs.scenario import Scenario
from ...inputs.treatment import hepatic_artery, iv
from ...model.body import Run, lower
from ...model.network import read_geometry, steady_extraction
from ...study.compare import compare
from ...study.comparison import Comparison
from ..text import two
from . import style
from .concentrations import DRUG_ARMS
from .data import FigureData
from .style import ARM_LOOKS, DRUG_LOOKS, GREY, LIGHT, floored, look, new_figure, printed

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

TITLE = "Exposure by arm and drug, and the regional advantage of the artery"
QUESTION = "Which way of giving which drug exposes the tumour most, and the body least?"
SECONDS = 4.0

DRUGS = tuple(DRUG_LOOKS)
CATHETERS = ("whole_liver", "lobar", "segmental", "superselective")
# places of exposure: name, key of a comparison's row, factor to ug h/mL (1 g of tissue = 1 mL)
PLACES = (
    ("tumour tissue", "tumour_auc_ug_h_per_g", 1.0),
    ("served liver", "served_liver_auc_ug_h_per_g", 1.0),
    ("plasma", "plasma_auc_ng_h_per_ml", 1e-3),
)
TRACE_MG = 1e-3  # a dose at which nothing is saturated
GONE_H = 2e4  # nothing is left of any drug
_DECADES, _MM_PER_ARM, _MM_FRAME, _MM_ADVANTAGE = 6.0, 5.0, 22.0, 72.0
_LARGEST_MARK = 8.5


def data(
    patient: Any = "hcc_reference",
    *,
    drugs: Sequence[str] = DRUGS,
    dose_mg: float | None = None,
    arms: Sequence[str] = DRUG_ARMS,
    catheter: Any = "lobar",
    catheters: Sequence[str] = CATHETERS,
) -> FigureData:
    """Return AUCs by arm and drug, and the regional advantage of the served liver by drug and catheter.

    Parameters
    ----------
    patient, arms, catheter : as of `compare`
    drugs : each given alone
    dose_mg : of every drug; its usual dose by default
    catheters : those of the regional advantage; may be empty
    """
    rows, doses = [], []
    for drug in drugs:
        found = compare(patient, drug=drug, dose_mg=dose_mg, arms=arms, catheter=catheter)
        rows += list(_exposures(found))
        doses += [f"{name} {mg:g} mg" for name, mg in found.manifest["drugs"].items()]
    rows += [each for drug in drugs for name in catheters for each in _advantage(patient, drug, name)]
    about = f" {_ABOUT_ADVANTAGE}" if catheters else ""
    n = f"1 patient, {len(drugs)} drugs, {len(arms)} arms"
    return FigureData.of_rows(rows, caption=_caption(doses) + about, n=n)


_ABOUT_ADVANTAGE = (
    "Below: regional advantage of the served liver, the gain of liver over plasma exposure by giving the drug into the "
    "artery instead of a vein, without shunt, tumour or occlusion and at a trace dose; line: closed form "
    "1 + CL/(Q (1 - E)) of total clearance CL, flow Q and extraction E of the served liver; marks: simulated, the "
    "larger the catheter's territory the larger the mark. The smaller the territory and the faster the body clears, "
    "the larger the advantage."
)


def of_comparison(comparison: Comparison) -> FigureData:
    """Return the exposure figure's numbers of a comparison somebody has made: any patient, arms and drugs."""
    given = comparison.manifest["drugs"]
    caption = _caption([f"{name} {dose:g} mg" for name, dose in given.items()])
    n = f"1 patient ({comparison.manifest['patient']}), {len(given)} drugs, {len(comparison.manifest['arms'])} arms"
    return FigureData.of_rows(_exposures(comparison), caption=caption, n=n)


def _caption(doses: Sequence[str]) -> str:
    return (
        f"Area under the concentration until the end of follow-up in tumour tissue, served liver and plasma by arm "
        f"({', '.join(doses)}; 1 g of tissue = 1 mL; logarithmic, zeros on the grey line)."
    )


def _exposures(comparison: Comparison) -> Iterator[dict[str, Any]]:
    for row in comparison:
        for place, key, factor in PLACES:
            value = None if row[key] is None else factor * row[key]
            yield {"panel": "exposure", "arm": row["arm"], "drug": row["drug"], "place": place,
                   "auc_ug_h_per_ml": value}  # fmt: skip


def _advantage(patient: Any, drug: str, catheter: str) -> Iterator[dict[str, Any]]:
    """Closed form and simulation of one drug and catheter; shunts, tumour and marrow have no part in it."""
    person, record = library.load("patients", patient), library.load("drugs", drug)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PlausibilityWarning)  # no tumour and a trace dose, on purpose
        person = person.with_values({"liver.shunt": 0.0, "tumour.shunt": 0.0, "tumour.diameter": 0.0})
        record = record.with_values({"marrow.neutrophil_slope": 0.0, "marrow.leukocyte_slope": 0.0})
        scenarios = [Scenario(person, give(record, TRACE_MG), catheter=catheter) for give in (hepatic_artery, iv)]
    artery, vein = (simulate(each, until_h=GONE_H, times_h=[0.0, GONE_H]).exposure() for each in scenarios)
    served, plasma = "served_liver_auc_ug_h_per_g", "plasma_auc_ng_h_per_ml"
    simulated = (artery[served] / artery[plasma]) / (vein[served] / vein[plasma])
    flow, extraction = _flow_and_extraction(scenarios[0])
    clearance = float(vein["clearance_l_per_h"])
    ratio = clearance / (flow * (1.0 - extraction))
    yield {"panel": "advantage", "drug": record.name, "catheter": str(catheter), "clearance_l_per_h": clearance,
           "flow_l_per_h": flow, "extraction": extraction, "clearance_over_flow": ratio,
           "closed_form": 1.0 + ratio, "simulated": float(simulated)}  # fmt: skip


def _flow_and_extraction(scenario: Scenario) -> tuple[float, float]:
    """Exchange flow Rb Q [L/h] and low-dose extraction of the served liver, nothing occluded."""
    problem = lower([Run(scenario, GONE_H)])[0].problem
    geometry = read_geometry(problem, problem.patient.zone_volume, np.zeros((2, 1)))
    flows, ratio = geometry.flows, problem.drug.blood_plasma_ratio[0]
    flow = ratio * (flows.served_arterial + flows.served_portal)
    return float(np.ravel(flow)[0]), float(np.ravel(steady_extraction(problem, geometry)[0])[0])


def answer(data: FigureData) -> str:
    """Say which arm gives each drug's highest tumour exposure, and between what the regional advantage lies."""
    exposure, advantage = data.where(panel="exposure"), data.where(panel="advantage")
    best = []
    for drug in exposure.distinct("drug"):
        tumour = list(exposure.where(drug=drug, place=PLACES[0][0]).rows())
        row = max(tumour, key=lambda each: float(each["auc_ug_h_per_ml"] or 0.0))
        arm = look(str(row["arm"]), among=ARM_LOOKS).label
        auc = two(row["auc_ug_h_per_ml"] or 0.0)
        best.append(f"{look(str(drug), among=DRUG_LOOKS).label} from {arm} ({auc} µg·h/mL)")
    said = f"Highest tumour exposure: {', '.join(best)}."
    if not len(advantage):
        return said
    rows = sorted(advantage.rows(), key=lambda row: float(row["simulated"] or 0.0))
    ends = [f"{two(row['simulated'])} ({look(str(row['drug']), among=DRUG_LOOKS).label}, "
            f"{str(row['catheter']).replace('_', ' ')})" for row in (rows[0], rows[-1])]  # fmt: skip
    return f"{said} The regional advantage of the served liver runs from {ends[0]} to {ends[1]}."


@printed
def draw(data: FigureData) -> Figure:
    """Draw tumour, liver and plasma side by side, and the regional advantage below if there is one."""
    exposure = data.where(panel="exposure") if len(data) else data
    advantage = data.where(panel="advantage") if len(data) else data
    arms = len(exposure.distinct("arm"))
    height = _MM_FRAME + _MM_PER_ARM * max(arms, 3)
    figure = new_figure(height_mm=height + (_MM_ADVANTAGE if len(advantage) else 0.0))
    above: Any = figure
    if len(advantage):
        parts: Any = figure.subfigures(2, 1, height_ratios=(height, _MM_ADVANTAGE))
        above, beneath = parts
        put_advantage(beneath.subplots(), advantage)
    put_exposure(above.subplots(1, len(PLACES), sharey=True), exposure)
    drugs = dict.fromkeys((*exposure.distinct("drug"), *advantage.distinct("drug")))
    style.below(figure, _handles([str(each) for each in drugs]))
    return figure


def put_exposure(panels: Sequence[Axes], exposure: FigureData) -> None:
    """Draw one panel a place: a row an arm, a mark a drug."""
    arms, drugs = exposure.distinct("arm"), exposure.distinct("drug")
    values = exposure.numbers("auc_ug_h_per_ml")
    floor, top = _limits(values)
    for axes, (place, _, _) in zip(panels, PLACES, strict=True):
        axes.set_title(place)
        axes.set_xlabel("AUC [µg·h/mL]")
        if not np.isfinite(exposure.where(place=place).numbers("auc_ug_h_per_ml") if arms else values).any():
            style.empty(axes, "does not exist here")
        for i, arm in enumerate(arms):
            axes.axhline(i, color=LIGHT, linewidth=0.4, zorder=0)
            for j, drug in enumerate(drugs):
                found = exposure.where(place=place, arm=arm, drug=drug).numbers("auc_ug_h_per_ml")
                shape = look(str(drug), among=DRUG_LOOKS, number=j).dotted()
                axes.plot(floored(found, floor), [i] * found.size, **shape)
        style.log_axis(axes, "x", floor=floor, top=top)
    labels = [look(str(arm), among=ARM_LOOKS).label for arm in arms]
    panels[0].set_yticks(range(len(arms)), labels)
    panels[0].set_ylim(len(arms) - 0.4, -0.9)


def _limits(values: Any) -> tuple[float, float]:
    """Floor and top of the axis: whole decades around what is above zero, the floor one below the least."""
    shown = values[values > 0.0] if np.any(values > 0.0) else np.ones(1)
    top = 10.0 ** math.ceil(math.log10(1.3 * shown.max()))
    return max(top / 10.0**_DECADES, 10.0 ** (math.ceil(math.log10(shown.min())) - 2.0)), top


def put_advantage(axes: Axes, advantage: FigureData) -> None:
    """Draw the closed form as a line and the simulations of drugs and catheters on it."""
    ratios = advantage.numbers("clearance_over_flow")
    line = np.geomspace(0.5 * ratios.min(), 2.0 * ratios.max(), 100)
    axes.plot(line, 1.0 + line, color=GREY, label="1 + CL/(Q (1 - E))")
    names = list(advantage.distinct("catheter"))
    for j, drug in enumerate(advantage.distinct("drug")):
        for i, catheter in enumerate(names):
            found = advantage.where(drug=drug, catheter=catheter)
            size = _LARGEST_MARK * (1.0 - i / (len(names) + 1.0))
            shape = look(str(drug), among=DRUG_LOOKS, number=j).dotted(markersize=size, markerfacecolor="none")
            axes.plot(found.numbers("clearance_over_flow"), found.numbers("simulated"), **shape, markeredgewidth=1.2)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_title("regional advantage of the served liver: line closed form, marks simulated")
    axes.set_xlabel("total clearance over flow left by extraction, CL/(Q (1 - E)) [1]")
    axes.set_ylabel("liver over plasma, artery against vein [1]")
    text = "mark size: " + " > ".join(str(name).replace("_", " ") for name in names)
    axes.text(0.98, 0.05, text, transform=axes.transAxes, ha="right", fontsize=style.LEAST_FONT, color=GREY)


def _handles(drugs: Sequence[str]) -> list[Any]:
    from matplotlib.lines import Line2D

    looks = (look(drug, among=DRUG_LOOKS, number=j) for j, drug in enumerate(drugs))
    return [Line2D([], [], **each.dotted()) for each in looks]
