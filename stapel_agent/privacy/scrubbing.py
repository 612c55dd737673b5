"""Removes texts or names from the ledger's rows, or the rows themselves.

Each function processes one batch in one short transaction that locks only the batch's rows, and can be repeated.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from django.db import connections, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from stapel_agent import cache
from stapel_agent.database import exactly
from stapel_agent.ledger import economic_facts
from stapel_agent.models import PromptLog, PromptStatus

BATCH = 500

TEXTS = {"prompt": "", "system_prompt": None, "response": None, "error_message": None, "cache_key": None}
IS_OVER = ~Q(status=PromptStatus.PENDING)


class Batch(NamedTuple):
    """How many rows were changed, and the time up to which all rows are done; None if nothing is left."""

    rows: int
    reached: datetime | None


def old_rows(alias: str, *, before: datetime, with_texts: bool, since: datetime | None = None) -> QuerySet[PromptLog]:
    """Rows of finished calls that began `before` a moment, oldest first; those `with_texts`, or all."""
    rows = PromptLog.objects.using(alias).filter(IS_OVER, created_at__lt=before)
    if since is not None:
        rows = rows.filter(created_at__gte=since)
    if not with_texts:
        return rows.order_by("created_at")
    # PostgreSQL needs the whole order of `agent_scrubbed_idx` to use it; MariaDB would sort by it.
    leading = () if connections[alias].vendor == "mysql" else ("scrubbed_at",)
    return rows.filter(scrubbed_at=None).order_by(*leading, "created_at")


def scrub_batch(alias: str, *, before: datetime, since: datetime | None, size: int) -> Batch:
    """Remove the texts of the next rows from `before` a moment; figures, names and economic facts stay."""
    keys, reached = _next(old_rows(alias, before=before, since=since, with_texts=True), size)
    return Batch(_scrub(keys, IS_OVER & Q(scrubbed_at=None), alias) if keys else 0, reached)


def delete_batch(alias: str, *, before: datetime, since: datetime | None, size: int) -> Batch:
    """Remove the next rows from `before` a moment."""
    keys, reached = _next(old_rows(alias, before=before, since=since, with_texts=False), size)
    return Batch(PromptLog.objects.using(alias).filter(IS_OVER, pk__in=keys).delete()[0] if keys else 0, reached)


def erase_batch(column: str, old: str, new: str, alias: str) -> tuple[int, int]:
    """Replace `old` with `new` in `column` of some rows, remove their texts and the translations made for them.

    Returns how many of each. This includes calls under way, whose answers will not be stored.
    """
    keys, requests = _named(column, old, alias)
    # In this order: after an interruption the rows still lead to the requests.
    translations = cache.forget_requests(requests, alias) if requests else 0
    return _scrub(keys, exactly(column, old), alias, **{column: new}) if keys else 0, translations


def hand_over_batch(old: str, new: str, alias: str) -> int:
    """Transfer some rows of user `old`, which keep their texts, to user `new`. Returns how many."""
    keys, _ = _named("user_id", old, alias)
    return PromptLog.objects.using(alias).filter(exactly("user_id", old), pk__in=keys).update(user_id=new)


def _next(rows: QuerySet[PromptLog], size: int) -> tuple[list[UUID], datetime | None]:
    found = list(rows.values_list("pk", "created_at")[:size])
    return [key for key, _ in found], found[-1][1] if found else None


def _named(column: str, name: str, alias: str) -> tuple[list[UUID], set[UUID]]:
    found = PromptLog.objects.using(alias).filter(exactly(column, name)).values_list("pk", "request_id")[:BATCH]
    return [key for key, _ in found], {request for _, request in found if request is not None}


def _scrub(keys: Collection[UUID], condition: Q, alias: str, **columns: str) -> int:
    rows = PromptLog.objects.using(alias).filter(pk__in=keys)
    changes = {**TEXTS, "scrubbed_at": timezone.now(), **columns}
    known = _wordy(rows.filter(IS_OVER))
    with transaction.atomic(alias):
        # Writes come first: they lock the rows, and take SQLite's write lock.
        scrubbed = 0
        for facts, some in known:
            scrubbed += rows.filter(condition & IS_OVER, pk__in=some).update(**changes, metadata=facts)
        scrubbed += rows.filter(condition).update(**changes)
        for facts, some in _wordy(rows.filter(scrubbed_at__isnull=False)):  # calls that were under way
            rows.filter(pk__in=some).update(metadata=facts)
    return scrubbed


def _wordy(rows: QuerySet[PromptLog]) -> list[tuple[dict[str, object], Sequence[UUID]]]:
    """Return the facts to keep of metadata that holds more, each with its rows."""
    by_facts: dict[str, tuple[dict[str, object], list[UUID]]] = {}
    for key, metadata in rows.filter(metadata__isnull=False).values_list("pk", "metadata"):
        facts = economic_facts(metadata)
        if facts != metadata:
            by_facts.setdefault(json.dumps(facts, sort_keys=True), (facts, []))[1].append(key)
    return list(by_facts.values())
