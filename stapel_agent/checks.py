"""System checks: report settings that will not work, with the fix. They use the registry and know no vendor."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.db import DatabaseError
from django.urls import NoReverseMatch, reverse
from django.utils import timezone

from . import log_content
from .asking import missing_model
from .cache import PromptLogCachePolicy, policy_class
from .conf import DEFAULTS, agent_settings
from .cost_checks import cost_messages, unbounded_messages, undecided_messages, unpriced_messages
from .database import is_in_tenant_schemas, ledger_alias, narrow_tables
from .exceptions import ProviderMisconfigured, ProviderUnimportable, ProviderUnusable, WrongSetting
from .model_profiles import known_profile, profile_problems
from .name_checks import misspelt_models, misspelt_names
from .prices import list_date
from .privacy import overdue
from .providers import (
    LlmProvider,
    dialect_problems,
    model_for,
    model_problem,
    model_warnings,
    provider_registry,
    unset_keys,
)
from .redaction import KEY_LENGTH, message_of, redact, settings_with_short_keys
from .settings_validation import NEEDED, wrong_kinds

PRICE_LIST_DAYS = 60
SETTINGS_TAG = "stapel_agent_settings"
"""The checks that commands without a model run. Cron mails every line of output, and these commands need no key."""
DEFAULT_SIZE = "small"
"""The size of translations and commands that name none."""
SERVICE_MIDDLEWARE = "stapel_core.django.jwt.middleware.ServiceAPIKeyMiddleware"


@register("stapel_agent", SETTINGS_TAG)
def check_providers(app_configs: Any = None, **options: Any) -> list[CheckMessage]:
    """E001, W001, W002: the default provider exists, and every entry can be imported and is a provider."""
    return [*_default_provider(), *_unusable_providers()]


@register("stapel_agent", Tags.database)
def check_retention(
    app_configs: Any = None, databases: Collection[str] | None = None, **options: Any
) -> list[CheckMessage]:
    """W009: texts older than RETENTION_DAYS have been purged. Only runs with `--database` for the ledger's database."""
    alias, days = ledger_alias(), agent_settings.RETENTION_DAYS
    if alias not in (databases or ()) or days is None or any(wrong_kinds(["RETENTION_DAYS"])):
        return []
    try:
        oldest = overdue(alias)
    except DatabaseError:  # not migrated yet
        return []
    if oldest is None:
        return []
    hint = "Run `manage.py purge_prompt_logs` every day, for example by cron."
    text = f"RETENTION_DAYS is {days}, but the ledger has texts from {oldest:%Y-%m-%d} that have not been purged."
    return [Warning(text, hint, id="stapel_agent.W009")]


@register("stapel_agent", Tags.database)
def check_character_sets(
    app_configs: Any = None, databases: Collection[str] | None = None, **options: Any
) -> list[CheckMessage]:
    """W018: MySQL's tables store every character. Only runs with `--database` for the ledger's database."""
    tables = narrow_tables(ledger_alias()) if ledger_alias() in (databases or ()) else []
    if not tables:
        return []
    text = f"These tables cannot store every character, such as an emoji: {', '.join(tables)}."
    hint = f"Convert each of them: ALTER TABLE {tables[0]} CONVERT TO CHARACTER SET utf8mb4;"
    return [Warning(text, hint, id="stapel_agent.W018")]


@register("stapel_agent", SETTINGS_TAG)
def check_settings(app_configs: Any = None, **options: Any) -> list[CheckMessage]:
    """W005, W006, W008, W010, W016, W019, E002 to E011: the other settings are known and have valid values."""
    own = (*_wrong_kinds(), *_unknown_settings(), *_cache_policy(), *_names_of_providers(), *_sizes(), *_dialects())
    return [*own, *cost_messages(), *misspelt_names(), *_tenants(), *_never_reused()]


@register("stapel_agent")
def check_provider_configuration(app_configs: Any = None, **options: Any) -> list[CheckMessage]:
    """W003, W011, W019: the providers in use and their fallbacks are configured."""
    if any(wrong_kinds()):
        return []  # check_settings has reported the invalid settings
    asked = _asked()
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


@register("stapel_agent", deploy=True)
def check_service_middleware(app_configs: Any = None, **options: Any) -> list[CheckMessage]:
    """W004: services can authenticate, if the URLs are included."""
    try:
        reverse("agent:v1:llm-complete")
    except NoReverseMatch:
        return []
    if SERVICE_MIDDLEWARE not in settings.MIDDLEWARE:
        problem, hint = (
            "no middleware reads X-API-KEY",
            f"Add {SERVICE_MIDDLEWARE!r} to MIDDLEWARE, after AuthenticationMiddleware.",
        )
    elif not _has_service_key():
        problem, hint = (
            "no key is set",
            "Set SERVICE_API_KEY to a long random string, or SERVICE_API_KEYS to one for each service.",
        )
    else:
        return []
    return [Warning(f"No service can call the agent: {problem}.", hint, id="stapel_agent.W004")]


