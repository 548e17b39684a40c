"""Writing figures: files, manifests, stored numbers that are used only while nothing has changed; tables of numbers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pkmodel.errors import FileError, InputError, UnknownNameError
from pkmodel.report import gallery
from pkmodel.report.figures import style
from pkmodel.report.figures.data import FigureData

SMALL = {"arms": ["iv"], "points": False}


def files(written: gallery.Written) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in written.paths}


def test_a_rerun_reads_what_is_stored_and_writes_the_same(tmp_path: Path) -> None:
    first = gallery.write("concentrations", tmp_path, ("png", "svg", "pdf"), settings=SMALL)
    before = files(first)
    assert set(before) == {f"concentrations.{ending}" for ending in ("png", "svg", "pdf", "csv", "json")}
    again = gallery.write("concentrations", tmp_path, ("png", "svg"), settings=SMALL)
    assert (first.stored, again.stored) == (False, True)
    assert files(again).items() <= before.items()
    fresh = gallery.write("concentrations", tmp_path, (), settings=SMALL, fresh=True)
    assert not fresh.stored
    assert files(fresh).items() <= before.items()
    assert len(before["concentrations.png"]) < 200_000


def test_the_manifest_says_how_a_figure_came_about(tmp_path: Path) -> None:
    gallery.write("concentrations", tmp_path, (), settings={"arms": ["hepatic_artery_bolus"]})
    manifest = json.loads((tmp_path / "concentrations.json").read_text(encoding="utf-8"))
    assert manifest["settings"]["arms"] == ["hepatic_artery_bolus"]
    assert manifest["settings"]["patient"] == "hcc_reference"  # what was not set is said, too
    assert {"pkmodel", "python", "numpy", "scipy", "matplotlib"} == set(manifest["versions"])
    assert "Raoul" in manifest["sources"]["dox110"]
    assert {"caption", "n", "seed", "digest", "inputs", "question", "answer"} <= set(manifest)


def test_stored_numbers_are_not_used_when_anything_has_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stored(**settings: Any) -> bool:
        return gallery.write("concentrations", tmp_path, (), settings={**SMALL, **settings}).stored

    assert not stored()
    assert stored()
    assert stored(patient="hcc_reference")  # the default, said aloud
    assert not stored(dose_mg=20.0)
    assert not stored()
    table = tmp_path / "concentrations.csv"
    table.write_text(table.read_text(encoding="utf-8").replace("model", "edited", 1), encoding="utf-8")
    assert not stored()
    (tmp_path / "concentrations.json").write_text("[]", encoding="utf-8")
    assert not stored()
    monkeypatch.setattr(gallery, "_code", lambda: "other code")
    assert not stored()


@pytest.mark.parametrize(
    ("arguments", "settings", "message"),
    [
        (("exposures",), {}, "no figure 'exposures'; did you mean 'exposure'"),
        (("release", ".", ("gif",)), {}, "no format 'gif'"),
        (("release", "."), {"drg": "cisplatin"}, "no setting of figure release: 'drg'; did you mean 'drug'"),
        (("release", "."), {"patient": object()}, "settings of a figure"),
    ],
)
def test_wrong_input_is_named_before_anything_is_computed(
    tmp_path: Path, arguments: tuple[Any, ...], settings: dict[str, Any], message: str
) -> None:
    name, *rest = arguments
    with pytest.raises(InputError, match=message):
        gallery.write(name, tmp_path, *rest[1:], settings=settings)
    assert not list(tmp_path.iterdir())


def test_the_table_keeps_what_it_is_given() -> None:
    rows = [{"arm": "iv", "n": 1, "x": float("nan"), "ok": True}, {"arm": None, "n": 2.5, "more": "a,b\n"}]
    table = FigureData.of_rows(rows, caption="c", n="n", sources=("a", "b", "a"))
    assert table.sources == ("a", "b")
    assert table.columns["x"] == (None, None)
    assert table.columns["ok"] == ("yes", None)
    assert table.to_csv().splitlines()[0] == "arm,n,x,ok,more"
    again = FigureData.from_csv(table.to_csv(), caption="c", n="n")
    assert again.columns == table.columns
    assert next(table.where(arm="iv").rows())["n"] == 1.0
    assert table.numbers("n").tolist() == [1.0, 2.5]
    with pytest.raises(UnknownNameError, match="did you mean 'arm'"):
        table.where(arms="iv")
    with pytest.raises(UnknownNameError, match="no column 'time'"):
        table.numbers("time")
    with pytest.raises(FileError, match="line 3 has 1 cells for 2 columns"):
        FigureData.from_csv("a,b\n1,2\n3\n", caption="", n="")
    with pytest.raises(ValueError, match="unequal length"):
        FigureData({"a": (1.0,), "b": ()}, "", "")


def test_zeros_stand_on_a_marked_floor() -> None:
    axes = style.new_figure().subplots()
    style.log_axis(axes, "y", floor=0.1, top=100.0)
    assert style.floored([0.0, 0.01, 5.0], 0.1).tolist() == [0.1, 0.1, 5.0]
    assert axes.get_yscale() == "log"
    assert any(text.get_text() == "≤ 0.1" for text in axes.texts)
    assert any(line.get_ydata()[0] == 0.1 for line in axes.lines)


def test_looks_differ_in_more_than_colour() -> None:
    for looks in (style.ARM_LOOKS, style.DRUG_LOOKS, style.CAUSE_LOOKS):
        assert len({each.colour for each in looks.values()}) == len(looks)
        assert len({each.marker for each in looks.values()}) == len(looks)
        assert len({str(each.line) for each in looks.values()}) >= len(looks) - 1
    own = style.look("my_arm", number=7)
    assert own.label == "my arm"


def test_print_settings_do_not_leak() -> None:
    import matplotlib

    before = dict(matplotlib.rcParams)
    gallery.entry("model_diagram").draw(gallery.entry("model_diagram").data())
    assert dict(matplotlib.rcParams) == before
