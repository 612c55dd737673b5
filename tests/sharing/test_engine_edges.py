"""Errors while waiting, cancelling and exiting, each on a real PostgreSQL in a separate host process."""

from __future__ import annotations

import json
import socket
import sys
import threading
from collections.abc import Callable
from textwrap import dedent
from typing import Any

import pytest

from tests.engine_fixtures import ASK, PAID, SHARED, TASK_HOST, Waiters, answer, outlive_silence, until
from tests.hosts import Host, Server, said
from tests.scripted_server import Reply, ScriptedServer

pytestmark = pytest.mark.postgresql


@pytest.fixture
def server(databases: Callable[[str], Server]) -> Server:
    return databases("postgresql")


def test_cancelled__at_every_step(host: Host) -> None:
    """A task that is cancelled at any point leaves no open row, no flight, no leader and no slot."""
    host.agent["MAX_CONCURRENCY"] = {"openai-compat": 1}
    left = host.run(
        """
        from stapel_agent.asking import concurrency_limit as bulkhead
        from stapel_agent.sharing import leases
        from stapel_agent.sharing import flight_leaders as leaders
        async def cancelled(step):
            task = asyncio.create_task(services.acomplete(f"question {step}", "small"))
            for _ in range(step):
                await asyncio.sleep(0)
            task.cancel()
            await asyncio.wait([task])
        async def main():
            await services.acomplete("warm up", "small")
            for step in range(150):
                await cancelled(step)
            return (await services.acomplete("question 7", "small"))["status"]
        status = asyncio.run(main())
        say([status, len(leaders.leaders._leaders), bulkhead._bulkheads["openai-compat"]._taken, len(leases._led)])
        """
    )
    assert left == ["ok", 0, 0, 0]
    assert {row["status"] for row in host.server.rows()} <= {"success", "error"}
    assert host.server.flights() == 0


def test_cancelled__by_the_end_of_the_loop(host: Host, model: ScriptedServer) -> None:
    """The rows of tasks that are cancelled at the end of their event loop are closed."""
    model.replies = [Reply(raw=b"", ending="hang")]
    host.run(
        """
        async def main():
            tasks = [asyncio.create_task(services.acomplete(str(number), "small")) for number in range(20)]
            while await PromptLog.objects.acount() < len(tasks):
                await asyncio.sleep(0.01)
        asyncio.run(main())
        say(None)
        """
    )
    assert [(row["status"], row["error_message"]) for row in host.server.rows()] == [("error", "cancelled")] * 20
    assert host.server.flights() == 0


CANCELLED_WHILE_OPENING = """
from stapel_agent.ledger import row_statements
is_opening, may_insert = threading.Event(), threading.Event()
def slow(row, alias, save=row_statements.insert_new):
    is_opening.set()
    may_insert.wait()
    save(row, alias)
row_statements.insert_new = slow
async def insert_after_the_end():
    try:
        await asyncio.Event().wait()
    finally:
        asyncio.get_running_loop().call_later(0.3, may_insert.set)
async def main():
    tasks = [asyncio.create_task(work) for work in (services.acomplete("what?", "small"), insert_after_the_end())]
    await asyncio.to_thread(is_opening.wait)
{end}
asyncio.run(main())
"""
ENDS = {
    "loop": "",
    "task": """
    tasks[1].cancel()
    tasks[0].cancel()
    await asyncio.wait([tasks[0]])
    """,
}


@pytest.mark.parametrize("end", ENDS)
def test_cancelled__while_its_row_is_opened(host: Host, model: ScriptedServer, end: str) -> None:
    """A call that is cancelled before its row exists, by its caller or with the loop, is recorded as cancelled."""
    host.run(f"{CANCELLED_WHILE_OPENING.format(end=ENDS[end])}\nsay(None)")
    (row,) = host.server.rows()
    assert (row["status"], row["error_message"], row["metadata"]["failure"]) == ("error", "cancelled", "cancelled")
    assert (model.requests, host.server.flights()) == ([], 0)


