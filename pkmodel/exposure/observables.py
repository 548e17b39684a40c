"""Concentrations at the places people measure, from sampled amounts: one function an observable.

All are total plasma-equivalent concentrations [mg/L] (tissue: ug/g at 1 g = 1 mL), shape (D, m, n).
"""

from __future__ import annotations

import numpy as np

from ..errors import UnknownNameError
from ..model.graph import INDEX
from ..model.problem import Array
from ..solve.solution import Solution

REGIONS = ("core", "escape", "served", "other")


def observe(name: str, solution: Solution, shunt: Array, blood_plasma_ratio: Array) -> Array:
    """Concentration of an observable [mg/L], (D, m, n).

    Parameters
    ----------
    shunt : (n,) part of the hepatic flow that bypasses the parenchyma
    blood_plasma_ratio : (D, n)

    Raises
    ------
    UnknownNameError
        No such observable.
    """
    if name == "plasma":
        return _amount(solution, "central") / solution.central_volume[:, None]
    if name in _TISSUES:
        return _tissue(solution, _TISSUES[name], depot=name.endswith("homogenate"))
    if name in _SPACES:
        return _space(solution, _SPACES[name])
    if name in ("hepatic_vein", "served_hepatic_vein"):
        return _vein(solution, shunt, blood_plasma_ratio, all_liver=name == "hepatic_vein")
    raise UnknownNameError.of("observable", name, NAMES)


_TISSUES: dict[str, tuple[str, ...]] = {
    "tumour": ("core", "escape"),
    "tumour_core": ("core",),
    "tumour_escape": ("escape",),
    "tumour_homogenate": ("core", "escape"),
    "served_liver": ("served",),
    "other_liver": ("other",),
}
_SPACES: dict[str, tuple[str, ...]] = {
    "tumour_extracellular": ("core", "escape"),
    "tumour_core_extracellular": ("core",),
    "tumour_escape_extracellular": ("escape",),
}
NAMES = ("plasma", *_TISSUES, *_SPACES, "hepatic_vein", "served_hepatic_vein")


def _amount(solution: Solution, node: str) -> Array:
    return solution.sampled[INDEX[node]]


def _volume(solution: Solution, region: str) -> Array:
    """Tissue volume of a region at the samples [L]; NaN where the region is absent."""
    zone = {"core": 0, "escape": 1}.get(region)
    if zone is not None:
        volume = solution.sampled_volume[zone]
    else:
        volume = solution.parenchyma[REGIONS.index(region) - 2]
    return np.where(volume > 0.0, volume, np.nan)


def _tissue(solution: Solution, regions: tuple[str, ...], *, depot: bool) -> Array:
    amount = volume = np.zeros(1)
    for region in regions:
        amount = amount + _amount(solution, f"{region}_cells") + _amount(solution, f"{region}_extracellular")
        if depot:
            amount = amount + solution.sampled_depot[REGIONS.index(region)]
        volume = volume + np.nan_to_num(_volume(solution, region))
    return amount / np.where(volume > 0.0, volume, np.nan)


def _space_volume(solution: Solution, region: str) -> Array:
    """Extracellular volume of a region at the samples [L]; NaN where the region is absent."""
    return solution.extracellular[0 if region in ("core", "escape") else 1] * _volume(solution, region)


def _space(solution: Solution, regions: tuple[str, ...]) -> Array:
    amount = np.sum([_amount(solution, f"{region}_extracellular") for region in regions], axis=0)
    volume = np.sum([np.nan_to_num(_space_volume(solution, region)) for region in regions], axis=0)
    return amount / np.where(volume > 0.0, volume, np.nan)


def _vein(solution: Solution, shunt: Array, blood_plasma_ratio: Array, *, all_liver: bool) -> Array:
    """Flow-weighted outflow of the regions, shunt flow at plasma, and injected drug that follows the shunt."""
    plasma = _amount(solution, "central") / solution.central_volume[:, None]
    carried, total = np.zeros_like(plasma), np.zeros_like(solution.sampled_flow[0])
    for row, region in enumerate(REGIONS if all_liver else REGIONS[:3]):
        flow = solution.sampled_flow[row]
        outflow = np.nan_to_num(_amount(solution, f"{region}_extracellular") / _space_volume(solution, region))
        if region in ("served", "other"):
            outflow = (1.0 - shunt) * outflow + shunt * plasma
        carried, total = carried + flow * outflow, total + flow
    carried = carried + solution.sampled_shunt / blood_plasma_ratio[:, None]
    return carried / np.where(total > 0.0, total, np.nan)
