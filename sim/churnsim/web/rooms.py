"""Class rooms: a code to join, one vote per browser, and the class's histogram. Nothing outlives the server."""

from __future__ import annotations

import secrets
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from churnsim.web.asks import RefusalError

if TYPE_CHECKING:
    from churnsim.web.limits import Limits

STAGES = ("open", "closed", "revealed")
"""Votes are taken; no more votes; everybody sees how the class voted."""

LASTS = 12 * 3600.0
"""Seconds after which a room is forgotten."""


@dataclass
class Room:
    """One class in one lesson.

    Attributes
    ----------
    lesson : str
        Id of the lesson.
    options : tuple of str
        Answers that may be given.
    key : str
        What the teacher's browser knows and nobody else.
    votes : dict of str to str
        Answer by voter; voters are random numbers that browsers make up.
    """

    lesson: str
    options: tuple[str, ...]
    key: str
    opened: float
    stage: str = "open"
    votes: dict[str, str] = field(default_factory=dict)


class Rooms:
    """The rooms of a server.

    Parameters
    ----------
    limits
        How many rooms and votes there may be.
    """

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._rooms: dict[int, Room] = {}
        self._lock = threading.Lock()

    def open(self, lesson: str, options: tuple[str, ...], now: float | None = None) -> dict[str, Any]:
        """Open a room; return its code and the teacher's key."""
        now = time.monotonic() if now is None else now
        with self._lock:
            self._rooms = {code: room for code, room in self._rooms.items() if now - room.opened < LASTS}
            if len(self._rooms) >= self.limits.rooms:
                raise RefusalError(429, "rooms")
            code = secrets.randbelow(9000) + 1000
            while code in self._rooms:
                code = secrets.randbelow(9000) + 1000
            room = self._rooms[code] = Room(lesson, options, secrets.token_urlsafe(16), now)
            return {"code": code, "key": room.key}

    def vote(self, code: int, voter: Any, option: Any) -> None:
        """Take a vote; a second one of the same voter replaces the first."""
        if not isinstance(voter, str) or not 8 <= len(voter) <= 64:
            raise RefusalError(422, "vote")
        with self._lock:
            room = self._room(code)
            if room.stage != "open":
                raise RefusalError(409, "vote_closed")
            if not isinstance(option, str) or option not in room.options:
                raise RefusalError(422, "vote")
            if voter not in room.votes and len(room.votes) >= self.limits.votes:
                raise RefusalError(429, "votes")
            room.votes[voter] = option

    def turn(self, code: int, key: Any, stage: Any) -> None:
        """Take a room to another stage; only the teacher may."""
        with self._lock:
            room = self._room(code)
            if not isinstance(key, str) or not secrets.compare_digest(key.encode(), room.key.encode()):
                raise RefusalError(403, "not_teacher")
            if stage not in STAGES:
                raise RefusalError(422, "vote")
            room.stage = stage

    def about(self, code: int, key: str | None = None) -> dict[str, Any]:
        """Return a room as everybody may see it: how many have voted, and how once that is revealed.

        The teacher sees the votes at any time.
        """
        with self._lock:
            room = self._room(code)
            mine = key is not None and secrets.compare_digest(key.encode(), room.key.encode())
            shown = {"lesson": room.lesson, "stage": room.stage, "votes": len(room.votes)}
            if room.stage == "revealed" or mine:
                counts = list(room.votes.values())
                shown["histogram"] = {option: counts.count(option) for option in room.options}
            return shown

    def _room(self, code: int) -> Room:
        """Return a room by its code."""
        if code not in self._rooms:
            raise RefusalError(404, "no_room", code=code)
        return self._rooms[code]
