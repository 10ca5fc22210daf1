"""Studies of a Python function instead of a scenario: for known answers, and for models of one's own."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable
from typing import Any


class FunctionError(Exception):
    """A function that cannot be found; says why in few words."""


def function_of(name: str) -> Callable[[dict[str, Any], int], dict[str, float]]:
    """Return the function of ``module:name``; modules of the current folder are found too.

    Raises
    ------
    FunctionError
        If there is none.
    """
    module_name, _, inner = name.partition(":")
    here = os.getcwd()
    if here not in sys.path and "" not in sys.path:
        sys.path.append(here)
    try:
        found: Any = importlib.import_module(module_name)
        for part in inner.split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError, ValueError) as error:
        raise FunctionError(str(error)) from None
    if not callable(found):
        raise FunctionError(f"{name} cannot be called")
    return found
