"""The model that a provider has for a size, or what to do if it has none."""

from __future__ import annotations

from stapel_agent.model_profiles import known_profile

from .base import LlmProvider
from .endpoint_settings import EndpointProvider


def _default_model(name: str, provider: LlmProvider, size: str) -> str:
    """Return the model from MODELS, or, if its profile is for another provider, from `default_models`."""
    return known_profile(size).model_at(name, provider.default_models, size)


def model_for(name: str, provider: LlmProvider, size: str) -> str:
    """Return the model of `provider` for `size`. Blank if it has none."""
    model: object = provider.resolve_model(size, _default_model(name, provider, size))
    return "" if model is None else str.__str__(str(model))


def model_problem(name: str, provider: LlmProvider, size: str) -> str | None:
    """Return why `provider` cannot serve `size`, with the fix, or None."""
    if fault := provider.model_error(size, _default_model(name, provider, size)):
        return fault
    return None if model_for(name, provider, size).strip() else model_fix(provider, size)


def model_fix(provider: LlmProvider, size: str) -> str:
    """Return how to give `provider` a model for `size`."""
    setting = provider.model_setting(size) if isinstance(provider, EndpointProvider) else ""
    return f"set {setting}" if setting else "add the size to its default_models, or use another size or provider"
