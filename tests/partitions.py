"""The ledger as a table with monthly partitions, by the SQL of docs/scaling.md."""

from __future__ import annotations

import re

from tests.documents import block_after
from tests.hosts import Server

PAGE = "docs/scaling.md"


def prepare(server: Server) -> None:
    """Run the preparation while the table is in use, one statement after the other."""
    for statement in block_after(PAGE, "<!-- sql: before -->").split(";\n\n"):
        server.execute(statement)


def turn(server: Server) -> None:
    server.execute(block_after(PAGE, "<!-- sql: turn -->"))


def make_months(server: Server) -> None:
    server.execute(block_after(PAGE, "<!-- sql: months -->"))


def drop(server: Server, partition: str) -> None:
    statements, found = re.subn(r"agent_prompt_log_\d{4}_\d\d", partition, block_after(PAGE, "<!-- sql: drop -->"))
    assert found == 1
    server.execute(statements)


def partition(server: Server) -> None:
    prepare(server)
    turn(server)
    make_months(server)


def months(server: Server) -> list[str]:
    """The monthly partitions, oldest first."""
    found = server.execute(
        "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'agent_prompt_log'::regclass ORDER BY 1"
    )
    return [name for (name,) in found if re.search(r"_\d{4}_\d\d$", name)]
