"""What a sensitivity study varies: independent inputs with their distributions, the same for all arms.

Uncertain parameters have the distributions of `study.uncertainty`, a range that the user names is uniform. Inputs that
depend on each other are refused: no index of them would mean what it says. What a drug's clearance, extraction and
exchange may not be together is kept out by cutting one tail of each, all by the same share, until every combination is
possible; how much of a distribution is left out is reported with it.
"""

from __future__ import annotations

import warnings
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..errors import ParameterError, PlausibilityWarning, UnknownNameError
from ..inputs import library
from ..inputs.addresses import Address, known
from ..inputs.drug import Drug
from ..inputs.fields import number_value
from ..inputs.origin import Origin
from ..inputs.record import FieldSpec
from ..inputs.scenario import Scenario
from ..model.columns import derived_clearances
from ..model.problem import Array
from .uncertainty import FARTHEST, drawn_paths, value_at

BISECTIONS = 60
# From the best grade of evidence to the least; a parameter has that of its best row.
GRADES = ("read", "read (derived)", "read-secondary", "computed", "derived", "memory-high", "memory-moderate", "memory")
NO_GRADE = "none"
# What `derived_clearances` may refuse together, and which way each does harm: up (1) or down (-1).
TIED = {"extraction": 1, "reference.liver_flow": 1, "blood_plasma_ratio": 1, "cl_total": -1, "liver.ps": -1,
        "reference.parenchyma_volume": -1}  # fmt: skip
Ranges = Mapping[str, tuple[Any, Any]]


@dataclass(frozen=True)
class Marginal:
    """The distribution of one input in one arm.

    Attributes
    ----------
    value, low, high : typical value, and the ends of its 90 % range, or of all of it where `uniform`
    uniform : whether every value between the ends is as likely
    below, above : the part of the distribution that is legal, as quantiles
    """

    value: float
    low: float
    high: float
    uniform: bool = False
    below: float = 0.0
    above: float = 1.0

    def ends(self, *, whole: bool) -> tuple[float, float]:
        """Ends of the 90 % range; of what goes with every other input where not the `whole` is wanted."""
        if whole or self.uniform:
            return self.low, self.high
        lowest, highest = self.at(np.array([0.0, 1.0]))
        return max(self.low, float(lowest)), min(self.high, float(highest))

    def cut(self, share: float, *, upper: bool) -> Marginal:
        """The same without a share of its upper or lower tail."""
        part = share * (self.above - self.below)
        return replace(self, above=self.above - part) if upper else replace(self, below=self.below + part)

    def at(self, quantiles: Array) -> Array:
        """Values at quantiles in [0, 1], of the legal part of the distribution."""
        whole = self.below + (self.above - self.below) * np.asarray(quantiles, dtype=float)
        if self.uniform:
            return np.asarray(self.low + (self.high - self.low) * whole)
        from scipy.special import ndtr, ndtri

        ends = ndtr(-FARTHEST), ndtr(FARTHEST)
        z = ndtri(ends[0] + (ends[1] - ends[0]) * whole)
        return np.array([value_at(float(each), self.value, self.low, self.high) for each in z.ravel()]).reshape(z.shape)


@dataclass(frozen=True)
class Factor:
    """An input: what it is called, what is known of it, and its distribution in each arm that has it.

    Attributes
    ----------
    path, unit : of the input
    kind : measured, fitted, derived, assumed or user
    grade : how the best evidence row behind it was read; ``none`` without rows
    arms : arm -> distribution
    """

    path: str
    unit: str
    kind: str
    grade: str
    arms: Mapping[str, Marginal]

    @property
    def left_out(self) -> float:
        """Share of the distribution that is left out as not legal, or not possible with the others [1]."""
        return 1.0 - (self.first.above - self.first.below)

    @property
    def first(self) -> Marginal:
        """The distribution in the first arm that has the input: what tables show."""
        return next(iter(self.arms.values()))


