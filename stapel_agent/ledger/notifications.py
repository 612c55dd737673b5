"""Tells who listens to `call_finished` of the rows that have been closed, each of them once."""

from __future__ import annotations

import os
import sys
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from functools import partial

from stapel_agent.models import PromptLog
from stapel_agent.signals import call_finished
from stapel_agent.types import FinishedCall

from . import columns
from .signal_receivers import atell, tell, tell_later

# Rows that were closed in the course of other work; the next who announces tells of them, too.
_late: deque[PromptLog] = deque(maxlen=1000)
os.register_at_fork(after_in_child=_late.clear)  # they are the parent's to tell of

closed_late = _late.append


def announce(closed: list[PromptLog], *, timeout: float | None = None) -> None:
    """Tell of rows that are `closed`, and wait for the receivers, unless the caller is leaving."""
    send = tell_later if is_leaving() else partial(tell, timeout=timeout)
    for call in _calls(closed):
        send(call_finished, PromptLog, call=call)


async def aannounce(closed: list[PromptLog], *, timeout: float | None = None) -> None:
    """`announce()` on an event loop."""
    if is_leaving():
        announce_later(closed)
        return
    for call in _calls(closed):
        await atell(call_finished, PromptLog, timeout=timeout, call=call)


def announce_later(closed: list[PromptLog]) -> None:
    """`announce()` without waiting for any receiver."""
    for call in _calls(closed):
        tell_later(call_finished, PromptLog, call=call)


def is_leaving() -> bool:
    """Whether the caller has been cancelled or interrupted."""
    fault = sys.exception()
    return fault is not None and not isinstance(fault, Exception)


def _calls(closed: list[PromptLog]) -> Iterator[FinishedCall]:
    if not call_finished.has_listeners(PromptLog):
        _late.clear()
        return
    yield from map(columns.finished, filter(_is_news, closed))
    while _late:
        with suppress(IndexError):  # another thread has taken it
            row = _late.popleft()
            if _is_news(row):
                yield columns.finished(row)


def _is_news(row: PromptLog) -> bool:
    """Whether nobody has told of it before: a row whose closing took too long may be closed, and told of, twice."""
    mark = object()
    return vars(row).setdefault("_announced", mark) is mark
