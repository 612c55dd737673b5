"""The HTTP endpoints, for services with an API key and for staff."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any, ClassVar

from django.apps import apps
from django.contrib import admin
from django.core.exceptions import RequestDataTooBig
from django.db import DatabaseError, InterfaceError, connections, transaction
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.exceptions import ParseError
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.parsers import JSONParser
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from stapel_core.django.api.errors import (
    ERR_413_PAYLOAD_TOO_LARGE,
    ErrorKeysView,
    StapelErrorSerializer,
    StapelServiceError,
    StapelValidationError,
    stapel_exception_handler,
)
from stapel_core.django.api.permissions import IsServiceRequest, IsStaffUser
from stapel_core.django.api.views import StapelAPIView

from . import services
from .accounting import MAX_LIMIT, OPTIONS, InvalidUsageQuery, as_json, usage
from .authentication import ServiceKeyAuthentication, StaffTokenAuthentication
from .conf import agent_settings
from .errors import (
    ERR_400_IDEMPOTENCY_KEYS_DIFFER,
    ERR_400_INVALID_IMAGE,
    ERR_400_INVALID_MODEL_SIZE,
    ERR_409_IDEMPOTENCY_CONFLICT,
    ERR_503_LEDGER_UNAVAILABLE,
)
from .exceptions import IdempotencyConflict, InvalidImage, InvalidRequest, LedgerUnavailable
from .images import read_images
from .loop_views import LoopPostMixin
from .models import PromptLog
from .schemas import BaseAnswer, function_schema
from .serializers import (
    CompleteAnswerSerializer,
    CompleteRequestSerializer,
    TranslateAnswerSerializer,
    TranslateRequestSerializer,
    UsageAnswerSerializer,
    field_refusal,
)

REFUSALS = {
    status: OpenApiResponse(StapelErrorSerializer, description=HTTPStatus(status).phrase)
    for status in (400, 401, 403, 406, 409, 413, 415, 503)
}
KEY_HEADER, REQUEST_HEADER = "Idempotency-Key", "X-Request-ID"
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

    def get_override_parameters(self) -> Any:
        return HEADERS

    def get_tags(self) -> list[str]:
        return ["llm"]

    def get_request_serializer(self) -> Any:
        return self.view.get_request_serializer_class()

    def get_response_serializers(self) -> Any:
        refusals = {status: refusal for status, refusal in REFUSALS.items() if status != 503}
        return {200: self.view.get_response_serializer_class(), **refusals}


USAGE_NOTES = {
    "group_by": "Comma-separated names: day, month, source, provider, model, user_id, workspace_id, status.",
    "since": "An ISO 8601 date or time. Without a time zone, it is UTC.",
    "until": "An ISO 8601 date or time. Calls at this time or later are left out.",
    "limit": f"Rows per page, 1 to {MAX_LIMIT}.",
    "cursor": "The next_cursor of the previous page.",
}
NO_FORMAT = "must be json: leave it out; for CSV, run `manage.py llm_usage --format csv`"


class UsageSchema(AutoSchema):
    """Describes the query parameters for usage."""

    view: Any

    def get_override_parameters(self) -> Any:
        return [OpenApiParameter(name, str, description=USAGE_NOTES.get(name, "")) for name in OPTIONS]

    def get_tags(self) -> list[str]:
        return ["llm"]

    def get_request_serializer(self) -> Any:
        return None

    def get_response_serializers(self) -> Any:
        refusals = {status: REFUSALS[status] for status in (400, 401, 403, 406, 503)}
        return {200: self.view.get_response_serializer_class(), **refusals}


class BoundedJSONParser(JSONParser):
    """Parses JSON. Too deep a nesting is reported as a client error, not as a server error."""

    strict = True

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Mapping[str, Any] | None = None) -> Any:
        # JSON is UTF-8. Content-Type can name any Python codec, and some take minutes for a body of the allowed size.
        context = {**(parser_context or {}), "encoding": "utf-8"}
        try:
            return super().parse(stream, media_type, context)
        except RecursionError as fault:
            raise ParseError("JSON parse error - nested too deeply") from fault


class AsciiJSONRenderer(JSONRenderer):
    """Renders JSON as ASCII, so that an unpaired surrogate in a caller's key is returned unchanged."""

    ensure_ascii = True


