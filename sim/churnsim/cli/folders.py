"""Whether something can be written to a folder, found out before anything is run."""

from __future__ import annotations

import errno
import os
import tempfile
from pathlib import Path


def why_not_writable(folder: Path) -> str | None:
    """Return why a file cannot be made in a folder (or the nearest one above it that exists), None if it can."""
    try:
        folder = folder.absolute()
        while not folder.exists() and folder != folder.parent:
            folder = folder.parent
        if not folder.is_dir():
            return f"{folder}: {os.strerror(errno.ENOTDIR)}"
        with tempfile.TemporaryFile(dir=folder):
            return None
    except OSError as error:
        return f"{folder}: {reason(error)}"


def why_no_file(file: Path) -> str | None:
    """Return why a file cannot be written where it is said to go, None if it can.

    Its folder must be there: one that is not is more likely misspelt than meant to be made.
    """
    if file.is_dir():
        return f"{file}: {os.strerror(errno.EISDIR)}"
    folder = file.absolute().parent
    if not folder.exists():
        return f"{folder}: {os.strerror(errno.ENOENT)}"
    return why_not_writable(folder)


def reason(error: Exception) -> str:
    """Return what an error says, without its number and path where it has them."""
    return (error.strerror if isinstance(error, OSError) else None) or str(error)
