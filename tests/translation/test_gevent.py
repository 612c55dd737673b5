"""A gevent worker, whose threads are greenlets that share one event loop."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import httpx
import pytest

from tests.scripted_server import Reply, ScriptedServer

ANSWER = {
    "choices": [{"message": {"content": '{"1": "Ein Text"}'}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 5, "completion_tokens": 3},
}
TEXTS = {f"k{number}": f"Text number {word}" for number, word in enumerate(("one", "two", "three", "four", "five"))}


@pytest.fixture
def host(tmp_path) -> Iterator[httpx.Client]:
    """A client of gunicorn with one gevent worker."""
    with ScriptedServer(Reply.of(ANSWER, thinking=0.1)) as model, socket.create_server(("127.0.0.1", 0)) as listener:
        os.set_inheritable(listener.fileno(), True)
        environment = {**os.environ, "HOST_DATABASE": str(tmp_path / "db.sqlite3"), "HOST_MODEL_URL": model.url}
        command = [sys.executable, "-m", "gunicorn", "--worker-class", "gevent", "--timeout", "60"]
        command += ["--bind", f"fd://{listener.fileno()}", "tests.gevent_host:application"]
        environment.pop("DJANGO_SETTINGS_MODULE", None)
        process = subprocess.Popen(command, env=environment, pass_fds=[listener.fileno()], stderr=subprocess.PIPE)
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        try:
            with httpx.Client(base_url=address, headers={"X-API-KEY": "service-key"}, timeout=60) as client:
                yield client
        finally:
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.communicate(timeout=30)
            process.kill()
            process.communicate()


def translated(client: httpx.Client, **fields: Any) -> dict[str, Any]:
    payload = {"from": "en", "to": "de", "entries": TEXTS, **fields}
    answer: dict[str, Any] = client.post("/agent/api/v1/llm/translate", json=payload).json()
    return answer


def test_gevent__several_questions(host):
    """A translation of several questions succeeds, also in parallel, and the worker keeps answering."""
    assert translated(host)["result"] == dict.fromkeys(TEXTS, "Ein Text")
    with ThreadPoolExecutor(4) as callers:
        answers = list(callers.map(lambda number: translated(host, to=("fr", "es", "it", "nl")[number]), range(4)))
    assert [answer["status"] for answer in answers] == ["ok"] * 4
    assert [len(answer["result"]) for answer in answers] == [len(TEXTS)] * 4
    asked = host.post("/agent/api/v1/llm/complete", json={"prompt": "say", "model": "small"}).json()
    assert (asked["status"], asked["result"]) == ("ok", json.loads('{"1": "Ein Text"}'))
    assert translated(host)["usage"]["input_tokens"] == 0
