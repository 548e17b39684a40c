"""Cohorts: legal, the same for a seed and subject whatever else is drawn, with the variability that is declared."""

from __future__ import annotations

import math
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

import pkmodel as pk
from pkmodel.errors import ParameterError, UnknownNameError
from pkmodel.inputs.origin import Origin
from pkmodel.inputs.record import Record
from pkmodel.model.columns import derived_clearances
from pkmodel.study.population import LIVER_ML, LIVER_ML_PER_M2
from pkmodel.study.variability import Variability, declared, logit_spread

N = 2000
CV, MIX = 0.35, {"A": 0.7, "B": 0.3}


def arrays(record: Record) -> dict[str, np.ndarray]:
    """Everything that differs between the lanes of a record."""
    return {path: value for path, value, _, _ in record.rows() if isinstance(value, np.ndarray)}


def declared_of(person: pk.Patient) -> dict[str, Variability]:
    """What varies in a patient."""
    return declared(person.rows(), person.spec)


def expected(each: Variability) -> tuple[float, float]:
    """Mean and standard deviation of a truncated distribution, by quadrature that SciPy does."""
    if each.distribution == "logitnormal":
        pytest.skip("checked apart")
    forward = np.log if each.distribution == "lognormal" else np.asarray
    low, high = (forward(max(x, 1e-300)) if each.distribution == "lognormal" else x for x in (each.low, each.high))
    middle = float(forward(each.value))
    ends = ((low - middle) / each.spread, (high - middle) / each.spread)
    normal = stats.truncnorm(*ends, loc=middle, scale=each.spread)
    back = np.exp if each.distribution == "lognormal" else np.asarray
    mean = normal.expect(lambda x: back(x))
    return mean, math.sqrt(normal.expect(lambda x: back(x) ** 2) - mean**2)


@pytest.fixture(scope="module")
def cohort() -> pk.Patient:
    """The reference cohort."""
    return pk.population("hcc_reference", n=N, seed=7)


@pytest.fixture(scope="module")
def scenario() -> pk.Scenario:
    """One session of an emulsion."""
    return pk.Scenario(
        "hcc_reference",
        pk.chemoembolisation("doxorubicin", 50, carrier="lipiodol_emulsion", embolic="gelatin_sponge"),
    )


def test_everything_declared_varies_and_nothing_else(cohort: pk.Patient) -> None:
    person = pk.patient("hcc_reference")
    with_cv = {path for path, value, _, o in person.rows() if o is not None and o.cv and np.isfinite(value)}
    assert set(arrays(cohort)) == {*with_cv, "tumour.escape_deviation"}
    assert cohort.child_pugh == person.child_pugh


def test_moments_are_those_declared(cohort: pk.Patient) -> None:
    """Mean within 5 standard errors of the truncated distribution's, standard deviation within 12 %."""
    for path, each in declared_of(pk.patient("hcc_reference")).items():
        if each.distribution != "logitnormal":
            mean, deviation = expected(each)
            found = cohort.get(path)
            assert abs(found.mean() - mean) < 5.0 * deviation / math.sqrt(N), path
            assert found.std() == pytest.approx(deviation, rel=0.12), path


@pytest.mark.parametrize(("value", "cv"), [(0.41, 0.25), (0.05, 0.6), (0.9, 0.05)])
def test_logit_normal_shares_have_their_cv(value: float, cv: float) -> None:
    normal, odds = stats.norm(scale=logit_spread(value, cv)), value / (1.0 - value)
    far = 40.0 * normal.std()
    mean, square = (
        normal.expect(lambda z, k=k: (1.0 + np.exp(-z) / odds) ** -k, lb=-far, ub=far, epsabs=1e-12) for k in (1, 2)
    )
    assert math.sqrt(square - mean**2) / mean == pytest.approx(cv, rel=1e-6)


def test_size_explains_its_part_of_the_liver(cohort: pk.Patient) -> None:
    """The regression of the evidence row is found again; flow follows size in proportion to the volume."""
    person = pk.patient("hcc_reference")
    regression = LIVER_ML_PER_M2 * cohort.bsa + LIVER_ML
    for path in ("liver.parenchyma_volume", "liver.flow"):
        fit = stats.linregress(np.log(regression), np.log(cohort.get(path)))
        assert abs(fit.slope - 1.0) < 4.0 * fit.stderr, path
        part = np.log(regression).std() / declared_of(person)[path].spread
        assert fit.rvalue == pytest.approx(part, abs=0.05), path
    alone = pk.population("hcc_reference", n=N, seed=7, vary=["bsa", "tumour.perfusion_ratio"])
    assert abs(np.corrcoef(alone.bsa, alone.tumour.perfusion_ratio)[0, 1]) < 4.0 / math.sqrt(N)


