"""Published concentrations that figures draw: read off the cases and their evidence rows, with spread and arm."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ...inputs import library
from ...inputs.cases import Arm, cases
from ...inputs.scenario import Scenario
from ...study.quantities import Subject, in_unit
from ...study.subjects import scenario

SHORT_H = 0.5  # an injection; what takes longer is another way of giving a drug
_NUMBER = r"[0-9]+(?:\.[0-9]+)?"
_PAIR = re.compile(rf"({_NUMBER})\s*-\s*({_NUMBER})")
_ARMS = {
    ("iv", None, None): "iv",
    ("hepatic_artery", None, None): "hepatic_artery_bolus",
    ("chemoembolisation", "lipiodol_emulsion", None): "emulsion",
    ("chemoembolisation", "lipiodol_emulsion", "gelatin_sponge"): "emulsion_sponge",
    ("chemoembolisation", "lipiodol_suspension", "gelatin_sponge"): "suspension_sponge",
    ("chemoembolisation", "beads", None): "beads",
}


@dataclass(frozen=True)
class Point:
    """A published concentration [mg/L] with its spread, at a time [h] after the start, and the arm it belongs to."""

    row: str
    study: str
    arm: str
    time_h: float
    dose_mg: float
    value: float
    low: float | None
    high: float | None


def concentrations(drug: str, *, observable: str = "plasma") -> Iterator[Point]:
    """Yield peaks and concentrations in patients after an injection of a drug, from the cases of the library.

    A peak stands at the end of its injection.
    """
    for case in cases():
        if case.drug != drug or library.patient(case.patient).species != "human":
            continue
        for each in case.observations:
            arm = _arm(case.arms[each.reading.arm])
            single = each.over is None and each.ordering is None
            wanted = each.reading.quantity in ("cmax", "concentration") and each.reading.observable == observable
            if arm is None or not (single and wanted):
                continue
            subject = _subject(scenario(case, case.arms[each.reading.arm]))
            if subject.duration_h > SHORT_H:
                continue
            factor = 1.0 / in_unit(each.reading.quantity, each.unit, subject)
            low, high = spread_of(each.row)
            yield Point(
                row=each.row, study=case.study, arm=arm, dose_mg=subject.dose_mg, value=factor * each.value,
                time_h=subject.duration_h if each.reading.time is None else each.reading.time,
                low=None if low is None else factor * low, high=None if high is None else factor * high,
            )  # fmt: skip


def spread_of(row_id: str) -> tuple[float | None, float | None]:
    """Lower and upper end of what an evidence row prints beside its value: one SD either way, or a range.

    An SD that reaches below zero has no lower end: a symmetric spread does not describe such data.
    """
    row = library.evidence_row(row_id)
    pair = _PAIR.search(row["spread"])
    if pair:
        return float(pair[1]), float(pair[2])
    try:
        value, deviation = float(row["value"]), float(row["spread"])
    except ValueError:
        return None, None
    if row["spread_kind"] != "SD":
        return None, None
    return (value - deviation if value > deviation else None), value + deviation


def _arm(arm: Arm) -> str | None:
    return _ARMS.get((arm.route, arm.carrier, arm.embolic))


def _subject(found: Scenario) -> Subject:
    """What `in_unit` needs of a subject with one dose of one drug."""
    [session], [drug] = found.regimen.sessions, found.regimen.drugs
    [dose] = session.doses
    return Subject(
        dose_mg=_one(dose.amount(drug.name)), duration_h=_one(dose.duration), bsa_m2=_one(found.patient.bsa),
        weight_kg=_one(found.patient.body_weight), molar_mass=_one(drug.molar_mass),
    )  # fmt: skip


def _one(value: object) -> float:
    return float(np.asarray(value))
