"""The command `pkmodel sensitivity`: table, CSV, exit codes."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np
import pytest

from pkmodel.cli import main
from pkmodel.errors import RunError
from pkmodel.study import sensitivity

Capture = pytest.CaptureFixture[str]
FEW = ("--kind", "fitted", "--metric", "tumour_plasma_auc_ratio")


def printed(capsys: Capture, *arguments: str) -> str:
    """Run the command, which must succeed, and return what it prints."""
    assert main(["sensitivity", *arguments]) == 0
    return capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--arms", "iv"], ["(tornado): tumour_plasma_auc_ratio of iv, ", "at low", "swing"]),
        (["--arms", "emulsion_sponge,iv", "--method", "morris", "--n", "2"], ["ln tumour_plasma", "mu*", "sigma"]),
        (["--arms", "iv", "--method", "sobol", "--n", "2", "--seed", "3"], ["first 95 %", "standard deviation"]),
        (["--arms", "emulsion_sponge,iv", "--how", "beats", "--n", "2"], ["chance that emulsion_sponge", "2 draws"]),
    ],
)
def test_the_table_says_what_was_asked(capsys: Capture, options: list[str], words: list[str]) -> None:
    text = printed(capsys, *options, *FEW, "--rows", "2")
    for each in (*words, "90 % range" if "tornado" in text else "inputs", "fitted"):
        assert each in text
    assert "more inputs" in text
    assert max(map(len, text.splitlines())) <= 140


def test_csv_holds_every_input(capsys: Capture, tmp_path: Path) -> None:
    file = tmp_path / "tornado.csv"
    printed(capsys, "--arms", "iv", *FEW, "--csv", str(file), "--rows", "1")
    text = printed(capsys, "--arms", "iv", *FEW, "--csv", "-")
    assert file.read_text(encoding="utf-8") == text
    rows = list(csv.DictReader(io.StringIO(text)))
    assert {row["kind"] for row in rows} == {"fitted"}
    swings = [float(row["swing"]) for row in rows]
    assert swings == sorted(swings, reverse=True) and np.all(np.isfinite(swings))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ([], "--arms emulsion_sponge,iv"),
        (["--arms", "iv,beads,emulsion"], "name the arm asked about"),
        (["--arms", "iv", "--metric", "necrosis"], "did you mean 'necrosis_percent'"),
        (["--arms", "iv", "--method", "sobol", "--n", "100"], "power of two"),
        (["--arms", "iv", "--kind", "guessed"], "kind of parameter"),
        (["--arms", "iv", "--fixed", "patient.liver.flo"], "patient.liver.flow"),
        (["--arms", "iv", "--how", "beats"], "another arm"),
        (["--arms", "iv", "--rows", "0"], "--rows 0"),
        (["--arms", "iv", "--until", "-3 d"], "until"),
        (["--arms", "iv", "--method", "guess"], "invalid choice"),
    ],
)
def test_mistakes_exit_with_2(capsys: Capture, options: list[str], words: str) -> None:
    assert main(["sensitivity", *options]) == 2
    out, err = capsys.readouterr()
    assert out == "" and words in err and err.count("\n") == 1


def test_failed_runs_exit_with_3_and_print_nothing(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RunError("1 of 3 runs failed")

    monkeypatch.setattr(sensitivity, "tornado", fail)
    assert main(["sensitivity", "--arms", "iv"]) == 3
    assert capsys.readouterr().out == ""
