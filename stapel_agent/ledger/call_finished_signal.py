"""Sends `call_finished` once for each row that was closed, and the `budget_warning`s that are due."""

from __future__ import annotations

import os
import sys
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from typing import Any

from django.db.models import Model
from django.dispatch import Signal

from stapel_agent.budgets import due_warnings
from stapel_agent.models import BudgetAccount, PromptLog
from stapel_agent.signals import budget_warning, call_finished
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
    for signal, sender, facts in _due(closed):
        send(signal, sender, **facts)


async def aannounce(closed: list[PromptLog], *, timeout: float | None = None) -> None:
    """`announce()` on an event loop."""
    if is_leaving():
        announce_later(closed)
        return
    for signal, sender, facts in _due(closed):
        await adispatch(signal, sender, timeout=timeout, **facts)


def announce_later(closed: list[PromptLog]) -> None:
    """`announce()` without waiting for the receivers."""
    for signal, sender, facts in _due(closed):
        dispatch_later(signal, sender, **facts)


def is_leaving() -> bool:
    """Whether the caller has been cancelled or interrupted."""
    fault = sys.exception()
    return fault is not None and not isinstance(fault, Exception)


def _due(closed: list[PromptLog]) -> Iterator[tuple[Signal, type[Model], dict[str, Any]]]:
    for call in _calls(closed):
        yield call_finished, PromptLog, {"call": call}
    while due_warnings:
        with suppress(IndexError):  # another thread took it
            yield budget_warning, BudgetAccount, {"standing": due_warnings.popleft()}


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
