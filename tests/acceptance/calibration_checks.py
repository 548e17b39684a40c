"""What the calibration promises, measured on the library as it is committed; exit code 1 when a promise is broken."""

from __future__ import annotations

import csv
import io
import sys
import warnings
from pathlib import Path

import numpy as np
from scipy import stats

import pkmodel as pk
from pkmodel.errors import PlausibilityWarning
from pkmodel.inputs import library
from pkmodel.inputs.cases import cases
from pkmodel.report.before_after import DRUGS, before_after
from pkmodel.study import quantities, subjects
from pkmodel.study.calibration.predictions import other_clearances, response_odds
from pkmodel.study.disposition import deviation, low_dose_limits
from pkmodel.study.disposition_files import load_cases
from pkmodel.study.tumours import cohort_of
from pkmodel.study.validation import gmfe, validate

broken = 0


def promise(what: str, value: float, limit: float, *, least: bool = False) -> None:
    """Print one measurement and whether it is within its limit."""
    global broken
    good = value >= limit if least else value <= limit
    broken += not good
    print(f"{'ok  ' if good else 'LEFT'} {what}: {value:.4g} ({'at least' if least else 'at most'} {limit:g})")


def curves() -> None:
    """Reference curves with the liver inside, declared clearance and extraction."""
    every, _ = load_cases("experiments/00_disposition/config.toml")
    for name, case in every.items():
        drug = library.drug(name)
        clearance, extraction = low_dose_limits(drug, case)
        promise(f"{name}: largest deviation from the reference curve", deviation(drug, case).largest, 0.05)
        promise(f"{name}: clearance off the declared", abs(clearance / float(drug.cl_total) - 1.0), 0.01)
        promise(f"{name}: extraction off the declared", abs(extraction / float(drug.extraction) - 1.0), 0.01)


def clearances() -> None:
    """Other studies' clearances against the population interval of the model."""
    found = list(other_clearances())
    held = sum(each.covered for each in found)
    print(f"90 % population interval holds {held} of {len(found)} clearances in adults; outside:")
    for each in found:
        if not each.covered:
            o, window = each.observation, "{:g}-{:g} h".format(*each.observation.reading.window)
            print(f"  {each.case.study} ({each.case.title})")
            print(f"    {o.value:g} {o.unit} against {each.low:.3g}-{each.high:.3g}; sampled {window}")
            print(f"    {each.row['note'] or 'assay not stated'}")


def plasma() -> None:
    """Fit rows in plasma and hepatic vein."""
    no_plasma = ("released_fraction", "flow_left", *quantities.COHORT_QUANTITIES)
    rows = [r for r in validate(draws=2) if r.observation.role == "fit"]
    rows = [r for r in rows if r.observation.reading.quantity not in no_plasma]
    inside = 100.0 * np.mean([r.within(2.0) for r in rows])
    print(f"{len(rows)} fit rows in plasma and hepatic vein; outside 2-fold:")
    for r in rows:
        if not r.within(2.0):
            o = r.observation
            print(f"  {o.id} ({r.case.study}): observed {o.value:.3g}, predicted {r.predicted:.3g}")
    promise("fit rows within 2-fold [%]", float(inside), 90.0, least=True)
    promise("fit rows, geometric mean fold error", gmfe(r.fold for r in rows), 1.3)


def higuchi() -> None:
    """The Higuchi cohort, unsmoothed and with many tumours, within its binomial 90 % limits."""
    for name, hits, size in (("higuchi_small", 35, 50), ("higuchi_large", 15, 34), ("higuchi_drug", 0, 22)):
        [case] = [each for each in cases() if each.id == name]
        [observation] = case.observations
        scenario = subjects.scenario(case, case.arms[observation.reading.arm])
        time = observation.reading.time
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", PlausibilityWarning)
            course = pk.simulate(cohort_of(scenario, 1000), until_h=case.until_h, times_h=[0.0, time], rtol=1e-4)
        share = float(quantities.value(course, observation.reading, quantities.subject_of(course)).mean())
        low, high = (float(each) for each in stats.binom.ppf([0.05, 0.95], size, share))
        print(f"  {name}: {100 * share:.1f} % of 1000 tumours, so {low:.0f}-{high:.0f} of {size}; published {hits}")
        promise(f"{name}: published number outside the binomial 90 % limits", float(not low <= hits <= high), 0.0)


def predictions() -> None:
    """Odds of response and Shapley shares, printed whatever they are."""
    for drug in ("doxorubicin", "cisplatin"):
        found = response_odds(drug, draws=40)
        print(
            f"predicted, not fitted: {drug}, response {100 * found.with_drug:.0f} % with drug, "
            f"{100 * found.bland:.0f} % bland; odds ratio {found.ratio:.2f} ({found.low:.2f}-{found.high:.2f}); "
            f"trials 1.17 (0.80-1.71)"
        )
    for drug in DRUGS:
        compared = pk.compare("hcc_reference", drug=drug, arms=["iv", "emulsion_sponge"], uncertainty=60)
        [row] = [each for each in compared.manifest["uncertainty"]["rows"] if each["arm"] == "emulsion_sponge"]
        shares = (
            f"{player} {row[key]['median']:.0f} % ({row[key]['low_90']:.0f}-{row[key]['high_90']:.0f})"
            for player in ("drug", "ischaemia", "retention")
            for key in (f"shapley_{player}_percent",)
        )
        print(f"predicted: {drug}, emulsion and sponge, Shapley shares of the log kill: {', '.join(shares)}")


def provenance() -> None:
    """No fitted or measured value rests on recalled rows alone; the model card lists what the data cannot decide."""
    alone = []
    for kind in library.KINDS:
        for name in library.names(kind):
            if kind in ("drugs", "patients", "carriers", "embolics"):
                for path, _, _, origin in library.load(kind, name).rows():
                    if origin is not None and origin.kind in ("fitted", "measured") and origin.rows:
                        grades = {library.evidence_row(row)["how_read"] for row in origin.rows}
                        if all(grade.startswith("memory") for grade in grades):
                            alone.append(f"{name}.{path}")
    promise(f"values decided by memory rows alone ({', '.join(alone) or 'none'})", len(alone), 0)
    card = Path("README.md").read_text(encoding="utf-8")
    text = library.data_bytes("calibration.csv").decode("utf-8")
    undecided = [row["parameter"] for row in csv.DictReader(io.StringIO(text)) if row["data_say"] != "decided"]
    missing = [name for name in undecided if name not in card]
    print(f"  {len(undecided)} parameters that the data do not decide")
    promise(f"undecided parameters missing from the model card ({', '.join(missing) or 'none'})", len(missing), 0)


def main() -> int:
    for step in (curves, clearances, plasma, higuchi, predictions, provenance):
        print(f"\n== {step.__doc__}")
        step()
    print("\n== compare on the reference patient, before -> after calibration")
    print(before_after("experiments/01_calibration/before.csv"))
    print(f"\n{broken} promises broken")
    return int(broken > 0)


if __name__ == "__main__":
    sys.exit(main())
