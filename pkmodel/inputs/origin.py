"""Where a number comes from: a number without an origin does not exist."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pkmodel.errors import ParameterError, nearest

KINDS = ("measured", "fitted", "derived", "assumed", "user")
DISTRIBUTIONS = ("lognormal", "normal", "logitnormal", "uniform")


@dataclass(frozen=True)
class Origin:
    """Provenance, uncertainty and variability of one parameter.

    Parameters
    ----------
    kind
        ``measured``, ``fitted``, ``derived``, ``assumed`` or ``user`` (set by whoever runs the model).
    unit
        Unit of `range`, `se` and `plausible`: always the field's own.
    range
        90 % range of the typical value: its uncertainty.
    se
        Standard error of the typical value, instead of a range.
    cv
        Between-subject coefficient of variation (a fraction): variability, never mixed with uncertainty.
    plausible
        Values outside warn; without it the `range` serves, see `plausible_range`.
    rows
        Ids of the evidence rows behind the value.
    source
        Key in ``data/sources.toml``, or the file of a user's own value.
    note
        What a reader must know; obligatory for ``assumed``.
    distribution
        Shape of the between-subject variability.
    """

    kind: str
    unit: str = "1"
    range: tuple[float, float] | None = None
    se: float | None = None
    cv: float | None = None
    plausible: tuple[float, float] | None = None
    rows: tuple[str, ...] = ()
    source: str | None = None
    note: str = ""
    distribution: str = "lognormal"

    def __post_init__(self) -> None:
        for name, value, choices in (("kind", self.kind, KINDS), ("distribution", self.distribution, DISTRIBUTIONS)):
            if value not in choices:
                raise ParameterError(
                    f"origin {name} {value!r} is not legal; {nearest(str(value), choices)}",
                    field=f"origin.{name}",
                    value=value,
                    legal=", ".join(choices),
                )

    @property
    def plausible_range(self) -> tuple[float, float] | None:
        """The stated plausible range, or else the uncertainty range."""
        return self.plausible if self.plausible is not None else self.range

    def overridden(self, source: str | None = None) -> Origin:
        """Return the origin of a user's value that replaces this one; what is plausible stays known."""
        return Origin(kind="user", unit=self.unit, plausible=self.plausible_range, source=source)


class Origins(Mapping[str, Origin]):
    """Read-only map from field name to `Origin`; unlike a mapping proxy it can be pickled."""

    __slots__ = ("_items",)

    def __init__(self, items: Mapping[str, Origin] | None = None) -> None:
        self._items = dict(items or {})

    def __getitem__(self, name: str) -> Origin:
        return self._items[name]

    def __iter__(self):  # type: ignore[no-untyped-def]
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)
