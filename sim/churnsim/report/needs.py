"""Packages that only some reports need."""

from __future__ import annotations

import importlib
from types import ModuleType


class MissingExtraError(ImportError):
    """A package of an optional extra is not installed.

    Attributes
    ----------
    package, extra : str
        What is missing, and the extra that brings it.
    """

    def __init__(self, package: str, extra: str) -> None:
        super().__init__(f"this needs the package {package}; install it with: pip install 'churnsim[{extra}]'")
        self.package, self.extra = package, extra


def needed(module: str, package: str, extra: str = "office") -> ModuleType:
    """Import a module of an optional extra; say which extra brings it where it is absent."""
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name != module.partition(".")[0]:
            raise
        raise MissingExtraError(package, extra) from None
