"""Oracle scenarios that nobody has looked at: draw, solve by the oracle and by pkmodel, print the worst courses.

    python tests/acceptance/fresh_oracle.py FIRST LAST

The committed 200 scenarios (0-199) helped to choose the solver's step shares, so they cannot judge them; indices from
200 on can, once each. 200-499 have been used (they found what tests/physics/test_found_by_oracle.py holds).
Takes about four seconds a scenario. Exit code 1 when a course misses 1e-5.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(variable, "1")
sys.path.insert(0, str(Path(__file__).parents[1] / "reference"))

LIMIT = 1e-5


def main(first: int, last: int) -> int:
    """Compare scenarios first..last; returns the number of those that miss the limit or fail."""
    import make_oracle_results
    from test_against_oracle import errors_of

    rows: list[tuple[float, int, str]] = []
    for index in range(first, last + 1):
        try:
            result = json.loads(json.dumps(make_oracle_results.run(index)[1]))
            found = errors_of(result)
            worst = max(found, key=lambda name: found[name])
            rows.append((found[worst], index, f"{worst} ({result['spec']['arm']})"))
        except Exception as error:  # a scenario that cannot be computed is a finding, and the others go on
            rows.append((float("inf"), index, f"{type(error).__name__}: {str(error)[:100]}"))
        print(f"{index} {rows[-1][0]:.1e} {rows[-1][2]}", file=sys.stderr, flush=True)
    missed = sum(row[0] > LIMIT for row in rows)
    print(f"{len(rows)} scenarios, {missed} above {LIMIT:g}; worst ten:")
    for value, index, what in sorted(rows, reverse=True)[:10]:
        print(f"  {index} {value:.1e} {what}")
    return missed


if __name__ == "__main__":
    sys.exit(1 if main(int(sys.argv[1]), int(sys.argv[2])) else 0)
