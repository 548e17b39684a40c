"""Plasma and tumour concentration over a day and a month, by arm, with the published peaks."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ...course import simulate
from ...inputs import library
from ...inputs.scenario import Scenario
from ...study.arms import ARMS, arm_scenarios
from ..text import two
from .data import FigureData
from .published import concentrations
from .style import ARM_LOOKS, below, empty, floored, log_axis, look, mark, new_figure, printed

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

TITLE = "Concentration in plasma and tumour by arm"
QUESTION = "How long does each way of giving the drug keep it in the tumour, and what does the plasma see of it?"
SECONDS = 2.0

DRUG_ARMS = tuple(name for name in ARMS if name != "bland_embolisation")
DAY_H, MONTH_DAYS = 24.0, 28.0
_EARLIEST_H, _EARLY, _FIRST_DAY, _LATER = 0.02, 30, 24, 54  # sampling: start, and numbers of times
_NG_PER_MG, _DECADES, _MARGIN = 1000.0, 5.0, 0.02
PLACES = (("plasma", "plasma_ng_per_ml", "ng/mL"), ("tumour tissue", "tumour_ug_per_g", "µg/g"))


def data(
    patient: Any = "hcc_reference",
    *,
    drug: Any = "doxorubicin",
    dose_mg: float | None = None,
    arms: Sequence[str] = DRUG_ARMS,
    catheter: Any = "lobar",
    points: bool = True,
) -> FigureData:
    """Return the courses of one session by arm over 28 d, and the published peaks of the drug in patients.

    Parameters
    ----------
    patient, drug, dose_mg, arms, catheter : as of `compare`, one drug
    points : whether published peaks are looked up
    """
    record = library.load("drugs", drug)
    scenarios = arm_scenarios(patient, drug=drug, dose_mg=dose_mg, arms=arms, catheter=catheter)
    chosen = {arm: scenarios[arm] for arm in arms}
    dose = float(np.asarray(record.usual_dose if dose_mg is None else dose_mg))
    rows = [*_courses(chosen), *(_points(chosen, dose) if points else ())]
    ids = [row["row"] for row in rows if row["row"]]
    first = next(iter(chosen.values()))
    return FigureData.of_rows(
        rows, n=f"1 patient, {len(chosen)} arms", sources=ids,
        caption=f"Concentration of {record.name} in plasma and tumour tissue (mean of both zones, without what the "
        f"carrier still holds) after one session of {dose:g} mg, {first.patient.name}, {first.catheter.name} catheter; "
        f"logarithmic, over a day and over {MONTH_DAYS:g} days. Marks: {len(ids)} published peaks in patients with one "
        f"standard deviation or range, scaled to the dose, at the end of their injection "
        f"({', '.join(ids) or 'none in the library'}).",
    )  # fmt: skip


def _times(scenario: Scenario) -> Any:
    """Times of a course [h]: dense at the start and at the end of each dose, where concentrations turn."""
    ends = [float(np.asarray(dose.duration)) for dose in scenario.regimen.sessions[0].doses]
    early, day = np.geomspace(_EARLIEST_H, DAY_H, _EARLY), np.linspace(0.0, DAY_H, _FIRST_DAY + 1)
    later = np.linspace(DAY_H, MONTH_DAYS * DAY_H, _LATER + 1)
    return np.unique(np.concatenate([early[:-1], day, later, ends]))


def _courses(scenarios: Mapping[str, Scenario]) -> Iterator[dict[str, Any]]:
    for arm, scenario in scenarios.items():
        times = _times(scenario)
        course = simulate(scenario, until_days=MONTH_DAYS, times_h=times)
        plasma = _NG_PER_MG * course.concentration_mg_per_l("plasma")
        tumour = course.concentration_mg_per_l("tumour")
        for time, in_plasma, in_tumour in zip(times, plasma, tumour, strict=True):
            yield {"series": "model", "arm": arm, "time_h": time, "plasma_ng_per_ml": in_plasma,
                   "tumour_ug_per_g": in_tumour, "low_ng_per_ml": None, "high_ng_per_ml": None, "row": None,
                   "given_mg": None}  # fmt: skip


def _points(scenarios: Mapping[str, Scenario], dose_mg: float) -> Iterator[dict[str, Any]]:
    """Published peaks, scaled to the dose; not for saturable drugs, whose peaks do not scale."""
    [record] = next(iter(scenarios.values())).regimen.drugs
    if math.isfinite(float(np.asarray(record.km_other))) or math.isfinite(float(np.asarray(record.liver.km))):
        return
    for point in concentrations(record.name):
        if point.arm in scenarios:
            factor = _NG_PER_MG * dose_mg / point.dose_mg
            low, high = (None if end is None else factor * end for end in (point.low, point.high))
            yield {"series": "published", "arm": point.arm, "time_h": point.time_h,
                   "plasma_ng_per_ml": factor * point.value, "low_ng_per_ml": low, "high_ng_per_ml": high,
                   "row": point.row, "given_mg": point.dose_mg}  # fmt: skip


def answer(data: FigureData) -> str:
    """Say which arm reaches and which keeps the highest concentration in the tumour, and how plasma peaks differ."""
    model = data.where(series="model")
    courses = {str(arm): model.where(arm=arm) for arm in model.distinct("arm")}
    tumour = {arm: each.numbers("tumour_ug_per_g") for arm, each in courses.items()}
    plasma = {arm: each.numbers("plasma_ng_per_ml").max() for arm, each in courses.items()}
    first, last = max(tumour, key=lambda arm: tumour[arm].max()), max(tumour, key=lambda arm: tumour[arm][-1])
    most, least = max(plasma, key=lambda arm: plasma[arm]), min(plasma, key=lambda arm: plasma[arm])
    return (
        f"The tumour's highest concentration comes from {_name(first)} ({two(tumour[first].max())} µg/g), the highest "
        f"left after {MONTH_DAYS:g} days from {_name(last)} ({two(tumour[last][-1])} µg/g). Plasma peaks run from "
        f"{two(plasma[least])} ng/mL ({_name(least)}) to {two(plasma[most])} ng/mL ({_name(most)})."
    )


def _name(arm: str) -> str:
    return look(arm, among=ARM_LOOKS).label


@printed
def draw(data: FigureData) -> Figure:
    """Draw plasma above tumour, a day beside a month."""
    figure = new_figure(height_mm=125.0)
    model = data.where(series="model") if len(data) else data
    handles: dict[str, Any] = {}
    for axes_row, (place, column, unit) in zip(figure.subplots(2, 2, sharey="row"), PLACES, strict=True):
        for axes, days in zip(axes_row, (1.0, MONTH_DAYS), strict=True):
            handles.update(_panel(axes, model, column, days))
            if days == 1.0:
                axes.set_ylabel(f"{place} [{unit}]")
        if place == "plasma" and len(data):
            _marks(axes_row[0], data.where(series="published"))
    below(figure, list(handles.values()), columns=4)
    return figure


def _panel(axes: Axes, model: FigureData, column: str, days: float) -> dict[str, Any]:
    """One place over one stretch of time; handles by arm for the legend."""
    values = model.numbers(column)
    positive = values[values > 0.0]
    if not positive.size:
        empty(axes, "no drug")
        return {}
    top = 10.0 ** math.ceil(math.log10(2.0 * positive.max()))
    floor = top / 10.0**_DECADES
    found = {}
    for number, arm in enumerate(model.distinct("arm")):
        course = model.where(arm=arm)
        times = course.numbers("time_h")
        shown = times <= days * DAY_H
        scale = 1.0 if days == 1.0 else DAY_H
        style = look(str(arm), among=ARM_LOOKS, number=number).drawn()
        [found[str(arm)]] = axes.plot(times[shown] / scale, floored(course.numbers(column)[shown], floor), **style)
    axes.set_xlabel("time [h]" if days == 1.0 else "time [d]")
    span = DAY_H if days == 1.0 else days
    axes.set_xlim(-_MARGIN * span, span)
    log_axis(axes, "y", floor=floor, top=top)
    return found


def _marks(axes: Axes, published: FigureData) -> None:
    """Published peaks with their spread and row ids."""
    for row in published.rows():
        style = look(str(row["arm"]), among=ARM_LOOKS)
        keys = ("time_h", "plasma_ng_per_ml", "low_ng_per_ml", "high_ng_per_ml")
        mark(axes, *(row[key] for key in keys), marker=style.marker, colour=style.colour, label=str(row["row"]))
