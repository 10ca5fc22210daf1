"""Starting the server, and the browser with it."""

from __future__ import annotations

import socket
import threading
import time
import webbrowser
from collections.abc import Callable
from contextlib import suppress

import uvicorn

from churnsim.web.app import Laboratory, application
from churnsim.web.guards import is_loopback

FREE_TRIES = 20
"""Ports tried after the wanted one, where that is taken and nobody insisted on it."""


class PortTakenError(OSError):
    """The port is in use."""


def listening(host: str, port: int, *, insist: bool) -> socket.socket:
    """Return a socket that listens on a port, or on one of the next where that is taken and nobody insists.

    Raises
    ------
    PortTakenError
        If none is free.
    OSError
        If the host is not an address of this machine.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for offset in range(1 if insist else FREE_TRIES):
        sock = socket.socket(family, socket.SOCK_STREAM)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind((host, port + offset if port else 0))
            return sock
        except OSError as error:
            sock.close()
            if error.errno is not None and error.strerror and "in use" not in error.strerror.lower():
                raise
    raise PortTakenError(port)


def address_of(host: str, port: int) -> str:
    """Return the address under which visitors find a server bound to `host`."""
    if host in ("0.0.0.0", "::"):
        host = own_address()
    elif is_loopback(host):
        host = "127.0.0.1" if ":" not in host else host
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def own_address() -> str:
    """Return this machine's address in its network; nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe, suppress(OSError):
        probe.connect(("192.0.2.1", 9))  # an address reserved for documentation
        return str(probe.getsockname()[0])
    return "127.0.0.1"


def serve(
    lab: Laboratory, sock: socket.socket, host: str, *, browser: str | None, began: Callable[[], None] | None = None
) -> None:
    """Serve until somebody presses Ctrl-C.

    Parameters
    ----------
    lab
        What is shown.
    sock
        Listening socket.
    host
        What it is bound to.
    browser
        Address to open in a browser once the server answers; None opens nothing.
    began
        Called once the server answers.
    """
    config = uvicorn.Config(
        application(lab, local=is_loopback(host)),
        log_level="warning",
        access_log=False,
        server_header=False,
        date_header=True,
        timeout_graceful_shutdown=1,
        limit_concurrency=1000,
        lifespan="on",
    )
    server = uvicorn.Server(config)

    def once_started() -> None:
        while not server.started:
            if server.should_exit:
                return
            time.sleep(0.02)
        if began is not None:
            began()
        if browser is not None:
            webbrowser.open(browser)

    threading.Thread(target=once_started, daemon=True).start()
    try:
        server.run(sockets=[sock])
    except KeyboardInterrupt:  # uvicorn raises it once more after a clean end
        return
    finally:
        lab.close()
