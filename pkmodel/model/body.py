"""Lowering: scenarios become problems, the one place where patient, drug and treatment meet.

Everything the solver may batch shares one order of events. Lanes whose events fall in another order (an infusion
that outlasts the next dose in some subjects only) go into a batch of their own; the caller gets lanes back in the
order in which it gave them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np

from ..errors import RegimenError
from ..inputs.drug import Drug
from ..inputs.scenario import Scenario
from ..laws.release import ReleaseLaw
from .columns import column, drug_columns, inert_columns, patient_columns
from .problem import Agent, Array, DrugColumns, PatientColumns, Problem, Slot
from .timeline import (
    PlannedDose,
    PlannedSession,
    check_horizon,
    join_laws,
    law_events,
    law_signature,
    plan_session,
    recanalisation,
    release_law,
)

Placed = TypeVar("Placed", Slot, Agent)
ALL_PLAYERS = (1.0, 1.0, 1.0)
INERT_DRUG = "none"


@dataclass(frozen=True, eq=False)
class Run:
    """One scenario to be solved, with the attribution players that take part: drug, ischaemia, retention.

    With `mixed` 1 drug kills as if it lay evenly in both zones of the tumour: a switch that asks what zones decide.
    """

    scenario: Scenario
    until_h: float | Array
    players: tuple[float, float, float] = ALL_PLAYERS
    mixed: float = 0.0

    @property
    def lanes(self) -> int:
        """Number of lanes: of the scenario, or of the horizon where that is an array."""
        return max(self.scenario.size, int(np.size(self.until_h)))


@dataclass(frozen=True, eq=False)
class Batch:
    """A problem and where each of its lanes stands among all lanes asked for."""

    problem: Problem
    lanes: np.ndarray


@dataclass
class _Plan:
    run: Run
    sessions: list[PlannedSession]
    until: Array
    first: int  # its first lane among all lanes


def lower(runs: Sequence[Run]) -> list[Batch]:
    """Lower runs to as few problems as their release laws and orders of events allow.

    Raises
    ------
    ParameterError, RegimenError
        For impossible combinations; the message names the fields.
    """
    if not runs:
        raise RegimenError("nothing to simulate: no scenario given")
    plans, first = [], 0
    for run in runs:
        until = np.broadcast_to(np.asarray(run.until_h, dtype=float), (run.lanes,))
        sessions = [plan_session(s, run.lanes) for s in run.scenario.regimen.sessions]
        check_horizon(sessions, until)
        plans.append(_Plan(run, sessions, until, first))
        first += run.lanes
    names = drug_names(runs)
    records: dict[str, Drug] = {}
    for run in runs:
        for drug in run.scenario.regimen.drugs:
            records.setdefault(drug.name, drug)
    batches = []
    for group in _compatible(plans):
        batches += _order(*_assemble(group, names, records))
    return batches


def drug_names(runs: Sequence[Run]) -> tuple[str, ...]:
    """Names of all drugs given in any run, in the order of first appearance."""
    names: dict[str, None] = {}
    for run in runs:
        names.update(dict.fromkeys(run.scenario.drugs))
    return tuple(names)


def _compatible(plans: list[_Plan]) -> list[list[_Plan]]:
    """Group plans whose doses take the same kind of release law, place by place, and the same reviews."""
    groups: list[tuple[list[list[tuple[str, ...] | None]], object, list[_Plan]]] = []
    for plan in plans:
        signature = [[law_signature(d.dose) for d in s.doses] for s in plan.sessions]
        review = plan.run.scenario.review_days
        for known, other, members in groups:
            if other == review and _agree(known, signature):
                _merge(known, signature)
                members.append(plan)
                break
        else:
            groups.append(([list(row) for row in signature], review, [plan]))
    return [members for _, _, members in groups]


def _agree(one: list[list[tuple[str, ...] | None]], other: list[list[tuple[str, ...] | None]]) -> bool:
    return all(
        a is None or b is None or a == b
        for first, second in zip(one, other, strict=False)
        for a, b in zip(first, second, strict=False)
    )


def _merge(known: list[list[tuple[str, ...] | None]], new: list[list[tuple[str, ...] | None]]) -> None:
    known += [[] for _ in range(len(new) - len(known))]
    for row, added in zip(known, new, strict=False):
        row += [None] * (len(added) - len(row))
        for place, value in enumerate(added):
            row[place] = row[place] or value


def _widen(plans: list[_Plan]) -> None:
    """Give all plans the same number of sessions, doses and agents; empty ones wait at the horizon."""
    most = max(len(plan.sessions) for plan in plans)
    for plan in plans:
        for _ in range(most - len(plan.sessions)):
            plan.sessions.append(PlannedSession(plan.until, cursor=plan.until))
    for k in range(most):
        row = [plan.sessions[k] for plan in plans]
        shape = [
            max(len(part) for part in parts)
            for parts in zip(*((s.doses, s.during, s.final) for s in row), strict=True)
        ]
        for session in row:
            session.widen(*shape)


def _assemble(
    plans: list[_Plan], names: tuple[str, ...], records: dict[str, Drug]
) -> tuple[Problem, np.ndarray]:
    """One problem in the canonical order of events; boundaries are not sorted yet."""
    _widen(plans)
    lanes = np.concatenate([np.arange(p.first, p.first + p.run.lanes) for p in plans])
    times: list[Array] = []

    def event(values: list[Array]) -> int:
        times.append(np.concatenate(values))
        return len(times) - 1

    sessions, slots, agents, kinks = [], [], [], []
    for k in range(len(plans[0].sessions)):
        row = [plan.sessions[k] for plan in plans]
        sessions.append(event([s.at for s in row]))
        for place in range(len(row[0].doses)):
            doses = [s.doses[place] for s in row]
            begin, end = event([d.begin for d in doses]), event([d.end for d in doses])
            slot = _slot(plans, doses, names, begin, end)
            slots.append(slot)
            agents += _agents([_carrier(d) for d in doses], plans, begin, end)
            if slot.law is not None:
                kinks += law_events(slot.law, times[begin], times[end])
        for place in range(len(row[0].during)):
            injected = [s.during[place] for s in row]
            begin, end = event([a.begin for a in injected]), event([a.end for a in injected])
            agents += _agents([a.agent for a in injected], plans, begin, end)
        for place in range(len(row[0].final)):
            final = [s.final[place] for s in row]
            at = event([a.begin for a in final])
            agents += _agents([a.agent for a in final], plans, at, at)
    until = np.concatenate([plan.until for plan in plans])
    readings = list(sessions)
    for review in _reviews(
        plans[0].run.scenario.review_days, times[sessions[0]] if sessions else None, until
    ):
        readings.append(event([review]))
    times += [np.where(np.isfinite(kink), kink, until) for kink in kinks]
    boundaries = np.minimum(np.stack([*times, until]), until) if times else until[None]
    problem = Problem(
        names or (INERT_DRUG,),
        _drugs(plans, names, records),
        _patients(plans),
        boundaries,
        tuple(readings),
        tuple(sessions),
        tuple(slots),
        tuple(agents),
    )
    return problem, lanes


def _carrier(planned: PlannedDose) -> object:
    return (
        planned.dose.carrier if planned.dose is not None and planned.dose.route == "hepatic_artery" else None
    )


def _slot(plans: list[_Plan], doses: list[PlannedDose], names: tuple[str, ...], begin: int, end: int) -> Slot:
    parts: dict[str, list[Array]] = {
        key: [] for key in ("amount", "venous", "prompt", "site", "theta", "lung")
    }
    laws: list[list[ReleaseLaw | None]] = []
    for plan, planned in zip(plans, doses, strict=True):
        n, dose = plan.run.lanes, planned.dose
        amount, prompt = np.zeros((max(len(names), 1), n)), np.ones((max(len(names), 1), n))
        carrier = dose.carrier if dose is not None else None
        own: list[ReleaseLaw | None] = [None] * len(amount)
        for name, value in dose.amounts if dose is not None else ():
            row = names.index(name)
            amount[row] = value
            if carrier is not None:
                suited = carrier.for_drug(name)
                prompt[row] = column(suited, "prompt_fraction", n)
                if np.any(prompt[row] < 1.0):  # of a drug that is free at once the law means nothing
                    own[row] = release_law(suited.release, n)
        laws.append(own)
        parts["amount"].append(amount * plan.run.players[0])
        parts["prompt"].append(prompt)
        parts["venous"].append(np.full(n, float(dose is not None and dose.route != "hepatic_artery")))
        parts["site"].append(np.full(n, float(dose is not None and dose.route == "extravascular")))
        parts["theta"].append(column(carrier, "target_preference", n) if carrier is not None else np.ones(n))
        parts["lung"].append(column(carrier, "lung_share", n) if carrier is not None else np.zeros(n))
    joined = {key: np.concatenate(values, axis=-1) for key, values in parts.items()}
    return Slot(
        amount=joined["amount"],
        venous=joined["venous"],
        prompt=joined["prompt"],
        central_depot=joined["site"],
        preference=joined["theta"],
        lung_share=joined["lung"],
        law=join_laws(laws, [plan.run.lanes for plan in plans]),
        begin=begin,
        end=end,
    )


def _agents(found: list[object], plans: list[_Plan], begin: int, end: int) -> list[Agent]:
    if all(agent is None for agent in found):
        return []
    columns: dict[str, list[Array]] = {}
    for agent, plan in zip(found, plans, strict=True):
        n = plan.run.lanes
        if agent is None:
            values = {key: np.zeros(n) for key in Agent.__dataclass_fields__ if key not in ("begin", "end")}
        else:
            values = recanalisation(agent, n)  # type: ignore[arg-type]
        for key, value in values.items():
            columns.setdefault(key, []).append(value)
    return [Agent(**{key: np.concatenate(value) for key, value in columns.items()}, begin=begin, end=end)]


def _reviews(review_days: float | None, first: Array | None, until: Array) -> list[Array]:
    """Times of dose-free readings between the first session and the horizon."""
    if review_days is None or first is None:
        return []
    every = 24.0 * review_days
    count = int(np.ceil(np.max(until - first) / every)) - 1
    return [np.minimum(first + k * every, until) for k in range(1, count + 1)]


def _drugs(plans: list[_Plan], names: tuple[str, ...], records: dict[str, Drug]) -> DrugColumns:
    rows = []
    known: dict[tuple[int, int, int], dict[str, Array]] = {}  # coalitions of an arm share their records
    for name in names or (None,):
        parts = []
        for plan in plans:
            scenario, n = plan.run.scenario, plan.run.lanes
            if name is None:
                parts.append(inert_columns(n))
                continue
            drug = next((own for own in scenario.regimen.drugs if own.name == name), records[name])
            key = (id(drug), id(scenario.patient), n)
            if key not in known:
                known[key] = drug_columns(drug, scenario.patient, n)
            parts.append(known[key])
        rows.append({key: np.concatenate([part[key] for part in parts]) for key in parts[0]})
    return DrugColumns(**{key: np.stack([row[key] for row in rows]) for key in rows[0]})


def _patients(plans: list[_Plan]) -> PatientColumns:
    parts = []
    known: dict[tuple[int, int], PatientColumns] = {}
    for plan in plans:
        scenario, n = plan.run.scenario, plan.run.lanes
        key = (id(scenario), n)
        if key not in known:
            known[key] = patient_columns(scenario.patient, scenario.catheter, scenario.regimen.drugs, n)
        drug, ischaemia, retention = (np.full(n, player) for player in plan.run.players)
        switches = {"drug_switch": drug, "ischaemia_switch": ischaemia, "retention_switch": retention}
        parts.append(replace(known[key], **switches, mixed=np.full(n, plan.run.mixed)))
    keys = PatientColumns.__dataclass_fields__
    return PatientColumns(**{key: np.concatenate([getattr(p, key) for p in parts], axis=-1) for key in keys})


def _order(problem: Problem, lanes: np.ndarray) -> list[Batch]:
    """Sort the boundaries of every lane; lanes that share an order form a batch."""
    order = np.argsort(problem.boundaries[:-1], axis=0, kind="stable")
    unique, member = np.unique(order, axis=1, return_inverse=True)
    batches = []
    for group in range(unique.shape[1]):
        chosen = np.flatnonzero(np.reshape(member, -1) == group)
        permutation = np.append(unique[:, group], problem.boundaries.shape[0] - 1)
        place = np.argsort(permutation)
        part = problem.take(chosen)
        zero = np.zeros((1, chosen.size))
        batches.append(
            Batch(
                Problem(
                    part.drug_names,
                    part.drug,
                    part.patient,
                    np.concatenate([zero, part.boundaries[permutation]]),
                    tuple(sorted(int(place[r]) + 1 for r in part.readings)),
                    tuple(int(place[s]) + 1 for s in part.sessions),
                    tuple(_moved(slot, place) for slot in part.slots),
                    tuple(_moved(agent, place) for agent in part.agents),
                ),
                lanes[chosen],
            )
        )
    return batches


def _moved(item: Placed, place: np.ndarray) -> Placed:

    return replace(item, begin=int(place[item.begin]) + 1, end=int(place[item.end]) + 1)
