"""The admin's list of stored translations: source text, languages, user, workspace and age."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.timesince import timesince
from stapel_core.django.admin.base import MASK_PLACEHOLDER, StapelModelAdmin

from stapel_agent import log_content
from stapel_agent.database import exactly
from stapel_agent.models import PromptSource, Translation

from .text_display import NOTHING, moment_text, text_block, visible

EXCERPT_LENGTH = 120
SEARCHED = ("source_text", "to_lang", "user_id", "workspace_id")


class TranslationAdmin(StapelModelAdmin):
    """Shows the stored translations. Deleting one means that it is not reused."""

    list_display = ("source", "kept_text", "languages", "owner", "kept_at", "model")
    list_per_page = 50
    ordering = ("-created_at",)
    sortable_by = ()
    search_fields = SEARCHED
    search_help_text = "A whole source text, a target language, a user id or a workspace id."
    show_full_result_count = False
    fields = (
        "source_block",
        "text_block",
        "languages",
        "owner",
        "kept_at",
        "provider",
        "model",
        "request_id",
        "key",
    )
    readonly_fields = fields

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Translation | None = None) -> bool:
        return False

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Translation], search_term: str
    ) -> tuple[QuerySet[Translation], bool]:
        """Search for whole values, without columns that are masked."""
        term = search_term.strip()
        if not term:
            return queryset, False
        columns = [name for name in SEARCHED if name in self.get_search_fields(request) and not self._is_masked(name)]
        found: list[Any] = [Q(to_lang__iexact=term) if name == "to_lang" else exactly(name, term) for name in columns]
        return queryset.filter(Q.create(found, connector=Q.OR) if found else Q(pk__in=())), False

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """Allow only columns in `list_filter`: Django would accept any condition on any column from the URL."""
        column = lookup.partition("__")[0]
        return column in self.list_filter and not self._is_masked(column)

    def get_fields(self, request: HttpRequest, obj: Translation | None = None) -> list[str]:
        masked = self._masked_field_names()
        return [self._mask_display_name(name) if name in masked else name for name in self.fields]

    @admin.display(description="source text")
    def source(self, row: Translation) -> str:
        return self._excerpt("source_text", row.source_text)

    @admin.display(description="translation")
    def kept_text(self, row: Translation) -> str:
        return self._excerpt("text", row.text)

    @admin.display(description="source text")
    def source_block(self, row: Translation) -> SafeString | str:
        return text_block(self._shown("source_text", row.source_text))

    @admin.display(description="translation")
    def text_block(self, row: Translation) -> SafeString | str:
        return text_block(self._shown("text", row.text))

    @admin.display(description="languages")
    def languages(self, row: Translation) -> str:
        tags = (self._shown(name, getattr(row, name)) or "?" for name in ("from_lang", "to_lang"))
        return visible(" → ".join(tags))

    @admin.display(description="stored for")
    def owner(self, row: Translation) -> SafeString | str:
        named = [("user", "user_id", row.user_id), ("workspace", "workspace_id", row.workspace_id)]
        lines = [(label, visible(self._shown(column, name) or "")) for label, column, name in named if name]
        return format_html_join("", "<div>{} {}</div>", lines) or NOTHING

    @admin.display(description="stored at")
    def kept_at(self, row: Translation) -> SafeString:
        age = timesince(row.created_at)
        return format_html(
            '<time datetime="{}" title="{} ago">{}</time>', row.created_at.isoformat(), age, moment_text(row.created_at)
        )

    def _excerpt(self, column: str, text: str | None) -> str:
        excerpt = visible((self._shown(column, text) or "")[: EXCERPT_LENGTH + 1])
        return f"{excerpt[:EXCERPT_LENGTH]}…" if len(excerpt) > EXCERPT_LENGTH else excerpt or NOTHING

    def _shown(self, column: str, text: str | None) -> str | None:
        return str(MASK_PLACEHOLDER) if self._is_masked(column) else text

    def _is_masked(self, column: str) -> bool:
        """Whether the host hides the column, or no longer stores the texts of translations."""
        is_content = column in ("source_text", "text")
        return column in self._masked_field_names() or (is_content and not log_content.is_full(PromptSource.TRANSLATE))
