"""Signs of life: while a process leads flights, their rows are told every few seconds that it goes on."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial, reduce
from operator import or_
from uuid import UUID

from django.db import connections
from django.db.models import Q
from django.db.models.functions import Now

from .connection import on_ledger
from .models import Flight

logger = logging.getLogger(__name__)

BEAT_SECONDS = 5.0
SILENCE_SECONDS = 20.0
"""Without a sign for so long, a leader is taken for dead."""

Led = tuple[str, UUID]
"""A flight: its key, and the request that leads it."""

_lock = threading.Lock()
_led: dict[Led, Callable[[], bool]] = {}
_left_over: set[Led] = set()
_is_beating = False


def start(flight: Led, is_gone: Callable[[], bool]) -> None:
    """Say that `flight` goes on, until `stop()`, or until its leader `is_gone`."""
    with _lock:
        _led[flight] = is_gone
        _ensure_beating()


def stop(flight: Led) -> None:
    with _lock:
        _led.pop(flight, None)


def remove_later(flight: Led) -> None:
    """Try again to remove the row of `flight`, which is over, until the database lets us."""
    with _lock:
        _left_over.add(flight)
        _ensure_beating()


def _ensure_beating() -> None:
    global _is_beating
    if not _is_beating:
        _is_beating = True
        threading.Thread(target=_beat, daemon=True, name="stapel-agent-heartbeat").start()


def silent() -> Q:
    """The condition on flights whose process is gone. By the database's clock, for those of the hosts may differ."""
    return Q(seen_at__lt=Now() - timedelta(seconds=SILENCE_SECONDS))


def _beat() -> None:
    global _is_beating
    while True:
        time.sleep(BEAT_SECONDS)
        with _lock:
            for flight in [flight for flight, is_gone in _led.items() if is_gone()]:
                del _led[flight]
                _left_over.add(flight)
            led, left_over = list(_led), list(_left_over)
            if not (led or left_over):
                _is_beating = False
                return
        try:
            on_ledger(partial(_tell, led, left_over))
            with _lock:
                _left_over.difference_update(left_over)
        except Exception as fault:
            logger.error("single flight: no sign of life could be given (%s)", type(fault).__name__)
        finally:
            connections.close_all()


def _tell(led: list[Led], left_over: list[Led], alias: str) -> None:
    flights = Flight.objects.using(alias)
    if left_over:
        flights.filter(_any_of(left_over)).delete()
    if led:
        flights.filter(_any_of(led)).update(seen_at=Now())


def _any_of(flights: list[Led]) -> Q:
    return reduce(or_, (Q(key=key, request_id=request_id) for key, request_id in flights))


def _start_anew() -> None:
    global _lock, _is_beating
    _lock, _is_beating = threading.Lock(), False
    _led.clear()
    _left_over.clear()


os.register_at_fork(after_in_child=_start_anew)
