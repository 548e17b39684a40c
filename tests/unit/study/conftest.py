"""Let the tests of this folder import `quick_sweep`, and make its chunks small or its computation free."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two names among the axes and blocks of one lane: chunks of two points."""
    from pkmodel.study.sweep import plan

    monkeypatch.setattr(plan, "BLOCK", 1)


@pytest.fixture
def fast(monkeypatch: pytest.MonkeyPatch, small_chunks: None) -> None:
    """Chunks are small and cost nothing."""
    from quick_sweep import quick

    from pkmodel.study.sweep import run

    monkeypatch.setattr(run, "compute", quick)
