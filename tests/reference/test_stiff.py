"""The Rodas5P coefficients in a dense-matrix integrator, on the classical stiff problems.

The package solves its transport tree without a matrix; here the same coefficients work on any right-hand
side, so that a wrong digit shows on problems whose solutions others computed.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pkmodel.solve.rodas import CNODES, GAMMA, A, C, D, H

DATA = Path(__file__).parent / "data"
EXPECTED_VALUES = 57
STAGES = 8

Vector = np.ndarray
Rates = Callable[[float, Vector], Vector]


@dataclass(frozen=True)
class Problem:
    """Right-hand side with its Jacobian and its partial derivative by time."""

    rates: Rates
    jacobian: Rates
    by_time: Rates


def step(problem: Problem, t: float, y: Vector, h: float) -> tuple[Vector, Vector, Vector]:
    """One step: the new state, the embedded error and the stages."""
    matrix = np.eye(y.size) / (h * GAMMA) - problem.jacobian(t, y)
    slope = problem.by_time(t, y)
    k = np.zeros((STAGES, y.size))
    argument = y
    for i in range(STAGES):
        argument = argument + k[i - 1] if i >= 6 else y + A[i, :i] @ k[:i]
        right = problem.rates(t + CNODES[i] * h, argument) + C[i, :i] @ k[:i] / h + h * D[i] * slope
        k[i] = np.linalg.solve(matrix, right)
    return argument + k[7], k[7], k


def dense_output(y0: Vector, y1: Vector, k: Vector, theta: float) -> Vector:
    """State inside a step."""
    d = np.asarray(H) @ k
    q = 1.0 - theta
    return q * y0 + theta * (y1 + q * (d[0] + theta * (d[1] + theta * d[2])))


def integrate(problem: Problem, y0: Vector, times: list[float], *, rtol: float, atol: float) -> Vector:
    """States at the times, by adaptive steps of the embedded error."""
    t, y, h = 0.0, y0, 1e-8 * times[0]
    found = []
    for end in times:
        while t < end:
            last = t + h * (1.0 + 1e-12) >= end
            h = end - t if last else h
            with np.errstate(over="ignore", invalid="ignore"):  # a step that is far too long may overflow
                y1, error, _ = step(problem, t, y, h)
                norm = float(np.max(np.abs(error) / (atol + rtol * np.maximum(np.abs(y), np.abs(y1)))))
            norm = norm if math.isfinite(norm) else 1e10
            if norm <= 1.0:
                t, y = (end if last else t + h), y1
            h *= min(5.0, max(0.2, 0.9 * max(norm, 1e-10) ** -0.2))
        found.append(y)
    return np.array(found)


def autonomous(rates: Callable[[Vector], Vector], jacobian: Callable[[Vector], Vector]) -> Problem:
    return Problem(lambda t, y: rates(y), lambda t, y: jacobian(y), lambda t, y: np.zeros_like(y))


def rober(k1: float, k2: float, k3: float) -> Problem:
    """With s = y1 + y2 for y1: the slow rate k2 y2^2 would drown in the rounding of k1 y1 - k3 y2 y3."""

    def rates(y: Vector) -> Vector:
        fast = k2 * y[1] ** 2
        return np.array([-fast, k1 * (y[0] - y[1]) - fast - k3 * y[1] * y[2], fast])

    def jacobian(y: Vector) -> Vector:
        square = 2.0 * k2 * y[1]
        return np.array([[0.0, -square, 0.0], [k1, -k1 - square - k3 * y[2], -k3 * y[1]], [0.0, square, 0.0]])

    return autonomous(rates, jacobian)


def rober_species(y: Vector) -> Vector:
    """y1, y2, y3 of the states (s, y2, y3) of `rober`."""
    return y - y[..., 1:2] * np.array([1.0, 0.0, 0.0])


def hires() -> Problem:
    linear = np.zeros((8, 8))
    linear[0, :3] = -1.71, 0.43, 8.32
    linear[1, :2] = 1.71, -8.75
    linear[2, 2:5] = -10.03, 0.43, 0.035
    linear[3, 1:4] = 8.32, 1.71, -1.12
    linear[4, 4:7] = -1.745, 0.43, 0.43
    linear[5, 3:7] = 0.69, 1.71, -0.43, 0.69
    linear[6, 6] = -1.81
    linear[7, 6] = 1.81
    constant = np.zeros(8)
    constant[0] = 0.0007
    sign = np.zeros(8)
    sign[5:] = -1.0, 1.0, -1.0

    def jacobian(y: Vector) -> Vector:
        matrix = linear.copy()
        matrix[:, 5] += sign * 280.0 * y[7]
        matrix[:, 7] += sign * 280.0 * y[5]
        return matrix

    return autonomous(lambda y: linear @ y + constant + sign * 280.0 * y[5] * y[7], jacobian)


def orego() -> Problem:
    s, q, w = 77.27, 8.375e-6, 0.161

    def rates(y: Vector) -> Vector:
        return np.array(
            [s * (y[1] + y[0] * (1.0 - q * y[0] - y[1])), (y[2] - (1.0 + y[0]) * y[1]) / s, w * (y[0] - y[2])]
        )

    def jacobian(y: Vector) -> Vector:
        return np.array(
            [
                [s * (1.0 - 2.0 * q * y[0] - y[1]), s * (1.0 - y[0]), 0.0],
                [-y[1] / s, -(1.0 + y[0]) / s, 1.0 / s],
                [w, 0.0, -w],
            ]
        )

    return autonomous(rates, jacobian)


def vdpol(mu: float) -> Problem:
    def rates(y: Vector) -> Vector:
        return np.array([y[1], mu * (1.0 - y[0] ** 2) * y[1] - y[0]])

    def jacobian(y: Vector) -> Vector:
        return np.array([[0.0, 1.0], [-2.0 * mu * y[0] * y[1] - 1.0, mu * (1.0 - y[0] ** 2)]])

    return autonomous(rates, jacobian)


def pollu(case: dict[str, Any]) -> Problem:
    """Twenty species, twenty-five reactions of first or second order, read from the text of the file."""
    order = [re.findall(r"y(\d+)", law) for law in re.findall(r"r\d+=(k\d+(?: y\d+)+)", case["equations"])]
    first = np.array([int(species[0]) - 1 for species in order])
    second = np.array([int(species[1]) - 1 if len(species) == 2 else -1 for species in order])
    bimolecular = second >= 0
    k = np.array(case["k"])
    net = np.zeros((20, 25))
    for species, law in case["derivatives"].items():
        for sign, factor, reaction in re.findall(r"([+-]?)(\d*)r(\d+)", law):
            net[int(species) - 1, int(reaction) - 1] += float(f"{sign}{factor or 1}")
    rows = np.arange(25)

    def rates(y: Vector) -> Vector:
        return net @ (k * y[first] * np.where(bimolecular, y[second], 1.0))

    def jacobian(y: Vector) -> Vector:
        matrix = np.zeros((25, 20))
        matrix[rows, first] = k * np.where(bimolecular, y[second], 1.0)
        matrix[rows[bimolecular], second[bimolecular]] += (k * y[first])[bimolecular]
        return net @ matrix

    return autonomous(rates, jacobian)


def read() -> dict[str, Any]:
    return json.loads((DATA / "stiff_ivp.json").read_text(encoding="utf-8"))


def build(case: dict[str, Any]) -> Problem:
    parameters = case.get("parameters", {})
    makers: dict[str, Callable[[], Problem]] = {
        "ROBER": lambda: rober(**parameters),
        "HIRES": hires,
        "OREGO": orego,
        "VDPOL": lambda: vdpol(**parameters),
        "POLLU": lambda: pollu(case),
    }
    return makers[case["name"]]()


def worst_error(case: dict[str, Any], rtol: float) -> float:
    """Largest relative error of any component at the end."""
    y0 = np.array(case["y0"], dtype=float)
    y = integrate(build(case), y0, [case["t_end"]], rtol=rtol, atol=rtol * 1e-14)[-1]
    y = rober_species(y) if case["name"] == "ROBER" else y
    expected = np.array(case["expected"])
    return float(np.max(np.abs(y / expected - 1.0)))


@pytest.mark.parametrize("name", ["ROBER", "HIRES", "OREGO", "VDPOL", "POLLU"])
def test_correct_digits_grow_with_the_tolerance(name: str) -> None:
    case = next(problem for problem in read()["problems"] if problem["name"] == name)
    errors = [worst_error(case, rtol) for rtol in (1e-5, 1e-8, 1e-11)]
    assert errors[0] > errors[1] > errors[2]
    assert -math.log10(errors[2]) >= 9.0


def test_robertson_curve_of_sundials() -> None:
    data = read()
    rows = np.array(data["robertson_sundials"]["rows"])
    parameters = data["problems"][0]["parameters"]
    y = integrate(rober(**parameters), np.array([1.0, 0.0, 0.0]), list(rows[:, 0]), rtol=1e-8, atol=1e-20)
    np.testing.assert_allclose(rober_species(y), rows[:, 1:], rtol=2e-3)


def test_every_expected_value_is_there() -> None:
    data = read()
    ends = sum(len(problem["expected"]) for problem in data["problems"])
    assert ends + sum(len(row) - 1 for row in data["robertson_sundials"]["rows"]) == EXPECTED_VALUES


STIFFNESS = 50.0


def driven() -> Problem:
    """y' = -s (y^3 - cos^3 t) - sin t, solved by cos t: driven by time, as none of the problems above is."""
    return Problem(
        lambda t, y: -STIFFNESS * (y**3 - math.cos(t) ** 3) - math.sin(t),
        lambda t, y: np.array([[-3.0 * STIFFNESS * y[0] ** 2]]),
        lambda t, y: np.array([-3.0 * STIFFNESS * math.cos(t) ** 2 * math.sin(t) - math.cos(t)]),
    )


