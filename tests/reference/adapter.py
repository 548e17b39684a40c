"""From an oracle's scenario (plain dictionaries) to pkmodel's, and from a course to the oracle's keys."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

import pkmodel as pk
from pkmodel.exposure.observables import observe
from pkmodel.inputs import library
from pkmodel.inputs.materials import Carrier
from pkmodel.inputs.session import Dose, Session
from pkmodel.model.body import Run
from pkmodel.model.columns import column
from pkmodel.solve.drive import Options
from pkmodel.solve.runs import solve_runs
from pkmodel.solve.watch import SAMPLED_ROWS

CONCENTRATIONS = (
    "plasma",
    "tumour_core",
    "tumour_escape",
    "tumour_homogenate",
    "served_liver",
    "other_liver",
    "hepatic_vein",
)


def _carrier(what: Any) -> Carrier | None:
    if what is None or isinstance(what, str):
        return None if what in (None, "none") else pk.carrier(what)
    base = pk.carrier("lipiodol_emulsion").replace(variants=())
    numbers = dict(what)
    release = base.release.replace(**numbers.pop("release"))
    numbers.pop("name", None)
    return base.replace(release=release, **{k: v for k, v in numbers.items() if k not in ("title", "for")})


def scenario_of(spec: dict[str, Any]) -> pk.Scenario:
    """The scenario a specification describes; what is legal but not plausible is meant, and not warned about."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", pk.PlausibilityWarning)
        return _scenario(spec)


def _scenario(spec: dict[str, Any]) -> pk.Scenario:
    sessions = []
    for session in spec["sessions"]:
        doses = []
        for dose in session.get("doses", ()):
            drugs = tuple(pk.drug(name) for name in dose["drugs"])
            doses.append(
                Dose(
                    drugs=drugs,
                    amounts=tuple(dose["drugs"].items()),
                    route=dose["route"],
                    carrier=_carrier(dose.get("carrier")),
                    duration=dose.get("duration_h"),
                    start=dose.get("start_h"),
                )
            )
        embolics = tuple(each for name in session.get("embolics", ()) for each in library.embolics(name))
        sessions.append(Session(at=session["at_h"], doses=tuple(doses), embolics=embolics))
    scenario = pk.Scenario(
        pk.patient(spec["patient"]),
        pk.Regimen(tuple(sessions)),
        catheter=spec["catheter"],
        review_days=spec.get("review_days"),
    )
    return scenario.with_values({p: v for p, v in spec.get("overrides", {}).items() if _applies(scenario, p)})


def _applies(scenario: pk.Scenario, path: str) -> bool:
    """Whether the scenario has what an override changes: a drug, carrier or embolic that is not given has no path."""
    if path.partition(".")[0] not in ("drug", "carrier", "embolic"):
        return True
    try:
        scenario.spec(path)
    except pk.InputError:
        return False
    return True


def course_of(spec: dict[str, Any], times_h: Any, *, rtol: float = 1e-5) -> dict[str, Any]:
    """What pkmodel computes for a specification, under the oracle's keys."""
    scenario = scenario_of(spec)
    run = Run(scenario, float(spec["until_h"]), tuple(float(x) for x in spec.get("switches", (1, 1, 1))))
    times = np.asarray(times_h, dtype=float)
    solution = solve_runs([run], times, Options(rtol=rtol))
    assert solution.reasons == (None,), solution.reasons
    m = times.size
    shunt = column(scenario.patient, "liver.shunt", 1)
    ratio = np.array([column(drug, "blood_plasma_ratio", 1) for drug in scenario.regimen.drugs]).reshape(-1, 1)
    found: dict[str, Any] = {
        "viable_ml": 1000.0 * solution.sampled_viable[:, :m, 0],
        "necrotic_ml": 1000.0 * solution.sampled_dead[:, :m, 0],
        "hypoxia": solution.sampled[SAMPLED_ROWS.index(30) :, 0, :m, 0],
        "neutrophils": solution.sampled_cells[0, :m, 0],
        "leukocytes": solution.sampled_cells[1, :m, 0],
    }
    for d, name in enumerate(scenario.drugs):
        own = {key: observe(key, solution, shunt, ratio)[d, :m, 0] for key in CONCENTRATIONS}
        own["plasma_auc"] = solution.plasma_auc[d, 0]
        own["tumour_auc"] = solution.tissue_auc[d, 0]
        found[name] = own
    return found
