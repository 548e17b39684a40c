"""What one treatment does under uncertainty, without attribution: the same draws for every treatment."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from ...course import simulate
from ...errors import PlausibilityWarning
from ...inputs.scenario import Scenario
from ...model.problem import Array
from ...study.uncertainty import interval, uncertain

_HOURS_PER_DAY, _MG_PER_NG = 24.0, 1e-3
RTOL, _TIMES = 1e-4, 99  # evenly spaced
Drawn = Mapping[str, Array]


def drawn(scenario: Scenario, *, until_days: float, draws: int, seed: int) -> Drawn:
    """Return exposure and effect of a scenario with one drug or none, by quantity (with its unit), each (draws,).

    The first draw is the typical subject. Necrosis is read 28 d after the last session; `viable_mean_percent` is the
    living tumour over its first volume, averaged from 0 to the horizon.
    """
    times = np.linspace(0.0, until_days * _HOURS_PER_DAY, _TIMES)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PlausibilityWarning)  # a range may be wider than what is plausible
        many = uncertain(scenario, draws, seed=seed)
        course = simulate(many, until_days=until_days, times_h=times, rtol=RTOL)
    effect, viable = course.effect(), course.viable_volume_ml()
    found = {
        "necrosis_percent": effect["necrosis_percent"],
        "neutrophil_nadir_1e9_per_l": effect["neutrophil_nadir_1e9_per_l"],
        "viable_mean_percent": 100.0 * (0.5 * (viable[1:] + viable[:-1])).mean(axis=0) / viable[0],
    }
    if scenario.drugs:
        exposure = course.exposure(scenario.drugs[0])
        found["tumour_auc_ug_h_per_ml"] = exposure["tumour_auc_ug_h_per_g"]
        found["plasma_auc_ug_h_per_ml"] = _MG_PER_NG * np.asarray(exposure["plasma_auc_ng_h_per_ml"])
    return {name: np.asarray(values, dtype=float) for name, values in found.items()}


def over(one: Drawn, other: Drawn) -> Drawn:
    """Return the ratio of what two treatments have in common of AUCs, draw by draw."""
    shared = [name for name in one if name in other and "_auc_" in name]
    return {f"{name.partition('_auc_')[0]}_auc_over_iv": one[name] / other[name] for name in shared}


def rows(found: Drawn, **labels: Any) -> Iterator[dict[str, Any]]:
    """Yield a row a quantity: typical value and 90 % interval; nothing for what does not exist."""
    for name, values in found.items():
        if math.isfinite(values[0]):
            low, high = interval(values)
            yield {**labels, "quantity": name, "value": values[0], "low_90": float(low), "high_90": float(high)}


def wins(candidates: Mapping[Any, Array], *, least: bool) -> dict[Any, float]:
    """Return in what share of the draws [%] each candidate has the least (or the most), ties going to the first."""
    table = np.stack(list(candidates.values()))
    best = table.argmin(axis=0) if least else table.argmax(axis=0)
    return {name: 100.0 * float(np.mean(best == i)) for i, name in enumerate(candidates)}
