"""Axes and designs: what a path may take, in which order points come, and that scipy makes the same ones."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import qmc

import pkmodel as pk
from pkmodel.errors import InputError
from pkmodel.study.sweep.axes import read_axes, unit_suffix
from pkmodel.study.sweep.design import make_design

DIAMETER, DOSE = "patient.tumour.diameter", "session.dose"
SCENARIO = pk.Scenario(
    "hcc_reference", pk.chemoembolisation("doxorubicin", 50, carrier="lipiodol_emulsion", embolic="gelatin_sponge")
)


def test_a_grid_goes_through_the_last_axis_first() -> None:
    axes = {DIAMETER: ["2 cm", 40], "carrier": ["beads", "none"], DOSE: {"low": 25, "high": "100 mg", "n": 4}}
    design = make_design(SCENARIO, axes)
    expected = np.array(list(product([20.0, 40.0], [0.0, 1.0], [25.0, 50.0, 75.0, 100.0])))
    assert design.size == 16
    np.testing.assert_allclose(design.rows(0, 16), expected)
    np.testing.assert_array_equal(design.rows(5, 9), design.rows(0, 16)[5:9])
    assert [axis.column for axis in design.axes] == [f"{DIAMETER}_mm", "carrier", f"{DOSE}_mg"]
    assert design.axes[1].labels == ("beads", "none")
    assert design.axes[1].options[1] is None


def test_a_log_range_is_geometric_and_ends_where_it_is_said_to() -> None:
    design = make_design(SCENARIO, {DOSE: {"low": 1, "high": 1000, "n": 4, "scale": "log"}})
    np.testing.assert_allclose(design.rows(0, 4)[:, 0], [1, 10, 100, 1000], rtol=1e-14)
    assert design.rows(0, 4)[[0, 3], 0].tolist() == [1.0, 1000.0]


@pytest.mark.parametrize("kind", ["lhs", "sobol"])
def test_samples_are_those_of_scipy(kind: str) -> None:
    axes = {DIAMETER: {"low": 20, "high": 80}, DOSE: {"low": 10, "high": 100, "scale": "log"}, "carrier": CARRIERS}
    design = make_design(SCENARIO, axes, kind=kind, n=64, seed=9)
    rng = np.random.default_rng(np.random.SeedSequence(9))
    engine = qmc.Sobol(3, scramble=True, seed=rng) if kind == "sobol" else qmc.LatinHypercube(3, seed=rng)
    share = engine.random(64)
    expected = np.column_stack([20 + 60 * share[:, 0], 10 * 10 ** share[:, 1], np.floor(3 * share[:, 2])])
    np.testing.assert_allclose(design.rows(0, 64), expected, rtol=1e-13)
    pieces = np.concatenate([design.rows(0, 7), design.rows(7, 40), design.rows(40, 64)])
    np.testing.assert_array_equal(pieces, design.rows(0, 64))
    np.testing.assert_array_equal(design.rows(0, 64), make_design(SCENARIO, axes, kind=kind, n=64, seed=9).rows(0, 64))
    assert not np.array_equal(design.rows(0, 64), make_design(SCENARIO, axes, kind=kind, n=64, seed=8).rows(0, 64))


CARRIERS = ("beads", "none", "lipiodol_emulsion")


def test_given_points_come_as_file_columns_or_array(tmp_path: Path) -> None:
    file = tmp_path / "points.csv"
    lines = [f"{DIAMETER},catheter,{DOSE}", "2 cm,lobar,50", "60,segmental,25 mg", "20 mm,lobar,25"]
    file.write_text("\n".join(lines), encoding="utf-8")
    design = make_design(SCENARIO, file)
    assert design.kind == "points"
    assert design.rows(0, 3).tolist() == [[20.0, 0.0, 50.0], [60.0, 1.0, 25.0], [20.0, 0.0, 25.0]]
    columns = {DIAMETER: [20, 60, 20], "catheter": ["lobar", "segmental", "lobar"], DOSE: ["50", 25.0, 25]}
    assert make_design(SCENARIO, columns, kind="points").rows(0, 3).tolist() == design.rows(0, 3).tolist()
    array = make_design(SCENARIO, [DIAMETER, DOSE], kind=np.array([[20, 50], [60, 25]]))
    assert array.rows(0, 2).tolist() == [[20.0, 50.0], [60.0, 25.0]]


def test_a_path_that_only_another_carrier_brings_along_is_an_axis_too() -> None:
    plain = pk.Scenario("hcc_reference", pk.hepatic_artery("doxorubicin", 50))
    axes = read_axes(plain, {"carrier": ["none", "beads"], "carrier.prompt_fraction": [0.1, 0.2]})
    assert axes[1].column == "carrier.prompt_fraction"


@pytest.mark.parametrize(
    ("unit", "suffix"),
    [("mm", "_mm"), ("1", ""), ("L/h", "_l_per_h"), ("1/d", "_per_d"), ("L/h/L", "_l_per_h_per_l")],
)
def test_units_stand_in_the_names_of_columns(unit: str, suffix: str) -> None:
    assert unit_suffix(unit) == suffix


TWO_POINTS = [[1.0], [2.0]]
WRONG: list[tuple[Any, dict[str, Any], str]] = [
    ({}, {}, "at least one axis"),
    ({"patient.tumor.diameter": [1]}, {}, "did you mean 'patient.tumour.diameter'"),
    ({DIAMETER: 30}, {}, "expected a list of values"),
    ({DIAMETER: []}, {}, "has no values"),
    ({DIAMETER: ["30 mg"]}, {}, "mg"),
    ({DIAMETER: [30, "3 cm"]}, {}, "a value twice"),
    ({DIAMETER: [-5]}, {}, "legal range"),
    ({DIAMETER: {"low": 20, "hihg": 30}}, {}, "did you mean 'high'"),
    ({DIAMETER: {"low": 20}}, {}, "has no 'high'"),
    ({DIAMETER: {"low": 40, "high": 30, "n": 3}}, {}, "not below"),
    ({DIAMETER: {"low": 20, "high": 30, "scale": "logarithmic", "n": 2}}, {}, "log"),
    ({DIAMETER: {"low": 20, "high": 30}}, {}, "needs its n"),
    ({DIAMETER: {"low": 20, "high": 30, "n": 2.5}}, {}, "not a whole number"),
    ({"embolic.occlusion": {"low": 0, "high": 1, "scale": "log", "n": 2}}, {}, "low above 0"),
    ({DIAMETER: {"low": 20, "high": 30, "n": 3}}, {"kind": "sobol", "n": 8}, "n has no effect"),
    ({DIAMETER: {"low": 20, "high": 30}}, {"kind": "sobol"}, "needs n"),
    ({DIAMETER: {"low": 20, "high": 30}}, {"kind": "sobol", "n": 0}, "legal range"),
    ({DIAMETER: {"low": 20, "high": 30}}, {"kind": "sobol", "n": 2**31}, "more than a Sobol"),
    ({DIAMETER: {"low": 20, "high": 30}}, {"kind": "lhs", "n": 4, "seed": -1}, "seed"),
    ({DIAMETER: [20]}, {"kind": "grid", "n": 4}, "n has no effect on a grid"),
    ({path: {"low": 20, "high": 30, "n": 10_000} for path in (DIAMETER, DOSE, "drug.v1", "drug.v2")}, {}, "too large"),
    ({DIAMETER: [20]}, {"kind": "soboll"}, "did you mean 'sobol'"),
    ({"carrier": ["beads", "beads"]}, {}, "two values called 'beads'"),
    ({"carrier": ["bead"]}, {}, "did you mean 'beads'"),
    ({"carrier.release.times": [[0, 1]]}, {}, "a series cannot be an axis"),
    ({DIAMETER: [20, 30], DOSE: [1]}, {"kind": "points"}, "as many values"),
    ([DIAMETER, DOSE], {"kind": np.array(TWO_POINTS)}, "one column an axis"),
    ({DIAMETER: [20]}, {"kind": np.array(TWO_POINTS)}, "list of its paths"),
    ("no_such.csv", {}, "cannot read"),
]


@pytest.mark.parametrize(("axes", "options", "text"), WRONG)
def test_what_is_wrong_is_said(axes: Any, options: dict[str, Any], text: str) -> None:
    with pytest.raises(InputError, match=text):
        make_design(SCENARIO, axes, **options)


@pytest.mark.parametrize(
    ("content", "text"),
    [("a,b\n", "at least one point"), ("a,a\n1,2\n", "comes twice"), ("a,b\n1,2\n3\n", "point 2 has 1 values")],
)
def test_a_file_of_points_that_is_none(tmp_path: Path, content: str, text: str) -> None:
    (tmp_path / "points.csv").write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match=text):
        make_design(SCENARIO, tmp_path / "points.csv")
