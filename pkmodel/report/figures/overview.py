"""The picture at the top of the README: the model, exposure of tumour and plasma, what kills, necrosis by size.

Its numbers also hold what the README's sentences say of doses and intervals (`report.answers`).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ...inputs import library
from ...inputs.scenario import Scenario
from ...inputs.treatment import chemoembolisation
from ...study.arms import ARMS, REFERENCE_ARM, arm_scenarios
from ...study.uncertainty import SEED
from . import drawn, model_diagram, necrosis_by_size, what_kills
from .data import FigureData
from .style import ARM_LOOKS, CAUSE_LOOKS, Look, below, look, new_figure, printed

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

TITLE = "The model at a glance"
QUESTION = "What does the model say about giving a drug with an embolisation?"
SECONDS = 45.0

STANDARD_ARM, BLAND_ARM = "emulsion_sponge", "bland_embolisation"
READ_DAYS = 28.0
DOSE_FACTORS = (0.5, 1.0, 2.0)  # of the usual dose
INTERVALS_DAYS, SESSIONS = (21, 42, 84), 3
INTERVAL_DAYS = 196.0  # until 28 d after the last session of the longest interval, the same for all
_DIAGRAM_MM, _PANELS_MM = 100.0, 78.0


def data(
    patient: Any = "hcc_reference",
    *,
    drug: Any = "doxorubicin",
    dose_mg: float | None = None,
    arms: Sequence[str] = tuple(ARMS),
    catheter: Any = "lobar",
    draws: int = 60,
    diameters_mm: Sequence[float] = necrosis_by_size.DIAMETERS_MM,
    seed: int = SEED,
) -> FigureData:
    """Return the model's graph, arms, doses and intervals with 90 % intervals, causes of the kill, necrosis by size.

    Parameters
    ----------
    patient, drug, dose_mg, arms, catheter : as of `compare`
    draws, seed : of the 90 % intervals, the same draws for every treatment
    diameters_mm : sizes of the tumour in the last panel
    """
    record = library.load("drugs", drug)
    dose = float(np.asarray(record.usual_dose if dose_mg is None else dose_mg))
    scenarios = arm_scenarios(patient, drug=record, dose_mg=dose, arms=arms, catheter=catheter)
    rows: list[dict[str, Any]] = [{"panel": "model", **row} for row in model_diagram.data().rows()]
    rows += _arms(scenarios, arms, draws, seed)
    scheme = _Scheme(patient, record, dose, catheter, draws, seed)
    rows += [*scheme.doses(), *scheme.intervals()]
    killing = [name for name in what_kills.KILL_ARMS if name in arms]
    if killing:
        causes = what_kills.data(
            patient, drugs=(record,), dose_mg=dose, arms=killing, catheter=catheter, draws=draws
        )
        rows += [{"panel": "kills", **row} for row in causes.rows()]
    sizes = necrosis_by_size.data(
        patient, drug=record, dose_mg=dose, diameters_mm=diameters_mm, catheter=catheter, draws=max(draws // 3, 2)
    )
    rows += [{"panel": "size", **row} for row in sizes.rows()]
    return FigureData.of_rows(
        rows, n=f"1 patient, {draws} draws, {len(arms)} arms", seed=seed, sources=sizes.sources,
        caption=f"Above: compartments and flows of one drug. Below, for {dose:g} mg of {record.name} in one session: "
        f"tumour against plasma exposure until day {READ_DAYS:g}; shares of the log kill owed to drug, ischaemia and "
        f"drug held back by the blocked flow; share of tumours with more than 95 % necrosis by diameter, with the "
        f"resected cases of {necrosis_by_size.STUDY}. Bars and band: 90 % intervals of uncertain typical values.",
    )  # fmt: skip


def _arms(
    scenarios: Mapping[str, Scenario], arms: Sequence[str], draws: int, seed: int
) -> Iterator[dict[str, Any]]:
    """Exposure, over the intravenous arm's too, and effect of every arm; in how many draws it kills most."""
    found = {
        name: drawn.drawn(each, until_days=READ_DAYS, draws=draws, seed=seed) for name, each in scenarios.items()
    }
    best = drawn.wins({name: found[name]["necrosis_percent"] for name in arms}, least=False)
    for name in arms:
        values = {**found[name], **drawn.over(found[name], found[REFERENCE_ARM])}
        for row in drawn.rows(values, panel="arms", arm=name):
            yield {**row, "best_percent": best[name] if row["quantity"] == "necrosis_percent" else None}


