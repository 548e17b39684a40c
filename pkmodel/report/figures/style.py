"""How figures look: colours that colour-blind readers tell apart, a second cue for grey print, sizes for paper.

Colours are those of Okabe and Ito, with three of Tol's muted scheme where nine arms want telling apart. Every arm and
drug also has a line style and a marker of its own.

References
----------
Okabe M, Ito K (2008) Color universal design. https://jfly.uni-koeln.de/color/
Tol P (2021) Colour schemes. SRON technical note EPS/TN/09-002.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, ParamSpec, TypeVar, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

P = ParamSpec("P")
R = TypeVar("R")

FULL_MM, COLUMN_MM = 180.0, 88.0  # width of a page's text, and of one of its two columns
_MM_PER_INCH = 25.4
DPI = 150
_PALETTE = 256  # colours of a PNG
LEAST_FONT, FONT = 7.0, 8.0  # points at print width
GREY, LIGHT = "#555555", "#bbbbbb"
BAND = 0.18  # opacity of a 90 % band

RC: Mapping[str, Any] = {
    "font.family": "DejaVu Sans", "font.size": FONT, "axes.titlesize": FONT, "axes.labelsize": FONT,
    "xtick.labelsize": LEAST_FONT, "ytick.labelsize": LEAST_FONT, "legend.fontsize": LEAST_FONT,
    "axes.titleweight": "bold", "axes.titlelocation": "left", "axes.spines.top": False, "axes.spines.right": False,
    "axes.linewidth": 0.6, "xtick.major.width": 0.6, "ytick.major.width": 0.6, "lines.linewidth": 1.3,
    "lines.markersize": 4.0, "legend.frameon": False, "svg.hashsalt": "pkmodel", "svg.fonttype": "path",
    "pdf.fonttype": 42, "hatch.linewidth": 0.6, "savefig.dpi": DPI, "figure.dpi": DPI,
}  # fmt: skip


class Look(NamedTuple):
    """Colour, line style and marker of one thing, and its name in print."""

    colour: str
    line: Any
    marker: str
    label: str

    def drawn(self, **more: Any) -> dict[str, Any]:
        """Keywords for `Axes.plot` of a line."""
        return {"color": self.colour, "linestyle": self.line, "label": self.label, **more}

    def dotted(self, **more: Any) -> dict[str, Any]:
        """Keywords for `Axes.plot` of markers alone."""
        return {"color": self.colour, "linestyle": "none", "marker": self.marker, "label": self.label, **more}


_DASH_DOT_DOT, _LONG, _SPARSE = (0, (4, 1, 1, 1, 1, 1)), (0, (7, 2)), (0, (1, 2.5))

ARM_LOOKS: Mapping[str, Look] = {
    "iv": Look("#000000", "-", "o", "iv"),
    "hepatic_artery_bolus": Look("#56B4E9", "--", "^", "artery, bolus"),
    "hepatic_artery_infusion": Look("#0072B2", ":", "v", "artery, infusion"),
    "solution_then_oil_sponge": Look("#882255", "-.", "P", "solution, then oil + sponge"),
    "bland_embolisation": Look("#999999", _LONG, "x", "bland: oil + sponge"),
    "emulsion": Look("#E69F00", _DASH_DOT_DOT, "s", "emulsion"),
    "emulsion_sponge": Look("#D55E00", "-", "D", "emulsion + sponge"),
    "suspension_sponge": Look("#009E73", (0, (3, 1)), "h", "suspension + sponge"),
    "beads": Look("#CC79A7", _SPARSE, "*", "beads"),
}
DRUG_LOOKS: Mapping[str, Look] = {
    "doxorubicin": Look("#D55E00", "-", "o", "doxorubicin"),
    "cisplatin": Look("#0072B2", "--", "s", "cisplatin"),
    "mitomycin_c": Look("#CC79A7", "-.", "^", "mitomycin C"),
    "fluorouracil": Look("#009E73", ":", "D", "5-fluorouracil"),
}
CAUSE_LOOKS: Mapping[str, Look] = {
    "ischaemia": Look("#0072B2", "-", "s", "ischaemia"),
    "drug": Look("#E69F00", "--", "o", "drug"),
    "retention": Look("#CC79A7", ":", "^", "held-back drug"),
}
CAUSE_HATCHES: Mapping[str, str] = {"ischaemia": "", "drug": "///", "retention": "..."}
KIND_COLOURS: Mapping[str, str] = {
    "measured": "#0072B2", "fitted": "#009E73", "derived": "#56B4E9", "assumed": "#E69F00", "user": "#000000",
}  # fmt: skip
KIND_HATCHES: Mapping[str, str] = {"measured": "", "fitted": "\\\\\\", "derived": "...", "assumed": "///", "user": "xx"}
_SPARE = (
    Look("#332288", "-", "o", ""), Look("#44AA99", "--", "s", ""), Look("#AA4499", "-.", "^", ""),
    Look("#117733", ":", "D", ""), Look("#88CCEE", _LONG, "v", ""),
)  # fmt: skip


def look(name: str, *, among: Mapping[str, Look] = ARM_LOOKS, number: int = 0) -> Look:
    """Return the look of an arm (or of what `among` holds); a name of the user's own gets the spare one of a number."""
    return among[name] if name in among else _SPARE[number % len(_SPARE)]._replace(label=name.replace("_", " "))


