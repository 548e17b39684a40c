"""One number a lane: what sensitivity, decision maps and Pareto fronts ask of a scenario."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ..course import READING, observed, solve_runs, tumour_volume_ml
from ..errors import ParameterError, UnknownNameError
from ..exposure.metrics import METRICS, evaluate
from ..inputs.scenario import Scenario
from ..model.body import INERT_DRUG, Run, drug_names
from ..model.columns import column
from ..model.problem import Array
from ..outcome import BLOOD_EFFECTS, TUMOUR_EFFECTS, effects
from ..solve.drive import Options
from ..solve.solution import Solution
from .attribution import reading_time, untreated_volume

LOG_KILL = "log10_kill"
# What a patient wants less of, and what is neither good nor bad; of everything else more is better.
_LESS = ("plasma_cmax_ng_per_ml", "plasma_auc_ng_h_per_ml", "plasma_auc_inf_ng_h_per_ml", "served_liver_auc_ug_h_per_g",
         "viable_left_percent", "ctcae_grade")  # fmt: skip
_NEITHER = ("plasma_tmax_h", "tumour_tmax_h", "clearance_l_per_h", "balance_error", "neutrophil_nadir_day")
NO_SURVIVOR = "no viable tumour is left to take a logarithm of"


def units() -> dict[str, str]:
    """Return every measure with its unit: exposure to `until`, and effect 28 d after the last session.

    `log10_kill` is log10 of the untreated over the viable volume.
    """
    exposure = {name: metric.unit for name, metric in METRICS.items()}
    return {**exposure, **TUMOUR_EFFECTS, **BLOOD_EFFECTS, LOG_KILL: "1"}


def check_measure(name: str) -> str:
    """Return the unit of a measure.

    Raises
    ------
    UnknownNameError
        No such measure; the message names the nearest.
    """
    known = units()
    if name not in known:
        raise UnknownNameError.of("measure", str(name), known)
    return known[name]


def direction(name: str) -> float:
    """Return 1 where more of a measure is better for the patient, -1 where less is.

    Raises
    ------
    ParameterError
        Neither is.
    """
    if name in _NEITHER:
        raise ParameterError(f"more {name} is neither better nor worse, so that no arm beats another in it")
    return -1.0 if name in _LESS else 1.0


def measure(
    scenarios: Sequence[Scenario],
    name: str,
    *,
    until_h: float,
    rtol: float,
    drug: str | None = None,
) -> tuple[Array, np.ndarray]:
    """Return a measure of every lane of all scenarios in their order, (n,), and why it is missing (else "").

    All lanes are solved together. A lane that failed, or has no such number, is NaN with its reason.

    Raises
    ------
    UnknownNameError
        No such measure, or several drugs and none of them named.
    InputError
        A scenario cannot be given as described, or several have arrays in them.
    """
    [(values, reasons)] = measures(scenarios, (name,), until_h=until_h, rtol=rtol, drug=drug)
    return values, reasons


def measures(
    scenarios: Sequence[Scenario],
    names: Sequence[str],
    *,
    until_h: float,
    rtol: float,
    drug: str | None = None,
) -> list[tuple[Array, np.ndarray]]:
    """Return several measures of the same runs; see `measure`."""
    for name in names:
        check_measure(name)
    if len(scenarios) > 1 and any(each.size > 1 for each in scenarios):
        raise ParameterError("several scenarios are measured together only when each is one lane")
    runs = [Run(each, until_h) for each in scenarios]
    row = _row(drug_names(runs) or (INERT_DRUG,), drug)
    solution = solve_runs(runs, None, Options(rtol=rtol))
    volumes = np.concatenate([tumour_volume_ml(each, run.lanes) for each, run in zip(scenarios, runs, strict=True)])
    return [_one(name, list(scenarios), runs, solution, volumes, row) for name in names]


def _row(names: tuple[str, ...], drug: str | None) -> int:
    if drug is None:
        if len(names) > 1:
            raise UnknownNameError(f"several drugs are given, name one: {', '.join(names)}")
        return 0
    if drug not in names:
        if names == (INERT_DRUG,):
            return 0  # an arm without any drug, such as bland embolisation, among others that give it
        raise UnknownNameError.of("drug in this scenario:", drug, names)
    return names.index(drug)


def _one(
    name: str, scenarios: list[Scenario], runs: list[Run], solution: Solution, volumes: Array, row: int
) -> tuple[Array, np.ndarray]:
    if name in METRICS:
        seen = replace(observed(scenarios[0], solution), tumour_ml=volumes)
        values, why = evaluate(seen, (name,))
        return values[name][row], why[name][row]
    values, why = effects(solution, reading=READING, tumour_ml=volumes)
    if name != LOG_KILL:
        return values[name], why[name]
    untreated = np.concatenate([_untreated(run) for run in runs])
    viable = solution.sampled_viable[:, READING].sum(axis=0)
    reasons = np.where((viable <= 0.0) & (why["viable_left_percent"] == ""), NO_SURVIVOR, why["viable_left_percent"])
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(reasons == "", np.log10(untreated / viable), np.nan), reasons


def _untreated(run: Run) -> Array:
    """Volume without treatment at the reading [L], (lanes,); NaN without a session."""
    sessions = run.scenario.regimen.sessions
    if not sessions:
        return np.full(run.lanes, np.nan)
    return untreated_volume(run.scenario.patient, reading_time(column(sessions[-1], "at", run.lanes)))
