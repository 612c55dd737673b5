"""Enforces MAX_CONCURRENCY: limits the running calls per provider in this process, and queues the rest."""

from __future__ import annotations

import asyncio
import os
import threading
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager

from stapel_agent.conf import agent_settings


class Bulkhead:
    """The slots of one provider. Threads and tasks get them in the order in which they asked."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._taken = 0
        self._queue: deque[Future[None]] = deque()

    def queue(self, limit: int) -> Future[None]:
        """Return a future that is done when the caller has a slot."""
        turn: Future[None] = Future()
        with self._lock:
            self._queue.append(turn)
            self._admit(limit)
        return turn

    def leave(self, limit: int) -> None:
        with self._lock:
            self._taken -= 1
            self._admit(limit)

    def withdraw(self, turn: Future[None], limit: int) -> None:
        """Stop waiting. Releases the slot if the caller got it in the meantime."""
        if not turn.cancel():
            self.leave(limit)

    def _admit(self, limit: int) -> None:
        while self._queue and self._taken < limit:
            turn = self._queue.popleft()
            if turn.set_running_or_notify_cancel():
                self._taken += 1
                turn.set_result(None)


_bulkheads: dict[str, Bulkhead] = {}
# A forked child does not run its parent's calls, and may inherit a locked lock.
os.register_at_fork(after_in_child=_bulkheads.clear)


class Place:
    """One call's slot at a provider. Without a limit, a slot is always free."""

    def __init__(self, provider: str) -> None:
        limit = (agent_settings.MAX_CONCURRENCY or {}).get(provider)
        self.limit = limit if isinstance(limit, int) and limit > 0 else 0
        self._bulkhead = _bulkheads.setdefault(provider, Bulkhead()) if self.limit else None
        self._is_taken = False

    def take(self, patience: float) -> bool:
        """Wait up to `patience` seconds for a slot. Returns whether the call got one."""
        if self._bulkhead is None:
            return True
        try:
            with self._turn(self._bulkhead) as turn:
                turn.result(patience)
        except TimeoutError:
            return False
        return True

    async def atake(self, patience: float) -> bool:
        """`take()` on an event loop."""
        if self._bulkhead is None:
            return True
        try:
            with self._turn(self._bulkhead) as turn:
                if not turn.done():
                    async with asyncio.timeout(patience):
                        await asyncio.wrap_future(turn)
        except TimeoutError:
            return False
        return True

    @contextmanager
    def _turn(self, bulkhead: Bulkhead) -> Iterator[Future[None]]:
        turn = bulkhead.queue(self.limit)
        try:
            yield turn
        except BaseException:
            bulkhead.withdraw(turn, self.limit)
            raise
        self._is_taken = True

    def leave(self) -> None:
        """Release the slot for the next call. Does nothing if this call has no slot."""
        if self._bulkhead is not None and self._is_taken:
            self._is_taken = False
            self._bulkhead.leave(self.limit)
