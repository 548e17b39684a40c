"""All stages in order: each fitted with what the stages before it found, and what the data say of every parameter."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ...errors import RunError
from ...inputs import library
from ..disposition import DispositionFit, fit_disposition, with_parameters
from .files import Calibration
from .fit import Found, LeftOut, Profile, StageFit, fit_stage, leave_one_study_out, profile
from .stage import Free, Known, Stage


@dataclass(frozen=True, eq=False)
class Calibrated:
    """Results of a calibration.

    Attributes
    ----------
    fits : of every stage with data
    dispositions : reference curves fitted again with the liver found, by drug
    profiles : stage name -> profiles of its parameters
    left_out : stage name -> what fits without one study say of it
    """

    fits: tuple[StageFit, ...]
    dispositions: Mapping[str, DispositionFit]
    profiles: Mapping[str, tuple[Profile, ...]]
    left_out: Mapping[str, tuple[LeftOut, ...]]


def calibrate(
    calibration: Calibration, *, quick: bool = False, progress: Callable[[int, int], None] | None = None
) -> Calibrated:
    """Fit every stage; with `quick` without profiles and without leaving studies out.

    Raises
    ------
    RunError
        A fit did not converge, or a trial could not be simulated.
    """
    fits: list[StageFit] = []
    dispositions: dict[str, DispositionFit] = {}
    profiles: dict[str, tuple[Profile, ...]] = {}
    left_out: dict[str, tuple[LeftOut, ...]] = {}
    # Nothing may depend on what the library holds of a parameter that is fitted: later stages' stand at their priors.
    known = tuple(Known(free, free.start) for stage in calibration.stages for free in stage.free)
    for i, stage in enumerate(calibration.stages):
        fit = fit_stage(replace(stage, known=known))
        fits.append(fit)
        known = fit.known
        if stage.curve is not None:
            refitted = _disposition(stage, known)
            dispositions[stage.curve.drug] = refitted
            known = (*known, *_compartments(stage, refitted))
        if not quick:
            profiles[stage.name] = tuple(profile(fit, each.name) for each in fit.whole.free)
            left_out[stage.name] = tuple(leave_one_study_out(fit.stage, fit.position))
        if progress is not None:
            progress(i + 1, len(calibration.stages))
    return Calibrated(tuple(fits), dispositions, profiles, left_out)


def _disposition(stage: Stage, known: tuple[Known, ...]) -> DispositionFit:
    assert stage.curve is not None
    prefix = f"drug.{stage.curve.drug}."
    mine = [each for each in known if each.free.path.startswith(prefix)]
    values: dict[str, Any] = {each.free.path.removeprefix(prefix): each.value for each in mine}
    return fit_disposition(with_parameters(library.drug(stage.curve.drug), values), stage.curve)


def _compartments(stage: Stage, fit: DispositionFit) -> tuple[Known, ...]:
    assert stage.curve is not None
    drug = stage.curve.drug
    return tuple(
        Known(Free(f"drug.{drug}.{path}", value, (value, value), (), "", drug=drug), value)
        for path, value in fit.values.items()
    )


def gmfe_of(folds: Any) -> float:
    """Geometric mean fold error of predicted over observed; NaN without any that is positive and finite."""
    logs = np.log([each for each in np.atleast_1d(folds) if each > 0.0 and math.isfinite(each)])
    return float(np.exp(np.abs(logs).mean())) if logs.size else math.nan


def parameters(result: Calibrated) -> list[tuple[StageFit, Found, str]]:
    """Every parameter with its stage and what the data say: ``decided``, ``together`` or ``nothing``."""
    found = []
    for fit in result.fits:
        found += [(fit, each, "decided" if each.decided else "together") for each in fit.parameters]
        found += [(fit, each, "nothing") for each in fit.flat]
    if not found:
        raise RunError("no stage has a parameter")
    return found
