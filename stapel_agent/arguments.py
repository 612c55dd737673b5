"""Turns the arguments of the public functions into a request, and validates it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from . import structured
from .cache import scope_of
from .conf import agent_settings
from .deadline import Deadline
from .exceptions import InvalidRequest
from .images import read_images
from .model_profiles import known_profile, token_limit
from .models import PromptSource
from .parsing import storable
from .schemas import Unreadable, field_problem, readable_argument, shown
from .settings_validation import require_kinds
from .sharing import Once
from .types import CompletionRequest

SOURCE_LENGTH = 32
"""Maximum length of a source, set by the ledger's column."""

IDENTIFIED_OTHERWISE = frozenset({"caller", "idempotency_key", "images", "context", "glossary", "format", "protect"})
"""Options left out of the request's identity: they name the caller, are not JSON, or are part of it already."""


def request_of(  # noqa: PLR0913  (the public keywords of complete())
    prompt: str,
    model_size: str,
    *,
    system_prompt: str | None = None,
    images: Any = None,
    provider: str | None = None,
    source: str = PromptSource.LLM_FACADE.value,
    max_tokens: int | None = None,
    user_id: str | None = None,
    workspace_id: str | None = None,
    context: Mapping[str, str | int] | None = None,
    metadata: Mapping[str, Any] | None = None,
    **as_given: Any,
) -> CompletionRequest:
    """Return the request as the caller gave it. Never raises for a value: `valid()` rejects the unusable ones."""
    profile = known_profile(model_size)
    return CompletionRequest(
        prompt=storable(readable_argument("prompt", prompt)),
        system_prompt=storable(system_prompt),
        images=images,
        model_size=model_size,
        provider=provider or profile.provider or agent_settings.DEFAULT_PROVIDER,
        source=source,
        max_tokens=token_limit(profile) if max_tokens is None else max_tokens,
        user_id=user_id,
        workspace_id=workspace_id,
        context=context,
        metadata={} if metadata is None else metadata,
        deadline=Deadline(agent_settings.DEADLINE),
        **as_given,
    )


def json_request_of(
    prompt: str, model_size: str, *, schema: Mapping[str, Any] | None = None, **options: Any
) -> CompletionRequest:
    system_prompt = options.pop("system_prompt", None) or structured.SYSTEM_PROMPT
    return request_of(prompt, model_size, schema=schema, system_prompt=system_prompt, **options)


def require_readable(**arguments: Any) -> dict[str, Any]:
    """Return the arguments as plain values. Raises InvalidRequest for the first one that cannot be used."""
    plain = {name: readable_argument(name, value) for name, value in arguments.items()}
    _refuse_unreadable(plain)
    return plain


def _refuse_unreadable(arguments: Mapping[str, Any]) -> None:
    for value in arguments.values():
        if type(value) is Unreadable:
            raise InvalidRequest(value.problem)


def valid(request: CompletionRequest) -> CompletionRequest:
    """Check `request`, cap its tokens, and set its images, cache scope and effort. Raises InvalidRequest."""
    _refuse_unreadable(vars(request))
    for name in ("prompt", "model_size"):
        if not isinstance(getattr(request, name), str):
            raise InvalidRequest(f"{name} must be a string, not NoneType")
    if not isinstance(request.metadata, Mapping):
        raise InvalidRequest(f"metadata must be a map, not {type(request.metadata).__name__}")
    if len(request.source) > SOURCE_LENGTH or storable(request.source) != request.source:
        kind = f"a string of at most {SOURCE_LENGTH} characters, without NUL or an unpaired surrogate"
        raise InvalidRequest(f"source must be {kind}, not {shown(request.source)}")
    for field in ("context", "idempotency_key", "effort"):
        _check(field, getattr(request, field))
    profile = known_profile(request.model_size)
    return request.replaced(
        images=read_images(request.images, agent_settings.IMAGE_MAX_BYTES),
        cache_scope=scope_of(request),
        max_tokens=_token_cap(request.max_tokens, token_limit(profile)),
        effort=request.effort or profile.effort or agent_settings.EFFORT.get(request.source),
    )


def _token_cap(wish: int, limit: int) -> int:
    """The caller's limit, or the size's limit if that is lower."""
    if type(wish) is int and wish == limit:
        return limit
    _check("max_tokens", wish)
    return min(int(wish), limit)


def _check(field: str, value: object) -> None:
    """Validate an option against the JSON Schema that HTTP and comm use. The message never shows a key or a map."""
    if value is not None and (problem := field_problem("llm.complete", field, value)):
        given = f" ({shown(value)})" if field in ("effort", "max_tokens") else ""
        raise InvalidRequest(f"{field} is invalid{given}: {problem}")


def once_of(request: CompletionRequest, verb: str, asked: Any, options: Mapping[str, Any]) -> Once:
    """Validate `request` and wrap it as one call under its idempotency key, if it has one."""
    require_kinds()
    given = {name: value for name, value in options.items() if value is not None and name not in IDENTIFIED_OTHERWISE}
    checked = valid(request)
    images = [image.identity for image in checked.images]
    return Once(checked, [verb, request.model_size, asked, images, request.context, given])
