"""The price of frozen geometry: readings at sessions only against frequent reviews, for 20 seeded scenarios."""

from __future__ import annotations

import sys
import warnings
from typing import Any

import numpy as np

import pkmodel as pk
from pkmodel.errors import PlausibilityWarning

SEED, SCENARIOS, DAYS = 20261123, 20, 42.0
REVIEWS = (7.0, 1.0, 0.5)
CARRIERS = ("lipiodol_emulsion", "lipiodol_suspension", "beads")
DRUGS = {"doxorubicin": 50.0, "cisplatin": 100.0, "mitomycin_c": 20.0}


def draw(rng: np.random.Generator) -> tuple[str, pk.Scenario]:
    """One tumour under one or two sessions of drug in a carrier, or under bland embolisation."""
    patient = pk.patient("hcc_reference").with_values(
        {
            "tumour.diameter": rng.uniform(25.0, 90.0),
            "tumour.doubling_time": rng.uniform(60.0, 250.0),
            "tumour.escape_deviation": rng.normal(0.0, 1.0),
            "tumour.ischaemic_kill_rate": rng.uniform(0.35, 2.5),
        }
    )
    drug, carrier = str(rng.choice(list(DRUGS))), str(rng.choice(CARRIERS))
    sessions = int(rng.integers(1, 3))
    if rng.uniform() < 0.2:
        drug, regimen = "bland", pk.embolisation("lipiodol+gelatin_sponge")
    else:
        embolic = None if carrier == "beads" else "gelatin_sponge"
        regimen = pk.chemoembolisation(drug, DRUGS[drug], carrier=carrier, embolic=embolic)
        drug = f"{drug} in {carrier}"
    scenario = pk.Scenario(patient, regimen.repeat(every_days=28, times=sessions))
    if regimen.drugs:
        scenario = scenario.with_value("drug.kill.potency", 0.2 * np.exp(1.5 * rng.normal()))
    return f"{sessions} x {drug}", scenario


def quantities(scenario: pk.Scenario) -> dict[str, float]:
    """Viable volume at the horizon [mL], and tumour AUC [ug*h/g]."""
    course = pk.simulate(scenario, until_days=DAYS, times_h=[24.0 * DAYS])
    auc = course.exposure()["tumour_auc_ug_h_per_g"] if scenario.drugs else np.nan
    return {"viable": float(course.viable_volume_ml()[-1]), "auc": float(auc)}


def table(scenarios: int = SCENARIOS) -> list[dict[str, Any]]:
    """Differences [%] of every scenario, viable volume and tumour AUC, at each interval of reviews."""
    rng = np.random.default_rng(SEED)
    rows = []
    for number in range(1, scenarios + 1):
        name, scenario = draw(rng)
        base = quantities(scenario)
        row: dict[str, Any] = {"number": number, "name": name, "viable_ml": base["viable"]}
        for review in REVIEWS:
            found = quantities(scenario.replace(review_days=review))
            row[f"viable_{review:g}"] = 100.0 * (found["viable"] / base["viable"] - 1.0)
            row[f"auc_{review:g}"] = 100.0 * (found["auc"] / base["auc"] - 1.0)
        rows.append(row)
    return rows


def main() -> int:
    """Print the table."""
    warnings.simplefilter("ignore", PlausibilityWarning)
    heads = "".join(f"{f'viable {r:g} d':>14}{f'AUC {r:g} d':>12}" for r in REVIEWS)
    print(f"{'':3}{'scenario':<36}{'viable mL':>10}{heads}   (difference to sessions only, %)")
    rows = table()
    for row in rows:
        cells = "".join(f"{row[f'viable_{r:g}']:14.3f}{row[f'auc_{r:g}']:12.3f}" for r in REVIEWS)
        print(f"{row['number']:2d} {row['name']:<36}{row['viable_ml']:10.3f}{cells}")
    for key in ("viable", "auc"):
        worst = [np.nanmax(np.abs([row[f"{key}_{r:g}"] for row in rows])) for r in REVIEWS]
        print(f"largest |difference| in {key}: " + ", ".join(f"{w:.2f} %" for w in worst))
    return 0


if __name__ == "__main__":
    sys.exit(main())
