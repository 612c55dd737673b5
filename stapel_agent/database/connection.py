"""Chooses the database connection for the ledger's work. The ledger holds no connection while a provider answers.

In the caller's transaction   PostgreSQL, MariaDB: the ledger's own connection, which a rollback does not affect.
                              SQLite, which has one writer, and tests that are rolled back: the caller's connection.
Outside, pooled or ASGI       the ledger's own connection; the thread's is returned before the provider is called.
Outside, otherwise            the thread's connection, which no other thread could use in the meantime.
"""

from __future__ import annotations

from django.db import transaction

from .callers_connection import could_serve_others, in_transaction, is_shared_with_caller, thread_connection
from .own_connections import Operation, Result, in_background, is_own, on_own_connection
from .transactions import done


def on_ledger(operation: Operation[Result], *, timeout: float | None = None) -> Result:
    """Run `operation` on the right connection. If that connection is lost, run it once more on a new one.

    Raises TimeoutError after `timeout` seconds, while the work continues. The caller's own connection has no timeout.
    """
    connection = thread_connection()
    alias = connection.alias
    if is_own(connection):  # inside an operation: waiting for a second ledger connection could deadlock
        return operation(alias)
    if is_shared_with_caller(connection):
        with transaction.atomic(alias):
            return operation(alias)
    if timeout is not None and connection.vendor != "sqlite":  # SQLite bounds the wait for its lock itself
        return in_background(operation).result(timeout)
    if in_transaction(connection) or could_serve_others(connection):
        return on_own_connection(operation, alias)
    return done(operation, alias)


def in_batches(batch: Operation[int]) -> int:
    """Run `batch` until it finds nothing. Returns the sum of what the runs found. Each run commits on its own."""
    total = 0
    while count := on_ledger(batch):
        total += count
    return total
