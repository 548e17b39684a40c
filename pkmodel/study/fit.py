"""Fitting release laws to a measured in-vitro curve, and making a carrier of the result.

Laws are fitted to all replicates at once by least squares on the released fraction and ranked by Akaike's
criterion AIC = n ln(RSS/n) + 2 (k + 1). Standard errors are those of the linearised problem.

References
----------
Akaike 1974, IEEE Trans Autom Control 19:716; Burnham & Anderson 2002, Model Selection and Multimodel
Inference, ch. 2 (weights); Bates & Watts 1988, Nonlinear Regression Analysis, ch. 2 (standard errors).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ParameterError, UnknownNameError
from ..inputs import library
from ..inputs.origin import Origin
from ..inputs.record import specs
from ..inputs.treatment import Carrier, ReleaseParameters
from ..laws.release import LAW_PARAMETERS, ReleaseLaw, law_from_parameters, legal_range
from .release_data import ReleaseData, release_data

Array = NDArray[np.float64]

#: Laws that can be fitted, in the order in which ties are listed.
FITTED_LAWS = ("first_order", "biexponential", "weibull", "higuchi", "korsmeyer_peppas")
# No assay resolves a released fraction to 1e-8: residuals below it do not make one law better than another.
_RESOLUTION = 1e-8
_SMALLEST = 1e-12  # a rate, time or constant of zero stands here on the logarithmic axis
_AT_LIMIT = 1e-3  # distance to a limit, on the axis of the fit, at which a parameter counts as lying there
_INSENSITIVE = 1e-6  # an e-fold change of a parameter that moves no fraction by more than this is not seen
_WORST_CONDITION = 1e12
_VAGUE = (
    10.0  # a standard error on the axis of the fit that spans eight orders of magnitude determines nothing
)


@dataclass(frozen=True, eq=False)
class ReleaseFit:
    """One law fitted to a curve.

    Parameters
    ----------
    law
        Name of the law.
    parameters, standard_errors
        Values by name, in the units of `LAW_PARAMETERS`; a standard error is NaN where the data do not
        determine the parameter, or where it lies at a limit of its legal range.
    n, rss
        Number of values fitted, and their residual sum of squares [1].
    aic
        Akaike's criterion; only differences within one data set mean something.
    """

    law: str
    parameters: Mapping[str, float]
    standard_errors: Mapping[str, float]
    n: int
    rss: float
    aic: float

    @property
    def rmse_percent(self) -> float:
        """Root mean square residual [percentage points]."""
        return 100.0 * float(np.sqrt(self.rss / self.n))

    def release_law(self) -> ReleaseLaw:
        """The law itself, for `pkmodel.laws.release`."""
        return law_from_parameters(self.law, **self.parameters)

    def describe(self) -> str:
        """Parameters with standard errors and units, as text."""
        parts = []
        for name, value in self.parameters.items():
            error = self.standard_errors[name]
            unit = legal_range(name).unit.replace("exponent", f"{self.parameters.get('exponent', 0.5):.3g}")
            spread = f" ± {error:.2g}" if np.isfinite(error) else " (not determined)"
            parts.append(f"{name} = {value:.4g}{spread}{'' if unit == '1' else f' {unit}'}")
        return ", ".join(parts)


@dataclass(frozen=True, eq=False)
class ReleaseFits:
    """All laws fitted to one curve, best first.

    Parameters
    ----------
    data
        The curve.
    fits
        Fits by rising AIC.
    left_out
        Why a law was not fitted, by name.
    """

    data: ReleaseData
    fits: tuple[ReleaseFit, ...]
    left_out: Mapping[str, str]

    @property
    def best(self) -> ReleaseFit:
        """The fit of lowest AIC."""
        return self.fits[0]

    def __getitem__(self, law: str) -> ReleaseFit:
        for fit in self.fits:
            if fit.law == law:
                return fit
        raise UnknownNameError.of("fit of law", law, [fit.law for fit in self.fits])

    def weights(self) -> Array:
        """Akaike weights of `fits`, summing to 1."""
        relative = np.exp(-0.5 * np.array([fit.aic - self.best.aic for fit in self.fits]))
        return relative / relative.sum()

    def table(self) -> str:
        """The ranking as text."""
        replicates = self.data.released.shape[1]
        source = f"{self.data.source}: " if self.data.source else ""
        lines = [
            f"{source}{len(self.data.times_h)} times x {replicates} replicate{'s' if replicates > 1 else ''}",
            f"{'law':<17}{'AIC':>9}{'dAIC':>9}{'weight':>8}{'RMSE [%]':>10}  parameters ± SE",
        ]
        for fit, weight in zip(self.fits, self.weights(), strict=True):
            numbers = f"{fit.aic:>9.1f}{fit.aic - self.best.aic:>9.1f}{weight:>8.3f}{fit.rmse_percent:>10.3g}"
            lines.append(f"{fit.law:<17}{numbers}  {fit.describe()}")
        lines += [f"{law:<17}not fitted: {reason}" for law, reason in self.left_out.items()]
        return "\n".join(lines)

    def carrier(
        self, name: str, *, law: str | None = None, base: Carrier | str | Path | None = None, **overrides: Any
    ) -> Carrier:
        """A carrier that releases by a fitted law.

        Parameters
        ----------
        name
            Name of the carrier.
        law
            Name of the law, the best by default; ``tabulated`` takes the mean curve as it was measured.
        base
            A carrier (record, library name or TOML path) that gives every other field; without it all of them
            must be in `overrides`.
        overrides
            Fields of `Carrier`, such as ``prompt_fraction``.

        Raises
        ------
        ParameterError
            A field is missing or not legal, or the measured curve is not a release law.
        """
        release = self._release(self.best.law if law is None else law)
        if base is not None:
            known: Carrier = library.load("carriers", base)
            return known.replace(name=name, release=release, **overrides)
        given = {"name": name, "release": release, **overrides}
        missing = [key for key, spec in specs(Carrier).items() if spec.required and key not in given]
        if missing:
            raise ParameterError(f"a carrier needs {', '.join(missing)}; give them, or a carrier as base")
        return Carrier(**given)

    def _release(self, law: str) -> ReleaseParameters:
        source = self.data.source or None
        if law == "tabulated":
            kept = self.data.times_h > 0.0
            curve: dict[str, Any] = {
                "times": (0.0, *self.data.times_h[kept].tolist()),
                "fractions": (0.0, *self.data.mean[kept].tolist()),
            }
            law_from_parameters("tabulated", **curve)
            origins = {
                key: Origin(kind="measured", unit=legal_range(key).unit, source=source) for key in curve
            }
            return ReleaseParameters(law=law, origins=origins, **curve)
        fit = self[law]
        note = f"{law} fitted to {fit.n} values, RMSE {fit.rmse_percent:.3g} percentage points"
        origins = {}
        for key in fit.parameters:
            error = fit.standard_errors[key]
            se = float(error) if np.isfinite(error) else None
            unit = specs(ReleaseParameters)[key].unit  # an origin speaks in its field's own unit
            origins[key] = Origin(kind="fitted", unit=unit, se=se, source=source, note=note)
        values: dict[str, Any] = dict(fit.parameters)
        return ReleaseParameters(law=law, origins=origins, **values)


def fit_release(csv_or_arrays: Any, *, laws: Sequence[str] | None = None) -> ReleaseFits:
    """Fit release laws to a measured curve and rank them.

    Power laws (Higuchi, Korsmeyer-Peppas) are fitted to the whole curve, held at 1 once reached.

    Parameters
    ----------
    csv_or_arrays
        A CSV file or a pair (times [h], fractions); see `pkmodel.study.release_data.release_data`.
    laws
        Names out of `FITTED_LAWS`; all by default.

    Raises
    ------
    FileError, ParameterError
        The curve cannot be read or is not one, or is too short for any law.
    UnknownNameError
        A law of that name cannot be fitted.
    """
    if isinstance(laws, str) or not isinstance(laws, Sequence | None):
        raise ParameterError(f"laws = {laws!r} is not a list of names, such as ['weibull']", field="laws", value=laws)
    chosen = FITTED_LAWS if laws is None else tuple(laws)
    for law in chosen:
        if law not in FITTED_LAWS:
            raise UnknownNameError.of("law to fit", law, FITTED_LAWS)
    data = release_data(csv_or_arrays)
    kept = data.times_h > 0.0  # every law is exact at time 0: that point says nothing
    times, released = data.times_h[kept], data.released[kept]
    fits, left_out = [], {}
    for law in chosen:
        size = len(LAW_PARAMETERS[law])
        if len(times) <= size:
            left_out[law] = (
                f"{size} parameters need at least {size + 1} times after 0, there are {len(times)}"
            )
        else:
            fits.append(_fit(law, times, released))
    if not fits:
        reasons = (
            "; ".join(f"{law}: {reason}" for law, reason in left_out.items()) or "no laws were asked for"
        )
        raise ParameterError(f"no release law can be fitted ({reasons})", field="laws")
    return ReleaseFits(data, tuple(sorted(fits, key=lambda fit: fit.aic)), MappingProxyType(left_out))


def _fit(law: str, times: Array, released: Array) -> ReleaseFit:
    from scipy.optimize import least_squares

    names = LAW_PARAMETERS[law]
    axes = [_Axis(name) for name in names]
    lower, upper = np.array([axis.limits for axis in axes]).T

    def residuals(position: Array) -> Array:
        values = {name: axis.value(x) for name, axis, x in zip(names, axes, position, strict=True)}
        return (law_from_parameters(law, **values).cumulative(times)[:, None] - released).ravel()

    best = None
    for start in _starts(law, times, released.mean(axis=1)):
        position = np.clip([axis.position(x) for axis, x in zip(axes, start, strict=True)], lower, upper)
        found = least_squares(residuals, position, bounds=(lower, upper), xtol=1e-14, ftol=1e-14, gtol=1e-14)
        if best is None or found.cost < best.cost:
            best = found
    assert best is not None
    n, rss = released.size, 2.0 * float(best.cost)
    errors = _standard_errors(best.jac, rss, np.minimum(best.x - lower, upper - best.x) < _AT_LIMIT)
    values = {name: axis.value(x) for name, axis, x in zip(names, axes, best.x, strict=True)}
    spread = {
        name: axis.slope(x) * float(e) for name, axis, x, e in zip(names, axes, best.x, errors, strict=True)
    }
    if law == "biexponential" and values["fast_rate"] < values["slow_rate"]:
        for each in (values, spread):
            each["fast_rate"], each["slow_rate"] = each["slow_rate"], each["fast_rate"]
        values["fast_share"] = 1.0 - values["fast_share"]
    aic = n * float(np.log(max(rss / n, _RESOLUTION**2))) + 2.0 * (len(names) + 1)
    return ReleaseFit(law, MappingProxyType(values), MappingProxyType(spread), n, rss, aic)


def _standard_errors(jacobian: Array, rss: float, at_limit: NDArray[np.bool_]) -> Array:
    """Standard errors on the axes of the fit; parameters at a limit or without effect are taken as fixed."""
    errors = np.full(jacobian.shape[1], np.nan)
    free = ~at_limit & (np.abs(jacobian).max(axis=0) > _INSENSITIVE)
    freedom = jacobian.shape[0] - int(free.sum())
    reduced = jacobian[:, free]
    if freedom > 0 and free.any() and np.linalg.cond(reduced) < _WORST_CONDITION:
        _, triangle = np.linalg.qr(reduced)
        inverse = np.linalg.inv(triangle)
        errors[free] = np.sqrt(rss / freedom * (inverse**2).sum(axis=1))
    return np.where(errors < _VAGUE, errors, np.nan)


class _Axis:
    """The axis on which a parameter is fitted: a share by its value, everything else by its logarithm."""

    def __init__(self, name: str) -> None:
        self.low, self.high = legal_range(name).low, legal_range(name).high
        self.plain = name == "fast_share"
        self.limits = (self.position(self.low), self.position(self.high))

    def position(self, value: float) -> float:
        return value if self.plain else float(np.log(max(value, _SMALLEST)))

    def value(self, position: float) -> float:
        value = float(position) if self.plain else float(np.exp(position))
        return min(max(value, self.low), self.high)  # exp(log(limit)) may round to beyond the limit

    def slope(self, position: float) -> float:
        return 1.0 if self.plain else self.value(position)


def _starts(law: str, times: Array, mean: Array) -> list[tuple[float, ...]]:
    """Starting points that span the time scale of the data; the best of their fits counts."""
    scales = np.geomspace(times[0] / 3.0, times[-1] * 3.0, 5)
    middle = len(times) // 2
    if law == "first_order":
        return [(1.0 / scale,) for scale in scales]
    if law == "biexponential":
        pairs = [(fast, slow) for fast, slow in product(1.0 / scales, 1.0 / scales) if fast > slow]
        return [
            (share, *pair)
            for share, pair in product((0.25, 0.75), [*pairs, *((1 / s, 1e-6) for s in scales)])
        ]
    if law == "weibull":
        return list(product(scales, (0.5, 1.0, 2.0)))
    exponents = (0.5,) if law == "higuchi" else (0.25, 0.5, 1.0)
    level = max(float(mean[middle]), 1e-3)
    constants: list[tuple[float, ...]] = [(level / times[middle] ** n, n) for n in exponents]
    return [start[:1] for start in constants] if law == "higuchi" else constants
