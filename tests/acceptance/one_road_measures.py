"""Measure what the first road promises, one line a promise; exit code 1 when one is not kept.

The tests check the same and more; this prints the numbers.
"""

from __future__ import annotations

import ast
import subprocess
import sys
import time
import warnings
from pathlib import Path

import numpy as np

import pkmodel as pk
from pkmodel.errors import PlausibilityWarning
from pkmodel.inputs.record import Record

ROOT = Path(__file__).parents[2]
PROGRAM = str(Path(sys.executable).with_name("pkmodel"))
_failed: list[str] = []


def promise(what: str, value: float, limit: float, *, least: bool = False) -> None:
    """Print a measurement beside its limit, and remember when it is broken."""
    kept = value >= limit if least else value <= limit
    print(f"{'ok  ' if kept else 'FAIL'} {what}: {value:.3g} ({'at least' if least else 'at most'} {limit:g})")
    if not kept:
        _failed.append(what)


def timings() -> None:
    """Time the commands of a newcomer, best of five."""
    for arguments, limit in ((["--help"], 0.15), (["compare"], 1.0)):
        best = np.inf
        for _ in range(5):
            start = time.perf_counter()
            subprocess.run([PROGRAM, *arguments], check=True, capture_output=True)
            best = min(best, time.perf_counter() - start)
        promise(f"pkmodel {' '.join(arguments)} [s]", best, limit)


def wrong_name() -> None:
    """A drug that does not exist."""
    done = subprocess.run([PROGRAM, "compare", "--drug", "doxorubicine"], capture_output=True, text=True)
    print(f"     {done.stderr.strip()}")
    promise("exit code for an unknown drug, off 2", abs(done.returncode - 2), 0)
    promise("the message suggests the nearest", "did you mean 'doxorubicin'" in done.stderr, 1, least=True)


def reference_patient(drug: Record) -> Record:
    """A patient whose liver is that of a drug's reference subject, without tumour and shunt."""
    values = {
        "bsa": drug.get("reference.bsa"),
        "liver.flow": drug.get("reference.liver_flow"),
        "liver.parenchyma_volume": drug.get("reference.parenchyma_volume"),
        "liver.portal_open": 1.0,
        "liver.reserve": 1.0,
        "liver.shunt": 0.0,
        "tumour_type": "none",
        "tumour.diameter": 0.0,
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PlausibilityWarning)  # a human without tumour is meant
        return pk.patient("hcc_reference").with_values(values)


def saturation() -> None:
    """Steady extraction of fluorouracil at a low and at a saturating rate of infusion."""
    drug = pk.drug("fluorouracil")
    dose = np.array([0.1, 1e6])
    scenario = pk.Scenario(reference_patient(drug), pk.iv(drug, dose, duration_h=24))
    course = pk.simulate(scenario, until_h=24, times_h=[23.9])
    into, out = (course.concentration_mg_per_l(place)[0] for place in ("plasma", "served_hepatic_vein"))
    low, high = 1.0 - out / into
    promise("fluorouracil: extraction at a low rate, off its declared value", abs(low - drug.extraction), 0.01)
    promise("fluorouracil: extraction at saturation", high, 0.02)


def durations() -> None:
    """Infusions of 0 s, 1 s, 15 min and 24 h in one batch, followed for 180 days."""
    scenario = pk.Scenario("hcc_reference", pk.iv("doxorubicin", 50, duration_h=[0.0, 1 / 3600, 0.25, 24.0]))
    course = pk.simulate(scenario, until_days=180)
    area = course.exposure()["plasma_auc_inf_ng_h_per_ml"]
    promise("durations 0, 1 s, 15 min, 24 h in one batch: balance", course.balance_error, 1e-9)
    promise("the same: largest relative difference of AUC", float(np.ptp(area) / area.mean()), 1e-5)


def batch_against_single() -> None:
    """A batch of 1,000 against single runs of every twentieth of its subjects."""
    rng = np.random.default_rng(1)
    scenario = pk.Scenario("hcc_reference", pk.chemoembolisation("doxorubicin", 50, carrier="lipiodol_emulsion"))
    changes = {"patient.liver.flow": rng.uniform(900, 1400, 1000), "drug.tumour.ps": rng.uniform(5, 40, 1000)}
    for rtol, limit in ((1e-7, 1e-6), (1e-5, 2e-5)):
        many = pk.simulate(scenario.with_values(changes), until_days=28, rtol=rtol).exposure()
        worst = 0.0
        for i in range(0, 1000, 20):
            one = scenario.with_values({path: values[i] for path, values in changes.items()})
            alone = pk.simulate(one, until_days=28, rtol=rtol).exposure()
            for name in ("plasma_auc_ng_h_per_ml", "tumour_auc_ug_h_per_g", "plasma_cmax_ng_per_ml"):
                worst = max(worst, abs(many[name][i] / alone[name] - 1.0))
        promise(f"batch of 1,000 against 50 single runs at rtol {rtol:g}", worst, limit)


def sizes() -> None:
    """Longest file and function of the package and the tests."""
    files = [*ROOT.glob("pkmodel/**/*.py"), *ROOT.glob("tests/**/*.py")]
    texts = {path: path.read_text(encoding="utf-8") for path in files}
    functions = [
        (node.end_lineno or node.lineno) - node.lineno + 1
        for text in texts.values()
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef)
    ]
    promise("longest file [lines]", max(len(text.splitlines()) for text in texts.values()), 350)
    promise("longest function [lines]", max(functions), 70)


def main() -> int:
    """Measure everything."""
    for measure in (timings, wrong_name, saturation, durations, batch_against_single, sizes):
        measure()
    print(f"{len(_failed)} promises broken" + (f": {'; '.join(_failed)}" if _failed else ""))
    return 1 if _failed else 0


if __name__ == "__main__":
    sys.exit(main())
