"""Reads and writes the answers of the default cache: those in the ledger, and stored translations."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from django.db import connections

from stapel_agent.database import upsert
from stapel_agent.models import PromptStatus, Translation

BATCH = 500
CHANGES = [field.name for field in Translation._meta.fields if not field.primary_key]

# In SQL, because the ORM takes longer to build this query than the database to run it.
LATEST_ANSWER = """
    SELECT response, cost_usd, input_tokens, output_tokens, cache_read_tokens, cache_write_tokens FROM agent_prompt_log
    WHERE cache_key = %s AND status = %s AND created_at >= %s AND response IS NOT NULL
    ORDER BY created_at DESC LIMIT 1
"""


class KeptAnswer(NamedTuple):
    """An answer that may be reused, and the tokens and cost of its call."""

    text: str
    tokens: int
    cost_usd: Decimal | None


def latest_answer(cache_key: str, since: datetime, alias: str) -> KeptAnswer | None:
    """The newest successful answer to a question, or None. Uses the index `agent_cache_key_idx`."""
    connection = connections[alias]
    moment = connection.ops.adapt_datetimefield_value(since)
    with connection.cursor() as cursor:
        cursor.execute(LATEST_ANSWER, [cache_key, PromptStatus.SUCCESS, moment])
        row = cursor.fetchone()
    if row is None:
        return None
    text, cost, *tokens = row
    # SQLite stores decimals as floats, which hold 15 digits.
    exact = Decimal(f"{cost:.15g}") if isinstance(cost, float | int) else cost
    return KeptAnswer(text, sum(count or 0 for count in tokens), exact)


def known_translations(keys: Sequence[str], since: datetime, alias: str) -> dict[str, str]:
    """Key -> stored translation, if it is no older than `since`."""
    found: dict[str, str] = {}
    for start in range(0, len(keys), BATCH):
        kept = Translation.objects.using(alias).filter(key__in=keys[start : start + BATCH], created_at__gte=since)
        found.update(kept.values_list("key", "text"))
    return found


def remember_translations(translations: Sequence[Translation], alias: str) -> None:
    """Store translations, and replace older ones with the same keys."""
    upsert(translations, CHANGES, alias)
