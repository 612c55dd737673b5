"""Chooses the database connection for the ledger's work. The ledger holds no connection while a provider answers.

In the caller's transaction   PostgreSQL, MariaDB: the ledger's own connection, which a rollback does not affect.
                              SQLite, which has one writer, and tests that are rolled back: the caller's connection.
Outside, pooled or ASGI       the ledger's own connection; the thread's is returned before the provider is called.
Outside, otherwise            the thread's connection, which no other thread could use in the meantime.

A process keeps at most OWN_CONNECTIONS connections for the ledger and lends each to one thread at a time.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from contextlib import suppress
from functools import lru_cache
from queue import LifoQueue
from typing import Any, TypeVar
from weakref import WeakSet

from asgiref.sync import AsyncToSync, SyncToAsync, ThreadSensitiveContext, sync_to_async
from django.db import Error, connections, router, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from django.db.utils import load_backend
from stapel_core.comm.atomic import is_armed

from stapel_agent.exceptions import InvalidRequest
from stapel_agent.models import PromptLog

from .transactions import done
from .worker_threads import Workers

OWN_CONNECTIONS = 4
IDLE_SECONDS = 60

Result = TypeVar("Result")
Operation = Callable[[str], Result]
"""Work on the ledger, given the alias of its database. May run twice if the connection is lost."""


def on_ledger(operation: Operation[Result], *, timeout: float | None = None) -> Result:
    """Run `operation` on the right connection. If that connection is lost, run it once more on a new one.

    Raises TimeoutError after `timeout` seconds, while the work continues. The caller's own connection has no timeout.
    """
    connection = thread_connection()
    alias = connection.alias
    if connection in _ours:  # inside an operation: waiting for a second ledger connection could deadlock
        return operation(alias)
    if _is_shared_with_caller(connection):
        with transaction.atomic(alias):
            return operation(alias)
    if timeout is not None and connection.vendor != "sqlite":  # SQLite bounds the wait for its lock itself
        return in_background(operation).result(timeout)
    if _in_transaction(connection) or _could_serve_others(connection):
        return _on_own_connection(operation, alias)
    return done(operation, alias)


def in_batches(batch: Operation[int]) -> int:
    """Run `batch` until it finds nothing. Returns the sum of what the runs found. Each run commits on its own."""
    total = 0
    while count := on_ledger(batch):
        total += count
    return total


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


def ledger_alias() -> str:
    return router.db_for_write(PromptLog)


def thread_connection() -> BaseDatabaseWrapper:
    """This thread's connection to the ledger's database."""
    return connections[ledger_alias()]


def is_private() -> bool:
    """Whether the ledger's writes stay invisible to others until the caller's transaction ends."""
    return _is_shared_with_caller(thread_connection())


def works_in_callers_thread() -> bool:
    """Whether the ledger works for an async caller in the thread of the caller's ORM calls."""
    return _vendor(connections.settings[ledger_alias()]["ENGINE"]) == "sqlite" or is_test_run()


@lru_cache(maxsize=8)
def _vendor(engine: str) -> str:
    """The vendor of a database, by its class. Asking a connection creates one for each request on an event loop."""
    return str(load_backend(engine).DatabaseWrapper.vendor)


def serves_event_loop() -> bool:
    """Whether this thread runs synchronous work for an event loop."""
    loop = getattr(SyncToAsync.threadlocal, "main_event_loop", None)
    return loop is not None and loop.is_running()


def give_back(*, ours: bool = False) -> None:
    """Close this thread's idle connections that could serve others, and with `ours` the ledger's too."""
    for connection in connections.all(initialized_only=True):
        wanted = _could_serve_others(connection) or (ours and connection is thread_connection())
        if wanted and connection.connection is not None and not _in_transaction(connection):
            connection.close()


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


def wait_for_own_work(seconds: float) -> None:
    """Let running work on the ledger's own connections finish before the process ends."""
    _workers(os.getpid()).wait(seconds)


def in_background(operation: Operation[Result]) -> Future[Result]:
    """Run `operation` on one of the ledger's own connections, in another thread."""
    return _workers(os.getpid()).submit(_on_own_connection, operation, ledger_alias())


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


def prepare_background() -> None:
    """Start a thread for `in_background()` now: an ending process may be unable to start one."""
    _workers(os.getpid()).prepare()


def _is_shared_with_caller(connection: BaseDatabaseWrapper) -> bool:
    if not _in_transaction(connection):
        return False
    blocks: list[Any] = connection.atomic_blocks
    in_rolled_back_test = bool(blocks and blocks[0]._from_testcase) or is_armed(connection.alias)
    return connection.vendor == "sqlite" or in_rolled_back_test


def _in_transaction(connection: BaseDatabaseWrapper) -> bool:
    autocommit = connection.settings_dict["AUTOCOMMIT"] if connection.connection is None else connection.autocommit
    return connection.in_atomic_block or not autocommit


def _could_serve_others(connection: BaseDatabaseWrapper) -> bool:
    if connection.vendor == "sqlite":
        return False
    return bool(connection.settings_dict["OPTIONS"].get("pool")) or serves_event_loop()


def is_test_run() -> bool:
    utilities = sys.modules.get("django.test.utils")
    return utilities is not None and hasattr(utilities._TestState, "saved_data")


def _on_own_connection(operation: Operation[Result], alias: str) -> Result:
    callers, lent = connections[alias], _own_connections(os.getpid(), alias)
    own, is_intact = lent.get(), False
    try:
        if own is not None:
            own.close_if_unusable_or_obsolete()
        if own is None or own.connection is None:  # the password in the host's settings may be a new one
            own = _connection_of_our_own(alias)
        connections[alias] = own
        result = done(operation, alias)
        is_intact = True
        return result
    except Error:
        is_intact = True
        raise
    finally:
        connections[alias] = callers
        # An interrupted query may still run on the connection, and a test's database is about to be dropped.
        if own is not None and (not is_intact or is_test_run()):
            with suppress(Exception):
                own.close()
            own = None
        lent.put(own)


_ours: WeakSet[BaseDatabaseWrapper] = WeakSet()


# By process id: a forked child must not use its parent's connections and does not inherit its threads.
@lru_cache(maxsize=8)
def _own_connections(process: int, alias: str) -> LifoQueue[BaseDatabaseWrapper | None]:
    connections_or_places: LifoQueue[BaseDatabaseWrapper | None] = LifoQueue()
    for _ in range(OWN_CONNECTIONS):
        connections_or_places.put(None)
    return connections_or_places


@lru_cache(maxsize=1)
def _workers(process: int) -> Workers:
    return Workers(OWN_CONNECTIONS, "stapel-agent-ledger")


def _connection_of_our_own(alias: str) -> BaseDatabaseWrapper:
    settings = connections.settings[alias]
    max_age = settings["CONN_MAX_AGE"]
    own = {
        **settings,
        # Not from the host's pool: callers that hold every connection in it, each in a transaction, would wait forever.
        "OPTIONS": {name: value for name, value in settings["OPTIONS"].items() if name != "pool"},
        "CONN_MAX_AGE": max_age if max_age is None else max(max_age, IDLE_SECONDS),
        "AUTOCOMMIT": True,
    }
    connection: BaseDatabaseWrapper = load_backend(settings["ENGINE"]).DatabaseWrapper(own, alias)
    connection.inc_thread_sharing()
    _ours.add(connection)
    return connection
