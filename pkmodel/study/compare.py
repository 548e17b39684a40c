"""Compare ways of giving the same drugs: one row an arm (and drug), all arms and switches in one batch."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from .. import __version__
from ..accuracy import TIGHTER, TIGHTEST
from ..course import READING, REFUSED, observed, solve_runs
from ..errors import ParameterError, RegimenError, RunError
from ..exposure.metrics import evaluate
from ..inputs.horizon import checked_rtol, horizon_h
from ..inputs.scenario import Scenario
from ..model.body import INERT_DRUG, Run
from ..model.columns import HOURS_PER_DAY
from ..outcome import effects
from ..solve.drive import BLOCK, Options
from ..solve.solution import Solution
from .arms import REFERENCE_ARM, arm_names, arm_scenarios
from .attribution import (
    COALITIONS,
    EVERYBODY,
    NO_KILL,
    Attribution,
    attribute,
    reading_time,
    untreated_volume,
)
from .comparison import EFFECT_KEYS, EXPOSURE_KEYS, WIDE_KEYS, Comparison, achieved_errors
from .provenance import counts, rests_on_assumed
from .spread import spread

NOT_COMPARED = "the intravenous twin has no exposure to compare with"
LEAST_RTOL = 1e-5


def compare(
    patient: Any = "hcc_reference",
    *,
    drug: Any,
    dose_mg: Any = None,
    arms: Sequence[str] | None = None,
    catheter: Any = "lobar",
    until_days: float = 28.0,
    settings: Mapping[str, Any] | None = None,
    rtol: float = LEAST_RTOL,
    check: bool = False,
    uncertainty: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> Comparison:
    """Compare arms for one patient: exposure, targeting, necrosis and its causes, blood count.

    Parameters
    ----------
    patient, catheter : record, library name or TOML path; single values only
    drug : drug (record, name or path), or a mapping drug -> mg (then no `dose_mg`)
    dose_mg : dose [mg]; by default the drug's usual dose (not for animals)
    arms : names of `ARMS`; all by default
    until_days : horizon [d]
    settings : path -> value, applied to every arm that has the path
    rtol : relative tolerance
    check : solve again with a tighter tolerance and report the achieved error of every number (`manifest["check"]`)
    uncertainty : draws of the uncertain parameters, for 90 % intervals (`manifest["uncertainty"]`); 0 for none
    progress : called with the number of arms solved and of all, of the draws

    Returns
    -------
    Comparison

    Raises
    ------
    InputError
        For a wrong name, value or combination.
    RunError
        When an arm could not be computed.

    Examples
    --------
    >>> import pkmodel as pk
    >>> arms = pk.compare("hcc_reference", drug="cisplatin", dose_mg=100, arms=["iv", "hepatic_artery_bolus"])
    >>> arms.row("iv")["delivered_share_percent"]
    0.0
    """
    names = arm_names(arms)
    scenarios = arm_scenarios(
        patient, drug=drug, dose_mg=dose_mg, arms=names, catheter=catheter, settings=settings
    )
    until_h = horizon_h(None, until_days)
    found = compare_scenarios(scenarios, names, until_h=until_h, rtol=rtol, check=check)
    if not uncertainty:
        return found
    drawn = spread(scenarios, names, until_h=until_h, draws=uncertainty, rtol=rtol, progress=progress)
    return replace(found, manifest={**found.manifest, "uncertainty": drawn})


def compare_scenarios(
    scenarios: Mapping[str, Scenario],
    names: Sequence[str],
    *,
    until_h: float,
    rtol: float = LEAST_RTOL,
    check: bool = False,
) -> Comparison:
    """Compare scenarios of one patient by name, all in one batch.

    Parameters
    ----------
    scenarios : name -> scenario, one lane each, of the same patient and drugs; `REFERENCE_ARM` among them is
        the intravenous twin that targeting is measured against
    names : those that get rows
    until_h : horizon [h]
    rtol, check : as of `compare`

    Raises
    ------
    ParameterError
        For a population.
    RegimenError
        When an arm cannot be given as described.
    RunError
        When a scenario could not be computed.
    """
    for name, scenario in scenarios.items():
        if scenario.size > 1:
            raise ParameterError(
                f"compare takes one patient, but arm {name!r} has {scenario.size} lanes; use a sweep"
            )
    rtol = checked_rtol(rtol)
    runs = [Run(s, until_h, players) for s in scenarios.values() for players in COALITIONS]
    solution = solve_runs(runs, None, Options(rtol=rtol))
    found = _Reader(dict(scenarios), solution, until_h).comparison(names, rtol=rtol)
    if not check:
        return found
    fine = compare_scenarios(scenarios, names, until_h=until_h, rtol=max(rtol / TIGHTER, TIGHTEST))
    return replace(found, manifest={**found.manifest, "check": achieved_errors(found, fine)})


class _Reader:
    """Reads rows off the solution of all arms and coalitions."""

    def __init__(self, scenarios: dict[str, Scenario], solution: Solution, until_h: float) -> None:
        self.scenarios, self.solution, self.until_h = scenarios, solution, until_h
        self.names = list(scenarios)
        self.drugs = scenarios[REFERENCE_ARM].drugs or (INERT_DRUG,)
        first = scenarios[REFERENCE_ARM]
        for lane, reason in enumerate(solution.reasons):
            if reason is not None:
                arm = self.names[lane // len(COALITIONS)]
                if reason.startswith(REFUSED):
                    raise RegimenError(f"arm {arm!r}: {reason[len(REFUSED) :]}")
                raise RunError(f"arm {arm!r} failed: {reason}")
        self.values, self.why = evaluate(observed(first, solution))
        tumour_ml = np.full(len(solution.reasons), float(np.asarray(first.patient.tumour.volume_ml)))
        self.effects, self.effects_why = effects(solution, reading=READING, tumour_ml=tumour_ml)

    def lane(self, arm: str, coalition: int = EVERYBODY) -> int:
        return self.names.index(arm) * len(COALITIONS) + coalition

    def comparison(self, names: Sequence[str], *, rtol: float) -> Comparison:
        rows, reasons, assumed = [], {}, {}
        for arm in names:
            effect, effect_why = self._effect(arm)
            inputs = list(self.scenarios[arm].rows())
            for d, drug in enumerate(self.drugs):
                values, why = self._exposure(arm, d)
                keys = {**values, **effect}
                row: dict[str, Any] = {"arm": arm, "drug": drug, **keys}
                row["balance_error"] = float(self.values["balance_error"][:, self.lane(arm)].max())
                row["n_parameters"], row["n_assumed"] = counts(inputs)
                row["status"] = "ok"
                rows.append(row)
                reasons[arm, drug] = {**why, **effect_why}
                assumed[arm, drug] = rests_on_assumed(inputs, drug, tuple(keys))
        return Comparison(tuple(rows), reasons, assumed, self._manifest(names, rtol))

    def _exposure(self, arm: str, d: int) -> tuple[dict[str, Any], dict[str, str]]:
        lane, twin = self.lane(arm), self.lane(REFERENCE_ARM)
        values, why = {}, {}
        for key in (*EXPOSURE_KEYS, *WIDE_KEYS):
            if key == "targeting_index":
                ratio, reference = (self.values["tumour_plasma_auc_ratio"][d, i] for i in (lane, twin))
                with np.errstate(invalid="ignore"):  # nothing arrives anywhere: the reason says so
                    values[key] = _number(ratio / reference)
                reason = self.why["tumour_plasma_auc_ratio"][d, lane] or NOT_COMPARED
            else:
                values[key] = _number(self.values[key][d, lane])
                reason = self.why[key][d, lane]
            if values[key] is None:
                why[key] = reason or "not finite"
        return values, why

    def _effect(self, arm: str) -> tuple[dict[str, Any], dict[str, str]]:
        lane = self.lane(arm)
        values: dict[str, Any] = dict.fromkeys(EFFECT_KEYS)
        why: dict[str, str] = {}
        for key, found in self.effects.items():
            values[key] = _number(found[lane])
            if values[key] is None:
                why[key] = self.effects_why[key][lane]
        if values["ctcae_grade"] is not None:
            values["ctcae_grade"] = int(values["ctcae_grade"])
        necrosis = self.effects["necrosis_percent"]
        for player, coalition in (("drug", (1.0, 0.0, 0.0)), ("ischaemia", (0.0, 1.0, 0.0))):
            values[f"necrosis_{player}_alone_percent"] = _number(necrosis[self.lane(arm, COALITIONS.index(coalition))])
        shares = self._attribution(arm)
        for player, share in shares.share.items():
            values[f"shapley_{player}_percent"] = _number(100.0 * share[0])
        unread = why.get("necrosis_percent")
        why.update({key: unread or NO_KILL for key in EFFECT_KEYS[2:7] if values[key] is None})
        return values, why

    def _attribution(self, arm: str) -> Attribution:
        lanes = [self.lane(arm, c) for c in range(len(COALITIONS))]
        viable = self.solution.sampled_viable[:, READING, lanes].sum(axis=0)
        scenario = self.scenarios[arm]
        last = np.array([float(np.asarray(scenario.regimen.sessions[-1].at))])
        return attribute(viable[:, None], untreated_volume(scenario.patient, reading_time(last)))

    def _manifest(self, names: Sequence[str], rtol: float) -> dict[str, Any]:
        first = self.scenarios[REFERENCE_ARM]
        inputs: dict[str, Any] = {}
        for arm in names:
            for path, value, unit, origin in self.scenarios[arm].rows():
                inputs.setdefault(
                    path, {"value": _plain(value), "unit": unit, "kind": origin.kind if origin else "user"}
                )
        return {
            "pkmodel": __version__,
            "patient": first.patient.name,
            "catheter": first.catheter.name,
            "drugs": {
                drug: float(self.solution.dose[i, self.lane(REFERENCE_ARM)])
                for i, drug in enumerate(self.drugs)
            },
            "dose_unit": "mg",
            "until_days": self.until_h / HOURS_PER_DAY,
            "arms": list(names),
            "digests": {arm: self.scenarios[arm].digest() for arm in names},
            "rtol": rtol,
            "block": BLOCK,
            "lanes": len(self.solution.reasons),
            "steps": int(self.solution.steps.max()),
            "inputs": inputs,
        }


def _number(value: Any) -> float | None:
    return float(value) if np.isfinite(value) else None


def _plain(value: Any) -> Any:
    if isinstance(value, str) or value is None:
        return value
    number = float(np.asarray(value).reshape(-1)[0]) if not isinstance(value, tuple) else list(value)
    return number if isinstance(number, list) or math.isfinite(number) else str(number)
