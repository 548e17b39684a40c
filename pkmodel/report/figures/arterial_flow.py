"""Arterial flow after embolisation: how deep each agent closes the artery, for how long, and what sessions add."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ...course import simulate
from ...errors import PlausibilityWarning
from ...inputs import library
from ...inputs.cases import cases
from ...inputs.scenario import Scenario
from ...inputs.treatment import embolisation
from ...model.graph import ZONES
from ...study.uncertainty import SEED, interval, uncertain
from ..text import two, within
from .data import FigureData
from .published import spread_of
from .style import BAND, Look, below, look, mark, new_figure, printed

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

TITLE = "Arterial flow after embolisation"
QUESTION = "How much of the tumour's arterial flow is left after each agent, for how long, and after several sessions?"
SECONDS = 3.0

AGENTS = ("lipiodol", "gelatin_sponge", "lipiodol+gelatin_sponge", "beads_bland")
AGENT_LOOKS: Mapping[str, Look] = {
    "lipiodol": Look("#E69F00", "-.", "s", "iodised oil"),
    "gelatin_sponge": Look("#56B4E9", "--", "^", "gelatin sponge"),
    "lipiodol+gelatin_sponge": Look("#000000", "-", "D", "oil + sponge"),
    "beads_bland": Look("#CC79A7", (0, (1, 1.5)), "*", "beads"),
}
_HALF = 50.0  # percent
_DAY_H, _ML_PER_MIN = 24.0, 1000.0 / 60.0  # L/h to mL/min
ONE_DAYS, EVERY_DAYS, TIMES = 42.0, 42, 3
_FIRST_H, _EARLY, _LATE, _REPEATED, _MARGIN = 0.1, 16, 42, 127, 0.03


def data(
    patient: Any = "hcc_reference",
    *,
    agents: Sequence[str] = AGENTS,
    catheter: Any = "segmental",
    draws: int = 60,
    seed: int = SEED,
    points: bool = True,
) -> FigureData:
    """Return the open part of the tumour's artery after one session, and its flow over three, by agent.

    Parameters
    ----------
    patient, catheter : as of `compare`
    agents : names of embolics, several of one session joined by ``+``
    draws, seed : of the 90 % bands
    points : whether published perfusion is looked up
    """
    rows: list[dict[str, Any]] = []
    for agent in agents:
        scenario = Scenario(patient, embolisation(tuple(agent.split("+"))), catheter=catheter)
        rows += [*_one_session(scenario, agent, draws, seed), *_sessions(scenario, agent)]
    marks = list(_published()) if points else []
    ids = [row["row"] for row in marks]
    return FigureData.of_rows(
        [*rows, *marks], n=f"{draws} draws for each of {len(agents)} agents", seed=seed, sources=ids,
        caption=f"Left: open part of the tumour's arteries after one embolisation without drug, with 90 % bands "
        f"({draws} draws), over 1 d and over {ONE_DAYS:g} d. Marks: perfusion left in patients within the hour, with "
        f"the printed interval ({', '.join(ids) or 'none'}; P030 is a review's statement, no measurement). Right: "
        f"arterial flow to the tumour over {TIMES} sessions, one every {EVERY_DAYS} d: at each it is read anew from "
        "the living tumour. No published perfusion after beads or at later times was found.",
    )  # fmt: skip


def _one_session(scenario: Scenario, agent: str, draws: int, seed: int) -> Iterator[dict[str, Any]]:
    early = np.concatenate([[0.0], np.geomspace(_FIRST_H, _DAY_H, _EARLY)])
    times = np.unique(np.concatenate([early, np.linspace(_DAY_H, ONE_DAYS * _DAY_H, _LATE)]))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PlausibilityWarning)  # a range may be wider than what is plausible
        course = simulate(uncertain(scenario, draws, seed=seed), until_days=ONE_DAYS, times_h=times)
    open_ = 100.0 * course.patent_fraction("tumour")
    low, high = interval(open_)
    for i, time in enumerate(times):
        yield {"panel": "one session", "agent": agent, "time_h": time, "open_percent": open_[i, 0],
               "low_percent": low[i], "high_percent": high[i], "flow_ml_per_min": None, "row": None}  # fmt: skip


def _sessions(scenario: Scenario, agent: str) -> Iterator[dict[str, Any]]:
    days = float(EVERY_DAYS * TIMES)
    repeated = scenario.replace(regimen=scenario.regimen.repeat(every_days=EVERY_DAYS, times=TIMES))
    course = simulate(repeated, until_days=days, times_h=np.linspace(0.0, days * _DAY_H, _REPEATED))
    core, escape = (course.arterial_flow_l_per_h(zone) for zone in ZONES)
    flow = _ML_PER_MIN * (core + escape)
    for time, now in zip(course.times_h, flow, strict=True):
        yield {"panel": "sessions", "agent": agent, "time_h": time, "flow_ml_per_min": now}


def _published() -> Iterator[dict[str, Any]]:
    """Published shares of flow left; where the row prints the fall in per cent, so does its interval."""
    for case in cases():
        for each in case.observations:
            if each.reading.quantity != "flow_left" or library.patient(case.patient).species != "human":
                continue
            low, high = spread_of(each.row)
            if low is not None and high is not None and library.evidence_row(each.row)["unit"] == "%":
                low, high = 100.0 - high, 100.0 - low
            yield {"panel": "published", "agent": case.arms[each.reading.arm].embolic, "time_h": each.reading.time,
                   "open_percent": 100.0 * each.value, "low_percent": low, "high_percent": high,
                   "row": each.row}  # fmt: skip


def answer(data: FigureData) -> str:
    """Say how far each agent closes the tumour's arteries, what was published, and how long it lasts."""
    one, closed, again = data.where(panel="one session"), [], []
    for agent in one.distinct("agent"):
        course, name = one.where(agent=agent), look(str(agent), among=AGENT_LOOKS).label
        open_, times = course.numbers("open_percent"), course.numbers("time_h")
        day = int(np.searchsorted(times, _DAY_H))
        low, high = (float(course.numbers(key)[day]) for key in ("low_percent", "high_percent"))
        closed.append(f"{name} {within(open_[day], low, high, ' %')}")
        half = times[(times >= times[day]) & (open_ >= _HALF)]
        if open_[day] < _HALF:
            again.append(f"{name} " + (f"{two(half[0] / _DAY_H)} d" if half.size else f"later than {ONE_DAYS:g} d"))
    rows = data.where(panel="published").rows()
    marks = ", ".join(f"{row['row']} {within(row['open_percent'], row['low_percent'], row['high_percent'], ' %')}"
                      for row in rows)  # fmt: skip
    seen = f" (published, at once: {marks})" if marks else ""
    return (
        f"Open part of the arteries a day after one session: {', '.join(closed)}{seen}. "
        f"Half open again after: {', '.join(again) or 'never less'}."
    )


