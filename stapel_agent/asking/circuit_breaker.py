"""Skips a provider for a while after repeated failures, if a fallback is left to ask."""

from __future__ import annotations

import logging
import os
import threading
import time

from stapel_agent.conf import agent_settings
from stapel_agent.exceptions import (
    AgentError,
    AnswerError,
    AttemptCancelled,
    ProviderBusy,
    ProviderError,
    RequestRejected,
)
from stapel_agent.redaction import describe
from stapel_agent.telemetry import COOLING_DOWN

logger = logging.getLogger(__name__)


class Cooldown:
    """The recent failures of one provider in this process."""

    def __init__(self, provider: str) -> None:
        self._provider = provider
        self._lock = threading.Lock()
        self._failures = 0
        self._until: float | None = None

    def passes_over(self) -> bool:
        """Whether to skip this provider. After the cooldown, one caller gets through to try it."""
        with self._lock:
            if self._until is None:
                return False
            now = time.monotonic()
            if now < self._until:
                return True
            self._until = now + agent_settings.COOLDOWN_SECONDS
            return False

    def succeeded(self) -> None:
        with self._lock:
            self._failures = 0
            if self._until is not None:
                self._until = None
                self._show(0)

    def failed(self) -> None:
        with self._lock:
            self._failures += 1
            if self._failures >= agent_settings.COOLDOWN_FAILURES:
                if self._until is None:
                    self._show(1)
                self._until = time.monotonic() + agent_settings.COOLDOWN_SECONDS

    def _show(self, value: int) -> None:
        COOLING_DOWN.show(value, provider=self._provider)


_cooldowns: dict[str, Cooldown] = {}
# A forked child may inherit a locked lock.
os.register_at_fork(after_in_child=_cooldowns.clear)


def cooldown_of(provider: str) -> Cooldown:
    return _cooldowns.get(provider) or _cooldowns.setdefault(provider, Cooldown(provider))


def record_outcome(provider: str, fault: AgentError | None) -> None:
    """Count the outcome of one call. An answer or a rejection of the request shows that the provider works."""
    try:
        _record_outcome(provider, fault)
    except Exception as trouble:  # from the host's settings or metrics; the call is already paid for
        logger.error("could not count the outcome of a call to provider %r: %s", provider, describe(trouble))


def _record_outcome(provider: str, fault: AgentError | None) -> None:
    if fault is None or isinstance(fault, AnswerError | RequestRejected):
        cooldown_of(provider).succeeded()
    elif isinstance(fault, ProviderError) and not isinstance(fault, AttemptCancelled | ProviderBusy):
        cooldown_of(provider).failed()


def clear() -> None:
    """Forget all failures. For tests."""
    _cooldowns.clear()
