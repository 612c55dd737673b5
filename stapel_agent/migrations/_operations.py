"""Migration operations that are safe on a big table under write load."""

from __future__ import annotations

from typing import Any

from django.db.migrations.operations import AddIndex


class AddIndexOnline(AddIndex):
    """AddIndex that builds CONCURRENTLY on PostgreSQL; elsewhere the database's own online build serves.

    A table that a host has partitioned gets it in each partition, for PostgreSQL builds none CONCURRENTLY on the whole.

    The operation of django.contrib.postgres does the same, but imports only where psycopg is installed.
    A migration with this operation has `atomic = False`.
    """

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        model = to_state.apps.get_model(app_label, self.model_name)
        if self.allow_migrate_model(schema_editor.connection.alias, model):
            if _is_partitioned(model, schema_editor):
                _add_to_partitions(model, self.index, schema_editor)
            else:
                schema_editor.add_index(model, self.index, **_online(model, schema_editor))

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        model = from_state.apps.get_model(app_label, self.model_name)
        if self.allow_migrate_model(schema_editor.connection.alias, model):
            index = from_state.models[app_label, self.model_name_lower].get_index_by_name(self.index.name)
            schema_editor.remove_index(model, index, **_online(model, schema_editor))


def _online(model: Any, schema_editor: Any) -> dict[str, bool]:
    is_possible = schema_editor.connection.vendor == "postgresql" and not _is_partitioned(model, schema_editor)
    return {"concurrently": True} if is_possible else {}


def _is_partitioned(model: Any, schema_editor: Any) -> bool:
    if schema_editor.connection.vendor != "postgresql":
        return False
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SELECT relkind = 'p' FROM pg_class WHERE oid = to_regclass(%s)", [model._meta.db_table])
        return bool(cursor.fetchone() == (True,))


def _add_to_partitions(model: Any, index: Any, schema_editor: Any) -> None:
    """An index of the whole that becomes valid when each partition has its own."""
    schema_editor.execute(str(index.create_sql(model, schema_editor)).replace(" ON ", " ON ONLY ", 1))
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SELECT pg_get_indexdef(%s::regclass)", [index.name])
        columns = cursor.fetchone()[0].partition(" USING ")[2]
        cursor.execute(
            "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = %s::regclass", [model._meta.db_table]
        )
        partitions = [partition for (partition,) in cursor.fetchall()]
    for number, partition in enumerate(partitions):
        part = schema_editor.quote_name(f"{index.name}_{number}")
        schema_editor.execute(f"CREATE INDEX CONCURRENTLY {part} ON {partition} USING {columns}")
        schema_editor.execute(f"ALTER INDEX {schema_editor.quote_name(index.name)} ATTACH PARTITION {part}")
