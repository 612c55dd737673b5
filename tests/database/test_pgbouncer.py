"""A host behind PgBouncer in transaction mode, where two transactions may run in different sessions."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hosts import Host, own_database
from tests.scripted_server import Reply, ScriptedServer

pytestmark = [pytest.mark.postgresql, pytest.mark.pgbouncer]

ANSWER = {
    "choices": [{"message": {"content": '{"1": "Ein Text"}'}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 5, "completion_tokens": 3},
}


@pytest.fixture
def bouncer() -> Iterator[int]:
    """The port of a PgBouncer with two sessions for each database."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    host, server_port = os.environ.get("POSTGRESQL_HOST", "127.0.0.1"), os.environ.get("POSTGRESQL_PORT", "5432")
    settings = {
        "listen_addr": "127.0.0.1",
        "listen_port": port,
        "unix_socket_dir": "",
        "auth_type": "any",
        "pool_mode": "transaction",
        "default_pool_size": 2,
        "max_client_conn": 200,
    }
    lines = "".join(f"{name} = {value}\n" for name, value in settings.items())
    password = os.environ.get("POSTGRESQL_PASSWORD", "")
    user = os.environ.get("POSTGRESQL_USER", "postgres")
    target = f"* = host={host} port={server_port} user={user}" + (f" password={password}" if password else "")
    folder = Path(tempfile.mkdtemp())
    config = folder / "pgbouncer.ini"
    config.write_text(f"[databases]\n{target}\n[pgbouncer]\n{lines}")
    command = [shutil.which("pgbouncer") or "/usr/sbin/pgbouncer", str(config)]
    if os.getuid() == 0:  # PgBouncer does not run as root
        folder.chmod(0o755)
        command = ["runuser", "-u", "postgres", "--", *command]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            _wait_for(port)
            yield port
        finally:
            process.terminate()
            shutil.rmtree(folder)


def _wait_for(port: int) -> None:
    end = time.monotonic() + 30
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            assert time.monotonic() < end, "PgBouncer does not start"
            time.sleep(0.05)


def test_pgbouncer__calls_in_every_way(bouncer: int) -> None:
    """Calls in a transaction, translations of several questions, parallel and async calls are answered and recorded."""
    agent = {
        "TRANSLATE_CHUNK_ENTRIES": 1,
        "BUDGETS": [{"scope": "all", "period": "day", "tokens": 10**9}],
        "CACHE_LOOKUP": {"llm_facade": False, "translate": True},
    }
    texts = {f"k{number}": f"Text number {word}" for number, word in enumerate(("one", "two", "three", "four"))}
    with ScriptedServer(Reply.of(ANSWER, thinking=0.05)) as model, own_database("postgresql") as server:
        host = Host(server, {**agent, "OPENAI_COMPAT_BASE_URL": model.url}, {"POSTGRESQL_PORT": str(bouncer)})
        try:
            answers = host.run(
                f"""
                texts = {texts!r}
                answers = []
                try:
                    with transaction.atomic():
                        list(PromptLog.objects.all()[:1])
                        answers.append(services.complete("in a transaction", "small"))
                        answers.append(services.translate("en", "de", texts))
                        raise KeyError
                except KeyError:
                    pass
                answers.append(services.translate("en", "fr", texts))
                def ask(number):
                    answers.append(services.complete(f"in a thread {{number}}", "small"))
                    connections.close_all()
                threads = [threading.Thread(target=ask, args=[number]) for number in range(8)]
                [thread.start() for thread in threads]
                [thread.join() for thread in threads]
                async def main():
                    asked = [services.acomplete(f"on a loop {{number}}", "small") for number in range(8)]
                    return await asyncio.gather(*asked, services.atranslate("en", "es", texts))
                answers += asyncio.run(main())
                say([answer["status"] + answer.get("reason", "") for answer in answers])
                """
            )
            statuses = [row["status"] for row in server.rows()]
        finally:
            host.stop()
    assert answers == ["ok"] * 20
    assert statuses == ["success"] * (1 + 4 + 4 + 8 + 8 + 4)
