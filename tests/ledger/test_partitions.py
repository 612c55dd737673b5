"""The documented SQL partitions the ledger on PostgreSQL by month, beside running calls. The whole app still works."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from tests import partitions
from tests.engine_fixtures import PAID, SHARED, answer, until
from tests.hosts import Host, Server, own_database, said
from tests.scripted_server import ScriptedServer

pytestmark = pytest.mark.postgresql

INDEXES = "SELECT indexname FROM pg_indexes WHERE tablename = 'agent_prompt_log' ORDER BY 1"
IN_MONTH = """
from datetime import timedelta
from stapel_agent.ledger.row_statements import insert
from django.core.management import call_command
from django.utils import timezone
def fill(rows, months, **columns):
    facts = dict(source="other", model="m", prompt="secret", status="success", input_tokens=5, metadata={})
    made = PromptLog.objects.bulk_create([PromptLog(**{**facts, **columns}) for _ in range(rows)])
    moment = timezone.now().replace(day=15) + timedelta(days=30.4 * months)
    PromptLog.objects.filter(pk__in=[row.pk for row in made]).update(created_at=moment)
    return moment
"""


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """A database with a partitioned ledger."""
    with own_database("postgresql") as server:
        partitions.partition(server)
        yield server


def count(server: Server, table: str = "agent_prompt_log", condition: str = "true") -> int:
    return int(server.execute(f"SELECT count(*) FROM {table} WHERE {condition}")[0][0])


def test_turn__beside_calls() -> None:
    """While calls continue, the ledger becomes partitioned. No call fails, no row is lost, and all names are kept."""
    with own_database("postgresql") as server, ScriptedServer(answer("this")) as model:
        plain = server.execute(INDEXES)
        host = Host(server, {"OPENAI_COMPAT_BASE_URL": model.url, "CACHE_LOOKUP": {}})
        gate = threading.Barrier(2)
        model.replies = [answer("this"), answer("this", gate=gate), answer("this")]
        calls = host.start("say([services.complete(str(n), 'small')['status'] for n in range(300)])")
        until(lambda: len(model.requests) == 2)
        partitions.prepare(server)
        gate.wait(timeout=30)
        before = len(model.requests)
        until(lambda: len(model.requests) > before)
        partitions.turn(server)
        partitions.make_months(server)
        assert calls.poll() is None, "the calls were over before the table was turned"
        assert said(calls) == ["ok"] * 300
        assert count(server, condition="status = 'success' AND response = 'this'") == 300
        assert server.execute(INDEXES) == plain
        assert len(partitions.months(server)) == 12
        host.stop()


def test_months__made_once(server: Server) -> None:
    """The monthly statements can be repeated."""
    there = partitions.months(server)
    partitions.make_months(server)
    assert partitions.months(server) == there


def test_call__in_partitions(host: Host) -> None:
    """A call is written, closed, reused and summed up as in an unpartitioned table."""
    answers = host.run("""
    from stapel_agent import usage
    say([services.complete("what?", "small"), services.complete("what?", "small"), usage()["totals"]["calls"]])
    """)
    assert answers == [PAID, SHARED, 1]
    assert count(host.server, "agent_prompt_log_before", "status = 'success'") == 1


def test_call__within_a_budget(host: Host) -> None:
    """What a call reserves and spends is charged once."""
    host.agent["BUDGETS"] = [{"scope": "user", "period": "month", "tokens": 100_000}]
    assert host.run("say(services.complete('what?', 'small', user_id='ann')['status'])") == "ok"
    assert host.server.execute("SELECT spent_tokens, reserved_tokens FROM agent_budget") == [(10, 0)]


def test_call__of_a_month_without_partition(host: Host) -> None:
    """If the monthly run was forgotten, rows go to the rest partition, and calls continue."""
    host.run(f"{IN_MONTH}\nfill(2, 30)\nsay(1)")
    assert count(host.server, "agent_prompt_log_rest") == 2


def test_insert__tried_again(host: Host) -> None:
    """A row whose insert arrived before the connection broke exists once, whatever its key."""
    script = """
    def open_twice(insert):
        row = PromptLog(source="other", model="m", prompt="p", status="pending")
        insert(row, "default")
        row._state.adding = True
        insert(row, "default")
        return PromptLog.objects.filter(pk=row.pk).count()
    from stapel_agent.ledger import row_writer, row_statements
    say([open_twice(insert) for insert in (row_statements.insert, row_writer._insert_charged)])
    """
    assert host.run(script) == [1, 1]


def test_lookup__reads_its_months(host: Host) -> None:
    """The lookup of an earlier answer reads no partition from before CACHE_TTL."""
    plan = host.run(
        IN_MONTH
        + """
