"""TOML files into records: the format of the library and of a user's own files (schema 1)."""

from __future__ import annotations

import dataclasses
import re
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from pkmodel import units
from pkmodel.errors import FileError, InputError, nearest
from pkmodel.inputs.origin import DISTRIBUTIONS, KINDS, Origin
from pkmodel.inputs.record import FieldSpec, Record, Value, field_value, specs
from pkmodel.inputs.record import warn_if_implausible as _warn

SCHEMA = 1
_R = TypeVar("_R", bound=Record)
_KEYS = ("value", "unit", "range", "se", "cv", "plausible", "kind", "rows", "source", "note", "distribution")
_COMMA = re.compile(r"^[^#\"']*=\s*[+-]?[0-9]+,[0-9]")
_LINE = re.compile(r"at line ([0-9]+)")


def parse_text(data: bytes, where: str) -> dict[str, Any]:
    """Return the tables of a TOML file's bytes, with the schema checked and removed.

    Raises
    ------
    FileError
        Empty, not UTF-8, with a byte-order mark, not TOML, or of another schema.
    """
    if data.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")):
        raise FileError(f"{where} begins with a byte-order mark; save it as UTF-8 without BOM")
    try:
        content = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise FileError(f"{where} is not UTF-8 text (byte {error.start})") from None
    if not content.strip():
        raise FileError(f"{where} is empty")
    try:
        table = tomllib.loads(content)
    except (ValueError, RecursionError) as error:
        line = _LINE.search(str(error))
        lines = content.splitlines()
        at = int(line[1]) - 1 if line else -1
        hint = "; decimal comma? write a decimal point" if 0 <= at < len(lines) and _COMMA.match(lines[at]) else ""
        raise FileError(f"{where} is not valid TOML: {error}{hint}") from None
    schema = table.pop("schema", None)
    if type(schema) is not int or schema != SCHEMA:
        found = "has no schema" if schema is None else f"has schema {schema!r}"
        raise FileError(f"{where} {found}; write 'schema = {SCHEMA}' at its top")
    return table


