"""What a case of the catalogue is, and the short texts from which files are made."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pkmodel as pk
from pkmodel.inputs import library

API, LIBRARY, SCENARIO, CLI, CSV = "API", "library TOML", "scenario TOML", "CLI", "CSV"


@dataclass(frozen=True)
class Case:
    """One bad input.

    Parameters
    ----------
    id, entry
        Name, and the public entry it comes through.
    call
        What is done in an empty folder, which is also the working directory; a CLI case returns its arguments.
    error
        Class of the error; `PlausibilityWarning` where the input is legal and must warn; None where it must work.
    fragments
        What the message must contain: field or path, index, value, unit, legal range, nearest name.
    """

    id: str
    entry: str
    call: Callable[[Path], Any]
    error: type[BaseException] | None
    fragments: tuple[str, ...]


def api(id: str, call: Callable[[], Any], error: type[BaseException] | None, *fragments: str) -> Case:
    """A call of the Python interface."""
    return Case(id, API, lambda _: call(), error, fragments)


def toml(
    id: str, kind: str, text: str | bytes, error: type[BaseException] | None, *fragments: str, name: str = "mine.toml"
) -> Case:
    """A library TOML file of the user's own: `kind` is drugs, patients, ..."""
    return Case(id, LIBRARY, lambda folder: library.load(kind, written(folder / name, text)), error, fragments)


def scenario(id: str, text: str | bytes, error: type[BaseException] | None, *fragments: str) -> Case:
    """A scenario file."""
    call = lambda folder: pk.load_scenario(written(folder / "run.toml", text))  # noqa: E731
    return Case(id, SCENARIO, call, error, fragments)


def csv(id: str, text: str | bytes, error: type[BaseException] | None, *fragments: str) -> Case:
    """A release curve."""
    call = lambda folder: pk.fit_release(written(folder / "curve.csv", text), laws=["first_order"])  # noqa: E731
    return Case(id, CSV, call, error, fragments)


def cli(
    id: str,
    arguments: str | list[str],
    error: type[BaseException] | None,
    *fragments: str,
    files: dict[str, str] | None = None,
) -> Case:
    """A command line: words of a text, or a list where an argument holds spaces."""

    def call(folder: Path) -> list[str]:
        for name, text in (files or {}).items():
            written(folder / name, text)
        return arguments.split() if isinstance(arguments, str) else arguments

    return Case(id, CLI, call, error, fragments)


def written(path: Path, text: str | bytes) -> Path:
    """Write a file and return its path."""
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path
