"""Sessions to events: who is injected when, what blocks the artery from when on, in an order that is structure.

A scenario's sessions are laid out as a plan; plans of several scenarios that take the same laws are widened to a
common shape with doses of zero and agents that block nothing, so that arms of a comparison share one batch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace

import numpy as np

from ..errors import RegimenError
from ..inputs.materials import Carrier, Embolic, ReleaseParameters
from ..inputs.session import Dose, Session
from ..laws.release import LAW_PARAMETERS, Power, ReleaseLaw, Tabulated, law_from_parameters
from .columns import column, rate_of
from .problem import Array

# How long the bent clock of a singular release law lasts [h]; ten seconds are short against every exchange.
SINGULAR_H = 0.003


@dataclass
class PlannedDose:
    """One dose of a scenario over its lanes; None is a place kept free."""

    dose: Dose | None
    begin: Array  # [h]
    end: Array


@dataclass
class PlannedAgent:
    """One blocking agent of a scenario over its lanes; None is a place kept free."""

    agent: Carrier | Embolic | None
    begin: Array
    end: Array


@dataclass
class PlannedSession:
    """Doses, then agents injected after them, then agents that act at the end."""

    at: Array
    doses: list[PlannedDose] = field(default_factory=list)
    during: list[PlannedAgent] = field(default_factory=list)
    final: list[PlannedAgent] = field(default_factory=list)
    cursor: Array = field(default_factory=lambda: np.zeros(1))  # end of the last arterial injection

    def widen(self, doses: int, during: int, final: int) -> None:
        """Fill up with empty places at the end of the injections, in order."""
        injected = self.doses[-1].end if self.doses else self.at
        after = np.max([self.cursor, self.at, *(dose.end for dose in self.doses)], axis=0)
        for _ in range(doses - len(self.doses)):
            self.doses.append(PlannedDose(None, injected, injected))
        for _ in range(during - len(self.during)):
            self.during.append(PlannedAgent(None, after, after))
        for _ in range(final - len(self.final)):
            self.final.append(PlannedAgent(None, after, after))


def plan_session(session: Session, lanes: int) -> PlannedSession:
    """Lay out one session: arterial doses in turn, oil or bland beads after them, sponge at the end."""
    at = column(session, "at", lanes)
    plan = PlannedSession(at)
    cursor = at
    for dose, start in zip(session.doses, session.starts(), strict=True):
        begin = at + np.broadcast_to(np.asarray(start, dtype=float), (lanes,))
        end = begin + column(dose, "duration", lanes)
        plan.doses.append(PlannedDose(dose, begin, end))
        if dose.route == "hepatic_artery":
            cursor = np.maximum(cursor, end)
    for embolic in session.embolics:
        if embolic.builds == "during":
            end = cursor + column(embolic, "duration", lanes)
            plan.during.append(PlannedAgent(embolic, cursor, end))
            cursor = end
    for embolic in session.embolics:
        if embolic.builds == "end":
            plan.final.append(PlannedAgent(embolic, cursor, cursor))
    plan.cursor = cursor
    return plan


def release_law(parameters: ReleaseParameters, lanes: int) -> ReleaseLaw:
    """The law of a carrier over lanes."""
    values = {}
    for name in LAW_PARAMETERS[parameters.law]:
        value = getattr(parameters, name)
        if isinstance(value, tuple):
            values[name] = np.asarray(value, dtype=float)
        else:
            values[name] = column(parameters, name, lanes)
    return law_from_parameters(parameters.law, **values)


def join_laws(laws: list[list[ReleaseLaw | None]], lanes: list[int]) -> ReleaseLaw | None:
    """One law of a kind over drugs and lanes from those of every plan and drug.

    Where nothing is held back a place borrows the numbers of one that does.
    """
    first = next((law for own in laws for law in own if law is not None), None)
    if first is None or isinstance(first, Tabulated):
        return first
    values = {}
    for name in (f.name for f in fields(first)):
        columns = []
        for own, n in zip(laws, lanes, strict=True):
            rows = [np.atleast_1d(getattr(first, name))[..., :1] if law is None else getattr(law, name) for law in own]
            columns.append(np.stack([np.broadcast_to(row, (n,)) for row in rows]))
        values[name] = np.concatenate(columns, axis=-1)
    return replace(first, **values)


def law_signature(dose: Dose | None) -> tuple[str, ...] | None:
    """What must agree for doses to share a batch: the kind of their law, or None where nothing is held back.

    Raises
    ------
    RegimenError
        If the drugs of one dose are held back by laws of different kinds.
    """
    if dose is None or dose.carrier is None:
        return None
    found: dict[tuple[str, ...], str] = {}
    for name, _ in dose.amounts:
        carrier = dose.carrier.for_drug(name)
        if np.any(np.asarray(carrier.prompt_fraction) < 1.0):
            release = carrier.release
            kind = release_law(release, 1 if carrier.size == 1 else carrier.size).kind
            table = (repr(release.times), repr(release.fractions)) if kind == "tabulated" else ()
            found[(kind, *table)] = name
    if len(found) > 1:
        raise RegimenError(
            f"carrier {dose.carrier.name!r} holds {' and '.join(found.values())} back by laws of different kinds; "
            "give them as doses of their own"
        )
    return next(iter(found), None)


def law_events(law: ReleaseLaw, begin: Array, end: Array) -> list[Array]:
    """Times at which a depot's release has a kink: completion of a power law, knots of a table [h].

    A law that is singular at its start needs the bent clock there and only there: on stiff spaces a bent clock
    costs the solver its order, so that it ends after `SINGULAR_H`.
    """
    start = [edge + SINGULAR_H for edge in (begin, end)] if np.any(law.clock_power() > 1.0) else []
    if isinstance(law, Power):
        done = np.atleast_2d(law.completion_time())
        return start + [edge + row for row in np.unique(done, axis=0) for edge in (begin, end)]
    if isinstance(law, Tabulated):
        knots = np.asarray(law.times)[1:]
        return [begin + knot for knot in knots] + [end + knots[-1]]
    return start


def recanalisation(agent: Carrier | Embolic, lanes: int) -> dict[str, Array]:
    """Columns of one agent: occlusion of tumour and served arteries, and recovery [1/h]."""
    occlusion = column(agent, "occlusion", lanes)
    return {
        "occlusion": occlusion,
        "served_occlusion": occlusion * column(agent, "selectivity", lanes),
        "rate": rate_of(column(agent, "half_life", lanes)),
    }


def check_horizon(sessions: list[PlannedSession], until: Array) -> None:
    """Every session must be over before the follow-up ends."""
    for number, session in enumerate(sessions, 1):
        ends = [session.at, session.cursor, *(dose.end for dose in session.doses)]
        last = np.max(ends, axis=0)
        late = last > until
        if np.any(late):
            lane = int(np.argmax(late))
            where = f" (index {lane})" if late.size > 1 else ""
            raise RegimenError(
                f"session {number} lasts until {last[lane]:g} h, after the end of follow-up at "
                f"{until[lane]:g} h{where}; "
                "follow up longer (until) or treat earlier (session.at)"
            )


def oil_retained(sessions: Sequence[Session], time: Array, place: str, lanes: int) -> Array:
    """Share of the oil deposited so far that is still in a place [1], (m, lanes); NaN where there was none.

    Every deposit counts as one: carriers and embolics with a finite half-life in `place` (tumour, liver, lung). It
    leaves exponentially from its end on. This is retention of oil, not of drug.
    """
    left, given = np.zeros((time.size, lanes)), np.zeros((time.size, lanes))
    for session in sessions:
        plan = plan_session(session, lanes)
        deposits: list[tuple[Carrier | Embolic | None, Array, Array]] = [
            (d.dose.carrier, d.begin, d.end) for d in plan.doses if d.dose and d.dose.route == "hepatic_artery"
        ]
        deposits += [(a.agent, a.begin, a.end) for a in (*plan.during, *plan.final)]
        for agent, begin, end in deposits:
            if agent is None:
                continue
            half_life = column(agent, f"retention_{place}", lanes)
            rate = rate_of(half_life)
            span = np.where(end > begin, end - begin, 1.0)
            grown = np.clip((time[:, None] - begin) / span, 0.0, 1.0)
            grown = np.where(end > begin, grown, time[:, None] >= end) * np.isfinite(half_life)
            left += grown * np.exp(-rate * np.maximum(time[:, None] - end, 0.0))
            given += grown
    return left / np.where(given > 0.0, given, np.nan)