def factors_of(
    scenarios: Mapping[str, Scenario],
    *,
    kinds: Collection[str] | None = None,
    ranges: Ranges | None = None,
    fixed: Collection[str] = (),
) -> tuple[Factor, ...]:
    """Return what varies in any of several arms.

    Parameters
    ----------
    scenarios : arm -> scenario of one lane
    kinds : only uncertain parameters of these kinds of origin
    ranges : path -> (low, high): these, uniform, instead of the uncertain parameters
    fixed : paths that keep their typical value

    Raises
    ------
    ParameterError
        For a population, a path that is no number, a range that is none, two paths to one value, or nothing to vary.
    UnknownNameError
        No arm has a path.
    """
    for name, scenario in scenarios.items():
        if scenario.size > 1:
            raise ParameterError(
                f"sensitivity is that of one typical subject, but {name!r} has {scenario.size} lanes; values in a "
                "cohort belong together and are not independent inputs"
            )
    if isinstance(fixed, str) or isinstance(kinds, str):
        raise ParameterError("fixed and kinds are lists of texts, such as ['assumed']")
    found = _named(scenarios, ranges) if ranges is not None else _uncertain(scenarios, kinds)
    for path in fixed:
        if path not in found:
            raise UnknownNameError.of("input", path, found)
        del found[path]
    if not found:
        raise ParameterError("there is no uncertain input to vary")
    return tuple(found.values())


def _uncertain(scenarios: Mapping[str, Scenario], kinds: Collection[str] | None) -> dict[str, Factor]:
    found: dict[str, dict[str, Marginal]] = {}
    for name, scenario in scenarios.items():
        for path, bounds in drawn_paths(scenario, kinds):
            found.setdefault(path, {})[name] = _legal(Marginal(*bounds), scenario.spec(path))
    factors = {path: _factor(path, arms, scenarios) for path, arms in found.items()}
    for scenario in scenarios.values():
        for drug in scenario.regimen.drugs:
            _untie(drug, factors)
    return factors


def _untie(drug: Drug, factors: dict[str, Factor]) -> None:
    """Cut the tails that make a drug impossible together, so that what is left is independent."""
    tied = {f"drug.{drug.name}.{name}": sign for name, sign in TIED.items() if f"drug.{drug.name}.{name}" in factors}
    def possible(share: float) -> bool:
        corner = {}
        for path, sign in tied.items():
            end = 1.0 - share if sign > 0 else share
            corner[path.removeprefix(f"drug.{drug.name}.")] = float(factors[path].first.at(np.array(end)))
        try:
            derived_clearances(drug.with_values(corner), 1)
        except ParameterError:
            return False
        return True

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PlausibilityWarning)
        if possible(0.0):
            return
        short, enough = 0.0, 0.5
        for _ in range(BISECTIONS):
            middle = 0.5 * (short + enough)
            short, enough = (short, middle) if possible(middle) else (middle, enough)
    for path, sign in tied.items():
        arms = {name: each.cut(enough, upper=sign > 0) for name, each in factors[path].arms.items()}
        factors[path] = replace(factors[path], arms=arms)


def _named(scenarios: Mapping[str, Scenario], ranges: Ranges) -> dict[str, Factor]:
    if not isinstance(ranges, Mapping):
        raise ParameterError(f"ranges = {ranges!r} is not a mapping of path to (low, high)", field="ranges")
    found = {}
    for path, bounds in ranges.items():
        holders = holders_of(path, scenarios)
        arms = {}
        for name, scenario in holders.items():
            spec = scenario.spec(path)
            if spec.kind != "number":
                raise ParameterError(f"{path} is not a number, and only numbers have a range", field=path)
            low, high = _bounds(path, bounds, spec)
            arms[name] = Marginal(float(np.asarray(scenario.get(path))), low, high, uniform=True)
        found[path] = _factor(path, arms, scenarios)
    refuse_twins(list(ranges), scenarios)
    return found


def _bounds(path: str, bounds: Any, spec: FieldSpec) -> tuple[float, float]:
    if isinstance(bounds, str) or np.shape(bounds) != (2,):
        raise ParameterError(f"range of {path} = {bounds!r} is not a pair (low, high)", field=path, unit=spec.unit)
    low, high = (float(np.asarray(number_value(spec, each, path))) for each in bounds)
    if not (low < high < np.inf):
        raise ParameterError(f"range of {path}: {low:g} to {high:g} {spec.unit} is empty or endless", field=path)
    return low, high


