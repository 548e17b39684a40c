"""What did the killing: Shapley shares of the log kill among drug, ischaemia and flow retention.

Players: the drug (dose 0 without it, carriers stay), ischaemic kill (k_hyp 0 without it), flow retention (without
it transport and injection see open arteries). The value of a coalition is its log kill ln(v_untreated/v) at the
reading day; all eight coalitions are lanes of one batch.

References
----------
Shapley LS. A value for n-person games. In: Contributions to the Theory of Games II. Princeton 1953, 307-317.
Grabisch M, Roubens M. An axiomatic approach to the concept of interaction. Int J Game Theory 1999;28:547.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from math import factorial

import numpy as np

from ..inputs.patient import Patient
from ..model.columns import HOURS_PER_DAY, column
from ..model.problem import Array

PLAYERS = ("drug", "ischaemia", "retention")
COALITIONS = tuple((a, b, c) for a, b, c in product((0.0, 1.0), repeat=3))
EVERYBODY = COALITIONS.index((1.0, 1.0, 1.0))
# Below this total log kill shares have no meaning (MODEL section 4).
LEAST_LOG_KILL = 0.01
NO_KILL = f"total log kill below {LEAST_LOG_KILL:g}"


@dataclass(frozen=True, eq=False)
class Attribution:
    """Shares of the log kill by player, each (n,); NaN where the total is below 0.01.

    Attributes
    ----------
    total : log kill of all players together
    share : player -> share, summing to 1
    alone : player -> log kill of that player without the others
    interaction : pair of players -> Shapley interaction index of the log kill (outside the sum)
    volume_share : player -> Shapley part of 1 - v/v_untreated (summing to it)
    """

    total: Array
    share: dict[str, Array]
    alone: dict[str, Array]
    interaction: dict[tuple[str, str], Array]
    volume_share: dict[str, Array]


def untreated_volume(patient: Patient, time_h: Array) -> Array:
    """Volume of the tumour without any session [L] at times [h], (n,)."""
    n = time_h.shape[0]
    start = column(patient, "tumour.diameter", n) ** 3 * np.pi / 6e6 * column(patient, "tumour.count", n)
    doublings = time_h / column(patient, "tumour.doubling_time", n)
    if patient.tumour.growth == "exponential":
        return start * 2.0**doublings
    capacity = column(patient, "tumour.growth_capacity", n)
    room = np.log(capacity / np.where(start > 0.0, start, 0.5 * capacity))
    return np.where(start > 0.0, capacity * np.exp(-room * np.exp(-np.log(2.0) / room * doublings)), 0.0)


def attribute(viable: Array, untreated: Array) -> Attribution:
    """Attribute the log kill of eight coalitions.

    Parameters
    ----------
    viable : viable volume of every coalition of `COALITIONS` at the reading day [L], (8, n)
    untreated : volume without any session at that day [L], (n,)
    """
    with np.errstate(all="ignore"):
        value = np.log(untreated / viable)
        volume = 1.0 - viable / untreated
    total = value[EVERYBODY]
    enough = total >= LEAST_LOG_KILL
    shares, alone, volume_shares = {}, {}, {}
    for i, player in enumerate(PLAYERS):
        shares[player] = np.where(enough, _shapley(value, i) / np.where(enough, total, 1.0), np.nan)
        volume_shares[player] = _shapley(volume, i)
        alone[player] = value[_index({i})]
    interaction = {
        (PLAYERS[i], PLAYERS[j]): _interaction(value, i, j) for i in range(3) for j in range(i + 1, 3)
    }
    return Attribution(total, shares, alone, interaction, volume_shares)


def _index(members: set[int]) -> int:
    return COALITIONS.index((float(0 in members), float(1 in members), float(2 in members)))


def _shapley(value: Array, player: int) -> Array:
    """Mean marginal value of a player over all orders of joining."""
    total = np.zeros(value.shape[1])
    others = [i for i in range(3) if i != player]
    for member in product((False, True), repeat=2):
        coalition = {i for i, inside in zip(others, member, strict=True) if inside}
        weight = factorial(len(coalition)) * factorial(2 - len(coalition)) / factorial(3)
        total += weight * (value[_index(coalition | {player})] - value[_index(coalition)])
    return total


def _interaction(value: Array, one: int, other: int) -> Array:
    """Shapley interaction index of a pair: how much more two do together than each adds alone."""
    third = ({0, 1, 2} - {one, other}).pop()
    total = np.zeros(value.shape[1])
    for coalition in (set[int](), {third}):
        both = value[_index(coalition | {one, other})] - value[_index(coalition | {one})]
        total += 0.5 * (both - value[_index(coalition | {other})] + value[_index(coalition)])
    return total


def reading_time(last_session_h: Array) -> Array:
    """Time of the reading, 28 d after the last session [h]."""
    return last_session_h + 28.0 * HOURS_PER_DAY
