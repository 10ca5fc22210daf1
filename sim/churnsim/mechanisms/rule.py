"""What a mechanism is made of: scalar rules that run compiled or as plain Python.

A *rule* is a small function of numbers. Decorated with `rule` it is compiled when a
kernel calls it; `interpreted` gives the same function as plain Python, together with
every rule that it calls. Rules compute in single precision throughout, which both
ways of running carry out bit for bit alike: constants are `numpy.float32`, never bare
decimal literals, and nothing is reassociated.
"""

from __future__ import annotations

import functools
import types
from collections.abc import Callable
from typing import Any

import numba

_options: Any = {"forceinline": True, "_nrt": False, "error_model": "numpy"}
rule: Any = numba.njit(**_options)
"""Decorator that makes a scalar function a rule."""

_inner: Any = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True, **_options}
part: Any = numba.njit(**_inner)
"""Decorator for parts of kernels, which only kernels call: they compile in half the time of a rule."""


@functools.cache
def interpreted(function: Any) -> Callable[..., Any]:
    """Return a rule as plain Python; the rules it calls are plain Python too.

    Parameters
    ----------
    function
        A function decorated with `rule`.
    """
    source = function.py_func
    names = {
        name: interpreted(value) if hasattr(value, "py_func") else value
        for name, value in source.__globals__.items()
        if name in source.__code__.co_names
    }
    names["__builtins__"] = source.__globals__["__builtins__"]
    plain = types.FunctionType(source.__code__, names, source.__name__, source.__defaults__, source.__closure__)
    plain.__doc__ = source.__doc__
    return plain
