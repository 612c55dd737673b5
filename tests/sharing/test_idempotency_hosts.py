"""Of threads, tasks and processes with one key, on real database servers, exactly one calls the provider."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from tests.engine_fixtures import PAID, Waiters, answer, outlive_silence, until
from tests.hosts import Host, Server, said
from tests.scripted_server import Reply, ScriptedServer

ASK = """
say(services.complete("what?", "small", idempotency_key="k"))
"""
IN_THREADS = """
from contextlib import nullcontext
answers = []
def ask():
    with {within}:
        answers.append(services.complete("what?", "small", idempotency_key="k"))
    connection.close()
threads = [threading.Thread(target=ask) for _ in range({n})]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
say(answers)
"""
IN_TASKS = """
async def main():
    asking = (services.acomplete("what?", "small", idempotency_key="k") for _ in range({n}))
    return await asyncio.gather(*asking)
say(asyncio.run(main()))
"""
SHORT_SILENCE = """
from stapel_agent.sharing import leases
leases.SILENCE_SECONDS, leases.RENEWAL_SECONDS = 4.0, 0.2
"""


@pytest.fixture
def host(host: Host) -> Host:
    """Hosts that reuse answers only by their key."""
    host.agent["CACHE_LOOKUP"] = {}
    return host


def records(server: Server) -> list[bool]:
    """Whether each record has an answer."""
    return [bool(kept) for (kept,) in server.execute("SELECT answer IS NOT NULL FROM agent_idempotency")]


@pytest.mark.parametrize(
    ("ask", "number"),
    [
        (IN_THREADS.format(n=12, within="nullcontext()"), 12),
        (IN_THREADS.format(n=6, within="transaction.atomic()"), 6),
        (IN_TASKS.format(n=12), 12),
    ],
    ids=["threads", "transactions", "tasks"],
)
def test_race__in_one_process(host: Host, model: ScriptedServer, waiters: Waiters, ask: str, number: int) -> None:
    """Of all parallel callers with one key, one calls, all get its answer, and waiting callers hold no connection."""
    gate = threading.Barrier(2)
    model.replies = [answer("this", gate=gate)]
    process = host.start(waiters.script + ask)
    waiters.are(number - 1)
    if number == 12:
        until(lambda: host.server.connections() <= 5)
    gate.wait(100)
    answers = said(process)
    assert answers == [PAID] * number
    assert len({one["request_id"] for one in answers}) == 1
    assert len(model.requests) == 1
    assert ([row["status"] for row in host.server.rows()], records(host.server)) == (["success"], [True])


def test_race__across_processes(host: Host, model: ScriptedServer, waiters: Waiters) -> None:
    """Of 4 processes, one calls. Waiting ones hold no connection, and a later process gets the same answer."""
    gate = threading.Barrier(2)
    model.replies = [answer("this", gate=gate)]
    scripts = [IN_THREADS.format(n=3, within="nullcontext()"), IN_TASKS.format(n=3)] * 2
    processes = [host.start(waiters.script + script) for script in scripts]
    waiters.are(11)
    gate.wait(100)
    answers = [one for process in processes for one in said(process)]
    answers.append(host.run(ASK))
    assert answers == [PAID] * 13
    assert len({one["request_id"] for one in answers}) == 1
    assert (len(model.requests), len(host.server.rows()), records(host.server)) == (1, 1, [True])


def test_race__for_an_expired_key(host: Host, model: ScriptedServer) -> None:
    """Parallel callers with an expired key make one new call."""
    host.agent["IDEMPOTENCY_TTL"] = 60
    model.replies = [answer("that"), answer("this")]
    host.run(ASK)
    host.run(
        """
        from datetime import timedelta
        from django.db.models import F
        say(IdempotencyRecord.objects.update(created_at=F("created_at") - timedelta(seconds=70)))
        """
    )
    processes = [host.start(IN_THREADS.format(n=8, within="nullcontext()")) for _ in range(2)]
    answers = [one for process in processes for one in said(process)]
    assert answers == [PAID] * 16
    assert (len(model.requests), records(host.server)) == (2, [True])


def test_race__another_payload(host: Host, model: ScriptedServer) -> None:
    """While the first call is under way, another payload is refused at once, also in another process."""
    gate = threading.Barrier(2)
    model.replies = [answer("this", gate=gate)]
    first = host.start(ASK)
    until(lambda: model.requests)
    refused = host.run(ASK.replace("what?", "something else"))
    gate.wait(100)
    assert refused["reason"].startswith("rejected: the idempotency_key was used before")
    assert (said(first), len(model.requests)) == (PAID, 1)


def test_failure__is_tried_again(host: Host, model: ScriptedServer, waiters: Waiters) -> None:
    """If the first call fails, one waiting caller makes the next, and all others get its answer."""
    gate = threading.Barrier(2)
    model.replies = [Reply.of({"error": "no"}, status=404, gate=gate), answer("this")]
    scripts = [IN_THREADS.format(n=2, within="nullcontext()"), IN_TASKS.format(n=2)]
    processes = [host.start(waiters.script + script) for script in scripts]
    waiters.are(3)
    gate.wait(100)
    answers = [one for process in processes for one in said(process)]
    assert sorted(one["status"] for one in answers) == ["failure", "ok", "ok", "ok"]
    assert (len(model.requests), records(host.server)) == (2, [True])


def test_first_process__is_killed(host: Host, model: ScriptedServer) -> None:
    """If a process dies, a waiting caller takes over after the silence, and closes its row as lost."""
    model.replies = [Reply(raw=b"", ending="hang"), answer("this")]
    first = host.start(ASK)
    until(lambda: model.requests)
    waiting = [host.start(SHORT_SILENCE + IN_THREADS.format(n=2, within="nullcontext()"))]
    waiting.append(host.start(SHORT_SILENCE + IN_TASKS.format(n=2)))
    first.kill()
    answers = [one for process in waiting for one in said(process)]
    assert answers == [PAID] * 4
    assert (len(model.requests), records(host.server)) == (2, [True])
    lost, paid = host.server.rows()
    assert (lost["status"], lost["metadata"]["failure"], paid["status"]) == ("error", "lost", "success")


def test_first_process__goes_on(host: Host, model: ScriptedServer) -> None:
    """A call that takes longer than the silence of a dead process is waited for."""
    gate = threading.Barrier(2)
    model.replies = [answer("this", gate=gate)]
    processes = [host.start(SHORT_SILENCE + ASK) for _ in range(2)]
    until(lambda: model.requests)
    outlive_silence(host.server, "agent_idempotency", 4)
    gate.wait(100)
    assert [said(process) for process in processes] == [PAID] * 2
    assert len(model.requests) == 1


def test_rollback__leaves_the_record(host: Host, model: ScriptedServer) -> None:
    """After the caller's rollback, a paid answer is not paid for again."""
    model.replies = [answer("this")]
    host.run(
        """
        try:
            with transaction.atomic():
                services.complete("what?", "small", idempotency_key="k")
                raise ZeroDivisionError
        except ZeroDivisionError:
            say(IdempotencyRecord.objects.count())
        """
    )
    assert host.run(ASK) == PAID
    assert (len(model.requests), records(host.server)) == (1, [True])


