"""Sessions in the order of their times, joined and repeated."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any, ClassVar

import numpy as np

from pkmodel.errors import ParameterError, RegimenError, UnknownNameError
from pkmodel.inputs.drug import Drug
from pkmodel.inputs.record import FieldSpec, Length, Origin, Record, Row, Value, items, number, number_value, record
from pkmodel.inputs.session import Session

EVERY = FieldSpec(
    "number", "interval between repeated sessions", name="every", unit="d", low=0, high=1e5, low_open=True
)
_USER = Origin(kind="user")
COUNT = FieldSpec("number", "count", unit="1", low=1, high=1e4)


def _first(value: Value) -> float:
    return float(np.atleast_1d(value)[0])


def _sorted(sessions: tuple[Session, ...]) -> tuple[Session, ...]:
    return tuple(sorted(sessions, key=lambda each: _first(each.at)))


@record
class Regimen(Record):
    """Sessions in the order of their times; none at all is the untreated course.

    Parameters
    ----------
    sessions
        At least one; sorted by time.
    every
        Interval [d] when the regimen is a repetition, else None.
    times
        How many equal cycles the sessions are; set by `repeat`.
    """

    label: ClassVar[str] = "regimen"
    sessions: tuple[Session, ...] = items(Session, "sessions", default=(), kw_only=False)
    every: Value | None = number("d", 0, 1e5, "interval", default=None, low_open=True, optional=True, identity=False)
    times: Value = number("1", 1, 1e4, "number of cycles", default=1.0, identity=False)

    def _normalise(self, spec: FieldSpec, value: Any) -> Any:
        value = super()._normalise(spec, value)
        return _sorted(value) if spec.name == "sessions" else value

    def _lengths(self, name: str, spec: FieldSpec) -> Iterator[Length]:
        if name == "sessions":
            for index, each in enumerate(self.sessions, 1):
                path, size = each.__dict__["_length"]
                yield f"session.{index}.{path}", size

    def check(self) -> None:
        """Sessions follow one another in every lane; a name means one drug."""
        for index, (one, other) in enumerate(pairwise(self.sessions), 1):
            end, start = np.atleast_1d(one.at + one.length()), np.atleast_1d(other.at)
            wrong = np.atleast_1d((start < end) | (start <= one.at))
            if wrong.any():
                lane = int(np.argmax(wrong))
                where = f" (lane {lane})" if wrong.size > 1 else ""
                end_h, start_h = end[min(lane, end.size - 1)], start[min(lane, start.size - 1)]
                raise RegimenError(
                    f"session {index + 1} starts at {start_h:g} h but session {index} lasts until {end_h:g} h"
                    f"{where}; "
                    "what overlaps belongs into one session, with the start of its doses"
                )
        known: dict[str, Drug] = {}
        for each in self._all_drugs():
            first = known.setdefault(each.name, each)
            if first is not each and first.digest() != each.digest():
                raise RegimenError(f"two different drugs are both named {each.name!r}; rename one")

    def _all_drugs(self) -> Iterator[Drug]:
        for session in self.sessions:
            for dose in session.doses:
                yield from dose.drugs

    @property
    def drugs(self) -> tuple[Drug, ...]:
        """The drugs given, each once, in the order of their first dose."""
        found: dict[str, Drug] = {}
        for each in self._all_drugs():
            found.setdefault(each.name, each)
        return tuple(found.values())

    def drug(self, name: str) -> Drug:
        """Return the drug of a name."""
        for each in self.drugs:
            if each.name == name:
                return each
        raise UnknownNameError.of("drug in this regimen:", name, [each.name for each in self.drugs])

    def __add__(self, other: Regimen) -> Regimen:
        """Join two regimens; sessions at the same time become one."""
        if not isinstance(other, Regimen):
            return NotImplemented
        merged = list(self.sessions)
        for each in other.sessions:
            for index, old in enumerate(merged):
                if np.array_equal(old.at, each.at):
                    merged[index] = old.joined(each)
                    break
            else:
                merged.append(each)
        return Regimen(tuple(merged))

    def repeat(self, *, every_days: Any, times: int) -> Regimen:
        """Return the regimen repeated.

        Parameters
        ----------
        every_days
            Interval from start to start: days, a text such as ``"6 week"``, or an array.
        times
            How often in all.
        """
        every = number_value(EVERY, every_days, "regimen.every")
        count = whole_number(times, "regimen.times")
        if not self.sessions:
            raise RegimenError("a regimen without sessions cannot be repeated")
        sessions = tuple(each.replace(at=each.at + k * every * 24.0) for k in range(count) for each in self.sessions)
        return Regimen(sessions, every=every, times=float(count))

    def cycles(self) -> tuple[tuple[Session, ...], ...]:
        """Return the sessions by cycle; a regimen that was never repeated counts each session as one."""
        count = len(self.sessions) if self.every is None else int(self.times)
        each = len(self.sessions) // max(count, 1)
        return tuple(self.sessions[k * each : (k + 1) * each] for k in range(count))

    def interval(self) -> Value:
        """Return the interval between cycles [d].

        Raises
        ------
        RegimenError
            There is only one cycle, or they are not equally far apart.
        """
        if self.every is not None:
            return self.every
        starts = [cycle[0].at for cycle in self.cycles()]
        gaps = [(later - earlier) / 24.0 for earlier, later in pairwise(starts)]
        if not gaps or not all(np.allclose(each, gaps[0], rtol=1e-12, atol=0) for each in gaps):
            raise RegimenError(
                "regimen.every exists only for sessions repeated at equal intervals; set it too, or use repeat"
            )
        return gaps[0]

    def respaced(self, *, every: Any = None, times: Any = None) -> Regimen:
        """Return the regimen with another interval or number of cycles; new cycles copy the last."""
        cycles = list(self.cycles())
        if not cycles:
            raise RegimenError("a regimen without sessions cannot be repeated")
        count = len(cycles) if times is None else whole_number(times, "regimen.times")
        if every is None:
            gap = self.interval() if count > 1 else self.every
        else:
            gap = number_value(EVERY, every, "regimen.every")
            if count == 1:
                raise RegimenError("regimen.every has no effect on a single session; set regimen.times as well")
        cycles = cycles[:count] + [cycles[-1]] * (count - len(cycles))
        moved: list[Session] = []
        for k, cycle in enumerate(cycles):
            shift = 0.0 if gap is None else k * gap * 24.0
            for session in cycle:
                at = self.sessions[0].at + (session.at - cycle[0].at) + shift
                moved.append(session.replace(at=at))
        return Regimen(tuple(moved), every=gap, times=float(count))

    def rows(self, prefix: str = "") -> Iterator[Row]:
        """Yield amounts and times of every session, by paths such as ``session.2.dose.cisplatin``."""
        for index, session in enumerate(self.sessions, 1):
            head = f"{prefix}session.{index}"
            yield f"{head}.at", session.at, "h", _USER
            for dose in session.doses:
                for name, amount in dose.amounts:
                    yield f"{head}.dose.{name}", amount, "mg", _USER
                yield f"{head}.duration", dose.duration, "h", dose.duration_origin()

    def __repr__(self) -> str:
        drugs = ", ".join(each.name for each in self.drugs) or "no drug"
        count = f"{len(self.sessions)} session{'s' * (len(self.sessions) != 1)}"
        return f"<Regimen of {count}, {drugs}, {self.digest()[:8]}>"


def whole_number(value: Any, label: str) -> int:
    """Return a count of at least 1, or raise."""
    found = number_value(COUNT, value, label)
    if not isinstance(found, float) or found != int(found):
        raise ParameterError(f"{label} = {value!r} is not a whole number", field=label, legal=COUNT.legal)
    return int(found)
