"""Signs of life: while a process leads flights, their rows are told every few seconds that it goes on."""

from __future__ import annotations

import logging
import os
import threading
import time
from datetime import timedelta
from functools import partial
from uuid import UUID

from django.db import connections
from django.utils import timezone

from .connection import on_ledger
from .models import Flight

logger = logging.getLogger(__name__)

BEAT_SECONDS = 5.0
SILENCE_SECONDS = 20.0
"""Without a sign for so long, a leader is taken for dead."""

_lock = threading.Lock()
_led: set[UUID] = set()
_is_beating = False


def start(request_id: UUID) -> None:
    """Say that the flights of this request go on, until `stop()`."""
    global _is_beating
    with _lock:
        _led.add(request_id)
        if not _is_beating:
            _is_beating = True
            threading.Thread(target=_beat, daemon=True, name="stapel-agent-heartbeat").start()


def stop(request_id: UUID) -> None:
    with _lock:
        _led.discard(request_id)


def is_silent(flight: Flight) -> bool:
    """Whether the process that leads `flight` is gone."""
    return timezone.now() - flight.seen_at > timedelta(seconds=SILENCE_SECONDS)


def _beat() -> None:
    global _is_beating
    while True:
        time.sleep(BEAT_SECONDS)
        with _lock:
            led = list(_led)
            if not led:
                _is_beating = False
                return
        try:
            on_ledger(partial(_say_so, led))
        except Exception as fault:
            logger.error("single flight: no sign of life could be given (%s)", type(fault).__name__)
        finally:
            connections.close_all()


def _say_so(led: list[UUID], alias: str) -> None:
    Flight.objects.using(alias).filter(request_id__in=led).update(seen_at=timezone.now())


def _start_anew() -> None:
    global _lock, _is_beating
    _lock, _is_beating = threading.Lock(), False
    _led.clear()


os.register_at_fork(after_in_child=_start_anew)
