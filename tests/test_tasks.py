"""`llm.translate` as a task, on a host with a task store."""

import ast
import json
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.documents import block_after
from tests.hosts import Host, Server

TASK = """
from django.core.management import call_command
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
def host(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Host]:
    """A host with a task store and nothing else, or what a test says, on a file of SQLite."""
    environment = {
        "DJANGO_SETTINGS_MODULE": "tests.task_host",
        "HOST_DATABASE": str(tmp_path / "host.sqlite3"),
        **getattr(request, "param", {}),
    }
    host = Host(Server("sqlite", str(tmp_path / "host.sqlite3")), {"TRANSLATE_CHUNK_ENTRIES": 1}, environment)
    host.manage("migrate", "-v0")
    yield host
    host.stop()


def test_task__answers_as_the_function(host):
    """A task's result is the function's answer, all portions together."""
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
    """Every portion of a task is answered under the task's key, and the second task with it asks nobody."""
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


def test_task__a_portion_nobody_was_asked_for(host):
    """What came of the other portions is the result, with what it cost and who answered; its own keys have failed."""
    _, result = run(
        host,
        """
        from unittest.mock import patch
        from stapel_agent import services
        from stapel_agent.providers.base import ProviderResult

        def priced(request):
            return ProviderResult(translating(str.upper)(request), 10, 5, cost_usd="0.25")

        with scripted_provider(priced) as model:
            follow, portions = services.Once.follow, iter(range(2))

            def broken(once):
                if next(portions) == 1:
                    raise RuntimeError("a bug")
                return follow(once)

            with patch.object(services.Once, "follow", broken):
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


@pytest.mark.parametrize("reuse", [True, False])
def test_task__resumes(host, reuse):
    """What an interrupted attempt has paid for is not paid again, even where no translation is reused otherwise."""
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
    """A model's failure is the result of a task that is done: to do it again is for who reads the reason."""
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


APPS = re.search(r"INSTALLED_APPS \+= (\[.*?\])", block_after("docs/translation.md", "## Tasks"))[1]
DOCUMENTED = pytest.mark.parametrize(
    "host", [{"HOST_APPS": json.dumps(ast.literal_eval(APPS)[:-1]), "HOST_COMM": "{}"}], indirect=True
)


@DOCUMENTED
def test_task__as_documented(host):
    """With the two apps and nothing set, a task is done by its own process when the caller's transaction commits."""
    within, after = run(
        host,
        """
        with scripted_provider(translating(str.upper)) as model:
            with transaction.atomic():
                task_id = start("llm.translate", PAYLOAD)
                within = told(task_id)
            state, result = told(task_id)
        say([within, [state, result["result"]]])
        """,
    )
    assert within == ["pending", None]
    assert after == ["done", {f"key {number}": f"TEXT {number}" for number in range(6)}]


@DOCUMENTED
def test_task__tried_again(host):
    """An attempt that broke is made again by `sweep_tasks`, when it is due, and asks for what is missing alone."""
    states, asked = run(
        host,
        """
        from unittest import mock
        from django.db import OperationalError
        from stapel_agent import tasks

        def done(*commands):
            for command in commands:
                call_command(*command, stdout=sys.stderr)
            return TaskRecord.objects.get().state

        def breaking(payload, calls=[]):
            calls.append(payload)
            if len(calls) == 2:
                raise OperationalError("gone")
            return translate(payload)

        translate = tasks.llm_translate
        sweep, relay = ["sweep_tasks"], ["dispatch_outbox", "--once"]
        with scripted_provider(translating(str.upper)) as model, mock.patch.object(tasks, "llm_translate", breaking):
            start("llm.translate", PAYLOAD)
            states = [done(), done(sweep, relay)]
            TaskRecord.objects.update(not_before="2000-01-01T00:00Z")
            states += [done(relay), done(sweep)]
        say([states, texts(model)])
        """,
    )
    assert states == ["pending", "pending", "pending", "done"]
    assert asked == [f"text {number}" for number in range(6)]


@DOCUMENTED
def test_task__process_died_at_the_commit(host):
    """A task that nobody has taken up is done where `dispatch_outbox` runs."""
    process = host.start(
        TASK
        + textwrap.dedent(
            """
            with transaction.atomic():
                transaction.on_commit(lambda: os._exit(0))
                start("llm.translate", PAYLOAD)
            """
        )
    )
    process.communicate(timeout=60)
    before, after = run(
        host,
        """
        before = TaskRecord.objects.get().state
        with scripted_provider(translating(str.upper)) as model:
            call_command("dispatch_outbox", "--once", stdout=sys.stderr)
        say([before, TaskRecord.objects.get().state])
        """,
    )
    assert (before, after) == ("pending", "done")
