"""A published experiment as scenarios: the subject, what was given, and what the model cannot take from the paper."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from .. import units
from ..errors import FileError, InputError, PlausibilityWarning, UnknownNameError
from ..inputs import library
from ..inputs.case_text import hours
from ..inputs.cases import Arm, Case
from ..inputs.drug import Drug
from ..inputs.patient import Patient
from ..inputs.regimen import Regimen
from ..inputs.scenario import Scenario
from ..inputs.treatment import chemoembolisation, embolisation, hepatic_artery, iv

HUMAN_WEIGHT_KG = 70.0
CLEARANCE_POWER, VOLUME_POWER = 0.75, 1.0
_CLEARANCES, _VOLUMES = ("cl_total", "q2", "q3"), ("v1", "v2", "v3", "bound.volume")


def scenario(case: Case, arm: Arm, settings: Mapping[str, Any] | None = None) -> Scenario:
    """Return the scenario of one arm of a case, with `settings` of the model where it has their paths.

    Raises
    ------
    FileError
        The arm cannot be given as the case describes it.
    """
    where = f"case {case.id}, arm {arm.name}"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", PlausibilityWarning)  # the subject and dose are those of the paper
            own = {path: value for path, value in case.settings.items() if path.startswith("patient.")}
            patient = library.patient(case.patient)
            patient = patient.with_values({path.removeprefix("patient."): value for path, value in own.items()})
            changes = settings or {}
            drug = None if case.drug is None or arm.route == "embolisation" else subject_drug(case, patient, changes)
            found = Scenario(patient, regimen(arm, drug, patient, where), catheter=case.catheter)
            others = {path: value for path, value in case.settings.items() if path not in own}
            found = found.with_values({**others, **arm.settings})
            known = frozenset(found.paths())
            rest = {p: v for p, v in changes.items() if p in known and not p.startswith("drug.")}
            return found.with_values(rest) if rest else found
    except InputError as error:
        raise FileError(f"{where}: {error}") from None


def subject_drug(case: Case, patient: Patient, settings: Mapping[str, Any] | None = None) -> Drug:
    """The drug in this subject; in animals clearances follow weight^0.75 and volumes weight.

    The model itself scales a drug with body surface, which is taken out again. Settings are of the human drug.
    """
    drug = library.drug(str(case.drug))
    own, any_drug = f"drug.{drug.name}.", "drug."
    for path, given in (settings or {}).items():
        if path.startswith(own):
            drug = drug.with_value(path.removeprefix(own), given)
        elif path.startswith(any_drug) and path.split(".")[1] not in library.names("drugs"):
            drug = drug.with_value(path.removeprefix(any_drug), given)
    if not case.allometric:
        return drug
    size = float(np.asarray(patient.body_weight)) / HUMAN_WEIGHT_KG
    surface = float(np.asarray(patient.bsa) / np.asarray(drug.reference.bsa))
    values = {}
    for names, power in ((_CLEARANCES, CLEARANCE_POWER), (_VOLUMES, VOLUME_POWER)):
        for name in names:
            value = float(np.asarray(drug.get(name)))
            if np.isfinite(value):
                values[name] = value * size**power / surface
    return drug.with_values(values)


def regimen(arm: Arm, drug: Drug | None, patient: Patient, where: str) -> Regimen:
    """What an arm gives, in one session."""
    if arm.route == "embolisation":
        return embolisation(arm.embolic)
    if drug is None or arm.dose is None:
        raise FileError(f"{where}: a {arm.route} arm needs a drug and a dose")
    amount = dose_mg(arm.dose, patient, where)
    duration = None if arm.duration is None else hours(arm.duration, where)
    if arm.route == "chemoembolisation":
        return chemoembolisation(drug, amount, carrier=arm.carrier, embolic=arm.embolic, duration_h=duration)
    given: Any = {"iv": iv, "hepatic_artery": hepatic_artery}[arm.route]
    found: Regimen = given(drug, amount, duration_h=duration)
    return found


def dose_mg(text: str, patient: Patient, where: str) -> float:
    """A dose such as ``"50 mg"``, ``"25 mg/m2"`` or ``"1 mg/kg"`` in this patient [mg]."""
    value, unit = units.parse(text)
    for ending, size in (("/m2", patient.bsa), ("/kg", patient.body_weight)):
        if unit.endswith(ending):
            return value * units.factor(unit.removesuffix(ending), "mg") * float(np.asarray(size))
    try:
        return value * units.factor(unit, "mg")
    except InputError as error:
        raise FileError(f"{where}: dose {text!r}: {error}") from None


def check_settings(every: Iterable[Case], settings: Mapping[str, Any]) -> None:
    """Raise, before anything is simulated, for a path that no case has or a value that its path may not hold.

    Raises
    ------
    UnknownNameError
        No case has the path; the message names the nearest.
    InputError
        As of `Scenario.with_values`.
    """
    pending, known = dict(settings), set[str]()
    for case, arm in _kinds(every) if settings else ():
        usual = scenario(case, arm)
        paths = usual.paths()
        known.update(paths)
        mine = {path: pending.pop(path) for path in paths if path in pending}
        usual.with_values(mine)
        if not pending:
            return
    for path in pending:
        raise UnknownNameError.of("path", path, sorted(known))


def _kinds(every: Iterable[Case]) -> Iterator[tuple[Case, Arm]]:
    """One arm of every drug and product: what decides which paths there are."""
    seen = set()
    for case in every:
        for arm in case.arms.values():
            kind = (case.drug, arm.route, arm.carrier, arm.embolic)
            if kind not in seen:
                seen.add(kind)
                yield case, arm