def possible_ends(scenario: Scenario, path: str, own: Marginal) -> tuple[float, float]:
    """Ends of the 90 % range, each replaced by that of the possible part where alone it makes no subject."""
    low, high = (
        end if _is_subject(scenario, path, end) else less
        for end, less in zip(own.ends(whole=True), own.ends(whole=False), strict=True)
    )
    return low, high


def _is_subject(scenario: Scenario, path: str, value: float) -> bool:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PlausibilityWarning)
        try:
            for drug in scenario.with_value(path, value).regimen.drugs:
                derived_clearances(drug, 1)
        except ParameterError:
            return False
    return True


def holders_of(path: str, scenarios: Mapping[str, Scenario]) -> dict[str, Scenario]:
    """Return the arms that have a path.

    Raises
    ------
    UnknownNameError
        None has; the message names the nearest.
    """
    found = {name: each for name, each in scenarios.items() if isinstance(path, str) and path in known(each)}
    if not found:
        every = dict.fromkeys(each for scenario in scenarios.values() for each in known(scenario))
        raise UnknownNameError.of("path", str(path), every)
    return found


def refuse_twins(paths: list[str], scenarios: Mapping[str, Scenario]) -> None:
    """Raise ParameterError where two paths lead to one value: such inputs are not independent."""
    for scenario in scenarios.values():
        addresses = {path: each for path, each in known(scenario).items() if path in paths}
        for i, one in enumerate(paths):
            for other in paths[:i]:
                if one in addresses and other in addresses and _meet(addresses[one], addresses[other]):
                    raise ParameterError(
                        f"{other} and {one} are one value by two paths, not independent inputs; name it once", field=one
                    )


def _meet(one: Address, other: Address) -> bool:
    places = not one.sessions or not other.sessions or bool(set(one.sessions) & set(other.sessions))
    names = one.name is None or other.name is None or one.name == other.name
    return (one.kind, one.rest) == (other.kind, other.rest) and places and names


def _factor(path: str, arms: Mapping[str, Marginal], scenarios: Mapping[str, Scenario]) -> Factor:
    scenario = scenarios[next(iter(arms))]
    # a session's duration has the origin of its carrier's, which only the rows know
    origin = next((row[3] for row in scenario.rows() if row[0] == path), None) or scenario.origin(path)
    return Factor(path, scenario.spec(path).unit, origin.kind if origin else "user", grade_of(origin), arms)


def grade_of(origin: Origin | None) -> str:
    """Return the grade of the best evidence row behind a value; ``none`` where no row is."""
    grades = {library.evidence_row(row)["how_read"] for row in origin.rows} if origin else set()
    return next((grade for grade in GRADES if grade in grades), NO_GRADE)


def _legal(marginal: Marginal, spec: FieldSpec) -> Marginal:
    """The same, cut where its tails leave the legal range: drawing again until a value is legal does that, too."""

    def legal(quantile: float) -> bool:
        value = float(marginal.at(np.array(quantile)))
        if np.isinf(value):
            return spec.allow_inf
        above = value > spec.low if spec.low_open else value >= spec.low
        return above and (value < spec.high if spec.high_open else value <= spec.high)

    def edge(outer: float) -> float:
        if legal(outer):
            return outer
        inside, outside = 0.5, outer
        for _ in range(BISECTIONS):
            middle = 0.5 * (inside + outside)
            inside, outside = (middle, outside) if legal(middle) else (inside, middle)
        return inside

    return Marginal(marginal.value, marginal.low, marginal.high, below=edge(0.0), above=edge(1.0))


def columns(factors: tuple[Factor, ...], arm: str, points: Array) -> dict[str, Array]:
    """Return path -> values (m,) of every input that an arm has, at points (m, d) of the unit cube."""
    found = {}
    for j, factor in enumerate(factors):
        if arm in factor.arms:  # a design repeats its numbers many times
            quantiles, where = np.unique(points[:, j], return_inverse=True)
            found[factor.path] = factor.arms[arm].at(quantiles)[where]
    return found
