"""The heartbeat of running calls: a call is not closed as lost while its process renews its row."""

from __future__ import annotations

import logging
import os
import threading
import time
from contextlib import AbstractContextManager, nullcontext
from datetime import timedelta
from functools import partial
from uuid import UUID

from django.db import connections
from django.db.models import Q

from stapel_agent.database import UtcNow, on_ledger, start_thread, works_in_callers_thread
from stapel_agent.models import PromptLog, PromptStatus
from stapel_agent.redaction import describe

logger = logging.getLogger(__name__)

BEAT_SECONDS = 5.0
SILENCE_SECONDS = 20.0
"""A call without a heartbeat for this long may be lost."""

_lock = threading.Lock()
_under_way: set[UUID] = set()
_is_beating = False


UNBEATEN = nullcontext()


def beating(row: PromptLog) -> AbstractContextManager[None]:
    """Renews the row of a call every BEAT_SECONDS inside the block.

    Does nothing on SQLite, whose only writer may be the caller, or in a test, whose rows are visible only to its own
    connection.
    """
    return UNBEATEN if works_in_callers_thread() else _Beating(row.pk)


class _Beating(AbstractContextManager[None]):
    def __init__(self, row_id: UUID) -> None:
        self._row_id = row_id

    def __enter__(self) -> None:
        with _lock:
            _under_way.add(self._row_id)
            _ensure_beating()

    def __exit__(self, *outcome: object) -> None:
        with _lock:
            _under_way.discard(self._row_id)


def silent() -> Q:
    """Matches rows without a recent heartbeat, by the database's clock. A call of a few seconds has none yet."""
    return Q(seen_at=None) | Q(seen_at__lt=UtcNow() - timedelta(seconds=SILENCE_SECONDS))


def _ensure_beating() -> None:
    global _is_beating
    if not _is_beating:
        _is_beating = start_thread(_beat, "stapel-agent-calls-heartbeat")


def _beat() -> None:
    global _is_beating
    while True:
        time.sleep(BEAT_SECONDS)
        with _lock:
            rows = list(_under_way)
            if not rows:
                _is_beating = False
                return
        try:
            on_ledger(partial(_renew, rows))
        except Exception as fault:
            logger.error("could not renew the rows of %d running calls: %s", len(rows), describe(fault))
        finally:
            connections.close_all()


def _renew(rows: list[UUID], alias: str) -> None:
    PromptLog.objects.using(alias).filter(pk__in=rows, status=PromptStatus.PENDING).update(seen_at=UtcNow())


def _reset() -> None:
    """Runs in a forked child, because the calls belong to the parent."""
    global _lock, _is_beating
    _lock, _is_beating = threading.Lock(), False
    _under_way.clear()


os.register_at_fork(after_in_child=_reset)
