"""Mutation run: small faults are put into the laws and the solver one at a time, and the tests must notice.

    python tests/acceptance/mutation.py                        every mutant of pkmodel/laws and pkmodel/solve
    python tests/acceptance/mutation.py --only laws/weibull.py --list
    python tests/acceptance/mutation.py --only solve/ --sample 400 --seed 1

Every mutant runs in a forked child, in which the changed module is installed before pkmodel is imported; then the
quickest tests that concern the module run until one fails. Results are appended to a table as they come, so a run
that was stopped goes on. `mutation_survivors.csv` says why known survivors survive. Exit code 1 below 85 % killed.
"""

from __future__ import annotations

import argparse
import ast
import csv
import importlib.abc
import importlib.util
import os
import random
import resource
import signal
import sys
import time
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import CodeType, ModuleType

os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "CI": "1"}  # CI: the same random examples
os.environ.setdefault("PKMODEL_SETS", "12")

import hypothesis
import pytest
import scipy.integrate
import scipy.interpolate
import scipy.optimize  # noqa: F401  (what is heavy and not mutated is imported once, before the forks)
from mutation_operators import Mutant, compiled, mutants

hypothesis.settings.register_profile(
    "no_shrinking", deadline=None, derandomize=True, phases=[hypothesis.Phase.explicit, hypothesis.Phase.generate]
)
HERE, ROOT = Path(__file__).parent, Path(__file__).parents[2]
REQUIRED = 0.85
RELEASE = ["tests/unit/laws/test_release_edges.py", "tests/unit/laws/test_release.py"]
COURSE = ["tests/unit/test_course.py", *(f"tests/unit/exposure/test_{name}.py" for name in ("observables", "metrics"))]
WHOLE = [
    *(f"tests/physics/test_ischaemia.py::test_{name}" for name in (
        "no_occlusion_no_ischaemic_kill", "without_drug_kill_it_is_bland_embolisation",
        "sponge_after_a_dissolved_dose_retains_it", "a_refused_lane_leaves_the_others_alone",
        "hypoxia_and_patency_in_closed_form", "joined_embolics_multiply", "below_one_per_cent_nothing_can_be_injected",
    )),
    "tests/physics/test_growth.py::test_an_untreated_tumour_in_closed_form",
    "tests/physics/test_closed_forms.py::test_arterial_exposure_is_availability_times_dose_over_clearance",
    "tests/physics/test_closed_forms.py::test_slow_release_leaves_exposure_to_infinity_as_it_was",
    "tests/physics/test_saturation.py::test_steady_extraction_solves_the_quadratic",
    "tests/physics/test_mass.py::test_mass_balances_against_closed_form_inputs[cisplatin]",
]  # fmt: skip
# The tests of a module of its own, where they do not bear its name.
OWN = {
    **{f"laws/release_{name}.py": RELEASE for name in ("kinds", "law")},
    "laws/release.py": ["tests/unit/laws/test_release_names.py", *RELEASE],
    "solve/effect.py": ["tests/unit/solve/test_effect.py", "tests/unit/solve/test_drive.py"],
    "solve/runs.py": ["tests/unit/solve/test_runs.py", "tests/unit/model/test_lowering.py"],
    "solve/transport.py": [f"tests/unit/solve/test_{name}.py" for name in ("tree", "rodas", "transport")],
}
_OPTIONS = ["-x", "-q", "--tb=no", "-p", "no:cacheprovider", "--hypothesis-profile=no_shrinking"]
_OPTIONS += ["-W", "ignore::pytest.PytestAssertRewriteWarning"]  # hypothesis is imported before pytest starts


def stages(file: str) -> list[list[str]]:
    """Tests of a module in stages, quick ones first; a stage runs only if the mutant survived the one before."""
    folder, name = file.split("/")
    own = OWN.get(file, [f"tests/unit/{folder}/test_{name}"])
    if folder == "solve":
        return [own, COURSE, WHOLE]
    return [own, RELEASE] if name in ("interpolation.py", "weibull.py", "release_names.py") else [own]


def read(path: Path) -> list[list[str]]:
    """Rows of a table, none where there is no file yet."""
    if not path.exists():
        return []
    with path.open(newline="", encoding="utf-8") as table:
        return list(csv.reader(table))


