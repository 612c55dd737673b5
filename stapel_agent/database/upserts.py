"""Inserts rows that other processes may insert at the same moment."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import connections
from django.db.models import Model

BATCH = 500


def upsert(rows: Sequence[Model], changes: Sequence[str], alias: str) -> None:
    """Insert `rows`, and set the columns `changes` of those that exist.

    Processes insert in the order of the primary keys, because they would deadlock otherwise. On MariaDB they would also
    deadlock with `ignore_conflicts`, which takes a shared lock.
    """
    if not rows:
        return
    model = type(rows[0])
    has_target = connections[alias].features.supports_update_conflicts_with_target
    model._default_manager.using(alias).bulk_create(
        sorted(rows, key=lambda row: row.pk),
        update_conflicts=True,
        unique_fields=[model._meta.pk.name] if has_target else None,
        update_fields=changes,
        batch_size=BATCH,
    )
