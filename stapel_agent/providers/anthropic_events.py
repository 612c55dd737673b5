"""Limits the work of the Anthropic SDK, which copies an unfinished event again for each of its lines."""

from __future__ import annotations

import re

from stapel_agent.exceptions import InvalidAnswer

from .wire.attempt_limits import MAX_ANSWER_BYTES

EVENT_END = re.compile(rb"\n\n|\r\r|\r\n\r\n")
LONGEST_END = 4
MAX_COPIED_BYTES = 64 * MAX_ANSWER_BYTES
"""The limit for one answer: an event of the largest size in 64 lines, or one of 16,000 short lines."""


class EventWork:
    """Counts the bytes that the SDK copies. Raises InvalidAnswer above MAX_COPIED_BYTES."""

    def __init__(self) -> None:
        self._copied = 0
        self._unfinished = 0
        self._last = b""

    def count(self, chunk: bytes) -> bytes:
        """Count a part of the stream, and return it."""
        *ended, unfinished = EVENT_END.split(self._last + chunk)
        for part in ended:
            self._add(part)
            self._unfinished = 0
        self._add(unfinished)
        self._last = unfinished[1 - LONGEST_END :]
        if self._copied > MAX_COPIED_BYTES:
            raise InvalidAnswer("the answer has an event that is too long or never ends")
        return chunk

    def _add(self, part: bytes) -> None:
        self._unfinished += len(part)
        self._copied += self._unfinished * (part.count(b"\n") + part.count(b"\r"))
