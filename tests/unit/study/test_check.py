"""`compare(check=True)`: every number against the same comparison with a tighter tolerance."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

import pkmodel as pk
from pkmodel.report.table import render
from pkmodel.study.comparison import EFFECT_KEYS, EXPOSURE_KEYS, WIDE_KEYS, Comparison, achieved_errors


def checked(**options: float) -> Comparison:
    """A small comparison that was checked."""
    return pk.compare(drug="cisplatin", dose_mg=100, arms=["iv", "emulsion_sponge"], check=True, **options)


def test_every_number_of_every_row_has_its_error() -> None:
    found = checked()
    check = found.manifest["check"]
    assert check["rtol"] == pytest.approx(1e-7)
    assert [(row["arm"], row["drug"]) for row in check["rows"]] == [(row["arm"], row["drug"]) for row in found]
    for row, errors in zip(found, check["rows"], strict=True):
        for key in (*EXPOSURE_KEYS, *WIDE_KEYS, *EFFECT_KEYS):
            assert (errors[key] is None) == (row[key] is None), key
    every = [v for errors in check["rows"] for key, v in errors.items() if key not in ("arm", "drug") and v is not None]
    assert check["largest"] == max(every)
    assert 0.0 < check["largest"] < 1e-5


def test_a_coarser_run_has_larger_errors() -> None:
    assert checked(rtol=1e-3).manifest["check"]["largest"] > 10 * checked().manifest["check"]["largest"]


def test_the_table_says_so_and_only_when_asked() -> None:
    found = checked()
    largest = found.manifest["check"]["largest"]
    assert f"Checked at rtol 1e-07: largest error of any number {largest:.0e}" in render(found)
    assert "Checked" not in render(pk.compare(drug="cisplatin", dose_mg=100, arms=["iv"]))


def test_errors_are_relative_and_a_number_that_comes_or_goes_is_infinitely_wrong() -> None:
    fine = checked()
    rows = [dict(row) for row in fine]
    rows[0]["plasma_auc_ng_h_per_ml"] *= 1.02
    found = achieved_errors(replace(fine, rows=tuple(rows)), fine)
    assert found["largest"] == pytest.approx(0.02)
    assert (found["arm"], found["key"]) == ("iv", "plasma_auc_ng_h_per_ml")
    rows[1]["tumour_cmax_ug_per_g"] = None
    found = achieved_errors(replace(fine, rows=tuple(rows)), fine)
    assert math.isinf(found["largest"])
    assert (found["arm"], found["key"]) == ("emulsion_sponge", "tumour_cmax_ug_per_g")


def test_a_small_number_counts_against_its_column() -> None:
    fine = checked()
    rows = [dict(row) for row in fine]
    iv, other = rows
    iv["retained_share_percent"], other["retained_share_percent"] = 0.0, 50.0
    exact = replace(fine, rows=(dict(iv), dict(other)))
    iv["retained_share_percent"] = 1e-6
    found = achieved_errors(replace(fine, rows=(iv, other)), exact)
    assert found["rows"][0]["retained_share_percent"] == pytest.approx(1e-6 / (1e-4 * 50.0))
