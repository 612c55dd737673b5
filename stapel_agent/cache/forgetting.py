"""Removes stored translations: expired ones, an erased person's, and those that an operator selects."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from django.db.models import Q, TextField, Value
from django.db.models.functions import StrIndex
from django.utils import timezone

from stapel_agent.conf import agent_settings
from stapel_agent.database import exactly, in_batches, on_ledger
from stapel_agent.ledger import opaque_id
from stapel_agent.models import Translation

BATCH = 500
PIECE_LENGTH = 40
"""Minimum length of a piece of a longer text. A shorter match is more likely another text."""


@dataclass(frozen=True)
class Selection:
    """Selects stored translations: those that meet every given condition, or all without conditions.

    `text` is a whole source text, `to` the target language, `since` the earliest time at which they were stored.
    """

    text: str | None = None
    to: str | None = None
    workspace_id: str | None = None
    since: datetime | None = None


def forget_selected(selection: Selection) -> int:
    """Remove the translations in `selection`. Returns how many."""
    conditions = _conditions(selection)
    if selection.text is not None:
        conditions = Q(key__in=on_ledger(partial(_whole_and_pieces, selection.text.strip(), conditions)))
    return in_batches(partial(_remove_batch, conditions))


def _whole_and_pieces(text: str, conditions: Q, alias: str) -> list[str]:
    """The keys of a text's translation, and of its pieces if it was too long to translate at once."""
    rows = (
        Translation.objects.using(alias)
        .filter(conditions)
        .alias(position=StrIndex(Value(text, output_field=TextField()), "source_text"))
    )
    parts = rows.filter(position__gt=0).values_list("key", "source_text", "request_id")
    # Check again: a collation may treat "U" and "u" as equal.
    contained = [(key, source, request) for key, source, request in parts if source and source in text]
    requests = {request for _, source, request in contained if source == text or len(source) >= PIECE_LENGTH}
    return [key for key, source, request in contained if source == text or request in requests]


def forget_requests(requests: Collection[UUID], alias: str) -> int:
    """Remove the translations that were made for these requests."""
    return Translation.objects.using(alias).filter(request_id__in=requests).delete()[0]


def forget_owned(column: str, owner: str, alias: str) -> int:
    """Remove the translations whose `user_id` or `workspace_id` is `owner`."""
    return Translation.objects.using(alias).filter(exactly(column, owner)).delete()[0]


def hand_over(old: str, new: str, alias: str) -> int:
    """Transfer the translations of user `old` to user `new`."""
    return Translation.objects.using(alias).filter(exactly("user_id", old)).update(user_id=new)


def sweep(*, before: datetime | None = None) -> int:
    """Remove the translations that are too old to be reused, or older than `before`. Returns how many."""
    since = max(oldest(), before) if before else oldest()
    return in_batches(partial(_remove_batch, Q(created_at__lt=since)))


def stale(*, before: datetime) -> int:
    """How many translations `sweep()` would remove."""
    old = Translation.objects.filter(created_at__lt=max(oldest(), before))
    return on_ledger(lambda alias: old.using(alias).count())


def oldest() -> datetime:
    """The earliest storage time of an answer that may still be reused."""
    return timezone.now() - timedelta(seconds=agent_settings.CACHE_TTL)


def _conditions(selection: Selection) -> Q:
    conditions = Q()
    if selection.to is not None:
        conditions &= Q(to_lang__iexact=selection.to)
    if selection.workspace_id is not None:
        stored = opaque_id(selection.workspace_id) or ""
        conditions &= exactly("workspace_id", selection.workspace_id) | exactly("workspace_id", stored)
    if selection.since is not None:
        conditions &= Q(created_at__gte=selection.since)
    return conditions


def _remove_batch(conditions: Q, alias: str) -> int:
    rows = Translation.objects.using(alias).filter(conditions)
    keys = list(rows.values_list("key", flat=True)[:BATCH])
    return rows.filter(key__in=keys).delete()[0] if keys else 0
