"""What the headline conclusions rest on: does the ranking of arms survive structural switches?

Each switch changes one assumption that no data decide: drug evenly in both zones of the tumour, geometry read again
every week, hypoxia that weakens or strengthens the drug, potency at either end of its range.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..course import READING, solve_runs, tumour_volume_ml
from ..errors import PlausibilityWarning, RunError
from ..inputs.scenario import Scenario
from ..model.body import Run
from ..outcome import effects
from .arms import ARMS, arm_scenarios

UNTIL_H = 29.0 * 24.0
REVIEW_DAYS = 7.0
HYPOXIA_FACTORS = (0.5, 3.3)
TIE_PERCENT = 1.0  # arms whose necrosis differs by less than this count as equal


@dataclass(frozen=True)
class Switched:
    """Necrosis [%] of every arm under one switch, and how many pairs of arms changed their order."""

    switch: str
    necrosis: Mapping[str, float]
    turned: tuple[tuple[str, str], ...]


def switches(
    patient: Any = "hcc_reference", *, drug: Any, dose_mg: Any = None, arms: Sequence[str] = tuple(ARMS)
) -> list[Switched]:
    """Necrosis of the arms under every switch; pairs that differ by less than `TIE_PERCENT` are no reversal."""
    scenarios = arm_scenarios(patient, drug=drug, dose_mg=dose_mg, arms=arms)
    scenarios = {name: scenarios[name] for name in arms}
    found = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PlausibilityWarning)
        for name, changed, mixed in _variants(scenarios):
            found[name] = _necrosis(changed, mixed)
    usual = next(iter(found.values()))
    return [Switched(name, values, _turned(usual, values)) for name, values in found.items()]


def _variants(scenarios: Mapping[str, Scenario]) -> list[tuple[str, dict[str, Scenario], float]]:
    same = dict(scenarios)
    variants: list[tuple[str, dict[str, Scenario], float]] = [
        ("as declared", same, 0.0),
        ("drug even over both zones", same, 1.0),
        (
            f"geometry read every {REVIEW_DAYS:g} d",
            {name: each.with_value("review_days", REVIEW_DAYS) for name, each in scenarios.items()},
            0.0,
        ),
    ]
    for factor in HYPOXIA_FACTORS:
        variants.append((f"hypoxia factor {factor:g}", _with(scenarios, "kill.hypoxia_factor", factor), 0.0))
    for end, label in ((0, "low"), (1, "high")):
        variants.append((f"potency at the {label} end of its range", _potency(scenarios, end), 0.0))
    return variants


def _with(scenarios: Mapping[str, Scenario], field: str, value: float) -> dict[str, Scenario]:
    return {
        name: each.with_values({f"drug.{drug}.{field}": value for drug in each.drugs}) if each.drugs else each
        for name, each in scenarios.items()
    }


def _potency(scenarios: Mapping[str, Scenario], end: int) -> dict[str, Scenario]:
    found = {}
    for name, each in scenarios.items():
        values = {}
        for drug in each.regimen.drugs:
            origin = drug.kill.origins["potency"]
            if origin.range is not None:
                values[f"drug.{drug.name}.kill.potency"] = origin.range[end]
        found[name] = each.with_values(values) if values else each
    return found


def _necrosis(scenarios: Mapping[str, Scenario], mixed: float) -> dict[str, float]:
    solution = solve_runs([Run(each, UNTIL_H, mixed=mixed) for each in scenarios.values()], None)
    lost = next((reason for reason in solution.reasons if reason is not None), None)
    if lost is not None:
        raise RunError(lost)
    first = next(iter(scenarios.values()))
    values, _ = effects(solution, reading=READING, tumour_ml=tumour_volume_ml(first, len(scenarios)))
    return dict(zip(scenarios, np.asarray(values["necrosis_percent"]).tolist(), strict=True))


def _turned(usual: Mapping[str, float], now: Mapping[str, float]) -> tuple[tuple[str, str], ...]:
    """Pairs (better, worse) of the usual ranking that stand the other way round now."""
    return tuple(
        (a, b)
        for a in usual
        for b in usual
        if usual[a] - usual[b] > TIE_PERCENT and now[b] - now[a] > TIE_PERCENT
    )
