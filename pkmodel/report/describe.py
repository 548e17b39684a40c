"""A scenario in words, equations and numbers: what MODEL's equations mean for this patient and treatment.

Compartments and equations come from the one declaration of the graph (`model.graph`), the numbers from the
lowered problem, so that what is printed is what is solved. Every number has ten digits: a reader can recompute
a rate by hand.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..errors import InputError
from ..inputs.materials import LAW_PARAMETERS, Carrier, Embolic
from ..inputs.scenario import Scenario
from ..laws import perfusion
from ..laws.marrow import STAGES_PER_TRANSIT_TIME
from ..model.body import Run, lower
from ..model.graph import DAUGHTERS, INPUTS, NAMES, NODES, OCCLUDED, ZONES
from ..model.network import Geometry, Network, network, read_geometry, steady_extraction
from ..model.problem import Problem

_FAR_H = 1e6  # beyond any session: lowering wants a horizon, the description does not depend on it
_HOURS_PER_DAY = 24.0


def describe(scenario: Scenario) -> str:
    """Return compartments, flows, doses and equations of a scenario with the numbers in force before treatment.

    Of a population the first lane is described.

    Parameters
    ----------
    scenario : what to describe

    Examples
    --------
    >>> import pkmodel as pk
    >>> text = pk.describe(pk.Scenario("hcc_reference", pk.iv("doxorubicin", 50)))
    >>> "dA[central]/dt" in text
    True
    """
    if not isinstance(scenario, Scenario):
        raise InputError(f"scenario: expected a Scenario, got {type(scenario).__name__}")
    batch = lower([Run(scenario, _FAR_H)])[0]
    problem = batch.problem.take(slice(0, 1))
    geometry = read_geometry(problem, problem.patient.zone_volume, np.zeros((2, 1)))
    numbers = network(problem, geometry)
    lanes = f" (first of {scenario.size} lanes)" if scenario.size > 1 else ""
    lines = [
        f"{scenario.patient.name}, {scenario.catheter.name} catheter, {', '.join(scenario.drugs) or 'no drug'}{lanes}",
        "Units: mg, L, h. A amount, c = A/V total plasma-equivalent concentration, V capacity = volume x partition.",
        "",
        *_flows(problem, geometry),
    ]
    for row, drug in enumerate(problem.drug_names):
        lines += ["", *_clearances(problem, geometry, row, drug)]
        lines += ["", *_compartments(numbers, row, drug)]
        lines += ["", *_equations(problem, numbers, row, drug)]
    lines += ["", *_treatment(scenario), "", *_response(problem), "", *_marrow(problem)]
    return "\n".join(lines)


def _n(value: Any) -> str:
    """A number with ten digits, of the first lane."""
    return f"{float(np.ravel(np.asarray(value, dtype=float))[0]):.10g}"


def _flows(problem: Problem, geometry: Geometry) -> Iterator[str]:
    p, flows = problem.patient, geometry.flows
    yield "FLOWS AND VOLUMES before treatment: blood flow L/h, volume L"
    yield f"  liver          artery {_n(p.arterial)}, portal vein {_n(p.portal)}, shunt sh = {_n(p.liver_shunt)}"
    for i, zone in enumerate(ZONES):
        yield (
            f"  tumour {zone:<7} volume {_n(p.zone_volume[i])}, flow F {_n(flows.zone[i])}, of it by the artery "
            f"{_n(flows.zone_arterial[i])} (arterial weight a = {_n(p.zone_weight[i])})"
        )
    artery, portal = _n(flows.served_arterial), _n(flows.served_portal)
    yield f"  served liver   volume {_n(p.served)}, artery Qa {artery}, portal vein Qp {portal}"
    yield f"  other liver    volume {_n(p.other)}, flow {_n(flows.other)}"
    shares = perfusion.split(flows, target_preference=1.0, patent_tumour=1.0, patent_served=1.0)
    split = ", ".join(f"{name} {_n(share)}" for name, share in zip((*ZONES, "served"), shares, strict=True))
    yield f"  injected into the open artery, dissolved: {split}"
    q = _n(p.collateral)
    yield f"  supply of a tumour zone S = q + (1-q) (1 - a (1 - p(t))), q = {q}; p(t) is the open part of the artery"
    yield "  supply of the served liver S = (Qa p(t) + Qp)/(Qa + Qp)"


def _clearances(problem: Problem, geometry: Geometry, row: int, drug: str) -> Iterator[str]:
    d, p = problem.drug, problem.patient
    yield f"CLEARANCES of {drug}, derived from its reference subject and put into this patient"
    yield f"  CL_oth = {_n(d.cl_other[row])} L/h by other routes"
    served, other = d.liver_clint[row] * p.served, d.liver_clint[row] * p.other
    yield f"  CLint = {_n(d.liver_clint[row])} L/h per L parenchyma: served {_n(served)}, other {_n(other)} L/h"
    yield f"  extraction of blood through the served liver at low dose {_n(steady_extraction(problem, geometry)[row])}"
    yield f"  Rb = {_n(d.blood_plasma_ratio[row])}, fu = {_n(d.fraction_unbound[row])}"


def _compartments(numbers: Network, row: int, drug: str) -> Iterator[str]:
    yield f"COMPARTMENTS of {drug}: capacity V, exchange with the parent and clearance, nothing occluded"
    for i, node in enumerate(NODES):
        parts = [f"V {_n(numbers.capacity[i, row])} L"]
        if node.parent is not None:
            parts.append(f"{node.exchange} = {_n(numbers.conductance[i, row])} L/h to {node.parent}")
        if node.loss:
            clear, km = numbers.clearance[i, row], numbers.inverse_km[i, row]
            limit = f", Km {_n(1.0 / km)} mg/L" if np.any(km > 0.0) else ""
            parts.append(f"loss {node.loss}: {_n(clear)} L/h{limit}")
        yield f"  {node.name:<22} {'; '.join(parts)}"


def _equations(problem: Problem, numbers: Network, row: int, drug: str) -> Iterator[str]:
    yield f"EQUATIONS of {drug} (mg/h); S(t) = 1 and no input before the first session"
    for i, node in enumerate(NODES):
        children = [child for child, each in enumerate(NODES) if each.parent == node.name]
        terms = [_exchange(numbers, row, child, node.name, -1) for child in children]
        if node.parent is not None:
            terms.append(_exchange(numbers, row, i, node.parent, 1))
        if np.any(numbers.clearance[i, row] > 0.0):
            terms.append(_loss(numbers, row, i))
        if node.name in INPUTS:
            terms.append("+ input(t)")
        body = " ".join(filter(None, terms)).removeprefix("+ ") or "0"
        yield f"  dA[{node.name}]/dt = {body}"
    d = problem.drug
    body_losses = "loss[served_cells] + loss[other_cells] + loss[central]"
    for name, part, rate, losses in (
        (DAUGHTERS[0], d.bound_fraction, d.bound_rate, f"({body_losses})"),
        *((name, d.tumour_bound_fraction, d.tumour_bound_rate, f"loss[{zone}_cells]")
          for name, zone in zip(DAUGHTERS[1:], ZONES, strict=True)),
    ):  # fmt: skip
        if np.any(part[row] > 0.0):
            yield f"  dA[{name}]/dt = {_n(part[row])} {losses} - {_n(rate[row])} A[{name}]"


def _exchange(numbers: Network, row: int, child: int, other: str, sign: int) -> str:
    """Flux between a child and its parent: into the child for sign 1, into the parent for -1."""
    conductance = numbers.conductance[child, row]
    if not np.any(conductance > 0.0):
        return ""
    supply = f" S[{NAMES[child]}](t)" if child in range(*OCCLUDED.indices(len(NAMES))) else ""
    one, two = (other, NAMES[child]) if sign > 0 else (NAMES[child], other)
    return f"+ {_n(conductance)}{supply} (c[{one}] - c[{two}])"


def _loss(numbers: Network, row: int, i: int) -> str:
    clear, km = numbers.clearance[i, row], numbers.inverse_km[i, row]
    saturated = f" / (1 + c[{NAMES[i]}]/{_n(1.0 / km)})" if np.any(km > 0.0) else ""
    return f"- {_n(clear)} c[{NAMES[i]}]{saturated}"


def _treatment(scenario: Scenario) -> Iterator[str]:
    yield "TREATMENT: doses, release laws, occlusion"
    for number, session in enumerate(scenario.regimen.sessions, 1):
        yield f"  session {number} at {_n(session.at)} h"
        for dose, start in zip(session.doses, session.starts(), strict=True):
            given = ", ".join(f"{name} {_n(amount)} mg" for name, amount in dose.amounts)
            how = f"{dose.route} over {_n(dose.duration)} h from {_n(start)} h after its start"
            yield f"    {given}, {how}"
            if dose.carrier is not None:
                for name, _ in dose.amounts:
                    yield from _carrier(dose.carrier.for_drug(name), name)
                yield f"      occlusion by {dose.carrier.name}, grows during the injection: {_occlusion(dose.carrier)}"
        for embolic in session.embolics:
            when = "grows during its injection" if embolic.builds == "during" else "at the end of the session"
            yield f"    {embolic.name}, {when}: {_occlusion(embolic)}"
    yield "  p(t) = product over agents of 1 - o 2^(-(t - t_end)/half-life)"


def _carrier(carrier: Carrier, drug: str) -> Iterator[str]:
    law = carrier.release
    numbers = ", ".join(f"{key} {_law_value(law, key)}" for key in LAW_PARAMETERS[law.law])
    yield (
        f"      {carrier.name} for {drug}: prompt fraction {_n(carrier.prompt_fraction)}, the rest by law {law.law}"
        + (f" ({numbers})" if numbers else "")
        + f"; theta {_n(carrier.target_preference)}, lung share {_n(carrier.lung_share)}"
    )


def _law_value(law: Any, key: str) -> str:
    value = getattr(law, key)
    if isinstance(value, tuple):
        return "[" + ", ".join(f"{each:g}" for each in value) + "]"
    unit = law.spec(key).unit
    return _n(value) + ("" if unit == "1" else f" {unit}")


def _occlusion(agent: Carrier | Embolic) -> str:
    tumour = np.asarray(agent.occlusion)
    return (
        f"o_T = {_n(tumour)} of the tumour's artery, o_S = {_n(tumour * agent.selectivity)} of the served liver's, "
        f"half-life {_n(agent.half_life)} d"
    )


def _response(problem: Problem) -> Iterator[str]:
    p, d = problem.patient, problem.drug
    kinetics = f"{_n(p.growth_rate)} 1/h"
    if np.any(p.growth_damping > 0.0):
        kinetics = f"{_n(p.growth_damping)} ln(K_z/v) 1/h, K_z = {_n(p.growth_capacity)} L x the zone's share"
    yield "RESPONSE of a tumour zone: viable volume v, necrotic n (L), hypoxia h"
    yield f"  x = max(0, 1 - S(t)/{_n(p.critical_supply)})^2;  dh/dt = {_n(p.hypoxia_rate)} (x - h)"
    yield f"  dv/dt = (g - k_isch - k_D) v;  g = {kinetics};  k_isch = {_n(p.ischaemic_kill)} h"
    for row, drug in enumerate(problem.drug_names):
        if np.any(d.kmax[row] * d.potency[row] > 0.0):
            hypoxic = _n(d.hypoxia_factor[row] - 1.0)
            yield (
                f"  k_D of {drug} = {_n(d.potency[row])} x {_n(d.kmax[row])} y/(1+y) (1 + {hypoxic} h), "
                f"y = ({_n(d.fraction_unbound[row])} c[cells]/{_n(d.ec50[row])})^{_n(d.hill[row])}"
            )
    yield f"  dn/dt = (k_isch + k_D) v - {_n(p.resorption)} n"
    yield (
        f"  at a later session 1 - (1 - {_n(p.escape_recovery)})^(dt/{_n(p.escape_recovery_time / _HOURS_PER_DAY)} d) "
        "of the escape zone becomes core"
    )


def _marrow(problem: Problem) -> Iterator[str]:
    p, d = problem.patient, problem.drug
    yield "MARROW (Friberg): proliferating P, three transit T1-T3, circulating N (1e9/L)"
    slopes = [(drug, d.neutrophil_slope[row]) for row, drug in enumerate(problem.drug_names)]
    effect = " + ".join(f"{_n(slope)} c[central] of {drug}" for drug, slope in slopes if np.all(slope > 0.0))
    if not effect:
        yield "  no marrow slope is known for any drug given: no count is computed"
        return
    rate = STAGES_PER_TRANSIT_TIME / p.neutrophil_mtt
    yield f"  k = {_n(rate)} 1/h (MTT {_n(p.neutrophil_mtt)} h);  E = {effect}"
    yield (
        f"  dP/dt = k P ((1 - E) ({_n(p.neutrophils)}/N)^{_n(p.neutrophil_feedback)} - 1);  "
        "dT1/dt = k (P - T1), ...;  dN/dt = k (T3 - N)"
    )