@printed
def draw(data: FigureData) -> Figure:
    """Draw a day and six weeks of one session, and the flow over several."""
    figure = new_figure(height_mm=80.0)
    day, weeks, repeated = figure.subplots(1, 3, width_ratios=(1.0, 1.3, 1.7))
    one = data.where(panel="one session") if len(data) else data
    for axes, unit, until in ((day, 1.0, _DAY_H), (weeks, _DAY_H, ONE_DAYS)):
        _open(axes, one, unit, until)
        axes.set_xlabel("time [h]" if unit == 1.0 else "time [d]")
    day.set_ylabel("open part of the tumour's arteries [%]")
    weeks.set_yticklabels([])
    _marks(day, data.where(panel="published") if len(data) else data)
    for i, agent in enumerate(one.distinct("agent")):
        flow = data.where(panel="sessions", agent=agent)
        style = look(str(agent), among=AGENT_LOOKS, number=i).drawn()
        repeated.plot(flow.numbers("time_h") / _DAY_H, flow.numbers("flow_ml_per_min"), **style)
    repeated.set_ylim(bottom=0.0)
    repeated.set_xlabel("time [d]")
    repeated.set_ylabel("arterial flow to the tumour [mL/min]")
    below(figure, repeated.get_lines(), columns=5)
    return figure


def _open(axes: Axes, one: FigureData, unit: float, until: float) -> None:
    for i, agent in enumerate(one.distinct("agent")):
        course, style = one.where(agent=agent), look(str(agent), among=AGENT_LOOKS, number=i)
        times = course.numbers("time_h") / unit
        axes.fill_between(times, course.numbers("low_percent"), course.numbers("high_percent"), color=style.colour,
                          alpha=BAND, linewidth=0)  # fmt: skip
        axes.plot(times, course.numbers("open_percent"), **style.drawn())
    axes.set_xlim(-_MARGIN * until, until)
    axes.set_ylim(0.0, 105.0)


def _marks(axes: Axes, published: FigureData) -> None:
    for row in published.rows():
        keys = ("time_h", "open_percent", "low_percent", "high_percent")
        mark(axes, *(row[key] for key in keys), label=str(row["row"]))
