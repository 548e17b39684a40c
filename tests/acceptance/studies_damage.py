"""Two hundred truncations and bit flips of chunks and manifest: each is seen, named and repaired."""

from __future__ import annotations

import tempfile
import warnings
from pathlib import Path

import numpy as np
from studies_tools import computed, final, promise

import pkmodel as pk
from pkmodel.study.sweep import plan
from pkmodel.study.sweep.sweep_file import load_sweep_file

DAMAGES, SEED = 200, 20261125
POINTS, BLOCK, DAYS = 96, 8, 0.5


def sweep(out: Path) -> None:
    """Run the sweep, or go on with it."""
    scenario, axes, arguments = load_sweep_file(Path(__file__).with_name("studies_sweep.toml"))
    changed = {"n": POINTS, "until_days": DAYS, "courses_h": [1.0, 6.0], "out": out, "resume": True}
    pk.sweep(scenario, axes, **{**arguments, **changed})


def damaged(content: bytes, rng: np.random.Generator, *, cut: bool) -> bytes:
    """Content cut short, or with one bit turned."""
    if cut:
        return content[: int(rng.integers(len(content)))]
    found = bytearray(content)
    found[int(rng.integers(len(found)))] ^= 1 << int(rng.integers(8))
    return bytes(found)


def main() -> None:
    """Damage and repair."""
    plan.BLOCK = BLOCK
    rng = np.random.default_rng(SEED)
    seen = repaired = once = 0
    kinds = {"chunks": 0, "courses": 0, "manifest.json": 0}
    with tempfile.TemporaryDirectory() as name:
        out = Path(name) / "out"
        sweep(out)
        whole = final(out)
        files = [out / "manifest.json", *sorted((out / "chunks").iterdir()), *sorted((out / "courses").iterdir())]
        contents = {each: each.read_bytes() for each in files}
        for i in range(DAMAGES):
            # every tenth time the manifest, which is one file among many
            file = files[0] if i % 10 == 0 else files[int(rng.integers(len(files)))]
            file.write_bytes(damaged(contents[file], rng, cut=bool(i % 2)))
            for each in ("results.csv", "results.npz"):
                (out / each).unlink()
            before = sum(computed(out).values())
            with warnings.catch_warnings(record=True) as said:
                warnings.simplefilter("always")
                sweep(out)
            seen += sum(file.name in str(each.message) for each in said) == 1
            repaired += final(out) == whole and file.read_bytes() == contents[file]
            once += sum(computed(out).values()) - before == (file != files[0])
            kinds[file.name if file == files[0] else file.parent.name] += 1
    promise(seen == DAMAGES, f"{seen} of {DAMAGES} damages seen and the file named ({kinds})")
    promise(repaired == DAMAGES, f"{repaired} of {DAMAGES} repaired, final files byte-identical")
    promise(once == DAMAGES, f"in {once} of {DAMAGES} only the damaged chunk was computed again")


if __name__ == "__main__":
    main()
