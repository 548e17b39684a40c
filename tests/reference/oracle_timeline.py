"""Oracle, part 3: sessions laid out in time, occluding agents, flows of a geometry, and the split of an injection.

Times are `Fraction`, sums of floats without rounding: however short a dose is beside the clock, nothing of it is lost.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from types import SimpleNamespace
from typing import Any

from oracle_inputs import Record, carrier, overridden, read

IV_DURATION_H, ARTERIAL_BOLUS_H = 0.25, 0.1
LEAST_FLOW = 0.01  # of the unblocked one: below it nothing can be injected


@dataclass(frozen=True)
class Agent:
    """One occluding injection: grows linearly from `start` to `end`, recanalises from `end`."""

    start: Fraction
    end: Fraction
    occlusion: tuple[float, float]  # of the tumour's artery, of the served liver
    half_life: float
    order: int

    def strength(self, t: Fraction, *, order: int) -> float:
        """Share of the occlusion in force at `t`, as met by the injection number `order`."""
        if t < self.start or (t == self.start and self.order > order):
            return 0.0
        if t < self.end:
            return float((t - self.start) / (self.end - self.start))
        return 2.0 ** (-float(t - self.end) / self.half_life)


@dataclass(frozen=True)
class Dose:
    """One injection of one or several drugs; `carriers` holds a record per drug, or None."""

    start: Fraction
    end: Fraction
    route: str
    drugs: dict[str, float]
    carriers: dict[str, Record | None]
    order: int
    agent: Agent | None


@dataclass(frozen=True)
class Schedule:
    """Everything that happens."""

    sessions: list[Fraction]
    reviews: list[Fraction]
    doses: list[Dose]
    agents: list[Agent]


def _agent(record: Record, start: Fraction, end: Fraction, order: int) -> Agent | None:
    occlusion = record["occlusion"]
    if occlusion == 0:
        return None
    return Agent(start, end, (occlusion, occlusion * record["selectivity"]), record["half_life"], order)


def _dose(item: dict[str, Any], start: Fraction, order: int, overrides: dict[str, Any]) -> Dose:
    route, source = item.get("route", "iv"), item.get("carrier")
    base = None if source is None else carrier(source, None, overrides)
    if route == "iv" and base is not None and base["prompt_fraction"] < 1:
        raise ValueError("a carrier is not given into a vein")
    if route == "extravascular" and base is None:
        raise ValueError("an extravascular dose needs a carrier for its release")
    duration = item.get("duration_h")
    if duration is None:
        default = IV_DURATION_H if route == "iv" else ARTERIAL_BOLUS_H
        duration = default if base is None else base["duration"]
    end = start + Fraction(float(duration))
    return Dose(
        start=start,
        end=end,
        route=route,
        drugs={name: float(mg) for name, mg in item["drugs"].items()},
        carriers={name: None if source is None else carrier(source, name, overrides) for name in item["drugs"]},
        order=order,
        agent=_agent(base, start, end, order) if base is not None and route == "hepatic_artery" else None,
    )


def _session(item: dict[str, Any], order: int, overrides: dict[str, Any]) -> tuple[list[Dose], list[Agent]]:
    """Arterial doses one after another as listed, other routes with the session, embolics after the last artery."""
    at = Fraction(float(item["at_h"]))
    doses: list[Dose] = []
    cursor = last_arterial = at
    for entry in item.get("doses", []):
        arterial = entry.get("route", "iv") == "hepatic_artery"
        start = cursor if arterial else at
        if entry.get("start_h") is not None:
            start = at + Fraction(float(entry["start_h"]))
        order += 1
        doses.append(_dose(entry, start, order, overrides))
        if arterial:
            cursor = doses[-1].end
            last_arterial = max(last_arterial, cursor)
    agents = [d.agent for d in doses if d.agent is not None]
    names = [part for entry in item.get("embolics", []) for part in entry.split("+")]
    embolics = [overridden(read("embolics", name), "embolics", "embolic", overrides) for name in names]
    cursor = last_arterial
    made: list[Agent | None] = []
    for record in (e for e in embolics if e["builds"] == "during"):
        order += 1
        end = cursor + Fraction(float(record["duration"]))
        made.append(_agent(record, cursor, end, order))
        cursor = end
    for record in (e for e in embolics if e["builds"] == "end"):
        order += 1
        made.append(_agent(record, cursor, cursor, order))
    return doses, agents + [a for a in made if a is not None]


def schedule(spec: dict[str, Any]) -> Schedule:
    """Lay out the whole course; sessions at or after `until_h` do not happen."""
    until = Fraction(float(spec["until_h"]))
    overrides = spec.get("overrides") or {}
    doses: list[Dose] = []
    agents: list[Agent] = []
    times: list[Fraction] = []
    for item in sorted(spec["sessions"], key=lambda s: s["at_h"]):
        if Fraction(float(item["at_h"])) < until:
            times.append(Fraction(float(item["at_h"])))
            more, occluding = _session(item, 1000 * len(times), overrides)
            doses += more
            agents += occluding
    reviews = []
    if spec.get("review_days") and times:
        step = Fraction(float(spec["review_days"])) * 24
        reviews = [times[0] + k * step for k in range(1, int((until - times[0]) / step) + 1)]
    return Schedule(times, reviews, doses, agents)


def geometry(
    tumour: SimpleNamespace, supply: SimpleNamespace, viable: list[float], necrotic: list[float]
) -> SimpleNamespace:
    """Volumes [L] and unblocked blood flows [L/h] of a reading (section 2)."""
    perfused = [max(v, 0.01 * v0) for v, v0 in zip(viable, tumour.v0, strict=True)]
    relative = [tumour.rho * v / tumour.mean_weight for v in perfused]  # F_z / a_L
    tissue = supply.v_served + supply.v_other + sum(a * f for a, f in zip(tumour.weight, relative, strict=True))
    a_l = supply.arterial / tissue if tissue > 0 else 0.0
    liver = supply.v_served + supply.v_other
    served = supply.v_served / liver if liver > 0 else 0.0
    return SimpleNamespace(
        volume=[v + n for v, n in zip(viable, necrotic, strict=True)],
        zone_flow=[a_l * f for f in relative],
        artery_served=a_l * supply.v_served,
        portal_served=supply.portal * served,
        artery_other=a_l * supply.v_other,
        portal_other=supply.portal * (1 - served) if liver > 0 else 0.0,
    )


def patency(agents: list[Agent], t: Fraction, dose: Dose, progress: float) -> tuple[float, float]:
    """(p_T, p_S) met by `dose` at `t`; its own agent stands at `progress`, also when the dose takes no time."""
    p_t = p_s = 1.0
    for agent in agents:
        w = progress if agent is dose.agent else agent.strength(t, order=dose.order)
        p_t *= 1 - agent.occlusion[0] * w
        p_s *= 1 - agent.occlusion[1] * w
    return p_t, p_s


def split(
    dose: Dose, theta: float, tumour: SimpleNamespace, geo: SimpleNamespace, agents: list[Agent]
) -> tuple[float, float, float]:
    """Shares of (core, escape, served liver): mean over the injection by Simpson's rule on its three points."""
    artery = [a * f for a, f in zip(tumour.weight, geo.zone_flow, strict=True)]
    mean = [0.0, 0.0]
    for progress, weight in ((Fraction(0), 1 / 6), (Fraction(1, 2), 4 / 6), (Fraction(1), 1 / 6)):
        t = dose.start + progress * (dose.end - dose.start)
        p_t, p_s = patency(agents, t, dose, float(progress))
        total = theta * p_t * sum(artery) + geo.artery_served * p_s
        if progress == 0 and total < LEAST_FLOW * (theta * sum(artery) + geo.artery_served):
            raise ValueError("the artery is blocked: nothing can be injected")
        for z in (0, 1):
            mean[z] += weight * theta * artery[z] * p_t / total
    return mean[0], mean[1], 1 - mean[0] - mean[1]
