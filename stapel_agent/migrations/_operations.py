"""Migration operations that are safe on a big table under write load, and that continue where a failed run stopped."""

from __future__ import annotations

import re
from typing import Any

from django.apps import apps
from django.core.management.base import CommandError
from django.db.migrations.operations import AddField, AddIndex, AlterField, CreateModel
from django.db.migrations.operations.base import Operation
from django.db.models import Index


class RequireFirstRelease(Operation):
    """Refuses to migrate a table that has columns that neither stapel-agent 0.1.0 nor this package added."""

    reduces_to_sql = False
    reversible = True

    def __init__(self, model_name: str) -> None:
        self.model_name = model_name

    def state_forwards(self, app_label: str, state: Any) -> None:
        pass

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        first_release = from_state.apps.get_model(app_label, self.model_name)
        if schema_editor.collect_sql or not self.allow_migrate_model(schema_editor.connection.alias, first_release):
            return
        models = (first_release, apps.get_model(app_label, self.model_name))
        expected = {field.column for model in models for field in model._meta.local_fields}
        table = first_release._meta.db_table
        if foreign := sorted(_columns(table, schema_editor) - expected):
            raise CommandError(
                f"The table {table} has columns that neither stapel-agent 0.1.0 nor this package added: "
                f"{', '.join(foreign)}. This package upgrades 0.1.0 only, and has changed nothing. "
                "Remove or rename these columns, or point the app at another database."
            )

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        pass

    def describe(self) -> str:
        return f"Reject a table of {self.model_name} that is not of stapel-agent 0.1.0"


class CreateModelOnce(CreateModel):
    """CreateModel that skips a table left by an interrupted run: MySQL and MariaDB do not roll it back."""

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        table = to_state.apps.get_model(app_label, self.name)._meta.db_table
        if schema_editor.collect_sql or table not in schema_editor.connection.introspection.table_names():
            super().database_forwards(app_label, schema_editor, from_state, to_state)


class AddFieldOnce(AddField):
    """AddField that skips a column left by an interrupted run: MySQL and MariaDB do not roll it back."""

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        model = to_state.apps.get_model(app_label, self.model_name)
        if not self.allow_migrate_model(schema_editor.connection.alias, model):
            return
        column = model._meta.get_field(self.name).column
        if schema_editor.collect_sql or column not in _columns(model._meta.db_table, schema_editor):
            super().database_forwards(app_label, schema_editor, from_state, to_state)


class AddIndexOnline(AddIndex):
    """AddIndex that builds CONCURRENTLY on PostgreSQL, unless in a transaction; other databases build online anyway.

    A partitioned table gets the index in each partition, because PostgreSQL cannot build one CONCURRENTLY on the
    whole. An index left by an interrupted run is kept, or rebuilt if it is invalid.

    The operation of django.contrib.postgres does the same, but imports only where psycopg is installed.
    A migration with this operation has `atomic = False`.
    """

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        model = to_state.apps.get_model(app_label, self.model_name)
        if not self.allow_migrate_model(schema_editor.connection.alias, model):
            return
        if not schema_editor.collect_sql and self.index.name in _indexes(model, schema_editor):
            if _is_valid(self.index.name, schema_editor):
                return
            schema_editor.remove_index(model, self.index, **_online(model, schema_editor))
        if _is_partitioned(model, schema_editor):
            _add_to_partitions(model, self.index, schema_editor)
        else:
            schema_editor.add_index(model, self.index, **_online(model, schema_editor))

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        model = from_state.apps.get_model(app_label, self.model_name)
        if self.allow_migrate_model(schema_editor.connection.alias, model):
            index = from_state.models[app_label, self.model_name_lower].get_index_by_name(self.index.name)
            schema_editor.remove_index(model, index, **_online(model, schema_editor))


class DropFieldIndexesOnline(AlterField):
    """AlterField whose only effect on the database is to drop the indexes that `db_index=True` made.

    AlterField by itself locks writers out on PostgreSQL, and copies the whole table on SQLite.
    A migration with this operation has `atomic = False`.
    """

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        model = from_state.apps.get_model(app_label, self.model_name)
        if not self.allow_migrate_model(schema_editor.connection.alias, model):
            return
        column = model._meta.get_field(self.name).column
        by_django = re.compile(rf"{re.escape(f'{model._meta.db_table}_{column}')}_[0-9a-f]{{8}}(_like)?", re.IGNORECASE)
        for name in filter(by_django.fullmatch, _indexes(model, schema_editor)):
            schema_editor.remove_index(model, Index(fields=[self.name], name=name), **_online(model, schema_editor))

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        super().database_forwards(app_label, schema_editor, from_state, to_state)


def _columns(table: str, schema_editor: Any) -> set[str]:
    with schema_editor.connection.cursor() as cursor:
        described = schema_editor.connection.introspection.get_table_description(cursor, table)
    return {column.name for column in described}


def _indexes(model: Any, schema_editor: Any) -> list[str]:
    with schema_editor.connection.cursor() as cursor:
        found = schema_editor.connection.introspection.get_constraints(cursor, model._meta.db_table)
    return [name for name, constraint in found.items() if constraint["index"]]


def _is_valid(index_name: str, schema_editor: Any) -> bool:
    """False for an index that CREATE INDEX CONCURRENTLY left unfinished."""
    if schema_editor.connection.vendor != "postgresql":
        return True
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(%s)", [index_name])
        return bool(cursor.fetchone() == (True,))


def _online(model: Any, schema_editor: Any) -> dict[str, bool]:
    is_possible = schema_editor.connection.vendor == "postgresql" and not _is_partitioned(model, schema_editor)
    return {"concurrently": True} if is_possible and _concurrently(schema_editor) else {}


def _concurrently(schema_editor: Any) -> str:
    """The keyword. Empty in a transaction, as with AUTOCOMMIT off: PostgreSQL allows it only outside."""
    return "CONCURRENTLY" if schema_editor.connection.get_autocommit() else ""


def _is_partitioned(model: Any, schema_editor: Any) -> bool:
    if schema_editor.connection.vendor != "postgresql":
        return False
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SELECT relkind = 'p' FROM pg_class WHERE oid = to_regclass(%s)", [model._meta.db_table])
        return bool(cursor.fetchone() == (True,))


def _add_to_partitions(model: Any, index: Any, schema_editor: Any) -> None:
    """Build an index of the whole that becomes valid once each partition has its own."""
    concurrently = _concurrently(schema_editor)
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
        schema_editor.execute(f"DROP INDEX {concurrently} IF EXISTS {part}")
        schema_editor.execute(f"CREATE INDEX {concurrently} {part} ON {partition} USING {columns}")
        schema_editor.execute(f"ALTER INDEX {schema_editor.quote_name(index.name)} ATTACH PARTITION {part}")
