"""Errors and warnings of pkmodel: what went wrong, where, what is legal, what was probably meant.

The command line maps `InputError` to exit code 2, `RunError` to 3 and `NotAcceptedError` to 4.
"""

from __future__ import annotations

import copy
import difflib
from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

_Self = TypeVar("_Self", bound="InputError")
_LISTED_IN_FULL = 8
_LISTED_OF_MANY = 5


class PkmodelError(Exception):
    """Base of every error that pkmodel raises on purpose."""


class InputError(PkmodelError, ValueError):
    """Something the user gave is wrong; the message names it and the remedy."""

    def located(self: _Self, where: object) -> _Self:
        """Return the same error with the place (a file, a table) put before its message."""
        moved = copy.copy(self)
        moved.args = (f"{where}: {self}", *self.args[1:])
        return moved


class ParameterError(InputError):
    """A value is not legal.

    Parameters
    ----------
    message
        The whole sentence.
    field, value, unit, legal
        The field's path, the offending value, its unit and the legal range or choices, where known.
    """

    def __init__(
        self,
        message: str,
        *,
        field: str | None = None,
        value: Any = None,
        unit: str | None = None,
        legal: str | None = None,
    ) -> None:
        super().__init__(message)
        self.field = field
        self.value = value
        self.unit = unit
        self.legal = legal


class UnitError(InputError):
    """A unit is unknown, or cannot be converted to the one that is needed."""


class UnknownNameError(InputError):
    """No drug, patient, path or key of that name; the message lists the nearest."""

    @classmethod
    def of(cls, what: str, name: str, names: Iterable[str]) -> UnknownNameError:
        """Build the standard message, such as ``no drug 'x'; did you mean 'y'? (y, z)``."""
        return cls(f"no {what} {name!r}; {nearest(name, names)}")


class RegimenError(InputError):
    """The treatment cannot be given as described."""


class FileError(InputError):
    """A file cannot be read, or is not in the expected format."""


class NotAcceptedError(PkmodelError):
    """A validation ran, and its result is outside the committed acceptance."""


class RunError(PkmodelError):
    """Some lanes of a run failed.

    Parameters
    ----------
    message
        The whole sentence.
    lanes
        Indices of the failed lanes, where known.
    """

    def __init__(self, message: str, *, lanes: Sequence[int] = ()) -> None:
        super().__init__(message)
        self.lanes = tuple(lanes)


class PlausibilityWarning(UserWarning):
    """A value is legal but outside the range its evidence makes plausible."""


def nearest(name: str, names: Iterable[str]) -> str:
    """Say which known name was probably meant, and list the known ones.

    Parameters
    ----------
    name
        What the user wrote.
    names
        Every legal name.

    Returns
    -------
    str
        ``did you mean 'doxorubicin'? (cisplatin, doxorubicin, ...)``; ``choose from ...`` when none is near.
    """
    known = sorted(set(names))
    if not known:
        return "there are none to choose from"
    folded: dict[str, str] = {}
    for each in known:
        folded.setdefault(each.lower(), each)
    close = [folded[key] for key in difflib.get_close_matches(str(name).lower(), folded, n=_LISTED_OF_MANY, cutoff=0.6)]
    if len(known) <= _LISTED_IN_FULL:
        listed = ", ".join(known)
    else:
        listed = ", ".join([*(sorted(close) if close else known[:_LISTED_OF_MANY]), "..."])
    return f"did you mean {close[0]!r}? ({listed})" if close else f"choose from {listed}"
