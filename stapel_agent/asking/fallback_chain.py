"""The providers to try for one request: the one it names, then its FALLBACKS."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from operator import attrgetter
from typing import Any

from stapel_agent.conf import agent_settings
from stapel_agent.exceptions import AgentError, InvalidRequest, WrongSetting
from stapel_agent.model_profiles import profile_of
from stapel_agent.providers import LlmProvider, ProviderResult, model_fix, model_for, provider_registry
from stapel_agent.types import CompletionRequest

from .circuit_breaker import cooldown_of
from .schema_prompt import with_schema_in_prompt

logger = logging.getLogger(__name__)

_traits = attrgetter(*(name for name in vars(LlmProvider) if name.startswith("supports_")))


@dataclass(frozen=True)
class Candidate:
    """A provider, the request with that provider's model name, and the API key if the provider has several."""

    provider: LlmProvider
    request: CompletionRequest
    api_key: str | None = field(default=None, repr=False)


class Chain:
    """The candidates for one request, in order. Raises an AgentError immediately if the first cannot be asked."""

    def __init__(self, request: CompletionRequest) -> None:
        if not request.prompt:
            raise InvalidRequest("prompt must not be empty")
        first = candidate_of(request)
        self.request = first.request
        self.passed_over: list[str] = []
        self.unusable: dict[str, AgentError] = {}
        self._candidates = (first, *self._fallbacks(request))
        self._waiting = deque(self._candidates)

    @property
    def cache_keys(self) -> set[str]:
        """The cache keys of the request, one for each candidate."""
        return {candidate.request.cache_key for candidate in self._candidates}

    @property
    def has_more(self) -> bool:
        return bool(self._waiting)

    def next(self) -> Candidate | None:
        """Return the next candidate. Skips one that is cooling down, unless it is the last."""
        while self._waiting:
            candidate = self._waiting.popleft()
            name = candidate.request.provider
            if not self._waiting or not cooldown_of(name).passes_over():
                return candidate
            self.passed_over.append(name)
        return None

    def _fallbacks(self, request: CompletionRequest) -> Iterator[Candidate]:
        for name in (agent_settings.FALLBACKS or {}).get(request.provider, ()):
            try:
                yield candidate_of(replace(request, provider=name), is_first=False)
            except AgentError as fault:
                self.unusable[name] = fault
                logger.error("skipped a fallback of provider %r: %s", request.provider, fault)


def candidate_of(request: CompletionRequest, *, is_first: bool = True) -> Candidate:
    """Return the candidate for the provider that `request` names. Raises an AgentError if it cannot be asked."""
    profile = profile_of(request.model_size)
    model = str.__str__(profile.model)
    provider_class = provider_registry.askable(request.provider)
    try:
        provider = provider_class()
        model = model_for(request.provider, provider, request.model_size)
        _read_traits(provider)
    except Exception as fault:
        provider = _Broken(fault)
    request = with_schema_in_prompt(request, provider)
    _require_images(request, provider)
    if not model.strip():
        raise _without_model(request, provider)
    options = _options(profile.options_at(request.provider, is_first=is_first), request, provider)
    return Candidate(provider, request.replaced(model=model, options=options))


def _read_traits(provider: LlmProvider) -> None:
    """Read the attributes that say what a provider can do, so that one that raises is the provider's bug."""
    list(map(bool, _traits(provider)))
    dict(provider.options)


def _options(own: Mapping[str, Any], request: CompletionRequest, provider: LlmProvider) -> Mapping[str, Any]:
    """Merge the options of the profile over the options of the provider's entry."""
    if own and not provider.supports_options:
        raise WrongSetting(
            f"provider {request.provider!r} does not support options: remove them from MODELS[{request.model_size!r}]"
        )
    return {**provider.options, **own} if provider.supports_options else {}


def _require_images(request: CompletionRequest, provider: LlmProvider) -> None:
    if request.images and not provider.supports_images:
        raise InvalidRequest(
            f"provider {request.provider!r} does not support images: choose one that does, or send none"
        )


def _without_model(request: CompletionRequest, provider: LlmProvider) -> InvalidRequest:
    """Return the exception for a size for which `provider` has no model."""
    name, size = request.provider, request.model_size
    owner = profile_of(size).provider
    if owner in (None, name):
        return WrongSetting(missing_model(size, name))
    fault = f"the profile of {size!r} is for provider {owner!r}, and provider {name!r} has no model for that size"
    return InvalidRequest(f"{fault}: {model_fix(provider, size)}")


def missing_model(model_size: str, provider: str) -> str:
    """Return the message for a size for which neither MODELS nor its provider names a model."""
    return (
        f"STAPEL_AGENT['MODELS'][{model_size!r}] names no model, and provider {provider!r} has no default model for it"
    )


class _Broken(LlmProvider):
    """Stands in for a provider that cannot be constructed, so that the error is recorded as an attempt."""

    supports_schema = supports_images = supports_options = True

    def __init__(self, fault: Exception) -> None:
        self.fault = fault

    def complete(self, **arguments: Any) -> ProviderResult:
        raise self.fault
