"""The field's questions, answered in five sentences from the numbers of the overview figure; generated, in Markdown."""

from __future__ import annotations

from typing import Any

from .figures.data import FigureData
from .figures.overview import BLAND_ARM, INTERVAL_DAYS, READ_DAYS, SESSIONS, STANDARD_ARM
from .figures.style import ARM_LOOKS, look
from .text import within

BEGIN, END = "<!-- answers: generated, do not edit -->", "<!-- end of answers -->"
_NUMBERS = {1: "one session", 2: "two sessions", 3: "three sessions"}
_NADIR = "neutrophil_nadir_1e9_per_l"


def answers(data: FigureData) -> str:
    """Return the sentences as a Markdown list.

    Parameters
    ----------
    data : of the overview figure, computed or read from its CSV
    """
    given = (_causes(data), _toxicity(data), _formulation(data), _dose(data), _interval(data))
    return "\n".join(f"- {sentence}" for sentence in given)


def between(text: str) -> str:
    """Return the sentences between the markers under which they stand in a README."""
    return f"{BEGIN}\n{text}\n{END}"


def put_into(text: str, block: str, begin: str = BEGIN, end: str = END) -> str:
    """Return a text with what stands from one marker to another replaced by a block, which brings its markers.

    Raises
    ------
    ValueError
        The text has no markers.
    """
    start, stop = text.index(begin), text.index(end) + len(end)
    return text[:start] + block + text[stop:]


def _causes(data: FigureData) -> str:
    shares = data.where(panel="kills", arm=STANDARD_ARM)
    shares = shares.where(quantity="share of the log kill")
    found = {str(row["cause"]): row for row in shares.rows()}
    drug = found["drug"]
    said = {cause: within(row["percent"], row["low_90_percent"], row["high_90_percent"], " %")
            for cause, row in found.items()}  # fmt: skip
    assumed = drug["variance_from_assumed_percent"]
    rests = ""
    if assumed is not None:
        percent = min(float(assumed), 100.0)
        rests = f"; parameters that are only assumed give {percent:.0f} % of the variance of the drug's share"
    return (
        f"**How much is the drug, how much the embolisation?** Of the log kill of one session of {_dose_of(data)} as "
        f"{_arm(STANDARD_ARM)} {said['drug']} is owed to the drug, {said['ischaemia']} to ischaemia and "
        f"{said['retention']} to drug that the blocked flow holds back (Shapley shares){rests}."
    )


def _toxicity(data: FigureData) -> str:
    arms = data.where(panel="arms")
    tumour, plasma = (_value(arms, f"{place}_auc_over_iv", arm=STANDARD_ARM) for place in ("tumour", "plasma"))
    nadirs = [f"{_value(arms, _NADIR, arm=arm)} after {_arm(arm)}" for arm in ("iv", STANDARD_ARM, "beads")
              if len(arms.where(arm=arm, quantity=_NADIR))]  # fmt: skip
    marrow = f"; neutrophils fall to {', '.join(nadirs)} (10⁹/L)" if nadirs else ""
    return (
        f"**What does systemic toxicity cost?** As {_arm(STANDARD_ARM)} the same dose gives the tumour {tumour} times "
        f"the exposure of an intravenous one, for {plasma} times its plasma AUC{marrow}."
    )


def _formulation(data: FigureData) -> str:
    necrosis = data.where(panel="arms", quantity="necrosis_percent")
    rows = sorted(necrosis.rows(), key=lambda row: -float(row["value"] or 0.0))
    best = max(rows, key=lambda row: float(row["best_percent"] or 0.0))
    shown = [row for row in rows if row["arm"] in ("beads", "suspension_sponge", STANDARD_ARM, "emulsion", BLAND_ARM)]
    listed = ", ".join(f"{_arm(str(row['arm']))} {_said(row, ' %')}" for row in shown)
    return (
        f"**Which formulation?** Necrosis on day {READ_DAYS:g}: {listed}; most of all arms in "
        f"{float(best['best_percent'] or 0.0):.0f} % of the draws: {_arm(str(best['arm']))}."
    )


def _dose(data: FigureData) -> str:
    found = data.where(panel="doses")
    doses = [float(dose or 0.0) for dose in found.distinct("dose_mg")]
    necrosis = ", ".join(_value(found, "necrosis_percent", " %", dose_mg=dose) for dose in doses)
    has_marrow = len(found.where(quantity=_NADIR)) > 0
    nadirs = ", ".join(_value(found, _NADIR, dose_mg=dose) for dose in doses) if has_marrow else ""
    marrow = f" and lets neutrophils fall to {nadirs} (10⁹/L)" if has_marrow else ""
    return (
        f"**Which dose?** {_arm(STANDARD_ARM).capitalize()} with {_series(doses)} mg gives {necrosis} necrosis{marrow}."
    )


def _interval(data: FigureData) -> str:
    found = data.where(panel="intervals")
    days = [float(each or 0.0) for each in found.distinct("every_days")]
    left = ", ".join(_value(found, "viable_mean_percent", " %", every_days=each) for each in days)
    rows = list(found.where(quantity="viable_mean_percent").rows())
    best = max(rows, key=lambda row: float(row["best_percent"] or 0.0))
    has_marrow = len(found.where(quantity=_NADIR)) > 0
    nadirs = ", ".join(_value(found, _NADIR, every_days=each) for each in days) if has_marrow else ""
    marrow = f", with neutrophil nadirs of {nadirs} (10⁹/L)" if has_marrow else ""
    return (
        f"**Which interval?** {_NUMBERS[SESSIONS].capitalize()} every {_series(days)} d leave {left} of the tumour "
        f"alive, averaged over {INTERVAL_DAYS:g} d{marrow}; least in {float(best['best_percent'] or 0.0):.0f} % of the "
        f"draws: every {float(best['every_days'] or 0.0):g} d."
    )


def _value(data: FigureData, quantity: str, unit: str = "", **labels: Any) -> str:
    """A number and its interval in print."""
    [row] = data.where(quantity=quantity, **labels).rows()
    return _said(row, unit)


def _said(row: dict[str, Any], unit: str = "") -> str:
    return within(row["value"], row["low_90"], row["high_90"], unit)


def _arm(name: str) -> str:
    return look(name, among=ARM_LOOKS).label


def _dose_of(data: FigureData) -> str:
    doses = [float(each or 0.0) for each in data.where(panel="doses").distinct("dose_mg")]
    drug = data.where(panel="kills").distinct("drug")[0]
    return f"{doses[len(doses) // 2]:g} mg {drug}"


def _series(values: list[float]) -> str:
    return f"{', '.join(f'{value:g}' for value in values[:-1])} or {values[-1]:g}"
