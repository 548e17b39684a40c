"""What the README prints runs as printed."""

from __future__ import annotations

import runpy
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HELPER = runpy.run_path(str(ROOT / "tests" / "acceptance" / "readme_commands.py"))


def test_the_two_commands() -> None:
    first, second = HELPER["command"](1), HELPER["command"](2)
    assert first.endswith("pkmodel compare")
    assert "venv" in first
    assert "pytest" in second
    assert "[test]" in second


def test_a_command_is_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    broken = tmp_path / "README.md"
    broken.write_text("```sh\none\ntwo\n```\n")
    monkeypatch.setitem(HELPER["command"].__globals__, "README", broken)
    with pytest.raises(SystemExit, match="2 lines"):
        HELPER["command"](1)


def test_ten_lines_of_python(capsys: pytest.CaptureFixture[str]) -> None:
    (block,) = HELPER["blocks"]("python")
    assert len(block.strip().splitlines()) <= 10
    exec(compile(block, "README.md", "exec"), {})
    assert "emulsion_sponge" in capsys.readouterr().out


def test_the_entry_point_is_the_command_line() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["scripts"] == {"pkmodel": "pkmodel.cli:main"}
