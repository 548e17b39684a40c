"""The published closed forms of one, two and three compartments, through this graph and this solver.

324 values from public test material (see data/CREDITS.md), to four significant digits; zero is exactly zero.
A generic subject without liver and tumour carries the disposition; zero-order input is an infusion,
first-order input a depot outside the vessels, a lag a later start. Steady state is dosed, not assumed: as
many doses as it takes for those left out to be below 1e-6 of the concentration.
"""

from __future__ import annotations

import csv
import math
import warnings
from functools import cache
from pathlib import Path

import numpy as np
import pytest

import pkmodel as pk
from pkmodel.errors import PlausibilityWarning
from pkmodel.inputs.drug import Drug
from pkmodel.inputs.materials import ReleaseParameters
from pkmodel.inputs.patient import Patient
from pkmodel.inputs.regimen import Regimen
from pkmodel.inputs.session import Dose, Session
from pkmodel.inputs.treatment import dose
from pkmodel.model.body import Run, lower
from pkmodel.model.graph import CENTRAL
from pkmodel.solve.drive import Options, solve

DATA = Path(__file__).parent / "data" / "pk_closed_form.csv"
VALUES, PROFILES, SAMPLES = 324, 36, 9
RTOL = 5e-4  # four significant digits
LEFT_OUT = 1e-6
INPUTS = {
    "iv_bolus": "infusion",
    "iv_infusion": "infusion",
    "zero_order_absorption": "infusion",
    "first_order_absorption": "depot",
}
Row = dict[str, str]


def number(row: Row, name: str) -> float:
    """A cell, zero where it is empty."""
    return float(row[name] or 0.0)


@cache
def profiles() -> dict[str, list[Row]]:
    """Rows by profile."""
    found: dict[str, list[Row]] = {}
    with open(DATA, newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            found.setdefault(row["case_id"], []).append(row)
    return found


def doses_needed(row: Row) -> int:
    """Doses until those left out are below LEFT_OUT, by the slowest rate of disposition and absorption."""
    if row["regimen"] == "single":
        return 1
    v1, exchange = number(row, "V1"), []
    for q, v in (("Q2", "V2"), ("Q3", "V3")):
        if number(row, q) > 0.0:
            exchange.append((number(row, q), number(row, v)))
    rates = np.zeros((1 + len(exchange), 1 + len(exchange)))
    rates[0, 0] = -(number(row, "CL") + sum(q for q, _ in exchange)) / v1
    for i, (q, v) in enumerate(exchange, 1):
        rates[0, i], rates[i, 0], rates[i, i] = q / v, q / v1, -q / v
    slowest = float(np.min(-np.linalg.eigvals(rates).real))
    if row["route"] == "first_order_absorption":
        slowest = min(slowest, number(row, "ka"))
    return math.ceil(math.log(1.0 / LEFT_OUT) / (slowest * number(row, "tau"))) + 1


def subject() -> Patient:
    """A body without liver and tumour, of the size the disposition is for."""
    return pk.patient("hcc_reference").with_values(
        {"liver.flow": 0.0, "liver.parenchyma_volume": 0.0, "tumour.diameter": 0.0, "bsa": 1.8}
    )


def substance(rows: list[Row]) -> Drug:
    """One drug whose lanes are the profiles: linear clearance without a liver."""
    column = {
        name: np.array([number(r, name) for r in rows]) for name in ("CL", "V1", "Q2", "V2", "Q3", "V3")
    }
    return pk.drug("cisplatin").with_values(
        {
            "extraction": 0.0,
            "cl_total": column["CL"],
            "km_other": np.inf,
            "v1": column["V1"],
            "q2": column["Q2"],
            "v2": column["V2"],
            "q3": column["Q3"],
            "v3": column["V3"],
        }
    )


def treatment(rows: list[Row], given: str) -> Dose:
    """The profiles' input, one lane each; a lag is a later start of the dose in its session."""
    amount = np.array([number(r, "dose") for r in rows])
    lag = np.array([number(r, "tlag") for r in rows])
    if given == "infusion":
        length = np.array([number(r, "input_duration") for r in rows])
        return dose(substance(rows), amount, route="iv", duration_h=length, start_h=lag)
    law = ReleaseParameters(law="first_order", rate=np.array([number(r, "ka") for r in rows]))
    carrier = pk.carrier("lipiodol_emulsion").replace(prompt_fraction=0.0, release=law, variants=())
    return dose(substance(rows), amount, route="extravascular", carrier=carrier, duration_h=0.0, start_h=lag)


def plasma(regimen: Regimen, times: np.ndarray) -> np.ndarray:
    """Plasma concentration of every lane at times of its own [h], (m, n)."""
    found = np.full(times.shape, np.nan)
    for batch in lower([Run(pk.Scenario(subject(), regimen), times.max(axis=0) + 10.0)]):
        solution = solve(batch.problem, times[:, batch.lanes], Options(rtol=1e-6))
        found[:, batch.lanes] = solution.sampled[CENTRAL, 0] / batch.problem.drug.v1[0]
    return found


@cache
def dosed(count: int) -> dict[str, np.ndarray]:
    """Profiles of bolus, infusion and zero-order input that take so many doses, all given, as one batch."""
    chosen = {
        name: rows
        for name, rows in profiles().items()
        if INPUTS[rows[0]["route"]] == "infusion" and doses_needed(rows[0]) == count
    }
    first = [rows[0] for rows in chosen.values()]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PlausibilityWarning)  # generic subjects, on purpose
        regimen = Regimen((Session(at=0.0, doses=(treatment(first, "infusion"),)),))
        if count > 1:
            every = np.array([number(r, "tau") for r in first]) / 24.0
            regimen = regimen.repeat(every_days=every, times=count)
        times = np.array([[number(r, "time") for r in rows] for rows in chosen.values()]).T
        found = plasma(regimen, times + np.asarray(regimen.sessions[-1].at))
    return dict(zip(chosen, found.T, strict=True))


@cache
def depots() -> dict[str, np.ndarray]:
    """Profiles of first-order input; every earlier dose is a lane of its own; they are summed."""
    chosen = {n: rows for n, rows in profiles().items() if INPUTS[rows[0]["route"]] == "depot"}
    lanes = [(name, k) for name, rows in chosen.items() for k in range(doses_needed(rows[0]))]
    first = [chosen[name][0] for name, _ in lanes]
    times = np.array(
        [[number(r, "time") + k * number(r, "tau") for r in chosen[name]] for name, k in lanes]
    ).T
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PlausibilityWarning)
        curves = plasma(Regimen((Session(at=0.0, doses=(treatment(first, "depot"),)),)), times)
    found = {name: np.zeros(SAMPLES) for name in chosen}
    for (name, _), curve in zip(lanes, curves.T, strict=True):
        found[name] += curve
    return found


def test_the_file_is_whole() -> None:
    assert sum(len(rows) for rows in profiles().values()) == VALUES
    assert len(profiles()) == PROFILES
    assert all(len(rows) == SAMPLES for rows in profiles().values())
    assert {int(rows[0]["n_compartments"]) for rows in profiles().values()} == {1, 2, 3}


@pytest.mark.parametrize("profile", list(profiles()))
def test_profile(profile: str) -> None:
    rows = profiles()[profile]
    depot = INPUTS[rows[0]["route"]] == "depot"
    found = depots()[profile] if depot else dosed(doses_needed(rows[0]))[profile]
    expected = np.array([number(row, "expected_conc") for row in rows])
    np.testing.assert_array_equal(found[expected == 0.0], 0.0)
    np.testing.assert_allclose(found, expected, rtol=RTOL, atol=0.0)
