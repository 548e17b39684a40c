"""The validation of the library: scores that can be recomputed, misses that are explained, acceptance that bites."""

from __future__ import annotations

import csv
import io
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pkmodel as pk
from pkmodel.errors import UnknownNameError
from pkmodel.inputs import cases
from pkmodel.inputs.cases import Arm, Case
from pkmodel.report import model_card as card
from pkmodel.report import validation_table as report
from pkmodel.study import acceptance, subjects, validation
from pkmodel.study.validation import Result, cohort_of, gmfe, validate, validate_case

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def results() -> list[Result]:
    """Every observation, with few draws."""
    return validate(draws=4)


def test_every_observation_is_predicted(results: list[Result]) -> None:
    assert len(results) == len(list(cases.observations()))
    for each in results:
        assert math.isfinite(each.predicted), each.observation.id
        assert each.low <= each.high


def test_scores_can_be_recomputed_from_the_rows(results: list[Result]) -> None:
    found = json.loads(report.to_json(results, acceptance.judge(results)))
    folds = [row["fold_error"] for row in found["rows"] if row["fold_error"] is not None]
    assert found["gmfe"] == pytest.approx(math.exp(sum(abs(math.log(x)) for x in folds) / len(folds)))
    for row in found["rows"]:
        assert {"id", "observed", "predicted", "unit", "role", "source"} <= set(row)
        if row["fold_error"] is not None:
            assert row["fold_error"] == pytest.approx(row["predicted"] / row["observed"])
            assert row["within_2_fold"] == (0.5 <= row["fold_error"] <= 2.0)
    text = report.to_csv(results)
    assert len(list(csv.DictReader(io.StringIO(text)))) == len(results)


def test_the_state_is_accepted_and_nothing_better_is_committed(results: list[Result]) -> None:
    assert all(each.accepted for each in acceptance.judge(results)), acceptance.judge(results)
    for group, limit in acceptance.limits().items():
        assert limit["gmfe_most"] >= 1.0 and 0.0 <= limit["within_2_fold_least_percent"] <= 100.0, group


def test_a_wrong_clearance_is_not_accepted() -> None:
    with pytest.warns(pk.PlausibilityWarning, match="cl_total"):
        worse = validate(draws=2, settings={"drug.doxorubicin.cl_total": "160 L/h"})
    refused = [each for each in acceptance.judge(worse) if not each.accepted]
    assert {each.group.split("/")[0] for each in refused} == {"doxorubicin"}
    assert "GMFE" in refused[0].why


