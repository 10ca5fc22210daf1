"""The language of claims: reading an expression, and working it out on a result.

A *term* names a measure and a window of ticks, both ends included:
``share.eton@24``, ``share.eton[both_passive]@1-6``, ``churn.nanyuan@-11-0``,
``outside_share.market@96``, ``loss.price.eton@1-12`` (departures with that primary
cause), ``loss_share.price.eton@1-12`` (departures split over all their causes, the part of
that one). A term alone is its mean over the window; ``max(term)``, ``min(term)``,
``sum(term)``, ``first(term)`` and ``last(term)`` reduce it otherwise. Terms combine
with numbers, ``+ - * / ( )``, comparisons (also chained), ``and`` and ``or``.
Expressions are parsed, never evaluated as Python.
"""

from __future__ import annotations

import ast
import operator
import re
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

MARKET = "market"
LOSS = "loss"
LOSS_SHARE = "loss_share"
BY_CAUSE = {LOSS: "primary", LOSS_SHARE: "share"}
"""Terms that name a cause, and the column of a result's causes that they are read from."""
DEFAULT_ARM = "case"
SIGNS: dict[type[ast.cmpop], str] = {
    ast.Gt: ">", ast.GtE: "\N{GREATER-THAN OR EQUAL TO}", ast.Lt: "<", ast.LtE: "\N{LESS-THAN OR EQUAL TO}",
}  # fmt: skip
"""How comparisons are written for people."""
MAX_LENGTH = 2000
"""Longest expression, in characters."""

TERM = re.compile(
    r"(?P<names>[^\W\d]\w*(?:\.[^\W\d]\w*){1,2})(?:\[(?P<arm>[^\]]*)\])?"
    r"@(?P<first>-?\d{1,9})(?:-(?P<last>-?\d{1,9}))?(?![\w.])"
)
TERM_LIKE = re.compile(r"[^\W\d][\w.]*(?:\[[^\]]*\])?(?:@[-\d]*)?")

Array = Any


@dataclass(frozen=True)
class Term:
    """One measured quantity over a window of ticks.

    Attributes
    ----------
    text : str
        As written.
    measure : str
        Measure, or one of `BY_CAUSE` for departures by cause.
    firm : str
        Firm, or ``market``.
    arm : str
        Arm whose runs are meant.
    first, last : int
        Window, both ends included.
    cause : str or None
        Cause, for departures by cause.
    """

    text: str
    measure: str
    firm: str
    arm: str
    first: int
    last: int
    cause: str | None = None


class ExpressionError(Exception):
    """An expression cannot be read; says why in few words."""


def _nan_reduced(function: Callable[..., Array]) -> Callable[[Array], Array]:
    """Make a reduction over ticks that passes over ticks without a value."""

    def reduce(values: Array) -> Array:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # a window without any value is NaN
            return np.where(np.isnan(values).all(axis=1), np.nan, function(values, axis=1))

    return reduce


REDUCTIONS: dict[str, Callable[[Array], Array]] = {
    "mean": _nan_reduced(np.nanmean),
    "max": _nan_reduced(np.nanmax),
    "min": _nan_reduced(np.nanmin),
    "sum": _nan_reduced(np.nansum),
    "first": lambda values: values[:, 0],
    "last": lambda values: values[:, -1],
}
ARITHMETIC: dict[type[ast.operator], Callable[[Array, Array], Array]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
COMPARISONS: dict[type[ast.cmpop], Callable[[Array, Array], Array]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}


@dataclass(frozen=True)
class Expression:
    """A read expression.

    Attributes
    ----------
    text : str
        As written.
    terms : dict of str to Term
        Its terms, by the name that stands for them in `tree`.
    tree : ast.expr
        What to work out.
    is_statement : bool
        Whether it is true or false, rather than a quantity.
    """

    text: str
    terms: dict[str, Term]
    tree: ast.expr
    is_statement: bool

    def evaluate(self, values: Callable[[Term], Array]) -> Array:
        """Return one value per seed, ``(n_seeds,)``: bool for a statement, else float64.

        Parameters
        ----------
        values
            Gives a term's values, ``(n_seeds, n_ticks) float64``.
        """
        with np.errstate(divide="ignore", invalid="ignore"):
            return _work_out(self.tree, self.terms, values)

    def difference(self) -> Expression | None:
        """Return left side minus right side of a single comparison, or None for any other expression."""
        tree = self.tree
        if not isinstance(tree, ast.Compare) or len(tree.ops) != 1:
            return None
        gap = ast.BinOp(left=tree.left, op=ast.Sub(), right=tree.comparators[0])
        return Expression(self.text, self.terms, gap, is_statement=False)

    def comparisons(self) -> list[tuple[Expression, str, Expression]]:
        """Return what a statement compares: left side, sign, right side, in the order of writing."""
        found = []
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Compare):
                sides = [self._part(side) for side in (node.left, *node.comparators)]
                signs = [SIGNS[type(sign)] for sign in node.ops]
                found += list(zip(sides[:-1], signs, sides[1:], strict=True))
        return found

    def _part(self, tree: ast.expr) -> Expression:
        """Return a part of the expression as one of its own, written as it stands in it."""
        written = ast.unparse(tree)
        for name, term in self.terms.items():
            written = re.sub(rf"\b{name}\b", lambda _, said=term.text: said, written)  # type: ignore[misc]
        return Expression(written, self.terms, tree, is_statement=False)


