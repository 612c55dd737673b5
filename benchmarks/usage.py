"""Figures from a ledger of 1e6 rows in three months: a workspace's month, a month by day and model, and the page.

References: the same sums by one ORM query, and without the covering index. The cost of the index is shown beside that
of a roll-up: one row for each day and kind of call, which every closing updates in its transaction.
"""

import threading
import time
from collections.abc import Callable
from datetime import UTC
from typing import Any

from benchmarks.host import milliseconds, on_each_engine, show, verdict

ROWS = 1_000_000
CLOSERS, CLOSINGS = 40, 25
MONTH = {"since": "2026-02-01", "until": "2026-03-01"}
WORKSPACES = {"one of 50": "workspace-7", "a tenth of all calls": "big"}

FILL = """
    INSERT INTO agent_prompt_log (id, request_id, source, provider, model, model_size, prompt, response, status,
        input_tokens, output_tokens, thinking_tokens, cache_read_tokens, cache_write_tokens, cost_usd, cost_basis,
        duration_ms, user_id, workspace_id, cache_key, created_at)
    SELECT gen_random_uuid(), gen_random_uuid(), (ARRAY['llm_facade', 'translate'])[1 + n %% 2],
        (ARRAY['anthropic', 'openai-compat'])[1 + n %% 3 / 2], 'model-' || n %% 5, 'small', %(text)s, %(text)s,
        CASE WHEN n %% 50 = 0 THEN 'failure' ELSE 'success' END, n %% 5000, n %% 700, 0, n %% 300, 0,
        (n %% 100000) * 0.0000123, 'price_list', 300 + n * 7919 %% 9000, 'user-' || n * 7919 %% 5000,
        CASE WHEN n * 31 %% 10 = 0 THEN 'big' ELSE 'workspace-' || n * 31 %% 50 END,
        encode(sha256(n::text::bytea), 'hex'), timestamptz '2026-01-01Z' + n * interval '90 days' / %(rows)s
    FROM generate_series(0::bigint, %(rows)s - 1) n"""
ROLL_UP = """
    CREATE TABLE roll_up AS
    SELECT (created_at AT TIME ZONE 'UTC')::date AS day, source, provider, model, user_id, workspace_id, status,
        count(*) AS calls, sum(input_tokens) AS input_tokens, sum(cost_usd) AS cost_usd
    FROM agent_prompt_log GROUP BY 1, 2, 3, 4, 5, 6, 7"""
ADD = "UPDATE hot SET calls = calls + 1, input_tokens = input_tokens + 1, cost_usd = cost_usd + 0.01"


def execute(statement: str, parameters: Any = None) -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)


def count(table: str) -> int:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {table}")
        return int(cursor.fetchone()[0])


def measure() -> None:
    execute(FILL, {"rows": ROWS, "text": "lorem ipsum " * 20})
    execute("ANALYZE agent_prompt_log")
    from stapel_agent import usage

    whole: Callable[[], Any] = lambda: usage(group_by="day,model", limit=1000, **MONTH)  # noqa: E731
    assert len(whole()["rows"]) == 28 * 5
    show("the whole month by day and model, nothing vacuumed yet", *milliseconds(whole, rounds=5, warm_up=1))
    execute("VACUUM ANALYZE agent_prompt_log")
    by_day = {name: lambda id=id: usage(workspace_id=id, **MONTH) for name, id in WORKSPACES.items()}
    figures = milliseconds(*by_day.values(), whole, rounds=30, warm_up=3)
    for name, figure in zip(by_day, figures, strict=False):
        show(f"a month of a workspace, {name}, by day", figure)
    show("the whole month by day and model", figures[-1])
    show("a page of 100 of it", *milliseconds(lambda: usage(group_by="day,model", **MONTH), rounds=20, warm_up=2))
    show("the whole month by user", *milliseconds(lambda: usage(group_by="user_id", **MONTH), rounds=10, warm_up=1))
    show("the same by day and model, by one query of the ORM (reference)", *milliseconds(orm, rounds=10, warm_up=1))
    page = the_page()
    a_hit()
    writing(whole)
    verdict("a month of one workspace <= 50 ms", max(figures[:-1]) <= 50)
    verdict("the whole month by day and model <= 300 ms", figures[-1] <= 300)
    verdict("the admin's page of a month <= 1 s", page <= 1000)


