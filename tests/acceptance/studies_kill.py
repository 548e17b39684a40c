"""A sweep that is killed twenty times, and one whose disk is full: they go on, and end in the same bytes."""

from __future__ import annotations

import argparse
import contextlib
import random
import resource
import subprocess
import tempfile
import time
from pathlib import Path

from studies_tools import computed, final, finish, promise, start

KILLS, SEED = 20, 20261125
POINTS, BLOCK, JOBS, DAYS = 2560, 16, 2, 0.5
SHORT = ("--block", BLOCK, "--days", DAYS)
FEWEST_S, MOST_S = 0.3, 4.0
# The smallest disk that holds the manifest and some of the chunks.
SMALL_DISK, LARGE_DISK = "300k", "64m"
RECOMPUTED = 0.01


def killed(folder: Path, whole: list[bytes], kills: int) -> None:
    """Kill a sweep at random instants until it has been killed often enough, then let it end."""
    instants, out, done = random.Random(SEED), folder / "killed", 0
    lost = 0
    while done < kills:
        process = start(POINTS, out, JOBS, *SHORT)
        time.sleep(instants.uniform(FEWEST_S, MOST_S))
        if process.poll() is None:
            process.kill()
            done += 1
        process.wait()
        if process.returncode == 0:
            # It ended before it was killed often enough: the next instants find the last chunks missing again.
            for each in sorted((out / "chunks").iterdir())[-40:]:
                each.unlink()
                lost += 1
    finish(POINTS, out, JOBS, *SHORT)
    times = computed(out)
    again = sum(times.values()) - len(times) - lost
    share = BLOCK * again / POINTS
    promise(final(out) == whole, f"killed {done} times: final files byte-identical to the undisturbed run")
    promise(
        share < RECOMPUTED and len(times) == -(-POINTS // BLOCK),
        f"{again} of {len(times)} finished chunks computed again ({100 * share:.2f} % of the points)",
    )
    left = [each for each in out.rglob("*") if ".part" in each.name]
    promise(not left, "no unfinished file is left behind")


def full_disk(folder: Path, whole: list[bytes]) -> None:
    """Run on a small disk that is made larger, or where nothing may be mounted, with a limit on the size of files."""
    out = folder / "disk" / "out"
    out.parent.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={SMALL_DISK}", "tmpfs", str(out.parent)]
    mounted = subprocess.run(mount, capture_output=True).returncode == 0
    try:
        if mounted:
            process = start(POINTS, out, JOBS, *SHORT)
        else:
            limit = len(whole[0]) // 2  # no chunk is as large, the table is
            before = resource.getrlimit(resource.RLIMIT_FSIZE)
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, before[1]))
            process = start(POINTS, out, JOBS, *SHORT)
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
        _, said = process.communicate()
        promise(
            process.returncode != 0 and b"make room, then go on with resume" in said,
            f"{'a full disk' if mounted else 'too large a file'} is said: {said.decode().strip().splitlines()[-1]}",
        )
        there = len(list((out / "chunks").glob("*.chunk")))
        if mounted:
            subprocess.run(["mount", "-o", f"remount,size={LARGE_DISK}", str(out.parent)], check=True)
        finish(POINTS, out, JOBS, *SHORT)
        times = computed(out)
        again = sum(times.values()) - len(times)
        promise(final(out) == whole, f"after it, with {there} chunks there: final files byte-identical")
        promise(BLOCK * again / POINTS < RECOMPUTED, f"{again} finished chunks computed again")
    finally:
        if mounted:
            with contextlib.suppress(subprocess.CalledProcessError):
                subprocess.run(["umount", str(out.parent)], check=True)


def main() -> None:
    """Kill and fill."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=KILLS)
    kills = parser.parse_args().kills
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        took = finish(POINTS, folder / "whole", JOBS, *SHORT)
        print(f"undisturbed: {POINTS:,} points in {-(-POINTS // BLOCK)} chunks, {took['seconds']} s", flush=True)
        whole = final(folder / "whole")
        killed(folder, whole, kills)
        full_disk(folder, whole)


if __name__ == "__main__":
    main()
