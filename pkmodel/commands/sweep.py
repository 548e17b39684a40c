"""The command `pkmodel sweep`: many points of a scenario's axes, in a folder that survives interruption."""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

from ..errors import InputError, RunError

# Without a terminal a line of progress comes so often [s]; on one the line is rewritten with every chunk.
LINE_EVERY_S = 30.0
STATUS = "status"


def add_sweep(commands: Any) -> None:
    """Add the command to the command line."""
    parser = commands.add_parser(
        "sweep",
        help="a scenario along axes: grid, Latin hypercube, Sobol or given points",
        epilog="pkmodel sweep status DIR says how far a sweep is, and whether anything in its folder is damaged.",
    )
    parser.add_argument("what", metavar="SWEEP.toml", help="a sweep file; or the word status, before a folder")
    parser.add_argument("folder", metavar="DIR", nargs="?", help="after status: the folder to look at")
    parser.add_argument("--out", metavar="DIR", help="folder for chunks, manifest, results.csv and results.npz")
    parser.add_argument("--resume", action="store_true", help="go on with the sweep in that folder")
    parser.add_argument("--jobs", type=int, metavar="N", help="processes (all cores), or workers of the scheduler")
    parser.add_argument("--scheduler", metavar="ADDRESS", help="of a Dask cluster, such as tcp://host:8786")
    parser.set_defaults(command=run)


def run(options: argparse.Namespace) -> None:
    """Run a sweep, or say how far one is; exit code 3 when rows were refused or failed."""
    if options.what == STATUS:
        if options.folder is None:
            raise InputError("name the folder: pkmodel sweep status DIR")
        _status(options.folder)
        return
    if options.folder is not None:
        raise InputError(f"expected one sweep file, got {options.what} {options.folder}")
    if options.out is None:
        raise InputError("name the folder of the results: --out DIR")
    from ..study.sweep.run import sweep
    from ..study.sweep.sweep_file import load_sweep_file

    scenario, axes, arguments = load_sweep_file(options.what)
    with _cluster(options.scheduler, options.jobs) as where:
        arguments |= {"out": options.out, "resume": options.resume, "progress": reporter("points"), **where}
        result = sweep(scenario, axes, **arguments)
    print(f"{os.path.join(options.out, 'results.csv')}")
    print(f"{os.path.join(options.out, 'results.npz')}")
    lost = result.counts["refused"] + result.counts["failed"]
    if lost:
        rows = sum(result.counts.values())
        raise RunError(
            f"{result.counts['refused']} of {rows} rows were refused and {result.counts['failed']} failed; "
            "the column reason says why"
        )


@contextlib.contextmanager
def _cluster(scheduler: str | None, jobs: int | None) -> Iterator[dict[str, Any]]:
    """Where chunks are computed: processes of this machine, or the workers of a Dask scheduler."""
    if scheduler is None:
        yield {"jobs": jobs if jobs is not None else os.cpu_count() or 1}
        return
    try:
        from distributed import Client
    except ImportError:
        raise InputError("--scheduler needs Dask; install pkmodel[cluster]") from None
    try:
        client = Client(scheduler, timeout="20s")
    except (OSError, ValueError) as error:
        raise InputError(f"--scheduler {scheduler}: no scheduler answers there ({error})") from None
    with client:
        threads = sum(client.nthreads().values())
        if not threads and jobs is None:
            raise InputError(f"--scheduler {scheduler} has no workers; start some, or say by --jobs how many will come")
        yield {"executor": client.get_executor(), "jobs": jobs or threads}


def reporter(what: str, now: Callable[[], float] = time.monotonic) -> Callable[[int, int], None]:
    """A reporter of progress with rate and time left on stderr: a rewritten line on a terminal, else now and then one.

    The first report is of what was there before; it does not count for the rate.
    """
    began = last = 0.0
    before: int | None = None

    def report(done: int, of: int) -> None:
        nonlocal before, began, last
        terminal, at = sys.stderr.isatty(), now()
        if before is None:
            before, began, last = done, at, at
        if not (terminal or done == of or at - last >= LINE_EVERY_S):
            return
        last = at
        line = f"pkmodel: {done:,} of {of:,} {what}"
        if done > before:
            rate = (done - before) / max(at - began, 1e-9)
            line += f", {rate:,.0f} a second" + ("" if done == of else f", {_duration((of - done) / rate)} left")
        begin, end = ("\r\x1b[K", "\n" if done == of else "") if terminal else ("", "\n")
        print(f"{begin}{line}", end=end, file=sys.stderr, flush=True)

    return report


def _duration(seconds: float) -> str:
    hours, rest = divmod(round(seconds), 3600)
    minutes, seconds = divmod(rest, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {seconds:.0f} s" if minutes else f"{seconds:.0f} s"


def _status(folder: str) -> None:
    from ..study.sweep.folder import status

    found = status(folder)
    points, chunks = found.manifest["design"]["n"], found.manifest["chunks"]
    print(f"{folder}: {found.points:,} of {points:,} points, {found.chunks} of {chunks} chunks")
    print(", ".join(f"{count:,} {name}" for name, count in found.rows.items()))
    print("results.csv and results.npz are there" if found.complete else "not finished; go on with --resume")
    if found.damaged:
        for each in found.damaged:
            print(each)
        raise InputError(f"{len(found.damaged)} damaged files in {folder}; --resume computes them again")
