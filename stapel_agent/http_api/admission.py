"""Whom the HTTP API admits: authentication, with its description in OpenAPI, and the permission to see the ledger."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.contrib import admin
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request
from stapel_core.django.api.permissions import IsStaffUser
from stapel_core.django.jwt.authentication import JWTCookieAuthentication
from stapel_core.django.jwt.utils import jwt_cookie_names

from stapel_agent.models import PromptLog


class StaffTokenAuthentication(JWTCookieAuthentication):
    """A Stapel JWT, as a bearer token or in its cookie."""


class ServiceKeyAuthentication(BaseAuthentication):
    """Describes the key to OpenAPI; ServiceAPIKeyMiddleware reads it before a view runs."""

    def authenticate(self, request: Request) -> None:
        return None


class StaffTokenExtension(OpenApiAuthenticationExtension):
    target_class = StaffTokenAuthentication
    name = ["StaffBearer", "StaffCookie"]

    def get_security_definition(self, auto_schema: Any) -> list[dict[str, Any]]:
        return [
            {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
            {"type": "apiKey", "in": "cookie", "name": jwt_cookie_names()[0]},
        ]


class ServiceKeyExtension(OpenApiAuthenticationExtension):
    target_class = ServiceKeyAuthentication
    name = "ServiceKey"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        described = "A key in the host's SERVICE_API_KEY or SERVICE_API_KEYS."
        return {"type": "apiKey", "in": "header", "name": "X-API-KEY", "description": described}


class SeesLedger(IsStaffUser):
    """Admits staff who may see the ledger in the admin or, if the admin does not show it, have its permission."""

    def has_permission(self, request: Request, view: Any) -> bool:
        return bool(super().has_permission(request, view)) and _sees_ledger(request)


def _sees_ledger(request: Request) -> bool:
    if apps.is_installed("django.contrib.admin") and admin.site.is_registered(PromptLog):
        return bool(admin.site.get_model_admin(PromptLog).has_view_permission(request))
    return any(request.user.has_perm(f"agent.{action}_promptlog") for action in ("view", "change"))
