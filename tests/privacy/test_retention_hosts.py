"""Purges and erasures on real database servers: killed, in parallel, and beside running calls."""

from __future__ import annotations

import threading
from textwrap import dedent

from tests.engine_fixtures import PAID, answer, until
from tests.hosts import Host, Server, said
from tests.scripted_server import ScriptedServer

FILL = """
from datetime import timedelta
from django.core.management import call_command
from django.utils import timezone
from stapel_agent.privacy import erasure as privacy
from stapel_agent.privacy import retention
from stapel_agent.privacy import scrubbing
from stapel_agent.models import HitCount
def fill(rows, days=9, **columns):
    facts = dict(source="other", model="m", prompt="secret", status="success", metadata={"provider": "p", "note": "x"})
    PromptLog.objects.bulk_create([PromptLog(**{**facts, **columns}) for _ in range(rows)], batch_size=1000)
    PromptLog.objects.filter(prompt="secret").update(created_at=timezone.now() - timedelta(days=days))
"""
PURGE = """
call_command("purge_prompt_logs", "--days", "1", "--batch-size", "50", "--pause", "{pause}", "-v0")
say(1)
"""


def filled(script: str) -> str:
    return FILL + dedent(script)


def count(server: Server, condition: str) -> int:
    return int(server.execute(f"SELECT count(*) FROM agent_prompt_log WHERE {condition}")[0][0])


def test_purge__killed_and_run_again(host: Host) -> None:
    """A killed purge has finished whole batches and nothing else. The same command does the rest."""
    host.run(f"{FILL}\nfill(1000)\nsay(1)")
    process = host.start(f"{FILL}\n{PURGE.format(pause=0.05)}")
    until(lambda: count(host.server, "scrubbed_at IS NOT NULL") > 100)
    process.kill()
    process.wait()
    done = count(host.server, "scrubbed_at IS NOT NULL")
    assert 100 < done < 1000
    assert done % 50 == 0
    assert count(host.server, "scrubbed_at IS NULL AND prompt = 'secret'") == 1000 - done
    assert count(host.server, "metadata LIKE '%note%'" if host.server.kind == "mariadb" else "metadata ? 'note'") == (
        1000 - done
    )
    out = host.manage("purge_prompt_logs", "--days", "1", "--pause", "0")
    assert out.startswith(f"scrubbed: {1000 - done} calls from before ")
    assert count(host.server, "prompt = 'secret' OR scrubbed_at IS NULL") == 0


def test_purge__several_at_once(host: Host) -> None:
    """Overlapping runs do the work once and do not fail."""
    host.run(f"{FILL}\nfill(1500)\nsay(1)")
    processes = [host.start(f"{FILL}\n{PURGE.format(pause=0)}") for _ in range(3)]
    assert [said(process) for process in processes] == [1, 1, 1]
    assert count(host.server, "prompt = 'secret' OR scrubbed_at IS NULL") == 0


def test_purge__locks_its_batch_alone(host: Host) -> None:
    """An uncommitted batch locks only its own rows. Calls insert and close theirs without waiting."""
    free = host.run(
        filled("""
    fill(300)
    fill(1, prompt="open", status="pending")
    waits = "SET lock_timeout = 500" if connection.vendor == "postgresql" else "SET innodb_lock_wait_timeout = 1"
    def meanwhile():
        with connection.cursor() as cursor:
            cursor.execute(waits)
        PromptLog.objects.create(source="other", model="m", prompt="new", status="pending")
        PromptLog.objects.filter(prompt="open").update(status="success", response="r")
        with transaction.atomic():
            free.extend(PromptLog.objects.select_for_update(skip_locked=True).values_list("pk", flat=True))
        connection.close()
    free = []
    with transaction.atomic():
        batch = scrubbing.scrub_batch("default", before=retention.moment(1), since=None, size=50)
        other = threading.Thread(target=meanwhile)
        other.start()
        other.join()
    say([batch.rows, len(free), PromptLog.objects.filter(response="r").count()])
    """)
    )
    assert free == [50, 252, 1]


def test_purge__beside_a_live_table(host: Host) -> None:
    """Calls are made, closed and accounted for during a purge."""
    host.agent["CACHE_LOOKUP"] = {}
    host.run(f"{FILL}\nfill(3000)\nsay(1)")
    purge = host.start(f"{FILL}\n{PURGE.format(pause=0.01)}")
    answers = host.run("say([services.complete(str(n), 'small')['status'] for n in range(40)])")
    assert answers == ["ok"] * 40
    assert said(purge) == 1
    assert count(host.server, "scrubbed_at IS NULL AND response = 'this'") == 40
    assert count(host.server, "scrubbed_at IS NOT NULL AND prompt = ''") == 3000


