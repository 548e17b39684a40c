"""Changing one parameter of a library TOML in place: the rest of the text, comments included, stays as it is."""

from __future__ import annotations

import re
from collections.abc import Mapping

from pkmodel.errors import FileError

_KEY = re.compile(r"^([A-Za-z0-9_-]+)\s*=")


def literal(value: str | float | tuple[float, ...]) -> str:
    """A value as TOML: a text in quotes, a number, or a list of numbers."""
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'
    if isinstance(value, tuple):
        return f"[{', '.join(literal(each) for each in value)}]"
    return repr(float(value))


def rewrite_parameter(
    text: str, path: str, changes: Mapping[str, str | float | tuple[float, ...]], *, where: str
) -> str:
    """Return a TOML text with some keys of the table of one parameter replaced.

    Parameters
    ----------
    text
        The file's text; every key of the table stands on one line.
    path
        Dotted path of the parameter, the table's name.
    changes
        New values by key. A key that the table has keeps its place, others go to the table's end.
    where
        The file's name, for messages.

    Raises
    ------
    FileError
        The file has no such table, or has it twice.
    """
    lines = text.split("\n")
    heads = [i for i, line in enumerate(lines) if line.split("#")[0].strip() == f"[{path}]"]
    if len(heads) != 1:
        raise FileError(f"{where} has {'no' if not heads else 'more than one'} table [{path}]")
    begin = heads[0] + 1
    end = begin
    while end < len(lines) and (key := _KEY.match(lines[end])):
        if key[1] in changes:
            lines[end] = f"{key[1]} = {literal(changes[key[1]])}"
        end += 1
    present = {key[1] for line in lines[begin:end] if (key := _KEY.match(line))}
    lines[end:end] = [f"{name} = {literal(value)}" for name, value in changes.items() if name not in present]
    return "\n".join(lines)
