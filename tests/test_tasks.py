"""`llm.translate` as a task, on a host with a task store."""

import json
import subprocess
import sys
import textwrap
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from redis import Redis

from stapel_agent import answers
from tests.engine_fixtures import TASK_HOST
from tests.hosts import Host, Server
from tests.settings import REDIS_URL

BUS_AWAY = {"STAPEL_REDIS_BUS_URL": "redis://127.0.0.1:9/0"}
TASK = """
from stapel_core.comm.tasks import execute, start, status
from stapel_core.django.taskstore.models import TaskRecord
from stapel_agent.testing import scripted_provider, translating
from stapel_agent.conf import agent_settings

ENTRIES = {f"key {number}": f"text {number}" for number in range(6)}
PAYLOAD = {"from_lang": "en", "to": "de", "entries": ENTRIES}

def texts(model):
    return [text for request in model.requests for text in json.loads(request.prompt).values()]

def told(task_id):
    found = status(task_id)
    return [found.state, found.result]
"""


def run(host: Host, script: str) -> Any:
    return host.run(TASK + textwrap.dedent(script))


@pytest.fixture
def host(file_server: Server) -> Iterator[Host]:
    """A host with a task store and nothing else, on a SQLite file."""
    host = Host(file_server, {"TRANSLATE_CHUNK_ENTRIES": 1}, {**TASK_HOST})
    yield host
    host.stop()


def test_task__answers_as_the_function(host):
    """A task's result is the function's answer, with all portions joined."""
    state, result = run(
        host,
        """
        with scripted_provider(translating(str.upper)) as model:
            say(told(start("llm.translate", PAYLOAD)))
        """,
    )
    assert state == "done"
    assert result["status"] == "ok"
    assert result["result"] == {f"key {number}": f"TEXT {number}" for number in range(6)}
    assert result["usage"] == {"input_tokens": 60, "output_tokens": 30}


def test_task__idempotency_key(host):
    """Each portion of a task is answered under the task's key. A second task with the key makes no call."""
    first, second, calls = run(
        host,
        """
        with scripted_provider(translating(str.upper)) as model:
            tasks = [told(start("llm.translate", {**PAYLOAD, "idempotency_key": "once"})) for _ in range(2)]
            say([*tasks, len(model.requests)])
        """,
    )
    assert first[1]["result"] == {f"key {number}": f"TEXT {number}" for number in range(6)}
    assert "failed" not in first[1]
    assert (second, calls) == (first, 6)


def test_task__portion_without_a_call(host):
    """If a portion fails, the result has the others, their cost and who answered. Its own keys are in `failed`."""
    _, result = run(
        host,
        """
        from unittest.mock import patch
        from stapel_agent import arguments
        from stapel_agent.providers.base import ProviderResult

        def priced(request):
            return ProviderResult(translating(str.upper)(request), 10, 5, cost_usd="0.25")

        with scripted_provider(priced) as model:
            follow, portions = arguments.Once.follow, iter(range(2))

            def broken(once):
                if next(portions) == 1:
                    raise RuntimeError("a bug")
                return follow(once)

            with patch.object(arguments.Once, "follow", broken):
                say(told(start("llm.translate", PAYLOAD)))
        """,
    )
    reason = "internal_error: RuntimeError"
    assert result == {
        "status": "ok",
        "result": {f"key {number}": f"TEXT {number}" for number in (0, 1, 2, 3)},
        "failed": {"key 4": reason, "key 5": reason},
        "usage": {"input_tokens": 40, "output_tokens": 20, "cost_usd": "1"},
        "model": "claude-haiku-4-5-20251001",
        "provider": "openai-compat",
    }


