"""A figure as SVG inside a page: no external reference, ids of its own, the same bytes every time."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING, Any

from .markup import Markup, tag

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Text stays text (searched, read aloud, small); ids hang on the salt instead of on chance.
_SETTINGS: Any = {"svg.fonttype": "none", "svg.hashsalt": "pkmodel"}
_NOT_FOR_A_PAGE = (r"<\?xml[^>]*\?>", r"<!DOCTYPE[^>]*>", r"<metadata>.*?</metadata>", r"<!--.*?-->",
                   r"<style[^>]*>.*?</style>")  # fmt: skip


def inline_svg(figure: Figure, *, name: str, title: str, description: str) -> Markup:
    """Return a figure as an SVG element for a page.

    Parameters
    ----------
    figure : what to draw
    name : put before every id, so that several figures in a page do not share any
    title, description : what it is and what it shows, for those who do not see it
    """
    import matplotlib
    from matplotlib.backends.backend_svg import FigureCanvasSVG

    out = io.StringIO()
    FigureCanvasSVG(figure)
    with matplotlib.rc_context(_SETTINGS):
        figure.savefig(out, format="svg", metadata={"Date": None})
    svg = out.getvalue()
    for pattern in _NOT_FOR_A_PAGE:
        svg = re.sub(pattern, "", svg, flags=re.DOTALL)
    svg = _own_ids(svg.strip(), name)
    opening, rest = svg.split(">", 1)
    box = re.search(r'viewBox="[^"]*"', opening)
    assert box is not None, "matplotlib writes a view box"
    words = f'role="img" aria-labelledby="{name}-title {name}-desc" {box[0]} xmlns="http://www.w3.org/2000/svg"'
    about = tag("title", title, id=f"{name}-title") + tag("desc", description, id=f"{name}-desc")
    return Markup(f'<svg {words} xmlns:xlink="http://www.w3.org/1999/xlink">{about}{rest}')


def _own_ids(svg: str, name: str) -> str:
    """Put a name before every id and every reference to one."""
    svg = re.sub(r'\bid="', f'id="{name}-', svg)
    svg = re.sub(r'href="#', f'href="#{name}-', svg)
    return re.sub(r"url\(#", f"url(#{name}-", svg)