def test_larger_tumours_escape_more() -> None:
    """The escape share follows the diameter, and varies around that by the declared spread."""
    person = pk.patient("hcc_reference")
    cohort = pk.population(person, n=N, seed=3, vary={"tumour.diameter": CV})
    table = pk.covariates(cohort)
    share = table["tumour_escape_share"]
    fit = stats.linregress(np.log(table["tumour_diameter_mm"] / 30.0), np.log(share / (1.0 - share)))
    assert fit.slope == pytest.approx(person.tumour.escape_slope, rel=1e-9)
    assert fit.intercept == pytest.approx(person.tumour.escape_intercept, rel=1e-9)
    cohort = pk.population(person, n=N, seed=3)
    assert cohort.tumour.escape_deviation.std() == pytest.approx(person.tumour.escape_spread, rel=0.05)


@settings(max_examples=20)
@given(
    seed=st.integers(0, 2**63),
    n=st.integers(2, 40),
    first=st.integers(0, 10_000),
    name=st.sampled_from(["hcc_reference", "hcc_child_b", "hcc_portal_thrombosis", "colorectal_metastasis"]),
)
def test_every_subject_is_legal_and_its_own(seed: int, n: int, first: int, name: str) -> None:
    """Legal and plausible; subject i is the same alone, in a part, and with fewer values drawn."""
    whole = pk.population(name, n=n, seed=seed, first=first)
    person = pk.patient(name)
    assert whole.size == n
    for path, each in declared_of(person).items():
        found = whole.get(path)
        assert np.all((found >= each.low) & (found <= each.high)), path
        assert person.with_value(path, found).size == n
    last = pk.population(name, n=1, seed=seed, first=first + n - 1)
    few = pk.population(name, n=n, seed=seed, first=first, vary=["bsa", "liver.flow"])
    for path, values in arrays(last).items():
        assert values[0] == whole.get(path)[-1], path
    np.testing.assert_array_equal(few.liver.flow, whole.liver.flow)
    assert set(arrays(few)) == {"bsa", "liver.flow"}


def test_the_order_of_paths_does_not_matter() -> None:
    one = pk.population("hcc_reference", n=30, seed=5, vary={"liver.flow": 0.3, "bsa": 0.1, "tumour.diameter": CV})
    other = pk.population("hcc_reference", n=30, seed=5, vary={"tumour.diameter": CV, "bsa": 0.1, "liver.flow": 0.3})
    for path, values in arrays(one).items():
        np.testing.assert_array_equal(values, other.get(path))


@settings(max_examples=10)
@given(share=st.floats(0.0, 1.0), seed=st.integers(0, 2**31))
def test_a_mix_has_its_classes_with_their_livers(share: float, seed: int) -> None:
    mixed = pk.population("hcc_reference", n=60, seed=seed, child_pugh={"A": share, "B": 1.0 - share})
    classes = pk.covariates(mixed)["child_pugh"]
    assert stats.binomtest(int((classes == "A").sum()), 60, share).pvalue > 1e-7
    for label, name in (("A", "hcc_reference"), ("B", "hcc_child_b")):
        alone = pk.population(name, n=60, seed=seed)
        where = classes == label
        assert np.all(np.broadcast_to(mixed.liver.reserve, 60)[where] == pk.patient(name).liver.reserve)
        np.testing.assert_array_equal(mixed.liver.flow[where], alone.liver.flow[where])
    assert mixed.child_pugh in ({"A", "B"} if len(set(classes)) == 1 else {"mixed"})


def test_classes_stay_with_their_lanes() -> None:
    mixed = pk.population("hcc_reference", n=50, seed=1, child_pugh=MIX)
    again = pickle.loads(pickle.dumps(mixed))
    assert again.child_pugh_classes == mixed.child_pugh_classes and again.digest() == mixed.digest()
    assert mixed.with_value("tumour.diameter", 40.0).child_pugh_classes == mixed.child_pugh_classes
    fewer = mixed.with_values({path: values[:5] for path, values in arrays(mixed).items()})
    assert fewer.child_pugh_classes == ()


def test_what_the_user_set_holds_in_every_class_and_subject() -> None:
    person = pk.patient("hcc_reference").with_values({"liver.shunt": 0.33, "liver.flow": 1000.0})
    mixed = pk.population(person, n=20, seed=1, child_pugh=MIX)
    assert mixed.liver.shunt == 0.33
    assert mixed.liver.flow == 1000.0
    assert mixed.liver.parenchyma_volume.size == 20


def test_origins_stay_those_of_the_typical_subject(cohort: pk.Patient, scenario: pk.Scenario) -> None:
    person = pk.patient("hcc_reference")
    for path in arrays(cohort):
        assert cohort.origin(path) == person.origin(path)
    assert pk.cohort(scenario, n=3, seed=1).origin("patient.liver.flow") == person.origin("liver.flow")


