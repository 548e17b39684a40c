"""A drug that its carrier holds back in no lane has no release law, whatever law the carrier's record states."""

from __future__ import annotations

import numpy as np
import pytest

import pkmodel as pk
from pkmodel.inputs.materials import ReleaseParameters
from pkmodel.model.body import Run, lower
from pkmodel.solve.runs import solve_runs
from pkmodel.solve.solution import Solution

# all of the drug free at once is legal, and implausible for a carrier
pytestmark = pytest.mark.filterwarnings("ignore::pkmodel.errors.PlausibilityWarning")

HELD, FREE = "doxorubicin", "cisplatin"
MIXTURE = ReleaseParameters(law="biexponential", fast_share=0.3, fast_rate=1.0, slow_rate=0.01)
WEIBULL = ReleaseParameters(law="weibull", scale=20.0, shape=0.7)
TABLE = ReleaseParameters(law="tabulated", times=(0.0, 5.0, 20.0), fractions=(0.0, 0.4, 0.9))


def carrier(release: ReleaseParameters, prompt: float, **values: object) -> pk.Carrier:
    """An emulsion without versions for single drugs."""
    plain = pk.carrier("lipiodol_emulsion").replace(variants=(), release=release)
    return plain.with_values({"prompt_fraction": prompt, **values})


def run(amounts: dict[str, float], material: object) -> Run:
    """One lane of the reference patient, treated through the artery."""
    regimen = pk.hepatic_artery(amounts, carrier=material, duration_h=0.25)
    return Run(pk.Scenario("hcc_reference", regimen), 200.0)


def exposures(solution: Solution) -> np.ndarray:
    """Areas and peaks of all drugs."""
    return np.stack([solution.plasma_auc, solution.plasma_cmax, solution.tissue_auc, solution.tissue_cmax])


def test_it_shares_a_batch_with_every_law() -> None:
    runs = [run({FREE: 50.0}, carrier(MIXTURE, 1.0)), run({FREE: 50.0}, carrier(WEIBULL, 0.4))]
    [batch] = lower(runs)
    law = batch.problem.slots[0].law
    assert law is not None
    assert law.kind == "weibull"
    np.testing.assert_array_equal(batch.problem.slots[0].prompt, [[1.0, 0.4]])
    [alone] = lower(runs[:1])
    assert alone.problem.slots[0].law is None


def test_without_preference_and_occlusion_it_is_a_solution() -> None:
    inert = carrier(MIXTURE, 1.0, occlusion=0.0, target_preference=1.0, lung_share=0.0)
    found, solution = solve_runs([run({FREE: 50.0}, inert)]), solve_runs([run({FREE: 50.0}, None)])
    np.testing.assert_allclose(exposures(found), exposures(solution), rtol=1e-9)
    assert found.depot.max() == 0.0


def test_beside_a_drug_that_is_held_back_only_the_other_lies_in_depots() -> None:
    held = carrier(MIXTURE, 0.2)
    both = held.replace(variants=((FREE, carrier(MIXTURE, 1.0)),))
    amounts = {HELD: 40.0, FREE: 50.0}
    found = solve_runs([run(amounts, both)])
    depot = dict(zip(amounts, found.depot.sum(axis=0)[:, 0], strict=True))
    # 200 h after the injection exp(-0.01 * 200) of the slow 70 % is left, and nothing of the fast share
    evenly = (1.0 - np.exp(-0.01 * 0.25)) / (0.01 * 0.25)  # given over a quarter of an hour
    left = 0.8 * 40.0 * 0.7 * np.exp(-0.01 * 199.75) * evenly
    assert depot[HELD] == pytest.approx(left, rel=1e-9)
    assert depot[FREE] == 0.0
    assert found.balance.max() < 1e-9


@pytest.mark.parametrize("order", [(HELD, FREE), (FREE, HELD)])
@pytest.mark.parametrize("law", [WEIBULL, TABLE])
def test_its_law_is_not_taken_for_that_of_the_drug_beside_it(law: ReleaseParameters, order: tuple[str, str]) -> None:
    held = carrier(ReleaseParameters(law="first_order", rate=5e-4), 0.0)
    both = held.replace(variants=((FREE, carrier(law, 1.0)),))
    found = solve_runs([run(dict.fromkeys(order, 40.0), both)])
    depot = dict(zip(order, found.depot.sum(axis=0)[:, 0], strict=True))
    evenly = (1.0 - np.exp(-5e-4 * 0.25)) / (5e-4 * 0.25)  # given over a quarter of an hour
    assert depot[HELD] == pytest.approx(40.0 * np.exp(-5e-4 * 199.75) * evenly, rel=1e-9)
    assert depot[FREE] == 0.0
