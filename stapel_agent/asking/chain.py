"""The providers that one request may be put to: the one it names, then its FALLBACKS."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from stapel_agent.conf import agent_settings
from stapel_agent.exceptions import AgentError, InvalidRequest, WrongSetting
from stapel_agent.profiles import profile_of
from stapel_agent.providers import LlmProvider, ProviderResult, provider_registry
from stapel_agent.types import CompletionRequest

from .circuit_breaker import cooldown_of
from .schema_prompt import with_schema_in_prompt

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Candidate:
    """A provider, the request with its own name for the model, and the key to ask with where it has several."""

    provider: LlmProvider
    request: CompletionRequest
    api_key: str | None = field(default=None, repr=False)


class Chain:
    """The candidates of one request, in turn. Raises an AgentError at once where the first cannot be asked at all."""

    def __init__(self, request: CompletionRequest) -> None:
        if not request.prompt:
            raise InvalidRequest("prompt must not be empty")
        first = candidate_of(request)
        self.request = first.request
        self.passed_over: list[str] = []
        self._candidates = (first, *_fallbacks(request))
        self._waiting = deque(self._candidates)

    @property
    def cache_keys(self) -> set[str]:
        """Those of the request, whichever candidate it is put to."""
        return {candidate.request.cache_key for candidate in self._candidates}

    @property
    def has_more(self) -> bool:
        return bool(self._waiting)

    def next(self) -> Candidate | None:
        """The next candidate, past those that are cooling down as long as another one follows."""
        while self._waiting:
            candidate = self._waiting.popleft()
            name = candidate.request.provider
            if not self._waiting or not cooldown_of(name).passes_over():
                return candidate
            self.passed_over.append(name)
        return None


def _fallbacks(request: CompletionRequest) -> Iterator[Candidate]:
    for name in (agent_settings.FALLBACKS or {}).get(request.provider, ()):
        try:
            yield candidate_of(replace(request, provider=name), is_first=False)
        except AgentError as fault:
            logger.error("fallback of %r left out: %s", request.provider, fault)


def candidate_of(request: CompletionRequest, *, is_first: bool = True) -> Candidate:
    """The provider that `request` names. Raises an AgentError where it cannot be asked that."""
    profile = profile_of(request.model_size)
    model = profile.model
    provider_class = provider_registry.askable(request.provider)
    try:
        provider = provider_class()
        default = profile.model_at(request.provider, provider.default_models, request.model_size)
        model = provider.resolve_model(request.model_size, default)
    except Exception as fault:
        provider = _Broken(fault)
    request = with_schema_in_prompt(request, provider)
    _require_images(request, provider)
    if not str(model or "").strip():
        raise WrongSetting(nameless(request.model_size, request.provider))
    options = _options(profile.options_at(request.provider, is_first=is_first), request, provider)
    return Candidate(provider, replace(request, model=str(model), options=options))


def _options(own: Mapping[str, Any], request: CompletionRequest, provider: LlmProvider) -> Mapping[str, Any]:
    """The options of the profile, over those of the provider's own entry."""
    if own and not provider.supports_options:
        raise WrongSetting(
            f"provider {request.provider!r} takes no options: remove those of MODELS[{request.model_size!r}]"
        )
    return {**provider.options, **own} if provider.supports_options else {}


def _require_images(request: CompletionRequest, provider: LlmProvider) -> None:
    if request.images and not provider.supports_images:
        raise InvalidRequest(f"provider {request.provider!r} takes no images; name one that does, or send none")


def nameless(model_size: str, provider: str) -> str:
    """What is wrong where nothing names the model of a size."""
    return f"STAPEL_AGENT['MODELS'][{model_size!r}] is empty, and provider {provider!r} has no name of its own for it"


class _Broken(LlmProvider):
    """Stands in for a provider that cannot be made, so that its fault is an attempt like any other."""

    supports_schema = supports_images = supports_options = True

    def __init__(self, fault: Exception) -> None:
        self.fault = fault

    def complete(self, **arguments: Any) -> ProviderResult:
        raise self.fault
