"""`pkmodel figures` and `pkmodel compare --plot`: what they write, what they print, and what they refuse."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from pkmodel.cli import main
from pkmodel.report.gallery import gallery


def test_the_list_names_every_figure_and_computes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["figures", "--list", "--out", str(tmp_path / "none")]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == list(gallery())
    assert all(line.endswith("?") for line in lines)
    assert not list(tmp_path.iterdir())


def test_one_figure_in_several_formats(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["figures", "model_diagram", "--out", str(tmp_path / "new"), "--format", "png, svg"]
    assert main(arguments) == 0
    said = capsys.readouterr()
    assert {path.name for path in (tmp_path / "new").iterdir()} == {
        f"model_diagram.{ending}" for ending in ("png", "svg", "csv", "json")
    }
    assert said.out.startswith("model_diagram: ")
    assert "1 of 1: model_diagram" in said.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["figures", "exposures"], "no figure 'exposures'; did you mean 'exposure'"),
        (["figures", "--format", "gif"], "no format 'gif'"),
        (["figures", "--format", "png,png"], "names a format twice"),
        (["compare", "--plot", "arms.gif"], "the ending of a picture is .png, .svg or .pdf, not 'gif'"),
        (["compare", "--plot", "arms"], "the ending of a picture is .png, .svg or .pdf, not ''"),
        (["compare", "--plot", "no/such/folder/arms.png"], "there is no folder no/such/folder"),
        (["compare", "--plot", "arms.png", "--csv", "arms.csv"], "give --csv another name"),
    ],
)
def test_mistakes_are_named_at_once(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    said = capsys.readouterr()
    assert message in said.err
    assert said.out == ""


@pytest.mark.parametrize(
    ("arguments", "arms", "drugs"),
    [
        (["--arms", "beads"], {"beads"}, {"doxorubicin"}),
        (["--arms", "iv,bland_embolisation", "--drug", "doxorubicin=50,cisplatin=100"], {"iv", "bland_embolisation"},
         {"doxorubicin", "cisplatin"}),
        (["--arms", "emulsion", "--patient", "rabbit_vx2", "--dose", "2"], {"emulsion"}, {"doxorubicin"}),
        (["--arms", "bland_embolisation"], {"bland_embolisation"}, {"doxorubicin"}),
    ],
)  # fmt: skip
def test_the_picture_of_ones_own_case(
    tmp_path: Path, arguments: list[str], arms: set[str], drugs: set[str], capsys: pytest.CaptureFixture[str]
) -> None:
    picture = tmp_path / "mine.png"
    assert main(["compare", "--plot", str(picture), *arguments]) == 0
    assert picture.read_bytes().startswith(b"\x89PNG")
    rows = list(csv.DictReader(io.StringIO((tmp_path / "mine.csv").read_text(encoding="utf-8"))))
    assert {row["arm"] for row in rows} == arms
    assert {row["drug"] for row in rows} == drugs
    assert {row["place"] for row in rows} == {"tumour tissue", "served liver", "plasma"}
    assert "wrote" in capsys.readouterr().err
