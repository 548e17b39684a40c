"""A stage whose predictions are a linear model of the logarithms: everything about its fit has a closed form."""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np

from pkmodel.study.calibration.stage import Datum, Free, Stage


@dataclass(frozen=True)
class LinearStage(Stage):
    """ln prediction = matrix @ ln parameters, restricted to the data that are left."""

    matrix: Any = None

    def predict(self, lanes: np.ndarray) -> np.ndarray:
        """exp(matrix @ lanes) with what is held or known put in."""
        names = [name for name, _ in self.matrix]
        columns = np.array([column for _, column in self.matrix]).T
        logs = np.zeros((len(names), lanes.shape[1]))
        for known in self.known:
            logs[names.index(known.free.name)] = np.log(known.value)
        for each, row in zip(self.free, lanes, strict=True):
            logs[names.index(each.name)] = row
        rows = [int(datum.id.removeprefix("d")) for datum in self.data]
        return np.exp(columns[rows] @ logs)


def linear_stage(matrix: np.ndarray, observed: list[float], *, sigma: float, spread: float) -> LinearStage:
    """A stage with parameters a, b, ... with priors around 1, `spread` wide on the logarithm; every datum a study."""
    names = [chr(ord("a") + i) for i in range(matrix.shape[1])]
    high = float(np.exp(1.6448536269514722 * spread))
    free = tuple(Free(name, 1.0, (1.0 / high, high), (f"drugs/x:{name}",), "a prior") for name in names)
    cmax = SimpleNamespace(quantity="cmax")
    data = tuple(
        Datum(
            SimpleNamespace(id=f"case{i}", study=f"study{i}", drug="x", patient="p"),
            SimpleNamespace(id=f"d{i}", value=value, unit="1", rows=(f"row{i}",), reading=cmax),
            sigma,
        )
        for i, value in enumerate(observed)
    )
    return LinearStage("line", "a line", free, data, matrix=tuple(zip(names, matrix.T.tolist(), strict=True)))
