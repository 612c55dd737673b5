"""The ledger as one table and as monthly partitions by the SQL of docs/scaling.md: a year of calls on PostgreSQL.

python -m benchmarks.partitions

Reference: the same rows and the same work in one table. For a dropped month: `purge_prompt_logs --delete`.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from benchmarks.host import milliseconds, on_each_engine
from benchmarks.markdown import head, line
from benchmarks.row_costs import TEXTS
from benchmarks.usage import execute
from tests import partitions
from tests.hosts import Server

ROWS, MONTHS = 360_000, 12
EDGE = "date_trunc('month', now(), 'UTC') + interval '2 months'"
FILL = TEXTS.format(
    prompt="repeat('lorem ', 50)",
    response="repeat('ipsum ', 50)",
    status="'success'",
    rows=ROWS,
    moment=f"{EDGE} + n * interval '359 days' / {ROWS}",
)
PAST = FILL.replace("interval '2 months' + n", "interval '1 month' - n")
MORE_MONTHS = """
    DO $$ DECLARE month timestamptz; BEGIN
        SET LOCAL timezone = 'UTC';
        FOR ahead IN 14..61 LOOP
            month := date_trunc('month', now()) + make_interval(months => ahead);
            EXECUTE format('CREATE TABLE %I PARTITION OF agent_prompt_log FOR VALUES FROM (%L) TO (%L)',
                to_char(month, '"agent_prompt_log_"YYYY_MM'), month, month + interval '1 month');
        END LOOP;
    END $$"""


def measure() -> None:
    from django.db import connection

    server = Server("postgresql", connection.settings_dict["NAME"])
    execute(FILL)
    execute("VACUUM ANALYZE agent_prompt_log")
    whole = figures()
    started_at = time.perf_counter()
    purged = purge_first_month(server)
    purge = (time.perf_counter() - started_at) * 1000
    execute("TRUNCATE agent_prompt_log")
    execute(PAST)
    prepare, turn = (timed(lambda step=step: step(server)) for step in (partitions.prepare, partitions.turn))  # type: ignore[misc]
    partitions.make_months(server)
    execute("TRUNCATE agent_prompt_log_before")
    execute(FILL)
    execute("VACUUM ANALYZE agent_prompt_log")
    parts = figures()
    month = partitions.months(server)[0]
    rows = server.execute(f"SELECT count(*) FROM {month}")[0][0]
    drop = timed(lambda: partitions.drop(server, month))
    execute(MORE_MONTHS)
    many = figures()
    head(f"{ROWS:,} rows of {MONTHS} months")
    for name in whole:
        line(f"{name}, 14 partitions, ms", parts[name], parts[name] / whole[name], "one table")
        line(f"{name}, 61 partitions, ms", many[name], many[name] / whole[name], "one table")
    line(f"to prepare {ROWS:,} rows, beside calls, ms", prepare)
    line("to convert the table, which nobody uses meanwhile, ms", turn, turn / prepare, "to prepare it")
    line(f"to drop a month of {rows:,} rows, ms", drop, drop / purge, f"a purge of {purged:,} rows without pauses")
    line("rows purged a second, without pauses", purged / purge * 1000)


def timed(work: Callable[[], Any]) -> float:
    return milliseconds(work, rounds=1, warm_up=0)[0]


def purge_first_month(server: Server) -> int:
    """The number of the oldest month's rows that a purge without pauses has deleted."""
    from stapel_agent.privacy import retention

    ((until,),) = server.execute(f"SELECT {EDGE} + interval '1 month'")
    return sum(retention.Purge(until, deletes=True, seconds=0).run())


def figures() -> dict[str, float]:
    """Milliseconds of the app's queries on the table."""
    from stapel_agent import usage
    from stapel_agent.cache.kept_answers import latest_answer
    from stapel_agent.models import PromptLog

    (middle,) = PromptLog.objects.order_by("created_at").values_list("created_at", flat=True)[ROWS // 2 : ROWS // 2 + 1]
    first = middle.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    month = {"since": first, "until": datetime(first.year + first.month // 12, first.month % 12 + 1, 1, tzinfo=UTC)}
    written: list[PromptLog] = []

    def insert() -> None:
        written.append(PromptLog.objects.create(source="other", provider="p", model="m", prompt="lorem " * 50))

    def close() -> None:
        rows = PromptLog.objects.filter(pk=written[-1].pk)
        rows.update(status="success", response="ipsum " * 50, input_tokens=20, output_tokens=10)

    steps: dict[str, Callable[[], Any]] = {
        "insert a call": insert,
        "close it": close,
        "look for an earlier answer": lambda: latest_answer("0" * 64, middle, "default"),
        "the calls of one request": lambda: list(PromptLog.objects.filter(request_id=written[-1].pk)),
        "a month's usage": lambda: usage(**month),
    }
    return dict(zip(steps, milliseconds(*steps.values(), rounds=60, warm_up=5), strict=True))


if __name__ == "__main__":
    on_each_engine("benchmarks.partitions", measure, engines=("postgresql",))
