"""Telling an answer that is the reference solution itself."""

from __future__ import annotations

import ast
import functools
import inspect
import textwrap

from ..checks import Exercise
from .notebooks import functions


def is_reference(exercise: Exercise, source: str) -> bool:
    """Whether a cell holds the reference solution of an exercise, imported, called or pasted.

    Names of variables, annotations, docstrings and comments do not count: they are what changes
    when a solution is copied.

    Args:
        exercise: The exercise.
        source: The cell.
    """
    if _uses(exercise.name, source):
        return True
    own = [function for function in functions(source) if function.name == exercise.name]
    return bool(own) and _gist(own[-1]) == _reference(exercise)


def _uses(name: str, source: str) -> bool:
    try:
        nodes = list(ast.walk(ast.parse(source)))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    imported = [
        alias.name
        for node in nodes
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("labkit.patterns")
        for alias in node.names
    ]
    named = [
        node.attr
        for node in nodes
        if isinstance(node, ast.Attribute) and ast.unparse(node.value).endswith("patterns")
    ]
    return name in imported or name in named or "*" in imported


@functools.cache
def _reference(exercise: Exercise) -> str:
    """What the reference solution of an exercise does."""
    return _gist(functions(textwrap.dedent(inspect.getsource(exercise.reference)))[0])


class _Anonymous(ast.NodeTransformer):
    """Numbers the names that a function gives, in the order in which they come."""

    def __init__(self, names: set[str]) -> None:
        self._names = names
        self._numbers: dict[str, str] = {}

    def _number(self, name: str) -> str:
        if name not in self._names:
            return name
        return self._numbers.setdefault(name, f"_{len(self._numbers)}")

    def visit_Name(self, node: ast.Name) -> ast.Name:
        return ast.Name(self._number(node.id), node.ctx)

    def visit_arg(self, node: ast.arg) -> ast.arg:
        return ast.arg(self._number(node.arg))

    def _function(
        self, node: ast.FunctionDef | ast.AsyncFunctionDef
    ) -> ast.FunctionDef | ast.AsyncFunctionDef:
        node.name = self._number(node.name)
        node.returns = None
        if ast.get_docstring(node) is not None:
            node.body = node.body[1:] or [ast.Pass()]
        self.generic_visit(node)
        return node

    visit_FunctionDef = _function  # noqa: N815  # the name ast asks for
    visit_AsyncFunctionDef = _function  # noqa: N815  # likewise

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        plain = ast.Assign([node.target], node.value) if node.value else ast.Pass()
        return self.generic_visit(plain)


def _gist(function: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    """What a function does, as text; the function is changed by it."""
    given = set()
    for node in ast.walk(function):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            given.add(node.id)
        elif isinstance(node, ast.arg):
            given.add(node.arg)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            given.add(node.name)
    return ast.dump(_Anonymous(given).visit(function))
