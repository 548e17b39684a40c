"""The rehearsal of a sweep: a few scenarios are made before anything is computed, to warn and to fail early."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ...errors import InputError, ParameterError, UnknownNameError
from ...model.body import Run, lower
from ...solve.runs import READING_AFTER_H
from .axes import Axis
from .design import Design
from .plan import Plan

# So many points are tried before a sweep in which none can be made is an error instead of a table.
MOST_TRIED = 64


def rehearse(plan: Plan, until_h: float | None) -> None:
    """Make the ends of the axes and every name: warn of what is implausible, raise what can never work.

    Raises
    ------
    UnknownNameError
        A path or name does not exist.
    InputError
        None of them can be made, nor any of the first points.
    """
    made = [_error(plan, values, until_h) for values in _ends(plan.design)]
    if None in made:
        return
    if all(_error(plan, values, until_h) for values in _first(plan.design)):
        assert made[0] is not None
        raise made[0]


def _error(plan: Plan, values: Mapping[str, Any], until_h: float | None) -> InputError | None:
    """Why a scenario cannot be made with values; None when it can."""
    try:
        made = plan.scenario.with_values(values)
        if until_h is None and not made.regimen.sessions:
            raise ParameterError("without a session the horizon must be given: until_days", field="until_days")
        last: Any = made.regimen.sessions[-1].at if made.regimen.sessions else 0.0
        lower([Run(made, last + READING_AFTER_H if until_h is None else until_h)])
    except UnknownNameError as error:
        named = [_named(axis, values[axis.path]) for axis in plan.design.axes if axis.labels is not None]
        raise error.located(f"axes, with {', '.join(named)}") if named else error from None
    except InputError as error:
        return error
    return None


def _named(axis: Axis, option: Any) -> str:
    assert axis.labels is not None
    where = next(i for i, each in enumerate(axis.options) if each is option)
    return f"{axis.path} = {axis.labels[where]!r}"


def _first(design: Design) -> Iterator[dict[str, Any]]:
    """Values of the first points."""
    for row in design.rows(0, min(MOST_TRIED, design.size)):
        yield {
            axis.path: float(value) if axis.labels is None else axis.options[int(value)]
            for axis, value in zip(design.axes, row, strict=True)
        }


def _ends(design: Design) -> Iterator[dict[str, Any]]:
    """The first point, the lower and the upper ends of all axes, and the first point under every name."""
    start = next(_first(design))
    low, high = dict(start), dict(start)
    for axis in design.axes:
        if axis.labels is None:
            levels = axis.levels
            low[axis.path] = axis.low if levels is None else float(levels.min())
            high[axis.path] = axis.high if levels is None else float(levels.max())
    yield from (start, low, high)
    for axis in design.axes:
        for option in axis.options:
            yield {**start, axis.path: option}
