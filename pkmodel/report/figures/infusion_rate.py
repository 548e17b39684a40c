"""Rate matters where extraction saturates: the same dose as a bolus and as ever longer infusions, vein and artery."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ...course import simulate
from ...errors import PlausibilityWarning
from ...inputs import library
from ...inputs.drug import Drug
from ...inputs.scenario import Scenario
from ...inputs.treatment import hepatic_artery, iv
from ...model.problem import Array
from ..text import three
from .data import FigureData
from .style import GREY, LIGHT, Look, below, empty, floored, log_axis, new_figure, printed

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

TITLE = "The rate of an infusion matters where extraction saturates"
QUESTION = "Does it matter how fast the same dose is given, into a vein or into the artery?"
SECONDS = 2.0

_ROUTES: Mapping[str, Callable[..., Any]] = {"iv": iv, "hepatic_artery": hepatic_artery}
LOOKS: Mapping[str, Look] = {
    "iv": Look("#000000", "-", "o", "iv"),
    "hepatic_artery": Look("#D55E00", "--", "s", "hepatic artery"),
    "iv, unsaturated": Look(GREY, ":", "", "iv, were nothing saturable"),
    "hepatic_artery, unsaturated": Look("#E69F00", "-.", "", "artery, were nothing saturable"),
}
_PANELS: Mapping[str, str] = {
    "plasma_auc_ng_h_per_ml": "plasma AUC [ng·h/mL]",
    "tumour_auc_ug_h_per_g": "tumour AUC [µg·h/g]",
}
_COURSES: Mapping[str, str] = {"plasma_mg_per_l": "plasma [mg/L]", "tumour_mg_per_l": "tumour tissue [mg/L]"}
_SATURABLE = ("liver.km", "km_other")
_AFTER_H = 48.0  # of follow-up after the longest infusion
_POINTS = 60
_FLOOR_MG_PER_L = 1e-3


def data(
    patient: Any = "hcc_reference",
    *,
    drug: Any = "fluorouracil",
    dose_mg: float | None = None,
    durations_h: Sequence[float] = (0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 24.0, 48.0, 120.0),
    courses_h: Sequence[float] = (0.05, 4.0),
) -> FigureData:
    """Give one dose over several durations by vein and artery, with the drug as it is and without saturation.

    Parameters
    ----------
    patient, drug, dose_mg : who gets how much of what; the drug's usual dose by default
    durations_h : of the infusions [h]
    courses_h : durations of which the course over time is kept [h]
    """
    person, given = library.patient(patient), library.drug(drug)
    dose = float(np.asarray(given.usual_dose)) if dose_mg is None else dose_mg
    every = tuple(sorted({*durations_h, *courses_h}))
    rows: list[dict[str, Any]] = []
    for route in _ROUTES:
        rows += _exposures(person, given, dose, route, every, courses_h)
        rows += _exposures(person, _unsaturated(given), dose, route, every, (), name=f"{route}, unsaturated")
    return FigureData.of_rows(
        rows,
        caption=f"{dose:g} mg of {given.name} as infusions of different duration. Left: courses of a short and of a "
        "longer one, by vein and artery. Right: exposure against the duration. Where clearance saturates, a slow "
        "infusion is cleared better, so that plasma exposure falls as the duration grows; the thin lines are the same "
        "drug with infinite Michaelis constants, for which the rate would not matter.",
        n=f"1 patient, {len(every)} durations, 2 routes",
        sources=_behind(given),
    )


def _unsaturated(drug: Drug) -> Drug:
    """The same drug with the clearance that it has at low concentrations."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PlausibilityWarning)  # no drug is like that: it is there to compare with
        return drug.with_values(dict.fromkeys(_SATURABLE, np.inf))


def _behind(drug: Drug) -> Iterator[str]:
    for path in _SATURABLE:
        origin = drug.origin(path)
        yield from origin.rows if origin is not None else ()


def _exposures(
    patient: Any,
    drug: Drug,
    dose: float,
    route: str,
    durations: Sequence[float],
    kept: Sequence[float],
    name: str | None = None,
) -> Iterator[dict[str, Any]]:
    """One batch: every duration is a lane."""
    scenario = Scenario(patient, _ROUTES[route](drug, dose, duration_h=np.array(durations)))
    until_h = max(durations) + _AFTER_H
    times = np.concatenate([[0.0], np.geomspace(0.01, until_h, _POINTS)])
    course = simulate(scenario, until_h=until_h, times_h=times)
    found = course.exposure()
    for i, duration in enumerate(durations):
        values = {key: np.atleast_1d(np.asarray(found[key]))[i] for key in _PANELS}
        yield {"kind": "exposure", "route": name or route, "duration_h": duration, **values}
    for duration in kept:
        yield from _course(simulate(scenario.replace(regimen=_ROUTES[route](drug, dose, duration_h=duration)),
                                    until_h=_last(kept), times_h=_dense(kept, duration)), route, duration)  # fmt: skip


