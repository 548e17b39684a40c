"""Intervals of a comparison."""

from __future__ import annotations

import numpy as np
import pytest

import pkmodel as pk
from pkmodel.report.table import render
from pkmodel.study.comparison import EFFECT_KEYS, EXPOSURE_KEYS, WIDE_KEYS, Comparison
from pkmodel.study.spread import _scores

DRAWS = 12


@pytest.fixture(scope="module")
def comparison() -> Comparison:
    """Three arms with draws."""
    return pk.compare(drug="doxorubicin", arms=["iv", "bland_embolisation", "beads"], uncertainty=DRAWS)


def test_every_number_has_its_interval(comparison: Comparison) -> None:
    drawn = comparison.manifest["uncertainty"]
    assert drawn["draws"] == DRAWS
    for row, scores in zip(comparison, drawn["rows"], strict=True):
        assert (row["arm"], row["drug"]) == (scores["arm"], scores["drug"])
        for key in (*EXPOSURE_KEYS, *WIDE_KEYS, *EFFECT_KEYS):
            if row[key] is None:
                assert scores[key]["n"] < DRAWS, key
            else:
                found = scores[key]
                assert found["low_90"] <= found["median"] <= found["high_90"], key


def test_the_reference_arm_is_its_own_equal(comparison: Comparison) -> None:
    found = comparison.manifest["uncertainty"]["rows"][0]["plasma_auc_ng_h_per_ml"]
    assert found["ratio_low_90"] == found["ratio_high_90"] == 1.0
    assert found["p_above_reference"] == 0.0


def test_beads_spare_the_plasma_in_every_draw(comparison: Comparison) -> None:
    found = comparison.manifest["uncertainty"]["rows"][2]["plasma_cmax_ng_per_ml"]
    assert found["p_above_reference"] == 0.0
    assert 0.0 < found["ratio_low_90"] <= found["ratio_high_90"] < 1.0


def test_the_table_shows_them(comparison: Comparison) -> None:
    text = render(comparison)
    assert f"UNCERTAINTY ({DRAWS} draws)" in text
    assert max(map(len, text.splitlines())) <= 100
    assert "UNCERTAINTY" not in render(pk.compare(drug="doxorubicin", arms=["iv"]))


def test_scores() -> None:
    values = np.array([1.0, 2.0, 3.0, np.nan])
    found = _scores(values, np.array([1.0, 1.5, 2.0, 1.0]), np.array([2.0, 1.0, 6.0, 1.0]))
    assert (found["median"], found["n"]) == (2.0, 3)
    assert found["p_above_reference"] == pytest.approx(1 / 3)
    assert found["ratio_low_90"] == pytest.approx(0.5) and found["ratio_high_90"] < 2.0
    assert found["assumed_variance_percent"] == pytest.approx(100 * np.var([1.0, 1.5, 2.0, 1.0]) / np.var([1, 2, 3]))
    assert _scores(np.full(3, np.nan), values, values) == {"n": 0}
