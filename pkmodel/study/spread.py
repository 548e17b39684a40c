"""A comparison under uncertainty: intervals of every number, of its ratio to the reference arm, and what they rest on.

All arms share their draws, so that a ratio between arms is one of like with like. Uncertainty is that of typical
values, not variability between patients.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ..course import READING, observed, solve_runs, tumour_volume_ml
from ..exposure.metrics import evaluate
from ..inputs.scenario import Scenario
from ..model.body import INERT_DRUG, Run
from ..model.problem import Array
from ..outcome import effects
from ..solve.drive import Options
from .arms import REFERENCE_ARM
from .attribution import COALITIONS, EVERYBODY, attribute, reading_time, untreated_volume
from .comparison import EFFECT_KEYS, EXPOSURE_KEYS, WIDE_KEYS
from .uncertainty import SEED, interval, uncertain

RATIO = "tumour_plasma_auc_ratio"
ALONE = {"drug": (1.0, 0.0, 0.0), "ischaemia": (0.0, 1.0, 0.0)}


def spread(
    scenarios: Mapping[str, Scenario],
    names: Sequence[str],
    *,
    until_h: float,
    draws: int,
    rtol: float,
    seed: int = SEED,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, Any]:
    """Intervals of a comparison.

    Parameters
    ----------
    scenarios : name -> scenario of one lane; `REFERENCE_ARM` among them
    names : arms that get rows
    until_h : horizon [h]
    draws : number of draws; the first is the typical subject
    rtol : relative tolerance
    seed : of the draws
    progress : called with the number of arms solved and of all

    Returns
    -------
    dict
        `draws`, `seed`, and `rows`: one an arm and drug, key -> `median`, `low_90`, `high_90`, `ratio_low_90`,
        `ratio_high_90` (over the reference arm), `p_above_reference`, `assumed_variance_percent` (variance when
        only assumed parameters are drawn, over that when all are), `n` (draws that have the number).
    """
    total, done = 2 * len(scenarios), 0
    found: list[dict[str, dict[tuple[str, int], Array]]] = []
    for kinds in (None, ("assumed",)):
        values = {}
        for name, scenario in scenarios.items():
            drawn = uncertain(scenario, draws, seed=seed, kinds=kinds)
            values[name] = _samples(scenario, drawn, until_h, rtol)
            done += 1
            if progress is not None:
                progress(done, total)
        found.append(values)
    every, assumed = found
    drugs = scenarios[REFERENCE_ARM].drugs or (INERT_DRUG,)
    rows = []
    for arm in names:
        for d, drug in enumerate(drugs):
            row: dict[str, Any] = {"arm": arm, "drug": drug}
            for key in (*EXPOSURE_KEYS, *WIDE_KEYS, *EFFECT_KEYS):
                if key == "targeting_index":
                    own = [v[arm][RATIO, d] / v[REFERENCE_ARM][RATIO, d] for v in found]
                    row[key] = _scores(own[0], own[1], np.ones(draws))
                else:
                    row[key] = _scores(every[arm][key, d], assumed[arm][key, d], every[REFERENCE_ARM][key, d])
            rows.append(row)
    return {"draws": draws, "seed": seed, "rows": rows}


def _samples(typical: Scenario, drawn: Scenario, until_h: float, rtol: float) -> dict[tuple[str, int], Array]:
    """(key, number of the drug) -> value of every draw, NaN where it does not exist."""
    n = drawn.size
    runs = [Run(drawn, until_h, players) for players in COALITIONS]
    solution = solve_runs(runs, None, Options(rtol=rtol))
    exposure, _ = evaluate(observed(typical, solution))  # the size of the tumour is given, not drawn
    effect, _ = effects(solution, reading=READING, tumour_ml=tumour_volume_ml(typical, len(solution.reasons)))

    def of(values: Array, coalition: int = EVERYBODY) -> Array:
        return values[..., coalition * n : (coalition + 1) * n]

    found: dict[tuple[str, int], Array] = {}
    for d in range(solution.dose.shape[0]):
        for key in (*EXPOSURE_KEYS, *WIDE_KEYS):
            if key in exposure:
                found[key, d] = of(exposure[key][d])
        for key, values in effect.items():
            found[key, d] = of(values)
        for player, players in ALONE.items():
            found[f"necrosis_{player}_alone_percent", d] = of(effect["necrosis_percent"], COALITIONS.index(players))
        viable = solution.sampled_viable[:, READING].sum(axis=0).reshape(len(COALITIONS), n)
        last = np.broadcast_to(np.asarray(drawn.regimen.sessions[-1].at, dtype=float), (n,))
        shares = attribute(viable, untreated_volume(drawn.patient, reading_time(last)))
        for player, share in shares.share.items():
            found[f"shapley_{player}_percent", d] = 100.0 * share
    return found


def _scores(values: Array, assumed: Array, reference: Array) -> dict[str, Any]:
    there = np.isfinite(values)
    if not there.any():
        return {"n": 0}
    low, high = interval(values)
    scores: dict[str, Any] = {
        "median": float(np.median(values[there])), "low_90": float(low), "high_90": float(high), "n": int(there.sum()),
    }  # fmt: skip
    both = there & np.isfinite(reference)
    if both.any():
        scores["p_above_reference"] = float(np.mean(values[both] > reference[both]))
        over = both & (reference != 0.0)
        if over.any():
            ratio_low, ratio_high = interval(values[over] / reference[over])
            scores["ratio_low_90"], scores["ratio_high_90"] = float(ratio_low), float(ratio_high)
    whole = float(np.var(values[there]))
    part = assumed[np.isfinite(assumed)]
    if whole > 0.0 and part.size:
        scores["assumed_variance_percent"] = 100.0 * float(np.var(part)) / whole
    return scores