def fixed_step_errors(steps: int) -> tuple[float, float]:
    """Error at t = 1 and the largest error inside the steps."""
    problem, h, y, inside = driven(), 1.0 / steps, np.array([1.0]), 0.0
    for i in range(steps):
        y1, _, k = step(problem, i * h, y, h)
        for theta in (0.2, 0.5, 0.8):
            inside = max(inside, abs(float(dense_output(y, y1, k, theta)[0]) - math.cos((i + theta) * h)))
        y = y1
    return abs(float(y[0]) - math.cos(1.0)), inside


def test_order_five_and_dense_output_of_order_four() -> None:
    coarse, fine = fixed_step_errors(32), fixed_step_errors(64)
    assert math.log2(coarse[0] / fine[0]) > 4.5
    assert math.log2(coarse[1] / fine[1]) > 3.5


def standard_form() -> tuple[Vector, Vector, Vector]:
    """Arguments of the transformed stages (8, 8), and the alpha and gamma matrices of the plain method."""
    gammas = np.linalg.inv(np.eye(STAGES) / GAMMA - np.array(C))
    arguments = np.array(A)
    for i in (6, 7):
        arguments[i] = arguments[i - 1] + np.eye(STAGES)[i - 1]
    return arguments, arguments @ gammas, gammas


