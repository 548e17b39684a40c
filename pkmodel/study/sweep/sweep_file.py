"""Sweep files: a scenario, its axes, the design and the output in one TOML file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ...errors import FileError, InputError
from ...inputs.fields import FieldSpec, number_value
from ...inputs.scenario import Scenario
from ...inputs.scenario_file import scenario_from_table
from ...inputs.tomlfile import read_toml, refuse_unknown
from ..population import cohort
from .axes import RANGE_KEYS
from .design import POINTS, read_points

_TABLES = ("axes", "design", "cohort", "output")
_DESIGN = ("kind", "n", "seed", "file")
_OUTPUT = ("metrics", "courses_at", "subjects", "rtol")
_COHORT = ("n", "seed", "vary")
_FILE = "csv"
_TIME = FieldSpec("number", "time of a course", name="courses_at", unit="h", low=0, high=1e6)


def load_sweep_file(path: str | Path) -> tuple[Scenario, Any, dict[str, Any]]:
    """Read a sweep file.

    Parameters
    ----------
    path : a TOML file with ``schema = 1``: a scenario, and the tables ``[axes]``, ``[design]``, ``[output]``
        and, for a cohort in every point, ``[cohort]`` (n, seed, vary); paths in it start from its folder

    Returns
    -------
    scenario, axes, further arguments
        As `sweep` takes them.

    Raises
    ------
    FileError
        The file cannot be read, or is not in the format.
    InputError
        A name or value in it is wrong; the message names the file.
    """
    place = Path(path)
    table, where = read_toml(place), str(place)
    scenario, until_h = scenario_from_table(table, where=where, folder=place.parent, further=_TABLES)
    design = _table(table.get("design", {}), f"{where}: [design]", _DESIGN)
    output = _table(table.get("output", {}), f"{where}: [output]", _OUTPUT)
    if "cohort" in table:
        scenario = _with_cohort(scenario, _table(table["cohort"], f"{where}: [cohort]", _COHORT), where)
    kind = design.get("kind", "grid")
    further: dict[str, Any] = {"design": kind, "n": design.get("n"), "seed": design.get("seed", 0)}
    if kind in ("grid", _FILE) and "seed" in design:
        raise FileError(f"{where}: [design] seed has no effect on a design of kind {kind!r}")
    if kind == _FILE:
        if "axes" in table or "n" in design or "file" not in design:
            raise FileError(f"{where}: [design] of kind 'csv' takes its 'file' alone, no n and no [axes]")
        axes: Any = read_points(place.parent / str(design["file"]))
        further["design"] = POINTS
    else:
        if kind == POINTS or "file" in design:
            raise FileError(f"{where}: [design] points of a file are of kind 'csv', with 'file'")
        if "axes" not in table:
            raise FileError(f"{where} has no [axes]; write path = list of values, or {{ low, high }}")
        axes = _axes(table["axes"], f"{where}: [axes]", place.parent)
    if until_h is not None:
        further["until_days"] = until_h / 24.0
    further |= _output(output, where)
    return scenario, axes, {key: value for key, value in further.items() if value is not None}


def _with_cohort(scenario: Scenario, given: Mapping[str, Any], where: str) -> Scenario:
    """The scenario with a cohort in it: that of every point."""
    if "n" not in given:
        raise FileError(f"{where}: [cohort] has no n, its number of subjects")
    try:
        return cohort(scenario, **{"seed": 0, **given})
    except InputError as error:
        raise error.located(f"{where}: [cohort]") from None


def _table(given: Any, where: str, known: tuple[str, ...]) -> Mapping[str, Any]:
    if not isinstance(given, Mapping):
        raise FileError(f"{where} must be a table")
    refuse_unknown(given, known, where)
    return given


def _axes(given: Any, where: str, folder: Path, prefix: str = "") -> dict[str, Any]:
    """Return path -> values; quoted paths and nested tables mean the same, files start from the sweep's folder."""
    if not isinstance(given, Mapping):
        raise FileError(f"{where} must be a table")
    found: dict[str, Any] = {}
    for key, value in given.items():
        path = f"{prefix}{key}"
        if isinstance(value, Mapping) and not set(value) & set(RANGE_KEYS):
            inner = _axes(value, where, folder, f"{path}.")
        else:
            inner = {path: [_placed(each, folder) for each in value] if isinstance(value, list) else value}
        for each in inner:
            if each in found:
                raise FileError(f"{where} gives {each!r} twice, once in quotes and once as a table")
        found.update(inner)
    return found


def _placed(value: Any, folder: Path) -> Any:
    return str(folder / value) if isinstance(value, str) and value.endswith(".toml") else value


def _output(given: Mapping[str, Any], where: str) -> dict[str, Any]:
    found: dict[str, Any] = {"subjects": given.get("subjects", False), "rtol": given.get("rtol", 1e-5)}
    if not isinstance(found["subjects"], bool):
        raise FileError(f"{where}: [output] subjects must be true or false")
    for key in ("metrics", "courses_at"):
        if key in given and not isinstance(given[key], list):
            raise FileError(f"{where}: [output] {key} must be a list")
    found["outputs"] = given.get("metrics")
    try:
        found["courses_h"] = [float(number_value(_TIME, each, "courses_at")) for each in given.get("courses_at", [])]
    except InputError as error:
        raise error.located(f"{where}: [output]") from None
    return found
