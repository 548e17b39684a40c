"""Branch coverage of laws, model, solve and inputs from a JSON report of coverage.py.

    python tests/acceptance/branches.py REPORT.json LEAST_PERCENT
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

ROOMS = ("laws", "model", "solve", "inputs")


def main(report: str, least: float) -> int:
    """Print branches met and all, by room; 1 when all together are below the least share."""
    files = json.loads(Path(report).read_text(encoding="utf-8"))["files"]
    met = total = 0
    for room in ROOMS:
        found = [each["summary"] for name, each in files.items() if f"pkmodel/{room}/" in name.replace("\\", "/")]
        here, of = (sum(each[key] for each in found) for key in ("covered_branches", "num_branches"))
        print(f"{room:<8}{here}/{of} branches, {100.0 * here / of:.2f} %")
        met, total = met + here, total + of
    share = 100.0 * met / total
    print(f"all     {met}/{total} branches, {share:.2f} % (at least {least:g} %)")
    return int(share < least)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], float(sys.argv[2])))
