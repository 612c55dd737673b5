"""Rotates the API keys of a provider, and rests a key that is rejected, out of credit or over its rate limit."""

from __future__ import annotations

import logging
import time
from collections.abc import Collection
from hashlib import sha256
from itertools import count

from stapel_agent.conf import agent_settings
from stapel_agent.exceptions import AccessDenied, AgentError, OutOfCredit, RateLimited
from stapel_agent.providers import LlmProvider
from stapel_agent.redaction import describe, remember_keys

logger = logging.getLogger(__name__)

OF_THE_KEY = (AccessDenied, OutOfCredit, RateLimited)
"""Errors that a call with another key of the same provider may avoid."""

_turns: dict[str, count[int]] = {}
_resting_until: dict[str, float] = {}


def fingerprint(key: str) -> str:
    """Return what a ledger row stores in place of a key: the first 8 hex digits of its SHA-256."""
    return sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:8]


def next_key(name: str, provider: LlmProvider, tried: Collection[str | None] = ()) -> str | None:
    """Return the key for a call to provider `name`: the next in turn that is not resting and not in `tried`.

    If there is no such key: None if some were tried, otherwise the key whose rest ends first.
    """
    keys = _keys(name, provider)
    if not keys:
        return None
    now, turn = time.monotonic(), next(_turns.setdefault(name, count()))
    in_turn = [keys[(turn + step) % len(keys)] for step in range(len(keys))]
    free = (key for key in in_turn if key not in tried and _until(key) <= now)
    return next(free, None if tried else min(in_turn, key=_until))


def record_outcome(key: str | None, fault: AgentError | None) -> None:
    """Rest a key after an error of its own, and end its rest after a success."""
    if key is None:
        return
    if isinstance(fault, OF_THE_KEY):
        stated = fault.retry_after if isinstance(fault, RateLimited) else None
        seconds = agent_settings.COOLDOWN_SECONDS if stated is None else stated
        _resting_until[fingerprint(key)] = time.monotonic() + seconds
    elif fault is None:
        _resting_until.pop(fingerprint(key), None)


def clear() -> None:
    """Forget all turns and rests. For tests."""
    _turns.clear()
    _resting_until.clear()


def _until(key: str) -> float:
    return _resting_until.get(fingerprint(key), 0.0)


def _keys(name: str, provider: LlmProvider) -> tuple[str, ...]:
    if not provider.supports_api_key:
        return ()
    try:
        keys = tuple(str.__str__(key) for key in provider.api_keys() if isinstance(key, str))
        remember_keys(keys)
        return keys
    except Exception as fault:  # the call itself raises it again and reports it
        logger.debug("cannot read the keys of provider %r: %s", name, describe(fault))
        return ()
