"""The heartbeat of running calls: a call is not closed as lost while its process renews its row."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager, nullcontext
from datetime import timedelta
from functools import partial
from uuid import UUID

from django.db.models import Q

from stapel_agent.database import RepeatedWork, UtcNow, on_ledger, works_in_callers_thread
from stapel_agent.models import PromptLog, PromptStatus

BEAT_SECONDS = 5.0
SILENCE_SECONDS = 20.0
"""A call without a heartbeat for this long may be lost."""

_under_way: set[UUID] = set()
os.register_at_fork(after_in_child=_under_way.clear)


def beating(row: PromptLog) -> AbstractContextManager[None]:
    """Renew the row of a call every BEAT_SECONDS inside the block.

    Does nothing on SQLite, whose only writer may be the caller, or in a test, whose rows are visible only to its own
    connection.
    """
    return nullcontext() if works_in_callers_thread() else _Beating(row.pk)


class _Beating(AbstractContextManager[None]):
    def __init__(self, row_id: UUID) -> None:
        self._row_id = row_id

    def __enter__(self) -> None:
        with _heartbeat.lock:
            _under_way.add(self._row_id)
            _heartbeat.start()

    def __exit__(self, *outcome: object) -> None:
        with _heartbeat.lock:
            _under_way.discard(self._row_id)


def silent() -> Q:
    """Match rows without a recent heartbeat, by the database's clock. A call of a few seconds has none yet."""
    return Q(seen_at=None) | Q(seen_at__lt=UtcNow() - timedelta(seconds=SILENCE_SECONDS))


def _renew(rows: list[UUID], alias: str) -> None:
    PromptLog.objects.using(alias).filter(pk__in=rows, status=PromptStatus.PENDING).update(seen_at=UtcNow())


_heartbeat = RepeatedWork(
    "stapel-agent-calls-heartbeat",
    "the rows of running calls could not be renewed",
    seconds=lambda: BEAT_SECONDS,
    job=lambda: list(_under_way),
    do=lambda rows: on_ledger(partial(_renew, rows)),
)
