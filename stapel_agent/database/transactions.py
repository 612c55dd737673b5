"""The ledger's transactions: they set their own isolation level and are retried after conflicts."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from django.db import DatabaseError, InterfaceError, OperationalError, connections, transaction

MOST_CONFLICTS = 12
FIRST_PAUSE, LONGEST_PAUSE = 0.01, 0.5
CONFLICTS: Collection[str | int] = frozenset({"40001", "40P01", 1020, 1213})
"""A serialization failure and a deadlock: PostgreSQL's SQLSTATEs, and the numbers of MySQL and MariaDB."""
READ_ONLY = frozenset({"25006"})
"""PostgreSQL's SQLSTATE for a write to a server that has become a standby. A new connection leads to its successor."""

Result = TypeVar("Result")


@contextmanager
def ledger_transaction(alias: str) -> Iterator[None]:
    """`transaction.atomic()` that waits for rows locked by others, at any isolation level of the host.

    At REPEATABLE READ or SERIALIZABLE, PostgreSQL rejects rows that others have changed since the transaction began,
    and MariaDB and MySQL read them as they were.
    SQLite rejects a write at once if another connection has written since this one read, so this waits before it reads.
    """
    connection = connections[alias]
    is_outermost = not connection.in_atomic_block
    with _writing_first(connection), transaction.atomic(alias):
        if is_outermost and connection.vendor in ("postgresql", "mysql"):
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL READ COMMITTED")
        yield


@contextmanager
def _writing_first(connection: Any) -> Iterator[None]:
    """Let an SQLite transaction that begins in this block take the write lock at its beginning."""
    if connection.vendor != "sqlite" or connection.in_atomic_block:
        yield
        return
    connection.ensure_connection()  # which sets the host's mode
    before, connection.transaction_mode = connection.transaction_mode, "IMMEDIATE"
    try:
        yield
    finally:
        connection.transaction_mode = before


def done(operation: Callable[[str], Result], alias: str) -> Result:
    """Run `operation`. Retries it after a conflict, and once on a new connection if the old one is useless."""
    conflicts, is_new = 0, False
    while True:
        try:
            return operation(alias)
        except DatabaseError as fault:
            if _has_code(fault, CONFLICTS) and conflicts < MOST_CONFLICTS:
                conflicts += 1
                time.sleep(random.uniform(0, min(LONGEST_PAUSE, FIRST_PAUSE * 2**conflicts)))  # noqa: S311  (no secret)
                continue
            if is_new or not (isinstance(fault, OperationalError) or _has_code(fault, READ_ONLY)):
                raise
        except InterfaceError:
            if is_new:
                raise
        connections[alias].close()
        is_new = True


def _has_code(fault: DatabaseError, known: Collection[str | int]) -> bool:
    cause = fault.__cause__
    first = next(iter(getattr(cause, "args", ())), None)
    codes = (getattr(cause, "sqlstate", None), getattr(cause, "pgcode", None), first)
    return any(isinstance(code, str | int) and code in known for code in codes)
