"""The cost of a ledger row and of each index: bytes, and the log of its call's two writes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from benchmarks.markdown import head, line
from tests.hosts import Server

ROWS, WRITTEN = 200_000, 10_000
TEXTS = """
    INSERT INTO agent_prompt_log (id, request_id, source, provider, model, model_size, prompt, response, status,
        input_tokens, output_tokens, cost_usd, cost_basis, duration_ms, user_id, workspace_id, cache_key, metadata,
        created_at)
    SELECT gen_random_uuid(), gen_random_uuid(), (ARRAY['llm_facade', 'translate'])[1 + n % 2],
        'anthropic', 'model-' || n % 5, 'small', {prompt}, {response}, {status}, n % 5000, n % 700,
        (n % 100000) * 0.0000123, 'price_list', 300 + n * 7919 % 9000, 'user-' || n * 7919 % 5000,
        'workspace-' || n * 31 % 50, encode(sha256(n::text::bytea), 'hex'), '{{"provider": "anthropic"}}', {moment}
    FROM generate_series(1::bigint, {rows}) n"""
TEXT = "(SELECT string_agg(md5(n::text || part::text), ' ') FROM generate_series(1, 18) part)"
FILL = TEXTS.format(
    prompt=TEXT, response=TEXT, status="'success'", rows=ROWS,
    moment=f"now() - interval '30 days' + n * interval '30 days' / {ROWS}",
)  # fmt: skip
WRITE = TEXTS.format(
    prompt="repeat('lorem ', 50)", response="NULL", status="'pending'", rows=WRITTEN,
    moment="now() + n * interval '1 ms'",
)  # fmt: skip
CLOSE = """
    UPDATE agent_prompt_log SET status = 'success', response = repeat('ipsum ', 50), duration_ms = duration_ms + 1,
        input_tokens = 20, output_tokens = 10, cost_usd = 0.0001, cost_basis = 'price_list'
    WHERE status = 'pending'"""
INDEXES = """
    SELECT relname, pg_relation_size(indexrelid), indisprimary FROM pg_index JOIN pg_class ON oid = indexrelid
    WHERE indrelid = 'agent_prompt_log'::regclass ORDER BY 2 DESC"""
TEXT_BYTES = "SELECT avg(pg_column_size(prompt) + pg_column_size(response)) FROM agent_prompt_log"


@dataclass(frozen=True, order=True)
class Cost:
    """The cost of a call's two writes, whatever the processes and the disk: bytes of log, and milliseconds."""

    log_bytes: float
    milliseconds: float


def measure(server: Server) -> None:
    with server.connected() as connection:
        connection.execute(FILL)
        connection.execute("VACUUM ANALYZE agent_prompt_log")
        sizes = {name: size / ROWS for name, size, _ in connection.execute(INDEXES).fetchall()}
        (primary,) = (name for name, _, is_primary in connection.execute(INDEXES).fetchall() if is_primary)
        secondary = [name for name in sizes if name != primary]
        written(connection, [])  # the first run pays for pages of which the log needs a whole copy
        bare, whole = written(connection, secondary), written(connection, [])
        table = figure(connection, "SELECT pg_table_size('agent_prompt_log')")
        texts = figure(connection, TEXT_BYTES)
        head(f"a row, of {ROWS:,}")
        line("bytes of the table, two texts of 600 incompressible characters", table / ROWS)
        line("of which its two texts", texts, texts / (table / ROWS), "the table")
        line("bytes of all its indexes", sum(sizes.values()), sum(sizes.values()) / (table / ROWS), "the table")
        line(
            "bytes of log for a call's two writes",
            whole.log_bytes,
            whole.log_bytes / bare.log_bytes,
            "primary key only",
        )
        line(
            "ms of the database for them",
            whole.milliseconds,
            whole.milliseconds / bare.milliseconds,
            "primary key only",
        )
        each_index(connection, sizes, whole)


def each_index(connection: psycopg.Connection[Any], sizes: dict[str, float], whole: Cost) -> None:
    print("\n| index | bytes a row | log bytes of a call | share of the log |\n|---|---:|---:|---:|")
    for name, size in sizes.items():
        if not name.endswith("_pkey"):
            saved = whole.log_bytes - written(connection, [name]).log_bytes
            print(f"| `{name}` | {size:.0f} | {saved:.0f} | {saved / whole.log_bytes:.1%} |", flush=True)


def written(connection: psycopg.Connection[Any], dropped: Sequence[str]) -> Cost:
    """The cost of a call without these indexes: the lower of two runs, which are rolled back.

    A run right after a checkpoint has whole pages in its log.
    """
    return min(_written(connection, dropped) for _ in range(2))


def _written(connection: psycopg.Connection[Any], dropped: Sequence[str]) -> Cost:
    plans = []
    with connection.transaction(force_rollback=True):
        for name in dropped:
            connection.execute(f'DROP INDEX "{name}"')
        for statement in (WRITE, CLOSE):
            (plan,) = connection.execute(f"EXPLAIN (ANALYZE, WAL, TIMING OFF, FORMAT JSON) {statement}").fetchone()
            plans.append(plan[0])
    connection.execute("VACUUM agent_prompt_log")
    log_bytes = sum(plan["Plan"]["WAL Bytes"] for plan in plans)
    return Cost(log_bytes / WRITTEN, sum(plan["Execution Time"] for plan in plans) / WRITTEN)


def figure(connection: psycopg.Connection[Any], query: str) -> float:
    row = connection.execute(query).fetchone()
    assert row
    return float(row[0])
