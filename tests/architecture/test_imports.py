"""Imports run one way: every one of them is resolved to a module of the package and held against the order."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import pkmodel

PACKAGE = Path(pkmodel.__file__).parent
# Rooms from the ground up: each may import from those before it.
ORDER = (
    "errors",
    "units",
    "laws",
    "inputs",
    "model",
    "solve",
    "exposure",
    "outcome",
    "accuracy",
    "course",
    "study",
    "report",
    "commands",
    "cli",
)
# The package itself is lazy: it may be imported from anywhere (for its version) and knows every room.
ROOT = ""
HEAVY = ("scipy", "matplotlib", "pandas", "xarray", "pyarrow", "distributed")
HEAVY_AT_TOP: frozenset[str] = frozenset()  # files that may import them at their top
SOURCES = sorted(PACKAGE.rglob("*.py"))


def module_of(path: Path) -> str:
    """Dotted name of a file below the package, the package itself being ''."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def room(module: str) -> str:
    """The room that a module below the package stands in."""
    return module.split(".")[0]


def is_module(dotted: str) -> bool:
    """Whether a dotted name below the package is a file or folder of it."""
    place = PACKAGE.joinpath(*dotted.split("."))
    return place.is_dir() or place.with_suffix(".py").is_file()


def targets(source: str, module: str, *, is_package: bool = False) -> Iterator[tuple[int, str]]:
    """Yield (line, absolute dotted name) of everything a source imports, however it is written."""
    home = ["pkmodel", *(module.split(".") if module else [])]
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = [] if node.level == 0 else home[: len(home) - node.level + is_package]
            stem = ".".join([*base, *([node.module] if node.module else [])])
            yield from ((node.lineno, f"{stem}.{alias.name}") for alias in node.names)
        elif isinstance(node, ast.Call) and _calls_import(node) and node.args:
            yield from ((node.lineno, name) for name in _imported_by_string(node.args[0], home, is_package))


def _calls_import(node: ast.Call) -> bool:
    function = node.func
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    return name in ("import_module", "__import__")


def _imported_by_string(argument: ast.expr, home: list[str], is_package: bool) -> Iterator[str]:
    """A literal name, absolute or relative; what is computed is `computed` (only the lazy root may do that)."""
    if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
        dots = len(argument.value) - len(argument.value.lstrip("."))
        base = home[: len(home) - dots + is_package] if dots else []
        yield ".".join([*base, argument.value.lstrip(".")])
    else:
        yield "computed"


def inside(name: str) -> str | None:
    """The module below the package that an absolute name means, None for one outside."""
    if name != "pkmodel" and not name.startswith("pkmodel."):
        return None
    dotted = name.removeprefix("pkmodel").lstrip(".")
    while dotted and not is_module(dotted):
        dotted = dotted.rpartition(".")[0]
    return dotted


def wrong(module: str, name: str) -> str | None:
    """Why a module may not import a name, or None."""
    if name == "computed":
        return None if module == ROOT else "imports a name that it computes"
    target = inside(name)
    if target is None or target == ROOT:
        return None
    one, other = room(module), room(target)
    if one == other:
        return None
    if other not in ORDER:
        return f"imports {target}, a room without a place in the order"
    return f"imports {target}, which stands above it" if ORDER.index(other) > ORDER.index(one) else None


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: module_of(path) or "pkmodel")
def test_imports_run_one_way(path: Path) -> None:
    module = module_of(path)
    assert module == ROOT or room(module) in ORDER, f"{module} has no place in the order"
    found = [
        f"line {line}: {module} {reason}"
        for line, name in targets(path.read_text(encoding="utf-8"), module, is_package=path.name == "__init__.py")
        if (reason := wrong(module, name)) and module != ROOT
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    ("source", "module"),
    [
        ("from ..solve import drive", "model.body"),
        ("from pkmodel.solve.drive import solve", "inputs.drug"),
        ("import pkmodel.report.table", "study.compare"),
        ("def f():\n    from ..cli import main", "report.table"),
        ("import importlib\nimportlib.import_module('pkmodel.study')", "course"),
        ("from importlib import import_module\nimport_module('..study', __package__)", "exposure.nca"),
        ("from importlib import import_module\nimport_module('pkmodel.' + name)", "exposure.nca"),
        ("from .. import study", "exposure.nca"),
        ("from .laws import tumour", "units"),
        ("if TYPE_CHECKING:\n    from ..course import Trajectory", "exposure.metrics"),
    ],
)
def test_the_guard_sees_a_breach(source: str, module: str) -> None:
    assert any(wrong(module, name) for _, name in targets(source, module))


@pytest.mark.parametrize(
    ("source", "module"),
    [
        ("from ..laws import tumour", "model.body"),
        ("from .. import __version__", "study.compare"),
        ("import os", "units"),
    ],
)
def test_the_guard_lets_pass(source: str, module: str) -> None:
    assert not any(wrong(module, name) for _, name in targets(source, module))


def test_every_public_name_has_a_home() -> None:
    for home, names in pkmodel._HOMES.items():
        assert is_module(home), home
        for name in names:
            value = getattr(pkmodel, name)
            assert value.__doc__, f"{name} has no docstring"
    assert set(dir(pkmodel)) >= set(pkmodel.__all__)
    with pytest.raises(AttributeError, match="no_such_name"):
        pkmodel.no_such_name  # noqa: B018


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: module_of(path) or "pkmodel")
def test_heavy_packages_wait_until_they_are_used(path: Path) -> None:
    if module_of(path) in HEAVY_AT_TOP:
        return
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names = [node.module or ""]
        assert not [n for n in names if n.split(".")[0] in HEAVY], f"{path}:{node.lineno}"


def test_readme_prints_the_order() -> None:
    text = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    printed = next(line for line in text.splitlines() if line.startswith("errors, units <-"))
    assert tuple(re.findall(r"[a-z]+", printed)) == ORDER
