"""Which database connection the ledger works on, and that none is held while a provider thinks.

In the caller's transaction   PostgreSQL, MariaDB: one of the ledger's own; a rollback does not reach it.
                              SQLite, which has one writer, and inside a test that is rolled back: the caller's.
Outside, pooled or ASGI       one of the ledger's own; the thread's is given back before the provider is called.
Outside, else                 the thread's, which nobody else could use in the meantime.

The ledger's own are at most OWN_CONNECTIONS in a process, kept, and lent to one thread at a time.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from contextlib import suppress
from functools import lru_cache
from queue import LifoQueue
from typing import Any, TypeVar
from weakref import WeakSet

from asgiref.sync import AsyncToSync, SyncToAsync, sync_to_async
from django.db import InterfaceError, OperationalError, connections, router, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.utils import load_backend
from stapel_core.comm.atomic import is_armed

from stapel_agent.exceptions import InvalidRequest
from stapel_agent.models import PromptLog

from .worker_threads import Workers

OWN_CONNECTIONS = 4
IDLE_SECONDS = 60

Result = TypeVar("Result")
Operation = Callable[[str], Result]
"""Work on the ledger, given the alias of its database. May be done twice where a connection breaks in between."""


def on_ledger(operation: Operation[Result], *, timeout: float | None = None) -> Result:
    """Do `operation` on the right connection; once more on a new one, if that had been lost.

    TimeoutError after `timeout` seconds, where the connection is not the caller's; the work itself goes on.
    """
    connection = thread_connection()
    alias = connection.alias
    if connection in _ours:  # part of an operation: another of ours might never be free
        return operation(alias)
    if _is_shared_with_caller(connection):
        with transaction.atomic(alias):
            return operation(alias)
    if timeout is not None and connection.vendor != "sqlite":  # whose own busy timeout bounds a wait for its lock
        return in_background(operation).result(timeout)
    if _in_transaction(connection) or _could_serve_others(connection):
        return _on_own_connection(operation, alias)
    return _twice(operation, alias)


async def aon_ledger(operation: Operation[Result], *, timeout: float | None = None) -> Result:
    """`on_ledger()` on an event loop. On a connection of the ledger's own, a cancellation does not stop the work."""
    if works_in_callers_thread():
        return await sync_to_async(on_ledger)(operation)
    async with asyncio.timeout(timeout):
        return await asyncio.wrap_future(in_background(operation))


async def uncancelled(work: Coroutine[Any, Any, Result]) -> Result:
    """What comes of `work`, which goes on to its end however often the caller is cancelled meanwhile."""
    task = asyncio.ensure_future(work)
    cancellation: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError as fault:
            cancellation = fault
    if cancellation is not None:
        if not task.cancelled():
            task.exception()  # or it is reported as never retrieved
        raise cancellation
    return task.result()


def refuse_event_loop() -> None:
    """Before anything is spent: Django lets nobody write to the ledger on an event loop. Raises InvalidRequest."""
    if is_on_event_loop() and not os.environ.get("DJANGO_ALLOW_ASYNC_UNSAFE"):
        raise InvalidRequest("called on an event loop: await the function whose name begins with 'a'")


def is_on_event_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def ledger_alias() -> str:
    """The database that the ledger is in."""
    return router.db_for_write(PromptLog)


def thread_connection() -> BaseDatabaseWrapper:
    """This thread's connection to the ledger's database."""
    return connections[ledger_alias()]


def is_private() -> bool:
    """Whether what the ledger writes now is seen by nobody else until the caller's transaction ends."""
    return _is_shared_with_caller(thread_connection())


def works_in_callers_thread() -> bool:
    """Whether a caller on an event loop has its ledger's work done in the thread that its ORM calls run in."""
    return thread_connection().vendor == "sqlite" or is_test_run()


def serves_event_loop() -> bool:
    """Whether this thread does an event loop's synchronous work."""
    loop = getattr(SyncToAsync.threadlocal, "main_event_loop", None)
    return loop is not None and loop.is_running()


def give_back(*, ours: bool = False) -> None:
    """Close this thread's idle connections that could serve others, and that to the ledger where it is `ours`."""
    for connection in connections.all(initialized_only=True):
        wanted = _could_serve_others(connection) or (ours and connection is thread_connection())
        if wanted and connection.connection is not None and not _in_transaction(connection):
            connection.close()


async def agive_back() -> None:
    """`give_back()` on an event loop: the connections are those of the thread that the request's ORM calls run in."""
    if SyncToAsync.thread_sensitive_context.get(None) or hasattr(AsyncToSync.executors, "current"):
        await sync_to_async(give_back)()


def wait_for_own_work(seconds: float) -> None:
    """Give what is under way on the ledger's own connections time to end, as the process is about to."""
    _workers(os.getpid()).wait(seconds)


def in_background(operation: Operation[Result]) -> Future[Result]:
    """`operation` on a connection of the ledger's own, in another thread."""
    return _workers(os.getpid()).submit(_on_own_connection, operation, ledger_alias())


def prepare_background() -> None:
    """Let `in_background()` have a thread when the process ends, and may be unable to start one."""
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


def _twice(operation: Operation[Result], alias: str) -> Result:
    try:
        return operation(alias)
    except (OperationalError, InterfaceError):
        connections[alias].close()
        return operation(alias)


def _on_own_connection(operation: Operation[Result], alias: str) -> Result:
    callers, lent = connections[alias], _own_connections(os.getpid(), alias)
    own = lent.get()
    try:
        own = own or _connection_of_our_own(alias)
        connections[alias] = own
        own.close_if_unusable_or_obsolete()
        return _twice(operation, alias)
    finally:
        connections[alias] = callers
        if own is not None and is_test_run():  # whose database is about to be dropped
            with suppress(Exception):
                own.close()
            own = None
        lent.put(own)


_ours: WeakSet[BaseDatabaseWrapper] = WeakSet()


# By process id: a forked child must not write on its parent's connections, and has none of its threads.
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
        # Not out of the host's pool: callers that hold all of it, each in a transaction, would wait for ever.
        "OPTIONS": {name: value for name, value in settings["OPTIONS"].items() if name != "pool"},
        "CONN_MAX_AGE": max_age if max_age is None else max(max_age, IDLE_SECONDS),
        "AUTOCOMMIT": True,
    }
    connection: BaseDatabaseWrapper = load_backend(settings["ENGINE"]).DatabaseWrapper(own, alias)
    connection.inc_thread_sharing()
    _ours.add(connection)
    return connection
