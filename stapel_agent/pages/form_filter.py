"""A filter of the ledger's list with a form."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ERROR_FLAG, PAGE_VAR


class FormFilter(admin.ListFilter):
    """Its template renders choices, and a form of `inputs` that repeats `other_parameters()`."""

    template = "admin/agent/form_filter.html"

    @property
    def inputs(self) -> list[tuple[str, str, str, str]]:
        """Label, type, name and value of each field of the form."""
        raise NotImplementedError

    def has_output(self) -> bool:
        return True

    def other_parameters(self) -> list[tuple[str, Any]]:
        """Parameters the form sends along to keep the other filters."""
        own = {*self.expected_parameters(), PAGE_VAR, ERROR_FLAG}
        return [(name, value) for name, value in self.request.GET.items() if name not in own]
