"""What the README prints runs as printed."""

from __future__ import annotations

import re
import runpy
import shlex
import tomllib
from pathlib import Path

import pytest

from pkmodel.cli import _parser, main
from pkmodel.study.sweep.design import make_design
from pkmodel.study.sweep.sweep_file import load_sweep_file

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


def shell_lines() -> list[str]:
    """Every line of every shell block."""
    return [line for block in HELPER["blocks"]("sh") for line in block.strip().splitlines()]


# What needs more than one machine: tests/acceptance/studies_dask.py runs it with workers of its own.
CLUSTER = ("pip install '.[cluster]'", "dask scheduler ", "dask worker ", "pkmodel sweep million.toml ")


def test_the_million_points_are_a_sweep(tmp_path: Path) -> None:
    first, more = HELPER["blocks"]("toml")
    file = tmp_path / "million.toml"
    file.write_text(first.partition("[axes]")[0] + more, encoding="utf-8")
    scenario, axes, further = load_sweep_file(file)
    assert (further["n"], further["design"]) == (2**20, "sobol")
    assert make_design(scenario, axes, kind="sobol", n=8).size == 8
    [command] = [line for line in shell_lines() if line.startswith(CLUSTER[-1])]
    assert callable(_parser().parse_args(shlex.split(command)[1:]).command)


def test_no_block_is_skipped(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Blocks are Python (executed above), plain text, or shell: the two roads of acceptance, or pkmodel itself."""
    text = HELPER["README"].read_text(encoding="utf-8")
    fences = re.findall(r"^```(.*)$", text, re.MULTILINE)
    assert set(fences[::2]) <= {"python", "sh", "text", "toml"}
    assert set(fences[1::2]) == {""}
    roads = (HELPER["command"](1), HELPER["command"](2))  # executed by tests/acceptance/one_road.sh
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sweep.toml").write_text(HELPER["blocks"]("toml")[0], encoding="utf-8")
    for line in shell_lines():
        if line in roads or line.startswith(CLUSTER):
            continue
        program, *words = shlex.split(line)
        assert program == "pkmodel", f"README shows a command that no test runs: {line}"
        assert main(words) == 0, line


def test_the_roads_of_acceptance_are_those_of_the_readme() -> None:
    script = (ROOT / "tests" / "acceptance" / "one_road.sh").read_text(encoding="utf-8")
    assert "readme_commands.py" in script


def test_commands_in_the_text_exist() -> None:
    """`pkmodel ...` in a sentence parses, with its options; names of files and of one's own are not looked up."""
    text = HELPER["README"].read_text(encoding="utf-8").partition("<!-- model card")[0]
    found = {" ".join(each.split()) for each in re.findall(r"`(pkmodel [^`]+)`", text)}
    assert len(found) >= 10
    for each in found:
        words = shlex.split(each)[1:]
        if words != ["--help"]:
            assert callable(_parser().parse_args(words).command), each