@register("stapel_agent", deploy=True)
def check_price_list(app_configs: Any = None, **options: Any) -> list[CheckMessage]:
    """W012: the vendors' price list is at most PRICE_LIST_DAYS old."""
    today = timezone.now().date()
    newest = list_date(today)
    if newest is None or (today - newest).days <= PRICE_LIST_DAYS:
        return []
    hint = "Upgrade genai-prices, or set the prices of your models in STAPEL_AGENT['PRICES']."
    text = (
        f"The price list of genai-prices dates from {newest:%Y-%m-%d}, more than {PRICE_LIST_DAYS} days ago: "
        "costs may be wrong."
    )
    return [Warning(text, hint, id="stapel_agent.W012")]


@register("stapel_agent", deploy=True)
def check_models(app_configs: Any = None, **options: Any) -> list[CheckMessage]:
    """W014: the models of the sizes are not about to be retired, and support the configured token caps."""
    if any(wrong_kinds()):
        return []
    return [Warning(text, id="stapel_agent.W014") for name in _asked() for text in model_warnings(name)]


@register("stapel_agent", deploy=True)
def check_budgets(app_configs: Any = None, **options: Any) -> list[CheckMessage]:
    """W007, W013, W015: if there are budgets, it is known what calls may cost, and whose budget they use.

    Only before a deployment: every command prints the other warnings, and budgets work without these answers.
    """
    if any(wrong_kinds()):
        return []
    return [*unpriced_messages(_asked()), *undecided_messages(), *unbounded_messages()]


@register("stapel_agent", deploy=True)
def check_key_lengths(app_configs: Any = None, **options: Any) -> list[CheckMessage]:
    """W017: every key is long enough to be recognized in an error message, however it is encoded."""
    hint = f"Use a key of at least {KEY_LENGTH} characters, or none if the endpoint needs none."
    fault = f"is shorter than {KEY_LENGTH} characters: in messages, only its plain form is redacted."
    return [Warning(f"{name} {fault}", hint, id="stapel_agent.W017") for name in settings_with_short_keys()]


def _has_service_key() -> bool:
    keys = getattr(settings, "SERVICE_API_KEYS", None)
    own = keys.values() if isinstance(keys, Mapping) else ()
    return bool(getattr(settings, "SERVICE_API_KEY", None)) or any(own)


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


def _unknown_settings() -> Iterator[CheckMessage]:
    own = getattr(settings, "STAPEL_AGENT", {})
    for key in sorted(own.keys() - DEFAULTS.keys(), key=str) if isinstance(own, Mapping) else ():
        near = get_close_matches(str(key), DEFAULTS, n=1)
        hint = f"Did you mean {near[0]!r}?" if near else f"Known keys: {', '.join(sorted(DEFAULTS))}."
        yield Warning(f"STAPEL_AGENT has an unknown key {key!r}; it has no effect.", hint, id="stapel_agent.W006")


def _cache_policy() -> Iterator[CheckMessage]:
    try:
        policy_class()
    except WrongSetting as fault:
        hint = "Set it to a subclass of stapel_agent.CachePolicy. No answer is reused until this is fixed."
        yield Warning(str(fault), hint, id="stapel_agent.W005")


def _wrong_kinds() -> Iterator[CheckMessage]:
    for wrong in wrong_kinds():
        hint = "Calls fail until this is fixed." if wrong.key in NEEDED else None
        yield Error(f"{wrong.text}.", hint, id=wrong.id)


def _names_of_providers() -> Iterator[CheckMessage]:
    names, wrong = provider_registry.entries().keys(), {wrong.key for wrong in wrong_kinds()}
    fallbacks, places = agent_settings.FALLBACKS, agent_settings.MAX_CONCURRENCY
    if "FALLBACKS" not in wrong and not all(_is_chain(item, names) for item in fallbacks.items()):
        text = (
            f"STAPEL_AGENT['FALLBACKS'] must map each provider to others, all from {sorted(names)}, not {fallbacks!r}."
        )
        yield Error(text, id="stapel_agent.E005")
    if "MAX_CONCURRENCY" not in wrong and not places.keys() <= names:
        text = f"STAPEL_AGENT['MAX_CONCURRENCY'] must name providers from {sorted(names)}, not {sorted(places)}."
        yield Error(text, id="stapel_agent.E005")


def _sizes() -> Iterator[CheckMessage]:
    if any(wrong_kinds(["MODELS", "OPENAI_COMPAT_MODELS"])):
        return
    yield from _unknown_sizes()
    if DEFAULT_SIZE not in agent_settings.MODELS:
        hint = "Add it, or name another size each time: in llm.translate, `llm ask --size` and `llm_translate --model`."
        text = f"MODELS has no size {DEFAULT_SIZE!r}: translations and commands that name no size fail."
        yield Warning(text, hint, id="stapel_agent.W016")
    for size, entry in agent_settings.MODELS.items():
        for problem in (*profile_problems(size, entry), *_unregistered(size, entry)):
            yield Error(f"{problem}.", "Calls of that size fail until this is fixed.", id="stapel_agent.E003")
    for name, sizes in _in_use().items():
        for size in _without_model(name, sizes):
            hint = "Set a model there or in the provider's models. Calls of that size fail until this is fixed."
            yield Error(f"{missing_model(size, name)}.", hint, id="stapel_agent.E003")


