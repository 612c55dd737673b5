"""Rows that could not be closed. Closing a later row retries them, and so does the end of the process.

An interrupted closing is retried at once: the database is not at fault.
"""

from __future__ import annotations

import atexit
import os
from collections import deque
from contextlib import nullcontext, suppress

from django.db import connections, transaction

from stapel_agent.database import in_background, prepare_background, wait_for_own_work, works_in_callers_thread
from stapel_agent.models import PromptLog

from . import row_statements
from .call_finished_signal import announce_later, closed_late

EXIT_SECONDS = 2.0

# Rows that overflow are in the log.
_unclosed: deque[PromptLog] = deque(maxlen=100)
os.register_at_fork(after_in_child=_unclosed.clear)  # the parent closes them


def close_later(row: PromptLog) -> None:
    _unclosed.append(row)
    prepare_background()


def close_interrupted(row: PromptLog) -> None:
    """Close a row whose closing was interrupted: without waiting, because the caller is to end."""
    close_later(row)
    if not works_in_callers_thread():  # where the next call closes it
        in_background(close_left_over)


def close_left_over(alias: str) -> None:
    """Try to close each unclosed row again. A row that fails again waits for the next call."""
    for _ in range(len(_unclosed)):
        with suppress(IndexError):  # another thread took it
            row = _unclosed.popleft()
            # An error must not end the caller's transaction. Outside a transaction, Django may reconnect.
            block = transaction.atomic(alias) if connections[alias].in_atomic_block else nullcontext()
            try:
                with block:
                    found = row_statements.update_outcome(row, alias)
            except Exception:
                _unclosed.append(row)
                return
            if found or not row._state.adding:  # otherwise it was never inserted: nothing to announce
                closed_late(row)


@atexit.register
def _close_at_exit() -> None:
    """Try once more to close rows, for at most EXIT_SECONDS: the database may be down. Then send what is due."""
    wait_for_own_work(EXIT_SECONDS)
    if _unclosed:
        with suppress(Exception):
            in_background(close_left_over).result(EXIT_SECONDS)
    announce_later([])