@pytest.mark.parametrize("end", ENDS)
def test_cancelled__while_its_row_is_opened_on_sqlite(file_server: Server, model: ScriptedServer, end: str) -> None:
    """The same on SQLite, where the ledger is written in the thread of the caller's ORM."""
    host = Host(file_server, {"OPENAI_COMPAT_BASE_URL": model.url}, TASK_HOST)
    row = host.run(
        f"{CANCELLED_WHILE_OPENING.format(end=ENDS[end])}\n"
        "row = PromptLog.objects.get()\n"
        "say([row.status, row.error_message, row.metadata['failure'], Flight.objects.count()])"
    )
    host.stop()
    assert (row, model.requests) == (["error", "cancelled", "cancelled", 0], [])


def test_leases__of_a_slow_leader(host: Host, model: ScriptedServer) -> None:
    """A leader that takes longer than a dead one is waited for to its end, because it renews its lease."""
    gate = threading.Barrier(2)
    model.replies = [answer("this", gate=gate)]
    quick = """
from stapel_agent.sharing import leases
leases.RENEWAL_SECONDS, leases.SILENCE_SECONDS = 0.2, 4
"""
    leader = host.start(quick + ASK)
    until(lambda: model.requests)
    follower = host.start(quick + ASK)
    outlive_silence(host.server, "agent_flight", 4)
    host.manage("close_lost_calls")
    gate.wait(100)
    assert [said(leader), said(follower)] == [PAID, SHARED]
    assert len(model.requests) == 1


def test_leases__removes_what_was_left(host: Host) -> None:
    """A flight that cannot be removed when it lands is removed later, and nobody waits for it for long."""
    host.run(
        """
        from stapel_agent.sharing import single_flight as flights
        from stapel_agent.sharing import leases
        leases.RENEWAL_SECONDS = 0.2
        def refuse(self, alias):
            raise OSError("the database is away")
        remove, flights.SingleFlight._remove_row = flights.SingleFlight._remove_row, refuse
        services.complete("what?", "small")
        assert Flight.objects.count() == 1
        while Flight.objects.exists():
            time.sleep(0.1)
        say(None)
        """
    )


BLOCKED = """
from asgiref.sync import async_to_sync
from django.conf import settings
from django.test.utils import override_settings
from stapel_agent.database import wait_for_own_work
def ask():
    return {ask}("what?", "small"{key})["status"]
with connection.cursor() as cursor:
    cursor.execute("CREATE OR REPLACE FUNCTION gate() RETURNS trigger LANGUAGE plpgsql AS "
                   "'BEGIN PERFORM pg_advisory_xact_lock(7); RETURN NEW; END'")
    cursor.execute("CREATE OR REPLACE TRIGGER gate BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION gate()")
other = connections.create_connection("default")
other.set_autocommit(False)
with other.cursor() as cursor:
    cursor.execute("{block}")
first = ask()
other.rollback()
wait_for_own_work(60)
with connection.cursor() as cursor:
    cursor.execute("DROP TRIGGER gate ON {table}")
with override_settings(STAPEL_AGENT={{**settings.STAPEL_AGENT, "DEADLINE": 60}}):
    say([first, [Flight.objects.count(), IdempotencyRecord.objects.count()], ask()])
"""


@pytest.mark.parametrize("ask", ["services.complete", "async_to_sync(services.acomplete)"])
@pytest.mark.parametrize(("table", "key"), [("agent_flight", ""), ("agent_idempotency", ", idempotency_key='k'")])
@pytest.mark.parametrize("block", ["SELECT pg_advisory_xact_lock(7)", "LOCK TABLE {table} IN SHARE MODE"])
def test_row__whose_insert_or_removal_is_late(host: Host, block: str, table: str, key: str, ask: str) -> None:
    """If the database does not insert or remove a row in time, the call ends, and later ones do not wait."""
    host.agent["DEADLINE"] = 1
    script = BLOCKED.format(ask=ask, key=key, table=table, block=block.format(table=table))
    assert host.run(script) == ["failure", [0, 0], "ok"]


