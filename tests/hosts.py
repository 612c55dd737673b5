"""Separate databases on real servers, and host processes that use them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any, cast

from tests.preloaded import Preloaded, Process, is_of_a_host

PRELUDE = """
import asyncio, json, os, signal, sys, threading, time
import django
django.setup()
from django.db import connection, connections, transaction
from stapel_agent import services
from stapel_agent.models import Flight, IdempotencyRecord, PromptLog
def say(value):
    sys.stdout.write(json.dumps(value) + "\\n")  # at once: other threads may say something, too
    sys.stdout.flush()
"""


@dataclass
class Server:
    """A real database server. `execute` runs one statement there, outside of any transaction."""

    kind: str
    database: str

    def execute(self, statement: str, database: str | None = None) -> list[tuple[Any, ...]]:
        with self.connected(database) as connection, connection.cursor() as cursor:
            cursor.execute(statement)
            return list(cursor.fetchall()) if cursor.description else []

    @contextmanager
    def connected(self, database: str | None = None) -> Iterator[Any]:
        """A connection to this database or another one, outside of any transaction."""
        database = database or self.database
        host, port = (
            os.environ.get(f"{self.kind.upper()}_HOST", "127.0.0.1"),
            os.environ.get(f"{self.kind.upper()}_PORT"),
        )
        user, password = (os.environ.get(f"{self.kind.upper()}_{name}") for name in ("USER", "PASSWORD"))
        if self.kind == "postgresql":
            import psycopg

            connection: Any = psycopg.connect(
                host=host,
                port=port or 5432,
                user=user or "postgres",
                password=password,
                dbname=database,
                autocommit=True,
            )
        else:
            import pymysql

            connection = pymysql.connect(
                host=host, port=int(port or 3306), user=user or "root", password=password or "", database=database,
                autocommit=True, ssl_disabled=True,
            )  # fmt: skip
        try:
            yield connection
        finally:
            connection.close()

    def clear(self) -> None:
        passing = ("agent_flight", "agent_idempotency", "agent_translation", "agent_hit_count")
        for table in ("agent_prompt_log", *passing, "agent_budget", "agent_reservation"):
            self.execute(f"DELETE FROM {table}")

    def rows(self) -> list[dict[str, Any]]:
        """The ledger, oldest first."""
        names = ("status", "prompt", "response", "error_message", "metadata", "input_tokens", "request_id")
        found = self.execute(f"SELECT {', '.join(names)} FROM agent_prompt_log ORDER BY created_at")
        rows = [dict(zip(names, values, strict=True)) for values in found]
        for row in rows:
            if isinstance(row["metadata"], str):
                row["metadata"] = json.loads(row["metadata"])
        return rows

    def flights(self) -> int:
        (count,) = self.execute("SELECT count(*) FROM agent_flight")[0]
        return int(count)

    def connections(self) -> int:
        """The number of other connections to this database."""
        return len(self.sessions())

    def drop_connections(self) -> int:
        """End other connections, as an administrator or a fail-over does. Returns their number."""
        end = {"postgresql": "SELECT pg_terminate_backend({})", "mariadb": "KILL {}"}[self.kind]
        others = self.sessions()
        for identity in others:
            self.execute(end.format(identity))
        return len(others)

    def sessions(self) -> list[int]:
        """The ids of other connections to this database."""
        statement = {
            "postgresql": f"SELECT pid FROM pg_stat_activity WHERE datname = '{self.database}' "
            "AND pid <> pg_backend_pid() AND backend_type = 'client backend'",
            "mariadb": f"SELECT id FROM information_schema.processlist WHERE db = '{self.database}' "
            "AND id <> connection_id()",
        }[self.kind]
        return [row[0] for row in self.execute(statement)]


@dataclass
class Host:
    """Starts host processes on one database, with STAPEL_AGENT as `agent`."""

    server: Server
    agent: dict[str, Any] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    started: list[Process] = field(default_factory=list)
    shares: bool = True
    """Whether hosts are forked from a process that has loaded the apps. Not if their memory is measured."""

    def start(self, script: str) -> Process:
        """Start a process that runs `script`. The script calls `say()` for output that the caller reads."""
        script = textwrap.dedent(script)
        if self.shares:
            variables = self.variables()
            process = preloaded(variables).start(script, variables)
        else:
            process = cast(Process, by_itself(script, self.variables()))
        self.started.append(process)
        return process

    def run(self, script: str) -> Any:
        """The last output of `script`."""
        return said(self.start(script))

    def manage(self, *arguments: str) -> str:
        """The output of the management command."""
        command = ["django-admin", *arguments, "--skip-checks"]
        process = self.start(f"from django.core import management\nmanagement.execute_from_command_line({command})")
        out, errors = process.communicate(timeout=600)
        assert process.returncode == 0, errors
        return out

    def stop(self) -> None:
        for process in self.started:
            with process:
                process.kill()

    def variables(self) -> dict[str, str]:
        return {
            **{name: value for name, value in os.environ.items() if name != "PYTEST_CURRENT_TEST"},
            "DJANGO_SETTINGS_MODULE": "tests.engine_host",
            "DATABASE": self.server.kind,
            f"{self.server.kind.upper()}_NAME": self.server.database,
            "HOST_DATABASE": self.server.database,
            "HOST_AGENT": json.dumps(self.agent),
            **self.environment,
        }


def said(process: Process, timeout: float = 300) -> Any:
    """The last output of `process`, when it has ended."""
    out, errors = process.communicate(timeout=timeout)
    assert process.returncode == 0, errors
    return json.loads(out.splitlines()[-1])


_preloaded: dict[frozenset[tuple[str, str]], Preloaded] = {}
MOST_PRELOADED = 4


def preloaded(variables: Mapping[str, str]) -> Preloaded:
    """The process that starts hosts in this environment."""
    key = frozenset((name, value) for name, value in variables.items() if not is_of_a_host(name))
    if key not in _preloaded and len(_preloaded) == MOST_PRELOADED:
        _preloaded.pop(next(iter(_preloaded))).stop()
    _preloaded[key] = _preloaded.pop(key, None) or Preloaded(variables)
    return _preloaded[key]


def by_itself(script: str, variables: dict[str, str]) -> subprocess.Popen[str]:
    """A host that loads everything itself."""
    command = [sys.executable, "-W", "ignore::ResourceWarning", "-c", PRELUDE + script]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, env=variables, stdin=pipe, stdout=pipe, stderr=pipe, text=True)


_numbers = count()


@contextmanager
def own_database(kind: str, *, migrated: bool = True) -> Iterator[Server]:
    """A database for this test process, migrated or empty, which is dropped afterwards."""
    name = f"agent_engine_{os.getpid()}_{next(_numbers)}"
    maintenance = {"postgresql": "postgres", "mariadb": "information_schema"}[kind]
    server = Server(kind, name)
    character_set = {"postgresql": "", "mariadb": "CHARACTER SET utf8mb4"}[kind]
    server.execute(f"DROP DATABASE IF EXISTS {name}", maintenance)
    server.execute(f"CREATE DATABASE {name} {character_set}", maintenance)
    try:
        if migrated:
            Host(server).manage("migrate", "-v0")
        yield server
    finally:
        force = {"postgresql": "WITH (FORCE)", "mariadb": ""}[kind]
        server.execute(f"DROP DATABASE {name} {force}", maintenance)
