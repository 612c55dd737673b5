"""Decides whether to retry a failed attempt, how long to wait first, and whether a fallback may follow."""

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
    """Returns the seconds to wait before a retry, or None if a retry is useless or could be billed twice.

    Exponential backoff with full jitter (AWS Architecture Blog, "Exponential Backoff And Jitter"), unless the
    provider itself named a time. Returns None if the wait would be longer than `patience`.
    """
    if retries_made >= agent_settings.RETRIES or not _is_transient(fault):
        return None
    if not _wait:
        return 0.0
    delay = fault.retry_after
    if delay is None:
        delay = random.uniform(0, min(MAX_DELAY, FIRST_DELAY * 2**retries_made))  # noqa: S311  (no secret)
    return delay if delay <= patience else None


@contextmanager
def immediate() -> Iterator[None]:
    """Retries without waiting, in this whole process, inside the block. For tests."""
    global _wait
    before, _wait = _wait, False
    try:
        yield
    finally:
        _wait = before


def may_fall_back(fault: AgentError) -> bool:
    """Whether to ask a fallback: the provider declined, or RETRY_BILLED or FALLBACK_ON allows paying for two calls.

    A provider that declines after it began to answer is paid for as well.
    """
    if isinstance(fault, ProviderError) and fault.failure in agent_settings.FALLBACK_ON:
        return True
    if agent_settings.RETRY_BILLED is True:
        return isinstance(fault, ProviderDeclined | ProviderTimeout | RequestInterrupted)
    return isinstance(fault, ProviderDeclined) and not _has_begun(fault)


def may_ask_again(fault: ProviderError) -> bool:
    """Whether nothing was paid for, or RETRY_BILLED allows paying for two calls."""
    return not _has_begun(fault) or agent_settings.RETRY_BILLED is True


def _is_transient(fault: ProviderError) -> bool:
    without_outcome = isinstance(fault, ProviderTimeout | RequestInterrupted | AnswerInterrupted)
    if (without_outcome or _has_begun(fault)) and agent_settings.RETRY_BILLED is not True:
        return False
    return without_outcome or isinstance(fault, ProviderUnavailable | RateLimited)


def _has_begun(fault: ProviderError) -> bool:
    """Whether the provider worked on the request before it declined, so that it may be billed."""
    return fault.may_be_billed or bool(fault.usage or fault.text)
