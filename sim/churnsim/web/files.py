"""The pages' own files, read once: no request ever reaches the file system."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable

KINDS = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".json": "application/json",
    ".LICENSE": "text/plain; charset=utf-8",
}


@dataclass(frozen=True)
class StaticFile:
    """One file: its content, kind and a tag that changes with it."""

    content: bytes
    kind: str
    tag: str


def static_files() -> dict[str, StaticFile]:
    """Return every static file by its path below ``static``."""
    found: dict[str, StaticFile] = {}

    def gather(folder: Traversable, prefix: str) -> None:
        for entry in folder.iterdir():
            if entry.is_dir():
                gather(entry, f"{prefix}{entry.name}/")
                continue
            suffix = "." + entry.name.rpartition(".")[2]
            if suffix in KINDS:
                content = entry.read_bytes()
                tag = hashlib.blake2b(content, digest_size=8).hexdigest()
                found[prefix + entry.name] = StaticFile(content, KINDS[suffix], f'"{tag}"')

    gather(files("churnsim.web") / "static", "")
    return found


def static_text(path: str) -> str:
    """Return a static file as text."""
    return (files("churnsim.web") / "static" / path).read_text(encoding="utf-8")
