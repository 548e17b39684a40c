"""Print the n-th command of the README: the single line in its n-th `sh` block."""

from __future__ import annotations

import re
import sys
from pathlib import Path

README = Path(__file__).parents[2] / "README.md"


def blocks(language: str) -> list[str]:
    """Return the fenced blocks of one language, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```$", README.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def command(number: int) -> str:
    """Return the command in the n-th `sh` block, counted from 1."""
    lines = blocks("sh")[number - 1].strip().splitlines()
    if len(lines) != 1:
        raise SystemExit(f"README: sh block {number} has {len(lines)} lines; a command is one physical line")
    return lines[0]


if __name__ == "__main__":
    print(command(int(sys.argv[1])))