def _in_use() -> dict[str, list[str]]:
    """Return the providers for requests that name none, each with its sizes. The default provider is first."""
    default, models = agent_settings.DEFAULT_PROVIDER, agent_settings.MODELS
    valid = [size for size, entry in models.items() if not any(profile_problems(size, entry))]
    sizes = {size: known_profile(size).provider or default for size in valid}
    names = dict.fromkeys(name for name in (default, *sizes.values()) if isinstance(name, str))
    return {name: [size for size, own in sizes.items() if own == name] for name in names}


def _asked() -> dict[str, list[str]]:
    """Return the providers in use and their fallbacks, each with the sizes for which it may be asked."""
    asked, chains = _in_use(), {} if any(wrong_kinds(["FALLBACKS"])) else agent_settings.FALLBACKS
    for first, sizes in _in_use().items():
        for name in dict.fromkeys(chains.get(first, ())):
            asked.setdefault(name, []).extend(sizes)
    return asked


def _unknown_sizes() -> Iterator[CheckMessage]:
    sizes, providers = agent_settings.MODELS, agent_settings.PROVIDERS
    places = {"OPENAI_COMPAT_MODELS": agent_settings.OPENAI_COMPAT_MODELS}
    for name, entry in providers.items() if isinstance(providers, Mapping) else ():
        places[f"PROVIDERS[{name!r}]['models']"] = entry.get("models") if isinstance(entry, Mapping) else None
    for place, models in places.items():
        if isinstance(models, Mapping) and (unknown := sorted(map(str, models.keys() - sizes.keys()))):
            hint = f"MODELS has {sorted(sizes)}: add the size there, or change its name here."
            text = f"{place} has sizes that MODELS lacks, so no request can use them: {unknown}."
            yield Warning(text, hint, id="stapel_agent.W010")


def _foreign_models(name: str, provider: LlmProvider, sizes: list[str]) -> Iterator[CheckMessage]:
    reported = _without_model(name, _in_use().get(name, []))
    for size in sizes:
        if size not in reported and (problem := model_problem(name, provider, size)):
            yield Warning(f"Provider {name!r} has no model for the size {size!r}: {problem}", id="stapel_agent.W011")


def _unregistered(size: str, entry: Any) -> Iterator[str]:
    name = entry.get("provider") if isinstance(entry, Mapping) else None
    if isinstance(name, str) and name not in (names := provider_registry.entries()):
        yield f"STAPEL_AGENT['MODELS'][{size!r}]['provider'] is {name!r}: use one of {', '.join(sorted(names))}"


def _without_model(name: str, sizes: list[str]) -> list[str]:
    """Return the sizes for which neither MODELS nor the provider has a model."""
    try:
        provider = provider_registry.load(name)()
        return [size for size in sizes if not model_for(name, provider, size).strip()]
    except Exception:  # other checks report errors in the provider
        return []


def _dialects() -> Iterator[CheckMessage]:
    if any(wrong_kinds(["DIALECTS"])):
        return
    for name, entry in (agent_settings.DIALECTS or {}).items():
        for problem in dialect_problems(name, entry):
            hint = "The entry has no effect until this is fixed."
            yield Error(f"{problem}.", hint, id="stapel_agent.E010")


def _tenants() -> Iterator[CheckMessage]:
    if is_in_tenant_schemas(ledger_alias()):
        text = "'stapel_agent' is a tenant app, but its ledger cannot be in the schema of each tenant: "
        hint = "One ledger serves all tenants and separates them by workspace_id."
        yield Error(f"{text}add 'stapel_agent' only to SHARED_APPS.", hint, id="stapel_agent.E011")


def _never_reused() -> Iterator[CheckMessage]:
    try:
        lookup, policy = agent_settings.CACHE_LOOKUP, agent_settings.CACHE_POLICY
        in_ledger = issubclass(policy, PromptLogCachePolicy)
        sources = sorted(source for source, on in lookup.items() if on is True and not log_content.is_full(source))
    except Exception:  # other checks report errors in these settings
        return
    if in_ledger and sources:
        hint = "Log them in full, turn CACHE_LOOKUP off for them, or set a CACHE_POLICY with its own storage."
        text = f"LOG_CONTENT stores no texts of {sources}, so their answers are never reused from the ledger."
        yield Warning(text, hint, id="stapel_agent.W008")


def _is_chain(item: tuple[str, Collection[str]], names: Collection[str]) -> bool:
    first, others = item
    return first in names and all(name in names and name != first for name in others)