def the_page() -> float:
    """The admin's page as HTML, and the cost of summing users, workspaces, sources and models one by one."""
    from django.contrib.auth import get_user_model
    from django.test import Client

    from stapel_agent import usage
    from stapel_agent.accounting.top_spenders import NAMES

    client = Client()
    client.force_login(get_user_model().objects.create_superuser("reader", "reader@example.com", "password"))

    def page(**period: str) -> None:
        assert client.get("/admin/agent/promptlog/usage/", period).status_code == 200

    month, one_by_one, whole = milliseconds(
        lambda: page(**MONTH),
        lambda: [usage(group_by=name, limit=10, **MONTH) for name in NAMES],
        lambda: page(since="2026-01-01", until="2026-04-01"),
        rounds=10,
        warm_up=1,
    )
    show("the admin's page of a month", month)
    show(
        "its four rankings alone, each by usage() (reference)",
        one_by_one,
        "",
        f"page / reference {month / one_by_one:.2f}",
    )
    show("the admin's page of all 1e6 rows", whole)
    return month


def orm() -> list[Any]:
    from django.db.models import Count, Sum
    from django.db.models.functions import TruncDay

    from stapel_agent.ledger.columns import TOKEN_FIELDS
    from stapel_agent.models import PromptLog

    month = PromptLog.objects.filter(created_at__gte=MONTH["since"] + "T00Z", created_at__lt=MONTH["until"] + "T00Z")
    by = month.annotate(day=TruncDay("created_at", tzinfo=UTC)).values("day", "model").order_by("day", "model")
    return list(by.annotate(Count("pk"), Sum("cost_usd"), *map(Sum, TOKEN_FIELDS)))


def a_hit() -> None:
    """The cost of counting a hit."""
    from stapel_agent.cache import hit_counts
    from stapel_agent.types import CompletionRequest

    request = CompletionRequest("p", "small", "anthropic", "llm_facade", 5, "m", user_id="u")
    show("a cache hit, counted", *milliseconds(lambda: hit_counts.note(request, 1), rounds=2000))


def writing(whole: Callable[[], Any]) -> None:
    """Calls written and closed by many threads: with the index, without it, and with a roll-up instead."""
    execute(ROLL_UP)
    show("rows that a roll-up by day would have", count("roll_up"), "", f"for {ROWS:,} calls")
    show("calls written a second, with the index", written_a_second(), "")
    execute("DROP INDEX agent_usage_idx")
    show("calls written a second, without it (reference)", written_a_second(), "")
    execute("CREATE TABLE hot AS SELECT 0 AS calls, 0 AS input_tokens, 0.0 AS cost_usd")
    show("calls written a second, all adding to one row of a roll-up", written_a_second(ADD), "")
    execute("VACUUM ANALYZE agent_prompt_log")
    show("the whole month by day and model, without the index", *milliseconds(whole, rounds=5, warm_up=1))


def written_a_second(besides: str = "") -> float:
    threads = [threading.Thread(target=write, args=(besides,)) for _ in range(CLOSERS)]
    started_at = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return CLOSERS * CLOSINGS / (time.perf_counter() - started_at)


def write(besides: str) -> None:
    """Write rows as the ledger does: pending first, closed afterwards, each in a transaction."""
    from django.db import connection, transaction

    from stapel_agent.models import PromptLog

    for _ in range(CLOSINGS):
        row = PromptLog.objects.create(source="translate", provider="p", model="m", prompt="lorem ipsum " * 20)
        with transaction.atomic():
            PromptLog.objects.filter(pk=row.pk).update(status="success", input_tokens=10, output_tokens=5)
            if besides:
                execute(besides)
    connection.close()


if __name__ == "__main__":
    on_each_engine("benchmarks.usage", measure, engines=("postgresql",))
