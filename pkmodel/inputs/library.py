"""The library: drugs, patients, catheters, carriers and embolics by name, by file, or as records."""

from __future__ import annotations

import csv
import io
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType
from typing import Any, cast

from pkmodel.errors import FileError, InputError, UnknownNameError
from pkmodel.inputs.drug import Drug
from pkmodel.inputs.materials import Carrier, Embolic
from pkmodel.inputs.patient import Catheter, Patient
from pkmodel.inputs.record import Record
from pkmodel.inputs.tomlfile import build, parse_text, read_toml, refuse_unknown

KINDS: Mapping[str, type[Record]] = MappingProxyType(
    {"drugs": Drug, "patients": Patient, "catheters": Catheter, "carriers": Carrier, "embolics": Embolic}
)
_FOLDERS = (*KINDS, "regimens", "cases")


def _data() -> Any:
    return files("pkmodel.inputs") / "data"


@cache
def names(kind: str) -> tuple[str, ...]:
    """Return the library's names of one kind, sorted.

    Parameters
    ----------
    kind
        ``drugs``, ``patients``, ``catheters``, ``carriers``, ``embolics``, ``regimens`` or ``cases``.
    """
    if kind not in _FOLDERS:
        raise UnknownNameError.of("kind of library record", kind, _FOLDERS)
    folder = _data() / kind
    if not folder.is_dir():
        return ()
    return tuple(sorted(each.name.removesuffix(".toml") for each in folder.iterdir() if each.name.endswith(".toml")))


def library_bytes(kind: str, name: str) -> bytes:
    """Return the bytes of a library file; only listed names exist, so none leaves its folder."""
    if name not in names(kind):
        raise UnknownNameError.of(kind.removesuffix("s"), name, names(kind))
    return bytes((_data() / kind / f"{name}.toml").read_bytes())


@cache
def _from_library(kind: str, name: str) -> Record:
    where = f"{kind}/{name}.toml"
    return _from_table(kind, parse_text(library_bytes(kind, name), where), where=where, folder=None, trail=(name,))


def _from_table(kind: str, table: dict[str, Any], *, where: str, folder: Path | None, trail: tuple[str, ...]) -> Record:
    """Return the record of a file's tables; `folder` is None inside the library."""
    base_name = table.pop("base", None)
    base: Record | None = None
    if base_name is not None:
        if not isinstance(base_name, str):
            raise FileError(f"{where}: base must be a library name or a path")
        if base_name.endswith(".toml") and folder is not None:
            base = _from_file(kind, folder / base_name, trail)
        elif base_name in trail:
            raise FileError(f"{where}: base {base_name!r} leads back to the file itself")
        else:
            base = _from_library(kind, base_name)
    if kind == "carriers":
        return _carrier(table, where, folder is None, base)
    return build(KINDS[kind], table, where=where, library=folder is None, base=base)


def _carrier(table: dict[str, Any], where: str, library: bool, base: Any) -> Carrier:
    """Return a carrier with its versions for single drugs, the tables ``[for.DRUG...]``."""
    own = table.pop("for", {})
    if not isinstance(own, dict) or not all(isinstance(each, dict) for each in own.values()):
        raise FileError(f"{where}: 'for' must hold tables [for.DRUG]")
    main = build(Carrier, table, where=where, library=library, base=base)
    inherited = {} if base is None else dict(base.variants)
    variants = {
        drug: build(Carrier, table, where=where, library=library, base=each) for drug, each in inherited.items()
    }
    for drug, changes in own.items():
        place = f"{where}: [for.{drug}]"
        refuse_unknown(changes, ("product", "prompt_fraction", "release"), place)
        start = variants.get(drug, main.replace(variants=()))
        variants[drug] = build(Carrier, changes, where=place, library=library, base=start)
    return main.replace(variants=variants)


def _from_file(kind: str, path: Path, trail: tuple[str, ...] = ()) -> Record:
    table = read_toml(path)
    key = str(path.resolve())
    if key in trail:
        raise FileError(f"{path}: base leads back to the file itself")
    return _from_table(kind, table, where=str(path), folder=path.parent, trail=(*trail, key))


