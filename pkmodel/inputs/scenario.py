"""A scenario: who is treated, with what, through which catheter; every value in it has a path."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from pkmodel import units
from pkmodel.errors import ParameterError
from pkmodel.inputs import addresses, changes, library
from pkmodel.inputs.patient import Catheter, Patient
from pkmodel.inputs.record import (
    FieldSpec,
    Origin,
    Record,
    Row,
    Value,
    number,
    part,
    record,
    warn_if_implausible,
)
from pkmodel.inputs.regimen import Regimen

# A dose may be split, or scaled to a small animal: only one far below the usual dose is taken for a mistake.
SMALL_DOSE = 0.02


@record
class Scenario(Record):
    """Patient, regimen and catheter. Arrays in any of them make it a population.

    Parameters
    ----------
    patient
        A patient record, a library name, or the path of a TOML file.
    regimen
        The treatment; ``Regimen(())`` is the untreated course.
    catheter
        A catheter record, a library name or a path.
    review_days
        Interval of dose-free readings of the tumour's state [d]; None = readings at the sessions only.

    Notes
    -----
    Paths: ``patient.*``, ``catheter``, ``catheter.*``, ``drug[.NAME].*``, ``carrier[.NAME].*``,
    ``embolic[.NAME].*``, ``session[.N].at|dose|duration|carrier|embolic``, ``session.N.dose.NAME``,
    ``session.N.carrier.*``, ``session.N.embolic.*``, ``regimen.every``, ``regimen.times``, ``review_days``.
    """

    label: ClassVar[str] = "scenario"
    patient: Patient = part(Patient, "patient", kw_only=False)
    regimen: Regimen = part(Regimen, "regimen", kw_only=False)
    catheter: Catheter = part(Catheter, "catheter", default="lobar")
    review_days: float | None = number(
        "d", 0, 1e5, "interval of dose-free readings", default=None, low_open=True, optional=True
    )

    if TYPE_CHECKING:

        def __init__(
            self,
            patient: Patient | str | Path,
            regimen: Regimen,
            *,
            catheter: Catheter | str | Path = "lobar",
            review_days: float | str | None = None,
            origins: Mapping[str, Origin] | None = None,
        ) -> None:
            """Names and paths are accepted where the attribute is a record."""

    def _normalise(self, spec: FieldSpec, value: Any) -> Any:
        if spec.name in ("patient", "catheter"):
            value = library.load(f"{spec.name}s", value)
        return super()._normalise(spec, value)

    def __post_init__(self) -> None:
        super().__post_init__()
        self._weigh_doses()

    def _settle(self, changes: Mapping[str, Any]) -> None:
        if "regimen" in changes:
            self._weigh_doses()

    def _weigh_doses(self) -> None:
        """Warn of doses that the evidence of usual ones makes implausible, such as g for mg."""
        for session in self.regimen.sessions:
            for dose in session.doses:
                for drug, (name, amount) in zip(dose.drugs, dose.amounts, strict=True):
                    usual = drug.origins.get("usual_dose")
                    given = np.atleast_1d(amount)[np.atleast_1d(amount) > 0]
                    if usual is not None and usual.plausible_range is not None and given.size:
                        low, high = usual.plausible_range
                        expected = dataclasses.replace(usual, plausible=(low * SMALL_DOSE, high))
                        warn_if_implausible(f"dose.{name}", given, expected)

    def check(self) -> None:
        """Readings are events of the whole run, the same in every lane."""
        if isinstance(self.review_days, np.ndarray):
            raise ParameterError(
                "scenario.review_days must be one number: all lanes are read at the same times",
                field="scenario.review_days",
                unit="d",
            )

    @property
    def drugs(self) -> tuple[str, ...]:
        """Names of the drugs given, in the order of their first dose."""
        return tuple(each.name for each in self.regimen.drugs)

    def paths(self) -> tuple[str, ...]:
        """Return every path that `with_value` accepts."""
        return tuple(addresses.known(self))

    def get(self, path: str) -> Any:
        """Return the value at a path in its own unit; a name for ``catheter``, ``session.N.carrier``.

        Raises
        ------
        UnknownNameError
            No such path.
        RegimenError
            The sessions differ, so that the path needs a session's number.
        """
        return addresses.value(self, path)

    def spec(self, path: str) -> FieldSpec:
        """Return what a path may hold."""
        return addresses.spec(self, path)

    def origin(self, path: str) -> Origin | None:
        """Return where the value at a path comes from."""
        return addresses.origin(self, path)

    def internal(self, path: str) -> Value:
        """Return the number at a path in internal units (mg, L, h)."""
        spec = self.spec(path)
        if spec.kind != "number":
            raise ParameterError(f"{path} is not a number and has no unit", field=path)
        found: Value = self.get(path) * units.to_internal(spec.unit)
        return found

    def with_values(self, values: Mapping[str, Any]) -> Scenario:
        """Return a copy with several values changed at once.

        Whatever the order of `values`, the regimen's repetition comes first, then names (of patient,
        catheter, carriers, embolics), then single values; of two changes to one value the later wins.
        """
        return changes.with_values(self, values)

    def rows(self, prefix: str = "") -> Iterator[Row]:
        """Yield (path, value, unit, origin) of every parameter the scenario uses."""
        yield from self.patient.rows(f"{prefix}patient.")
        yield from self.catheter.rows(f"{prefix}catheter.")
        for drug in self.regimen.drugs:
            yield from drug.rows(f"{prefix}drug.{drug.name}.")
        for kind in ("carrier", "embolic"):
            yield from addresses.material_rows(self, kind, prefix)
        yield from self.regimen.rows(prefix)

    def __repr__(self) -> str:
        lanes = f", {self.size} lanes" if self.size > 1 else ""
        given = ", ".join(self.drugs) or "no drug"
        count = len(self.regimen.sessions)
        treatment = f"{count} session{'s' * (count != 1)} of {given}"
        return f"<Scenario {self.patient.name}, {self.catheter.name}, {treatment}{lanes}, {self.digest()[:8]}>"
