"""Time, rate and peak memory of the sweep at ten and a hundred thousand points; `--quick` at one and ten thousand."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from studies_tools import finish, promise

FLAT = 0.10
JOBS = 2


def main() -> None:
    """Measure and state."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    few, many = (4096, 16384) if parser.parse_args().quick else (10_000, 100_000)
    with tempfile.TemporaryDirectory() as folder:
        found = {n: finish(n, Path(folder) / str(n), JOBS) for n in (few, many)}
    for n, each in found.items():
        print(
            f"{n:,} points on {JOBS} processes: {each['seconds']} s, {each['points_a_second']} a second "
            f"({each['processor_seconds']} s of processor time); peak memory "
            f"{each['peak_mib']} MiB of the process that writes, {each['worker_peak_mib']} MiB of a worker"
        )
    rate = many / found[many]["seconds"]
    print(f"projected for 1,000,000 points: {1e6 / rate / 60:.0f} min")
    for key in ("peak_mib", "worker_peak_mib"):
        ratio = found[many][key] / found[few][key]
        promise(abs(ratio - 1.0) <= FLAT, f"{key} grows by {100 * (ratio - 1):.1f} % from {few:,} to {many:,} points")
    promise(found[many]["ok"] == many, f"{found[many]['ok']:,} of {many:,} rows are ok")


if __name__ == "__main__":
    main()
