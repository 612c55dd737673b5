"""Signs of life of calls under way: nobody closes the row of a call as lost while its process renews it."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from uuid import UUID

from django.db import connections
from django.db.models import Q

from stapel_agent.database import UtcNow, is_test_run, on_ledger, works_in_callers_thread
from stapel_agent.models import PromptLog, PromptStatus
from stapel_agent.redaction import describe

logger = logging.getLogger(__name__)

BEAT_SECONDS = 5.0
SILENCE_SECONDS = 20.0
"""A call without a sign of life for so long may be lost."""

_lock = threading.Lock()
_under_way: set[UUID] = set()
_is_beating = False


@contextmanager
def beating(row: PromptLog) -> Iterator[None]:
    """Around a call: its row is renewed every BEAT_SECONDS.

    Not on SQLite, whose one writer may be the caller, nor in a test, whose rows only its own connection sees.
    """
    if works_in_callers_thread() or is_test_run():
        yield
        return
    with _lock:
        _under_way.add(row.pk)
        _ensure_beating()
    try:
        yield
    finally:
        with _lock:
            _under_way.discard(row.pk)


def silent() -> Q:
    """Matches rows without a recent sign of life, by the database's clock. A call of a few seconds has none yet."""
    return Q(seen_at=None) | Q(seen_at__lt=UtcNow() - timedelta(seconds=SILENCE_SECONDS))


def _ensure_beating() -> None:
    global _is_beating
    if not _is_beating:
        _is_beating = True
        threading.Thread(target=_beat, daemon=True, name="stapel-agent-calls-heartbeat").start()


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
            logger.error("the rows of %d calls under way could not be renewed: %s", len(rows), describe(fault))
        finally:
            connections.close_all()


def _renew(rows: list[UUID], alias: str) -> None:
    PromptLog.objects.using(alias).filter(pk__in=rows, status=PromptStatus.PENDING).update(seen_at=UtcNow())


def _reset() -> None:
    """In a forked child: the calls are the parent's."""
    global _lock, _is_beating
    _lock, _is_beating = threading.Lock(), False
    _under_way.clear()


os.register_at_fork(after_in_child=_reset)
