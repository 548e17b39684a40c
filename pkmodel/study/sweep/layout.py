"""How the table of a sweep is laid out: its columns and units, as the manifest says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...model.problem import Array
from .chunks import Chunk
from .compute import STATUSES


@dataclass(frozen=True, eq=False)
class Layout:
    """Columns of a sweep's table.

    Attributes
    ----------
    axes : what the manifest says of the axes
    values : name of a number -> unit
    chunks, points : how many there are
    grid : levels of every axis of a grid, None for other designs
    subjects : rows a point
    """

    axes: tuple[Mapping[str, Any], ...]
    values: Mapping[str, str]
    chunks: int
    points: int
    grid: tuple[int, ...] | None
    subjects: int

    @classmethod
    def of(cls, manifest: Mapping[str, Any]) -> Layout:
        """Read a manifest."""
        axes = tuple(manifest["axes"])
        levels = tuple(len(axis["values"]) if "values" in axis else int(axis["n"] or 0) for axis in axes)
        values = {each["name"]: each["unit"] for each in manifest["columns"]}
        grid = levels if manifest["design"]["kind"] == "grid" else None
        return cls(axes, values, manifest["chunks"], manifest["design"]["n"], grid, manifest["rows_a_point"])

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all columns in their order."""
        where = ("point", "subject") if self.subjects > 1 else ("point",)
        return (*where, *(axis["column"] for axis in self.axes), *self.values, "status", "reason")

    def axis_labels(self, j: int) -> list[str] | None:
        """Names of the levels of an axis; None for an axis of numbers."""
        return self.axes[j]["values"] if self.axes[j]["names"] else None

    def columns(self, chunk: Chunk) -> dict[str, np.ndarray]:
        """Every column of a chunk's rows, (rows,)."""
        points = np.arange(chunk.start, chunk.start + chunk.axes.shape[0])
        found = {"point": np.repeat(points, self.subjects)}
        if self.subjects > 1:
            found["subject"] = np.tile(np.arange(self.subjects), points.size)
        for j, axis in enumerate(self.axes):
            found[axis["column"]] = np.repeat(self._axis(j, chunk.axes[:, j]), self.subjects)
        for j, name in enumerate(self.values):
            found[name] = chunk.values[:, j]
        found["status"] = np.array(STATUSES)[chunk.status]
        found["reason"] = np.array(chunk.reasons, dtype=object)
        return found

    def _axis(self, j: int, values: Array) -> np.ndarray:
        labels = self.axis_labels(j)
        return values if labels is None else np.array(labels)[values.astype(int)]
