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
    """A box: its centre and size, in units of the diagram (about 120 wide)."""

    x: float
    y: float
    width: float
    height: float

    @property
    def left(self) -> float:
        """Its left side."""
        return self.x - 0.5 * self.width

    @property
    def right(self) -> float:
        """Its right side."""
        return self.x + 0.5 * self.width

    @property
    def top(self) -> float:
        """Its upper side."""
        return self.y + 0.5 * self.height

    @property
    def bottom(self) -> float:
        """Its lower side."""
        return self.y - 0.5 * self.height


_REGION, _FIRST, _ROW, _HEIGHT = 28.0, 25.0, 13.0, 5.0  # of a region: width, place of the first; of a row: distance
_SPACE_W, _CELLS_W, _DEPOT_W, _GUTTER = 14.0, 11.0, 8.0, 3.5
_BODY_Y, _LOW_Y, _MARGIN = 14.0, 3.0, 3.5
_SIDE_BOX = (7.0, 11.0)  # centre and width of what stands left of the body
_SHUNT_X = 17.0  # right of the last region that is injected


def boxes(data: FigureData) -> dict[str, Box]:
    """Return where every compartment, depot, daughter and dose stands; regions side by side above the body."""
    links = {str(row["name"]): str(row["to"]) for row in data.where(kind="exchange").rows()}
    regions = [name for name, to in links.items() if to == BODY and name in links.values()]
    leaves = [name for name, to in links.items() if to == BODY and name not in links.values()]
    found: dict[str, Box] = {}
    for i, region in enumerate(regions):
        x, level, names = _FIRST + _REGION * i, 1, [region]
        while names:
            for j, name in enumerate(names):
                width = _SPACE_W if level == 1 else _CELLS_W
                found[name] = Box(x + width * j, _BODY_Y + _ROW * level, width, _HEIGHT)
            names, level = [name for name, to in links.items() if to in names], level + 1
    left, right = _FIRST - 0.5 * _SPACE_W, _FIRST + _REGION * (len(regions) - 1) + 0.5 * _SPACE_W
    found[BODY] = Box(0.5 * (left + right), _BODY_Y, right - left, _HEIGHT)
    for i, name in enumerate(leaves):
        found[name] = Box(left + (right - left) * (i + 1) / (len(leaves) + 2), _LOW_Y, _SPACE_W, _HEIGHT)
    top = max(box.top for box in found.values())
    for row in data.where(kind="depot").rows():
        at, name = found[str(row["to"])], str(row["name"])
        beside = Box(at.left - _GUTTER - 0.5 * _DEPOT_W, at.y, _DEPOT_W, _HEIGHT)
        found[name] = beside if row["to"] != BODY else Box(_SIDE_BOX[0], _LOW_Y, _SIDE_BOX[1], 4.0)
    for name in data.where(kind="daughter").texts("name"):
        cells = f"{name.removesuffix('bound')}cells"
        x, y = (found[cells].x, top + 6.0) if cells in found else (right - 0.5 * _SPACE_W, _LOW_Y)
        found[name] = Box(x, y, _CELLS_W - 1.0, 4.0)
    fed = [found[to] for to in data.where(kind="dose", name=ARTERY, law="dissolved").texts("to")]
    ends = min(box.left for box in fed) - _GUTTER - _DEPOT_W, max(box.x for box in fed) + _SHUNT_X + 1.0
    found[ARTERY] = Box(0.5 * (ends[0] + ends[1]), top + 13.0, ends[1] - ends[0], 4.0)
    found[VEIN] = Box(_SIDE_BOX[0], _BODY_Y, _SIDE_BOX[1], _HEIGHT)
    return found


@printed
def draw(data: FigureData) -> Figure:
    """Draw boxes and arrows; each carries its name as its id (`gid`)."""
    figure = new_figure(height_mm=105.0)
    put(figure.subplots(), data)
    return figure


def put(axes: Axes, data: FigureData) -> None:
    """Draw the diagram into axes of its own."""
    axes.set_axis_off()
    if not len(data):
        return
    places = boxes(data)
    axes.set_xlim(0.0, max(box.right for box in places.values()) + _MARGIN)
    axes.set_ylim(min(box.bottom for box in places.values()) - 1.0, places[ARTERY].top + 1.0)
    styles = {"compartment": ("#f2f2f2", "-"), "depot": ("white", "--"), "daughter": ("white", ":")}
    losing = data.where(kind="loss").texts("name")
    for row in data.rows():
        kind, name, to, law = (str(row[key] or "") for key in ("kind", "name", "to", "law"))
        if kind in styles:
            _box(axes, places[name], _title(name), *styles[kind], gid=name)
        elif kind == "exchange":
            aside = name in losing and to == BODY
            _exchange(axes, places[name], places[to], law, gid=f"{name}>{to}", occluded=row["occluded"] == "yes",
                      shift=-3.0 if aside else 0.0)  # fmt: skip
        elif kind == "loss":
            _loss(axes, places, name, law)
    _box(axes, places[ARTERY], "dose into the hepatic artery", "#ffe9c9", "-", gid=ARTERY)
    _box(axes, places[VEIN], "dose into\na vein", "#ffe9c9", "-", gid=VEIN)
    for row in data.rows():
        kind, name, to, law = (str(row[key] or "") for key in ("kind", "name", "to", "law"))
        if kind in ("depot", "dose"):
            _dose(axes, places, kind, name, to, law)


