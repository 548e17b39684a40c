"""Paths of a scenario: which value a path means, how it is read and how it is changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from pkmodel.errors import RegimenError, UnknownNameError, nearest
from pkmodel.inputs.drug import Drug
from pkmodel.inputs.materials import Carrier, Embolic
from pkmodel.inputs.patient import Catheter, Patient
from pkmodel.inputs.record import FieldSpec, Origin, Record, Row, packed, parameter_paths, specs
from pkmodel.inputs.regimen import COUNT, EVERY
from pkmodel.inputs.session import AMOUNT, Dose, Session

if TYPE_CHECKING:
    from pkmodel.inputs.scenario import Scenario

_CLASSES: dict[str, type[Record]] = {
    "patient": Patient,
    "catheter": Catheter,
    "drug": Drug,
    "carrier": Carrier,
    "embolic": Embolic,
}
REGIMEN, NAMES, VALUES = range(3)


class Address(NamedTuple):
    """What a path means.

    Parameters
    ----------
    kind
        ``patient``, ``catheter``, ``drug``, ``carrier``, ``embolic``, ``dose``, ``at``, ``duration``,
        ``regimen`` or ``review_days``.
    sessions
        Indices (from 0) of the sessions concerned.
    name
        The drug, carrier or embolic meant, None = all.
    rest
        Path inside the record; empty = the record itself, by its name.
    """

    kind: str
    sessions: tuple[int, ...] = ()
    name: str | None = None
    rest: str = ""

    @property
    def phase(self) -> int:
        """When a change is made: a later phase sees the sessions and records of the earlier ones."""
        if self.kind == "regimen":
            return REGIMEN
        return NAMES if self.kind in ("patient", "catheter", "carrier", "embolic") and not self.rest else VALUES


def _materials(session: Session, kind: str) -> tuple[Carrier | Embolic, ...]:
    if kind == "embolic":
        return session.embolics
    return tuple(each.carrier for each in session.doses if each.carrier is not None)


def _given(session: Session) -> list[str]:
    return [name for dose in session.doses for name, _ in dose.amounts]


def _material_addresses(sessions: tuple[Session, ...], kind: str) -> Iterator[tuple[str, Address]]:
    leaves = parameter_paths(_CLASSES[kind])
    holders = {i: [each.name for each in _materials(session, kind)] for i, session in enumerate(sessions)}
    using = tuple(i for i, found in holders.items() if found)
    names = dict.fromkeys(name for found in holders.values() for name in found)
    # Without a number: the sessions that have one, or else those in which one could be given into the artery.
    able = tuple(i for i, session in enumerate(sessions) if any(dose.route != "iv" for dose in session.doses))
    if using or able:
        yield kind, Address(kind, using or able)
        yield f"session.{kind}", Address(kind, using or able)
    for i in range(len(sessions)) if kind == "embolic" else able:
        yield f"session.{i + 1}.{kind}", Address(kind, (i,))
    for leaf in leaves if using else ():
        yield f"{kind}.{leaf}", Address(kind, using, None, leaf)
        for i in using:
            yield f"session.{i + 1}.{kind}.{leaf}", Address(kind, (i,), None, leaf)
        for name in names:
            yield f"{kind}.{name}.{leaf}", Address(kind, using, name, leaf)


def _session_addresses(sessions: tuple[Session, ...]) -> Iterator[tuple[str, Address]]:
    scopes = [("session", tuple(range(len(sessions))))] if sessions else []
    scopes += [(f"session.{i + 1}", (i,)) for i in range(len(sessions))]
    for head, scope in scopes:
        yield f"{head}.at", Address("at", scope)
        dosed = tuple(i for i in scope if sessions[i].doses)
        if not dosed:
            continue
        yield f"{head}.duration", Address("duration", dosed)
        if all(len(set(_given(sessions[i]))) == 1 for i in dosed):
            yield f"{head}.dose", Address("dose", dosed)
        for name in dict.fromkeys(name for i in dosed for name in _given(sessions[i])):
            giving = tuple(i for i in dosed if name in _given(sessions[i]))
            yield f"{head}.dose.{name}", Address("dose", giving, name)


def known(scenario: Scenario) -> dict[str, Address]:
    """Return every path of a scenario with its meaning."""
    regimen = scenario.regimen
    found = {"patient": Address("patient"), "catheter": Address("catheter")}
    for kind in ("patient", "catheter"):
        found.update({f"{kind}.{leaf}": Address(kind, rest=leaf) for leaf in parameter_paths(_CLASSES[kind])})
    names = [each.name for each in regimen.drugs]
    for leaf in parameter_paths(Drug):
        if len(names) == 1:
            found[f"drug.{leaf}"] = Address("drug", name=names[0], rest=leaf)
        found.update({f"drug.{name}.{leaf}": Address("drug", name=name, rest=leaf) for name in names})
    for kind in ("carrier", "embolic"):
        found.update(_material_addresses(regimen.sessions, kind))
    found.update(_session_addresses(regimen.sessions))
    if regimen.sessions:
        found.update({f"regimen.{each}": Address("regimen", rest=each) for each in ("every", "times")})
    found["review_days"] = Address("review_days")
    return found


def unknown(path: str, found: Mapping[str, Address]) -> UnknownNameError:
    """Return the error for a path that does not exist."""
    if not isinstance(path, str):
        return UnknownNameError(f"no path {path!r} in this scenario; a path is a text, such as 'patient.bsa'")
    root = path.split(".")[0]
    if root in ("carrier", "embolic") and not any(each.startswith(f"{root}.") for each in found):
        article = "an" if root == "embolic" else "a"
        return UnknownNameError(f"no path {path!r} in this scenario: no session has {article} {root}")
    return UnknownNameError(f"no path {path!r} in this scenario; {nearest(path, found)}")


def find(scenario: Scenario, path: str) -> Address:
    """Return what a path means, or raise UnknownNameError with the nearest paths."""
    found = known(scenario)
    if path not in found:
        raise unknown(path, found)
    return found[path]


def _holders(scenario: Scenario, address: Address) -> list[Record]:
    """Return the records that an address with a `rest`, or with a name, points at."""
    if address.kind in ("patient", "catheter"):
        return [getattr(scenario, address.kind)]
    if address.kind == "drug":
        return [scenario.regimen.drug(str(address.name))]
    return [
        each
        for i in address.sessions
        for each in _materials(scenario.regimen.sessions[i], address.kind)
        if address.name in (None, each.name)
    ]


def _values(scenario: Scenario, address: Address) -> list[Any]:
    sessions = [scenario.regimen.sessions[i] for i in address.sessions]
    if address.kind == "at":
        return [each.at for each in sessions]
    if address.kind == "duration":
        return [dose.duration for each in sessions for dose in each.doses]
    if address.kind == "dose":
        return [
            amount
            for each in sessions
            for dose in each.doses
            for name, amount in dose.amounts
            if address.name in (None, name)
        ]
    if address.kind == "regimen":
        regimen = scenario.regimen
        return [regimen.interval() if address.rest == "every" else float(len(regimen.cycles()))]
    if address.kind == "review_days":
        return [scenario.review_days]
    if address.rest:
        return [each.get(address.rest) for each in _holders(scenario, address)]
    if address.kind in ("carrier", "embolic"):
        joined = ["+".join(dict.fromkeys(str(one.name) for one in _materials(each, address.kind))) for each in sessions]
        return [each or None for each in joined]
    return [each.get("name") for each in _holders(scenario, address)]


def value(scenario: Scenario, path: str) -> Any:
    """Return the value at a path; see `Scenario.get`."""
    values = _values(scenario, find(scenario, path))
    if len({packed(each) for each in values}) > 1:
        raise RegimenError(f"{path} has several values in this scenario; say which session or name is meant")
    return values[0]


def spec(scenario: Scenario, path: str) -> FieldSpec:
    """Return what a path may hold; see `Scenario.spec`."""
    address = find(scenario, path)
    if address.kind == "review_days":
        return specs(type(scenario))["review_days"]
    if address.kind in _CLASSES:
        if address.rest:
            return _holders(scenario, address)[0].spec(address.rest)
        return FieldSpec("text", f"{address.kind}: library name or path", name=address.kind)
    if address.kind == "regimen":
        return EVERY if address.rest == "every" else COUNT
    return {"dose": AMOUNT, "at": specs(Session)["at"], "duration": specs(Dose)["duration"]}[address.kind]


def origin(scenario: Scenario, path: str) -> Origin | None:
    """Return where a value comes from; see `Scenario.origin`."""
    address = find(scenario, path)
    return _holders(scenario, address)[0].origin(address.rest) if address.rest and address.kind in _CLASSES else None


def material_rows(scenario: Scenario, kind: str, prefix: str) -> Iterator[Row]:
    """Yield the rows of all carriers or embolics: by name, or by session where one name means several."""
    by_name: dict[str, dict[str, tuple[int, Record]]] = {}
    for i, session in enumerate(scenario.regimen.sessions):
        for each in _materials(session, kind):
            by_name.setdefault(each.name, {}).setdefault(each.digest(), (i, each))
    for name, variants in by_name.items():
        for i, variant in variants.values():
            head = f"{kind}.{name}" if len(variants) == 1 else f"session.{i + 1}.{kind}"
            yield from variant.rows(f"{prefix}{head}.")
