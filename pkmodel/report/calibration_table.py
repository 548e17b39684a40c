"""The calibration as text and as CSV: what was fitted to what, how sharply, and what the data cannot decide."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator

import numpy as np

from ..study.calibration.calibrate import Calibrated, gmfe_of, parameters
from ..study.calibration.fit import LeftOut, Profile, StageFit
from .text import three

SAYS = {"decided": "decided", "together": "only together", "nothing": "nothing"}
COLUMNS = (
    "stage", "parameter", "prior", "prior_low", "prior_high", "value", "low_90", "high_90", "narrowed_percent",
    "data_say", "excluded_sides", "profile_values", "profile_misfit",
)  # fmt: skip


def render(result: Calibrated) -> str:
    """All stages as text."""
    return "\n\n".join("\n".join(_stage(result, fit)) for fit in result.fits)


def _stage(result: Calibrated, fit: StageFit) -> Iterator[str]:
    name = fit.stage.name
    yield f"{name}: {fit.stage.title}"
    condition = "infinite" if math.isinf(fit.condition) else f"{fit.condition:.3g}"
    yield (
        f"  {len(fit.stage.data)} observations, {len(fit.whole.free)} parameters; Fisher matrix of the data: rank "
        f"{fit.rank}, condition {condition}"
    )
    yield f"  {'observation':<18}{'study':<26}{'observed':>10}{'fitted':>10}{'fold':>7}"
    for datum, predicted in zip(fit.stage.data, fit.predicted, strict=True):
        fold = three(float(predicted / datum.observed)) if datum.observed else "-"
        study = datum.case.study[:25]
        yield f"  {datum.id:<18}{study:<26}{three(datum.observed):>10}{three(float(predicted)):>10}{fold:>7}"
    yield f"  GMFE {three(gmfe_of(fit.folds()))}"
    yield f"  {'parameter':<58}{'prior':>8}{'value':>9}  {'90 %':<20}{'narrowed':>8}  {'data say':<13} profile excludes"
    sides = {each.free.name: each.sides for each in result.profiles.get(name, ())}
    for stage, each, says in parameters(result):
        if stage is fit:
            low, high = each.interval if says != "nothing" else each.free.range
            value = each.value if says != "nothing" else each.free.start
            yield (
                f"  {each.free.name:<58}{three(each.free.start):>8}{three(value):>9}  "
                f"{f'{three(low)} to {three(high)}':<20}{100 * each.narrowed:>6.0f} %  {SAYS[says]:<13} "
                f"{sides.get(each.free.name, 'not profiled')}"
            )
    if name in result.profiles:
        yield "  profiles (value: -2 log likelihood above the least, its own prior left out)"
        for shape in result.profiles[name]:
            yield f"    {shape.free.name}: {_points(shape)}"
    if name in result.left_out:
        yield from _left_out(result.left_out[name])


def _points(each: Profile) -> str:
    return ", ".join(f"{three(float(v))}: {m:.2g}" for v, m in zip(each.values, each.misfit, strict=True))


def _left_out(every: tuple[LeftOut, ...]) -> Iterator[str]:
    observed = np.array([each.observed for study in every for each in study.data])
    predicted = np.concatenate([study.predicted for study in every])
    covered = np.concatenate([study.covered for study in every])
    with np.errstate(divide="ignore", invalid="ignore"):
        total = gmfe_of(predicted / observed)
    yield (
        f"  leave one study out: GMFE {three(total)}, 90 % interval covers {covered.sum()} of {covered.size} "
        f"({len(every)} studies)"
    )
    for study in every:
        inside = ", ".join(
            f"{d.id} {three(float(p))} [{three(float(low))}-{three(float(high))}] against {three(d.observed)}"
            for d, p, low, high in zip(study.data, study.predicted, study.low, study.high, strict=True)
        )
        yield f"    without {study.study}: {inside}"


def to_csv(result: Calibrated) -> str:
    """One line a parameter: prior, value, interval, and its profile; numbers to six digits."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    profiles = {each.free.name: each for every in result.profiles.values() for each in every}
    for fit, each, says in parameters(result):
        low, high = each.interval if says != "nothing" else each.free.range
        value = each.value if says != "nothing" else each.free.start
        shape = profiles.get(each.free.name)
        writer.writerow(
            [
                fit.stage.name,
                each.free.name,
                *(f"{number:.6g}" for number in (each.free.start, *each.free.range, value, low, high)),
                f"{100 * each.narrowed:.4g}",
                says,
                "" if shape is None else shape.sides,
                "" if shape is None else " ".join(f"{v:.4g}" for v in shape.values),
                "" if shape is None else " ".join(f"{m:.3g}" for m in shape.misfit),
            ]
        )
    return out.getvalue()
