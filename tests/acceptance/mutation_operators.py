"""Small faults for the mutation run: which places of a module can be changed, and how.

One mutant is one change of one place: an operator, a comparison, a constant, a sign, a name (maximum for minimum), a
statement left out, a value returned twice as large. Types, decorators and texts of messages are left alone.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from types import CodeType
from typing import NamedTuple

_OPERATORS: dict[type, type] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.Pow: ast.Mult,
    ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd, ast.And: ast.Or, ast.Or: ast.And,
}  # fmt: skip
_BOUNDARIES: dict[type, type] = {ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt}
_REVERSES: dict[type, type] = {
    ast.Lt: ast.GtE, ast.LtE: ast.Gt, ast.Gt: ast.LtE, ast.GtE: ast.Lt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip
_NAMES = {
    "maximum": "minimum", "minimum": "maximum", "max": "min", "min": "max", "any": "all", "all": "any",
    "zeros": "ones", "ones": "zeros", "zeros_like": "ones_like", "ones_like": "zeros_like",
}  # fmt: skip
_SKIPPED_FIELDS = {"annotation", "returns", "decorator_list", "bases", "ctx"}


Place = tuple[ast.AST, str, int | None]  # parent, field, index in a list
LONGEST = 160  # a statement longer than this is not printed whole


class Mutant(NamedTuple):
    """One change of one place: where, what, and the node to put there."""

    file: str
    line: int
    column: int
    operator: str
    original: str
    mutant: str
    place: Place
    node: ast.AST

    @property
    def key(self) -> tuple[str, ...]:
        """What identifies it in the table of results."""
        return tuple(str(x) for x in self[:6])


def changes(node: ast.AST, inside: bool) -> Iterator[tuple[str, ast.AST]]:
    """Changed versions of one node; `inside` a function. Parts are shared with the original."""
    match node:
        case ast.BinOp(left, op, right) if type(op) in _OPERATORS and (inside or not isinstance(op, ast.BitOr)):
            yield "arithmetic", ast.BinOp(left, _OPERATORS[type(op)](), right)
        case ast.BoolOp(op, values):
            yield "boolean", ast.BoolOp(_OPERATORS[type(op)](), values)
        case ast.AugAssign(target, op, value) if not isinstance(value, ast.Constant | ast.JoinedStr):
            yield "statement", ast.Pass()
            if type(op) in _OPERATORS:
                yield "arithmetic", ast.AugAssign(target, _OPERATORS[type(op)](), value)
        case ast.Compare(left, [op], right):
            for name, table in (("boundary", _BOUNDARIES), ("reverse", _REVERSES)):
                if type(op) in table:
                    yield name, ast.Compare(left, [table[type(op)]()], right)
        case ast.UnaryOp(ast.USub() | ast.Not() | ast.Invert(), operand):
            yield "sign", operand
        case ast.Constant(bool() as value):
            yield "constant", ast.Constant(not value)
        case ast.Constant(int() as value):
            yield "constant", ast.Constant(value + 1)
        case ast.Constant(float() as value):
            yield "constant", ast.Constant(2.0 * value if value else 1.0)
        case ast.Attribute(value, name, ctx) if name in _NAMES:
            yield "name", ast.Attribute(value, _NAMES[name], ctx)
        case ast.Name(name, ctx) if name in _NAMES:
            yield "name", ast.Name(_NAMES[name], ctx)
        case ast.Expr(ast.Call()) | ast.Raise():
            yield "statement", ast.Pass()
        case ast.Assign([ast.Attribute() | ast.Subscript()]) if inside:
            yield "statement", ast.Pass()
        case ast.Return(ast.Call() | ast.Name() | ast.Attribute() | ast.Subscript() as value):
            yield "return", ast.Return(ast.BinOp(ast.Constant(2), ast.Mult(), value))
        case ast.If(test, body, other) if not isinstance(test, ast.Compare | ast.UnaryOp):
            yield "condition", ast.If(ast.UnaryOp(ast.Not(), test), body, other)


def mutants(file: str, parent: ast.AST, inside: bool = False, statement: ast.AST | None = None) -> Iterator[Mutant]:
    """All mutants below a node that is part of a statement and lies inside a function or not."""
    inside = inside or isinstance(parent, ast.FunctionDef)
    for name, value in ast.iter_fields(parent):
        if name in _SKIPPED_FIELDS:
            continue
        for index, child in enumerate(value) if isinstance(value, list) else [(None, value)]:
            if not isinstance(child, ast.AST) or isinstance(child, ast.JoinedStr):
                continue
            if isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING":
                continue
            around = child if isinstance(child, ast.stmt) else statement
            place = (parent, name, index)
            for operator, node in changes(child, inside):
                texts = _head(child), _head(node)
                if around is not None and around is not child and len(_head(around)) <= LONGEST:
                    texts = _head(around), _changed(around, place, node, child)
                where = child.lineno, child.col_offset  # type: ignore[attr-defined]
                yield Mutant(file, *where, operator, *texts, place, node)
            if not isinstance(child, ast.Raise):
                yield from mutants(file, child, inside, around)


def _head(node: ast.AST) -> str:
    """A node as source on one line: of a compound statement its head."""
    lines = ast.unparse(ast.fix_missing_locations(node)).split("\n")
    return next(line for line in lines if not line.startswith("@"))


def _changed(around: ast.AST, place: Place, node: ast.AST, original: ast.AST) -> str:
    """A statement as source with one node replaced."""
    put(place, node)
    text = _head(around)
    put(place, original)
    return text


def put(place: Place, node: ast.AST) -> None:
    """Replace what stands in a place."""
    parent, name, index = place
    if index is None:
        setattr(parent, name, node)
    else:
        getattr(parent, name)[index] = node


def compiled(tree: ast.Module, mutant: Mutant) -> CodeType:
    """The module with one change; the tree is spoilt, which only a child sees."""
    put(mutant.place, mutant.node)
    return compile(ast.fix_missing_locations(tree), mutant.file, "exec")
