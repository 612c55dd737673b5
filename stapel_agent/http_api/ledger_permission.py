"""Who may see what was spent, over HTTP."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.contrib import admin
from rest_framework.request import Request
from stapel_core.django.api.permissions import IsStaffUser

from stapel_agent.models import PromptLog


class SeesLedger(IsStaffUser):
    """Admits staff who may see the ledger in the admin or, if the admin does not show it, have its permission."""

    def has_permission(self, request: Request, view: Any) -> bool:
        return bool(super().has_permission(request, view)) and _sees_ledger(request)


def _sees_ledger(request: Request) -> bool:
    if apps.is_installed("django.contrib.admin") and admin.site.is_registered(PromptLog):
        return bool(admin.site.get_model_admin(PromptLog).has_view_permission(request))
    return any(request.user.has_perm(f"agent.{action}_promptlog") for action in ("view", "change"))
