"""A database of the first release upgrades while its processes write to it, on each server."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import pytest

from tests.engine_fixtures import SERVERS, TASK_HOST, until
from tests.hosts import Host, Server, own_database, said

WRITER = """
from pathlib import Path
from django.db.migrations.loader import MigrationLoader
state = MigrationLoader(None).project_state([("agent", "0001_initial")])
FirstRelease = state.apps.get_model("agent", "PromptLog")
values = dict(source="translate", model="m", model_size="small", prompt="p", response="r", status="success")
written = 0
while not Path("{folder}/over").exists():
    FirstRelease.objects.create(**values, user_id="u", metadata={{"provider": "claude-code"}})
    FirstRelease.objects.filter(source="translate").order_by("-created_at").first()
    written += 1
    Path("{folder}/begun").touch()
say(written)
"""
KEPT = """
row = PromptLog.objects.order_by("created_at").first()
say([PromptLog.objects.count(), row.response, row.user_id, row.metadata, row.cost_usd])
"""
INVALID = "SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid"
INDEXES = """
from django.core.management import call_command
def migrated(*to):
    call_command("migrate", "agent", *to, verbosity=0)
    return sorted(connection.introspection.get_constraints(connection.cursor(), "agent_prompt_log"))
connection.set_autocommit({autocommit})
say([migrated(), migrated("0002"), migrated()])
"""


@pytest.fixture(params=["sqlite", *SERVERS])
def first_release(request: pytest.FixtureRequest, file_server: Server) -> Iterator[Host]:
    """A host on a separate database that the first release has created."""
    database = nullcontext(file_server) if request.param == "sqlite" else own_database(request.param)
    with database as server:
        host = Host(server, environment=TASK_HOST if server is file_server else {})
        host.manage("migrate", "agent", "0001", "-v0")
        yield host
        host.stop()


def test_upgrade__while_somebody_writes(first_release: Host, tmp_path: Path) -> None:
    """No insert and no read of the first release fails, and each row is kept."""
    writers = [first_release.start(WRITER.format(folder=tmp_path)) for _ in range(2)]
    until((tmp_path / "begun").exists)
    first_release.manage("migrate", "agent", "-v0")
    (tmp_path / "over").touch()
    written = sum(said(writer) for writer in writers)
    assert first_release.run(KEPT) == [written, "r", "u", {"provider": "claude-code"}, None]


@pytest.mark.postgresql
def test_upgrade__index_left_invalid() -> None:
    """An index that an interrupted build left invalid is built again."""
    with own_database("postgresql") as server:
        host = Host(server)
        host.manage("migrate", "agent", "0002", "-v0")
        server.execute("CREATE INDEX agent_status_idx ON agent_prompt_log (status)")
        server.execute("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'agent_status_idx'::regclass")
        host.manage("migrate", "agent", "-v0")
        assert server.execute(INVALID) == []
        host.stop()


@pytest.mark.postgresql
def test_upgrade__in_a_transaction() -> None:
    """Without AUTOCOMMIT, where PostgreSQL can build no index concurrently, the same indexes are built and dropped."""
    found = []
    for autocommit in (False, True):
        with own_database("postgresql") as server:
            host = Host(server)
            found.append(host.run(INDEXES.format(autocommit=autocommit)))
            host.stop()
    assert "agent_usage_idx" in found[0][0]
    assert found[0] == found[1]
