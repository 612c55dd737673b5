"""Several keys of one provider: calls take turns, and a key that is refused, out of credit or over its limit rests."""

from __future__ import annotations

import logging
import time
from collections.abc import Collection
from hashlib import sha256
from itertools import count

from stapel_agent.conf import agent_settings
from stapel_agent.exceptions import AccessDenied, AgentError, OutOfCredit, RateLimited
from stapel_agent.providers import LlmProvider
from stapel_agent.redaction import describe

logger = logging.getLogger(__name__)

OF_THE_KEY = (AccessDenied, OutOfCredit, RateLimited)
"""Faults that another key of the same provider may not meet."""

_turns: dict[str, count[int]] = {}
_resting_until: dict[str, float] = {}


def fingerprint(key: str) -> str:
    """What a row says of a key: 8 hex digits of its SHA-256."""
    return sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:8]


def next_key(name: str, provider: LlmProvider, tried: Collection[str | None] = ()) -> str | None:
    """The key for a call of provider `name`: the next in turn that does not rest and was not `tried`.

    Where none is left after some were tried, None; else the key whose rest ends first.
    """
    keys = _keys(name, provider)
    if not keys:
        return None
    now, turn = time.monotonic(), next(_turns.setdefault(name, count()))
    in_turn = [keys[(turn + step) % len(keys)] for step in range(len(keys))]
    free = (key for key in in_turn if key not in tried and _until(key) <= now)
    return next(free, None if tried else min(in_turn, key=_until))


def record_outcome(key: str | None, fault: AgentError | None) -> None:
    """Let a key rest, or work again, after the outcome of a call."""
    if key is None:
        return
    if isinstance(fault, OF_THE_KEY):
        stated = fault.retry_after if isinstance(fault, RateLimited) else None
        seconds = agent_settings.COOLDOWN_SECONDS if stated is None else stated
        _resting_until[fingerprint(key)] = time.monotonic() + seconds
    elif fault is None:
        _resting_until.pop(fingerprint(key), None)


def clear() -> None:
    """Forget every rest and turn. For tests."""
    _turns.clear()
    _resting_until.clear()


def _until(key: str) -> float:
    return _resting_until.get(fingerprint(key), 0.0)


def _keys(name: str, provider: LlmProvider) -> tuple[str, ...]:
    if not provider.supports_api_key:
        return ()
    try:
        return tuple(provider.api_keys())
    except Exception as fault:  # the call itself meets it, and reports it
        logger.debug("the keys of provider %r cannot be read: %s", name, describe(fault))
        return ()
