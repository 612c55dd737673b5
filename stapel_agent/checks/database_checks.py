"""Checks of the ledger's database."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.core.checks import CheckMessage, Tags, Warning, register
from django.db import DatabaseError

from stapel_agent.conf import agent_settings
from stapel_agent.database import ledger_alias, narrow_tables
from stapel_agent.privacy import overdue
from stapel_agent.settings_validation import wrong_kinds


@register("stapel_agent", Tags.database)
def check_retention(
    app_configs: Any = None, databases: Collection[str] | None = None, **options: Any
) -> list[CheckMessage]:
    """W009: texts older than RETENTION_DAYS have been purged. Only runs with `--database` for the ledger's database."""
    alias, days = ledger_alias(), agent_settings.RETENTION_DAYS
    if alias not in (databases or ()) or days is None or any(wrong_kinds(["RETENTION_DAYS"])):
        return []
    try:
        oldest = overdue(alias)
    except DatabaseError:  # not migrated yet
        return []
    if oldest is None:
        return []
    hint = "Run `manage.py purge_prompt_logs` every day, for example by cron."
    text = f"RETENTION_DAYS is {days}, but the ledger has texts from {oldest:%Y-%m-%d} that have not been purged."
    return [Warning(text, hint, id="stapel_agent.W009")]


@register("stapel_agent", Tags.database)
def check_character_sets(
    app_configs: Any = None, databases: Collection[str] | None = None, **options: Any
) -> list[CheckMessage]:
    """W018: MySQL's tables store every character. Only runs with `--database` for the ledger's database."""
    tables = narrow_tables(ledger_alias()) if ledger_alias() in (databases or ()) else []
    if not tables:
        return []
    text = f"These tables cannot store every character, such as an emoji: {', '.join(tables)}."
    hint = f"Convert each of them: ALTER TABLE {tables[0]} CONVERT TO CHARACTER SET utf8mb4;"
    return [Warning(text, hint, id="stapel_agent.W018")]
