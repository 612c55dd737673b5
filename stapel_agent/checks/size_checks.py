"""Checks of the sizes in MODELS, and which providers serve them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from django.core.checks import CheckMessage, Error, Warning

from stapel_agent.asking import missing_model
from stapel_agent.conf import agent_settings
from stapel_agent.model_profiles import known_profile, profile_problems
from stapel_agent.providers import model_for, provider_registry
from stapel_agent.settings_validation import wrong_kinds

DEFAULT_SIZE = "small"
"""The size of translations and commands that name none."""


def size_messages() -> Iterator[CheckMessage]:
    """Yield what is wrong with the sizes, and which of them have no model."""
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
    for name, sizes in providers_in_use().items():
        for size in sizes_without_model(name, sizes):
            hint = "Set a model there or in the provider's models. Calls of that size fail until this is fixed."
            yield Error(f"{missing_model(size, name)}.", hint, id="stapel_agent.E003")


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


def _unregistered(size: str, entry: Any) -> Iterator[str]:
    name = entry.get("provider") if isinstance(entry, Mapping) else None
    if isinstance(name, str) and name not in (names := provider_registry.entries()):
        yield f"STAPEL_AGENT['MODELS'][{size!r}]['provider'] is {name!r}: use one of {', '.join(sorted(names))}"


def providers_in_use() -> dict[str, list[str]]:
    """Return the providers for requests that name none, each with its sizes. The default provider is first."""
    default, models = agent_settings.DEFAULT_PROVIDER, agent_settings.MODELS
    valid = [size for size, entry in models.items() if not any(profile_problems(size, entry))]
    sizes = {size: known_profile(size).provider or default for size in valid}
    names = dict.fromkeys(name for name in (default, *sizes.values()) if isinstance(name, str))
    return {name: [size for size, own in sizes.items() if own == name] for name in names}


def providers_asked() -> dict[str, list[str]]:
    """Return the providers in use and their fallbacks, each with the sizes for which it may be asked."""
    asked, chains = providers_in_use(), {} if any(wrong_kinds(["FALLBACKS"])) else agent_settings.FALLBACKS
    for first, sizes in providers_in_use().items():
        for name in dict.fromkeys(chains.get(first, ())):
            asked.setdefault(name, []).extend(sizes)
    return asked


def sizes_without_model(name: str, sizes: list[str]) -> list[str]:
    """Return the sizes for which neither MODELS nor the provider has a model."""
    try:
        provider = provider_registry.load(name)()
        return [size for size in sizes if not model_for(name, provider, size).strip()]
    except Exception:  # other checks report errors in the provider
        return []
