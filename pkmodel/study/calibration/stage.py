"""A stage of the calibration: free parameters with priors, the observations that speak of them, and the residuals.

Everything is computed on transformed axes (logarithm, logit or as it is), so that a prior is a normal distribution
with the 5 % and 95 % points of its range, and one batch of lanes gives prediction and derivatives.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ...errors import InputError, RunError
from ...inputs.cases import Case, Observation, observations
from ...model.problem import Array
from ..disposition import Case as CurveCase
from ..disposition import plasma_curve, with_parameters
from ..quantities import COHORT_QUANTITIES
from ..uncertainty import TAIL
from .predict import predict_case

STEP = 3e-3  # of central differences, on the transformed axis
CURVE_SIGMA = 0.02  # relative misfit of a reference curve that is let pass: a constraint more than data
CURVE_SPREAD = 1.5  # of the logarithm of a compartment: only so wide that none runs away that the liver replaces
CURVE_POINTS = 20  # what the points of a curve count as together; they are one model's, no independent data
_FORWARD: Mapping[str, Callable[[Any], Any]] = {
    "log": np.log, "logit": lambda x: np.log(x / (1.0 - x)), "linear": np.asarray,
}  # fmt: skip
_BACK: Mapping[str, Callable[[Any], Any]] = {
    "log": np.exp, "logit": lambda z: 1.0 / (1.0 + np.exp(-z)), "linear": np.asarray,
}  # fmt: skip


@dataclass(frozen=True)
class Free:
    """A parameter that a stage may move.

    Attributes
    ----------
    path : of a scenario, such as ``carrier.lipiodol_emulsion.prompt_fraction``
    start, range : centre and 90 % range of the prior, in the path's own unit
    targets : places in the library, ``folder/file:table``, that hold the value
    note : where the prior comes from
    drug, patients : the path is moved only in cases of this drug, or of these patients
    scale : axis of the fit: ``log``, ``logit`` or ``linear``
    also : further paths that share the value
    """

    path: str
    start: float
    range: tuple[float, float]
    targets: tuple[str, ...]
    note: str
    drug: str | None = None
    patients: tuple[str, ...] = ()
    scale: str = "log"
    also: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Path, with the drug where it is that of one drug only."""
        return self.path if self.drug is None else f"{self.path} ({self.drug})"

    @property
    def centre(self) -> float:
        """Prior mean on the transformed axis."""
        return float(_FORWARD[self.scale](self.start))

    @property
    def spread(self) -> float:
        """Prior standard deviation on the transformed axis."""
        low, high = (float(_FORWARD[self.scale](each)) for each in self.range)
        return (high - low) / (2.0 * TAIL)

    def value(self, position: Any) -> Any:
        """The value at a position of the transformed axis."""
        return _BACK[self.scale](position)

    def concerns(self, case: Case) -> bool:
        """Whether the parameter is moved in a case."""
        return (self.drug is None or self.drug == case.drug) and (not self.patients or case.patient in self.patients)


@dataclass(frozen=True)
class Known:
    """A value found by an earlier stage, or held by a profile."""

    free: Free
    value: float


@dataclass(frozen=True)
class Datum:
    """An observation with its weight: standard deviation of its logarithm, or the size of its group for a share."""

    case: Case
    observation: Observation
    sigma: float
    size: float = math.nan

    @property
    def id(self) -> str:
        """Id of the observation."""
        return self.observation.id

    @property
    def is_share(self) -> bool:
        """Whether it is the share of a group, which has a binomial error."""
        return self.observation.reading.quantity in COHORT_QUANTITIES

    @property
    def observed(self) -> float:
        """The published number; shares as a fraction."""
        value = self.observation.value
        return value / 100.0 if self.is_share and self.observation.unit == "%" else value

    def residual(self, predicted: Array) -> Array:
        """Weighted residual: of the logarithm, or the signed root of the binomial deviance, (n,)."""
        if not self.is_share:
            return np.asarray(np.log(predicted / self.observed) / self.sigma)
        return signed_root_deviance(self.observed, predicted, self.size)


def signed_root_deviance(observed: float, predicted: Array, size: float) -> Array:
    """Signed root of the binomial deviance of an observed share, (n,); positive where too much is predicted."""
    with np.errstate(divide="ignore", invalid="ignore"):
        hit = observed * np.log(observed / predicted) if observed > 0.0 else 0.0
        miss = (1.0 - observed) * np.log((1.0 - observed) / (1.0 - predicted)) if observed < 1.0 else 0.0
    return np.asarray(np.sign(predicted - observed) * np.sqrt(np.maximum(2.0 * size * (hit + miss), 0.0)))


