"""Release profiles and similarity factors published in others' test material (see data/CREDITS.md)."""

from __future__ import annotations

import csv
import json
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest

from pkmodel.laws import release

DATA = Path(__file__).parent / "data"
MIN_PER_H = 60.0


def profiles() -> list[dict[str, str]]:
    with (DATA / "release_profiles.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_release_profiles() -> None:
    """Weibull (mean dissolution time as scale) and first-order release; 98 values to 2e-5 points."""
    checked = 0
    for row in profiles():
        u = (float(row["time_min"]) - float(row["tlag_min"])) / MIN_PER_H
        if row["model"] == "weibull_mdt":
            scale, shape = float(row["mdt_min"]) / MIN_PER_H, float(row["beta"])
            law = release.law_from_parameters("weibull", scale=scale, shape=shape)
        else:
            law = release.law_from_parameters("first_order", rate=float(row["k_per_min"]) * MIN_PER_H)
        found = float(row["fmax_percent"]) * float(release.cumulative(law, u))
        assert found == pytest.approx(float(row["expected_percent"]), abs=2e-5, rel=0.0), row
        checked += 1
    assert checked == 98


def batches() -> dict[str, np.ndarray]:
    """Percent released by batch, (units, times)."""
    units = defaultdict(list)
    with (DATA / "data_dissolution_shah1998.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            units[row["batch"]].append([float(row[f"percent_{m}min"]) for m in (30, 60, 90, 180)])
    return {batch: np.array(values) for batch, values in units.items()}


def test_similarity_factors() -> None:
    """f1 and f2 of five batches against the reference batch; 10 values."""
    expected = json.loads((DATA / "release_similarity.json").read_text(encoding="utf-8"))
    units = batches()
    assert {len(values) for values in units.values()} == {12}
    reference = units[expected["reference_batch"]]
    checked = 0
    for batch, value in expected["expected_f2"].items():
        assert release.f2(reference, units[batch]) == pytest.approx(
            value, abs=expected["f2_atol"], rel=0.0
        ), batch
        checked += 1
    for batch, value in expected["expected_f1"].items():
        assert release.f1(reference, units[batch]) == pytest.approx(
            value, rel=expected["f1_rtol"], abs=0.0
        ), batch
        checked += 1
    assert checked == 10
