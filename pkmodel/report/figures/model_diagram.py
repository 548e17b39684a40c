"""The model as a diagram, drawn from the declaration of the transport graph: it shows what is solved."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from ...model.graph import CENTRAL, DAUGHTERS, INPUTS, NODES, OCCLUDED
from .data import FigureData
from .style import GREY, LEAST_FONT, new_figure, printed

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

TITLE = "The model: compartments and flows of one drug"
QUESTION = "Where can the drug go?"
SECONDS = 0.1

ARTERY, VEIN, BODY = "hepatic artery", "vein", NODES[CENTRAL].name
_CAPTION = (
    "Compartments (boxes) and flows (arrows) of one drug, with the conductance or clearance of each as it is solved. "
    "Blue arrows follow the open part p(t) of the artery, so that an occlusion slows them. Dashed boxes are drug that "
    "its carrier still holds, dotted boxes are daughters (bound or metabolised drug). Two zones of tumour: the core "
    "lives on the catheterised artery, the escape zone also on others. Drawn from the graph that the solver uses."
)


def data() -> FigureData:
    """Return compartments, depots, daughters and flows, one a row, as the transport graph declares them."""
    return FigureData.of_rows(_rows(), caption=_CAPTION, n="no simulation")


def _rows() -> Iterator[dict[str, str]]:
    for node in NODES:
        yield {"kind": "compartment", "name": node.name}
    for node in NODES:
        if node.parent is not None:
            occluded = node in NODES[OCCLUDED]
            yield {"kind": "exchange", "name": node.name, "to": node.parent, "law": node.exchange,
                   "occluded": "yes" if occluded else "no"}  # fmt: skip
        if node.loss:
            yield {"kind": "loss", "name": node.name, "law": node.loss}
    for name in INPUTS:
        yield {"kind": "depot", "name": depot_of(name), "to": name, "law": "release"}
        yield {"kind": "dose", "name": VEIN if name == BODY else ARTERY, "to": name, "law": "dissolved"}
    yield {"kind": "dose", "name": ARTERY, "to": BODY, "law": "shunt"}
    for name in DAUGHTERS:
        yield {"kind": "daughter", "name": name}


def depot_of(compartment: str) -> str:
    """Name of the depot that releases into a compartment: that of its region, the lung's for the body."""
    return "lung depot" if compartment == BODY else f"{compartment.removesuffix('_extracellular')} depot"


class Box(NamedTuple):
    """A box: its centre and size [1/100 of the picture's width]."""

    x: float
    y: float
    width: float
    height: float

    def edge(self, side: str, shift: float = 0.0) -> tuple[float, float]:
        """Middle of a side (top, bottom, left, right), shifted along it."""
        if side in ("top", "bottom"):
            return self.x + shift, self.y + (0.5 if side == "top" else -0.5) * self.height
        return self.x + (0.5 if side == "right" else -0.5) * self.width, self.y + shift


_REGION, _CELL_W, _DEPOT_W, _HEIGHT = 24.0, 12.0, 8.0, 5.0
_RIGHT, _ROW, _BODY_Y, _LOW_Y = 4.5, 13.0, 14.0, 3.0


def boxes(data: FigureData) -> dict[str, Box]:
    """Return where every compartment, depot, daughter and dose stands; regions side by side above the body."""
    links = dict(zip(data.where(kind="exchange").texts("name"), data.where(kind="exchange").texts("to"), strict=True))
    regions = [name for name, to in links.items() if to == BODY and name in links.values()]
    leaves = [name for name, to in links.items() if to == BODY and name not in links.values()]
    width = _REGION * len(regions)
    found = {BODY: Box(width / 2.0, _BODY_Y, 0.62 * width, _HEIGHT)}
    for i, region in enumerate(regions):
        x, level, names = _REGION * (i + 0.5) + _RIGHT, 1, [region]
        while names:
            for j, name in enumerate(names):
                found[name] = Box(x + _CELL_W * j, _BODY_Y + _ROW * level, _CELL_W, _HEIGHT)
            names, level = [name for name, to in links.items() if to in names], level + 1
    for i, name in enumerate(leaves):
        found[name] = Box(width * (0.36 + 0.28 * i), _LOW_Y, _CELL_W + 2.0, _HEIGHT)
    top = max(box.y for box in found.values()) + 0.95 * _ROW
    for name, to in zip(data.where(kind="depot").texts("name"), data.where(kind="depot").texts("to"), strict=True):
        at = found[to]
        shift = 0.5 * at.width + 0.5 * _DEPOT_W + 3.5
        found[name] = Box(at.x - shift, at.y, _DEPOT_W, _HEIGHT) if to != BODY else Box(7.0, _LOW_Y, 10.0, _HEIGHT)
    for name in data.where(kind="daughter").texts("name"):
        cells = f"{name.removesuffix('bound')}cells"
        found[name] = Box(found[cells].x, top, 9.0, 4.0) if cells in found else Box(width - 6.0, _LOW_Y, 9.0, 4.0)
    fed = [found[to] for to in data.where(kind="dose", name=ARTERY, law="dissolved").texts("to")]
    left, right = min(box.x for box in fed) - 16.0, max(box.x for box in fed) + 6.0
    found[ARTERY] = Box((left + right) / 2.0, top + 0.6 * _ROW, right - left, 4.0)
    found[VEIN] = Box(7.0, _BODY_Y, 10.0, 4.0)
    return found


