"""Threads, tasks and processes that share a budget on real database servers never exceed it."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from tests.engine_fixtures import until
from tests.hosts import Host, Server, said
from tests.scripted_server import Reply, ScriptedServer

SENT, CAP = 55, 10
"""Tokens of the question, by the estimate and the provider, and the cap on its answer."""
COST = SENT + CAP
ROOM = 20
"""The number of calls that the budget has room for."""
MODEL = "claude-haiku-4-5-20251001"
BUDGETS = {
    "tokens": {"scope": "workspace", "id": "acme", "period": "day", "tokens": COST * ROOM + COST - 1},
    "usd": {"scope": "all", "period": "month", "usd": str(COST * ROOM / 1000)},
}

IN_THREADS = """
from contextlib import nullcontext
answers = []
def ask(number):
    with {within}:
        answers.append(services.complete("what?", "small", user_id=str(number % 3), workspace_id="acme")["status"])
    connection.close()
threads = [threading.Thread(target=ask, args=(number,)) for number in range({n})]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
say(answers)
"""
IN_TASKS = """
async def main():
    asking = (
        services.acomplete("what?", "small", user_id=str(number % 3), workspace_id="acme") for number in range({n})
    )
    return [answer["status"] for answer in await asyncio.gather(*asking)]
say(asyncio.run(main()))
"""
ONE = """
say(services.complete("what?", "small", workspace_id="acme"))
"""


@pytest.fixture
def host(host: Host, model: ScriptedServer) -> Host:
    """Hosts whose provider spends everything that was reserved for it."""
    price = {"input": "1000", "output": "1000"}
    model.replies = [spent()]
    host.agent |= {"CACHE_LOOKUP": {}, "MAX_TOKENS": CAP, "PRICES": {MODEL: price}}
    return host


def spent() -> Reply:
    message = {"message": {"content": "this"}, "finish_reason": "stop"}
    return Reply.of({"choices": [message], "usage": {"prompt_tokens": SENT, "completion_tokens": CAP}})


def accounts(server: Server, scope: str) -> list[tuple[int, ...]]:
    """The spent money and tokens, then the reserved ones, of a scope's accounts."""
    columns = "spent_nanos, spent_tokens, reserved_nanos, reserved_tokens"
    found = server.execute(f"SELECT {columns} FROM agent_budget WHERE scope = '{scope}' ORDER BY identity")
    return [tuple(map(int, row)) for row in found]


@pytest.mark.usefixtures("many_connections")
@pytest.mark.parametrize("kind", sorted(BUDGETS))
@pytest.mark.parametrize(
    ("ask", "processes"),
    [
        (IN_THREADS.format(n=50, within="nullcontext()"), 1),
        (IN_THREADS.format(n=10, within="transaction.atomic()"), 4),
        (IN_TASKS.format(n=50), 1),
        (IN_TASKS.format(n=13), 4),
    ],
    ids=["threads", "transactions in processes", "tasks", "tasks in processes"],
)
def test_budget__is_never_overshot(host: Host, model: ScriptedServer, ask: str, processes: int, kind: str) -> None:
    """Of all parallel calls, exactly as many get through as the budget has room for."""
    general = {"scope": "user", "period": "month", "usd": "1000"}
    host.agent["BUDGETS"] = [BUDGETS[kind], general]
    started = [host.start(ask) for _ in range(processes)]
    statuses = Counter(status for process in started for status in said(process))
    assert statuses["ok"] == ROOM == len(model.requests)
    rows = Counter((row["status"], (row["metadata"] or {}).get("failure")) for row in host.server.rows())
    assert rows == {("success", None): ROOM, ("failure", "over_budget"): statuses["failure"]}
    whole = (COST * ROOM * 1_000_000, COST * ROOM, 0, 0)
    assert accounts(host.server, BUDGETS[kind]["scope"]) == [whole]
    assert tuple(map(sum, zip(*accounts(host.server, "user"), strict=True))) == whole
    assert host.server.execute("SELECT count(*) FROM agent_reservation") == [(0,)]


def isolate(host: Host, level: str) -> None:
    """Give the host's transactions this isolation level."""
    if host.server.kind == "postgresql":
        escaped = level.replace(" ", "\\ ")
        options = {"options": f"-c default_transaction_isolation={escaped}"}
    else:
        options = {"isolation_level": level}
    host.environment["HOST_DATABASE_OPTIONS"] = json.dumps(options)


@pytest.mark.parametrize("within", ["nullcontext()", "transaction.atomic()"], ids=["outside", "in a transaction"])
@pytest.mark.parametrize("level", ["repeatable read", "serializable"])
def test_budget__at_any_isolation_level(host: Host, level: str, within: str) -> None:
    """At stricter isolation levels of the host, no parallel call fails, and the budget is exact to the last call."""
    isolate(host, level)
    host.agent["BUDGETS"] = list(BUDGETS.values())
    answers = Counter(host.run(IN_THREADS.format(within=within, n=ROOM + 10)))
    assert answers == {"ok": ROOM, "failure": 10}
    told = Counter(row["metadata"].get("failure") for row in host.server.rows())
    assert told == {None: ROOM, "over_budget": 10}


