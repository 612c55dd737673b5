"""A purge of 2e5 of 1e6 rows while calls are written: rows per second, and how long an insert and its closing wait.

References: the same inserts without a purge, and during one UPDATE of all rows. For the index: how long the search for
the next batch takes with it and without it, when most rows are scrubbed.
"""

import statistics
import threading
import time
from collections.abc import Callable
from typing import Any

from benchmarks.host import milliseconds, on_each_engine, show, verdict
from benchmarks.usage import execute

ROWS, OLD = 1_000_000, 200_000
FILL = """
    INSERT INTO agent_prompt_log (id, request_id, source, provider, model, model_size, prompt, system_prompt, response,
        status, input_tokens, output_tokens, cost_usd, cost_basis, user_id, workspace_id, cache_key, metadata,
        created_at)
    SELECT gen_random_uuid(), gen_random_uuid(), 'llm_facade', 'anthropic', 'model-' || n %% 5, 'small', %(text)s,
        %(text)s, %(text)s, CASE WHEN n %% 50 = 0 THEN 'failure' ELSE 'success' END, n %% 5000, n %% 700, 0.01,
        'price_list', 'user-' || n * 7919 %% 5000, 'workspace-' || n * 31 %% 50, encode(sha256(n::text::bytea), 'hex'),
        CASE WHEN n %% 2 = 0 THEN '{"provider": "anthropic"}'::jsonb
            ELSE '{"provider": "anthropic", "context": {"page": "start"}}'::jsonb END,
        now() - interval '100 days' + n * interval '100 days' / %(rows)s
    FROM generate_series(0::bigint, %(rows)s - 1) n"""
ALL_AT_ONCE = """
    UPDATE agent_prompt_log SET prompt = '', system_prompt = NULL, response = NULL, error_message = NULL,
        cache_key = NULL, metadata = '{"provider": "anthropic"}', scrubbed_at = now()
    WHERE scrubbed_at IS NULL AND status <> 'pending' AND created_at < now() - interval '60 days'"""


def measure() -> None:
    from stapel_agent.privacy import retention, scrubbing

    execute(FILL, {"rows": ROWS, "text": "lorem ipsum " * 40})
    execute("VACUUM ANALYZE agent_prompt_log")
    quiet = beside(lambda: time.sleep(10))
    show_calls("a call's two writes, with no purge (reference)", quiet)
    speeds: dict[str, Any] = {}
    for name, pause in (("without a pause", 0.0), (f"pausing {retention.PAUSE_SECONDS} s", retention.PAUSE_SECONDS)):
        days = 90 if pause == 0 else 80
        times, rows = purged(days, pause, speeds, name)
        show(f"rows purged a second, {name}", rows, "")
        show_calls(f"a call's two writes beside it, {name}", times, quiet)
    at_once: list[float] = []
    times = beside(lambda: at_once.extend(milliseconds(lambda: execute(ALL_AT_ONCE), rounds=1, warm_up=0)))
    show("rows purged a second, all in one UPDATE (reference)", OLD / at_once[0] * 1000, "")
    show_calls("a call's two writes beside that", times, quiet)
    execute("VACUUM ANALYZE agent_prompt_log")
    look = lambda: list(scrubbing.old_rows("default", before=retention.moment(59.99), with_texts=True)[:500])  # noqa: E731
    (by_index,) = milliseconds(look, rounds=20, warm_up=2)
    show("bytes that the index has for each row", size("agent_scrubbed_idx") / ROWS, "")
    show("bytes that the table and all its indexes have (reference)", size("agent_prompt_log") / ROWS, "")
    execute("DROP INDEX agent_scrubbed_idx")
    show_calls("a call's two writes without the index", beside(lambda: time.sleep(10)), quiet)
    (without,) = milliseconds(look, rounds=5, warm_up=1)
    show("the next batch, behind 4e5 scrubbed rows", by_index)
    show("the same without the index (reference)", without, note=f"{without / by_index:.0f} times as long")
    verdict("the next batch is found 5 times as fast as without the index", without >= 5 * by_index)


def size(relation: str) -> int:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_total_relation_size(%s::regclass)", [relation])
        return int(cursor.fetchone()[0])


def purged(days: float, pause: float, speeds: dict[str, Any], name: str) -> tuple[list[float], float]:
    """How long each call took beside a purge, and the purge's rows per second."""
    from stapel_agent.privacy import retention

    def run() -> None:
        started_at = time.perf_counter()
        rows = sum(retention.Purge(retention.moment(days), seconds=pause).run())
        speeds[name] = rows / (time.perf_counter() - started_at)

    return beside(run), speeds[name]


def beside(work: Callable[[], Any]) -> list[float]:
    """Milliseconds of each call that is written and closed, one after the other, during `work`."""
    times: list[float] = []
    is_over = threading.Event()
    writer = threading.Thread(target=write, args=(times, is_over))
    writer.start()
    try:
        work()
    finally:
        is_over.set()
        writer.join()
    return times


def write(times: list[float], is_over: threading.Event) -> None:
    from django.db import connection

    from stapel_agent.models import PromptLog

    while not is_over.is_set():
        started_at = time.perf_counter()
        row = PromptLog.objects.create(source="translate", provider="p", model="m", prompt="lorem ipsum " * 20)
        PromptLog.objects.filter(pk=row.pk).update(status="success", response="lorem " * 20, input_tokens=10)
        times.append((time.perf_counter() - started_at) * 1000)
        time.sleep(0.005)
    connection.close()


def show_calls(label: str, times: list[float], reference: list[float] | None = None) -> None:
    median, slow = statistics.median(times), statistics.quantiles(times, n=100)[98]
    ratio = f", {median / statistics.median(reference):.2f} times the reference" if reference else ""
    show(label, median, note=f"99 of 100 below {slow:.1f} ms, {len(times)} calls{ratio}")


if __name__ == "__main__":
    on_each_engine("benchmarks.purge", measure, engines=("postgresql",))