ANYTHING = "*/*"


class JsonNegotiation(DefaultContentNegotiation):
    """Negotiates by the Accept header only. The view handles the query parameter `format`."""

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> Any:
        if request.headers.get("Accept", ANYTHING) == ANYTHING:  # as most services ask
            return renderers[0], renderers[0].media_type
        return super().select_renderer(request, renderers, format_suffix)

    def filter_renderers(self, renderers: Any, format: str) -> Any:
        return renderers


def outside_transactions(dispatch: Callable[..., Any]) -> Callable[..., Any]:
    """Exempt a view from ATOMIC_REQUESTS, so that no transaction stays open while a model answers."""
    for alias in connections:
        dispatch = transaction.non_atomic_requests(using=alias)(dispatch)
    return dispatch


class ServiceOrStaffMixin:
    """Admits services by API key and staff by JWT or session, whatever the host's REST framework defaults are."""

    authentication_classes: Sequence[type[BaseAuthentication]] = [
        StaffTokenAuthentication,
        SessionAuthentication,
        ServiceKeyAuthentication,
    ]
    permission_classes: ClassVar[Sequence[Any]] = [IsServiceRequest | IsStaffUser]
    renderer_classes = [AsciiJSONRenderer]
    content_negotiation_class = JsonNegotiation
    parser_classes = [BoundedJSONParser]
    versioning_class = None
    request: Request

    @outside_transactions
    def dispatch(self, request: Any, *arguments: Any, **options: Any) -> Any:
        return super().dispatch(request, *arguments, **options)  # type: ignore[misc]

    def get_authenticators(self) -> list[BaseAuthentication]:
        """No authenticators for a service: its key identifies it, and a stray cookie must not trigger a CSRF check."""
        if getattr(self.request, "is_service_request", False):
            return []
        return [authentication() for authentication in self.authentication_classes]

    def get_exception_handler(self) -> Callable[..., Response | None]:
        return _envelope


class LlmView(ServiceOrStaffMixin, StapelAPIView):
    """Base class of both verbs' views. Subclass a verb's view to replace its serializers."""

    schema = EndpointSchema()

    def payload(self, request: Request) -> dict[str, Any]:
        """The validated request. For a signed-in user, `user_id` is the user's own; a service may name any user."""
        payload: dict[str, Any] = self.validated_request_data(request)
        if key := _idempotency_key(request, payload):
            payload["idempotency_key"] = key
        if request.user and request.user.is_authenticated:
            payload["user_id"] = str(request.user.pk)
            return {**payload, "caller": f"user {request.user.pk}"}
        return {**payload, "caller": f"service {getattr(request, 'service_name', '')}"}

    def respond(self, answer: BaseAnswer, response_class: type[Response] | None = None) -> Response:
        """The answer as an HTTP response, of the class `response_class` if one is given."""
        if response_class is None:
            response: Response = self.serialized_response(answer)
        else:
            response = response_class(answer)
        if "request_id" in answer:
            response[REQUEST_HEADER] = answer["request_id"]
        return response


class CompleteView(LoopPostMixin, LlmView):
    request_serializer_class = CompleteRequestSerializer
    response_serializer_class = CompleteAnswerSerializer

    def post(self, request: Request) -> Response:
        """Complete a prompt as JSON. A model's failure is HTTP 200 with status "failure" and a reason."""
        return self.respond(services.complete_json(**self.question(request)))

    async def aask(self, question: Mapping[str, Any]) -> BaseAnswer:
        return await services.acomplete_json(**question)

    def question(self, request: Request) -> dict[str, Any]:
        """The arguments of `complete_json()`."""
        payload = self.payload(request)
        known_size(payload["model"])
        payload["images"] = self._read(payload.get("images"))
        return payload

    def _read(self, images: Any) -> Any:
        """Read the images of the request. The facade reports invalid settings of the host."""
        try:
            return read_images(images, agent_settings.IMAGE_MAX_BYTES)
        except InvalidImage as fault:
            raise StapelValidationError(ERR_400_INVALID_IMAGE, {"reason": str(fault)}) from None
        except InvalidRequest:
            return images


