"""A virtual cohort: what differs between patients who all get the same treatment."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ...course import Trajectory, simulate
from ...inputs import library
from ...inputs.scenario import Scenario
from ...model.problem import Array
from ...study.arms import arm_scenarios
from ...study.population import cohort
from ..text import two
from .data import FigureData
from .style import BAND, below, empty, floored, log_axis, look, new_figure, printed

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

TITLE = "A virtual cohort"
QUESTION = "How much do patients differ who get the same treatment?"
SECONDS = 4.0

_QUANTITIES: Mapping[str, str] = {
    "plasma_mg_per_l": "plasma [mg/L]",
    "tumour_mg_per_l": "tumour tissue [mg/L]",
    "viable_percent": "viable tumour [% of before]",
    "neutrophils_1e9_per_l": "neutrophils [10⁹/L]",
}
_LOG = ("plasma_mg_per_l", "tumour_mg_per_l")
_FLOOR_MG_PER_L = 1e-5
_PERCENTILES = (50.0, 5.0, 95.0)
_NAMES = ("median", "low_90", "high_90")
_HOURS_PER_DAY = 24.0


def data(
    patient: Any = "hcc_reference",
    *,
    drug: Any = "doxorubicin",
    dose_mg: float | None = None,
    arm: str = "emulsion_sponge",
    n: int = 300,
    shown: int = 40,
    seed: int = 1,
    until_days: float = 28.0,
) -> FigureData:
    """Treat a cohort drawn around a patient.

    Parameters
    ----------
    patient, drug, dose_mg, arm : the typical patient, and what all get; the drug's usual dose by default
    n, seed : size and seed of the cohort
    shown : number of subjects whose own courses are kept
    until_days : end of follow-up [d]
    """
    typical = arm_scenarios(library.patient(patient), drug=drug, dose_mg=dose_mg, arms=[arm])[arm]
    course = _course(cohort(typical, n=n, seed=seed), until_days * _HOURS_PER_DAY)
    return FigureData.of_rows(
        [{"arm": arm, **row} for row in _rows(course, shown)],
        caption=f"{n} subjects drawn around the typical patient by the declared variability between patients, all "
        f"treated alike: thin lines are the first {min(shown, n)} of them, the thick line is the median and the band "
        "holds 90 % of all. Uncertainty of the typical values themselves is not in it.",
        n=f"{n} subjects" if n > 1 else "1 subject",
        seed=seed,
    )


def _course(scenario: Scenario, until_h: float) -> Trajectory:
    first_day, later = np.geomspace(0.02, min(_HOURS_PER_DAY, until_h), 30), np.linspace(0.0, until_h, 57)
    return simulate(scenario, until_h=until_h, times_h=np.unique(np.concatenate([first_day, later])))


def _rows(course: Trajectory, shown: int) -> Iterator[dict[str, Any]]:
    days = course.times_h / _HOURS_PER_DAY
    values = {name: found.reshape(days.size, -1) for name, found in _quantities(course).items()}
    for name, found in values.items():
        # a subject that failed, or a quantity that nobody has, counts in no percentile
        known = found[:, np.isfinite(found).all(axis=0)]
        if known.shape[1]:
            summary = np.percentile(known, _PERCENTILES, axis=1)
            for i, day in enumerate(days):
                numbers = dict(zip(_NAMES, summary[:, i], strict=True))
                yield {"kind": "summary", "quantity": name, "time_d": day, **numbers}
    for subject in range(min(shown, course.size)):
        for i, day in enumerate(days):
            own = {name: found[i, subject] for name, found in values.items()}
            yield {"kind": "subject", "subject": subject, "time_d": day, **own}


def _quantities(course: Trajectory) -> dict[str, Array]:
    viable = course.viable_volume_ml()
    with np.errstate(invalid="ignore", divide="ignore"):  # no tumour: no share of it, and the panel says so
        percent = 100.0 * viable / viable[0]
    one = course.drugs[0] if course.drugs else None
    nothing = np.full_like(viable, np.nan)
    concentrations = {
        f"{place}_mg_per_l": course.concentration_mg_per_l(place, drug=one) if one else nothing
        for place in ("plasma", "tumour")
    }
    return {**concentrations, "viable_percent": percent, "neutrophils_1e9_per_l": course.neutrophils_1e9_per_l()}


def answer(data: FigureData) -> str:
    """Say how widely the end of the tumour's course and the fall of the neutrophils differ."""
    said = []
    for name, reads, text in (
        ("viable_percent", lambda values: values[-1], "the living tumour is {} % of that before [{}-{}]"),
        ("neutrophils_1e9_per_l", np.min, "the neutrophil count falls to {} [{}-{}] (10⁹/L)"),
    ):
        summary = data.where(kind="summary", quantity=name)
        if len(summary):
            said.append(text.format(*(two(reads(summary.numbers(key))) for key in _NAMES)))
    days = data.numbers("time_d").max()
    if not said:
        return "The cohort has neither a tumour nor a known blood count."
    return (
        f"In the median patient (in brackets the middle 90 % of patients) {' and '.join(said)} within {days:g} days. "
        "All get the same treatment: the width is that between patients, not that of what nobody knows."
    )


@printed
def draw(data: FigureData) -> Figure:
    """Draw a panel a quantity: subjects thin, median thick, the 90 % band behind them."""
    figure = new_figure(height_mm=105.0)
    for axes, (name, label) in zip(figure.subplots(2, 2).ravel(), _QUANTITIES.items(), strict=True):
        axes.set_xlabel("time [d]")
        axes.set_ylabel(label)
        _panel(axes, name, data)
    below(figure, _handles(data), columns=3)
    return figure


def _panel(axes: Axes, name: str, data: FigureData) -> None:
    summary = data.where(kind="summary", quantity=name) if len(data) else data
    if not len(summary) or not (summary.numbers("high_90") > 0.0).any():
        empty(axes, "no subject has it")
        return
    floor = _FLOOR_MG_PER_L if name in _LOG else 0.0
    colour = look(str(data.distinct("arm")[0])).colour
    subjects, tops = data.where(kind="subject"), [summary.numbers("high_90")]
    for subject in subjects.distinct("subject"):
        one = subjects.where(subject=subject)
        axes.plot(one.numbers("time_d"), floored(one.numbers(name), floor), color=colour, linewidth=0.3, alpha=0.6)
        tops.append(one.numbers(name))
    days, low, high = (summary.numbers(key) for key in ("time_d", "low_90", "high_90"))
    axes.fill_between(days, floored(low, floor), floored(high, floor), color=colour, alpha=BAND, linewidth=0.0)
    axes.plot(days, floored(summary.numbers("median"), floor), color="black", linewidth=1.6)
    if name in _LOG:
        log_axis(axes, "y", floor=floor, top=1.5 * float(np.nanmax(np.concatenate(tops))))
    else:
        axes.set_ylim(bottom=0.0)


def _handles(data: FigureData) -> list[Any]:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    if not len(data):
        return []
    colour = look(str(data.distinct("arm")[0])).colour
    return [
        Line2D([], [], color=colour, linewidth=0.5, label="single subjects"),
        Line2D([], [], color="black", linewidth=1.6, label="median"),
        Patch(facecolor=colour, alpha=BAND, linewidth=0.0, label="90 % of the cohort"),
    ]
