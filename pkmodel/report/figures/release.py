"""What carriers hold back: the depot and its rate against published release, and the laws that can describe it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ...course import simulate
from ...inputs import library
from ...inputs.cases import GRADES
from ...inputs.materials import Carrier
from ...inputs.scenario import Scenario
from ...inputs.treatment import chemoembolisation
from ...laws.release import LAW_PARAMETERS, ReleaseLaw, law_from_parameters
from ...model.problem import Array
from ...study.fit import fit_release
from ...study.release_data import ReleaseData, release_data
from ...study.uncertainty import SEED, interval, uncertain
from ..text import within
from .data import FigureData
from .published import spread_of
from .style import BAND, Look, beneath, empty, floored, log_axis, look, mark, new_figure, printed

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

TITLE = "Release from the carrier"
QUESTION = "How fast does each carrier let go of the drug, and what is that based on?"
SECONDS = 4.0

CARRIERS = ("lipiodol_emulsion", "lipiodol_suspension", "beads")
CARRIER_LOOKS: Mapping[str, Look] = {
    "lipiodol_emulsion": Look("#E69F00", "-", "s", "emulsion"),
    "lipiodol_suspension": Look("#009E73", "--", "h", "suspension"),
    "beads": Look("#CC79A7", ":", "*", "beads"),
}
LAW_LOOKS: Mapping[str, Look] = {
    "first_order": Look("#000000", "-", "o", "first order"),
    "biexponential": Look("#E69F00", "--", "s", "biexponential"),
    "weibull": Look("#0072B2", "-.", "^", "Weibull, shape 0.6"),
    "higuchi": Look("#009E73", ":", "D", "Higuchi"),
    "korsmeyer_peppas": Look("#D55E00", (0, (3, 1)), "v", "Korsmeyer-Peppas, exponent 0.8"),
    "tabulated": Look("#999999", (0, (7, 2)), "P", "tabulated (a lag, then all)"),
}
# One of each law; only their shapes are shown, on a clock that makes half of each released at 1.
_EXAMPLES: Mapping[str, Mapping[str, Any]] = {
    "first_order": {"rate": 1.0},
    "biexponential": {"fast_share": 0.35, "fast_rate": 10.0, "slow_rate": 0.2},
    "weibull": {"scale": 1.0, "shape": 0.6},
    "higuchi": {"rate_constant": 0.5},
    "korsmeyer_peppas": {"rate_constant": 0.5, "exponent": 0.8},
    "tabulated": {"times": (0.0, 0.5, 1.0, 1.5, 2.0), "fractions": (0.0, 0.1, 0.5, 0.9, 1.0)},
}
IN_VITRO = "in vitro"
ELUTED = ("fraction_eluted_plateau", "fraction_eluted_from_beads", "fraction_eluted")
_FORMULATIONS = {"deb": "beads", "lipiodol_emulsion": "lipiodol_emulsion", "lipiodol_suspension": "lipiodol_suspension"}
UNTIL_H, _FIRST_H, _TIMES, _HALF_TIMES = 2400.0, 0.1, 60, 4.0
_LEAST_RATE, _MOST_RATE = 1e-3, 1e2


def data(
    patient: Any = "hcc_reference",
    *,
    drug: Any = "doxorubicin",
    dose_mg: float | None = None,
    carriers: Sequence[Any] = CARRIERS,
    draws: int = 40,
    seed: int = SEED,
    curve: Any = None,
) -> FigureData:
    """Return what each carrier still holds, its rate, published release, and the laws.

    Parameters
    ----------
    patient, drug, dose_mg : whom the carriers are given to; by default the drug's usual dose
    carriers : names, files or records
    draws, seed : of the 90 % bands
    curve : a measured release curve (as of `fit_release`), to which every law is fitted; without it the laws' shapes
    """
    rows: list[dict[str, Any]] = []
    for each in carriers:
        rows += _held(patient, drug, dose_mg, library.load("carriers", each), draws, seed)
    name = library.load("drugs", drug).name
    points = list(_published(name, [row["carrier"] for row in rows]))
    measured = None if curve is None else release_data(curve)
    rows += points + list(_shapes() if measured is None else _fits(measured))
    ids = [row["row"] for row in points]
    laws = "the shapes of all laws, each on a clock on which half is released at 1"
    if measured is not None:
        laws = f"every law fitted to a measured curve ({measured.source or 'given as numbers'})"
    return FigureData.of_rows(
        rows, n=f"{draws} draws for each of {len(carriers)} carriers", seed=seed, sources=ids,
        caption=f"Left: share of a dose of {name} that each carrier still holds, with 90 % bands ({draws} draws); the "
        f"dissolved part leaves at once. Marks: published release from beads, circles in a flask (plateaus of an ionic "
        f"equilibrium at 6 h), squares in pig liver ({', '.join(ids) or 'none in the library'}). No measured release "
        f"curve of an oil formulation of the drug was found. Middle: rate of release. Right: {laws}.",
    )  # fmt: skip


def _held(
    patient: Any, drug: Any, dose_mg: float | None, carrier: Carrier, draws: int, seed: int
) -> Iterator[dict[str, Any]]:
    """Course of one carrier: depot with band, and the rate of release, in shares of the dose."""
    record = library.load("drugs", drug)
    dose = float(np.asarray(record.usual_dose)) if dose_mg is None else dose_mg
    scenario = Scenario(patient, chemoembolisation(record, dose, carrier=carrier), catheter="lobar")
    times = np.concatenate([[0.0], np.geomspace(_FIRST_H, UNTIL_H, _TIMES)])
    course = simulate(uncertain(scenario, draws, seed=seed), until_h=UNTIL_H, times_h=times)
    places = [course.depot_mg(place) for place in ("core", "escape", "served", "lung")]
    held = 100.0 / dose * np.sum(places, axis=0)
    low, high = interval(held)
    own = carrier.for_drug(record.name)
    late = (1.0 - _one(own.prompt_fraction)) * law_of(own).window_rate(times, _one(own.duration))
    for i in range(1, len(times)):
        yield {"panel": "carrier", "carrier": carrier.name, "time_h": times[i], "held_percent": held[i, 0],
               "low_percent": low[i], "high_percent": high[i], "rate_percent_per_h": 100.0 * late[i]}  # fmt: skip


def law_of(carrier: Carrier) -> ReleaseLaw:
    """Return the release law of a carrier."""
    release = carrier.release
    return law_from_parameters(release.law, **{name: getattr(release, name) for name in LAW_PARAMETERS[release.law]})


def _published(drug: str, carriers: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Rows of the evidence with a released share at a time that was read."""
    for each in library.evidence_ids():
        row = library.evidence_row(each)
        carrier = _FORMULATIONS.get(row.get("formulation", ""))
        if row.get("drug") != drug or row.get("metric") not in ELUTED or carrier not in carriers:
            continue
        if row["how_read"] not in GRADES or not row["time_h"] or not row["value"]:
            continue
        low, high = spread_of(each)
        yield {"panel": "published", "carrier": carrier, "time_h": float(row["time_h"]), "row": each,
               "held_percent": _left(float(row["value"])), "low_percent": _left(high), "high_percent": _left(low),
               "species": row["species"] if row["species"] != "none" else IN_VITRO}  # fmt: skip


