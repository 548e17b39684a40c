"""The gallery: every figure by name, and writing one with its numbers and what it was made from.

A figure is a module of `report.figures` with `TITLE`, `QUESTION`, `SECONDS` (on one core), `data(**settings)` and
`draw(data)`. To add one, write the module and name it in `_MODULES`.
"""

from __future__ import annotations

import hashlib
import inspect
import json
import platform
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from .. import __version__
from ..errors import InputError, UnknownNameError
from ..inputs import library
from .figures import (
    arterial_flow,
    concentrations,
    decision,
    evidence_map,
    exposure,
    infusion_rate,
    model_diagram,
    necrosis_by_size,
    overview,
    release,
    repeated_sessions,
    sensitivity,
    style,
    validation,
    virtual_cohort,
    what_kills,
)
from .figures.data import FigureData

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_MODULES: tuple[ModuleType, ...] = (
    model_diagram,
    concentrations,
    exposure,
    release,
    arterial_flow,
    what_kills,
    necrosis_by_size,
    validation,
    virtual_cohort,
    decision,
    sensitivity,
    repeated_sessions,
    infusion_rate,
    evidence_map,
    overview,
)

FORMATS = ("png", "svg", "pdf")
# What a figure's numbers depend on: the rooms below this one, and its own module.
_ROOMS = ("laws", "inputs", "model", "solve", "exposure", "study")
_FILES = ("units.py", "outcome.py", "accuracy.py", "course.py")


@dataclass(frozen=True)
class Entry:
    """A figure of the gallery.

    Attributes
    ----------
    name, title, question : of the figure
    seconds : that its numbers take on one core
    data, draw : its functions
    answer : what its numbers answer to the question; None where it asks none
    """

    name: str
    title: str
    question: str
    seconds: float
    data: Callable[..., FigureData]
    draw: Callable[[FigureData], Figure]
    answer: Callable[[FigureData], str] | None = None


@dataclass(frozen=True)
class Written:
    """What `write` wrote: the files, their manifest, and whether the numbers were read from a stored result."""

    name: str
    paths: tuple[Path, ...]
    manifest: Mapping[str, Any]
    stored: bool


@cache
def gallery() -> Mapping[str, Entry]:
    """Return every figure by name, in the order of the gallery."""
    return {each.name: each for each in map(_entry, _MODULES)}


def _entry(module: ModuleType) -> Entry:
    name = module.__name__.rpartition(".")[2]
    answer = getattr(module, "answer", None)
    return Entry(name, module.TITLE, module.QUESTION, module.SECONDS, module.data, module.draw, answer)


def entry(name: str) -> Entry:
    """Return a figure of the gallery.

    Raises
    ------
    UnknownNameError
        No such figure.
    """
    if name not in gallery():
        raise UnknownNameError.of("figure", name, tuple(gallery()))
    return gallery()[name]


