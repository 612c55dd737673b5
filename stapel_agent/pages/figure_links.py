"""Figures as HTML, each linked to the rows behind it, with its kind and exact value in attributes for programs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.html import format_html
from django.utils.safestring import SafeString

from stapel_agent.models import PromptSource

from .ledger_urls import LedgerLinks
from .list_filters import UNSUCCESSFUL
from .number_formatting import count, money, money_in_column, percent
from .text_display import visible


def linked(kind: str, value: object, text: str | SafeString, address: str) -> SafeString:
    return format_html('<a data-figure="{}" href="{}"><data value="{}">{}</data></a>', kind, address, value, text)


def counted(kind: str, number: int, address: str) -> SafeString:
    """A count linked to its rows; zero has no link."""
    return linked(kind, number, count(number), address) if number else SafeString("0")


def spend(
    figures: Mapping[str, Any], links: LedgerLinks, places: int | None = None, **columns: str | None
) -> SafeString:
    """The known cost, or "unknown"; with `places` decimals in a column, or three significant digits."""
    return linked("cost_usd", f"{figures['cost_usd']:f}", _known(figures, places), links.to(**columns))


def without_price(figures: Mapping[str, Any], links: LedgerLinks, **columns: str | None) -> SafeString:
    """The number of calls missing from `spend()`, if any."""
    number = figures["unpriced_calls"]
    if not number:
        return SafeString()
    return aside(linked("unpriced_calls", number, _unpriced(number), links.to(cost="unpriced", **columns)))


def estimated(figures: Mapping[str, Any], links: LedgerLinks, **columns: str | None) -> SafeString:
    """The most that calls with an unknown outcome may have cost beyond `spend()`, if there are any."""
    usd = figures["estimated_cost_usd"]
    if not usd:
        return SafeString()
    text = f"+ up to {money(usd)} estimated"
    return aside(linked("estimated_cost_usd", f"{usd:f}", text, links.to(cost="estimated", **columns)))


def whole_spend(figures: Mapping[str, Any], links: LedgerLinks, places: int, **columns: str | None) -> SafeString:
    """`spend()`, `estimated()` and `without_price()`, for a column of a table."""
    extra = estimated(figures, links, **columns) + without_price(figures, links, **columns)
    return spend(figures, links, places, **columns) + extra


def spend_text(figures: Mapping[str, Any]) -> str:
    """`spend()` and `without_price()` as one text."""
    number = figures["unpriced_calls"]
    return f"{_known(figures)} {_unpriced(number)}" if number else _known(figures)


def is_unknown(figures: Mapping[str, Any]) -> bool:
    """Whether tokens were spent and no cost is known."""
    return bool(figures["unpriced_calls"]) and not figures["cost_usd"]


def _known(figures: Mapping[str, Any], places: int | None = None) -> str:
    if is_unknown(figures):
        return "unknown"
    return money(figures["cost_usd"]) if places is None else money_in_column(figures["cost_usd"], places)


def _unpriced(number: int) -> str:
    return f"+ {count(number)} {'call' if number == 1 else 'calls'} without a price"


def errors(number: int, of: int, links: LedgerLinks, **columns: str | None) -> SafeString:
    figure = counted("errors", number, links.to(status=UNSUCCESSFUL, **columns))
    return figure + aside(percent(number, of)) if number else figure


def named(column: str, name: str | None) -> SafeString:
    """A name for people; None stands for rows without one."""
    if name is None:
        return SafeString("<em>none</em>")
    labels = dict(PromptSource.choices) if column == "source" else {}
    return format_html("<bdi>{}</bdi>", visible(labels.get(name, name)) or '""')


def aside(text: str) -> SafeString:
    return format_html(' <span class="agent-aside">{}</span>', text)
