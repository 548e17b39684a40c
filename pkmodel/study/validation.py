"""Published experiments against the model: observed, predicted, fold error, intervals, and whether that is acceptable.

Predictions are made at the library's values and at draws of their uncertainty; nothing here fits anything.

References
----------
Guest EJ, Aarons L, Houston JB, Rostami-Hodjegan A, Galetin A (2011) Critique of the two-fold measure of prediction
success for ratios. Drug Metab Dispos 39:170-173.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..course import Trajectory, simulate
from ..errors import PlausibilityWarning
from ..inputs import library
from ..inputs.cases import Case, Observation, Reading, cases, left_out
from ..inputs.scenario import Scenario
from ..model.problem import Array
from . import quantities, subjects
from .tumours import cohort_of
from .uncertainty import interval, uncertain

DRAWS, COHORT = 30, 64
RTOL = 1e-4
FOLDS, MISS = (1.25, 1.5, 2.0), 2.0
EVIDENCE_NAMES = ("doxorubicin", "cisplatin", "5-FU", "mitomycin C")
GUEST_LOG = 1.25  # limits at a ratio of 1: within 1.25-fold


@dataclass(frozen=True)
class Result:
    """One observation and its prediction, both in the unit of the evidence row.

    `per_base` is what a value in the quantity's base unit (mg/L, h, L/h, ...; 1 for shares and ratios) was multiplied
    by to get there.
    """

    case: Case
    observation: Observation
    predicted: float
    low: float
    high: float
    per_base: float = 1.0

    @property
    def fold(self) -> float:
        """Predicted over observed; NaN for orderings and numbers that have no ratio."""
        if self.observation.ordering is not None or self.observation.value * self.predicted <= 0.0:
            return math.nan
        return self.predicted / self.observation.value

    @property
    def passed(self) -> bool:
        """Whether an ordering came out as published."""
        return (self.predicted > 1.0) == (self.observation.ordering == "more")

    def within(self, limit: float) -> bool:
        """Whether the prediction lies within a fold of the observation; nothing for something is outside any."""
        if self.predicted == self.observation.value:
            return True
        return math.isfinite(self.fold) and abs(math.log(self.fold)) <= math.log(limit)

    @property
    def missed(self) -> bool:
        """Outside 2-fold, or the other way round than published."""
        return not (self.passed if self.observation.ordering is not None else self.within(MISS))

    @property
    def covered(self) -> bool:
        """Whether the 90 % interval of the prediction holds the observation."""
        return self.low <= self.observation.value <= self.high

    @property
    def within_guest(self) -> bool | None:
        """For ratios: within the limits of Guest, which narrow to 1.25-fold where the ratio is 1."""
        if self.observation.over is None or not math.isfinite(self.fold):
            return None
        ratio = max(self.observation.value, 1.0 / self.observation.value)
        return abs(math.log(self.fold)) <= math.log((GUEST_LOG + 2.0 * (ratio - 1.0)) / ratio)

    def row(self) -> dict[str, Any]:
        """The result as one flat row for CSV and JSON."""
        each = self.observation
        evidence = library.evidence_row(each.row)
        number = _number
        return {
            "id": each.id,
            "case": self.case.id,
            "study": self.case.study,
            "drug": self.case.drug or "none",
            "carrier": carrier_of(self.case, each.reading.arm),
            "species": library.patient(self.case.patient).species,
            "quantity": each.reading.quantity + (" ratio" if each.over else ""),
            "arm": each.reading.arm,
            "role": each.role,
            "observed": each.value,
            "predicted": number(self.predicted),
            "low_90": number(self.low),
            "high_90": number(self.high),
            "unit": each.unit,
            "fold_error": number(self.fold),
            **{f"within_{limit:g}_fold": None if each.ordering is not None else self.within(limit) for limit in FOLDS},
            "within_guest": self.within_guest,
            "covered": self.covered if each.ordering is None else None,
            "ordering": each.ordering,
            "passed": self.passed if each.ordering is not None else None,
            "spread": evidence["spread"],
            "n": evidence["n"],
            "source": evidence["source"],
            "identifier": evidence["identifier"],
        }


def carrier_of(case: Case, arm: str) -> str:
    """Carrier of an arm, or its route where there is none."""
    found = case.arms[arm]
    return found.carrier or ("no drug" if found.route == "embolisation" else "solution")


def validate(
    *,
    draws: int = DRAWS,
    settings: Mapping[str, Any] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> list[Result]:
    """Predict every observation of the library's cases.

    Parameters
    ----------
    draws : lanes of an interval; the first is the typical subject
    settings : path -> value, applied to every case that has the path
    progress : called with the number of cases done and of all
    """
    every, found = cases(), []
    subjects.check_settings(every, settings or {})
    for i, case in enumerate(every):
        found += validate_case(case, draws=draws, settings=settings)
        if progress is not None:
            progress(i + 1, len(every))
    return found


def validate_case(case: Case, *, draws: int = DRAWS, settings: Mapping[str, Any] | None = None) -> list[Result]:
    """Predict the observations of one case."""
    courses = {name: _Courses(case, name, draws, settings or {}) for name in case.arms}
    return [_result(case, each, courses) for each in case.observations]


class _Courses:
    """The courses of one arm: typical and drawn subjects, or cohorts of them, each simulated when it is wanted."""

    def __init__(self, case: Case, arm: str, draws: int, settings: Mapping[str, Any]) -> None:
        self.case, self.draws = case, draws
        self.scenario = subjects.scenario(case, case.arms[arm], settings)
        readings = [each for o in case.observations for each in (o.reading, o.over) if each is not None]
        times = [quantities.grid(each, case.until_h) for each in readings if each.arm == arm]
        self.times = np.unique(np.concatenate(times)) if times else np.array([0.0, case.until_h])
        self._found: dict[bool, Trajectory] = {}

    def course(self, *, cohort: bool) -> Trajectory:
        if cohort not in self._found:
            drawn = uncertain(self.scenario, self.draws)
            self._found[cohort] = self._simulated(cohort_of(drawn, COHORT, like=self.scenario) if cohort else drawn)
        return self._found[cohort]

    def _simulated(self, scenario: Scenario) -> Trajectory:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", PlausibilityWarning)
            return simulate(scenario, until_h=self.case.until_h, times_h=self.times, rtol=RTOL)

    def value(self, reading: Reading) -> tuple[Array, quantities.Subject]:
        cohort = reading.quantity in quantities.COHORT_QUANTITIES
        course = self.course(cohort=cohort)
        subject = quantities.subject_of(course)
        with np.errstate(divide="ignore", invalid="ignore"):
            found = quantities.value(course, reading, subject)
        if cohort:
            found = found.reshape(self.draws, -1).mean(axis=1)
        return np.broadcast_to(found, (self.draws,)), subject


def _result(case: Case, each: Observation, courses: Mapping[str, _Courses]) -> Result:
    found, subject = courses[each.reading.arm].value(each.reading)
    if each.over is None:
        per_base = quantities.in_unit(each.reading.quantity, each.unit, subject)
    else:
        with np.errstate(divide="ignore", invalid="ignore"):
            found = found / courses[each.over.arm].value(each.over)[0]
        per_base = 100.0 if each.ordering is None and each.unit == "%" else 1.0
    found = found * per_base
    low, high = interval(found)
    return Result(case, each, float(found[0]), float(low), float(high), per_base)


def gmfe(folds: Iterable[float]) -> float:
    """Geometric mean fold error: exp(mean |ln fold|); NaN without any."""
    logs = [abs(math.log(each)) for each in folds if math.isfinite(each)]
    return math.exp(sum(logs) / len(logs)) if logs else math.nan


def summary(results: Iterable[Result], by: Callable[[Result], str]) -> dict[str, dict[str, Any]]:
    """Count, GMFE, shares within each fold and coverage of every group."""
    groups: dict[str, list[Result]] = {}
    for each in results:
        groups.setdefault(by(each), []).append(each)
    return {name: _scores(members) for name, members in sorted(groups.items())}


def _scores(members: list[Result]) -> dict[str, Any]:
    orderings = [each for each in members if each.observation.ordering is not None]
    numbers = [each for each in members if each.observation.ordering is None]
    n, folds = len(numbers), [each.fold for each in numbers if math.isfinite(each.fold)]
    scores: dict[str, Any] = {"n": len(members), "with_fold": len(folds), "gmfe": _number(gmfe(folds))}
    for limit in FOLDS:
        scores[f"within_{limit:g}_fold_percent"] = 100.0 * sum(e.within(limit) for e in numbers) / n if n else None
    scores["covered_percent"] = 100.0 * sum(each.covered for each in numbers) / n if n else None
    scores["orderings_passed"] = f"{sum(each.passed for each in orderings)}/{len(orderings)}"
    return scores


def left_out_share() -> tuple[int, int]:
    """In-vivo rows of the four drugs with number, unit, route and grade: those left out, and all."""
    out = left_out()
    rows = [each for each in library.evidence_ids() if _countable(library.evidence_row(each))]
    return sum(each in out for each in rows), len(rows)


def _countable(row: Mapping[str, str]) -> bool:
    try:
        float(row["value"])
    except ValueError:
        return False
    species = row.get("species", "")
    living = bool(species) and species not in ("none", "several") and "cell" not in species and "HepG2" not in species
    routed = row.get("route", "none") not in ("", "none")
    graded = row["how_read"] in ("read", "read-secondary")
    return row.get("drug") in EVIDENCE_NAMES and living and routed and graded and bool(row["unit"])


def _number(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
