"""Numbers behind the figures of validation, sessions, infusions, evidence, cohorts, choices and sensitivity."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pkmodel as pk
from pkmodel.inputs import library
from pkmodel.inputs.cases import cases
from pkmodel.report.figures import (
    decision,
    evidence_map,
    infusion_rate,
    repeated_sessions,
    sensitivity,
    validation,
    virtual_cohort,
)
from pkmodel.report.figures.data import FigureData
from pkmodel.report.figures.sessions import arterial_flow_percent
from pkmodel.report.figures.style import DRUG_LOOKS
from pkmodel.study.validation import Result, validate_case

NO_MARROW = library.drug("mitomycin_c").with_value("marrow.neutrophil_slope", math.nan)


def lines(figure: Any) -> list[Any]:
    """All lines of a figure."""
    return [line for axes in figure.get_axes() for line in axes.get_lines()]


@cache
def validated(*ids: str) -> tuple[Result, ...]:
    """Results of a few cases."""
    return tuple(each for case in cases() if case.id in ids for each in validate_case(case, draws=2))


def test_published_numbers_stand_in_the_base_unit_of_their_panel() -> None:
    data = validation.of_results(validated("fluorouracil_phillips"), draws=2)
    clearance, half_life, peak = (data.where(id=each) for each in ("FU012", "FU013", "FU014"))
    assert clearance.numbers("base_observed").tolist() == [pytest.approx(1410.0 * 60.0 / 1000.0)]  # mL/min -> L/h
    assert half_life.numbers("base_observed").tolist() == [pytest.approx(6.3 / 60.0)]  # min -> h
    assert peak.numbers("base_observed").tolist() == [pytest.approx(13.4)]  # ug/mL -> mg/L
    assert [each.texts("base_unit") for each in (clearance, half_life, peak)] == [("L/h",), ("h",), ("mg/L",)]
    assert [each.texts("panel") for each in (clearance, half_life, peak)] == [
        ("clearance",), ("time",), ("concentration",)
    ]  # fmt: skip
    folds = data.numbers("base_predicted") / data.numbers("base_observed")
    assert folds == pytest.approx(data.numbers("fold_error"), rel=1e-12)


def test_fits_are_hollow_checks_filled_and_drugs_differ_in_marker_and_colour() -> None:
    results = validated("kontny_2013", "fluorouracil_phillips")
    figure = validation.draw(validation.of_results(results, draws=2))
    points = {line.get_gid(): line for line in lines(figure) if line.get_gid()}
    drawn = [each for each in results if each.observation.ordering is None]
    assert set(points) == {each.observation.id for each in drawn}
    assert {each.observation.role for each in drawn} == {"fit", "check"}
    for each in drawn:
        point = points[each.observation.id]
        assert (point.get_markerfacecolor() == "white") == (each.observation.role == "fit")
        if each.case.drug:
            look = DRUG_LOOKS[each.case.drug]
            assert (point.get_color(), point.get_marker()) == (look.colour, look.marker)


def test_an_ordering_has_no_number_to_draw() -> None:
    row = next(case for case in cases() if any(o.ordering for o in case.observations))
    data = validation.of_results(validate_case(row, draws=2), draws=2)
    ordered = [each for each in data.rows() if each["ordering"] is not None]
    assert ordered and all(each.get("base_observed") is None for each in ordered)
    validation.draw(data)


def test_the_picture_of_a_validation_has_its_numbers_beside_it(tmp_path: Path) -> None:
    validation.plot(validated("fluorouracil_phillips"), tmp_path / "v.png", draws=2)
    assert (tmp_path / "v.png").stat().st_size > 0
    assert (tmp_path / "v.csv").read_text().startswith("panel,id,case")


def test_limits_hold_all_points_and_nothing_has_a_floor() -> None:
    low, high = validation._limits([0.0, 0.02, 3.0])
    assert (low, high) == (0.01, 10.0)
    assert validation._limits([]) == pytest.approx((0.01, 10.0))


def test_the_dose_adds_up_and_the_untreated_tumour_doubles() -> None:
    given: dict[str, Any] = {"drug": "cisplatin", "dose_mg": 90.0, "every_days": 14.0, "times": 2}
    data = repeated_sessions.data(**given, until_days=20.0, arms=["iv"])
    patient = library.patient("hcc_reference")
    iv = data.where(kind="course", arm="iv")
    days, dose = iv.numbers("time_d"), iv.numbers("cumulative_dose_mg_per_m2") * float(patient.bsa)
    assert dose == pytest.approx(np.where(days < 14.0, 90.0, 180.0))
    assert data.where(kind="session", arm="iv").numbers("time_d").tolist() == [0.0, 14.0]
    free = data.where(kind="course", arm="untreated")
    grown = free.numbers("viable_volume_ml")
    doubled = 2.0 ** (free.numbers("time_d") / float(patient.tumour.doubling_time))
    assert grown == pytest.approx(grown[0] * doubled, rel=1e-4)
    assert iv.numbers("arterial_flow_percent")[0] == 100.0


def test_what_a_drug_does_not_have_is_left_out() -> None:
    data = repeated_sessions.data(drug=NO_MARROW, times=1, until_days=2.0, arms=["iv"])
    assert not np.isfinite(data.numbers("neutrophils_1e9_per_l")).any()
    panel = repeated_sessions.draw(data).get_axes()[1]
    assert [text.get_text() for text in panel.texts] == ["nothing to show"]


def test_without_a_tumour_there_is_no_flow_to_it() -> None:
    with pytest.warns(pk.PlausibilityWarning):
        scenario = pk.Scenario("hcc_reference", pk.iv("cisplatin", 50)).with_value("patient.tumour.diameter", 0)
    course = pk.simulate(scenario, until_h=1.0, times_h=[0.0, 1.0])
    assert np.isnan(arterial_flow_percent(course)).all()


def test_the_rate_matters_only_where_something_saturates() -> None:
    data = infusion_rate.data(durations_h=(0.1, 1.0, 24.0), courses_h=())
    for route in ("iv", "hepatic_artery"):
        real = data.where(kind="exposure", route=route).numbers("plasma_auc_ng_h_per_ml")
        linear = data.where(kind="exposure", route=f"{route}, unsaturated").numbers("plasma_auc_ng_h_per_ml")
        assert linear == pytest.approx(np.full(3, linear[0]), rel=1e-3)
        assert real[0] > real[1] > real[2] > 0.999 * linear[0]
    assert data.sources and not data.where(kind="exposure").texts("route")[0].endswith("unsaturated")
    infusion_rate.draw(data)


def test_every_number_has_a_cell_with_its_kind() -> None:
    data = evidence_map.data(drugs=["cisplatin", "doxorubicin"])
    for drug in ("cisplatin", "doxorubicin"):
        for path, value, _, origin in library.drug(drug).rows():
            if isinstance(value, str) or origin is None:
                continue
            cell = data.where(part="drug", of=drug, parameter=path)
            assert cell.texts("kind") == (origin.kind,)
            assert cell.numbers("evidence_rows").tolist() == [len(origin.rows)]
    assert set(data.distinct("of")) == {
        "cisplatin", "doxorubicin", "patient", *evidence_map.CARRIERS, evidence_map.EMBOLIC
    }  # fmt: skip
    known = {library.evidence_row(row)["how_read"] for row in library.evidence_ids()} - {"not found"}
    assert known <= set(evidence_map.LETTERS)
    assert set(evidence_map.LETTERS.values()) == set(evidence_map.MEANINGS)


def test_a_cohort_of_one_is_its_own_median() -> None:
    data = virtual_cohort.data(n=1, until_days=3.0, seed=4)
    subject = data.where(kind="subject")
    for name in ("plasma_mg_per_l", "viable_percent"):
        summary = data.where(kind="summary", quantity=name)
        for key in ("median", "low_90", "high_90"):
            assert summary.numbers(key) == pytest.approx(subject.numbers(name))
    virtual_cohort.draw(data)


def test_the_band_holds_nine_of_ten_and_a_cohort_without_marrow_draws() -> None:
    data = virtual_cohort.data(drug=NO_MARROW, n=40, shown=40, until_days=1.0, arm="iv")
    subjects = np.array([data.where(kind="subject", subject=float(i)).numbers("plasma_mg_per_l") for i in range(40)])
    summary = data.where(kind="summary", quantity="plasma_mg_per_l")
    inside = (subjects >= summary.numbers("low_90")) & (subjects <= summary.numbers("high_90"))
    assert inside[:, 5:].mean() == pytest.approx(0.9, abs=0.03)
    assert len(data.where(kind="summary").where(quantity="viable_percent")) > 0
    assert "neutrophils_1e9_per_l" not in data.distinct("quantity")
    virtual_cohort.draw(data)


@cache
def choices() -> FigureData:
    """A small map that holds the library's own values, and a small front."""
    emulsion = library.carrier("lipiodol_emulsion").for_drug("cisplatin")
    half_life = math.log(2.0) / float(emulsion.release.slow_rate)
    depth = float(library.embolic("gelatin_sponge").occlusion)
    return decision.data(drug="cisplatin", dose_mg=100.0, half_lives_h=(half_life, 2.0 * half_life), draws=2,
                         occlusions=(0.5 * depth, depth), doses=(0.5, 1.0), depths=(0.4,))  # fmt: skip


