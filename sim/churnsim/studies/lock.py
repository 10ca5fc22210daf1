"""One writer per store: a lock that the system releases when its owner dies."""

from __future__ import annotations

import json
import os
import socket
import time
from pathlib import Path
from typing import Any

from churnsim.studies.errors import StoreError

FILE = "study.lock"


class Lock:
    """The right to write to a store's folder.

    The system's own file lock decides on one machine. The file also names its owner, so that a second machine on a
    shared file system, where such locks may not reach, refuses as well.
    """

    def __init__(self, folder: Path) -> None:
        self.file = folder / FILE
        self._stream: Any = None

    def take(self) -> None:
        """Take the lock; raise StoreError where somebody else has it."""
        stream = self.file.open("a+", encoding="utf-8")
        if not _locked(stream):
            owner = _read(stream)
            stream.close()
            raise StoreError("locked", folder=self.file.parent, **owner)
        owner = _read(stream)
        if owner["host"] not in ("?", socket.gethostname()):
            stream.close()
            raise StoreError("locked_elsewhere", folder=self.file.parent, lock=self.file, **owner)
        stream.seek(0)
        stream.truncate()
        about = {"pid": os.getpid(), "host": socket.gethostname(), "since": time.strftime("%Y-%m-%d %H:%M:%S")}
        json.dump(about, stream)
        stream.flush()
        self._stream = stream

    def release(self) -> None:
        """Give the lock back."""
        if self._stream is None:
            return
        self.file.unlink(missing_ok=True)
        self._stream.close()
        self._stream = None


def _read(stream: Any) -> dict[str, Any]:
    """Return who a lock file names."""
    stream.seek(0)
    try:
        about = json.loads(stream.read())
        return {name: about[name] for name in ("pid", "host", "since")}
    except (ValueError, KeyError, TypeError, OSError):
        return {"pid": "?", "host": "?", "since": "?"}


def _locked(stream: Any) -> bool:
    """Try to lock an open file."""
    try:
        import fcntl
    except ImportError:  # Windows
        import msvcrt

        try:
            stream.seek(1 << 20)
            msvcrt.locking(stream.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
            return True
        except OSError:
            return False
    try:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    except BlockingIOError:
        return False
    except OSError:
        return True  # the file system has no locks; the file's text still names the owner
