"""What the acceptance scripts of studies share: a sweep in a process of its own, its final bytes, what it computed."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
ONE = HERE / "studies_one.py"
FINAL = ("results.csv", "results.npz")


def command(n: int, out: Path, jobs: int = 1, *more: object) -> list[str]:
    """The command of one sweep."""
    return [sys.executable, str(ONE), str(n), str(out), str(jobs), *(str(each) for each in more)]


def start(n: int, out: Path, jobs: int = 1, *more: object) -> subprocess.Popen[bytes]:
    """Begin a sweep, or go on with it."""
    return subprocess.Popen(command(n, out, jobs, *more), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def finish(n: int, out: Path, jobs: int = 1, *more: object) -> dict[str, Any]:
    """Run a sweep to its end and return what it took."""
    done = subprocess.run(command(n, out, jobs, *more), check=True, capture_output=True, env=dict(os.environ))
    return dict(json.loads(done.stdout.splitlines()[-1]))


def final(out: Path) -> list[bytes]:
    """Bytes of the final files."""
    return [(out / name).read_bytes() for name in FINAL]


def computed(out: Path) -> Counter[int]:
    """How often each chunk was computed and written, from the folder's log."""
    return Counter(int(each) for each in re.findall(r"computed chunk (\d+)", (out / "log.txt").read_text()))


def promise(kept: bool, text: str) -> None:
    """Print what was found, and end badly when it is not what was promised."""
    print(("ok    " if kept else "NOT   ") + text, flush=True)
    if not kept:
        sys.exit(1)
