"""What stands before every route: headers, the size and rate of requests, and where they may come from."""

from __future__ import annotations

import ipaddress
import threading
import time
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse

from churnsim.i18n import text

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from churnsim.web.limits import Limits

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; "
    "font-src 'none'; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)
"""Nothing but this server's own files, no inline scripts or styles, no evaluation of text."""

HEADERS = (
    (b"content-security-policy", POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"SAMEORIGIN"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), microphone=(), geolocation=(), payment=()"),
)

LOCAL = {"localhost", "127.0.0.1", "[::1]"}
"""Names under which a server that only this machine can reach is called; another name is a trick (DNS rebinding)."""

WORKBOOK = "/api/workbook"
WORKBOOK_KIND = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
"""The one address that takes a file, and of which kind; every other takes JSON."""

ADDRESSES = 4096
"""Addresses whose rates are remembered."""


def is_loopback(host: str) -> bool:
    """Return whether a server bound to `host` can be reached from this machine alone."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def refusal(status: int, key: str, lang: str = "en", /, **values: str) -> JSONResponse:
    """Return a refusal as the pages read it."""
    return JSONResponse({"error": key, "message": text(f"web.error.{key}", lang, **values), "problems": []}, status)


def lang_of(scope: Scope) -> str:
    """Return the language that the address of a file asks for."""
    return "zh" if b"lang=zh" in scope.get("query_string", b"").split(b"&") else "en"


class Buckets:
    """How much each address may still ask for: a bucket that fills steadily and is emptied by requests."""

    def __init__(self, rate: float, burst: float) -> None:
        self.rate, self.burst = rate, burst
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, address: str, now: float | None = None) -> bool:
        """Take one request out of an address's bucket; return whether there was one."""
        now = time.monotonic() if now is None else now
        with self._lock:
            left, then = self._left.pop(address, (self.burst, now))
            left = min(self.burst, left + (now - then) * self.rate)
            granted = left >= 1
            self._left[address] = (left - granted, now)
            while len(self._left) > ADDRESSES:
                self._left.popitem(last=False)
            return granted


class Guard:
    """The middleware of the laboratory.

    Parameters
    ----------
    app
        What stands behind it.
    limits
        What is granted.
    local
        Whether the server is only for this machine: then requests that name another host are refused.
    """

    def __init__(self, app: ASGIApp, limits: Limits, *, local: bool) -> None:
        self.app, self.limits, self.local = app, limits, local
        self.buckets = Buckets(limits.rate, limits.burst)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or refuse it."""
        if scope["type"] != "http":
            if scope["type"] == "websocket":
                await send({"type": "websocket.close", "code": 1008})
            else:
                await self.app(scope, receive, send)
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", []), *HEADERS]
            await send(message)

        headers = dict(scope["headers"])
        refused = self._refused(scope, headers)
        body = b""
        if refused is None and scope["method"] == "POST":
            most = self.limits.workbook if scope["path"] == WORKBOOK else self.limits.body
            read = await self._body(headers, receive, most)
            if read is None:
                refused = (
                    refusal(413, "workbook_large", lang_of(scope), most=f"{most / 1e6:g}")
                    if scope["path"] == WORKBOOK
                    else refusal(413, "too_large")
                )
            else:
                body = read
        if refused is not None:
            await refused(scope, receive, guarded)
            return
        if scope["method"] != "POST":
            await self.app(scope, receive, guarded)
            return
        given = False

        async def again() -> Message:
            nonlocal given
            if given:
                return await receive()
            given = True
            return {"type": "http.request", "body": body, "more_body": False}

        await self.app(scope, again, guarded)

    def _refused(self, scope: Scope, headers: dict[bytes, bytes]) -> JSONResponse | None:
        """Return why a request is refused before anything of it is read, or None."""
        host = headers.get(b"host", b"").decode("latin-1").rsplit(":", 1)
        name = ":".join(host[:-1]) if len(host) > 1 and host[-1].isdigit() else ":".join(host)
        if self.local and name.lower() not in LOCAL:
            return refusal(403, "host")
        if scope["method"] != "POST":
            return None
        # Another site's page may not make its visitors' browsers post here.
        if headers.get(b"sec-fetch-site", b"same-origin") not in (b"same-origin", b"none"):
            return refusal(403, "origin")
        kind = headers.get(b"content-type", b"").partition(b";")[0].strip().lower()
        if scope["path"] == WORKBOOK:
            if kind != WORKBOOK_KIND.encode():
                return refusal(415, "bad_workbook", lang_of(scope))
        elif kind != b"application/json":
            return refusal(415, "not_json")
        client = scope.get("client")
        if not self.buckets.take(client[0] if client else ""):
            return refusal(429, "too_fast")
        return None

    async def _body(self, headers: dict[bytes, bytes], receive: Receive, most: int) -> bytes | None:
        """Read a request's body; return None where it is too large."""
        said: Any = headers.get(b"content-length", b"0")
        if not said.isdigit() or int(said) > most:
            return None
        parts: list[bytes] = []
        size = 0
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return b"".join(parts)
            part = message.get("body", b"")
            parts.append(part)
            size += len(part)
            if size > most:
                return None
            if not message.get("more_body", False):
                return b"".join(parts)
