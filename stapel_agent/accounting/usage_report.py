"""`usage()`: what was called, spent and saved, by day, month, model, user and the other columns of a call.

The database adds up the ledger's own rows, one day or month at a time, from an index that covers them. There are no
separate sums to keep in step, and no row that all calls of a day would wait for.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sized
from contextlib import suppress
from decimal import Decimal
from functools import partial
from itertools import groupby
from typing import Any, NotRequired, TypedDict, Unpack

from django.db import Error, transaction

from stapel_agent.budgets import PERIODS, Spender, period_name, period_span, standings
from stapel_agent.cache import flush_hits
from stapel_agent.conf import agent_settings
from stapel_agent.database import aon_ledger, on_ledger, reading
from stapel_agent.redaction import describe
from stapel_agent.types import Standing

from .usage_query import Key, UsageOptions, UsageQuery
from .usage_sql import COSTS, FIGURES, FigureReader, Slice

logger = logging.getLogger(__name__)


class UsageReport(TypedDict):
    """Each row has its group's names and figures; `totals` cover all rows of all pages.

    If BUDGETS is set, `budgets` has the current ones of the spenders in the filters, and of all together.
    """

    rows: list[dict[str, Any]]
    totals: dict[str, Any]
    budgets: NotRequired[list[Standing]]
    next_cursor: str | None


def usage(**options: Unpack[UsageOptions]) -> UsageReport:
    """Return the ledger's figures, grouped by the names in `group_by`, in their order.

    Raises InvalidUsageQuery, a ValueError, and LedgerUnavailable if the database does not answer or is not migrated.

    `until` is exclusive. Costs are exact Decimals, `errors` counts failed calls, and `unpriced_calls`
    those that spent tokens at an unknown price. Hits count at the beginning of their hour.
    """
    query = UsageQuery.of(**options)
    with reading():
        return on_ledger(partial(_answer, query))


async def ausage(**options: Unpack[UsageOptions]) -> UsageReport:
    """`usage()` on an event loop."""
    query = UsageQuery.of(**options)
    with reading():
        return await aon_ledger(partial(_answer, query))


def as_json(found: UsageReport) -> dict[str, Any]:
    """Return `found` for JSON. Costs are strings, because most JSON readers turn numbers into floats."""
    rows, standings = map(_plain, found["rows"]), found.get("budgets")
    budgets = {} if standings is None else {"budgets": [standing.as_json() for standing in standings]}
    return {**found, "rows": list(rows), "totals": _plain(found["totals"]), **budgets}


def _plain(figures: dict[str, Any]) -> dict[str, Any]:
    return {**figures, **{name: dollars(figures[name]) for name in COSTS}}


def dollars(cost: Decimal) -> str:
    """Return all digits of a cost, without trailing zeros."""
    return f"{cost.normalize() + 0:f}"


def _answer(query: UsageQuery, alias: str) -> UsageReport:
    with suppress(Error):  # the counts of this process are written later: the database may be read-only
        flush_hits()
    reader = FigureReader(alias)
    found = _found(reader, query)
    keys = sorted(found, key=_order)
    page = keys[: query.limit]
    is_whole = query.after is None and len(keys) <= query.limit
    answer: UsageReport = {
        "rows": [{**dict(zip(query.groups, key, strict=True)), **found[key]} for key in page],
        "totals": _sum(found.values() if is_whole else reader.totals(query)),
        "next_cursor": query.cursor(page[-1]) if len(keys) > query.limit else None,
    }
    if (standings := _standings(query, alias)) is not None:
        answer["budgets"] = standings
    return answer


def _standings(query: UsageQuery, alias: str) -> list[Standing] | None:
    """Return the budgets of the spenders that the filters name. None without BUDGETS, or if they are invalid."""
    if not agent_settings.BUDGETS:
        return None
    named = dict(query.filters)
    spender = Spender(named.get("source", ""), named.get("user_id"), named.get("workspace_id"))
    try:
        with transaction.atomic(alias):
            return standings(spender, alias)
    except Exception as fault:
        logger.error("BUDGETS cannot be applied, so usage() leaves the budgets out: %s", describe(fault))
        return None


def _found(reader: FigureReader, query: UsageQuery) -> dict[Key, dict[str, Any]]:
    """Return the figures of the page, and of at least one row after it, if there is one."""
    found: dict[Key, dict[str, Any]] = {}
    leading = query.groups[0] if query.groups and query.groups[0] in PERIODS else ""
    for _, slices in groupby(_slices(reader, query, found), key=lambda part: part.periods.get(leading)):
        for part in slices:
            for key, figures in reader.rows(query, part):
                found[key] = _sum([found.get(key, {}), figures])
        if len(found) > query.limit:
            break
    return found


def _sum(figures: Iterable[dict[str, Any]]) -> dict[str, Any]:
    total: dict[str, Any] = {name: Decimal(0) if name in COSTS else 0 for name in FIGURES}
    for some in figures:
        for name, figure in some.items():
            total[name] += figure
    for name in COSTS:
        total[name] = total[name] or Decimal(0)  # databases write zero in many ways, such as 0E-10
    return total


def _order(key: Key) -> tuple[tuple[bool, str], ...]:
    """Sort like the database: null first, then by code points, which is the order of bytes in UTF-8."""
    return tuple((value is not None, value or "") for value in key)


def _slices(reader: FigureReader, query: UsageQuery, found: Sized) -> Iterator[Slice]:
    """Yield the days or months with figures, or the whole period if rows are grouped by neither.

    If nothing was `found` in one of them, those that follow without figures are skipped: there may be decades.
    """
    if not set(query.groups) & set(PERIODS):
        yield Slice(query.since, query.until, {})
        return
    begin = reader.next_moment(query.since)
    while begin is not None and (query.until is None or begin < query.until):
        following = period_span("day" if "day" in query.groups else "month", begin)[1]
        end = following if query.until is None else min(following, query.until)
        before = len(found)
        part = Slice(begin, end, {name: period_name(name, begin) for name in PERIODS if name in query.groups})
        yield part
        begin = following if len(found) > before or _precedes(part, query) else reader.next_moment(following)


def _precedes(part: Slice, query: UsageQuery) -> bool:
    """Whether the page begins after the day or month of `part`, which is then not read."""
    leading = query.groups[0]
    return query.after is not None and leading in part.periods and part.periods[leading] < (query.after[0] or "")
