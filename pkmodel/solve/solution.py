"""What a solved batch holds: amounts, integrals, peaks and samples, all as plain arrays over lanes."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np

from ..model.graph import CENTRAL, ELIMINATED, INDEX, INPUT_ROWS, N_NODES, OCCLUDED, ROW, rows
from ..model.problem import Array
from . import tree
from .transport import CELLS, OUTER, SPACES, Dynamics

if TYPE_CHECKING:
    from .drive import Course

# A depot that still holds more than this share of its dose at the horizon has not released completely.
COMPLETE = 1e-3


@dataclass(frozen=True, eq=False)
class Solution:
    """Result of a batch. Drugs (D) before lanes (n); samples have their times (m) in front of the lanes."""

    reasons: tuple[str | None, ...]  # why a lane failed
    amounts: Array  # (11, D, n) in the compartments at the horizon [mg]
    eliminated: Array  # (7, D, n) by route [mg]
    depot: Array  # (4, D, n) still held in core, escape, served liver, lung or site [mg]
    dose: Array  # (D, n) [mg]
    delivered: Array  # (D, n) entered the tumour, dissolved or held back [mg]
    arterial: Array  # (D, n) given by the artery [mg]
    balance: Array  # (D, n) mass not accounted for, relative to the dose
    plasma_cmax: Array  # (D, n) [mg/L]
    plasma_tmax: Array  # (D, n) [h]
    tissue_cmax: Array  # (D, n) tumour tissue, volume mean [mg/L]
    tissue_tmax: Array  # (D, n) [h]
    plasma_auc: Array  # (D, n) 0 to the horizon [mg h/L]
    tissue_auc: Array  # (D, n) tumour, extracellular and cells
    extracellular_auc: Array  # (D, n) tumour, extracellular
    depot_auc: Array  # (D, n) drug in depots over the tumour's volume
    served_auc: Array  # (D, n) served parenchyma, tissue
    plasma_auc_rest: Array  # (D, n) from the horizon to infinity; NaN where release is incomplete
    tissue_auc_rest: Array
    extracellular_auc_rest: Array
    viable: Array  # (2, n) at the horizon [L]
    dead: Array  # (2, n)
    booked_drug: Array  # (D, n) viable volume killed by each drug [L]
    booked_ischaemia: Array  # (n,)
    nadir: Array  # (2, n) neutrophils, leukocytes [1e9/L]; NaN without a slope
    nadir_time: Array  # (2, n) [h]
    central_volume: Array  # (D, n) [L]
    parenchyma: Array  # (2, n) served and other parenchyma [L]
    extracellular: Array  # (2, n) extracellular fraction of tumour and parenchyma [1]
    clearance: Array  # (D, n) systemic low-dose clearance of the unoccluded patient [L/h]
    steps: Array  # (n,) accepted steps of the lane's block
    rejected: Array  # (n,)
    times: Array  # (m, n) [h]
    sampled: Array  # (16, D, m, n) compartments, daughters, hypoxia
    sampled_depot: Array  # (4, D, m, n)
    sampled_shunt: Array  # (D, m, n) [mg/h]
    sampled_flow: Array  # (4, m, n) [L/h]
    sampled_arterial: Array  # (3, m, n) arterial flow of core, escape, served [L/h]
    sampled_patency: Array  # (2, m, n)
    sampled_viable: Array  # (2, m, n)
    sampled_dead: Array  # (2, m, n)
    sampled_volume: Array  # (2, m, n)
    sampled_cells: Array  # (2, m, n) neutrophils, leukocytes [1e9/L]

    @property
    def failed(self) -> np.ndarray:
        """Which lanes failed, (n,)."""
        return np.array([reason is not None for reason in self.reasons])


def scatter(parts: list[tuple[np.ndarray, Solution]], total: int) -> Solution:
    """One solution from batches that hold lanes of it, each with the places its lanes take."""
    if len(parts) == 1 and np.array_equal(parts[0][0], np.arange(total)):
        return parts[0][1]
    reasons: list[str | None] = [None] * total
    values: dict[str, Array] = {}
    for f in fields(Solution):
        for lanes, part in parts:
            value = getattr(part, f.name)
            if f.name == "reasons":
                for lane, reason in zip(lanes, value, strict=True):
                    reasons[lane] = reason
                continue
            whole = values.setdefault(f.name, np.empty((*value.shape[:-1], total)))
            whole[..., lanes] = value
    return Solution(reasons=tuple(reasons), **values)


def join(parts: list[Solution]) -> Solution:
    """Put blocks together again along the lanes."""
    if len(parts) == 1:
        return parts[0]
    joined: dict[str, Any] = {}
    for f in fields(Solution):
        values = [getattr(part, f.name) for part in parts]
        joined[f.name] = sum(values, ()) if f.name == "reasons" else np.concatenate(values, axis=-1)
    return Solution(**joined)


def collect_solution(course: Course) -> Solution:
    """Read a finished block; failed lanes become NaN everywhere."""
    course.settle_integrals()
    values = _drug_amounts(course)
    values |= _exposure(course, values["depot"], values["dose"]) | _response(course) | _samples(course)
    n = course.problem.n
    values["steps"], values["rejected"] = np.full(n, float(course.steps)), np.full(n, float(course.rejected))
    for lane, reason in enumerate(course.reasons):
        if reason is not None:
            for name, value in values.items():
                if name not in ("dose", "times", "steps", "rejected"):
                    value[..., lane] = np.nan
    return Solution(reasons=tuple(course.reasons), **values)


def _drug_amounts(course: Course) -> dict[str, Array]:
    """Where the dose went: compartments, routes of elimination, depots; and what that leaves unaccounted for."""
    problem, state = course.problem, course.state
    d, n = problem.n_drugs, problem.n
    depot, dose, delivered, arterial = (np.zeros((4, d, n)), *(np.zeros((d, n)) for _ in range(3)))
    horizon = problem.boundaries[-1]
    for delivery in course.deliveries:
        slot = delivery.slot
        begin, end = problem.boundaries[slot.begin], problem.boundaries[slot.end]
        dose = dose + slot.amount
        arterial = arterial + slot.amount * (1.0 - slot.venous)
        delivered = delivered + delivery.dissolved[:2].sum(axis=0) + delivery.depot[:2].sum(axis=0)
        if slot.law is not None:
            depot = depot + delivery.depot * (1.0 - slot.law.window_mean(horizon - begin, end - begin))
    eliminated = state[rows(ELIMINATED)]
    there = depot.sum(axis=0) + state[:N_NODES].sum(axis=0) + eliminated.sum(axis=0)
    given = dose > 0.0
    return {
        "amounts": state[:N_NODES].copy(),
        "eliminated": eliminated.copy(),
        "depot": depot,
        "dose": dose,
        "delivered": delivered,
        "arterial": arterial,
        "balance": np.where(given, np.abs(there - dose), 0.0) / np.where(given, dose, 1.0),
    }


def _exposure(course: Course, depot: Array, dose: Array) -> dict[str, Array]:
    """Peaks and areas, to the horizon and from there to infinity."""
    problem, state = course.problem, course.state
    plasma_rest, tissue_rest, space_rest = _to_infinity(course, depot, dose)
    served = state[ROW["integral_served_cells"]] + state[ROW["integral_served_extracellular"]]
    volume = problem.patient.served
    return {
        "plasma_cmax": course.plasma.value,
        "plasma_tmax": course.plasma.time,
        "tissue_cmax": course.tissue.value,
        "tissue_tmax": course.tissue.time,
        "plasma_auc": state[ROW["integral_central"]] / problem.drug.v1,
        "tissue_auc": course.tissue_integral[0],
        "extracellular_auc": course.tissue_integral[1],
        "depot_auc": course.depot_integral,
        "served_auc": served / np.where(volume > 0.0, volume, np.nan),
        "plasma_auc_rest": plasma_rest,
        "tissue_auc_rest": tissue_rest,
        "extracellular_auc_rest": space_rest,
        "clearance": _clearance(course),
    }


def _response(course: Course) -> dict[str, Array]:
    """Volumes, booked kill and blood cells."""
    return {
        **_blood(course),
        "viable": course.tumour.viable,
        "dead": course.tumour.dead,
        "booked_drug": course.tumour.booked_drug,
        "booked_ischaemia": course.tumour.booked_ischaemia,
    }


def _samples(course: Course) -> dict[str, Array]:
    """Samples, and the constants that turn their amounts into concentrations."""
    s, patient = course.samples, course.problem.patient
    return {
        "central_volume": course.problem.drug.v1.copy(),
        "parenchyma": np.stack([patient.served, patient.other]),
        "extracellular": np.stack([patient.tumour_extracellular, patient.liver_extracellular]),
        "times": s.times,
        "sampled": s.transport,
        "sampled_depot": s.depot,
        "sampled_shunt": s.shunted,
        "sampled_flow": s.flow,
        "sampled_arterial": s.arterial,
        "sampled_patency": s.patency,
        "sampled_viable": s.viable,
        "sampled_dead": s.dead,
        "sampled_volume": s.volume,
    }


def _line_rows(course: Course) -> list[int]:
    slopes = (course.problem.drug.neutrophil_slope, course.problem.drug.leukocyte_slope)
    return [i for i, slope in enumerate(slopes) if np.any(np.nan_to_num(slope) != 0.0)]


def _blood(course: Course) -> dict[str, Array]:
    """Lowest counts, their times and the sampled counts of both lines, (2, ..), NaN where no slope is known.

    A line is known where no drug is given (it stays at its baseline) or a given drug has a slope.
    """
    drug, patient, s = course.problem.drug, course.problem.patient, course.samples
    given = sum((slot.amount for slot in course.problem.slots), np.zeros(drug.v1.shape)) > 0.0
    nadir, time = np.full((2, course.problem.n), np.nan), np.full((2, course.problem.n), np.nan)
    cells = np.full((2, *s.times.shape), np.nan)
    inside = (s.times >= 0.0) & (s.times <= course.problem.boundaries[-1])
    lines = dict(zip(_line_rows(course), zip(course.lines, s.cells, strict=True), strict=True))
    slopes = (drug.neutrophil_slope, drug.leukocyte_slope)
    for row, (slope, baseline) in enumerate(zip(slopes, (patient.neutrophils, patient.leukocytes), strict=True)):
        untouched = ~given.any(axis=0)
        known = untouched | np.any(given & np.isfinite(slope), axis=0)
        nadir[row] = np.where(untouched, baseline, np.nan)
        cells[row] = np.where(untouched & inside, baseline, np.nan)
        if row in lines:
            line, sampled = lines[row]
            nadir[row] = np.where(known & ~untouched, line.lowest, nadir[row])
            time[row] = np.where(known & ~untouched, line.lowest_time, np.nan)
            cells[row] = np.where(known & ~untouched, sampled, cells[row])
        elif known.any():  # slopes of zero: the count stays where it is
            nadir[row] = np.where(known, baseline, nadir[row])
            cells[row] = np.where(known & inside, baseline, cells[row])
    return {"nadir": nadir, "nadir_time": time, "sampled_cells": cells}


def integrate_to_infinity(
    dynamics: Dynamics, right: Array, *, slopes: Array | None = None, supply: Array | None = None
) -> Array:
    """Integral over all time of the amounts that start as `right` [mg], (N, D, n), by one solve on the tree.

    Losses are linear: `slopes` [1/h] or their low-dose rates; flow is constant: `supply` (3, 1, n) or unblocked.
    """
    up, down = dynamics.up.copy(), dynamics.down.copy()
    if supply is not None:
        up[OCCLUDED] *= supply
        down[OCCLUDED] *= supply
    diagonal = (dynamics.loss_rate if slopes is None else slopes).copy()
    diagonal[:CENTRAL] += up
    diagonal[SPACES] += down[CELLS]
    diagonal[CENTRAL] += down[OUTER].sum(axis=0)
    diagonal[diagonal == 0.0] = 1.0  # absent compartments hold nothing and give nothing
    return tree.solve(tree.eliminate(diagonal, up, down), right.copy())


def _to_infinity(course: Course, depot: Array, dose: Array) -> tuple[Array, Array, Array]:
    """Plasma, tumour tissue and extracellular AUC from the horizon on; NaN where release is incomplete."""
    right = course.state[:N_NODES].copy()
    for place, held in zip(INPUT_ROWS, depot, strict=True):
        right[place] += held
    supply = None if course.forcing is None else course.forcing.values(np.ones((1, 1))).supply
    rest = integrate_to_infinity(
        course.dynamics,
        right,
        slopes=course.dynamics.loss_slopes(course.state[:N_NODES]),
        supply=None if supply is None else supply[0],
    )
    incomplete = depot.sum(axis=0) > COMPLETE * np.where(dose > 0.0, dose, 1.0)
    volume = course.geometry.volume.sum(axis=0)
    volume = np.where(volume > 0.0, volume, np.inf)
    spaces = rest[INDEX["core_extracellular"]] + rest[INDEX["escape_extracellular"]]
    cells = rest[INDEX["core_cells"]] + rest[INDEX["escape_cells"]]
    results = (
        rest[CENTRAL] / course.problem.drug.v1,
        (spaces + cells) / volume,
        spaces / (volume * course.problem.patient.tumour_extracellular),
    )
    return tuple(np.where(incomplete, np.nan, r) for r in results)  # type: ignore[return-value]


def _clearance(course: Course) -> Array:
    """Systemic clearance [L/h]: a unit dose over its integral in plasma, linear, nothing occluded."""
    unit = np.zeros((N_NODES, course.problem.n_drugs, course.problem.n))
    unit[CENTRAL] = 1.0
    return course.problem.drug.v1 / integrate_to_infinity(course.dynamics, unit)[CENTRAL]
