"""A cache hit and a miss on a ledger of 1e3, 1e5 and 1e6 rows.

Reference: the same hit on the smallest ledger, in the same run.
"""

from datetime import timedelta

from benchmarks.host import milliseconds, on_each_engine, show, verdict

SIZES = (1_000, 100_000, 1_000_000)
PAYLOAD = {"prompt": 'The capital of France, as {"city": ...}', "model": "small"}


def fill(rows: int) -> None:
    """Add rows of other questions until the ledger has `rows`, in SQL."""
    from django.db import connection

    from stapel_agent.models import PromptLog

    missing = rows - PromptLog.objects.count()
    with connection.cursor() as cursor:
        cursor.execute(FILL[connection.vendor], {"rows": missing, "text": "lorem ipsum " * 20})
        cursor.execute("ANALYZE agent_prompt_log")


COLUMNS = "id, source, model, model_size, prompt, response, status, input_tokens, output_tokens, cache_key, created_at"
FILL = {
    "postgresql": f"""
        INSERT INTO agent_prompt_log ({COLUMNS})
        SELECT gen_random_uuid(), 'translate', 'claude-haiku', 'small', %(text)s, %(text)s, 'success', 10, 10,
               encode(sha256(random()::text::bytea), 'hex'), now() - random() * interval '30 days'
        FROM generate_series(1, %(rows)s)""",
    "sqlite": f"""
        WITH RECURSIVE series(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM series WHERE n < %(rows)s)
        INSERT INTO agent_prompt_log ({COLUMNS})
        SELECT lower(hex(randomblob(16))), 'translate', 'claude-haiku', 'small', %(text)s, %(text)s, 'success', 10, 10,
               lower(hex(randomblob(32))), datetime('now', '-' || abs(random() %% 2592000) || ' seconds')
        FROM series""",
}


def measure() -> None:
    from django.test import override_settings
    from stapel_core.comm import call

    from stapel_agent import arguments, cache
    from stapel_agent.asking.attempt_sequence import Attempts
    from stapel_agent.completion import as_text
    from stapel_agent.testing import scripted_provider

    hits = []
    reusing = override_settings(STAPEL_AGENT={"CACHE_LOOKUP": {"llm_facade": True}})
    with reusing, scripted_provider('{"city": "Paris"}') as model:
        unknown = Attempts(arguments.request_of("unknown", "large"), as_text).request
        call("llm.complete", PAYLOAD)
        for rows in SIZES:
            fill(rows)
            hit, miss = milliseconds(
                lambda: call("llm.complete", PAYLOAD), lambda: cache.find(unknown, as_text), rounds=300
            )
            hits.append(hit)
            show(f"hit, whole call, {rows:>9,} rows", hit, note=f"= {hit / hits[0]:.2f}x the smallest")
            show(f"miss, the lookup alone, {rows:>9,} rows", miss)
        assert len(model.requests) == 1, "every measured call was a hit"
    print_plan(unknown.cache_key)
    verdict("hit <= 1.5 ms at every size", max(hits) <= 1.5)
    verdict("flat within 1.3x of the smallest", max(hits) <= 1.3 * hits[0])


def print_plan(cache_key: str) -> None:
    from django.db import connection
    from django.utils import timezone

    from stapel_agent.cache.kept_answers import LATEST_ANSWER

    explain = {"postgresql": "EXPLAIN ANALYZE", "sqlite": "EXPLAIN QUERY PLAN"}[connection.vendor]
    with connection.cursor() as cursor:
        cursor.execute(f"{explain} {LATEST_ANSWER}", [cache_key, "success", timezone.now() - timedelta(days=7)])
        for row in cursor.fetchall():
            print("  plan:", row[-1])


if __name__ == "__main__":
    on_each_engine("benchmarks.cache", measure)
