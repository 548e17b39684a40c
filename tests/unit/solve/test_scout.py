"""The look ahead against what every compartment comes to hold, by the matrix exponential."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.linalg import expm

import pkmodel as pk
from pkmodel.inputs.materials import ReleaseParameters
from pkmodel.inputs.regimen import Regimen
from pkmodel.model.body import Run, lower
from pkmodel.model.graph import CENTRAL, INPUT_ROWS, N_NODES, N_ROWS
from pkmodel.model.network import network, read_geometry
from pkmodel.solve.forcing import deliver
from pkmodel.solve.scout import FIRST_H, expected_maxima
from pkmodel.solve.transport import Dynamics, ForcingValues

UNTIL_H, RATE = 48.0, 0.2
LAW = ReleaseParameters(law="first_order", rate=RATE)
BOLUS = pk.iv("mitomycin_c", 20.0, duration_h=0.0)
INFUSION = pk.hepatic_artery("mitomycin_c", 20.0, duration_h=4.0)
DEPOT = pk.chemoembolisation(
    "mitomycin_c", 20.0, carrier=pk.carrier("lipiodol_emulsion").replace(release=LAW, variants=()), duration_h=0.25
)


def compartments(model: Dynamics) -> np.ndarray:
    """Rates of change of the compartments as a matrix [1/h]."""
    forcing, matrix = ForcingValues(np.ones((7, 1)), None, None, None), np.zeros((N_NODES, N_NODES))
    for row in range(N_NODES):
        unit = np.zeros((N_ROWS, 1, 1))
        unit[row] = 1.0
        matrix[:, row] = model.rate(unit, forcing, 0, out=np.empty_like(unit))[:N_NODES, 0, 0]
    absent = np.flatnonzero(matrix.diagonal() == 0.0)  # such a compartment stays empty whatever its own rate is
    matrix[absent, absent] = -1.0
    return matrix


@pytest.mark.parametrize("regimen", [BOLUS, INFUSION, DEPOT], ids=["bolus", "infusion", "depot"])
def test_maxima_are_met_within_a_factor(regimen: Regimen) -> None:
    [batch] = lower([Run(pk.Scenario("hcc_reference", regimen), UNTIL_H)])
    problem, [slot] = batch.problem, batch.problem.slots
    geometry = read_geometry(problem, problem.patient.zone_volume, np.zeros((2, 1)))
    delivery, model = deliver(problem, geometry, slot), Dynamics(problem, network(problem, geometry))
    found = expected_maxima(problem, model, delivery)[:, 0, 0]
    duration = float((problem.boundaries[slot.end] - problem.boundaries[slot.begin])[0])
    matrix = compartments(model)
    held, exact, time = np.zeros(N_NODES), np.zeros(N_NODES), 0.0
    places = list(INPUT_ROWS)
    if duration == 0.0:
        held[places] = delivery.dissolved[:, 0, 0]
    steps = [FIRST_H / 2] * 20 + [0.02] * 250 + [0.5] * 86
    over = {step: expm(step * matrix) for step in set(steps)}
    for step in steps:  # constant inflow in each
        inflow = np.zeros(N_NODES)
        if 0.0 <= time < duration - 1e-9:
            inflow[places] += delivery.dissolved[:, 0, 0] / duration
        if slot.law is not None:
            start, end = (slot.law.window_mean(t, duration).item() for t in (time, time + step))
            inflow[places] += delivery.depot[:, 0, 0] * (end - start) / step
        rest = np.linalg.solve(matrix, inflow)
        held = over[step] @ (held + rest) - rest
        exact, time = np.maximum(exact, held), time + step
    assert time == pytest.approx(UNTIL_H, abs=0.05)
    filled = exact > 0.0
    assert not found[~filled].any()
    ratio = found[filled] / exact[filled]
    print(f"\n{ratio.round(2)}")
    assert np.all((ratio > 0.5) & (ratio < 1.1))


def test_a_bolus_into_the_centre_is_at_most_the_dose() -> None:
    [batch] = lower([Run(pk.Scenario("hcc_reference", BOLUS), UNTIL_H)])
    problem, [slot] = batch.problem, batch.problem.slots
    geometry = read_geometry(problem, problem.patient.zone_volume, np.zeros((2, 1)))
    model, delivery = Dynamics(problem, network(problem, geometry)), deliver(problem, geometry, slot)
    found = expected_maxima(problem, model, delivery)[CENTRAL, 0, 0]
    assert 0.95 * 20.0 < found <= 20.0
