"""The HTTP endpoints, for services with an API key and for staff."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar

from django.core.exceptions import RequestDataTooBig
from django.db import DatabaseError, InterfaceError, connections, transaction
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.request import Request
from rest_framework.response import Response
from stapel_core.django.api.errors import (
    ERR_413_PAYLOAD_TOO_LARGE,
    ErrorKeysView,
    StapelServiceError,
    StapelValidationError,
    stapel_exception_handler,
)
from stapel_core.django.api.permissions import IsServiceRequest, IsStaffUser
from stapel_core.django.api.views import StapelAPIView

from . import services
from .accounting import InvalidUsageQuery, as_json, usage
from .conf import agent_settings
from .errors import (
    ERR_400_IDEMPOTENCY_KEYS_DIFFER,
    ERR_400_INVALID_IMAGE,
    ERR_400_INVALID_MODEL_SIZE,
    ERR_409_IDEMPOTENCY_CONFLICT,
    ERR_503_LEDGER_UNAVAILABLE,
)
from .exceptions import IdempotencyConflict, InvalidImage, InvalidRequest, LedgerUnavailable
from .http_api import (
    KEY_HEADER,
    KEY_META,
    REQUEST_HEADER,
    AsciiJSONRenderer,
    BoundedJSONParser,
    EndpointSchema,
    JsonNegotiation,
    LoopPostMixin,
    SeesLedger,
    ServiceKeyAuthentication,
    StaffTokenAuthentication,
    UsageSchema,
    read_body_of_unknown_length,
)
from .images import read_images
from .schemas import BaseAnswer, function_schema
from .serializers import (
    CompleteAnswerSerializer,
    CompleteRequestSerializer,
    TranslateAnswerSerializer,
    TranslateRequestSerializer,
    UsageAnswerSerializer,
    field_refusal,
)

NO_FORMAT = "must be json: leave it out; for CSV, run `manage.py llm_usage --format csv`"


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
        read_body_of_unknown_length(request)
        payload: dict[str, Any] = self.validated_request_data(request)
        if key := _idempotency_key(request, payload):
            payload["idempotency_key"] = key
        user = request.user
        if user and user.is_authenticated:
            payload["user_id"] = str(user.pk)
            return {**payload, "caller": f"user {user.pk}"}
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
        if payload.get("images"):
            payload["images"] = self._read(payload["images"])
        return payload

    def _read(self, images: Any) -> Any:
        """Read the images of the request. The facade reports invalid settings of the host."""
        try:
            return read_images(images, agent_settings.IMAGE_MAX_BYTES)
        except InvalidImage as fault:
            raise StapelValidationError(ERR_400_INVALID_IMAGE, {"reason": str(fault)}) from None
        except InvalidRequest:
            return images


class TranslateView(LoopPostMixin, LlmView):
    request_serializer_class = TranslateRequestSerializer
    response_serializer_class = TranslateAnswerSerializer

    def post(self, request: Request) -> Response:
        """Translate a map of texts. A model's failure is HTTP 200 with status "failure" and a reason."""
        return self.respond(services.translate(**self.question(request)))

    async def aask(self, question: Mapping[str, Any]) -> BaseAnswer:
        return await services.atranslate(**question)

    def question(self, request: Request) -> dict[str, Any]:
        """The arguments of `translate()`."""
        payload = self.payload(request)
        payload["model_size"] = known_size(payload.pop("model", "small"))
        return payload


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
    header = request.META.get(KEY_META)
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
    """stapel-core's error envelope, also for a reused key, a body that is too large, and an unreachable database."""
    if isinstance(fault, RequestDataTooBig):
        fault = StapelServiceError(413, ERR_413_PAYLOAD_TOO_LARGE)
    if isinstance(fault, IdempotencyConflict):
        fault = StapelServiceError(409, ERR_409_IDEMPOTENCY_CONFLICT)
    if isinstance(fault, LedgerUnavailable | DatabaseError | InterfaceError):
        fault = StapelServiceError(503, ERR_503_LEDGER_UNAVAILABLE)
    with _transactions_kept():
        response: Response | None = stapel_exception_handler(fault, context)
    return response


@contextmanager
def _transactions_kept() -> Iterator[None]:
    """Undo REST framework's mark for a rollback: the view has no transaction, so it would be that of a host's test."""
    intact = [
        each for each in connections.all(initialized_only=True) if each.in_atomic_block and not each.needs_rollback
    ]
    yield
    for connection in intact:
        connection.set_rollback(False)