def _last(kept: Sequence[float]) -> float:
    """End of the courses that are drawn [h]."""
    return 2.0 * max(kept)


def _dense(kept: Sequence[float], duration: float) -> Array:
    """Times of a course [h], close to one another where the infusion begins and ends."""
    last = _last(kept)
    rise, fall = np.geomspace(0.005, last, _POINTS), duration + np.geomspace(1e-3, last, _POINTS)
    times = np.unique(np.concatenate([np.array([0.0, duration]), rise, fall]))
    return np.asarray(times[times <= last])


def _course(course: Any, route: str, duration: float) -> Iterator[dict[str, Any]]:
    plasma, tumour = (course.concentration_mg_per_l(place) for place in ("plasma", "tumour"))
    for i, time in enumerate(course.times_h):
        yield {"kind": "course", "route": route, "duration_h": duration, "time_h": time, "plasma_mg_per_l": plasma[i],
               "tumour_mg_per_l": tumour[i]}  # fmt: skip


def answer(data: FigureData) -> str:
    """Say how plasma and tumour exposure change from the fastest to the slowest infusion, by route."""
    exposures = data.where(kind="exposure")
    said = []
    for route, name in (("iv", "by vein"), ("hepatic_artery", "by artery")):
        one, linear = (exposures.where(route=each) for each in (route, f"{route}, unsaturated"))
        fast = one.numbers("duration_h").argmin()
        slow = one.numbers("duration_h").argmax()
        plasma, tumour = (one.numbers(key)[fast] / one.numbers(key)[slow] for key in _PANELS)
        without = linear.numbers("plasma_auc_ng_h_per_ml")[fast] / linear.numbers("plasma_auc_ng_h_per_ml")[slow]
        said.append(
            f"{name} {three(plasma)} times the plasma AUC and {three(tumour)} times the tumour AUC "
            f"({three(without)} times the plasma AUC, were nothing saturable)"
        )
    durations = exposures.numbers("duration_h")
    return (
        f"The same dose within {durations.min():g} h instead of {durations.max():g} h gives {said[0]}. "
        f"It gives {said[1]}."
    )


@printed
def draw(data: FigureData) -> Figure:
    """Draw courses to the left and exposure against duration to the right."""
    figure = new_figure(height_mm=110.0)
    panels = figure.subplots(2, 2)
    courses = data.where(kind="course") if len(data) else data
    exposures = data.where(kind="exposure") if len(data) else data
    for axes, (key, label) in zip(panels[:, 0], _COURSES.items(), strict=True):
        _draw_courses(axes, courses, key, label)
    for axes, (key, label) in zip(panels[:, 1], _PANELS.items(), strict=True):
        _draw_exposures(axes, exposures, key, label)
    below(figure, _handles(data), columns=4)
    return figure


def _draw_courses(axes: Axes, courses: FigureData, key: str, label: str) -> None:
    axes.set_xlabel("time [h]")
    axes.set_ylabel(label)
    if not len(courses) or not (courses.numbers(key) > 0.0).any():
        empty(axes, "no course")
        return
    values = courses.numbers(key)
    log_axis(axes, "y", floor=_FLOOR_MG_PER_L, top=2.0 * float(np.nanmax(values)))
    durations = [float(each) for each in courses.distinct("duration_h")]  # type: ignore[arg-type]
    for route in courses.distinct("route"):
        for duration in durations:
            one = courses.where(route=route, duration_h=duration)
            width = 0.8 if duration == durations[0] else 1.8
            style = LOOKS[str(route)].drawn(linewidth=width)
            axes.plot(one.numbers("time_h"), floored(one.numbers(key), _FLOOR_MG_PER_L), **style)
    widths = "; ".join(f"{'thin' if each == durations[0] else 'thick'}: over {each:g} h" for each in durations)
    axes.set_title(widths, fontweight="normal")


def _draw_exposures(axes: Axes, exposures: FigureData, key: str, label: str) -> None:
    axes.set_xlabel("duration of the infusion [h]")
    axes.set_ylabel(label)
    if not len(exposures) or not (exposures.numbers(key) > 0.0).any():
        empty(axes, "no exposure")
        return
    for route in exposures.distinct("route"):
        one = exposures.where(route=route)
        style = LOOKS[str(route)]
        more = {"linewidth": 0.9} if "unsaturated" in str(route) else {"marker": style.marker}
        axes.plot(one.numbers("duration_h"), one.numbers(key), **style.drawn(**more))
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.grid(color=LIGHT, linewidth=0.3, which="major")


def _handles(data: FigureData) -> list[Any]:
    from matplotlib.lines import Line2D

    routes = [str(each) for each in data.distinct("route")] if len(data) else []
    return [Line2D([], [], **LOOKS[each].drawn(marker=LOOKS[each].marker)) for each in LOOKS if each in routes]
