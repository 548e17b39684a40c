"""HTML from Python: everything that is not markup already is escaped."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from typing import NamedTuple

_VOID = ("meta",)


class Markup(str):
    """Text that is HTML already; only `tag` and the embedding of pictures make it."""

    __slots__ = ()


def escaped(content: object) -> Markup:
    """Return content as HTML: markup as it is, anything else as text without a special character."""
    return content if isinstance(content, Markup) else Markup(html.escape(str(content), quote=True))


def tag(name: str, /, *children: object, **attributes: object) -> Markup:
    """Return an element.

    Parameters
    ----------
    name : its name
    children : texts, which are escaped, and markup
    attributes : a trailing or inner underscore of a name keeps Python content: `class_`, `aria_label`
    """
    words = "".join(f' {key.rstrip("_").replace("_", "-")}="{escaped(value)}"' for key, value in attributes.items())
    if name in _VOID:
        return Markup(f"<{name}{words}>")
    return Markup(f"<{name}{words}>{''.join(map(escaped, children))}</{name}>")


def joined(parts: Iterable[object]) -> Markup:
    """Return several pieces one under the other."""
    return Markup("\n".join(map(escaped, parts)))


def breakable(path: str) -> Markup:
    """Return a path that may go on in the next line after a dot or an underscore."""
    return Markup(escaped(path).replace(".", ".<wbr>").replace("_", "_<wbr>"))


class Head(NamedTuple):
    """Heading of one column, and how its cells are set: `words` may break, `short` not, a `number` is flush right."""

    text: str
    kind: str = "words"


def table(
    caption: object, heads: Sequence[Head], rows: Iterable[Sequence[object]], *, name: str, cards: bool = False
) -> Markup:
    """Return a table that scrolls inside itself where it is wider than the page.

    The roles are written out, because a table whose rows are laid out as cards is no table to a browser any more.

    Parameters
    ----------
    caption : what it holds
    heads : one a column
    rows : cells; the first of each row is its heading
    name : what the scrolled region is called by a screen reader
    cards : on a narrow screen every row becomes a card with the headings before its cells
    """
    align = [head.kind for head in heads]
    top = [
        tag("th", head.text, scope="col", role="columnheader", class_=c) for head, c in zip(heads, align, strict=True)
    ]
    body = []
    for first, *rest in rows:
        cells = [
            tag("td", text, role="cell", class_=c, data_label=head.text)
            for text, head, c in zip(rest, heads[1:], align[1:], strict=True)
        ]
        body.append(tag("tr", tag("th", first, scope="row", role="rowheader", class_=align[0]), *cells, role="row"))
    parts = (
        tag("caption", caption),
        tag("thead", tag("tr", *top, role="row"), role="rowgroup"),
        tag("tbody", joined(body), role="rowgroup"),
    )
    inside = tag("table", *parts, role="table", **({"class_": "cards"} if cards else {}))
    return tag("div", inside, class_="wide", tabindex="0", role="region", aria_label=name)
