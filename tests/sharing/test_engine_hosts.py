"""Hosts of every kind on a real PostgreSQL: ASGI, pooled, forked, stopped, and those that run their own tests."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.engine_fixtures import PAID, answer, until
from tests.hosts import Host, Server, said
from tests.private_postgresql import private_postgresql
from tests.scripted_server import ScriptedServer

pytestmark = pytest.mark.postgresql

ROLE = "agent_of_few"


@pytest.fixture
def server(databases: Callable[[str], Server]) -> Server:
    return databases("postgresql")


@pytest.fixture
def role_of_ten(server: Server) -> Iterator[str]:
    """A role with ten connections."""
    role = f"{ROLE}_{os.getpid()}"
    server.execute(f"DROP ROLE IF EXISTS {role}")
    server.execute(f"CREATE ROLE {role} LOGIN CONNECTION LIMIT 10 PASSWORD 'ten'")
    server.execute(f"GRANT ALL ON ALL TABLES IN SCHEMA public TO {role}")
    yield role
    server.execute(f"DROP OWNED BY {role}")
    server.execute(f"DROP ROLE {role}")


@contextmanager
def served(host: Host) -> Iterator[str]:
    """The URL of the host behind one uvicorn process."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    process = host.start(
        f"import uvicorn; uvicorn.run('tests.asgi_host:application', port={port}, log_level='error', access_log=False)"
    )
    url = f"http://127.0.0.1:{port}"
    until(lambda: _answers(url) or process.poll() is not None)
    yield url
    process.terminate()
    process.wait(300)


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=300).status_code > 0
    except httpx.TransportError:
        return False


def post(url: str, answers: list[Any], payload: dict[str, Any]) -> None:
    reply = httpx.post(
        f"{url}/agent/api/v1/llm/complete", json=payload, headers={"X-API-KEY": "service-key-for-tests"}, timeout=300
    )
    answers.append((reply.status_code, reply.json()))


def waiting(server: Server) -> int:
    """The number of calls that wait for their provider."""
    return [row["status"] for row in server.rows()].count("pending")


def test_asgi__fifty_waits_on_ten_connections(host: Host, model: ScriptedServer, role_of_ten: str) -> None:
    """With ten connections allowed, 50 calls that wait for their provider at once are all answered."""
    host.environment = {"POSTGRESQL_USER": role_of_ten, "POSTGRESQL_PASSWORD": "ten"}
    gate = threading.Barrier(50 + 1)
    model.replies = [answer('{"slept": true}', gate=gate)]
    answers: list[Any] = []
    with served(host) as url:
        threads = [
            threading.Thread(target=post, args=(url, answers, {"prompt": f"{number}", "model": "small"}))
            for number in range(50)
        ]
        for thread in threads:
            thread.start()
        until(lambda: len(model.requests) == 50)
        until(lambda: host.server.connections() <= 4)
        assert waiting(host.server) == 50
        gate.wait(100)
        for thread in threads:
            thread.join()
    answered = {**PAID, "result": {"slept": True}}
    assert answers == [(200, answered)] * 50
    assert [row["status"] for row in host.server.rows()] == ["success"] * 50


@pytest.mark.parametrize("view", ["orm-first", "async-orm-first"])
def test_asgi__views_that_use_the_orm_first(host: Host, model: ScriptedServer, view: str) -> None:
    """A connection that a view has opened is not held during the call."""
    gate = threading.Barrier(20 + 1)
    model.replies = [answer("this", gate=gate)]
    replies: list[int] = []
    with served(host) as url:

        def ask(number: int) -> None:
            replies.append(httpx.get(f"{url}/{view}?prompt={number}", timeout=300).status_code)

        threads = [threading.Thread(target=ask, args=(number,)) for number in range(20)]
        for thread in threads:
            thread.start()
        until(lambda: len(model.requests) == 20)
        until(lambda: host.server.connections() <= 4)
        assert waiting(host.server) == 20
        gate.wait(100)
        for thread in threads:
            thread.join()
    assert replies == [200] * 20


@pytest.mark.parametrize("within", ["nullcontext()", "transaction.atomic()"])
def test_pool__smaller_than_the_crowd(host: Host, model: ScriptedServer, within: str) -> None:
    """With a pool of two connections and eight callers, in transactions or not, nobody waits forever."""
    host.environment = {"HOST_POOL": "2"}
    model.replies = [answer("this")]
    answers = host.run(
        f"""
        from contextlib import nullcontext
        answers = []
        def ask(number):
            with {within}:
                answers.append(services.complete(str(number), "small"))
            connection.close()
        threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
        [thread.start() for thread in threads]
        [thread.join() for thread in threads]
        say(answers)
        connection.close_pool()
        """
    )
    assert answers == [PAID] * 8
    assert [row["status"] for row in host.server.rows()] == ["success"] * 8


