"""Variability between subjects: how far each value varies, and one reproducible number a subject and path.

Variability is a coefficient of variation that an origin declares (never its range, which is uncertainty of the
typical value). The typical value is the median of a log-normal or logit-normal, the mean of a normal or uniform
distribution. What lies outside the plausible or legal range is drawn again, never clamped.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ..errors import ParameterError, UnknownNameError
from ..inputs.record import FieldSpec, Row
from ..model.problem import Array

# Deviations that have their spread in a field of their own: path's end -> (the field's end, distribution).
SPREADS = {"tumour.escape_deviation": ("escape_spread", "normal"), "kill.potency": ("potency_spread", "lognormal")}
WORDS = 8  # uniform numbers a subject holds ready for each path; the first that gives a possible value counts
MOST_ROUNDS = 60
WIDEST_LOGIT = 30.0
NODES = np.linspace(-9.0, 9.0, 721)  # trapezoids over a normal density converge faster than any power of the step
WEIGHTS = np.exp(-0.5 * NODES**2) / np.exp(-0.5 * NODES**2).sum()
BITS = 2.0**-53


@dataclass(frozen=True)
class Variability:
    """Declared variability of one value.

    Attributes
    ----------
    path, unit : of the value
    value : the typical subject's [unit]
    cv : coefficient of variation [1]; NaN where a standard deviation is declared instead
    spread : standard deviation on the scale of the distribution: of the logarithm, the logit, or the value itself
    distribution : ``lognormal``, ``logitnormal``, ``normal`` or ``uniform``
    low, high : what may be drawn: plausible and legal [unit]
    """

    path: str
    unit: str
    value: float
    cv: float
    spread: float
    distribution: str
    low: float
    high: float

    def at(self, deviates: Array, centre: Array | float | None = None) -> Array:
        """Values at standard deviates (uniform ones of variance 1 for ``uniform``), around `centre` instead."""
        middle = self.value if centre is None else centre
        if self.distribution == "lognormal":
            return np.asarray(middle * np.exp(self.spread * deviates))
        if self.distribution == "logitnormal":
            odds = np.asarray(middle / (1.0 - np.asarray(middle))) * np.exp(self.spread * deviates)
            return odds / (1.0 + odds)
        return np.asarray(middle + self.spread * deviates)


def declared(
    rows: Iterable[Row],
    spec: Callable[[str], FieldSpec],
    vary: Sequence[str] | Mapping[str, float] | None = None,
) -> dict[str, Variability]:
    """Return what varies between subjects, by path.

    Parameters
    ----------
    rows : (path, value, unit, origin) of everything, one value each
    spec : path -> what may stand there
    vary : None for everything with declared variability; paths, of which each must have one; or path -> cv,
        for what the library is silent about or says otherwise

    Raises
    ------
    UnknownNameError
        No such number.
    ParameterError
        Nothing is declared for a path, or a cv makes no sense.
    """
    numbers = {row[0]: row for row in rows if isinstance(row[1], float)}
    found = {path: each for path in numbers if (each := _declared(path, numbers, spec)) is not None}
    if vary is None:
        return found
    if isinstance(vary, str):
        raise ParameterError(f"vary = {vary!r} is one text; give a list of paths, or path -> cv", field="vary")
    chosen = {}
    for path in vary:
        if path not in numbers:
            raise UnknownNameError.of("number that can vary:", str(path), numbers)
        if isinstance(vary, Mapping):
            chosen[path] = _given(numbers[path], spec(path), vary[path])
        elif path in found:
            chosen[path] = found[path]
        else:
            raise ParameterError(
                f"{path} declares no variability (a value that you set yourself is the same in every subject); "
                f"give its coefficient of variation: vary={{{path!r}: 0.3}}",
                field=path,
            )
    return chosen


def _declared(path: str, rows: Mapping[str, Row], spec: Callable[[str], FieldSpec]) -> Variability | None:
    _, value, unit, origin = rows[path]
    for ending, (name, distribution) in SPREADS.items():
        if path.endswith(ending):
            spread = rows[f"{path.rpartition('.')[0]}.{name}"][1]
            low, high = _limits(rows[path], spec(path))
            return Variability(path, unit, value, math.nan, spread, distribution, low, high) if spread > 0.0 else None
    if origin is None or origin.kind == "user" or not origin.cv or not math.isfinite(value) or value == 0.0:
        return None  # nothing declared, or nothing (0, no limit, not applicable) that could be more or less
    return _of_cv(rows[path], spec(path), origin.cv, origin.distribution)


def _given(row: Row, spec: FieldSpec, cv: float) -> Variability:
    path, value, _, origin = row
    for ending, (name, _) in SPREADS.items():
        if path.endswith(ending):
            raise ParameterError(f"{path} varies with its own spread; set {path.rpartition('.')[0]}.{name}", field=path)
    if isinstance(cv, bool) or not isinstance(cv, int | float) or not 0.0 < cv < math.inf:
        raise ParameterError(f"vary: cv of {path} = {cv!r} is not a number above 0", field=path, value=cv, unit="1")
    if not math.isfinite(value) or value == 0.0:
        raise ParameterError(f"{path} = {value:g} cannot vary by a share of itself; set a value first", field=path)
    return _of_cv(row, spec, float(cv), origin.distribution if origin is not None else "lognormal")


def _of_cv(row: Row, spec: FieldSpec, cv: float, distribution: str) -> Variability:
    path, value, unit, _ = row
    if distribution == "lognormal":
        spread = math.sqrt(math.log1p(cv**2))
    elif distribution == "logitnormal":
        spread = logit_spread(value, cv, path)
    else:
        spread = cv * abs(value)
    return Variability(path, unit, value, cv, spread, distribution, *_limits(row, spec))


def _limits(row: Row, spec: FieldSpec) -> tuple[float, float]:
    """What may be drawn: legal and, where the origin says so, plausible; never excluding the typical value."""
    path, value, unit, origin = row
    low, high = spec.low, spec.high
    if origin is not None and origin.plausible is not None:
        low, high = max(low, origin.plausible[0]), min(high, origin.plausible[1])
    if not low <= value <= high:
        raise ParameterError(
            f"{path} = {value:g} {unit} lies outside its plausible range [{low:g}, {high:g}] {unit}; no cohort is "
            "drawn around it",
            field=path,
            value=value,
            unit=unit,
            legal=f"[{low:g}, {high:g}] {unit}",
        )
    return low, high


@lru_cache(maxsize=256)
def logit_spread(value: float, cv: float, path: str = "value") -> float:
    """Standard deviation of the logit at which a logit-normal share with this median has this cv.

    Raises
    ------
    ParameterError
        The value is no share, or no logit-normal one varies that much.
    """
    from scipy.optimize import brentq

    if not 0.0 < value < 1.0:
        message = f"{path} = {value:g} is not between 0 and 1, as the median of a logit-normal share must be"
        raise ParameterError(message, field=path, value=value, unit="1", legal="(0, 1)")
    def excess(spread: float) -> float:
        odds = value / (1.0 - value) * np.exp(spread * NODES)
        shares = odds / (1.0 + odds)
        mean = float(WEIGHTS @ shares)
        return math.sqrt(float(WEIGHTS @ (shares - mean) ** 2)) / mean - cv

    if excess(WIDEST_LOGIT) <= 0.0:
        raise ParameterError(f"no share with median {value:g} varies by a cv of {cv:g} ({path})", field=path, value=cv)
    return float(brentq(excess, 0.0, WIDEST_LOGIT))


def uniforms(seed: int, subjects: np.ndarray, path: str, attempt: int) -> Array:
    """Numbers in (0, 1) that belong to a seed, subject, path and attempt alone, (len(subjects), WORDS)."""
    key = zlib.crc32(path.encode())
    words = np.empty((len(subjects), WORDS), dtype=np.uint64)
    for row, subject in enumerate(subjects):
        spawn = (int(subject), attempt, key)
        words[row] = np.random.SeedSequence(seed, spawn_key=spawn).generate_state(WORDS, np.uint64)
    return ((words >> np.uint64(11)).astype(float) + 0.5) * BITS


def deviates(numbers: Array, distribution: str) -> Array:
    """Deviates of mean 0 and variance 1 from numbers in (0, 1): normal, or uniform for that distribution."""
    if distribution == "uniform":
        return np.asarray(math.sqrt(12.0) * (numbers - 0.5))
    from scipy.special import ndtri

    return np.asarray(ndtri(numbers))


def first_possible(candidates: Array, variability: Variability) -> Array:
    """The first candidate of each subject inside the range, (n,) of (n, WORDS); NaN where none is."""
    inside = (candidates >= variability.low) & (candidates <= variability.high)
    pick = inside.argmax(axis=1)
    rows = np.arange(len(candidates))
    return np.where(inside[rows, pick], candidates[rows, pick], np.nan)


def impossible(build: Callable[[np.ndarray], object], lanes: np.ndarray) -> Iterator[int]:
    """Yield the lanes that make no legal subject, by halving: `build` raises ParameterError for lanes with one."""
    try:
        build(lanes)
    except ParameterError:
        if lanes.size == 1:
            yield int(lanes[0])
            return
        half = lanes.size // 2
        yield from impossible(build, lanes[:half])
        yield from impossible(build, lanes[half:])
