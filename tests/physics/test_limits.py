"""Limits, symmetries and monotone responses that need no embolic (MODEL section 8), on 1,000 sets a drug.

At the default tolerance, save where two courses that take different steps are compared (TIGHT): the steps do
not know of units, of the origin of time, or in how many parts a dose comes.
"""

from __future__ import annotations

import numpy as np
import pytest
import sets

import pkmodel as pk
from pkmodel.inputs.regimen import Regimen
from pkmodel.inputs.session import Session
from pkmodel.inputs.treatment import dose
from pkmodel.solve.solution import Solution

# random sets are legal, and implausible on purpose
pytestmark = pytest.mark.filterwarnings("ignore::pkmodel.errors.PlausibilityWarning")

TIGHT = 1e-6
SAME = 1e-6
UNTIL_H = 24.0
TIMES = np.array([0.05, 0.2, 0.5, 1.0, 2.5, 6.0, 12.0, 18.0, 24.0])
DOSE_MG = 20.0

each_drug = pytest.mark.parametrize("name", sets.DRUGS)


def quiet(name: str, seed: int, n: int = sets.N) -> sets.Draw:
    """Sets whose marrow takes no part: transport alone chooses the steps."""
    silent = {"marrow.neutrophil_slope": 0.0, "marrow.leukocyte_slope": 0.0}
    return sets.draw(name, seed=seed, n=n).changed(drug=silent)


def artery(drawn: sets.Draw, amount: object = DOSE_MG, length: object = 0.1, at: object = 0.0) -> Regimen:
    """A dose into the hepatic artery."""
    return pk.hepatic_artery(drawn.drug, amount, duration_h=length, at_h=at)


def course(drawn: sets.Draw, regimen: Regimen, rtol: float = 1e-5, **options: object) -> Solution:
    """Solve a regimen on the sets, sampled at TIMES."""
    until = options.pop("until_h", UNTIL_H)
    return sets.solved(drawn.run(regimen, until), times=options.pop("times", TIMES), rtol=rtol)  # type: ignore[arg-type]


def samples(solution: Solution, count: int = TIMES.size) -> sets.Array:
    """Amounts of all compartments at the samples, (11, m, n)."""
    return solution.sampled[:11, 0, :count]


def apart(one: sets.Array, other: sets.Array) -> float:
    """Largest difference of amounts (11, m, n), relative to max(|value|, 1e-4 of its compartment's maximum).

    A compartment that never holds 1e-9 of the dose is empty.
    """
    peak = np.abs(other).max(axis=1, keepdims=True)
    size = np.maximum(np.maximum(np.abs(other), 1e-4 * peak), 1e-9 * peak.max(axis=0))
    return float(np.max(np.abs(one - other) / size))


@each_drug
def test_no_extraction_no_loss_and_the_whole_liver_give_intravenous_exposure(name: str) -> None:
    drawn = quiet(name, 11).changed(
        drug={
            "extraction": 0.0,
            "tumour.loss_extracellular": 0.0,
            "tumour.loss_cellular": 0.0,
            "km_other": np.inf,
        },
        catheter={"territory_share": 1.0},
    )
    by_artery, by_vein = course(drawn, artery(drawn)), course(drawn, pk.iv(drawn.drug, DOSE_MG))
    assert sets.worst(sets.infinite(by_artery), sets.infinite(by_vein)) < SAME


@each_drug
def test_a_duration_towards_zero_is_a_bolus(name: str) -> None:
    drawn = quiet(name, 12)
    bolus = course(drawn, artery(drawn, length=0.0), times=[0.0, *TIMES])
    short = course(drawn, artery(drawn, length=1e-10), times=[0.0, *TIMES])
    assert apart(samples(short, 10)[:, 1:], samples(bolus, 10)[:, 1:]) < SAME
    assert sets.worst(short.plasma_auc, bolus.plasma_auc) < SAME
    # a sample at the time of a bolus includes it; before an infusion there is nothing
    assert sets.worst(samples(bolus, 1)[:, 0].sum(axis=0), np.full(sets.N, DOSE_MG)) < 1e-9
    assert np.all(samples(short, 1) == 0.0)


