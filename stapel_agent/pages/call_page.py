"""The page of one call: the columns of its row, and the other calls of its request."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from stapel_core.django.admin.base import MASK_PLACEHOLDER, StapelModelAdmin

from stapel_agent.models import CostBasis, PromptLog, PromptStatus

from . import list_cells
from .changelist import LARGE_COLUMNS
from .number_formatting import count
from .text_display import NOTHING, json_block, local, moment_text, text_block, visible

# A sign beside the word and the colour helps readers who skim or do not see colours.
STATUS_SIGNS: dict[str, str] = {
    PromptStatus.PENDING: "…",
    PromptStatus.SUCCESS: "✓",
    PromptStatus.FAILURE: "✗",
    PromptStatus.TIMEOUT: "◷",
    PromptStatus.ERROR: "!",
}
# How many calls of the same request a row's page lists.
LINKED_CALLS = 20
# A row's page: fieldset -> lines -> columns side by side; "_block" shows a column as a block of text.
PAGE = {
    "Prompt and answer": (("prompt_block",), ("response_block",), ("error_message_block",), ("system_prompt_block",)),
    "Call": (("time", "marked_status", "duration"), ("named_source", "user", "workspace"), ("calls",)),
    "Model": (("asked_provider", "model", "size"),),
    "Tokens": (("input", "output", "thinking", "cache_read", "cache_write"),),
    "Cost": (("exact_cost", "basis_of_cost", "estimated_cost"),),
    "Details": (("metadata_block",), ("row_id",), ("cache_key",), ("texts_removed",)),
}


def displays(column: str, label: str) -> Callable[[Any], Any]:
    """Decorate a method that shows a column under a label in words."""

    def decorate(method: Any) -> Any:
        method.column = column
        return admin.display(description=label)(method)

    return decorate


def labelled(column: str, label: str, shown: Callable[[Any], Any] = str) -> Any:
    """Return a method that shows a column under a label in words."""

    @displays(column, label)
    def display(self: CallPage, row: PromptLog) -> Any:
        value = getattr(row, column)
        return NOTHING if value is None else shown(value)

    return display


class CallPage(StapelModelAdmin):
    """Shows what an admin's `secret_fields` do not hide."""

    duration = labelled("duration_ms", "duration", "{:,} ms".format)
    user = labelled("user_id", "user", visible)
    workspace = labelled("workspace_id", "workspace", visible)
    input = labelled("input_tokens", "input", count)
    output = labelled("output_tokens", "output", count)
    thinking = labelled("thinking_tokens", "thinking", count)
    cache_read = labelled("cache_read_tokens", "cache read", count)
    cache_write = labelled("cache_write_tokens", "cache write", count)
    size = labelled("model_size", "size", visible)
    row_id = labelled("id", "id of the call")
    texts_removed = labelled("scrubbed_at", "texts removed", moment_text)
    prompt_block = labelled("prompt", "prompt", text_block)
    response_block = labelled("response", "response", text_block)
    error_message_block = labelled("error_message", "error", text_block)
    system_prompt_block = labelled("system_prompt", "system prompt", text_block)
    metadata_block = labelled("metadata", "metadata", json_block)

    def get_fieldsets(self, request: HttpRequest, obj: PromptLog | None = None) -> Any:
        return [
            (title, {"fields": [tuple(map(self._masked, line)) for line in lines]}) for title, lines in PAGE.items()
        ]

    def _masked(self, name: str) -> str:
        # A host's subclass may name `secret_fields`; stapel-core masks them in the list only.
        column = getattr(getattr(self, name, None), "column", name)
        return self._mask_display_name(column) if column in self._masked_field_names() else name

    def _shown(self, column: str, text: str) -> str:
        return MASK_PLACEHOLDER if column in self._masked_field_names() else text

    @admin.display(description="time")
    def time(self, row: PromptLog) -> SafeString:
        moment = local(row.created_at)
        return format_html('<time datetime="{}">{}</time>', moment.isoformat(), f"{moment:%Y-%m-%d %H:%M:%S}")

    @displays("status", "status")
    def marked_status(self, row: PromptLog) -> SafeString:
        return format_html(
            '<span class="agent-status agent-{}"><span aria-hidden="true">{}</span> {}</span>',
            row.status,
            STATUS_SIGNS.get(row.status, ""),
            row.get_status_display(),
        )

    @displays("provider", "provider")
    def asked_provider(self, row: PromptLog) -> str:
        return provider_of(row) or NOTHING

    @displays("cost_usd", "cost")
    def exact_cost(self, row: PromptLog) -> str:
        """The cost, not rounded. Empty for a call under way."""
        if row.cost_usd is None or row.status == PromptStatus.PENDING:
            return str(list_cells.cost(row, self._shown))
        return f"${row.cost_usd.normalize():,f}"

    @displays("estimated_cost_usd", "possible further cost")
    def estimated_cost(self, row: PromptLog) -> str:
        is_estimated = row.cost_basis == CostBasis.ESTIMATED and row.estimated_cost_usd is not None
        return f"up to ${row.estimated_cost_usd.normalize():,f}" if is_estimated else NOTHING  # type: ignore[union-attr]

    @displays("cost_basis", "known from")
    def basis_of_cost(self, row: PromptLog) -> str:
        return row.get_cost_basis_display() or NOTHING

    @admin.display(description="source")
    def named_source(self, row: PromptLog) -> SafeString | str:
        return list_cells.source(row, self._shown)

    @displays("request_id", "request")
    def calls(self, row: PromptLog) -> SafeString | str:
        """All provider calls of the same request in order, including this one."""
        if row.request_id is None:
            return NOTHING
        calls = PromptLog.objects.filter(request_id=row.request_id).order_by("created_at", "pk")
        items = ((self._call(call, present=call == row),) for call in calls.defer(*LARGE_COLUMNS)[:LINKED_CALLS])
        return format_html(
            '<a href="{}?q={}">{}</a><ol class="agent-calls">{}</ol>',
            self._url("changelist"),
            row.request_id,
            row.request_id,
            format_html_join("", "<li>{}</li>", items),
        )

    def _call(self, call: PromptLog, *, present: bool) -> SafeString:
        moment, sign = f"{local(call.created_at):%H:%M:%S}", self._shown("status", self.marked_status(call))
        model = self._shown("model", call.model)
        if present:
            return format_html("{} {} <bdi>{}</bdi> <strong>(this row)</strong>", moment, sign, model)
        return format_html('<a href="{}">{}</a> {} <bdi>{}</bdi>', self._url("change", call.pk), moment, sign, model)

    def _url(self, page: str, *arguments: object) -> str:
        return reverse(f"admin:agent_promptlog_{page}", args=arguments, current_app=self.admin_site.name)


def provider_of(row: PromptLog) -> str:
    """The provider of a row; rows of the first release have it in their metadata."""
    return str(row.provider or row.noted_provider or "")  # type: ignore[attr-defined]  # SQLite keeps a number