@pytest.mark.parametrize(
    ("reply", "cost"),
    [
        ("translating(str.upper)(request)", {}),  # without a price
        ("ProviderTimeout('too late')", {}),
        ("ProviderResult('no JSON', cost_usd='0.5')", {"cost_usd": "1.5"}),
        ("ProviderUnreachable('away')", {"cost_usd": "1"}),
    ],
)
def test_task__cost(host, reply, cost):
    """The cost is known if the cost of each call is. A call that failed may have been billed."""
    host.agent |= {"TRANSLATE_CONCURRENCY": 4, "TRANSLATE_RETRIES": 0, "RETRIES": 0, "CACHE_TTL": 0}
    _, result = run(
        host,
        f"""
        from stapel_agent.exceptions import ProviderTimeout, ProviderUnreachable
        from stapel_agent.providers.base import ProviderResult

        def answered(request):
            if "text 4" not in request.prompt:
                return ProviderResult(translating(str.upper)(request), 10, 5, cost_usd="0.25")
            reply = {reply}
            if isinstance(reply, Exception):
                raise reply
            return reply if isinstance(reply, ProviderResult) else ProviderResult(reply, None, None)

        entries = dict(list(ENTRIES.items())[:5])
        with scripted_provider(answered):
            say(told(start("llm.translate", {{**PAYLOAD, "entries": entries}})))
        """,
    )
    assert result["usage"] == {"input_tokens": 40, "output_tokens": 20, **cost}


def test_joined__a_portion_with_texts_that_need_no_model():
    """In the answer to several portions, each key is in the result or has a reason."""
    translated = {"status": "ok", "result": {"a": "Hallo"}, "usage": {"input_tokens": 1, "output_tokens": 2}}
    failure = {"status": "failure", "failure": "timeout", "reason": "timeout", "failed": {"b": "deadline"}}
    assert answers.joined([({"a": "Hello"}, translated), ({"b": "Bye", "c": "{n}"}, failure)], is_cost_known=True) == {
        **translated,
        "failed": {"b": "deadline", "c": "timeout"},
    }


def test_joined__failures_that_were_paid_for():
    """A failure of all portions has the usage of all of them, and a reason for each key."""
    paid = {
        "status": "failure",
        "failure": "timeout",
        "reason": "timeout",
        "usage": {"input_tokens": 1, "output_tokens": 2},
    }
    free = {"status": "failure", "failure": "overloaded", "reason": "overloaded"}
    portions = [({"a": "Hello"}, free), ({"b": "Bye"}, paid), ({"c": "Thanks"}, paid)]
    assert answers.joined(portions, is_cost_known=True) == {
        **free,
        "failed": {"a": "overloaded", "b": "timeout", "c": "timeout"},
        "usage": {"input_tokens": 2, "output_tokens": 4},
    }
    assert answers.joined(portions[:1] * 2, is_cost_known=True) == free


@pytest.mark.parametrize("reuse", [True, False])
def test_task__resumes(host, reuse):
    """What an interrupted attempt has paid for is not paid again, even if translations are not reused otherwise."""
    host.agent |= {"TRANSLATE_CONCURRENCY": 1, "CACHE_LOOKUP": {"translate": reuse}}
    interrupted, again, told = run(
        host,
        """
        def interrupted(request):
            if "text 3" in request.prompt:
                raise KeyboardInterrupt
            return translating(str.upper)(request)

        task_id = str(TaskRecord.objects.create(kind="llm.translate", payload=PAYLOAD).pk)
        with scripted_provider(interrupted) as model:
            try:
                execute(task_id)
            except KeyboardInterrupt:
                pass
            first = texts(model)
        TaskRecord.objects.update(state=TaskRecord.PENDING)  # as an operator, or a broker's redelivery, has it
        with scripted_provider(translating(str.upper)) as model:
            execute(task_id)
            say([first, texts(model), told(task_id)])
        """,
    )
    assert interrupted == [f"text {number}" for number in range(4)]
    assert again == ["text 3", "text 4", "text 5"]
    assert told[0] == "done"
    assert told[1]["result"] == {f"key {number}": f"TEXT {number}" for number in range(6)}