def test_purge__finds_its_rows_by_the_index(host: Host) -> None:
    """The next batch is found by the index, however many rows are scrubbed."""
    plan = host.run(
        filled("""
    fill(20000, prompt="", scrubbed_at=timezone.now())
    PromptLog.objects.update(created_at=timezone.now() - timedelta(days=9))
    fill(300)
    with connection.cursor() as cursor:
        analyze = "ANALYZE {}" if connection.vendor == "postgresql" else "ANALYZE TABLE {}"
        cursor.execute(analyze.format("agent_prompt_log"))
    found = scrubbing.old_rows("default", before=retention.moment(1), with_texts=True, since=retention.moment(10))
    say(found.values_list("pk", "created_at")[:50].explain())
    """)
    )
    assert "agent_scrubbed_idx" in plan
    assert not {word for word in ("Sort", "Seq Scan", "filesort") if word in plan}


def test_erasure__commits_by_itself(host: Host) -> None:
    """A batch is not rolled back with the receipt's transaction, and its locks are not held until then."""
    left = host.run(
        filled("""
    fill(10, user_id="ann")
    try:
        with transaction.atomic():
            privacy.erase("account", "ann")
            raise ValueError
    except ValueError:
        pass
    say(PromptLog.objects.filter(user_id="ann").count())
    """)
    )
    assert left == 0
    assert count(host.server, "prompt = 'secret'") == 0


def test_erasure__hits_that_are_counted_meanwhile(host: Host) -> None:
    """If counts are handed over while others are written, no hit is lost."""
    script = filled("""
    from stapel_agent.cache import hit_counts as hits
    from stapel_agent.types import CompletionRequest
    hits.FLUSH_SECONDS = 60
    for _ in range(150):
        hits.note(CompletionRequest("p", "small", "a", "llm_facade", 5, "m", user_id="ann"), 1)
        hits.flush()
    say(1)
    """)
    writers = [host.start(script) for _ in range(2)]
    until(lambda: host.server.execute("SELECT count(*) FROM agent_hit_count")[0][0])
    while any(writer.poll() is None for writer in writers):
        host.run(f"{FILL}\n[privacy.erase('account', 'ann') for _ in range(40)]\nsay(1)")
    assert [said(writer) for writer in writers] == [1, 1]
    host.run(f"{FILL}\nprivacy.erase('account', 'ann')\nsay(1)")
    counted = host.server.execute("SELECT user_id, SUM(hits) FROM agent_hit_count GROUP BY user_id")
    ((name, total),) = counted
    assert (name.startswith("erased:"), int(total)) == (True, 300)


def test_content__each_process_asks(host: Host, model: ScriptedServer) -> None:
    """Answers that are not stored cannot be shared with other processes: each asks on its own and is answered."""
    host.agent["LOG_CONTENT"] = {"llm_facade": "none"}
    model.replies = [answer("this", gate=threading.Barrier(2))]
    processes = [host.start("say(services.complete('what?', 'small'))") for _ in range(2)]
    assert [said(process) for process in processes] == [PAID, PAID]
    assert len(model.requests) == 2
    assert (host.server.flights(), count(host.server, "prompt = '' AND response IS NULL")) == (0, 2)


def test_erasure__call_under_way_elsewhere(host: Host, model: ScriptedServer) -> None:
    """A call of another process gets its answer. Its row has no text, and its cost is charged to the pseudonym."""
    host.agent["BUDGETS"] = [{"scope": "user", "period": "day", "tokens": 100_000}]
    gate = threading.Barrier(2)
    model.replies = [answer("this", gate=gate)]
    call = host.start("say(services.complete('what?', 'small', user_id='ann', idempotency_key='k'))")
    until(lambda: model.requests)
    counts = host.run(filled("say(privacy.erase('account', 'ann'))"))
    assert counts == {"calls": 1, "translations": 0, "idempotency_records": 1, "cache_hits": 0, "budgets": 1}
    gate.wait(timeout=30)
    assert said(call) == PAID
    assert (
        count(host.server, "user_id LIKE 'erased:%' AND prompt = '' AND response IS NULL AND status = 'success'") == 1
    )
    columns = "identity, spent_tokens, reserved_tokens, is_counted"
    ((identity, *figures),) = host.server.execute(f"SELECT {columns} FROM agent_budget")
    assert (identity.startswith("erased:"), figures) == (True, [10, 0, True])
    assert host.server.execute("SELECT count(*) FROM agent_reservation") == [(0,)]
    assert host.server.execute("SELECT count(*) FROM agent_idempotency") == [(0,)]
