"""Decides where signal receivers run, so that they can use the ORM without breaking the caller's transaction.

SQLite, and a test run                           the caller's thread; a savepoint protects an open transaction
on an event loop, in a transaction, a DEADLINE   another thread, with its own connections
otherwise                                        the caller's thread

The caller waits for them: in another thread only until its deadline, and not at all if it was cancelled, or if it is
a receiver in one of these threads itself: all of them might wait for each other.
"""

from __future__ import annotations

import asyncio
import atexit
import logging
import os
from contextlib import ExitStack, suppress
from contextvars import ContextVar
from functools import lru_cache, partial
from typing import Any

from asgiref.sync import sync_to_async
from django.db import connections, transaction
from django.dispatch import Signal

from stapel_agent.database import Workers, give_back, works_in_callers_thread
from stapel_agent.signals import RECEIVER_FAULTS

logger = logging.getLogger(__name__)

THREADS = 4
EXIT_SECONDS = 2.0

_is_receiver: ContextVar[bool] = ContextVar("is_receiver", default=False)


def dispatch(signal: Signal, sender: Any, *, timeout: float | None = None, **facts: Any) -> None:
    """Send `signal`. Django logs what a receiver raises; nothing is raised here."""
    if not signal.has_listeners(sender):
        return
    if works_in_callers_thread() or not (timeout is not None or _open_transactions()):
        _send(signal, sender, facts)
        give_back()
    else:
        sending = _workers(os.getpid()).submit(_send_from_thread, signal, sender, facts)
        with suppress(TimeoutError):
            sending.result(0 if _is_receiver.get() else timeout)


async def adispatch(signal: Signal, sender: Any, *, timeout: float | None = None, **facts: Any) -> None:
    """`dispatch()` on an event loop. A cancelled caller leaves at once."""
    if not signal.has_listeners(sender):
        return
    if works_in_callers_thread():
        await sync_to_async(partial(_send, signal, sender, facts))()
    else:
        with suppress(TimeoutError):
            async with asyncio.timeout(0 if _is_receiver.get() else timeout):
                sending = _workers(os.getpid()).submit(_send_from_thread, signal, sender, facts)
                await asyncio.wrap_future(sending)


def dispatch_later(signal: Signal, sender: Any, **facts: Any) -> None:
    """`dispatch()` for a cancelled caller, without waiting for the receivers."""
    if signal.has_listeners(sender):
        _workers(os.getpid()).submit(_send_from_thread, signal, sender, facts)


def _send(signal: Signal, sender: Any, facts: dict[str, Any]) -> None:
    try:
        with ExitStack() as savepoints:
            for alias in _open_transactions():
                savepoints.enter_context(transaction.atomic(alias))
            signal.send_robust(sender, **facts)
    except RECEIVER_FAULTS as fault:
        _log(fault)


def _send_from_thread(signal: Signal, sender: Any, facts: dict[str, Any]) -> None:
    _is_receiver.set(True)
    try:
        _send(signal, sender, facts)
    except BaseException as fault:  # nobody interrupts this thread
        _log(fault)
    finally:
        connections.close_all()


def _log(fault: BaseException) -> None:
    logger.error("signal receivers, or their queries in the caller's transaction, failed: %s", type(fault).__name__)


def _open_transactions() -> list[str]:
    return [connection.alias for connection in connections.all(initialized_only=True) if connection.in_atomic_block]


# Keyed by process id, because a forked child does not have its parent's threads.
@lru_cache(maxsize=1)
def _workers(process: int) -> Workers:
    return Workers(THREADS, "stapel-agent-receivers")


@atexit.register
def _wait_at_exit() -> None:
    """Wait up to EXIT_SECONDS for receivers that are still running."""
    _workers(os.getpid()).wait(EXIT_SECONDS)