@each_drug
@pytest.mark.parametrize("limit", [{"q2": 1e-12, "q3": 1e-12}, {"v2": 1e-12, "v3": 1e-12}])
def test_a_vanishing_peripheral_is_one_compartment_less(name: str, limit: dict[str, float]) -> None:
    drawn = quiet(name, 13)
    drawn = drawn.changed(drug={"q2": 30.0, "v2": 20.0, "q3": 10.0, "v3": 40.0})
    without, nearly = (
        drawn.changed(drug={"q2": 0.0, "v2": 0.0, "q3": 0.0, "v3": 0.0}),
        drawn.changed(drug=limit),
    )
    less, almost = course(without, artery(without)), course(nearly, artery(nearly))
    rows = [*range(8), 10]
    assert apart(samples(almost)[rows], samples(less)[rows]) < SAME
    assert np.all(samples(less)[8:10] == 0.0)


@each_drug
def test_a_volume_without_exchange_and_an_exchange_without_volume_are_the_same(name: str) -> None:
    drawn = quiet(name, 14)
    changes = ({"q2": 0.0, "v2": 0.0}, {"q2": 0.0, "v2": 30.0}, {"q2": 30.0, "v2": 0.0})
    versions = [drawn.changed(drug=change) for change in changes]
    courses = [course(version, artery(version)) for version in versions]
    for other in courses[1:]:
        assert np.array_equal(samples(other)[-1], samples(courses[0])[-1])


@each_drug
@pytest.mark.parametrize(
    ("absent", "rows"),
    [
        ({"tumour.diameter": 0.0}, [0, 1, 4, 5]),
        ({"liver.parenchyma_volume": 0.0, "liver.shunt": 0.0}, [2, 3, 6, 7]),
    ],
)
def test_a_region_without_volume_is_harmless(name: str, absent: dict[str, float], rows: list[int]) -> None:
    drawn = quiet(name, 15)
    gone, there = course(drawn.changed(patient=absent), artery(drawn)), course(drawn, artery(drawn))
    assert np.all(np.isfinite(samples(gone)))
    assert np.all(samples(gone)[rows] == 0.0)
    assert np.max(gone.balance) < 1e-9
    assert np.all(np.max(samples(there)[rows], axis=(1, 2)) > 0.0)


@each_drug
@pytest.mark.parametrize("share", ["coverage", "territory_share"])
def test_a_vanishing_zone_is_the_limit_of_a_small_one(name: str, share: str) -> None:
    # whole coverage and no escape tissue, or a territory that is the whole liver: one region has no volume
    path = {"coverage": {"tumour.escape_intercept": -50.0}, "territory_share": {}}[share]
    drawn = quiet(name, 16).changed(patient=path)
    # both are solved more closely than they are compared: their steps are not the same
    whole = course(drawn.changed(catheter={share: 1.0}), artery(drawn), rtol=1e-6)
    almost = course(drawn.changed(catheter={share: 1.0 - 1e-9}), artery(drawn), rtol=1e-6)
    assert apart(samples(almost)[[10]], samples(whole)[[10]]) < SAME
    assert sets.worst(almost.plasma_auc, whole.plasma_auc) < SAME


@each_drug
def test_linear_in_the_dose(name: str) -> None:
    drawn = quiet(name, 17).linear()
    factor = sets.spread(drawn.rng, sets.N, 1e3)
    one, many = course(drawn, artery(drawn)), course(drawn, artery(drawn, DOSE_MG * factor))
    assert apart(samples(many) / factor, samples(one)) < SAME
    assert sets.worst(many.plasma_cmax / factor, one.plasma_cmax) < SAME


