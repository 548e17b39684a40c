"""Run the oracle over the random scenarios and write `data/oracle_results.json`.

    python make_oracle_results.py [--only 0-20] [--processes 2]

Scenarios already in the file are kept only if the oracle's sources are unchanged (sha256 of each is stored).
"""

from __future__ import annotations

import argparse
import hashlib
import json
import multiprocessing
import os
import time
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import oracle
import oracle_inputs
import scenarios

HERE = Path(__file__).resolve().parent
TARGET = HERE / "data" / "oracle_results.json"
DIGITS = 10


def source_digests() -> dict[str, str]:
    """sha256 of every source file that decides the numbers, without regard to line ends."""
    names = sorted([p.name for p in HERE.glob("oracle*.py")] + ["scenarios.py"])
    return {n: hashlib.sha256((HERE / n).read_bytes().replace(b"\r\n", b"\n")).hexdigest() for n in names}


def library_digest() -> str:
    """sha256 over what the scenarios take from the library: values, units and plausible ranges, not notes or rows."""
    kept = {"value", "unit", "plausible", "range"}

    def pruned(node: dict[str, Any]) -> dict[str, Any]:
        leaf = "value" in node
        return {k: pruned(v) if isinstance(v, dict) else v for k, v in node.items() if not leaf or k in kept}

    total = hashlib.sha256()
    for kind in ("drugs", "patients", "carriers", "embolics", "catheters"):
        for path in sorted((oracle_inputs.DATA / kind).glob("*.toml")):
            if kind == "patients" and path.stem not in scenarios.PATIENTS:
                continue
            table = pruned(tomllib.loads(path.read_text(encoding="utf-8")))
            table.pop("title", None)
            total.update(f"{kind}/{path.name}:{json.dumps(table, sort_keys=True)}".encode())
    return total.hexdigest()


def plain(value: Any) -> Any:
    """Arrays to lists of `DIGITS` significant digits; NaN to None; a series of equal zeros to 0."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    array = np.asarray(value, dtype=float)
    if array.ndim > 1:
        return [plain(row) for row in array]
    if array.ndim == 1 and array.size > 1 and not np.any(array):
        return 0
    return [None if np.isnan(x) else float(f"{x:.{DIGITS}g}") for x in array]


def run(index: int) -> tuple[int, dict[str, Any]]:
    """One scenario: its specification, the sampled result and the time taken."""
    spec = scenarios.scenario(index)
    began = time.perf_counter()
    result = oracle.simulate(spec, scenarios.sample_times(spec))
    result.pop("until")
    times = result.pop("times_h").tolist()
    seconds = round(time.perf_counter() - began, 2)
    return index, {"spec": spec, "seconds": seconds, "times_h": times, **plain(result)}


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default=f"0-{scenarios.COUNT - 1}", help="first-last index")
    parser.add_argument("--processes", type=int, default=2)
    args = parser.parse_args()
    first, last = (int(x) for x in args.only.split("-"))
    head = {"sources_sha256": source_digests(), "library_sha256": library_digest()}
    done: dict[str, Any] = {}
    if TARGET.exists():
        old = json.loads(TARGET.read_text(encoding="utf-8"))
        if all(old.get(key) == value for key, value in head.items()):
            done = old["scenarios"]
    began = time.perf_counter()
    # Fresh processes with one thread each: the small dense factorisations lose fivefold when their threads compete.
    os.environ.update({"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"})
    with multiprocessing.get_context("spawn").Pool(args.processes) as pool:
        for index, entry in pool.imap_unordered(run, range(first, last + 1)):
            done[str(index)] = entry
            print(f"{index:4d} {entry['spec']['arm']:20s} {entry['seconds']:7.2f} s", flush=True)
    lines = [f'"{k}": {json.dumps(done[k], separators=(",", ":"), allow_nan=False)}' for k in sorted(done, key=int)]
    body = ",\n".join(lines)
    TARGET.write_text(f'{json.dumps(head)[:-1]},\n"scenarios": {{\n{body}\n}}}}\n', encoding="utf-8", newline="\n")
    print(f"{len(done)} scenarios, {time.perf_counter() - began:.0f} s, {TARGET.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
