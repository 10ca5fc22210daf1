"""Compiling kernels: without the interpreter lock, and cached on disk where that is possible."""

from __future__ import annotations

import hashlib
import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba
import numba.core.config

numba_config: Any = numba.core.config
options: Any = {"nogil": True, "_nrt": False, "error_model": "numpy"}
"""No interpreter lock, and no reference counts: kernels allocate nothing (docs/decisions/0003)."""


def _cache_folder() -> Path:
    """Return the folder for compiled code, one per state of the sources.

    Numba notices a change of a kernel's own file only. Rules live in other files, so the
    folder is named after all of their contents.
    """
    package = Path(__file__).resolve().parent.parent
    sources = [package / "randomness.py", *sorted((package / "mechanisms").glob("*.py")), *sorted((package / "engine").rglob("*.py"))]  # fmt: skip # noqa: E501
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()[:16]
    home = os.environ.get("CHURNSIM_CACHE_DIR") or Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "churnsim"  # fmt: skip # noqa: E501
    return Path(home) / digest


def _usable(folder: Path) -> bool:
    """Return whether files can be written below a folder, making it if need be."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / f".probe-{os.getpid()}"
        probe.touch()
        probe.unlink()
    except OSError:
        return False
    return True


CACHE_FOLDER = _cache_folder()
CACHED = _usable(CACHE_FOLDER)
"""Whether compiled code is kept on disk; without a writable folder it is compiled each time."""

stand_in: Callable[[Any], Any] | None = None
"""What takes the place of kernels in a process that only compiles them (`churnsim.compiling`)."""


def kernel(function: Callable[..., Any]) -> Any:
    """Compile a loop over customers; it releases the interpreter lock while it runs."""
    if not CACHED:
        return numba.njit(**options)(function)
    # Numba reads its cache folder from a global setting when a function is decorated.
    before = numba_config.CACHE_DIR
    numba_config.CACHE_DIR = str(CACHE_FOLDER)
    try:
        made = numba.njit(cache=True, **options)(function)
    finally:
        numba_config.CACHE_DIR = before
    return made if stand_in is None else stand_in(made)


LONGEST = ("choice.choose", "service.serve", "hearsay.listen", "census.count")
"""Kernels that take longest to compile; where they lie on disk, nothing that takes long is left."""

DEALINGS = ("phases.approach", "phases.take_stock", "conduct.cultivate")
"""The same for dealings beyond the stay."""


KERNELS_IN = ("engine", "engine/dealings", "calibration")
"""Folders of the package with kernels."""


def warm(*names: str) -> bool:
    """Return whether kernels lie on disk as compiled for this installation.

    Several installations of one state of the sources share a folder, in which Numba keeps the code of each by itself:
    below the name of the folder of its sources and that folder's hash.

    Parameters
    ----------
    names
        Which, as ``file.function``.
    """
    package = Path(__file__).resolve().parent.parent
    folders = [package / name for name in KERNELS_IN]
    return CACHED and all(any(_lies_on_disk(folder, name) for folder in folders) for name in names)


def _lies_on_disk(folder: Path, name: str) -> bool:
    """Return whether a kernel of a folder of sources is in the cache, compiled from its source as it is now."""
    source = folder / f"{name.partition('.')[0]}.py"
    own = CACHE_FOLDER / f"{folder.name}_{hashlib.sha1(str(folder).encode(), usedforsecurity=False).hexdigest()}"
    return source.is_file() and any(_is_current(index, source) for index in own.glob(f"{name}-*.nbi"))


def _is_current(index: Path, source: Path) -> bool:
    """Return whether Numba would load what an index lists.

    An index opens with Numba's version and a stamp of the source: the hash of its contents, in earlier versions when
    it was written and how large it is (`numba.core.caching`). When the index itself was written says nothing: the same
    source may have been copied or checked out anew since.
    """
    about = source.stat()
    try:
        with index.open("rb") as file:
            if pickle.load(file) != numba.__version__:
                return False
            stamp, compiled = pickle.load(file)
    except (OSError, EOFError, pickle.UnpicklingError):  # an index that is just being replaced, or cut short
        return False
    return bool(compiled) and stamp in (hashlib.sha256(source.read_bytes()).digest(), (about.st_mtime, about.st_size))
