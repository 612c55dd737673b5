"""Chooses the connection and the thread for the ledger's work."""

from .availability import reading
from .callers_connection import (
    give_back,
    is_private,
    is_test_run,
    ledger_alias,
    serves_event_loop,
    thread_connection,
    works_in_callers_thread,
)
from .character_sets import narrow_tables
from .clock import UtcNow, as_stored, aware, database_now, host_offset, stored_now
from .collation import exactly
from .connection import in_batches, on_ledger
from .event_loop import agive_back, aon_ledger, is_on_event_loop, refuse_event_loop, uncancelled
from .greenlets import threads_are_greenlets
from .own_connections import in_background, prepare_background, wait_for_own_work
from .repeated_work import RepeatedWork
from .tenant_schemas import is_in_tenant_schemas
from .transactions import ledger_transaction
from .upserts import upsert
from .worker_threads import Workers

__all__ = [
    "RepeatedWork",
    "UtcNow",
    "Workers",
    "agive_back",
    "aon_ledger",
    "as_stored",
    "aware",
    "database_now",
    "exactly",
    "give_back",
    "host_offset",
    "in_background",
    "in_batches",
    "is_in_tenant_schemas",
    "is_on_event_loop",
    "is_private",
    "is_test_run",
    "ledger_alias",
    "ledger_transaction",
    "narrow_tables",
    "on_ledger",
    "prepare_background",
    "reading",
    "refuse_event_loop",
    "serves_event_loop",
    "stored_now",
    "thread_connection",
    "threads_are_greenlets",
    "uncancelled",
    "upsert",
    "wait_for_own_work",
    "works_in_callers_thread",
]
