"""What is injected with a drug or instead of one: carriers with their release law, and embolics."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import inf, nan
from typing import Any, ClassVar

import numpy as np

from pkmodel.errors import ParameterError
from pkmodel.inputs.record import (
    NAME_PATTERN,
    FieldSpec,
    Length,
    Record,
    Row,
    Value,
    number,
    other,
    packed,
    part,
    record,
    series,
    text,
)
from pkmodel.laws.release_names import LAW_PARAMETERS, legal_range


def _law_parameter(name: str, doc: str, unit: str | None = None) -> Any:
    """Declare a number that some release law takes, in the range that the law itself accepts."""
    allowed = legal_range(name)
    return number(unit or allowed.unit, allowed.low, allowed.high, doc, default=nan, allow_nan=True)


@record
class ReleaseParameters(Record):
    """Release law of a depot and its parameters; nan or an empty curve where the law has none."""

    label: ClassVar[str] = "carrier.release"
    law: str = text("release law", tuple(LAW_PARAMETERS))
    rate: Value = _law_parameter("rate", "first order: rate")
    fast_share: Value = _law_parameter("fast_share", "biexponential: fast share")
    fast_rate: Value = _law_parameter("fast_rate", "biexponential: fast rate")
    slow_rate: Value = _law_parameter("slow_rate", "biexponential: slow rate")
    scale: Value = _law_parameter("scale", "Weibull: time scale")
    shape: Value = _law_parameter("shape", "Weibull: shape")
    rate_constant: Value = _law_parameter(
        "rate_constant", "Higuchi (per h^0.5) or Korsmeyer-Peppas (per h^exponent): constant", "1"
    )
    exponent: Value = _law_parameter("exponent", "Korsmeyer-Peppas: exponent")
    times: tuple[float, ...] = series("h", 0, 1e6, "tabulated: times", default=())
    fractions: tuple[float, ...] = series("1", 0, 1, "tabulated: cumulative released fractions", default=())

    def rows(self, prefix: str = "") -> Iterator[Row]:
        """Yield the law and its own parameters; what another law left behind has no effect and is no parameter."""
        for row in super().rows(prefix):
            if row[0].removeprefix(prefix) in ("law", *LAW_PARAMETERS[self.law]):
                yield row

    def check(self) -> None:
        """The law's own parameters must be there, and a tabulated curve must be one."""
        for name in LAW_PARAMETERS[self.law]:
            value = getattr(self, name)
            if value == () if isinstance(value, tuple) else bool(np.any(np.isnan(value))):
                raise ParameterError(
                    f"carrier.release.{name} is missing; law {self.law!r} needs " + ", ".join(LAW_PARAMETERS[self.law]),
                    field=f"carrier.release.{name}",
                    value=value,
                )
        if self.law != "tabulated":
            return
        times, fractions = np.array(self.times), np.array(self.fractions)
        if len(times) != len(fractions) or len(times) < 2:
            raise ParameterError(
                f"carrier.release.times has {len(times)} values and fractions {len(fractions)}; both need "
                "the same number, at least 2",
                field="carrier.release.times",
                value=self.times,
            )
        for name, values, wrong, rule in (
            ("times", times, np.diff(times) <= 0, "times must increase"),
            ("fractions", fractions, np.diff(fractions) < 0, "fractions must not fall"),
        ):
            if np.any(wrong):
                i = int(np.argmax(wrong)) + 1
                raise ParameterError(
                    f"carrier.release.{name}[{i}] = {values[i]:g} after {values[i - 1]:g}: {rule}",
                    field=f"carrier.release.{name}",
                    value=float(values[i]),
                )
        if times[0] != 0 or fractions[0] != 0:
            raise ParameterError(
                f"carrier.release: a tabulated curve starts at time 0 with fraction 0, not at {times[0]:g} h with "
                f"{fractions[0]:g} (what is released at once belongs in prompt_fraction)",
                field="carrier.release.times",
                value=self.times,
            )


