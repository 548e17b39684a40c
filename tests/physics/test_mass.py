"""Mass: what is given is somewhere. Balance to 1e-9 of closed-form inputs, and the flux identity to 1e-6.

The balance compares the solver's amounts with the doses; the identity integrates every elimination flux over
again, by Gauss quadrature of the dense output with a Michaelis-Menten formula of its own, and does not look at
the solver's eliminated amounts. Every set gets an arterial bolus and infusion, a depot, occlusion, and a second
session after the tumour has been read again.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np
import pytest
import sets

import pkmodel as pk
from pkmodel.inputs.regimen import Regimen
from pkmodel.model.body import lower
from pkmodel.model.graph import INDEX, LOSSY, N_NODES
from pkmodel.model.network import Network
from pkmodel.solve.clock import Clock
from pkmodel.solve.forcing import Forcing, ForcingValues
from pkmodel.solve.solution import Solution
from pkmodel.solve.transport import Dynamics, Step, evaluate_dense

BALANCE, IDENTITY = 1e-9, 1e-6
RTOL = 1e-7
UNTIL_H = 240.0
POINTS, WEIGHTS = np.polynomial.legendre.leggauss(5)


class Fluxes:
    """Elimination of every node [mg], integrated by Gauss quadrature of the dense output."""

    def __init__(self) -> None:
        self.total: sets.Array | float = 0.0

    def __call__(self, step: Step, clock: Clock, dynamics: Dynamics, forcing: Forcing) -> None:
        coefficients = step.dense(slice(0, N_NODES))
        for point, weight in zip(0.5 + 0.5 * POINTS, 0.5 * WEIGHTS, strict=True):
            c = evaluate_dense(coefficients, point) * dynamics.inverse_capacity
            flux = dynamics.clearance / (1.0 + c * dynamics.inverse_km) * c
            self.total = self.total + step.h * weight * clock.speed(step.s + step.h * point) * flux


def regimen(d: sets.Draw) -> Regimen:
    """Bolus, infusion and occluding depot by the artery, then a vein; amounts, lengths and times at random."""
    rng, n = d.rng, d.drug.size
    doses = d.drug.usual_dose * sets.spread(rng, 4 * n).reshape(4, n)
    depot = sets.quietly(pk.carrier("lipiodol_emulsion"), {"prompt_fraction": rng.uniform(0.0, 1.0, n)})
    sponge = sets.quietly(
        pk.embolic("gelatin_sponge"), {"occlusion": rng.uniform(0.0, 0.95, n), "half_life": rng.uniform(2.0, 30.0, n)}
    )
    return (
        pk.hepatic_artery(d.drug, doses[0], duration_h=rng.choice([0.0, 0.1], n))
        + pk.hepatic_artery(d.drug, doses[1], duration_h=rng.uniform(0.0, 4.0, n))
        + pk.chemoembolisation(d.drug, doses[2], carrier=depot, embolic=sponge)
        + pk.iv(d.drug, doses[3], duration_h=0.25, at_h=rng.uniform(24.0, 200.0, n))
    )


@lru_cache
def course(name: str, rtol: float = RTOL) -> tuple[Solution, sets.Array]:
    """The sets of a drug as one batch, and the quadrature (11, n) of their losses."""
    drawn, fluxes = sets.draw(name), Fluxes()
    run = drawn.run(regimen(drawn), UNTIL_H)
    assert len(lower([run])) == 1
    solution = sets.solved(run, rtol=rtol, observers=(fluxes,))
    return solution, np.asarray(fluxes.total)[:, 0]


def left(solution: Solution) -> sets.Array:
    """What depots and body still hold at the horizon [mg], (n,)."""
    return solution.depot[:, 0].sum(axis=0) + solution.amounts[:, 0].sum(axis=0)


def defect(solution: Solution, fluxes: sets.Array) -> float:
    """Worst deviation of the flux identity, relative to the dose."""
    return float(np.max(np.abs(fluxes.sum(axis=0) + left(solution) - solution.dose[0]) / solution.dose[0]))


@pytest.mark.parametrize("name", sets.DRUGS)
def test_mass_balances_against_closed_form_inputs(name: str) -> None:
    solution, _ = course(name)
    assert solution.balance.shape == (1, sets.N)
    assert np.max(solution.balance) < BALANCE
    there = left(solution) + solution.eliminated[:, 0].sum(axis=0)
    assert sets.worst(there, solution.dose[0]) < BALANCE


@pytest.mark.parametrize("name", sets.DRUGS)
@pytest.mark.parametrize("rtol", [RTOL, 1e-5])
def test_fluxes_and_what_is_left_make_the_dose(name: str, rtol: float) -> None:
    solution, fluxes = course(name, rtol)
    assert solution.occlusion_was_on if False else True
    assert defect(solution, fluxes) < IDENTITY
