"""The final files of a sweep, written chunk by chunk: memory does not grow, and equal results give equal bytes."""

from __future__ import annotations

import contextlib
import csv
import io
import shutil
import tempfile
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import IO, Any

import numpy as np

from .chunks import Chunk
from .compute import STATUSES
from .durable import TEMPORARY, replacing
from .layout import Layout

# A zip file wants a time for its members; none belongs to the result.
NO_TIME = (1980, 1, 1, 0, 0, 0)
REASONS = "reasons"


def write_tables(
    chunks: Iterable[Chunk], layout: Layout, *, csv_path: Path | None = None, npz_path: Path | None = None
) -> dict[str, int]:
    """Write the rows of all chunks as CSV, as npz, or as both, and count them by status.

    In the npz, `reason` holds the numbers of texts in `reasons`.
    """
    counts = dict.fromkeys(STATUSES, 0)
    with contextlib.ExitStack() as stack:
        sinks: list[Any] = []
        if csv_path is not None:
            sinks.append(CsvSink(stack.enter_context(replacing(csv_path)), layout))
        if npz_path is not None:
            file = stack.enter_context(replacing(npz_path))
            spool = tempfile.TemporaryDirectory(prefix=".", suffix=TEMPORARY, dir=npz_path.parent)
            sinks.append(NpzSink(file, stack.enter_context(spool), layout))
        for chunk in chunks:
            for i, status in enumerate(STATUSES):
                counts[status] += int((chunk.status == i).sum())
            columns = layout.columns(chunk) if sinks else {}
            for sink in sinks:
                sink.add(columns)
        for sink in sinks:
            sink.close()
    return counts


class CsvSink:
    """Rows as text: numbers as short as they are exact, what is missing empty."""

    def __init__(self, file: IO[bytes], layout: Layout) -> None:
        self.file = file
        self._write([layout.names])

    def _write(self, rows: Iterable[Iterable[Any]]) -> None:
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows(rows)
        self.file.write(text.getvalue().encode())

    def add(self, columns: dict[str, np.ndarray]) -> None:
        """Write the rows of a chunk."""
        self._write(zip(*(_cells(column) for column in columns.values()), strict=True))

    def close(self) -> None:
        """Everything is written already."""


def _cells(column: np.ndarray) -> list[Any]:
    if column.dtype.kind != "f":
        return list(column.tolist())
    return ["" if value != value else repr(value) for value in column.tolist()]


class NpzSink:
    """Columns as arrays: each grows in a file of its own, and all are put together at the end."""

    def __init__(self, file: IO[bytes], folder: str, layout: Layout) -> None:
        self.file, self.folder, self.layout = file, Path(folder), layout
        self.reasons: dict[str, int] = {}
        self.rows = 0

    def add(self, columns: dict[str, np.ndarray]) -> None:
        """Append the rows of a chunk to the columns."""
        self.rows += columns["point"].size
        for i, (name, values) in enumerate(columns.items()):
            if name == "reason":
                values = np.array([self.reasons.setdefault(text, len(self.reasons)) for text in values])
            with open(self.folder / str(i), "ab") as spool:
                spool.write(np.ascontiguousarray(values, dtype=self._type(name)).tobytes())

    def _type(self, name: str) -> str:
        if name in ("point", "subject", "reason"):
            return "<i8"
        if name == "status":
            return _text_type(STATUSES)
        for j, axis in enumerate(self.layout.axes):
            labels = self.layout.axis_labels(j)
            if axis["column"] == name and labels is not None:
                return _text_type(labels)
        return "<f8"

    def close(self) -> None:
        """Put the columns together."""
        with zipfile.ZipFile(self.file, "w", zipfile.ZIP_STORED) as archive:
            for i, name in enumerate(self.layout.names):
                with _member(archive, name) as member:
                    _header(member, self._type(name), self.rows)
                    if self.rows:
                        with open(self.folder / str(i), "rb") as spool:
                            shutil.copyfileobj(spool, member)
            texts = list(self.reasons) or [""]
            with _member(archive, REASONS) as member:
                _header(member, _text_type(texts), len(texts))
                member.write(np.array(texts, dtype=_text_type(texts)).tobytes())


def _text_type(texts: Iterable[str]) -> str:
    return f"<U{max(1, *(len(each) for each in texts))}"


def _member(archive: zipfile.ZipFile, name: str) -> IO[bytes]:
    return archive.open(zipfile.ZipInfo(f"{name}.npy", NO_TIME), "w", force_zip64=True)


def _header(member: IO[bytes], kind: str, rows: int) -> None:
    np.lib.format.write_array_header_1_0(member, {"descr": kind, "fortran_order": False, "shape": (rows,)})
