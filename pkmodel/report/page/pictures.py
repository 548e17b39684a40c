"""The pictures of a page: courses of a treatment beside its intravenous twin."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ...course import Trajectory
from ...laws.marrow import NEUTROPENIA_LIMITS_1E9_PER_L
from ..figures.sessions import arterial_flow_percent
from ..text import three
from .embed import inline_svg
from .markup import Markup, tag

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Colours that also differ in grey and for colour-blind readers; line styles say the same a second time.
STYLES = (("#0072B2", "-"), ("#D55E00", "--"))
_WIDTH_IN, _PANEL_IN = 5.0, 2.1
_DECADES = 6  # shown below the peak; the rest of a course is no longer a concentration anybody measures
_FIRST_DAY_H, _HOURS_PER_DAY = 24.0, 24.0
_FIRST_LIMITED_GRADE = 2


class Picture(NamedTuple):
    """A figure and what it says in words: title, caption, and a description with numbers."""

    figure: Figure
    title: str
    caption: str
    description: str


def pictures(courses: Mapping[str, Trajectory]) -> Iterator[Picture]:
    """Yield the pictures that a treatment has.

    Parameters
    ----------
    courses : label -> course of one subject, the treatment first; its twin is left out where no drug is given
    """
    treatment = next(iter(courses.values()))
    for drug in treatment.drugs:
        yield _concentrations(courses, drug, hours=min(_FIRST_DAY_H, treatment.until_h))
        if treatment.until_h > _FIRST_DAY_H:
            yield _concentrations(courses, drug, hours=treatment.until_h)
    if np.any(treatment.viable_volume_ml() > 0.0):
        yield _tumour(treatment)
    if treatment.drugs and np.all(np.isfinite(treatment.neutrophils_1e9_per_l())):
        yield _neutrophils(courses)


def drawn(picture: Picture, *, number: int) -> Markup:
    """Return a picture as a numbered figure of the page."""
    name = f"figure-{number}"
    svg = inline_svg(picture.figure, name=name, title=picture.title, description=picture.description)
    caption = tag("figcaption", tag("strong", f"Figure {number}. {picture.title}."), " ", picture.caption)
    return tag("figure", svg, caption)


def _panels(count: int, *, below: str) -> tuple[Figure, list[Any]]:
    """Panels one under the other with a common time axis: a page is read on a phone, too."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(_WIDTH_IN, 0.7 + _PANEL_IN * count), layout="constrained")
    axes = list(np.ravel(figure.subplots(count, 1, sharex=True, squeeze=False)))
    for each in axes:
        each.spines[["top", "right"]].set_visible(False)
        each.grid(color="#dddddd", linewidth=0.6)
        each.set_axisbelow(True)
    axes[-1].set_xlabel(below)
    return figure, axes


def _legend(figure: Figure, axes: Any) -> None:
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=len(labels), frameon=False)


def _concentrations(courses: Mapping[str, Trajectory], drug: str, *, hours: float) -> Picture:
    """Plasma and tumour, semi-logarithmic, up to a time."""
    first_day = hours <= _FIRST_DAY_H
    scale, unit = (1.0, "h") if first_day else (_HOURS_PER_DAY, "d")
    figure, axes = _panels(2, below=f"time [{unit}]")
    said = []
    for panel, (place, title) in zip(axes, (("plasma", "plasma"), ("tumour", "tumour tissue")), strict=True):
        peak = 0.0
        for (label, course), (colour, style) in zip(courses.items(), STYLES, strict=False):
            within = course.times_h <= hours
            times, values = course.times_h[within], course.concentration_mg_per_l(place, drug=drug)[within]
            if not np.any(values > 0.0):
                said.append(f"{title}, {label}: none")
                continue
            shown = np.where(values > 0.0, values, np.nan)
            panel.plot(times / scale, shown, color=colour, linestyle=style, linewidth=1.8, label=label)
            peak = max(peak, float(values.max()))
            at = float(times[int(values.argmax())]) / scale
            said.append(f"{title}, {label}: peak {three(values.max())} mg/L at {three(at)} {unit}")
        panel.set_yscale("log")
        if peak > 0.0:
            panel.set_ylim(_floor(panel, peak), 2.0 * peak)
        panel.set_ylabel(f"{title}\n{drug} [mg/L]")
    _legend(figure, axes[0])
    span = f"the first {hours:g} h" if first_day else f"{hours / _HOURS_PER_DAY:g} days"
    return Picture(
        figure,
        f"Concentration of {drug} in plasma and tumour over {span}",
        "Total drug; in tumour tissue 1 mg/L is 1 µg/g. Logarithmic axis: zero cannot be shown, a course that leaves "
        "the axis goes on below it.",
        f"Two panels over {span}. {'; '.join(said)}.",
    )


