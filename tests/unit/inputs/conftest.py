"""Small TOML files, and library records to change."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pkmodel.inputs import library
from pkmodel.inputs.drug import Drug
from pkmodel.inputs.patient import Patient


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that writes text or bytes into a file and returns its path."""

    def writer(content: str | bytes, name: str = "mine.toml") -> Path:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return writer


@pytest.fixture
def doxorubicin() -> Drug:
    """Return the library's doxorubicin."""
    return library.drug("doxorubicin")


@pytest.fixture
def patient() -> Patient:
    """Return the reference patient."""
    return library.patient("hcc_reference")
