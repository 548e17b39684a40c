"""Uncertainty of the typical values: draws of everything that has a range, the same for all arms of a comparison.

A range is read as a 90 % range around the value, with a tail of its own on either side. Values that can be infinite
are drawn as their reciprocals, shares as their logit, other positive values as their logarithm, the rest as they are.
What describes the subject (size, weight, diameter of the tumour) is given and not drawn. Between-subject variability is
another matter and not part of this.
"""

from __future__ import annotations

import warnings
import zlib
from collections.abc import Collection, Iterator, Mapping
from functools import lru_cache
from typing import Any

import numpy as np

from ..errors import ParameterError, PlausibilityWarning
from ..inputs.origin import Origin
from ..inputs.scenario import Scenario
from ..model.columns import derived_clearances
from ..model.problem import Array

DESCRIPTION = ("patient.bsa", "patient.body_weight", "patient.tumour.diameter", "patient.tumour.count")
NOT_DRAWN = ("molar_mass", "usual_dose", "potency_spread", "escape_spread", "escape_deviation", "reference.bsa")
TAIL = 1.6448536269514722  # of a standard normal: 5 % lie above
FARTHEST = 2.0  # no draw lies farther out: a range was given, not a distribution
MOST_TRIES = 60
SEED = 20261125


def uncertain(
    scenario: Scenario, draws: int, *, seed: int = SEED, kinds: Collection[str] | None = None
) -> Scenario:
    """Return a scenario of one lane with `draws` lanes: the first typical, the others drawn.

    With `kinds` only parameters of these kinds are drawn (such as ``assumed``). Draw `i` of a path depends on the
    seed, `i` and the path alone, so that all arms of a comparison share it.

    Raises
    ------
    ParameterError
        For a population, less than two draws, or ranges that hardly ever give a legal subject.
    """
    if scenario.size > 1:
        raise ParameterError(f"uncertainty is that of one typical subject; the scenario has {scenario.size} lanes")
    if not isinstance(draws, int) or isinstance(draws, bool) or draws < 2:
        raise ParameterError(f"draws = {draws!r} is not a whole number from 2", field="draws", value=draws)
    ranges = dict(drawn_paths(scenario, kinds))
    lanes = range(1, draws)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PlausibilityWarning)  # a range may be wider than what is plausible
        every = [{path: bounds[0] for path, bounds in ranges.items()}, *(_drawn(ranges, i, 0, seed) for i in lanes)]
        try:
            return _subject(scenario, _columns(every))
        except ParameterError:  # some lane is no legal subject: find it, and draw it again
            every[1:] = [_legal(scenario, ranges, lane, seed) for lane in lanes]
            return scenario.with_values(_columns(every))


def _subject(scenario: Scenario, values: Mapping[str, Any]) -> Scenario:
    """The scenario with values; ParameterError where they make no subject, as when a liver clears too much."""
    found = scenario.with_values(values)
    for drug in found.regimen.drugs:
        derived_clearances(drug, max(found.size, 1))
    return found


def _columns(lanes: list[dict[str, float]]) -> dict[str, Array]:
    return {path: np.array([lane[path] for lane in lanes]) for path in lanes[0]}


def _drawn(ranges: Mapping[str, tuple[float, float, float]], lane: int, attempt: int, seed: int) -> dict[str, float]:
    return {path: value_at(deviate(seed, lane, attempt, path), *bounds) for path, bounds in ranges.items()}


def drawn_paths(
    scenario: Scenario, kinds: Collection[str] | None = None
) -> Iterator[tuple[str, tuple[float, float, float]]]:
    """Yield the path of everything uncertain, with its value and 90 % range in its own unit."""
    known = frozenset(scenario.paths())
    for path, value, _, origin in scenario.rows():
        if origin is None or isinstance(value, str | tuple) or path in DESCRIPTION or path.endswith(NOT_DRAWN):
            continue
        if kinds is not None and origin.kind not in kinds:
            continue
        if path.startswith("carrier.") and path.endswith(".duration"):
            continue  # the session's duration is drawn: it has the carrier's range unless somebody stated it
        bounds = range_of(float(np.asarray(value)), origin)
        if bounds is not None and path in known:
            yield path, (float(np.asarray(value)), *bounds)


def range_of(value: float, origin: Origin) -> tuple[float, float] | None:
    """90 % range of a value from its origin; None where it has none or is certain."""
    if origin.kind == "user" or np.isnan(value):
        return None
    if origin.range is not None:
        low, high = min(origin.range[0], value), max(origin.range[1], value)
    elif origin.se is not None:
        low, high = value - TAIL * origin.se, value + TAIL * origin.se
    else:
        return None
    return (low, high) if low < high else None


def _legal(
    scenario: Scenario, ranges: Mapping[str, tuple[float, float, float]], lane: int, seed: int
) -> dict[str, float]:
    """Values of one lane; drawn again where they do not make a subject (clearance of the liver above the whole)."""
    for attempt in range(MOST_TRIES):
        found = _drawn(ranges, lane, attempt, seed)
        try:
            _subject(scenario, found)
        except ParameterError as error:
            last = error
            continue
        return found
    raise ParameterError(f"the ranges hardly ever give a legal subject ({MOST_TRIES} draws): {last}")


@lru_cache(maxsize=65536)
def deviate(seed: int, lane: int, attempt: int, path: str) -> float:
    """A standard normal number that belongs to a path and a draw, none farther out than `FARTHEST`."""
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(lane, attempt, zlib.crc32(path.encode()))))
    while True:
        found = float(rng.standard_normal())
        if abs(found) <= FARTHEST:
            return found


def value_at(z: float, value: float, low: float, high: float) -> float:
    """The value at a standard normal deviate of a distribution with a 90 % range, each side with its own spread."""
    if np.isinf(high):
        return _reciprocal(z, value, low)
    if low > 0.0 and high < 1.0:
        return _spread(z, value, low, high, _logit, lambda x: 1.0 / (1.0 + np.exp(-x)))
    if low > 0.0:
        return _spread(z, value, low, high, np.log, np.exp)
    # On a linear scale a range is a limit, beyond it lies the illegal: the outer tenth of the draws lies at its ends.
    within = float(np.clip(z, -TAIL, TAIL))
    return _spread(within, value, low, high, float, float)


def _reciprocal(z: float, value: float, low: float) -> float:
    """A value that may be infinite, by its reciprocal: infinite itself it stays so in half of the draws."""
    rate, fastest = (0.0 if np.isinf(value) else 1.0 / value), 1.0 / low
    drawn = rate + (fastest - rate) * max(-z, 0.0) / TAIL if z < 0.0 else rate * (1.0 - min(z, TAIL) / TAIL)
    return 1.0 / drawn if drawn > 0.0 else np.inf


def _spread(z, value, low, high, forward, back) -> float:  # type: ignore[no-untyped-def]
    middle = forward(value)
    side = (forward(high) - middle) if z > 0.0 else (middle - forward(low))
    return float(back(middle + z / TAIL * side))


def _logit(x: float) -> float:
    return float(np.log(x / (1.0 - x)))


def interval(values: Array, share: float = 0.9) -> tuple[Array, Array]:
    """Lower and upper end of the central interval over the last axis; NaN only where every value is."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        low, high = np.nanquantile(values, [0.5 - share / 2.0, 0.5 + share / 2.0], axis=-1)
    return low, high
