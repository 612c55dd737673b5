"""Finds models that will be retired soon or do not support what their size asks for. Uses the network."""

from __future__ import annotations

from collections.abc import Iterator

from django.utils import timezone

from stapel_agent.conf import agent_settings
from stapel_agent.model_profiles import known_profile, token_limit

from .base import LlmProvider
from .registry import provider_registry
from .size_models import model_for


def model_warnings(name: str) -> Iterator[str]:
    """Yield warnings about the models of provider `name`. Yields nothing if the vendor cannot be reached."""
    try:
        provider = provider_registry.load(name)()
        if provider.configuration_error() is not None:
            return
        for size in agent_settings.MODELS:
            if known_profile(size).provider in (None, name):
                yield from _warnings(name, provider, size)
    except Exception:  # the vendor is unreachable, or settings are invalid, which other checks report
        return


def _warnings(name: str, provider: LlmProvider, size: str) -> Iterator[str]:
    profile = known_profile(size)
    model = model_for(name, provider, size)
    facts = provider.model_facts(model)
    if facts is not None:
        yield from facts.warnings(model, size, token_limit(profile), timezone.now(), profile.effort)
