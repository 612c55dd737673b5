"""Authentication over HTTP, and its description in OpenAPI."""

from __future__ import annotations

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request
from stapel_core.django.jwt.authentication import JWTCookieAuthentication
from stapel_core.django.jwt.utils import jwt_cookie_names


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
        return {"type": "apiKey", "in": "header", "name": "X-API-KEY", "description": "SERVICE_API_KEY of the host."}
