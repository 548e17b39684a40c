"""Ischaemia: occlusion, hypoxia, necrosis without drug, retention of drug, blocked arteries."""

from __future__ import annotations

import numpy as np
import pytest

import pkmodel as pk
from pkmodel.errors import RegimenError
from pkmodel.inputs.materials import Embolic
from pkmodel.inputs.regimen import Regimen

pytestmark = pytest.mark.filterwarnings("ignore::pkmodel.errors.PlausibilityWarning")

BLAND = "lipiodol+gelatin_sponge"
READING = 28.0 * 24.0
GRADES = ("sace_1", "sace_2", "sace_3", "sace_4")


def follow(regimen: Regimen, *, until_days: float = 28.0, **changes: object) -> pk.Trajectory:
    """The reference patient under a regimen, with values changed by path (dots as __)."""
    scenario = pk.Scenario("hcc_reference", regimen)
    scenario = scenario.with_values({path.replace("__", "."): value for path, value in changes.items()})
    return pk.simulate(scenario, until_days=until_days, times_h=[0.0, 24.0, 72.0, 168.0, 24.0 * until_days])


def emulsion(embolic: str | None = "gelatin_sponge", drug: str = "doxorubicin") -> Regimen:
    return pk.chemoembolisation(drug, 50, carrier="lipiodol_emulsion", embolic=embolic)


def embolic(**values: float) -> Embolic:
    """A sponge with other numbers."""
    return pk.embolic("gelatin_sponge").replace(**values)


def test_no_occlusion_no_ischaemic_kill() -> None:
    """Exactly none, and the same course as without the embolic."""
    blocked = emulsion(None).sessions[0]
    bare = Regimen((blocked.replace(embolics=(pk.embolic("none"),)),))
    open_ = follow(bare, carrier__occlusion=0.0)
    plain = follow(emulsion(None), carrier__occlusion=0.0)
    for course in (open_, plain):
        assert course.solution.booked_ischaemia.max() == 0.0
        assert course.hypoxia("core").max() == 0.0
        assert course.hypoxia("escape").max() == 0.0
    for name, values in plain.columns().items():
        np.testing.assert_allclose(open_.columns()[name], values, rtol=1e-12, err_msg=name)


def test_occlusion_of_one_course_does_not_reach_an_open_one_in_the_same_batch() -> None:
    occlusion = np.array([0.0, 0.75])
    course = pk.simulate(pk.Scenario("hcc_reference", pk.embolisation(embolic(occlusion=occlusion))), until_h=READING)
    assert course.solution.booked_ischaemia[0] == 0.0
    assert course.solution.booked_ischaemia[1] > 0.0


@pytest.mark.parametrize("drug", ["doxorubicin", "cisplatin"])
def test_without_drug_kill_it_is_bland_embolisation(drug: str) -> None:
    """Potency 0, and separately dose 0, against oil and sponge alone with the carrier's numbers."""
    carrier = pk.carrier("lipiodol_emulsion").for_drug(drug)
    oil = pk.embolic("lipiodol").replace(
        occlusion=carrier.occlusion,
        selectivity=carrier.selectivity,
        half_life=carrier.half_life,
        duration=carrier.duration,
    )
    bland = follow(pk.embolisation((oil, pk.embolic("gelatin_sponge"))))
    harmless = follow(emulsion(drug=drug), drug__kill__potency=0.0)
    empty = follow(emulsion(drug=drug), session__dose=0.0)
    assert harmless.solution.booked_drug.max() == 0.0
    assert bland.necrosis_fraction()[-1] > 0.2
    for course in (harmless, empty):
        np.testing.assert_allclose(course.viable_volume_ml(), bland.viable_volume_ml(), rtol=1e-6)
        np.testing.assert_allclose(course.necrotic_volume_ml(), bland.necrotic_volume_ml(), rtol=1e-6)


