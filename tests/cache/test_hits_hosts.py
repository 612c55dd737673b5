"""Processes on real database servers write their cache hits in the background, and when they exit."""

from __future__ import annotations

from textwrap import dedent

from tests.engine_fixtures import until
from tests.hosts import Host, Server, said
from tests.scripted_server import ScriptedServer

ASK = """
from stapel_agent.cache import hit_counts as hits
hits.FLUSH_SECONDS = {seconds}
def ask(times):
    for _ in range(times):
        services.complete("what?", "small", user_id="u")
"""


def counted(server: Server) -> int:
    return int(server.execute("SELECT COALESCE(SUM(hits), 0) FROM agent_hit_count")[0][0])


def test_hits__at_exit(host: Host, model: ScriptedServer) -> None:
    """A process writes its counts when it exits. Several processes share a row and lose nothing."""
    processes = [host.start(f"{ASK.format(seconds=60)}\nask(6)\nsay(1)") for _ in range(3)]
    assert [said(process) for process in processes] == [1, 1, 1]
    reused = 18 - len(model.requests)
    assert 15 <= counted(host.server) <= reused, "who waits for another's call has no hit"
    assert len(host.server.execute("SELECT * FROM agent_hit_count")) <= 2


def test_hits__now_and_then(host: Host) -> None:
    """A running process writes its counts every few seconds. A killed one loses only those of the last seconds."""
    script = f"{ASK.format(seconds=0.1)}\nask(6)\nsay(1)\nsys.stdin.readline()\nhits.FLUSH_SECONDS = 60\nask(4)\nsay(2)"
    process = host.start(f"{script}\nsys.stdin.readline()")
    assert process.stdin and process.stdout
    until(lambda: counted(host.server) == 5)
    process.stdin.write("\n")
    process.stdin.flush()
    assert [process.stdout.readline(), process.stdout.readline()] == ["1\n", "2\n"]
    process.kill()
    process.wait()
    assert 5 <= counted(host.server) <= 9


def test_hits__forked(host: Host) -> None:
    """A forked child does not write its parent's counts."""
    fork = "child = os.fork()\nif child == 0:\n    hits.flush()\n    os._exit(0)\nos.waitpid(child, 0)\nsay(1)"
    assert host.run(f"{ASK.format(seconds=60)}\nask(6)\nconnection.close()\n{fork}") == 1
    assert counted(host.server) == 5


SLOW_INSERTS = {
    "postgresql": """
        CREATE FUNCTION slow() RETURNS trigger AS 'BEGIN PERFORM pg_sleep(0.02); RETURN NEW; END' LANGUAGE plpgsql;
        CREATE TRIGGER slow BEFORE INSERT ON agent_hit_count FOR EACH ROW EXECUTE FUNCTION slow()
    """,
    "mariadb": "CREATE TRIGGER slow BEFORE INSERT ON agent_hit_count FOR EACH ROW DO SLEEP(0.02)",
}


def test_hits__many_keys_at_once(host: Host) -> None:
    """Counts with many keys are written early. Processes that write the same keys in any order do not deadlock."""
    host.server.execute(SLOW_INSERTS[host.server.kind])
    script = """
    from concurrent.futures import ThreadPoolExecutor
    from stapel_agent.cache import hit_counts as hits
    from stapel_agent.database import connection as ledger, own_connections
    from stapel_agent.types import CompletionRequest
    ledger.done = own_connections.done = lambda operation, alias: operation(alias)  # no retries after a deadlock
    hits.FULL = 10
    keys = list(range(12))
    {order}
    def note(_):
        for _ in range(2):
            for key in keys:
                hits.note(CompletionRequest("p", "small", "a", "llm_facade", 5, "m", user_id=str(key)), 1)
            hits.flush()
        connection.close()
    say("ready")
    sys.stdin.readline()
    with ThreadPoolExecutor(2) as threads:
        list(threads.map(note, range(2)))
    say("done")
    """
    processes = [host.start(dedent(script.format(order=order))) for order in ("pass", "keys.reverse()")]
    for process in processes:
        assert process.stdout and process.stdout.readline()
    for process in processes:
        assert process.stdin
        process.stdin.write("\n")
        process.stdin.flush()
    assert [said(process) for process in processes] == ["done", "done"]
    assert counted(host.server) == 2 * 2 * 2 * 12
