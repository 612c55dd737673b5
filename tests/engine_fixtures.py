"""Fixtures for the tests of the engine: a provider that counts and waits, and hosts in separate processes."""

from __future__ import annotations

import fcntl
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.answers import by
from tests.hosts import Host, Server, own_database
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

TELL_OF_WAITING = """
from contextlib import contextmanager
from stapel_agent.sharing import single_flight as flights
from stapel_agent.sharing import held_row
told_of = set()
@contextmanager
def telling(waiting=flights.waiting):
    try:
        caller = asyncio.current_task()
    except RuntimeError:
        caller = threading.current_thread()
    with waiting():
        if caller not in told_of:
            told_of.add(caller)
            with open({path!r}, "ab") as file:
                file.write(b".")
        yield
flights.waiting = held_row.waiting = telling
"""


@dataclass(frozen=True)
class Waiters:
    """Callers that wait for another one's answer, in all hosts whose scripts begin with `script`."""

    path: Path

    @property
    def script(self) -> str:
        return TELL_OF_WAITING.format(path=str(self.path))

    def are(self, number: int) -> None:
        """Wait until there are as many."""
        until(lambda: self.path.exists() and self.path.stat().st_size == number)


def answer(text: str, **options: Any) -> Reply:
    """The answer of an OpenAI-compatible endpoint."""
    return Reply.of({"choices": [{"message": {"content": text}, "finish_reason": "stop"}], "usage": USAGE}, **options)


def until(condition: Callable[[], Any], seconds: float = 300) -> None:
    """Wait for other processes."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def outlive_silence(server: Server, table: str, seconds: float) -> None:
    """Wait until the only row of the table has been renewed for longer than the silence of a dead process."""

    def seen_at() -> datetime:
        moment: datetime = server.execute(f"SELECT seen_at FROM {table}")[0][0]
        return moment

    begin = seen_at()
    until(lambda: seen_at() - begin > timedelta(seconds=1.5 * seconds))


SERVERS = [pytest.param(kind, marks=getattr(pytest.mark, kind)) for kind in ("postgresql", "mariadb")]


@pytest.fixture(scope="session")
def databases() -> Iterator[Callable[[str], Server]]:
    """A database on each kind of server, for all tests of this process."""
    with ExitStack() as stack:
        yield cache(lambda kind: stack.enter_context(own_database(kind)))


@pytest.fixture(params=SERVERS)
def server(request: pytest.FixtureRequest, databases: Callable[[str], Server]) -> Server:
    """Each server. A module that needs only one has its own fixture with this name."""
    return databases(request.param)


TASK_HOST = {"DJANGO_SETTINGS_MODULE": "tests.task_host"}


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The database file of a host with a task store, for copying."""
    path = tmp_path_factory.mktemp("migrated") / "host.sqlite3"
    Host(Server("sqlite", str(path)), environment=TASK_HOST).manage("migrate", "-v0")
    return path


@pytest.fixture
def file_server(migrated_file: Path, tmp_path: Path) -> Server:
    """A database file for one test, for a host with a task store."""
    return Server("sqlite", str(shutil.copy(migrated_file, tmp_path)))


@pytest.fixture
def many_connections() -> Iterator[None]:
    """Only one test at a time may use half of a server's connections."""
    with (Path(tempfile.gettempdir()) / "stapel_agent_many_connections").open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        yield


@pytest.fixture
def waiters(tmp_path: Path) -> Waiters:
    return Waiters(tmp_path / "waiters")


@pytest.fixture
def model() -> Iterator[ScriptedServer]:
    """The provider of all hosts. It counts its calls, and answers when a reply's gate is opened."""
    with ScriptedServer(answer("this")) as model:
        yield model


@pytest.fixture
def host(server: Server, model: ScriptedServer) -> Iterator[Host]:
    """Hosts on an empty ledger on `server`, whose provider is the model."""
    server.clear()
    host = Host(server, {"OPENAI_COMPAT_BASE_URL": model.url, "CLI_TIMEOUT": 200})
    yield host
    host.stop()