since = fill(3, 4)
from stapel_agent.cache.kept_answers import LATEST_ANSWER
with connection.cursor() as cursor:
    cursor.execute("EXPLAIN " + LATEST_ANSWER, ["key", "success", since])
    say(" ".join(line for line, in cursor.fetchall()))
"""
    )
    earlier, later = partitions.months(host.server)[:1], partitions.months(host.server)[-1]
    assert "agent_prompt_log_before" not in plan and earlier[0] not in plan
    assert later in plan


def test_usage__reads_its_month(host: Host) -> None:
    """The sums of a month read only that month's partition."""
    tables = host.run(
        IN_MONTH
        + """
from django.test.utils import CaptureQueriesContext
from stapel_agent import usage
moment = fill(3, 4)
first = moment.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
with CaptureQueriesContext(connection) as queries:
    calls = usage(since=first, until=(first + timedelta(days=32)).replace(day=1))["totals"]["calls"]
sums = [query["sql"] for query in queries if "SUM(" in query["sql"]]
with connection.cursor() as cursor:
    plans = []
    for sql in sums:
        cursor.execute("EXPLAIN " + sql)
        plans += [line for line, in cursor.fetchall()]
import re
say([calls, sorted(set(re.findall(r" on (agent_prompt_log_\\w+)", " ".join(plans))))])
"""
    )
    calls, read = tables
    assert calls == 3
    assert len(read) == 1 and read[0] in partitions.months(host.server)


@pytest.mark.parametrize("options", [(), ("--delete",)], ids=("scrub", "delete"))
def test_purge__in_partitions(host: Host, options: tuple[str, ...]) -> None:
    """A purge finds its rows in every partition, and leaves others alone."""
    host.run(f"{IN_MONTH}\nfill(20, -3)\nfill(10, 5)\nsay(1)")
    host.manage("purge_prompt_logs", "--days", "40", "--pause", "0", *options)
    left = {(): 30, ("--delete",): 10}[options]
    assert (count(host.server), count(host.server, condition="prompt = 'secret'")) == (left, 10)


def test_erasure__in_partitions(host: Host) -> None:
    """An erasure removes texts in every partition."""
    script = f"{IN_MONTH}\nfill(3, -3, user_id='ann')\nfill(2, 5, user_id='ann')\n"
    script += "from stapel_agent.privacy.erasure import erase\n"
    assert host.run(f"{script}say(erase('account', 'ann')['calls'])") == 5
    assert count(host.server, condition="prompt = 'secret' OR user_id = 'ann'") == 0


def test_drop__a_month(host: Host) -> None:
    """Dropping a partition removes the rows of its month and no others. Calls continue."""
    month = partitions.months(host.server)[3]
    host.run(f"{IN_MONTH}\n[fill(1, months) for months in range(2, 9)]\nsay(1)")
    rows = count(host.server, month)
    partitions.drop(host.server, month)
    assert (rows, count(host.server)) == (1, 6)
    assert host.run("say(services.complete('what?', 'small'))") == PAID
    partitions.make_months(host.server)
    assert month in partitions.months(host.server)


def test_migrations__on_partitions(host: Host) -> None:
    """A migration adds an index to every partition, and can be reversed. Other names stay."""
    server = host.server
    before = server.execute(INDEXES)
    host.manage("migrate", "agent", "0002", "-v0")
    without = server.execute(INDEXES)
    host.manage("migrate", "agent", "-v0")
    invalid = "SELECT indexrelid::regclass FROM pg_index WHERE NOT indisvalid"
    assert (server.execute(INDEXES), server.execute(invalid)) == (before, [])
    assert len(without) < len(before)
    assert host.run("say(services.complete('what?', 'small'))") == PAID
