"""Lanes of a record: some of them, or the same ones over and over, in every array that the record holds."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from pkmodel.inputs.record import Record

_R = TypeVar("_R", bound=Record)


def take_lanes(record: _R, lanes: NDArray[np.intp]) -> _R:
    """Return a record whose arrays hold the given lanes, in their order and as often as they are named.

    Parameters
    ----------
    record
        Any record; one without arrays, whose lanes are all alike, is returned as it is.
    lanes
        Indices of lanes, (m,).

    Examples
    --------
    >>> import numpy as np
    >>> import pkmodel as pk
    >>> sizes = pk.patient("hcc_reference").with_value("tumour.diameter", [20, 40, 60])
    >>> take_lanes(sizes, np.array([2, 0])).tumour.diameter.tolist()
    [60.0, 20.0]
    """
    if record.size == 1:
        return record
    new = object.__new__(type(record))
    for name, value in record.__dict__.items():
        if name not in ("_digest", "_length"):
            new.__dict__[name] = _taken(value, lanes)
    new._finish()
    return new


def _taken(value: Any, lanes: NDArray[np.intp]) -> Any:
    if isinstance(value, np.ndarray) and value.size > 1:
        chosen = value[lanes]
        chosen.setflags(write=False)
        return chosen
    if isinstance(value, Record):
        return take_lanes(value, lanes)
    if isinstance(value, tuple):
        return tuple(_taken(each, lanes) for each in value)
    return value
