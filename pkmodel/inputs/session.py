"""Doses and the sessions in which they are given."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import numpy as np

from pkmodel.errors import RegimenError, UnknownNameError
from pkmodel.inputs.drug import Drug
from pkmodel.inputs.materials import Carrier, Embolic
from pkmodel.inputs.record import (
    FieldSpec,
    Length,
    Origin,
    Record,
    Value,
    items,
    number,
    number_value,
    other,
    part,
    record,
    specs,
    text,
    warn_if_implausible,
)

ROUTES = ("iv", "hepatic_artery", "extravascular")
USUAL_DURATION_H = {"iv": 0.25, "hepatic_artery": 0.1, "extravascular": 0.0}
AMOUNT = FieldSpec("number", "amount of drug", name="dose", unit="mg", low=0, high=1e6)


@record
class Dose(Record):
    """One injection: one or several drugs by one route, dissolved or in a carrier.

    A duration of None is the carrier's usual one by the artery, else 0.25 h (iv), 0.1 h (hepatic_artery) or
    0 h (extravascular); it then follows the carrier when that changes.

    Parameters
    ----------
    drugs, amounts
        The drugs, and (name, mg) of each in the same order; a mapping name -> mg is accepted.
    route
        ``iv``, ``hepatic_artery`` or ``extravascular`` (a depot that releases into the central compartment).
    carrier
        What holds the drug back, or None for a solution.
    duration, start
        Duration [h]; start [h] after the session's, None = in turn (artery) or with the session (others).
    """

    label: ClassVar[str] = "dose"
    drugs: tuple[Drug, ...] = items(Drug, "drugs of the dose")
    amounts: tuple[tuple[str, Value], ...] = other("mg by drug name")
    route: str = text("route", ROUTES)
    carrier: Carrier | None = part(Carrier, "carrier", default=None, optional=True)
    duration: Value = number("h", 0, 1e4, "duration of the injection", default=None, optional=True)
    start: Value | None = number("h", 0, 1e4, "start after the session's", default=None, optional=True)

    @property
    def own_duration(self) -> bool:
        """Whether the duration was stated, and so does not follow the carrier's."""
        return bool(self.__dict__["_own_duration"])

    def duration_origin(self) -> Origin | None:
        """Return where the duration comes from: the user, the carrier, or None for the route's default."""
        if self.own_duration:
            return Origin(kind="user", unit="h")
        return None if self.carrier is None else self.carrier.origins.get("duration")

    def carrier_for(self, drug: str) -> Carrier | None:
        """Return the carrier as it holds one of the dose's drugs."""
        return None if self.carrier is None else self.carrier.for_drug(drug)

    def amount(self, drug: str) -> Value:
        """Return the amount of a drug [mg]."""
        for name, value in self.amounts:
            if name == drug:
                return value
        raise UnknownNameError.of("drug in this dose:", drug, dict(self.amounts))

    def _normalise(self, spec: FieldSpec, value: Any) -> Any:
        if spec.name == "amounts":
            pairs = tuple(value.items()) if isinstance(value, Mapping) else value
            listed = isinstance(pairs, list | tuple)
            if not listed or not all(isinstance(each, tuple) and len(each) == 2 for each in pairs):
                raise RegimenError(f"the amounts of a dose are pairs of drug name and mg, or a mapping; got {value!r}")
            return tuple((name, number_value(AMOUNT, amount, f"dose.{name}")) for name, amount in pairs)
        value = super()._normalise(spec, value)
        if spec.name == "duration":
            self.__dict__["_own_duration"] = value is not None
        return value

    def __post_init__(self) -> None:
        for name, spec in specs(type(self)).items():
            object.__setattr__(self, name, self._normalise(spec, getattr(self, name)))
        self._settle({})
        self._finish()

    def _settle(self, changes: Mapping[str, Any]) -> None:
        if self.carrier is not None and len(self.drugs) == 1:
            object.__setattr__(self, "carrier", self.carrier.for_drug(self.drugs[0].name))
        if not self.own_duration:
            usual = self.carrier.duration if self.carrier and self.route == "hepatic_artery" else None
            object.__setattr__(self, "duration", USUAL_DURATION_H[self.route] if usual is None else usual)
        elif self.carrier is not None and self.route == "hepatic_artery" and (not changes or "duration" in changes):
            usual_origin = self.carrier.origins.get("duration")
            # 0 is a bolus, and meant
            if usual_origin is not None and np.all(np.asarray(self.duration) > 0):
                warn_if_implausible("dose.duration", self.duration, usual_origin)

    def _lengths(self, name: str, spec: FieldSpec) -> Iterator[Length]:
        if name == "amounts":
            yield from ((f"dose.{drug}", each.size) for drug, each in self.amounts if isinstance(each, np.ndarray))
        yield from super()._lengths(name, spec)

    def check(self) -> None:
        """Drugs and amounts must match; a depot needs an artery, or a place outside the vessels."""
        given, named = [each.name for each in self.drugs], [name for name, _ in self.amounts]
        if not given or given != named:
            raise RegimenError(f"a dose needs one amount a drug; drugs {given}, amounts for {named}")
        if len(set(given)) < len(given):
            raise RegimenError(f"a dose names a drug twice: {', '.join(given)}")
        if self.route == "iv" and self.carrier is not None:
            raise RegimenError(
                f"a dose in carrier {self.carrier.name!r} cannot go into a vein; use hepatic_artery, "
                "chemoembolisation or extravascular"
            )
        if self.route == "extravascular" and self.carrier is None:
            raise RegimenError("an extravascular dose needs a carrier, whose release law is its absorption")


@record
class Session(Record):
    """What is done in one sitting: doses and embolics.

    Parameters
    ----------
    at
        Start [h].
    doses
        In order: arterial doses follow one another, the others start with the session.
    embolics
        What blocks the artery; together with the doses.
    """

    label: ClassVar[str] = "session"
    at: Value = number("h", 0, 1e6, "start of the session", default=0.0)
    doses: tuple[Dose, ...] = items(Dose, "doses", default=())
    embolics: tuple[Embolic, ...] = items(Embolic, "embolics", default=())

    def check(self) -> None:
        """A session does something, and names each embolic once."""
        if not self.doses and not self.embolics:
            raise RegimenError("a session needs a dose or an embolic")
        named = [each.name for each in self.embolics]
        if len(set(named)) < len(named):
            raise RegimenError(f"a session names an embolic twice: {', '.join(named)}")

    def starts(self) -> tuple[Value, ...]:
        """Return the start of each dose after the session's [h]."""
        found: list[Value] = []
        cursor: Value = 0.0
        for each in self.doses:
            arterial = each.route == "hepatic_artery"
            start = each.start if each.start is not None else cursor if arterial else 0.0
            found.append(start)
            if arterial:
                cursor = start + each.duration
        return tuple(found)

    def length(self) -> Value:
        """Return the time from the session's start to the end of its last dose [h]."""
        last: Value = 0.0
        for each, start in zip(self.doses, self.starts(), strict=True):
            end = np.maximum(last, start + each.duration)
            last = end if np.ndim(end) else float(end)
        return last

    def joined(self, other: Session) -> Session:
        """Return this session with the other's doses and embolics after its own."""
        return self.replace(doses=self.doses + other.doses, embolics=self.embolics + other.embolics)
