"""Reading a measured release curve, with errors that say which line to mend."""

from __future__ import annotations

import csv
import io
import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import FileError, InputError, ParameterError, PlausibilityWarning
from ..inputs.fields import plain_numbers
from ..units import factor

Array = NDArray[np.float64]

# Assays scatter around 100 %; pharmacopoeias accept single units of up to 115 % of the labelled content.
HIGHEST_FRACTION = 1.15
_BOM = b"\xef\xbb\xbf"
_TIME = re.compile(r"time_(h|min|d)")
_RELEASED = re.compile(r"released_(percent|fraction)(_\w+)?")
_DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+")
_COLUMNS = "time_h, time_min or time_d, and released_percent or released_fraction (replicates: _1, _2)"


@dataclass(frozen=True, eq=False)
class ReleaseData:
    """A measured release curve.

    Parameters
    ----------
    times_h
        Sampling times (m,), increasing [h].
    released
        Cumulative released fraction (m, replicates) [1].
    source
        File name, or empty for arrays.
    """

    times_h: Array
    released: Array
    source: str = ""

    @property
    def mean(self) -> Array:
        """Mean over replicates, (m,) [1]."""
        return self.released.mean(axis=1)


def release_data(csv_or_arrays: Any) -> ReleaseData:
    """Read a release curve from a CSV file or from a pair of arrays, and check it.

    Parameters
    ----------
    csv_or_arrays
        Path of a CSV file with a header of ``time_h``, ``time_min`` or ``time_d`` and one or more columns
        ``released_percent`` or ``released_fraction`` (replicates with a suffix, ``released_percent_2``); or a
        pair (times [h], released fraction), the latter (m,) or (m, replicates).

    Raises
    ------
    FileError
        The file cannot be read or is not in this form.
    ParameterError
        Times are out of order or repeated, or a value is out of range.
    """
    if isinstance(csv_or_arrays, ReleaseData):
        return csv_or_arrays
    if isinstance(csv_or_arrays, str | Path):
        return _from_file(Path(csv_or_arrays))
    try:
        times, released = csv_or_arrays
    except (TypeError, ValueError):
        raise ParameterError(
            "a release curve is the path of a CSV file or a pair (times_h, fractions)"
        ) from None
    return _from_arrays(times, released)


def _from_arrays(times: ArrayLike, released: ArrayLike) -> ReleaseData:
    t, f = plain_numbers(times, "times", "h"), plain_numbers(released, "fractions", "1")
    if t.ndim != 1 or f.ndim not in (1, 2) or len(f) != len(t):
        raise ParameterError(
            f"times (m,) and fractions (m,) or (m, replicates) expected, got {t.shape} and {f.shape}"
        )
    return _checked(t, (f if f.ndim == 2 else f[:, None]), "", lambda row: f"row {row}")


def _from_file(path: Path) -> ReleaseData:
    header, rows = _table(path)
    try:
        scale, percent = _columns(header)
        values = np.array([_row(cells, header, line) for line, cells in rows])
        time = next(i for i, name in enumerate(header) if _TIME.fullmatch(name))
        released = np.delete(values, time, axis=1) / (100.0 if percent else 1.0)
        data = _checked(values[:, time] * scale, released, path.name, lambda row: f"line {rows[row][0]}")
    except InputError as error:
        raise error.located(path) from None
    if percent and released.max() <= 0.01:
        warnings.warn(
            f"{path}: released_percent never exceeds {100.0 * released.max():g} %, outside the plausible range of a "
            "release curve; fractions belong in released_fraction",
            PlausibilityWarning,
            stacklevel=4,
        )
    return data


