"""The ledger's work on an event loop, which waits for it without blocking."""

from __future__ import annotations

import asyncio
import os
from concurrent.futures import CancelledError, Future
from contextlib import suppress
from typing import Any
from weakref import WeakSet

from asgiref.sync import AsyncToSync, SyncToAsync, ThreadSensitiveContext, sync_to_async
from django.db.backends.signals import connection_created

from stapel_agent.exceptions import InvalidRequest

from .callers_connection import give_back, works_in_callers_thread
from .connection import on_ledger
from .own_connections import Operation, Result, in_background


async def aon_ledger(operation: Operation[Result], *, timeout: float | None = None) -> Result:
    """`on_ledger()` on an event loop. Cancelling does not stop work on the ledger's own connections."""
    if works_in_callers_thread():
        return await sync_to_async(on_ledger)(operation)
    async with asyncio.timeout(timeout):
        return await asyncio.wrap_future(in_background(operation))


async def uncancelled(operation: Operation[Result], *, timeout: float | None = None) -> Result:
    """`aon_ledger()`, but a cancellation is raised only when the work is done or `timeout` seconds have passed."""
    work = _begun(operation)
    loop = asyncio.get_running_loop()
    ends_at = None if timeout is None or works_in_callers_thread() else loop.time() + timeout
    cancellation: asyncio.CancelledError | None = None
    while True:
        try:
            await _end_of(work, loop, None if ends_at is None else ends_at - loop.time())
            break
        except asyncio.CancelledError as fault:
            cancellation = fault
    if cancellation is not None:
        raise cancellation
    try:
        return work.result(0)
    except CancelledError:  # a future's, which is not the exception of a task
        raise asyncio.CancelledError from None


async def _end_of(work: Future[Any], loop: asyncio.AbstractEventLoop, seconds: float | None) -> None:
    """Wait at most `seconds` for the end of work, which continues even if the caller gives up.

    Not by a task, because a closing event loop cancels all tasks. `asyncio.wrap_future()` takes three times as long.
    """
    ended = loop.create_future()

    def end() -> None:
        if not ended.done():
            ended.set_result(None)

    def tell(_: Future[Any]) -> None:
        with suppress(RuntimeError):  # the loop is closed
            loop.call_soon_threadsafe(end)

    work.add_done_callback(tell)
    alarm = None if seconds is None else loop.call_later(seconds, end)
    try:
        await ended
    finally:
        if alarm is not None:
            alarm.cancel()


def _begun(operation: Operation[Result]) -> Future[Result]:
    """Start `operation` on an event loop, in the thread that `aon_ledger()` uses. Once running, it is not cancelled."""
    if not works_in_callers_thread():
        return in_background(operation)
    begun: Future[Result] = Future()

    def work() -> None:
        if not begun.set_running_or_notify_cancel():
            return
        try:
            result = on_ledger(operation)
        except (Exception, asyncio.CancelledError) as fault:
            begun.set_exception(fault)
        else:
            begun.set_result(result)  # Ctrl-C may come in here too, and is for the thread, not for the future

    def end(task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (fault := task.exception()) and not begun.done():
            begun.set_exception(fault)
        begun.cancel()

    task = asyncio.ensure_future(sync_to_async(work)())
    task.add_done_callback(end)
    return begun


def refuse_event_loop() -> None:
    """Raise InvalidRequest on an event loop before anything is spent: Django allows no synchronous query there."""
    if is_on_event_loop() and not os.environ.get("DJANGO_ALLOW_ASYNC_UNSAFE"):
        raise InvalidRequest("called on an event loop: await its async twin, whose name begins with 'a'")


def is_on_event_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


async def agive_back() -> None:
    """`give_back()` on an event loop, for the connections of the thread that runs the request's ORM calls."""
    context = SyncToAsync.thread_sensitive_context.get(None)
    has_parent = bool(getattr(AsyncToSync.executors, "current", None))
    has_older_thread = getattr(context, "_executor", None) is not None  # which the host has given to the context
    if has_parent or has_older_thread or context in _connected:
        await sync_to_async(give_back)()


# The requests on an event loop whose threads have opened a connection. Each request has a thread of its own.
_connected: WeakSet[ThreadSensitiveContext] = WeakSet()


def _note_connection(**facts: Any) -> None:
    if context := SyncToAsync.thread_sensitive_context.get(None):
        _connected.add(context)


connection_created.connect(_note_connection)
