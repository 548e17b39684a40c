"""Necrosis against the size of the tumour: share of tumours nearly dead, with the resected cases of Higuchi."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ... import units
from ...course import simulate
from ...errors import PlausibilityWarning
from ...inputs import library
from ...inputs.cases import Case, Observation, cases
from ...inputs.scenario import Scenario
from ...inputs.treatment import chemoembolisation, embolisation, hepatic_artery
from ...model.problem import Array
from ...study.tumours import cohort_of
from ...study.uncertainty import SEED, interval, uncertain
from ..text import within
from .data import FigureData
from .style import ARM_LOOKS, BAND, below, empty, mark, new_figure, printed

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

TITLE = "Necrosis by tumour size"
QUESTION = "Why do small tumours die and large ones survive?"
SECONDS = 20.0

DIAMETERS_MM = (10.0, 20.0, 30.0, 45.0, 60.0, 80.0, 100.0)
STUDY = "Higuchi 1994"
ARM_OF_ROUTE = {"embolisation": "bland_embolisation", "hepatic_artery": "hepatic_artery_bolus"}
NEARLY_DEAD = 0.95  # what the study counts
COHORT, RTOL = 48, 1e-4
_CASES_OF = re.compile(r"(\d+)/(\d+)")
_TAIL = 0.05


def data(
    patient: Any = "hcc_reference",
    *,
    drug: Any = "doxorubicin",
    dose_mg: float | None = None,
    diameters_mm: Sequence[float] = DIAMETERS_MM,
    catheter: Any = "lobar",
    draws: int = 20,
    cohort: int = COHORT,
    seed: int = SEED,
    points: bool = True,
) -> FigureData:
    """Return the share of tumours with more than 95 % necrosis, and necrosis itself, by diameter and arm.

    Parameters
    ----------
    patient, drug, dose_mg, catheter : as of `compare`
    diameters_mm : sizes of the tumour
    draws : of the 90 % band of embolisation alone; the other arms have typical values only
    cohort : tumours of each size and draw, which differ as their variability says
    seed : of the draws
    points : whether the published cases are looked up
    """
    record = library.load("drugs", drug)
    dose = float(np.asarray(record.usual_dose)) if dose_mg is None else dose_mg
    regimens = {
        "bland_embolisation": embolisation(("lipiodol", "gelatin_sponge")),
        "emulsion_sponge": chemoembolisation(record, dose, carrier="lipiodol_emulsion", embolic="gelatin_sponge"),
        "hepatic_artery_bolus": hepatic_artery(record, dose),
    }
    until_h = float(next(each.reading.time or 0.0 for _, each in _observations()))
    rows: list[dict[str, Any]] = []
    for arm, regimen in regimens.items():
        drawn = draws if arm == "bland_embolisation" else 1
        for size in diameters_mm:
            typical = _sized(Scenario(patient, regimen, catheter=catheter), size)
            rows.append({"series": "model", "arm": arm, "diameter_mm": size,
                         **_of_size(typical, until_h, drawn, cohort, seed), "row": None})  # fmt: skip
    marks = list(_published()) if points else []
    ids = [row["row"] for row in marks]
    return FigureData.of_rows(
        [*rows, *marks], n=f"{cohort} tumours of each size, {draws} draws", seed=seed, sources=ids,
        caption=f"Left: share of tumours with more than {100 * NEARLY_DEAD:g} % necrosis {until_h / 24.0:g} d after "
        f"one session, by diameter; line: typical values, band: 90 % of {draws} draws for embolisation alone. Marks: "
        f"resected cases ({', '.join(ids) or 'none'}) with exact 90 % intervals of the share; P053 are tumours below 3 "
        f"cm, P054 those of 3 cm and more, P055 those treated with drug alone. Right: necrosis at the same time, "
        f"median and 90 % range over {cohort} tumours that differ in how much of them lives on other vessels, and in "
        f"their response to {dose:g} mg of {record.name}.",
    )  # fmt: skip


def _sized(scenario: Scenario, diameter_mm: float) -> Scenario:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PlausibilityWarning)  # a size that somebody asks for may be implausible
        return scenario.with_value("patient.tumour.diameter", diameter_mm)


def _of_size(typical: Scenario, until_h: float, draws: int, cohort: int, seed: int) -> dict[str, Any]:
    """One diameter of one arm: share nearly dead with its interval, and necrosis over typical tumours."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PlausibilityWarning)  # tails of a cohort are implausible
        drawn = uncertain(typical, draws, seed=seed) if draws > 1 else typical
        course = simulate(cohort_of(drawn, cohort, like=typical), until_h=until_h, times_h=[0.0, until_h], rtol=RTOL)
    necrosis = np.reshape(course.necrosis_fraction()[-1], (draws, cohort))
    shares: Array = 100.0 * (necrosis > NEARLY_DEAD).mean(axis=1)
    low, high = interval(shares) if draws > 1 else (None, None)
    least, most = interval(100.0 * necrosis[0])
    return {"nearly_dead_percent": shares[0], "low_percent": low, "high_percent": high,
            "necrosis_percent": 100.0 * float(np.median(necrosis[0])), "necrosis_low_percent": least,
            "necrosis_high_percent": most}  # fmt: skip