def load(kind: str, what: Any, *, folder: Path | None = None) -> Any:
    """Return a record of one kind.

    Parameters
    ----------
    kind
        ``drugs``, ``patients``, ``catheters``, ``carriers`` or ``embolics``.
    what
        A record (returned as it is), a library name, or the path of a TOML file: a Path, or a text that
        ends in ``.toml``.
    folder
        Where relative paths start; the working directory by default.

    Raises
    ------
    UnknownNameError
        No such name in the library.
    FileError
        The file cannot be read or is not in the format.
    """
    if kind not in KINDS:
        raise UnknownNameError.of("kind of library record", kind, KINDS)
    if isinstance(what, KINDS[kind]):
        return what
    if isinstance(what, Path) or (isinstance(what, str) and what.endswith(".toml")):
        return _from_file(kind, folder / what if folder is not None else Path(what))
    if isinstance(what, str):
        return _from_library(kind, what)
    one, name = kind.removesuffix("s"), KINDS[kind].__name__
    article = "an" if name[0] in "AEIOU" else "a"
    raise InputError(f"{one}: expected {article} {name} record, a library name or a TOML path, got {what!r}")


def drug(what: Drug | str | Path) -> Drug:
    """Return a drug; see `load`."""
    return cast(Drug, load("drugs", what))


def patient(what: Patient | str | Path) -> Patient:
    """Return a patient; see `load`."""
    return cast(Patient, load("patients", what))


def catheter(what: Catheter | str | Path) -> Catheter:
    """Return a catheter position; see `load`."""
    return cast(Catheter, load("catheters", what))


def carrier(what: Carrier | str | Path) -> Carrier:
    """Return a carrier; see `load`."""
    return cast(Carrier, load("carriers", what))


def embolic(what: Embolic | str | Path) -> Embolic:
    """Return a single embolic; see `load`, and `embolics` for several at once."""
    return cast(Embolic, load("embolics", what))


def embolics(what: Any, *, folder: Path | None = None) -> tuple[Embolic, ...]:
    """Return all embolics of a session.

    Parameters
    ----------
    what
        None, a record, a name, a path, several names joined by ``+`` as in ``lipiodol+gelatin_sponge``, or a
        sequence of these.
    folder
        Where relative paths start.
    """
    if what is None:
        return ()
    if isinstance(what, list | tuple):
        return tuple(one for each in what for one in embolics(each, folder=folder))
    if isinstance(what, str) and not (what.endswith(".toml") and ((folder or Path()) / what).exists()):
        return tuple(load("embolics", each.strip(), folder=folder) for each in what.split("+"))
    return (load("embolics", what, folder=folder),)


@cache
def sources() -> dict[str, Any]:
    """Return ``data/sources.toml``: citation key -> source."""
    return tomllib.loads((_data() / "sources.toml").read_text(encoding="utf-8"))


@cache
def _evidence() -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    folder = _data() / "evidence"
    for each in sorted(folder.iterdir(), key=lambda entry: str(entry.name)) if folder.is_dir() else ():
        if each.name.endswith(".csv"):
            for row in csv.DictReader(io.StringIO(each.read_text(encoding="utf-8"), newline="")):
                found[row["id"]] = row
    return found


def evidence_ids() -> tuple[str, ...]:
    """Return the ids of all rows of the evidence tables."""
    return tuple(_evidence())


def data_bytes(*parts: str) -> bytes:
    """Return the bytes of a file below the library's data folder, such as ``("cases", "misses.csv")``."""
    place = _data()
    for part in parts:
        place = place / part
    return bytes(place.read_bytes())


def evidence_row(row_id: str) -> Mapping[str, str]:
    """Return one row of the evidence tables by its id.

    Raises
    ------
    UnknownNameError
        No table has such a row.
    """
    try:
        return MappingProxyType(_evidence()[row_id])
    except KeyError:
        raise UnknownNameError.of("evidence row", row_id, _evidence()) from None