class Changed(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds and loads one module from code instead of its file."""

    def __init__(self, file: str, code: CodeType) -> None:
        self.path, self.code = ROOT / "pkmodel" / file, code
        self.name = "pkmodel." + file.removesuffix(".py").replace("/", ".")

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        """The changed module, or nothing for all others."""
        return importlib.util.spec_from_file_location(name, self.path, loader=self) if name == self.name else None

    def exec_module(self, module: ModuleType) -> None:
        """Run the changed code."""
        exec(self.code, module.__dict__)


def tested(tree: ast.Module, mutant: Mutant | None, tests: list[str], limit: float) -> str:
    """Run tests in a child of its own: survived, killed, or timeout."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            os.setsid()
            null = os.open(os.devnull, os.O_RDWR)
            for stream in (0, 1, 2):
                os.dup2(null, stream)
            resource.setrlimit(resource.RLIMIT_AS, (8 << 30, 8 << 30))
            if mutant is not None:
                sys.meta_path.insert(0, Changed(mutant.file, compiled(tree, mutant)))
            code = int(pytest.main([*_OPTIONS, *tests]))
        finally:
            os._exit(code)
    end = time.monotonic() + limit
    while time.monotonic() < end:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return "survived" if status == 0 else "killed"
        time.sleep(0.005)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return "timeout"


def main() -> int:
    """Run, print totals, and say by the exit code whether enough mutants were killed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", action="append", default=[], help="part of a file's name, as in laws/weibull.py")
    parser.add_argument("--sample", type=int, help="at most this many mutants, at random")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--results", type=Path, default=Path("mutation_results.csv"), help="table to go on with")
    parser.add_argument("--list", action="store_true", help="print the survivors, with reasons where known")
    options = parser.parse_args()
    os.chdir(ROOT)
    sys.path.insert(0, str(ROOT))
    package = ROOT / "pkmodel"
    files = [f"{d}/{p.name}" for d in ("laws", "solve") for p in sorted((package / d).glob("*.py")) if p.stem[0] != "_"]
    files = [f for f in files if not options.only or any(part in f for part in options.only)]
    trees = {f: ast.parse((package / f).read_text(encoding="utf-8")) for f in files}
    chosen = [m for f in files for m in mutants(f, trees[f])]
    if options.sample is not None and options.sample < len(chosen):
        picked = random.Random(options.seed).sample(range(len(chosen)), options.sample)
        chosen = [chosen[i] for i in sorted(picked)]
    results = {tuple(row[:6]): row[6] for row in read(options.results)}
    limits: dict[str, float] = {}
    for mutant in chosen:
        if mutant.key in results:
            continue
        begun, outcome = time.monotonic(), "survived"
        for tests in stages(mutant.file):
            if str(tests) not in limits:  # the tests as they are must pass; three times as long is a hang
                start = time.monotonic()
                if tested(trees[mutant.file], None, tests, 600.0) != "survived":
                    raise SystemExit(f"{' '.join(tests)} fail without any mutant")
                limits[str(tests)] = 5.0 + 3.0 * (time.monotonic() - start)
            outcome = tested(trees[mutant.file], mutant, tests, limits[str(tests)])
            if outcome != "survived":
                break
        results[mutant.key] = outcome
        with options.results.open("a", newline="", encoding="utf-8") as table:
            csv.writer(table).writerow([*mutant.key, outcome, f"{time.monotonic() - begun:.2f}"])
    return report(files, chosen, results, listed=options.list)


def report(files: list[str], chosen: list[Mutant], results: dict[tuple[str, ...], str], *, listed: bool) -> int:
    """Print totals per file and, if wanted, the survivors; returns the exit code."""
    known = {(file, *change): reason for file, _, *change, reason in read(HERE / "mutation_survivors.csv")}
    print(f"{'file':24}{'mutants':>8}{'killed':>8}{'timeout':>8}{'survived':>9}{'share':>8}")
    for file in [*files, "all"]:
        of = [results[m.key] for m in chosen if file in (m.file, "all")]
        counts = [of.count(x) for x in ("killed", "timeout", "survived")]
        share = 1.0 - counts[2] / max(len(of), 1)
        print(f"{file:24}{len(of):8}{counts[0]:8}{counts[1]:8}{counts[2]:9}{share:8.1%}")
    for m in chosen if listed else []:
        if results[m.key] == "survived":
            reason = known.get((m.file, m.original, m.mutant), "NO REASON GIVEN")
            print(f"pkmodel/{m.file}:{m.line}:{m.column}  {m.original}  ->  {m.mutant}  [{reason}]")
    return 0 if share >= REQUIRED else 1


if __name__ == "__main__":
    sys.exit(main())
