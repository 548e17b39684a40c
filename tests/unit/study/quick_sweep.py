"""A sweep that costs nothing, for tests of folders, chunks and workers."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np

import pkmodel as pk

DIAMETER, AUC = "patient.tumour.diameter", "tumour_auc_ug_h_per_g"
SCENARIO = pk.Scenario("hcc_reference", pk.hepatic_artery("doxorubicin", 50))
AXES = {DIAMETER: [20.0, 30.0, 40.0, 50.0, 60.0, 70.0, 80.0], "catheter": ["lobar", "segmental"]}
OPTIONS: dict[str, Any] = {"until_days": 1, "outputs": [AUC]}
FINAL = ("results.csv", "results.npz")


def quick(task: dict[str, Any]) -> dict[str, Any]:
    """Stands for `compute`: numbers that follow from the rows, at no cost."""
    rows = np.asarray(task["rows"])
    values = np.sin(rows.sum(axis=1, keepdims=True) * 1e3)
    return {"values": values, "status": np.zeros(len(rows), dtype=np.uint8), "reasons": [""] * len(rows), "courses": {}}


def slow(task: dict[str, Any]) -> dict[str, Any]:
    """Stands for `compute` and leaves time to be killed."""
    time.sleep(0.2)
    return quick(task)


def sweep(out: Path, **options: Any) -> pk.SweepResult:
    """The sweep of the tests: seven chunks of two points, where chunks are small."""
    return pk.sweep(SCENARIO, AXES, out=out, **{**OPTIONS, **options})


def final(out: Path) -> list[bytes]:
    """Bytes of the final files."""
    return [(out / name).read_bytes() for name in FINAL]


def computed(out: Path) -> int:
    """How many chunks were computed in a folder so far."""
    return (out / "log.txt").read_text(encoding="utf-8").count("computed chunk")
