"""The ledger in the admin: a read-only list."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.db.models.fields.json import KT
from django.http import HttpRequest
from django.utils.safestring import SafeString

from stapel_agent.models import PromptLog

from . import list_cells
from .call_page import CallPage, provider_of
from .changelist import LedgerList
from .list_filters import FILTERS, PARAMETERS, reveals
from .usage_views import UsageViews


class PromptLogAdmin(CallPage, UsageViews):
    """The list of calls, the page of each, and the usage page, for staff whom stapel-core's access rules admit."""

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

    # The ledger has one writer, whatever category a host gives the model.
    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: PromptLog | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: PromptLog | None = None) -> bool:
        return False

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """Allow only the parameters of the filters: Django would accept any condition on any column from the URL."""
        return lookup in PARAMETERS and not reveals(PARAMETERS[lookup], self._masked_field_names())

    def get_list_filter(self, request: HttpRequest) -> list[Any]:
        masked = self._masked_field_names()
        return [spec for spec in super().get_list_filter(request) if not reveals(spec, masked)]

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[LedgerList]:
        return LedgerList

    def get_queryset(self, request: HttpRequest) -> QuerySet[PromptLog]:
        rows: QuerySet[PromptLog] = super().get_queryset(request)
        return rows.annotate(noted_provider=KT("metadata__provider"))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[PromptLog], search_term: str
    ) -> tuple[QuerySet[PromptLog], bool]:
        """Search for whole values of indexed columns, without those that are masked."""
        term = search_term.strip()
        if not term:
            return queryset, False
        return queryset.filter(_identified(term, self.get_search_fields(request))), False

    @admin.display(description="model")
    def asked(self, row: PromptLog) -> SafeString:
        return list_cells.model(row, provider_of(row), self._shown)

    @admin.display(description="tokens")
    def tokens(self, row: PromptLog) -> SafeString | str:
        return list_cells.tokens(row, self._shown)

    @admin.display(description="cost")
    def cost(self, row: PromptLog) -> SafeString | str:
        return list_cells.cost(row, self._shown)

    @admin.display(description="status")
    def outcome(self, row: PromptLog) -> SafeString:
        return list_cells.outcome(row, self.marked_status(row), self._shown)

    @admin.display(description="for")
    def purpose(self, row: PromptLog) -> SafeString:
        return list_cells.purpose(row, self._shown)


def _identified(term: str, columns: Collection[str]) -> Q:
    values: dict[str, Any] = {"user_id": term, "workspace_id": term}
    with suppress(ValueError):
        values |= dict.fromkeys(("id", "request_id"), UUID(term))
    found: list[Any] = [Q((name, value)) for name, value in values.items() if name in columns]
    return Q.create(found, connector=Q.OR) if found else Q(pk__in=())