def _title(name: str) -> str:
    return name.replace("_", "\n", 1).replace("_", " ").replace(" depot", "\ndepot" if "lung" not in name else " depot")


def _box(axes: Axes, box: Box, text: str, face: str, line: str, *, gid: str) -> None:
    from matplotlib.patches import FancyBboxPatch

    style = "round,pad=0,rounding_size=0.6"
    axes.add_patch(
        FancyBboxPatch((box.left, box.bottom), box.width, box.height, boxstyle=style, facecolor=face, gid=gid,
                       edgecolor="black", linestyle=line, linewidth=0.8)
    )  # fmt: skip
    axes.text(box.x, box.y, text, ha="center", va="center", fontsize=LEAST_FONT, linespacing=0.95)


def _arrow(axes: Axes, start: Any, end: Any, *, gid: str, colour: str = "black", both: bool = False) -> None:
    from matplotlib.patches import FancyArrowPatch

    axes.add_patch(
        FancyArrowPatch(start, end, arrowstyle="<|-|>" if both else "-|>", mutation_scale=6.0, color=colour,
                        linewidth=0.9, shrinkA=0, shrinkB=0, gid=gid)
    )  # fmt: skip


def _label(axes: Axes, x: float, y: float, text: str, **more: Any) -> None:
    axes.text(x, y, text, fontsize=LEAST_FONT, **{"ha": "left", "va": "center", "color": GREY, **more})


def _exchange(axes: Axes, child: Box, parent: Box, law: str, *, gid: str, occluded: bool, shift: float) -> None:
    """Both ways between a compartment and its parent, with the conductance beside."""
    above, x = child.y > parent.y, child.x + shift
    start, end = (child.bottom, parent.top) if above else (child.top, parent.bottom)
    _arrow(axes, (x, start), (x, end), gid=gid, colour="#0072B2" if occluded else "black", both=True)
    _label(axes, x + 0.7, 0.6 * end + 0.4 * start, law.replace(" (1-sh) ", " (1-sh)\n"))


def _loss(axes: Axes, places: dict[str, Box], name: str, law: str) -> None:
    """Out of a compartment: into its daughter where it has one above or below, else into nothing."""
    box, text, gid = places[name], law.replace("/(1", "\n/(1"), f"{name}>"
    daughter = places.get(name.replace("cells", "bound"))
    if name == BODY:
        target = places[DAUGHTERS[0]]
        _arrow(axes, (target.x, box.bottom), (target.x, target.top), gid=gid, colour=GREY)
        _label(axes, target.x - 0.7, 0.5 * (box.bottom + target.top), text, ha="right")
    elif name.endswith("cells"):
        end = box.top + 3.0 if daughter is None or daughter is box else daughter.bottom
        _arrow(axes, (box.x, box.top), (box.x, end), gid=gid, colour=GREY)
        beside = daughter is not None and daughter is not box
        if beside:
            _label(axes, box.x + 0.7, 0.5 * (box.top + end), text)
        else:
            _label(axes, box.x, end + 0.3, text, ha="center", va="bottom")
    else:
        x = box.right - 1.0
        _arrow(axes, (x, box.bottom), (x, box.bottom - 2.5), gid=gid, colour=GREY)
        _label(axes, x + 0.7, box.bottom - 1.6, text)


def _dose(axes: Axes, places: dict[str, Box], kind: str, name: str, to: str, law: str) -> None:
    """Into a depot and out of it, or dissolved into a compartment."""
    target, artery, gid = places[to], places[ARTERY], f"{name}>{to}"
    if kind == "depot" and to == BODY:
        box = places[name]
        _arrow(axes, (box.right, box.y), (target.left + 2.0, target.bottom), gid=gid)
    elif kind == "depot":
        box = places[name]
        _arrow(axes, (box.x, artery.bottom), (box.x, box.top), gid=f"{ARTERY}>{name}")
        _arrow(axes, (box.right, box.y), (target.left, box.y), gid=gid)
    elif name == VEIN:
        _arrow(axes, (places[VEIN].right, target.y), (target.left, target.y), gid=gid)
    elif law == "shunt":
        x = artery.right - 1.0
        _arrow(axes, (x, artery.bottom), (x, target.top), gid=gid, colour="#D55E00")
        _label(axes, x + 0.6, 0.5 * (artery.bottom + target.top), "shunt")
    else:
        x = target.left - 0.5 * _GUTTER
        _arrow(axes, (x, artery.bottom), (target.left + 1.0, target.top), gid=gid, colour="#D55E00")
        _label(axes, x + 0.5, artery.bottom - 1.6, law)


__all__ = ["boxes", "data", "depot_of", "draw", "put"]
