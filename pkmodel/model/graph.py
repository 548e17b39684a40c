"""Transport of one drug as a declared graph: the only statement of its topology in the package.

Every node has a capacity (its volume in plasma-equivalent litres: amount / capacity = total plasma-equivalent
concentration), every edge to the parent a conductance [L/h], and every node may have a clearance [L/h] that can
saturate. The rate of change follows from that declaration alone:

    flux(child -> parent) = conductance (c_child - c_parent)
    loss(node)            = clearance c / (1 + c / Km)

The graph is a tree, leaves first: cells hang on their extracellular space, extracellular spaces and peripheral
compartments on the central one. `solve.tree` eliminates it in that order. Absent compartments have conductance
zero and capacity one. Behind the tree come rows that only follow it: eliminated amounts, time integrals,
daughters (bound or metabolised drug) and hypoxia.
"""

from __future__ import annotations

from typing import NamedTuple


class Node(NamedTuple):
    """One compartment: its name, the node it exchanges with, and the equation part `describe` prints."""

    name: str
    parent: str | None
    exchange: str
    loss: str


ZONES = ("core", "escape")
REGIONS = ("core", "escape", "served", "other")

NODES: tuple[Node, ...] = (
    Node("core_cells", "core_extracellular", "PS_T V", "kl_c A"),
    Node("escape_cells", "escape_extracellular", "PS_T V", "kl_c A"),
    Node("served_cells", "served_extracellular", "PS_L V", "CLint m/(1 + m/Km)"),
    Node("other_cells", "other_extracellular", "PS_L V", "CLint m/(1 + m/Km)"),
    Node("core_extracellular", "central", "Rb F S(t)", "kl_e A"),
    Node("escape_extracellular", "central", "Rb F S(t)", "kl_e A"),
    Node("served_extracellular", "central", "Rb (1-sh) (Qa p(t) + Qp)", ""),
    Node("other_extracellular", "central", "Rb (1-sh) (Qa + Qp)", ""),
    Node("peripheral_1", "central", "Q2", ""),
    Node("peripheral_2", "central", "Q3", ""),
    Node("central", None, "", "CL_oth C/(1 + C/Km_oth)"),
)
NAMES = tuple(node.name for node in NODES)
INDEX = {name: i for i, name in enumerate(NAMES)}
N_NODES = len(NODES)
CENTRAL = INDEX["central"]


class Band(NamedTuple):
    """Sibling nodes eliminated together: `parents` is a slice of equal length, or one shared parent."""

    children: slice
    parents: slice | int


def bands(nodes: tuple[Node, ...] = NODES) -> tuple[Band, ...]:
    """Group the nodes by depth, deepest first; children of one depth must be contiguous.

    Raises
    ------
    ValueError
        If the order of declaration does not let siblings be eliminated as slices, leaves first.
    """
    index = {node.name: i for i, node in enumerate(nodes)}

    def depth(i: int) -> int:
        parent = nodes[i].parent
        return 0 if parent is None else 1 + depth(index[parent])

    found = []
    for level in range(max(depth(i) for i in range(len(nodes))), 0, -1):
        rows = [i for i in range(len(nodes)) if depth(i) == level]
        parents = [index[str(nodes[i].parent)] for i in rows]
        contiguous = rows == list(range(rows[0], rows[-1] + 1))
        children = slice(rows[0], rows[-1] + 1)
        if contiguous and len(set(parents)) == 1:
            found.append(Band(children, parents[0]))
        elif contiguous and parents == list(range(parents[0], parents[0] + len(rows))):
            found.append(Band(children, slice(parents[0], parents[0] + len(rows))))
        else:
            raise ValueError(f"nodes of depth {level} are not declared as contiguous siblings")
    return tuple(found)


BANDS = bands()

# Nodes that receive drug directly, and the nodes whose flow follows the occlusion.
INPUTS = ("core_extracellular", "escape_extracellular", "served_extracellular", "central")
INPUT_ROWS = tuple(INDEX[name] for name in INPUTS)
OCCLUDED = slice(INDEX["core_extracellular"], INDEX["served_extracellular"] + 1)

# Rows behind the tree.
LOSSY = tuple(i for i, node in enumerate(NODES) if node.loss)
ELIMINATED = tuple(f"eliminated_{NAMES[i]}" for i in LOSSY)
INTEGRATED = (*(INDEX[name] for name in NAMES if name.endswith(("cells", "extracellular"))), CENTRAL)
INTEGRALS = tuple(f"integral_{NAMES[i]}" for i in INTEGRATED)
DAUGHTERS = ("bound", "core_bound", "escape_bound")
HYPOXIA = ("core_hypoxia", "escape_hypoxia")

ROWS = (*NAMES, *ELIMINATED, *INTEGRALS, *DAUGHTERS, *HYPOXIA)
ROW = {name: i for i, name in enumerate(ROWS)}
N_ROWS = len(ROWS)


def rows(names: tuple[str, ...]) -> slice:
    """Slice of contiguous state rows that bear these names."""
    return slice(ROW[names[0]], ROW[names[-1]] + 1)
