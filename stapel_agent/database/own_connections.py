"""The ledger's own connections, and the threads that work on them.

A process keeps at most OWN_CONNECTIONS connections and lends each to one thread at a time.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from functools import lru_cache
from queue import LifoQueue
from typing import TypeVar
from weakref import WeakSet

from django.db import Error, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.utils import load_backend

from .callers_connection import is_test_run, ledger_alias
from .transactions import done
from .worker_threads import Workers

OWN_CONNECTIONS = 4
IDLE_SECONDS = 60

Result = TypeVar("Result")
Operation = Callable[[str], Result]
"""Work on the ledger, given the alias of its database. May run twice if the connection is lost."""


def in_background(operation: Operation[Result]) -> Future[Result]:
    """Run `operation` on one of the ledger's own connections, in another thread."""
    return _workers(os.getpid()).submit(on_own_connection, operation, ledger_alias())


def prepare_background() -> None:
    """Start a thread for `in_background()` now: an ending process may be unable to start one."""
    _workers(os.getpid()).prepare()


def wait_for_own_work(seconds: float) -> None:
    """Let running work on the ledger's own connections finish before the process ends."""
    _workers(os.getpid()).wait(seconds)


def on_own_connection(operation: Operation[Result], alias: str) -> Result:
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


def is_own(connection: BaseDatabaseWrapper) -> bool:
    """Whether the connection is one of the ledger's own."""
    return connection in _ours


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
