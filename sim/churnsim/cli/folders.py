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


def reason(error: Exception) -> str:
    """Return what an error says, without its number and path where it has them."""
    return (error.strerror if isinstance(error, OSError) else None) or str(error)