@each_drug
def test_superposition_of_doses_at_different_times(name: str) -> None:
    # within one flow history: an infusion that starts later in the same session, and a vein
    drawn = quiet(name, 18).linear()
    first = drawn.rng.uniform(1.0, 10.0, sets.N), drawn.rng.uniform(0.0, 8.0, sets.N)
    early = dose(drawn.drug, DOSE_MG, route="hepatic_artery", duration_h=0.1)
    late = dose(drawn.drug, 2 * DOSE_MG, route="iv", duration_h=first[1], start_h=first[0])
    session = [Regimen((Session(doses=given),)) for given in ((early, late), (early,), (late,))]
    both, one, other = (course(drawn, each, TIGHT) for each in session)
    assert apart(samples(both), samples(one) + samples(other)) < SAME
    assert sets.worst(both.plasma_auc, one.plasma_auc + other.plasma_auc) < SAME


@each_drug
def test_splitting_a_dose_at_one_instant_changes_nothing(name: str) -> None:
    drawn = quiet(name, 19)
    part = drawn.rng.uniform(0.0, 1.0, sets.N)
    whole = course(drawn, artery(drawn, length=0.0) + pk.iv(drawn.drug, DOSE_MG, duration_h=0.5))
    halves = course(
        drawn,
        artery(drawn, DOSE_MG * part, 0.0)
        + artery(drawn, DOSE_MG * (1.0 - part), 0.0)
        + pk.iv(drawn.drug, DOSE_MG * part, duration_h=0.5)
        + pk.iv(drawn.drug, DOSE_MG * (1.0 - part), duration_h=0.5),
    )
    assert apart(samples(halves), samples(whole)) < SAME


@each_drug
def test_the_order_of_inputs_at_one_time_changes_nothing(name: str) -> None:
    drawn = quiet(name, 20)
    given = (
        pk.iv(drawn.drug, DOSE_MG, duration_h=0.5),
        artery(drawn, length=0.0),
        pk.iv(drawn.drug, 2 * DOSE_MG, duration_h=0.0),
    )
    one = course(drawn, given[0] + given[1] + given[2])
    other = course(drawn, given[2] + given[1] + given[0])
    assert apart(samples(other), samples(one)) < SAME


@each_drug
def test_time_shift(name: str) -> None:
    drawn = quiet(name, 21).changed(patient={"tumour.doubling_time": np.inf})
    shift = drawn.rng.uniform(0.5, 500.0, 1)[0]
    now = course(drawn, artery(drawn))
    later = course(drawn, artery(drawn, at=shift), times=TIMES + shift, until_h=UNTIL_H + shift)
    assert apart(samples(later), samples(now)) < SAME
    assert sets.worst(later.plasma_tmax - shift, now.plasma_tmax) < 1e-4  # a flat top: tmax is soft
    assert sets.worst(later.plasma_auc, now.plasma_auc) < SAME


@each_drug
def test_lanes_shifted_by_times_of_their_own(name: str) -> None:
    drawn = quiet(name, 22).changed(patient={"tumour.doubling_time": np.inf})
    shift = drawn.rng.uniform(0.0, 500.0, sets.N)
    now = course(drawn, artery(drawn), until_h=600.0)
    later = course(drawn, artery(drawn, at=shift), until_h=600.0 + shift)
    assert sets.worst(later.plasma_auc, now.plasma_auc) < SAME
    assert sets.worst(later.tissue_auc, now.tissue_auc) < SAME
    assert sets.worst(later.plasma_cmax, now.plasma_cmax) < SAME


@each_drug
def test_unit_of_mass(name: str) -> None:
    # milligrams as micrograms: doses and every concentration in the drug's numbers a thousand times larger
    drawn = quiet(name, 23)
    scaled = {path: 1e3 * drawn.drug.get(path) for path in ("km_other", "liver.km", "kill.ec50")}
    other = drawn.changed(drug=scaled)
    one, other = course(drawn, artery(drawn)), course(other, artery(other, 1e3 * DOSE_MG))
    assert apart(samples(other) * 1e-3, samples(one)) < SAME
    assert sets.worst(other.viable, one.viable) < SAME
    assert sets.worst(other.plasma_auc * 1e-3, one.plasma_auc) < SAME


