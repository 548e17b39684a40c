"""Parameters in print: what is used, what one value rests on, and what to cite."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from ..errors import InputError, UnknownNameError
from ..inputs import library
from ..inputs.materials import Carrier
from ..inputs.origin import KINDS, Origin
from ..inputs.record import Record, Row
from ..inputs.scenario import Scenario

_SINGULAR = {
    "drug": "drugs",
    "patient": "patients",
    "catheter": "catheters",
    "carrier": "carriers",
    "embolic": "embolics",
}
_WIDTH = 100


def used(scenarios: Iterable[Scenario]) -> list[Row]:
    """Return the parameters that any of several scenarios uses, each path once."""
    found: dict[str, Row] = {}
    for scenario in scenarios:
        for row in scenario.rows():
            found.setdefault(row[0], row)
    return list(found.values())


def listing(rows: Iterable[Row], *, kind: str | None = None) -> str:
    """Return a table of parameters: path, value, unit, 90 % range, kind, evidence.

    Parameters
    ----------
    rows : what to list
    kind : only this kind of origin: measured, fitted, derived, assumed or user

    Raises
    ------
    UnknownNameError
        No such kind.
    """
    if kind is not None and kind not in KINDS:
        raise UnknownNameError.of("kind of parameter", kind, KINDS)
    table = [("parameter", "value", "unit", "90 % range", "kind", "evidence")]
    for path, value, unit, origin in rows:
        if kind is None or (origin is not None and origin.kind == kind):
            table.append(cells(path, value, unit, origin))
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    lines = ["  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip() for row in table]
    count = len(table) - 1
    return "\n".join([lines[0], "-" * max(map(len, lines)), *lines[1:], "", f"{count} parameter{'s' * (count != 1)}"])


def cells(path: str, value: Any, unit: str, origin: Origin | None) -> tuple[str, str, str, str, str, str]:
    """Return a parameter in print: path, value, unit, 90 % range, kind, evidence."""
    kind = origin.kind if origin else "-"
    return path, value_text(value), unit, range_text(origin), kind, _evidence(origin)


def show(name: str, *, defaults: dict[str, Any]) -> str:
    """Return what a library record holds, or all that is known about one value.

    Parameters
    ----------
    name : a library name (`doxorubicin`) or a path (`drug.doxorubicin.cl_total`, `patient.tumour.diameter`)
    defaults : kind -> record, for paths that name none

    Raises
    ------
    InputError
        No such record or path.
    """
    head, *rest = name.split(".")
    if head not in _SINGULAR:
        return _record(_anything(name))
    kind = _SINGULAR[head]
    if rest and rest[0] in library.names(kind):
        record: Record = library.load(kind, rest.pop(0))
    elif head in defaults:
        record = defaults[head]
    elif rest:
        raise UnknownNameError.of(head, rest[0], library.names(kind))
    else:
        raise InputError(f"which {head}? Write {head}.NAME: {', '.join(library.names(kind))}")
    if isinstance(record, Carrier) and len(rest) > 1 and rest[0] == "for":
        record, rest = record.for_drug(rest[1]), rest[2:]
    path = ".".join(rest)
    return _one(record, head, path) if path and path in record.paths() else _record(record, head, path)


def _anything(name: str) -> Record:
    """The library record of a name, whatever its kind."""
    for kind in library.KINDS:
        if name in library.names(kind):
            found: Record = library.load(kind, name)
            return found
    known = [each for kind in library.KINDS for each in library.names(kind)]
    raise UnknownNameError.of("library record", name, known)


def _record(record: Record, head: str = "", below: str = "") -> str:
    """A whole record, or the part of it below a path."""
    rows = list(record.rows())
    if isinstance(record, Carrier):
        for drug, variant in record.variants:
            own = {path: value for path, value, *_ in rows}
            rows += [(f"for.{drug}.{row[0]}", *row[1:]) for row in variant.rows() if own.get(row[0]) != row[1]]
    if below:
        record.get(below)  # an unknown path is an error that names the nearest
        rows = [row for row in rows if row[0].startswith(f"{below}.")]
    name = getattr(record, "name", "")
    title = getattr(record, "title", "")
    return f"{head or record.label} {name}{f': {title}' if title else ''}\n\n{listing(rows)}"


def _one(record: Record, head: str, path: str) -> str:
    spec, origin = record.spec(path), record.origin(path)
    lines = [
        f"{head}.{getattr(record, 'name', '')}.{path}",
        f"  meaning      {spec.doc}",
        f"  value        {value_text(record.get(path))}{'' if spec.unit == '1' else ' ' + spec.unit}",
        f"  legal        {spec.legal}",
    ]
    if origin is None:
        return "\n".join([*lines, "  kind         nobody said where this value comes from"])
    lines.append(f"  kind         {origin.kind}")
    for label, text in (
        ("90 % range", range_text(origin)),
        ("std. error", "" if origin.se is None else f"{origin.se:g}"),
        ("between", "" if origin.cv is None else f"{100 * origin.cv:g} % between subjects, {origin.distribution}"),
        ("plausible", "" if origin.plausible is None else _pair(origin.plausible)),
        ("note", origin.note),
    ):
        if text:
            lines += textwrap.wrap(text, _WIDTH, initial_indent=f"  {label:<13}", subsequent_indent=" " * 15)
    for row_id in origin.rows:
        row = library.evidence_row(row_id)
        measured = " ".join(row[key] for key in ("metric", "value", "unit") if row[key])
        text = f"{measured}. {row['source']}. {row['identifier']}" + (f" ({row['note']})" if row["note"] else "")
        lines += textwrap.wrap(text, _WIDTH, initial_indent=f"  {row_id:<13}", subsequent_indent=" " * 15)
    if origin.source is not None:
        lines += textwrap.wrap(
            _source(origin.source), _WIDTH, initial_indent="  source       ", subsequent_indent=" " * 15
        )
    return "\n".join(lines)


def citations(rows: Iterable[Row]) -> str:
    """Return every source behind parameters once, with the evidence rows read from it."""
    return "\n".join(_cited(source_lines(rows)))


def source_lines(rows: Iterable[Row]) -> list[tuple[str, list[str]]]:
    """Return (source, ids of the evidence rows read from it), sorted by source."""
    found: dict[str, list[str]] = {}
    for _, _, _, origin in rows:
        for row_id in origin.rows if origin else ():
            row = library.evidence_row(row_id)
            ids = found.setdefault(f"{row['source']}. {row['identifier']}", [])
            if row_id not in ids:
                ids.append(row_id)
        if origin is not None and origin.source is not None:
            found.setdefault(_source(origin.source), [])
    return [(source, sorted(ids)) for source, ids in sorted(found.items())]


def _cited(found: list[tuple[str, list[str]]]) -> Iterator[str]:
    for source, ids in found:
        behind = f" [{', '.join(ids)}]" if ids else ""
        yield from textwrap.wrap(source + behind, _WIDTH, subsequent_indent="    ", break_on_hyphens=False)
    yield ""
    yield f"{len(found)} sources; in brackets the rows of the evidence tables that were read from each"


def _source(key: str) -> str:
    entry = library.sources().get(key)
    return key if not isinstance(entry, dict) else f"{entry['citation']}. {entry['identifier']}"


def value_text(value: Any) -> str:
    """Return a value in print, without its unit; of a population the least and the largest."""
    if isinstance(value, str):
        return value
    if isinstance(value, tuple):
        return f"{len(value)} values"
    values = np.atleast_1d(np.asarray(value, dtype=float))
    return f"{values[0]:.6g}" if values.size == 1 else f"{values.min():.6g} to {values.max():.6g} ({values.size} lanes)"


def range_text(origin: Origin | None) -> str:
    """Return the 90 % range of a typical value in print, empty where there is none."""
    return "" if origin is None or origin.range is None else _pair(origin.range)


def _pair(pair: tuple[float, float]) -> str:
    return f"{pair[0]:g} to {pair[1]:g}"


def _evidence(origin: Origin | None) -> str:
    if origin is None:
        return ""
    named = ", ".join(origin.rows[:4]) + (f" and {len(origin.rows) - 4} more" if len(origin.rows) > 4 else "")
    return named or origin.source or ""
