"""The caller's connection to the ledger's database: in which state it is, and when the ledger gives it back."""

from __future__ import annotations

import sys
from functools import lru_cache
from typing import Any

from asgiref.sync import SyncToAsync
from django.db import connections, router
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.utils import load_backend
from stapel_core.comm.atomic import is_armed

from stapel_agent.models import PromptLog


def ledger_alias() -> str:
    return router.db_for_write(PromptLog)


def thread_connection() -> BaseDatabaseWrapper:
    """This thread's connection to the ledger's database."""
    return connections[ledger_alias()]


def is_private() -> bool:
    """Whether the ledger's writes stay invisible to others until the caller's transaction ends."""
    return is_shared_with_caller(thread_connection())


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
        wanted = could_serve_others(connection) or (ours and connection is thread_connection())
        if wanted and connection.connection is not None and not in_transaction(connection):
            connection.close()


def is_shared_with_caller(connection: BaseDatabaseWrapper) -> bool:
    if not in_transaction(connection):
        return False
    blocks: list[Any] = connection.atomic_blocks
    in_rolled_back_test = bool(blocks and blocks[0]._from_testcase) or is_armed(connection.alias)
    return connection.vendor == "sqlite" or in_rolled_back_test


def in_transaction(connection: BaseDatabaseWrapper) -> bool:
    autocommit = connection.settings_dict["AUTOCOMMIT"] if connection.connection is None else connection.autocommit
    return connection.in_atomic_block or not autocommit


def could_serve_others(connection: BaseDatabaseWrapper) -> bool:
    if connection.vendor == "sqlite":
        return False
    return bool(connection.settings_dict["OPTIONS"].get("pool")) or serves_event_loop()


def is_test_run() -> bool:
    utilities = sys.modules.get("django.test.utils")
    return utilities is not None and hasattr(utilities._TestState, "saved_data")
