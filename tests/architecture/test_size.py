"""Files and functions stay small enough to be read in one go, and what is public says what it does."""

from __future__ import annotations

import ast
import inspect
import operator
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

import pkmodel

PACKAGE = Path(pkmodel.__file__).parent
TESTS = Path(__file__).parents[1]
LONGEST_FILE, LONGEST_FUNCTION = 350, 70
SOURCES = sorted(PACKAGE.rglob("*.py"))
EVERYTHING = [*SOURCES, *sorted(TESTS.rglob("*.py"))]
Function = ast.FunctionDef | ast.AsyncFunctionDef


def name(path: Path) -> str:
    """A short name of a file for the test's id."""
    root = PACKAGE.parent if path.is_relative_to(PACKAGE) else TESTS.parent
    return str(path.relative_to(root))


@pytest.mark.parametrize("path", EVERYTHING, ids=name)
def test_sizes(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= LONGEST_FILE
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, Function) and node.end_lineno is not None:
            first = min([node.lineno, *(each.lineno for each in node.decorator_list)])
            assert node.end_lineno - first + 1 <= LONGEST_FUNCTION, f"{path.name}:{node.lineno} {node.name}"


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_what_is_public_has_a_docstring(path: Path) -> None:
    module = ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts)
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert ast.get_docstring(tree), "the module has none"
    found = import_module(module.removesuffix(".__init__"))
    bare = [dotted for dotted in _public(tree) if not inspect.getdoc(operator.attrgetter(dotted)(found))]
    assert not bare, bare


def _public(tree: ast.Module | ast.ClassDef, prefix: str = "") -> Iterator[str]:
    """Dotted names of public classes, functions and methods; an override may inherit its docstring."""
    for node in tree.body:
        if isinstance(node, Function | ast.ClassDef) and not node.name.startswith("_"):
            yield prefix + node.name
            if isinstance(node, ast.ClassDef):
                yield from _public(node, f"{prefix}{node.name}.")
