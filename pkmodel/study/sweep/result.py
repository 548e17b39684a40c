"""What a sweep gives: a labelled table, in memory or in a folder, that writes itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import FileError, InputError, UnknownNameError
from .chunks import Chunk, Damage, FolderStore, Store
from .layout import Layout
from .manifest import read_manifest
from .tables import write_tables

if TYPE_CHECKING:
    import pandas
    import xarray


@dataclass(frozen=True, eq=False)
class SweepResult:
    """The table of a sweep: one row a point (or subject), every column with its unit.

    Attributes
    ----------
    manifest : versions, design, axes, inputs and sources
    counts : rows by status: ok, refused, failed
    folder : where the chunks lie; None for a sweep in memory
    """

    manifest: Mapping[str, Any] = field(repr=False)
    counts: Mapping[str, int]
    folder: Path | None
    _layout: Layout = field(repr=False)
    _store: Store = field(repr=False)

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns in their order."""
        return self._layout.names

    @property
    def points(self) -> int:
        """Number of points."""
        return self._layout.points

    def unit(self, column: str) -> str:
        """Unit of a column; "1" for what has none."""
        for axis in self._layout.axes:
            if axis["column"] == column:
                return str(axis["unit"])
        if column not in self.columns:
            raise UnknownNameError.of("column", column, self.columns)
        return self._layout.values.get(column, "1")

    def chunks(self) -> Iterator[dict[str, np.ndarray]]:
        """Yield the table piece by piece, each a mapping of column to values; only one piece is held at a time."""
        for chunk in read_chunks(self._store, self._layout.chunks):
            yield self._layout.columns(chunk)

    def __getitem__(self, column: str) -> np.ndarray:
        """Return a whole column, (rows,)."""
        if column not in self.columns:
            raise UnknownNameError.of("column", column, self.columns)
        return np.concatenate([piece[column] for piece in self.chunks()])

    def to_csv(self, path: str | Path) -> None:
        """Write the table as CSV, units in the names of the columns; what is missing is empty."""
        write_tables(read_chunks(self._store, self._layout.chunks), self._layout, csv_path=Path(path))

    def to_npz(self, path: str | Path) -> None:
        """Write the table for `numpy.load`, one array a column; `reason` holds numbers of the texts in `reasons`."""
        write_tables(read_chunks(self._store, self._layout.chunks), self._layout, npz_path=Path(path))

    def _whole(self) -> dict[str, np.ndarray]:
        pieces = list(self.chunks())
        return {name: np.concatenate([piece[name] for piece in pieces]) for name in self.columns}

    def to_pandas(self) -> pandas.DataFrame:
        """The table as a data frame, indexed by point (and subject); needs pandas."""
        import pandas as pd

        keys = ["point", "subject"] if "subject" in self.columns else ["point"]
        return pd.DataFrame(self._whole()).set_index(keys)

    def to_xarray(self) -> xarray.Dataset:
        """The table as a labelled data set, along the axes of a grid or else along its points; needs xarray.

        `to_netcdf(path, engine="scipy")` of the data set writes it as netCDF.
        """
        import xarray as xr

        whole, axes = self._whole(), [axis["column"] for axis in self._layout.axes]
        for name in ("status", "reason"):
            whole[name] = whole[name].astype(str)
        attributes = {key: self.manifest[key] for key in ("pkmodel", "code", "numpy", "scipy")}
        attributes["design"] = self.manifest["design"]["kind"]
        names = [*self._layout.values, "status", "reason"]
        dims: tuple[str, ...] = ("point",)
        shape: tuple[int, ...] = (self.points,)
        if self._layout.grid is None:
            coords = {name: ("point", whole[name][:: self._layout.subjects], self._units(name)) for name in axes}
        else:
            dims, shape = tuple(axes), self._layout.grid
            coords = {name: (name, self._levels(j, whole[name]), self._units(name)) for j, name in enumerate(axes)}
        if self._layout.subjects > 1:
            dims, shape = (*dims, "subject"), (*shape, self._layout.subjects)
        data = {name: (dims, whole[name].reshape(shape), self._units(name)) for name in names}
        return xr.Dataset(data, coords=coords, attrs=attributes)

    def _levels(self, j: int, values: np.ndarray) -> np.ndarray:
        """The levels of a grid's axis, in their order, from its column."""
        assert self._layout.grid is not None
        along = values[:: self._layout.subjects].reshape(self._layout.grid)
        return np.moveaxis(along, j, 0).reshape(self._layout.grid[j], -1)[:, 0]

    def _units(self, name: str) -> dict[str, str]:
        return {} if name in ("status", "reason") else {"units": self.unit(name)}

    def to_parquet(self, path: str | Path) -> None:
        """Write the table as Parquet, piece by piece, with the units as metadata; needs pyarrow (`pkmodel[parquet]`).

        Raises
        ------
        InputError
            pyarrow is not installed.
        """
        try:
            import pyarrow as pa
            import pyarrow.parquet as pq
        except ImportError:
            raise InputError("Parquet needs pyarrow; install pkmodel[parquet]") from None
        writer: Any = None
        for piece in self.chunks():
            table = pa.table({name: pa.array(values.tolist()) for name, values in piece.items()})
            if writer is None:
                fields = [each.with_metadata({"unit": self.unit(each.name)}) for each in table.schema]
                schema = pa.schema(fields)
                writer = pq.ParquetWriter(str(path), schema)
            writer.write_table(table.cast(schema))
        writer.close()


def read_chunks(store: Store, chunks: int) -> Iterator[Chunk]:
    """Yield all chunks in their order, each checked.

    Raises
    ------
    FileError
        One is missing or damaged.
    """
    for number in range(chunks):
        try:
            found = store.get(number)
        except Damage as damage:
            raise FileError(f"{damage}; go on with resume, which computes it again") from None
        if found is None:
            raise FileError(f"chunk {number} is not there; go on with resume, which computes it")
        yield found


def load_sweep(folder: str | Path) -> SweepResult:
    """Open the folder of a finished sweep.

    Raises
    ------
    FileError
        It is no such folder, it is not finished, or something in it is damaged.
    """
    place = Path(folder)
    manifest = read_manifest(place)
    layout = Layout.of(manifest)
    store = FolderStore(place, tuple(manifest["study"]["times_h"]))
    counts = write_tables(read_chunks(store, layout.chunks), layout)
    return SweepResult(manifest, counts, place, layout, store)
