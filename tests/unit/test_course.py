"""`simulate` and its course: what is refused, shapes, populations, files, failures."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import pkmodel as pk
from pkmodel.course import Trajectory, default_times
from pkmodel.errors import ParameterError, RegimenError, RunError, UnknownNameError
from pkmodel.exposure.observables import NAMES
from pkmodel.inputs.regimen import Regimen
from pkmodel.model import body
from pkmodel.model.body import Batch, Run

TIMES = [0.0, 0.1, 1.0, 6.0, 24.0]


def scenario(amount: object = 50.0, drug: str = "doxorubicin") -> pk.Scenario:
    """A dose by the artery in the reference patient."""
    return pk.Scenario("hcc_reference", pk.hepatic_artery(drug, amount))


@pytest.fixture(scope="module")
def one() -> Trajectory:
    """One subject."""
    return pk.simulate(scenario(), until_h=24, times_h=TIMES)


@pytest.fixture(scope="module")
def three() -> Trajectory:
    """Three subjects."""
    return pk.simulate(scenario(np.array([0.0, 25.0, 50.0])), until_h=24, times_h=TIMES)


def poison(monkeypatch: pytest.MonkeyPatch, lane: int) -> None:
    """Make the central volume of one lane NaN in whatever is lowered next."""

    def broken(runs: list[Run]) -> list[Batch]:
        batches = body.lower(runs)
        for batch in batches:
            batch.problem.drug.v1[:, batch.lanes == lane] = np.nan
        return batches

    monkeypatch.setattr("pkmodel.solve.runs.lower", broken)


@pytest.mark.parametrize("bad", [{}, {"until_h": 24, "until_days": 1}])
def test_a_horizon_is_given_once(bad: dict[str, float]) -> None:
    with pytest.raises(ParameterError, match="until_h or as until_days, one of them"):
        pk.simulate(scenario(), **bad)


@pytest.mark.parametrize("bad", [0, -1.0, np.nan, np.inf, 1e7])
def test_a_horizon_is_positive_and_finite(bad: float) -> None:
    with pytest.raises(ParameterError, match=r"until_h = .* h; legal range \(0, 1e\+06\] h"):
        pk.simulate(scenario(), until_h=bad)


@pytest.mark.parametrize("bad", ["24", True, None, [24]])
def test_a_horizon_is_a_number(bad: object) -> None:
    with pytest.raises(ParameterError):
        pk.simulate(scenario(), until_days=bad)


@pytest.mark.parametrize("bad", [0, 1e-13, 0.1, True, "1e-5", np.nan])
def test_a_tolerance_is_in_range(bad: object) -> None:
    with pytest.raises(ParameterError, match="rtol"):
        pk.simulate(scenario(), until_h=24, rtol=bad)


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ([], "at least one time"),
        ([[1.0, 2.0]], "at least one time"),
        (["soon"], "number"),
        ([1.0, np.nan], r"times_h\[1\] = nan h"),
        ([-1.0, 2.0], r"times_h\[0\] = -1 h; legal range \[0, 24\] h"),
        ([1.0, 25.0], r"times_h\[1\] = 25 h"),
        ([1.0, 3.0, 3.0], r"times_h\[2\] = 3 h does not come after 3 h"),
        ([3.0, 1.0], "times must increase"),
    ],
)
def test_times_that_make_no_sense_are_named(bad: object, message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        pk.simulate(scenario(), until_h=24, times_h=bad)


def test_what_is_no_scenario_is_refused() -> None:
    with pytest.raises(ParameterError, match="expected a Scenario, got str"):
        pk.simulate("hcc_reference", until_h=24)  # type: ignore[arg-type]


def test_days_are_hours() -> None:
    days = pk.simulate(scenario(), until_days=1, times_h=TIMES)
    hours = pk.simulate(scenario(), until_h=24, times_h=TIMES)
    assert days.until_h == hours.until_h == 24.0
    np.testing.assert_array_equal(days.concentration_mg_per_l(), hours.concentration_mg_per_l())


def test_default_times_run_from_nothing_to_the_horizon() -> None:
    for until in (1.0, 24.0, 672.0):
        times = default_times(until)
        assert times[0] == 0.0
        assert times[-1] == until
        assert np.all(np.diff(times) > 0.0)
        assert 150 < times.size < 210
    found = pk.simulate(scenario(), until_h=48)
    np.testing.assert_array_equal(found.times_h, default_times(48.0))
    assert np.all(np.isfinite(found.concentration_mg_per_l()))


def test_one_subject_has_courses_of_one_axis(one: Trajectory) -> None:
    assert one.size == 1
    assert one.drugs == ("doxorubicin",)
    for name in NAMES:
        assert one.concentration_mg_per_l(name).shape == (len(TIMES),)
    for values in one.columns().values():
        assert values.shape == (len(TIMES),)
    assert isinstance(one.exposure()["plasma_cmax_ng_per_ml"], float)
    assert one.failures == {}
    assert one.balance_error < 1e-9


def test_a_population_has_lanes_last(one: Trajectory, three: Trajectory) -> None:
    assert three.size == 3
    for values in three.columns().values():
        assert values.shape == (len(TIMES), 3)
    plasma = three.concentration_mg_per_l()
    np.testing.assert_array_equal(plasma[:, 0], 0.0)
    np.testing.assert_allclose(plasma[:, 2], one.concentration_mg_per_l(), rtol=2e-5)
    np.testing.assert_allclose(2 * plasma[:, 1], plasma[:, 2], rtol=2e-5)
    assert three.exposure()["plasma_cmax_ng_per_ml"].shape == (3,)


def test_concentrations_are_amounts_over_volumes(one: Trajectory) -> None:
    amounts = one.solution.sampled[10, 0, : len(TIMES), 0]
    np.testing.assert_allclose(
        one.concentration_mg_per_l() * float(pk.drug("doxorubicin").v1), amounts, rtol=1e-12
    )


def test_amounts_and_eliminated_make_the_dose(one: Trajectory) -> None:
    there = one.solution.amounts.sum() + one.solution.eliminated.sum() + one.solution.depot.sum()
    assert there == pytest.approx(50.0, rel=1e-12)


def test_places_are_named(one: Trajectory) -> None:
    assert np.all(one.depot_mg("core") == 0.0)
    assert np.all(one.patent_fraction("tumour") == 1.0)
    assert np.all(one.arterial_flow_l_per_h("core") > 0.0)
    assert np.all(one.hypoxia("core") == 0.0)
    for ask in (one.depot_mg, one.arterial_flow_l_per_h, one.patent_fraction, one.hypoxia):
        with pytest.raises(UnknownNameError, match="no region 'kidney'"):
            ask("kidney")


def test_response_of_the_tumour_and_the_blood(one: Trajectory) -> None:
    viable, dead = one.viable_volume_ml(), one.necrotic_volume_ml()
    assert viable[0] == pytest.approx(float(one.scenario.patient.tumour.volume_ml), rel=1e-12)
    assert np.all(np.diff(dead) > 0.0)
    np.testing.assert_allclose(one.necrosis_fraction(), dead / (dead + viable), rtol=1e-15)
    assert one.neutrophils_1e9_per_l()[0] == pytest.approx(one.scenario.patient.marrow.neutrophils, rel=1e-9)


@pytest.mark.filterwarnings("ignore::pkmodel.errors.PlausibilityWarning")
def test_no_tumour_no_necrosis() -> None:
    patient = pk.patient("hcc_reference").with_value("tumour.diameter", 0.0)
    found = pk.simulate(pk.Scenario(patient, pk.iv("cisplatin", 50.0)), until_h=24, times_h=TIMES)
    assert np.all(np.isnan(found.necrosis_fraction()))
    assert np.all(np.isnan(found.neutrophils_1e9_per_l()))


def test_several_drugs_are_asked_by_name() -> None:
    regimen = pk.iv("cisplatin", 50.0) + pk.iv("doxorubicin", 20.0)
    found = pk.simulate(pk.Scenario("hcc_reference", regimen), until_h=24, times_h=TIMES)
    assert found.drugs == ("cisplatin", "doxorubicin")
    with pytest.raises(UnknownNameError, match="name one: cisplatin, doxorubicin"):
        found.concentration_mg_per_l()
    with pytest.raises(UnknownNameError, match="did you mean 'cisplatin'"):
        found.exposure("cisplatine")
    alone = pk.simulate(pk.Scenario("hcc_reference", pk.iv("cisplatin", 50.0)), until_h=24, times_h=TIMES)
    plasma = alone.concentration_mg_per_l()
    np.testing.assert_allclose(
        found.concentration_mg_per_l(drug="cisplatin"), plasma, rtol=2e-5, atol=2e-9 * plasma.max()
    )
    assert "plasma_cisplatin_mg_per_l" in found.columns()


def test_no_treatment_is_a_course_too() -> None:
    found = pk.simulate(
        pk.Scenario("hcc_reference", Regimen(())), until_days=163.4, times_h=[0.0, 163.4 * 24.0]
    )
    assert found.drugs == ()
    assert found.viable_volume_ml()[1] == pytest.approx(2 * found.viable_volume_ml()[0], rel=1e-6)
    assert np.all(found.concentration_mg_per_l() == 0.0)
    assert found.exposure().drug == "none"


def test_a_file_has_a_row_a_time(one: Trajectory, tmp_path: Path) -> None:
    one.to_csv(tmp_path / "course.csv")
    with open(tmp_path / "course.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    assert rows[0] == ["time_h", *one.columns()]
    assert all(name.endswith(("_mg_per_l", "_ml", "_1e9_per_l", "_h")) for name in rows[0])
    assert len(rows) == 1 + len(TIMES)
    plasma = [float(row[rows[0].index("plasma_mg_per_l")]) for row in rows[1:]]
    np.testing.assert_array_equal(plasma, one.concentration_mg_per_l())


def test_a_population_s_file_names_the_subject(three: Trajectory, tmp_path: Path) -> None:
    three.to_csv(tmp_path / "course.csv")
    with open(tmp_path / "course.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 3 * len(TIMES)
    assert [row["subject"] for row in rows[:: len(TIMES)]] == ["0", "1", "2"]
    last = float(rows[-1]["tumour_mg_per_l"])
    assert last == three.concentration_mg_per_l("tumour")[-1, 2]


def test_what_is_missing_is_an_empty_cell(tmp_path: Path) -> None:
    found = pk.simulate(scenario(drug="cisplatin"), until_h=24, times_h=TIMES)
    found.to_csv(tmp_path / "course.csv")
    with open(tmp_path / "course.csv", newline="", encoding="utf-8") as file:
        assert {row["neutrophils_1e9_per_l"] for row in csv.DictReader(file)} == {""}


def test_data_frame(one: Trajectory, three: Trajectory) -> None:
    pytest.importorskip("pandas")
    frame = one.to_pandas()
    assert frame.index.name == "time_h"
    np.testing.assert_array_equal(frame["plasma_mg_per_l"], one.concentration_mg_per_l())
    many = three.to_pandas()
    assert many.index.names == ["subject", "time_h"]
    np.testing.assert_array_equal(
        many.loc[1]["tumour_mg_per_l"], three.concentration_mg_per_l("tumour")[:, 1]
    )


def test_labelled_array(one: Trajectory, three: Trajectory) -> None:
    pytest.importorskip("xarray")
    data = one.to_xarray()
    assert data["plasma_mg_per_l"].attrs["units"] == "mg/L"
    assert data["time_h"].attrs["units"] == "h"
    many = three.to_xarray()
    assert many["viable_volume_ml"].dims == ("time_h", "subject")
    np.testing.assert_array_equal(many["plasma_mg_per_l"].values, three.concentration_mg_per_l())


def test_a_failed_lane_is_listed_and_the_others_stay(
    three: Trajectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    poison(monkeypatch, 1)
    found = pk.simulate(three.scenario, until_h=24, times_h=TIMES)
    assert found.failures == {1: "non-finite values at the smallest step"}
    plasma = found.concentration_mg_per_l()
    assert np.all(np.isnan(plasma[:, 1]))
    np.testing.assert_allclose(plasma[:, 2], three.concentration_mg_per_l()[:, 2], rtol=2e-5)
    exposure = found.exposure()
    assert np.isnan(exposure["plasma_cmax_ng_per_ml"][1])
    assert exposure.reasons["plasma_cmax_ng_per_ml"][1].startswith("non-finite")
    assert np.isfinite(found.balance_error)


def test_the_only_lane_s_failure_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    poison(monkeypatch, 0)
    with pytest.raises(RunError, match="run failed: non-finite values"):
        pk.simulate(scenario(), until_h=24)


@pytest.mark.filterwarnings("ignore::pkmodel.errors.PlausibilityWarning")
def test_a_dose_into_a_blocked_artery_is_refused() -> None:
    shut = pk.embolic("sace_4").with_values({"occlusion": 1.0, "selectivity": 1.0, "half_life": np.inf})
    regimen = pk.embolisation(shut) + pk.hepatic_artery("cisplatin", 50.0, at_h=24.0)
    blocked = pk.Scenario("hcc_reference", regimen)
    with pytest.raises(RegimenError, match=r"^0 % of the arterial flow.*nothing can be injected"):
        pk.simulate(blocked, until_h=48)
    doses = blocked.with_value("embolic.occlusion", np.array([1.0, 0.5]))
    found = pk.simulate(doses, until_h=48, times_h=[48.0])
    assert list(found.failures) == [0]
    assert "nothing can be injected" in found.failures[0]


def test_tolerance_is_kept(one: Trajectory) -> None:
    fine = pk.simulate(scenario(), until_h=24, times_h=TIMES, rtol=1e-9)
    assert fine.rtol == 1e-9
    for name in ("plasma", "tumour", "served_liver"):
        np.testing.assert_allclose(
            one.concentration_mg_per_l(name)[1:], fine.concentration_mg_per_l(name)[1:], rtol=2e-5
        )


def test_a_course_is_not_changed_by_its_reader(one: Trajectory) -> None:
    assert replace(one, rtol=1e-3).solution is one.solution
    with pytest.raises(AttributeError):
        one.until_h = 3.0  # type: ignore[misc]
