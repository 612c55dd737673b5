"""Which database connection the ledger works on, and that none is held while a provider thinks.

In the caller's transaction   PostgreSQL, MariaDB: one of the ledger's own; a rollback does not reach it.
                              SQLite, which has one writer, and inside a test that is rolled back: the caller's.
Outside, pooled or ASGI       one of the ledger's own; the thread's is given back before the provider is called.
Outside, else                 the thread's, which nobody else could use in the meantime.

The ledger's own are those of a few threads which do nothing else, at most OWN_CONNECTIONS in a process.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from functools import lru_cache
from typing import Any, TypeVar

from asgiref.sync import AsyncToSync, SyncToAsync, sync_to_async
from django.core import mail
from django.db import InterfaceError, OperationalError, close_old_connections, connections, router, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.utils import load_backend
from stapel_core.comm.atomic import is_armed

from .models import PromptLog

OWN_CONNECTIONS = 4
IDLE_SECONDS = 60

Result = TypeVar("Result")
Operation = Callable[[str], Result]
"""Work on the ledger, given the alias of its database. May be done twice where a connection breaks in between."""


def on_ledger(operation: Operation[Result]) -> Result:
    """Do `operation` on the right connection; once more on a new one, if that had been lost."""
    alias = router.db_for_write(PromptLog)
    connection = connections[alias]
    if _is_shared_with_caller(connection):
        with transaction.atomic(alias):
            return operation(alias)
    if _in_transaction(connection) or _could_serve_others(connection):
        return _on_own_connection(operation, alias).result()
    return _twice(operation, alias)


async def aon_ledger(operation: Operation[Result]) -> Result:
    """`on_ledger()` on an event loop."""
    alias = router.db_for_write(PromptLog)
    if connections[alias].vendor == "sqlite" or _is_test_run():
        return await sync_to_async(on_ledger)(operation)
    return await asyncio.wrap_future(_on_own_connection(operation, alias))


async def finished(work: Coroutine[Any, Any, Result]) -> Result:
    """What comes of `work`, which goes on to its end however often the caller is cancelled meanwhile."""
    task = asyncio.ensure_future(work)
    cancellation: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError as fault:
            cancellation = fault
    if cancellation is not None:
        task.exception()
        raise cancellation
    return task.result()


def is_private() -> bool:
    """Whether what the ledger writes now is seen by nobody else until the caller's transaction ends."""
    return _is_shared_with_caller(connections[router.db_for_write(PromptLog)])


def give_back(*, every: bool = False) -> None:
    """Close this thread's idle connections, those that could serve others or `every` one. Django opens them again."""
    for connection in connections.all(initialized_only=True):
        idle = connection.connection is not None and not _in_transaction(connection)
        if idle and (every or _could_serve_others(connection)):
            connection.close()


async def agive_back() -> None:
    """`give_back()` on an event loop: the connections are those of the thread that the request's ORM calls run in."""
    if SyncToAsync.thread_sensitive_context.get(None) or hasattr(AsyncToSync.executors, "current"):
        await sync_to_async(give_back)()


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
    loop = getattr(SyncToAsync.threadlocal, "main_event_loop", None)
    return bool(connection.settings_dict["OPTIONS"].get("pool")) or (loop is not None and loop.is_running())


def _is_test_run() -> bool:
    # Django's test environment, whoever set it up, has an outbox.
    return hasattr(mail, "outbox")


def _twice(operation: Operation[Result], alias: str) -> Result:
    try:
        return operation(alias)
    except (OperationalError, InterfaceError):
        connections[alias].close()
        return operation(alias)


def _on_own_connection(operation: Operation[Result], alias: str) -> Future[Result]:
    return _threads(os.getpid()).submit(copy_context().run, _in_own_thread, operation, alias)


@lru_cache(maxsize=1)
def _threads(process: int) -> ThreadPoolExecutor:
    # By process id: a forked child has none of its parent's threads.
    return ThreadPoolExecutor(OWN_CONNECTIONS, thread_name_prefix="stapel-agent-ledger")


_prepared = threading.local()


def _in_own_thread(operation: Operation[Result], alias: str) -> Result:
    if getattr(_prepared, "alias", None) != alias:
        connections[alias] = _unpooled(alias)
        _prepared.alias = alias
    close_old_connections()
    try:
        return _twice(operation, alias)
    finally:
        if _is_test_run():  # whose database is about to be dropped
            connections.close_all()
            _prepared.alias = None


def _unpooled(alias: str) -> BaseDatabaseWrapper:
    # Not out of the host's pool: callers that hold all of it, each in a transaction, would wait for ever.
    settings = connections.settings[alias]
    max_age = settings["CONN_MAX_AGE"]
    own = {
        **settings,
        "OPTIONS": {name: value for name, value in settings["OPTIONS"].items() if name != "pool"},
        "CONN_MAX_AGE": max_age if max_age is None else max(max_age, IDLE_SECONDS),
    }
    return load_backend(settings["ENGINE"]).DatabaseWrapper(own, alias)  # type: ignore[no-any-return]
