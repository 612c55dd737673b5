"""System checks: which settings will not work, and the mend. They know no vendor; they ask the registry."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.db import DatabaseError
from django.urls import NoReverseMatch, reverse

from . import budgets, content, retention
from .cache import CachePolicy, PromptLogCachePolicy
from .conf import DEFAULTS, agent_settings
from .connection import ledger_alias
from .exceptions import ProviderUnimportable, ProviderUnusable
from .prices import UnitPrices, unit_prices
from .providers.registry import registry

SERVICE_MIDDLEWARE = "stapel_core.django.jwt.middleware.ServiceAPIKeyMiddleware"

SIZE_LENGTH = 16
SOURCE_MAPS: dict[str, tuple[object, ...]] = {
    "CACHE_LOOKUP": (True, False),
    "CACHE_SCOPE": ("user", "workspace", "shared"),
    "LOG_CONTENT": content.CHOICES,
}
LIMITS = ("DEADLINE", "RETENTION_DAYS")
"""Which may be None."""
SWITCHES = ("IMAGE_FETCH", "TRACE_CONTENT")
LEAST = {
    "CLI_TIMEOUT": 1,
    "RETRIES": 0,
    "COOLDOWN_FAILURES": 1,
    "COOLDOWN_SECONDS": 0,
    "MAX_TOKENS": 1,
    "SCHEMA_RETRIES": 0,
    "TRANSLATE_CHUNK_ENTRIES": 1,
    "TRANSLATE_CONCURRENCY": 1,
    "TRANSLATE_RETRIES": 0,
    "IMAGE_MAX_BYTES": 1,
    "CACHE_TTL": 0,
    "IDEMPOTENCY_TTL": 0,
}


@register("stapel_agent")
def check_providers(app_configs: Any = None, **options: Any) -> list[CheckMessage]:
    """E001, W001, W002: the default provider exists, and every entry can be imported and is a provider."""
    return [*_default_provider(), *_unusable_providers()]


@register("stapel_agent", Tags.database)
def check_retention(
    app_configs: Any = None, databases: Collection[str] | None = None, **options: Any
) -> list[CheckMessage]:
    """W009, where the ledger's database may be asked (`--database`): what RETENTION_DAYS promises is done."""
    alias, days = ledger_alias(), agent_settings.RETENTION_DAYS
    if alias not in (databases or ()) or not _is_number(days, 0.001):
        return []
    try:
        oldest = retention.overdue(alias)
    except DatabaseError:  # not migrated yet
        return []
    if oldest is None:
        return []
    hint = "Run `manage.py purge_prompt_logs` every day, as docs/retention.md shows."
    text = f"RETENTION_DAYS is {days}, but the ledger has texts of {oldest:%Y-%m-%d}: nothing has purged them."
    return [Warning(text, hint, id="stapel_agent.W009")]


@register("stapel_agent")
def check_settings(app_configs: Any = None, **options: Any) -> list[CheckMessage]:
    """W005 to W008, E002 to E008: the other settings are known, and of a kind that can work."""
    others = (*_prices(), *_budgets(), *_unpriced(), *_never_reused())
    return [*_unknown_settings(), *_cache_policy(), *_figures(), *_maps(), *_provider_maps(), *others]


@register("stapel_agent", deploy=True)
def check_provider_configuration(app_configs: Any = None, **options: Any) -> list[CheckMessage]:
    """W003: the provider in use has what it needs."""
    name = agent_settings.DEFAULT_PROVIDER
    try:
        fault = registry.load(name)().configuration_error()
    except ProviderUnusable:
        return []  # check_providers has reported it
    except Exception as raised:
        fault = f"asking it raised {type(raised).__name__}"
    return [Warning(f"Provider {name!r} cannot answer yet: {fault}", id="stapel_agent.W003")] if fault else []


@register("stapel_agent", deploy=True)
def check_service_middleware(app_configs: Any = None, **options: Any) -> list[CheckMessage]:
    """W004: services can sign in, where the endpoints are mounted."""
    try:
        reverse("agent:v1:llm-complete")
    except NoReverseMatch:
        return []
    if SERVICE_MIDDLEWARE in settings.MIDDLEWARE:
        return []
    hint = f"Add {SERVICE_MIDDLEWARE!r} to MIDDLEWARE, after AuthenticationMiddleware."
    return [Warning("No service can call the agent: X-API-KEY is read by nobody.", hint, id="stapel_agent.W004")]


def _default_provider() -> Iterator[CheckMessage]:
    name, names = agent_settings.DEFAULT_PROVIDER, sorted(registry.entries())
    if name not in names:
        hint = f"Set STAPEL_AGENT['DEFAULT_PROVIDER'] to one of {names}, or add it to PROVIDERS."
        yield Error(f"DEFAULT_PROVIDER {name!r} is not a registered provider.", hint, id="stapel_agent.E001")


def _unusable_providers() -> Iterator[CheckMessage]:
    for name, fault in registry.unusable():
        if isinstance(fault, ProviderUnimportable):
            hint = f"Mend the dotted path, install what it imports, or set PROVIDERS[{name!r}] to None."
            yield Warning(f"{fault}: {fault.__cause__}", hint, id="stapel_agent.W001")
        else:
            hint = "Subclass stapel_agent.LlmProvider."
            yield Warning(str(fault), hint, id="stapel_agent.W002")


def _unknown_settings() -> Iterator[CheckMessage]:
    for key in getattr(settings, "STAPEL_AGENT", {}).keys() - DEFAULTS.keys():
        near = get_close_matches(key, DEFAULTS, n=1)
        hint = f"Did you mean {near[0]!r}?" if near else f"Known keys: {', '.join(sorted(DEFAULTS))}."
        yield Warning(f"STAPEL_AGENT has an unknown key {key!r}; it has no effect.", hint, id="stapel_agent.W006")