@record
class Carrier(Record):
    """What holds a drug back: oil emulsion, suspension, beads, or a depot elsewhere in the body.

    Prompt fraction and release may differ between drugs: `variants` are the versions for single drugs (TOML
    tables ``[for.DRUG...]``), and `for_drug` chooses. A dose of one drug holds the chosen version.
    """

    label: ClassVar[str] = "carrier"
    name: str = text("library name", pattern=NAME_PATTERN)
    title: str = text("name for people", default="", identity=False)
    product: str = text("whether a product exists; with no, all is assumed", ("yes", "no"))
    prompt_fraction: Value = number("1", 0, 1, "part that is dissolved at once")
    target_preference: Value = number("1", 0, 10, "theta: preference for the tumour over the flow split", low_open=True)
    lung_share: Value = number("1", 0, 0.9, "part that reaches the lung")
    duration: Value = number("h", 0, 48, "usual duration of the injection")
    occlusion: Value = number("1", 0, 1, "o_T: occlusion of tumour vessels at the end of the injection")
    selectivity: Value = number("1", 0, 1, "o_S/o_T: occlusion of the served liver over the tumour's")
    half_life: Value = number("d", 0, inf, "half-life of the occlusion", low_open=True, allow_inf=True)
    retention_tumour: Value = number("d", 0, inf, "half-life of the carrier in tumour", low_open=True, allow_inf=True)
    retention_liver: Value = number("d", 0, inf, "half-life of the carrier in liver", low_open=True, allow_inf=True)
    retention_lung: Value = number("d", 0, inf, "half-life of the carrier in lung", low_open=True, allow_inf=True)
    release: ReleaseParameters = part(ReleaseParameters, "release law")
    variants: tuple[tuple[str, Carrier], ...] = other("versions for single drugs", default=())

    def for_drug(self, name: str) -> Carrier:
        """Return the carrier as it holds one drug: its version for that drug, or else the carrier itself."""
        found = dict(self.variants).get(name)
        return found if found is not None else self.replace(variants=()) if self.variants else self

    def _normalise(self, spec: FieldSpec, value: Any) -> Any:
        if spec.name != "variants":
            return super()._normalise(spec, value)
        pairs = tuple(value.items() if isinstance(value, Mapping) else value)
        for name, each in pairs:
            if not isinstance(name, str) or not isinstance(each, Carrier) or each.variants:
                raise ParameterError("carrier.variants must be carriers without variants, by drug name")
        return pairs

    def _lengths(self, name: str, spec: FieldSpec) -> Iterator[Length]:
        if name == "variants":
            for drug, each in self.variants:
                path, size = each.__dict__["_length"]
                yield f"for.{drug}.{path}", size
        yield from super()._lengths(name, spec)

    def _settle(self, changes: Mapping[str, Any]) -> None:
        # What a user sets holds for every drug: a version with its own value would silently ignore it.
        shared = {name: value for name, value in changes.items() if name not in ("variants", "release")}
        if self.variants and "variants" not in changes and shared:
            settled = tuple((drug, each.replace(**shared)) for drug, each in self.variants)
            object.__setattr__(self, "variants", settled)

    def with_values(self, values: Mapping[str, Any]) -> Carrier:
        """Return a copy with several values changed at once, in the versions for single drugs too."""
        changed = super().with_values(values)
        if self.variants:
            versions = tuple((drug, Record.with_values(each, values)) for drug, each in self.variants)
            changed = changed.replace(variants=versions)
        changed._refuse_idle(values, self)
        return changed

    def _refuse_idle(self, values: Mapping[str, Any], before: Carrier) -> None:
        """A release parameter that no version's law takes must not be set: it would be ignored silently."""
        laws = dict.fromkeys(each.release.law for each in (self, *(version for _, version in self.variants)))
        taken = {name for law in laws for name in LAW_PARAMETERS[law]}
        for path in values:
            name = path.removeprefix("release.")
            idle = name != path and name != "law" and name not in taken
            if idle and packed(self.release.get(name)) != packed(before.release.get(name)):
                raise ParameterError(
                    f"carrier.{path} has no effect: release law {' and '.join(map(repr, laws))} takes "
                    f"{', '.join(sorted(taken)) or 'no parameter'}; set carrier.release.law as well",
                    field=f"carrier.{path}",
                    value=self.release.get(name),
                )


@record
class Embolic(Record):
    """What blocks vessels without carrying a drug."""

    label: ClassVar[str] = "embolic"
    name: str = text("library name", pattern=NAME_PATTERN)
    title: str = text("name for people", default="", identity=False)
    occlusion: Value = number("1", 0, 1, "o_T: occlusion of tumour vessels")
    selectivity: Value = number("1", 0, 1, "o_S/o_T: occlusion of the served liver over the tumour's")
    half_life: Value = number("d", 0, inf, "half-life of the occlusion", low_open=True, allow_inf=True)
    builds: str = text("builds up during its injection or acts at the session's end", ("during", "end"))
    duration: Value = number("h", 0, 48, "duration of the injection")
    retention_tumour: Value = number("d", 0, inf, "half-life of oil in tumour", low_open=True, allow_inf=True)
    retention_liver: Value = number("d", 0, inf, "half-life of oil in liver", low_open=True, allow_inf=True)
    retention_lung: Value = number("d", 0, inf, "half-life of oil in lung", low_open=True, allow_inf=True)
