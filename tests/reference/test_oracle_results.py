"""The random scenarios cover what they claim, and the committed oracle results belong to the present sources."""

from __future__ import annotations

import importlib
import json
import sys
from datetime import date
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).resolve().parent
RECOMPUTED = 10
if str(HERE) not in sys.path:
    sys.path.insert(0, str(HERE))
scenarios = importlib.import_module("scenarios")
make = importlib.import_module("make_oracle_results")


def test_scenarios_cover_what_they_claim() -> None:
    drawn = [scenarios.scenario(i) for i in range(scenarios.COUNT)]
    doses = [d for s in drawn for session in s["sessions"] for d in session["doses"]]
    assert {s["arm"] for s in drawn} == set(scenarios.ARMS)
    assert {s["patient"] for s in drawn} == set(scenarios.PATIENTS)
    assert {s["catheter"] for s in drawn} == set(scenarios.CATHETERS)
    assert {len(s["sessions"]) for s in drawn} == {1, 2, 3, 4}
    laws = {d["carrier"]["release"]["law"] for d in doses if isinstance(d["carrier"], dict)}
    assert laws == set(scenarios.LAWS)
    assert {n for d in doses for n in d["drugs"]} == set(scenarios.DRUGS)
    assert {0.0, 1 / 3600, None} <= {d["duration_h"] for d in doses}
    assert scenarios.scenario(7) == drawn[7]


def stored() -> dict[str, Any]:
    """The committed results."""
    found: dict[str, Any] = json.loads(make.TARGET.read_text(encoding="utf-8"))
    return found


def test_committed_results_belong_to_these_sources() -> None:
    found = stored()
    assert found["sources_sha256"] == make.source_digests()
    assert found["library_sha256"] == make.library_digest(), "library values changed: run make_oracle_results.py"
    assert len(found["scenarios"]) == scenarios.COUNT


def test_a_rotating_ten_of_them_come_out_again() -> None:
    """Every day another ten of the two hundred: every twentieth, from the day's number on."""
    entries = stored()["scenarios"]
    every = scenarios.COUNT // RECOMPUTED
    for index in range(date.today().toordinal() % every, scenarios.COUNT, every):
        _, fresh = make.run(index)
        old = {k: v for k, v in entries[str(index)].items() if k != "seconds"}
        _same(json.loads(json.dumps({k: v for k, v in fresh.items() if k != "seconds"})), old)


def _same(new: Any, old: Any) -> None:
    """Equal structures, numbers to 1e-7 of the value or 1e-11 of the largest of the list."""
    if isinstance(old, dict):
        assert new.keys() == old.keys()
        for key in old:
            _same(new[key], old[key])
    elif isinstance(old, list) and old and isinstance(old[0], float):
        scale = max(abs(x) for x in old)
        assert new == pytest.approx(old, rel=1e-7, abs=1e-11 * scale)
    elif isinstance(old, list):
        for a, b in zip(new, old, strict=True):
            _same(a, b)
    else:
        assert new == old