@dataclass(frozen=True)
class Stage:
    """What is fitted together.

    Attributes
    ----------
    name, title : for tables
    free : parameters
    data : observations
    curve : reference curve that the drug must keep, if any; its compartments are then moved too
    known : values of earlier stages
    """

    name: str
    title: str
    free: tuple[Free, ...]
    data: tuple[Datum, ...]
    curve: CurveCase | None = None
    known: tuple[Known, ...] = ()
    note: str = ""
    _cache: dict[bytes, tuple[Array, Array]] = field(default_factory=dict, repr=False, compare=False)

    def without(self, keep: Callable[[Datum], bool]) -> Stage:
        """The stage with only some of its data."""
        return replace(self, data=tuple(each for each in self.data if keep(each)), _cache={})

    def holding(self, held: Mapping[str, float]) -> Stage:
        """The stage with parameters held at values, by name."""
        fixed = tuple(Known(each, held[each.name]) for each in self.free if each.name in held)
        rest = tuple(each for each in self.free if each.name not in held)
        return replace(self, free=rest, known=(*self.known, *fixed), _cache={})

    @property
    def drug_file(self) -> str:
        """Drug of the reference curve."""
        return "" if self.curve is None else self.curve.drug

    def start(self) -> Array:
        """Prior means on the transformed axes, (k,), compartments of the curve last."""
        own = [each.centre for each in self.free]
        return np.array([*own, *(math.log(each.start) for each in self._compartments().values())])

    def _compartments(self) -> Mapping[str, Any]:
        return {} if self.curve is None else self.curve.free

    def at(self, x: Array) -> tuple[Array, Array]:
        """Residuals (m,) and their Jacobian (m, k) at transformed parameters; data first, then curve, then priors."""
        key = x.tobytes()
        if key not in self._cache:
            k = x.size
            lanes = np.repeat(x[:, None], 1 + 2 * k, axis=1)
            lanes[np.arange(k), 1 + np.arange(k)] += STEP
            lanes[np.arange(k), 1 + k + np.arange(k)] -= STEP
            try:
                found = self.residuals(lanes)
            except InputError:  # no such subject, as when the liver would clear more than the whole body
                return np.full(self.size, np.inf), np.zeros((self.size, k))
            slope = (found[:, 1 : 1 + k] - found[:, 1 + k :]) / (2.0 * STEP)
            self._cache.clear()
            self._cache[key] = (found[:, 0], slope)
        return self._cache[key]

    @property
    def size(self) -> int:
        """Number of residuals."""
        curve = 0 if self.curve is None else self.curve.reference().size
        return len(self.data) + curve + self.start().size

    def residuals(self, lanes: Array) -> Array:
        """Weighted residuals of every lane, (m, n)."""
        predicted = self.predict(lanes)
        rows = [datum.residual(each) for datum, each in zip(self.data, predicted, strict=True)]
        if self.curve is not None:
            rows += list(self._curve_residuals(lanes))
        rows += [(lanes[i] - each.centre) / each.spread for i, each in enumerate(self.free)]
        for row, compartment in zip(lanes[len(self.free) :], self._compartments().values(), strict=True):
            rows.append((row - math.log(compartment.start)) / CURVE_SPREAD)
        return np.array(rows)

    def predict(self, lanes: Array) -> Array:
        """What the data's quantities come out as, (number of data, n), at transformed parameters (k, n)."""
        found: dict[str, Array] = {}
        for case in {datum.case.id: datum.case for datum in self.data}.values():
            mine = [datum.observation for datum in self.data if datum.case is case]
            found.update(predict_case(case, mine, self.settings(case, lanes), lanes.shape[1]))
        return np.array([found[datum.id] for datum in self.data]).reshape(len(self.data), lanes.shape[1])

    def settings(self, case: Case, lanes: Array) -> dict[str, Any]:
        """Paths and values of a case: those of earlier stages, and this one's as arrays (n,)."""
        found: dict[str, Any] = {}
        for known in self.known:
            if known.free.concerns(case):
                found |= dict.fromkeys((known.free.path, *known.free.also), known.value)
        for each, row in zip(self.free, lanes, strict=False):
            if each.concerns(case):
                found |= dict.fromkeys((each.path, *each.also), each.value(row))
        if self.curve is not None and case.drug == self.curve.drug:
            for path, row in zip(self._compartments(), lanes[len(self.free) :], strict=True):
                found[f"drug.{case.drug}.{path}"] = np.exp(row)
        return found

    def _curve_residuals(self, lanes: Array) -> Array:
        from ...inputs import library

        assert self.curve is not None
        prefix = f"drug.{self.curve.drug}."
        values: dict[str, Any] = {
            each.free.path.removeprefix(prefix): each.value for each in self.known if each.free.path.startswith(prefix)
        }
        for each, row in zip(self.free, lanes, strict=False):
            if each.path.startswith(prefix):
                values[each.path.removeprefix(prefix)] = each.value(row)
        for path, row in zip(self._compartments(), lanes[len(self.free) :], strict=True):
            values[path] = np.exp(row)
        curve = plasma_curve(with_parameters(library.drug(self.curve.drug), values), self.curve)
        reference = self.curve.reference()
        weight = math.sqrt(CURVE_POINTS / reference.size) / CURVE_SIGMA
        return np.asarray(np.log(curve / reference[:, None]) * weight)


def data_of(
    ids: Iterable[str],
    *,
    sigma: float,
    sigmas: Mapping[str, float] | None = None,
    sizes: Mapping[str, float] | None = None,
) -> tuple[Datum, ...]:
    """Observations of role `fit` by id, with their weights.

    Raises
    ------
    RunError
        An id is not that of an observation, or its role is not `fit`.
    """
    known = {each.id: (case, each) for case, each in observations()}
    found = []
    for name in ids:
        if name not in known:
            raise RunError(f"no observation {name!r} in the library's cases")
        case, each = known[name]
        if each.role != "fit":
            raise RunError(f"observation {name} has the role {each.role!r}: only 'fit' may be fitted to")
        found.append(Datum(case, each, (sigmas or {}).get(name, sigma), (sizes or {}).get(name, math.nan)))
    return tuple(found)
