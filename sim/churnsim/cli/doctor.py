"""``churnsim doctor``: whether this machine has what is needed, and how to mend what is not."""

from __future__ import annotations

import importlib.metadata
import platform
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import typer

from churnsim.cli.folders import why_not_writable
from churnsim.cli.session import FAILED, Session, command

PACKAGES = ("mesa", "numba", "numpy", "pandas", "pyarrow", "matplotlib", "SALib", "pydantic", "ruamel.yaml", "scipy")
OLDEST_PYTHON = (3, 11)


@dataclass(frozen=True)
class Check:
    """One thing that was looked at.

    Attributes
    ----------
    id : str
        Key of its name under ``cli.doctor``; the key of its remedy is ``<id>_fix``.
    found : str
        What is there.
    ok : bool
        Whether that will do.
    needed : bool
        Whether nothing works without it.
    """

    id: str
    found: str
    ok: bool = True
    needed: bool = False


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, "doctor")(doctor)


def doctor(session: Session) -> None:
    """Look at everything that a run, a table and a figure need."""
    checks = list(_checks(session))
    if session.json:
        session.emit(
            {
                "ok": all(check.ok for check in checks),
                "checks": [
                    {
                        "id": c.id,
                        "found": c.found,
                        "ok": c.ok,
                        "fix": None if c.ok else session.say(f"doctor.{c.id}_fix"),
                    }
                    for c in checks
                ],
            }
        )
    for check in checks:
        mark = session.say("doctor.ok" if check.ok else "doctor.not_ok")
        session.print(
            f"{mark}  {session.joined([session.say(f'doctor.{check.id}'), check.found], 'colon')}",
            style=None if check.ok else "yellow",
        )
        if not check.ok:
            session.print(f"      {session.say(f'doctor.{check.id}_fix')}")
    if any(check.needed and not check.ok for check in checks):
        raise typer.Exit(FAILED)


def _checks(session: Session) -> Iterator[Check]:
    """Look at one thing after the other."""
    from churnsim.running import cores

    yield Check("python", platform.python_version(), sys.version_info >= OLDEST_PYTHON, needed=True)
    versions = {name: _version(name) for name in PACKAGES}
    listed = ", ".join(f"{name} {version or session.say('doctor.missing')}" for name, version in versions.items())
    yield Check("packages", listed, None not in versions.values(), needed=True)
    yield Check("cores", str(cores()))
    cache = _kernel_cache()
    yield Check("cache", str(cache) if cache else session.say("doctor.nowhere"), cache is not None)
    font = _chinese_font()
    yield Check("fonts", font or session.say("doctor.none"), font is not None)
    encoding = (sys.stdout.encoding or "ascii").lower()
    yield Check("encoding", encoding, encoding.replace("-", "") in ("utf8", "gb18030", "utf16", "utf32"))
    yield Check("write", str(Path.cwd()), why_not_writable(Path.cwd()) is None, needed=True)


def _version(package: str) -> str | None:
    """Return the installed version of a package."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _kernel_cache() -> Path | None:
    """Return the folder in which compiled kernels are kept, if one can be written."""
    from churnsim.engine.kernel import CACHE_FOLDER, CACHED

    return CACHE_FOLDER if CACHED else None


def _chinese_font() -> str | None:
    """Return the font that Chinese figures are drawn with."""
    from churnsim.plots.fonts import chinese_family

    return chinese_family()
