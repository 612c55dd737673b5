"""Is a failed attempt worth another one at the same provider, and after how long?"""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager

from stapel_agent.conf import agent_settings
from stapel_agent.exceptions import (
    AgentError,
    AnswerInterrupted,
    ProviderDeclined,
    ProviderError,
    ProviderTimeout,
    ProviderUnavailable,
    RateLimited,
    RequestInterrupted,
)

FIRST_DELAY = 0.5
MAX_DELAY = 8.0

_wait = True


def delay_before_retry(fault: ProviderError, retries_made: int, patience: float) -> float | None:
    """Seconds to wait before asking again, or None where that is no use, or could be paid twice.

    Exponential backoff with full jitter (AWS Architecture Blog, "Exponential Backoff And Jitter"), unless the
    provider itself named a time. None where the wait would be longer than `patience`.
    """
    if retries_made >= agent_settings.RETRIES or not _is_passing(fault):
        return None
    if not _wait:
        return 0.0
    delay = fault.retry_after
    if delay is None:
        delay = random.uniform(0, min(MAX_DELAY, FIRST_DELAY * 2**retries_made))  # noqa: S311  (no secret)
    return delay if delay <= patience else None


@contextmanager
def immediate() -> Iterator[None]:
    """Inside, nobody in this process waits before a retry. For tests."""
    global _wait
    before, _wait = _wait, False
    try:
        yield
    finally:
        _wait = before


def may_fall_back(fault: AgentError) -> bool:
    """Whether another provider may be asked: this one declined, or RETRY_BILLED or FALLBACK_ON lets two be paid."""
    if isinstance(fault, ProviderError) and fault.failure in agent_settings.FALLBACK_ON:
        return True
    without_answer = isinstance(fault, ProviderTimeout | RequestInterrupted)
    return isinstance(fault, ProviderDeclined) or (without_answer and agent_settings.RETRY_BILLED is True)


def _is_passing(fault: ProviderError) -> bool:
    without_outcome = isinstance(fault, ProviderTimeout | RequestInterrupted | AnswerInterrupted)
    if (without_outcome or fault.usage or fault.text) and agent_settings.RETRY_BILLED is not True:
        return False
    return without_outcome or isinstance(fault, ProviderUnavailable | RateLimited)
