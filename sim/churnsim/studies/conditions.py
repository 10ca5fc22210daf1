"""Conditions on factors: ``constraints`` of a study and ``when`` of a factor.

Names are dotted paths of factors (or of numbers that the scenario fixes) and ``arm``; they combine with numbers,
texts in quotes, ``+ - * / ( )``, comparisons, ``and``, ``or`` and ``not``. Conditions are parsed, never evaluated as
Python. A mapping, such as a strategy with its parameters, is compared by its name.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from churnsim.expressions import ARITHMETIC, COMPARISONS, MAX_LENGTH, ExpressionError

COMPARED: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    **COMPARISONS,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}
ALLOWED = "only + - * / < <= > >= == !=, and, or, not, ( ), numbers, 'texts' and names of factors are allowed"


@dataclass(frozen=True)
class Condition:
    """A read condition.

    Attributes
    ----------
    text : str
        As written.
    names : frozenset of str
        The dotted paths that it speaks of.
    tree : ast.expr
        What to work out.
    """

    text: str
    names: frozenset[str]
    tree: ast.expr

    def holds(self, columns: Mapping[str, Any], rows: int) -> np.ndarray:
        """Return where it holds, ``(rows,) bool``.

        Parameters
        ----------
        columns
            By name, an array over rows or one value for all of them.
        rows
            How many rows there are.
        """
        with np.errstate(all="ignore"):
            return np.broadcast_to(np.asarray(_work_out(self.tree, columns), dtype=bool), (rows,))


def read_condition(text: str) -> Condition:
    """Read a condition; raise ExpressionError where it is none."""
    if len(text) > MAX_LENGTH:
        raise ExpressionError(f"longer than {MAX_LENGTH} characters")
    try:
        tree = ast.parse(text.strip(), mode="eval").body
        names: set[str] = set()
        if not _is_statement(tree, names):
            raise ExpressionError("a condition is a comparison, such as a > b")
    except (SyntaxError, ValueError, MemoryError):
        raise ExpressionError("check operators and brackets") from None
    except RecursionError:
        raise ExpressionError("nested too deeply") from None
    return Condition(text, frozenset(names), tree)


def dotted(node: ast.expr) -> str | None:
    """Return the dotted path that a node spells, or None."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        above = dotted(node.value)
        return None if above is None else f"{above}.{node.attr}"
    return None


def _is_statement(node: ast.expr, names: set[str]) -> bool:
    """Check that a tree is of the language, collect its names; return whether it is true or false."""
    name = dotted(node)
    if name is not None:
        names.add(name)
        return False
    match node:
        case ast.Constant(value=bool() | int() | float() | str()):
            return False
        case ast.UnaryOp(op=ast.USub() | ast.UAdd(), operand=operand):
            return _quantity(operand, names)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            _statement(operand, names)
            return True
        case ast.BinOp(left=left, op=op, right=right) if type(op) in ARITHMETIC:
            _quantity(left, names)
            return _quantity(right, names)
        case ast.Compare(left=left, ops=ops, comparators=others) if all(type(op) in COMPARED for op in ops):
            for part in (left, *others):
                _quantity(part, names)
            return True
        case ast.BoolOp(values=parts):
            for part in parts:
                _statement(part, names)
            return True
    raise ExpressionError(ALLOWED)


def _quantity(node: ast.expr, names: set[str]) -> bool:
    """Check that a part is a quantity; return False, as quantities are no statements."""
    if _is_statement(node, names):
        raise ExpressionError("a comparison cannot be calculated with")
    return False


def _statement(node: ast.expr, names: set[str]) -> None:
    """Check that a part is true or false."""
    if not _is_statement(node, names):
        raise ExpressionError("'and', 'or' and 'not' join comparisons")


def _work_out(node: ast.expr, columns: Mapping[str, Any]) -> Any:
    """Value of a checked tree, one per row or one for all."""
    name = dotted(node)
    if name is not None:
        return _by_name(columns[name])
    match node:
        case ast.Constant(value=value):
            return value
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return np.logical_not(_work_out(operand, columns))
        case ast.UnaryOp(op=op, operand=operand):
            value = _work_out(operand, columns)
            return -value if isinstance(op, ast.USub) else value
        case ast.BinOp(left=left, op=op, right=right):
            return ARITHMETIC[type(op)](_work_out(left, columns), _work_out(right, columns))
        case ast.Compare(left=left, ops=ops, comparators=others):
            sides = [_work_out(side, columns) for side in (left, *others)]
            links = [_compared(op, *pair) for op, *pair in zip(ops, sides, sides[1:], strict=False)]
            return np.logical_and.reduce(np.broadcast_arrays(*links)) if len(links) > 1 else links[0]
        case ast.BoolOp(op=op, values=parts):
            results = np.broadcast_arrays(*(_work_out(part, columns) for part in parts))
            return np.logical_and.reduce(results) if isinstance(op, ast.And) else np.logical_or.reduce(results)
    raise AssertionError(f"unchecked condition: {ast.dump(node)}")


def _compared(op: ast.cmpop, left: Any, right: Any) -> Any:
    """Compare two sides; a text is neither more nor less than a number."""
    try:
        return COMPARED[type(op)](left, right)
    except TypeError:
        return np.False_


def _by_name(values: Any) -> Any:
    """Return values with mappings replaced by their names."""
    if isinstance(values, Mapping):
        return values.get("name")
    if isinstance(values, np.ndarray) and values.dtype == object:
        names = np.empty(values.shape, dtype=object)
        names[:] = [value.get("name") if isinstance(value, Mapping) else value for value in values]
        return names
    return values