def read_toml(path: Path) -> dict[str, Any]:
    """Return the tables of a TOML file; see `parse_text`."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        here = path.parent
        others = [each.name for each in here.glob("*.toml")] if here.is_dir() else []
        raise FileError(f"no file {str(path)!r}" + (f"; {nearest(path.name, others)}" if others else "")) from None
    except (OSError, ValueError) as error:
        raise FileError(f"cannot read {str(path)!r}: {getattr(error, 'strerror', None) or error}") from None
    return parse_text(data, str(path))


def refuse_unknown(table: Mapping[str, Any], known: tuple[str, ...], where: str) -> None:
    """Raise a FileError when a table has a key that nobody reads."""
    for key in table:
        if key not in known:
            raise FileError(f"{where}: unknown key {key!r}; {nearest(key, known)}")


def build(cls: type[_R], table: Mapping[str, Any], *, where: str, library: bool, base: _R | None = None) -> _R:
    """Make a record from a TOML table.

    Parameters
    ----------
    cls
        Record class.
    table
        The file's tables, without ``schema`` and ``base``.
    where
        The file's name, for messages.
    library
        Whether the file is pkmodel's own: then every number needs an origin; a user's may say ``key = 3``.
    base
        Record that supplies what the table does not state.

    Raises
    ------
    InputError
        A key is unknown or missing, a value not legal, an origin incomplete.
    """
    return _Builder(where, library).record(cls, table, "", base)


class _Builder:
    """Walks the tables of one file."""

    def __init__(self, where: str, library: bool) -> None:
        self.where = where
        self.library = library

    def record(self, cls: type[_R], table: Mapping[str, Any], prefix: str, base: _R | None) -> _R:
        known = specs(cls)
        place = f"{self.where}: [{prefix[:-1]}]" if prefix else self.where
        refuse_unknown(table, tuple(name for name, spec in known.items() if spec.kind != "other"), place)
        values: dict[str, Any] = {} if base is None else {name: getattr(base, name) for name in known}
        origins: dict[str, Origin] = {} if base is None else dict(base.origins)
        for name, spec in known.items():
            path = f"{prefix}{name}"
            if name not in table:
                if name not in values and spec.kind == "part":
                    raise FileError(f"{self.where}: table [{path}] is missing")
                if name not in values and spec.required:
                    raise FileError(f"{self.where}: {path!r} is missing; it is the {spec.doc} ({spec.legal})")
                continue
            if spec.kind == "part":
                assert spec.record is not None
                if not isinstance(table[name], dict):
                    raise FileError(f"{self.where}: {path!r} must be a table [{path}]")
                values[name] = self.record(spec.record, table[name], f"{path}.", values.get(name))
            else:
                values[name], origin = self._field(spec, table[name], path, f"{cls.label}.{name}", origins.get(name))
                if origin is not None:
                    origins[name] = origin
        return self._guard(lambda: cls(**values, origins=origins))

    def _guard(self, make: Callable[[], Any]) -> Any:
        try:
            return make()
        except InputError as error:
            raise error.located(self.where) from None

    def _field(
        self, spec: FieldSpec, given: Any, path: str, label: str, old: Origin | None
    ) -> tuple[Any, Origin | None]:
        if not isinstance(given, dict):
            if self.library and spec.kind != "text":
                raise FileError(
                    f"{self.where}: {path!r} has no origin; write a table [{path}] with value, unit and kind"
                )
            value = self._guard(lambda: field_value(spec, given, label))
            if not spec.is_parameter or (self.library and old is None):
                return value, None
            return value, self._checked(label, value, (old or Origin("user", spec.unit)).overridden(self.where))
        refuse_unknown(given, _KEYS, f"{self.where}: [{path}]")
        if "value" not in given:
            raise FileError(f"{self.where}: [{path}] has no value")
        value, scale = self._converted(spec, given, path, label)
        origin = self._origin(spec, given, path, scale)
        if not self.library and old is not None and origin.plausible is None:
            # What is plausible stays known: a unit mixed up scales a user's own range along with the value.
            origin = dataclasses.replace(origin, plausible=old.plausible_range)
        for name in ("range", "plausible"):
            limits = getattr(origin, name)
            # A user may leave what is plausible (with a warning), but nobody a range they state themselves.
            strict = name == "range" or self.library
            if strict and limits is not None and isinstance(value, float) and not _within(value, limits):
                raise FileError(
                    f"{self.where}: [{path}] value {value:g} lies outside its own {name} "
                    f"[{limits[0]:g}, {limits[1]:g}] {spec.unit}"
                )
        return value, self._checked(label, value, origin)

    def _checked(self, label: str, value: Any, origin: Origin) -> Origin:
        if not self.library:
            _warn(f"{self.where}: {label}", value, origin)
        return origin

    def _converted(self, spec: FieldSpec, given: Mapping[str, Any], path: str, label: str) -> tuple[Any, float]:
        """Return the value in the field's own unit, and the factor for its range."""
        value, unit = given["value"], given.get("unit")
        if spec.kind == "text":
            if unit is not None:
                raise FileError(f"{self.where}: [{path}] is a text and has no unit")
            return self._guard(lambda: field_value(spec, value, label)), 1.0
        if unit is None:
            if spec.unit != "1":
                raise FileError(f"{self.where}: [{path}] has no unit; it is kept in {spec.unit!r}")
            unit = "1"
        if not isinstance(unit, str) or isinstance(value, str):
            raise FileError(f"{self.where}: [{path}] needs a bare number as value and a text as unit")
        try:
            scale = units.factor(unit, spec.unit)
        except InputError as error:
            raise error.located(f"{self.where}: [{path}]") from None
        if isinstance(value, list):
            value = [_scaled(each, scale) for each in value]
        return self._guard(lambda: field_value(spec, _scaled(value, scale), label)), scale

    def _origin(self, spec: FieldSpec, given: Mapping[str, Any], path: str, scale: float) -> Origin:
        place = f"{self.where}: [{path}]"
        kinds = tuple(kind for kind in KINDS if not (self.library and kind == "user"))
        kind, rows, source = given.get("kind"), given.get("rows", []), given.get("source")
        note, distribution = given.get("note", ""), given.get("distribution", "lognormal")
        if kind is None:
            raise FileError(f"{place} has no kind; one of {', '.join(kinds)}")
        if kind not in kinds:
            raise FileError(f"{place} kind {kind!r} is not legal; {nearest(str(kind), kinds)}")
        if distribution not in DISTRIBUTIONS:
            known = nearest(str(distribution), DISTRIBUTIONS)
            raise FileError(f"{place} distribution {distribution!r} is not legal; {known}")
        if not isinstance(rows, list) or not all(isinstance(each, str) for each in rows):
            raise FileError(f"{place} rows must be a list of evidence row ids")
        if not isinstance(note, str) or not isinstance(source, str | None):
            raise FileError(f"{place} note and source must be texts")
        ranged = self._pair(given, "range", place, scale)
        if kind == "assumed" and not (note.strip() and (ranged or spec.kind != "number")):
            raise FileError(f"{place} is assumed and needs a note and a range")
        if kind in ("measured", "fitted", "derived") and not (rows or source):
            raise FileError(f"{place} is {kind} and needs evidence rows or a source")
        return Origin(
            kind=kind,
            unit=spec.unit,
            range=ranged,
            se=self._single(given, "se", place, scale),
            cv=self._single(given, "cv", place, 1.0),
            plausible=self._pair(given, "plausible", place, scale),
            rows=tuple(rows),
            source=source,
            note=note,
            distribution=distribution,
        )

    def _single(self, given: Mapping[str, Any], key: str, place: str, scale: float) -> float | None:
        if key not in given:
            return None
        if not _is_number(given[key]) or not given[key] >= 0:
            raise FileError(f"{place} {key} must be a number of at least 0")
        return float(_scaled(given[key], scale))

    def _pair(self, given: Mapping[str, Any], key: str, place: str, scale: float) -> tuple[float, float] | None:
        if key not in given:
            return None
        pair = given[key]
        if not (isinstance(pair, list) and len(pair) == 2 and all(map(_is_number, pair)) and pair[0] <= pair[1]):
            raise FileError(f"{place} {key} must be two numbers, the lower first")
        return float(_scaled(pair[0], scale)), float(_scaled(pair[1], scale))


def _is_number(value: Any) -> bool:
    # An integer too large for a float is none of ours; the field's own check refuses it by name.
    return isinstance(value, float) or (type(value) is int and abs(value) < 2**1023)


def _scaled(value: Any, scale: float) -> Any:
    """Return a number times a factor; anything else unchanged, for the field's own check to refuse."""
    return value * scale if scale != 1 and _is_number(value) else value


def _within(value: Value, limits: tuple[float, float]) -> bool:
    slack = 1e-9 * max(abs(limits[0]), abs(limits[1]))
    return bool(value != value or (limits[0] - slack <= value <= limits[1] + slack) or abs(value) == float("inf"))
