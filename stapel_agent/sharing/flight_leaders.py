"""Which caller asks a question for all the others in this process."""

from __future__ import annotations

import asyncio
import os
import threading
from concurrent.futures import Future
from dataclasses import dataclass, field

from stapel_agent import database

from .flight_outcome import FlightOutcome


@dataclass(frozen=True, eq=False)
class Leader:
    """The caller in this process that asks for all the others."""

    outcome: Future[FlightOutcome] = field(default_factory=Future)
    thread: threading.Thread = field(default_factory=threading.current_thread)
    loop: asyncio.AbstractEventLoop | None = None

    def __post_init__(self) -> None:
        self.outcome.set_running_or_notify_cancel()  # otherwise a cancelled follower would cancel it for everybody

    @property
    def is_gone(self) -> bool:
        return self.loop.is_closed() if self.loop else not self.thread.is_alive()

    @property
    def needs_this_thread(self) -> bool:
        """Whether the leader needs the current thread for its own work on the ledger."""
        return self.loop is not None and database.serves_event_loop() and database.works_in_callers_thread()


class Leaders:
    """The leader of each question in this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._leaders: dict[str, Leader] = {}

    def ahead(self, key: str, candidate: Leader) -> Leader | None:
        """The current leader; None if `candidate` leads from now on."""
        with self._lock:
            leader = self._leaders.get(key)
            if leader is not None and not leader.is_gone:
                return leader
            self._leaders[key] = candidate
            return None

    def leave(self, key: str, leader: Leader, outcome: FlightOutcome) -> None:
        with self._lock:
            if self._leaders.get(key) is leader:
                del self._leaders[key]
        leader.outcome.set_result(outcome)

    def reset(self) -> None:
        """Forget the parent's callers in a forked child."""
        self.__init__()  # type: ignore[misc]


leaders = Leaders()
os.register_at_fork(after_in_child=leaders.reset)