def _floor(panel: Any, peak: float) -> float:
    """Where the logarithmic axis ends: at the lowest value after the start, at most some decades below the peak."""
    lowest = min(
        (float(np.nanmin(line.get_ydata()[1:])) for line in panel.lines if len(line.get_ydata()) > 1), default=peak
    )
    return max(0.5 * lowest, peak * 10.0**-_DECADES)


def _tumour(course: Trajectory) -> Picture:
    """Open artery, and the tumour's viable and dead tissue."""
    figure, axes = _panels(2, below="time [d]")
    days = course.times_h / _HOURS_PER_DAY
    flow = arterial_flow_percent(course)
    axes[0].plot(days, flow, color=STYLES[0][0], linewidth=1.8)
    axes[0].set_ylabel("arterial flow\n[% of before]")
    axes[0].set_ylim(0.0, max(105.0, 1.05 * float(flow.max())))
    viable, dead = course.viable_volume_ml(), course.necrotic_volume_ml()
    for values, label, (colour, style) in zip((viable, dead), ("viable", "dead"), STYLES, strict=True):
        axes[1].plot(days, values, color=colour, linestyle=style, linewidth=1.8, label=label)
    axes[1].set_ylabel("tumour\nvolume [mL]")
    axes[1].set_ylim(bottom=0.0)
    axes[1].legend(frameon=False)
    return Picture(
        figure,
        "Arterial flow to the tumour, and its volume",
        "Flow through the catheterised artery to both tumour zones, in percent of that before treatment; at a later "
        "session the tissue that has died no longer takes its part. Dead tissue is what has not been resorbed yet.",
        f"Upper panel: flow at its lowest {three(flow.min())} % and at the end {three(flow[-1])} % of before. Lower "
        f"panel: viable tumour from {three(viable[0])} to {three(viable[-1])} mL, dead tissue up to "
        f"{three(dead.max())} mL.",
    )


def _neutrophils(courses: Mapping[str, Trajectory]) -> Picture:
    """Circulating neutrophils beside the limits of CTCAE."""
    figure, axes = _panels(1, below="time [d]")
    said = []
    for (label, course), (colour, style) in zip(courses.items(), STYLES, strict=False):
        count = course.neutrophils_1e9_per_l()
        axes[0].plot(
            course.times_h / _HOURS_PER_DAY, count, color=colour, linestyle=style, linewidth=1.8, label=label
        )
        day = course.times_h[int(count.argmin())] / _HOURS_PER_DAY
        said.append(f"{label}: lowest {three(count.min())} on day {three(day)}")
    for grade, limit in enumerate(NEUTROPENIA_LIMITS_1E9_PER_L, _FIRST_LIMITED_GRADE):
        axes[0].axhline(limit, color="#555555", linewidth=0.8, linestyle=":")
        axes[0].annotate(f"grade {grade}", (1.0, limit), xycoords=("axes fraction", "data"), ha="right", va="bottom",
                         fontsize=8, color="#444444")  # fmt: skip
    axes[0].set_ylabel("neutrophils [10⁹/L]")
    axes[0].set_ylim(bottom=0.0)
    _legend(figure, axes[0])
    return Picture(
        figure,
        "Neutrophil count",
        "Dotted: counts below which the CTCAE grades of neutropenia begin.",
        f"{'; '.join(said)} (10⁹ per litre).",
    )
