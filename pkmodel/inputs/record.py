"""Records: frozen, validated, with a path to every value and an origin behind it.

A record is a frozen dataclass whose fields are declared with `number`, `text`, `part`, `series` and `items`.
A value is kept in its field's own unit; an array in a numeric field makes the record a population. A record's
identity is its `Record.digest`.
"""

from __future__ import annotations

import dataclasses
import hashlib
import math
import struct
import warnings
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, TypeVar, dataclass_transform

import numpy as np

from pkmodel import units
from pkmodel.errors import InputError, ParameterError, PlausibilityWarning, UnknownNameError, nearest
from pkmodel.inputs.declare import items, leaves, number, other, parameter_paths, part, series, specs, text
from pkmodel.inputs.fields import NAME_PATTERN, REQUIRED, FieldSpec, Value, field_value, number_value
from pkmodel.inputs.origin import Origin, Origins

__all__ = [
    "NAME_PATTERN",
    "REQUIRED",
    "FieldSpec",
    "Length",
    "Origin",
    "Origins",
    "Record",
    "Row",
    "Value",
    "field_value",
    "items",
    "joint_length",
    "number",
    "number_value",
    "other",
    "packed",
    "parameter_paths",
    "part",
    "record",
    "series",
    "specs",
    "text",
    "warn_if_implausible",
]

_R = TypeVar("_R", bound="Record")
_C = TypeVar("_C")
Row = tuple[str, Any, str, Origin | None]
Length = tuple[str, int]


@dataclass_transform(
    eq_default=False,
    kw_only_default=True,
    frozen_default=True,
    field_specifiers=(number, series, text, part, items, other),
)
def record(cls: type[_C]) -> type[_C]:
    """Make a class of field declarations a frozen, keyword-only record."""
    return dataclasses.dataclass(frozen=True, eq=False, kw_only=True, repr=False)(cls)


def joint_length(one: Length, other: Length, label: str) -> Length:
    """Return the longer of two (path, lanes); lengths other than 1 must agree."""
    if other[1] == 1 or other[1] == one[1]:
        return one
    if one[1] == 1:
        return other
    raise ParameterError(
        f"{label}: {one[0]} has {one[1]} values but {other[0]} has {other[1]}; all arrays need one length",
        field=other[0],
    )


def packed(value: Any) -> bytes:
    """Return bytes that are equal exactly when two field values are equal."""
    if value is None:
        return b"none"
    if isinstance(value, float):
        return b"f" + struct.pack("<d", math.nan if value != value else value)
    if isinstance(value, str):
        return b"s" + str(len(value)).encode() + b":" + value.encode("utf-8", "surrogatepass")
    if isinstance(value, Record):
        return b"r" + value.digest().encode()
    if isinstance(value, tuple):
        return b"t" + str(len(value)).encode() + b":" + b"".join(packed(each) for each in value)
    array = np.where(np.isnan(value), np.nan, value).astype("<f8")
    return b"a" + str(array.size).encode() + b":" + array.tobytes()


