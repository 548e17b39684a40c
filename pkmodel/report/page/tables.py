"""The tables of a page: results, assumptions, parameters with their sources, and how it came about."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ...inputs.record import Row
from ...study.comparison import Comparison
from ..parameters import cells, range_text, source_lines, value_text
from ..table import EFFECT, EXPOSURE, Column, cell, missing, shown_columns
from .markup import Head, Markup, breakable, joined, table, tag
from .words import QUANTITIES

_VALUE = (Head("parameter"), Head("value", "number"), Head("unit", "short"), Head("90 % range"))


def results(comparison: Comparison, labels: Mapping[str, str], *, exposure: bool) -> Markup:
    """Return exposure (a table a drug) and effect, quantities down and arms across, with why a cell is empty.

    Parameters
    ----------
    comparison : the treatment and its twin
    labels : arm -> what its column is called
    exposure : whether there is a drug to be exposed to
    """
    parts = []
    drugs = list(dict.fromkeys(row["drug"] for row in comparison))
    for drug in drugs if exposure else ():
        rows = [row for row in comparison if row["drug"] == drug]
        parts.append(_block(comparison, f"Exposure to {drug}, from time 0 to the end", rows, EXPOSURE, labels))
    rows = [row for row in comparison if row["drug"] == drugs[0]]
    parts.append(_block(comparison, "Effect, 28 days after the last session", rows, EFFECT, labels))
    return joined([*parts, tag("ul", *(tag("li", each) for each in _legend(comparison, exposure)))])


def _legend(comparison: Comparison, exposure: bool) -> Iterator[str]:
    """What the marks in the cells mean, and why cells are empty."""
    columns = [*(EXPOSURE if exposure else ()), *EFFECT]
    shown = {cell(comparison, row, column) for row in comparison for column in columns}
    if any(text.startswith("~") for text in shown):
        yield "~ rests mainly on parameters that nobody has measured"
    if "-" in shown:
        yield "- does not exist in that arm"
    yield from missing(comparison, columns)


def _block(
    comparison: Comparison,
    caption: str,
    rows: Sequence[dict[str, Any]],
    columns: Sequence[Column],
    labels: Mapping[str, str],
) -> Markup:
    heads = [Head("quantity"), *(Head(labels[row["arm"]], "number") for row in rows)]
    lines = [
        [f"{QUANTITIES[column.key]} [{column.unit}]", *(cell(comparison, row, column) for row in rows)]
        for column in shown_columns(columns, wide=True)
    ]
    return table(caption, heads, lines, name=caption)


def parameters(rows: Iterable[Row]) -> Markup:
    """Return every value that enters, with unit, 90 % range, kind and evidence."""
    heads = (*_VALUE, Head("kind", "short"), Head("evidence"))
    lines = [[breakable(row[0]), *cells(*row)[1:]] for row in rows]
    caption = f"All {len(lines)} values that enter, each with the rows of the evidence tables behind it"
    return table(caption, heads, lines, name="Parameters", cards=True)


def assumptions(rows: Iterable[Row]) -> Markup:
    """Return what is assumed rather than measured, with the reason."""
    heads = (*_VALUE, Head("why this value"))
    lines = [
        [breakable(path), value_text(value), unit, range_text(origin), origin.note]
        for path, value, unit, origin in rows
        if origin is not None and origin.kind == "assumed" and not isinstance(value, str)
    ]
    return table(f"{len(lines)} assumed parameters", heads, lines, name="Assumed parameters", cards=True)


def citations(rows: Iterable[Row]) -> Markup:
    """Return every source once, with the evidence rows read from it."""
    items = []
    for source, ids in source_lines(rows):
        items.append(tag("li", source, f" [{', '.join(ids)}]" if ids else ""))
    return tag("ol", joined(items))


def manifest(comparison: Comparison, more: Mapping[str, str], labels: Mapping[str, str]) -> Markup:
    """Return how the page came about: versions, settings, digests of what was computed.

    Parameters
    ----------
    comparison : the treatment and its twin
    more : further lines, name -> value
    labels : arm -> what it is called
    """
    heads = (Head("what"), Head("value"))
    return table("How this page came about", heads, _manifest(comparison, more, labels), name="Manifest")


def _manifest(comparison: Comparison, more: Mapping[str, str], labels: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    found = comparison.manifest
    yield from more.items()
    for arm, digest in found["digests"].items():
        yield f"digest of {labels[arm]}", digest
    yield "relative tolerance", f"{found['rtol']:g}"
    yield "follow-up", f"{found['until_days']:g} d"
    yield "lanes solved", f"{found['lanes']} (arms and what each cause does alone)"
    yield "steps", str(found["steps"])
    yield "largest mass-balance error", f"{max(row['balance_error'] for row in comparison):.0e}"
    yield "seed", "none: nothing is drawn at random"
