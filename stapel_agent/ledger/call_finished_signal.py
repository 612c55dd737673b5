"""Sends `call_finished` once for each row that was closed."""

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
from .signal_dispatch import adispatch, dispatch, dispatch_later

# Rows that were closed during other work; the next announcement includes them.
_late: deque[PromptLog] = deque(maxlen=1000)
os.register_at_fork(after_in_child=_late.clear)  # the parent announces them

closed_late = _late.append


def announce(closed: list[PromptLog], *, timeout: float | None = None) -> None:
    """Announce `closed` rows and wait for the receivers, unless the caller was cancelled."""
    send = dispatch_later if is_leaving() else partial(dispatch, timeout=timeout)
    for call in _calls(closed):
        send(call_finished, PromptLog, call=call)


async def aannounce(closed: list[PromptLog], *, timeout: float | None = None) -> None:
    """`announce()` on an event loop."""
    if is_leaving():
        announce_later(closed)
        return
    for call in _calls(closed):
        await adispatch(call_finished, PromptLog, timeout=timeout, call=call)


def announce_later(closed: list[PromptLog]) -> None:
    """`announce()` without waiting for the receivers."""
    for call in _calls(closed):
        dispatch_later(call_finished, PromptLog, call=call)


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
        with suppress(IndexError):  # another thread took it
            row = _late.popleft()
            if _is_news(row):
                yield columns.finished(row)


def _is_news(row: PromptLog) -> bool:
    """Whether this row was not announced yet: a row whose closing timed out may be closed twice."""
    mark = object()
    return vars(row).setdefault("_announced", mark) is mark
