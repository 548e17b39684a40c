"""One, two and eight workers, a pool of processes and a Dask cluster that loses a worker half way: identical bytes."""

from __future__ import annotations

import os
import signal
import tempfile
import threading
import time
import warnings
from pathlib import Path
from typing import Any

from studies_tools import computed, final, finish, promise

import pkmodel as pk
from pkmodel.study.sweep import plan
from pkmodel.study.sweep.sweep_file import load_sweep_file

POINTS, BLOCK, DAYS = 2560, 32, 0.5
SHORT = ("--block", BLOCK, "--days", DAYS)


def kill_half_way(client: Any, out: Path, fate: dict[str, Any]) -> None:
    """Wait until half of the chunks are there, then kill one worker process."""
    chunks = -(-POINTS // BLOCK)
    while len(list(out.glob("chunks/*.chunk"))) < chunks // 2:
        time.sleep(0.02)
    victim = next(iter(client.run(os.getpid).values()))
    fate["pid"], fate["at"] = victim, len(list(out.glob("chunks/*.chunk")))
    os.kill(victim, signal.SIGKILL)


def on_dask(workers: int, out: Path, *, kill: bool) -> dict[str, Any]:
    """Run the sweep on a cluster of worker processes of this machine."""
    from distributed import Client, LocalCluster

    fate: dict[str, Any] = {}
    scenario, axes, arguments = load_sweep_file(Path(__file__).with_name("studies_sweep.toml"))
    local = {"n_workers": workers, "threads_per_worker": 1, "processes": True, "dashboard_address": None}
    with LocalCluster(**local) as cluster, Client(cluster) as client:
        killer = threading.Thread(target=kill_half_way, args=(client, out, fate))
        if kill:
            killer.start()
        executor = client.get_executor()
        changed = {"n": POINTS, "until_days": DAYS, "out": out, "executor": executor, "jobs": workers}
        pk.sweep(scenario, axes, **{**arguments, **changed})
        if kill:
            killer.join()
    return fate


def main() -> None:
    """Run the same sweep in all ways."""
    plan.BLOCK = BLOCK
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        finish(POINTS, folder / "alone", 1, *SHORT)
        whole = final(folder / "alone")
        chunks = {each.name: each.read_bytes() for each in (folder / "alone" / "chunks").iterdir()}
        for jobs in (2, 8):
            out = folder / f"pool-{jobs}"
            finish(POINTS, out, jobs, *SHORT)
            promise(final(out) == whole, f"pool of {jobs} processes: final files byte-identical to one process")
        for workers, kill in ((1, False), (2, False), (8, False), (2, True)):
            out = folder / f"dask-{workers}-{kill}"
            fate = on_dask(workers, out, kill=kill)
            lost = f", one killed (process {fate['pid']}) after {fate['at']} of {len(chunks)} chunks" if kill else ""
            promise(final(out) == whole, f"Dask cluster of {workers} worker processes{lost}: byte-identical")
            promise({each.name: each.read_bytes() for each in (out / "chunks").iterdir()} == chunks, "  chunks too")
            promise(max(computed(out).values()) == 1, "  no chunk was written twice")


if __name__ == "__main__":
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        main()