def test_leader__whose_loop_is_closed(host: Host, model: ScriptedServer) -> None:
    """If a loop is closed without cancelling its tasks, no other caller is affected."""
    model.replies = [Reply(raw=b"", ending="hang"), answer("this")]
    said_last = host.run(
        """
        from stapel_agent.sharing import leases
        from stapel_agent.telemetry import metrics as telemetry
        leases.RENEWAL_SECONDS = 0.2
        loop = asyncio.new_event_loop()
        async def start():
            tasks = [loop.create_task(services.acomplete("what?", "small")) for _ in range(2)]
            while not telemetry.in_flight._calls["openai-compat"]:
                await asyncio.sleep(0.02)
            await asyncio.sleep(0.5)
            return tasks
        tasks = loop.run_until_complete(start())
        loop.close()
        say(services.complete("what?", "small"))
        """
    )
    assert said_last == PAID


def test_leader__asks_the_same_again(host: Host) -> None:
    """A provider that asks the question it is answering does not wait for itself."""
    answer_of_the_inner = host.run(
        """
        from stapel_agent import LlmProvider, ProviderResult, register_provider
        depth = []
        class Nesting(LlmProvider):
            def complete(self, **arguments):
                if depth:
                    return ProviderResult("inner")
                depth.append(1)
                return ProviderResult(services.complete("what?", "small", provider="nesting")["result"] + " in outer")
        register_provider("nesting", Nesting)
        say(services.complete("what?", "small", provider="nesting")["result"])
        """
    )
    assert answer_of_the_inner == "inner in outer"


def test_leader__in_the_loop_of_a_follower(host: Host) -> None:
    """A synchronous caller in a loop's thread and an async caller of the same question do not block each other."""
    answers = host.run(
        """
        from asgiref.sync import ThreadSensitiveContext, sync_to_async
        async def main():
            async with ThreadSensitiveContext():
                return await asyncio.gather(
                    services.acomplete("what?", "small"), sync_to_async(services.complete)("what?", "small")
                )
        say([one["status"] for one in asyncio.run(main())])
        """
    )
    assert answers == ["ok", "ok"]


def statuses_of_two(host: Host, model: ScriptedServer, reply: str, calls: str) -> Any:
    """The statuses of the two `calls`, by name. The second begins while the first waits for its answer."""
    gate = threading.Barrier(2)
    model.replies = [answer(reply, gate=gate), answer(reply)]
    together = """
statuses = {}
def ask(name, call):
    statuses[name] = call()["status"]
threads = [threading.Thread(target=ask, args=named) for named in calls.items()]
threads[0].start()
while not Flight.objects.exists():
    time.sleep(0.02)
threads[1].start()
[thread.join() for thread in threads]
say(statuses)
"""
    process = host.start(dedent(calls) + together)
    until(lambda: len(model.requests) == 2, seconds=60)
    gate.wait(100)
    return said(process)


def test_reader__of_its_own(host: Host, model: ScriptedServer) -> None:
    """A caller that wants the raw text does not get the failure of one that wants JSON."""
    calls = """
    from functools import partial
    from stapel_agent.structured import SYSTEM_PROMPT
    verbs = ("complete_json", "complete")
    calls = {verb: partial(getattr(services, verb), "what?", "small", system_prompt=SYSTEM_PROMPT) for verb in verbs}
    """
    assert statuses_of_two(host, model, "prose", calls) == {"complete_json": "failure", "complete": "ok"}


def test_reader__of_another_type(host: Host, model: ScriptedServer) -> None:
    """Two types with one JSON Schema do not share a failure: each caller gets the verdict of its own type."""
    calls = """
    from dataclasses import dataclass
    from functools import partial
    def type_of(name, most):
        def check(self):
            assert self.metres <= most
        members = {"__annotations__": {"metres": int}, "__post_init__": check, "__qualname__": name}
        return dataclass(type("Height", (), members))
    limits = {"Hill": 5, "Mountain": 9}
    calls = {
        name: partial(services.complete_json, "how high?", "small", schema=type_of(name, most))
        for name, most in limits.items()
    }
    """
    assert statuses_of_two(host, model, '{"metres": 7}', calls) == {"Hill": "failure", "Mountain": "ok"}


