"""Where the receivers of this package's signals run, so that they may use the ORM and break nothing of the caller's.

SQLite, and a test run                           the caller's thread; a transaction is behind a savepoint
on an event loop, in a transaction, a DEADLINE   a thread of their own, with connections of their own
else                                             the caller's thread

A caller waits for them; for those in a thread of their own no longer than its deadline, and not if it is leaving.
"""

from __future__ import annotations

import asyncio
import atexit
import logging
import os
from contextlib import ExitStack, suppress
from functools import lru_cache, partial
from typing import Any

from asgiref.sync import sync_to_async
from django.db import connections, transaction
from django.dispatch import Signal

from stapel_agent.database import Workers, give_back, works_in_callers_thread

logger = logging.getLogger(__name__)

THREADS = 4
EXIT_SECONDS = 2.0


def tell(signal: Signal, sender: Any, *, timeout: float | None = None, **facts: Any) -> None:
    """Send `signal`. What a receiver raises is logged, by Django; nothing is raised here."""
    if not signal.has_listeners(sender):
        return
    if works_in_callers_thread() or not (timeout is not None or _open_transactions()):
        _send(signal, sender, facts)
        give_back()
    else:
        with suppress(TimeoutError):
            _workers(os.getpid()).submit(_send_from_thread, signal, sender, facts).result(timeout)


async def atell(signal: Signal, sender: Any, *, timeout: float | None = None, **facts: Any) -> None:
    """`tell()` on an event loop. A cancelled caller leaves at once."""
    if not signal.has_listeners(sender):
        return
    if works_in_callers_thread():
        await sync_to_async(partial(_send, signal, sender, facts))()
    else:
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout):
                sending = _workers(os.getpid()).submit(_send_from_thread, signal, sender, facts)
                await asyncio.wrap_future(sending)


def tell_later(signal: Signal, sender: Any, **facts: Any) -> None:
    """`tell()` for a caller who is leaving, and waits for nobody."""
    if signal.has_listeners(sender):
        _workers(os.getpid()).submit(_send_from_thread, signal, sender, facts)


def _send(signal: Signal, sender: Any, facts: dict[str, Any]) -> None:
    try:
        with ExitStack() as savepoints:
            for alias in _open_transactions():
                savepoints.enter_context(transaction.atomic(alias))
            signal.send_robust(sender, **facts)
    except (Exception, SystemExit) as fault:
        logger.error("receivers, or what they did in the caller's transaction, failed: %s", type(fault).__name__)


def _send_from_thread(signal: Signal, sender: Any, facts: dict[str, Any]) -> None:
    try:
        _send(signal, sender, facts)
    finally:
        connections.close_all()


def _open_transactions() -> list[str]:
    return [connection.alias for connection in connections.all(initialized_only=True) if connection.in_atomic_block]


# By process id: a forked child has none of its parent's threads.
@lru_cache(maxsize=1)
def _workers(process: int) -> Workers:
    return Workers(THREADS, "stapel-agent-receivers")


@atexit.register
def _wait_at_exit() -> None:
    """Let receivers that nobody waited for come to their end, but no longer than a moment."""
    _workers(os.getpid()).wait(EXIT_SECONDS)