class TranslateView(LlmView):
    request_serializer_class = TranslateRequestSerializer
    response_serializer_class = TranslateAnswerSerializer

    def post(self, request: Request) -> Response:
        """Translate a map of texts. A model's failure is HTTP 200 with status "failure" and a reason."""
        payload = self.payload(request)
        from_lang, to, entries = (payload.pop(name) for name in ("from_lang", "to", "entries"))
        model_size = known_size(payload.pop("model", "small"))
        return self.respond(services.translate(from_lang, to, entries, model_size, **payload))


class SeesLedger(IsStaffUser):
    """Admits staff who may see the ledger in the admin or, if the admin does not show it, have its permission."""

    def has_permission(self, request: Request, view: Any) -> bool:
        return bool(super().has_permission(request, view)) and _sees_ledger(request)


def _sees_ledger(request: Request) -> bool:
    if apps.is_installed("django.contrib.admin") and admin.site.is_registered(PromptLog):
        return bool(admin.site.get_model_admin(PromptLog).has_view_permission(request))
    return any(request.user.has_perm(f"agent.{action}_promptlog") for action in ("view", "change"))


class UsageView(ServiceOrStaffMixin, StapelAPIView):
    permission_classes: ClassVar[Sequence[Any]] = [IsServiceRequest | SeesLedger]
    response_serializer_class = UsageAnswerSerializer
    schema = UsageSchema()

    def get(self, request: Request) -> Response:
        """Calls, spending and savings, grouped by the requested names."""
        options = request.query_params.dict()
        try:
            if options.pop("format", "json") != "json":
                raise InvalidUsageQuery("format", NO_FORMAT)
            return Response(as_json(usage(**options)))
        except InvalidUsageQuery as fault:
            raise field_refusal(fault.field, str(fault)) from None


class AgentErrorKeysView(ServiceOrStaffMixin, ErrorKeysView):
    """Lists every error key with its English text, for stapel-translate."""


def known_size(model_size: str) -> str:
    """Return `model_size` if MODELS has it. Otherwise raise an error that lists the known sizes."""
    sizes = agent_settings.MODELS
    if isinstance(sizes, Mapping) and model_size not in sizes:
        known = {"model": model_size, "sizes": ", ".join(map(str, sizes))}
        raise StapelValidationError(ERR_400_INVALID_MODEL_SIZE, known)
    return model_size


def _idempotency_key(request: Request, payload: Mapping[str, Any]) -> str | None:
    """The idempotency key from the payload or the header. If both have one, they must be equal."""
    named: str | None = payload.get("idempotency_key")
    header = request.headers.get(KEY_HEADER)
    if header is None:
        return named
    key = _text(header)
    limit = function_schema("llm.complete")["properties"]["idempotency_key"]["maxLength"]
    if not key:
        raise StapelValidationError("error.400.field.blank", {"field": KEY_HEADER})
    if len(key) > limit:
        raise StapelValidationError("error.400.field.max_length", {"field": KEY_HEADER, "max_length": limit})
    if named not in (None, key):
        raise StapelValidationError(ERR_400_IDEMPOTENCY_KEYS_DIFFER)
    return key


def _text(header: str) -> str:
    # WSGI and ASGI decode header bytes as Latin-1.
    try:
        return header.encode("latin-1").decode()
    except UnicodeError:
        return header


def _envelope(fault: Exception, context: dict[str, Any]) -> Response | None:
    """stapel-core's error envelope, also for a reused key, too large a body, and an unreachable database."""
    if isinstance(fault, RequestDataTooBig):
        fault = StapelServiceError(413, ERR_413_PAYLOAD_TOO_LARGE)
    if isinstance(fault, IdempotencyConflict):
        fault = StapelServiceError(409, ERR_409_IDEMPOTENCY_CONFLICT)
    if isinstance(fault, LedgerUnavailable | DatabaseError | InterfaceError):
        fault = StapelServiceError(503, ERR_503_LEDGER_UNAVAILABLE)
    response: Response | None = stapel_exception_handler(fault, context)
    return response
