"""Runs a call in a separate thread, for event loops and callers with a deadline."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from concurrent.futures import Future
from contextvars import copy_context
from threading import Thread
from typing import Any, TypeVar

Result = TypeVar("Result")
QUICKLY_READ_LENGTH = 32 * 1024
"""A longer text from outside is not read on an event loop: 16 MiB of hostile JSON take seconds."""


def in_own_thread(function: Callable[..., Result], **arguments: Any) -> Future[Result]:
    """Return a future for the result of `function`. The call cannot be stopped: it continues if nobody waits."""
    future: Future[Result] = Future()
    future.set_running_or_notify_cancel()  # a caller that stops waiting must not cancel the running call

    def run() -> None:
        try:
            future.set_result(function(**arguments))
        except BaseException as fault:
            future.set_exception(_bearable(fault))
        finally:
            _close_connections()

    Thread(target=copy_context().run, args=(run,), daemon=True, name="stapel-agent-call").start()
    return future


async def read_off_loop(length: float, function: Callable[..., Result], /, **arguments: Any) -> Result:
    """Call `function`, which reads a text of `length`: in its own thread, unless that is quick."""
    if length > QUICKLY_READ_LENGTH:
        return await asyncio.wrap_future(in_own_thread(function, **arguments))
    return function(**arguments)


def _bearable(fault: BaseException) -> BaseException:
    # A coroutine cannot raise StopIteration, and SystemExit ends an event loop.
    if isinstance(fault, Exception) and not isinstance(fault, StopIteration):
        return fault
    return RuntimeError(f"the call raised {type(fault).__name__}")


def _close_connections() -> None:
    # Django opens database connections per thread. A process without Django has none.
    if "django.db" in sys.modules:
        sys.modules["django.db"].connections.close_all()
