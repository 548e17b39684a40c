"""Simulate a scenario and hold its course: concentrations, volumes, blood cells, exposure.

A `Trajectory` answers questions and writes itself (CSV, data frame, labelled array); it computes nothing that the
solver or the metrics do not.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from .accuracy import TIGHTER, TIGHTEST, achieved_errors
from .errors import ParameterError, RegimenError, RunError, UnknownNameError
from .exposure.metrics import METRICS, Exposure, Observed, evaluate
from .exposure.observables import NAMES, observe
from .inputs.horizon import checked_rtol, checked_times, default_times, horizon_h
from .inputs.scenario import Scenario
from .model.body import INERT_DRUG, Run
from .model.columns import column
from .model.graph import HYPOXIA, INDEX, ZONES
from .model.problem import Array
from .model.timeline import oil_retained
from .outcome import effects
from .solve.drive import Options
from .solve.runs import READING, RETAINED, solve_runs
from .solve.solution import Solution
from .solve.watch import SAMPLED_ROWS

if TYPE_CHECKING:
    import pandas
    import xarray

REFUSED = "refused: "


def simulate(
    scenario: Scenario,
    *,
    until_h: float | None = None,
    until_days: float | None = None,
    times_h: ArrayLike | None = None,
    rtol: float = 1e-5,
    check: bool = False,
) -> Trajectory:
    """Follow a scenario from time 0 to its horizon.

    Parameters
    ----------
    scenario : patient, regimen and catheter; arrays inside make it a population, one lane an entry
    until_h, until_days : horizon [h] or [d]; exactly one of them
    times_h : times at which the course is wanted [h], increasing, within the horizon; by default about 200
    rtol : relative tolerance of every reported quantity, 1e-10 to 1e-2
    check : run again with a hundredth of the tolerance and report the error achieved (`Trajectory.achieved`)

    Returns
    -------
    Trajectory

    Raises
    ------
    ParameterError
        For a horizon, time or tolerance that makes no sense.
    RegimenError
        When the only lane cannot be treated as asked.
    RunError
        When the only lane failed; lanes of a population fail alone and are listed in `Trajectory.failures`.

    Examples
    --------
    >>> import pkmodel as pk
    >>> scenario = pk.Scenario(pk.patient("hcc_reference"), pk.iv("doxorubicin", 50))
    >>> course = pk.simulate(scenario, until_days=7)
    >>> course.concentration_mg_per_l("plasma").shape == course.times_h.shape
    True
    """
    if not isinstance(scenario, Scenario):
        raise ParameterError(
            f"scenario: expected a Scenario, got {type(scenario).__name__}", field="scenario"
        )
    horizon = horizon_h(until_h, until_days)
    rtol = checked_rtol(rtol)
    times = default_times(horizon) if times_h is None else checked_times(times_h, horizon)
    solution = solve_runs([Run(scenario, horizon)], times, Options(rtol=float(rtol)))
    reason = solution.reasons[0]
    if len(solution.reasons) == 1 and reason is not None:
        raise (
            RegimenError(reason[len(REFUSED) :])
            if reason.startswith(REFUSED)
            else RunError(f"run failed: {reason}")
        )
    course = Trajectory(scenario, horizon, float(rtol), times, solution)
    if not check:
        return course
    fine = simulate(scenario, until_h=horizon, times_h=times, rtol=max(rtol / TIGHTER, TIGHTEST))
    return replace(course, achieved=achieved_errors(course.reported(), fine.reported()))


@dataclass(frozen=True, eq=False)
class Trajectory:
    """The course of a scenario. Arrays have shape (m,) for one subject, (m, n) for a population of n.

    Attributes
    ----------
    scenario, until_h, rtol : what was simulated
    times_h : (m,) times of the course [h]
    solution : the solver's arrays
    achieved : error of every reported quantity, by name, when `simulate` was asked to check; else None
    """

    scenario: Scenario
    until_h: float
    rtol: float
    times_h: Array
    solution: Solution = field(repr=False)
    achieved: Mapping[str, float] | None = None

    @property
    def drugs(self) -> tuple[str, ...]:
        """Names of the drugs given."""
        return self.scenario.drugs

    @property
    def size(self) -> int:
        """Number of lanes."""
        return len(self.solution.reasons)

    @property
    def failures(self) -> dict[int, str]:
        """Lanes that failed, with the reason; empty when all went well."""
        return {i: reason for i, reason in enumerate(self.solution.reasons) if reason is not None}

    @property
    def balance_error(self) -> float:
        """Largest mass not accounted for, relative to the dose [1]."""
        return float(np.nanmax(self.solution.balance))

    def _drug(self, drug: str | None) -> int:
        names = self.drugs or (INERT_DRUG,)
        if drug is None:
            if len(names) > 1:
                raise UnknownNameError(f"several drugs were given, name one: {', '.join(names)}")
            return 0
        if drug not in names:
            raise UnknownNameError.of("drug in this course:", drug, names)
        return names.index(drug)

    def _course(self, samples: Array) -> Array:
        course = samples[..., : self.times_h.size, :]
        return course[..., 0] if self.size == 1 else course

    def concentration_mg_per_l(self, observable: str = "plasma", *, drug: str | None = None) -> Array:
        """Total plasma-equivalent concentration [mg/L]; in tissue that is ug/g at 1 g = 1 mL.

        Parameters
        ----------
        observable : plasma, tumour, tumour_core, tumour_escape, tumour_extracellular, tumour_homogenate,
            served_liver, other_liver, hepatic_vein, served_hepatic_vein, ...
        drug : needed when several were given

        Raises
        ------
        UnknownNameError
            No such observable or drug.
        """
        row = self._drug(drug)
        shunt = column(self.scenario.patient, "liver.shunt", self.size)
        ratio = np.ones((self.solution.dose.shape[0], self.size))
        for i, record in enumerate(self.scenario.regimen.drugs):
            ratio[i] = column(record, "blood_plasma_ratio", self.size)
        return self._course(observe(observable, self.solution, shunt, ratio)[row])

    def depot_mg(self, region: str, *, drug: str | None = None) -> Array:
        """Drug still held by its carrier [mg] in core, escape, served or lung."""
        return self._course(
            self.solution.sampled_depot[_place(region, (*ZONES, "served", "lung")), self._drug(drug)]
        )

    def arterial_flow_l_per_h(self, region: str) -> Array:
        """Flow through the catheterised artery [L/h] to core, escape or served."""
        return self._course(self.solution.sampled_arterial[_place(region, (*ZONES, "served"))])

    def patent_fraction(self, region: str) -> Array:
        """Open fraction of the arteries [1] of tumour or served."""
        return self._course(self.solution.sampled_patency[_place(region, ("tumour", "served"))])

    def oil_retained_fraction(self, place: str) -> Array:
        """Share of the oil deposited so far still in tumour, liver or lung [1]: oil, not drug; NaN without oil."""
        _place(place, ("tumour", "liver", "lung"))
        return self._course(oil_retained(self.scenario.regimen.sessions, self.times_h, place, self.size))

    def hypoxia(self, zone: str) -> Array:
        """Hypoxia of a zone [1]: core or escape."""
        row = SAMPLED_ROWS.index(INDEX_OF_HYPOXIA[_place(zone, ZONES)])
        return self._course(self.solution.sampled[row, 0])

    def viable_volume_ml(self) -> Array:
        """Viable tumour volume [mL]."""
        return 1000.0 * self._course(self.solution.sampled_viable.sum(axis=0))

    def necrotic_volume_ml(self) -> Array:
        """Dead tumour tissue not yet resorbed [mL]."""
        return 1000.0 * self._course(self.solution.sampled_dead.sum(axis=0))

    def necrosis_fraction(self) -> Array:
        """Dead part of the tumour tissue [1]; NaN without a tumour."""
        dead, viable = self.necrotic_volume_ml(), self.viable_volume_ml()
        total = dead + viable
        return dead / np.where(total > 0.0, total, np.nan)

    def neutrophils_1e9_per_l(self) -> Array:
        """Circulating neutrophils [1e9/L]; NaN where no drug has a marrow slope."""
        return self._course(self.solution.sampled_cells[0])

    def exposure(self, drug: str | None = None) -> Exposure:
        """Metrics of exposure from 0 to the horizon; see `METRICS` for units and meaning."""
        row = self._drug(drug)
        values, reasons = evaluate(observed(self.scenario, self.solution))
        one = (lambda a: a[row, 0]) if self.size == 1 else (lambda a: a[row])
        name = (self.drugs or (INERT_DRUG,))[row]
        return Exposure(
            name,
            {k: float(one(v)) if self.size == 1 else one(v) for k, v in values.items()},
            {k: one(r) for k, r in reasons.items()},
        )

    def effect(self) -> Exposure:
        """Effect at the reading, 28 d after the last session: necrosis, viable rest, neutrophil nadir and grade."""
        values, reasons = effects(self.solution, reading=READING, tumour_ml=tumour_volume_ml(self.scenario, self.size))
        if self.size == 1:
            first = {name: float(value[0]) for name, value in values.items()}
            return Exposure("effect", first, {name: reason[0] for name, reason in reasons.items()})
        return Exposure("effect", dict(values), dict(reasons))

    def columns(self) -> dict[str, Array]:
        """The course as named columns with units, each (m,) or (m, n): what `to_csv` writes."""
        found = {}
        for drug in self.drugs:
            suffix = "" if len(self.drugs) == 1 else f"_{drug}"
            for name in NAMES:
                found[f"{name}{suffix}_mg_per_l"] = self.concentration_mg_per_l(name, drug=drug)
        found["viable_volume_ml"] = self.viable_volume_ml()
        found["necrotic_volume_ml"] = self.necrotic_volume_ml()
        found["neutrophils_1e9_per_l"] = self.neutrophils_1e9_per_l()
        return found

    def reported(self) -> dict[str, Array]:
        """Every reported quantity by name: courses, exposure of each drug, effect."""
        found = dict(self.columns())
        for drug in self.drugs:
            suffix = "" if len(self.drugs) == 1 else f"_{drug}"
            found.update({f"{name}{suffix}": np.asarray(v) for name, v in self.exposure(drug).items()})
        found.pop("balance_error", None)
        found.update({name: np.asarray(value) for name, value in self.effect().items()})
        return found

    def to_csv(self, path: str | Path) -> None:
        """Write the course, one row a time (and subject), units in the column names."""
        columns = self.columns()
        with open(path, "w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(["time_h", *(["subject"] if self.size > 1 else []), *columns])
            for lane in range(self.size):
                for i, time in enumerate(self.times_h):
                    cells = [c[i] if self.size == 1 else c[i, lane] for c in columns.values()]
                    writer.writerow(
                        [repr(float(time)), *([lane] if self.size > 1 else []), *(_cell(c) for c in cells)]
                    )

    def to_pandas(self) -> pandas.DataFrame:
        """The course as a data frame, indexed by time (and subject); needs pandas."""
        import pandas as pd

        columns = self.columns()
        if self.size == 1:
            return pd.DataFrame(columns, index=pd.Index(self.times_h, name="time_h"))
        index = pd.MultiIndex.from_product([range(self.size), self.times_h], names=["subject", "time_h"])
        return pd.DataFrame({k: v.T.ravel() for k, v in columns.items()}, index=index)

    def to_xarray(self) -> xarray.Dataset:
        """The course as a labelled data set with units as attributes; needs xarray."""
        import xarray as xr

        dims = ("time_h",) if self.size == 1 else ("time_h", "subject")
        data = {k: (dims, v, {"units": _unit(k)}) for k, v in self.columns().items()}
        return xr.Dataset(data, coords={"time_h": ("time_h", self.times_h, {"units": "h"})})


INDEX_OF_HYPOXIA = [SAMPLED_ROWS[len(INDEX) + 3 + i] for i in range(len(HYPOXIA))]


def observed(scenario: Scenario, solution: Solution) -> Observed:
    """What the metrics need of a solution whose last two samples are the marks of `solve_runs`."""
    tumour_rows = [INDEX[f"{zone}_{space}"] for zone in ZONES for space in ("cells", "extracellular")]
    tissue = solution.sampled[tumour_rows, :, RETAINED].sum(axis=0)
    retained = tissue + solution.sampled_depot[:2, :, RETAINED].sum(axis=0)
    return Observed(solution, retained, tumour_volume_ml(scenario, solution.dose.shape[-1]))


def tumour_volume_ml(scenario: Scenario, lanes: int) -> Array:
    """Volume of the tumour before any treatment [mL], (n,)."""
    return np.broadcast_to(np.asarray(scenario.patient.tumour.volume_ml, dtype=float), (lanes,))


def _place(name: str, names: tuple[str, ...]) -> int:
    if name not in names:
        raise UnknownNameError.of("region", name, names)
    return names.index(name)


def _cell(value: float) -> str:
    return "" if np.isnan(value) else repr(float(value))


def _unit(name: str) -> str:
    for ending, unit in (("_mg_per_l", "mg/L"), ("_ml", "mL"), ("_1e9_per_l", "1e9/L")):
        if name.endswith(ending):
            return unit
    return "1"


__all__ = ["METRICS", "Exposure", "Trajectory", "default_times", "simulate", "solve_runs"]
