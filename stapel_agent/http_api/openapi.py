"""Describes the endpoints in OpenAPI, by the serializers of their views."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, ClassVar

from django.http.request import HttpHeaders
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from stapel_core.django.api.errors import StapelErrorSerializer

from stapel_agent.accounting import MAX_LIMIT, OPTIONS

KEY_HEADER, REQUEST_HEADER = "Idempotency-Key", "X-Request-ID"
KEY_META = HttpHeaders.to_wsgi_name(KEY_HEADER)
"""The name of the first one in a request's META."""
HEADERS = [
    OpenApiParameter(
        KEY_HEADER,
        {"type": "string", "minLength": 1, "maxLength": 255},
        OpenApiParameter.HEADER,
        description="An alternative to the field idempotency_key. If you send both, they must be equal.",
    ),
    OpenApiParameter(
        REQUEST_HEADER,
        {"type": "string", "format": "uuid"},
        OpenApiParameter.HEADER,
        description="The request_id of the answer, if it has one.",
        response=[200],
    ),
]


class EndpointSchema(AutoSchema):
    """Describes an endpoint by its view's serializers, including those that a host replaces."""

    view: Any
    refusals: ClassVar[tuple[int, ...]] = (400, 401, 403, 406, 409, 413, 415)

    def get_override_parameters(self) -> Any:
        return HEADERS

    def get_tags(self) -> list[str]:
        return ["llm"]

    def get_request_serializer(self) -> Any:
        return self.view.get_request_serializer_class()

    def get_response_serializers(self) -> Any:
        refused = {
            status: OpenApiResponse(StapelErrorSerializer, description=HTTPStatus(status).phrase)
            for status in self.refusals
        }
        return {200: self.view.get_response_serializer_class(), **refused}


USAGE_NOTES = {
    "group_by": "Comma-separated names: day, month, source, provider, model, user_id, workspace_id, status.",
    "since": "An ISO 8601 date or time. Without a time zone, it is UTC.",
    "until": "An ISO 8601 date or time. Calls at this time or later are left out.",
    "limit": f"Rows per page, 1 to {MAX_LIMIT}.",
    "cursor": "The next_cursor of the previous page.",
}


class UsageSchema(EndpointSchema):
    """Describes the query parameters for usage."""

    refusals = (400, 401, 403, 406, 503)

    def get_override_parameters(self) -> Any:
        return [OpenApiParameter(name, str, description=USAGE_NOTES.get(name, "")) for name in OPTIONS]

    def get_request_serializer(self) -> Any:
        return None