def _table(path: Path) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """Header, and rows with their line numbers."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise FileError(f"{path}: cannot be read ({error.strerror})") from None
    if raw.startswith(_BOM):
        raise FileError(f"{path}: starts with a byte order mark; save it as UTF-8 without BOM")
    try:
        lines = csv.reader(io.StringIO(raw.decode("utf-8"), newline=""), strict=True)
        rows = [(lines.line_num, [cell.strip() for cell in cells]) for cells in lines if any(cells)]
    except UnicodeDecodeError:
        raise FileError(f"{path}: is not UTF-8 text") from None
    except csv.Error as error:
        raise FileError(f"{path}: is not a CSV file ({error})") from None
    if not rows:
        raise FileError(f"{path}: is empty; expected a header with {_COLUMNS}")
    header = rows[0][1]
    if len(header) == 1 and re.search(r"[;\t]", header[0]):
        raise FileError(f"{path}: columns must be separated by commas, and decimals written with a point")
    if len(rows) == 1:
        raise FileError(f"{path}: has a header and no values")
    return header, rows[1:]


def _columns(header: list[str]) -> tuple[float, bool]:
    """Factor from the file's time unit to hours, and whether releases are in percent."""
    units = [match[1] for name in header if (match := _TIME.fullmatch(name))]
    kinds = {match[1] for name in header if (match := _RELEASED.fullmatch(name))}
    strange = [name for name in header if not _TIME.fullmatch(name) and not _RELEASED.fullmatch(name)]
    if strange:
        raise FileError(f"unknown column {strange[0]!r}; expected {_COLUMNS}")
    if len(units) != 1 or not kinds:
        raise FileError(f"columns are {', '.join(header)}; expected {_COLUMNS}")
    if len(kinds) > 1:
        raise FileError("released_percent and released_fraction are mixed; use one of them")
    if len(set(header)) < len(header):
        raise FileError(f"columns are {', '.join(header)}; replicates need names of their own (_1, _2)")
    return factor(units[0], "h"), kinds == {"percent"}


def _row(cells: list[str], header: list[str], line: int) -> list[float]:
    if len(cells) != len(header):
        hint = "; decimals are written with a point" if len(cells) > len(header) else ""
        raise FileError(f"line {line} has {len(cells)} values for {len(header)} columns{hint}")
    return [_number(cell, name, line) for cell, name in zip(cells, header, strict=True)]


def _number(cell: str, name: str, line: int) -> float:
    if _DECIMAL_COMMA.fullmatch(cell):
        raise FileError(f"line {line}, {name}: {cell!r} has a decimal comma; write {cell.replace(',', '.')}")
    try:
        if "_" not in cell:  # Python reads 1_000 as a number, a CSV file does not
            return float(cell)
    except ValueError:
        pass
    found = repr(cell) if cell else "nothing"
    raise FileError(f"line {line}, {name}: expected a number, found {found}")


def _checked(times: Array, released: Array, source: str, place: Callable[[int], str]) -> ReleaseData:
    """Check order and ranges; `place` says where a row stands."""
    if len(times) == 0 or released.shape[1] == 0:
        raise ParameterError("a release curve needs at least one time and one released fraction")
    for row in np.flatnonzero(~(np.isfinite(times) & (times >= 0.0)))[:1]:
        raise ParameterError(
            f"{place(row)}: time {times[row]:g} h is outside the legal range [0, inf)", field="time"
        )
    for row in np.flatnonzero(np.diff(times) <= 0.0)[:1] + 1:
        what = (
            "is repeated; put replicates in columns"
            if times[row] == times[row - 1]
            else "comes after a later one"
        )
        raise ParameterError(f"{place(row)}: time {times[row]:g} h {what}; times must increase", field="time")
    for row, column in np.argwhere(~((released >= 0.0) & (released <= HIGHEST_FRACTION)))[:1]:
        value, limit = float(released[row, column]), 100.0 * HIGHEST_FRACTION
        message = f"{place(row)}: released {100.0 * value:g} % is outside the legal range [0, {limit:g}] %"
        message += "; fractions run from 0 to 1, percent belongs in released_percent" if value > 2.0 else ""
        legal = f"[0, {HIGHEST_FRACTION:g}]"
        raise ParameterError(message, field="released", value=value, unit="1", legal=legal)
    if times[0] == 0.0 and np.any(released[0] != 0.0):
        value = float(released[0].max())
        message = f"{place(0)}: released {100.0 * value:g} % at time 0, but a law starts from 0"
        message += "; what is free at once is the carrier's prompt_fraction: subtract it first"
        raise ParameterError(message, field="released", value=value, unit="1", legal="0 at time 0")
    return ReleaseData(times, released, source)
