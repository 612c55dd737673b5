"""The ledger in the Django admin: for reading alone, by those whom stapel-core's access rules let see it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import admin
from django.contrib.admin.options import ShowFacets
from django.db.models import Q, QuerySet
from django.db.models.fields.json import KT
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from stapel_core.django.admin.base import StapelModelAdmin

from .display import NOTHING, json_block, text_block
from .listing import LedgerList, ModelFilter, PeriodFilter, SourceFilter, StatusFilter
from .models import PromptLog, PromptStatus

STATUS_MARKS = {
    PromptStatus.SUCCESS: "✓",
    PromptStatus.FAILURE: "✗",
    PromptStatus.TIMEOUT: "…",
    PromptStatus.ERROR: "!",
}
SHOWN_ATTEMPTS = 20


@admin.register(PromptLog)
class PromptLogAdmin(StapelModelAdmin):
    list_display = (
        "time",
        "source",
        "provider",
        "model",
        "model_size",
        "marked_status",
        "input_tokens",
        "output_tokens",
        "cache_read_tokens",
        "duration_ms",
        "user_id",
    )
    list_filter = (StatusFilter, SourceFilter, ModelFilter, PeriodFilter)
    list_per_page = 50
    ordering = ("-created_at",)
    sortable_by = ()
    search_fields = ("id", "request_id", "user_id")
    search_help_text = "A whole id, request id or user id."
    show_facets = ShowFacets.NEVER
    actions = None
    fieldsets = (
        (None, {"fields": (("time", "marked_status", "duration_ms"), "source", "user_id", "attempts")}),
        ("Model", {"fields": (("provider", "model", "model_size"),)}),
        (
            "Tokens",
            {
                "fields": (
                    (
                        "input_tokens",
                        "output_tokens",
                        "thinking_tokens",
                        "cache_read_tokens",
                        "cache_write_tokens",
                    ),
                )
            },
        ),
        ("Texts", {"fields": ("error_text", "system_prompt_text", "prompt_text", "response_text", "metadata_json")}),
        (None, {"fields": ("id", "cache_key")}),
    )

    class Media:
        css = {"all": ("agent/promptlog.css",)}

    # Whatever category a host gives the model, the ledger has one writer.
    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: PromptLog | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: PromptLog | None = None) -> bool:
        return False

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """Only what the filters offer: Django would take any condition on any column from the URL."""
        names = {"status", "source", "model", *PeriodFilter.parameters}
        return lookup in names

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[LedgerList]:
        return LedgerList

    def get_queryset(self, request: HttpRequest) -> QuerySet[PromptLog]:
        return super().get_queryset(request).annotate(provider=KT("metadata__provider"))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[PromptLog], search_term: str
    ) -> tuple[QuerySet[PromptLog], bool]:
        """Whole values of indexed columns; anything else finds nothing."""
        term = search_term.strip()
        if not term:
            return queryset, False
        matches = Q(user_id=term)
        try:
            matches |= Q(pk=UUID(term)) | Q(request_id=UUID(term))
        except ValueError:
            pass
        return queryset.filter(matches), False