def _left(released: float | None) -> float | None:
    return None if released is None else 100.0 * (1.0 - released)


def _shapes() -> Iterator[dict[str, Any]]:
    """One example of each law over multiples of its half-time."""
    clock = np.linspace(0.0, _HALF_TIMES, 41)
    for name, parameters in _EXAMPLES.items():
        law = law_from_parameters(name, **parameters)
        fine = np.geomspace(1e-4, 1e4, 4001)
        half = float(np.interp(0.5, law.cumulative(fine), fine))
        for time, share in zip(clock, law.cumulative(clock * half), strict=True):
            yield {"panel": "law", "law": name, "time_over_half_time": time, "released_percent": 100.0 * share}


def _fits(measured: ReleaseData) -> Iterator[dict[str, Any]]:
    """A measured curve and every law fitted to it."""
    for time, replicates in zip(measured.times_h, measured.released, strict=True):
        for share in replicates:
            yield {"panel": "measured", "time_h": time, "released_percent": 100.0 * share}
    times: Array = np.linspace(0.0, float(measured.times_h[-1]), 81)
    for fit in fit_release(measured).fits:
        for time, share in zip(times, fit.release_law().cumulative(times), strict=True):
            yield {"panel": "fit", "law": fit.law, "time_h": time, "released_percent": 100.0 * share}