def write(
    name: str,
    folder: str | Path,
    formats: Sequence[str] = ("png",),
    *,
    fresh: bool = False,
    settings: Mapping[str, Any] | None = None,
) -> Written:
    """Write a figure: NAME.png (or other formats), NAME.csv with its numbers, NAME.json with caption and manifest.

    Numbers that stand in the folder already are read instead of computed when they came from the same settings,
    library and code.

    Parameters
    ----------
    name : of the figure
    folder : where to, made if missing
    formats : any of png, svg, pdf
    fresh : compute in any case
    settings : keyword arguments of the figure's `data`

    Raises
    ------
    InputError
        No such figure, format or setting.
    """
    figure = entry(name)
    known = inspect.signature(figure.data).parameters
    chosen = {**{key: each.default for key, each in known.items()}, **(settings or {})}
    for each in formats:
        if each not in FORMATS:
            raise UnknownNameError.of("format", each, FORMATS)
    for each in chosen:
        if each not in known:
            raise UnknownNameError.of(f"setting of figure {name}:", each, tuple(known))
    place, digest = Path(folder), digest_of(figure, chosen)
    place.mkdir(parents=True, exist_ok=True)
    found = None if fresh else stored(place, name, digest)
    data = figure.data(**chosen) if found is None else found
    manifest = _manifest(figure, data, chosen, digest)
    (place / f"{name}.csv").write_text(data.to_csv(), encoding="utf-8")
    (place / f"{name}.json").write_text(json.dumps(manifest, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    picture = figure.draw(data)
    for each in formats:
        style.save(picture, place / f"{name}.{each}")
    written = (place / f"{name}.{ending}" for ending in (*formats, "csv", "json"))
    return Written(name, tuple(written), manifest, found is not None)


def stored(folder: Path, name: str, digest: str) -> FigureData | None:
    """Return the numbers of a figure as they stand in a folder; None when they are not those of a digest."""
    try:
        manifest = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
        text = (folder / f"{name}.csv").read_text(encoding="utf-8")
    except (OSError, ValueError):
        return None
    if not isinstance(manifest, dict) or manifest.get("digest") != digest or manifest.get("csv") != _sha(text.encode()):
        return None
    return FigureData.from_csv(
        text, caption=manifest["caption"], n=manifest["n"], seed=manifest["seed"], sources=manifest["sources"]
    )


def digest_of(figure: Entry, settings: Mapping[str, Any]) -> str:
    """Return the sha256 of all that a figure's numbers come from: its settings, the library and the code."""
    sha = hashlib.sha256(f"{figure.name}{_text(settings)}{_code()}".encode())
    for name in sorted(_modules_of(figure.data.__module__, set())):
        sha.update(Path(inspect.getfile(sys.modules[name])).read_bytes())
    return sha.hexdigest()


def _modules_of(name: str, found: set[str]) -> set[str]:
    """A figure's module and those beside it that it takes anything from, except how things look."""
    home = name.rpartition(".")[0]
    found.add(name)
    for each in vars(sys.modules[name]).values():
        other = each.__name__ if isinstance(each, ModuleType) else getattr(each, "__module__", None) or ""
        if other.startswith(f"{home}.") and other not in found and other != style.__name__:
            _modules_of(other, found)
    return found


def _text(settings: Mapping[str, Any]) -> str:
    """Settings as text; records by their digest."""
    try:
        return json.dumps(settings, sort_keys=True, default=lambda record: record.digest())
    except (AttributeError, TypeError):
        raise InputError(f"settings of a figure are texts, numbers and records, not {settings!r}") from None


@cache
def _code() -> str:
    """The sha256 of the library's data and of the code below this room."""
    root, sha = files("pkmodel"), hashlib.sha256()
    for name in _FILES:
        sha.update(root.joinpath(name).read_bytes())
    for room in _ROOMS:
        _add(root / room, sha)
    return sha.hexdigest()


def _add(folder: Any, sha: Any) -> None:
    for each in sorted(folder.iterdir(), key=lambda child: str(child.name)):
        if each.is_dir():
            _add(each, sha)
        elif each.name.endswith((".py", ".toml", ".csv")):
            sha.update(each.name.encode() + each.read_bytes())


@cache
def _inputs() -> dict[str, str]:
    """The sha256 of every folder of the library, and of the evidence."""
    found = {}
    for name in (*library.KINDS, "cases", "evidence"):
        sha = hashlib.sha256()
        _add(files("pkmodel.inputs") / "data" / name, sha)
        found[name] = sha.hexdigest()
    return found


def _manifest(figure: Entry, data: FigureData, settings: Mapping[str, Any], digest: str) -> dict[str, Any]:
    from importlib.metadata import version

    rows = {each: library.evidence_row(each) for each in data.sources}
    return {
        "figure": figure.name,
        "title": figure.title,
        "question": figure.question,
        "answer": None if figure.answer is None else figure.answer(data),
        "caption": data.caption,
        "n": data.n,
        "seed": data.seed,
        "settings": json.loads(_text(settings)),
        "versions": {
            "pkmodel": __version__,
            "python": platform.python_version(),
            **{package: version(package) for package in ("numpy", "scipy", "matplotlib")},
        },
        "digest": digest,
        "csv": _sha(data.to_csv().encode()),
        "inputs": _inputs(),
        "sources": {each: f"{row['source']}. {row['identifier']}" for each, row in rows.items()},
    }


def _sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
