"""Texts of the command line that hold several names and values: ``--drug`` and ``--set``."""

from __future__ import annotations

from collections.abc import Sequence

from pkmodel.errors import InputError


def mixture(given: str) -> dict[str, str | None]:
    """Return drugs and doses out of ``NAME=MG,NAME=MG``; a name alone stands for the usual dose.

    Raises
    ------
    InputError
        A drug is named twice, or has an equals sign and no dose.
    """
    found: dict[str, str | None] = {}
    for each in given.split(","):
        name, equals, mg = (part.strip() for part in each.partition("="))
        if equals and not mg:
            raise InputError(f"--drug {each!r} has no dose; write NAME=MG, or NAME alone for the usual dose")
        if name in found:
            raise InputError(f"--drug names {name!r} twice")
        found[name] = mg or None
    return found


def path_values(given: Sequence[str]) -> dict[str, str]:
    """Return path -> value out of texts ``PATH=VALUE``.

    Raises
    ------
    InputError
        A text has no equals sign, or a path comes twice.
    """
    found: dict[str, str] = {}
    for each in given:
        path, equals, value = (part.strip() for part in each.partition("="))
        if not equals:
            raise InputError(f"--set {each!r} has no value; write PATH=VALUE")
        if path in found:
            raise InputError(f"--set gives {path!r} twice")
        found[path] = value
    return found