def test_policy__that_hangs(host: Host) -> None:
    """A cache that hangs delays only the callers that use it, and until the deadline at most."""
    seconds = host.run(
        """
        from stapel_agent import cache
        class Hanging(cache.CachePolicy):
            def should_cache(self, source):
                return source == "other"
            def lookup(self, request):
                time.sleep(300)
        from django.conf import settings
        from django.test import override_settings
        async def main():
            for number in range(8):
                asyncio.create_task(services.acomplete(f"{number}", "small", source="other"))
            await asyncio.sleep(0.5)
            started_at = time.monotonic()
            assert (await services.acomplete("not cached", "small"))["status"] == "ok"
            say(time.monotonic() - started_at)
            os._exit(0)
        with override_settings(STAPEL_AGENT={**settings.STAPEL_AGENT, "CACHE_POLICY": Hanging}):
            asyncio.run(main())
        """
    )
    assert seconds < 100


@pytest.mark.parametrize("how", ["services.complete", "async_to_sync(services.acomplete)"])
def test_deadline__bounds_the_ledger(host: Host, model: ScriptedServer, how: str) -> None:
    """A locked table, as during a migration, delays nobody beyond the deadline."""
    host.agent["DEADLINE"] = 1
    seconds, reason = host.run(
        f"""
        from asgiref.sync import async_to_sync
        def lock():
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("LOCK TABLE agent_prompt_log IN ACCESS EXCLUSIVE MODE")
                locked.set()
                ended.wait(200)
        locked, ended = threading.Event(), threading.Event()
        holder = threading.Thread(target=lock)
        holder.start()
        locked.wait()
        started_at = time.monotonic()
        answer = {how}("what?", "small")
        seconds = time.monotonic() - started_at
        ended.set()
        holder.join()
        say([seconds, answer["reason"]])
        """
    )
    assert seconds < 100
    assert reason.startswith(("timeout: ", "ledger_unavailable: "))
    assert model.requests == []


@pytest.mark.parametrize("unclosed", [True, False])
def test_exit__beside_a_database_that_does_not_answer(host: Host, unclosed: bool) -> None:
    """If the database accepts connections and hangs, the process exits within seconds, whatever is left to write."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        host.environment = {"POSTGRESQL_PORT": str(silent.getsockname()[1])}
        host.shares = False  # it exits like any other process
        process = host.start(
            f"""
            from stapel_agent.database import in_background
            from stapel_agent.ledger import unclosed_rows
            in_background(lambda alias: PromptLog.objects.count())
            if {unclosed}:
                unclosed_rows._unclosed.append(PromptLog())
            """
        )
        process.communicate(timeout=100)
    assert process.returncode == 0


def test_autocommit__switched_off(host: Host) -> None:
    """A host without autocommit still has its ledger committed."""
    host.run(
        """
        connections.settings["default"]["AUTOCOMMIT"] = False
        services.complete("what?", "small")
        connection.rollback()
        say(None)
        """
    )
    assert [row["status"] for row in host.server.rows()] == ["success"]


def test_follower__leaves_the_callers_connection_alone(host: Host, model: ScriptedServer, waiters: Waiters) -> None:
    """Without ASGI and pools, a caller that waits for another one's answer keeps its session."""
    gate = threading.Barrier(2)
    model.replies = [answer("this", gate=gate)]
    process = host.start(
        f"""{waiters.script}
from django.contrib.contenttypes.models import ContentType
leader = threading.Thread(target=lambda: services.complete("what?", "small"))
leader.start()
while not Flight.objects.exists():
    time.sleep(0.02)
kinds = ContentType.objects.iterator(chunk_size=1)
next(kinds)
answer = services.complete("what?", "small")
assert len(list(kinds)) > 2
leader.join()
say(answer)
"""
    )
    waiters.are(1)
    gate.wait(100)
    assert said(process) == SHARED


