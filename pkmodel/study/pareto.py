"""The Pareto front between tumour control and systemic toxicity, over what can be chosen: dose, carrier, interval ...

A treatment is on the front where no other gives at least as much control for at most as much toxicity, and more of one.
"""

from __future__ import annotations

import csv
import io
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import InputError, ParameterError, PlausibilityWarning
from ..inputs.addresses import REGIMEN, known
from ..inputs.horizon import checked_rtol, horizon_h
from ..inputs.scenario import Scenario
from ..model.problem import Array
from ..solve.drive import BLOCK
from .attribution import reading_time
from .factors import holders_of
from .measures import check_measure, direction, measures
from .question import Progress

CONTROL, TOXICITY = "necrosis_percent", "plasma_auc_ng_h_per_ml"
RTOL = 1e-5
OK = "ok"


@dataclass(frozen=True, eq=False)
class Pareto:
    """Treatments with their tumour control and toxicity, and those that none beats in both.

    Attributes
    ----------
    control, control_unit, toxicity, toxicity_unit : the two measures
    points : one mapping a treatment: arm, settings by path, control, toxicity (None where missing), `on_front`, status
    front : those on the front, the least toxic first
    scenarios : of the front, in the same order
    until_h : horizon of all [h]
    """

    control: str
    control_unit: str
    toxicity: str
    toxicity_unit: str
    points: tuple[dict[str, Any], ...]
    front: tuple[dict[str, Any], ...]
    scenarios: tuple[Scenario, ...]
    until_h: float

    def to_csv(self, path: str | Path | None = None) -> str:
        """Return one row a treatment as CSV text; a setting that its arm does not have is empty."""
        named = dict.fromkeys(name for point in self.points for name in point["settings"])
        out = io.StringIO()
        head = ["arm", *named, self.control, self.toxicity, "on_front", "status"]
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(head)
        for point in self.points:
            chosen = [point["settings"].get(name, "") for name in named]
            numbers = ["" if point[key] is None else repr(point[key]) for key in ("control", "toxicity")]
            writer.writerow([point["arm"], *chosen, *numbers, int(point["on_front"]), point["status"]])
        if path is not None:
            Path(path).write_text(out.getvalue(), encoding="utf-8")
        return out.getvalue()


def pareto(
    scenarios: Scenario | Mapping[str, Scenario],
    axes: Mapping[str, Sequence[Any]],
    *,
    control: str = CONTROL,
    toxicity: str = TOXICITY,
    drug: str | None = None,
    until_days: float | None = None,
    rtol: float = RTOL,
    progress: Progress = None,
) -> Pareto:
    """Return all combinations of choices in every arm, and the front between control and toxicity.

    An arm without a path (no carrier, no embolic) does not have that choice. A combination that cannot be given, or
    whose run fails, is a point with its reason and never on the front.

    Parameters
    ----------
    scenarios : a scenario, or name -> scenario, one lane each
    axes : path -> values, numbers or names: ``session.dose``, ``carrier``, ``embolic.occlusion``, ``regimen.every``
    control, toxicity : measures of which one direction is better
    drug : name, where several are given
    until_days : horizon [d] of all, so that exposures compare; by default 28 d after the last session of any
    rtol : relative tolerance of the runs
    progress : called with the number of treatments solved and of all

    Raises
    ------
    InputError
        A wrong name or value; a horizon before the last session.

    Examples
    --------
    >>> import pkmodel as pk
    >>> tace = pk.chemoembolisation("doxorubicin", 50, carrier="lipiodol_emulsion", embolic="gelatin_sponge")
    >>> found = pk.pareto(pk.Scenario("hcc_reference", tace), {"session.dose": [25, 50, 75]})
    >>> [point["settings"]["session.dose"] for point in found.front]
    [25, 50, 75]
    """
    units = check_measure(control), check_measure(toxicity)
    signs = direction(control), direction(toxicity)
    every = {"scenario": scenarios} if isinstance(scenarios, Scenario) else dict(scenarios)
    points, chosen = _candidates(every, axes)
    until_h = _horizon(chosen, until_days)
    asked = {"until_h": until_h, "rtol": checked_rtol(rtol), "drug": drug}
    _measure(points, chosen, (control, toxicity), asked, progress)
    alive = [i for i, point in enumerate(points) if point["status"] == OK]
    values = np.array([[points[i]["control"], points[i]["toxicity"]] for i in alive]).reshape(-1, 2) * signs
    for i, best in zip(alive, non_dominated(values), strict=True):
        points[i]["on_front"] = bool(best)
    order = sorted((i for i in alive if points[i]["on_front"]), key=lambda i: -signs[1] * points[i]["toxicity"])
    return Pareto(
        control=control,
        control_unit=units[0],
        toxicity=toxicity,
        toxicity_unit=units[1],
        points=tuple(points),
        front=tuple(points[i] for i in order),
        scenarios=tuple(chosen[i] for i in order),
        until_h=until_h,
    )