def _cache_policy() -> Iterator[CheckMessage]:
    try:
        policy = agent_settings.CACHE_POLICY
    except ImportError as fault:
        policy = fault
    if not (isinstance(policy, type) and issubclass(policy, CachePolicy)):
        hint = "Name a subclass of stapel_agent.CachePolicy; until then no answer is reused."
        yield Warning(f"CACHE_POLICY is no cache policy: {policy!r}", hint, id="stapel_agent.W005")


def _figures() -> Iterator[CheckMessage]:
    figures = {**LEAST, **{key: 0.001 for key in LIMITS if getattr(agent_settings, key) is not None}}
    for key, least in figures.items():
        value = getattr(agent_settings, key)
        if not _is_number(value, least):
            yield Error(f"STAPEL_AGENT[{key!r}] must be a number from {least}, not {value!r}.", id="stapel_agent.E002")
    for key in SWITCHES:
        if not isinstance(value := getattr(agent_settings, key), bool):
            yield Error(f"STAPEL_AGENT[{key!r}] must be True or False, not {value!r}.", id="stapel_agent.E002")


def _maps() -> Iterator[CheckMessage]:
    models = agent_settings.MODELS
    if not (isinstance(models, dict) and models and all(map(_is_model, models.items()))):
        hint = "Such as {'small': 'claude-haiku-4-5-20251001'}."
        text = f"STAPEL_AGENT['MODELS'] must map sizes, of {SIZE_LENGTH} characters at most, to model names."
        yield Error(text, hint, id="stapel_agent.E003")
    for key, values in SOURCE_MAPS.items():
        value = getattr(agent_settings, key)
        if not (isinstance(value, dict) and all(choice in values for choice in value.values())):
            text = f"STAPEL_AGENT[{key!r}] must map sources to one of {values}, not {value!r}."
            yield Error(text, id="stapel_agent.E004")


def _provider_maps() -> Iterator[CheckMessage]:
    names = registry.entries().keys()
    fallbacks, places = agent_settings.FALLBACKS, agent_settings.MAX_CONCURRENCY
    if not (isinstance(fallbacks, dict) and all(_is_chain(item, names) for item in fallbacks.items())):
        text = (
            f"STAPEL_AGENT['FALLBACKS'] must map a provider to a list of others of {sorted(names)}, not {fallbacks!r}."
        )
        yield Error(text, id="stapel_agent.E005")
    if not (isinstance(places, dict) and all(map(_is_whole, places.values())) and places.keys() <= names):
        text = f"STAPEL_AGENT['MAX_CONCURRENCY'] must map one of {sorted(names)} to a number from 1, not {places!r}."
        yield Error(text, id="stapel_agent.E005")


def _prices() -> Iterator[CheckMessage]:
    prices = agent_settings.PRICES
    wrong = [
        model
        for model, entry in (prices.items() if isinstance(prices, Mapping) else [(prices, None)])
        if not isinstance(entry, Mapping) or UnitPrices.of(entry) is None
    ]
    for model in wrong:
        hint = "Such as {'input': '3', 'output': '15', 'cache_read': '0.3', 'cache_write': '3.75'}."
        text = f"STAPEL_AGENT['PRICES'][{model!r}] is no US dollars per million tokens, of input and output at least."
        yield Error(text, hint, id="stapel_agent.E008")


def _budgets() -> Iterator[CheckMessage]:
    setting = agent_settings.BUDGETS
    for fault in budgets.faults(setting) if isinstance(setting, list | tuple) else budgets.policy_faults():
        yield Error(f"{fault}.", "Until then no provider is called.", id="stapel_agent.E006")


def _unpriced() -> Iterator[CheckMessage]:
    setting, name = agent_settings.BUDGETS, agent_settings.DEFAULT_PROVIDER
    if not (isinstance(setting, list | tuple) and any("usd" in entry for entry in setting if isinstance(entry, dict))):
        return
    try:
        provider = registry.load(name)()
        models = [provider.resolve_model(size, model) for size, model in agent_settings.MODELS.items()]
        unpriced = sorted({str(model) for model in models if unit_prices(name, str(model), provider.vendor) is None})
    except Exception:  # other checks tell what is wrong with these settings
        return
    if unpriced:
        hint = "Add them to STAPEL_AGENT['PRICES'], or limit 'tokens'."
        text = f"BUDGETS limits dollars, and models of {name!r} have no price, which count as free: {unpriced}."
        yield Warning(text, hint, id="stapel_agent.W007")


def _never_reused() -> Iterator[CheckMessage]:
    try:
        lookup, policy = agent_settings.CACHE_LOOKUP, agent_settings.CACHE_POLICY
        in_ledger = issubclass(policy, PromptLogCachePolicy)
        sources = sorted(source for source, on in lookup.items() if on and not content.is_full(source))
    except Exception:  # other checks tell what is wrong with these settings
        return
    if in_ledger and sources:
        hint = "Log them in full, turn CACHE_LOOKUP off for them, or name a CACHE_POLICY with a place of its own."
        text = f"LOG_CONTENT stores no texts of {sources}, so no answer of theirs is ever reused from the ledger."
        yield Warning(text, hint, id="stapel_agent.W008")


def _is_chain(item: tuple[object, object], names: Collection[str]) -> bool:
    first, others = item
    return (
        first in names and isinstance(others, list | tuple) and all(name in names and name != first for name in others)
    )


def _is_whole(limit: object) -> bool:
    return isinstance(limit, int) and _is_number(limit, 1)


def _is_number(value: object, least: float) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value >= least


def _is_model(item: tuple[object, object]) -> bool:
    size, name = item
    return isinstance(size, str) and len(size) <= SIZE_LENGTH and isinstance(name, str)
