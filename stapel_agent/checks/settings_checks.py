"""Checks of STAPEL_AGENT: its keys are known, and their values are valid."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register

from stapel_agent import log_content
from stapel_agent.cache import PromptLogCachePolicy, policy_class
from stapel_agent.conf import DEFAULTS, agent_settings
from stapel_agent.database import is_in_tenant_schemas, ledger_alias
from stapel_agent.exceptions import WrongSetting
from stapel_agent.providers import dialect_problems, provider_registry
from stapel_agent.settings_validation import NEEDED, wrong_kinds

from .cost_checks import cost_messages
from .name_checks import misspelt_names
from .size_checks import size_messages

SETTINGS_TAG = "stapel_agent_settings"
"""The checks that commands without a model run. Cron mails every line of output, and these commands need no key."""


@register("stapel_agent", SETTINGS_TAG)
def check_settings(app_configs: Any = None, **options: Any) -> list[CheckMessage]:
    """W005, W006, W008, W010, W016, W019, E002 to E011: the other settings are known and have valid values."""
    own = (
        *_wrong_kinds(),
        *_unknown_settings(),
        *_cache_policy(),
        *_names_of_providers(),
        *size_messages(),
        *_dialects(),
    )
    return [*own, *cost_messages(), *misspelt_names(), *_tenants(), *_never_reused()]


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


def _is_chain(item: tuple[str, Collection[str]], names: Collection[str]) -> bool:
    first, others = item
    return first in names and all(name in names and name != first for name in others)


def _dialects() -> Iterator[CheckMessage]:
    if any(wrong_kinds(["DIALECTS"])):
        return
    for name, entry in (agent_settings.DIALECTS or {}).items():
        for problem in dialect_problems(name, entry):
            hint = "The entry has no effect until this is fixed."
            yield Error(f"{problem}.", hint, id="stapel_agent.E010")


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


def _tenants() -> Iterator[CheckMessage]:
    if is_in_tenant_schemas(ledger_alias()):
        text = "'stapel_agent' is a tenant app, but its ledger cannot be in the schema of each tenant: "
        hint = "One ledger serves all tenants and separates them by workspace_id."
        yield Error(f"{text}add 'stapel_agent' only to SHARED_APPS.", hint, id="stapel_agent.E011")
