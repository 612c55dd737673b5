"""Renews the rows of running calls, so that they are not closed as lost while their process lives."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager, nullcontext
from datetime import timedelta
from functools import partial
from uuid import UUID

from django.db.models import Q

from stapel_agent.database import RepeatedWork, UtcNow, on_ledger, works_in_callers_thread
from stapel_agent.models import PromptLog, PromptStatus

RENEWAL_SECONDS = 5.0
SILENCE_SECONDS = 20.0
"""A call whose row was not renewed for this long may be lost."""

_under_way: set[UUID] = set()
os.register_at_fork(after_in_child=_under_way.clear)


def renewing(row: PromptLog) -> AbstractContextManager[None]:
    """Renew the row of a call every RENEWAL_SECONDS inside the block.

    Does nothing on SQLite, whose only writer may be the caller, or in a test, whose rows are visible only to its own
    connection.
    """
    return nullcontext() if works_in_callers_thread() else _Renewing(row.pk)


class _Renewing(AbstractContextManager[None]):
    def __init__(self, row_id: UUID) -> None:
        self._row_id = row_id

    def __enter__(self) -> None:
        with _renewal.lock:
            _under_way.add(self._row_id)
            _renewal.start()

    def __exit__(self, *outcome: object) -> None:
        with _renewal.lock:
            _under_way.discard(self._row_id)


def silent() -> Q:
    """Match rows that nobody renews, by the database's clock. A row is not renewed in its first seconds."""
    return Q(seen_at=None) | Q(seen_at__lt=UtcNow() - timedelta(seconds=SILENCE_SECONDS))


def _renew(rows: list[UUID], alias: str) -> None:
    PromptLog.objects.using(alias).filter(pk__in=rows, status=PromptStatus.PENDING).update(seen_at=UtcNow())


_renewal = RepeatedWork(
    "stapel-agent-running-calls",
    "the rows of running calls could not be renewed",
    seconds=lambda: RENEWAL_SECONDS,
    job=lambda: list(_under_way),
    do=lambda rows: on_ledger(partial(_renew, rows)),
)
