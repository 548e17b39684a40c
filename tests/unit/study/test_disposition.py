"""Reference curves against textbook forms, and the files of the disposition fits."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pkmodel.errors import FileError, InputError, ParameterError, UnknownNameError
from pkmodel.inputs import library
from pkmodel.inputs.rewrite import literal, rewrite_parameter
from pkmodel.study.disposition import (
    Case,
    Deviation,
    FreeParameter,
    fit_disposition,
    plasma_curve,
)
from pkmodel.study.disposition_files import fit_table, load_cases, run, write_fit, written_values
from pkmodel.study.reference_curve import LinearCurve, SaturableCurve

TIMES = np.array([0.1, 0.5, 1.0, 2.0, 5.0])
CASE = Case(
    drug="cisplatin",
    curve=LinearCurve(cl=34.6, v1=19.8),
    rows=("CDDP008",),
    dose_mg=180.0,
    duration_h=1.0,
    window_h=(0.1, 3.0),
    free={"v1": FreeParameter(19.8, (17.0, 24.0), "so.")},
    title="one compartment",
)
CONFIG = """schema = 1
drugs = "."
[cisplatin]
title = "one compartment"
rows = ["CDDP008"]
dose_mg = 180.0
duration_h = 1.0
window_h = [0.1, 3.0]
curve = { cl = 34.6, v1 = 19.8 }
[cisplatin.free]
v1 = { start = 19.8, range = [17.0, 24.0], note = "so." }
"""


@pytest.fixture(scope="module")
def fit():
    return fit_disposition(library.drug("cisplatin"), CASE)


def test_one_compartment_is_the_textbook_exponential() -> None:
    curve, k = LinearCurve(cl=10.0, v1=20.0), 0.5
    bolus = curve.concentration(TIMES, dose_mg=40.0, duration_h=0.0)
    assert bolus == pytest.approx(2.0 * np.exp(-k * TIMES))
    infused = curve.concentration(TIMES, dose_mg=40.0, duration_h=1.0)
    peak = 4.0 * (1.0 - np.exp(-k))
    expected = np.where(TIMES <= 1.0, 4.0 * (1.0 - np.exp(-k * TIMES)), peak * np.exp(-k * (TIMES - 1.0)))
    assert infused == pytest.approx(expected)
    assert curve.half_lives() == pytest.approx([np.log(2) / k])


def test_three_compartments_conserve_the_dose() -> None:
    curve = LinearCurve(cl=53.3, v1=17.7, q2=58.7, v2=1830.0, q3=21.8, v3=71.6)
    size, rate = curve.exponentials()
    assert (size / rate).sum() == pytest.approx(1.0 / 53.3)
    assert size.sum() == pytest.approx(1.0 / 17.7)
    assert (size > 0).all()


def test_a_compartment_without_volume_or_exchange_is_absent() -> None:
    assert LinearCurve(cl=10.0, v1=20.0, q2=0.0, v2=5.0).half_lives().size == 1
    assert LinearCurve(cl=10.0, v1=20.0, q3=3.0, v3=5.0).half_lives().size == 2


def test_a_saturable_curve_obeys_its_integrated_equation() -> None:
    curve = SaturableCurve(vmax=1390.0, km=5.57, v1=30.6)
    times, start = TIMES[:4], 720.0 / 30.6
    c = curve.concentration(times, dose_mg=720.0, duration_h=0.0)
    assert start - c + 5.57 * np.log(start / c) == pytest.approx(1390.0 / 30.6 * times, rel=1e-7)


def test_a_saturable_infusion_is_refused() -> None:
    with pytest.raises(ParameterError, match=r"duration_h = 0.25 h; legal range \[0, 0\] h"):
        SaturableCurve(vmax=1.0, km=1.0, v1=1.0).concentration(TIMES, dose_mg=1.0, duration_h=0.25)


def test_times_hold_both_ends_and_the_end_of_the_infusion() -> None:
    times = CASE.times_h()
    assert (times[0], times[-1]) == (0.1, 3.0)
    assert 1.0 in times
    assert (np.diff(times) > 0).all()


def test_the_largest_deviation_knows_its_time() -> None:
    found = Deviation(np.array([1.0, 2.0, 3.0]), np.array([0.01, -0.04, 0.02]))
    assert (found.largest, found.where_h) == (0.04, 2.0)


def test_a_curve_made_by_the_model_gives_its_parameters_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """The fit finds known volumes from a curve that the model itself can reach."""
    truth = {"v1": 22.0, "q2": 30.0, "v2": 15.0}
    free = {path: FreeParameter(value * 1.3, (1.0, 100.0), "so.") for path, value in truth.items()}
    case = replace(CASE, drug="mitomycin_c", dose_mg=20.0, duration_h=0.1, window_h=(0.1, 4.0), free=free)
    drug = library.drug("mitomycin_c")
    curve = plasma_curve(drug.with_values(truth), case)
    monkeypatch.setattr(Case, "reference", lambda self: curve)
    found = fit_disposition(drug, case)
    assert found.values == pytest.approx(truth, rel=1e-5)
    assert found.after.largest < 1e-6 < found.before.largest


def test_lanes_give_the_curves_of_single_drugs() -> None:
    drug = library.drug("cisplatin")
    both = plasma_curve(drug.with_value("v1", np.array([18.0, 22.0])), CASE)
    for lane, volume in enumerate((18.0, 22.0)):
        assert both[:, lane] == pytest.approx(plasma_curve(drug.with_value("v1", volume), CASE), rel=1e-7)


def test_ranges_follow_the_value_in_proportion(fit) -> None:
    low, high = fit.ranges()["v1"]
    assert (low / fit.values["v1"], high / fit.values["v1"]) == pytest.approx((17.0 / 19.8, 24.0 / 19.8))


def test_the_table_names_drug_parameter_and_deviation(fit) -> None:
    table = fit_table([fit])
    declared = f"(declared {library.drug('cisplatin').extraction:g})"
    for part in ("cisplatin", "v1", "19.8", "largest deviation", "dose/AUC 34.6 L/h", declared):
        assert part in table


def test_writing_changes_the_fitted_tables_only(fit, tmp_path: Path) -> None:
    file = tmp_path / "cisplatin.toml"
    before = library.library_bytes("drugs", "cisplatin").decode()
    file.write_text(before.replace("[q2]\n", "# kept\n[q2]\n"), encoding="utf-8")
    write_fit(fit, file)
    text = file.read_text(encoding="utf-8")
    old, new = tomllib.loads(before), tomllib.loads(text)
    was, now = old.pop("v1"), new.pop("v1")
    assert repr(old) == repr(new)  # nan is not equal to itself
    assert "# kept" in text
    assert now["value"] == pytest.approx(fit.values["v1"], rel=1e-7)
    assert now["kind"] == "fitted"
    assert (now["rows"], now["plausible"]) == (was["rows"], was["plausible"])
    assert now["note"] == written_values(fit)["v1"]["note"]
    write_fit(fit, file)
    assert file.read_text(encoding="utf-8") == text
    assert library.drug(file).v1 == now["value"]


def test_a_key_keeps_its_place_and_a_new_one_goes_to_the_end() -> None:
    text = '[a]\nvalue = 1.0\nunit = "L"\n\n# of b\n[b.c]\nvalue = 2.0'
    changed = rewrite_parameter(text, "a", {"value": 3.0, "note": 'say "x"', "range": (1.0, 4.0)}, where="f")
    assert changed.startswith(
        '[a]\nvalue = 3.0\nunit = "L"\nnote = "say \\"x\\""\nrange = [1.0, 4.0]\n\n# of b'
    )
    assert tomllib.loads(changed)["a"]["note"] == 'say "x"'
    last = rewrite_parameter(text, "b.c", {"kind": "fitted"}, where="f")
    assert tomllib.loads(last)["b"]["c"] == {"value": 2.0, "kind": "fitted"}
    assert literal(2) == "2.0"


def test_a_missing_or_double_table_is_refused() -> None:
    with pytest.raises(FileError, match=r"f has no table \[v1\]"):
        rewrite_parameter("[v2]\nvalue = 1.0\n", "v1", {"value": 2.0}, where="f")
    with pytest.raises(FileError, match=r"f has more than one table \[v1\]"):
        rewrite_parameter("[v1]\n[v1]\n", "v1", {"value": 2.0}, where="f")


def test_a_configuration_is_read(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text(CONFIG, encoding="utf-8")
    cases, folder = load_cases(path)
    assert folder == tmp_path
    assert cases == {"cisplatin": CASE}


WRONG = [
    ('drugs = "."', "", FileError, "'drugs' must name the folder"),
    ("[cisplatin", "[cisplatine", UnknownNameError, "did you mean 'cisplatin'"),
    ('"CDDP008"', '"CDDP00"', UnknownNameError, "CDDP00"),
    ("dose_mg = 180.0", "dose = 180.0", FileError, "unknown key 'dose'"),
    ("dose_mg = 180.0\n", "", FileError, "lacks dose_mg"),
    ("cl = 34.6", "clearance = 34.6", FileError, "cannot be read"),
    ("v1 = { start", "v9 = { start", FileError, "no parameter 'v9' of a drug"),
    ("start = 19.8", "start = 29.8", FileError, "within its range"),
    ("[0.1, 3.0]", "[3.0, 0.1]", FileError, "window_h must be two times"),
]


@pytest.mark.parametrize(("old", "new", "error", "message"), WRONG)
def test_a_wrong_configuration_says_what_is_wrong(
    old: str, new: str, error: type[Exception], message: str, tmp_path: Path
) -> None:
    path = tmp_path / "config.toml"
    assert old in CONFIG
    path.write_text(CONFIG.replace(old, new), encoding="utf-8")
    with pytest.raises(error, match=message):
        load_cases(path)


def test_a_run_prints_and_writes_only_when_asked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config, file = tmp_path / "config.toml", tmp_path / "cisplatin.toml"
    config.write_text(CONFIG, encoding="utf-8")
    before = library.library_bytes("drugs", "cisplatin")
    file.write_bytes(before)
    run(config)
    assert "largest deviation" in capsys.readouterr().out
    assert file.read_bytes() == before
    run(config, ["--write"])
    assert file.read_bytes() != before
    with pytest.raises(InputError, match="the only one is --write"):
        run(config, ["--wriet"])
