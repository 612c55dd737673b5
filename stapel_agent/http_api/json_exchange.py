"""JSON in and out, whatever the host's REST framework defaults are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from rest_framework.exceptions import ParseError
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.parsers import JSONParser
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.utils import json


class BoundedJSONParser(JSONParser):
    """Parses strict JSON. Excessive nesting is reported as a client error, not as a server error."""

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Mapping[str, Any] | None = None) -> Any:
        # JSON is UTF-8. Content-Type can name any Python codec, and some take minutes for a body of the allowed size.
        try:
            return json.loads(stream.read().decode())
        except ValueError as fault:
            raise ParseError(f"JSON parse error - {fault}") from fault
        except RecursionError as fault:
            raise ParseError("JSON parse error - nested too deeply") from fault


def read_body_of_unknown_length(request: Request) -> None:
    """Read a body without a Content-Length, as in HTTP/2 or in chunks: REST framework would take it for empty.

    Raises RequestDataTooBig, because some versions of Django limit a body only by its Content-Length.
    """
    if request.META.get("CONTENT_LENGTH"):
        return
    limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    body = request._request.read(-1 if limit is None else limit + 1)
    if limit is not None and len(body) > limit:
        raise RequestDataTooBig(f"the body is larger than DATA_UPLOAD_MAX_MEMORY_SIZE, which is {limit} bytes")
    request._request._body = body
    request.META["CONTENT_LENGTH"] = str(len(body))


class AsciiJSONRenderer(JSONRenderer):
    """Renders JSON as ASCII, so that an unpaired surrogate in a caller's key is returned unchanged."""

    ensure_ascii = True


ANYTHING = "*/*"


class JsonNegotiation(DefaultContentNegotiation):
    """Negotiates by the Accept header only. The view handles the query parameter `format`."""

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> Any:
        accept = request.META.get("HTTP_ACCEPT", ANYTHING)
        if accept == ANYTHING or not accept.strip(", \t"):  # as most services ask; a list of nothing asks for nothing
            return renderers[0], renderers[0].media_type
        return super().select_renderer(request, renderers, format_suffix)

    def select_parser(self, request: Request, parsers: Any) -> Any:
        if request.META.get("CONTENT_TYPE") == parsers[0].media_type:  # as most services send
            return parsers[0]
        return super().select_parser(request, parsers)

    def filter_renderers(self, renderers: Any, format: str) -> Any:
        return renderers