@printed
def draw(data: FigureData) -> Figure:
    """Draw boxes and arrows; each carries its name as its id (`gid`)."""
    figure = new_figure(height_mm=105.0)
    axes = figure.subplots()
    put(axes, data)
    return figure


def put(axes: Axes, data: FigureData) -> None:
    """Draw the diagram into axes of its own."""
    places = boxes(data)
    axes.set_axis_off()
    axes.set_xlim(0.0, max(box.x + box.width / 2.0 for box in places.values()) + 2.0)
    axes.set_ylim(-1.0, places[ARTERY].y + 4.0)
    styles = {"compartment": ("#f2f2f2", "-"), "depot": ("white", "--"), "daughter": ("white", ":")}
    for row in data.rows():
        kind, name, to, law = (str(row[key] or "") for key in ("kind", "name", "to", "law"))
        if kind in styles:
            _box(axes, places[name], _title(name), *styles[kind], gid=name)
        elif kind == "exchange":
            _exchange(axes, places[name], places[to], law, gid=f"{name}>{to}", occluded=row["occluded"] == "yes")
        elif kind == "loss":
            _loss(axes, places[name], law, gid=f"{name}>", body=name == BODY)
    _doses(axes, data, places)


def _title(name: str) -> str:
    return name.replace("_", "\n", 1).replace("_", " ")


def _box(axes: Axes, box: Box, text: str, face: str, line: str, *, gid: str) -> None:
    from matplotlib.patches import FancyBboxPatch

    corner = (box.x - box.width / 2.0, box.y - box.height / 2.0)
    axes.add_patch(
        FancyBboxPatch(corner, box.width, box.height, boxstyle="round,pad=0,rounding_size=0.6", facecolor=face,
                       edgecolor="black", linestyle=line, linewidth=0.8, gid=gid)
    )  # fmt: skip
    axes.text(box.x, box.y, text, ha="center", va="center", fontsize=LEAST_FONT, linespacing=0.95)


def _arrow(axes: Axes, start: Any, end: Any, *, gid: str, colour: str = "black", both: bool = False) -> None:
    from matplotlib.patches import FancyArrowPatch

    style = "<|-|>" if both else "-|>"
    axes.add_patch(
        FancyArrowPatch(start, end, arrowstyle=style, mutation_scale=6.0, color=colour, linewidth=0.9, shrinkA=0,
                        shrinkB=0, gid=gid)
    )  # fmt: skip


def _label(axes: Axes, x: float, y: float, text: str, **more: Any) -> None:
    axes.text(x, y, text, fontsize=LEAST_FONT, **{"ha": "left", "va": "center", "color": GREY, **more})


def _exchange(axes: Axes, child: Box, parent: Box, law: str, *, gid: str, occluded: bool) -> None:
    above = child.y > parent.y
    start = child.edge("bottom" if above else "top")
    end = (start[0], parent.edge("top" if above else "bottom")[1])
    colour = "#0072B2" if occluded else "black"
    _arrow(axes, start, end, gid=gid, colour=colour, both=True)
    _label(axes, start[0] + 0.7, (start[1] + end[1]) / 2.0, law.replace(" (1-sh) ", "(1-sh)\n"))


def _loss(axes: Axes, box: Box, law: str, *, gid: str, body: bool) -> None:
    start = box.edge("right") if body else box.edge("top")
    end = (start[0] + 4.0, start[1]) if body else (start[0], start[1] + 3.5)
    _arrow(axes, start, end, gid=gid, colour=GREY)
    text = law.replace("/(1", "\n/(1")
    where = {"x": end[0] + 0.5, "y": end[1]} if body else {"x": end[0], "y": end[1] + 1.6, "ha": "center"}
    _label(axes, text=text, **where)


def _doses(axes: Axes, data: FigureData, places: dict[str, Box]) -> None:
    for name, text in ((ARTERY, "dose into the hepatic artery"), (VEIN, "dose into\na vein")):
        _box(axes, places[name], text, "#ffe9c9", "-", gid=name)
    for row in data.rows():
        kind, name, to, law = (str(row[key] or "") for key in ("kind", "name", "to", "law"))
        if kind == "depot":
            box, target = places[name], places[to]
            _arrow(axes, box.edge("right"), target.edge("left") if to != BODY else (box.edge("right")[0] + 6.0,
                   target.edge("bottom")[1]), gid=f"{name}>{to}")  # fmt: skip
            if to != BODY:
                _arrow(axes, (box.x, places[ARTERY].edge("bottom")[1]), box.edge("top"), gid=f"{ARTERY}>{name}")
        elif kind == "dose" and law == "shunt":
            x = places[ARTERY].edge("left")[0] + 2.0
            _arrow(axes, (x, places[ARTERY].edge("bottom")[1]), (x, places[BODY].edge("top")[1]), gid=f"{name}>{to}")
            _label(axes, x - 0.5, places[BODY].y + 6.0, "shunt", ha="right")
        elif kind == "dose" and name == VEIN:
            _arrow(axes, places[VEIN].edge("right"), places[BODY].edge("left"), gid=f"{name}>{to}")
        elif kind == "dose":
            x = places[to].edge("left")[0] - 1.6
            end = (places[to].edge("left")[0] + 1.0, places[to].edge("top")[1])
            _arrow(axes, (x, places[ARTERY].edge("bottom")[1]), end, gid=f"{name}>{to}", colour="#D55E00")


__all__ = ["boxes", "data", "depot_of", "draw", "put"]
