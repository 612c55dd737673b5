"""Leases: a process renews the rows of its flights and idempotency keys, so that others know it is alive."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

from django.db import connections
from django.db.models import BooleanField, ExpressionWrapper, Q

from stapel_agent.database import UtcNow, on_ledger, start_thread
from stapel_agent.models import Flight, IdempotencyRecord

logger = logging.getLogger(__name__)

BEAT_SECONDS = 5.0
SILENCE_SECONDS = 20.0
"""A leader whose lease is older than this may be dead; see `Silence`."""
LONG_SILENCE = 3
"""After this many times SILENCE_SECONDS, a leader counts as dead without further looks."""
LEAST_LOOKS = 3

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
    """Retry removing the row that holds this lease until the database allows it. Its call is over."""
    with _lock:
        _left_over.add(lease)
        _ensure_beating()


def _ensure_beating() -> None:
    global _is_beating
    if not _is_beating:
        _is_beating = start_thread(_beat, "stapel-agent-heartbeat")


def beat_seconds() -> float:
    """Seconds between renewals: a lease is renewed several times before its leader counts as dead."""
    return min(BEAT_SECONDS, SILENCE_SECONDS / 4)


def silent(times: int = 1) -> Q:
    """Match rows without a sign of life, by the database's clock: those of the machines may differ."""
    return Q(seen_at__lt=UtcNow() - timedelta(seconds=times * SILENCE_SECONDS))


def annotated(rows: Any) -> Any:
    """Annotate `rows` with what `Silence.is_final()` needs to know."""
    times = {"is_silent": 1, "is_long_silent": LONG_SILENCE}
    return rows.annotate(
        **{name: ExpressionWrapper(silent(times[name]), output_field=BooleanField()) for name in times}
    )


class Silence:
    """The silence of one leader, as one follower observes it.

    A single look cannot distinguish a dead leader from a slow one, or from one whose machine was suspended together
    with the follower's. So the follower keeps looking for as long as the leader needs to renew its lease.
    """

    def __init__(self) -> None:
        self._began_at = 0.0
        self._looks = 0

    def is_final(self, is_silent: bool, is_long_silent: bool) -> bool:
        """Whether the leader counts as dead, given the latest look at its row."""
        if not is_silent:
            self._looks = 0
            return False
        if not self._looks:
            self._began_at = time.monotonic()
        self._looks += 1
        has_waited = self._looks >= LEAST_LOOKS and time.monotonic() - self._began_at >= beat_seconds()
        return is_long_silent or has_waited


def _beat() -> None:
    global _is_beating
    while True:
        time.sleep(beat_seconds())
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
        rows.filter(lease__in=led).update(seen_at=UtcNow())


def _reset() -> None:
    global _lock, _is_beating
    _lock, _is_beating = threading.Lock(), False
    _led.clear()
    _left_over.clear()


os.register_at_fork(after_in_child=_reset)
