"""Current budgets on the usage page: how much of each is used, linked to the rows that spent it."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from math import floor

from django.utils.html import format_html
from django.utils.safestring import SafeString

from stapel_agent.budgets import SPENDER, fullest, period_name
from stapel_agent.database import on_ledger
from stapel_agent.types import Standing

from .figure_links import counted, linked, named
from .ledger_urls import LedgerLinks
from .number_formatting import count, money, percent
from .usage_period import Period


@dataclass(frozen=True)
class BudgetLine:
    """`used` has a text for each of the budget's limits.

    `fill` is the used share of the nearer limit, as a number for HTML: 1 only if nothing is left.
    """

    owner: SafeString
    period: str
    used: list[SafeString]
    share: str
    fill: str


def budget_lines(
    now: datetime, places: int, links: LedgerLinks, hidden: Collection[str]
) -> tuple[list[BudgetLine], str]:
    """The budgets nearest to their limits, without those of hidden owners, and a text such as "10 of 25"."""
    standings, number = on_ledger(partial(fullest, now, places))
    lines = [_line(standing, links) for standing in standings if SPENDER.get(standing.scope) not in hidden]
    return lines, f"{len(lines)} of {count(number)}"


def _line(standing: Standing, links: LedgerLinks) -> BudgetLine:
    column, period = SPENDER.get(standing.scope), Period(standing.starts_on, standing.resets_at.date())
    owner = named(column, standing.identity) if column else "together"
    address = links.within(period).to(**({column: standing.identity} if column else {}))
    return BudgetLine(
        owner=format_html("{} {}", standing.scope, owner),
        period=period_name(standing.period, period.since),
        used=list(_used(standing, address)),
        share=percent(round(standing.share * 10_000), 10_000),
        fill=f"{min(1000, floor(1000 * standing.share)) / 1000:.3f}",
    )


def _used(standing: Standing, address: str) -> Iterator[SafeString]:
    if standing.limit_usd is not None:
        figure = linked("cost_usd", f"{standing.spent_usd:f}", money(standing.spent_usd), address)
        reserved = money(standing.reserved_usd) if standing.reserved_usd else ""
        yield _of(figure, money(standing.limit_usd), reserved)
    if standing.limit_tokens is not None:
        figure = counted("tokens", standing.spent_tokens, address)
        reserved = count(standing.reserved_tokens) if standing.reserved_tokens else ""
        yield _of(figure, f"{count(standing.limit_tokens)} tokens", reserved)


def _of(figure: SafeString, limit: str, reserved: str) -> SafeString:
    return format_html("{} of {}{}", figure, limit, f", {reserved} reserved" if reserved else "")