def printed(draw: Callable[P, R]) -> Callable[P, R]:
    """Decorate a function that draws, so that sizes and fonts are those of print, whatever the user has set."""

    @wraps(draw)
    def drawn(*args: P.args, **keywords: P.kwargs) -> R:
        import matplotlib

        with matplotlib.rc_context():
            matplotlib.rcdefaults()
            matplotlib.rcParams.update(cast(Any, RC))
            return draw(*args, **keywords)

    return drawn


def new_figure(*, width_mm: float = FULL_MM, height_mm: float = 80.0) -> Figure:
    """Return an empty figure of a size in print, with a canvas and a layout that keeps labels apart."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width_mm / _MM_PER_INCH, height_mm / _MM_PER_INCH), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def save(figure: Figure, path: str | Path) -> None:
    """Write a picture without date or version, so that equal pictures are equal files where the format allows.

    Parameters
    ----------
    figure : what to write
    path : its ending says the format: png, svg or pdf
    """
    import matplotlib

    metadata: dict[str, dict[str, Any]] = {
        ".png": {"Software": None}, ".svg": {"Date": None, "Creator": None},
        ".pdf": {"CreationDate": None, "Producer": None, "Creator": None},
    }  # fmt: skip
    ending = Path(path).suffix.lower()
    with matplotlib.rc_context():
        matplotlib.rcParams.update(cast(Any, RC))
        figure.savefig(path, dpi=DPI, metadata=metadata.get(ending))
    if ending == ".png":
        _few_colours(path)


def _few_colours(path: str | Path) -> None:
    """Write a PNG again with a palette: a third of the size, and nothing that the eye can see is lost."""
    from PIL import Image

    with Image.open(path) as picture:
        small = picture.convert("RGB").quantize(_PALETTE, dither=Image.Dither.NONE)
        small.save(path, optimize=True, dpi=(DPI, DPI))


def floored(values: ArrayLike, floor: float) -> NDArray[np.float64]:
    """Return values with all below a floor moved to it, for a log axis that marks the floor; NaN stays."""
    return np.maximum(np.asarray(values, dtype=float), floor)


def log_axis(axes: Axes, which: str, *, floor: float, top: float | None = None, left: bool = False) -> None:
    """Make an axis logarithmic from a marked floor upwards: what lies on the grey line is zero or less than the floor.

    Parameters
    ----------
    axes : what to change
    which : ``x`` or ``y``
    floor, top : least and largest value, in the axis' unit; draw `floored` values
    left : whether the floor of a y axis is named at its left end
    """
    getattr(axes, f"set_{which}scale")("log")
    margin = 0.7
    limits = (floor * margin, top)
    getattr(axes, f"set_{which}lim")(*limits)
    line = axes.axhline if which == "y" else axes.axvline
    line(floor, color=LIGHT, linewidth=0.8, zorder=0)
    text = f"≤ {floor:g}"
    if which == "y":
        end, shift, side = (0.0, 2, "left") if left else (1.0, -1, "right")
        axes.annotate(text, (end, floor), xycoords=("axes fraction", "data"), xytext=(shift, 1.5),
                      textcoords="offset points", ha=side, va="bottom", fontsize=LEAST_FONT, color=GREY)  # fmt: skip
    else:
        axes.annotate(text, (floor, 1.0), xycoords=("data", "axes fraction"), xytext=(1.5, -1),
                      textcoords="offset points", ha="left", va="top", fontsize=LEAST_FONT, color=GREY)  # fmt: skip


def empty(axes: Axes, why: str) -> None:
    """Say in an otherwise empty panel why nothing is drawn."""
    axes.text(0.5, 0.5, why, transform=axes.transAxes, ha="center", va="center", color=GREY, wrap=True)


def below(figure: Figure, handles: list[Any], *, columns: int = 5) -> None:
    """Put one legend below all panels."""
    figure.legend(handles=handles, loc="outside lower center", ncols=columns)


def beneath(axes: Axes, *, columns: int = 1) -> None:
    """Put the legend of a panel below its axis; the layout makes room for it."""
    if axes.get_legend_handles_labels()[0]:
        axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.16), ncols=columns)


def mark(
    axes: Axes, x: Any, value: Any, low: Any, high: Any, *, marker: str = "o", colour: str = "black", label: str = ""
) -> Any:
    """Draw a published number: a hollow mark with its spread (None where an end is missing) and its row's id."""
    less, more = (0.0 if end is None else abs(float(end) - float(value)) for end in (low, high))
    drawn = axes.errorbar([float(x)], [float(value)], yerr=[[less], [more]], fmt=marker, color=colour, zorder=5,
                          markerfacecolor="white", markersize=5, capsize=2, elinewidth=1.0)  # fmt: skip
    if label:
        axes.annotate(label, (float(x), float(value)), xytext=(5, 4), textcoords="offset points", fontsize=LEAST_FONT,
                      zorder=6)  # fmt: skip
    return drawn
