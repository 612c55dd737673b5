"""The records of idempotency keys: when they expire, and what removes or moves them."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial

from django.db.models import Q, QuerySet

from stapel_agent.conf import agent_settings
from stapel_agent.database import UtcNow, exactly, in_batches, on_ledger
from stapel_agent.models import IdempotencyRecord

from . import leases

SWEPT_BATCH = 500


def sweep(*, before: datetime | None = None) -> int:
    """Remove answers that have expired or were made `before` a time, and records of processes that no longer run.

    Returns how many records were removed.
    """
    return in_batches(partial(remove_batch, before=before))


def stale(*, before: datetime) -> int:
    """How many records `sweep()` would remove."""
    return on_ledger(lambda alias: _expired(alias, before).count())


def forget(column: str, identity: str, alias: str) -> int:
    """Remove the records of a `user_id` or `workspace_id`. A call under way continues, and its answer is not kept."""
    return IdempotencyRecord.objects.using(alias).filter(exactly(column, identity)).delete()[0]


def hand_over(old: str, new: str, alias: str) -> int:
    """Transfer the records of user `old` to user `new`."""
    return IdempotencyRecord.objects.using(alias).filter(exactly("user_id", old)).update(user_id=new)


def _expired(alias: str, before: datetime | None) -> QuerySet[IdempotencyRecord]:
    is_old = _has_expired() if before is None else _has_expired() | Q(created_at__lt=before)
    long_silent = leases.silent(leases.LONG_SILENCE)
    return IdempotencyRecord.objects.using(alias).filter(is_old).filter(Q(answer__isnull=False) | long_silent)


def remove_batch(alias: str, *, before: datetime | None = None) -> int:
    expired = _expired(alias, before)
    digests = list(expired.values_list("pk", flat=True)[:SWEPT_BATCH])
    return expired.filter(pk__in=digests).delete()[0] if digests else 0


def may_be_over() -> Q:
    """Match records with an expired answer, or without an answer or a sign of life."""
    return Q(answer__isnull=False) & _has_expired() | Q(answer__isnull=True) & leases.silent()


def _has_expired() -> Q:
    return Q(created_at__lt=UtcNow() - timedelta(seconds=agent_settings.IDEMPOTENCY_TTL))
