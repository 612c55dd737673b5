"""The usage page in the admin, and its tables as CSV."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from stapel_core.django.admin.base import StapelModelAdmin

from stapel_agent.database import reading
from stapel_agent.exceptions import LedgerUnavailable

from .usage_csv import csv_file
from .usage_page import usage_view


class UsageViews(StapelModelAdmin):
    """The page's address is below that of the list."""

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
        ledger = reverse("admin:agent_promptlog_changelist", current_app=self.admin_site.name)
        page = usage_view(request.GET.dict(), ledger, self._masked_field_names())
        context = {**self.admin_site.each_context(request), "title": "Usage", "opts": self.opts, "page": page}
        return TemplateResponse(request, "admin/agent/promptlog/usage.html", context)

    def _usage_csv(self, request: HttpRequest) -> HttpResponse:
        table = csv_file(request.GET.dict(), self._masked_field_names())
        if table is None:
            raise Http404
        name, text = table
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return HttpResponse(text, content_type="text/csv; charset=utf-8", headers=headers)
