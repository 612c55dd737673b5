"""A database of the first release upgrades in place."""

import uuid
from io import StringIO

import pytest
from django.core.management import call_command
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


def indexes() -> dict[str, list[str]]:
    with connection.cursor() as cursor:
        constraints = connection.introspection.get_constraints(cursor, "agent_prompt_log")
    return {name: found["columns"] for name, found in constraints.items() if found["index"] or found["unique"]}


@pytest.fixture
def first_release(transactional_db):
    """The apps as of 0001, on a database brought back to it; afterwards it is whole again."""
    executor = MigrationExecutor(connection)
    executor.migrate([("agent", "0001_initial")])
    yield executor.loader.project_state([("agent", "0001_initial")]).apps
    call_command("migrate", "agent", verbosity=0)


def test_migrations__in_step_with_the_models(db):
    """No change of a model is without its migration."""
    told = StringIO()
    call_command("makemigrations", "agent", check=True, dry_run=True, stdout=told)
    assert told.getvalue() == "No changes detected in app 'agent'\n"


def test_migrations__first_release(first_release):
    """0001 makes the columns and indexes of the first release, and nothing else."""
    with connection.cursor() as cursor:
        described = connection.introspection.get_table_description(cursor, "agent_prompt_log")
    assert {column.name for column in described} == FIRST_RELEASE_COLUMNS
    found = indexes()
    assert found["agent_source_created_idx"] == ["source", "created_at"]
    for column in ("source", "status", "user_id", "created_at"):
        assert [column] in found.values()


def test_migrations__rows_are_kept(first_release):
    """Rows written by the first release are there after the upgrade, with their texts, tokens and metadata."""
    old_model = first_release.get_model("agent", "PromptLog")
    values = {
        "id": uuid.uuid4(),
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
    old_model.objects.create(**values)
    call_command("migrate", "agent", verbosity=0)
    from stapel_agent.models import PromptLog

    row = PromptLog.objects.get()
    assert {name: getattr(row, name) for name in values} == values
    assert (row.request_id, row.cache_key, row.provider, row.workspace_id) == (None,) * 4
    found = indexes()
    assert {"agent_cache_key_idx", "agent_request_idx"} <= found.keys()
    assert found["agent_user_created_idx"] == ["user_id", "created_at"]
    assert found["agent_workspace_created_idx"] == ["workspace_id", "created_at"]