def test_pool__given_back_while_the_provider_thinks(host: Host, model: ScriptedServer) -> None:
    """A caller that waits for its provider leaves its pooled connection to others."""
    host.environment = {"HOST_POOL": "1"}
    gate = threading.Barrier(2)
    model.replies = [answer("this", gate=gate)]
    process = host.start(
        """
        PromptLog.objects.count()
        caller = threading.Thread(target=lambda: say(services.complete("what?", "small")))
        def count_first():
            PromptLog.objects.count()
            say(services.complete("what?", "small"))
        caller = threading.Thread(target=count_first)
        connection.close()
        caller.start()
        while not PromptLog.objects.filter(status="pending"):
            connection.close()
            time.sleep(0.05)
        connection.close()
        print("waiting", PromptLog.objects.count(), flush=True)
        connection.close()
        caller.join()
        connection.close_pool()
        """
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "waiting 1\n"
    gate.wait(100)
    assert said(process) == PAID


def test_fork__after_the_ledger_has_worked(host: Host, model: ScriptedServer) -> None:
    """Forked children of a process with ledger threads, slots and leaders start without them."""
    host.agent["MAX_CONCURRENCY"] = {"openai-compat": 1}
    host.agent["CACHE_LOOKUP"] = {"llm_facade": True}
    gate = threading.Barrier(2)
    model.replies = [answer("this"), answer("this", gate=gate), answer("this")]
    process = host.start(
        """
        with transaction.atomic():
            services.complete("first", "small")
        waiting = threading.Thread(target=lambda: services.complete("what?", "small"))
        waiting.start()
        while not Flight.objects.exists():
            time.sleep(0.02)
        connections.close_all()
        Flight.objects.all().delete()
        connections.close_all()
        child = os.fork()
        if not child:
            with transaction.atomic():
                say(services.complete("what?", "small"))
            os._exit(0)
        os.waitpid(child, 0)
        print("forked", flush=True)
        waiting.join()
        """
    )
    assert process.stdout is not None
    assert json.loads(process.stdout.readline()) == PAID
    gate.wait(100)
    process.communicate(timeout=300)
    assert [row["status"] for row in host.server.rows()] == ["success"] * 3


@pytest.mark.pgprograms
def test_stopped_server__before_and_during(model: ScriptedServer) -> None:
    """A process that is stopped before a call makes none. Stopped during one, it answers and closes the row."""
    gates = [threading.Barrier(2) for _ in range(3)]
    model.replies = [answer("this", gate=gate) for gate in gates]
    with private_postgresql() as postgresql:
        host = Host(
            Server("postgresql", "postgres"),
            {"OPENAI_COMPAT_BASE_URL": model.url, "CACHE_LOOKUP": {}},
            {"POSTGRESQL_PORT": str(postgresql.port), "POSTGRESQL_USER": "postgres", "POSTGRESQL_PASSWORD": ""},
        )
        host.manage("migrate", "-v0")
        process = host.start(
            """
            for line in sys.stdin:
                say(services.complete(line.strip(), "small"))
            """
        )
        ask = _dialogue(process)
        during = ask("during")
        until(lambda: len(model.requests) == 1)
        postgresql.stop()
        gates[0].wait(100)
        assert during() == PAID
        before = ask("before")()
        assert before["status"] == "failure"
        assert before["reason"].startswith("ledger_unavailable: the ledger cannot be written to (OperationalError)")
        assert len(model.requests) == 1
        postgresql.start()
        after = ask("after")
        gates[1].wait(100)
        assert after() == PAID
        last = ask("at exit")
        until(lambda: len(model.requests) == 3)
        postgresql.stop()
        gates[2].wait(100)
        assert last() == PAID
        postgresql.start()
        process.communicate(timeout=300)
        rows = host.run(
            "say(list(PromptLog.objects.order_by('created_at').values_list('prompt', 'status', 'response')))"
        )
        host.stop()
    assert rows == [[prompt, "success", "this"] for prompt in ("during", "after", "at exit")]


def _dialogue(process: subprocess.Popen[str]) -> Any:
    def ask(line: str) -> Any:
        process.stdin.write(line + "\n")
        process.stdin.flush()
        return lambda: json.loads(process.stdout.readline())

    return ask


SELF_TESTING_HOST = '''
"""What hosts write: tests in a transaction each, tests that commit, and an asynchronous one."""
from django.db import transaction
from django.test import TestCase, TransactionTestCase
from stapel_agent import services
from stapel_agent.models import PromptLog
from stapel_agent.testing import scripted_provider

class InATransaction(TestCase):
    def test_rows_go(self):
        with scripted_provider("fine", '{"1": "c"}'), transaction.atomic():
            services.complete("hi", "small")
            services.translate("en", "de", {"a": "b"})
        assert PromptLog.objects.count() == 2

    def test_rows_have_gone(self):
        assert PromptLog.objects.count() == 0

    test_rows_have_gone_too = test_rows_have_gone

    async def test_async(self):
        with scripted_provider("fine"):
            assert (await services.acomplete("hi", "small"))["status"] == "ok"
        assert await PromptLog.objects.acount() == 1

class Committing(TransactionTestCase):
    def test_rows(self):
        assert PromptLog.objects.count() == 0
        with scripted_provider("fine"):
            try:
                with transaction.atomic():
                    services.complete("hi", "small")
                    raise ZeroDivisionError
            except ZeroDivisionError:
                pass
        assert PromptLog.objects.count() == 1

    async def test_async(self):
        with scripted_provider("fine"):
            assert (await services.acomplete("hi", "small"))["status"] == "ok"
'''


def test_self_testing_host__leaves_nothing_behind(host: Host, tmp_path: Path) -> None:
    """Hosts' tests roll back their rows, and their database can be dropped at the end."""
    (tmp_path / "test_of_a_host.py").write_text(SELF_TESTING_HOST)
    host.environment = {"PYTHONPATH": f"{os.getcwd()}:{tmp_path}"}
    done = subprocess.run(
        [sys.executable, "-W", "error::RuntimeWarning", "-m", "django", "test", "test_of_a_host", "--noinput"],
        env=host.variables(),
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    assert "Ran 6 tests" in done.stderr
    assert host.server.execute(f"SELECT 1 FROM pg_database WHERE datname = 'test_{host.server.database}'") == []
