"""A database of the first release upgrades in place."""

import hashlib
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

FIRST_RELEASE_COLUMNS = {
    "id",
    "source",
    "model",
    "model_size",
    "prompt",
    "system_prompt",
    "response",
    "status",
    "error_message",
    "input_tokens",
    "output_tokens",
    "thinking_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "duration_ms",
    "user_id",
    "metadata",
    "created_at",
}


INITIAL_DIGEST = "bc7154329d366dc26494f3a779c21e74305d05b97b297fe9b0020453f887ab9f"
INDEXES = {
    ("id",),
    ("source", "created_at"),
    ("cache_key", "created_at"),
    ("request_id",),
    ("status",),
    ("user_id", "created_at"),
    ("workspace_id", "created_at"),
    ("scrubbed_at", "created_at"),
    ("created_at", "duration_ms"),
    (
        *("created_at", "workspace_id", "user_id", "source", "provider", "model", "status", "cost_basis"),
        *("cost_usd", "input_tokens", "output_tokens", "thinking_tokens", "cache_read_tokens", "cache_write_tokens"),
        *("estimated_cost_usd", "estimated_tokens"),
    ),
}
DROPPED = ("source", "status", "user_id", "created_at")
VALUES = {
    "source": "translate",
    "model": "claude-haiku-4-5-20251001",
    "model_size": "small",
    "prompt": "p",
    "system_prompt": None,
    "response": "r",
    "status": "success",
    "error_message": None,
    "input_tokens": 1,
    "output_tokens": None,
    "user_id": "u",
    "metadata": {"provider": "claude-code"},
}


def columns() -> set[str]:
    with connection.cursor() as cursor:
        return {column.name for column in connection.introspection.get_table_description(cursor, "agent_prompt_log")}


def indexes() -> list[tuple[str, ...]]:
    with connection.cursor() as cursor:
        constraints = connection.introspection.get_constraints(cursor, "agent_prompt_log")
    return sorted(tuple(found["columns"]) for found in constraints.values() if found["index"] or found["primary_key"])


def execute(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)


def upgrade(until: str = "") -> None:
    call_command("migrate", "agent", *filter(None, [until]), verbosity=0)


@contextmanager
def a_column(name: str) -> Iterator[None]:
    """A column in the ledger's table that is only used by this test."""
    execute(f"ALTER TABLE agent_prompt_log ADD COLUMN {name} integer NULL")
    try:
        yield
    finally:
        execute(f"ALTER TABLE agent_prompt_log DROP COLUMN {name}")


@pytest.fixture
def first_release(transactional_db):
    """The apps as of migration 0001, on a database that is migrated back to it. Afterwards it is migrated again."""
    executor = MigrationExecutor(connection)
    executor.migrate([("agent", "0001_initial")])
    yield executor.loader.project_state([("agent", "0001_initial")]).apps
    upgrade()


def test_migrations__in_step_with_the_models(db):
    """Every change of a model has a migration."""
    told = StringIO()
    call_command("makemigrations", "agent", check=True, dry_run=True, stdout=told)
    assert told.getvalue() == "No changes detected in app 'agent'\n"


def test_migrations__first_release(first_release):
    """0001 creates the columns and indexes of the first release, and nothing else."""
    likes = DROPPED[:3] if connection.vendor == "postgresql" else ()
    singles = [(column,) for column in ("id", *DROPPED, *likes)]
    assert (columns(), indexes()) == (FIRST_RELEASE_COLUMNS, sorted([*singles, ("source", "created_at")]))


def test_migrations__rows_are_kept(first_release):
    """Rows of the first release are kept, with their texts, tokens and metadata."""
    pk = uuid.uuid4()
    first_release.get_model("agent", "PromptLog").objects.create(id=pk, **VALUES)
    upgrade()
    from stapel_agent.models import PromptLog

    row = PromptLog.objects.get()
    assert {name: getattr(row, name) for name in VALUES} == VALUES
    assert (row.pk, row.request_id, row.cache_key, row.provider, row.workspace_id) == (pk, *(None,) * 4)


def test_migrations__indexes(first_release):
    """After the upgrade, each query has its index, and no index begins like another one."""
    upgrade()
    found = indexes()
    assert (set(found), len(found)) == (INDEXES, len(INDEXES))


def test_migrations__indexes_of_the_host(first_release):
    """An index that the host added to a column of the first release stays."""
    execute("CREATE INDEX agent_prompt_log_status_mine ON agent_prompt_log (status)")
    try:
        upgrade()
        assert indexes().count(("status",)) == 2
    finally:
        table = " ON agent_prompt_log" if connection.vendor == "mysql" else ""
        execute(f"DROP INDEX agent_prompt_log_status_mine{table}")


@pytest.mark.parametrize("rounds", (1, 2))
def test_migrations__unknown_column(first_release, rounds):
    """A table with a column of another stapel-agent is always refused, before anything changes."""
    before = connection.introspection.table_names(), indexes()
    with a_column("workspace"), a_column("total_cost"):
        for _ in range(rounds):
            with pytest.raises(CommandError) as refused:
                upgrade()
        assert columns() == {*FIRST_RELEASE_COLUMNS, "workspace", "total_cost"}
    assert str(refused.value) == (
        "The table agent_prompt_log has columns that neither stapel-agent 0.1.0 nor this package added: "
        "total_cost, workspace. This package upgrades 0.1.0 only, and has changed nothing. "
        "Remove or rename these columns, or point the app at another database."
    )
    assert (connection.introspection.table_names(), indexes()) == before


def test_migrations__interrupted(first_release):
    """Columns, tables and indexes of an interrupted run are kept, and the next run continues."""
    from stapel_agent.models import BudgetAccount, PromptLog

    with connection.schema_editor() as editor:
        editor.create_model(BudgetAccount)
        editor.add_field(PromptLog, PromptLog._meta.get_field("request_id"))
    upgrade("0002")
    assert "scrubbed_at" in columns()
    execute("CREATE INDEX agent_cache_key_idx ON agent_prompt_log (cache_key, created_at)")
    upgrade()
    found = indexes()
    assert (set(found), len(found)) == (INDEXES, len(INDEXES))


def test_migrations__first_migration_is_the_published_one():
    """0001 is the file of the first release, byte for byte."""
    published = Path(__file__).parent.parent / "stapel_agent/migrations/0001_initial.py"
    assert hashlib.sha256(published.read_bytes()).hexdigest() == INITIAL_DIGEST


def test_migrations__database_that_a_router_keeps_the_app_out_of():
    """On another database, each migration is recorded and creates nothing."""
    program = """
import django
from django.conf import settings
class Elsewhere:
    def allow_migrate(self, db, app_label, **hints):
        return not (db == "other" and app_label == "agent")
memory = {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}
settings.configure(
    SECRET_KEY="x" * 40,
    DATABASES={"default": memory, "other": memory},
    DATABASE_ROUTERS=[Elsewhere()],
    INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "stapel_agent"],
)
django.setup()
from django.core.management import call_command
from django.db import connections
call_command("migrate", "agent", database="other", verbosity=0, skip_checks=True)
print(connections["other"].introspection.table_names())
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120)
    assert (done.stdout.strip(), done.returncode) == ("['django_migrations']", 0), done.stderr
