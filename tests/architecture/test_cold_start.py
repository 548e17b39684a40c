"""Help and mistakes answer at once, and a comparison loads no more than it needs."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

HEAVY = ("scipy", "matplotlib", "pandas", "xarray")


def loaded(code: str) -> set[str]:
    """Top-level packages in memory after a fresh interpreter ran some code."""
    report = f"import sys\n{code}\nprint('MODULES', *{{name.split('.')[0] for name in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", report], capture_output=True, text=True, check=True)
    return set(done.stdout.rpartition("MODULES")[2].split())


@pytest.mark.parametrize(
    "code",
    [
        "import pkmodel; dir(pkmodel)",
        "import pkmodel.cli",
        "from pkmodel import cli\ncli._parser().format_help()",
        "from pkmodel.cli import main\nassert main(['compare', '--no-such-option']) == 2",
        "from pkmodel.cli import main\nassert main(['new', 'scenario']) == 0",
    ],
)
def test_no_numpy_before_it_is_needed(code: str) -> None:
    assert not loaded(code) & {"numpy", *HEAVY}


@pytest.mark.parametrize("command", ["['compare']", "['compare', '--json']", "['params', 'list']"])
def test_a_comparison_loads_nothing_heavy(command: str) -> None:
    found = loaded(f"from pkmodel.cli import main\nassert main({command}) == 0")
    assert "numpy" in found
    assert not found & set(HEAVY)


def least_work(arguments: list[str], runs: int) -> float:
    """Least processor time of a command [s]; unlike the wall clock it does not see what else the machine does."""
    times = []
    for _ in range(runs):
        before = os.times()
        subprocess.run([sys.executable, "-m", "pkmodel.cli", *arguments], capture_output=True, check=True)
        after = os.times()
        times.append(after.children_user - before.children_user + after.children_system - before.children_system)
    return min(times)


def test_help_is_immediate() -> None:
    assert least_work(["--help"], 5) < 0.15


def test_a_comparison_takes_under_a_second() -> None:
    assert least_work(["compare"], 4) < 1.0