@record
class Record:
    """Base of all input records.

    Parameters
    ----------
    origins
        Where the values come from, by field name; nested records keep their own.
    """

    label: ClassVar[str] = "record"
    origins: Mapping[str, Origin] = dataclasses.field(default_factory=Origins)

    def __post_init__(self) -> None:
        for name, spec in specs(type(self)).items():
            object.__setattr__(self, name, self._normalise(spec, getattr(self, name)))
        self._finish()

    def _normalise(self, spec: FieldSpec, value: Any) -> Any:
        """Return the checked value of one field; a record may accept more than its field declares."""
        return field_value(spec, value, f"{self.label}.{spec.name}")

    def _finish(self) -> None:
        """Settle what depends on several fields."""
        if not isinstance(self.origins, Origins):
            object.__setattr__(self, "origins", Origins(self.origins))
        length: Length = ("", 1)
        for name, spec in specs(type(self)).items():
            for each in self._lengths(name, spec):
                length = joint_length(length, each, self.label)
        self.__dict__["_length"] = length
        self.check()

    def _lengths(self, name: str, spec: FieldSpec) -> Iterator[Length]:
        value = getattr(self, name)
        if spec.kind == "number" and isinstance(value, np.ndarray):
            yield name, value.size
        elif spec.kind == "part" and value is not None:
            path, size = value.__dict__["_length"]
            yield f"{name}.{path}", size
        elif spec.kind == "items":
            for index, each in enumerate(value):
                path, size = each.__dict__["_length"]
                yield f"{name}[{index}].{path}", size

    def check(self) -> None:
        """Check what depends on several fields; records with such rules override it."""

    @property
    def size(self) -> int:
        """Number of lanes: the common length of all arrays, 1 when there are only single values."""
        return int(self.__dict__["_length"][1])

    def digest(self) -> str:
        """Return the sha256 of the content (values and names, not origins and titles)."""
        known = self.__dict__.get("_digest")
        if known is None:
            sha = hashlib.sha256(type(self).__name__.encode())
            for name, spec in specs(type(self)).items():
                if spec.identity:
                    sha.update(name.encode() + b"=" + packed(getattr(self, name)) + b";")
            known = self.__dict__["_digest"] = sha.hexdigest()
        return str(known)

    def paths(self) -> tuple[str, ...]:
        """Return every dotted path to a number or text."""
        return tuple(leaves(type(self)))

    def _unknown(self, path: str) -> UnknownNameError:
        known = (*leaves(type(self)), *specs(type(self)))
        if not isinstance(path, str):
            return UnknownNameError(f"no parameter {path!r} of a {self.label}; a path is a text, such as {known[0]!r}")
        return UnknownNameError(f"no parameter {path!r} of a {self.label}; {nearest(path, known)}")

    def _owner(self, path: str) -> tuple[Record, str]:
        """Return the record that holds a path's last name, and that name."""
        if not isinstance(path, str):
            raise self._unknown(path)
        holder: Any = self
        *heads, last = path.split(".")
        for head in heads:
            holder = getattr(holder, head) if isinstance(holder, Record) and head in specs(type(holder)) else None
        if not isinstance(holder, Record) or last not in specs(type(holder)):
            raise self._unknown(path)
        return holder, last

    def get(self, path: str) -> Any:
        """Return the value at a dotted path, in the field's own unit."""
        holder, name = self._owner(path)
        return getattr(holder, name)

    def spec(self, path: str) -> FieldSpec:
        """Return what the field at a path may hold."""
        holder, name = self._owner(path)
        return specs(type(holder))[name]

    def origin(self, path: str) -> Origin | None:
        """Return where the value at a path comes from, None when nobody said."""
        holder, name = self._owner(path)
        return holder.origins.get(name)

    def internal(self, path: str) -> Value:
        """Return the number at a path in internal units (mg, L, h; mm, m2)."""
        holder, name = self._owner(path)
        spec = specs(type(holder))[name]
        if spec.kind != "number":
            raise ParameterError(f"{holder.label}.{name} is not a number and has no unit", field=path)
        scale = units.to_internal(spec.unit)
        value: Value = getattr(holder, name)
        return value if scale == 1 else value * scale

    def rows(self, prefix: str = "") -> Iterator[Row]:
        """Yield (path, value, unit, origin) of every parameter; what the record does not have is left out.

        A nan without an origin is a parameter that does not exist here, such as the rate of a Weibull law.
        """
        for name, spec in specs(type(self)).items():
            value = getattr(self, name)
            if isinstance(value, Record):
                yield from value.rows(f"{prefix}{name}.")
            elif spec.is_parameter and value is not None:
                origin = self.origins.get(name)
                absent = bool(np.all(np.isnan(value))) if isinstance(value, float | np.ndarray) else value == ()
                if origin is not None or not absent:
                    yield f"{prefix}{name}", value, spec.unit, origin

    def replace(self: _R, **changes: Any) -> _R:
        """Return a copy with some fields changed; their origin becomes ``user``.

        Raises
        ------
        UnknownNameError
            No such field.
        ParameterError
            A value is not legal.

        Warns
        -----
        PlausibilityWarning
            A value lies outside what its evidence makes plausible.
        """
        known = specs(type(self))
        origins = dict(changes.pop("origins", self.origins))
        for name in changes:
            if name not in known:
                raise self._unknown(name)
        new = object.__new__(type(self))
        new.__dict__.update({key: each for key, each in self.__dict__.items() if key not in ("_digest", "_length")})
        for name, value in changes.items():
            spec = known[name]
            settled = new._normalise(spec, value)
            object.__setattr__(new, name, settled)
            if spec.is_parameter:
                old = origins.get(name)
                origins[name] = Origin(kind="user", unit=spec.unit) if old is None else old.overridden()
                if settled is not None:
                    warn_if_implausible(f"{self.label}.{name}", settled, origins[name])
        object.__setattr__(new, "origins", Origins(origins))
        new._settle(changes)
        new._finish()
        return new

    def _settle(self, changes: Mapping[str, Any]) -> None:
        """Follow changed fields with others that depend on them; records with such fields override it."""

    def with_value(self: _R, path: str, value: Any) -> _R:
        """Return a copy with the value at a dotted path changed."""
        return self.with_values({path: value})

    def with_values(self: _R, values: Mapping[str, Any]) -> _R:
        """Return a copy with several values changed at once, so that rules between fields see them all."""
        if not isinstance(values, Mapping):
            raise InputError(f"{self.label}: values to set must be a mapping of path to value, got {values!r}")
        own: dict[str, Any] = {}
        nested: dict[str, dict[str, Any]] = {}
        for path, value in values.items():
            self._owner(path)
            head, _, rest = path.partition(".")
            if rest:
                nested.setdefault(head, {})[rest] = value
            else:
                own[head] = value
        for head, inner in nested.items():
            base = getattr(self, head)
            if head in own:
                base = self._normalise(specs(type(self))[head], own[head])
            own[head] = base.with_values(inner)
        return self.replace(**own)

    def __getstate__(self) -> dict[str, Any]:
        return dict(self.__dict__)

    def __setstate__(self, state: dict[str, Any]) -> None:
        # Pickle forgets that arrays were read-only.
        pending = list(state.values())
        while pending:
            value = pending.pop()
            if isinstance(value, np.ndarray):
                value.setflags(write=False)
            elif isinstance(value, tuple):
                pending.extend(value)
        self.__dict__.update(state)

    def __repr__(self) -> str:
        name = getattr(self, "name", None)
        lanes = f", {self.size} lanes" if self.size > 1 else ""
        return f"<{type(self).__name__}{f' {name}' if name else ''}{lanes}, {self.digest()[:8]}>"


def warn_if_implausible(label: str, value: Any, origin: Origin) -> None:
    """Warn when a number lies outside the range its evidence makes plausible."""
    limits = origin.plausible_range
    if limits is None or isinstance(value, str):
        return
    values = np.atleast_1d(np.asarray(value, dtype=np.float64))
    outside = (values < limits[0]) | (values > limits[1])
    if outside.any():
        unit = "" if origin.unit == "1" else f" {origin.unit}"
        which = f"{int(outside.sum())} of {values.size} values, such as " if values.size > 1 else ""
        warnings.warn(
            f"{label}: {which}{values[outside][0]:g}{unit} outside the plausible range "
            f"[{limits[0]:g}, {limits[1]:g}]{unit}",
            PlausibilityWarning,
            stacklevel=4,
        )