def test_own_connections__asked_for_within_an_operation(host: Host) -> None:
    """An operation on the ledger that starts another one uses the same connection."""
    done = host.run(
        """
        from asgiref.sync import ThreadSensitiveContext, sync_to_async
        from stapel_agent.database import on_ledger
        def outer(alias):
            time.sleep(0.2)
            return on_ledger(lambda alias: PromptLog.objects.using(alias).count())
        async def one():
            async with ThreadSensitiveContext():
                return await sync_to_async(on_ledger)(outer)
        async def main():
            async with asyncio.timeout(200):
                return await asyncio.gather(*(one() for _ in range(12)))
        say(asyncio.run(main()))
        """
    )
    assert done == [0] * 12


def test_own_connections__interrupted_query(host: Host) -> None:
    """The next operation does not get a connection on which an interrupted query may still run."""
    found = host.run(
        """
        from stapel_agent.database import on_ledger
        def interrupted(alias):
            connections[alias].ensure_connection()
            used.append(connections[alias].connection)
            raise KeyboardInterrupt
        used = []
        with transaction.atomic():
            try:
                on_ledger(interrupted)
            except KeyboardInterrupt:
                pass
            on_ledger(lambda alias: used.append(connections[alias].connection))
        say(used[0] is used[1])
        """
    )
    assert found is False


def test_own_connections__new_password(host: Host) -> None:
    """A host may change its settings while it runs. Each new connection is made with the current ones."""
    found = host.run(
        """
        from stapel_agent.database import on_ledger
        settings = connections.settings["default"]
        used = []
        def closing(alias):
            used.append(connections[alias].get_connection_params()["password"])
            connections[alias].close()
        with transaction.atomic():
            for settings["PASSWORD"] in ("first", "second"):
                on_ledger(closing)
        say(used)
        """
    )
    assert found == ["first", "second"]


def test_threads__after_the_main_one(host: Host) -> None:
    """Threads that outlive the main one still write their rows, in transactions and on loops."""
    calls = [
        'with transaction.atomic(): services.complete("in a transaction", "small")',
        'asyncio.run(services.acomplete("on a loop", "small"))',
    ]
    if (3, 12) <= sys.version_info < (3, 12, 3):  # which then start no thread, as a loop needs
        calls.pop()
    work = "\n".join(["def work():", " time.sleep(0.5)", *(f" {call}" for call in calls), " say(None)"])
    host.run(f"{work}\nthreading.Thread(target=work).start()")
    assert [row["status"] for row in host.server.rows()] == ["success"] * len(calls)


def test_threads__there_are_no_more(host: Host) -> None:
    """A process that may start no more threads still answers and writes its row; only renewals are missing."""
    refusing = 'def refuse(thread): raise RuntimeError("can\'t start new thread")\nthreading.Thread.start = refuse\n'
    process = host.start(f"{refusing}{ASK}")
    out, errors = process.communicate(timeout=100)
    assert (json.loads(out), errors) == (PAID, "")
    assert [row["status"] for row in host.server.rows()] == ["success"]


def test_storm__of_threads(host: Host, model: ScriptedServer) -> None:
    """120 threads with 12 questions make 12 calls and get 120 answers. Nothing is left over."""
    answers = host.run(
        """
        answers = []
        def ask(number):
            answers.append(services.complete(f"question {number % 12}", "small")["status"])
            connection.close()
        threads = [threading.Thread(target=ask, args=(number,)) for number in range(120)]
        [thread.start() for thread in threads]
        [thread.join() for thread in threads]
        say(answers)
        """
    )
    assert answers == ["ok"] * 120
    assert len(model.requests) == 12
    assert (len(host.server.rows()), host.server.flights()) == (12, 0)
