"""Crashes, lost connections and floods of one question, with real processes on real database servers."""

from __future__ import annotations

import threading

import pytest

from tests.answers import TRACED
from tests.engine_fixtures import ASK, ASK_IN_TASKS, ASK_IN_THREADS, PAID, SHARED, Waiters, answer, until
from tests.hosts import Host, own_database, said
from tests.scripted_server import Reply, ScriptedServer


@pytest.mark.parametrize("place", ["own", "in a transaction"])
def test_connection__to_a_server_that_has_become_a_standby(host: Host, place: str) -> None:
    """Connections to the former primary are replaced: it accepts no writes, and never closes them."""
    read_only = {
        "postgresql": "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY",
        "mariadb": "SET SESSION TRANSACTION READ ONLY",
    }
    statuses = host.run(
        f"""
        from contextlib import nullcontext
        from stapel_agent.database import on_ledger
        def demote(alias):
            with connections[alias].cursor() as cursor:
                cursor.execute({read_only[host.server.kind]!r})
        statuses = []
        for prompt in ("one", "two"):
            with nullcontext() if {place == "own"} else transaction.atomic():
                on_ledger(demote)
                statuses.append(services.complete(prompt, "small")["status"])
        say(statuses)
        """
    )
    assert statuses == ["ok", "ok"]


@pytest.mark.parametrize("ask", [ASK_IN_THREADS, ASK_IN_TASKS], ids=["threads", "tasks"])
def test_single_flight__in_one_process(host: Host, model: ScriptedServer, waiters: Waiters, ask: str) -> None:
    """Of 20 callers that ask the same at once, one pays and all get its answer. Waiting callers hold no connection."""
    gate = threading.Barrier(2)
    model.replies = [answer("this", gate=gate)]
    process = host.start(waiters.script + ask.format(n=20))
    waiters.are(19)
    held = host.server.connections()
    gate.wait(100)
    answers = said(process)
    assert sorted(answers, key=str) == sorted([PAID] + [SHARED] * 19, key=str)
    assert len(model.requests) == 1
    assert [row["status"] for row in host.server.rows()] == ["success"]
    assert host.server.flights() == 0
    assert held <= 5, "the leader's, and four of the ledger's own at most"


def test_single_flight__across_processes(host: Host, model: ScriptedServer, waiters: Waiters) -> None:
    """Of 4 processes with 5 callers each, one caller pays and all get its answer."""
    gate = threading.Barrier(2)
    model.replies = [answer("this", gate=gate)]
    processes = [host.start(waiters.script + ask.format(n=5)) for ask in [ASK_IN_THREADS, ASK_IN_TASKS] * 2]
    waiters.are(19)
    gate.wait(100)
    answers = [one for process in processes for one in said(process)]
    assert sorted(answers, key=str) == sorted([PAID] + [SHARED] * 19, key=str)
    assert len(model.requests) == 1
    assert (len(host.server.rows()), host.server.flights()) == (1, 0)


def test_single_flight__failure_is_everybodys(host: Host, model: ScriptedServer, waiters: Waiters) -> None:
    """If the one call fails, all get its failure, in every process, and nobody asks again."""
    gate = threading.Barrier(2)
    model.replies = [Reply.of({"error": "no such model"}, status=404, gate=gate)]
    processes = [host.start(waiters.script + ask.format(n=3)) for ask in (ASK_IN_THREADS, ASK_IN_TASKS)]
    waiters.are(5)
    gate.wait(100)
    answers = [one for process in processes for one in said(process)]
    reason = "rejected: HTTP 404: no such model; set OPENAI_COMPAT_MODELS to models of this endpoint"
    assert answers == [{"status": "failure", "failure": "rejected", "reason": reason, **TRACED}] * 6
    assert len(model.requests) == 1
    assert (len(host.server.rows()), host.server.flights()) == (1, 0)


def test_single_flight__leader_is_killed(host: Host, model: ScriptedServer) -> None:
    """If a process dies, a caller that follows it closes its row as lost and asks the provider itself."""
    model.replies = [Reply(raw=b"", ending="hang"), answer("this")]
    leader = host.start("import stapel_agent.providers.wire.call_arguments\n" + ASK)
    until(lambda: model.requests)
    leader.kill()
    short = "from stapel_agent.sharing import leases\nleases.SILENCE_SECONDS = 4\n"
    followers = [host.start(short + ASK_IN_THREADS.format(n=3)), host.start(short + ASK_IN_TASKS.format(n=3))]
    answers = [one for process in followers for one in said(process)]
    assert sorted(answers, key=str) == sorted([PAID] + [SHARED] * 5, key=str)
    assert len(model.requests) == 2
    lost, paid = host.server.rows()
    assert (lost["status"], lost["error_message"]) == ("error", "lost: the process ended before the provider answered")
    assert lost["metadata"] == {"provider": "openai-compat", "failure": "lost"}
    assert (paid["status"], host.server.flights()) == ("success", 0)


