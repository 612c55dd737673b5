"""Checks of the registered providers and of those in use."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.core.checks import CheckMessage, Error, Warning, register

from stapel_agent.conf import agent_settings
from stapel_agent.exceptions import ProviderMisconfigured, ProviderUnimportable, ProviderUnusable
from stapel_agent.providers import LlmProvider, model_problem, provider_registry, unset_keys
from stapel_agent.redaction import message_of, redact
from stapel_agent.settings_validation import wrong_kinds

from .name_checks import misspelt_models
from .settings_checks import SETTINGS_TAG
from .size_checks import providers_asked, providers_in_use, sizes_without_model


@register("stapel_agent", SETTINGS_TAG)
def check_providers(app_configs: Any = None, **options: Any) -> list[CheckMessage]:
    """E001, W001, W002: the default provider exists, and every entry can be imported and is a provider."""
    return [*_default_provider(), *_unusable_providers()]


@register("stapel_agent")
def check_provider_configuration(app_configs: Any = None, **options: Any) -> list[CheckMessage]:
    """W003, W011, W019: the providers in use and their fallbacks are configured."""
    if any(wrong_kinds()):
        return []  # check_settings has reported the invalid settings
    asked = providers_asked()
    found = [finding for name, sizes in asked.items() for finding in _configuration(name, sizes)]
    return [*found, *misspelt_models(asked)]


def _configuration(name: str, sizes: list[str]) -> list[CheckMessage]:
    try:
        provider = provider_registry.load(name)()
        if problem := provider.configuration_error():
            return [Warning(f"Provider {name!r} is not configured: {problem}", id="stapel_agent.W003")]
        unset = [Warning(f"{fact}.", id="stapel_agent.W003") for fact in unset_keys(provider)]
        return [*unset, *_foreign_models(name, provider, sizes)]
    except ProviderUnusable:
        return []  # check_providers has reported it
    except Exception as raised:
        text = f"Provider {name!r} is not configured: its check raised {type(raised).__name__}"
        return [Warning(text, id="stapel_agent.W003")]


def _default_provider() -> Iterator[CheckMessage]:
    name, names = agent_settings.DEFAULT_PROVIDER, sorted(provider_registry.entries())
    if isinstance(name, str) and name not in names:
        hint = f"Set STAPEL_AGENT['DEFAULT_PROVIDER'] to one of {names}, or add it to PROVIDERS."
        yield Error(f"DEFAULT_PROVIDER {name!r} is not a registered provider.", hint, id="stapel_agent.E001")


def _unusable_providers() -> Iterator[CheckMessage]:
    for name, fault in provider_registry.unusable():
        if isinstance(fault, ProviderUnimportable):
            hint = f"Fix the dotted path, install what it imports, or set PROVIDERS[{name!r}] to None."
            cause = f": {redact(message_of(fault.__cause__))}" if fault.__cause__ else "."
            yield Warning(f"{fault}{cause}", hint, id="stapel_agent.W001")
        elif isinstance(fault, ProviderMisconfigured):
            yield Error(f"{fault}.", f"Fix the entry, or set PROVIDERS[{name!r}] to None.", id="stapel_agent.E010")
        else:
            hint = "Subclass stapel_agent.LlmProvider."
            yield Warning(str(fault), hint, id="stapel_agent.W002")


def _foreign_models(name: str, provider: LlmProvider, sizes: list[str]) -> Iterator[CheckMessage]:
    reported = sizes_without_model(name, providers_in_use().get(name, []))
    for size in sizes:
        if size not in reported and (problem := model_problem(name, provider, size)):
            yield Warning(f"Provider {name!r} has no model for the size {size!r}: {problem}", id="stapel_agent.W011")
