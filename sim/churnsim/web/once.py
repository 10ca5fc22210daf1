"""Answers that many visitors want at the same moment: worked out once, for all of them."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from typing import Any


class Once:
    """Answers by what was asked.

    Parameters
    ----------
    most
        How many are kept; those asked for longest ago are forgotten first.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self.made = 0
        self._tasks: OrderedDict[Hashable, asyncio.Future[Any]] = OrderedDict()

    async def of(self, key: Hashable, make: Callable[[], Awaitable[Any]]) -> Any:
        """Return the answer to `key`, made now unless it is known or being made; a failure is not remembered.

        A visitor who goes away takes the answer from nobody else.
        """
        task = self._tasks.get(key)
        if task is None:
            task = self._tasks[key] = asyncio.ensure_future(make())
            self.made += 1
            task.add_done_callback(lambda done: self._ended(key, done))
        else:
            self._tasks.move_to_end(key)
        while len(self._tasks) > self.most:
            self._tasks.popitem(last=False)
        return await asyncio.shield(task)

    def _ended(self, key: Hashable, task: asyncio.Future[Any]) -> None:
        """Forget an answer that failed."""
        if (task.cancelled() or task.exception() is not None) and self._tasks.get(key) is task:
            del self._tasks[key]
