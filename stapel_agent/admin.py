"""The ledger and the kept translations in the Django admin, for staff whom stapel-core's access rules admit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.db.models.fields.json import KT
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from stapel_core.django.admin.base import MASK_PLACEHOLDER, StapelModelAdmin

from .database import reading
from .exceptions import LedgerUnavailable
from .models import CostBasis, PromptLog, PromptStatus, Translation
from .pages import (
    FILTERS,
    LARGE_COLUMNS,
    NOTHING,
    PARAMETERS,
    LedgerList,
    TranslationAdmin,
    cost_cell,
    csv_file,
    json_block,
    local,
    model_cell,
    moment_text,
    outcome_cell,
    purpose_cell,
    source_cell,
    text_block,
    tokens_cell,
    usage_view,
    visible,
)

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


def labelled(column: str, label: str, shown: Callable[[Any], Any] = str) -> Any:
    """Shows a column under a label in words."""

    @admin.display(description=label)
    def display(self: PromptLogAdmin, row: PromptLog) -> Any:
        value = getattr(row, column)
        return NOTHING if value is None else shown(value)

    display.column = column  # type: ignore[attr-defined]
    return display


def _grouped(number: int) -> str:
    return f"{number:,}"


def _milliseconds(number: int) -> str:
    return f"{number:,} ms"


@admin.register(PromptLog)
class PromptLogAdmin(StapelModelAdmin):
    list_display = ("time", "outcome", "purpose", "asked", "cost", "tokens")
    list_filter = FILTERS
    list_per_page = 50
    ordering = ("-created_at",)
    sortable_by = ()
    search_fields = ("id", "request_id", "user_id", "workspace_id")
    search_help_text = "A whole id, request id, user id or workspace id."
    show_facets = admin.ShowFacets.NEVER
    actions = None

    class Media:
        css = {"all": ("agent/promptlog.css",)}

    duration = labelled("duration_ms", "duration", _milliseconds)
    user = labelled("user_id", "user", visible)
    workspace = labelled("workspace_id", "workspace", visible)
    input = labelled("input_tokens", "input", _grouped)
    output = labelled("output_tokens", "output", _grouped)
    thinking = labelled("thinking_tokens", "thinking", _grouped)
    cache_read = labelled("cache_read_tokens", "cache read", _grouped)
    cache_write = labelled("cache_write_tokens", "cache write", _grouped)
    size = labelled("model_size", "size", visible)
    row_id = labelled("id", "id of the call")
    texts_removed = labelled("scrubbed_at", "texts removed", moment_text)

    # The ledger has one writer, whatever category a host gives the model.
    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: PromptLog | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: PromptLog | None = None) -> bool:
        return False

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """Allows only the parameters of the filters: Django would accept any condition on any column from the URL."""
        return lookup in PARAMETERS and lookup.partition("__")[0] not in self._masked_field_names()

    def get_urls(self) -> list[URLPattern]:
        page = path("usage/", self.admin_site.admin_view(self.usage_view), name="agent_promptlog_usage")
        return [page, *super().get_urls()]

    def usage_view(self, request: HttpRequest) -> HttpResponse:
        """The usage page, for staff who may see the ledger's rows."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        request.current_app = self.admin_site.name
        try:
            with reading():
                return self._usage_csv(request) if "csv" in request.GET else self._usage_page(request)
        except LedgerUnavailable as fault:
            context = {**self.admin_site.each_context(request), "title": "Usage", "opts": self.opts, "reason": fault}
            return TemplateResponse(request, "admin/agent/promptlog/unavailable.html", context, status=503)

    def _usage_page(self, request: HttpRequest) -> HttpResponse:
        page = usage_view(request.GET.dict(), self._url("changelist"), self._masked_field_names())
        context = {**self.admin_site.each_context(request), "title": "Usage", "opts": self.opts, "page": page}
        return TemplateResponse(request, "admin/agent/promptlog/usage.html", context)

    def _usage_csv(self, request: HttpRequest) -> HttpResponse:
        table = csv_file(request.GET.dict(), self._masked_field_names())
        if table is None:
            raise Http404
        name, text = table
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return HttpResponse(text, content_type="text/csv; charset=utf-8", headers=headers)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[LedgerList]:
        return LedgerList

    def get_queryset(self, request: HttpRequest) -> QuerySet[PromptLog]:
        rows: QuerySet[PromptLog] = super().get_queryset(request)
        return rows.annotate(noted_provider=KT("metadata__provider"))

    def get_fieldsets(self, request: HttpRequest, obj: PromptLog | None = None) -> Any:
        return [
            (title, {"fields": [tuple(map(self._masked, line)) for line in lines]}) for title, lines in PAGE.items()
        ]

    def _masked(self, name: str) -> str:
        # A host's subclass may name `secret_fields`; stapel-core masks them in the list only.
        column = getattr(getattr(self, name, None), "column", name.removesuffix("_block"))
        return self._mask_display_name(column) if column in self._masked_field_names() else name

    def _shown(self, column: str, text: str) -> str:
        return MASK_PLACEHOLDER if column in self._masked_field_names() else text

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[PromptLog], search_term: str
    ) -> tuple[QuerySet[PromptLog], bool]:
        """Searches for whole values of indexed columns."""
        term = search_term.strip()
        if not term:
            return queryset, False
        return queryset.filter(_identified(term)), False

    @admin.display(description="time")
    def time(self, row: PromptLog) -> SafeString:
        moment = local(row.created_at)
        return format_html('<time datetime="{}">{}</time>', moment.isoformat(), f"{moment:%Y-%m-%d %H:%M:%S}")

    @admin.display(description="status")
    def marked_status(self, row: PromptLog) -> SafeString:
        return format_html(
            '<span class="agent-status agent-{}"><span aria-hidden="true">{}</span> {}</span>',
            row.status,
            STATUS_SIGNS.get(row.status, ""),
            row.get_status_display(),
        )

    @admin.display(description="provider")
    def asked_provider(self, row: PromptLog) -> str:
        return _provider(row) or NOTHING

    @admin.display(description="cost")
    def exact_cost(self, row: PromptLog) -> str:
        """The cost, not rounded. Empty for a call under way."""
        if row.cost_usd is None or row.status == PromptStatus.PENDING:
            return str(cost_cell(row, self._shown))
        return f"${row.cost_usd.normalize():,f}"

    exact_cost.column = "cost_usd"  # type: ignore[attr-defined]

    @admin.display(description="possible further cost")
    def estimated_cost(self, row: PromptLog) -> str:
        is_estimated = row.cost_basis == CostBasis.ESTIMATED and row.estimated_cost_usd is not None
        return f"up to ${row.estimated_cost_usd.normalize():,f}" if is_estimated else NOTHING  # type: ignore[union-attr]

    estimated_cost.column = "estimated_cost_usd"  # type: ignore[attr-defined]

    @admin.display(description="known from")
    def basis_of_cost(self, row: PromptLog) -> str:
        return row.get_cost_basis_display() or NOTHING

    @admin.display(description="source")
    def named_source(self, row: PromptLog) -> SafeString | str:
        return source_cell(row, self._shown)

    @admin.display(description="model")
    def asked(self, row: PromptLog) -> SafeString:
        return model_cell(row, _provider(row), self._shown)

    @admin.display(description="tokens")
    def tokens(self, row: PromptLog) -> SafeString | str:
        return tokens_cell(row, self._shown)

    @admin.display(description="cost")
    def cost(self, row: PromptLog) -> SafeString | str:
        return cost_cell(row, self._shown)

    @admin.display(description="status")
    def outcome(self, row: PromptLog) -> SafeString:
        return outcome_cell(row, self.marked_status(row), self._shown)

    @admin.display(description="for")
    def purpose(self, row: PromptLog) -> SafeString:
        return purpose_cell(row, self._shown)

    @admin.display(description="request")
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
        moment, sign = f"{local(call.created_at):%H:%M:%S}", self.marked_status(call)
        if present:
            return format_html("{} {} <bdi>{}</bdi> <strong>(this row)</strong>", moment, sign, call.model)
        return format_html(
            '<a href="{}">{}</a> {} <bdi>{}</bdi>', self._url("change", call.pk), moment, sign, call.model
        )

    def _url(self, page: str, *arguments: object) -> str:
        return reverse(f"admin:agent_promptlog_{page}", args=arguments, current_app=self.admin_site.name)

    @admin.display(description="error")
    def error_message_block(self, row: PromptLog) -> SafeString | str:
        return text_block(row.error_message)

    @admin.display(description="system prompt")
    def system_prompt_block(self, row: PromptLog) -> SafeString | str:
        return text_block(row.system_prompt)

    @admin.display(description="prompt")
    def prompt_block(self, row: PromptLog) -> SafeString | str:
        return text_block(row.prompt)

    @admin.display(description="response")
    def response_block(self, row: PromptLog) -> SafeString | str:
        return text_block(row.response)

    @admin.display(description="metadata")
    def metadata_block(self, row: PromptLog) -> SafeString | str:
        return json_block(row.metadata)


def _identified(term: str) -> Q:
    owned = Q(user_id=term) | Q(workspace_id=term)
    try:
        identifier = UUID(term)
    except ValueError:
        return owned
    return owned | Q(pk=identifier) | Q(request_id=identifier)


def _provider(row: PromptLog) -> str:
    """The provider of a row; rows of the first release have it in their metadata."""
    return row.provider or row.noted_provider or ""  # type: ignore[attr-defined]


admin.site.register(Translation, TranslationAdmin)
