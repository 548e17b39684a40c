"""Effect of a treatment at its reading: necrosis, what is left, blood count and grade.

Standard terms: necrosis in percent of the tumour tissue present, CTCAE grade of neutropenia. What cannot be
computed is NaN with its reason.
"""

from __future__ import annotations

import numpy as np

from .exposure.metrics import NO_DRUG, NO_TUMOUR
from .laws.marrow import ctcae_neutropenia_grade
from .model.problem import Array
from .solve.solution import Solution

HOURS_PER_DAY = 24.0
NOT_READ = "follow-up ends before the reading, 28 d after the last session"
NO_FALL = "the count never falls below its baseline"
NO_SLOPE = "no marrow slope is known for any drug given"

TUMOUR_EFFECTS = {"necrosis_percent": "%", "viable_left_percent": "%"}
BLOOD_EFFECTS = {"neutrophil_nadir_1e9_per_l": "1e9/L", "neutrophil_nadir_day": "d", "ctcae_grade": "1"}


def effects(solution: Solution, *, reading: int, tumour_ml: Array) -> tuple[dict[str, Array], dict[str, np.ndarray]]:
    """Effects of every lane, (n,), and the reason where one is missing (else "").

    Parameters
    ----------
    reading : index of the sample at the reading day, 28 d after the last session
    tumour_ml : volume of the tumour at the start [mL], (n,)
    """
    viable = 1000.0 * solution.sampled_viable[:, reading].sum(axis=0)
    dead = 1000.0 * solution.sampled_dead[:, reading].sum(axis=0)
    nadir, day = solution.nadir[0], solution.nadir_time[0] / HOURS_PER_DAY
    with np.errstate(invalid="ignore", divide="ignore"):  # what has no value gets its reason below
        values = {
            "necrosis_percent": 100.0 * dead / (dead + viable),
            "viable_left_percent": 100.0 * viable / tumour_ml,
            "neutrophil_nadir_1e9_per_l": nadir,
            "neutrophil_nadir_day": day,
            "ctcae_grade": np.asarray(ctcae_neutropenia_grade(nadir)),
        }
    absent, dosed = tumour_ml <= 0.0, np.any(solution.dose > 0.0, axis=0)
    unread, unknown = np.isnan(viable), np.isnan(nadir)
    reasons = {}
    lost = np.array([reason or "" for reason in solution.reasons], dtype=object)
    tumour_causes = {NO_TUMOUR: absent, NOT_READ: unread}
    blood_causes = {NO_SLOPE: unknown}
    day_causes = {**blood_causes, NO_DRUG: ~dosed, NO_FALL: np.isnan(day)}
    for name in values:
        found = lost.copy()
        causes = tumour_causes if name in TUMOUR_EFFECTS else day_causes if name.endswith("_day") else blood_causes
        for text, where in causes.items():
            found[where & (found == "")] = text
        values[name] = np.where(found != "", np.nan, values[name])
        reasons[name] = found
    return values, reasons
