"""Axes of a sweep: which path takes which values, in the path's own unit, and how the column is called."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, product
from typing import Any

import numpy as np

from ...errors import InputError, ParameterError, UnknownNameError, nearest
from ...inputs import library
from ...inputs.addresses import NAMES, find
from ...inputs.fields import FieldSpec, number_value, text_value
from ...inputs.record import Record
from ...inputs.regimen import whole_number
from ...inputs.scenario import Scenario
from ...model.problem import Array

SCALES = ("linear", "log")
RANGE_KEYS = ("low", "high", "n", "scale")
# Numbers that change which events there are: like names they make scenarios of their own, not lanes.
COUNTED = "regimen.times"
STRUCTURAL_NUMBERS = (COUNTED, "review_days")
NOTHING = "none"
# To learn what a path means that only some carriers or embolics have, this many combinations of names are tried.
MOST_TRIED = 64


@dataclass(frozen=True, eq=False)
class Axis:
    """One axis: a path and its values.

    Attributes
    ----------
    path : path of the scenario
    unit : unit of the numbers, the path's own; "1" for names
    levels : the values one by one; for names their numbers 0, 1, ...; None for a range
    low, high, scale, count : a range, how it is walked, and in how many levels (None when it is sampled)
    labels : names of the levels in tables; None for an axis of numbers
    options : what the labels stand for: records, texts, counts
    """

    path: str
    unit: str
    levels: Array | None = None
    low: float = 0.0
    high: float = 0.0
    scale: str = "linear"
    count: int | None = None
    labels: tuple[str, ...] | None = None
    options: tuple[Any, ...] = ()

    @property
    def column(self) -> str:
        """Name of the axis in tables, with its unit."""
        return self.path + unit_suffix(self.unit)

    def grid(self) -> Array:
        """Values of a grid, (count,)."""
        if self.levels is not None:
            return self.levels
        if self.count is None:
            raise ParameterError(f"axis {self.path!r} is a range; a grid needs its n as well", field=self.path)
        return self.at(np.linspace(0.0, 1.0, self.count)) if self.count > 1 else np.array([self.low])

    def at(self, share: Array) -> Array:
        """Values at shares of the axis from 0 to 1, (m,): a list has equal shares for all its values."""
        if self.levels is not None:
            return self.levels[np.minimum((share * self.levels.size).astype(int), self.levels.size - 1)]
        if self.scale == "log":
            inside = self.low * (self.high / self.low) ** share
        else:
            inside = self.low + (self.high - self.low) * share
        return np.minimum(np.maximum(inside, self.low), self.high)  # rounding alone could leave the range

    def as_dict(self) -> dict[str, Any]:
        """What the manifest says of the axis."""
        found: dict[str, Any] = {"path": self.path, "unit": self.unit, "column": self.column}
        found["names"] = self.labels is not None
        if self.labels is not None:
            return {**found, "values": list(self.labels)}
        if self.levels is not None:
            return {**found, "values": [float(each) for each in self.levels]}
        return {**found, "low": self.low, "high": self.high, "scale": self.scale, "n": self.count}


def unit_suffix(unit: str) -> str:
    """How a unit stands at the end of a column's name: ``_l_per_h`` for ``L/h``, nothing for ``1``."""
    if unit == "1":
        return ""
    head, *below = unit.lower().split("/")
    parts = ([] if head == "1" else [re.sub(r"[^a-z0-9]+", "_", head)]) + [f"per_{each}" for each in below]
    return "_" + "_".join(parts)


def read_axes(scenario: Scenario, given: Mapping[str, Any]) -> tuple[Axis, ...]:
    """Return the axes of a sweep.

    Parameters
    ----------
    scenario : what is swept
    given : path -> list of values (numbers, texts with unit, names, records) or a table ``{low, high, n, scale}``

    Raises
    ------
    InputError
        For an unknown path, a value that is not legal, a range that is none.
    """
    if not isinstance(given, Mapping):
        raise InputError(f"axes: expected a mapping of path to values, got {given!r}")
    if not given:
        raise InputError("a sweep needs at least one axis")
    found: dict[str, Axis] = {}
    numeric = []
    for path, values in given.items():
        if _is_structural(scenario, path):
            found[path] = _names(scenario, path, values)
        else:
            numeric.append(path)
    for path in numeric:
        found[path] = _numbers(_spec(scenario, path, list(found.values())), path, given[path])
    return tuple(found[path] for path in given)


def _is_structural(scenario: Scenario, path: str) -> bool:
    if path in STRUCTURAL_NUMBERS:
        return True
    try:
        return scenario.spec(path).kind == "text"
    except UnknownNameError:
        return False  # perhaps a carrier brings the path along; `_spec` finds out


