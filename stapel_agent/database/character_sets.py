"""Character sets of MySQL and MariaDB that cannot store every character, such as utf8mb3 and latin1."""

from __future__ import annotations

from django.db import connections

from stapel_agent.models import PromptLog

NARROW_TABLES = """
    SELECT DISTINCT table_name FROM information_schema.columns
    WHERE table_schema = DATABASE() AND character_set_name <> 'utf8mb4' AND table_name IN %s
    ORDER BY table_name
"""


def narrow_tables(alias: str) -> list[str]:
    """Return the names of this app's tables that cannot store every character."""
    connection = connections[alias]
    if connection.vendor != "mysql":
        return []
    own = tuple(model._meta.db_table for model in PromptLog._meta.app_config.get_models())
    with connection.cursor() as cursor:
        cursor.execute(NARROW_TABLES, [own])
        return [name for (name,) in cursor.fetchall()]