def test_a_scenario_varies_its_patient_drug_and_potency(scenario: pk.Scenario) -> None:
    found = pk.cohort(scenario, n=N, seed=7)
    same = pk.population("hcc_reference", n=N, seed=7)
    for path, values in arrays(same).items():
        np.testing.assert_array_equal(found.get(f"patient.{path}"), values)
    drug = scenario.regimen.drug("doxorubicin")
    each = declared(drug.rows(), drug.spec, ["kill.potency"])["kill.potency"]
    assert each.spread == drug.kill.potency_spread
    ends = [math.log(max(end, 1e-300) / each.value) / each.spread for end in (each.low, each.high)]
    logs = np.log(found.get("drug.doxorubicin.kill.potency") / each.value) / each.spread
    assert stats.kstest(logs, stats.truncnorm(*ends).cdf).pvalue > 1e-4
    derived_clearances(found.regimen.drug("doxorubicin"), N)
    course = pk.simulate(pk.cohort(scenario, n=20, seed=1), until_days=28)
    assert not course.failures
    assert np.unique(course.effect()["necrosis_percent"]).size == 20


def test_impossible_subjects_are_drawn_again(scenario: pk.Scenario) -> None:
    """A clearance below that of the liver alone is impossible: such subjects are replaced, the others stay."""
    path = "drug.doxorubicin.cl_total"
    free = pk.cohort(scenario, n=200, seed=2, vary={path: 0.22})
    wide = pk.cohort(scenario, n=200, seed=2, vary={path: 0.9})
    derived_clearances(wide.regimen.drug("doxorubicin"), 200)
    # the same deviates scaled: a subject that was not drawn again has them both
    scale = math.sqrt(math.log1p(0.9**2) / math.log1p(0.22**2))
    typical = scenario.get(path)
    kept = np.isclose(np.log(wide.get(path) / typical), scale * np.log(free.get(path) / typical), rtol=1e-9)
    assert 0.5 < kept.mean() < 1.0


def test_distributions_that_a_file_may_name() -> None:
    person = pk.patient("hcc_reference")
    for name, shape in (("uniform", stats.uniform(-math.sqrt(3.0), 2.0 * math.sqrt(3.0))), ("normal", stats.norm())):
        origin = Origin(kind="assumed", unit="mm", cv=0.2, distribution=name, note="for this test")
        own = person.replace(tumour=person.tumour.replace(origins={**person.tumour.origins, "diameter": origin}))
        found = pk.population(own, n=2000, seed=1, vary=["tumour.diameter"]).tumour.diameter
        typical = person.tumour.diameter
        assert stats.kstest((found - typical) / (0.2 * typical), shape.cdf).pvalue > 1e-4, name


def test_covariates_name_their_units(cohort: pk.Patient, tmp_path: object) -> None:
    table = pk.covariates(cohort, first=10)
    assert list(table)[:3] == ["subject", "bsa_m2", "liver_flow_ml_per_min"]
    assert table.units["liver_flow_ml_per_min"] == "mL/min"
    lines = table.to_csv().splitlines()
    assert len(lines) == N + 1 and lines[1].startswith("10,")
    assert float(lines[1].split(",")[1]) == cohort.bsa[0]
    with pytest.raises(UnknownNameError, match="bsa_m2"):
        table["bsa"]
    with pytest.raises(ParameterError, match="one subject"):
        pk.covariates(pk.patient("hcc_reference"))


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"n": 0}, ParameterError, "n = 0 is not a whole number from 1"),
        ({"n": 2.5}, ParameterError, "whole number"),
        ({"seed": -1}, ParameterError, "seed = -1"),
        ({"vary": "bsa"}, ParameterError, "list of paths"),
        ({"vary": ["liver.flo"]}, UnknownNameError, "patient.liver.flow"),
        ({"vary": ["tumour.diameter"]}, ParameterError, "declares no variability"),
        ({"vary": {"liver.flow": 0.0}}, ParameterError, "not a number above 0"),
        ({"vary": {"tumour.shunt": 0.1}}, ParameterError, "cannot vary by a share of itself"),
        ({"vary": {"tumour.escape_deviation": 0.1}}, ParameterError, "escape_spread"),
        ({"vary": {"bsa": 0.3, "liver.flow": 0.05}}, ParameterError, "body surface alone"),
        ({"vary": {"liver.arterial_share": 9.0}}, ParameterError, "no share with median"),
        ({"child_pugh": {"A": 0.5}}, ParameterError, "add up to 0.5"),
        ({"child_pugh": {"D": 1.0}}, UnknownNameError, "Child-Pugh class 'D'"),
        ({"child_pugh": {"A": 0.5, "C": 0.5}}, ParameterError, "class C is needed, and the library has none"),
        ({"child_pugh": {"A": 1.5, "B": -0.5}}, ParameterError, "from 0 to 1"),
    ],
)
def test_mistakes_are_named(options: dict, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        pk.population("hcc_reference", **{"n": 3, "seed": 1, **options})


def test_a_cohort_is_drawn_around_one_subject(cohort: pk.Patient) -> None:
    with pytest.raises(ParameterError, match="one subject"):
        pk.population(cohort, n=3, seed=1)