def test_single_flight__leader_is_cancelled(host: Host, model: ScriptedServer, waiters: Waiters) -> None:
    """A cancelled leader leaves its row, and one of its followers leads."""
    model.replies = [Reply(raw=b"", ending="hang"), answer("this")]
    other = host.start(
        f"""{waiters.script}
async def main():
    leader = asyncio.create_task(services.acomplete("what?", "small"))
    await asyncio.to_thread(sys.stdin.readline)
    followers = [asyncio.create_task(services.acomplete("what?", "small")) for _ in range(3)]
    await asyncio.to_thread(sys.stdin.readline)
    followers.pop().cancel()
    await asyncio.sleep(0)
    leader.cancel()
    return await asyncio.gather(*followers)
say(asyncio.run(main()))
"""
    )
    until(lambda: model.requests)
    abroad = host.start(waiters.script + ASK)
    for others in (1, 4):
        waiters.are(others)
        other.stdin.write("go on\n")
        other.stdin.flush()
    answers = [*said(other), said(abroad)]
    assert sorted(answers, key=str) == sorted([PAID] + [SHARED] * 2, key=str)
    assert len(model.requests) == 2
    assert [row["error_message"] for row in host.server.rows()] == ["cancelled", None]
    assert host.server.flights() == 0


def test_crash__killed_in_mid_call(host: Host, model: ScriptedServer) -> None:
    """A process that is killed during a call leaves its row, which the command closes as lost."""
    model.replies = [Reply(raw=b"", ending="hang")]
    process = host.start(ASK)
    until(lambda: model.requests)
    process.kill()
    process.wait()
    assert [(row["status"], row["prompt"]) for row in host.server.rows()] == [("pending", "what?")]
    assert host.manage("close_lost_calls") == "closed 0 lost calls\n"
    assert host.manage("close_lost_calls", "--older-than", "0") == "closed 1 lost call\n"
    (row,) = host.server.rows()
    assert (row["status"], row["metadata"]["failure"]) == ("error", "lost")


@pytest.mark.parametrize("ask", [ASK_IN_THREADS, ASK_IN_TASKS], ids=["threads", "tasks"])
def test_lost_connection__in_mid_call(host: Host, model: ScriptedServer, ask: str) -> None:
    """If the database drops every connection during a call, neither the answer nor the row is lost."""
    gate = threading.Barrier(2)
    model.replies = [answer("this", gate=gate)]
    process = host.start(ask.format(n=1))
    until(lambda: model.requests)
    assert host.server.drop_connections() >= 1
    gate.wait(100)
    assert said(process) == [PAID]
    (row,) = host.server.rows()
    assert (row["status"], row["response"], row["input_tokens"]) == ("success", "this", 7)
    assert host.server.flights() == 0


@pytest.mark.parametrize("ask", ["services.complete", "asgiref.sync.async_to_sync(services.acomplete)"])
def test_answer__larger_than_the_database_takes(host: Host, model: ScriptedServer, ask: str) -> None:
    """The caller gets it, and the ledger has its cost. The next call is closed as usual. MariaDB accepts 16 MiB."""
    quotes = "'" * 9_000_000  # each becomes two characters in a statement
    model.replies = [answer(quotes), answer("this")]
    script = f'import asgiref.sync\nsay([len({ask}(question, "small")["result"]) for question in "ab"])'
    assert host.run(script) == [len(quotes), 4]
    large, small = host.server.rows()
    is_kept = host.server.kind == "postgresql"
    assert large["response"] == (quotes if is_kept else None)
    assert large["metadata"].get("response_length") == (None if is_kept else len(quotes))
    assert (large["status"], large["input_tokens"]) == ("success", 7)
    assert (small["status"], small["response"]) == ("success", "this")


def test_answer__left_over_and_larger_than_the_database_takes(host: Host) -> None:
    """A row that could not be closed is closed with later ones, without its text if that is too large."""
    host.run(
        """
        from stapel_agent.ledger import unclosed_rows
        row = PromptLog.objects.create(source="other", model="m", model_size="small", prompt="p", status="pending")
        row.status, row.response, row.input_tokens = "success", "'" * 9_000_000, 7
        unclosed_rows._unclosed.append(row)
        say([services.complete(question, "small")["status"] for question in "ab"])
        """
    )
    large, *others = host.server.rows()
    is_kept = host.server.kind == "postgresql"
    assert (large["status"], large["input_tokens"], large["response"] is not None) == ("success", 7, is_kept)
    assert (large["metadata"] or {}).get("response_length") == (None if is_kept else 9_000_000)
    assert [(row["status"], row["response"]) for row in others] == [("success", "this")] * 2


