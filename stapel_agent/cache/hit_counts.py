"""Counts cache hits, which have no row in the ledger: in memory, written in batches in the background.

A killed process loses the hits of its last FLUSH_SECONDS. A process that exits normally writes them first.
"""

from __future__ import annotations

import atexit
import hashlib
import json
import os
import threading
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from typing import NamedTuple

from django.db import transaction
from django.db.models import BigIntegerField, F, QuerySet, Value
from django.db.models.functions import Least, Round
from django.utils import timezone

from stapel_agent.column_ranges import MAX_USD
from stapel_agent.database import (
    RepeatedWork,
    as_stored,
    aware,
    exactly,
    in_background,
    is_test_run,
    on_ledger,
    prepare_background,
    upsert,
)
from stapel_agent.ledger import opaque_id
from stapel_agent.models import HitCount
from stapel_agent.parsing import storable
from stapel_agent.types import NOT_KNOWN, CompletionRequest, Saving

FLUSH_SECONDS = 5.0
EXIT_SECONDS = 2.0
FULL = 500
"""Number of different keys at which the counts are written at once."""
OVERFULL = 20 * FULL
"""Number of different keys at which new ones are dropped: the database has been unavailable for long."""


class Key(NamedTuple):
    """Identifies a count of hits by its columns. `hour` is the number of hours since the epoch."""

    hour: int
    source: str
    provider: str
    model: str
    user_id: str | None
    workspace_id: str | None


class Count(NamedTuple):
    hits: int = 0
    tokens: int = 0
    cost_usd: Decimal = Decimal(0)


_counts: dict[Key, Count] = {}
_flushing = threading.Lock()


def note(request: CompletionRequest, hits: int, saving: Saving = NOT_KNOWN) -> None:
    """Count `hits` of one request, with their total `saving`. Does not use the database."""
    if not hits:
        return
    hour = int(timezone.now().timestamp()) // 3600
    names = storable(request.source)[:32], storable(request.provider)[:64], storable(request.model)[:128]
    key = Key(hour, *names, opaque_id(request.user_id), opaque_id(request.workspace_id))
    with _writing.lock:
        _add(key, Count(hits, saving.tokens, saving.cost_usd))
        # A test's database may be rolled back or dropped first, so in tests the readers of counts flush them.
        if not is_test_run() and _writing.start():
            prepare_background()
    if len(_counts) >= FULL:
        _writing.hurry()


def flush() -> None:
    """Write this process's counts. If the database raises an error, the counts are kept and the error is raised."""
    with _flushing:
        counts = _take()
        if not counts:
            return
        try:
            on_ledger(partial(_write, counts))
        except BaseException:
            _put_back(counts)
            raise


def hand_over(column: str, old: str, new: str, alias: str) -> int:
    """Move some counts from one `user_id` or `workspace_id` to another. Returns how many were moved.

    Counts that other processes have not written yet arrive later, under the old name.
    """
    kept = HitCount.objects.using(alias)
    with transaction.atomic(alias):
        kept.filter(digest="").update(hits=0)  # write first, or SQLite may refuse later writes in this transaction
        rows = list(kept.select_for_update().filter(exactly(column, old)).order_by("digest")[:FULL])
        kept.filter(digest__in=[row.digest for row in rows]).delete()
        counts: dict[Key, Count] = {}
        for row in rows:
            key = _key(row)._replace(**{column: new})  # type: ignore[arg-type]  # a column that holds names
            counts[key] = _sum(counts.get(key, Count()), Count(row.hits, row.saved_tokens, row.saved_cost_usd))
        _write(counts, alias)
    return len(rows)


def start_anew() -> None:
    """Drop all counts: in a forked child, they belong to the parent."""
    global _flushing
    _flushing = threading.Lock()
    _counts.clear()


def _add(key: Key, count: Count) -> None:
    if key in _counts or len(_counts) < OVERFULL:
        _counts[key] = _sum(_counts.get(key, Count()), count)


def _sum(one: Count, other: Count) -> Count:
    return Count(one.hits + other.hits, one.tokens + other.tokens, min(one.cost_usd + other.cost_usd, MAX_USD))


def _take() -> dict[Key, Count]:
    with _writing.lock:
        counts = dict(_counts)
        _counts.clear()
    return counts


def _put_back(counts: Mapping[Key, Count]) -> None:
    with _writing.lock:
        for key, count in counts.items():
            _add(key, count)


def _write(counts: Mapping[Key, Count], alias: str) -> None:
    rows = [(_row(key), count) for key, count in counts.items()]
    kept = HitCount.objects.using(alias)
    with transaction.atomic(alias):
        upsert([row for row, _ in rows], ["source"], alias)  # which also locks the rows
        for row, count in rows:
            _add_to(kept.filter(pk=row.pk), count)


def _add_to(row: QuerySet[HitCount], count: Count) -> None:
    row.update(
        # With their field, or psycopg cuts them to 32 bits in a host with `server_side_binding`.
        hits=F("hits") + Value(count.hits, BigIntegerField()),
        saved_tokens=F("saved_tokens") + Value(count.tokens, BigIntegerField()),
        # SQLite adds floats. A value too large for its column would fail forever and block other counts.
        saved_cost_usd=Least(Round(F("saved_cost_usd") + count.cost_usd, precision=10), MAX_USD),
    )


def _key(row: HitCount) -> Key:
    hour = int(aware(row.hour).timestamp()) // 3600
    return Key(hour, row.source, row.provider, row.model, row.user_id, row.workspace_id)


def _row(key: Key) -> HitCount:
    moment = datetime.fromtimestamp(key.hour * 3600, UTC)
    digest = hashlib.sha256(json.dumps(key).encode("ascii")).hexdigest()
    names = {name: getattr(key, name) for name in Key._fields[1:]}
    return HitCount(digest=digest, hour=as_stored(moment), **names)


_writing = RepeatedWork(
    "stapel-agent-hits",
    "cache hits could not be written",
    seconds=lambda: FLUSH_SECONDS,
    job=lambda: len(_counts),
    do=lambda _: flush(),
)


@atexit.register
def _flush_at_exit() -> None:
    """Flush within EXIT_SECONDS: the database may be unavailable."""
    if _counts and not is_test_run():
        with suppress(Exception):
            in_background(partial(_write, _take())).result(EXIT_SECONDS)


os.register_at_fork(after_in_child=start_anew)