class _Scheme:
    """The standard treatment at several doses and intervals."""

    def __init__(self, patient: Any, drug: Any, dose_mg: float, catheter: Any, draws: int, seed: int) -> None:
        self.patient, self.drug, self.dose_mg, self.catheter = patient, drug, dose_mg, catheter
        self.draws, self.seed = draws, seed

    def _given(self, dose_mg: float) -> Scenario:
        given = chemoembolisation(self.drug, dose_mg, carrier="lipiodol_emulsion", embolic="gelatin_sponge")
        return Scenario(self.patient, given, catheter=self.catheter)

    def doses(self) -> Iterator[dict[str, Any]]:
        """Effect of one session of each dose."""
        for factor in DOSE_FACTORS:
            dose = factor * self.dose_mg
            found = drawn.drawn(self._given(dose), until_days=READ_DAYS, draws=self.draws, seed=self.seed)
            yield from drawn.rows(found, panel="doses", arm=STANDARD_ARM, dose_mg=dose)

    def intervals(self) -> Iterator[dict[str, Any]]:
        """Effect of the same sessions at each interval over the same time; in how many draws it leaves least."""
        once, found = self._given(self.dose_mg), {}
        for days in INTERVALS_DAYS:
            repeated = once.replace(regimen=once.regimen.repeat(every_days=days, times=SESSIONS))
            found[days] = drawn.drawn(repeated, until_days=INTERVAL_DAYS, draws=self.draws, seed=self.seed)
        best = drawn.wins({days: each["viable_mean_percent"] for days, each in found.items()}, least=True)
        for days, each in found.items():
            for row in drawn.rows(each, panel="intervals", arm=STANDARD_ARM, every_days=days):
                yield {**row, "best_percent": best[days] if row["quantity"] == "viable_mean_percent" else None}


def answer(data: FigureData) -> str:
    """Return the five sentences of the README, a line each."""
    from ..answers import answers

    return answers(data)


@printed
def draw(data: FigureData) -> Figure:
    """Draw the diagram above, and exposure, causes and sizes side by side below."""
    figure = new_figure(height_mm=_DIAGRAM_MM + _PANELS_MM)
    parts: Any = figure.subfigures(2, 1, height_ratios=(_DIAGRAM_MM, _PANELS_MM))
    above, beneath = parts
    if not len(data):
        return figure
    model_diagram.put(above.subplots(), data.where(panel="model"))
    exposure, causes, sizes = beneath.subplots(1, 3)
    _exposure(exposure, data.where(panel="arms"))
    what_kills.put(causes, data.where(panel="kills"), "share of the log kill")
    necrosis_by_size.put(sizes, data.where(panel="size"))
    for axes, title in ((exposure, "exposure"), (causes, "what kills"), (sizes, "size")):
        axes.set_title(title)
    arms = [str(arm) for arm in data.where(panel="arms").distinct("arm")]
    below(beneath, _handles([look(arm, among=ARM_LOOKS) for arm in arms]), columns=5)
    place = {"loc": "center", "bbox_to_anchor": (0.55, 0.875), "frameon": True, "framealpha": 1.0, "edgecolor": "white"}
    causes.legend(handles=_handles(CAUSE_LOOKS.values()), **place)
    return figure


def _exposure(axes: Axes, arms: FigureData) -> None:
    """Tumour against plasma AUC of every arm with drug, with 90 % intervals both ways."""
    from matplotlib.ticker import NullFormatter

    axes.set_xscale("log")
    axes.set_yscale("log")
    for number, arm in enumerate(arms.distinct("arm")):
        style = look(str(arm), among=ARM_LOOKS, number=number)
        plasma, tumour = (
            arms.where(arm=arm, quantity=f"{place}_auc_ug_h_per_ml") for place in ("plasma", "tumour")
        )
        if not len(plasma) or not plasma.numbers("value")[0] > 0.0:
            continue
        bars = [np.abs([each.numbers(end) - each.numbers("value") for end in ("low_90", "high_90")])
                for each in (plasma, tumour)]  # fmt: skip
        axes.errorbar(plasma.numbers("value"), tumour.numbers("value"), xerr=bars[0], yerr=bars[1], elinewidth=0.8,
                      **style.dotted())  # fmt: skip
    axes.set_xlabel("plasma AUC [µg·h/mL]")
    axes.set_ylabel("tumour AUC [µg·h/mL]")
    axes.xaxis.set_minor_formatter(NullFormatter())
    _whole_decades(axes, arms.where(quantity="plasma_auc_ug_h_per_ml"))


def _whole_decades(axes: Axes, plasma: FigureData) -> None:
    """Let the plasma axis begin and end at a power of ten, so that it has labels."""
    ends = [each for name in ("low_90", "high_90") for each in plasma.numbers(name) if each > 0.0]
    if ends:
        axes.set_xlim(10.0 ** math.floor(math.log10(min(ends))), 10.0 ** math.ceil(math.log10(max(ends))))


def _handles(looks: Iterable[Look]) -> list[Any]:
    from matplotlib.lines import Line2D

    return [Line2D([], [], **each.dotted()) for each in looks]