def test_a_group_without_limits_is_not_accepted(results: list[Result], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(acceptance, "limits", dict)
    assert not any(each.accepted for each in acceptance.judge(results))


def test_every_miss_is_explained_and_every_explanation_is_of_a_miss(results: list[Result]) -> None:
    missed = {each.observation.id for each in results if each.missed}
    assert missed == set(cases.explanations())


def test_not_too_much_is_left_out() -> None:
    out, of = validation.left_out_share()
    assert of > 200
    assert out / of <= 0.4


def test_the_readme_shows_the_misses(results: list[Result]) -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    block = text[text.index(card.BEGIN) : text.index(card.END)]
    for each in results:
        if each.missed:
            assert f"| {each.observation.id} | {each.case.id} |" in block
    assert f"{len(results)} observations" in block


def test_the_report_fits_and_says_what_matters(results: list[Result]) -> None:
    text = report.render(results, acceptance.judge(results), draws=4)
    assert "at most 40 %" in text and "Every group is within" in text
    assert max(map(len, text.splitlines())) <= 140
    assert "nan" not in text


def result(observed: float, predicted: float, **changes: Any) -> Result:
    """A result with numbers of its own."""
    case, observation = next(cases.observations())
    from dataclasses import replace

    return Result(case, replace(observation, value=observed, ordering=None, over=None, **changes), predicted, 1.0, 3.0)


def test_folds() -> None:
    assert result(2.0, 3.0).fold == 1.5
    assert result(2.0, 2.99).within(1.5) and not result(2.0, 3.01).within(1.5)
    assert result(3.0, 2.01).within(1.5) and not result(3.0, 1.99).within(1.5)
    assert result(0.0, 0.0).within(1.25) and not result(70.0, 0.0).within(2.0)
    assert math.isnan(result(70.0, 0.0).fold) and result(70.0, 0.0).missed
    assert result(2.0, 9.0).covered and not result(4.0, 9.0).covered
    assert gmfe([2.0, 0.5, math.nan]) == pytest.approx(2.0)
    assert math.isnan(gmfe([]))


def test_guests_limits_narrow_towards_one() -> None:
    """At a ratio of 1 within 1.25-fold, at a large one within 2-fold."""
    over = cases.Reading("a", "auc")
    one, large = (result(x, x * 1.3) for x in (1.0, 50.0))
    from dataclasses import replace

    one, large = (replace(each, observation=replace(each.observation, over=over)) for each in (one, large))
    assert one.within_guest is False and large.within_guest is True
    assert result(1.0, 1.0).within_guest is None


def case(**changes: Any) -> Case:
    """A case of the library, changed."""
    from dataclasses import replace

    found = next(each for each in cases.cases() if each.id == "kontny_2013")
    return replace(found, **changes)


def test_doses_scale_with_the_subject() -> None:
    patient = pk.patient("hcc_reference").with_values({"bsa": 2.0, "body_weight": 80.0})
    for text, amount in (("50 mg", 50.0), ("25 mg/m2", 50.0), ("500 ug/kg", 40.0), ("0.05 g", 50.0)):
        assert subjects.dose_mg(text, patient, "here") == pytest.approx(amount)
    with pytest.raises(pk.InputError, match="here"):
        subjects.dose_mg("50 mL", patient, "here")


def test_animals_scale_by_weight() -> None:
    """Clearance with weight^0.75, volumes with weight; the body surface, by which the model scales, is taken out."""
    rabbit = pk.patient("rabbit_vx2")
    drug = subjects.subject_drug(case(patient="rabbit_vx2", allometric=True), rabbit)
    human, surface = pk.drug("doxorubicin"), rabbit.bsa / 1.8
    assert drug.v1 * surface == pytest.approx(human.v1 * 3.0 / 70.0)
    assert drug.cl_total * surface == pytest.approx(human.cl_total * (3.0 / 70.0) ** 0.75)


def test_arms_that_make_no_treatment_are_refused() -> None:
    broken = case(arms={"iv": Arm("iv", "iv")})
    with pytest.raises(pk.InputError, match="needs a drug and a dose"):
        validate_case(broken)
    with pytest.raises(pk.InputError, match="arm iv"):
        validate_case(case(arms={"iv": Arm("iv", "chemoembolisation", dose="50 mg", carrier="oil")}))


def test_unknown_settings_are_refused() -> None:
    with pytest.raises(UnknownNameError, match="cl_total"):
        validate(draws=2, settings={"drug.doxorubicin.cl_totl": 1.0})


def test_cohorts_spread_around_the_typical_tumour() -> None:
    scenario = pk.Scenario("hcc_reference", pk.hepatic_artery("doxorubicin", 50))
    cohort = cohort_of(scenario.with_value("patient.liver.flow", [1000.0, 1100.0]), 64)
    assert cohort.size == 128
    np.testing.assert_array_equal(cohort.get("patient.liver.flow"), np.repeat([1000.0, 1100.0], 64))
    deviation = cohort.get("patient.tumour.escape_deviation")
    assert np.mean(deviation) == pytest.approx(0.0, abs=0.1)
    assert np.std(deviation[:64]) == pytest.approx(scenario.get("patient.tumour.escape_spread"), rel=0.1)
    logs = np.log(cohort.get("drug.doxorubicin.kill.potency") / scenario.get("drug.doxorubicin.kill.potency"))
    assert np.std(logs) == pytest.approx(scenario.get("drug.doxorubicin.kill.potency_spread"), rel=0.1)
    assert abs(np.corrcoef(deviation, logs)[0, 1]) < 0.15  # of 64 points
