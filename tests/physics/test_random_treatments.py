"""Invariants of MODEL section 8 on random treatments: every arm, six release laws, two sessions, readings in between.

A thousand sets a drug here, ten thousand by `tests/acceptance/proof.sh` (PKMODEL_SETS=10000). Sets are solved in
blocks of 250; of the block that took longest, sets alone must take less than five seconds each. Rates of release go
from 1e-6 to 1e6 per hour.
"""

from __future__ import annotations

import time
from typing import NamedTuple

import numpy as np
import pytest
import sets

import pkmodel as pk
from pkmodel.inputs.drug import Drug
from pkmodel.inputs.materials import Carrier, ReleaseParameters
from pkmodel.inputs.regimen import Regimen
from pkmodel.model.body import Run, lower
from pkmodel.solve.drive import Options, solve
from pkmodel.solve.runs import solve_runs
from pkmodel.solve.solution import Solution

pytestmark = pytest.mark.filterwarnings("ignore::pkmodel.errors.PlausibilityWarning")

BLOCK, ALONE, SEED = 250, 2, 77
LONGEST_S = 5.0  # of processor time, one set
OPTIONS = Options(wall_limit_s=300.0, max_steps=20_000)
BALANCE, ROUNDING, SAME = 1e-9, 1e-9, 2e-5
UNTIL_H = 40.0 * 24.0
TIMES_H = np.array([0.0, 0.1, 0.5, 2.0, 8.0, 24.0, 100.0, 250.0, 400.0, 700.0, UNTIL_H])
LAWS = ("first_order", "biexponential", "weibull", "higuchi", "korsmeyer_peppas", "tabulated")
ARMS = ("iv", "infusion", "solution_oil_sponge", "bland", "emulsion", "emulsion_sponge", "suspension", "beads")

each_drug = pytest.mark.parametrize("name", sets.DRUGS)


class Block(NamedTuple):
    """One block of random treatments and what became of it."""

    arm: str
    law: str
    seconds: float
    scenario: pk.Scenario
    solution: Solution


def log_uniform(rng: np.random.Generator, low: float, high: float) -> sets.Array:
    """Random numbers of a block, uniform in their logarithm."""
    return np.exp(rng.uniform(np.log(low), np.log(high), BLOCK))


def release(rng: np.random.Generator, law: str) -> ReleaseParameters:
    """A law with random parameters."""
    if law == "first_order":
        return ReleaseParameters(law=law, rate=log_uniform(rng, 1e-6, 1e6))
    if law == "biexponential":
        fast, slow = log_uniform(rng, 1e-1, 1e6), log_uniform(rng, 1e-6, 1e-1)
        return ReleaseParameters(law=law, fast_share=rng.uniform(0.0, 1.0, BLOCK), fast_rate=fast, slow_rate=slow)
    if law == "weibull":
        return ReleaseParameters(law=law, scale=log_uniform(rng, 1e-2, 1e4), shape=rng.uniform(0.3, 2.0, BLOCK))
    if law == "higuchi":
        return ReleaseParameters(law=law, rate_constant=log_uniform(rng, 1e-3, 1.0))
    if law == "korsmeyer_peppas":
        exponent = rng.uniform(0.3, 1.5, BLOCK)
        return ReleaseParameters(law=law, rate_constant=log_uniform(rng, 1e-3, 0.5), exponent=exponent)
    fractions = np.concatenate([[0.0], np.cumsum(rng.dirichlet(np.ones(5)))[:-1]])
    times = np.concatenate([[0.0], np.sort(rng.uniform(0.1, 200.0, 4))])
    return ReleaseParameters(law=law, times=tuple(times), fractions=tuple(fractions))


def carrier(rng: np.random.Generator, name: str, law: str) -> Carrier:
    """A carrier of the library with random release and occlusion."""
    base = pk.carrier(name).replace(variants=(), release=release(rng, law))
    return sets.quietly(
        base,
        {
            "prompt_fraction": rng.uniform(0.0, 1.0, BLOCK),
            "target_preference": log_uniform(rng, 0.3, 3.0),
            "lung_share": rng.uniform(0.0, 0.5, BLOCK),
            "occlusion": rng.uniform(0.0, 0.9, BLOCK),
            "half_life": log_uniform(rng, 1.0, 300.0),
        },
    )


def regimen(rng: np.random.Generator, arm: str, law: str, drug: Drug) -> Regimen:
    """Two sessions of an arm, twelve to twenty days apart."""
    dose = drug.usual_dose * sets.spread(rng, BLOCK)
    sponge = sets.quietly(
        pk.embolic("gelatin_sponge"),
        {"occlusion": rng.uniform(0.0, 0.97, BLOCK), "half_life": log_uniform(rng, 1.0, 60.0)},
    )
    if arm == "iv":
        once = pk.iv(drug, dose)
    elif arm == "infusion":
        once = pk.hepatic_artery(drug, dose, duration_h=rng.uniform(0.0, 24.0, BLOCK))
    elif arm == "solution_oil_sponge":
        once = pk.hepatic_artery(drug, dose, duration_h=0) + pk.embolisation(("lipiodol", sponge))
    elif arm == "bland":
        once = pk.embolisation(sponge)
    else:
        product = {"emulsion": "lipiodol_emulsion", "suspension": "lipiodol_suspension", "beads": "beads"}
        held = carrier(rng, product[arm.removesuffix("_sponge")], law)
        once = pk.chemoembolisation(drug, dose, carrier=held, embolic=sponge if "sponge" in arm else None)
    return once.repeat(every_days=rng.uniform(12.0, 20.0, BLOCK), times=2)


