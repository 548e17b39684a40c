"""From a reading of the tumour to the numbers on the transport graph."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..laws import clearance, perfusion
from .graph import INDEX, N_NODES
from .problem import Array, Problem


class Geometry(NamedTuple):
    """One reading: viable and dead volume of the zones [L], (2, n), and the blood flows they ask for."""

    viable: Array
    dead: Array
    flows: perfusion.Flows

    @property
    def volume(self) -> Array:
        """Tissue volume of the zones [L], (2, n)."""
        return self.viable + self.dead


class Network(NamedTuple):
    """Numbers on the graph for every drug and lane: capacity [L], conductance and clearance [L/h], 1/Km [L/mg]."""

    capacity: Array  # (N, D, n)
    conductance: Array  # (N - 1, D, n), nothing occluded
    clearance: Array  # (N, D, n)
    inverse_km: Array  # (N, D, n)


def read_geometry(problem: Problem, viable: Array, dead: Array) -> Geometry:
    """Read flows and zones from the current tumour [L], (2, n)."""
    p = problem.patient
    flows = perfusion.divide(
        arterial=p.arterial,
        portal=p.portal,
        served_volume=p.served,
        other_volume=p.other,
        viable=viable,
        first_viable=p.zone_volume,
        weight=p.zone_weight,
        mean_weight=p.mean_weight,
        perfusion_ratio=p.perfusion_ratio,
    )
    return Geometry(viable, dead, flows)


def network(problem: Problem, geometry: Geometry) -> Network:
    """Put capacities, conductances and clearances on the graph, (.., D, n).

    Absent compartments (volume 0) get capacity 1 and conductance 0, so that they stay empty and harmless.
    """
    d, p, flows = problem.drug, problem.patient, geometry.flows
    shape = (N_NODES, problem.n_drugs, problem.n)
    capacity, clear, inverse_km = np.ones(shape), np.zeros(shape), np.zeros(shape)
    conductance = np.zeros((N_NODES - 1, *shape[1:]))
    blood = d.blood_plasma_ratio
    for zone, volume in (("core", geometry.volume[0]), ("escape", geometry.volume[1])):
        cells, space = INDEX[f"{zone}_cells"], INDEX[f"{zone}_extracellular"]
        _tissue(capacity, cells, space, volume, p.tumour_extracellular, d.tumour_kp)
        conductance[cells] = d.tumour_ps * volume
        clear[cells] = d.loss_cellular * capacity[cells] * (volume > 0.0)
        clear[space] = d.loss_extracellular * capacity[space] * (volume > 0.0)
        # an absent zone keeps no flow: its floor is a share of a first volume of zero
        conductance[space] = blood * flows.zone[0 if zone == "core" else 1] * (volume > 0.0)
    through = blood * (1.0 - p.liver_shunt)
    supplies = (
        ("served", p.served, flows.served_arterial + flows.served_portal),
        ("other", p.other, flows.other),
    )
    for region, volume, flow in supplies:
        cells, space = INDEX[f"{region}_cells"], INDEX[f"{region}_extracellular"]
        _tissue(capacity, cells, space, volume, p.liver_extracellular, d.liver_kp)
        conductance[cells] = d.liver_ps * volume
        conductance[space] = through * flow
        clear[cells] = d.liver_clint * volume
        inverse_km[cells] = d.liver_inverse_km
    # what no blood reaches holds nothing: its cells exchange with nobody either
    for zone in ("core", "escape", "served", "other"):
        conductance[INDEX[f"{zone}_cells"]] *= conductance[INDEX[f"{zone}_extracellular"]] > 0.0
    for row, exchange, volume in ((INDEX["peripheral_1"], d.q2, d.v2), (INDEX["peripheral_2"], d.q3, d.v3)):
        present = volume > 0.0
        capacity[row] = np.where(present, volume, 1.0)
        conductance[row] = np.where(present, exchange, 0.0)
    centre = INDEX["central"]
    capacity[centre], clear[centre], inverse_km[centre] = d.v1, d.cl_other, d.other_inverse_km
    return Network(capacity, conductance, clear, inverse_km)


def _tissue(capacity: Array, cells: int, space: int, volume: Array, extracellular: Array, kp: Array) -> None:
    present = volume > 0.0
    capacity[space] = np.where(present, extracellular * volume, 1.0)
    capacity[cells] = np.where(present, kp * (1.0 - extracellular) * volume, 1.0)


def steady_extraction(problem: Problem, geometry: Geometry) -> Array:
    """Low-dose steady extraction of the blood through the served parenchyma [1], (D, n), shunt included."""
    d, p = problem.drug, problem.patient
    flow = d.blood_plasma_ratio * (geometry.flows.served_arterial + geometry.flows.served_portal)
    through = (1.0 - p.liver_shunt) * flow
    apparent = clearance.in_series(d.liver_ps * p.served, d.liver_clint * p.served)
    total = through + apparent
    return (1.0 - p.liver_shunt) * apparent / np.where(total > 0.0, total, 1.0)
