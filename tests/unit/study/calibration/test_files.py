"""The calibration's configuration against the library, and results written into files."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from linear_stage_model import linear_stage

from pkmodel.errors import FileError, RunError
from pkmodel.inputs.cases import observations
from pkmodel.report import calibration_files, calibration_table
from pkmodel.study.calibration.calibrate import Calibrated, calibrate
from pkmodel.study.calibration.files import Calibration, Shared, differences, load_calibration, write
from pkmodel.study.calibration.fit import fit_stage, leave_one_study_out, profile

ROOT = Path(__file__).parents[4]
CONFIG = ROOT / "experiments" / "01_calibration" / "config.toml"
TABLE = '[{name}]\nvalue = 1.0\nunit = "1"\nrange = [0.1, 10.0]\nkind = "assumed"\nnote = "before"\n\n'


@pytest.fixture(scope="module")
def calibration() -> Calibration:
    return load_calibration(CONFIG)


def test_every_observation_of_role_fit_is_used_once_or_has_its_reason(calibration: Calibration) -> None:
    used = [datum.id for stage in calibration.stages for datum in stage.data]
    assert len(used) == len(set(used))
    assert not set(used) & set(calibration.unused)
    assert {each.id for _, each in observations() if each.role == "fit"} == set(used) | set(calibration.unused)


def test_every_target_is_a_parameter_of_the_library(calibration: Calibration) -> None:
    targets = [t for stage in calibration.stages for free in stage.free for t in free.targets]
    targets += [t for shared in calibration.shares for t in shared.targets]
    for target in targets:
        pattern, _, table = target.partition(":")
        files = sorted(calibration.folder.glob(f"{pattern}.toml"))
        assert files, target
        for file in files:
            place = tomllib.loads(file.read_text(encoding="utf-8"))
            for part in table.split("."):
                place = place[part]
            assert "value" in place, target


def test_a_case_or_an_observation_can_be_left_out() -> None:
    for name in ("MMC026", "mitomycin_milano"):
        stage = next(s for s in load_calibration(CONFIG, without=[name]).stages if s.name == "mitomycin_c")
        assert "MMC026" not in [datum.id for datum in stage.data]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('library = "../../pkmodel/inputs/data"', "library = 3", "must name a folder"),
        ("start = 0.0016", "start = 0.6", "must lie within its range"),
        ('title = "slow release', 'titel = "slow release', "titel"),
        ('rows = ["dox153"]', 'rows = ["dox154"]', "no observation 'dox154'"),
    ],
)
def test_a_wrong_configuration_says_what_is_wrong(tmp_path: Path, old: str, new: str, message: str) -> None:
    text = CONFIG.read_text(encoding="utf-8").replace(
        "../00_disposition/config.toml", (ROOT / "experiments" / "00_disposition" / "config.toml").as_posix()
    )
    assert old in text
    file = tmp_path / "config.toml"
    file.write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises((FileError, RunError), match=message):
        load_calibration(file)


def test_committed_values_of_two_stages_are_found_again(calibration: Calibration) -> None:
    """The whole calibration runs in the acceptance script; beads and potency's shared value do not fit in here."""
    quick = replace(calibration, stages=tuple(s for s in calibration.stages if s.name in ("mitomycin_c", "beads")))
    result = calibrate(quick, quick=True)
    assert [fit.stage.name for fit in result.fits] == ["beads", "mitomycin_c"]
    # another machine's arithmetic ends a fit elsewhere within its tolerance, far below the standard errors
    assert list(differences(result.fits, calibration.folder, tolerance=1e-4)) == []
    assert result.dispositions["mitomycin_c"].after.largest < 0.05


def small_library(folder: Path) -> None:
    (folder / "drugs").mkdir()
    names = ("a", "b", "c")
    (folder / "drugs" / "x.toml").write_text("".join(TABLE.format(name=name) for name in names), encoding="utf-8")


def test_decided_and_flat_values_are_written_with_their_kind(tmp_path: Path) -> None:
    small_library(tmp_path)
    fit = fit_stage(linear_stage(np.array([[1.0, 0.0], [1.0, 0.0]]), [2.0, 2.2], sigma=0.3, spread=0.8))
    shares = (Shared(("a",), ("drugs/x:c",), "as a"),)
    assert [place for place, _, _ in differences([fit], tmp_path, shares)] == ["x:a", "x:c"]
    write([fit], tmp_path, shares)
    table = tomllib.loads((tmp_path / "drugs" / "x.toml").read_text(encoding="utf-8"))
    a, b, c = (table[name] for name in "abc")
    assert a["kind"] == "fitted"
    assert a["rows"] == ["row0", "row1"]
    assert a["value"] == pytest.approx(fit.parameters[0].value, rel=1e-7)
    assert a["range"] == pytest.approx(fit.parameters[0].interval, rel=1e-2)
    assert a["se"] == pytest.approx(fit.parameters[0].standard_error, rel=1e-2)
    assert (b["kind"], b["value"]) == ("assumed", 1.0)
    assert "say nothing" in b["note"]
    assert c["value"] == pytest.approx(a["value"])
    assert c["kind"] == "assumed"
    assert list(differences([fit], tmp_path, shares)) == []


def test_values_known_only_together_stay_assumed(tmp_path: Path) -> None:
    small_library(tmp_path)
    fit = fit_stage(linear_stage(np.array([[1.0, 1.0]]), [4.0], sigma=0.05, spread=0.8))
    write([fit], tmp_path)
    table = tomllib.loads((tmp_path / "drugs" / "x.toml").read_text(encoding="utf-8"))
    assert table["a"]["kind"] == table["b"]["kind"] == "assumed"
    assert table["a"]["value"] * table["b"]["value"] == pytest.approx(4.0, rel=0.02)
    assert "alone" in table["a"]["note"]


def test_text_and_csv_name_every_parameter_and_study() -> None:
    fit = fit_stage(linear_stage(np.array([[1.0, 0.0], [1.0, 0.0]]), [2.0, 2.2], sigma=0.3, spread=0.8))
    profiles = tuple(profile(fit, name) for name in "ab")
    left_out = tuple(leave_one_study_out(fit.stage, fit.position))
    result = Calibrated((fit,), {}, {"line": profiles}, {"line": left_out})
    text = calibration_table.render(result)
    for word in ("d0", "study1", "decided", "nothing", "rank 1", "leave one study out", "without study0"):
        assert word in text
    lines = calibration_table.to_csv(result).splitlines()
    assert lines[0].startswith("stage,parameter,prior")
    assert [line.split(",")[1] for line in lines[1:]] == ["a", "b"]


def test_writing_goes_with_all_data_only(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        calibration_files.run(CONFIG, ["--write", "--quick"])
    assert "no --quick" in capsys.readouterr().err