def test_account__counts_concurrent_commits(host: Host, model: ScriptedServer) -> None:
    """A new account counts what another thread recorded after the call's own row was inserted, at REPEATABLE READ too.

    The account is made by a first try of the insert, and counted by the second.
    """
    isolate(host, "repeatable read")
    host.agent["BUDGETS"] = [BUDGETS["tokens"]]
    spent = host.run(
        """
        from stapel_agent.ledger import record_call, row_writer
        from stapel_agent.models import BudgetAccount
        def record():
            record_call(source="x", provider="v", model="m", cost_usd="0", input_tokens=7, workspace_id="acme")
            connections.close_all()
        def reserve(*arguments):
            tries.append(arguments)
            if len(tries) == 2:
                recording = threading.Thread(target=record)
                recording.start()
                recording.join()
            return reserved(*arguments)
        tries, reserved, row_writer.reserve = [], row_writer.reserve, reserve
        services.complete("what?", "small", workspace_id="acme")
        say([len(tries), BudgetAccount.objects.get().spent_tokens])
        """
    )
    assert spent == [2, 7 + COST]


ENDING = """
from django.conf import settings
from stapel_agent import record_call
from stapel_agent.budgets import balances
from stapel_agent.conf import agent_settings
from stapel_agent.models import BudgetAccount
looked, proceed, locked = threading.Event(), threading.Event(), balances.locked
def slow(keys, alias):
    found = locked(keys, alias)
    if threading.current_thread() is ending and len(keys) > 1:
        looked.set()
        proceed.wait(100)
    return found
def record():
    record_call(source="x", provider="v", model="m", cost_usd="0", input_tokens=7, workspace_id="acme")
    connections.close_all()
def ask():
    services.complete("what?", "small", workspace_id="acme", user_id=threading.current_thread().name)
    connections.close_all()
balances.locked, ending, other = slow, threading.Thread(target={call}), threading.Thread(target=ask)
ending.start()
looked.wait(100)
settings.STAPEL_AGENT = {{**settings.STAPEL_AGENT, "BUDGETS": [{budget}]}}
agent_settings.reload()
other.start()
other.join(1)
proceed.set()
other.join()
ending.join()
ask()
say(BudgetAccount.objects.get().spent_tokens)
"""


@pytest.mark.parametrize(("call", "tokens"), [("record", 7), ("ask", COST)])
def test_account__made_while_a_call_ends(host: Host, call: str, tokens: int) -> None:
    """A call that ends while another one makes its spender's account is charged, although it saw no account."""
    isolate(host, "serializable")
    host.agent["BUDGETS"] = [{"scope": "source", "id": "none", "period": "day", "tokens": 1}]
    assert host.run(ENDING.format(call=call, budget=BUDGETS["tokens"])) == tokens + 2 * COST
    assert host.server.execute("SELECT count(*) FROM agent_reservation") == [(0,)]


def test_sweep__after_a_kill(host: Host, model: ScriptedServer) -> None:
    """The reservation of a killed process is charged when its row is closed as lost: the call may have been billed."""
    host.agent["BUDGETS"] = [{**BUDGETS["tokens"], "tokens": COST}]
    model.replies = [Reply(raw=b"", ending="hang"), spent()]
    process = host.start(ONE)
    until(lambda: model.requests)
    process.kill()
    process.wait()
    assert accounts(host.server, "workspace") == [(0, 0, COST * 1_000_000, COST)]
    assert host.run(ONE)["budget"]["left_tokens"] == 0
    assert host.manage("close_lost_calls", "--older-than", "0") == "closed 1 lost call\n"
    assert accounts(host.server, "workspace") == [(COST * 1_000_000, COST, 0, 0)]
    assert host.run(ONE)["budget"]["left_tokens"] == 0


def test_rollback__of_the_caller(host: Host) -> None:
    """A caller whose transaction is rolled back has still spent the money."""
    host.agent["BUDGETS"] = [{**BUDGETS["tokens"], "tokens": COST}]
    answers = host.run(
        """
        answers = []
        for _ in range(2):
            with transaction.atomic():
                answers.append(services.complete("what?", "small", workspace_id="acme")["status"])
                transaction.set_rollback(True)
        say(answers)
        """
    )
    assert answers == ["ok", "failure"]
    assert accounts(host.server, "workspace") == [(COST * 1_000_000, COST, 0, 0)]


def test_connection__lost_in_mid_call(host: Host, model: ScriptedServer) -> None:
    """An outcome that is written twice, because the connection was lost after the first time, is charged once."""
    host.agent["BUDGETS"] = [BUDGETS["tokens"]]
    outcome = host.run(
        """
        from stapel_agent.ledger import row_statements
        from stapel_agent.testing import scripted_provider
        from stapel_agent.providers.base import ProviderResult
        written = row_statements.write_outcome
        def broken_once(row, alias):
            count = written(row, alias)
            row_statements.write_outcome = written
            raise __import__("django").db.OperationalError("the connection is lost after the commit")
        row_statements.write_outcome = broken_once
        with scripted_provider(ProviderResult("this", input_tokens=4, output_tokens=1)):
            say(services.complete("what?", "small", workspace_id="acme")["status"])
        """
    )
    assert outcome == "ok"
    assert accounts(host.server, "workspace") == [(5_000_000, 5, 0, 0)]
