"""The blood-cell law against published runs of rxode2 and Torsten, integrated here by SciPy."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.linalg import expm
from scipy.optimize import root

from pkmodel.laws.marrow import friberg_baseline, friberg_rates

DATA = Path(__file__).parent / "data"
Marrow = dict[str, float]


def read(block: str) -> dict[str, Any]:
    return json.loads((DATA / "myelosuppression_and_tumour.json").read_text(encoding="utf-8"))[block]


def run(
    state: np.ndarray,
    amounts: np.ndarray,
    span: tuple[float, float],
    *,
    times: np.ndarray,
    transport: Callable[[np.ndarray], np.ndarray],
    effect_per_amount: float,
    marrow: Marrow,
) -> np.ndarray:
    """States at the times [drug amounts, then the marrow]; the last drug amount but one is central."""
    n = amounts.size

    def rates(t: float, y: np.ndarray) -> np.ndarray:
        effect = effect_per_amount * y[n - 2]
        return np.concatenate([transport(y[:n]), friberg_rates(y[n:], effect=effect, **marrow)])

    start = np.concatenate([amounts, state])
    return solve_ivp(rates, span, start, method="Radau", t_eval=times, rtol=1e-10, atol=1e-12).y


def test_paclitaxel_nadir_and_rebound() -> None:
    case = read("friberg_paclitaxel_single_dose")
    p, expected, rtol = case["parameters"], case["expected"], case["rtol"]
    k10, k12, k21 = p["CL_L_per_h"] / p["V1_L"], p["Q_L_per_h"] / p["V1_L"], p["Q_L_per_h"] / p["V2_L"]
    matrix = np.array([[-k10 - k12, k21], [k12, -k21]])
    stop, effect = float(case["infusion_h"]), p["slope_L_per_umol"] / p["V1_L"]
    infusion = np.array([case["dose_umol"] / stop, 0.0])
    marrow = {"circ0": p["Circ0_1e9_per_L"], "mtt_h": p["MTT_h"], "gamma": p["gamma"]}
    grid = np.unique(np.concatenate([np.arange(0.0, 6.5, 0.5), np.arange(0.0, 721.0, 12.0)]))
    during = run(
        friberg_baseline(p["Circ0_1e9_per_L"]),
        np.zeros(2),
        (0.0, stop),
        times=grid[grid <= stop],
        transport=lambda a: matrix @ a + infusion,
        effect_per_amount=effect,
        marrow=marrow,
    )
    after = run(
        during[2:, -1],
        during[:2, -1],
        (stop, 720.0),
        times=grid[grid >= stop],
        transport=lambda a: matrix @ a,
        effect_per_amount=effect,
        marrow=marrow,
    )
    cells = np.concatenate([during[-1], after[-1, 1:]])
    nadir = int(np.argmin(cells))
    rebound = nadir + int(np.argmax(cells[nadir:]))
    assert grid[nadir] == expected["nadir_time_h"]
    assert grid[rebound] == expected["rebound_time_h"]
    assert cells[nadir] == pytest.approx(expected["nadir_1e9_per_L"], rel=rtol["nadir_1e9_per_L"])
    assert cells[rebound] == pytest.approx(expected["rebound_1e9_per_L"], rel=rtol["rebound_1e9_per_L"])
    peak = during[0, -1] / p["V1_L"]
    assert peak == pytest.approx(expected["Cmax_umol_per_L"], rel=rtol["Cmax_umol_per_L"])
    assert 1.0 - p["slope_L_per_umol"] * peak < -8.0  # the drug effect really is unbounded here


def test_torsten_steady_state() -> None:
    case = read("friberg_steady_state_torsten")
    p, interval, times = case["parameters"], float(case["interval_h"]), np.array(case["time_h"])
    k10, k12, k21, ka = p["CL"] / p["VC"], p["Q"] / p["VC"], p["Q"] / p["VP"], p["ka"]
    matrix = np.array([[-ka, 0.0, 0.0], [ka, -k10 - k12, k21], [0.0, k12, -k21]])
    dose = np.array([case["dose"], 0.0, 0.0])
    amounts = np.linalg.solve(
        np.eye(3) - expm(matrix * interval), dose
    )  # just after a dose, in the steady state
    marrow = {"circ0": p["Circ0"], "mtt_h": p["MTT"], "gamma": p["gamma"]}

    def course(state: np.ndarray, at: np.ndarray) -> np.ndarray:
        return run(
            state,
            amounts,
            (0.0, interval),
            times=at,
            transport=lambda a: matrix @ a,
            effect_per_amount=p["alpha"] / p["VC"],
            marrow=marrow,
        )

    guess = friberg_baseline(p["Circ0"] * 0.27)
    periodic = root(lambda state: course(state, np.array([interval]))[3:, -1] - state, guess, tol=1e-9)
    assert periodic.success
    found = course(periodic.x, times)
    found[3] = np.exp(found[3])
    found[3:] -= p["Circ0"]
    expected = np.array(case["expected"]).T
    assert expected.size == 80
    np.testing.assert_allclose(found[:3], expected[:3], rtol=case["rtol_pk"])
    np.testing.assert_allclose(found[3:], expected[3:], rtol=case["rtol_pd"])
