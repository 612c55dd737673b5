"""The work limit for one check of a value against a caller's schema."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

STEP_LIMIT = 1_000_000
"""A step is one applied keyword, or one member that it looks at. It takes up to ten microseconds."""
SECONDS = 5.0
"""Processor time of the checking thread, so the load of the machine does not matter."""
STEPS_BETWEEN_LOOKS = 256


class TooMuchWork(Exception):
    """The check was stopped."""


class WorkLimit:
    """The steps and seconds that one check has left."""

    def __init__(self) -> None:
        self._steps = STEP_LIMIT
        self._next_look = STEP_LIMIT
        self._end = time.thread_time() + SECONDS
        self.choices: dict[int, frozenset[str]] = {}

    def spend(self, steps: int) -> None:
        """Count `steps`. Raises TooMuchWork if the steps or the time are used up."""
        self._steps -= steps
        if self._steps < 0:
            raise TooMuchWork(f"it takes more than {STEP_LIMIT:,} steps")
        if self._steps <= self._next_look:
            self._next_look = self._steps - STEPS_BETWEEN_LOOKS
            self.seconds_left()

    def seconds_left(self) -> float:
        """Return the seconds left. Raises TooMuchWork if there are none."""
        seconds = self._end - time.thread_time()
        if seconds <= 0:
            raise TooMuchWork(f"it takes more than {SECONDS:g} s of processor time")
        return seconds


_limit: ContextVar[WorkLimit] = ContextVar("work_limit")


@contextmanager
def limited_work() -> Iterator[None]:
    """Make all checks in this block share one WorkLimit."""
    token = _limit.set(WorkLimit())
    try:
        yield
    finally:
        _limit.reset(token)


def current_limit() -> WorkLimit:
    return _limit.get()
