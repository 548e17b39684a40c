"""Scenario files: a whole treatment in one TOML file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pkmodel.errors import FileError, InputError
from pkmodel.inputs import library
from pkmodel.inputs.record import FieldSpec, number_value
from pkmodel.inputs.regimen import Regimen
from pkmodel.inputs.scenario import Scenario
from pkmodel.inputs.session import Dose, Session
from pkmodel.inputs.tomlfile import read_toml, refuse_unknown

_KEYS = ("title", "patient", "catheter", "until", "review_days", "session", "set")
_SESSION = ("at", "give", "embolic")
_GIVE = ("drug", "dose", "route", "carrier", "duration", "start")
_UNTIL = FieldSpec("number", "end of the run", name="until", unit="h", low=0, high=1e6, low_open=True)


def load_scenario(path: str | Path) -> tuple[Scenario, float | None]:
    """Read a scenario file.

    Parameters
    ----------
    path
        A TOML file with ``schema = 1``; paths in it start from its folder.

    Returns
    -------
    scenario
        The scenario, with the values of ``[set]``.
    until_h
        End of the run [h], None when the file does not say.

    Raises
    ------
    FileError
        The file cannot be read, or is not in the format.
    InputError
        A name or value in it is wrong; the message names the file.
    """
    if not isinstance(path, str | Path):
        raise InputError(f"scenario file: expected a path, got {path!r}")
    place = Path(path)
    return scenario_from_table(read_toml(place), where=str(place), folder=place.parent)


def scenario_from_table(
    table: Mapping[str, Any], *, where: str, folder: Path | None = None, further: tuple[str, ...] = ()
) -> tuple[Scenario, float | None]:
    """Make a scenario from the tables of a file; see `load_scenario`.

    Parameters
    ----------
    table
        The tables, without ``schema``.
    where
        The file's name, for messages.
    folder
        Where relative paths start.
    further
        Keys that belong to the caller, such as a sweep's ``axes``.
    """
    refuse_unknown(table, (*_KEYS, *further), where)
    if "patient" not in table:
        raise FileError(f"{where}: 'patient' is missing; write a library name or the path of a TOML file")
    if not isinstance(table.get("title", ""), str):
        raise FileError(f"{where}: title = {table['title']!r} is not a text")
    try:
        until = _until(table.get("until"))
        scenario = Scenario(
            library.load("patients", table["patient"], folder=folder),
            _regimen(table, where, folder),
            catheter=library.load("catheters", table.get("catheter", "lobar"), folder=folder),
            review_days=table.get("review_days"),
        )
        changes = _flat(_table(table.get("set", {}), f"{where}: [set]"))
        return (scenario.with_values(changes) if changes else scenario), until
    except InputError as error:
        raise error if str(error).startswith(where) else error.located(where) from None


def _until(given: Any) -> float | None:
    if given is None:
        return None
    if not isinstance(given, str) or given.strip()[-1:].isdigit():
        raise FileError(f"until = {given!r} needs a unit, such as '28 d'")
    found = number_value(_UNTIL, given, "until")
    assert isinstance(found, float)
    return found


def _table(given: Any, place: str) -> Mapping[str, Any]:
    if not isinstance(given, Mapping):
        raise FileError(f"{place} must be a table")
    return given


def _list(given: Any, place: str) -> list[Any]:
    if not isinstance(given, list):
        raise FileError(f"{place} must be a list of tables")
    return given


def _regimen(table: Mapping[str, Any], where: str, folder: Path | None) -> Regimen:
    given = _list(table.get("session", []), f"{where}: session")
    if not given:
        raise FileError(f"{where}: a scenario needs at least one [[session]]")
    sessions = []
    for index, each in enumerate(given, 1):
        place = f"{where}: session {index}"
        entry = _table(each, place)
        refuse_unknown(entry, _SESSION, place)
        if "at" not in entry:
            raise FileError(f"{place} has no 'at'; write its time, such as '0 d'")
        try:
            doses = tuple(
                _dose(_table(one, f"{place}: give"), f"{place}, dose {n}", folder)
                for n, one in enumerate(_list(entry.get("give", []), f"{place}: give"), 1)
            )
            embolics = library.embolics(entry.get("embolic"), folder=folder)
            sessions.append(Session(at=entry["at"], doses=doses, embolics=embolics))
        except InputError as error:
            raise error if str(error).startswith(place) else error.located(place) from None
    return Regimen(tuple(sessions))


def _dose(given: Mapping[str, Any], place: str, folder: Path | None) -> Dose:
    """Return a dose; ``dose`` may be a table drug name -> amount, then without ``drug``."""
    refuse_unknown(given, _GIVE, place)
    for key in ("dose", "route"):
        if key not in given:
            raise FileError(f"{place} has no {key!r}")
    mixed = isinstance(given["dose"], Mapping)
    if mixed == ("drug" in given):
        raise FileError(f"{place} needs 'drug' with one dose, or a table of doses by drug and no 'drug'")
    amounts = list(given["dose"].items()) if mixed else [(given["drug"], given["dose"])]
    drugs = [(library.load("drugs", name, folder=folder), amount) for name, amount in amounts]
    carrier = given.get("carrier")
    return Dose(
        drugs=tuple(each for each, _ in drugs),
        amounts=tuple((each.name, amount) for each, amount in drugs),
        route=given["route"],
        carrier=None if carrier is None else library.load("carriers", carrier, folder=folder),
        duration=given.get("duration"),  # type: ignore[arg-type]
        start=given.get("start"),
    )


def _flat(table: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return path -> value; quoted paths and nested tables mean the same."""
    found: dict[str, Any] = {}
    for key, value in table.items():
        inner = _flat(value, f"{prefix}{key}.") if isinstance(value, Mapping) else {f"{prefix}{key}": value}
        for path in inner:
            if path in found:
                raise FileError(f"[set] gives {path!r} twice, once in quotes and once as a table")
        found.update(inner)
    return found
