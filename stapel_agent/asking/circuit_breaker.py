"""Providers that failed again and again are left in peace for a while, where there is another one to ask."""

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
        """Whether to ask another one instead. When the time is over, one caller is let through to try."""
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
# A forked child may have inherited a lock that is held.
os.register_at_fork(after_in_child=_cooldowns.clear)


def cooldown_of(provider: str) -> Cooldown:
    return _cooldowns.get(provider) or _cooldowns.setdefault(provider, Cooldown(provider))


def record_outcome(provider: str, fault: AgentError | None) -> None:
    """Count the outcome of one call. An answer, or a refusal of the request, shows a provider that works."""
    try:
        _record_outcome(provider, fault)
    except Exception as trouble:  # settings or metrics of the host: the call is paid for all the same
        logger.error("the outcome of a call of provider %r was not counted: %s", provider, describe(trouble))


def _record_outcome(provider: str, fault: AgentError | None) -> None:
    if fault is None or isinstance(fault, AnswerError | RequestRejected):
        cooldown_of(provider).succeeded()
    elif isinstance(fault, ProviderError) and not isinstance(fault, AttemptCancelled | ProviderBusy):
        cooldown_of(provider).failed()


def clear() -> None:
    """Forget every failure. For tests."""
    _cooldowns.clear()
