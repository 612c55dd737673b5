"""Figures of the usage page beside those of `usage()`: top spenders, durations, and the number of calls under way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import partial

from django.db import transaction

from stapel_agent.budgets import TOKENS
from stapel_agent.database import on_ledger
from stapel_agent.models import PromptLog, PromptStatus

from .usage_query import UsageQuery
from .usage_sql import CALLS, FIRST, Condition, FigureReader, Slice, Table, all_of, text

NAMES = ("user_id", "workspace_id", "source", "model")

SPENDING = Table(
    name=CALLS.name,
    moment=CALLS.moment,
    costs=CALLS.costs,
    sums={
        **{name: CALLS.sums[name] for name in ("calls", "errors")},
        "tokens": " + ".join(f"COALESCE(SUM({name}), 0)" for name in TOKENS),
        "unpriced_calls": CALLS.sums["unpriced_calls"],
    },
)
# For each duration, how many calls took no longer: the percentiles are the first with a large enough share.
DURATIONS = """
    SELECT MIN(CASE WHEN upto * 2 >= calls THEN duration_ms END),
        MIN(CASE WHEN upto * 20 >= calls * 19 THEN duration_ms END)
    FROM (
        SELECT duration_ms, SUM(COUNT(*)) OVER (ORDER BY duration_ms) AS upto, SUM(COUNT(*)) OVER () AS calls
        FROM {table} WHERE {conditions} AND duration_ms IS NOT NULL GROUP BY duration_ms
    ) AS taken
"""

CACHED = """
    SELECT {names}, COALESCE(SUM(cache_read_tokens), 0), COALESCE(SUM(cache_write_tokens), 0)
    FROM {table} WHERE {conditions} GROUP BY {names}
    HAVING COALESCE(SUM(cache_read_tokens), 0) + COALESCE(SUM(cache_write_tokens), 0) > 0
    ORDER BY 3 DESC, 4 DESC LIMIT 1000
"""


@dataclass(frozen=True)
class TopSpender:
    """A user, workspace, source or model, and the figures of its calls; `name` is None for calls without one."""

    name: str | None
    calls: int
    errors: int
    tokens: int
    unpriced_calls: int
    cost_usd: Decimal
    estimated_cost_usd: Decimal


@dataclass(frozen=True)
class Durations:
    """Half of the calls took at most `p50_ms`, and 95 of 100 at most `p95_ms`; None without calls."""

    p50_ms: int | None
    p95_ms: int | None


@dataclass(frozen=True)
class CachedInput:
    """Input that a provider's model read from its vendor's prompt cache, and wrote to it."""

    provider: str | None
    model: str | None
    read_tokens: int
    write_tokens: int


@dataclass(frozen=True)
class Rankings:
    """For each of NAMES, `spenders` has those that spent most (dollars, then tokens), and `counts` how many spent."""

    spenders: Mapping[str, Sequence[TopSpender]]
    counts: Mapping[str, int]
    durations: Durations
    pending: int
    cached: Sequence[CachedInput]


def rankings(since: datetime, until: datetime, places: int) -> Rankings:
    """Return the rankings of a period. `pending` counts the calls under way now, whenever they began."""
    return on_ledger(partial(_read, UsageQuery.of(group_by=(), since=since, until=until), places))


def _read(query: UsageQuery, places: int, alias: str) -> Rankings:
    reader = RankingReader(alias)
    with transaction.atomic(alias):
        reader.prepare()
        (spenders, counts), durations = reader.spenders(query, places), reader.durations(query)
        cached = reader.cached(query)
    pending = PromptLog.objects.using(alias).filter(status=PromptStatus.PENDING).count()
    return Rankings(spenders, counts, durations, pending, cached)


class RankingReader(FigureReader):
    """Sums up calls with the same four names, then adds these sums up for each of the names."""

    def prepare(self) -> None:
        # For this transaction: JIT costs more than it saves, and the default memory makes PostgreSQL sort on disk.
        if self._vendor == "postgresql":
            with self._connection.cursor() as cursor:
                cursor.execute("SELECT set_config('jit', 'off', true), set_config('work_mem', '64MB', true)")

    def spenders(self, query: UsageQuery, places: int) -> tuple[dict[str, list[TopSpender]], dict[str, int]]:
        where, values = self._conditions(query)
        parts = [self._ranked(name, place, places) for place, name in enumerate(NAMES)]
        statement = f"WITH spent AS ({self._grouped(where)}) {' UNION ALL '.join(parts)}"
        found: dict[str, list[TopSpender]] = {name: [] for name in NAMES}
        counts = dict.fromkeys(NAMES, 0)
        for place, number, who, *sums in self._fetched(statement, values):
            counts[NAMES[place]] = number
            found[NAMES[place]].append(TopSpender(text(who), **self._figures(SPENDING, sums)))
        return found, counts

    def durations(self, query: UsageQuery) -> Durations:
        where, values = self._conditions(query)
        ((p50_ms, p95_ms),) = self._fetched(DURATIONS.format(table=CALLS.name, conditions=where), values)
        return Durations(p50_ms, p95_ms)

    def cached(self, query: UsageQuery) -> list[CachedInput]:
        """Return the thousand pairs of provider and model with the most cached input. Few ledgers have more."""
        where, values = self._conditions(query)
        names = ", ".join(self._distinguished(name) for name in ("provider", "model"))
        rows = self._fetched(CACHED.format(table=CALLS.name, conditions=where, names=names), values)
        return [
            CachedInput(text(provider), text(model), int(read), int(write)) for provider, model, read, write in rows
        ]

    def _conditions(self, query: UsageQuery) -> Condition:
        return all_of(self._within(SPENDING, query, Slice(query.since, query.until, {})))

    def _grouped(self, where: str) -> str:
        names = {name: self._distinguished(name) for name in NAMES}
        columns = [f"{column} AS {name}" for name, column in names.items()]
        sums = [f"{total} AS {name}" for name, total in SPENDING.sums.items()]
        costs = [f"{total} AS {name}" for name, total in zip(SPENDING.costs, self._cost_sums(SPENDING), strict=True)]
        return (
            f"SELECT {', '.join([*columns, *sums, *costs])} FROM {SPENDING.name} "  # noqa: S608
            f"WHERE {where} GROUP BY {', '.join(names.values())}"
        )

    def _distinguished(self, name: str) -> str:
        # PostgreSQL's collations distinguish all texts, and sorting by another one takes three times as long.
        return name if self._vendor == "postgresql" else self._bytes(SPENDING, name)

    def _ranked(self, name: str, place: int, places: int) -> str:
        sums = [f"SUM({total}) AS {total}" for total in SPENDING.sums]
        costs = [f"COALESCE(SUM({cost}), 0) AS {cost}" for cost in SPENDING.costs]
        by_name = f"{self._bytes(SPENDING, name)}{FIRST.get(self._vendor, '')}"
        return (
            f"SELECT * FROM (SELECT {place} AS place, COUNT(*) OVER () AS number, {name} AS who, {', '.join(sums)}, "  # noqa: S608
            f"{', '.join(costs)} FROM spent GROUP BY {name} "
            f"ORDER BY cost_usd DESC, tokens DESC, calls DESC, {by_name} LIMIT {places}) AS ranked_{place}"
        )
