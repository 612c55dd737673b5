"""The SQL that adds up the figures of the ledger's calls and of the cache's hits.

An answer may take one query per day, and the ORM needs longer to build such a query than the database to answer it.
Texts are compared and sorted by their bytes, because a collation may treat two of them as equal.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

from stapel_agent.column_ranges import COST_PLACES
from stapel_agent.database import as_stored, aware
from stapel_agent.ledger import TOKEN_FIELDS
from stapel_agent.models import HitCount, PromptLog

from .usage_query import Key, UsageQuery

COSTS = ("cost_usd", "estimated_cost_usd", "saved_cost_usd")
FIGURES = (
    *("calls", "errors", "cache_hits", *TOKEN_FIELDS, "cost_usd", "estimated_cost_usd", "unpriced_calls"),
    *("saved_tokens", "saved_cost_usd"),
)

SPENT = " OR ".join(f"{name} > 0" for name in TOKEN_FIELDS)
UNPRICED = (
    "cost_basis = 'unpriced' OR (cost_basis = 'estimated' AND estimated_cost_usd IS NULL) "
    f"OR (cost_usd IS NULL AND COALESCE(cost_basis, '') <> 'estimated' AND ({SPENT}))"
)
ESTIMATED = "CASE WHEN cost_basis = 'estimated' THEN estimated_cost_usd END"
"""A row has an estimate from the start. It counts only if the outcome stayed unknown."""
COST_SUM = {"sqlite": "SUM(CAST(ROUND({} * 1e10) AS INTEGER))"}
"""SQLite stores decimals as floats, which are exact to 15 digits, and would add them as floats."""
BYTES = {"postgresql": '{} COLLATE "C"', "mysql": "CAST({} AS BINARY)"}
FIRST = {"postgresql": " NULLS FIRST"}
"""Sorts null first, as the other databases do by default."""

CREATED_AT: Any = PromptLog._meta.get_field("created_at").cached_col

Condition = tuple[str, list[Any]]
"""SQL, and its parameters."""


@dataclass(frozen=True)
class Table:
    """A table with figures. `moment` is its time column. Figures that are not in `sums` or `costs` are 0."""

    name: str
    moment: str
    costs: Mapping[str, str]
    sums: Mapping[str, str]
    status: str = "status"

    def column(self, name: str) -> str:
        return self.status if name == "status" else name


@dataclass(frozen=True)
class Slice:
    """A part of the period, and the `day` or `month` of its rows."""

    since: datetime | None
    until: datetime | None
    periods: Mapping[str, str]


CALLS = Table(
    name=PromptLog._meta.db_table,
    moment="created_at",
    costs={"cost_usd": "cost_usd", "estimated_cost_usd": ESTIMATED},
    sums={
        "calls": "COUNT(*)",
        "errors": "SUM(CASE WHEN status NOT IN ('success', 'pending') THEN 1 ELSE 0 END)",
        **{name: f"SUM({name})" for name in TOKEN_FIELDS},
        "unpriced_calls": f"SUM(CASE WHEN {UNPRICED} THEN 1 ELSE 0 END)",
    },
)
HITS = Table(
    name=HitCount._meta.db_table,
    moment="hour",
    costs={"saved_cost_usd": "saved_cost_usd"},
    sums={"cache_hits": "SUM(hits)", "saved_tokens": "SUM(saved_tokens)"},
    status="'success'",
)
TABLES = (CALLS, HITS)


class FigureReader:
    def __init__(self, alias: str) -> None:
        self._connection: BaseDatabaseWrapper = connections[alias]
        self._vendor = self._connection.vendor

    def rows(self, query: UsageQuery, part: Slice) -> Iterator[tuple[Key, dict[str, Any]]]:
        """Yield the first rows of a slice, one more than a page has. A key may occur once in each table."""
        for table in TABLES:
            behind = self._behind(table, query, part)
            if behind is not None:
                names = [name for name in query.groups if name not in part.periods]
                for row in self._select(table, names, [*self._within(table, query, part), behind], query.limit + 1):
                    values = {**part.periods, **dict(zip(names, map(text, row), strict=False))}
                    figures = self._figures(table, row[len(names) :])
                    if any(figures.values()) or not part.periods:  # a sum without groups has a row for no rows
                        yield tuple(values[name] for name in query.groups), figures

    def totals(self, query: UsageQuery) -> Iterator[dict[str, Any]]:
        """Yield the figures of the whole query, once per table."""
        everything = Slice(query.since, query.until, {})
        for table in TABLES:
            for row in self._select(table, [], self._within(table, query, everything), 1):
                yield self._figures(table, row)

    def next_moment(self, since: datetime | None) -> datetime | None:
        """Return the first moment with figures, or the first one from `since` on. None if there is none."""
        part = Slice(since, None, {})
        where = [(table, *all_of(self._bounds(table, part))) for table in TABLES]
        firsts = [f"SELECT MIN({table.moment}) AS moment FROM {table.name} WHERE {sql}" for table, sql, _ in where]  # noqa: S608
        statement = f"SELECT MIN(moment) FROM ({' UNION ALL '.join(firsts)}) AS firsts"  # noqa: S608
        ((found,),) = self._fetched(statement, [value for _, _, values in where for value in values])
        return self._read_moment(found)

    def _select(self, table: Table, names: Sequence[str], where: list[Condition], limit: int) -> list[Sequence[Any]]:
        keys = [self._bytes(table, name) for name in names]
        places = range(1, len(keys) + 1)
        order = ", ".join(f"{place}{FIRST.get(self._vendor, '')}" for place in places)
        grouped = f" GROUP BY {', '.join(map(str, places))} ORDER BY {order}" if keys else ""
        conditions, values = all_of(where)
        columns = ", ".join([*keys, *table.sums.values(), *self._cost_sums(table)])
        statement = f"SELECT {columns} FROM {table.name} WHERE {conditions}{grouped} LIMIT {limit}"  # noqa: S608
        return self._fetched(statement, values)

    def _fetched(self, statement: str, values: Sequence[Any]) -> list[Sequence[Any]]:
        with self._connection.cursor() as cursor:
            cursor.execute(statement, values)
            return list(cursor.fetchall())

    def _within(self, table: Table, query: UsageQuery, part: Slice) -> list[Condition]:
        """Return the conditions for rows of the slice that match the filters."""
        within = self._bounds(table, part)
        for name, value in query.filters:
            # An index serves the first condition, whatever the collation.
            within.append((f"{table.column(name)} = %s", [value]))
            if self._vendor in BYTES:
                within.append((f"{self._bytes(table, name)} = %s", [value]))
        return within

    def _bounds(self, table: Table, part: Slice) -> list[Condition]:
        bounds = [(">=", part.since), ("<", part.until)]
        return [(f"{table.moment} {sign} %s", [self._moment(bound)]) for sign, bound in bounds if bound]

    def _behind(self, table: Table, query: UsageQuery, part: Slice) -> Condition | None:
        """Return the condition for rows after the cursor, or None if the slice has no such row."""
        alternatives: list[Condition] = []
        equal: list[Condition] = []
        for name, value in zip(query.groups, query.after or (), strict=False):
            if name not in part.periods:
                column = self._bytes(table, name)
                alternatives.append(all_of([*equal, _greater(column, value)]))
                equal.append(_equal(column, value))
            elif part.periods[name] > (value or ""):
                alternatives.append(all_of(equal))
                break
            elif part.periods[name] < (value or ""):
                break
        if query.after is None:
            return all_of([])
        if not alternatives:
            return None
        joined = " OR ".join(f"({condition})" for condition, _ in alternatives)
        return joined, [value for _, values in alternatives for value in values]

    def _cost_sums(self, table: Table) -> list[str]:
        return [COST_SUM.get(self._vendor, "SUM({})").format(cost) for cost in table.costs.values()]

    def _bytes(self, table: Table, name: str) -> str:
        return BYTES.get(self._vendor, "{}").format(table.column(name))

    def _figures(self, table: Table, sums: Sequence[Any]) -> dict[str, Any]:
        figures: dict[str, Any] = {name: int(total or 0) for name, total in zip(table.sums, sums, strict=False)}
        for name, total in zip(table.costs, sums[len(table.sums) :], strict=True):
            cost = Decimal(total or 0)
            figures[name] = cost.scaleb(-COST_PLACES) if self._vendor in COST_SUM else cost
        return figures

    def _moment(self, moment: datetime) -> Any:
        return self._connection.ops.adapt_datetimefield_value(as_stored(moment))

    def _read_moment(self, value: Any) -> datetime | None:
        for convert in self._connection.ops.get_db_converters(CREATED_AT):
            value = convert(value, None, self._connection)
        return None if value is None else aware(value).astimezone(UTC)


def _greater(column: str, value: str | None) -> Condition:
    return (f"{column} IS NOT NULL", []) if value is None else (f"{column} > %s", [value])


def _equal(column: str, value: str | None) -> Condition:
    return (f"{column} IS NULL", []) if value is None else (f"{column} = %s", [value])


def all_of(conditions: Sequence[Condition]) -> Condition:
    joined = " AND ".join(f"({condition})" for condition, _ in conditions) or "1 = 1"
    return joined, [value for _, values in conditions for value in values]


def text(value: Any) -> str | None:
    return value.decode() if isinstance(value, bytes) else value
