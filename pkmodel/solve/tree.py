"""Linear solves along the transport tree, elementwise over lanes: cells, extracellular spaces, then the centre.

The matrix is g I - tau M with M the rate matrix of the graph. Children are eliminated before their parents, so
no fill-in arises, siblings go as slices, and nothing is pivoted: the matrix is a column-diagonally dominant
M-matrix for every g >= 0 as long as drug can leave.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..model.graph import BANDS, Band
from ..model.problem import Array


class Elimination(NamedTuple):
    """Factors of one matrix: inverse pivots (N, ...) and couplings up and down (N-1, ...) per band."""

    bands: tuple[Band, ...]
    inverse: Array
    up: Array
    down: Array


def eliminate(diagonal: Array, up: Array, down: Array, bands: tuple[Band, ...] = BANDS) -> Elimination:
    """Factorise a tree matrix.

    Parameters
    ----------
    diagonal : (N, ...) diagonal entries; overwritten
    up : (N-1, ...) minus the entry (parent, child): what a child's amount gives its parent
    down : (N-1, ...) minus the entry (child, parent)
    """
    for children, parents in bands:
        inverse = np.reciprocal(diagonal[children], out=diagonal[children])
        fill = up[children] * down[children]
        fill *= inverse
        if isinstance(parents, slice):
            diagonal[parents] -= fill
        else:
            diagonal[parents] -= fill.sum(axis=0)
    root = bands[-1].parents
    np.reciprocal(diagonal[root], out=diagonal[root])
    return Elimination(bands, diagonal, up, down)


def solve(factors: Elimination, right: Array) -> Array:
    """Solve in place for one right-hand side (N, ...) and return it."""
    for children, parents in factors.bands:
        right[children] *= factors.inverse[children]
        given = factors.up[children] * right[children]
        if isinstance(parents, slice):
            right[parents] += given
        else:
            right[parents] += given.sum(axis=0)
    root = factors.bands[-1].parents
    right[root] *= factors.inverse[root]
    for children, parents in reversed(factors.bands):
        taken = factors.down[children] * right[parents]
        taken *= factors.inverse[children]
        right[children] += taken
    return right
