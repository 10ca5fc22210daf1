"""Class rooms: a code to join, one vote and one drawn line per browser. Nothing outlives the server or the class."""

from __future__ import annotations

import math
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

ENDED = "ended"
"""What browsers that still ask are told once the teacher has ended the class."""

MOST_ENDED = 1000
"""Codes of ended classes that are remembered, so that none is given out again soon."""

LASTS = 12 * 3600.0
"""Seconds after which a room is forgotten."""

DIGITS = 4
"""Significant digits of a drawn line: finer than a hand."""


@dataclass(frozen=True)
class Poll:
    """What a room may be asked.

    Attributes
    ----------
    options : tuple of str
        Answers that may be given.
    points : int
        Points of a line that may be drawn; 0 where none is.
    low, high : float
        Between which its values lie.
    """

    options: tuple[str, ...]
    points: int = 0
    low: float = 0.0
    high: float = 1.0


@dataclass
class Ballot:
    """What one browser has said: an answer, a line, or both, and how many seconds after the room was opened."""

    option: str | None = None
    line: tuple[float, ...] | None = None
    seconds: float = 0.0


@dataclass
class Room:
    """One class in one lesson.

    Attributes
    ----------
    lesson : str
        Id of the lesson.
    poll : Poll
    key : str
        What the teacher's browser knows and nobody else.
    lang : str
        Language of the page on which the teacher opened it: students who follow the sign begin in it.
    ballots : dict of str to Ballot
        By voter; voters are random numbers that browsers make up.
    """

    lesson: str
    poll: Poll
    key: str
    lang: str
    opened: float
    stage: str = "open"
    ballots: dict[str, Ballot] = field(default_factory=dict)

    def is_of(self, key: Any) -> bool:
        """Return whether a key is the teacher's."""
        return isinstance(key, str) and secrets.compare_digest(key.encode(), self.key.encode())


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
        self._ended: dict[int, None] = {}  # codes of classes that have ended, in that order; nothing else of them
        self._lock = threading.Lock()

    def open(self, lesson: str, poll: Poll, lang: str = "en", now: float | None = None) -> dict[str, Any]:
        """Open a room; return its code and the teacher's key."""
        now = time.monotonic() if now is None else now
        with self._lock:
            self._rooms = {code: room for code, room in self._rooms.items() if now - room.opened < LASTS}
            self._ended = dict(list(self._ended.items())[-MOST_ENDED:])
            if len(self._rooms) >= self.limits.rooms:
                raise RefusalError(429, "rooms")
            code = secrets.randbelow(9000) + 1000
            while code in self._rooms or code in self._ended:
                code = secrets.randbelow(9000) + 1000
            room = self._rooms[code] = Room(lesson, poll, secrets.token_urlsafe(16), lang, now)
            return {"code": code, "key": room.key}

    def vote(self, code: int, voter: Any, option: Any = None, line: Any = None) -> None:
        """Take an answer, a line, or both; a second one of the same voter replaces the first."""
        if not isinstance(voter, str) or not 8 <= len(voter) <= 64 or (option is None and line is None):
            raise RefusalError(422, "vote")
        with self._lock:
            room = self._room(code)
            if room.stage != "open":
                raise RefusalError(409, "vote_closed")
            if option is not None and (not isinstance(option, str) or option not in room.poll.options):
                raise RefusalError(422, "vote")
            drawn = None if line is None else _drawn(line, room.poll)
            if voter not in room.ballots and len(room.ballots) >= self.limits.votes:
                raise RefusalError(429, "votes")
            ballot = room.ballots.setdefault(voter, Ballot())
            ballot.seconds = time.monotonic() - room.opened
            if option is not None:
                ballot.option = option
            if drawn is not None:
                ballot.line = drawn

    def turn(self, code: int, key: Any, stage: Any) -> None:
        """Take a room to another stage; only the teacher may."""
        with self._lock:
            room = self._of_teacher(code, key)
            if stage not in STAGES:
                raise RefusalError(422, "vote")
            room.stage = stage

    def end(self, code: int, key: Any) -> None:
        """End a class and forget it; only the teacher may."""
        with self._lock:
            self._of_teacher(code, key)
            del self._rooms[code]
            self._ended[code] = None

    def ballots(self, code: int, key: Any) -> list[dict[str, Any]]:
        """Return every ballot in the order in which they came, for the teacher to keep; they say nothing about whom."""
        with self._lock:
            room = self._of_teacher(code, key)
            found = sorted(room.ballots.values(), key=lambda ballot: ballot.seconds)
            return [
                {"option": one.option, "line": one.line and list(one.line), "seconds": round(one.seconds)}
                for one in found
            ]

    def about(self, code: int, key: str | None = None) -> dict[str, Any]:
        """Return a room as everybody may see it: how many have voted, and how once that is revealed.

        The teacher sees the votes at any time. Of a class that its teacher has ended, this is all there is to see.
        """
        with self._lock:
            if code in self._ended:
                return {"stage": ENDED}
            room = self._room(code)
            options = [one.option for one in room.ballots.values() if one.option is not None]
            lines = sum(one.line is not None for one in room.ballots.values())
            shown = {"lesson": room.lesson, "stage": room.stage, "votes": len(options), "lines": lines}
            if room.stage == "revealed" or room.is_of(key):
                shown["histogram"] = {option: options.count(option) for option in room.poll.options}
            return shown

    def lines(self, code: int, key: str | None = None) -> list[list[float]]:
        """Return the lines of a class, once they are revealed or to the teacher."""
        with self._lock:
            room = self._room(code)
            if room.stage != "revealed" and not room.is_of(key):
                raise RefusalError(403, "not_teacher")
            return [list(one.line) for one in room.ballots.values() if one.line is not None]

    def lang_of(self, code: int) -> str | None:
        """Return a room's language; None where there is no such room."""
        with self._lock:
            return self._rooms[code].lang if code in self._rooms else None

    def is_open_to(self, code: int) -> None:
        """Refuse a code that is no room's."""
        with self._lock:
            self._room(code)

    def _room(self, code: int) -> Room:
        """Return a room by its code."""
        if code not in self._rooms:
            raise RefusalError(404, "no_room", code=code)
        return self._rooms[code]

    def _of_teacher(self, code: int, key: Any) -> Room:
        """Return a room to its teacher."""
        room = self._room(code)
        if not room.is_of(key):
            raise RefusalError(403, "not_teacher")
        return room


def _drawn(line: Any, poll: Poll) -> tuple[float, ...]:
    """Return a line that was drawn: as many numbers as the lesson asks for, on its axis."""
    if not isinstance(line, list) or not poll.points or len(line) != poll.points:
        raise RefusalError(422, "line")
    values = []
    for value in line:
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
            raise RefusalError(422, "line")
        if not poll.low <= value <= poll.high:
            raise RefusalError(422, "line")
        values.append(float(f"{value:.{DIGITS}g}"))
    return tuple(values)
