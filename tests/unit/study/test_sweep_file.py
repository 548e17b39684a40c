"""Sweep files and the command that runs them."""

from __future__ import annotations

import csv
import os
import sys
from pathlib import Path

import numpy as np
import pytest

import pkmodel as pk
from pkmodel.cli import main
from pkmodel.commands.sweep import reporter
from pkmodel.errors import InputError
from pkmodel.report.starter import SWEEP
from pkmodel.study.sweep.sweep_file import load_sweep_file

HEAD = """
schema = 1
patient = "hcc_reference"
until = "1 d"
[[session]]
at = "0 d"
give = [{ drug = "doxorubicin", dose = "50 mg", route = "hepatic_artery" }]
"""
AXES = '[axes]\n"patient.tumour.diameter" = ["2 cm", 40]\ncatheter = ["lobar", "mine.toml"]\n'
MINE = 'schema = 1\nbase = "segmental"\nname = "mine"\n'
Capture = pytest.CaptureFixture[str]


def written(folder: Path, text: str) -> Path:
    (folder / "mine.toml").write_text(MINE, encoding="utf-8")
    path = folder / "sweep.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_file_says_what_the_call_would(tmp_path: Path) -> None:
    path = written(tmp_path, HEAD + AXES + '[output]\nmetrics = ["plasma_cmax_ng_per_ml"]\n')
    scenario, axes, arguments = load_sweep_file(path)
    table = pk.sweep(scenario, axes, **arguments)
    assert table["catheter"].tolist() == ["lobar", "mine", "lobar", "mine"]
    assert table.columns[-3] == "plasma_cmax_ng_per_ml"
    course = pk.simulate(scenario.with_values({"patient.tumour.diameter": 40}), until_days=1)
    np.testing.assert_allclose(table["plasma_cmax_ng_per_ml"][2], course.exposure()["plasma_cmax_ng_per_ml"], rtol=2e-5)


def test_nested_tables_mean_what_quoted_paths_mean(tmp_path: Path) -> None:
    quoted = '[axes]\n"patient.tumour.diameter" = { low = 20, high = 30, n = 2 }\n"patient.bsa" = [1.7]\n'
    nested = "[axes.patient]\nbsa = [1.7]\n[axes.patient.tumour]\ndiameter = { low = 20, high = 30, n = 2 }\n"
    one, other = (load_sweep_file(written(tmp_path, HEAD + text))[1] for text in (quoted, nested))
    assert one == other


def test_points_of_a_file_beside_it(tmp_path: Path) -> None:
    (tmp_path / "points.csv").write_text("patient.tumour.diameter,session.dose\n20 mm,50\n3 cm,25\n", encoding="utf-8")
    path = written(tmp_path, HEAD + '[design]\nkind = "csv"\nfile = "points.csv"\n')
    scenario, axes, arguments = load_sweep_file(path)
    table = pk.sweep(scenario, axes, **arguments, outputs=["plasma_cmax_ng_per_ml"])
    assert table["patient.tumour.diameter_mm"].tolist() == [20.0, 30.0]
    assert table["session.dose_mg"].tolist() == [50.0, 25.0]


def test_a_cohort_of_a_file_is_in_every_point(tmp_path: Path) -> None:
    axes = '[axes]\n"session.dose" = [25, 50]\n'
    path = written(tmp_path, HEAD + axes + '[cohort]\nn = 30\nseed = 4\n[output]\nmetrics = ["clearance_l_per_h"]\n')
    scenario, axes, arguments = load_sweep_file(path)
    assert scenario.size == 30
    table = pk.sweep(scenario, axes, **arguments)
    drawn = pk.cohort(scenario_of(tmp_path), n=30, seed=4)
    single = pk.simulate(drawn, until_days=1).exposure()["clearance_l_per_h"]
    np.testing.assert_allclose(table["clearance_l_per_h_median"], [np.median(single)] * 2, rtol=1e-12)
    mixed = pk.cohort(scenario_of(tmp_path), n=30, seed=4, child_pugh={"A": 0.5, "B": 0.5})
    table = pk.sweep(mixed, {"session.dose": [25]}, until_days=1, outputs=["clearance_l_per_h"])
    single = pk.simulate(mixed, until_days=1).exposure()["clearance_l_per_h"]
    np.testing.assert_allclose(table["clearance_l_per_h_p95"], [np.quantile(single, 0.95)], rtol=1e-12)


