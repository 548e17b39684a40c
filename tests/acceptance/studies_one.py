"""One sweep of `studies_sweep.toml` with n points, in a process of its own: time, rate and peak memory as JSON.

    python studies_one.py N OUT [JOBS] [--block POINTS] [--days DAYS] [--scheduler ADDRESS]
"""

from __future__ import annotations

import argparse
import json
import resource
import time
from pathlib import Path

import pkmodel as pk
from pkmodel.study.sweep import plan
from pkmodel.study.sweep.sweep_file import load_sweep_file

MIB = 1024.0
FILE = Path(__file__).with_name("studies_sweep.toml")


def main() -> None:
    """Run the sweep and print what it took."""
    parser = argparse.ArgumentParser()
    parser.add_argument("n", type=int)
    parser.add_argument("out", type=Path)
    parser.add_argument("jobs", type=int, nargs="?", default=1)
    parser.add_argument("--block", type=int, help="points of a chunk, to have many chunks of few points")
    parser.add_argument("--days", type=float, help="a shorter follow-up, where the numbers are not the point")
    parser.add_argument("--scheduler")
    options = parser.parse_args()
    if options.block is not None:
        plan.BLOCK = options.block
    scenario, axes, arguments = load_sweep_file(FILE)
    arguments |= {"n": options.n, "out": options.out, "resume": True, "jobs": options.jobs}
    if options.days is not None:
        arguments["until_days"] = options.days
    began = time.perf_counter()
    if options.scheduler is None:
        table = pk.sweep(scenario, axes, **arguments)
    else:
        from distributed import Client

        with Client(options.scheduler) as client:
            table = pk.sweep(scenario, axes, **arguments, executor=client.get_executor())
    took = time.perf_counter() - began
    own, workers = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    found = {
        "points": options.n,
        "seconds": round(took, 1),
        "processor_seconds": round(own.ru_utime + own.ru_stime + workers.ru_utime + workers.ru_stime, 1),
        "points_a_second": round(options.n / took),
        "peak_mib": round(own.ru_maxrss / MIB, 1),
        "worker_peak_mib": round(workers.ru_maxrss / MIB, 1),
        **table.counts,
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main()