def _one(value: Any) -> float:
    return float(np.asarray(value))


def answer(data: FigureData) -> str:
    """Say what each carrier still holds after a day, and after four weeks, and what it rests on."""
    carriers, said = data.where(panel="carrier"), []
    for time, words in ((24.0, "After a day"), (28.0 * 24.0, "after 28 days")):
        held = []
        for name in carriers.distinct("carrier"):
            course = carriers.where(carrier=name)
            keys = ("held_percent", "low_percent", "high_percent")
            at = [float(np.interp(time, course.numbers("time_h"), course.numbers(key))) for key in keys]
            held.append(f"{look(str(name), among=CARRIER_LOOKS).label} {within(at[0], at[1], at[2], ' %')}")
        said.append(f"{words} carriers hold of the dose: {', '.join(held)}")
    published = data.where(panel="published")
    return f"{'; '.join(said)}. {len(published)} published shares stand against them, all of beads."


@printed
def draw(data: FigureData) -> Figure:
    """Draw depot, rate and laws side by side."""
    figure = new_figure(height_mm=105.0)
    held, rate, laws = figure.subplots(1, 3)
    carriers = data.where(panel="carrier") if len(data) else data
    _draw_held(held, carriers, data.where(panel="published") if len(data) else data)
    _draw_rate(rate, carriers)
    _draw_laws(laws, data)
    return figure


def _draw_held(axes: Axes, carriers: FigureData, published: FigureData) -> None:
    for i, name in enumerate(carriers.distinct("carrier")):
        course = carriers.where(carrier=name)
        times, style = course.numbers("time_h"), look(str(name), among=CARRIER_LOOKS, number=i)
        axes.fill_between(times, course.numbers("low_percent"), course.numbers("high_percent"), color=style.colour,
                          alpha=BAND, linewidth=0)  # fmt: skip
        axes.plot(times, course.numbers("held_percent"), **style.drawn())
    _marks(axes, published)
    axes.set_xscale("log")
    axes.set_ylim(0.0, 105.0)
    axes.set_xlabel("time [h]")
    axes.set_ylabel("held by the carrier [% of dose]")
    beneath(axes) if len(carriers) else empty(axes, "no carrier")


def _marks(axes: Axes, published: FigureData) -> None:
    """Published shares, each kind of experiment with one label."""
    labelled: set[str] = set()
    for row in published.rows():
        where, keys = str(row["species"]), ("time_h", "held_percent", "low_percent", "high_percent")
        drawn = mark(axes, *(row[key] for key in keys), marker="o" if where == IN_VITRO else "s")
        drawn.set_label("_" if where in labelled else f"published, beads, {where}")
        labelled.add(where)


def _draw_rate(axes: Axes, carriers: FigureData) -> None:
    for i, name in enumerate(carriers.distinct("carrier")):
        course = carriers.where(carrier=name)
        rates = floored(course.numbers("rate_percent_per_h"), _LEAST_RATE)
        axes.plot(course.numbers("time_h"), rates, **look(str(name), among=CARRIER_LOOKS, number=i).drawn())
    axes.set_xscale("log")
    log_axis(axes, "y", floor=_LEAST_RATE, top=_MOST_RATE, left=True)
    axes.set_xlabel("time [h]")
    axes.set_ylabel("release [% of dose per h]")


def _draw_laws(axes: Axes, data: FigureData) -> None:
    shapes = data.where(panel="law") if len(data) else data
    drawn = shapes if len(shapes) else (data.where(panel="fit") if len(data) else data)
    clock = "time_over_half_time" if len(shapes) else "time_h"
    for name in drawn.distinct("law"):
        law = drawn.where(law=name)
        axes.plot(law.numbers(clock), law.numbers("released_percent"), **LAW_LOOKS[str(name)].drawn())
    if len(data) and not len(shapes):
        measured = data.where(panel="measured")
        axes.plot(measured.numbers("time_h"), measured.numbers("released_percent"), "o", color="black",
                  markerfacecolor="white", label="measured")  # fmt: skip
    axes.set_ylim(0.0, 105.0)
    axes.set_xlabel("time [half-times]" if len(shapes) else "time [h]")
    axes.set_ylabel("released by the law [%]")
    beneath(axes)
