"""The charts of the usage page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.safestring import SafeString

from stapel_agent.budgets import TOKENS

from .bar_chart_svg import Bar, bar_chart
from .figure_links import is_unknown, spend_text
from .ledger_urls import LedgerLinks
from .number_formatting import count, money
from .usage_period import Period

Figures = Mapping[str, Any]
"""The figures of a row of `usage()`."""
Size = tuple[Any, str, bool]
"""A bar's size, its label, and whether the size is unknown."""


@dataclass(frozen=True)
class Chart:
    """A drawing, and the figure of its longest bar."""

    title: str
    top: str
    drawing: SafeString


def total_tokens(figures: Figures) -> int:
    return sum(figures[name] for name in TOKENS)


def charts(parts: Mapping[str, Figures], period: Period, links: LedgerLinks) -> Iterator[Chart]:
    called = {name: figures for name, figures in parts.items() if figures["calls"]}
    costs = {name: (figures["cost_usd"], spend_text(figures), is_unknown(figures)) for name, figures in called.items()}
    tokens = {name: (total_tokens(figures), count(total_tokens(figures)), False) for name, figures in called.items()}
    top = "unknown" if all(map(is_unknown, called.values())) else money(max(cost for cost, *_ in costs.values()))
    yield _chart("Spend", top, costs, period, links)
    yield _chart("Tokens", count(max(number for number, *_ in tokens.values())), tokens, period, links)


def _chart(title: str, top: str, sizes: Mapping[str, Size], period: Period, links: LedgerLinks) -> Chart:
    whole = f"{title} by {period.unit}"
    bars = [
        Bar(float(size[0]), f"{name}: {size[1]}", links.within(part).to(), size[2])
        if (size := sizes.get(name))
        else None
        for name, part in period.parts()
    ]
    return Chart(whole, top, bar_chart(title.lower(), whole, bars))
