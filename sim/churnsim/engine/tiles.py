"""Tiles: a phase works on a thousand customers at a time, in passes over memory that stays in the cache.

A pass is a plain loop in which one rule turns some numbers of a customer into others. Three habits let
the compiler turn it into vector instructions, eight customers at once (docs/decisions/0006-tiles.md):
what a pass writes lies in memory of the tile's own (`stack`), random numbers are drawn in a pass of
their own (`draw`), and what concerns few customers is done for a list of them (`listed`).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic
from numba.np.arrayobj import make_array, populate_array

from churnsim.mechanisms.rule import part
from churnsim.randomness import place, scramble_top, unit

TILE = 1024
"""Customers per tile: the scratch of a phase stays within the second-level cache."""

AHEAD = 6
"""Cache lines of a column that are asked for before its next tile begins."""

PER_LINE = 16
"""Entries of four bytes in a cache line."""

ALIGNMENT = 64
"""Bytes of a cache line."""


def _stack(typing_context: Any, size: Any, dtype: Any) -> Any:
    """Return an uninitialised array on the stack: `size` (a constant) entries of `dtype`.

    The compiler knows that nothing else points there, so that a loop which writes to it needs no
    checks whether it overwrites what it reads.
    """
    item, entries = dtype.dtype, size.literal_value
    array = types.Array(item, 1, "C")

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        """Allocate in the function's entry block and describe the space as an array."""
        element = context.get_data_type(item)
        space = cgutils.alloca_once(builder, ir.ArrayType(element, entries))
        space.align = ALIGNMENT
        width = context.get_abi_sizeof(element)
        described = make_array(array)(context, builder)
        populate_array(
            described,
            data=builder.bitcast(space, element.as_pointer()),
            shape=[context.get_constant(types.intp, entries)],
            strides=[context.get_constant(types.intp, width)],
            itemsize=context.get_constant(types.intp, width),
            meminfo=None,
        )
        return described._getvalue()

    return array(size, dtype), generate


stack: Any = intrinsic(prefer_literal=True)(_stack)


def _fetch(typing_context: Any, array: Any, place: Any) -> Any:
    """Ask the processor for one entry of an array, at an index or a tuple of indices, before it is needed.

    What few customers need is scattered; asked for one by one, the processor would wait for memory each time.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        """Emit a prefetch of the entry's address."""
        kind, where = signature.args
        described = make_array(kind)(context, builder, arguments[0])
        parts = cgutils.unpack_tuple(builder, arguments[1]) if isinstance(where, types.BaseTuple) else [arguments[1]]
        address = cgutils.get_item_pointer(context, builder, kind, described, parts, wraparound=False)
        byte = builder.bitcast(address, ir.IntType(8).as_pointer())
        flag = ir.IntType(32)
        ask = cgutils.get_or_insert_function(
            builder.module, ir.FunctionType(ir.VoidType(), [byte.type, flag, flag, flag]), "llvm.prefetch.p0"
        )
        builder.call(ask, [byte, flag(0), flag(3), flag(1)])
        return context.get_dummy_value()

    return types.none(array, place), generate


fetch: Any = intrinsic(_fetch)


@part
def fetch_ahead(column, row):
    """Ask for the first lines of a column's next tile, which begins in `row`.

    From there on the processor sees the pattern by itself; each beginning would cost it a wait.
    """
    for line in range(AHEAD):
        fetch(column, min(row + line * PER_LINE, column.size - 1))


@part
def option_of(j):
    """Return the option number of firm `j`, as narrow as the columns that hold options.

    Compared with a wider number, eight customers' options would not fit into one vector.
    """
    return np.int8(j + 1)


@part
def select(condition, yes, no):
    """Return `yes` or `no`; both are worked out, so that a loop of selections has no branches."""
    return yes if condition else no


@part
def find_places(places, who, n):
    """Fill `places` with where each of `n` ids stands in the streams of random numbers."""
    for k in range(n):
        places[k] = place(who[k])


@part
def draw(luck, key, places, n):
    """Fill `luck` with the uniform numbers of `n` places under one key."""
    for k in range(n):
        luck[k] = unit(scramble_top(key + places[k]))


@part
def listed(mask, rows, n):
    """List in `rows` where the first `n` of `mask` are true; return how many."""
    found = 0
    for k in range(n):
        rows[found] = k
        found += mask[k]
    return found


@part
def pack(packed, values, rows, found):
    """Fill `packed` with the entries of `values` in the listed rows."""
    for k in range(found):
        packed[k] = values[rows[k]]


@part
def store(target, values, n):
    """Write the first `n` of `values` to `target`."""
    for k in range(n):
        target[k] = values[k]


@part
def fill(target, value, n):
    """Write one value to the first `n` of `target`."""
    for k in range(n):
        target[k] = value


@part
def total(values, mask, n):
    """Return the sum of up to `TILE` integers of at most 2**20 where `mask` is true."""
    found = np.int32(0)
    for k in range(n):
        found = np.int32(found + select(mask[k], values[k], np.int32(0)))
    return np.int64(found)


@part
def number(mask, n):
    """Return how many of the first `n` of `mask` are true."""
    found = np.int32(0)
    for k in range(n):
        found = np.int32(found + np.int32(mask[k]))
    return np.int64(found)
