"""Leases: a process renews the rows of its flights and idempotency keys, so that others know it is alive."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

from django.db.models import BooleanField, ExpressionWrapper, Q

from stapel_agent.database import RepeatedWork, UtcNow, on_ledger
from stapel_agent.models import Flight, IdempotencyRecord

RENEWAL_SECONDS = 5.0
SILENCE_SECONDS = 20.0
"""A leader whose lease is older than this may be dead; see `Silence`."""
LONG_SILENCE = 3
"""After this many times SILENCE_SECONDS, a leader counts as dead without further looks."""
LEAST_LOOKS = 3

_led: dict[UUID, Callable[[], bool]] = {}
_left_over: set[UUID] = set()
os.register_at_fork(after_in_child=_led.clear)
os.register_at_fork(after_in_child=_left_over.clear)


def start(lease: UUID, is_gone: Callable[[], bool]) -> None:
    """Renew this lease until `stop()`, or until its leader `is_gone`."""
    with _renewal.lock:
        _led[lease] = is_gone
        _renewal.start()


def stop(lease: UUID) -> None:
    with _renewal.lock:
        _led.pop(lease, None)


def remove_later(lease: UUID) -> None:
    """Retry removing the row that holds this lease until the database allows it. Its call is over."""
    with _renewal.lock:
        _left_over.add(lease)
        _renewal.start()


def renewal_seconds() -> float:
    """Seconds between renewals: a lease is renewed several times before its leader counts as dead."""
    return min(RENEWAL_SECONDS, SILENCE_SECONDS / 4)


def silent(times: int = 1) -> Q:
    """Match rows that nobody renews, by the database's clock: those of the machines may differ."""
    return Q(seen_at__lt=UtcNow() - timedelta(seconds=times * SILENCE_SECONDS))


def annotated(rows: Any, **conditions: Q) -> Any:
    """Annotate `rows` with `conditions`, and with what `Silence.is_final()` needs to know."""
    conditions |= {"is_silent": silent(), "is_long_silent": silent(LONG_SILENCE)}
    return rows.annotate(
        **{name: ExpressionWrapper(conditions[name], output_field=BooleanField()) for name in conditions}
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
        has_waited = self._looks >= LEAST_LOOKS and time.monotonic() - self._began_at >= renewal_seconds()
        return is_long_silent or has_waited


def _job() -> tuple[list[UUID], list[UUID]] | None:
    """The leases to renew, and those whose rows are to be removed."""
    for lease in [lease for lease, is_gone in _led.items() if is_gone()]:
        del _led[lease]
        _left_over.add(lease)
    return (list(_led), list(_left_over)) if _led or _left_over else None


def _do(job: tuple[list[UUID], list[UUID]]) -> None:
    on_ledger(partial(_renew, *job))
    with _renewal.lock:
        _left_over.difference_update(job[1])


def _renew(led: list[UUID], left_over: list[UUID], alias: str) -> None:
    for under_way in (Flight.objects, IdempotencyRecord.objects.filter(answer=None)):
        rows = under_way.using(alias)
        rows.filter(lease__in=left_over).delete()
        rows.filter(lease__in=led).update(seen_at=UtcNow())


_renewal = RepeatedWork(
    "stapel-agent-leases",
    f"leases could not be renewed, so calls that take longer than {SILENCE_SECONDS:g} s may be asked again",
    seconds=renewal_seconds,
    job=_job,
    do=_do,
)