def non_dominated(values: Array) -> np.ndarray:
    """Return which of n points no other beats, (n,), of (n, k) values of which more is better.

    A point beats another where it is at least as good in everything and better in something; equals stay together.
    """
    values = np.asarray(values, dtype=float)
    found = np.ones(len(values), dtype=bool)
    for i, own in enumerate(values):
        found[i] = not np.any(np.all(values >= own, axis=1) & np.any(values > own, axis=1))
    return found


def _candidates(
    every: Mapping[str, Scenario], axes: Mapping[str, Sequence[Any]]
) -> tuple[list[dict[str, Any]], dict[int, Scenario]]:
    """All points, and the scenarios of those that can be described at all."""
    if not isinstance(axes, Mapping) or not axes:
        raise ParameterError("axes is a mapping of path to values, such as {'session.dose': [25, 50]}", field="axes")
    for name, scenario in every.items():
        if scenario.size > 1:
            raise ParameterError(f"pareto takes one subject, but {name!r} has {scenario.size} lanes", field="scenarios")
    own = {path: holders_of(path, every) for path in axes}
    for path, values in axes.items():
        if isinstance(values, str) or not hasattr(values, "__iter__") or not len(values):
            raise ParameterError(f"{path}: {values!r} is not a list of values", field=path)
    points: list[dict[str, Any]] = []
    scenarios: dict[int, Scenario] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PlausibilityWarning)  # the edges of a choice may be implausible
        for arm, scenario in every.items():
            paths = [path for path in axes if arm in own[path]]
            for values in product(*(axes[path] for path in paths)):
                settings = dict(zip(paths, values, strict=True))
                point = {"arm": arm, "settings": settings, "control": None, "toxicity": None}
                points.append({**point, "on_front": False, "status": OK})
                try:
                    scenarios[len(points) - 1] = _with(scenario, settings)
                except InputError as error:
                    points[-1]["status"] = str(error)
    return points, scenarios


def _with(scenario: Scenario, settings: Mapping[str, Any]) -> Scenario:
    """Settings of the regimen first: what names a session means those that there are then."""
    repeated = {path: value for path, value in settings.items() if known(scenario)[path].phase == REGIMEN}
    scenario = scenario.with_values(repeated) if repeated else scenario
    return scenario.with_values({path: value for path, value in settings.items() if path not in repeated})


def _horizon(chosen: Mapping[int, Scenario], until_days: float | None) -> float:
    if until_days is not None:
        return horizon_h(None, until_days)
    sessions = [each.regimen.sessions[-1].at for each in chosen.values() if each.regimen.sessions]
    last = max((float(np.asarray(each).max()) for each in sessions), default=0.0)
    return float(reading_time(np.array([last]))[0])


def _measure(
    points: list[dict[str, Any]],
    chosen: Mapping[int, Scenario],
    names: tuple[str, str],
    asked: dict[str, Any],
    progress: Progress,
) -> None:
    """Put control and toxicity, or the reason why there is none, into the points."""
    order = list(chosen)
    for start in range(0, len(order), BLOCK):
        block = order[start : start + BLOCK]
        for part in _possible(block, chosen, names, asked, points):
            for (values, reasons), key in zip(part[1], ("control", "toxicity"), strict=True):
                for k, i in enumerate(part[0]):
                    points[i][key] = None if reasons[k] else float(values[k])
                    if reasons[k]:
                        points[i]["status"] = f"{names[key == 'toxicity']}: {reasons[k]}"
        if progress is not None:
            progress(min(start + BLOCK, len(order)), len(order))


def _possible(
    block: list[int],
    chosen: Mapping[int, Scenario],
    names: tuple[str, str],
    asked: dict[str, Any],
    points: list[dict[str, Any]],
) -> Iterator[tuple[list[int], list[tuple[Array, np.ndarray]]]]:
    """Solve treatments together; where one cannot be given, in halves until it stands alone with its reason."""
    try:
        yield block, measures([chosen[i] for i in block], names, **asked)
    except InputError as error:
        if len(block) == 1:
            points[block[0]]["status"] = str(error)
            return
        half = len(block) // 2
        yield from _possible(block[:half], chosen, names, asked, points)
        yield from _possible(block[half:], chosen, names, asked, points)


