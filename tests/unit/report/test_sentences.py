"""The sentences below the table stay true whichever rows there are."""

from __future__ import annotations

from typing import Any

import pytest

from pkmodel.exposure.metrics import NO_DRUG
from pkmodel.report.sentences import sentences
from pkmodel.study.comparison import Comparison


def row(arm: str, **values: Any) -> dict[str, Any]:
    """A row with the keys the sentences read."""
    base = {
        "arm": arm,
        "drug": "x",
        "tumour_auc_ug_h_per_g": 10.0,
        "plasma_auc_ng_h_per_ml": 100.0,
        "targeting_index": 1.0,
        "necrosis_percent": 5.0,
        "shapley_ischaemia_percent": 0.0,
        "shapley_drug_percent": 100.0,
        "shapley_retention_percent": 0.0,
    }
    return {**base, **values}


def said(*rows: dict[str, Any]) -> list[str]:
    """What is said about rows; those without drug are marked by their AUC of zero."""
    reasons = {(r["arm"], r["drug"]): {} if r["tumour_auc_ug_h_per_g"] else {"targeting_index": NO_DRUG} for r in rows}
    manifest = {"inputs": {"session.1.at": {"value": 0.0}, "session.2.at": {"value": 1008.0}}}
    return list(sentences(Comparison(rows, reasons, {}, manifest)))


BLAND = row("bland_embolisation", tumour_auc_ug_h_per_g=0.0, necrosis_percent=60.0, targeting_index=None)
EMULSION = row(
    "emulsion_sponge",
    tumour_auc_ug_h_per_g=50.0,
    plasma_auc_ng_h_per_ml=75.0,
    targeting_index=6.67,
    necrosis_percent=64.2,
    shapley_ischaemia_percent=88.2,
    shapley_drug_percent=9.3,
    shapley_retention_percent=2.5,
)


def test_against_iv_and_bland() -> None:
    assert said(row("iv"), EMULSION, BLAND) == [
        "Highest tumour exposure to x: emulsion sponge, 5.00 times that of iv at 0.750 times its plasma AUC.",
        "Most necrosis at day 70: emulsion sponge, 64.2 %, against 60.0 % by bland embolisation.",
        "Of its log kill 88 % is owed to ischaemia, 9 % to the drug, 2 % to drug held back by the blocked flow.",
    ]


def test_without_iv() -> None:
    assert said(EMULSION)[:2] == [
        "Tumour exposure to x: emulsion sponge, AUC 50.0 µg·h/g, targeting index 6.67.",
        "Necrosis at day 70: emulsion sponge, 64.2 %.",
    ]


def test_iv_is_the_best() -> None:
    assert said(row("iv"), {**EMULSION, "tumour_auc_ug_h_per_g": 1.0})[0] == (
        "Highest tumour exposure to x: iv, AUC 10.0 µg·h/g."
    )


def test_bland_is_the_best() -> None:
    assert "Most necrosis at day 70: bland embolisation, 60.0 %." in said(row("iv"), BLAND)


def test_bland_alone_says_nothing_about_drug() -> None:
    assert said(BLAND)[0].startswith("Necrosis at day 70: bland embolisation")


@pytest.mark.parametrize("missing", ["necrosis_percent", "shapley_drug_percent", "tumour_auc_ug_h_per_g"])
def test_missing_numbers_are_not_spoken_of(missing: str) -> None:
    text = " ".join(said(row("iv", **{missing: None})))
    assert "None" not in text
    assert ("log kill" in text) == (missing == "tumour_auc_ug_h_per_g")
