"""How much of a result rests on assumed parameters."""

from __future__ import annotations

from ..inputs.record import Row
from .comparison import EFFECT_KEYS


def counts(inputs: list[Row]) -> tuple[int, int]:
    """Number of numeric parameters, and how many of them are assumed."""
    numbers = [origin for _, value, _, origin in inputs if not isinstance(value, str)]
    return len(numbers), sum(origin is not None and origin.kind == "assumed" for origin in numbers)


# What a result rests on: prefixes of the parameter paths that enter it.
_BODY = ("drug.{}.cl_total", "drug.{}.extraction", "drug.{}.v", "drug.{}.q", "drug.{}.blood", "drug.{}.km",
         "drug.{}.reference", "drug.{}.liver", "patient.bsa", "patient.liver")  # fmt: skip
_ARTERY = ("catheter.", "patient.tumour.perfusion", "patient.tumour.diameter", "patient.tumour.arterial")
_DEPOT = ("carrier.", "embolic.")
_TISSUE = ("drug.{}.tumour", "patient.tumour.extracellular")
_KILL = ("drug.{}.kill", "patient.tumour.")
_MARROW = ("drug.{}.marrow", "patient.marrow")


def rests_on_assumed(inputs: list[Row], drug: str, keys: tuple[str, ...]) -> frozenset[str]:
    """Keys for which more than half of the parameters that enter are assumed (or set by the user)."""
    venous = not any(path.startswith(("carrier.", "embolic.")) for path, *_ in inputs)
    found = set()
    for key in keys:
        prefixes = list(_BODY)
        if not venous or key.startswith(("delivered", "retained")):
            prefixes += [*_ARTERY, *_DEPOT]
        if key.startswith(("tumour", "homogenate", "targeting", "retained", "extracellular")):
            prefixes += _TISSUE
        if key in EFFECT_KEYS[:7]:
            prefixes += [*_TISSUE, *_KILL]
        if key in EFFECT_KEYS[7:]:
            prefixes += _MARROW
        named = tuple(prefix.format(drug) for prefix in prefixes)
        kinds = [
            o.kind
            for path, value, _, o in inputs
            if o and not isinstance(value, str) and path.startswith(named)
        ]
        if sum(kind in ("assumed", "user") for kind in kinds) > 0.5 * len(kinds):
            found.add(key)
    return frozenset(found)
