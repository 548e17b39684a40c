"""Half a year of repeated sessions: tumour, neutrophils, arterial flow and the dose given so far."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ...course import simulate
from ...inputs import library
from ...inputs.regimen import Regimen
from ...inputs.scenario import Scenario
from ...study.arms import ARMS, arm_names
from ..text import two
from .data import FigureData
from .sessions import arterial_flow_percent, course_times, starts_h
from .style import GREY, LIGHT, Look, below, empty, look, new_figure, printed

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

TITLE = "Half a year of repeated sessions"
QUESTION = "What do repeated sessions do to the tumour, its artery and the blood?"
SECONDS = 2.0

UNTREATED = "untreated"
_UNTREATED_LOOK = Look(GREY, (0, (1, 1)), "", "untreated")
_ALL_ARMS = Look("#000000", "-", "", "every arm with drug")
_DOSE = "cumulative_dose_mg_per_m2"
_HOURS_PER_DAY = 24.0
_PANELS: Mapping[str, str] = {
    "viable_volume_ml": "viable tumour [mL]",
    "neutrophils_1e9_per_l": "neutrophils [10⁹/L]",
    "arterial_flow_percent": "arterial flow [% of before]",
    _DOSE: "dose given so far [mg/m²]",
}


def data(
    patient: Any = "hcc_reference",
    *,
    drug: Any = "doxorubicin",
    dose_mg: float | None = None,
    every_days: float = 42.0,
    times: int = 4,
    until_days: float = 182.0,
    arms: Sequence[str] = ("iv", "bland_embolisation", "emulsion_sponge", "beads"),
) -> FigureData:
    """Follow one patient through the same sessions by several arms, and without any.

    Parameters
    ----------
    patient, drug, dose_mg : who gets how much of what each time; the drug's usual dose by default
    every_days, times : interval [d] and number of the sessions
    until_days : end of follow-up [d]
    arms : names of arms
    """
    person, given = library.patient(patient), library.drug(drug)
    dose = float(np.asarray(given.usual_dose)) if dose_mg is None else dose_mg
    chosen = arm_names(arms)
    scenarios = {UNTREATED: Scenario(person, Regimen(()))} | {
        name: Scenario(person, ARMS[name]({given: dose}).repeat(every_days=every_days, times=times)) for name in chosen
    }
    until_h = until_days * _HOURS_PER_DAY
    rows = [row for name, each in scenarios.items() for row in _course(name, each, until_h)]
    return FigureData.of_rows(
        rows,
        caption=f"{dose:g} mg of {given.name} every {every_days:g} days, {times} times (dotted lines), by several "
        "arms. Arterial flow is that through the catheterised artery to both tumour zones. The tumour's size is read "
        "anew at each session, so that flow steps there: up where it has grown, down where it has died. Neutrophils: "
        "the typical patient, without support. The dose is the same in every arm with drug.",
        n="1 patient",
    )


def _course(name: str, scenario: Scenario, until_h: float) -> Iterator[dict[str, Any]]:
    times = course_times(scenario, until_h)
    course = simulate(scenario, until_h=until_h, times_h=times)
    starts = np.array(starts_h(scenario))
    dose = sum(amount for each in scenario.regimen.sessions[:1] for one in each.doses for _, amount in one.amounts)
    bsa = float(np.asarray(scenario.patient.bsa))
    columns: dict[str, Any] = {"time_d": times / _HOURS_PER_DAY, "viable_volume_ml": course.viable_volume_ml()}
    if starts.size:
        columns["neutrophils_1e9_per_l"] = course.neutrophils_1e9_per_l()
        columns["arterial_flow_percent"] = arterial_flow_percent(course)
        columns[_DOSE] = float(dose) / bsa * np.searchsorted(starts, times, side="right")
    for start in starts:
        yield {"kind": "session", "arm": name, "time_d": start / _HOURS_PER_DAY}
    for i in range(times.size):
        yield {"kind": "course", "arm": name, **{key: values[i] for key, values in columns.items()}}


def answer(data: FigureData) -> str:
    """Say what is left of the tumour at the end, and how far neutrophils fall."""
    course = data.where(kind="course")
    arms = [str(each) for each in course.distinct("arm")]
    ends = {arm: course.where(arm=arm).numbers("viable_volume_ml") for arm in arms}
    left = ", ".join(f"{two(values[-1])} mL {_named(arm)}" for arm, values in ends.items())
    sessions = max((len(data.where(kind="session", arm=arm)) for arm in arms), default=0)
    counts = {arm: course.where(arm=arm).numbers("neutrophils_1e9_per_l") for arm in arms}
    lowest = {arm: float(values.min()) for arm, values in counts.items() if np.isfinite(values).all()}
    text = (
        f"Of {two(ends[arms[0]][0])} mL of living tumour there are left, {course.numbers('time_d').max():g} days after "
        f"the first of {sessions} sessions: {left}."
    )
    if not lowest:
        return f"{text} No neutrophil count is known for this drug."
    deep = min(lowest, key=lambda arm: lowest[arm])
    return f"{text} Neutrophils fall furthest {_named(deep)}, to {two(lowest[deep])} (10⁹/L)."


def _named(arm: str) -> str:
    """An arm in a sentence."""
    return arm if arm == UNTREATED else f"with {look(arm).label}"


@printed
def draw(data: FigureData) -> Figure:
    """Draw a panel a quantity, a line an arm, and a dotted line where a session begins."""
    figure = new_figure(height_mm=105.0)
    panels = figure.subplots(2, 2, sharex=True)
    course = data.where(kind="course") if len(data) else data
    arms = [str(each) for each in course.distinct("arm")]
    for axes, (key, label) in zip(panels.ravel(), _PANELS.items(), strict=True):
        axes.set_ylabel(label)
        axes.xaxis.set_tick_params(labelbottom=True)
        axes.set_xlabel("time [d]")
        for start in data.where(kind="session").distinct("time_d") if len(data) else ():
            axes.axvline(start, color=LIGHT, linewidth=0.7, linestyle=":", zorder=0)
        looks = [_ALL_ARMS if key == _DOSE else _look(arm, i) for i, arm in enumerate(arms)]
        drawn = [_line(axes, course.where(arm=arm), key, each) for arm, each in zip(arms, looks, strict=True)]
        if not any(drawn):
            empty(axes, "nothing to show")
        axes.set_ylim(bottom=0.0)
    below(figure, _handles(arms), columns=5)
    return figure


def _line(axes: Axes, course: FigureData, key: str, style: Look) -> bool:
    """Draw one arm where it has numbers; doses are steps."""
    values = course.numbers(key)
    if not np.isfinite(values).any() or (key == _DOSE and not (values > 0.0).any()):
        return False
    axes.plot(course.numbers("time_d"), values, **style.drawn(drawstyle="steps-post" if key == _DOSE else "default"))
    return True


def _look(arm: str, number: int) -> Look:
    return _UNTREATED_LOOK if arm == UNTREATED else look(arm, number=number)


def _handles(arms: Sequence[str]) -> list[Any]:
    from matplotlib.lines import Line2D

    return [Line2D([], [], **_look(arm, i).drawn()) for i, arm in enumerate(arms)]
