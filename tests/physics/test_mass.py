"""Mass: what is given is somewhere. Balance to 1e-9 of closed-form inputs, and the flux identity to 1e-6.

The balance compares the solver's amounts with the doses; the identity integrates every elimination flux over
again, by Gauss quadrature of the dense output with a Michaelis-Menten formula of its own, and does not look
at the solver's eliminated amounts. Every set gets an arterial bolus and infusion, a depot, occlusion, and a
second session after the tumour has been read again; the tolerance is the default one.
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
from pkmodel.model.graph import INDEX, LOSSY, N_NODES, ROW
from pkmodel.model.problem import Problem
from pkmodel.solve.clock import Clock
from pkmodel.solve.forcing import Forcing
from pkmodel.solve.solution import Solution
from pkmodel.solve.transport import Dynamics, Step, evaluate_dense

# random sets are legal, and implausible on purpose
pytestmark = pytest.mark.filterwarnings("ignore::pkmodel.errors.PlausibilityWarning")

BALANCE, IDENTITY = 1e-9, 1e-6
UNTIL_H = 240.0
POINTS, WEIGHTS = np.polynomial.legendre.leggauss(5)
FEW = 40  # sets that see a broken model


class Fluxes:
    """Elimination of every node [mg], integrated by Gauss quadrature of the dense output."""

    def __init__(self) -> None:
        self.blocks: list[tuple[Problem, sets.Array]] = []  # lanes are solved block by block

    @property
    def total(self) -> sets.Array:
        """Of every lane, (11, D, n)."""
        return np.concatenate([part for _, part in self.blocks], axis=-1)

    def __call__(self, step: Step, clock: Clock, dynamics: Dynamics, forcing: Forcing) -> None:
        """Add one accepted step."""
        if not self.blocks or self.blocks[-1][0] is not forcing.problem:
            self.blocks.append((forcing.problem, np.zeros((N_NODES, *step.after.shape[1:]))))
        total = self.blocks[-1][1]
        coefficients = step.dense(list(range(N_NODES)))
        for point, weight in zip(0.5 + 0.5 * POINTS, 0.5 * WEIGHTS, strict=True):
            c = evaluate_dense(coefficients, point) * dynamics.inverse_capacity
            flux = dynamics.clearance / (1.0 + c * dynamics.inverse_km) * c
            total += step.h * weight * clock.speed(step.s + step.h * point) * flux


def regimen(d: sets.Draw) -> Regimen:
    """Bolus, infusion and occluding depot by the artery, then a vein: a usual dose in four unequal parts."""
    rng, n = d.rng, d.drug.size
    doses = 0.25 * d.drug.usual_dose * sets.spread(rng, 4 * n).reshape(4, n)
    depot = sets.quietly(pk.carrier("lipiodol_emulsion"), {"prompt_fraction": rng.uniform(0.0, 1.0, n)})
    sponge = sets.quietly(
        pk.embolic("gelatin_sponge"),
        {"occlusion": rng.uniform(0.2, 0.95, n), "half_life": rng.uniform(2.0, 30.0, n)},
    )
    return (
        pk.hepatic_artery(d.drug, doses[0], duration_h=rng.choice([0.0, 0.1], n))
        + pk.hepatic_artery(d.drug, doses[1], duration_h=rng.uniform(0.0, 4.0, n))
        + pk.chemoembolisation(d.drug, doses[2], carrier=depot, embolic=sponge)
        + pk.iv(d.drug, doses[3], duration_h=0.25, at_h=rng.uniform(24.0, 200.0, n))
    )


def solve(name: str, n: int) -> tuple[Solution, sets.Array]:
    """The sets of a drug as one batch, and the quadrature (11, n) of their losses."""
    drawn, fluxes = sets.draw(name, n=n), Fluxes()
    run = drawn.run(regimen(drawn), UNTIL_H)
    assert len(lower([run])) == 1
    solution = sets.solved(run, times=[12.0], observers=(fluxes,))
    return solution, fluxes.total[:, 0]


course = lru_cache(solve)


def left(solution: Solution) -> sets.Array:
    """What depots and body still hold at the horizon [mg], (n,)."""
    return solution.depot[:, 0].sum(axis=0) + solution.amounts[:, 0].sum(axis=0)


def defect(solution: Solution, fluxes: sets.Array) -> float:
    """Worst deviation of the flux identity, relative to the dose."""
    return float(np.max(np.abs(fluxes.sum(axis=0) + left(solution) - solution.dose[0]) / solution.dose[0]))


@pytest.mark.parametrize("name", sets.DRUGS)
def test_mass_balances_against_closed_form_inputs(name: str) -> None:
    solution, _ = course(name, sets.N)
    assert solution.balance.shape == (1, sets.N)
    assert np.all(solution.sampled_patency[0, 0] < 1.0)  # arteries are blocked while drug moves
    assert np.max(solution.balance) < BALANCE
    there = left(solution) + solution.eliminated[:, 0].sum(axis=0)
    assert sets.worst(there, solution.dose[0]) < BALANCE


@pytest.mark.parametrize("name", sets.DRUGS)
def test_fluxes_and_what_is_left_make_the_dose(name: str) -> None:
    assert defect(*course(name, sets.N)) < IDENTITY


@pytest.mark.parametrize("name", sets.DRUGS)
def test_every_route_books_the_integral_of_its_own_flux(name: str) -> None:
    solution, fluxes = course(name, sets.N)
    booked = solution.eliminated[:, 0]
    assert np.max(np.abs(fluxes[list(LOSSY)] - booked) / solution.dose[0]) < IDENTITY
    assert np.max(np.abs(np.delete(fluxes, LOSSY, axis=0))) == 0.0  # nothing is lost elsewhere


@pytest.mark.parametrize("name", sets.DRUGS)
def test_nothing_is_negative_and_nothing_is_not_finite(name: str) -> None:
    solution, _ = course(name, sets.N)
    for values in (solution.amounts, solution.eliminated, solution.depot, solution.sampled[:, :, 0]):
        assert np.all(np.isfinite(values))
        assert np.min(values / solution.dose) > -1e-9


@pytest.mark.parametrize("route", ["served_cells", "central", "core_extracellular"])
def test_a_loss_that_books_too_little_is_seen_by_the_identity_alone(
    route: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def short(method: str) -> Callable[[Dynamics, sets.Array], sets.Array]:
        whole = getattr(Dynamics, method)

        def found(self: Dynamics, values: sets.Array) -> sets.Array:
            loss = np.array(whole(self, values))
            loss[INDEX[route]] *= 0.9
            return loss

        return found

    for method in ("losses", "loss_slopes"):  # flux and Jacobian alike: the solver notices nothing
        monkeypatch.setattr(Dynamics, method, short(method))
    solution, fluxes = solve("doxorubicin", FEW)
    assert np.max(solution.balance) < BALANCE  # the solver books what it believes, and believes it
    assert defect(solution, fluxes) > 10 * IDENTITY


@pytest.mark.parametrize(
    "row", ["core_extracellular", "central", "eliminated_served_cells", "eliminated_escape_cells"]
)
def test_a_flux_that_arrives_nowhere_is_seen_by_the_balance(
    row: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = Dynamics.rate

    def leaking(self: Dynamics, *args: object, **kwargs: object) -> sets.Array:
        out = whole(self, *args, **kwargs)  # type: ignore[arg-type]
        out[ROW[row]] *= 0.999
        return out

    monkeypatch.setattr(Dynamics, "rate", leaking)
    solution, _ = solve("doxorubicin", FEW)
    assert np.max(solution.balance) > 10 * BALANCE
