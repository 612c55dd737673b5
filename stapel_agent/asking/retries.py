"""Decides what may follow a failed attempt: a retry, and after how long, another key, or a fallback.

The wait that a vendor names is read in `providers.wire.retry_after`. Which exception an HTTP status or an error body
becomes is decided in `providers.wire.status_codes` and `providers.wire.error_rules`.
"""

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

from .api_keys import OF_THE_KEY

FIRST_DELAY = 0.5
MAX_DELAY = 8.0

_wait = True


def delay_before_retry(fault: ProviderError, retries_made: int, patience: float) -> float | None:
    """Return the seconds to wait before a retry, or None if a retry would be useless or could be billed twice.

    Exponential backoff with full jitter (AWS Architecture Blog, "Exponential Backoff And Jitter"), unless the
    provider itself named a time. Returns None if the wait would be longer than `patience`.
    """
    if retries_made >= agent_settings.RETRIES or not _allows_retry(fault):
        return None
    if not _wait:
        return 0.0
    delay = fault.retry_after
    if delay is None:
        delay = random.uniform(0, min(MAX_DELAY, FIRST_DELAY * 2**retries_made))  # noqa: S311  (no secret)
    return delay if delay <= patience else None


@contextmanager
def immediate() -> Iterator[None]:
    """Retry without waiting, in this whole process, inside the block. For tests."""
    global _wait
    before, _wait = _wait, False
    try:
        yield
    finally:
        _wait = before


def allows_other_key(fault: AgentError | None) -> bool:
    """Whether the same provider may be asked with another key: the error is specific to its key."""
    return isinstance(fault, OF_THE_KEY) and _may_pay_again(fault)


def allows_fallback(fault: AgentError | None) -> bool:
    """Whether to ask a fallback: the provider declined, or RETRY_BILLED or FALLBACK_ON allows paying for two calls.

    A provider that declines after it began to answer is paid for as well.
    """
    if isinstance(fault, ProviderError) and fault.failure in agent_settings.FALLBACK_ON:
        return True
    if isinstance(fault, ProviderTimeout | RequestInterrupted):
        return agent_settings.RETRY_BILLED is True
    return isinstance(fault, ProviderDeclined) and _may_pay_again(fault)


def _allows_retry(fault: ProviderError) -> bool:
    if isinstance(fault, ProviderTimeout | RequestInterrupted | AnswerInterrupted):
        return agent_settings.RETRY_BILLED is True
    return isinstance(fault, ProviderUnavailable | RateLimited) and _may_pay_again(fault)


def _may_pay_again(fault: AgentError) -> bool:
    """Whether the failed call costs nothing, or RETRY_BILLED allows paying for two calls."""
    return not fault.may_be_billed or agent_settings.RETRY_BILLED is True