def test_necrosis_rises_in_occlusion_and_falls_in_recanalisation() -> None:
    """One session without drug, as one batch each."""
    occlusion = np.linspace(0.0, 0.99, 34)
    days = np.geomspace(1.0, 200.0, 30)
    for values, name in ((occlusion, "occlusion"), (days, "half_life")):
        scenario = pk.Scenario("hcc_reference", pk.embolisation(embolic(**{name: values})))
        course = pk.simulate(scenario, until_h=READING, times_h=[READING], rtol=1e-8)
        dead = course.necrosis_fraction()[-1]
        assert np.all(np.diff(dead) >= 0.0)
        assert dead[-1] > dead[0] + 0.3
        # above the critical supply nothing dies at all; from there on it rises at every step
        assert np.all(np.diff(dead[dead > 0.0]) > 0.0)


def test_bland_embolisation_kills_without_drug() -> None:
    course = follow(pk.embolisation(BLAND))
    print(f"\nbland embolisation: necrosis {100 * course.necrosis_fraction()[-1]:.1f} %")
    assert course.necrosis_fraction()[-1] > 0.3
    assert course.solution.booked_ischaemia[0] > 0.0
    assert course.solution.booked_drug.max() == 0.0


@pytest.mark.parametrize("drug", ["doxorubicin", "cisplatin", "mitomycin_c", "fluorouracil"])
def test_sponge_after_a_dissolved_dose_retains_it(drug: str) -> None:
    alone = follow(pk.hepatic_artery(drug, 50))
    blocked = follow(pk.hepatic_artery(drug, 50) + pk.embolisation("gelatin_sponge"))
    key = "tumour_auc_ug_h_per_g"
    gain = blocked.exposure()[key] / alone.exposure()[key]
    print(f"\n{drug}: a sponge multiplies the tumour AUC by {gain:.3f}")
    assert gain > 1.02
    # the sponge comes after the dose: it decides what leaves, not what enters
    assert blocked.exposure()["delivered_share_percent"] == alone.exposure()["delivered_share_percent"]


def second_delivery(days: float, **changes: object) -> float:
    """What the second of two equal sessions brings into the tumour, over what the first one brought."""
    first = follow(emulsion(), until_days=100.0, **changes).solution.delivered[0, 0]
    both = follow(emulsion().repeat(every_days=days, times=2), until_days=100.0, **changes).solution.delivered[0, 0]
    return float(both / first - 1.0)


def test_a_second_session_into_a_blocked_artery_delivers_less() -> None:
    """The less, the sooner it follows, when nothing but the artery changes."""
    alive = {"drug__kill__potency": 0.0, "patient__tumour__ischaemic_kill_rate": 0.0, "embolic__occlusion": 0.75}
    shares = [second_delivery(days, **alive) for days in (1.0, 5.0, 20.0, 60.0)]
    print(f"\nsecond session after 1, 5, 20, 60 d delivers {np.round(shares, 3)} of the first")
    assert shares[0] < 0.5
    assert shares == sorted(shares)
    assert shares[-1] > 0.9


def test_a_shrunken_tumour_takes_less_of_the_second_session() -> None:
    """Flow follows what is alive: after kill even an open artery brings less."""
    assert second_delivery(60.0) < 0.7


def test_below_one_per_cent_nothing_can_be_injected() -> None:
    tight = embolic(occlusion=0.999, selectivity=1.0, half_life=np.inf)
    regimen = pk.embolisation(tight) + pk.hepatic_artery("cisplatin", 50, at_h=48.0)
    with pytest.raises(RegimenError, match=r"0\.1 % of the arterial flow.*nothing can be injected"):
        follow(regimen)
    follow(pk.embolisation(embolic(occlusion=0.98, selectivity=1.0)) + pk.hepatic_artery("cisplatin", 50, at_h=48.0))
    # by vein it can be given all the same, and so can a dose before the embolisation
    follow(pk.embolisation(tight) + pk.iv("cisplatin", 50, at_h=48.0))
    follow(pk.hepatic_artery("cisplatin", 50) + pk.embolisation(tight))