def scenario_of(folder: Path) -> pk.Scenario:
    return pk.load_scenario(written(folder, HEAD))[0]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "has no [axes]"),
        (AXES + "[cohort]\nseed = 1\n", "has no n"),
        (AXES + "[cohort]\nn = 0\n", "[cohort]"),
        ("axes = 3\n", "must be a table"),
        (AXES + "[desing]\n", "did you mean 'design'"),
        (AXES + "[design]\nseed = 3\n", "seed has no effect"),
        (AXES + '[design]\nkind = "csv"\nfile = "x"\n', "takes its 'file' alone"),
        (AXES + '[design]\nfile = "x"\n', "kind 'csv'"),
        (AXES + '[output]\nmetrics = "all"\n', "metrics must be a list"),
        (AXES + '[output]\nsubjects = "yes"\n', "true or false"),
        (AXES + '[output]\ncourses_at = ["1 kg"]\n', "kg"),
        ('[axes]\n"patient.bsa" = [1]\n[axes.patient]\nbsa = [1]\n', "twice"),
    ],
)
def test_what_is_wrong_in_a_file_is_said_with_its_name(tmp_path: Path, text: str, says: str) -> None:
    path = written(tmp_path, text + HEAD if text.startswith("axes =") else HEAD + text)
    with pytest.raises(InputError, match=r"sweep\.toml") as caught:
        load_sweep_file(path)
    assert says in str(caught.value)


def test_the_command_writes_tables_and_says_how_far_it_is(tmp_path: Path, capsys: Capture) -> None:
    path, out = written(tmp_path, HEAD + AXES), tmp_path / "out"
    command = ["sweep", str(path), "--out", str(out), "--jobs", "1"]
    assert main(command) == 0
    printed, said = capsys.readouterr()
    assert printed.splitlines() == [str(out / "results.csv"), str(out / "results.npz")]
    assert said.startswith("pkmodel: 4 of 4 points, ")
    with open(out / "results.csv", encoding="utf-8", newline="") as file:
        assert [row["status"] for row in csv.DictReader(file)] == ["ok"] * 4
    assert main(command) == 2
    assert "is not empty" in capsys.readouterr().err
    assert main([*command, "--resume"]) == 0
    capsys.readouterr()
    assert main(["sweep", "status", str(out)]) == 0
    assert capsys.readouterr().out.startswith(f"{out}: 4 of 4 points, 1 of 1 chunks\n4 ok, 0 refused, 0 failed\n")
    chunk = next((out / "chunks").iterdir())
    os.truncate(chunk, 100)
    assert main(["sweep", "status", str(out)]) == 2
    printed, said = capsys.readouterr()
    assert f"{chunk} is damaged" in printed
    assert "1 damaged files" in said


def test_rows_without_result_are_exit_code_3(tmp_path: Path, capsys: Capture) -> None:
    path = written(tmp_path, HEAD + '[axes]\n"drug.cl_total" = ["1 L/h", "130 L/h"]\n')
    assert main(["sweep", str(path), "--out", str(tmp_path / "out"), "--jobs", "1"]) == 3
    assert "1 of 2 rows were refused and 0 failed" in capsys.readouterr().err
    assert (tmp_path / "out" / "results.csv").is_file()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["sweep"], "SWEEP.toml"),
        (["sweep", "x.toml"], "--out DIR"),
        (["sweep", "no.toml", "--out", "x"], "no file 'no.toml'"),
        (["sweep", "status"], "name the folder"),
        (["sweep", "a.toml", "b.toml", "--out", "x"], "one sweep file"),
        (["sweep", "status", "nowhere"], "not the folder of a sweep"),
    ],
)
def test_wrong_commands(words: list[str], says: str, capsys: Capture) -> None:
    assert main(words) == 2
    assert says in capsys.readouterr().err


def test_a_scheduler_needs_its_extra(tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    path = written(tmp_path, HEAD + AXES)
    assert main(["sweep", str(path), "--out", str(tmp_path / "out"), "--scheduler", "tcp://127.0.0.1:1"]) == 2
    assert "install pkmodel[cluster]" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_the_starter_is_a_sweep(tmp_path: Path, capsys: Capture) -> None:
    path = tmp_path / "sweep.toml"
    assert main(["new", "sweep", str(path)]) == 0
    assert f"next: pkmodel sweep {path} --out" in capsys.readouterr().err
    assert path.read_text(encoding="utf-8") == SWEEP
    scenario, axes, arguments = load_sweep_file(path)
    assert pk.sweep(scenario, axes, **arguments, outputs=["necrosis_percent"]).counts["ok"] == 24


def test_progress_without_a_terminal_is_a_line_now_and_then(capsys: Capture) -> None:
    clock = iter([0.0, 10.0, 31.0, 40.0, 62.0])
    report = reporter("points", now=lambda: next(clock))
    for done in (100, 200, 410, 500, 1000):
        report(done, 1000)
    lines = capsys.readouterr().err.splitlines()
    assert lines == [
        "pkmodel: 410 of 1,000 points, 10 a second, 59 s left",
        "pkmodel: 1,000 of 1,000 points, 15 a second",
    ]
