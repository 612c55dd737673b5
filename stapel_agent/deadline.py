"""The deadline of one request, including everything it causes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field

FIRST_PAUSE, LAST_PAUSE = 0.02, 0.5
STORING_SECONDS = 1.0


@dataclass(frozen=True)
class Deadline:
    """Ends `seconds` after it was created; None never ends."""

    seconds: float | None = None
    started_at: float = field(default_factory=time.monotonic)

    @property
    def is_over(self) -> bool:
        return self.seconds is not None and time.monotonic() >= self.started_at + self.seconds

    @property
    def left(self) -> float | None:
        """Seconds left, or None without a deadline."""
        return None if self.seconds is None else self.remaining(self.seconds)

    @property
    def left_to_store(self) -> float | None:
        """Seconds left to store what is paid for, at least STORING_SECONDS. None without a deadline."""
        return None if self.seconds is None else max(self.remaining(self.seconds), STORING_SECONDS)

    def remaining(self, limit: float) -> float:
        """Seconds left for one step, at most `limit`."""
        if self.seconds is None:
            return limit
        return max(0.0, min(limit, self.started_at + self.seconds - time.monotonic()))

    def pauses(self) -> Iterator[float]:
        """Seconds to wait between polls, growing from FIRST_PAUSE to LAST_PAUSE, until the deadline."""
        pause = FIRST_PAUSE
        while not self.is_over:
            yield self.remaining(pause)
            pause = min(pause * 1.5, LAST_PAUSE)