NARROW = """
from django.core.checks import run_checks
say([found.msg for found in run_checks(databases=["default"]) if found.id == "stapel_agent.W018"])
"""


@pytest.mark.mariadb
def test_answer__with_characters_that_the_database_cannot_store(model: ScriptedServer) -> None:
    """The caller gets it, and the row is closed. A prompt with such characters reaches no provider."""
    with own_database("mariadb", migrated=False) as server:
        server.execute(f"ALTER DATABASE {server.database} CHARACTER SET utf8mb3")
        host = Host(server, {"OPENAI_COMPAT_BASE_URL": model.url, "RETRIES": 0})
        host.manage("migrate", "-v0")
        model.replies = [answer("😀"), Reply.of({"error": {"message": "no 😀"}}, status=400), answer("this")]
        (warned,) = host.run(NARROW)
        found = host.run('say([services.complete(prompt, "small").get("result") for prompt in ["a", "b", "😀", "c"]])')
        names = ("status", "response", "error_message", "input_tokens")
        rows = [tuple(row[name] for name in names) for row in server.rows()]
    assert warned.startswith(
        "These tables cannot store every character, such as an emoji: agent_budget, agent_flight, "
    )
    assert found == ["😀", None, None, "this"]
    assert rows == [
        ("success", None, None, 7),
        ("failure", None, "HTTP 400: no \\U0001f600", 0),
        ("success", "this", None, 7),
    ]


def test_transaction__lost_in_mid_call(host: Host, model: ScriptedServer) -> None:
    """The caller's transaction is lost with its connection. The ledger's row and the answer are not."""
    gate = threading.Barrier(2)
    model.replies = [answer("this", gate=gate)]
    process = host.start(
        """
        from django.db import OperationalError, InterfaceError
        try:
            with transaction.atomic():
                PromptLog.objects.count()
                say(services.complete("what?", "small"))
                PromptLog.objects.count()
        except (OperationalError, InterfaceError):
            pass
        """
    )
    until(lambda: model.requests)
    assert host.server.drop_connections() >= 1
    gate.wait(100)
    assert said(process) == PAID
    assert [row["status"] for row in host.server.rows()] == ["success"]


@pytest.mark.parametrize("how", ["complete", "async_to_sync(services.acomplete)"])
def test_transaction__rolled_back(host: Host, model: ScriptedServer, how: str) -> None:
    """A rollback of any kind by the caller does not remove the rows of paid calls."""
    model.replies = [answer("this")]
    call = how if how.startswith("async") else f"services.{how}"
    host.run(
        f"""
        from asgiref.sync import async_to_sync
        class Undo(Exception): pass
        for number, block in enumerate((transaction.atomic, lambda: transaction.atomic(durable=True))):
            try:
                with block():
                    with transaction.atomic():
                        assert {call}(f"first {{number}}", "small")["status"] == "ok"
                    assert connection.in_atomic_block and not connection.needs_rollback
                    raise Undo
            except Undo:
                pass
        transaction.set_autocommit(False)
        {call}("manual", "small")
        transaction.rollback()
        say(PromptLog.objects.count())
        """
    )
    assert [row["prompt"] for row in host.server.rows()] == ["first 0", "first 1", "manual"]
    assert {row["status"] for row in host.server.rows()} == {"success"}


def test_transaction__survives_a_fault_of_the_ledger(host: Host, model: ScriptedServer) -> None:
    """If the ledger cannot write the row, the call fails, and the caller's transaction is not affected."""
    host.run(
        """
        from django.contrib.contenttypes.models import ContentType
        from stapel_agent.ledger import row_statements
        row_statements.INSERT_OPENING = row_statements.INSERT_OPENING.replace("agent_prompt_log", "agent_no_such_table")
        with transaction.atomic():
            ContentType.objects.create(app_label="kept", model="kept")
            answer = services.complete("what?", "small")
            assert answer["reason"].startswith("ledger_unavailable"), answer
        found = ContentType.objects.filter(app_label="kept")
        say(found.count())
        found.delete()
        """
    )
    assert model.requests == []


def test_upgrade__before_the_migration(host: Host, model: ScriptedServer) -> None:
    """Before the table of flights is migrated, calls are still answered and recorded. Each process asks on its own."""
    model.replies = [answer("this")]
    host.server.execute("ALTER TABLE agent_flight RENAME TO agent_flight_later")
    try:
        assert host.run(ASK_IN_THREADS.format(n=5)).count(SHARED) == 4
    finally:
        host.server.execute("ALTER TABLE agent_flight_later RENAME TO agent_flight")
    assert [row["status"] for row in host.server.rows()] == ["success"]
