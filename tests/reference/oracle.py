"""An independent oracle of the model: one patient, SciPy's Radau at 1e-10, written from the specification alone.

It imports nothing of the package and favours clarity over speed. The solver is restarted at every discontinuity
and at every sample time. `simulate` is the interface; the parts are `oracle_inputs` (library, units, derived
constants), `oracle_release` (laws), `oracle_timeline` (events, flows, split), `oracle_equations` (right-hand
sides) and `oracle_course` (solver). Where the specification is ambiguous the most literal reading is taken:

- a0 and F_z use the patient's own zones; after coverage the reachable weight a_esc' stands everywhere else, also in
  the sum that divides the arterial flow. Coverage acts at t = 0.
- Reviews are every `review_days` after the first session (an event at `until_h` still happens). Before the first
  session nothing is read: geometry is that of t = 0.
- A dose's split uses the geometry at its start. Every dose with an occluding carrier is one agent, whatever its
  drugs. A dose without duration meets its own agent at progress 0, 1/2 and 1, the limit of a short one.
- `start_h` counts from the session; the next listed arterial dose follows the end of the one before it in the list.
- Lung share applies to the depot only, the bypass phi_sh to dissolved drug only; both kinds of bypassed drug count
  as following the shunt in the hepatic vein.
- Blood lines use the drugs that have a slope; with drugs but no slope the line is NaN.
- A 'during' embolic starts at the end of the session's last arterial dose (or at the session), an 'end' embolic
  acts after the last of them.
- What belongs to a place without volume (concentrations, hypoxia) is NaN.

Achieved error (against tolerances 30 times tighter and against other clocks): 5e-9 or better in every output
relative to max(|value|, 1e-4 of the course's maximum); 1e-6 in what is left of a depot.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import oracle_equations as eq
from oracle_course import SIZE, Course

LOSSES = {
    "other": "loss_other",
    "served_liver": "loss_served_liver",
    "other_liver": "loss_other_liver",
    "core_extracellular": "loss_core_extracellular",
    "core_cellular": "loss_core_cellular",
    "escape_extracellular": "loss_escape_extracellular",
    "escape_cellular": "loss_escape_cellular",
}


def _ratio(amount: float, volume: float) -> float:
    return amount / volume if volume > 0 else float("nan")


def _hepatic_vein(course: Course, i: int, y: np.ndarray) -> float:
    """Flow-weighted outflow of liver and tumour, shunt flow at C, and injected drug that takes the shunt [mg/L]."""
    flows, sh, drug = course.blood_flows(0.0), course.supply.shunt, course.drugs[i]
    shunt_flow = sh / (1 - sh) * (flows[2] + flows[3])
    total = sum(flows) + shunt_flow
    if total == 0:
        return float("nan")
    carried = shunt_flow * y[0] / drug.v1
    for region in range(4):
        if course.case.regions[i][region] is not None:
            carried += flows[region] * y[3 + 2 * region] / course.case.regions[i][region].v_e
    injected = sum(f.shunted for f in course.infusions if f.drug == i)
    return (carried + injected / drug.rb) / total


def _observe_drug(course: Course, i: int) -> dict[str, Any]:
    """All observables of one drug at the start of the present stretch."""
    y = course.y[i * SIZE : (i + 1) * SIZE]
    drug, volume = course.drugs[i], course.geo.volume
    state = dict(zip(eq.STATES, y, strict=True))
    core = state["e_core"] + state["c_core"]
    escape = state["e_escape"] + state["c_escape"]
    depots = state["depot_core"] + state["depot_escape"]
    served = state["e_served_liver"] + state["c_served_liver"]
    other = state["e_other_liver"] + state["c_other_liver"]
    body = state["central"] + state["peripheral_1"] + state["peripheral_2"] + core + escape + served + other
    return {
        "plasma": state["central"] / drug.v1,
        "tumour_core": _ratio(core, volume[0]),
        "tumour_escape": _ratio(escape, volume[1]),
        "served_liver": _ratio(served, course.supply.v_served),
        "other_liver": _ratio(other, course.supply.v_other),
        "tumour_homogenate": _ratio(core + escape + depots, sum(volume)),
        "hepatic_vein": _hepatic_vein(course, i, y),
        "bound_plasma": state["bound"] / drug.bound_volume,
        "bound_tumour_core_mg": state["bound_core"],
        "bound_tumour_escape_mg": state["bound_escape"],
        "plasma_auc": state["plasma_auc"],
        "tumour_auc": state["tumour_auc"] if sum(volume) > 0 else float("nan"),
        "body_mg": body,
        "delivered_mg": course.delivered[i],
        "eliminated": {route: state[name] for route, name in LOSSES.items()},
        "depot": {place: state[f"depot_{place}"] for place in eq.PLACES},
    }


def _observe(course: Course) -> dict[str, Any]:
    """Everything reported at one time."""
    r = course.y[course.response_at :]
    n = len(course.drugs)
    out: dict[str, Any] = {"drugs": {name: _observe_drug(course, i) for i, name in enumerate(course.names)}}
    out["viable_ml"] = [1e3 * v for v in course.viable()]
    out["necrotic_ml"] = [1e3 * v for v in course.necrotic()]
    out["hypoxia"] = [float(r[z]) if course.tumour.v0[z] > 0 else float("nan") for z in (0, 1)]
    out["killed_ml"] = {"ischaemia": 1e3 * r[6], **{d: 1e3 * r[7 + i] for i, d in enumerate(course.names)}}
    out["served_ischaemic_dose_h"] = float(r[-1]) if course.supply.v_served > 0 else float("nan")
    out["patent_fraction"] = list(course.patent(0.0))
    for number, line in enumerate(eq.LINES):
        known = course.case.marrow[line].known
        out[line] = float(r[7 + n + 5 * number + 4]) if known else float("nan")
    return out


def _stacked(rows: list[Any]) -> Any:
    """A list of equal structures to one structure of arrays; the time axis is the last one."""
    if isinstance(rows[0], dict):
        return {key: _stacked([row[key] for row in rows]) for key in rows[0]}
    return np.array(rows, dtype=float).T


def simulate(spec: dict[str, Any], times_h: Any) -> dict[str, Any]:
    """Run one course and sample it.

    Parameters
    ----------
    spec : dict
        patient, catheter (library names); overrides {path: number in the field's own unit}; until_h; review_days
        (None: no reviews); switches (drug, ischaemic kill, flow retention), 0 switches off; sessions, each {at_h,
        doses, embolics}; a dose is {drugs: {name: mg}, route, carrier (name, dict of full numbers, or None),
        duration_h, start_h}.
    times_h : sequence of float
        Sample times [h] from 0 to until_h. A sample is the state after all events of its time.

    Returns
    -------
    dict
        times_h; per drug under `drugs[name]`: plasma, tumour_core, tumour_escape, served_liver, other_liver,
        tumour_homogenate, hepatic_vein, bound_plasma [mg/L], plasma_auc, tumour_auc [mg h/L, from 0 to the
        sample], body_mg, delivered_mg (put into the tumour by the doses begun so far, dissolved and depot),
        eliminated {route: mg}, depot {place: mg}. Beside it viable_ml, necrotic_ml, hypoxia (2, n), killed_ml
        {cause: mL}, served_ischaemic_dose_h (integral of x_S), patent_fraction (2, n: tumour, served liver),
        neutrophils, leukocytes [1e9/L]; `until`: the same at until_h.
    """
    course = Course(spec)
    times = [Fraction(float(t)) for t in np.asarray(times_h, dtype=float).ravel()]
    if any(t < 0 or t > course.until for t in times):
        raise ValueError("sample times must lie between 0 and until_h")
    plan = course.schedule
    readings = set(plan.sessions) | set(plan.reviews)
    pending = {Fraction(0), course.until, *times, *readings}
    pending |= {t for item in [*plan.doses, *plan.agents] for t in (item.start, item.end)}
    pending = {t for t in pending if t <= course.until}
    doses = sorted(plan.doses, key=lambda d: (d.start, d.order))
    seen: dict[Fraction, dict[str, Any]] = {}
    while pending:
        now = min(pending)
        pending.remove(now)
        if now > 0:
            course.advance(now)
        if now in readings:
            course.read(now)
        while doses and doses[0].start == now:
            before = len(course.depots)
            course.give(doses.pop(0))
            for depot in course.depots[before:]:
                pending |= {t for t in depot.events() if now < t <= course.until}
        course.begin(now)
        if now in times or now == course.until:
            seen[now] = _observe(course)
    out = _stacked([seen[t] for t in times])
    return {"times_h": np.array([float(t) for t in times]), **out, "until": seen[course.until]}