def _observations() -> Iterator[tuple[Case, Observation]]:
    """The study's shares of tumours that are nearly dead."""
    for case in cases():
        for each in case.observations:
            wanted = each.reading.quantity == "necrosis_above" and each.reading.threshold == NEARLY_DEAD
            if case.study == STUDY and wanted:
                yield case, each


def _published() -> Iterator[dict[str, Any]]:
    """The study's cases: number nearly dead of all, with the exact interval of Clopper and Pearson."""
    from scipy.stats import beta

    for case, each in _observations():
        if (found := _CASES_OF.search(library.evidence_row(each.row)["value"])) is None:
            continue
        dead, of = int(found[1]), int(found[2])
        least = float(beta.ppf(_TAIL, dead, of - dead + 1)) if dead else 0.0
        most = float(beta.ppf(1.0 - _TAIL, dead + 1, of - dead)) if dead < of else 1.0
        yield {"series": "published", "arm": ARM_OF_ROUTE[case.arms[each.reading.arm].route],
               "diameter_mm": _diameter(case), "nearly_dead_percent": 100.0 * dead / of,
               "low_percent": 100.0 * least, "high_percent": 100.0 * most, "row": each.row}  # fmt: skip


def _diameter(case: Case) -> float:
    value, unit = units.parse(case.settings["patient.tumour.diameter"])
    return value * units.factor(unit, "mm")


def answer(data: FigureData) -> str:
    """Say which share of small and large tumours is nearly dead, in the model and in the published cases."""
    bland = list(data.where(series="model", arm="bland_embolisation").rows())
    said = ", ".join(
        f"{within(row['nearly_dead_percent'], row['low_percent'], row['high_percent'], ' %')} at "
        f"{row['diameter_mm']:g} mm"
        for row in (bland[0], bland[-1])
    )
    marks = ", ".join(
        f"{row['row']} {within(row['nearly_dead_percent'], row['low_percent'], row['high_percent'], ' %')}"
        for row in data.where(series="published").rows()
    )
    return (
        f"Share of tumours with more than {100 * NEARLY_DEAD:g} % necrosis after oil and sponge: {said}. Published: "
        f"{marks or 'nothing'}."
    )


@printed
def draw(data: FigureData) -> Figure:
    """Draw the share nearly dead beside necrosis itself."""
    figure = new_figure(height_mm=78.0)
    nearly, necrosis = figure.subplots(1, 2)
    put(nearly, data)
    _draw_necrosis(necrosis, data.where(series="model") if len(data) else data)
    below(figure, nearly.get_lines()[:3], columns=3)
    return figure


def put(axes: Axes, data: FigureData) -> None:
    """Draw the share of tumours nearly dead by diameter, with the published cases."""
    model = data.where(series="model") if len(data) else data
    for arm in model.distinct("arm"):
        found, style = model.where(arm=arm), ARM_LOOKS[str(arm)]
        low, high = found.numbers("low_percent"), found.numbers("high_percent")
        sizes = found.numbers("diameter_mm")
        axes.plot(sizes, found.numbers("nearly_dead_percent"), marker=style.marker, **style.drawn())
        if np.isfinite(low).all():
            axes.fill_between(sizes, low, high, color=style.colour, alpha=2.0 * BAND, linewidth=0, zorder=0)
    for row in data.where(series="published").rows() if len(data) else ():
        keys = ("diameter_mm", "nearly_dead_percent", "low_percent", "high_percent")
        mark(axes, *(row[key] for key in keys), marker=ARM_LOOKS[str(row["arm"])].marker, label=str(row["row"]))
    axes.set_ylim(-4.0, 104.0)
    axes.set_xlabel("tumour diameter [mm]")
    axes.set_ylabel(f"tumours with > {100 * NEARLY_DEAD:g} % necrosis [%]")
    if not len(data):
        empty(axes, "no tumour")


def _draw_necrosis(axes: Axes, model: FigureData) -> None:
    for arm in model.distinct("arm"):
        found, style = model.where(arm=arm), ARM_LOOKS[str(arm)]
        low, high = found.numbers("necrosis_low_percent"), found.numbers("necrosis_high_percent")
        sizes = found.numbers("diameter_mm")
        axes.fill_between(sizes, low, high, color=style.colour, alpha=BAND, linewidth=0)
        axes.plot(sizes, found.numbers("necrosis_percent"), marker=style.marker, **style.drawn())
    axes.set_ylim(-4.0, 104.0)
    axes.set_xlabel("tumour diameter [mm]")
    axes.set_ylabel("necrosis [%]")

