"""Cells of the ledger's list, each made of related columns of a row."""

from __future__ import annotations

from collections.abc import Callable

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from stapel_agent.ledger import TOKEN_FIELDS
from stapel_agent.models import CostBasis, PromptLog, PromptStatus

from .figure_links import named
from .number_formatting import count, money_in_column, time_taken
from .text_display import NOTHING, visible

KINDS = {"input_tokens": "in", "output_tokens": "out", "cache_read_tokens": "cached", "cache_write_tokens": "to cache"}
"""Column -> what the list calls its tokens."""

Shown = Callable[[str, str], str]
"""Returns a column's text, or a mask in its place."""


def source(row: PromptLog, shown: Shown) -> SafeString | str:
    return shown("source", named("source", row.source))


def model(row: PromptLog, provider: str, shown: Shown) -> SafeString:
    """The model; below it the provider and the size."""
    asked = [shown("provider", visible(provider)), shown("model_size", visible(row.model_size))]
    name = shown("model", visible(row.model))
    return format_html('<div class="agent-name" title="{}">{}</div>', name, name) + _stacked(
        [", ".join(filter(None, asked))]
    )


def tokens(row: PromptLog, shown: Shown) -> SafeString | str:
    """A line for each kind of tokens; cached ones only if there are any."""
    lines = [shown(column, _tokens(row, column)) for column in KINDS]
    return _stacked(lines) if any(lines) else NOTHING


SHOWN_PLACES = 6
"""Decimals of every cost in the list, so that amounts align."""


def cost(row: PromptLog, shown: Shown) -> SafeString | str:
    """Dollars; "unknown" for tokens without a price; nothing for a call that is under way."""
    if row.status == PromptStatus.PENDING:
        return shown("cost_usd", NOTHING)
    if row.cost_basis == CostBasis.ESTIMATED and row.estimated_cost_usd is not None:
        upper = money_in_column(row.estimated_cost_usd + (row.cost_usd or 0), SHOWN_PLACES)
        return shown("cost_usd", f"up to {upper}")
    if row.cost_basis == CostBasis.UNPRICED or row.cost_usd is None:
        has_no_price = row.cost_basis in (CostBasis.UNPRICED, CostBasis.ESTIMATED)
        spent = has_no_price or any(getattr(row, name) for name in TOKEN_FIELDS)
        return shown("cost_usd", "unknown" if spent else NOTHING)
    return shown("cost_usd", money_in_column(row.cost_usd, SHOWN_PLACES))


def outcome(row: PromptLog, status: SafeString, shown: Shown) -> SafeString:
    """The outcome of the call; below it the duration."""
    taken = shown("duration_ms", "" if row.duration_ms is None else time_taken(row.duration_ms))
    return _stacked([shown("status", status), taken])


def purpose(row: PromptLog, shown: Shown) -> SafeString:
    """What the call was for, its user and its workspace. A hint shows ids that are cut off."""
    owners = (("user", "user_id", row.user_id), ("workspace", "workspace_id", row.workspace_id))
    lines = (
        format_html('<div class="agent-owner" title="{} {}">{} <bdi>{}</bdi></div>', kind, text, kind, text)
        for kind, column, owner in owners
        if (text := shown(column, visible(owner or "")))
    )
    return format_html("<div>{}</div>{}", source(row, shown), format_html_join("", "{}", ((line,) for line in lines)))


def _tokens(row: PromptLog, column: str) -> str:
    number = getattr(row, column)
    is_stated = number if column.startswith("cache") else number is not None
    return f"{count(number)} {KINDS[column]}" if is_stated else ""


def _stacked(lines: list[str]) -> SafeString:
    return format_html_join("", "<div><bdi>{}</bdi></div>", ((line,) for line in lines if line))
