"""What the tests of the engine share: a provider that counts and waits, and hosts in processes of their own."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.answers import by
from tests.hosts import Host, Server
from tests.scripted_server import Reply, ScriptedServer

USAGE = {"prompt_tokens": 7, "completion_tokens": 3}
PAID = {"status": "ok", "result": "this", "usage": {"input_tokens": 7, "output_tokens": 3}, **by("openai-compat")}
SHARED = {**PAID, "usage": {"input_tokens": 0, "output_tokens": 0}}

ASK = """
say(services.complete("what?", "small"))
"""

ASK_IN_THREADS = """
answers = []
threads = [threading.Thread(target=lambda: answers.append(services.complete("what?", "small"))) for _ in range({n})]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
say(answers)
"""

ASK_IN_TASKS = """
async def main():
    return await asyncio.gather(*(services.acomplete("what?", "small") for _ in range({n})))
say(asyncio.run(main()))
"""


def answer(text: str, **options: Any) -> Reply:
    """What an OpenAI-compatible endpoint says."""
    return Reply.of({"choices": [{"message": {"content": text}, "finish_reason": "stop"}], "usage": USAGE}, **options)


def until(condition: Callable[[], Any], seconds: float = 30) -> None:
    """Wait for what other processes do."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


@pytest.fixture
def model() -> Iterator[ScriptedServer]:
    """The provider of all hosts: it counts what it is asked, and answers when a reply's gate is opened."""
    with ScriptedServer(answer("this")) as model:
        yield model


@pytest.fixture
def host(server: Server, model: ScriptedServer) -> Iterator[Host]:
    """Hosts on an empty ledger of the module's `server`, whose provider is the model."""
    server.clear()
    host = Host(server, {"OPENAI_COMPAT_BASE_URL": model.url, "CLI_TIMEOUT": 20})
    yield host
    host.stop()