def read_expression(text: str) -> Expression:
    """Read an expression; raise ExpressionError where it is none."""
    if len(text) > MAX_LENGTH:
        raise ExpressionError(f"longer than {MAX_LENGTH} characters")
    terms: dict[str, Term] = {}

    def stand_in(match: re.Match[str]) -> str:
        name = f"term_{len(terms)}_"
        terms[name] = _term(match)
        return f" {name} "

    replaced = TERM.sub(stand_in, text)
    try:
        tree = ast.parse(replaced.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise ExpressionError(_what_is_odd(replaced, terms) or "check operators and brackets") from None
    try:
        return Expression(text, terms, tree, _is_statement(tree, terms, replaced))
    except RecursionError:
        raise ExpressionError("nested too deeply") from None


def _term(match: re.Match[str]) -> Term:
    """Read a matched term."""
    measure, *middle, firm = match["names"].split(".")
    first = int(match["first"])
    last = first if match["last"] is None else int(match["last"])
    if (measure in BY_CAUSE) != bool(middle):
        form = f"{measure}.cause.firm@ticks" if measure in BY_CAUSE else "measure.firm@ticks"
        raise ExpressionError(f"'{match[0]}' should be written {form}")
    return Term(match[0], measure, firm, match["arm"] or DEFAULT_ARM, first, last, middle[0] if middle else None)


def _what_is_odd(replaced: str, terms: dict[str, Term]) -> str | None:
    """Say which part of an expression looks like a term but is none."""
    for match in TERM_LIKE.finditer(replaced):
        word = match[0]
        if word in terms or word in REDUCTIONS or word in ("and", "or"):
            continue
        if "@" not in word:
            return f"'{word}' needs a window, such as {word if '.' in word else 'share.eton'}@24 or @85-96"
        return f"'{word}' is not measure.firm@ticks, such as share.eton@24 or share.eton@85-96"
    return None


def _is_statement(node: ast.expr, terms: dict[str, Term], replaced: str) -> bool:
    """Check that a tree is of the language; return whether it is true or false rather than a quantity."""

    def quantity(part: ast.expr) -> None:
        if _is_statement(part, terms, replaced):
            raise ExpressionError("a comparison cannot be calculated with")

    match node:
        case ast.Constant(value=value) if isinstance(value, (int, float)) and not isinstance(value, bool):
            return False
        case ast.Name(id=name) if name in terms:
            return False
        case ast.UnaryOp(op=ast.USub() | ast.UAdd(), operand=operand):
            quantity(operand)
            return False
        case ast.BinOp(left=left, op=op, right=right) if type(op) in ARITHMETIC:
            quantity(left)
            quantity(right)
            if isinstance(op, ast.Div) and _is_zero(right):
                raise ExpressionError(f"division by zero (/ {ast.unparse(right)})")
            return False
        case ast.Compare(left=left, ops=ops, comparators=others) if all(type(op) in COMPARISONS for op in ops):
            for part in (left, *others):
                quantity(part)
            return True
        case ast.BoolOp(values=parts):
            if not all(_is_statement(part, terms, replaced) for part in parts):
                raise ExpressionError("'and' and 'or' join comparisons")
            return True
        case ast.Call(func=ast.Name(id=name), args=args, keywords=[]):
            if name not in REDUCTIONS:
                raise ExpressionError(f"unknown function '{name}' ({', '.join(REDUCTIONS)})")
            if len(args) != 1 or not isinstance(args[0], ast.Name) or args[0].id not in terms:
                raise ExpressionError(f"{name}() takes one term, such as {name}(share.eton@1-96)")
            return False
        case ast.Name() | ast.Attribute() | ast.BinOp(op=ast.MatMult()):
            raise ExpressionError(_what_is_odd(replaced, terms) or "check operators and brackets")
        case _:
            raise ExpressionError(f"only + - * / < <= > >= and, or, ( ) and {', '.join(REDUCTIONS)} are allowed")


def _is_zero(node: ast.expr) -> bool:
    """Whether a checked quantity is zero whatever the result."""
    if any(isinstance(part, ast.Name) for part in ast.walk(node)):
        return False
    with np.errstate(all="ignore"):
        return bool(_work_out(node, {}, _no_values) == 0)


def _no_values(term: Term) -> Array:
    """Stand in for a result where an expression has no terms."""
    raise AssertionError(f"no values for {term.text}")


def _work_out(node: ast.expr, terms: dict[str, Term], values: Callable[[Term], Array]) -> Array:
    """Value of a checked tree, one per seed."""
    match node:
        case ast.Constant(value=int() | float() as value):
            return np.float64(value)
        case ast.Name(id=name):
            return REDUCTIONS["mean"](values(terms[name]))
        case ast.Call(func=ast.Name(id=name), args=[ast.Name(id=term)]):
            return REDUCTIONS[name](values(terms[term]))
        case ast.UnaryOp(op=op, operand=operand):
            value = _work_out(operand, terms, values)
            return -value if isinstance(op, ast.USub) else value
        case ast.BinOp(left=left, op=op, right=right):
            return ARITHMETIC[type(op)](_work_out(left, terms, values), _work_out(right, terms, values))
        case ast.Compare():
            return _compared(node, terms, values)
        case ast.BoolOp(op=op, values=parts):
            results = [_work_out(part, terms, values) for part in parts]
            return np.logical_and.reduce(results) if isinstance(op, ast.And) else np.logical_or.reduce(results)
    raise AssertionError(f"unchecked expression: {ast.dump(node)}")


def _compared(node: ast.Compare, terms: dict[str, Term], values: Callable[[Term], Array]) -> Array:
    """Truth of a comparison, chained or not; what is undefined in a run is neither more nor less than anything."""
    sides = [_work_out(side, terms, values) for side in (node.left, *node.comparators)]
    links: Iterator[Array] = (
        COMPARISONS[type(op)](left, right) for op, left, right in zip(node.ops, sides, sides[1:], strict=False)
    )
    known = (np.isfinite(side) for side in sides)
    return np.logical_and.reduce(np.broadcast_arrays(*links, *known))
