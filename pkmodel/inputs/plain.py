"""Records as plain data, to travel between machines or to lie in a manifest: tables, lists, texts and numbers only.

Values survive exactly (the digest stays the same); origins stay behind, they belong to whoever asks where a number
comes from.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from pkmodel.errors import FileError
from pkmodel.inputs.drug import Drug, DrugBound, DrugKill, DrugLiver, DrugMarrow, DrugTumour, Reference
from pkmodel.inputs.materials import Carrier, Embolic, ReleaseParameters
from pkmodel.inputs.patient import Catheter, Patient, PatientLiver, PatientMarrow, PatientTumour
from pkmodel.inputs.record import Record, specs
from pkmodel.inputs.regimen import Regimen
from pkmodel.inputs.scenario import Scenario
from pkmodel.inputs.session import Dose, Session

_RECORDS: Mapping[str, type[Record]] = {
    each.__name__: each
    for each in (
        *(Scenario, Regimen, Session, Dose, Catheter, Patient, PatientLiver, PatientTumour, PatientMarrow),
        *(Drug, Reference, DrugLiver, DrugTumour, DrugBound, DrugKill, DrugMarrow),
        *(Carrier, Embolic, ReleaseParameters),
    )
}
_KIND = "record"


def to_plain(value: Any) -> Any:
    """Return a record, a tuple of records or a field's value as plain data that JSON can hold.

    A record becomes a table with its class under ``record`` (of a special kind of patient what all patients have);
    infinite and unknown numbers become texts.

    Examples
    --------
    >>> import pkmodel as pk
    >>> to_plain(pk.catheter("lobar"))["name"]
    'lobar'
    """
    if isinstance(value, Record):
        kind = next(each.__name__ for each in type(value).__mro__ if each.__name__ in _RECORDS)
        return {_KIND: kind, **_fields(value, _RECORDS[kind])}
    if isinstance(value, np.ndarray):
        return [to_plain(float(each)) for each in value]
    if isinstance(value, tuple):
        return [to_plain(each) for each in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value


def _fields(record: Record, kind: type[Record]) -> dict[str, Any]:
    found = {name: to_plain(getattr(record, name)) for name in specs(kind)}
    if isinstance(record, Dose) and not record.own_duration:
        found["duration"] = None  # it follows the carrier, also after the journey
    return found


def from_plain(data: Any) -> Any:
    """Return the record or tuple of records that `to_plain` made into data; other data as they are.

    Raises
    ------
    FileError
        The data name a record that does not exist.
    InputError
        A value is not legal.
    """
    if isinstance(data, list):
        return tuple(from_plain(each) for each in data)
    if not isinstance(data, Mapping):
        return data
    kind = str(data.get(_KIND))
    if kind not in _RECORDS:
        raise FileError(f"plain data of a record of kind {kind!r}; known are {', '.join(_RECORDS)}")
    return _RECORDS[kind](**{name: from_plain(each) for name, each in data.items() if name != _KIND})
