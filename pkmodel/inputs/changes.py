"""Changing a scenario by paths: repetition first, then names, then single values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pkmodel.errors import InputError, RegimenError
from pkmodel.inputs import library
from pkmodel.inputs.addresses import NAMES, REGIMEN, VALUES, Address, known, unknown
from pkmodel.inputs.drug import Drug
from pkmodel.inputs.record import Record
from pkmodel.inputs.session import Dose, Session

if TYPE_CHECKING:
    from pkmodel.inputs.scenario import Scenario

_Pairs = list[tuple[Address, Any]]
_Inner = dict[str, Any]


def with_values(scenario: Scenario, changes: Mapping[str, Any]) -> Scenario:
    """Return a scenario with several values changed; see `Scenario.with_values`."""
    if not isinstance(changes, Mapping):
        raise InputError(f"scenario: values to set must be a mapping of path to value, got {changes!r}")
    remaining = dict(changes)
    found = known(scenario)
    for phase, step in ((REGIMEN, _respace), (NAMES, _rename), (VALUES, _set)):
        current = [path for path in remaining if path in found and found[path].phase == phase]
        if current:
            scenario = step(scenario, [(found[path], remaining.pop(path)) for path in current])
            if phase != VALUES:
                found = known(scenario)
    for path in remaining:
        raise unknown(path, found)
    return scenario


def _respace(scenario: Scenario, pairs: _Pairs) -> Scenario:
    wanted = {address.rest: value for address, value in pairs}
    return scenario.replace(regimen=scenario.regimen.respaced(**wanted))


def _recarried(session: Session, value: Any) -> Session:
    """Exchange the carrier of a session's doses, or give one to its arterial solutions."""
    bare = value is None or (isinstance(value, str) and value == "none")
    carrier = None if bare else library.load("carriers", value)
    carried = any(each.carrier is not None for each in session.doses)
    doses = []
    for each in session.doses:
        concerned = each.carrier is not None if carried else each.route == "hepatic_artery"
        doses.append(each.replace(carrier=carrier) if concerned else each)
    return session.replace(doses=tuple(doses))


def _rename(scenario: Scenario, pairs: _Pairs) -> Scenario:
    fields: dict[str, Any] = {}
    sessions = list(scenario.regimen.sessions)
    for address, value in pairs:
        if address.kind in ("patient", "catheter"):
            fields[address.kind] = value
        for i in address.sessions:
            if address.kind == "carrier":
                sessions[i] = _recarried(sessions[i], value)
            else:
                sessions[i] = sessions[i].replace(embolics=library.embolics(value))
    if any(address.sessions for address, _ in pairs):
        fields["regimen"] = scenario.regimen.replace(sessions=tuple(sessions))
    return scenario.replace(**fields)


def _set(scenario: Scenario, pairs: _Pairs) -> Scenario:
    fields: dict[str, Any] = {}
    inner: dict[tuple[str, str | None], _Inner] = {}
    for address, value in pairs:
        if address.kind == "review_days":
            fields["review_days"] = value
        elif address.kind in ("patient", "catheter", "drug"):
            inner.setdefault((address.kind, address.name), {})[address.rest] = value
    drugs: dict[str, Drug] = {}
    for (kind, name), changes in inner.items():
        if kind == "drug":
            drugs[str(name)] = scenario.regimen.drug(str(name)).with_values(changes)
        else:
            fields[kind] = getattr(scenario, kind).with_values(changes)
    if drugs or any(address.sessions for address, _ in pairs):
        editor = _Editor(drugs)
        sessions = tuple(
            editor.session(each, i, [pair for pair in pairs if i in pair[0].sessions])
            for i, each in enumerate(scenario.regimen.sessions)
        )
        moved = {"every": None, "times": 1.0} if any(address.kind == "at" for address, _ in pairs) else {}
        fields["regimen"] = scenario.regimen.replace(sessions=sessions, **moved)
    return scenario.replace(**fields)


class _Editor:
    """Makes the changed sessions; a carrier used in several sessions is changed, and warned about, once."""

    def __init__(self, drugs: Mapping[str, Drug]) -> None:
        self.drugs = drugs
        self.done: dict[tuple[int, str], Record] = {}

    def session(self, session: Session, index: int, pairs: _Pairs) -> Session:
        fields: dict[str, Any] = {}
        for address, value in pairs:
            if address.kind == "at":
                fields["at"] = value
            elif address.kind == "dose":
                giving = [each for each in session.doses if _gives(each, address.name)]
                if len(giving) > 1:
                    drug = address.name or giving[0].amounts[0][0]
                    raise RegimenError(
                        f"session {index + 1} gives {drug} in {len(giving)} doses; a path cannot say which"
                    )
        doses = tuple(self._dose(each, pairs) for each in session.doses)
        embolics = tuple(self._material(each, "embolic", pairs) for each in session.embolics)
        if any(new is not old for new, old in zip(doses, session.doses, strict=True)):
            fields["doses"] = doses
        if any(new is not old for new, old in zip(embolics, session.embolics, strict=True)):
            fields["embolics"] = embolics
        return session.replace(**fields) if fields else session

    def _dose(self, dose: Dose, pairs: _Pairs) -> Dose:
        fields: dict[str, Any] = {}
        if any(each.name in self.drugs for each in dose.drugs):
            fields["drugs"] = tuple(self.drugs.get(each.name, each) for each in dose.drugs)
        amounts = dict(dose.amounts)
        for address, value in pairs:
            if address.kind == "dose" and _gives(dose, address.name):
                amounts[address.name or dose.amounts[0][0]] = value
                fields["amounts"] = amounts
            elif address.kind == "duration":
                fields["duration"] = value
        if dose.carrier is not None:
            carrier = self._material(dose.carrier, "carrier", pairs)
            if carrier is not dose.carrier:
                states = any(address.kind == "carrier" and address.rest == "duration" for address, _ in pairs)
                if states and dose.own_duration:
                    raise RegimenError(
                        "carrier.duration has no effect on a dose that states its own duration; change session.duration"
                    )
                fields["carrier"] = carrier
        return dose.replace(**fields) if fields else dose

    def _material(self, material: Any, kind: str, pairs: _Pairs) -> Any:
        changes = {
            address.rest: value
            for address, value in pairs
            if address.kind == kind and address.name in (None, material.name)
        }
        if not changes:
            return material
        key = (id(material), repr([(path, id(value)) for path, value in changes.items()]))
        if key not in self.done:
            self.done[key] = material.with_values(changes)
        return self.done[key]


def _gives(dose: Dose, name: str | None) -> bool:
    return name is None or any(name == each for each, _ in dose.amounts)
