"""Cells of the ledger's list, each of several columns of a row: what belongs together stands together."""

from __future__ import annotations

from collections.abc import Callable

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from stapel_agent.ledger import TOKEN_FIELDS
from stapel_agent.models import CostBasis, PromptLog, PromptStatus

from .amounts import count, money_in_column, time_taken
from .display import NOTHING, visible
from .figure_links import named

KINDS = {"input_tokens": "in", "output_tokens": "out", "cache_read_tokens": "cached", "cache_write_tokens": "to cache"}
"""Column -> what its tokens are called."""

Told = Callable[[str, str], str]
"""What is shown of a column's text: it, or a mask in its place."""


def source(row: PromptLog, told: Told) -> SafeString | str:
    return told("source", named("source", row.source))


def model(row: PromptLog, provider: str, told: Told) -> SafeString:
    """The model; below it the provider and the size that was asked for."""
    asked = [told("provider", visible(provider)), told("model_size", visible(row.model_size))]
    name = told("model", visible(row.model))
    return format_html('<div class="agent-name" title="{}">{}</div>', name, name) + _stacked(
        [", ".join(filter(None, asked))]
    )


def tokens(row: PromptLog, told: Told) -> SafeString | str:
    """A line for each kind there is; cached ones only if there are any."""
    lines = [told(column, _tokens(row, column)) for column in KINDS]
    return _stacked(lines) if any(lines) else NOTHING


COST_PLACES = 6
"""Decimals of every cost in the list, so that amounts align."""


def cost(row: PromptLog, told: Told) -> SafeString | str:
    """Dollars; "unknown" for tokens without a price; nothing for a call that is under way."""
    if row.status == PromptStatus.PENDING:
        return told("cost_usd", NOTHING)
    if row.cost_basis == CostBasis.UNPRICED or row.cost_usd is None:
        spent = row.cost_basis == CostBasis.UNPRICED or any(getattr(row, name) for name in TOKEN_FIELDS)
        return told("cost_usd", "unknown" if spent else NOTHING)
    return told("cost_usd", money_in_column(row.cost_usd, COST_PLACES))


def outcome(row: PromptLog, status: SafeString, told: Told) -> SafeString:
    """What came of the call; below it how long it took."""
    taken = told("duration_ms", "" if row.duration_ms is None else time_taken(row.duration_ms))
    return _stacked([told("status", status), taken])


def purpose(row: PromptLog, told: Told) -> SafeString:
    """What the call was for, and for which user and workspace. What is cut there is whole in a hint."""
    owners = (("user", "user_id", row.user_id), ("workspace", "workspace_id", row.workspace_id))
    lines = (
        format_html('<div class="agent-owner" title="{} {}">{} <bdi>{}</bdi></div>', kind, text, kind, text)
        for kind, column, owner in owners
        if (text := told(column, visible(owner or "")))
    )
    return format_html("<div>{}</div>{}", source(row, told), format_html_join("", "{}", ((line,) for line in lines)))


def _tokens(row: PromptLog, column: str) -> str:
    number = getattr(row, column)
    is_told = number if column.startswith("cache") else number is not None
    return f"{count(number)} {KINDS[column]}" if is_told else ""


def _stacked(lines: list[str]) -> SafeString:
    return format_html_join("", "<div><bdi>{}</bdi></div>", ((line,) for line in lines if line))
