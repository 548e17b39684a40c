"""The numbers of a figure: one table with units in the column names, its caption, and how it came about."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import FileError, UnknownNameError

Cell = float | str | None


@dataclass(frozen=True, eq=False)
class FigureData:
    """The table behind a figure.

    Attributes
    ----------
    columns : name (with its unit, such as ``time_h``) -> cells, all of one length: floats, texts, None where missing
    caption : what the picture shows, in full sentences
    n : what was simulated, in words (``1 patient``, ``200 draws``)
    seed : of whatever was drawn at random; None where nothing was
    sources : ids of the evidence rows that are drawn
    """

    columns: Mapping[str, tuple[Cell, ...]]
    caption: str
    n: str
    seed: int | None = None
    sources: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        lengths = {name: len(cells) for name, cells in self.columns.items()}
        if len(set(lengths.values())) > 1:
            raise ValueError(f"columns of unequal length: {lengths}")

    @classmethod
    def of_rows(
        cls,
        rows: Iterable[Mapping[str, Any]],
        *,
        caption: str,
        n: str,
        seed: int | None = None,
        sources: Iterable[str] = (),
    ) -> FigureData:
        """Build the table from rows; a row may lack columns that others have.

        Parameters
        ----------
        rows : numbers of any type, texts, True or False (``yes`` and ``no`` in the table), None
        caption, n, seed, sources : as of the class; a source that is named twice counts once
        """
        every = list(rows)
        names = dict.fromkeys(name for row in every for name in row)
        columns = {name: tuple(_cell(row.get(name)) for row in every) for name in names}
        return cls(columns, caption, n, seed, tuple(dict.fromkeys(sources)))

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()), ()))

    def rows(self) -> Iterator[dict[str, Cell]]:
        """Yield the rows as mappings of column to cell."""
        for cells in zip(*self.columns.values(), strict=True):
            yield dict(zip(self.columns, cells, strict=True))

    def where(self, **wanted: Any) -> FigureData:
        """Return the rows whose cells have the values wanted; possibly none.

        Examples
        --------
        >>> table = FigureData.of_rows([{"arm": "iv", "time_h": 1}, {"arm": "beads", "time_h": 2}], caption="", n="")
        >>> table.where(arm="beads").numbers("time_h").tolist()
        [2.0]
        """
        unknown = [name for name in wanted if name not in self.columns]
        if unknown and self.columns:
            raise UnknownNameError.of("column", unknown[0], tuple(self.columns))
        kept = [i for i, row in enumerate(self.rows()) if all(row[name] == value for name, value in wanted.items())]
        return replace(self, columns={name: tuple(cells[i] for i in kept) for name, cells in self.columns.items()})

    def numbers(self, name: str) -> NDArray[np.float64]:
        """Return a column as an array, NaN where a number is missing."""
        return np.array([math.nan if cell is None else float(cell) for cell in self._column(name)])

    def texts(self, name: str) -> tuple[str, ...]:
        """Return a column as texts, empty where missing."""
        return tuple("" if cell is None else str(cell) for cell in self._column(name))

    def distinct(self, name: str) -> tuple[Cell, ...]:
        """Return the cells of a column, each once and in order, without missing ones."""
        return tuple(dict.fromkeys(cell for cell in self._column(name) if cell is not None))

    def _column(self, name: str) -> tuple[Cell, ...]:
        if name in self.columns or not self.columns:
            return self.columns.get(name, ())
        raise UnknownNameError.of("column", name, tuple(self.columns))

    def to_csv(self) -> str:
        """Return the table as CSV text; numbers as Python prints them, so that equal numbers give equal bytes."""
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(self.columns)
        for row in self.rows():
            writer.writerow(["" if cell is None else repr(cell) if isinstance(cell, float) else cell
                             for cell in row.values()])  # fmt: skip
        return out.getvalue()

    @classmethod
    def from_csv(
        cls, text: str, *, caption: str, n: str, seed: int | None = None, sources: Iterable[str] = ()
    ) -> FigureData:
        """Read what `to_csv` wrote; a column is numeric when every cell that is not empty is a number.

        Raises
        ------
        FileError
            A line has more or fewer cells than the header.
        """
        header, *lines = list(csv.reader(io.StringIO(text, newline=""))) or [[]]
        for number, line in enumerate(lines, start=2):
            if len(line) != len(header):
                raise FileError(f"line {number} has {len(line)} cells for {len(header)} columns")
        columns = {name: _read([line[i] for line in lines]) for i, name in enumerate(header)}
        return cls(columns, caption, n, seed, tuple(sources))


def _cell(value: Any) -> Cell:
    if value is None or isinstance(value, str):
        return value or None
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    number = float(value)
    return None if math.isnan(number) else number


def _read(cells: list[str]) -> tuple[Cell, ...]:
    try:
        return tuple(float(cell) if cell else None for cell in cells)
    except ValueError:
        return tuple(cell or None for cell in cells)