def test_cancelled__at_every_step(host: Host) -> None:
    """A task that is cancelled at any point leaves the key free or answered, and nothing in its process."""
    left = host.run(
        """
        from stapel_agent.sharing import leases
        from stapel_agent.sharing import idempotency
        def ask(step):
            return services.acomplete(f"question {step}", "small", idempotency_key=str(step))
        async def cancelled(step):
            task = asyncio.create_task(ask(step))
            for _ in range(step):
                await asyncio.sleep(0)
            task.cancel()
            await asyncio.wait([task])
        async def main():
            await ask("to warm up")
            for step in range(120):
                await cancelled(step)
            return (await ask(7))["status"]
        status = asyncio.run(main())
        say([status, len(idempotency._holders), len(leases._led), len(leases._left_over)])
        """
    )
    assert left == ["ok", 0, 0, 0]
    assert set(records(host.server)) == {True}


def test_sqlite__threads_and_tasks(tmp_path: Path) -> None:
    """With a SQLite file, one of all parallel callers calls too, on and off an event loop."""
    script = """
    import uuid
    from asgiref.sync import sync_to_async
    from django.core.management import call_command
    call_command("migrate", verbosity=0)
    def ask():
        answer = services.complete_json("what?", "small", system_prompt="s", idempotency_key="k")
        connection.close()
        return answer
    async def main():
        tasks = [services.acomplete_json("what?", "small", system_prompt="s", idempotency_key="k") for _ in range(4)]
        threads = [asyncio.to_thread(ask) for _ in range(4)]
        return await asyncio.gather(*tasks, *threads)
    answers = asyncio.run(main())
    say([answers, PromptLog.objects.count(), IdempotencyRecord.objects.count()])
    """
    host = Host(
        Server("sqlite", str(tmp_path / "host.sqlite3")), environment={"DJANGO_SETTINGS_MODULE": "tests.scripted_host"}
    )
    answers, calls, kept = host.run(script)
    assert (calls, kept, len({str(one) for one in answers})) == (1, 1, 1), answers
    assert answers[0]["result"] == {"asked": "what?"}
