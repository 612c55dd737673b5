"""Leases: a process renews the rows of its flights and idempotency keys, so that others know it is alive."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from uuid import UUID

from django.db import connections
from django.db.models import Q
from django.db.models.functions import Now

from stapel_agent.database import on_ledger
from stapel_agent.models import Flight, IdempotencyRecord

logger = logging.getLogger(__name__)

BEAT_SECONDS = 5.0
SILENCE_SECONDS = 20.0
"""A leader whose lease is older than this is taken for dead."""

_lock = threading.Lock()
_led: dict[UUID, Callable[[], bool]] = {}
_left_over: set[UUID] = set()
_is_beating = False


def start(lease: UUID, is_gone: Callable[[], bool]) -> None:
    """Renew this lease until `stop()`, or until its leader `is_gone`."""
    with _lock:
        _led[lease] = is_gone
        _ensure_beating()


def stop(lease: UUID) -> None:
    with _lock:
        _led.pop(lease, None)


def remove_later(lease: UUID) -> None:
    """Retry removing the row that holds this lease until the database lets us. Its call is over."""
    with _lock:
        _left_over.add(lease)
        _ensure_beating()


def _ensure_beating() -> None:
    global _is_beating
    if not _is_beating:
        _is_beating = True
        threading.Thread(target=_beat, daemon=True, name="stapel-agent-heartbeat").start()


def silent() -> Q:
    """Matches rows whose process is gone, by the database's clock: those of the hosts may differ."""
    return Q(seen_at__lt=Now() - timedelta(seconds=SILENCE_SECONDS))


def _beat() -> None:
    global _is_beating
    while True:
        time.sleep(BEAT_SECONDS)
        with _lock:
            for lease in [lease for lease, is_gone in _led.items() if is_gone()]:
                del _led[lease]
                _left_over.add(lease)
            led, left_over = list(_led), list(_left_over)
            if not (led or left_over):
                _is_beating = False
                return
        try:
            on_ledger(partial(_renew, led, left_over))
            with _lock:
                _left_over.difference_update(left_over)
        except Exception as fault:
            logger.error(
                "leases could not be renewed (%s); calls that take longer than %d s may be asked again",
                type(fault).__name__,
                SILENCE_SECONDS,
            )
        finally:
            connections.close_all()


def _renew(led: list[UUID], left_over: list[UUID], alias: str) -> None:
    for under_way in (Flight.objects, IdempotencyRecord.objects.filter(answer=None)):
        rows = under_way.using(alias)
        rows.filter(lease__in=left_over).delete()
        rows.filter(lease__in=led).update(seen_at=Now())


def _reset() -> None:
    global _lock, _is_beating
    _lock, _is_beating = threading.Lock(), False
    _led.clear()
    _left_over.clear()


os.register_at_fork(after_in_child=_reset)