@pytest.mark.parametrize("reply", ["Sorry.", "{}"])
def test_task__nothing_came_back(host, reply):
    """If a model fails, the task is done, with that failure as its result. Its reader decides whether to retry."""
    host.agent |= {"TRANSLATE_RETRIES": 0}
    state, result = run(
        host,
        f"""
        with scripted_provider({reply!r}) as model:
            say(told(start("llm.translate", PAYLOAD)))
        """,
    )
    assert (state, result["status"], len(result["failed"])) == ("done", "failure", 6)
    assert result["reason"].startswith("invalid_answer: ")


def test_task__bad_payload(host):
    """A payload that breaks the function's schema parks its task at once."""
    state, attempts = run(
        host,
        """
        found = status(start("llm.translate", {"to": "de", "entries": {}}))
        say([found.state, found.attempts])
        """,
    )
    assert (state, attempts) == ("failed", 1)


@pytest.fixture
def documented_host(host: Host) -> Host:
    """A host with the documented apps, and stapel-core's defaults."""
    host.environment |= {"DJANGO_SETTINGS_MODULE": "tests.outbox_host"}
    host.manage("migrate", "-v0")
    return host


def test_task__as_documented(documented_host):
    """A task is over when `start()` returns. Only `sweep_tasks` repeats a failed attempt."""
    states = run(
        documented_host,
        """
        import sys
        from datetime import timedelta
        from unittest.mock import patch
        from django.core.management import call_command
        from django.utils import timezone
        from stapel_agent import tasks

        def state():
            return TaskRecord.objects.latest("created_at").state

        def manage(*arguments):
            call_command(*arguments, stdout=sys.stderr)
            return state()

        with scripted_provider(translating(str.upper)):
            start("llm.translate", PAYLOAD)
            states = [state()]
            with patch.object(tasks, "llm_translate", side_effect=OSError("the disk is full")):
                start("llm.translate", PAYLOAD)
            TaskRecord.objects.update(not_before=timezone.now() - timedelta(seconds=1))
            say([*states, state(), manage("dispatch_outbox", "--once"), manage("sweep_tasks")])
        """,
    )
    assert states == ["done", "pending", "pending", "done"]


@contextmanager
def running(host: Host, *command: str) -> Iterator[None]:
    """A management command of the host that runs during the test."""
    arguments = [sys.executable, "-W", "ignore", "-m", "django", *command, "--skip-checks"]
    process = subprocess.Popen(arguments, env=host.variables(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        yield
        assert process.poll() is None, process.stderr.read()
    finally:
        process.kill()
        process.communicate()


@pytest.fixture
def bus() -> Iterator[None]:
    """A bus whose messages are removed after the test."""
    yield
    with Redis.from_url(REDIS_URL) as redis:
        redis.delete("task.requested", "task.completed", "task.failed")


@pytest.mark.redis
def test_task__over_a_bus(documented_host, bus):
    """A worker runs the task. `dispatch_outbox` announces tasks that were started while the bus was unavailable."""
    service = f"host-{uuid.uuid4().hex}"
    house = {"PROVIDERS": {"house": "tests.scripted_host_provider.Provider"}, "DEFAULT_PROVIDER": "house"}
    documented_host.agent |= house
    documented_host.environment |= {"HOST_COMM": json.dumps({"TASK_DISPATCH": "bus", "SERVICE": service})}
    away = Host(documented_host.server, documented_host.agent, {**documented_host.environment, **BUS_AWAY})
    task = run(away, 'say(start("llm.translate", PAYLOAD))')
    waiting = f"""
        import time
        until = time.monotonic() + 300
        while status({task!r}).state != "done" and time.monotonic() < until:
            time.sleep(0.2)
        say(told({task!r}))
    """
    assert run(documented_host, f"say(told({task!r}))") == ["pending", None]
    worker = running(documented_host, "consume_actions", "--topics", "task.requested")
    with worker, running(documented_host, "dispatch_outbox", "--interval", "0.2"):
        state, result = run(documented_host, waiting)
    assert (state, result["status"]) == ("done", "ok")
    assert result["result"] == {f"key {number}": f"TEXT {number}" for number in range(6)}
