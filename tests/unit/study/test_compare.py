"""Comparison: arms and settings, errors, reasons of what is missing, round trips."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest

import pkmodel as pk
from pkmodel.errors import InputError, ParameterError, RegimenError, UnknownNameError
from pkmodel.study.arms import ARMS
from pkmodel.study.comparison import COUNT_KEYS, EFFECT_KEYS, EXPOSURE_KEYS, WIDE_KEYS, Comparison

pytestmark = pytest.mark.filterwarnings("ignore::pkmodel.errors.PlausibilityWarning")

KEYS = ("arm", "drug", *EXPOSURE_KEYS, *WIDE_KEYS, *EFFECT_KEYS, *COUNT_KEYS)
PAIR = ("iv", "emulsion_sponge")


@pytest.fixture(scope="module")
def comparison() -> Comparison:
    return pk.compare("hcc_reference", drug="doxorubicin")


def test_rows_have_all_keys_in_order(comparison: Comparison) -> None:
    for row in comparison:
        assert sorted(row) == sorted(KEYS)
    assert [row["arm"] for row in comparison] == list(ARMS)
    assert comparison.row("iv")["targeting_index"] == 1.0
    assert comparison.row("iv")["delivered_share_percent"] == 0.0


def test_csv_and_json_round_trip(comparison: Comparison, tmp_path: Path) -> None:
    text = comparison.to_csv(tmp_path / "arms.csv")
    assert (tmp_path / "arms.csv").read_text(encoding="utf-8") == text
    rows = list(csv.DictReader(io.StringIO(text)))
    data = json.loads(comparison.to_json())
    assert len(rows) == len(data["rows"]) == len(comparison)
    for written, kept, row in zip(rows, data["rows"], comparison, strict=True):
        assert kept == row
        for key, value in row.items():
            if value is None:
                assert written[key] == ""
            elif isinstance(value, str):
                assert written[key] == value
            else:
                assert float(written[key]) == value  # every digit
    assert "NaN" not in comparison.to_json()
    assert "Infinity" not in comparison.to_json()
    assert data["manifest"] == comparison.manifest


def test_what_is_missing_has_a_reason(comparison: Comparison) -> None:
    data = json.loads(comparison.to_json())
    stated = {(each["arm"], each["drug"]): each for each in data["reasons"]}
    for row in comparison:
        for key, value in row.items():
            if value is None:
                assert stated[row["arm"], row["drug"]][key]
    bland = stated["bland_embolisation", "doxorubicin"]
    assert bland["targeting_index"] == "no drug given"
    assert bland["tumour_plasma_auc_ratio"] == "no drug given"
    assert bland["neutrophil_nadir_day"] == "no drug given"
    row = comparison.row("bland_embolisation")
    assert (row["neutrophil_nadir_1e9_per_l"], row["ctcae_grade"]) == (
        5.05,
        0,
    )  # the patient's own, untouched
    assert stated["beads", "doxorubicin"]["plasma_auc_inf_ng_h_per_ml"] == "release not complete at the horizon"


def test_too_short_a_follow_up_has_no_reading() -> None:
    short = pk.compare(drug="doxorubicin", arms=PAIR, until_days=10)
    for row in short:
        for key in EFFECT_KEYS[:7]:
            assert row[key] is None
            assert "28 d" in short.reasons[row["arm"], row["drug"]][key]
        assert row["tumour_auc_ug_h_per_g"] > 0.0


def test_settings_reach_the_arms_that_have_the_path(comparison: Comparison) -> None:
    found = pk.compare(
        drug="doxorubicin",
        arms=("iv", "emulsion", "beads"),
        settings={"carrier.prompt_fraction": 0.9, "patient.tumour.diameter": "50 mm"},
    )
    inputs = found.manifest["inputs"]
    assert inputs["patient.tumour.diameter"]["value"] == 50.0
    assert inputs["carrier.beads.prompt_fraction"] == {"value": 0.9, "unit": "1", "kind": "user"}
    assert inputs["carrier.lipiodol_emulsion.prompt_fraction"]["value"] == 0.9
    base = comparison.row("beads")
    assert found.row("beads")["plasma_cmax_ng_per_ml"] > 10.0 * base["plasma_cmax_ng_per_ml"]
    untouched = pk.compare(drug="doxorubicin", arms=PAIR, settings={"embolic.gelatin_sponge.half_life": 5})
    iv = comparison.row("iv")["plasma_auc_ng_h_per_ml"]
    assert untouched.row("iv")["plasma_auc_ng_h_per_ml"] == pytest.approx(iv, rel=1e-6)


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        ({"drug": "doxorubicine"}, UnknownNameError, "did you mean 'doxorubicin'"),
        ({"drug": "doxorubicin", "arms": ["ivv"]}, UnknownNameError, "iv"),
        ({"drug": "doxorubicin", "arms": []}, ParameterError, "arms"),
        ({"drug": "doxorubicin", "dose_mg": -5}, ParameterError, "legal range"),
        ({"drug": {"doxorubicin": 50}, "dose_mg": 5}, ParameterError, "dose_mg"),
        ({"drug": "doxorubicin", "patient": "nobody"}, UnknownNameError, "hcc_reference"),
        ({"drug": "doxorubicin", "patient": "rabbit_vx2"}, ParameterError, "human one"),
        ({"drug": "doxorubicin", "catheter": "lobbar"}, UnknownNameError, "lobar"),
        ({"drug": "doxorubicin", "settings": {"patient.tumour.diametre": 5}}, UnknownNameError, "diameter"),
        (
            {"drug": "doxorubicin", "arms": ["iv"], "settings": {"embolic.occlusion": 0.5}},
            InputError,
            "embolic",
        ),
        ({"drug": "doxorubicin", "until_days": 0}, ParameterError, "until_days"),
        ({"drug": "doxorubicin", "until_days": float("nan")}, ParameterError, "until_days"),
        ({"drug": "doxorubicin", "rtol": 1.0}, ParameterError, "rtol"),
        (
            {"drug": "doxorubicin", "settings": {"patient.bsa": np.array([1.7, 1.8])}},
            ParameterError,
            "one patient",
        ),
        ({"drug": "doxorubicin", "until_days": 0.001}, RegimenError, "follow up longer"),
    ],
)
def test_errors_name_what_is_wrong(arguments: dict[str, object], error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        pk.compare(**arguments)  # type: ignore[arg-type]


def test_row_by_name(comparison: Comparison) -> None:
    with pytest.raises(UnknownNameError, match="beads"):
        comparison.row("bead")
    both = pk.compare(drug={"doxorubicin": 50, "cisplatin": 50}, arms=["iv"])
    assert both.row("iv", "cisplatin")["drug"] == "cisplatin"
    with pytest.raises(UnknownNameError):
        both.row("iv")


def test_the_reference_arm_is_computed_but_not_listed() -> None:
    found = pk.compare(drug="cisplatin", arms=["beads"])
    assert [row["arm"] for row in found] == ["beads"]
    assert found.row("beads")["targeting_index"] is not None


def test_a_carrier_without_a_product_is_assumed() -> None:
    product = pk.compare(drug="doxorubicin", arms=["beads"]).manifest["inputs"]["carrier.beads.product"]
    none = pk.compare(drug="cisplatin", arms=["beads"]).manifest["inputs"]["carrier.beads.product"]
    assert product["value"] == "yes"
    assert none["value"] == "no"
    assert pk.compare(drug="cisplatin", arms=["beads"]).assumed["beads", "cisplatin"]
