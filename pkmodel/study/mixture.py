"""A mix of Child-Pugh classes: the typical patient of each, and the class of each subject."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..errors import ParameterError, UnknownNameError
from ..inputs import library
from ..inputs.patient import CHILD_PUGH, Patient
from ..model.problem import Array

CLASS_PATH = "patient.child_pugh"
CLASSES = tuple(each for each in CHILD_PUGH if each not in ("mixed", "none"))
SUM_TOLERANCE = 1e-9


def classes_of(person: Patient, mix: Mapping[str, float] | None) -> dict[str, Patient]:
    """Return the typical patient of every class of a mix; the patient alone without one.

    Raises
    ------
    ParameterError
        Shares that are not shares, or a class of which the library has no such patient.
    UnknownNameError
        No such class.
    """
    if mix is None:
        return {person.child_pugh: person}
    if not isinstance(mix, Mapping) or not mix:
        message = f"child_pugh = {mix!r} is not a mapping such as {{'A': 0.7, 'B': 0.3}}"
        raise ParameterError(message, field="child_pugh")
    for label, share in mix.items():
        if label not in CLASSES:
            raise UnknownNameError.of("Child-Pugh class", str(label), CLASSES)
        if isinstance(share, bool) or not isinstance(share, int | float) or not 0.0 <= share <= 1.0:
            raise ParameterError(
                f"child_pugh share of {label} = {share!r} is not a number from 0 to 1",
                field="child_pugh",
                value=share,
                legal="[0, 1]",
            )
    total = math.fsum(mix.values())
    if abs(total - 1.0) > SUM_TOLERANCE:
        raise ParameterError(f"child_pugh: the shares add up to {total:g}, not to 1", field="child_pugh", value=total)
    return {label: _of_class(person, label) for label in CLASSES if mix.get(label, 0.0) > 0.0}


def labels_of(mix: Mapping[str, float], numbers: Array) -> np.ndarray:
    """Return the class of each subject from its number in (0, 1)."""
    present = [label for label in CLASSES if mix.get(label, 0.0) > 0.0]
    ends = np.cumsum([mix[label] for label in present])
    ends[-1] = 1.0  # whatever the shares' rounding
    return np.array(present)[np.searchsorted(ends, numbers, side="right")]


def _of_class(person: Patient, label: str) -> Patient:
    """The patient with the liver of another class, as the library has it; what the user set in it stays."""
    if person.child_pugh == label:
        return person
    same = ("species", "tumour_type", "portal_thrombosis")
    others = [library.patient(name) for name in library.names("patients")]
    fitting = [
        each
        for each in others
        if each.child_pugh == label and all(getattr(each, name) == getattr(person, name) for name in same)
    ]
    if len(fitting) != 1:
        told = ", ".join(f"{name} {getattr(person, name)}" for name in same)
        raise ParameterError(
            f"child_pugh: one patient of class {label} is needed, and the library has {len(fitting) or 'none'} "
            f"({told})",
            field="child_pugh",
            value=label,
        )
    own: dict[str, Any] = {
        name: getattr(person.liver, name) for name, origin in person.liver.origins.items() if origin.kind == "user"
    }
    return person.replace(liver=fitting[0].liver.with_values(own), child_pugh=label)