@each_drug
def test_unit_of_volume(name: str) -> None:
    # litres as half litres: volumes, flows and clearances all twice, concentrations and constants half
    drawn = quiet(name, 24)
    drug = {p: 2 * drawn.drug.get(p) for p in ("cl_total", "v1", "q2", "v2", "q3", "v3", "bound.volume")}
    drug |= {p: 0.5 * drawn.drug.get(p) for p in ("km_other", "liver.km", "kill.ec50")}
    drug |= {
        f"reference.{p}": 2 * drawn.drug.get(f"reference.{p}") for p in ("liver_flow", "parenchyma_volume")
    }
    patient = {p: 2 * drawn.patient.get(p) for p in ("liver.flow", "liver.parenchyma_volume", "tumour.count")}
    other = drawn.changed(drug=drug, patient=patient)
    one, other = course(drawn, artery(drawn)), course(other, artery(other))
    assert apart(samples(other), samples(one)) < SAME
    assert sets.worst(2 * other.plasma_auc, one.plasma_auc) < SAME
    assert sets.worst(0.5 * other.viable, one.viable) < SAME


@each_drug
def test_unit_of_time(name: str) -> None:
    # everything twice as fast: rates, flows and clearances twice, times half
    drawn = quiet(name, 25)
    rates = ("cl_total", "q2", "q3", "reference.liver_flow", "liver.ps", "tumour.ps",
             "tumour.loss_extracellular", "tumour.loss_cellular", "kill.kmax")  # fmt: skip
    drug = {p: 2 * drawn.drug.get(p) for p in rates}
    drug |= {p: 0.5 * drawn.drug.get(p) for p in ("bound.half_life", "bound.tumour_half_life")}
    times = ("tumour.doubling_time", "tumour.resorption_half_life", "tumour.hypoxia_time")
    patient = {p: 0.5 * drawn.patient.get(p) for p in times} | {"liver.flow": 2 * drawn.patient.liver.flow}
    one = course(drawn, artery(drawn))
    faster = drawn.changed(drug=drug, patient=patient)
    other = course(faster, artery(faster, length=0.05), times=0.5 * TIMES, until_h=0.5 * UNTIL_H)
    assert apart(samples(other), samples(one)) < SAME
    assert sets.worst(other.viable, one.viable) < SAME


@each_drug
def test_more_output_times_change_nothing(name: str) -> None:
    drawn = quiet(name, 26)
    few = course(drawn, artery(drawn))
    many = course(drawn, artery(drawn), times=np.union1d(TIMES, np.linspace(0.0, UNTIL_H, 101)))
    none = course(drawn, artery(drawn), times=None)
    for field in (
        "amounts",
        "eliminated",
        "plasma_auc",
        "plasma_cmax",
        "plasma_tmax",
        "tissue_auc",
        "viable",
    ):
        assert np.array_equal(getattr(many, field), getattr(few, field))
        assert np.array_equal(getattr(none, field), getattr(few, field))


@each_drug
def test_exposure_falls_in_clearance(name: str) -> None:
    drawn = quiet(name, 27)
    faster = drawn.changed(drug={"cl_total": drawn.drug.cl_total * drawn.rng.uniform(1.1, 2.0, sets.N)})
    for give in (artery, lambda d: pk.iv(d.drug, DOSE_MG)):
        slow, fast = course(drawn, give(drawn)), course(faster, give(faster))
        assert np.all(sets.infinite(fast) < sets.infinite(slow))
        assert np.all(fast.plasma_auc < slow.plasma_auc)


@each_drug
def test_no_drug_is_nothing_and_all_is_finite(name: str) -> None:
    drawn = quiet(name, 28)
    amount = DOSE_MG * (drawn.rng.uniform(size=sets.N) > 0.5)
    solution = course(drawn, artery(drawn, amount))
    empty = amount == 0.0
    assert np.all(samples(solution)[..., empty] == 0.0)
    assert np.all(solution.plasma_cmax[:, empty] == 0.0)
    everything = samples(solution)
    assert np.all(np.isfinite(everything))
    assert np.all(everything >= -1e-9 * everything.max(axis=1, keepdims=True))
    assert np.all(everything >= -1e-9 * everything.max(axis=(0, 1)))