def test_the_map_agrees_with_the_comparison_where_both_look() -> None:
    found = pk.compare("hcc_reference", drug="cisplatin", dose_mg=100, arms=["emulsion_sponge", "beads"])
    wanted = found.row("emulsion_sponge")["necrosis_percent"] - found.row("beads")["necrosis_percent"]
    cells = choices().where(kind="cell")
    here = (cells.numbers("half_life_h") == cells.numbers("half_life_h").min()) & (
        cells.numbers("occlusion") == cells.numbers("occlusion").max()
    )
    assert cells.numbers("difference_percent")[here].tolist() == [pytest.approx(wanted, abs=1e-3)]


def test_nothing_beats_the_front_in_both() -> None:
    points = choices().where(kind="treatment")
    both = list(zip(points.numbers("necrosis_percent"), points.numbers("plasma_auc_ng_h_per_ml"), strict=True))
    for (control, toxicity), on_front in zip(both, points.texts("on_front"), strict=True):
        beaten = any((c >= control and t < toxicity) or (c > control and t <= toxicity) for c, t in both)
        assert beaten == (on_front == "no")


def test_a_tie_is_drawn_where_there_is_one() -> None:
    rows = [{"kind": "cell", "half_life_h": t, "occlusion": o, "difference_percent": 10 * (o - 0.5), "uncertain": False}
            for t in (1.0, 10.0) for o in (0.2, 0.8)]  # fmt: skip
    ties = [{"kind": "tie", "line": 0, "half_life_h": t, "occlusion": 0.5} for t in (1.0, 10.0)]
    figure = decision.draw(FigureData.of_rows([*rows, *ties], caption="A tie.", n="1 patient"))
    (tie,) = figure.get_axes()[0].get_lines()
    assert tie.get_xydata().tolist() == [[1.0, 0.5], [10.0, 0.5]]