def _spec(scenario: Scenario, path: str, structural: Sequence[Axis]) -> FieldSpec:
    """What a path may hold, in the scenario or in one that the axes of names make of it."""
    unknown: UnknownNameError | None = None
    for each in islice(_variants(scenario, structural), MOST_TRIED):
        try:
            spec = each.spec(path)
        except UnknownNameError as error:
            unknown = unknown or error
            continue
        if spec.kind != "number":
            raise ParameterError(f"axis {path!r}: a {spec.kind} cannot be an axis, only numbers and names", field=path)
        return spec
    assert unknown is not None
    raise unknown


def _variants(scenario: Scenario, structural: Sequence[Axis]) -> Iterator[Scenario]:
    yield scenario
    for options in product(*(axis.options for axis in structural)) if structural else ():
        try:
            yield scenario.with_values({axis.path: each for axis, each in zip(structural, options, strict=True)})
        except InputError:
            continue


def _listed(path: str, values: Any) -> list[Any]:
    if isinstance(values, str | Mapping) or not hasattr(values, "__iter__"):
        raise ParameterError(f"axis {path!r}: expected a list of values, got {values!r}", field=path, value=values)
    found = list(values)
    if not found:
        raise ParameterError(f"axis {path!r} has no values", field=path)
    return found


def _numbers(spec: FieldSpec, path: str, values: Any) -> Axis:
    if isinstance(values, Mapping):
        return _range(spec, path, values)
    levels = np.array([_one(spec, path, each) for each in _listed(path, values)])
    return Axis(path, spec.unit, levels=levels)


def _one(spec: FieldSpec, path: str, value: Any) -> float:
    found = number_value(spec, value, path)
    if not isinstance(found, float):
        raise ParameterError(f"axis {path!r}: expected single values, got {value!r}", field=path)
    return found


def _range(spec: FieldSpec, path: str, given: Mapping[str, Any]) -> Axis:
    for key in given:
        if key not in RANGE_KEYS:
            raise ParameterError(f"axis {path!r}: unknown key {key!r}; {nearest(str(key), RANGE_KEYS)}", field=path)
    for key in ("low", "high"):
        if key not in given:
            raise ParameterError(f"axis {path!r} has no {key!r}; a range needs low and high", field=path)
    low, high = (_one(spec, f"{path} ({key})", given[key]) for key in ("low", "high"))
    scale = given.get("scale", SCALES[0])
    if scale not in SCALES:
        raise ParameterError(f"axis {path!r}: scale {scale!r} is not legal; {nearest(str(scale), SCALES)}", field=path)
    if not (np.isfinite(low) and np.isfinite(high) and low < high):
        raise ParameterError(f"axis {path!r}: low = {low:g} is not below high = {high:g} {spec.unit}", field=path)
    if scale == "log" and low <= 0.0:
        raise ParameterError(f"axis {path!r}: a log scale needs low above 0, not {low:g} {spec.unit}", field=path)
    count = None if "n" not in given else whole_number(given["n"], f"axis {path!r}: n")
    return Axis(path, spec.unit, low=low, high=high, scale=scale, count=count)


def _names(scenario: Scenario, path: str, values: Any) -> Axis:
    pairs = [_option(scenario, path, each) for each in _listed(path, values)]
    labels = tuple(label for label, _ in pairs)
    for label in labels:
        if labels.count(label) > 1:
            raise ParameterError(f"axis {path!r} has two values called {label!r}; give them names of their own")
    levels = np.arange(float(len(labels)))
    unit = "d" if path == "review_days" else "1"
    return Axis(path, unit, levels=levels, labels=labels, options=tuple(option for _, option in pairs))


def _option(scenario: Scenario, path: str, value: Any) -> tuple[str, Any]:
    """Label and meaning of one value; names of the library and files become records here, once."""
    if path == COUNTED:
        count = whole_number(value, path)
        return str(count), float(count)
    if path == "review_days":
        bare = value is None or value == NOTHING
        days = None if bare else _one(scenario.spec(path), path, value)
        return (NOTHING if days is None else f"{days:g}"), days
    address = find(scenario, path)
    if address.phase != NAMES:
        return (found := text_value(scenario.spec(path), value, path)), found
    if address.kind == "embolic":
        chosen = () if value in (None, NOTHING) else library.embolics(value)
        return "+".join(each.name for each in chosen) or NOTHING, chosen
    if address.kind == "carrier" and value in (None, NOTHING):
        return NOTHING, None
    record: Record = library.load(f"{address.kind}s", value)
    return str(record.get("name")), record