def scenario(name: str, k: int) -> tuple[str, str, pk.Scenario]:
    """Random treatments of one block: arm, law and scenario; arms and laws take turns."""
    drawn = sets.draw(name, seed=SEED + k, n=BLOCK)
    k += 2 * sets.DRUGS.index(name)  # few blocks a drug: together the drugs see every arm and law
    arm, law = ARMS[k % len(ARMS)], LAWS[(k + k // len(ARMS)) % len(LAWS)]
    given = regimen(drawn.rng, arm, law, drawn.drug)
    return arm, law, pk.Scenario(drawn.patient, given, catheter=drawn.catheter, review_days=(None, 9.0)[k % 2])


def blocks(name: str) -> list[Block]:
    """All sets of a drug, block by block, checked."""
    found = []
    for k in range(max(sets.N // BLOCK, 1)):
        arm, law, treated = scenario(name, k)
        start = time.process_time()
        whole = solve_runs([Run(treated, UNTIL_H)], TIMES_H, OPTIONS)
        block = Block(arm, law, time.process_time() - start, treated, whole)
        fine = check(block)
        if k % 4 == 1:
            check_causes(block, fine)
        found.append(block)
    return found


def check(block: Block) -> np.ndarray:
    """All invariants of one block; returns the lanes that could be treated. Messages name arm and law."""
    what, s = (block.arm, block.law), block.solution
    refused = np.array([str(reason).startswith("refused") for reason in s.reasons])
    lost = [reason for reason, known in zip(s.reasons, refused, strict=True) if reason is not None and not known]
    assert not lost, (what, lost[0])  # a blocked artery is the only reason to fail
    assert refused.mean() < 0.2, what
    fine = ~refused
    assert np.max(s.balance[:, fine]) < BALANCE, what
    dose = np.maximum(s.dose[:, fine], 1e-300)
    m = TIMES_H.size  # behind them lie the marks of solve_runs, one of which may be after the horizon
    sampled = (s.sampled[:11, 0, :m], s.sampled_depot[:, 0, :m])
    for values in (s.amounts[:, 0], s.eliminated[:, 0], s.depot[:, 0], *sampled):
        assert np.isfinite(values[..., fine]).all(), what
        assert np.min(values[..., fine] / dose[0]) > -ROUNDING, what
    assert np.all(s.plasma_auc[:, fine] >= 0.0), what
    assert np.all(np.isfinite(s.tissue_auc[:, fine])), what
    patency = s.sampled_patency[:, :m, fine]
    assert np.all((patency >= 0.0) & (patency <= 1.0)), what
    hypoxia = s.sampled[-2:, 0, :m][..., fine]
    assert np.all((hypoxia > -1e-6) & (hypoxia < 1.0 + 1e-6)), what
    viable = s.sampled_viable[:, :m]
    assert np.isfinite(viable[..., fine]).all(), what
    assert np.min(viable[..., fine]) >= 0.0, what
    assert np.min(s.sampled_dead[:, :m][..., fine]) >= -1e-15, what
    cells = s.sampled_cells[0, :m][..., fine]
    assert np.all(np.isnan(cells)) or np.all(cells > 0.0), what
    return fine


def check_causes(block: Block, fine: np.ndarray) -> None:
    """Drug and ischaemia together kill no less than either alone; without drug ischaemia is all there is."""
    runs = [Run(block.scenario, UNTIL_H, players) for players in ((0.0, 1.0, 0.0), (1.0, 0.0, 1.0))]
    alone = solve_runs(runs, TIMES_H, OPTIONS).sampled_viable[:, : TIMES_H.size].sum(axis=0)
    single = alone.reshape(TIMES_H.size, len(runs), fine.size)[:, :, fine]
    both = block.solution.sampled_viable[:, : TIMES_H.size].sum(axis=0)[:, fine]
    # a second session, or a reading in between, changes the supply of what is left
    first_h = 24.0 * min(12.0, block.scenario.review_days or np.inf)
    early = first_h > TIMES_H
    for players in range(len(runs)):
        assert np.all(both[early] <= single[early, players] * (1.0 + SAME)), (block.arm, block.law, players)
    if block.arm == "bland":
        assert np.allclose(both, single[:, 0], rtol=SAME), block.law


@each_drug
def test_random_treatments_keep_every_invariant(name: str) -> None:
    found = blocks(name)
    lanes = sum(len(block.solution.reasons) for block in found)
    refused = sum(str(reason).startswith("refused") for block in found for reason in block.solution.reasons)
    balance = max(float(np.nanmax(block.solution.balance)) for block in found)
    longest = max(found, key=lambda block: block.seconds)
    print(
        f"\n{name}: {lanes} random treatments, {refused} refused as blocked, balance {balance:.1e}; "
        f"longest block {longest.seconds:.1f} s ({longest.arm}, {longest.law})"
    )
    assert lanes == max(sets.N // BLOCK, 1) * BLOCK
    for batch in lower([Run(longest.scenario, UNTIL_H)])[:1]:
        for lane in range(0, batch.lanes.size, max(batch.lanes.size // ALONE, 1)):
            start = time.process_time()
            solve(batch.problem.take(slice(lane, lane + 1)), TIMES_H, OPTIONS)
            assert time.process_time() - start < LONGEST_S, (longest.arm, longest.law, lane)
