"""Budgets of now on the usage page: what is used of them, and the rows that it was spent by."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import partial

from django.utils.html import format_html
from django.utils.safestring import SafeString

from . import accounts
from .accounts import SPENDER, Balance
from .amounts import count, money, percent
from .budgets import NANOS
from .connection import on_ledger
from .ledger_links import LedgerLinks
from .linked_figures import counted, linked, named
from .usage_period import DAY, Period


@dataclass(frozen=True)
class BudgetLine:
    """`used` has a text for each of the budget's limits; `fill` is the part of the nearer one, as HTML has numbers."""

    owner: SafeString
    period: str
    used: list[SafeString]
    share: str
    fill: str


def budget_lines(now: datetime, places: int, links: LedgerLinks, hidden: Collection[str]) -> list[BudgetLine]:
    """The budgets nearest to their limits, but those of owners whose column is hidden."""
    balances = on_ledger(partial(accounts.fullest, now, places))
    return [_line(balance, links) for balance in balances if SPENDER.get(balance.scope) not in hidden]


def _line(balance: Balance, links: LedgerLinks) -> BudgetLine:
    column, period = SPENDER.get(balance.scope), Period(balance.starts_at.date(), balance.ends_at.date())
    is_day = period.until - period.since == DAY
    owner = named(column, balance.identity) if column else "together"
    address = links.within(period).to(**({column: balance.identity} if column else {}))
    return BudgetLine(
        owner=format_html("{} {}", balance.scope, owner),
        period=f"{period.since:%Y-%m-%d}" if is_day else f"{period.since:%Y-%m}",
        used=list(_used(balance, address)),
        share=percent(round(balance.share * 10_000), 10_000),
        fill=f"{min(1, balance.share):.3f}",
    )


def _used(balance: Balance, address: str) -> Iterator[SafeString]:
    if balance.limit_usd is not None:
        spent, reserved = (Decimal(part.nanos) / NANOS for part in (balance.spent, balance.reserved))
        figure = linked("cost_usd", f"{spent:f}", money(spent), address)
        yield _of(figure, money(balance.limit_usd), money(reserved) if reserved else "")
    if balance.limit_tokens is not None:
        reserved_tokens = balance.reserved.tokens
        figure = counted("tokens", balance.spent.tokens, address)
        yield _of(figure, f"{count(balance.limit_tokens)} tokens", count(reserved_tokens) if reserved_tokens else "")


def _of(figure: SafeString, limit: str, reserved: str) -> SafeString:
    return format_html("{} of {}{}", figure, limit, f", {reserved} reserved" if reserved else "")