def test_a_refused_lane_leaves_the_others_alone() -> None:
    occlusion = np.array([0.5, 0.999, 0.9])
    tight = embolic(occlusion=occlusion, selectivity=1.0, half_life=np.inf)
    regimen = pk.embolisation(tight) + pk.hepatic_artery("cisplatin", 50, at_h=48.0)
    course = pk.simulate(pk.Scenario("hcc_reference", regimen), until_days=28)
    assert list(course.failures) == [1]
    assert course.failures[1].startswith("refused:")
    assert np.isfinite(course.solution.plasma_auc[0, [0, 2]]).all()


def test_hypoxia_is_exactly_zero_above_the_critical_supply() -> None:
    """Supply of the core is q + (1 - q)(a p + 1 - a); it meets s_crit at one patency."""
    tumour = pk.patient("hcc_reference").tumour
    q, a, critical = tumour.collateral_supply, tumour.arterial_weight_core, tumour.critical_supply
    patency = 1.0 - (1.0 - (critical - q) / (1.0 - q)) / a
    occlusion = 1.0 - patency + np.array([-1e-9, 1e-3])
    permanent = embolic(occlusion=occlusion, half_life=np.inf)
    course = pk.simulate(pk.Scenario("hcc_reference", pk.embolisation(permanent)), until_h=READING)
    assert course.hypoxia("core")[:, 0].max() == 0.0
    assert course.solution.booked_ischaemia[0] == 0.0
    assert course.hypoxia("core")[-1, 1] > 0.0
    assert course.hypoxia("escape").max() == 0.0  # the escape zone has other vessels


def test_hypoxia_and_patency_in_closed_form() -> None:
    """Permanent occlusion: x is constant, so h = x (1 - exp(-t/tau))."""
    course = follow(pk.embolisation(embolic(half_life=np.inf, occlusion=0.75)))
    tumour = pk.patient("hcc_reference").tumour
    q, a = tumour.collateral_supply, tumour.arterial_weight_core
    supply = q + (1.0 - q) * (a * 0.25 + 1.0 - a)
    x = (1.0 - supply / tumour.critical_supply) ** 2
    expected = x * -np.expm1(-course.times_h / tumour.hypoxia_time)
    np.testing.assert_allclose(course.hypoxia("core"), expected, rtol=1e-6, atol=1e-12)
    np.testing.assert_allclose(course.patent_fraction("tumour"), 0.25, rtol=1e-14)


def test_joined_embolics_multiply() -> None:
    """After the oil's deposit (0.25 h), both recanalise from the same time on."""
    course = follow(pk.embolisation(BLAND))
    since = course.times_h[1:] - 0.25
    open_ = {place: np.ones_like(since) for place in ("tumour", "served")}
    for name in BLAND.split("+"):
        record = pk.embolic(name)
        left = 2.0 ** (-since / (24.0 * record.half_life))
        open_["tumour"] *= 1.0 - record.occlusion * left
        open_["served"] *= 1.0 - record.occlusion * record.selectivity * left
    for place, expected in open_.items():
        np.testing.assert_allclose(course.patent_fraction(place)[1:], expected, rtol=1e-12)


def test_beads_never_recanalise() -> None:
    for regimen in (
        pk.embolisation("beads_bland"),
        pk.chemoembolisation("doxorubicin", 50, carrier="beads"),
    ):
        course = follow(regimen, until_days=365.0)
        patent = course.patent_fraction("tumour")
        assert patent[0] == 1.0
        np.testing.assert_allclose(patent[1:], 1.0 - pk.embolic("beads_bland").occlusion, rtol=1e-14)


def test_sace_grades_order() -> None:
    courses = [follow(pk.embolisation(name)) for name in GRADES]
    patent = [float(course.patent_fraction("tumour")[1]) for course in courses]
    necrosis = [float(course.necrosis_fraction()[-1]) for course in courses]
    print(f"\nSACE I-IV: necrosis {np.round(100 * np.array(necrosis), 1)} %")
    assert patent == sorted(patent, reverse=True)
    assert [float(pk.embolic(name).occlusion) for name in GRADES] == [0.1, 0.5, 0.75, 0.95]
    assert necrosis[0] == 0.0
    assert necrosis == sorted(necrosis)
    assert necrosis[3] > necrosis[2] > necrosis[1]
