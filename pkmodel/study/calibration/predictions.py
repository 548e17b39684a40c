"""What the calibrated model says of what nothing was fitted to: response odds of drug in oil, other clearances."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...course import simulate
from ...errors import PlausibilityWarning
from ...inputs import library
from ...inputs.cases import Case, Observation, cases
from ...inputs.scenario import Scenario
from ...model.problem import Array
from ..arms import arm_scenarios
from ..tumours import cohort_of
from ..uncertainty import TAIL, interval, uncertain
from ..validation import validate_case

WITH_DRUG, BLAND = "emulsion_sponge", "bland_embolisation"
RESPONSE = 0.343  # viable volume over that before: 30 % less in diameter, mRECIST partial response
COHORT = 64
READING_H = 28.0 * 24.0
RTOL = 1e-4
PSEUDO = 0.5  # added to each cell of a 2 x 2 table, so that an empty one has odds (Haldane)


@dataclass(frozen=True, eq=False)
class ResponseOdds:
    """Response of paired cohorts after embolisation with and without drug.

    Attributes
    ----------
    drug : name
    with_drug, bland : share of responders of the typical cohort
    ratio, low, high : odds ratio of the typical cohort, with the 90 % range of draws of the uncertain parameters
    draws, size : number of draws, tumours a cohort
    """

    drug: str
    with_drug: float
    bland: float
    ratio: float
    low: float
    high: float
    draws: int
    size: int


def response_odds(drug: str, *, draws: int = 30, size: int = COHORT) -> ResponseOdds:
    """Odds ratio of response, emulsion and sponge against oil and sponge without drug, on the same tumours.

    Parameters
    ----------
    drug : library name, at its usual dose in the reference patient
    draws : of the uncertain parameters, the first being the typical values
    size : tumours a cohort
    """
    scenarios = arm_scenarios("hcc_reference", drug=drug, arms=(WITH_DRUG, BLAND))
    share = {arm: _responders(scenarios[arm], draws, size) for arm in (WITH_DRUG, BLAND)}
    odds = {arm: (each * size + PSEUDO) / ((1.0 - each) * size + PSEUDO) for arm, each in share.items()}
    ratio = odds[WITH_DRUG] / odds[BLAND]
    low, high = interval(ratio)
    first = {arm: float(each[0]) for arm, each in share.items()}
    return ResponseOdds(drug, first[WITH_DRUG], first[BLAND], float(ratio[0]), float(low), float(high), draws, size)


def _responders(scenario: Scenario, draws: int, size: int) -> Array:
    """Share of responders of every draw's cohort, (draws,)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PlausibilityWarning)
        cohorts = cohort_of(uncertain(scenario, draws), size, like=scenario)
        course = simulate(cohorts, until_h=READING_H, times_h=np.array([0.0, READING_H]), rtol=RTOL)
    viable = course.viable_volume_ml()
    return np.asarray((viable[-1] / viable[0] <= RESPONSE).reshape(draws, size).mean(axis=1))


@dataclass(frozen=True)
class OtherClearance:
    """A clearance that another study found in adults, against the population of the model.

    Attributes
    ----------
    case, observation : the study
    predicted, low, high : typical clearance read as the study did, and the 90 % range between subjects, in the
        observation's unit
    row : evidence row, with its assay and sampling in the note
    """

    case: Case
    observation: Observation
    predicted: float
    low: float
    high: float
    row: Mapping[str, Any]

    @property
    def covered(self) -> bool:
        """Whether the population interval holds the study's mean."""
        return self.low <= self.observation.value <= self.high


def other_clearances() -> Iterator[OtherClearance]:
    """Yield published clearances in adults, role `check`, intravenous, of drugs with a declared variability."""
    for case in cases():
        origin = None if case.drug is None else library.drug(case.drug).origins.get("cl_total")
        human = library.patient(case.patient).species == "human" and not case.allometric
        if origin is None or origin.cv is None or not human or "children" in case.title.lower():
            continue
        for each in case.observations:
            if each.reading.quantity != "clearance" or each.role != "check" or each.over is not None:
                continue
            if case.arms[each.reading.arm].route != "iv":
                continue
            [found] = [r for r in validate_case(case, draws=2) if r.observation is each]
            reach = math.exp(TAIL * math.sqrt(math.log1p(origin.cv**2)))
            limits = found.predicted / reach, found.predicted * reach
            yield OtherClearance(case, each, found.predicted, *limits, library.evidence_row(each.row))
