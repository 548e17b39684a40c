"""Release laws inside a course: mass, accuracy and steps of singular laws, limits, law-independence of exposure."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from independent import Independent

import pkmodel as pk
from pkmodel.course import solve_runs
from pkmodel.inputs.materials import Carrier, ReleaseParameters
from pkmodel.inputs.regimen import Regimen
from pkmodel.model.body import Run
from pkmodel.solve.drive import Options
from pkmodel.solve.solution import Solution

pytestmark = pytest.mark.filterwarnings("ignore::pkmodel.errors.PlausibilityWarning")

SINGULAR = {
    "weibull": ReleaseParameters(law="weibull", scale=24.0, shape=0.3),
    "higuchi": ReleaseParameters(law="higuchi", rate_constant=0.03),
    "higuchi_that_ends": ReleaseParameters(law="higuchi", rate_constant=0.05),
    "korsmeyer_peppas": ReleaseParameters(law="korsmeyer_peppas", rate_constant=0.05, exponent=0.4),
}
SMOOTH = {
    "first_order": ReleaseParameters(law="first_order", rate=0.05),
    "biexponential": ReleaseParameters(law="biexponential", fast_share=0.3, fast_rate=2.0, slow_rate=0.05),
    "weibull_1.5": ReleaseParameters(law="weibull", scale=12.0, shape=1.5),
    "tabulated": ReleaseParameters(
        law="tabulated", times=(0.0, 1.0, 4.0, 24.0, 72.0), fractions=(0.0, 0.2, 0.5, 0.9, 1.0)
    ),
}
UNTIL_H = 28.0 * 24.0
MOST_STEPS = 120


def carrier(release: ReleaseParameters, **changes: float) -> Carrier:
    """The emulsion with another law and nothing that blocks, unless `changes` say so."""
    values = {"prompt_fraction": 0.1, "occlusion": 0.0, **changes}
    return pk.carrier("lipiodol_emulsion").replace(release=release, variants=(), **values)


def regimen(holder: Carrier, duration_h: float, embolic: str | None = None, drug: str = "cisplatin") -> Regimen:
    """100 mg by the artery."""
    return pk.chemoembolisation(drug, 100, carrier=holder, duration_h=duration_h, embolic=embolic)


def solved(scenario: pk.Scenario, rtol: float = 1e-5, until_h: float = UNTIL_H) -> Solution:
    """The solution at a tolerance, with as many steps as it takes."""
    found = solve_runs([Run(scenario, until_h)], [1.0, 24.0, until_h], Options(rtol=rtol, max_steps=100_000))
    assert found.reasons == (None,)
    return found


def quantities(found: Solution) -> dict[str, float]:
    """What the accuracy promise speaks of."""
    names = ("plasma_auc", "plasma_cmax", "tissue_auc", "tissue_cmax", "extracellular_auc")
    values = {name: float(getattr(found, name)[0, 0]) for name in names}
    return values | {"viable": float(found.viable.sum()), "dead": float(found.dead.sum())}


def worst_error(found: dict[str, float], reference: dict[str, float]) -> float:
    return max(abs(found[name] / reference[name] - 1.0) for name in reference)


@pytest.mark.parametrize("embolic", [None, "gelatin_sponge"])
@pytest.mark.parametrize("duration", [0.0, 0.25])
@pytest.mark.parametrize("law", SINGULAR)
def test_singular_laws_balance_and_keep_the_tolerance(law: str, duration: float, embolic: str | None) -> None:
    """Against the same course at rtol 1e-9; a sponge at the end of a bolus once made these laws fail."""
    blocks = {} if embolic is None else {"occlusion": 0.35}
    scenario = pk.Scenario("hcc_reference", regimen(carrier(SINGULAR[law], **blocks), duration, embolic))
    found, fine = solved(scenario), solved(scenario, 1e-9)
    error = worst_error(quantities(found), quantities(fine))
    print(f"\n{law}, {duration:g} h, {embolic}: balance {found.balance.max():.1e}, error {error:.1e}")
    assert found.balance.max() <= 1e-12
    assert error <= 1e-5


@pytest.mark.slow
@pytest.mark.parametrize("duration", [0.0, 0.25])
@pytest.mark.parametrize("law", SINGULAR)
def test_singular_laws_against_rtol_1e10(law: str, duration: float) -> None:
    """The tightest tolerance that steps can meet: below it the difference quotient of the forcing is noise."""
    scenario = pk.Scenario("hcc_reference", regimen(carrier(SINGULAR[law]), duration))
    fine = solved(scenario, 1e-10)
    assert worst_error(quantities(solved(scenario)), quantities(fine)) <= 1e-5
    assert fine.balance.max() <= 1e-12


@pytest.mark.parametrize("duration", [0.0, 0.25])
@pytest.mark.parametrize("law", ["weibull", "higuchi_that_ends", "korsmeyer_peppas", "tabulated"])
def test_against_an_independent_radau(law: str, duration: float) -> None:
    """The whole course, with the cumulative release outside the state, by other code and another method."""
    holder = carrier((SINGULAR | SMOOTH)[law], occlusion=0.35)
    scenario = pk.Scenario("hcc_reference", regimen(holder, duration, "gelatin_sponge"))
    until = 600.0  # past the end of the Higuchi release, 400 h
    other = Independent(scenario).run(until, [until], rtol=1e-8)
    found = quantities(solved(scenario, until_h=until))
    expected = dict(zip(("plasma_auc", "tissue_auc", "extracellular_auc"), other.auc, strict=True))
    expected |= {"viable": float(other.viable.sum()), "dead": float(other.dead.sum())}
    error = worst_error(found, expected)
    print(f"\n{law}, {duration:g} h: {error:.1e} from Radau")
    assert error <= 1e-5


@pytest.mark.parametrize("duration", [0.0, 0.25])
@pytest.mark.parametrize("law", ["weibull", "higuchi", "korsmeyer_peppas"])
def test_steps(law: str, duration: float) -> None:
    """Under 120 steps over 28 days, deposit and its two bent clocks included."""
    found = solved(pk.Scenario("hcc_reference", regimen(carrier(SINGULAR[law]), duration)))
    print(f"\n{law}, {duration:g} h: {found.steps[0]:.0f} steps, {found.rejected[0]:.0f} rejected")
    assert found.steps[0] < MOST_STEPS


@pytest.mark.parametrize("drug", ["cisplatin", "doxorubicin"])
def test_the_law_drops_out_at_constant_flow(drug: str) -> None:
    """AUC to infinity of plasma and extracellular tumour: only how long it lasts depends on the law."""
    patient = pk.patient("hcc_reference")
    found = {}
    for name, release in {**SMOOTH, "higuchi": ReleaseParameters(law="higuchi", rate_constant=0.2)}.items():
        scenario = pk.Scenario(patient, regimen(carrier(release), 0.25, drug=drug))
        solution = solved(scenario, 1e-8, until_h=60.0 * 24.0)
        found[name] = (
            float((solution.plasma_auc + solution.plasma_auc_rest)[0, 0]),
            float((solution.extracellular_auc + solution.extracellular_auc_rest)[0, 0]),
        )
    values = np.array(list(found.values()))
    spread = values.max(axis=0) / values.min(axis=0) - 1.0
    print(f"\n{drug}: AUC_inf over {len(found)} laws differ by {spread.max():.1e}")
    assert np.all(spread <= 1e-6), found


@pytest.mark.parametrize("drug", ["cisplatin", "doxorubicin", "fluorouracil"])
def test_an_infinitely_fast_release_is_the_arterial_bolus(drug: str) -> None:
    """Occlusion 0, preference 1, no lung share, no shunt that only the dissolved drug takes."""
    patient = pk.patient("hcc_reference").with_values({"liver.shunt": 0.0, "tumour.shunt": 0.0})
    fast = carrier(
        ReleaseParameters(law="first_order", rate=1e6),
        prompt_fraction=0.0,
        lung_share=0.0,
        target_preference=1.0,
    )
    held = solved(pk.Scenario(patient, regimen(fast, 0.25, drug=drug)), 1e-9, 168.0)
    plain = solved(pk.Scenario(patient, pk.hepatic_artery(drug, 100, duration_h=0.25)), 1e-9, 168.0)
    # release at rate k delays the drug by 1/k = 1e-6 h, and Cmax by that over the 0.25 h of the injection
    error = worst_error(quantities(held), quantities(plain))
    print(f"\n{drug}: {error:.1e} from the bolus")
    assert error <= 1e-5


@pytest.mark.parametrize(
    "release",
    [ReleaseParameters(law="none"), ReleaseParameters(law="first_order", rate=0.0)],
    ids=["none", "rate 0"],
)
def test_no_release_leaves_nothing_outside_depots(release: ReleaseParameters) -> None:
    holder = carrier(release, prompt_fraction=0.0)
    course = pk.simulate(pk.Scenario("hcc_reference", regimen(holder, 0.25)), until_days=7)
    assert course.solution.amounts.max() == 0.0
    assert course.solution.eliminated.max() == 0.0
    assert course.solution.plasma_cmax.max() == 0.0
    assert course.solution.depot.sum() == pytest.approx(100.0, rel=1e-14)
    assert course.balance_error <= 1e-12
    assert np.isnan(course.exposure()["plasma_auc_inf_ng_h_per_ml"])


def test_a_curve_from_a_file_works_in_a_course(tmp_path: Path) -> None:
    """As a fitted law and as the table itself; both release what the file says."""
    hours, percent = (0, 1, 2, 4, 8, 24, 48, 96), (0, 11, 20, 35, 56, 86, 95, 99)
    lines = ["time_h,released_percent", *(f"{t},{f}" for t, f in zip(hours, percent, strict=True))]
    path = tmp_path / "curve.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    fits = pk.fit_release(path)
    base = carrier(SMOOTH["first_order"], prompt_fraction=0.0)
    table = fits.carrier("mine_table", law="tabulated", base=base)
    for holder in (fits.carrier("mine", base=base), table):
        course = pk.simulate(
            pk.Scenario("hcc_reference", regimen(holder, 0.0)), until_days=7, times_h=[0.0, 8.0, 24.0, 168.0]
        )
        left = sum(course.depot_mg(place) for place in ("core", "escape", "served", "lung"))
        np.testing.assert_allclose(1.0 - left[:3] / 100.0, [0.0, 0.56, 0.86], atol=0.02)
        assert course.balance_error <= 1e-12
    assert table.release.times == tuple(float(t) for t in hours)
    np.testing.assert_allclose(1.0 - left / 100.0, [0.0, 0.56, 0.86, 0.99], rtol=1e-12, atol=1e-15)


def test_a_bolus_in_a_blocking_carrier_is_the_limit_of_short_injections() -> None:
    """A deposit of no length meets the artery as it closes, not as it is closed: same split as a short one."""
    shares = []
    for duration in (0.0, 1e-9, 1e-3, 0.25):
        beads = pk.chemoembolisation("doxorubicin", 50, carrier="beads", duration_h=duration)
        shares.append(float(solved(pk.Scenario("hcc_reference", beads), until_h=24.0).delivered[0, 0]))
    np.testing.assert_allclose(shares, shares[0], rtol=1e-12)
