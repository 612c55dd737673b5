"""Decides which prompt prefixes to mark for the vendor's cache: those that will probably save money.

Writing a prefix costs a quarter more than its input, and reading it costs a tenth. The vendor keeps it for five
minutes after each use. Other calls can read it when the first answer has started.
"""

from __future__ import annotations

import os
import re
import threading
import time
from collections import OrderedDict
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from stapel_agent.types import Usage

from .anthropic_stream import StreamedAnswer

KEPT_SECONDS = 300.0
WRITING_SECONDS = 120.0
USELESS_SECONDS = 3600.0
MOST_PREFIXES = 1000
LONG_AGO = float("-inf")

MINIMUMS = (
    (re.compile(r"claude-(?:opus|fable|mythos)-5|claude-haiku-5-5"), 512),
    (re.compile(r"claude-opus-4-7|claude-(?:3-)?haiku-3|claude-3(?:-5)?-haiku"), 2048),
    (re.compile(r"claude-opus-4-[56]|claude-haiku-4-5"), 4096),
)
"""Models -> minimum number of tokens in a cached prefix. 1024 for all other models."""


@dataclass
class _Prefix:
    seen_at: float = LONG_AGO
    written_until: float = LONG_AGO
    kept_until: float = LONG_AGO
    useless_until: float = LONG_AGO


@dataclass(frozen=True)
class CachePlan:
    """Whether one call marks its prefix. `key` identifies the prefix."""

    key: Hashable
    is_marked: bool

    @contextmanager
    def settled(self, answer: StreamedAnswer) -> Iterator[None]:
        """Wrap the call. Afterwards, record from its usage whether the vendor cached the prefix."""
        try:
            yield
        finally:
            if self.is_marked:
                _settle(self.key, answer.usage)


_prefixes: OrderedDict[Hashable, _Prefix] = OrderedDict()
_lock = threading.Lock()


def minimum_tokens(model: str) -> int:
    """Return the minimum number of tokens in a cached prefix for `model`."""
    return next((tokens for models, tokens in MINIMUMS if models.search(model)), 1024)


def plan(key: Hashable, *, wish: bool | None) -> CachePlan:
    """Decide whether to mark the prefix `key` now. Without a `wish`, mark it when it repeats within five minutes.

    While one call writes the prefix, concurrent calls do not mark it, because each of them would pay for a write.
    """
    now = time.monotonic()
    with _lock:
        prefix = _prefixes.pop(key, None) or _Prefix()
        _prefixes[key] = prefix
        if len(_prefixes) > MOST_PREFIXES:
            _prefixes.popitem(last=False)
        comes_again = now - prefix.seen_at < KEPT_SECONDS
        prefix.seen_at = now
        if wish is False or now < prefix.useless_until:
            return CachePlan(key, is_marked=False)
        if now < prefix.kept_until:
            return CachePlan(key, is_marked=True)
        if now < prefix.written_until or not (wish or comes_again):
            return CachePlan(key, is_marked=False)
        prefix.written_until = now + WRITING_SECONDS
        return CachePlan(key, is_marked=True)


def forget_prefixes() -> None:
    """Forget all prefixes. For tests."""
    global _lock
    _lock = threading.Lock()
    _prefixes.clear()


# A forked child may inherit a lock that is held.
os.register_at_fork(after_in_child=forget_prefixes)


def _settle(key: Hashable, usage: Usage) -> None:
    now = time.monotonic()
    with _lock:
        prefix = _prefixes.get(key) or _Prefix()
        prefix.written_until = LONG_AGO
        if usage.cache_read_tokens or usage.cache_write_tokens:
            prefix.kept_until = now + KEPT_SECONDS
        elif usage:
            prefix.useless_until = now + USELESS_SECONDS