def test_coefficients_meet_the_order_conditions() -> None:
    arguments, alphas, gammas = standard_form()
    np.testing.assert_allclose(alphas.sum(axis=1), CNODES, rtol=0.0, atol=1e-12)
    np.testing.assert_allclose(gammas.sum(axis=1), D, rtol=0.0, atol=1e-12)
    weights = (arguments[7] + np.eye(STAGES)[7]) @ gammas
    np.testing.assert_allclose(weights @ np.array(D), 0.0, atol=1e-12)
    for power in range(5):
        np.testing.assert_allclose(weights @ np.array(CNODES) ** power, 1.0 / (power + 1), rtol=1e-12)
    for order in range(1, 6):
        np.testing.assert_allclose(weights.sum(), 1.0 / math.factorial(order), rtol=1e-12)
        weights = weights @ (alphas + gammas)


@pytest.mark.parametrize("theta", [0.25, 0.5, 0.75])
def test_dense_output_meets_the_order_conditions(theta: float) -> None:
    arguments, alphas, gammas = standard_form()
    stages = np.eye(STAGES)
    weights = dense_output(np.zeros(STAGES), arguments[7] + stages[7], stages, theta) @ gammas
    # H is published with some nine digits, hence the tolerance
    for power in range(4):
        # the time derivative of a rate enters the second condition, and its weight vanishes at theta = 1 only
        moment = weights @ (np.array(CNODES) ** power + (np.array(D) if power == 1 else 0.0))
        np.testing.assert_allclose(moment, theta ** (power + 1) / (power + 1), rtol=0.0, atol=1e-8)
    for order in range(1, 5):
        np.testing.assert_allclose(weights.sum(), theta**order / math.factorial(order), rtol=0.0, atol=1e-8)
        weights = weights @ (alphas + gammas)
