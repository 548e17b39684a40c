"""How the fields of records are declared, and which fields and paths a record class has."""

from __future__ import annotations

import dataclasses
from typing import Any

from pkmodel.inputs.fields import REQUIRED, FieldSpec


def _field(spec: FieldSpec, kw_only: bool = True) -> Any:
    return dataclasses.field(default=spec.default, kw_only=kw_only, metadata={"spec": spec})


def number(
    unit: str,
    low: float,
    high: float,
    doc: str,
    *,
    default: Any = REQUIRED,
    low_open: bool = False,
    high_open: bool = False,
    allow_inf: bool = False,
    allow_nan: bool = False,
    optional: bool = False,
    identity: bool = True,
) -> Any:
    """Declare a numeric field: a float, or a 1-D array with one value a lane."""
    return _field(
        FieldSpec(
            "number",
            doc,
            unit=unit,
            low=low,
            high=high,
            low_open=low_open,
            high_open=high_open,
            allow_inf=allow_inf,
            allow_nan=allow_nan,
            optional=optional,
            identity=identity,
            default=default,
        )
    )


def series(unit: str, low: float, high: float, doc: str, *, default: Any = REQUIRED) -> Any:
    """Declare a tuple of numbers that belong together (a tabulated curve), the same in every lane."""
    return _field(FieldSpec("series", doc, unit=unit, low=low, high=high, default=default))


def text(
    doc: str,
    choices: tuple[str, ...] | None = None,
    *,
    default: Any = REQUIRED,
    pattern: str | None = None,
    identity: bool = True,
) -> Any:
    """Declare a text field, free or with choices."""
    return _field(FieldSpec("text", doc, choices=choices, pattern=pattern, identity=identity, default=default))


def part(record: type, doc: str = "", *, default: Any = REQUIRED, optional: bool = False, kw_only: bool = True) -> Any:
    """Declare a nested record."""
    spec = FieldSpec("part", doc or record.__name__, record=record, optional=optional, default=default)
    return _field(spec, kw_only)


def items(record: type, doc: str, *, default: Any = REQUIRED, kw_only: bool = True) -> Any:
    """Declare a tuple of records."""
    return _field(FieldSpec("items", doc, record=record, default=default), kw_only)


def other(doc: str, *, default: Any = REQUIRED) -> Any:
    """Declare a field that its record checks itself."""
    return _field(FieldSpec("other", doc, default=default))


def specs(cls: type) -> dict[str, FieldSpec]:
    """Return the fields of a record class, by name, in order."""
    known: dict[str, FieldSpec] | None = cls.__dict__.get("_specs")
    if known is None:
        known = {
            each.name: dataclasses.replace(each.metadata["spec"], name=each.name)
            for each in dataclasses.fields(cls)
            if "spec" in each.metadata
        }
        cls._specs = known  # type: ignore[attr-defined]
    return known


def leaves(cls: type) -> dict[str, FieldSpec]:
    """Return every dotted leaf path of a record class; paths do not enter tuples of records."""
    found: dict[str, FieldSpec] = {}
    for name, spec in specs(cls).items():
        if spec.kind == "part" and spec.record is not None:
            found.update({f"{name}.{path}": inner for path, inner in leaves(spec.record).items()})
        elif spec.kind not in ("items", "other"):
            found[name] = spec
    return found


def parameter_paths(cls: type) -> tuple[str, ...]:
    """Return the dotted paths of a record class's parameters: what has a value and should have an origin."""
    return tuple(path for path, spec in leaves(cls).items() if spec.is_parameter)
