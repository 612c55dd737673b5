"""A filter of the ledger's list with a form."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.admin.views.main import ERROR_FLAG, PAGE_VAR
from django.http import HttpRequest


class FormFilter(admin.ListFilter):
    """A filter whose values come from a form or a link. `given` maps its `parameters` to their values in the URL."""

    template = "admin/agent/form_filter.html"
    parameters: ClassVar[tuple[str, ...]]

    def __init__(self, request: HttpRequest, params: dict[str, list[str]], model: Any, model_admin: Any) -> None:
        super().__init__(request, params, model, model_admin)
        self.given = {name: params.pop(name)[-1] for name in self.parameters if name in params}

    @property
    def inputs(self) -> list[tuple[str, str, str, str]]:
        """Label, type, name and value of each field of the form."""
        raise NotImplementedError

    def has_output(self) -> bool:
        return True

    def expected_parameters(self) -> list[str | None]:
        return list(self.parameters)

    def other_parameters(self) -> list[tuple[str, Any]]:
        """Parameters the form sends along to keep the other filters."""
        own = {*self.parameters, PAGE_VAR, ERROR_FLAG}
        return [(name, value) for name, value in self.request.GET.items() if name not in own]