def test_the_tornado_is_that_of_the_study_and_its_bars_end_where_it_says() -> None:
    data = sensitivity.data(drug="cisplatin", dose_mg=100.0, most=2, n=8, kinds=["fitted"])
    scenario = pk.Scenario("hcc_reference", pk.chemoembolisation("cisplatin", 100, carrier="lipiodol_emulsion",
                                                                 embolic="gelatin_sponge"))  # fmt: skip
    found = pk.tornado(scenario, "necrosis_percent", kinds=["fitted"])
    alone = data.where(panel="tornado")
    assert alone.texts("path") == tuple(row["path"] for row in found.rows[:2])
    assert alone.numbers("at_high").tolist() == [row["at_high"] for row in found.rows[:2]]
    bars = sensitivity.draw(data).get_axes()[0].patches
    ends = sorted(bar.get_x() + bar.get_width() for bar in bars)
    assert ends == pytest.approx(sorted([*alone.numbers("at_low"), *alone.numbers("at_high")]))
    assert set(data.where(panel="sobol").texts("path")) == set(alone.texts("path"))


@pytest.mark.parametrize(
    ("answer", "data"),
    [
        (validation.answer, lambda: validation.of_results(validated("fluorouracil_phillips"), draws=2)),
        (repeated_sessions.answer, lambda: repeated_sessions.data(times=1, until_days=2.0, arms=["iv"])),
        (
            repeated_sessions.answer,
            lambda: repeated_sessions.data(drug=NO_MARROW, times=1, until_days=2.0, arms=["iv"]),
        ),
        (infusion_rate.answer, lambda: infusion_rate.data(durations_h=(0.1, 2.0), courses_h=())),
        (evidence_map.answer, lambda: evidence_map.data(drugs=["cisplatin"])),
        (virtual_cohort.answer, lambda: virtual_cohort.data(n=1, until_days=1.0)),
        (decision.answer, choices),
        (sensitivity.answer, lambda: sensitivity.data(most=2, n=8, kinds=["fitted"])),
    ],
)
def test_the_answer_is_in_numbers(answer: Callable[[FigureData], str], data: Callable[[], FigureData]) -> None:
    said = answer(data())
    assert said.endswith(".") and "nan" not in said
    assert re.search(r"[0-9]", said)


def test_a_validation_of_nothing_says_so() -> None:
    assert validation.answer(validation.of_results([], draws=2)) == "No published number was looked at."
