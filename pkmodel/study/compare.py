"""Compare ways of giving the same drugs: one row an arm (and drug), all arms and switches in one batch."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from .. import __version__
from ..course import EXTRA_SAMPLES, observed, solve_runs
from ..errors import ParameterError, RegimenError, RunError, UnknownNameError
from ..exposure.metrics import NO_DRUG, evaluate
from ..inputs import library
from ..inputs.record import Row
from ..inputs.scenario import Scenario
from ..laws.marrow import ctcae_neutropenia_grade
from ..model.body import Run
from ..model.columns import HOURS_PER_DAY
from ..solve.drive import BLOCK, Options
from ..solve.solution import Solution
from .arms import ARMS, REFERENCE_ARM
from .attribution import COALITIONS, EVERYBODY, NO_KILL, Attribution, attribute, reading_time, untreated_volume

EXPOSURE_KEYS = (
    "plasma_cmax_ng_per_ml",
    "plasma_auc_ng_h_per_ml",
    "tumour_cmax_ug_per_g",
    "tumour_auc_ug_h_per_g",
    "homogenate_auc_ug_h_per_g",
    "tumour_plasma_auc_ratio",
    "targeting_index",
    "delivered_share_percent",
    "retained_share_percent",
)
EFFECT_KEYS = (
    "necrosis_percent",
    "viable_left_percent",
    "necrosis_drug_alone_percent",
    "necrosis_ischaemia_alone_percent",
    "shapley_drug_percent",
    "shapley_ischaemia_percent",
    "shapley_retention_percent",
    "neutrophil_nadir_1e9_per_l",
    "neutrophil_nadir_day",
    "ctcae_grade",
)
WIDE_KEYS = ("plasma_auc_inf_ng_h_per_ml", "tumour_auc_inf_ug_h_per_g", "plasma_tmax_h", "tumour_tmax_h",
             "extracellular_auc_ug_h_per_ml", "served_liver_auc_ug_h_per_g", "clearance_l_per_h")  # fmt: skip
COUNT_KEYS = ("balance_error", "n_parameters", "n_assumed", "status")
NOT_READ = "follow-up ends before the reading, 28 d after the last session"
NO_SLOPE = "no marrow slope is known for any drug given"
NOT_COMPARED = "the intravenous twin has no exposure to compare with"
LEAST_RTOL = 1e-5


@dataclass(frozen=True, eq=False)
class Comparison:
    """Rows of a comparison, the reasons of what is missing, and how it came about.

    Attributes
    ----------
    rows : one mapping an arm and drug; numbers, None where missing
    reasons : (arm, drug) -> key -> why it is missing
    assumed : (arm, drug) -> keys that rest mainly on assumed parameters
    manifest : versions, settings, inputs with their kinds
    """

    rows: tuple[dict[str, Any], ...]
    reasons: dict[tuple[str, str], dict[str, str]]
    assumed: dict[tuple[str, str], frozenset[str]]
    manifest: dict[str, Any] = field(repr=False)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    def row(self, arm: str, drug: str | None = None) -> dict[str, Any]:
        """The row of an arm (of a drug, when several were given)."""
        found = [r for r in self.rows if r["arm"] == arm and drug in (None, r["drug"])]
        if len(found) != 1:
            names = tuple(dict.fromkeys(r["arm"] for r in self.rows))
            raise UnknownNameError.of("arm" if not found else "single drug in arm", arm, names)
        return found[0]

    def to_json(self) -> str:
        """One JSON object: rows, reasons, manifest; missing numbers are null."""
        reasons = [{"arm": arm, "drug": drug, **why} for (arm, drug), why in self.reasons.items() if why]
        return json.dumps({"rows": list(self.rows), "reasons": reasons, "manifest": self.manifest}, indent=1)

    def to_csv(self, path: str | Path | None = None) -> str:
        """Rows as CSV text, units in the column names; written to `path` if one is given."""
        out = io.StringIO()
        writer = csv.DictWriter(out, fieldnames=list(self.rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows({k: "" if v is None else v for k, v in row.items()} for row in self.rows)
        if path is not None:
            Path(path).write_text(out.getvalue(), encoding="utf-8")
        return out.getvalue()


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
    person = library.load("patients", patient)
    drugs = _doses(drug, dose_mg, person)
    names = _arm_names(arms)
    scenarios = {}
    for name in dict.fromkeys((*names, REFERENCE_ARM)):
        scenarios[name] = Scenario(person, ARMS[name](drugs), catheter=catheter)
    scenarios = _apply(scenarios, settings or {})
    for name, scenario in scenarios.items():
        if scenario.size > 1:
            raise ParameterError(f"compare takes one patient, but arm {name!r} has {scenario.size} lanes; use a sweep")
    until_h = float(until_days) * HOURS_PER_DAY
    runs = [Run(s, until_h, players) for s in scenarios.values() for players in COALITIONS]
    solution = solve_runs(runs, None, Options(rtol=rtol))
    return _Reader(scenarios, solution, until_h).comparison(names, rtol=rtol)


def _doses(drug: Any, dose_mg: Any, patient: Any) -> dict[Any, Any]:
    if isinstance(drug, Mapping):
        if dose_mg is not None:
            raise ParameterError("dose_mg goes with a single drug; a mapping carries its own doses", field="dose_mg")
        return {library.load("drugs", name): dose for name, dose in drug.items()}
    record = library.load("drugs", drug)
    if dose_mg is None:
        if patient.species != "human":
            raise ParameterError(
                f"the usual dose of {record.name} is a human one; give dose_mg (--dose) for a {patient.species}",
                field="dose_mg", unit="mg",
            )  # fmt: skip
        dose_mg = record.usual_dose
    return {record: dose_mg}


def _arm_names(arms: Sequence[str] | None) -> tuple[str, ...]:
    names = tuple(ARMS) if arms is None else tuple(arms)
    for name in names:
        if name not in ARMS:
            raise UnknownNameError.of("arm", name, tuple(ARMS))
    if not names:
        raise ParameterError("arms is empty; name at least one, or leave it out for all", field="arms")
    return names


def _apply(scenarios: dict[str, Scenario], settings: Mapping[str, Any]) -> dict[str, Scenario]:
    """Set paths in every arm that has them; a path no arm knows is an error that names the nearest."""
    found = dict(scenarios)
    for path, value in settings.items():
        unknown: UnknownNameError | RegimenError | None = None
        used = False
        for name, scenario in found.items():
            try:
                scenario.spec(path)
            except (UnknownNameError, RegimenError) as error:
                unknown = error
                continue
            found[name], used = scenario.with_value(path, value), True
        if not used and unknown is not None:
            raise unknown
    return found


class _Reader:
    """Reads rows off the solution of all arms and coalitions."""

    def __init__(self, scenarios: dict[str, Scenario], solution: Solution, until_h: float) -> None:
        self.scenarios, self.solution, self.until_h = scenarios, solution, until_h
        self.names = list(scenarios)
        self.drugs = scenarios[REFERENCE_ARM].drugs
        first = scenarios[REFERENCE_ARM]
        for lane, reason in enumerate(solution.reasons):
            if reason is not None:
                raise RunError(f"arm {self.names[lane // len(COALITIONS)]!r} failed: {reason}")
        self.values, self.why = evaluate(observed(first, solution))
        self.tumour = float(np.asarray(first.patient.tumour.volume_ml)) > 0.0

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
                row["n_parameters"], row["n_assumed"] = _counts(inputs)
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
                values[key] = _number(ratio / reference)
                reason = self.why["tumour_plasma_auc_ratio"][d, lane] or NOT_COMPARED
            else:
                values[key] = _number(self.values[key][d, lane])
                reason = self.why[key][d, lane]
            if values[key] is None:
                why[key] = reason or "not finite"
        return values, why

    def _effect(self, arm: str) -> tuple[dict[str, Any], dict[str, str]]:
        values: dict[str, Any] = dict.fromkeys(EFFECT_KEYS)
        why: dict[str, str] = {}
        mark = self.solution.times.shape[0] - EXTRA_SAMPLES + 1
        lanes = [self.lane(arm, c) for c in range(len(COALITIONS))]
        viable = self.solution.sampled_viable[:, mark, lanes].sum(axis=0)
        dead = self.solution.sampled_dead[:, mark, lanes].sum(axis=0)
        if not self.tumour:
            why.update(dict.fromkeys(EFFECT_KEYS[:7], "no tumour"))
        elif np.isnan(viable).any():
            why.update(dict.fromkeys(EFFECT_KEYS[:7], NOT_READ))
        else:
            necrosis = 100.0 * dead / (dead + viable)
            patient = self.scenarios[arm].patient
            last = np.array([float(np.asarray(self.scenarios[arm].regimen.sessions[-1].at))])
            untreated = untreated_volume(patient, reading_time(last))
            shares = attribute(viable[:, None], untreated)
            start = float(np.asarray(patient.tumour.volume_ml)) / 1000.0
            values["necrosis_percent"] = float(necrosis[EVERYBODY])
            values["viable_left_percent"] = float(100.0 * viable[EVERYBODY] / start)
            values["necrosis_drug_alone_percent"] = float(necrosis[COALITIONS.index((1.0, 0.0, 0.0))])
            values["necrosis_ischaemia_alone_percent"] = float(necrosis[COALITIONS.index((0.0, 1.0, 0.0))])
            self._shares(values, why, shares)
        self._blood(arm, values, why)
        return values, why

    def _shares(self, values: dict[str, Any], why: dict[str, str], shares: Attribution) -> None:
        for player, share in shares.share.items():
            key = f"shapley_{player}_percent"
            values[key] = _number(100.0 * share[0])
            if values[key] is None:
                why[key] = NO_KILL

    def _blood(self, arm: str, values: dict[str, Any], why: dict[str, str]) -> None:
        lane = self.lane(arm)
        keys = EFFECT_KEYS[7:]
        if self.solution.dose[:, lane].max() <= 0.0:
            why.update(dict.fromkeys(keys, NO_DRUG))
            return
        known = [
            not math.isnan(float(np.asarray(drug.marrow.neutrophil_slope)))
            for drug in self.scenarios[arm].regimen.drugs
        ]
        nadir = float(self.solution.nadir[0, lane])
        if not any(known) or math.isnan(nadir):
            why.update(dict.fromkeys(keys, NO_SLOPE))
            return
        values[keys[0]] = nadir
        values[keys[1]] = float(self.solution.nadir_time[0, lane]) / HOURS_PER_DAY
        values[keys[2]] = int(ctcae_neutropenia_grade(nadir))

    def _manifest(self, names: Sequence[str], rtol: float) -> dict[str, Any]:
        first = self.scenarios[REFERENCE_ARM]
        inputs: dict[str, Any] = {}
        for arm in names:
            for path, value, unit, origin in self.scenarios[arm].rows():
                inputs.setdefault(path, {"value": _plain(value), "unit": unit, "kind": origin.kind if origin else "user"})
        return {
            "pkmodel": __version__,
            "patient": first.patient.name,
            "catheter": first.catheter.name,
            "drugs": {drug: float(self.solution.dose[i, self.lane(REFERENCE_ARM)]) for i, drug in enumerate(self.drugs)},
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


def _counts(inputs: list[Row]) -> tuple[int, int]:
    numbers = [origin for _, value, _, origin in inputs if not isinstance(value, str)]
    return len(numbers), sum(origin is not None and origin.kind == "assumed" for origin in numbers)


# What a result rests on: prefixes of the parameter paths that enter it.
_BODY = ("drug.{}.cl_total", "drug.{}.extraction", "drug.{}.v", "drug.{}.q", "drug.{}.blood", "drug.{}.km",
         "drug.{}.reference", "drug.{}.liver", "patient.bsa", "patient.liver")  # fmt: skip
_ARTERY = ("catheter.", "patient.tumour.perfusion", "patient.tumour.diameter", "patient.tumour.arterial")
_DEPOT = ("carrier.", "embolic.")
_TISSUE = ("drug.{}.tumour", "patient.tumour.extracellular")
_KILL = ("drug.{}.kill", "patient.tumour.")
_MARROW = ("drug.{}.marrow", "patient.marrow")


def rests_on_assumed(inputs: list[Row], drug: str, keys: tuple[str, ...]) -> frozenset[str]:
    """Keys for which more than half of the parameters that enter are assumed (or set by the user)."""
    venous = not any(path.startswith(("carrier.", "embolic.")) for path, *_ in inputs)
    found = set()
    for key in keys:
        prefixes = list(_BODY)
        if not venous or key.startswith(("delivered", "retained")):
            prefixes += [*_ARTERY, *_DEPOT]
        if key.startswith(("tumour", "homogenate", "targeting", "retained", "extracellular")):
            prefixes += _TISSUE
        if key in EFFECT_KEYS[:7]:
            prefixes += [*_TISSUE, *_KILL]
        if key in EFFECT_KEYS[7:]:
            prefixes += _MARROW
        named = tuple(prefix.format(drug) for prefix in prefixes)
        kinds = [o.kind for path, value, _, o in inputs if o and not isinstance(value, str) and path.startswith(named)]
        if sum(kind in ("assumed", "user") for kind in kinds) > 0.5 * len(kinds):
            found.add(key)
    return frozenset(found)
